//! Which object a row is.
//!
//! ```text
//!   attribute               key: 4 bits | 4 bits    | 56 bits
//!   that of the warehouse        table  | district  | number within the table
//! ```
//!
//! The number of an order line is that of its order and, in the lowest 4 bits, its own; that of a
//! line of `HISTORY`, which has no key of its own, is the client's number plus one and the number
//! of its transaction, or the customer's if it was loaded.

use serde::{Deserialize, Serialize};
use ssmr_core::ObjectId;

/// How many districts a warehouse has.
pub(super) const DISTRICTS: u8 = 10;

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
        let key = u64::from(table as u8) << 60 | u64::from(district) << 56 | number;
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

    /// What was paid here by a transaction of a client.
    pub(super) fn history(self, client: u32, transaction: u32) -> ObjectId {
        let number = (u64::from(client) + 1) << 32 | u64::from(transaction);
        self.object(Table::History, number)
    }

    /// The district that a row of one belongs to.
    pub(super) fn of(row: ObjectId) -> Self {
        let number = (row.key >> 56 & 15) as u8;
        WarehouseId(row.attribute).district(number)
    }

    /// The number of the row of an undelivered order.
    pub(super) fn number_of(row: ObjectId) -> u64 {
        row.key & ((1 << 56) - 1)
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
            for order in [1, 2, u64::from(u32::MAX)] {
                rows.extend([district.order(order), district.new_order(order)]);
                rows.extend(district.lines(order, MOST_LINES));
            }
            rows.extend([1, 3_000].map(|customer| district.loaded_history(customer)));
            for client in [0, 9_999] {
                rows.extend([1, 3_000, u32::MAX].map(|n| district.history(client, n)));
            }
            assert_eq!(DistrictId::of(district.line(9, 3)), district);
            assert_eq!(DistrictId::number_of(district.new_order(9)), 9);
        }
        assert!(rows.iter().all(|row| row.attribute == 7));
        assert_eq!(rows.iter().collect::<BTreeSet<_>>().len(), rows.len());
    }
}
