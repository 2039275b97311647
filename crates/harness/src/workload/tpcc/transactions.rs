//! What each transaction asks: reads, whose answers name the rows of the command at its end.
//!
//! ```text
//!   new-order     next order ............................... commit
//!   payment       [names] .................................. commit
//!   order-status  [names]  customer  order ................. its lines, if all is as it was
//!   delivery      oldest orders of all districts  orders ... commit
//!   stock-level   next order  orders  lines  stocks
//! ```
//!
//! A new-order with an item that does not exist ends without a command, after its read: so it is
//! rolled back. A delivery skips districts that have nothing to deliver; if none has, it ends
//! likewise. What a stock-level reads need not hold together (clause 2.8.2.3).

use super::ids::{CustomerId, DistrictId, ORDERS, WarehouseId};
use super::rows::{History, Line, Order, Row, dist, price};
use super::service::{Call, Delivery, Entry, Op, Payment, Reply, Supplier, Supply};
use super::settings::Tpcc;
use super::steps::{Deed, Step, Wanted, Who};
use super::tables::of_run;
use crate::workload::contract::Next;
use crate::workload::random::payload;
use ssmr_core::{Completion, Intent, ObjectId, Outcome, Request, codec};
use std::collections::BTreeSet;

/// How many of a district's orders a stock-level looks at.
const LATEST: u64 = 20;

impl Tpcc {
    /// What a transaction does next.
    pub(super) fn next(&self, step: &Step, reads: &[Completion]) -> Next {
        let next = match &step.deed {
            Deed::NewOrder {
                district,
                customer,
                lines,
            } => {
                let customer = district.customer(*customer);
                self.new_order(step, customer, lines, reads)
            }
            Deed::Payment {
                district,
                of,
                customer,
                amount,
            } => {
                let pay = |customer, _: &[Completion]| {
                    let payment = Payment {
                        district: *district,
                        customer,
                        amount: *amount,
                    };
                    Some(self.pay(step, payment))
                };
                self.with_customer(*of, *customer, reads, pay)
            }
            Deed::OrderStatus { district, customer } => {
                let status = |customer, reads: &[Completion]| self.order_status(customer, reads);
                self.with_customer(*district, *customer, reads, status)
            }
            Deed::Delivery { warehouse, carrier } => {
                self.deliver(*warehouse, *carrier, step.number.into(), reads)
            }
            Deed::StockLevel { district, below } => self.stock_level(*district, *below, reads),
        };
        // Rows are of the tables that they were asked for in: it cannot end here otherwise.
        next.unwrap_or(Next::End)
    }

    fn new_order(
        &self,
        step: &Step,
        customer: CustomerId,
        lines: &[Wanted],
        reads: &[Completion],
    ) -> Option<Next> {
        let district = customer.district;
        let [next_order] = reads else {
            return Some(self.read(vec![district.next_order()]));
        };
        let Row::NextOrder(order) = row(next_order)? else {
            return None;
        };
        if order >= ORDERS {
            return None;
        }
        let supply = |wanted: &Wanted| {
            let price = price(wanted.item, self.scale.items())?;
            Some(Supply {
                stock: wanted.from.stock(wanted.item),
                quantity: wanted.quantity,
                amount: price * i64::from(wanted.quantity),
            })
        };
        // Without one of them, it is rolled back.
        let supplies: Vec<Supply> = lines.iter().map(supply).collect::<Option<_>>()?;
        let mut rows = vec![
            (district.new_order(order), Row::NewOrder),
            (
                district.order(order),
                Row::Order(Order {
                    customer: customer.number,
                    entered: step.number.into(),
                    carrier: None,
                    line_count: lines.len() as u8,
                    all_local: lines.iter().all(|line| line.from == district.warehouse),
                }),
            ),
        ];
        let numbers = district.lines(order, lines.len() as u8);
        for ((number, wanted), supply) in numbers.zip(lines).zip(&supplies) {
            let line = Row::Line(Line {
                item: wanted.item,
                stock: supply.stock,
                quantity: wanted.quantity,
                amount: supply.amount,
                delivered: None,
                dist: dist(supply.stock, district.number),
            });
            rows.push((number, line));
        }
        let entry = Entry {
            customer,
            order,
            lines: supplies,
        };
        let request = self.access(Op::Enter(entry));
        Some(Next::Commit(self.beside(request, district.warehouse, rows)))
    }

    fn pay(&self, step: &Step, payment: Payment) -> Next {
        let district = payment.district;
        let object = district.history(self.number(step.client, step.number));
        let history = Row::History(History {
            customer: payment.customer,
            date: step.number.into(),
            amount: payment.amount,
            data: payload(object.key, 24),
        });
        let request = self.access(Op::Pay(payment));
        let rows = vec![(object, history)];
        Next::Commit(self.beside(request, district.warehouse, rows))
    }

    /// Goes on with a customer, once it is known who that is.
    fn with_customer(
        &self,
        district: DistrictId,
        who: Who,
        reads: &[Completion],
        go_on: impl FnOnce(CustomerId, &[Completion]) -> Option<Next>,
    ) -> Option<Next> {
        let name = match who {
            Who::Number(number) => return go_on(district.customer(number), reads),
            Who::Name(name) => name,
        };
        let Some((names, reads)) = reads.split_first() else {
            return Some(self.read(vec![district.names(name)]));
        };
        let Row::Names(customers) = row(names)? else {
            return None;
        };
        // The one in the middle, rounded up (clause 2.5.2.2).
        let middle = customers.get(customers.len().checked_sub(1)? / 2)?;
        go_on(district.customer(*middle), reads)
    }

