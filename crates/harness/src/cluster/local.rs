//! `cluster start` and `cluster stop`: the replicas of a cluster as processes of this machine,
//! which outlive the command that started them.
//!
//! Each has two files in a folder beside the cluster's file: what it has said, and the number of
//! its process.

use super::founding::begin;
use super::runtime;
use crate::described::{ClusterVisitor, Described};
use crate::ending::Ending;
use crate::events;
use crate::settings::cluster::StartSettings;
use anyhow::{Context, Result, bail};
use rustix::process::{Pid, Signal, kill_process, test_kill_process};
use ssmr_core::{Application, ReplicaId};
use ssmr_net::Operator;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// How long a process has for closing its log.
const CLOSING: Duration = Duration::from_secs(60);

/// How long until it is looked again. Nothing tells that a process which is nobody's child has
/// ended.
const PAUSE: Duration = Duration::from_millis(20);

/// The folder beside a cluster's file.
pub(super) struct Processes {
    cluster: PathBuf,
    folder: PathBuf,
}

impl Processes {
    pub(super) fn of(cluster: &Path) -> Result<Self> {
        let cluster = std::path::absolute(cluster)?;
        let folder = cluster.with_extension("run");
        Ok(Self { cluster, folder })
    }

    /// Has this cluster's processes to itself until it is dropped: two commands that start the same
    /// replicas would forget one of the processes.
    pub(super) fn alone(&self) -> Result<File> {
        let failed = || self.folder.display().to_string();
        fs::create_dir_all(&self.folder).with_context(failed)?;
        let lock = File::create(self.folder.join("lock")).with_context(failed)?;
        let locked = lock.try_lock();
        locked.with_context(|| format!("{}: another command is at work here", failed()))?;
        Ok(lock)
    }

    /// The process of a replica, if it runs.
    pub(super) fn running(&self, id: ReplicaId) -> Option<Pid> {
        let text = fs::read_to_string(self.file(id, "pid")).ok()?;
        let pid = Pid::from_raw(text.trim().parse().ok()?)?;
        let runs = test_kill_process(pid).is_ok() && self.is_ours(pid, id);
        runs.then_some(pid)
    }

    /// Whether the number is still that of the replica's process: the system gives it to others
    /// later.
    fn is_ours(&self, pid: Pid, id: ReplicaId) -> bool {
        let line = fs::read(format!("/proc/{}/cmdline", pid.as_raw_nonzero()));
        let Ok(line) = line else {
            // Elsewhere than on Linux nobody tells.
            return !Path::new("/proc/self").exists();
        };
        let words: Vec<&[u8]> = line.split(|byte| *byte == 0).collect();
        let name = id.to_string();
        let cluster = self.cluster.as_os_str().as_encoded_bytes();
        // One that has ended and that nobody has waited for has no command line.
        words.contains(&name.as_bytes()) && words.contains(&cluster)
    }

    fn file(&self, id: ReplicaId, kind: &str) -> PathBuf {
        self.folder.join(format!("{id}.{kind}"))
    }

    /// Starts a process for a replica.
    pub(super) fn start(&self, id: ReplicaId) -> Result<Child> {
        let failed = || format!("cannot start a process for {id}");
        fs::create_dir_all(&self.folder).with_context(failed)?;
        let mut options = File::options();
        let said = options.create(true).append(true).open(self.file(id, "log"));
        let said = said.with_context(failed)?;
        let program = std::env::current_exe().with_context(failed)?;
        let mut command = Command::new(program);
        command.arg("node").arg("--cluster").arg(&self.cluster);
        command.args(["--replica", &id.to_string()]);
        command.args(events::flags());
        command.stdin(Stdio::null());
        command.stdout(said.try_clone()?).stderr(said);
        // It goes on when the terminal is closed, and Ctrl-C is not for it.
        std::os::unix::process::CommandExt::process_group(&mut command, 0);
        let mut process = command.spawn().with_context(failed)?;
        let written = fs::write(self.file(id, "pid"), process.id().to_string());
        if written.is_err() {
            // Nobody would find it again.
            let _ = process.kill();
        }
        written.with_context(failed)?;
        Ok(process)
    }

    /// Asks a process to end, and waits until it has.
    pub(super) async fn stop(&self, id: ReplicaId) -> Result<bool> {
        let Some(pid) = self.running(id) else {
            return Ok(false);
        };
        let failed = || format!("{id}, process {}", pid.as_raw_nonzero());
        kill_process(pid, Signal::TERM).with_context(failed)?;
        let asked = Instant::now();
        while self.running(id).is_some() {
            if asked.elapsed() > CLOSING {
                bail!("{}: it has not ended after {CLOSING:?}", failed());
            }
            sleep(PAUSE).await;
        }
        fs::remove_file(self.file(id, "pid")).with_context(failed)?;
        Ok(true)
    }

    /// The end of what a replica has said.
    fn last_words(&self, id: ReplicaId) -> String {
        let path = self.file(id, "log");
        let said = fs::read_to_string(&path).unwrap_or_default();
        let last = said.lines().last().unwrap_or("it has said nothing");
        format!("{}: {last}", path.display())
    }
}

/// Starts the replicas that do not run, founds the cluster if it is new, and waits until all of
/// them take part.
pub(super) struct Start<'a>(pub(super) &'a StartSettings);

impl ClusterVisitor for Start<'_> {
    type Output = Result<Ending>;

    fn visit<A: Application>(self, cluster: Described) -> Self::Output {
        let config = &cluster.file.config;
        let processes = Processes::of(&self.0.file)?;
        let _alone = processes.alone()?;
        let topology = config.topology;
        let mut started = Vec::new();
        for id in topology.replicas() {
            if processes.running(id).is_none() {
                started.push((id, processes.start(id)?));
            }
        }
        let operator = Operator::new::<A>(config, cluster.oracle)?;
        let operator = operator.with_patience(self.0.timeout);
        let started_up = runtime()?.block_on(async {
            tokio::select! {
                part = begin(&operator, &topology, self.0.timeout) => part,
                id = ended(&mut started) => bail!("{id} has ended: {}", processes.last_words(id)),
            }
        });
        started_up.with_context(|| {
            let file = self.0.file.display();
            format!("{file}: not all takes part; what runs, `cluster stop` ends")
        })?;
        println!("{topology}: {} started, {} ran", started.len(), {
            topology.replicas().count() - started.len()
        });
        println!("what they say is in {}", processes.folder.display());
        Ok(Ending::Good)
    }
}

/// Waits until one of the processes has ended.
async fn ended(processes: &mut [(ReplicaId, Child)]) -> ReplicaId {
    loop {
        for (id, process) in &mut *processes {
            if process.try_wait().is_ok_and(|ended| ended.is_some()) {
                return *id;
            }
        }
        sleep(PAUSE).await;
    }
}

/// Ends the processes of a cluster in order.
pub(super) struct Stop<'a> {
    pub(super) path: &'a Path,
}

impl ClusterVisitor for Stop<'_> {
    type Output = Result<Ending>;

    fn visit<A: Application>(self, cluster: Described) -> Self::Output {
        let processes = Processes::of(self.path)?;
        let _alone = processes.alone()?;
        let mut stopped = 0;
        let runtime = runtime()?;
        for id in cluster.file.config.topology.replicas() {
            stopped += usize::from(runtime.block_on(processes.stop(id))?);
        }
        println!("{stopped} stopped");
        Ok(Ending::Good)
    }
}
