//! Fields that an event type declares of its payload, and reading them.

use crate::error::{Error, Result};
use crate::event::MAX_PAYLOAD;
use crate::event::event_type::MAX_NAME;

/// The most fields that an event type declares.
pub const MAX_FIELDS: usize = 64;

/// Kind of a declared field, with the number that crosses the ABI.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
#[allow(missing_docs)]
pub enum FieldKind {
    I8 = 1,
    I16 = 2,
    I32 = 3,
    I64 = 4,
    U8 = 5,
    U16 = 6,
    U32 = 7,
    U64 = 8,
    F32 = 9,
    F64 = 10,
    /// One byte, 0 is false.
    Bool = 11,
    /// The number of an interned text; 0 is none.
    Symbol = 12,
    /// Bytes that end at the first NUL or where the field ends.
    Text = 13,
}

impl FieldKind {
    /// The kind that a number of the ABI stands for.
    pub fn from_code(code: u32) -> Option<Self> {
        Some(match code {
            1 => Self::I8,
            2 => Self::I16,
            3 => Self::I32,
            4 => Self::I64,
            5 => Self::U8,
            6 => Self::U16,
            7 => Self::U32,
            8 => Self::U64,
            9 => Self::F32,
            10 => Self::F64,
            11 => Self::Bool,
            12 => Self::Symbol,
            13 => Self::Text,
            _ => return None,
        })
    }

    /// Its word in messages.
    pub fn name(self) -> &'static str {
        match self {
            Self::I8 => "I8",
            Self::I16 => "I16",
            Self::I32 => "I32",
            Self::I64 => "I64",
            Self::U8 => "U8",
            Self::U16 => "U16",
            Self::U32 => "U32",
            Self::U64 => "U64",
            Self::F32 => "F32",
            Self::F64 => "F64",
            Self::Bool => "BOOL",
            Self::Symbol => "SYMBOL",
            Self::Text => "TEXT",
        }
    }

    /// Bytes that a field of this kind has; `None` for TEXT, which has as many as it declares.
    pub fn size(self) -> Option<u32> {
        match self {
            Self::I8 | Self::U8 | Self::Bool => Some(1),
            Self::I16 | Self::U16 => Some(2),
            Self::I32 | Self::U32 | Self::F32 | Self::Symbol => Some(4),
            Self::I64 | Self::U64 | Self::F64 => Some(8),
            Self::Text => None,
        }
    }
}

/// A declared field of a payload.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Field {
    /// Its name, unique in its event type.
    pub name: String,
    /// What its bytes mean.
    pub kind: FieldKind,
    /// Where it begins in the payload, in bytes; no alignment is needed.
    pub offset: u32,
    /// Bytes.
    pub size: u32,
}

impl Field {
    /// Where and how to read it.
    pub fn at(&self) -> FieldAt {
        FieldAt {
            kind: self.kind,
            offset: self.offset as usize,
            size: self.size as usize,
        }
    }
}

/// The value of a field, in the widest type of its sort.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum FieldValue<'a> {
    /// A signed integer.
    I64(i64),
    /// An unsigned integer.
    U64(u64),
    /// A floating point number.
    F64(f64),
    /// A truth value.
    Bool(bool),
    /// The number of an interned text; not checked to be one.
    Symbol(u32),
    /// A text without its padding; not checked to be UTF-8.
    Text(&'a [u8]),
}

/// Where a field is in a payload: what reading it needs, without its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FieldAt {
    /// What the bytes mean.
    pub kind: FieldKind,
    /// Where they begin.
    pub offset: usize,
    /// How many there are.
    pub size: usize,
}