    fn order_status(&self, customer: CustomerId, reads: &[Completion]) -> Option<Next> {
        let district = customer.district;
        let Some((found, reads)) = reads.split_first() else {
            return Some(self.read(vec![customer.row()]));
        };
        let Row::Customer(found) = row(found)? else {
            return None;
        };
        let Some(order) = reads.first() else {
            return Some(self.read(vec![district.order(found.last_order)]));
        };
        let Row::Order(order) = row(order)? else {
            return None;
        };
        let lines = district.lines(found.last_order, order.line_count);
        let lines = Op::Read(lines.collect());
        Some(Next::Commit(self.access(lines)))
    }

    fn deliver(
        &self,
        warehouse: WarehouseId,
        carrier: u8,
        date: u64,
        reads: &[Completion],
    ) -> Option<Next> {
        let Some((oldest, reads)) = reads.split_first() else {
            let oldest = warehouse.districts().map(DistrictId::oldest);
            return Some(self.read(oldest.collect()));
        };
        let oldest = warehouse.districts().zip(rows(oldest)?);
        let mut orders = Vec::new();
        for (district, row) in oldest {
            let Row::Oldest(order) = row else {
                return None;
            };
            orders.push((district, order));
        }
        // Districts whose orders were found absent have nothing to deliver.
        let absent = reads.iter().flat_map(|read| self.absent(read));
        let absent: BTreeSet<ObjectId> = absent.collect();
        orders.retain(|(district, order)| !absent.contains(&district.order(*order)));
        let found = reads
            .last()
            .filter(|last| last.outcome != Outcome::NotFound);
        let Some(found) = found.filter(|_| !orders.is_empty()) else {
            let objects = orders
                .iter()
                .map(|(district, order)| district.order(*order));
            return (!orders.is_empty()).then(|| self.read(objects.collect()));
        };
        let mut deliveries = Vec::new();
        for ((district, order), row) in orders.into_iter().zip(rows(found)?) {
            let Row::Order(found) = row else {
                return None;
            };
            deliveries.push(Delivery {
                customer: district.customer(found.customer),
                order,
                line_count: found.line_count,
            });
        }
        let delivered = deliveries.iter();
        let delivered = delivered.map(|each| each.customer.district.new_order(each.order));
        let delivered: Vec<ObjectId> = delivered.collect();
        let request = self.access(Op::Deliver {
            orders: deliveries,
            carrier,
            date,
        });
        let delete = |request: Request, row| request.and(of_run(self.run, row), Intent::Delete);
        let request = delivered.into_iter().fold(request, delete);
        Some(Next::Commit(request))
    }

    fn stock_level(&self, district: DistrictId, below: i32, reads: &[Completion]) -> Option<Next> {
        let Some((next_order, reads)) = reads.split_first() else {
            return Some(self.read(vec![district.next_order()]));
        };
        let Row::NextOrder(next) = row(next_order)? else {
            return None;
        };
        let numbers = next.saturating_sub(LATEST).max(1)..next;
        let Some((orders, reads)) = reads.split_first() else {
            let orders = numbers.map(|order| district.order(order));
            return Some(self.read(orders.collect()));
        };
        let Some((lines, reads)) = reads.split_first() else {
            let mut lines = Vec::new();
            for (number, order) in numbers.zip(rows(orders)?) {
                let Row::Order(order) = order else {
                    return None;
                };
                lines.extend(district.lines(number, order.line_count));
            }
            return Some(self.read(lines));
        };
        if !reads.is_empty() {
            return Some(Next::End);
        }
        let mut stocks = BTreeSet::new();
        for line in rows(lines)? {
            let Row::Line(line) = line else {
                return None;
            };
            stocks.insert(district.warehouse.stock(line.item));
        }
        let stocks = stocks.into_iter().collect();
        let count = Op::CountLow { stocks, below };
        Some(Next::Read(self.access(count)))
    }

    /// Reads these rows.
    fn read(&self, rows: Vec<ObjectId>) -> Next {
        Next::Read(self.access(Op::Read(rows)))
    }

    /// Asks for an operation on rows of this run.
    fn access(&self, op: Op) -> Request {
        let run = self.run;
        Request::access::<Supplier>(&Call { run, op })
    }

    /// The objects that a read has found absent, as in run 0.
    fn absent(&self, read: &Completion) -> impl Iterator<Item = ObjectId> {
        let absent = read.touched.iter().filter(|touch| touch.before.is_none());
        absent.map(|touch| of_run(self.run, touch.object))
    }
}

/// The rows that a read has found.
fn rows(read: &Completion) -> Option<Vec<Row>> {
    let Outcome::Done(reply) = &read.outcome else {
        return None;
    };
    match codec::decode(reply).ok()? {
        Reply::Rows(rows) => Some(rows),
        _ => None,
    }
}

/// The only row that a read has found.
fn row(read: &Completion) -> Option<Row> {
    rows(read)?.pop()
}

#[cfg(test)]
mod tests;
