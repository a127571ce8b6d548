use super::*;
use crate::error::Status;
use crate::event::{EventType, EventTypeOptions, Field, FieldKind, declare, event_type, intern};
use crate::export::json;

/// An event type with `who` (SYMBOL), `n` (I64), `f` (F64) and `ok` (BOOL), and its payloads.
fn request(name: &str) -> &'static EventType {
    let field = |name: &str, kind: FieldKind, offset| Field {
        name: name.to_owned(),
        kind,
        offset,
        size: kind.size().unwrap(),
    };
    let fields = vec![
        field("who", FieldKind::Symbol, 0),
        field("n", FieldKind::I64, 4),
        field("f", FieldKind::F64, 12),
        field("ok", FieldKind::Bool, 20),
    ];
    declare(EventTypeOptions {
        name: name.to_owned(),
        fields,
        timed: false,
        release: None,
    })
    .unwrap()
}

fn payload(who: &str, n: i64, f: f64, ok: bool) -> Vec<u8> {
    let mut payload = intern(who).unwrap().to_ne_bytes().to_vec();
    payload.extend_from_slice(&n.to_ne_bytes());
    payload.extend_from_slice(&f.to_ne_bytes());
    payload.push(ok.into());
    payload
}

fn spec(kind: MetricKind, event_types: &[u32]) -> NativeSpec {
    NativeSpec {
        name: "m".to_owned(),
        unit: "u".to_owned(),
        help: "h".to_owned(),
        kind,
        event_types: event_types.to_vec(),
        value_field: None,
        filters: Vec::new(),
        group_by: Vec::new(),
        max_series: None,
    }
}

/// Has the metric handle the payloads in one batch; which of them changed it.
fn batch(metric: &NativeMetric, event_type: &'static EventType, payloads: &[Vec<u8>]) -> Vec<u8> {
    let events: Vec<Event> = payloads
        .iter()
        // SAFETY: the payloads outlive the events.
        .map(|payload| unsafe { Event::new(event_type, payload, 0) })
        .collect();
    let mut changed = vec![0; events.len()];
    metric.handle_batch(&events, Some(&mut changed)).unwrap();
    changed
}

fn shown(metric: &NativeMetric) -> String {
    json::value(&metric.snapshot().unwrap().value).unwrap()
}

