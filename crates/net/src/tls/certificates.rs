//! The certificates of one member, read anew whenever their files have changed.
//!
//! Invariant: what cannot be used is never taken over. Files that were replaced by such are
//! complained about once, and those of before stay in use.

use super::Holder;
use crate::error::ConfigError;
use crate::wire::{Reader, Writer, invalid};
use rustls::client::Resumption;
use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::server::{NoServerSessionStorage, WebPkiClientVerifier};
use rustls::version::TLS13;
use rustls::{AlertDescription, CertificateError, ClientConfig, RootCertStore, ServerConfig};
use ssmr_core::ReplicaId;
use std::fmt;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};
use tokio::net::TcpStream;
use tokio_rustls::{TlsAcceptor, TlsConnector, TlsStream, rustls};
use webpki::{EndEntityCert, KeyUsage};

/// How many bytes that were taken, and encrypted, may wait for a connection that was accepted.
const UNCOUNTED: usize = 16 << 10;

/// The file with the authorities that are trusted.
pub(super) const AUTHORITIES: &str = "ca.pem";

/// The certificates of one member: its own, and those of the authorities that it trusts.
pub(crate) struct Certificates {
    holder: Holder,
    incarnation: u64,
    authorities: PathBuf,
    own: PathBuf,
    in_use: Mutex<InUse>,
}

/// What was read last, and of which files.
struct InUse {
    stamps: [Stamp; 2],
    ends: Ends,
}

/// What tells a file that was replaced, or that may be read by now.
type Stamp = Option<(SystemTime, u64, FileId)>;

/// Which file it is, and when that or its owner or mode was changed.
#[cfg(unix)]
type FileId = (u64, i64, i64);
#[cfg(not(unix))]
type FileId = ();

#[cfg(unix)]
fn file_id(read: &fs::Metadata) -> FileId {
    use std::os::unix::fs::MetadataExt;
    (read.ino(), read.ctime(), read.ctime_nsec())
}

#[cfg(not(unix))]
fn file_id(_: &fs::Metadata) -> FileId {}

/// Both ends of connections, as these certificates make them.
#[derive(Clone)]
struct Ends {
    connector: TlsConnector,
    acceptor: TlsAcceptor,
    /// When the own certificate ends, since 1970.
    until: Option<Duration>,
}

/// A certificate that the other end has shown and proven to be its own.
#[derive(Debug)]
pub(crate) struct ShownCertificate {
    certificate: CertificateDer<'static>,
    incarnation: u64,
}

impl Certificates {
    /// Reads the certificates of `holder` from a folder.
    ///
    /// # Errors
    /// If they cannot be read, or are not those of this holder.
    pub(crate) fn read(
        holder: Holder,
        incarnation: u64,
        folder: &Path,
    ) -> Result<Self, ConfigError> {
        let (authorities, own) = (folder.join(AUTHORITIES), folder.join(holder.file_name()));
        let stamps = [&authorities, &own].map(|path| stamp(path));
        let ends = Ends::read(holder, incarnation, &authorities, &own)?;
        Ok(Self {
            holder,
            incarnation,
            authorities,
            own,
            in_use: Mutex::new(InUse { stamps, ends }),
        })
    }

    /// When the own certificate ends, since 1970.
    pub(crate) fn until(&self) -> Option<Duration> {
        let in_use = self.in_use.lock().unwrap_or_else(PoisonError::into_inner);
        in_use.ends.until
    }

    /// Begins a connection that was dialled. Its other end is `replica`.
    ///
    /// # Errors
    /// If it is not, or ends the connection.
    pub(crate) async fn dial(
        &self,
        replica: ReplicaId,
        stream: TcpStream,
    ) -> io::Result<(Reader, Writer)> {
        let name = Holder::Replica(replica).name(self.incarnation);
        let name = ServerName::try_from(name).map_err(|error| invalid(&error.to_string()))?;
        let connected = self.ends().connector.connect(name, stream).await;
        Ok(split(connected.map_err(no_handshake)?.into()))
    }

    /// Begins a connection that was accepted. Whose certificate is to be checked is known once the
    /// other end has said who it is.
    ///
    /// # Errors
    /// If the other end has no certificate of an authority that is trusted.
    pub(crate) async fn accept(
        &self,
        stream: TcpStream,
    ) -> io::Result<(Reader, Writer, ShownCertificate)> {
        let mut accepted = self.ends().acceptor.accept(stream).await?;
        // What waits in there is not counted as unread.
        accepted.get_mut().1.set_buffer_limit(Some(UNCOUNTED));
        let shown = accepted.get_ref().1.peer_certificates();
        let certificate = shown.and_then(|chain| chain.first());
        let certificate = certificate.ok_or_else(|| invalid("it shows no certificate"))?;
        let shown = ShownCertificate {
            certificate: certificate.clone().into_owned(),
            incarnation: self.incarnation,
        };
        let (reader, writer) = split(accepted.into());
        Ok((reader, writer, shown))
    }