impl FieldAt {
    /// The value of the field in `payload`; `None` where the payload ends before the field does.
    #[inline]
    pub fn read<'a>(&self, payload: &'a [u8]) -> Option<FieldValue<'a>> {
        Some(match self.kind {
            FieldKind::I8 => FieldValue::I64(i8::from_ne_bytes(self.bytes(payload)?).into()),
            FieldKind::I16 => FieldValue::I64(i16::from_ne_bytes(self.bytes(payload)?).into()),
            FieldKind::I32 => FieldValue::I64(i32::from_ne_bytes(self.bytes(payload)?).into()),
            FieldKind::I64 => FieldValue::I64(i64::from_ne_bytes(self.bytes(payload)?)),
            FieldKind::U8 => FieldValue::U64(u8::from_ne_bytes(self.bytes(payload)?).into()),
            FieldKind::U16 => FieldValue::U64(u16::from_ne_bytes(self.bytes(payload)?).into()),
            FieldKind::U32 => FieldValue::U64(u32::from_ne_bytes(self.bytes(payload)?).into()),
            FieldKind::U64 => FieldValue::U64(u64::from_ne_bytes(self.bytes(payload)?)),
            FieldKind::F32 => FieldValue::F64(f32::from_ne_bytes(self.bytes(payload)?).into()),
            FieldKind::F64 => FieldValue::F64(f64::from_ne_bytes(self.bytes(payload)?)),
            FieldKind::Bool => FieldValue::Bool(u8::from_ne_bytes(self.bytes(payload)?) != 0),
            FieldKind::Symbol => FieldValue::Symbol(self.read_symbol(payload)?),
            FieldKind::Text => {
                let bytes = payload.get(self.offset..)?.get(..self.size)?;
                FieldValue::Text(bytes.split(|&byte| byte == 0).next().unwrap_or_default())
            }
        })
    }

    /// The four bytes of a SYMBOL field, without asking for the kind.
    #[inline]
    pub fn read_symbol(&self, payload: &[u8]) -> Option<u32> {
        Some(u32::from_ne_bytes(self.bytes(payload)?))
    }

    #[inline]
    fn bytes<const N: usize>(&self, payload: &[u8]) -> Option<[u8; N]> {
        payload.get(self.offset..)?.first_chunk().copied()
    }
}