#[test]
fn a_counter_counts_events() {
    let request = request("native.counts");
    let metric = NativeMetric::new(&spec(MetricKind::Counter, &[request.id])).unwrap();
    assert_eq!(metric.kind(), MetricKind::Counter);
    assert_eq!(metric.event_types(), Some(&[request.id][..]));
    assert!(metric.offers_batch() && !metric.order_matters() && metric.user_data().is_null());
    assert_eq!(shown(&metric), r#"{"value":0}"#);
    assert_eq!(
        batch(&metric, request, &vec![payload("", 0, 0.0, true); 3]),
        [1, 1, 1]
    );
    assert_eq!(shown(&metric), r#"{"value":3}"#);
    let family = metric.snapshot().unwrap().family.unwrap();
    assert_eq!(
        (family.unit.as_str(), family.help.as_str(), family.kind),
        ("u", "h", MetricKind::Counter)
    );
    assert_eq!(family.series.len(), 1);
}

#[test]
fn a_batch_may_come_without_room_for_what_changed() {
    let request = request("native.no_room");
    let metric = NativeMetric::new(&spec(MetricKind::Counter, &[request.id])).unwrap();
    let payload = payload("", 0, 0.0, true);
    // SAFETY: the payload outlives the events.
    let events = [(); 3].map(|()| unsafe { Event::new(request, &payload, 0) });
    metric.handle_batch(&events, None).unwrap();
    metric.handle_batch(&events, Some(&mut [0])).unwrap();
    assert_eq!(shown(&metric), r#"{"value":6}"#);
}

#[test]
fn a_counter_adds_up_values_and_ignores_invalid_ones() {
    let request = request("native.sums");
    let of = |field: &str| NativeSpec {
        value_field: Some(field.to_owned()),
        ..spec(MetricKind::Counter, &[request.id])
    };
    let payloads = [
        payload("", 2, 0.5, true),
        payload("", -1, f64::NAN, true),
        payload("", 5, -0.5, true),
        payload("", 0, f64::INFINITY, true),
    ];
    let metric = NativeMetric::new(&of("n")).unwrap();
    assert_eq!(batch(&metric, request, &payloads), [1, 0, 1, 1]);
    assert_eq!(shown(&metric), r#"{"value":7,"invalid_events":1}"#);
    let metric = NativeMetric::new(&of("f")).unwrap();
    assert_eq!(shown(&metric), r#"{"value":0.0}"#);
    assert_eq!(batch(&metric, request, &payloads), [1, 0, 0, 0]);
    assert_eq!(shown(&metric), r#"{"value":0.5,"invalid_events":3}"#);
}

#[test]
fn a_grouped_counter_lists_its_series_in_order_of_appearance() {
    let request = request("native.groups");
    let one = NativeSpec {
        group_by: vec!["who".to_owned()],
        max_series: Some(2),
        ..spec(MetricKind::Counter, &[request.id])
    };
    let metric = NativeMetric::new(&one).unwrap();
    assert_eq!(shown(&metric), r#"{"series":[],"overflow_events":0}"#);
    for who in ["native.ok", "native.failed", "native.ok"] {
        assert_eq!(batch(&metric, request, &[payload(who, 0, 0.0, true)]), [1]);
    }
    let series = concat!(
        r#"{"labels":{"who":"native.ok"},"value":2},"#,
        r#"{"labels":{"who":"native.failed"},"value":1}"#
    );
    assert_eq!(
        shown(&metric),
        format!(r#"{{"series":[{series}],"overflow_events":0}}"#)
    );
    assert_eq!(
        batch(&metric, request, &[payload("native.third", 0, 0.0, true)]),
        [1]
    );
    let overflow = r#"{"labels":{},"value":1,"overflow":true}"#;
    assert_eq!(
        shown(&metric),
        format!(r#"{{"series":[{series},{overflow}],"overflow_events":1}}"#)
    );
    let family = metric.snapshot().unwrap().family.unwrap();
    assert_eq!(
        (family.overflow, family.overflow_events),
        (Some(Value::U64(1)), 1)
    );

    let two = NativeSpec {
        group_by: vec!["ok".to_owned(), "n".to_owned()],
        ..one
    };
    let metric = NativeMetric::new(&two).unwrap();
    batch(&metric, request, &[payload("", -1, 0.0, false)]);
    assert_eq!(
        shown(&metric),
        r#"{"series":[{"labels":{"ok":"false","n":"-1"},"value":1}],"overflow_events":0}"#
    );
}

#[test]
fn all_filters_must_hold() {
    let request = request("native.filters");
    let filter = |field: &str, op, value| Filter {
        field: field.to_owned(),
        op,
        value,
    };
    let metric = NativeMetric::new(&NativeSpec {
        filters: vec![
            filter("who", FilterOp::Eq, FilterValue::Str("native.me".to_owned())),
            filter("n", FilterOp::Ge, FilterValue::U64(3)),
        ],
        ..spec(MetricKind::Counter, &[request.id])
    })
    .unwrap();
    let payloads = [
        payload("native.me", 3, 0.0, true),
        payload("native.me", 2, 0.0, true),
        payload("native.you", 3, 0.0, true),
    ];
    assert_eq!(batch(&metric, request, &payloads), [1, 0, 0]);
    assert_eq!(shown(&metric), r#"{"value":1}"#);
}

#[test]
fn a_gauge_keeps_the_last_value() {
    let request = request("native.gauge");
    let of = |field: &str| NativeSpec {
        value_field: Some(field.to_owned()),
        ..spec(MetricKind::Gauge, &[request.id])
    };
    let payloads = [
        payload("native.a", 7, 1.0, true),
        payload("native.b", -2, f64::NAN, true),
    ];
    let metric = NativeMetric::new(&of("n")).unwrap();
    assert!(metric.order_matters());
    assert_eq!(shown(&metric), r#"{"value":null}"#);
    assert_eq!(batch(&metric, request, &payloads), [1, 1]);
    assert_eq!(shown(&metric), r#"{"value":-2}"#);
    let metric = NativeMetric::new(&NativeSpec {
        group_by: vec!["who".to_owned()],
        ..of("f")
    })
    .unwrap();
    assert_eq!(batch(&metric, request, &payloads), [1, 1]);
    assert_eq!(
        shown(&metric),
        concat!(
            r#"{"series":[{"labels":{"who":"native.a"},"value":1.0},"#,
            r#"{"labels":{"who":"native.b"},"value":"NaN"}],"overflow_events":0}"#
        )
    );
}

#[test]
fn each_event_type_is_read_in_its_own_layout() {
    let first = request("native.layouts.first");
    let n = Field {
        name: "n".to_owned(),
        kind: FieldKind::U8,
        offset: 0,
        size: 1,
    };
    let options = EventTypeOptions {
        name: "native.layouts.second".to_owned(),
        fields: vec![n],
        timed: false,
        release: None,
    };
    let second = declare(options).unwrap();
    let other = request("native.layouts.other");
    let metric = NativeMetric::new(&NativeSpec {
        value_field: Some("n".to_owned()),
        ..spec(MetricKind::Counter, &[second.id, first.id])
    })
    .unwrap();
    assert_eq!(batch(&metric, second, &[vec![200], vec![1]]), [1, 1]);
    assert_eq!(batch(&metric, first, &[payload("", 1_000, 0.0, true)]), [1]);
    assert_eq!(batch(&metric, other, &[payload("", 7, 0.0, true)]), [0]);
    // Never accepted by a recorder, but no reason to read what is not there.
    assert_eq!(batch(&metric, second, &[vec![]]), [0]);
    assert_eq!(shown(&metric), r#"{"value":1201}"#);
}

#[test]
fn one_event_at_a_time() {
    let request = request("native.single");
    let metric = NativeMetric::new(&NativeSpec {
        value_field: Some("n".to_owned()),
        ..spec(MetricKind::Counter, &[request.id])
    })
    .unwrap();
    for (n, changed) in [(4, true), (-4, false)] {
        let payload = payload("", n, 0.0, true);
        // SAFETY: the payload outlives the event.
        let event = unsafe { Event::new(event_type(request.id).unwrap(), &payload, 0) };
        assert_eq!(metric.handle_event(&event).unwrap(), changed);
    }
    assert_eq!(shown(&metric), r#"{"value":4,"invalid_events":1}"#);
}

#[test]
fn kinds_that_are_not_offered_are_named() {
    let request = request("native.kinds");
    for (kind, name) in [
        (MetricKind::UpDownCounter, "UP_DOWN_COUNTER"),
        (MetricKind::Histogram, "HISTOGRAM"),
        (MetricKind::ExponentialHistogram, "EXPONENTIAL_HISTOGRAM"),
        (MetricKind::QuantileSketch, "QUANTILE_SKETCH"),
        (MetricKind::DistinctCount, "DISTINCT_COUNT"),
    ] {
        let error = NativeMetric::new(&spec(kind, &[request.id])).unwrap_err();
        assert_eq!(error.status, Status::Unsupported);
        assert!(error.message.contains(name));
    }
    let error = NativeMetric::new(&spec(MetricKind::Vtable, &[request.id])).unwrap_err();
    assert_eq!(
        (error.status, error.details["argument"].as_str()),
        (Status::InvalidArgument, Some("kind"))
    );
}

/// Not a benchmark, but it fails where an event costs an allocation or a lock each.
#[test]
#[cfg(not(debug_assertions))]
fn a_grouped_counter_is_fast() {
    use std::time::Instant;

    let request = request("native.fast");
    let metric = NativeMetric::new(&NativeSpec {
        group_by: vec!["who".to_owned()],
        ..spec(MetricKind::Counter, &[request.id])
    })
    .unwrap();
    let payloads: Vec<_> = (0..256)
        .map(|n| payload(&format!("native.fast.{}", n % 7), 0, 0.0, true))
        .collect();
    let events: Vec<Event> = payloads
        .iter()
        // SAFETY: the payloads outlive the events.
        .map(|payload| unsafe { Event::new(request, payload, 0) })
        .collect();
    // The best of several rounds: other work on the machine only makes them longer.
    let rounds = (0..20).map(|_| {
        let start = Instant::now();
        for _ in 0..500 {
            metric.handle_batch(&events, None).unwrap();
        }
        start.elapsed().as_nanos() as f64 / (500.0 * events.len() as f64)
    });
    let each = rounds.fold(f64::INFINITY, f64::min);
    eprintln!("{each:.1} ns an event");
    assert!(each < 40.0, "{each} ns an event");
}
