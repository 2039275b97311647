//! One replica in a process of its own, as the process that drives it sees it.
//!
//! A thread reads what the child reports; nothing queues up, for only the newest answer is kept.
//! Invariant: whoever drops a [`Child`] has ended the process, and one that outlives this process
//! by its violent end sees its input close.

use super::deployment::{Status, Tally};
use super::lines::{NodeReport, Order};
use super::signal::hold;
use crate::events;
use anyhow::{Context, Result, bail};
use ssmr_core::ReplicaId;
use ssmr_net::{Clock, Leaders};
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{self, ChildStdin, ChildStdout, Stdio};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;
use tokio::sync::watch;

/// How long a replica may take to read its log and listen.
const START: Duration = Duration::from_secs(60);

/// How long a replica may take for an answer.
const ANSWER: Duration = Duration::from_secs(10);

/// The newest things that a child has reported.
#[derive(Clone, Copy, Debug, Default)]
struct Heard {
    listening: bool,
    /// The number of the last question that was answered.
    answered: u64,
    status: Status,
    tally: Tally,
}

/// Who is told which replicas lead, and by which clock.
#[derive(Clone, Debug)]
pub(super) struct LeaderBoard {
    pub(super) leaders: Arc<watch::Sender<Leaders>>,
    pub(super) clock: Clock,
}

impl LeaderBoard {
    fn publish(&self, id: ReplicaId, leads: bool) {
        let since = leads.then(|| self.clock.now());
        self.leaders
            .send_if_modified(|leaders| leaders.note(id, since));
    }
}

/// A running process with a replica.
#[derive(Debug)]
pub(super) struct Child {
    id: ReplicaId,
    process: process::Child,
    orders: ChildStdin,
    heard: watch::Receiver<Heard>,
    reader: Option<JoinHandle<()>>,
    asked: u64,
}

impl Child {
    /// Starts a process for a replica of the cluster that the file describes, for the first time or
    /// again. It may not listen yet.
    pub(super) fn start(cluster: &Path, id: ReplicaId, board: LeaderBoard) -> Result<Self> {
        let failed = || format!("cannot start a process for replica {id}");
        let program = std::env::current_exe().with_context(failed)?;
        let mut command = process::Command::new(program);
        command.arg("node").arg("--cluster").arg(cluster);
        command.args(["--replica", &id.to_string(), "--orders"]);
        command.envs(events::environment());
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        // Ctrl-C is for the harness, which goes on to drain and check.
        #[cfg(unix)]
        std::os::unix::process::CommandExt::process_group(&mut command, 0);
        let mut process = command.spawn().with_context(failed)?;
        let (Some(orders), Some(reports)) = (process.stdin.take(), process.stdout.take()) else {
            unreachable!("both are pipes")
        };
        let (hears, heard) = watch::channel(Heard::default());
        let reader = std::thread::Builder::new().name(format!("reports of {id}"));
        let reader = reader.spawn(move || listen(id, reports, &hears, &board));
        Ok(Self {
            id,
            process,
            orders,
            heard,
            reader: Some(reader.with_context(failed)?),
            asked: 0,
        })
    }

    /// Waits until it listens.
    pub(super) async fn listening(&mut self) -> Result<()> {
        let listens = self.heard.wait_for(|heard| heard.listening);
        let in_time = tokio::time::timeout(START, listens).await;
        let ended = match in_time {
            Ok(Ok(_)) => return Ok(()),
            Ok(Err(_)) => self.process.wait()?.to_string(),
            Err(_) => format!("nothing after {START:?}"),
        };
        bail!("replica {} does not listen: {ended}", self.id)
    }

    /// Whether the process has not ended.
    pub(super) fn runs(&mut self) -> bool {
        matches!(self.process.try_wait(), Ok(None))
    }

    /// The id of the process.
    pub(super) fn process_id(&self) -> u32 {
        self.process.id()
    }

    /// Stops the process where it is, or lets it go on.
    pub(super) fn pause(&mut self, still: bool) {
        // The id of one that has ended may be another's by now.
        if self.runs() {
            hold(&self.process, still);
        }
    }

    /// Gives an order. One that does not run any more gets none.
    pub(super) fn order(&mut self, order: Order) {
        if let Ok(mut line) = serde_json::to_string(&order) {
            line.push('\n');
            let _ = self.orders.write_all(line.as_bytes());
        }
    }

    /// Asks how it is.
    pub(super) fn ask(&mut self) {
        self.asked += 1;
        self.order(Order::Status(self.asked));
    }

    /// Waits for the answer to the last question; `None` if it has ended. Cancel safe.
    pub(super) async fn answer(&mut self, patience: Duration) -> Option<Status> {
        let asked = self.asked;
        let answered = self.heard.wait_for(|heard| heard.answered >= asked);
        let heard = tokio::time::timeout(patience, answered).await;
        heard.ok()?.ok().map(|heard| heard.status)
    }

    /// Asks how it is and waits for the answer.
    pub(super) async fn status(&mut self) -> Option<Status> {
        self.ask();
        self.answer(ANSWER).await
    }

    /// The same with the digest of its state.
    pub(super) async fn inspect(&mut self) -> Option<Status> {
        self.asked += 1;
        self.order(Order::Inspect(self.asked));
        self.answer(ANSWER).await
    }

    /// What it had counted when it was asked last.
    pub(super) fn tally(&self) -> Tally {
        self.heard.borrow().tally
    }

    /// Kills it. When this returns the process is gone, and nobody takes its replica for a leader.
    pub(super) fn kill(&mut self) {
        // It fails if the process has ended already, which is what is wanted.
        let _ = self.process.kill();
        let _ = self.process.wait();
        if let Some(reader) = self.reader.take() {
            let _ = reader.join();
        }
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Takes in what a child reports, until it ends.
fn listen(id: ReplicaId, reports: ChildStdout, heard: &watch::Sender<Heard>, board: &LeaderBoard) {
    for line in BufReader::new(reports).lines() {
        let Ok(line) = line else { break };
        match serde_json::from_str(&line) {
            Ok(NodeReport::Listening) => heard.send_modify(|heard| heard.listening = true),
            Ok(NodeReport::Leads(leads)) => board.publish(id, leads),
            Ok(NodeReport::Status(answered, status, tally)) => heard.send_modify(|heard| {
                *heard = Heard {
                    listening: true,
                    answered,
                    status,
                    tally,
                }
            }),
            Err(error) => tracing::error!(%id, %error, %line, "a report makes no sense"),
        }
    }
    board.publish(id, false);
}
