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

use super::ids::{CustomerId, DistrictId, WarehouseId};
use super::rows::{History, Line, Order, Row, dist, price};
use super::service::{Delivery, Entry, Op, Payment, Reply, Supplier, Supply};
use super::settings::Tpcc;
use super::steps::{Deed, Step, Wanted, Who};
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
                with_customer(*of, *customer, reads, pay)
            }
            Deed::OrderStatus { district, customer } => {
                with_customer(*district, *customer, reads, order_status)
            }
            Deed::Delivery { warehouse, carrier } => {
                deliver(*warehouse, *carrier, step.number.into(), reads)
            }
            Deed::StockLevel { district, below } => stock_level(*district, *below, reads),
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
            return Some(read(vec![district.next_order()]));
        };
        let Row::NextOrder(order) = row(next_order)? else {
            return None;
        };
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
        let request = Request::access::<Supplier>(&Op::Enter(entry));
        Some(Next::Commit(self.beside(request, district.warehouse, rows)))
    }

    fn pay(&self, step: &Step, payment: Payment) -> Next {
        let district = payment.district;
        let object = district.history(step.client, step.number);
        let history = Row::History(History {
            customer: payment.customer,
            date: step.number.into(),
            amount: payment.amount,
            data: payload(object.key, 24),
        });
        let request = Request::access::<Supplier>(&Op::Pay(payment));
        let rows = vec![(object, history)];
        Next::Commit(self.beside(request, district.warehouse, rows))
    }
}

/// Goes on with a customer, once it is known who that is.
fn with_customer(
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
        return Some(read(vec![district.names(name)]));
    };
    let Row::Names(customers) = row(names)? else {
        return None;
    };
    // The one in the middle, rounded up (clause 2.5.2.2).
    let middle = customers.get(customers.len().checked_sub(1)? / 2)?;
    go_on(district.customer(*middle), reads)
}

fn order_status(customer: CustomerId, reads: &[Completion]) -> Option<Next> {
    let district = customer.district;
    let Some((found, reads)) = reads.split_first() else {
        return Some(read(vec![customer.row()]));
    };
    let Row::Customer(found) = row(found)? else {
        return None;
    };
    let Some(order) = reads.first() else {
        return Some(read(vec![district.order(found.last_order)]));
    };
    let Row::Order(order) = row(order)? else {
        return None;
    };
    let lines = district.lines(found.last_order, order.line_count);
    let lines = Op::Read(lines.collect());
    Some(Next::Commit(Request::access::<Supplier>(&lines)))
}

