//! What must hold of all rows when a run is over: consistency conditions of clause 3.3.2.
//!
//! | condition | what it says |
//! | --- | --- |
//! | 1 | `W_YTD` is the sum of its districts' `D_YTD` |
//! | 2 | `D_NEXT_O_ID` - 1 is the greatest number of an order, and of a row of `NEW-ORDER` |
//! | 3 | the rows of `NEW-ORDER` have neighbouring numbers, from the oldest undelivered order on |
//! | 4 | the `O_OL_CNT` of all orders add up to the number of lines |
//! | 5 | so many orders have no carrier as there are rows of `NEW-ORDER` |
//! | 7 | so many lines are not delivered as orders without a carrier have |
//! | 8, 9 | `W_YTD` and `D_YTD` are the sums of their `H_AMOUNT` |
//! | 12 | `C_BALANCE` and `C_YTD_PAYMENT` add up to the `OL_AMOUNT` of what was delivered |
//!
//! The specification asks 5, 7 and 12 of each order or customer, this of all of a district
//! together: then each row is seen once, and nothing is kept of it but sums.

use super::ids::{DistrictId, WarehouseId};
use super::rows::{Cents, Row};
use super::service::{Reply, Supplier};
use crate::workload::contract::Invariants;
use ssmr_core::ObjectId;
use std::collections::BTreeMap;
use std::fmt;

/// What is known of all rows that were taken.
#[derive(Debug)]
pub(super) struct Conditions {
    /// In the order in which they are told.
    warehouses: Vec<WarehouseId>,
    ytds: BTreeMap<WarehouseId, Cents>,
    districts: BTreeMap<DistrictId, Tally>,
}

/// The rows of a district, added up.
#[derive(Clone, Copy, Debug, Default)]
struct Tally {
    ytd: Cents,
    next_order: u64,
    oldest: u64,
    last_order: u64,
    /// Lines as orders tell them, and those of orders without a carrier.
    told_lines: u64,
    told_open_lines: u64,
    /// Orders without a carrier.
    open_orders: u64,
    lines: u64,
    open_lines: u64,
    /// What the lines that are delivered cost.
    delivered: Cents,
    new_orders: u64,
    first_new_order: u64,
    last_new_order: u64,
    /// What was paid.
    paid: Cents,
    /// `C_BALANCE` and `C_YTD_PAYMENT`.
    customers: Cents,
}

impl Conditions {
    /// Nothing is known of these warehouses yet.
    pub(super) fn new(warehouses: &[WarehouseId]) -> Self {
        let districts = warehouses
            .iter()
            .flat_map(|warehouse| warehouse.districts());
        Self {
            warehouses: warehouses.to_vec(),
            ytds: BTreeMap::new(),
            districts: districts
                .map(|district| (district, Tally::default()))
                .collect(),
        }
    }

    fn add(&mut self, object: ObjectId, row: &Row) {
        let district = DistrictId::of(object);
        if let Row::Warehouse(warehouse) = row {
            self.ytds.insert(district.warehouse, warehouse.ytd);
            return;
        }
        let tally = self.districts.entry(district).or_default();
        match row {
            // They belong to no district, and no condition names them.
            Row::Warehouse(_) | Row::Stock(_) | Row::Names(_) => {}
            Row::District(district) => tally.ytd = district.ytd,
            Row::NextOrder(order) => tally.next_order = *order,
            Row::Oldest(order) => tally.oldest = *order,
            Row::Customer(customer) => {
                tally.customers += customer.balance + customer.ytd_payment;
            }
            Row::History(history) => tally.paid += history.amount,
            Row::Order(order) => {
                let lines = u64::from(order.line_count);
                tally.last_order = tally.last_order.max(DistrictId::number_of(object));
                tally.told_lines += lines;
                if order.carrier.is_none() {
                    tally.open_orders += 1;
                    tally.told_open_lines += lines;
                }
            }
            Row::Line(line) => {
                tally.lines += 1;
                match line.delivered {
                    Some(_) => tally.delivered += line.amount,
                    None => tally.open_lines += 1,
                }
            }
            Row::NewOrder => {
                let number = DistrictId::number_of(object);
                tally.last_new_order = tally.last_new_order.max(number);
                tally.first_new_order = match tally.new_orders {
                    0 => number,
                    _ => tally.first_new_order.min(number),
                };
                tally.new_orders += 1;
            }
        }
    }
}

