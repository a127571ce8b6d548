//! Interned texts: they live as long as the process and travel as numbers.

use std::collections::HashMap;

use crate::error::{Error, Result};
use crate::process::append_table::AppendTable;

/// The most bytes that an interned text has.
pub const MAX_TEXT: usize = 4_096;

/// Texts by number, and beside them their numbers by text (`None` until the first is interned).
type Symbols<const CHUNKS: usize, const CHUNK_LEN: usize> =
    AppendTable<&'static str, Option<HashMap<&'static str, u32>>, CHUNKS, CHUNK_LEN>;

/// At most 1,048,576.
pub(crate) static SYMBOLS: Symbols<256, 4_096> = AppendTable::new(None);

/// Interns a text of at most 4,096 bytes; the same text gives the same number, from 1 on.
///
/// # Errors
/// INVALID_ARGUMENT: the text is longer. LIMIT_REACHED: it is new, and there are 1,048,576 already.
pub fn intern(text: &str) -> Result<u32> {
    intern_in(&SYMBOLS, text)
}

/// The text of a symbol; takes no lock.
#[inline]
pub fn symbol_text(symbol: u32) -> Option<&'static str> {
    // There is no symbol 0: it wraps to an index that is out of range.
    SYMBOLS.get(symbol.wrapping_sub(1) as usize).copied()
}

fn intern_in<const CHUNKS: usize, const CHUNK_LEN: usize>(
    symbols: &'static Symbols<CHUNKS, CHUNK_LEN>,
    text: &str,
) -> Result<u32> {
    if text.len() > MAX_TEXT {
        return Err(Error::invalid_argument(
            "text",
            format!("has {} bytes, at most {MAX_TEXT} can be interned", text.len()),
        ));
    }
    let mut appender = symbols.lock();
    if let Some(&symbol) = appender.get_or_insert_default().get(text) {
        return Ok(symbol);
    }
    let symbol = appender
        .next_index()
        .and_then(|index| u32::try_from(index + 1).ok());
    let Some(symbol) = symbol else {
        let limit = CHUNKS * CHUNK_LEN;
        return Err(Error::limit_reached(format!(
            "{limit} texts are interned already, which is the limit"
        )));
    };
    let text: &'static str = Box::leak(Box::from(text));
    appender.push(text);
    appender.get_or_insert_default().insert(text, symbol);
    Ok(symbol)
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;
    use crate::error::Status;

    #[test]
    fn a_text_has_one_number_and_a_number_one_text() {
        let ok = intern("symbol.ok").unwrap();
        let other = intern("symbol.other").unwrap();
        assert!(ok >= 1 && other >= 1 && ok != other);
        assert_eq!(intern("symbol.ok").unwrap(), ok);
        assert_eq!(symbol_text(ok), Some("symbol.ok"));
        assert_eq!(symbol_text(other), Some("symbol.other"));
        assert_eq!(symbol_text(0), None);
        assert_eq!(symbol_text(u32::MAX), None);
    }

    #[test]
    fn lengths_are_bounded() {
        assert!(intern("").is_ok());
        assert!(intern(&"x".repeat(4_096)).is_ok());
        let error = intern(&"x".repeat(4_097)).unwrap_err();
        assert_eq!(error.status, Status::InvalidArgument);
        assert_eq!(error.details["argument"], "text");
    }

    #[test]
    fn a_full_table_still_knows_its_texts() {
        static SMALL: Symbols<2, 2> = AppendTable::new(None);
        for n in 1..=4 {
            assert_eq!(intern_in(&SMALL, &n.to_string()).unwrap(), n);
        }
        assert_eq!(intern_in(&SMALL, "5").unwrap_err().status, Status::LimitReached);
        assert_eq!(intern_in(&SMALL, "3").unwrap(), 3);
    }

    #[test]
    fn the_table_of_the_process_has_the_promised_size() {
        fn capacity<const C: usize, const L: usize>(_: &Symbols<C, L>) -> usize {
            Symbols::<C, L>::CAPACITY
        }
        assert_eq!(capacity(&SYMBOLS), 1_048_576);
    }

    #[test]
    fn threads_agree_on_numbers() {
        let all: Vec<Vec<u32>> = thread::scope(|scope| {
            let threads: Vec<_> = (0..4)
                .map(|_| {
                    scope.spawn(|| {
                        (0..500)
                            .map(|n| intern(&format!("symbol.race.{n}")).unwrap())
                            .collect()
                    })
                })
                .collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        for (n, symbol) in all[0].iter().enumerate() {
            assert!(all.iter().all(|other| other[n] == *symbol));
            assert_eq!(symbol_text(*symbol), Some(format!("symbol.race.{n}").as_str()));
        }
    }
}
