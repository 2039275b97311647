//! Where a process is reached: a name or an address, and a port.
//!
//! A name is looked up each time that somebody connects or listens, so whoever moves to another
//! address is found again.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::io;
use std::net::{IpAddr, Ipv6Addr, SocketAddr, TcpListener, ToSocketAddrs};
use std::str::FromStr;
use std::sync::Arc;
use tokio::sync::oneshot;

/// The longest name of a host, in bytes (RFC 1035).
const LONGEST_NAME: usize = 253;

/// `host:port`. The host is a name, an IPv4 address, or an IPv6 address in brackets.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Endpoint {
    host: Arc<str>,
    port: u16,
}

/// Why a text is no [`Endpoint`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is not HOST:PORT: {problem}")]
pub struct BadEndpoint {
    text: String,
    problem: &'static str,
}

impl Endpoint {
    /// The name or address, an IPv6 address without its brackets.
    #[must_use]
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The port: not 0.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The address, if it is one and no name.
    #[must_use]
    pub fn address(&self) -> Option<SocketAddr> {
        let ip: IpAddr = self.host.parse().ok()?;
        Some(SocketAddr::new(ip, self.port))
    }

    /// Whether it can only be reached from the same host.
    #[must_use]
    pub fn is_loopback(&self) -> bool {
        match self.address() {
            Some(address) => address.ip().is_loopback(),
            None => &*self.host == "localhost",
        }
    }

    /// Listens there. A name is looked up, which may take a while.
    ///
    /// # Errors
    /// If there is no such name, or nobody can listen at its address here.
    pub fn listen(&self) -> io::Result<TcpListener> {
        let addresses: Vec<_> = (&*self.host, self.port).to_socket_addrs()?.collect();
        TcpListener::bind(&addresses[..])
    }

    /// An address that it has at the moment. It may take a while.
    ///
    /// # Errors
    /// If there is none.
    #[cfg(feature = "metrics")]
    pub(crate) fn look_up_now(&self) -> io::Result<SocketAddr> {
        let mut found = (&*self.host, self.port).to_socket_addrs()?;
        found.next().ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    /// The addresses that it has at the moment.
    ///
    /// A look-up takes as long as the system lets it, and goes on in a thread of its own when
    /// nobody waits for it any more.
    ///
    /// # Errors
    /// If there are none.
    pub(crate) async fn look_up(&self) -> io::Result<Vec<SocketAddr>> {
        if let Some(address) = self.address() {
            return Ok(vec![address]);
        }
        let (host, port) = (self.host.clone(), self.port);
        let found = beside(move || Ok((&*host, port).to_socket_addrs()?.collect())).await;
        let failed = |error: io::Error| {
            let why = format!("no address of {} is known: {error}", self.host);
            io::Error::new(error.kind(), why)
        };
        found.map_err(failed)
    }
}

/// Does what may take long in a thread that nobody waits for: a runtime that ends waits for threads
/// of its own.
async fn beside<T: Send + 'static>(
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> io::Result<T> {
    let (done, result) = oneshot::channel();
    let thread = std::thread::Builder::new().name("look-up".into());
    thread.spawn(move || done.send(work()))?;
    result.await.map_err(io::Error::other)?
}

impl From<SocketAddr> for Endpoint {
    fn from(address: SocketAddr) -> Self {
        Self {
            host: address.ip().to_string().into(),
            port: address.port(),
        }
    }
}

impl FromStr for Endpoint {
    type Err = BadEndpoint;

