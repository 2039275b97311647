//! With TLS nobody takes part without a certificate that names its role.

mod common;

use bytes::Bytes;
use common::raw::{
    Blobs, OPERATOR, PATIENCE, assert_closed, client, dial, greeting, hear, topology,
};
use serde::Serialize;
use ssmr_core::client::ClientSettings;
use ssmr_core::{ClientId, GroupId, ObjectId, Outcome, PartitionId, ReplicaId, Request};
use ssmr_net::{
    Authority, ClientHandle, ClusterConfig, ConfigError, ConnectError, Holder, NetError, Operator,
    ReplicaOptions, ReplicaThread, listen,
};
use ssmr_strategy_global::Global;
use std::collections::BTreeMap;
use std::fs;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};
use tempfile::TempDir;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

const INCARNATION: u64 = 1;
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

fn replica(index: u8) -> ReplicaId {
    let group = GroupId::from(PartitionId(0));
    ReplicaId { group, index }
}

fn members() -> Vec<Holder> {
    let groups = topology();
    let replicas = groups.replicas().map(Holder::Replica);
    replicas
        .chain([Holder::Operator, Holder::AnyClient])
        .collect()
}

/// A cluster of three replicas with TLS.
struct Doors {
    folder: TempDir,
    authority: Authority,
    config: ClusterConfig,
    replicas: BTreeMap<ReplicaId, ReplicaThread>,
    created: u64,
}

impl Doors {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let authority = Authority::create(folder.path(), INCARNATION).unwrap();
        for holder in members() {
            authority.issue(holder, DAY, folder.path()).unwrap();
        }
        let listeners = listen(&topology(), Ipv4Addr::LOCALHOST.into(), None).unwrap();
        let addresses = listeners.iter().map(|(id, (at, _))| (*id, *at));
        let config = ClusterConfig::new(topology(), INCARNATION, addresses);
        let config = config.with_tls(folder.path());
        let replicas = listeners.into_iter().map(|(id, (_, listener))| {
            let options = ReplicaOptions::new(id, config.clone(), Global);
            let started = ReplicaThread::start::<Blobs>(options, listener);
            (id, started.unwrap())
        });
        let replicas = replicas.collect();
        let operator = Operator::new::<Blobs>(&config, Global).unwrap();
        operator.found().await.unwrap();
        let mut doors = Self {
            folder,
            authority,
            config,
            replicas,
            created: 0,
        };
        let client = doors.connect().await.unwrap();
        doors.assert_served(&client).await;
        doors
    }

    async fn connect(&self) -> Result<ClientHandle, ConnectError> {
        let config = &self.config;
        let id = config.client_id(rand())?;
        let settings = ClientSettings::default();
        ClientHandle::connect::<Blobs>(config, id, Global, settings, PATIENCE).await
    }

    async fn assert_served(&mut self, client: &ClientHandle) {
        let object = ObjectId::new(0, self.created);
        let request = Request::create::<Blobs>(object, &Bytes::from("value"), None);
        let outcome = client.execute(request).await.unwrap().outcome;
        assert_eq!(outcome, Outcome::Done(Bytes::new()));
        self.created += 1;
    }

    fn address(&self, index: u8) -> SocketAddr {
        self.config.addresses[&replica(index)].address().unwrap()
    }

    /// Why somebody with the certificate of `holder` may not say that it is `role`; empty if it
    /// may.
    async fn refusal(&self, holder: Holder, role: impl Serialize) -> String {
        let folder = tempfile::tempdir().unwrap();
        let path = self.authority.issue(holder, DAY, folder.path()).unwrap();
        let mut stream = knock(&path, &self.folder.path().join("ca.pem"), self.address(0)).await;
        stream
            .write_all(&greeting(INCARNATION, role))
            .await
            .unwrap();
        stream.flush().await.unwrap();
        let reply = hear(&mut stream).await;
        // The last part of a reply: `None`, or which refusal, its length, and its text.
        let text = String::from_utf8_lossy(&reply);
        text.find("the certificate is of")
            .map_or_else(String::new, |at| text[at..].to_owned())
    }
}

/// A number that no other client of this test has.
fn rand() -> u64 {
    use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
    static NEXT: AtomicU64 = AtomicU64::new(1);
    NEXT.fetch_add(1, Relaxed)
}

