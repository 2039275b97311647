//! What transactions ask and change, on rows in memory.

use super::super::testing::{Rows, operation, tpcc};
use super::*;
use crate::workload::contract::Workload;
use crate::workload::run_number::RunNumber;
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
        let Op::Pay(payment) = operation(&requests[1]).op else {
            panic!("{:?}", requests[1])
        };
        assert_eq!(payment.customer, of.customer(middle));
        assert!(paid.0.contains_key(&district.history(tpcc.number(0, 7))));
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
    let Op::Deliver { orders, .. } = operation(&requests[3]).op else {
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

/// What a request intends and asks, as in run 0.
fn without_number(run: RunNumber, request: &Request) -> (Vec<(ObjectId, Intent)>, String) {
    let intents = request.intents().iter();
    let intents = intents.map(|(object, intent)| (of_run(run, *object), intent.clone()));
    let asked = match request.op.is_empty() {
        true => String::new(),
        false => {
            let call = operation(request);
            assert_eq!(call.run, run);
            format!("{:?}", call.op)
        }
    };
    (intents.collect(), asked)
}

#[test]
fn runs_of_different_numbers_do_the_same_to_other_rows() {
    let tpccs = [0, 1, 2].map(|run| Tpcc {
        run: RunNumber::try_from(run).unwrap(),
        ..tpcc()
    });
    // All in one database.
    let mut all = Rows::default();
    for tpcc in &tpccs {
        all.load(tpcc);
    }
    for client in 0..tpccs[0].clients {
        for step in tpccs[0].steps(client).take(200) {
            let [first, others @ ..] = tpccs.each_ref().map(|tpcc| {
                let (requests, last) = all.transact(tpcc, &step);
                let asked = requests
                    .iter()
                    .map(|request| without_number(tpcc.run, request));
                (asked.collect::<Vec<_>>(), last)
            });
            assert!(others.iter().all(|other| *other == first), "{step:?}");
        }
    }
    let of = tpccs.each_ref().map(|tpcc| {
        let marks = |row: &ObjectId| row.key >> 48 == u64::from(u16::from(tpcc.run));
        let rows = all.0.iter().filter(|(row, _)| marks(row));
        let rows = rows.map(|(row, value)| (of_run(tpcc.run, *row), value.clone()));
        let rows = Rows(rows.collect());
        assert_eq!(
            rows.violations(tpcc),
            [""; 0],
            "conditions see a run's rows alone"
        );
        rows.0
    });
    assert!(of[0].len() > 9_000 && of[0] == of[1] && of[0] == of[2]);
    assert_eq!(all.0.len(), 3 * of[0].len());
}
