//! Rows of CSV files: one struct derives the header, the cells and the data dictionary.
//!
//! Invariant: a column cannot exist without its description, and a value that does not apply is an
//! empty cell.

/// One column of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Column {
    /// Its name in the header.
    pub(crate) name: &'static str,
    /// What it means.
    pub(crate) doc: &'static str,
}

/// A part of a row.
pub(crate) trait Columns {
    /// The columns, in order.
    fn columns() -> Vec<Column>;
    /// The cells, in the same order.
    fn cells(&self) -> Vec<String>;
}

/// Something that fits in a cell.
pub(crate) trait Cell {
    /// Its text.
    fn text(&self) -> String;
}

impl Cell for String {
    fn text(&self) -> String {
        self.clone()
    }
}

impl Cell for &'static str {
    fn text(&self) -> String {
        (*self).into()
    }
}

impl Cell for u64 {
    fn text(&self) -> String {
        self.to_string()
    }
}

impl Cell for f64 {
    /// Three digits after the point are more than any measurement is worth.
    fn text(&self) -> String {
        let text = format!("{self:.3}");
        text.trim_end_matches('0').trim_end_matches('.').into()
    }
}

impl<T: Cell> Cell for Option<T> {
    fn text(&self) -> String {
        self.as_ref().map(Cell::text).unwrap_or_default()
    }
}

/// Defines a struct whose documented fields are the columns of a file.
macro_rules! columns {
    (
        $(#[$about:meta])*
        struct $name:ident { $($(#[doc = $line:literal])+ $field:ident: $type:ty,)* }
    ) => {
        $(#[$about])*
        #[derive(Clone, Debug)]
        pub(crate) struct $name {
            $($(#[doc = $line])+ pub(crate) $field: $type,)*
        }

        impl $crate::results::columns::Columns for $name {
            fn columns() -> Vec<$crate::results::columns::Column> {
                vec![$($crate::results::columns::Column {
                    name: stringify!($field),
                    doc: concat!($($line),+).trim_ascii(),
                }),*]
            }

            fn cells(&self) -> Vec<String> {
                vec![$($crate::results::columns::Cell::text(&self.$field)),*]
            }
        }
    };
}
pub(crate) use columns;

#[cfg(test)]
mod tests {
    use super::*;

    columns! {
        /// An example.
        struct Example {
            /// First
            /// column.
            first: u64,
            /// Second column.
            second: Option<f64>,
        }
    }

    #[test]
    fn fields_are_columns_and_what_does_not_apply_is_empty() {
        let columns = Example::columns();
        assert_eq!(
            (columns[0].name, columns[0].doc),
            ("first", "First column.")
        );
        let cells = |second| Example { first: 0, second }.cells();
        assert_eq!(cells(None), ["0", ""]);
        assert_eq!(cells(Some(1.5)), ["0", "1.5"]);
        assert_eq!(cells(Some(100.0)), ["0", "100"]);
    }
}