    fn from_str(text: &str) -> Result<Self, BadEndpoint> {
        let bad = |problem| {
            let text = text.to_owned();
            BadEndpoint { text, problem }
        };
        let (host, port) = text.rsplit_once(':').ok_or(bad("it has no port"))?;
        let port = port.parse().ok().filter(|port| *port > 0);
        let port = port.ok_or(bad("the port is no number of 1 to 65535"))?;
        let in_brackets = host
            .strip_prefix('[')
            .and_then(|host| host.strip_suffix(']'));
        let host = match in_brackets {
            Some(host) => {
                let address = host.parse::<Ipv6Addr>();
                address.map_err(|_| bad("no IPv6 address stands in the brackets"))?;
                host
            }
            None if is_name(host) => host,
            None if host.contains(':') => return Err(bad("an IPv6 address stands in brackets")),
            None => return Err(bad("there can be no such host")),
        };
        let host = host.into();
        Ok(Self { host, port })
    }
}

/// Whether it can be a name or an IPv4 address.
fn is_name(host: &str) -> bool {
    let is_letter = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    (1..=LONGEST_NAME).contains(&host.len()) && host.bytes().all(is_letter)
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (host, port) = (&self.host, self.port);
        if host.contains(':') {
            write!(f, "[{host}]:{port}")
        } else {
            write!(f, "{host}:{port}")
        }
    }
}

impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

impl From<Endpoint> for String {
    fn from(endpoint: Endpoint) -> Self {
        endpoint.to_string()
    }
}

impl TryFrom<String> for Endpoint {
    type Error = BadEndpoint;

    fn try_from(text: String) -> Result<Self, BadEndpoint> {
        text.parse()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_addresses_are_read_as_they_are_written() {
        for text in [
            "p0-1.p0.things.svc:4000",
            "host_a:1",
            "127.0.0.1:65535",
            "[::1]:4000",
        ] {
            let endpoint: Endpoint = text.parse().unwrap();
            assert_eq!(endpoint.to_string(), text);
        }
        let address: SocketAddr = "[::1]:4000".parse().unwrap();
        let endpoint = Endpoint::from(address);
        assert_eq!(endpoint, "[::1]:4000".parse().unwrap());
        assert_eq!(endpoint.address(), Some(address));
        assert_eq!(
            "things:4000".parse::<Endpoint>().unwrap().address(),
            None,
            "a name"
        );
    }

    #[test]
    fn what_is_none_is_refused_with_the_reason() {
        for (text, problem) in [
            ("host", "no port"),
            ("host:0", "1 to 65535"),
            ("host:65536", "1 to 65535"),
            ("host:x", "1 to 65535"),
            (":4000", "no such host"),
            ("a host:4000", "no such host"),
            ("::1:4000", "in brackets"),
            ("[host]:4000", "no IPv6 address"),
        ] {
            let error = text.parse::<Endpoint>().unwrap_err().to_string();
            assert!(error.contains(text) && error.contains(problem), "{error}");
        }
        let long = format!("{}:1", "a".repeat(LONGEST_NAME + 1));
        long.parse::<Endpoint>().unwrap_err();
    }

    #[test]
    fn a_look_up_that_hangs_does_not_hold_up_the_end_of_a_runtime() {
        let (answer, answers) = std::sync::mpsc::channel::<()>();
        let (tell, told) = std::sync::mpsc::channel();
        let runtime = tokio::runtime::Builder::new_current_thread()
            .build()
            .unwrap();
        runtime.block_on(async {
            let hangs = beside(move || {
                let answered = answers.recv_timeout(std::time::Duration::from_secs(20));
                let _ = tell.send(answered.is_ok());
                Ok(())
            });
            tokio::select! {
                biased;
                _ = hangs => unreachable!("nobody has answered"),
                () = std::future::ready(()) => {}
            }
        });
        drop(runtime);
        answer.send(()).unwrap();
        assert!(told.recv().unwrap(), "the runtime waited");
    }

    #[tokio::test]
    async fn names_are_looked_up_and_what_nobody_knows_is_named() {
        let endpoint: Endpoint = "localhost:4000".parse().unwrap();
        let found = endpoint.look_up().await.unwrap();
        assert!(found.iter().all(|address| address.ip().is_loopback()));
        // RFC 6761: nobody ever has this name.
        let nobody: Endpoint = "nobody.invalid:4000".parse().unwrap();
        let error = nobody.look_up().await.unwrap_err().to_string();
        assert!(error.contains("nobody.invalid"), "{error}");
        nobody.listen().unwrap_err();
    }
}
