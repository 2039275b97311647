//! Ports for the replicas of a cluster on one machine.

use crate::NetError;
use socket2::{Domain, Socket, Type};
use ssmr_core::{ReplicaId, Topology};
use std::collections::BTreeMap;
use std::io;
use std::net::{IpAddr, SocketAddr, TcpListener};

/// A bound listener for each replica.
pub type Listeners = BTreeMap<ReplicaId, (SocketAddr, TcpListener)>;

/// Binds one listener for each replica: the first one at the port `base`, the others following in
/// the order of the topology; without it, at whatever ports are free.
///
/// # Errors
/// If one cannot be bound, or there are too few ports from `base` on.
pub fn listen(topology: &Topology, bind: IpAddr, base: Option<u16>) -> Result<Listeners, NetError> {
    bind_each(topology, bind, base, |wanted| {
        let listener = TcpListener::bind(wanted)?;
        Ok((listener.local_addr()?, listener))
    })
}

/// A reserved address for each replica.
pub type Reservations = BTreeMap<ReplicaId, Reservation>;

/// Reserves an address for each replica that will run in a process of its own, chosen as by
/// [`listen`].
///
/// # Errors
/// If one is taken, or there are too few ports from `base` on.
pub fn reserve(
    topology: &Topology,
    bind: IpAddr,
    base: Option<u16>,
) -> Result<Reservations, NetError> {
    bind_each(topology, bind, base, Reservation::of)
}

/// Keeps an address for a process that is about to listen there, again and again if it is killed.
/// Nobody who asks for any free port gets this one meanwhile.
///
/// It is a socket that is bound and never listens: who connects is refused as if it were not there.
/// Linux lets somebody else listen at its address; where that is not so, nothing is kept.
#[derive(Debug)]
pub struct Reservation {
    address: SocketAddr,
    _bound: Option<Socket>,
}

impl Reservation {
    /// The address.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    fn of(wanted: SocketAddr) -> io::Result<Self> {
        let socket = Socket::new(Domain::for_address(wanted), Type::STREAM, None)?;
        socket.set_reuse_address(cfg!(unix))?;
        socket.bind(&wanted.into())?;
        let address = socket.local_addr()?.as_socket();
        Ok(Self {
            address: address.ok_or(io::ErrorKind::Unsupported)?,
            _bound: cfg!(target_os = "linux").then_some(socket),
        })
    }
}

/// Binds something for each replica.
fn bind_each<T>(
    topology: &Topology,
    bind: IpAddr,
    base: Option<u16>,
    bound: impl Fn(SocketAddr) -> io::Result<T>,
) -> Result<BTreeMap<ReplicaId, T>, NetError> {
    let count = topology.replicas().count();
    let replicas = topology.replicas().enumerate();
    replicas
        .map(|(place, id)| {
            let port = base.map_or(Some(0), |base| base.checked_add(u16::try_from(place).ok()?));
            let port = port.ok_or(NetError::Ports {
                base: base.unwrap_or(0),
                count,
            })?;
            let bound = bound((bind, port).into()).map_err(|source| NetError::Bind {
                address: format!("{bind}:{port} (replica {id})"),
                source,
            })?;
            Ok((id, bound))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::{Ipv4Addr, TcpStream};

    #[cfg(target_os = "linux")]
    #[test]
    fn a_reserved_address_is_refused_until_somebody_listens_there_and_again_after() {
        let topology = Topology::new(1, 3);
        let reserved = reserve(&topology.unwrap(), Ipv4Addr::LOCALHOST.into(), None).unwrap();
        assert_eq!(reserved.len(), 3);
        for reservation in reserved.values() {
            let address = reservation.address();
            for _ in 0..2 {
                TcpStream::connect(address).unwrap_err();
                let listener = TcpListener::bind(address).unwrap();
                TcpStream::connect(address).unwrap();
                drop(listener);
            }
        }
    }

    #[test]
    fn an_address_where_somebody_listens_is_not_reserved() {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let topology = Topology::new(1, 1).unwrap();
        let refused = reserve(&topology, Ipv4Addr::LOCALHOST.into(), Some(port));
        let named = format!("cannot listen on 127.0.0.1:{port} (replica p0r0)");
        assert!(refused.unwrap_err().to_string().contains(&named));
    }
}
