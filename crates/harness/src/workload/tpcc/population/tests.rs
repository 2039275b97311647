//! What is loaded: how much, where, and of which size.

use super::super::settings::Scale;
use super::super::testing::{Rows, tpcc};
use super::*;
use crate::workload::contract::Workload;
use ssmr_core::limits::{MAX_OBJECTS, MAX_REQUEST};
use std::collections::BTreeSet;

#[test]
fn all_rows_are_loaded_once_at_their_homes() {
    let tpcc = tpcc();
    let Rows(rows) = Rows::loaded(&tpcc);
    let count = |is: fn(&Row) -> bool| rows.values().filter(|row| is(row)).count();
    assert_eq!(count(|row| matches!(row, Row::Warehouse(_))), 2);
    assert_eq!(count(|row| matches!(row, Row::District(_))), 20);
    assert_eq!(count(|row| matches!(row, Row::Customer(_))), 600);
    assert_eq!(count(|row| matches!(row, Row::History(_))), 600);
    assert_eq!(count(|row| matches!(row, Row::Stock(_))), 2_000);
    assert_eq!(count(|row| matches!(row, Row::Order(_))), 600);
    assert_eq!(count(|row| matches!(row, Row::NewOrder)), 180);
    let lines = count(|row| matches!(row, Row::Line(_)));
    assert!((5_700..6_300).contains(&lines), "{lines}");
    let homes = (0..tpcc.preload_count()).flat_map(|number| {
        let request = tpcc.preload(number);
        let at = |(object, intent): &(ObjectId, Intent)| match intent {
            Intent::Create { at, .. } => (object.attribute, *at),
            other => panic!("{other:?}"),
        };
        request.intents().iter().map(at).collect::<Vec<_>>()
    });
    let homes: BTreeSet<_> = homes.collect();
    let partitions: BTreeSet<_> = homes.iter().map(|(_, at)| at.unwrap().0).collect();
    assert_eq!((homes.len(), partitions), (2, [0, 1].into()));
}

#[test]
fn every_customer_has_one_loaded_order_and_stands_under_one_name() {
    let tpcc = tpcc();
    let district = tpcc.warehouses[1].district(5);
    let customers = 1..=tpcc.scale.customers();
    for number in customers.clone() {
        let order = tpcc.loaded_order(district.customer(number));
        assert_eq!(tpcc.loaded_customer(district, order), number);
    }
    let named = tpcc
        .names_of(district)
        .into_iter()
        .flat_map(|(_, row)| match row {
            Row::Names(customers) => {
                assert!(!customers.is_empty());
                customers
            }
            other => panic!("{other:?}"),
        });
    let mut named: Vec<u32> = named.collect();
    named.sort_unstable();
    assert!(named.into_iter().eq(customers));
}

#[test]
fn the_full_scale_fits_into_commands() {
    let tpcc = Tpcc {
        scale: Scale::Full,
        ..tpcc()
    };
    let batches = tpcc.batches();
    assert_eq!(batches, 1 + 10 + 600 + 1_000 + 3_000);
    for number in [0, 1, 10, 11, 610, 611, 1_610, 1_611, batches - 1] {
        let request = tpcc.preload(number);
        let objects = request.intents().len();
        assert!(
            objects > 30 && objects < MAX_OBJECTS / 2,
            "{number}: {objects}"
        );
        assert!(
            request.size() < MAX_REQUEST / 8,
            "{number}: {}",
            request.size()
        );
    }
    assert_eq!(tpcc.batch(611), Batch::Stocks(1..=100));
    assert_eq!(tpcc.batch(batches - 1), Batch::Orders(9, 2_991..=3_000));
}

#[test]
fn rows_have_about_the_sizes_of_the_specification() {
    let Rows(rows) = Rows::loaded(&tpcc());
    let mean = |is: fn(&Row) -> bool| {
        let sizes = rows.values().filter(|row| is(row));
        let sizes: Vec<usize> = sizes.map(|row| codec::encode(row).len()).collect();
        sizes.iter().sum::<usize>() / sizes.len()
    };
    for (size, published) in [
        (mean(|row| matches!(row, Row::Warehouse(_))), 89),
        (mean(|row| matches!(row, Row::District(_))), 95),
        (mean(|row| matches!(row, Row::Customer(_))), 655),
        (mean(|row| matches!(row, Row::Stock(_))), 306),
        (mean(|row| matches!(row, Row::Line(_))), 54),
        (mean(|row| matches!(row, Row::Order(_))), 24),
        (mean(|row| matches!(row, Row::History(_))), 46),
    ] {
        let near = published / 2 <= size && size <= published * 2;
        assert!(near, "{size} bytes for {published}");
    }
}
