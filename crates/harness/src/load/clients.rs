//! Every client of a run, on a few threads, through loading, warming up, measuring and draining.

use super::client::LoadClient;
use super::job::{Job, Plan};
use super::pace;
use super::sample::ClientReport;
use crate::workload::contract::Workload;
use anyhow::{Context, Result, anyhow};
use ssmr_core::Oracle;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::thread;
use tokio::sync::{mpsc, watch};

/// All clients of a run, under way.
pub(crate) struct Load<W: Workload> {
    job: Arc<Job<W>>,
    plan: watch::Sender<Option<Plan>>,
    loaded: mpsc::Receiver<Result<()>>,
    reports: mpsc::Receiver<ClientReport>,
}

impl<W: Workload> Load<W> {
    /// Starts the clients. They begin to load at once.
    pub(crate) fn start(job: Job<W>, oracle: &Arc<dyn Oracle>) -> Result<Self> {
        let job = Arc::new(job);
        let clients = job.workload.client_count();
        let (plan, planned) = watch::channel(None);
        let (load_done, loaded) = mpsc::channel(clients as usize);
        let (done, reports) = mpsc::channel(clients as usize);
        // The replicas need most of the machine.
        let threads = thread::available_parallelism().map_or(1, |cores| cores.get() / 2);
        let threads = (threads.max(1) as u64).min(clients);
        let steady = job
            .rate
            .map(|rate| Box::new(pace::steady(rate, clients)) as Box<_>);
        let arrivals = steady.or_else(|| job.workload.arrivals());
        let mut paces = pace::Paces::new(job.window, arrivals.as_ref().map(|_| clients));
        for number in 0..threads {
            let mine: Vec<_> = (number..clients)
                .step_by(threads as usize)
                .map(|client| (client, paces.take(client), oracle.clone()))
                .collect();
            let (job, planned) = (job.clone(), planned.clone());
            let (load_done, done) = (load_done.clone(), done.clone());
            let serve = move || serve(&job, mine, &planned, &load_done, &done);
            let thread = thread::Builder::new().name(format!("clients {number}"));
            thread.spawn(serve).context("cannot start the clients")?;
        }
        if let Some(arrivals) = arrivals {
            let (job, planned) = (job.clone(), planned);
            let pacer = move || pace::keep(arrivals, &paces, planned, job.clock, &job.stop);
            let thread = thread::Builder::new().name("pacer".into());
            thread.spawn(pacer).context("cannot start the clients")?;
        }
        Ok(Self {
            job,
            plan,
            loaded,
            reports,
        })
    }

    /// What the clients have in common.
    pub(crate) fn shared(&self) -> Arc<Job<W>> {
        self.job.clone()
    }

    /// Waits until every client has loaded its share.
    pub(crate) async fn loaded(&mut self) -> Result<()> {
        for _ in 0..self.job.workload.client_count() {
            self.loaded.recv().await.ok_or_else(failed)??;
        }
        Ok(())
    }

    /// Lets the clients go on to the commands.
    pub(crate) fn go(&self, plan: Plan) {
        self.plan.send_replace(Some(plan));
    }

    /// Tells the clients to issue nothing more.
    pub(crate) fn stop(&self) {
        self.job.stop.store(true, Relaxed);
    }

    /// Tells the clients that nobody will answer what is outstanding.
    pub(crate) fn abandon(&self) {
        self.stop();
        self.job.abandon.send_replace(true);
    }

    /// Waits until every client has ended and nothing is outstanding. Cancel safe as long as
    /// `so_far` is kept.
    pub(crate) async fn reports(&mut self, so_far: &mut Vec<ClientReport>) -> Result<()> {
        while (so_far.len() as u64) < self.job.workload.client_count() {
            so_far.push(self.reports.recv().await.ok_or_else(failed)?);
        }
        Ok(())
    }
}

fn failed() -> anyhow::Error {
    anyhow!("a client's thread has failed")
}

/// Runs some of the clients in this thread.
fn serve<W: Workload>(
    job: &Arc<Job<W>>,
    clients: Vec<(u64, pace::Pace, Arc<dyn Oracle>)>,
    plan: &watch::Receiver<Option<Plan>>,
    loaded: &mpsc::Sender<Result<()>>,
    done: &mpsc::Sender<ClientReport>,
) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let runtime = match runtime {
        Ok(runtime) => runtime,
        Err(error) => {
            let _ = loaded.try_send(Err(error).context("cannot start the clients"));
            return;
        }
    };
    runtime.block_on(async {
        let mut tasks = tokio::task::JoinSet::new();
        for (number, pace, oracle) in clients {
            let (job, plan) = (job.clone(), plan.clone());
            let (loaded, done) = (loaded.clone(), done.clone());
            tasks.spawn(async move {
                let mut client = match LoadClient::new(job, number, oracle) {
                    Ok(client) => client,
                    Err(error) => {
                        let _ = loaded.try_send(Err(error.into()));
                        return;
                    }
                };
                let _ = loaded.try_send(client.load().await);
                client.run(plan, pace).await;
                let _ = done.try_send(client.report());
            });
        }
        while let Some(ended) = tasks.join_next().await {
            ended.unwrap_or_else(|error| panic!("a client failed: {error}"));
        }
    });
}
