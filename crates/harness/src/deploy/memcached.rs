//! memcached servers that a run starts for itself, on free ports of the loopback interface.
//!
//! Invariant: whoever drops a [`MemcachedServer`] has ended its process, and on Linux one that
//! outlives this process by its violent end is ended by the system.

use super::signal::hold;
use anyhow::{Context, Result, bail};
use std::io;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// The program.
const PROGRAM: &str = "memcached";

/// How long a server may take to listen.
const START: Duration = Duration::from_secs(10);

/// How long until it is looked again whether it listens. It tells by a file.
const PAUSE: Duration = Duration::from_millis(5);

/// Looks whether the program is there.
///
/// # Errors
/// If it cannot be run; the text says how to get it.
pub(crate) fn look_for_program() -> Result<(), String> {
    let asked = Command::new(PROGRAM).arg("--version").output();
    match asked {
        Ok(output) if output.status.success() => Ok(()),
        Ok(output) => Err(format!("{PROGRAM} --version: {}", output.status)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Err(format!(
            "the program {PROGRAM} is missing: install it, on Debian with apt-get install \
             {PROGRAM}"
        )),
        Err(error) => Err(format!("the program {PROGRAM} cannot be run: {error}")),
    }
}

/// For tests, some of which have nothing to test without it. CI installs it, so there it must be.
#[cfg(test)]
pub(crate) fn is_there() -> bool {
    let there = look_for_program();
    assert!(
        there.is_ok() || std::env::var_os("CI").is_none(),
        "{there:?}"
    );
    if let Err(missing) = &there {
        eprintln!("nothing is tested: {missing}");
    }
    there.is_ok()
}

/// A memcached that runs.
#[derive(Debug)]
pub(crate) struct MemcachedServer {
    process: Child,
    megabytes: u32,
    port: u16,
}

impl MemcachedServer {
    /// Starts one that keeps so many MiB, at this port or a free one. It listens when this returns.
    pub(super) async fn start(megabytes: u32, port: Option<u16>) -> Result<Self> {
        let folder = tempfile::tempdir().context("no folder for memcached's port")?;
        let told = folder.path().join("port");
        let process = command(&told, megabytes, port)
            .spawn()
            .with_context(|| format!("cannot start {PROGRAM}"))?;
        // Whatever happens, the process is ended when this is dropped.
        let mut server = Self {
            process,
            megabytes,
            port: 0,
        };
        server.port = listens(&told, &mut server.process).await?;
        Ok(server)
    }

    /// Where it listens, or did.
    pub(super) fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// Kills it: its process is gone when this returns.
    pub(super) fn kill(&mut self) {
        // It fails if the process has ended already, which is what is wanted.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }

    /// Kills it if it runs, and starts it where it was, empty.
    pub(super) async fn restart(&mut self) -> Result<()> {
        self.kill();
        *self = Self::start(self.megabytes, Some(self.port)).await?;
        Ok(())
    }

    /// Stops it where it is, or lets it go on.
    pub(super) fn freeze(&self, still: bool) {
        hold(&self.process, still);
    }
}

impl Drop for MemcachedServer {
    fn drop(&mut self) {
        self.kill();
    }
}

/// A server that takes this port, or any free one, and writes it to a file.
fn command(told: &Path, megabytes: u32, port: Option<u16>) -> Command {
    let mut command = if cfg!(target_os = "linux") {
        // The system kills it if this process is gone.
        let mut command = Command::new("setpriv");
        command.args(["--pdeathsig", "KILL", PROGRAM]);
        command
    } else {
        Command::new(PROGRAM)
    };
    let port = port.map_or("-1".to_owned(), |port| port.to_string());
    command
        .args(["-l", "127.0.0.1", "-p", &port, "-U", "0", "-t", "1"])
        .args(["-m", &megabytes.to_string()])
        // It counts only if this process runs as root, which memcached refuses to do by itself.
        .args(["-u", "root"])
        .env("MEMCACHED_PORT_FILENAME", told)
        .stdin(Stdio::null());
    // Ctrl-C is for the harness, which goes on to drain and check.
    #[cfg(unix)]
    std::os::unix::process::CommandExt::process_group(&mut command, 0);
    command
}

/// Waits until the server has told its port: it listens then.
async fn listens(told: &Path, process: &mut Child) -> Result<u16> {
    let begun = Instant::now();
    loop {
        if let Ok(text) = std::fs::read_to_string(told) {
            let port = text
                .lines()
                .find_map(|line| line.strip_prefix("TCP INET: "));
            let port = port.and_then(|port| port.trim().parse().ok());
            return port.with_context(|| format!("{PROGRAM} told no port: {text:?}"));
        }
        if let Some(status) = process.try_wait()? {
            bail!("{PROGRAM} does not listen: {status}");
        }
        if begun.elapsed() > START {
            bail!("{PROGRAM} does not listen after {START:?}");
        }
        sleep(PAUSE).await;
    }
}
