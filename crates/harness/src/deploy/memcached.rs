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

/// How much each server keeps, in MiB.
const MEGABYTES: u32 = 64;

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
    address: String,
}

impl MemcachedServer {
    /// Starts one, which listens when this returns.
    pub(super) async fn start() -> Result<Self> {
        let folder = tempfile::tempdir().context("no folder for memcached's port")?;
        let told = folder.path().join("port");
        let mut process = command(&told)
            .spawn()
            .with_context(|| format!("cannot start {PROGRAM}"))?;
        let port = port(&told, &mut process).await;
        // Whatever happened, the process is ended when this is dropped.
        let mut server = Self {
            process,
            address: String::new(),
        };
        server.address = format!("127.0.0.1:{}", port?);
        Ok(server)
    }

    /// Where it listens.
    pub(super) fn address(&self) -> &str {
        &self.address
    }

    /// Stops it where it is, or lets it go on.
    pub(super) fn freeze(&self, still: bool) {
        hold(&self.process, still);
    }
}

impl Drop for MemcachedServer {
    fn drop(&mut self) {
        // It fails if the process has ended already, which is what is wanted.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// A server that takes any free port and writes it to a file.
fn command(told: &Path) -> Command {
    let mut command = if cfg!(target_os = "linux") {
        // The system kills it if this process is gone.
        let mut command = Command::new("setpriv");
        command.args(["--pdeathsig", "KILL", PROGRAM]);
        command
    } else {
        Command::new(PROGRAM)
    };
    let megabytes = MEGABYTES.to_string();
    command
        .args([
            "-l",
            "127.0.0.1",
            "-p",
            "-1",
            "-U",
            "0",
            "-t",
            "1",
            "-m",
            &megabytes,
        ])
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
async fn port(told: &Path, process: &mut Child) -> Result<u16> {
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
