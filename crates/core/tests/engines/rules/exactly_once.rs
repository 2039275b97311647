//! R5: a client abandons no attempt, and groups remember what they answered.

use super::rule;
use super::state::original_and_restored;
use crate::cluster::Cluster;
use crate::lone_client::LoneClient;
use crate::script::{X, Y, group, id};
use crate::service::{append, update};
use crate::strategy::TestStrategy::Home;
use ssmr_core::Mutant::{AbandonAttempts, SnapshotsWithoutSessions};
use ssmr_core::client::ClientSettings;
use ssmr_core::{ClientId, Command, CommandId, Partition, Request, Verdict};

#[test]
fn r5_an_unanswered_attempt_is_repeated_and_never_abandoned() {
    rule(
        "R5: the same attempt to the same destinations",
        &[AbandonAttempts],
        || {
            let mut client = LoneClient::new(Home);
            client.submit(update(&[X, Y], 1));
            let first = client.attempt();
            (0..12).all(|_| {
                client.pass(std::time::Duration::from_secs(4));
                client.commands().iter().all(|again| **again == *first)
            })
        },
    );
}

/// A client whose first answer is lost appends a digit. Returns the number afterwards.
fn appended_with_a_lost_answer() -> Option<u64> {
    let mut cluster = Cluster::new(Home, 2);
    cluster.place(X, 0, 0);
    let client = ClientId(5);
    cluster.add_client(client, ClientSettings::default());
    cluster.run(client, Request::lookup(X));
    cluster.loses_answers = true;
    cluster.submit(client, append(&[X], 1));
    cluster.settle();
    cluster.loses_answers = false;
    cluster.pass(ClientSettings::default().resend_after);
    cluster.completed(client)?;
    cluster.number(0, X)
}

#[test]
fn r5_a_command_takes_effect_once_though_its_answer_is_lost() {
    rule("R5: exactly once", &[AbandonAttempts], || {
        appended_with_a_lost_answer() == Some(1)
    });
}

#[test]
fn r5_another_attempt_follows_a_retry_and_nothing_else() {
    rule("R5: attempt k+1 follows a Retry for attempt k", &[], || {
        let mut client = LoneClient::new(Home);
        client.submit(append(&[X], 1));
        let first = client.attempt();
        let other = Command {
            id: CommandId {
                attempt: 2,
                ..first.id
            },
            ..(*first).clone()
        };
        client.answer(&other, Verdict::Retry, &[]);
        client.not_leader(group(0));
        let quiet = client
            .commands()
            .iter()
            .all(|command| command.id == first.id);
        client.answer(&first, Verdict::Retry, &[]);
        let second = client.attempt();
        client.answer(&first, Verdict::Retry, &[]);
        let again = client.commands().is_empty();
        quiet && second.id.attempt == 2 && again
    });
}

#[test]
fn r5_recorded_answers_are_part_of_snapshots() {
    rule(
        "R5: a restored replica repeats answers",
        &[SnapshotsWithoutSessions],
        || {
            let [engine, restored] = original_and_restored();
            engine.recorded(id(1)).is_some() && restored.recorded(id(1)) == engine.recorded(id(1))
        },
    );
}
