//! Rust types as the fields of events.

use crate::error::Result;
use crate::event::{FieldKind, intern, symbol_text};

/// A type that can be a field of an event.
pub trait FieldValue: Copy + 'static {
    /// How others read it.
    const KIND: FieldKind;
    /// Its bytes in the payload.
    const SIZE: usize;
    /// What its offset is a multiple of, as in C: numbers have that of their size, bytes have none.
    const ALIGN: usize;
    /// Writes it into a place of [`Self::SIZE`] bytes.
    fn write(self, to: &mut [u8]);
    /// Reads it from a place of [`Self::SIZE`] bytes.
    fn read(from: &[u8]) -> Self;
}

macro_rules! numbers {
    ($($type:ty => $kind:ident),*) => {$(
        impl FieldValue for $type {
            const KIND: FieldKind = FieldKind::$kind;
            const SIZE: usize = size_of::<$type>();
            const ALIGN: usize = size_of::<$type>();
            #[inline(always)]
            fn write(self, to: &mut [u8]) {
                to.copy_from_slice(&self.to_ne_bytes());
            }
            #[inline]
            fn read(from: &[u8]) -> Self {
                let mut bytes = [0; size_of::<$type>()];
                bytes.copy_from_slice(from);
                Self::from_ne_bytes(bytes)
            }
        }
    )*};
}

numbers!(i8 => I8, i16 => I16, i32 => I32, i64 => I64, u8 => U8, u16 => U16, u32 => U32, u64 => U64, f32 => F32, f64 => F64);

impl FieldValue for bool {
    const KIND: FieldKind = FieldKind::Bool;
    const SIZE: usize = 1;
    const ALIGN: usize = 1;
    #[inline(always)]
    fn write(self, to: &mut [u8]) {
        to.copy_from_slice(&[u8::from(self)]);
    }
    #[inline]
    fn read(from: &[u8]) -> Self {
        from != [0]
    }
}

/// A text that repeats, such as an outcome or a route: interned once, and a number from then on. It lives as long as the
/// process, so don't make one of what has no bounds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Symbol(u32);

impl Symbol {
    /// The symbol of a text.
    ///
    /// # Errors
    /// INVALID_ARGUMENT: it has more than 4,096 bytes. LIMIT_REACHED: there are 1,048,576 already.
    pub fn of(text: &str) -> Result<Self> {
        intern(text).map(Self)
    }

    /// Its text; the default one has none.
    pub fn text(self) -> &'static str {
        symbol_text(self.0).unwrap_or_default()
    }

    /// Its number, the same in every language of the process.
    pub fn number(self) -> u32 {
        self.0
    }
}

impl FieldValue for Symbol {
    const KIND: FieldKind = FieldKind::Symbol;
    const SIZE: usize = 4;
    const ALIGN: usize = 4;
    #[inline(always)]
    fn write(self, to: &mut [u8]) {
        self.0.write(to);
    }
    #[inline]
    fn read(from: &[u8]) -> Self {
        Self(u32::read(from))
    }
}

/// A text of at most `N` bytes that travels in the event itself, for what does not repeat.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Text<const N: usize>([u8; N]);

impl<const N: usize> Text<N> {
    /// As much of a text as fits, cut between two characters, and before the first NUL.
    pub fn of(text: &str) -> Self {
        let text = text.split('\0').next().unwrap_or_default();
        let mut end = text.len().min(N);
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        let mut bytes = [0; N];
        let (filled, _) = bytes.split_at_mut(end);
        filled.copy_from_slice(&text.as_bytes()[..end]);
        Self(bytes)
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        let end = self.0.iter().position(|&byte| byte == 0).unwrap_or(N);
        std::str::from_utf8(&self.0[..end]).unwrap_or_default()
    }
}

impl<const N: usize> FieldValue for Text<N> {
    const KIND: FieldKind = FieldKind::Text;
    const SIZE: usize = N;
    const ALIGN: usize = 1;
    #[inline(always)]
    fn write(self, to: &mut [u8]) {
        to.copy_from_slice(&self.0);
    }
    #[inline]
    fn read(from: &[u8]) -> Self {
        let mut bytes = [0; N];
        bytes.copy_from_slice(from);
        Self(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn there_and_back<V: FieldValue + PartialEq + std::fmt::Debug>(value: V) {
        let mut place = vec![0xAA; V::SIZE];
        value.write(&mut place);
        assert_eq!(V::read(&place), value);
    }

    #[test]
    fn values_come_back_as_they_were() {
        there_and_back(i8::MIN);
        there_and_back(u16::MAX);
        there_and_back(-7_i64);
        there_and_back(f64::MIN_POSITIVE);
        there_and_back(true);
        there_and_back(false);
        there_and_back(Symbol::of("typed.field").unwrap());
        there_and_back(Text::<8>::of("grün"));
    }

    #[test]
    fn a_symbol_knows_its_text() {
        let symbol = Symbol::of("typed.text").unwrap();
        assert_eq!(symbol.text(), "typed.text");
        assert_eq!(Symbol::of("typed.text").unwrap(), symbol);
        assert_eq!(Symbol::default().text(), "");
        assert!(Symbol::of(&"x".repeat(5_000)).is_err());
    }

    #[test]
    fn a_text_is_cut_between_characters() {
        assert_eq!(Text::<3>::of("grün").as_str(), "gr");
        assert_eq!(Text::<4>::of("grün").as_str(), "grü");
        assert_eq!(Text::<5>::of("grün").as_str(), "grün");
        assert_eq!(Text::<8>::of("a\0b").as_str(), "a");
        assert_eq!(Text::<0>::of("a").as_str(), "");
    }
}
