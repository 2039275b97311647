//! What is loaded (clause 4.3.3): all rows of all warehouses, some in each command.
//!
//! Rows are functions of settings and their own numbers, so that a command needs no other's. The
//! customers of a district have one order each, in an order of their own; the last three of ten are
//! not delivered.

use super::ids::{CustomerId, DISTRICTS, DistrictId, WarehouseId};
use super::rows::{
    CUSTOMER_DATA, Cents, Customer, District, History, Line, Order, Row, Stock, Warehouse, dist,
};
use super::settings::Tpcc;
use super::tables::of_run;
use crate::workload::random::payload;
use bytes::Bytes;
use ssmr_core::topology::mix;
use ssmr_core::{Intent, ObjectId, Request, codec};
use std::ops::RangeInclusive;

/// How many customers, stocks and orders one command creates.
const CUSTOMERS: u32 = 50;
const STOCKS: u32 = 100;
const ORDERS: u32 = 10;

/// What each customer has paid before.
const PAID: Cents = 1_000;

/// Neighbouring orders are those of customers so far apart. It has no divisor in common with the
/// number of customers.
const STRIDE: u32 = 7;

/// Some rows of a warehouse, that one command creates.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Batch {
    /// The warehouse and its districts.
    Heads,
    /// Who has which last name in a district.
    Names(u8),
    /// Customers of a district, with what they have paid.
    Customers(u8, RangeInclusive<u32>),
    Stocks(RangeInclusive<u32>),
    /// Orders of a district.
    Orders(u8, RangeInclusive<u32>),
}

impl Tpcc {
    /// How many commands load a warehouse.
    pub(super) fn batches(&self) -> u64 {
        self.sections().iter().sum()
    }

    /// Heads, names, customers, stocks, orders.
    fn sections(&self) -> [u64; 5] {
        let (customers, items) = (self.scale.customers(), self.scale.items());
        let of_districts = |batches: u32| u64::from(DISTRICTS) * u64::from(batches);
        [
            1,
            of_districts(1),
            of_districts(customers.div_ceil(CUSTOMERS)),
            items.div_ceil(STOCKS).into(),
            of_districts(customers.div_ceil(ORDERS)),
        ]
    }

    /// The batch of this number.
    pub(super) fn batch(&self, number: u64) -> Batch {
        let (mut number, mut section) = (number, 0);
        for count in self.sections() {
            if number < count {
                break;
            }
            number -= count;
            section += 1;
        }
        let turn = (number / u64::from(DISTRICTS)) as u32;
        let district = (number % u64::from(DISTRICTS)) as u8;
        let part = |turn: u32, size: u32, all: u32| turn * size + 1..=all.min((turn + 1) * size);
        let (customers, items) = (self.scale.customers(), self.scale.items());
        match section {
            0 => Batch::Heads,
            1 => Batch::Names(district),
            2 => Batch::Customers(district, part(turn, CUSTOMERS, customers)),
            3 => Batch::Stocks(part(number as u32, STOCKS, items)),
            _ => Batch::Orders(district, part(turn, ORDERS, customers)),
        }
    }

    /// Creates the rows of a batch.
    pub(super) fn load(&self, warehouse: WarehouseId, batch: Batch) -> Request {
        let rows = match batch {
            Batch::Heads => self.heads(warehouse),
            Batch::Names(district) => self.names_of(warehouse.district(district)),
            Batch::Customers(district, numbers) => {
                let district = warehouse.district(district);
                let loaded = |number| self.customer(district.customer(number));
                numbers.flat_map(loaded).collect()
            }
            Batch::Stocks(items) => {
                let stocks = items.map(|item| warehouse.stock(item));
                stocks.map(|stock| (stock, self.stock(stock))).collect()
            }
            Batch::Orders(district, numbers) => {
                let district = warehouse.district(district);
                numbers
                    .flat_map(|order| self.order(district, order))
                    .collect()
            }
        };
        self.create(warehouse, rows)
    }

    /// Creates rows of a warehouse, at its home.
    pub(super) fn create(&self, warehouse: WarehouseId, rows: Vec<(ObjectId, Row)>) -> Request {
        self.beside(Request::default(), warehouse, rows)
    }

    /// The same beside something else.
    pub(super) fn beside(
        &self,
        request: Request,
        warehouse: WarehouseId,
        rows: Vec<(ObjectId, Row)>,
    ) -> Request {
        let at = Some(self.partition(warehouse));
        let create = |request: Request, (object, row)| {
            let value = codec::encode(&row);
            request.and(of_run(self.run, object), Intent::Create { at, value })
        };
        rows.into_iter().fold(request, create)
    }

    fn heads(&self, warehouse: WarehouseId) -> Vec<(ObjectId, Row)> {
        let customers = self.scale.customers();
        let ytd = PAID * Cents::from(customers);
        let hash = self.hash(warehouse.row());
        let row = Row::Warehouse(Warehouse {
            tax: tax(hash),
            ytd: ytd * Cents::from(DISTRICTS),
            about: text(hash, 71..=89),
        });
        let districts = warehouse.districts().flat_map(|district| {
            let hash = self.hash(district.row());
            let row = Row::District(District {
                tax: tax(hash),
                ytd,
                about: text(hash, 71..=89),
            });
            let next = u64::from(customers) + 1;
            let oldest = u64::from(self.delivered()) + 1;
            [
                (district.row(), row),
                (district.next_order(), Row::NextOrder(next)),
                (district.oldest(), Row::Oldest(oldest)),
            ]
        });
        [(warehouse.row(), row)]
            .into_iter()
            .chain(districts)
            .collect()
    }

