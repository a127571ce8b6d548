//! How a native metric is declared, and what is made of that for each of its event types.

use crate::error::{Error, Result};
use crate::event::event_type::MAX_NAME;
use crate::event::{EventType, Field, FieldAt, FieldKind, event_type};
use crate::metrics::MetricKind;
use crate::metrics::native::filter::{FieldFilter, Filter};

/// How many series a metric has where it does not say.
pub const DEFAULT_MAX_SERIES: u64 = 2_000;

/// The most series that a metric may ask for.
pub const MAX_SERIES: u64 = 1_048_576;

/// The most fields that a metric is grouped by.
pub const MAX_GROUP_BY: usize = 16;

/// The declaration of a native metric.
#[derive(Clone, Debug)]
pub struct NativeSpec {
    /// 1 to 255 bytes.
    pub name: String,
    /// What the values are measured in, such as `bytes`; may be empty.
    pub unit: String,
    /// A sentence for people; may be empty.
    pub help: String,
    /// What the metric makes of the values.
    pub kind: MetricKind,
    /// The event types that it looks at; at least one.
    pub event_types: Vec<u32>,
    /// The field that is the value; `None`: each event is worth 1.
    pub value_field: Option<String>,
    /// Events for which not all of these hold are ignored.
    pub filters: Vec<Filter>,
    /// The fields of whose values each combination gets a series of its own.
    pub group_by: Vec<String>,
    /// How many series there are at most, the overflow series not counted; `None`: 2,000.
    pub max_series: Option<u64>,
}

/// What is to be done with the events of one type.
#[derive(Debug)]
pub(super) struct Plan {
    pub(super) type_id: u32,
    pub(super) filters: Box<[FieldFilter]>,
    /// `None`: the value is 1.
    pub(super) value: Option<FieldAt>,
    pub(super) group_by: Box<[FieldAt]>,
}

impl Plan {
    /// Whether every event counts as 1.
    pub(super) fn counts_all(&self) -> bool {
        self.filters.is_empty() && self.value.is_none()
    }
}

/// Kinds of fields that can stand for each other across event types.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sort {
    Integer,
    Float,
    Bool,
    Symbol,
    Text,
}

impl Sort {
    fn of(kind: FieldKind) -> Self {
        match kind {
            FieldKind::I8 | FieldKind::I16 | FieldKind::I32 | FieldKind::I64 => Self::Integer,
            FieldKind::U8 | FieldKind::U16 | FieldKind::U32 | FieldKind::U64 => Self::Integer,
            FieldKind::F32 | FieldKind::F64 => Self::Float,
            FieldKind::Bool => Self::Bool,
            FieldKind::Symbol => Self::Symbol,
            FieldKind::Text => Self::Text,
        }
    }
}

/// A declaration that was found to be good, made ready for events.
#[derive(Debug)]
pub(super) struct Resolved {
    /// By event type number, in ascending order.
    pub(super) plans: Box<[Plan]>,
    /// Of what sort the value is; an integer where each event is worth 1.
    pub(super) value: Sort,
    /// Of what sort the fields to group by are.
    pub(super) group_by: Vec<Sort>,
    pub(super) max_series: usize,
}