/// A connection with TLS to replica p0r0, by somebody who shows this certificate and checks nothing
/// of its own.
async fn knock(own: &Path, authorities: &Path, to: SocketAddr) -> TlsStream<TcpStream> {
    let mut roots = RootCertStore::empty();
    let authority = CertificateDer::from_pem_file(authorities).unwrap();
    roots.add(authority).unwrap();
    let chain = vec![CertificateDer::from_pem_file(own).unwrap()];
    let key = PrivateKeyDer::from_pem_file(own).unwrap();
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_client_auth_cert(chain, key)
        .unwrap();
    let name = ServerName::try_from(Holder::Replica(replica(0)).name(INCARNATION)).unwrap();
    let stream = TcpStream::connect(to).await.unwrap();
    TlsConnector::from(Arc::new(config))
        .connect(name, stream)
        .await
        .unwrap()
}

/// This operator and p0r0 do not trust each other, for a reason with all of these words.
async fn distrust(operator: &Operator, words: &[&str]) {
    let error = operator.status(replica(0)).await.unwrap_err();
    assert!(matches!(error, ConnectError::Untrusted { .. }), "{error}");
    let told = error.to_string();
    assert!(words.iter().all(|word| told.contains(word)), "{told}");
}

#[tokio::test]
async fn who_has_a_certificate_is_served_and_speaks_for_itself_alone() {
    let doors = Doors::new().await;
    let of_account = |account: u64| client(account << 48 | 5);
    let p0r1 = (0u32, replica(1));
    for (holder, allowed) in [
        (Holder::Client(7), [true, false, false, false]),
        (Holder::AnyClient, [true, true, false, false]),
        (Holder::Operator, [false, false, true, false]),
        (Holder::Replica(replica(1)), [false, false, false, true]),
        (Holder::Replica(replica(2)), [false; 4]),
    ] {
        let refusals = [
            doors.refusal(holder, of_account(7)).await,
            doors.refusal(holder, of_account(8)).await,
            doors.refusal(holder, OPERATOR).await,
            doors.refusal(holder, p0r1).await,
        ];
        let passes = refusals.each_ref().map(String::is_empty);
        assert_eq!(passes, allowed, "{holder:?}: {refusals:?}");
    }
}

#[tokio::test]
async fn a_clients_id_is_of_its_account() {
    let doors = Doors::new().await;
    let own = doors.folder.path();
    doors.authority.issue(Holder::Client(7), DAY, own).unwrap();
    let ClientId(id) = doors.config.client_id(0xffff_0000_0000_0005).unwrap();
    assert_eq!(id, 7 << 48 | 5);
    doors.connect().await.unwrap();
    let settings = ClientSettings::default();
    let other = ClientId(8 << 48);
    let refused = ClientHandle::start::<Blobs>(&doors.config, other, Global, settings);
    let told = refused.unwrap_err().to_string();
    assert!(
        told.contains("client.pem: the certificate is of 7.client"),
        "{told}"
    );
    doors.authority.issue(Holder::Operator, DAY, own).unwrap();
    fs::copy(own.join("operator.pem"), own.join("client.pem")).unwrap();
    let told = doors.config.client_id(1).unwrap_err().to_string();
    assert!(
        told.contains("client.pem: it is of no client of cluster"),
        "{told}"
    );
}

#[tokio::test]
async fn who_speaks_in_the_clear_is_told_what_is_missing() {
    let mut doors = Doors::new().await;
    let mut plain = doors.config.clone();
    plain.tls = None;
    let settings = ClientSettings::default();
    let id = ClientId(1);
    let refused = ClientHandle::connect::<Blobs>(&plain, id, Global, settings, PATIENCE).await;
    let told = refused.unwrap_err().to_string();
    assert!(
        told.contains("refuses: this cluster speaks TLS only"),
        "{told}"
    );
    // Nothing but a greeting is answered at all.
    let mut stream = dial(doors.address(0), client(1)).await;
    hear(&mut stream).await;
    assert!(assert_closed(stream).await.is_empty());
    let client = doors.connect().await.unwrap();
    doors.assert_served(&client).await;
}

#[tokio::test]
async fn a_replica_that_speaks_in_the_clear_is_not_spoken_to() {
    let doors = Doors::new().await;
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let mut config = doors.config.clone();
    let (id, at) = (replica(0), listener.local_addr().unwrap());
    config.addresses.insert(id, at.into());
    let mut plain = config.clone();
    plain.tls = None;
    let options = ReplicaOptions::new(id, plain, Global);
    let _plain = ReplicaThread::start::<Blobs>(options, listener).unwrap();
    let operator = Operator::new::<Blobs>(&config, Global).unwrap();
    let operator = operator.with_patience(Duration::from_millis(300));
    let told = operator.status(id).await.unwrap_err().to_string();
    assert!(told.contains("it may not speak TLS"), "{told}");
}

