//! Any SQLite type in any column → the type that is wanted.

use std::borrow::Cow;

use rusqlite::Row;
use rusqlite::types::ValueRef;

/// Takes a row's columns one after the other.
pub(in crate::source) struct Columns<'r, 's> {
    row: &'r Row<'s>,
    next: usize,
}

impl<'r, 's> Columns<'r, 's> {
    pub fn from(row: &'r Row<'s>, first: usize) -> Columns<'r, 's> {
        Columns { row, next: first }
    }

    #[inline]
    fn value(&mut self) -> ValueRef<'r> {
        let value = self.row.get_ref(self.next).unwrap_or(ValueRef::Null);
        self.next += 1;
        value
    }

    /// What `read` reads, where the columns before say that it means something; else nothing, without a look.
    pub fn when<T: Default>(&mut self, meant: bool, read: impl FnOnce(&mut Self) -> T) -> T {
        if meant {
            return read(self);
        }
        self.next += 1;
        T::default()
    }

    pub fn text(&mut self) -> Option<String> {
        text(self.value())
    }

    /// The text, without a copy of it where it is stored as such.
    pub fn text_ref(&mut self) -> Option<Cow<'r, str>> {
        match self.value() {
            ValueRef::Text(bytes) => Some(String::from_utf8_lossy(bytes)),
            other => text(other).map(Cow::Owned),
        }
    }

    /// The text, without a copy of it.
    pub fn with_text(&mut self, use_it: impl FnOnce(&str)) {
        match self.value() {
            ValueRef::Text(bytes) => match std::str::from_utf8(bytes) {
                Ok(text) => use_it(text),
                Err(_) => use_it(&String::from_utf8_lossy(bytes)),
            },
            other => {
                if let Some(text) = text(other) {
                    use_it(&text);
                }
            }
        }
    }

    pub fn bytes(&mut self) -> Option<Vec<u8>> {
        match self.value() {
            ValueRef::Null => None,
            ValueRef::Text(bytes) | ValueRef::Blob(bytes) => Some(bytes.to_vec()),
            number => text(number).map(String::into_bytes),
        }
    }

    /// 0 where there is none.
    pub fn number(&mut self) -> i64 {
        number(self.value()).unwrap_or(0)
    }

    pub fn maybe_number(&mut self) -> Option<i64> {
        number(self.value())
    }

    pub fn flag(&mut self) -> bool {
        self.number() != 0
    }
}

/// A text, whatever it is stored as; what is no UTF-8 in it is replaced.
pub fn text(value: ValueRef<'_>) -> Option<String> {
    match value {
        ValueRef::Null => None,
        ValueRef::Integer(number) => Some(number.to_string()),
        ValueRef::Real(number) => Some(number.to_string()),
        ValueRef::Text(bytes) | ValueRef::Blob(bytes) => Some(match std::str::from_utf8(bytes) {
            Ok(text) => text.to_owned(),
            Err(_) => String::from_utf8_lossy(bytes).into_owned(),
        }),
    }
}

#[inline]
fn number(value: ValueRef<'_>) -> Option<i64> {
    match value {
        ValueRef::Null => None,
        ValueRef::Integer(number) => Some(number),
        other => number_of(other),
    }
}

/// A number where none was expected to be stored.
#[cold]
fn number_of(value: ValueRef<'_>) -> Option<i64> {
    match value {
        ValueRef::Null => None,
        ValueRef::Integer(number) => Some(number),
        // Saturates; not-a-number becomes 0.
        ValueRef::Real(number) => Some(number as i64),
        ValueRef::Text(bytes) | ValueRef::Blob(bytes) => {
            let text = std::str::from_utf8(bytes).ok()?.trim();
            text.parse().ok().or_else(|| text.parse::<f64>().ok().map(|number| number as i64))
        }
    }
}

#[cfg(test)]
mod tests {
    use rusqlite::Connection;

    use super::Columns;

    #[test]
    fn every_type_in_every_column() {
        let db = Connection::open_in_memory().unwrap();
        let row = |sql: &str, check: &dyn Fn(&mut Columns)| {
            db.query_row(sql, [], |row| {
                check(&mut Columns::from(row, 0));
                Ok(())
            })
            .unwrap();
        };
        row("SELECT 12, 1.5, x'6162ff', 'caf' || char(233), NULL", &|c| {
            assert_eq!(c.text().as_deref(), Some("12"));
            assert_eq!(c.text().as_deref(), Some("1.5"));
            assert_eq!(c.text().as_deref(), Some("ab\u{fffd}"));
            assert_eq!(c.text().as_deref(), Some("café"));
            assert_eq!(c.text(), None);
            assert_eq!(c.text(), None, "past the end");
        });
        row("SELECT '12', ' 1e3 ', x'3132', 9e99, 'x', NULL", &|c| {
            assert_eq!(c.number(), 12);
            assert_eq!(c.number(), 1000);
            assert_eq!(c.number(), 12);
            assert_eq!(c.number(), i64::MAX);
            assert_eq!(c.maybe_number(), None);
            assert_eq!(c.maybe_number(), None);
        });
        row("SELECT 'text', x'', 7, NULL", &|c| {
            assert_eq!(c.bytes(), Some(b"text".to_vec()));
            assert_eq!(c.bytes(), Some(vec![]));
            assert_eq!(c.bytes(), Some(b"7".to_vec()));
            assert_eq!(c.bytes(), None);
        });
    }
}