impl NativeSpec {
    /// A metric of some event types that counts 1 for each event, in one series; the other members say more.
    pub fn new<'a>(
        name: impl Into<String>,
        kind: MetricKind,
        event_types: impl IntoIterator<Item = &'a EventType>,
    ) -> Self {
        Self {
            name: name.into(),
            unit: String::new(),
            help: String::new(),
            kind,
            event_types: event_types.into_iter().map(|event_type| event_type.id).collect(),
            value_field: None,
            filters: Vec::new(),
            group_by: Vec::new(),
            max_series: None,
        }
    }

    /// Checks the declaration against the event types that it names.
    ///
    /// # Errors
    /// INVALID_ARGUMENT, naming the member that is bad.
    pub(super) fn resolve(&self) -> Result<Resolved> {
        if self.name.is_empty() || self.name.len() > MAX_NAME {
            return Err(Error::invalid_argument(
                "name",
                format!("must have 1 to {MAX_NAME} bytes"),
            ));
        }
        let max_series = self.max_series.unwrap_or(DEFAULT_MAX_SERIES);
        if !(1..=MAX_SERIES).contains(&max_series) {
            return Err(Error::invalid_argument(
                "max_series",
                format!("is {max_series}, which is not from 1 to {MAX_SERIES}"),
            ));
        }
        if self.group_by.len() > MAX_GROUP_BY {
            return Err(Error::invalid_argument(
                "group_by",
                format!("has more than {MAX_GROUP_BY} entries"),
            ));
        }
        for (index, name) in self.group_by.iter().enumerate() {
            if self.group_by.iter().take(index).any(|earlier| earlier == name) {
                return Err(Error::invalid_argument(
                    &format!("group_by[{index}]"),
                    format!("is '{name}', like one before it"),
                ));
            }
        }
        let event_types = self.event_types()?;
        let value = match &self.value_field {
            Some(name) => {
                let sort = common_sort("value_field", name, &event_types)?;
                if !matches!(sort, Sort::Integer | Sort::Float) {
                    return Err(Error::invalid_argument(
                        "value_field",
                        format!("is '{name}', which is not a number"),
                    ));
                }
                sort
            }
            None => Sort::Integer,
        };
        let group_by = self.group_by.iter().enumerate();
        let group_by = group_by
            .map(|(index, name)| common_sort(&format!("group_by[{index}]"), name, &event_types))
            .collect::<Result<Vec<_>>>()?;
        let plans = event_types
            .iter()
            .map(|event_type| self.plan(event_type))
            .collect::<Result<_>>()?;
        // Bounded by MAX_SERIES, so no target cuts it short.
        Ok(Resolved {
            plans,
            value,
            group_by,
            max_series: max_series as usize,
        })
    }

    /// Each event type once, in ascending order.
    fn event_types(&self) -> Result<Vec<&'static EventType>> {
        if self.event_types.is_empty() {
            return Err(Error::invalid_argument(
                "event_types",
                "is empty: a native metric needs at least one",
            ));
        }
        let mut found = Vec::with_capacity(self.event_types.len());
        for (index, &id) in self.event_types.iter().enumerate() {
            found.push(
                event_type(id).ok_or_else(|| Error::no_event_type(&format!("event_types[{index}]"), id))?,
            );
        }
        found.sort_by_key(|event_type| event_type.id);
        found.dedup_by_key(|event_type| event_type.id);
        Ok(found)
    }

    fn plan(&self, event_type: &EventType) -> Result<Plan> {
        let filters = self.filters.iter().enumerate();
        let filters = filters
            .map(|(index, filter)| {
                let field = declared(&format!("filters[{index}].field"), &filter.field, event_type)?;
                filter.on(field, &format!("filters[{index}]"))
            })
            .collect::<Result<_>>()?;
        let value = match &self.value_field {
            Some(name) => Some(declared("value_field", name, event_type)?.at()),
            None => None,
        };
        let group_by = self
            .group_by
            .iter()
            .map(|name| Ok(declared("group_by", name, event_type)?.at()));
        Ok(Plan {
            type_id: event_type.id,
            filters,
            value,
            group_by: group_by.collect::<Result<_>>()?,
        })
    }
}

fn declared<'a>(argument: &str, name: &str, event_type: &'a EventType) -> Result<&'a Field> {
    event_type.field(name).ok_or_else(|| {
        Error::invalid_argument(
            argument,
            format!(
                "is '{name}', which event type '{}' does not declare",
                event_type.name
            ),
        )
    })
}