#[tokio::test]
async fn strangers_and_members_of_other_authorities_are_not_trusted() {
    let mut doors = Doors::new().await;
    let other = tempfile::tempdir().unwrap();
    let authority = Authority::create(other.path(), INCARNATION).unwrap();
    for holder in members() {
        authority.issue(holder, DAY, other.path()).unwrap();
    }
    let foreign = doors.config.clone().with_tls(other.path());
    let operator = Operator::new::<Blobs>(&foreign, Global).unwrap();
    let error = operator.status(replica(0)).await.unwrap_err();
    assert!(matches!(error, ConnectError::Untrusted { .. }), "{error}");
    assert!(
        error
            .to_string()
            .contains("its certificate is of no authority"),
        "{error}"
    );
    // It trusts the cluster, but is not trusted.
    fs::copy(
        doors.folder.path().join("ca.pem"),
        other.path().join("ca.pem"),
    )
    .unwrap();
    let operator = Operator::new::<Blobs>(&foreign, Global).unwrap();
    let error = operator.status(replica(0)).await.unwrap_err();
    assert!(matches!(error, ConnectError::Untrusted { .. }), "{error}");
    assert!(
        error
            .to_string()
            .contains("does not know the authority of our certificate"),
        "{error}"
    );
    let client = doors.connect().await.unwrap();
    doors.assert_served(&client).await;
}

#[tokio::test]
async fn a_replica_is_the_one_that_was_dialled() {
    let doors = Doors::new().await;
    let mut crossed = doors.config.clone();
    let at = crossed.addresses[&replica(1)].clone();
    crossed.addresses.insert(replica(0), at);
    let operator = Operator::new::<Blobs>(&crossed, Global).unwrap();
    let [dialled, there] = [0, 1].map(|index| Holder::Replica(replica(index)).name(INCARNATION));
    distrust(&operator, &[&dialled, &there]).await;
}

#[tokio::test]
async fn an_expired_certificate_is_refused() {
    let doors = Doors::new().await;
    let own = doors.folder.path();
    let issued = doors.authority.issue(Holder::Operator, Duration::ZERO, own);
    issued.unwrap();
    let operator = Operator::new::<Blobs>(&doors.config, Global).unwrap();
    // It is valid to the end of the second.
    let expired = async {
        loop {
            match operator.status(replica(0)).await {
                Ok(_) => tokio::time::sleep(Duration::from_millis(50)).await,
                Err(error) => return error,
            }
        }
    };
    let error = tokio::time::timeout(PATIENCE, expired).await.unwrap();
    assert!(
        error.to_string().contains("our certificate has expired"),
        "{error}"
    );
}