impl Invariants<Supplier> for Conditions {
    fn take(&mut self, objects: &[ObjectId], reply: Reply) {
        let Reply::Rows(rows) = reply else {
            return;
        };
        for (object, row) in objects.iter().zip(&rows) {
            self.add(*object, row);
        }
    }

    fn violations(&self) -> Vec<String> {
        let mut told = Vec::new();
        for (number, &warehouse) in self.warehouses.iter().enumerate() {
            let mut broken = Broken {
                place: format!("warehouse {number}"),
                told: &mut told,
            };
            let tallies = warehouse
                .districts()
                .map(|district| self.districts[&district]);
            let tallies: Vec<Tally> = tallies.collect();
            let ytd = Money(self.ytds.get(&warehouse).copied().unwrap_or_default());
            let sum = |of: fn(&Tally) -> Cents| Money(tallies.iter().map(of).sum());
            let (districts, paid) = (sum(|tally| tally.ytd), sum(|tally| tally.paid));
            broken.unless(1, ("W_YTD", ytd), ("the sum of D_YTD", districts));
            broken.unless(8, ("W_YTD", ytd), ("the sum of H_AMOUNT", paid));
            for (district, tally) in tallies.iter().enumerate() {
                broken.place = format!("warehouse {number}, district {district}");
                tally.look(&mut broken);
            }
        }
        told
    }
}

impl Tally {
    fn look(&self, broken: &mut Broken<'_>) {
        let before_next = ("D_NEXT_O_ID - 1", self.next_order.saturating_sub(1));
        broken.unless(2, before_next, ("the greatest O_ID", self.last_order));
        if self.new_orders > 0 {
            let last = self.last_new_order;
            broken.unless(2, before_next, ("the greatest NO_O_ID", last));
            let span = last - self.first_new_order + 1;
            let rows = ("the number of rows of NEW-ORDER", self.new_orders);
            broken.unless(3, ("the span of NO_O_ID", span), rows);
        }
        let oldest = match self.new_orders {
            0 => self.next_order,
            _ => self.first_new_order,
        };
        let kept = ("the oldest order that is not delivered", self.oldest);
        broken.unless(3, ("the least NO_O_ID", oldest), kept);
        let told = ("the sum of O_OL_CNT", self.told_lines);
        broken.unless(4, told, ("the number of lines", self.lines));
        let open = ("the number of orders without a carrier", self.open_orders);
        broken.unless(
            5,
            open,
            ("the number of rows of NEW-ORDER", self.new_orders),
        );
        let open = (
            "the number of lines that are not delivered",
            self.open_lines,
        );
        let told = ("O_OL_CNT of orders without a carrier", self.told_open_lines);
        broken.unless(7, open, told);
        let paid = ("the sum of H_AMOUNT", Money(self.paid));
        broken.unless(9, ("D_YTD", Money(self.ytd)), paid);
        let customers = (
            "the sum of C_BALANCE and C_YTD_PAYMENT",
            Money(self.customers),
        );
        let delivered = ("OL_AMOUNT of what was delivered", Money(self.delivered));
        broken.unless(12, customers, delivered);
    }
}

/// Where something may not hold, and what does not.
struct Broken<'a> {
    place: String,
    told: &'a mut Vec<String>,
}

impl Broken<'_> {
    /// Tells that two values differ, if they do.
    fn unless<T: PartialEq + fmt::Display>(
        &mut self,
        condition: u8,
        (left, a): (&str, T),
        (right, b): (&str, T),
    ) {
        if a != b {
            let place = &self.place;
            self.told.push(format!(
                "consistency condition 3.3.2.{condition}, {place}: {left} is {a}, {right} {b}"
            ));
        }
    }
}