    fn names_of(&self, district: DistrictId) -> Vec<(ObjectId, Row)> {
        let mut names = vec![Vec::new(); self.scale.names().into()];
        for number in 1..=self.scale.customers() {
            names[usize::from(self.name(district.customer(number)))].push(number);
        }
        let first_name = |number: &u32| self.hash(district.customer(*number).row());
        let row = |(name, mut customers): (usize, Vec<u32>)| {
            customers.sort_by_key(first_name);
            (district.names(name as u16), Row::Names(customers))
        };
        names.into_iter().enumerate().map(row).collect()
    }

    /// The last name of a customer: each one is there.
    fn name(&self, customer: CustomerId) -> u16 {
        match customer.number - 1 {
            first if first < self.scale.names().into() => first as u16,
            _ => self.loaded_names().hashed(self.hash(customer.row())) as u16,
        }
    }

    fn customer(&self, customer: CustomerId) -> [(ObjectId, Row); 2] {
        let (district, number) = (customer.district, customer.number);
        let hash = self.hash(customer.row());
        let row = Customer {
            good_credit: !mix(hash).is_multiple_of(10),
            discount: (mix(mix(hash)) % 5_001) as u16,
            balance: -PAID,
            ytd_payment: PAID,
            payment_count: 1,
            delivery_count: 0,
            last_order: self.loaded_order(customer).into(),
            about: text(hash, 120..=170),
            data: text(mix(hash), 300..=CUSTOMER_DATA),
        };
        let history = History {
            customer,
            date: 0,
            amount: PAID,
            data: text(hash, 12..=24),
        };
        [
            (customer.row(), Row::Customer(row)),
            (district.loaded_history(number), Row::History(history)),
        ]
    }

    fn stock(&self, stock: ObjectId) -> Row {
        let hash = self.hash(stock);
        Row::Stock(Stock {
            quantity: 10 + (mix(hash) % 91) as i32,
            ytd: 0,
            order_count: 0,
            remote_count: 0,
            dist: (0..DISTRICTS)
                .flat_map(|district| dist(stock, district))
                .collect(),
            data: text(hash, 26..=50),
        })
    }

    /// An order with its lines, and its row of `NEW-ORDER` if it is not delivered.
    fn order(&self, district: DistrictId, order: u32) -> Vec<(ObjectId, Row)> {
        let number = u64::from(order);
        let hash = self.hash(district.order(number));
        let (line_count, delivered) = (5 + (hash % 11) as u8, order <= self.delivered());
        let row = Row::Order(Order {
            customer: self.loaded_customer(district, order),
            entered: 0,
            carrier: delivered.then_some(1 + (mix(hash) % 10) as u8),
            line_count,
            all_local: true,
        });
        let mut rows = vec![(district.order(number), row)];
        if !delivered {
            rows.push((district.new_order(number), Row::NewOrder));
        }
        let lines = district.lines(number, line_count).map(|line| {
            let hash = self.hash(line);
            let item = 1 + (hash % u64::from(self.scale.items())) as u32;
            let stock = district.warehouse.stock(item);
            let row = Row::Line(Line {
                item,
                stock,
                quantity: 5,
                amount: if delivered {
                    0
                } else {
                    1 + (mix(hash) % 999_999) as Cents
                },
                delivered: delivered.then_some(0),
                dist: dist(stock, district.number),
            });
            (line, row)
        });
        rows.extend(lines);
        rows
    }

    /// How many of the loaded orders of a district are delivered.
    fn delivered(&self) -> u32 {
        self.scale.customers() / 10 * 7
    }

    /// Whose order a loaded one is: each customer has one.
    fn loaded_customer(&self, district: DistrictId, order: u32) -> u32 {
        let customers = self.scale.customers();
        ((order - 1) * STRIDE + self.shift(district)) % customers + 1
    }

    /// The loaded order of a customer.
    fn loaded_order(&self, customer: CustomerId) -> u32 {
        let customers = self.scale.customers();
        let place = (customer.number - 1 + customers - self.shift(customer.district)) % customers;
        let mut orders = 0..customers;
        let order = orders.find(|order| order * STRIDE % customers == place);
        order.map_or(1, |order| order + 1)
    }

    fn shift(&self, district: DistrictId) -> u32 {
        (self.hash(district.oldest()) % u64::from(self.scale.customers())) as u32
    }

    /// A hash of a row's name and the seed.
    fn hash(&self, row: ObjectId) -> u64 {
        mix(self.seed ^ mix(row.attribute ^ mix(row.key)))
    }
}

fn tax(hash: u64) -> u16 {
    (mix(hash) % 2_001) as u16
}

/// So many bytes.
fn text(hash: u64, size: RangeInclusive<usize>) -> Bytes {
    let (least, most) = size.into_inner();
    let size = least + (mix(hash) % (most - least + 1) as u64) as usize;
    payload(hash, size)
}

#[cfg(test)]
mod tests;
