//! Which object a row is, in run 0; [`tables`](super::tables) puts in the number of the run.
//!
//! ```text
//!   attribute               key: bits 63 to 48 | 47 to 44 | 43 to 40 | 39 to 0
//!   that of the warehouse        0             | table    | district | number within the table
//! ```
//!
//! The number of an order line is that of its order and, in the lowest 4 bits, its own: a district
//! has [`ORDERS`] orders at most, and new-orders are rolled back from then on. Lines of `HISTORY`
//! have no key of their own: those that were loaded have the customer's number, those behind count
//! the transactions of all clients together. So there are [`NUMBERS`] of these at most, and each
//! client ends with its share of them: of 10,000 clients each after 109 million transactions.

use serde::{Deserialize, Serialize};
use ssmr_core::ObjectId;

/// How many districts a warehouse has.
pub(super) const DISTRICTS: u8 = 10;

/// How many numbers a table has in each district.
pub(super) const NUMBERS: u64 = 1 << 40;

/// How many orders a district can have, counted from 0.
pub(super) const ORDERS: u64 = NUMBERS >> 4;

/// The most lines that an order has.
pub(super) const MOST_LINES: u8 = 15;

/// A warehouse, by the static attribute of its rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct WarehouseId(pub(super) u64);

/// A district, numbered from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct DistrictId {
    pub(super) warehouse: WarehouseId,
    pub(super) number: u8,
}

/// A customer, numbered from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct CustomerId {
    pub(super) district: DistrictId,
    pub(super) number: u32,
}

/// What an object is a row of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
enum Table {
    Warehouse,
    District,
    NextOrder,
    Oldest,
    Customer,
    Names,
    Stock,
    Order,
    Line,
    NewOrder,
    History,
}

impl WarehouseId {
    pub(super) fn row(self) -> ObjectId {
        self.object(Table::Warehouse, 0, 0)
    }

    pub(super) fn stock(self, item: u32) -> ObjectId {
        self.object(Table::Stock, 0, item.into())
    }

    pub(super) fn district(self, number: u8) -> DistrictId {
        let warehouse = self;
        DistrictId { warehouse, number }
    }

    pub(super) fn districts(self) -> impl Iterator<Item = DistrictId> {
        (0..DISTRICTS).map(move |number| self.district(number))
    }

    fn object(self, table: Table, district: u8, number: u64) -> ObjectId {
        // What a stranger asks for may be greater, and is then some other row of the table.
        let (district, number) = (u64::from(district & 15), number % NUMBERS);
        let key = u64::from(table as u8) << 44 | district << 40 | number;
        ObjectId::new(self.0, key)
    }
}

impl DistrictId {
    pub(super) fn row(self) -> ObjectId {
        self.object(Table::District, 0)
    }

    pub(super) fn next_order(self) -> ObjectId {
        self.object(Table::NextOrder, 0)
    }

    pub(super) fn oldest(self) -> ObjectId {
        self.object(Table::Oldest, 0)
    }

    /// The customers of a last name.
    pub(super) fn names(self, name: u16) -> ObjectId {
        self.object(Table::Names, name.into())
    }

    pub(super) fn customer(self, number: u32) -> CustomerId {
        let district = self;
        CustomerId { district, number }
    }

    pub(super) fn order(self, order: u64) -> ObjectId {
        self.object(Table::Order, order)
    }

    pub(super) fn new_order(self, order: u64) -> ObjectId {
        self.object(Table::NewOrder, order)
    }

    /// A line of an order, from 1.
    pub(super) fn line(self, order: u64, line: u8) -> ObjectId {
        self.object(Table::Line, order << 4 | u64::from(line))
    }

    /// All lines of an order that has so many.
    pub(super) fn lines(self, order: u64, count: u8) -> impl Iterator<Item = ObjectId> {
        (1..=count).map(move |line| self.line(order, line))
    }

    /// What a customer had paid before.
    pub(super) fn loaded_history(self, customer: u32) -> ObjectId {
        self.object(Table::History, customer.into())
    }

    /// What was paid here by the transaction of this number.
    pub(super) fn history(self, number: u64) -> ObjectId {
        self.object(Table::History, number)
    }

    /// The district that a row of one belongs to, in whatever run.
    pub(super) fn of(row: ObjectId) -> Self {
        let number = (row.key >> 40 & 15) as u8;
        WarehouseId(row.attribute).district(number)
    }

    /// The number of an order's row, in whatever run.
    pub(super) fn number_of(row: ObjectId) -> u64 {
        row.key % NUMBERS
    }

    fn object(self, table: Table, number: u64) -> ObjectId {
        self.warehouse.object(table, self.number, number)
    }
}

impl CustomerId {
    pub(super) fn row(self) -> ObjectId {
        self.district.object(Table::Customer, self.number.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_row_is_an_object_of_its_own() {
        let warehouse = WarehouseId(7);
        let mut rows = vec![
            warehouse.row(),
            warehouse.stock(1),
            warehouse.stock(100_000),
        ];
        for district in warehouse.districts() {
            rows.extend([district.row(), district.next_order(), district.oldest()]);
            rows.extend([district.names(0), district.names(999)]);
            rows.extend([1, 3_000].map(|number| district.customer(number).row()));
            for order in [1, 2, ORDERS - 1] {
                rows.extend([district.order(order), district.new_order(order)]);
                rows.extend(district.lines(order, MOST_LINES));
            }
            rows.extend([1, 3_000].map(|customer| district.loaded_history(customer)));
            rows.extend([3_001, NUMBERS - 1].map(|number| district.history(number)));
            assert_eq!(DistrictId::of(district.line(9, 3)), district);
            assert_eq!(DistrictId::number_of(district.new_order(9)), 9);
        }
        assert!(
            rows.iter()
                .all(|row| row.attribute == 7 && row.key < 1 << 48)
        );
        assert_eq!(rows.iter().collect::<BTreeSet<_>>().len(), rows.len());
    }
}