/// The sort of the field of that name, which all event types must agree on.
fn common_sort(argument: &str, name: &str, event_types: &[&'static EventType]) -> Result<Sort> {
    let mut common: Option<(&Field, &EventType)> = None;
    for event_type in event_types {
        let field = declared(argument, name, event_type)?;
        match common {
            None => common = Some((field, event_type)),
            Some((first, of)) if Sort::of(first.kind) != Sort::of(field.kind) => {
                return Err(Error::invalid_argument(
                    argument,
                    format!(
                        "is '{name}', which is of kind {} in event type '{}', but {} in '{}'",
                        first.kind.name(),
                        of.name,
                        field.kind.name(),
                        event_type.name
                    ),
                ));
            }
            Some(_) => {}
        }
    }
    match common {
        Some((field, _)) => Ok(Sort::of(field.kind)),
        None => Err(Error::invalid_argument(
            "event_types",
            "is empty: a native metric needs at least one",
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Status;
    use crate::event::{EventTypeOptions, declare};
    use crate::metrics::native::filter::{FilterOp, FilterValue};

    fn declare_type(name: &str, fields: &[(&str, FieldKind, u32)]) -> u32 {
        let fields = fields.iter().map(|&(name, kind, offset)| Field {
            name: name.to_owned(),
            kind,
            offset,
            size: kind.size().unwrap_or(8),
        });
        let fields = fields.collect();
        declare(EventTypeOptions {
            name: name.to_owned(),
            fields,
            timed: false,
            release: None,
        })
        .unwrap()
        .id
    }

    fn spec(event_types: &[u32]) -> NativeSpec {
        NativeSpec {
            name: "m".to_owned(),
            unit: String::new(),
            help: String::new(),
            kind: MetricKind::Counter,
            event_types: event_types.to_vec(),
            value_field: None,
            filters: Vec::new(),
            group_by: Vec::new(),
            max_series: None,
        }
    }

    fn refused(spec: &NativeSpec) -> String {
        let error = spec.resolve().unwrap_err();
        assert_eq!(error.status, Status::InvalidArgument);
        error.details["argument"].as_str().unwrap().to_owned()
    }

    #[test]
    fn each_event_type_gets_a_plan_of_its_own() {
        let a = declare_type(
            "spec.plans.a",
            &[("n", FieldKind::U32, 0), ("who", FieldKind::Symbol, 4)],
        );
        let b = declare_type(
            "spec.plans.b",
            &[("who", FieldKind::Symbol, 0), ("n", FieldKind::I8, 9)],
        );
        let resolved = NativeSpec {
            value_field: Some("n".to_owned()),
            group_by: vec!["who".to_owned()],
            ..spec(&[b, a, b])
        }
        .resolve()
        .unwrap();
        let plans: Vec<_> = resolved
            .plans
            .iter()
            .map(|plan| (plan.type_id, plan.value.unwrap().offset))
            .collect();
        let mut expected = vec![(a, 0), (b, 9)];
        expected.sort_unstable();
        assert_eq!(plans, expected);
        assert_eq!(resolved.value, Sort::Integer);
        assert_eq!(resolved.group_by, [Sort::Symbol]);
        assert_eq!(resolved.max_series, 2_000);
    }

    #[test]
    fn an_opaque_type_can_be_counted() {
        let opaque = declare_type("spec.opaque", &[]);
        assert!(spec(&[opaque]).resolve().is_ok());
        assert_eq!(
            refused(&NativeSpec {
                value_field: Some("n".to_owned()),
                ..spec(&[opaque])
            }),
            "value_field"
        );
    }

    #[test]
    fn bad_members_are_named() {
        let a = declare_type(
            "spec.bad.a",
            &[
                ("n", FieldKind::U32, 0),
                ("f", FieldKind::F64, 0),
                ("t", FieldKind::Text, 0),
            ],
        );
        let b = declare_type(
            "spec.bad.b",
            &[("n", FieldKind::F32, 0), ("t", FieldKind::Symbol, 0)],
        );
        let text = |text: &str| text.to_owned();
        assert_eq!(
            refused(&NativeSpec {
                name: String::new(),
                ..spec(&[a])
            }),
            "name"
        );
        assert_eq!(
            refused(&NativeSpec {
                name: "x".repeat(256),
                ..spec(&[a])
            }),
            "name"
        );
        assert_eq!(refused(&spec(&[])), "event_types");
        assert_eq!(refused(&spec(&[a, 0])), "event_types[1]");
        assert_eq!(
            refused(&NativeSpec {
                max_series: Some(0),
                ..spec(&[a])
            }),
            "max_series"
        );
        assert_eq!(
            refused(&NativeSpec {
                max_series: Some(u64::MAX),
                ..spec(&[a])
            }),
            "max_series"
        );
        assert_eq!(
            refused(&NativeSpec {
                value_field: Some(text("x")),
                ..spec(&[a])
            }),
            "value_field"
        );
        assert_eq!(
            refused(&NativeSpec {
                value_field: Some(text("t")),
                ..spec(&[a])
            }),
            "value_field"
        );
        assert_eq!(
            refused(&NativeSpec {
                value_field: Some(text("n")),
                ..spec(&[a, b])
            }),
            "value_field"
        );
        assert_eq!(
            refused(&NativeSpec {
                value_field: Some(text("f")),
                ..spec(&[a, b])
            }),
            "value_field"
        );
        assert_eq!(
            refused(&NativeSpec {
                group_by: vec![text("n"), text("n")],
                ..spec(&[a])
            }),
            "group_by[1]"
        );
        assert_eq!(
            refused(&NativeSpec {
                group_by: vec![text("x")],
                ..spec(&[a])
            }),
            "group_by[0]"
        );
        assert_eq!(
            refused(&NativeSpec {
                group_by: vec![text("t")],
                ..spec(&[a, b])
            }),
            "group_by[0]"
        );
        let many = (0..17).map(|n| n.to_string()).collect();
        assert_eq!(
            refused(&NativeSpec {
                group_by: many,
                ..spec(&[a])
            }),
            "group_by"
        );
        let filter = |field: &str| Filter {
            field: text(field),
            op: FilterOp::Eq,
            value: FilterValue::U64(1),
        };
        let filters = vec![filter("n"), filter("x")];
        assert_eq!(
            refused(&NativeSpec {
                filters,
                ..spec(&[a])
            }),
            "filters[1].field"
        );
        assert_eq!(
            refused(&NativeSpec {
                filters: vec![filter("t")],
                ..spec(&[a])
            }),
            "filters[0].value"
        );
    }
}
