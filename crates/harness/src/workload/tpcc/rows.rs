//! The rows of the tables: what transactions compute with, and the rest as bytes of about the size
//! that the specification gives it (clause 4.2.2).
//!
//! Money is in hundredths of a dollar, taxes and discounts in hundredths of a percent, dates are
//! numbers of transactions.

use super::ids::CustomerId;
use crate::workload::random::payload;
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use ssmr_core::ObjectId;
use ssmr_core::topology::mix;

/// An amount of money.
pub(super) type Cents = i64;

/// The most bytes that are kept of what is known about a customer.
pub(super) const CUSTOMER_DATA: usize = 500;

/// The size of a column `S_DIST_xx`.
const DIST: usize = 24;

/// A row.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) enum Row {
    Warehouse(Warehouse),
    District(District),
    /// The number of the next order of a district.
    NextOrder(u64),
    /// The least number among the orders of a district that are not delivered; that of the next
    /// order, if there is none.
    Oldest(u64),
    Customer(Customer),
    /// The customers of one last name, by their first names.
    Names(Vec<u32>),
    Stock(Stock),
    Order(Order),
    Line(Line),
    /// An order that is not delivered.
    NewOrder,
    History(History),
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Warehouse {
    pub(super) tax: u16,
    pub(super) ytd: Cents,
    /// Name and address.
    pub(super) about: Bytes,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct District {
    pub(super) tax: u16,
    pub(super) ytd: Cents,
    /// Name and address.
    pub(super) about: Bytes,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Customer {
    pub(super) good_credit: bool,
    pub(super) discount: u16,
    pub(super) balance: Cents,
    pub(super) ytd_payment: Cents,
    pub(super) payment_count: u32,
    pub(super) delivery_count: u32,
    pub(super) last_order: u64,
    /// Name, address and telephone number.
    pub(super) about: Bytes,
    pub(super) data: Bytes,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Stock {
    pub(super) quantity: i32,
    pub(super) ytd: u64,
    pub(super) order_count: u32,
    pub(super) remote_count: u32,
    /// The ten columns `S_DIST_xx`.
    pub(super) dist: Bytes,
    pub(super) data: Bytes,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Order {
    pub(super) customer: u32,
    pub(super) entered: u64,
    pub(super) carrier: Option<u8>,
    pub(super) line_count: u8,
    pub(super) all_local: bool,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Line {
    pub(super) item: u32,
    /// The stock that supplies it.
    pub(super) stock: ObjectId,
    pub(super) quantity: u8,
    pub(super) amount: Cents,
    pub(super) delivered: Option<u64>,
    /// The column `S_DIST_xx` of the stock.
    pub(super) dist: Bytes,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct History {
    pub(super) customer: CustomerId,
    pub(super) date: u64,
    pub(super) amount: Cents,
    /// The names of warehouse and district.
    pub(super) data: Bytes,
}

impl Customer {
    /// Pays. What is known about those of bad credit begins with their latest payments.
    pub(super) fn pay(&mut self, amount: Cents, remark: &str) {
        self.balance -= amount;
        self.ytd_payment += amount;
        self.payment_count += 1;
        if !self.good_credit {
            let known = remark.bytes().chain(self.data.iter().copied());
            self.data = known.take(CUSTOMER_DATA).collect();
        }
    }
}

impl Stock {
    /// Takes a quantity from the stock, which is filled up when little is left (clause 2.4.2.2).
    pub(super) fn take(&mut self, quantity: u8, remote: bool) {
        let left = self.quantity - i32::from(quantity);
        self.quantity = if left >= 10 { left } else { left + 91 };
        self.ytd += u64::from(quantity);
        self.order_count += 1;
        self.remote_count += u32::from(remote);
    }
}

/// The price of an item, from $1 to $100. There is none for an item that does not exist.
pub(super) fn price(item: u32, items: u32) -> Option<Cents> {
    let exists = (1..=items).contains(&item);
    exists.then(|| 100 + (mix(item.into()) % 9_901) as Cents)
}

/// The column `S_DIST_xx` of a stock for the district of this number.
pub(super) fn dist(stock: ObjectId, district: u8) -> Bytes {
    let number = mix(stock.attribute ^ mix(stock.key ^ u64::from(district)));
    payload(number, DIST)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stock(quantity: i32) -> Stock {
        Stock {
            quantity,
            ytd: 0,
            order_count: 0,
            remote_count: 0,
            dist: Bytes::new(),
            data: Bytes::new(),
        }
    }

    #[test]
    fn stock_is_filled_up_when_fewer_than_ten_would_be_left() {
        let take = |quantity, taken| {
            let mut stock = stock(quantity);
            stock.take(taken, false);
            stock.quantity
        };
        assert_eq!((take(20, 10), take(19, 10), take(10, 1)), (10, 100, 100));
        let mut stock = stock(50);
        stock.take(3, true);
        let counts = (stock.ytd, stock.order_count, stock.remote_count);
        assert_eq!(counts, (3, 1, 1));
    }

    #[test]
    fn what_is_known_of_bad_customers_keeps_its_size() {
        let mut customer = Customer {
            good_credit: false,
            discount: 0,
            balance: -1_000,
            ytd_payment: 1_000,
            payment_count: 1,
            delivery_count: 0,
            last_order: 1,
            about: Bytes::new(),
            data: vec![b'.'; CUSTOMER_DATA].into(),
        };
        customer.pay(250, "new");
        assert_eq!((customer.balance, customer.ytd_payment), (-1_250, 1_250));
        assert_eq!(customer.data.len(), CUSTOMER_DATA);
        assert!(customer.data.starts_with(b"new."));
        customer.good_credit = true;
        customer.pay(250, "newer");
        assert!(customer.data.starts_with(b"new."));
    }

    #[test]
    fn only_items_that_exist_have_prices() {
        assert_eq!((price(0, 10), price(11, 10)), (None, None));
        let mut prices = (1..=10).filter_map(|item| price(item, 10));
        assert!(prices.all(|price| (100..=10_000).contains(&price)));
    }
}
