//! A row to be written, each value under the name of its column: `record! { order_id: &id, version: 3 }`. Values find
//! their columns by name, so two texts that change places in a statement cannot change places in the table.

use crate::columns::Purpose;
use crate::row_set::RowSet;
use crate::value::Value;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record(Vec<(&'static str, Value)>);

/// A row by the names of its columns. Ids and texts are given by reference, numbers and bytes by value.
#[macro_export]
macro_rules! record {
    ($($column:tt : $value:expr),* $(,)?) => {
        $crate::Record::new(vec![$((stringify!($column), $crate::Value::from($value))),*])
    };
}

impl Record {
    pub fn new(fields: Vec<(&'static str, Value)>) -> Self {
        Self(fields)
    }

    /// With more columns.
    #[must_use]
    pub fn and(mut self, more: Self) -> Self {
        self.0.extend(more.0);
        self
    }

    /// The values in the order of a batch's columns. It may hold more than an update takes: what an insert wrote once.
    pub(crate) fn arrange(mut self, set: &RowSet) -> Result<Vec<Value>, String> {
        let mut values = Vec::with_capacity(set.columns.len());
        let mut from = 0;
        for column in &set.columns {
            let behind = self.0[from..].iter().position(|(name, _)| *name == column.name);
            let at = behind.map(|steps| from + steps);
            let at = at.or_else(|| self.0[..from].iter().position(|(name, _)| *name == column.name));
            let at = at.ok_or_else(|| format!("a record has no value for the column {}", column.name))?;
            let (name, value) = &mut self.0[at];
            // Taken: the same column a second time finds nothing.
            *name = "";
            values.push(std::mem::replace(value, Value::NullInt));
            from = at + 1;
        }
        let left = self.0.iter().find(|(name, _)| !name.is_empty());
        match left {
            Some((name, _)) if set.purpose == Purpose::Inserts => {
                Err(format!("{name} is no column of the statement"))
            }
            Some(_) | None => Ok(values),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::values;

    fn set(purpose: Purpose) -> RowSet {
        RowSet { purpose, ..RowSet::parse("1: a text, b text, c bigint)").unwrap().0 }
    }

    #[test]
    fn values_find_their_columns_by_name() {
        let mixed = record! { c: 3, a: "one", b: "two" };

        assert_eq!(mixed.arrange(&set(Purpose::Inserts)), Ok(values!["one", "two", 3]));
    }

    #[test]
    fn a_value_that_is_missing_is_told() {
        let told = record! { a: "one", c: 3 }.arrange(&set(Purpose::Updates)).unwrap_err();

        assert_eq!(told, "a record has no value for the column b");
    }

    #[test]
    fn an_insert_takes_all_that_it_is_given_and_an_update_what_it_names() {
        let more = || record! { a: "one", b: "two", c: 3, d: "four" };

        assert_eq!(more().arrange(&set(Purpose::Updates)), Ok(values!["one", "two", 3]));
        assert_eq!(more().arrange(&set(Purpose::Inserts)).unwrap_err(), "d is no column of the statement");
        let twice = record! { a: "one", b: "two", c: 3, a: "five" };
        assert_eq!(twice.arrange(&set(Purpose::Inserts)).unwrap_err(), "a is no column of the statement");
    }

    #[test]
    fn rows_that_are_written_are_not_bound_by_position() {
        let by_position = || crate::Rows::InOrder(vec![values!["one", "two", 3]]);

        assert!(by_position().arrange(&set(Purpose::Reads)).is_ok());
        for purpose in [Purpose::Inserts, Purpose::Updates] {
            let told = by_position().arrange(&set(purpose)).unwrap_err();
            assert!(told.contains("by the names of their columns"), "{told}");
        }
    }
}