    /// What the files say now, if they can be used.
    fn ends(&self) -> Ends {
        let stamps = [&self.authorities, &self.own].map(|path| stamp(path));
        let mut in_use = self.in_use.lock().unwrap_or_else(PoisonError::into_inner);
        if in_use.stamps != stamps {
            in_use.stamps = stamps;
            match Ends::read(self.holder, self.incarnation, &self.authorities, &self.own) {
                Ok(ends) => {
                    in_use.ends = ends;
                    tracing::info!(own = %self.own.display(), "new certificates are in use");
                }
                Err(error) => tracing::warn!(%error, "the certificates of before stay in use"),
            }
        }
        in_use.ends.clone()
    }
}

impl fmt::Debug for Certificates {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("Certificates");
        shown.field("own", &self.own).finish_non_exhaustive()
    }
}

impl Ends {
    fn read(
        holder: Holder,
        incarnation: u64,
        authorities: &Path,
        own: &Path,
    ) -> Result<Self, ConfigError> {
        let roots = Arc::new(trusted(authorities)?);
        let bad = |problem: String| ConfigError::tls(own, &problem);
        let pem = fs::read(own).map_err(|error| bad(error.to_string()))?;
        let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&pem).collect();
        let chain = chain.map_err(|error| bad(format!("a certificate cannot be read: {error}")))?;
        let Some(first) = chain.first() else {
            return Err(bad("it holds no certificate".into()));
        };
        shows(first, holder, incarnation).map_err(bad)?;
        let until = until(first);
        let key = PrivateKeyDer::from_pem_slice(&pem)
            .map_err(|error| bad(format!("its private key cannot be read: {error}")))?;
        let refused = |error: rustls::Error| bad(error.to_string());

        let provider = Arc::new(ring::default_provider());
        let verifier = WebPkiClientVerifier::builder_with_provider(roots.clone(), provider.clone());
        // Strangers need not be told whom it trusts.
        let verifier = verifier
            .clear_root_hint_subjects()
            .build()
            .map_err(|error| bad(error.to_string()))?;
        let mut acceptor = ServerConfig::builder_with_provider(provider.clone())
            .with_protocol_versions(&[&TLS13])
            .map_err(refused)?
            .with_client_cert_verifier(verifier)
            .with_single_cert(chain.clone(), key.clone_key())
            .map_err(refused)?;
        let mut connector = ClientConfig::builder_with_provider(provider)
            .with_protocol_versions(&[&TLS13])
            .map_err(refused)?
            .with_root_certificates(roots)
            .with_client_auth_cert(chain, key)
            .map_err(refused)?;
        // Who was trusted once must be trusted still when it comes again.
        acceptor.session_storage = Arc::new(NoServerSessionStorage {});
        acceptor.send_tls13_tickets = 0;
        connector.resumption = Resumption::disabled();
        Ok(Self {
            connector: Arc::new(connector).into(),
            acceptor: Arc::new(acceptor).into(),
            until,
        })
    }
}

impl ShownCertificate {
    /// Checks that it is of `holder`.
    ///
    /// # Errors
    /// Whom it is of instead, to be told to the other end.
    pub(crate) fn check(&self, holder: Holder) -> Result<(), String> {
        shows(&self.certificate, holder, self.incarnation)
    }
}

/// Checks that a certificate names `holder`; one of any account names each of them.
fn shows(certificate: &CertificateDer<'_>, holder: Holder, incarnation: u64) -> Result<(), String> {
    let parsed = EndEntityCert::try_from(certificate).map_err(|error| error.to_string())?;
    let wanted = holder.name(incarnation);
    if holder == Holder::AnyClient && parsed.valid_dns_names().any(|name| name == wanted) {
        return Ok(());
    }
    let name = ServerName::try_from(wanted.as_str());
    if name.is_ok_and(|name| parsed.verify_is_valid_for_subject_name(&name).is_ok()) {
        return Ok(());
    }
    let names: Vec<_> = parsed.valid_dns_names().collect();
    let names = names.join(", ");
    Err(format!("the certificate is of {names}, not of {wanted}"))
}

/// When a certificate ends, since 1970: what `webpki` says against it long afterwards.
fn until(certificate: &CertificateDer<'_>) -> Option<Duration> {
    let algorithms = ring::default_provider().signature_verification_algorithms;
    let afterwards = UnixTime::since_unix_epoch(Duration::from_secs(u64::MAX >> 1));
    let certificate = EndEntityCert::try_from(certificate).ok()?;
    let verified = certificate.verify_for_usage(
        algorithms.all,
        &[],
        &[],
        afterwards,
        KeyUsage::client_auth(),
        None,
        None,
    );
    match verified {
        Err(webpki::Error::CertExpired { not_after, .. }) => {
            Some(Duration::from_secs(not_after.as_secs()))
        }
        _ => None,
    }
}

