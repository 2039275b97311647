//! Histories as files, letter by letter.

use super::history_builder::*;
use ssmr_check::{Act, History, Shown, Terms};
use ssmr_core::{ClientId, Outcome, codec};

/// Two operations of one client at once, the second of which is never answered; one that fails; and
/// a read that begins in the microsecond in which another operation ends.
fn history() -> History<Cells> {
    let mut history = History::new();
    let (one, two) = (ClientId(1), ClientId(2));
    let done = |values: &[u64]| Outcome::Done(codec::encode(&values.to_vec()));
    history.observe(
        one,
        &create(X, 5),
        &Outcome::Done(codec::encode(&())),
        10..=20,
    );
    history.observe(one, &set(&[X], 7), &Outcome::Unknown, 12..=90);
    history.observe(two, &read(&[X, Y]), &Outcome::NotFound, 30..=40);
    history.observe(one, &read(&[X]), &done(&[7]), 40..=50);
    history
}

fn terms() -> Terms<Cells> {
    Terms {
        value: |value| Shown::List(vec![*value]),
        acts: |op, reply| {
            let read = |(place, object): (usize, &_)| {
                let value = reply.map_or(Shown::Nothing, |values| Shown::List(vec![values[place]]));
                Act::read(*object, value)
            };
            let sets = op.sets.iter();
            let sets = sets.map(|(object, value)| Act::write(*object, Shown::Number(*value)));
            op.reads.iter().enumerate().map(read).chain(sets).collect()
        },
    }
}

#[test]
fn lines_of_json() {
    let mut file = Vec::new();
    let about = [("strategy", "none")];
    history().write_jsonl(&terms(), &about, &mut file).unwrap();
    let lines = [
        concat!(
            r#"{"version":1,"format":"ssmr-history","service":"cells""#,
            r#","strategy":"none","operations":4}"#
        ),
        concat!(
            r#"{"index":0,"client":1,"invoked_us":10,"completed_us":20"#,
            r#","outcome":"done","acts":[["create","0.1",[5]]]}"#
        ),
        concat!(
            r#"{"index":1,"client":1,"invoked_us":12,"completed_us":null"#,
            r#","outcome":"unknown","acts":[["write","0.1",7]]}"#
        ),
        concat!(
            r#"{"index":2,"client":2,"invoked_us":30,"completed_us":40"#,
            r#","outcome":"not-found","acts":[["read","0.1",null],["read","0.2",null]]}"#
        ),
        concat!(
            r#"{"index":3,"client":1,"invoked_us":40,"completed_us":50"#,
            r#","outcome":"done","acts":[["read","0.1",[7]]]}"#
        ),
    ];
    assert_eq!(String::from_utf8(file).unwrap(), lines.join("\n") + "\n");
}

#[test]
fn jepsens_format() {
    let mut file = Vec::new();
    history().write_edn(&terms(), &mut file).unwrap();
    let lines = [
        concat!(
            r#"{:index 0, :type :invoke, :process 0, :client 1"#,
            r#", :f :txn, :value [[:append "0.1" 5]], :time 10000}"#
        ),
        concat!(
            r#"{:index 1, :type :invoke, :process 1, :client 1"#,
            r#", :f :txn, :value [[:w "0.1" 7]], :time 12000}"#
        ),
        concat!(
            r#"{:index 2, :type :ok, :process 0, :client 1"#,
            r#", :f :txn, :value [[:append "0.1" 5]], :time 20000}"#
        ),
        concat!(
            r#"{:index 3, :type :invoke, :process 2, :client 2"#,
            r#", :f :txn, :value [[:r "0.1" nil] [:r "0.2" nil]], :time 30000}"#
        ),
        concat!(
            r#"{:index 4, :type :invoke, :process 0, :client 1"#,
            r#", :f :txn, :value [[:r "0.1" nil]], :time 40000}"#
        ),
        concat!(
            r#"{:index 5, :type :fail, :process 2, :client 2"#,
            r#", :f :txn, :value [[:r "0.1" nil] [:r "0.2" nil]], :time 40000, :error :not-found}"#
        ),
        concat!(
            r#"{:index 6, :type :ok, :process 0, :client 1"#,
            r#", :f :txn, :value [[:r "0.1" [7]]], :time 50000}"#
        ),
        concat!(
            r#"{:index 7, :type :info, :process 1, :client 1"#,
            r#", :f :txn, :value [[:w "0.1" 7]], :time 50000, :error :unknown}"#
        ),
    ];
    assert_eq!(String::from_utf8(file).unwrap(), lines.join("\n") + "\n");
}

#[test]
fn of_a_service_that_has_no_terms_the_objects_are_told() {
    let mut file = Vec::new();
    history()
        .write_jsonl(&Terms::default(), &[], &mut file)
        .unwrap();
    let text = String::from_utf8(file).unwrap();
    assert!(
        text.contains(r#"[["read","0.1",null],["read","0.2",null]]"#),
        "{text}"
    );
    assert!(text.contains(r#"[["write","0.1",null]]"#), "{text}");
}