fn deliver(warehouse: WarehouseId, carrier: u8, date: u64, reads: &[Completion]) -> Option<Next> {
    let Some((oldest, reads)) = reads.split_first() else {
        let oldest = warehouse.districts().map(DistrictId::oldest);
        return Some(read(oldest.collect()));
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
    let absent: BTreeSet<ObjectId> = reads.iter().flat_map(absent).collect();
    orders.retain(|(district, order)| !absent.contains(&district.order(*order)));
    let found = reads
        .last()
        .filter(|last| last.outcome != Outcome::NotFound);
    let Some(found) = found.filter(|_| !orders.is_empty()) else {
        let objects = orders
            .iter()
            .map(|(district, order)| district.order(*order));
        return (!orders.is_empty()).then(|| read(objects.collect()));
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
    let request = Request::access::<Supplier>(&Op::Deliver {
        orders: deliveries,
        carrier,
        date,
    });
    let delete = |request: Request, row| request.and(row, Intent::Delete);
    let request = delivered.into_iter().fold(request, delete);
    Some(Next::Commit(request))
}

fn stock_level(district: DistrictId, below: i32, reads: &[Completion]) -> Option<Next> {
    let Some((next_order, reads)) = reads.split_first() else {
        return Some(read(vec![district.next_order()]));
    };
    let Row::NextOrder(next) = row(next_order)? else {
        return None;
    };
    let numbers = next.saturating_sub(LATEST).max(1)..next;
    let Some((orders, reads)) = reads.split_first() else {
        let orders = numbers.map(|order| district.order(order));
        return Some(read(orders.collect()));
    };
    let Some((lines, reads)) = reads.split_first() else {
        let mut lines = Vec::new();
        for (number, order) in numbers.zip(rows(orders)?) {
            let Row::Order(order) = order else {
                return None;
            };
            lines.extend(district.lines(number, order.line_count));
        }
        return Some(read(lines));
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
    Some(Next::Read(Request::access::<Supplier>(&count)))
}

/// Reads these rows.
fn read(rows: Vec<ObjectId>) -> Next {
    Next::Read(Request::access::<Supplier>(&Op::Read(rows)))
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

/// The objects that a read has found absent.
fn absent(read: &Completion) -> impl Iterator<Item = ObjectId> {
    let touched = read.touched.iter();
    touched
        .filter(|touch| touch.before.is_none())
        .map(|touch| touch.object)
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Rows, operation, tpcc};
    use super::*;
    use crate::workload::contract::Workload;
    use ssmr_core::limits::MAX_OBJECTS;

    fn step(deed: Deed) -> Step {
        Step {
            client: 0,
            number: 7,
            deed,
        }
    }

    fn creates(request: &Request) -> usize {
        let intents = request.intents().iter();
        let creates = intents.filter(|(_, intent)| matches!(intent, Intent::Create { .. }));
        creates.count()
    }

    #[test]
    fn the_conditions_hold_after_many_transactions() {
        let tpcc = tpcc();
        let mut rows = Rows::loaded(&tpcc);
        let (mut done, mut without) = ([0; 5], [0; 5]);
        for client in 0..tpcc.clients {
            for step in tpcc.steps(client).take(1_000) {
                let (requests, last) = rows.transact(&tpcc, &step);
                let kind = Tpcc::kind(&step);
                match last {
                    Some(Outcome::Done(_)) => done[kind] += 1,
                    None => without[kind] += 1,
                    other => panic!("{step:?}: {other:?}"),
                }
                let most = requests.iter().map(|request| request.intents().len()).max();
                assert!(most < Some(MAX_OBJECTS / 4), "{most:?}");
            }
        }
        assert_eq!(rows.violations(&tpcc), [""; 0]);
        assert!(done[..4].iter().all(|done| *done > 100), "{done:?}");
        // Rolled back; nothing to deliver; a stock-level has no other end.
        assert!((5..40).contains(&without[0]), "{without:?}");
        assert_eq!((without[1], without[2], done[4]), (0, 0, 0));
        assert!(without[4] > 100);
    }

    #[test]
    fn a_new_order_reads_the_next_number_and_creates_its_rows() {
        let tpcc = tpcc();
        let mut rows = Rows::loaded(&tpcc);
        let [home, other] = tpcc.warehouses[..] else {
            panic!("two")
        };
        let wanted = |item, from, quantity| Wanted {
            item,
            from,
            quantity,
        };
        let district = home.district(4);
        // The same item twice, and one from elsewhere.
        let lines = vec![wanted(5, home, 3), wanted(5, home, 4), wanted(6, other, 1)];
        let ordered = |rows: &Rows, stock: ObjectId| match &rows.0[&stock] {
            Row::Stock(stock) => (stock.ytd, stock.order_count, stock.remote_count),
            other => panic!("{other:?}"),
        };
        let order = step(Deed::NewOrder {
            district,
            customer: 9,
            lines: lines.clone(),
        });
        let (requests, last) = rows.transact(&tpcc, &order);
        assert_eq!(requests.len(), 2);
        assert_eq!(
            requests[0].objects().collect::<Vec<_>>(),
            [district.next_order()]
        );
        assert_eq!(creates(&requests[1]), 2 + 3);
        let Some(Outcome::Done(reply)) = last else {
            panic!("{last:?}")
        };
        let Reply::Entered { total, left } = codec::decode(&reply).unwrap() else {
            panic!("another reply")
        };
        assert!(
            total > 0 && left.len() == 3 && left[0] == left[1],
            "{left:?}"
        );
        assert_eq!(ordered(&rows, home.stock(5)), (7, 2, 0));
        assert_eq!(ordered(&rows, other.stock(6)), (1, 1, 1));
        assert_eq!(rows.0[&district.next_order()], Row::NextOrder(32));
        assert_eq!(rows.0[&district.new_order(31)], Row::NewOrder);
        let Row::Line(line) = &rows.0[&district.line(31, 2)] else {
            panic!("no line")
        };
        let Row::Stock(stock) = &rows.0[&home.stock(5)] else {
            panic!("no stock")
        };
        let column = usize::from(district.number) * line.dist.len();
        assert_eq!(
            line.dist,
            stock.dist.slice(column..column + line.dist.len())
        );
        // With an item that does not exist nothing changes.
        let before = rows.0.clone();
        let mut unknown = lines;
        unknown.push(wanted(1_001, home, 1));
        let rolled_back = step(Deed::NewOrder {
            district,
            customer: 9,
            lines: unknown,
        });
        let (requests, last) = rows.transact(&tpcc, &rolled_back);
        assert_eq!((requests.len(), last), (1, None));
        assert!(rows.0 == before);
    }

    #[test]
    fn a_payment_by_name_is_by_the_customer_in_the_middle() {
        let tpcc = tpcc();
        let mut rows = Rows::loaded(&tpcc);
        let [home, other] = tpcc.warehouses[..] else {
            panic!("two")
        };
        let (district, of) = (home.district(1), other.district(2));
        for (customers, middle) in [(vec![3, 1, 2], 1), (vec![4, 3, 2, 1], 3), (vec![8], 8)] {
            rows.0.insert(of.names(0), Row::Names(customers));
            let payment = step(Deed::Payment {
                district,
                of,
                customer: Who::Name(0),
                amount: 100,
            });
            let mut paid = rows.clone();
            let (requests, last) = paid.transact(&tpcc, &payment);
            assert!(matches!(last, Some(Outcome::Done(_))), "{last:?}");
            let Op::Pay(payment) = operation(&requests[1]) else {
                panic!("{:?}", requests[1])
            };
            assert_eq!(payment.customer, of.customer(middle));
            assert!(paid.0.contains_key(&district.history(0, 7)));
        }
    }

    #[test]
    fn a_status_is_of_the_last_order() {
        let tpcc = tpcc();
        let mut rows = Rows::loaded(&tpcc);
        let district = tpcc.warehouses[0].district(0);
        for number in 1..=30 {
            let status = step(Deed::OrderStatus {
                district,
                customer: Who::Number(number),
            });
            let (requests, last) = rows.transact(&tpcc, &status);
            assert!(matches!(last, Some(Outcome::Done(_))), "{last:?}");
            let order = requests[1].objects().next().unwrap();
            let Row::Order(order) = &rows.0[&order] else {
                panic!("no order")
            };
            assert_eq!(order.customer, number, "loaded orders are known");
            assert_eq!(requests[2].objects().count(), usize::from(order.line_count));
        }
    }

    #[test]
    fn a_delivery_skips_districts_that_have_nothing_to_deliver() {
        let tpcc = tpcc();
        let mut rows = Rows::loaded(&tpcc);
        let warehouse = tpcc.warehouses[0];
        let delivery = step(Deed::Delivery {
            warehouse,
            carrier: 3,
        });
        let (empty, full) = (warehouse.district(0), warehouse.district(1));
        let delivered = |rows: &Rows| !rows.0.contains_key(&full.new_order(22));
        for order in 22..=30 {
            rows.0.remove(&empty.new_order(order));
        }
        rows.0.insert(empty.oldest(), Row::Oldest(31));
        let (requests, last) = rows.transact(&tpcc, &delivery);
        assert!(matches!(last, Some(Outcome::Done(_))), "{last:?}");
        assert_eq!(requests.len(), 4, "the orders are read twice");
        let Op::Deliver { orders, .. } = operation(&requests[3]) else {
            panic!("{:?}", requests[3])
        };
        assert_eq!(orders.len(), 9);
        assert!(delivered(&rows));
        for _ in 23..=30 {
            rows.transact(&tpcc, &delivery);
        }
        let before = rows.0.clone();
        let (requests, last) = rows.transact(&tpcc, &delivery);
        assert_eq!((requests.len(), last), (2, None), "nothing to deliver");
        assert!(rows.0 == before);
    }

    #[test]
    fn a_stock_level_counts_the_stocks_of_the_last_twenty_orders() {
        let tpcc = tpcc();
        let mut rows = Rows::loaded(&tpcc);
        let district = tpcc.warehouses[0].district(0);
        let level = step(Deed::StockLevel {
            district,
            below: 1_000,
        });
        let (requests, last) = rows.transact(&tpcc, &level);
        assert_eq!((requests.len(), last), (4, None));
        let orders = (11..=30).map(|order| district.order(order));
        assert!(requests[1].objects().eq(orders));
        let counted = rows.execute(&requests[3]).outcome;
        let stocks = requests[3].objects().count() as u64;
        let all = codec::encode(&Reply::Count(stocks));
        assert_eq!(counted, Outcome::Done(all), "all are below that");
    }
}