/// The account that a folder's certificate of clients is of; `None` if it is of any.
///
/// # Errors
/// If it cannot be read, or is of no client of this cluster.
pub(crate) fn account(incarnation: u64, folder: &Path) -> Result<Option<u16>, ConfigError> {
    let any = Holder::AnyClient;
    let path = folder.join(any.file_name());
    let bad = |problem: String| ConfigError::tls(&path, &problem);
    let own = CertificateDer::from_pem_file(&path).map_err(|error| bad(error.to_string()))?;
    let own = EndEntityCert::try_from(&own).map_err(|error| bad(error.to_string()))?;
    let name = any.name(incarnation);
    let clients = name.trim_start_matches('*');
    let accounts = own
        .valid_dns_names()
        .filter_map(|it| it.strip_suffix(clients));
    let accounts: Vec<&str> = accounts.collect();
    if accounts.contains(&"*") {
        return Ok(None);
    }
    let number = accounts.iter().find_map(|account| account.parse().ok());
    let none = || bad(format!("it is of no client of cluster {incarnation:016x}"));
    number.map(Some).ok_or_else(none)
}

/// Whether one of the authorities in a file has the name and the key of `authority`.
pub(super) fn names_authority(
    path: &Path,
    authority: &CertificateDer<'_>,
) -> Result<bool, ConfigError> {
    let bad = |problem: String| ConfigError::tls(path, &problem);
    let pem = fs::read(path).map_err(|error| bad(error.to_string()))?;
    let sought = EndEntityCert::try_from(authority).map_err(|error| bad(error.to_string()))?;
    for certificate in CertificateDer::pem_slice_iter(&pem) {
        let certificate = certificate.map_err(|error| bad(error.to_string()))?;
        let found = EndEntityCert::try_from(&certificate);
        let found = found.map_err(|error| bad(error.to_string()))?;
        if found.subject() == sought.subject()
            && found.subject_public_key_info() == sought.subject_public_key_info()
        {
            return Ok(true);
        }
    }
    Ok(false)
}

fn trusted(path: &Path) -> Result<RootCertStore, ConfigError> {
    let bad = |problem: String| ConfigError::tls(path, &problem);
    let pem = fs::read(path).map_err(|error| bad(error.to_string()))?;
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(&pem) {
        let read = certificate.map_err(|error| bad(error.to_string()))?;
        let added = roots.add(read);
        added.map_err(|error| bad(error.to_string()))?;
    }
    if roots.is_empty() {
        return Err(bad("it holds no certificate".into()));
    }
    Ok(roots)
}

fn stamp(path: &Path) -> Stamp {
    let read = fs::metadata(path).ok()?;
    Some((read.modified().ok()?, read.len(), file_id(&read)))
}

fn split(stream: TlsStream<TcpStream>) -> (Reader, Writer) {
    let (reader, writer) = tokio::io::split(stream);
    (Box::new(reader), Box::new(writer))
}

/// Says what it may mean that a handshake was broken off.
fn no_handshake(error: io::Error) -> io::Error {
    match error.kind() {
        io::ErrorKind::UnexpectedEof | io::ErrorKind::ConnectionReset => {
            let why = "the handshake was broken off: it may not speak TLS";
            io::Error::new(io::ErrorKind::ConnectionAborted, why)
        }
        _ => error,
    }
}

/// Why one end does not trust the other, if that is what this error says.
pub(super) fn why_untrusted(error: &io::Error) -> Option<String> {
    let error = error.get_ref()?.downcast_ref::<rustls::Error>()?;
    Some(match error {
        rustls::Error::InvalidCertificate(why) => match why {
            CertificateError::UnknownIssuer | CertificateError::BadSignature => {
                format!("its certificate is of no authority in {AUTHORITIES}")
            }
            CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
                "its certificate has expired".into()
            }
            why => format!("its certificate is not accepted: {why}"),
        },
        rustls::Error::AlertReceived(alert) => match alert {
            AlertDescription::UnknownCA | AlertDescription::DecryptError => {
                "it does not know the authority of our certificate".into()
            }
            AlertDescription::CertificateExpired => "our certificate has expired, it says".into(),
            AlertDescription::CertificateUnknown
            | AlertDescription::BadCertificate
            | AlertDescription::UnsupportedCertificate
            | AlertDescription::CertificateRequired => {
                format!("it does not accept our certificate: {alert:?}")
            }
            alert => format!("it ends the connection: {alert:?}"),
        },
        other => other.to_string(),
    })
}