/// An amount of money, as it is read.
#[derive(Clone, Copy, PartialEq)]
struct Money(Cents);

impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.0 < 0 { "-" } else { "" };
        let cents = self.0.unsigned_abs();
        write!(f, "{sign}{}.{:02}", cents / 100, cents % 100)
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Rows, tpcc};
    use super::*;

    #[test]
    fn money_is_told_in_dollars() {
        assert_eq!(Money(-1_205).to_string(), "-12.05");
        assert_eq!(Money(30_000_000).to_string(), "300000.00");
    }

    /// Breaks something in rows that are consistent, and looks which conditions tell.
    fn broken(how: impl FnOnce(&mut Rows, DistrictId)) -> Vec<String> {
        let tpcc = tpcc();
        let mut rows = Rows::loaded(&tpcc);
        assert_eq!(rows.violations(&tpcc), [""; 0]);
        how(&mut rows, tpcc.warehouses[1].district(3));
        let told = rows.violations(&tpcc);
        let conditions = told.iter().map(|told| {
            assert!(told.contains(", warehouse 1"), "{told}");
            let (condition, _) = told.split_once(',').unwrap();
            condition.replace("consistency condition ", "")
        });
        conditions.collect()
    }

    fn change(row: Option<&mut Row>, how: impl FnOnce(&mut Row)) {
        how(row.expect("it was loaded"));
    }

    #[test]
    fn each_condition_is_found_broken() {
        let ytd = broken(|rows, district| {
            change(rows.0.get_mut(&district.warehouse.row()), |row| {
                if let Row::Warehouse(warehouse) = row {
                    warehouse.ytd += 1;
                }
            });
        });
        assert_eq!(ytd, ["3.3.2.1", "3.3.2.8"]);
        let next = broken(|rows, district| {
            rows.0.insert(district.next_order(), Row::NextOrder(32));
        });
        assert_eq!(next, ["3.3.2.2"; 2]);
        let gap = broken(|rows, district| {
            rows.0.remove(&district.new_order(25));
        });
        assert_eq!(gap, ["3.3.2.3", "3.3.2.5"]);
        let first = broken(|rows, district| {
            rows.0.insert(district.oldest(), Row::Oldest(23));
        });
        assert_eq!(first, ["3.3.2.3"]);
        let line = broken(|rows, district| {
            rows.0.remove(&district.line(30, 1));
        });
        assert_eq!(line, ["3.3.2.4", "3.3.2.7"]);
        let order = broken(|rows, district| {
            rows.0.remove(&district.order(30));
        });
        assert!(order.contains(&"3.3.2.2".into()) && order.contains(&"3.3.2.4".into()));
        let carrier = broken(|rows, district| {
            change(rows.0.get_mut(&district.order(30)), |row| {
                if let Row::Order(order) = row {
                    order.carrier = Some(1);
                }
            });
        });
        assert_eq!(carrier, ["3.3.2.5", "3.3.2.7"]);
        let history = broken(|rows, district| {
            rows.0.remove(&district.loaded_history(7));
        });
        assert_eq!(history, ["3.3.2.8", "3.3.2.9"]);
        let balance = broken(|rows, district| {
            change(rows.0.get_mut(&district.customer(7).row()), |row| {
                if let Row::Customer(customer) = row {
                    customer.balance += 1;
                }
            });
        });
        assert_eq!(balance, ["3.3.2.12"]);
    }

    #[test]
    fn a_violation_is_told_with_its_place_and_both_values() {
        let tpcc = tpcc();
        let mut rows = Rows::loaded(&tpcc);
        let district = tpcc.warehouses[0].district(9);
        rows.0.remove(&district.loaded_history(1));
        let told = rows.violations(&tpcc);
        assert_eq!(
            told[1],
            "consistency condition 3.3.2.9, warehouse 0, district 9: D_YTD is 300.00, the sum of \
             H_AMOUNT 290.00"
        );
    }
}