/// Checks the fields of a declaration, and gives the least number of bytes that a payload with all of them has.
pub(super) fn validate(fields: &[Field]) -> Result<u32> {
    if fields.len() > MAX_FIELDS {
        return Err(Error::invalid_argument(
            "fields",
            format!("has {} entries, at most {MAX_FIELDS} are possible", fields.len()),
        ));
    }
    let mut min_len = 0;
    for (index, field) in fields.iter().enumerate() {
        let of = |member: &str| format!("fields[{index}].{member}");
        if field.name.is_empty() || field.name.len() > MAX_NAME {
            return Err(Error::invalid_argument(
                &of("name"),
                format!("must have 1 to {MAX_NAME} bytes"),
            ));
        }
        if fields
            .iter()
            .take(index)
            .any(|earlier| earlier.name == field.name)
        {
            return Err(Error::invalid_argument(
                &of("name"),
                format!("is '{}', like that of a field before it", field.name),
            ));
        }
        match field.kind.size() {
            Some(size) if field.size != size => {
                return Err(Error::invalid_argument(
                    &of("size"),
                    format!(
                        "is {}, but a field of kind {} has {size} bytes",
                        field.size,
                        field.kind.name()
                    ),
                ));
            }
            None if field.size == 0 || field.size as usize > MAX_PAYLOAD => {
                return Err(Error::invalid_argument(
                    &of("size"),
                    format!(
                        "is {}, but a field of kind TEXT has 1 to {MAX_PAYLOAD} bytes",
                        field.size
                    ),
                ));
            }
            _ => {}
        }
        let end = u64::from(field.offset) + u64::from(field.size);
        match u32::try_from(end) {
            Ok(end) if end as usize <= MAX_PAYLOAD => min_len = min_len.max(end),
            _ => {
                return Err(Error::invalid_argument(
                    &of("offset"),
                    format!("lets the field end at {end}, but a payload has at most {MAX_PAYLOAD} bytes"),
                ));
            }
        }
    }
    Ok(min_len)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Status;

    fn field(name: &str, kind: FieldKind, offset: u32, size: u32) -> Field {
        Field {
            name: name.to_owned(),
            kind,
            offset,
            size,
        }
    }

    fn read(kind: FieldKind, bytes: &[u8]) -> Option<FieldValue<'_>> {
        // At an odd offset, so that nothing is aligned.
        let size = bytes.len();
        let payload: &'static [u8] = Box::leak([&[0xAA], bytes, &[0xAA]].concat().into_boxed_slice());
        FieldAt {
            kind,
            offset: 1,
            size,
        }
        .read(payload)
    }

    #[test]
    fn codes_name_the_kinds() {
        for code in 1..=13 {
            assert_eq!(FieldKind::from_code(code).map(|kind| kind as u32), Some(code));
        }
        assert_eq!(FieldKind::from_code(0), None);
        assert_eq!(FieldKind::from_code(14), None);
    }

    #[test]
    fn every_kind_is_read_at_any_offset() {
        use FieldValue::*;
        assert_eq!(read(FieldKind::I8, &(-5_i8).to_ne_bytes()), Some(I64(-5)));
        assert_eq!(
            read(FieldKind::I16, &i16::MIN.to_ne_bytes()),
            Some(I64(i16::MIN.into()))
        );
        assert_eq!(
            read(FieldKind::I32, &i32::MIN.to_ne_bytes()),
            Some(I64(i32::MIN.into()))
        );
        assert_eq!(read(FieldKind::I64, &i64::MIN.to_ne_bytes()), Some(I64(i64::MIN)));
        assert_eq!(read(FieldKind::U8, &[200]), Some(U64(200)));
        assert_eq!(
            read(FieldKind::U16, &u16::MAX.to_ne_bytes()),
            Some(U64(u16::MAX.into()))
        );
        assert_eq!(
            read(FieldKind::U32, &u32::MAX.to_ne_bytes()),
            Some(U64(u32::MAX.into()))
        );
        assert_eq!(read(FieldKind::U64, &u64::MAX.to_ne_bytes()), Some(U64(u64::MAX)));
        assert_eq!(read(FieldKind::F32, &0.5_f32.to_ne_bytes()), Some(F64(0.5)));
        assert_eq!(
            read(FieldKind::F64, &(-1e300_f64).to_ne_bytes()),
            Some(F64(-1e300))
        );
        assert_eq!(read(FieldKind::Bool, &[0]), Some(Bool(false)));
        assert_eq!(read(FieldKind::Bool, &[2]), Some(Bool(true)));
        assert_eq!(read(FieldKind::Symbol, &7_u32.to_ne_bytes()), Some(Symbol(7)));
        assert_eq!(read(FieldKind::Text, b"ab\0c"), Some(Text(b"ab")));
        assert_eq!(read(FieldKind::Text, b"abcd"), Some(Text(b"abcd")));
        assert_eq!(read(FieldKind::Text, b"\0bcd"), Some(Text(b"")));
    }

    #[test]
    fn a_payload_that_is_too_short_gives_nothing() {
        for code in 1..=13 {
            let kind = FieldKind::from_code(code).unwrap();
            let size = kind.size().unwrap_or(6) as usize;
            let payload = vec![0; size + 2];
            let at = |offset| FieldAt { kind, offset, size }.read(&payload);
            assert!(at(2).is_some());
            assert_eq!(at(3), None);
            assert_eq!(at(size + 3), None);
            assert_eq!(at(usize::MAX), None);
        }
    }

    #[test]
    fn good_fields_give_the_least_length() {
        assert_eq!(validate(&[]).unwrap(), 0);
        let fields = [
            field("a", FieldKind::U64, 8, 8),
            field("b", FieldKind::U8, 3, 1),
            field("overlaps a", FieldKind::Bool, 9, 1),
        ];
        assert_eq!(validate(&fields).unwrap(), 16);
        assert_eq!(validate(&[field("t", FieldKind::Text, 0, 4096)]).unwrap(), 4096);
    }

    #[test]
    fn bad_fields_are_named() {
        let cases = [
            (vec![field("", FieldKind::U8, 0, 1)], "fields[0].name"),
            (
                vec![field(&"x".repeat(256), FieldKind::U8, 0, 1)],
                "fields[0].name",
            ),
            (
                vec![field("a", FieldKind::U8, 0, 1), field("a", FieldKind::U8, 1, 1)],
                "fields[1].name",
            ),
            (vec![field("a", FieldKind::U32, 0, 8)], "fields[0].size"),
            (vec![field("a", FieldKind::U32, 0, 0)], "fields[0].size"),
            (vec![field("a", FieldKind::Text, 0, 0)], "fields[0].size"),
            (vec![field("a", FieldKind::Text, 0, 4097)], "fields[0].size"),
            (vec![field("a", FieldKind::Text, 1, 4096)], "fields[0].offset"),
            (vec![field("a", FieldKind::U64, u32::MAX, 8)], "fields[0].offset"),
            (
                (0..65)
                    .map(|n| field(&n.to_string(), FieldKind::U8, n, 1))
                    .collect(),
                "fields",
            ),
        ];
        for (fields, argument) in cases {
            let error = validate(&fields).unwrap_err();
            assert_eq!(error.status, Status::InvalidArgument);
            assert_eq!(error.details["argument"], argument, "{}", error.message);
        }
    }
}