#[tokio::test]
async fn authorities_take_over_from_each_other_while_the_cluster_runs() {
    let mut doors = Doors::new().await;
    let first = doors.connect().await.unwrap();
    let next = tempfile::tempdir().unwrap();
    let authority = Authority::create(next.path(), INCARNATION).unwrap();
    let own = doors.folder.path().to_owned();
    let (old_ca, new_ca) = (own.join("ca.pem"), next.path().join("ca.pem"));
    let [old, new] = [&old_ca, &new_ca].map(|path| fs::read_to_string(path).unwrap());
    let old_client = fs::read(own.join("client.pem")).unwrap();
    // First all trust both, then each gets a new certificate, then the former authority goes.
    fs::write(&old_ca, old + &new).unwrap();
    for holder in members() {
        authority.issue(holder, DAY, &own).unwrap();
        doors.connect().await.unwrap();
    }
    fs::write(&old_ca, &new).unwrap();
    let client = doors.connect().await.unwrap();
    doors.assert_served(&client).await;
    doors.assert_served(&first).await;

    // Replicas trust each other when they dial anew.
    let id = replica(2);
    let mut stopped = doors.replicas.remove(&id).unwrap();
    stopped.stop();
    let listener = doors.config.addresses[&id].listen().unwrap();
    let options = ReplicaOptions::new(id, doors.config.clone(), Global);
    let started = ReplicaThread::start::<Blobs>(options, listener).unwrap();
    let operator = Operator::new::<Blobs>(&doors.config, Global).unwrap();
    let filled = async {
        while !operator.status(id).await.unwrap().is_voter {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(PATIENCE, filled).await.unwrap();
    drop(started);

    // A file that cannot be used changes nothing.
    fs::write(own.join("p0r0.pem"), "half of it").unwrap();
    operator.status(replica(0)).await.unwrap();

    // Who has a certificate of the former authority stays outside.
    fs::write(own.join("client.pem"), old_client).unwrap();
    let error = doors.connect().await.unwrap_err();
    assert!(matches!(error, ConnectError::Untrusted { .. }), "{error}");
}

#[test]
fn certificates_that_cannot_be_used_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let config = ClusterConfig::new(
        topology(),
        INCARNATION,
        [(replica(0), "a:1".parse::<ssmr_net::Endpoint>().unwrap())],
    );
    let mut config = config.with_tls(folder.path());
    config.addresses = topology()
        .replicas()
        .map(|id| (id, format!("a:{}", id.index + 1).parse().unwrap()))
        .collect();
    let refused = || {
        let operator = Operator::new::<Blobs>(&config, Global);
        operator.map(|_| ()).unwrap_err().to_string()
    };
    let path = |name: &str| folder.path().join(name);
    assert!(refused().contains("ca.pem: No such file"), "{}", refused());
    fs::write(path("ca.pem"), "nothing").unwrap();
    assert!(
        refused().contains("ca.pem: it holds no certificate"),
        "{}",
        refused()
    );
    fs::remove_file(path("ca.pem")).unwrap();
    let authority = Authority::create(folder.path(), INCARNATION).unwrap();
    let again = Authority::create(folder.path(), INCARNATION);
    let again = again.map(|_| ()).unwrap_err().to_string();
    assert!(
        again.contains("ca.key: there is an authority already"),
        "{again}"
    );
    Authority::open(folder.path(), INCARNATION).unwrap();
    let other = Authority::open(folder.path(), INCARNATION + 1);
    let other = other.map(|_| ()).unwrap_err().to_string();
    assert!(
        other.contains("ca.pem: none of its authorities is that of cluster 0000000000000002"),
        "{other}"
    );
    assert!(
        refused().contains("operator.pem: No such file"),
        "{}",
        refused()
    );
    authority
        .issue(Holder::Operator, DAY, folder.path())
        .unwrap();
    Operator::new::<Blobs>(&config, Global).unwrap();
    let until = config.certified_until(Holder::Operator).unwrap().unwrap();
    let left = until - UNIX_EPOCH.elapsed().unwrap();
    assert!(left <= DAY && left + PATIENCE > DAY, "{left:?}");
    // A key of another certificate.
    authority
        .issue(Holder::AnyClient, DAY, folder.path())
        .unwrap();
    let [own, other] =
        ["operator.pem", "client.pem"].map(|name| fs::read_to_string(path(name)).unwrap());
    let (certificate, _) = own.split_once("-----BEGIN PRIVATE").unwrap();
    let (_, key) = other.split_once("-----BEGIN PRIVATE").unwrap();
    let crossed = format!("{certificate}-----BEGIN PRIVATE{key}");
    fs::write(path("operator.pem"), crossed).unwrap();
    assert!(
        refused().contains("operator.pem: keys may not be consistent"),
        "{}",
        refused()
    );
    fs::write(path("operator.pem"), certificate).unwrap();
    assert!(
        refused().contains("its private key cannot be read"),
        "{}",
        refused()
    );
    fs::write(path("operator.pem"), other).unwrap();
    assert!(
        refused().contains("of *.client.0000000000000001"),
        "{}",
        refused()
    );
    #[cfg(unix)]
    for name in ["ca.key", "client.pem"] {
        let mode = std::os::unix::fs::PermissionsExt::mode(
            &fs::metadata(path(name)).unwrap().permissions(),
        );
        assert_eq!(mode & 0o777, 0o600, "{name}");
    }
}

#[test]
fn nobody_listens_beyond_this_host_without_tls_unless_it_is_wanted() {
    let listen = || TcpListener::bind("0.0.0.0:0").unwrap();
    let groups = topology();
    let addresses = groups.replicas().map(|id| {
        let at: SocketAddr = ([127, 0, 0, 1], 1 + u16::from(id.index)).into();
        (id, at)
    });
    let config = ClusterConfig::new(topology(), INCARNATION, addresses);
    let options = ReplicaOptions::new(replica(0), config, Global);
    let refused = ReplicaThread::start::<Blobs>(options.clone(), listen());
    let error = refused.map(|_| ()).unwrap_err();
    assert!(
        matches!(error, NetError::Config(ConfigError::Insecure { .. })),
        "{error}"
    );
    ReplicaThread::start::<Blobs>(options.with_insecure(true), listen()).unwrap();
}
