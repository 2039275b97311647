//! Issues the certificates of a cluster's members.

use super::Holder;
use super::certificates::{AUTHORITIES, names_authority};
use crate::error::ConfigError;
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose,
};
use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;
use time::OffsetDateTime;

/// The file with the authority's private key.
const AUTHORITY_KEY: &str = "ca.key";

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// How long an authority is one: ten years.
const AUTHORITY_LIFE: Duration = DAY.saturating_mul(3650);

/// Certificates are valid a little earlier than now, for clocks differ.
const EARLIER: Duration = Duration::from_secs(60 * 60);

/// Whoever issues the certificates of one cluster's members. All keys are on the curve P-256.
pub struct Authority {
    incarnation: u64,
    folder: PathBuf,
    issuer: Issuer<'static, KeyPair>,
}

impl Authority {
    /// A new authority, whose certificate is `ca.pem` in this folder, and whose key is `ca.key`,
    /// which its owner alone can read. The folder is made if need be.
    ///
    /// # Errors
    /// If there is an authority, or the files cannot be written.
    pub fn create(folder: &Path, incarnation: u64) -> Result<Self, ConfigError> {
        let key_path = folder.join(AUTHORITY_KEY);
        make_folder(folder).map_err(|error| ConfigError::tls(folder, &error))?;
        let bad = |error: rcgen::Error| ConfigError::tls(&key_path, &error);
        let key = KeyPair::generate().map_err(bad)?;
        if key_path.exists() {
            let problem = "there is an authority already";
            return Err(ConfigError::tls(&key_path, problem));
        }
        let params = authority(incarnation);
        let certificate = params.self_signed(&key).map_err(bad)?;
        write(&key_path, &key.serialize_pem(), true)?;
        write(&folder.join(AUTHORITIES), &certificate.pem(), false)?;
        Ok(Self::of(folder, incarnation, params, key))
    }

    /// The authority of this cluster whose certificate and key are in this folder, or a new one if
    /// no certificate is there.
    ///
    /// # Errors
    /// If its key is elsewhere, it is of another cluster, or files cannot be written.
    pub fn open_or_create(folder: &Path, incarnation: u64) -> Result<Self, ConfigError> {
        match folder.join(AUTHORITIES).exists() {
            true => Self::open(folder, incarnation),
            false => Self::create(folder, incarnation),
        }
    }

    /// The authority of this cluster whose key is in this folder.
    ///
    /// # Errors
    /// If there is none.
    pub fn open(folder: &Path, incarnation: u64) -> Result<Self, ConfigError> {
        let path = folder.join(AUTHORITY_KEY);
        let bad = |error: rcgen::Error| ConfigError::tls(&path, &error);
        let pem = fs::read_to_string(&path).map_err(|error| ConfigError::tls(&path, &error))?;
        let key = KeyPair::from_pem(&pem).map_err(bad)?;
        let params = authority(incarnation);
        // What it issues names it, so it must be one of those that are trusted.
        let own = params.self_signed(&key).map_err(bad)?;
        let trusted = folder.join(AUTHORITIES);
        if !names_authority(&trusted, own.der())? {
            let problem = format!(
                "none of its authorities is that of cluster {incarnation:016x} with the key in \
                 {AUTHORITY_KEY}"
            );
            return Err(ConfigError::tls(&trusted, &problem));
        }
        Ok(Self::of(folder, incarnation, params, key))
    }

    fn of(folder: &Path, incarnation: u64, params: CertificateParams, key: KeyPair) -> Self {
        Self {
            incarnation,
            folder: folder.to_owned(),
            issuer: Issuer::new(params, key),
        }
    }

    /// Issues a certificate with a new key, which is valid from now on for so long, into a folder:
    /// the file of [`Holder::file_name`], in place of the one that is there, and a copy of `ca.pem`
    /// if there is none. The new file is there at once and whole. Returns its path.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn issue(
        &self,
        holder: Holder,
        valid: Duration,
        folder: &Path,
    ) -> Result<PathBuf, ConfigError> {
        let path = folder.join(holder.file_name());
        let bad = |error: rcgen::Error| ConfigError::tls(&path, &error);
        let mut params = CertificateParams::new([holder.name(self.incarnation)]).map_err(bad)?;
        params.use_authority_key_identifier_extension = true;
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        if let Holder::Replica(_) = holder {
            let accepts = ExtendedKeyUsagePurpose::ServerAuth;
            params.extended_key_usages.push(accepts);
        }
        let common_name = holder.file_name().replace(".pem", "");
        params.distinguished_name = named(&common_name, self.incarnation);
        set_validity(&mut params, valid);
        let key = KeyPair::generate().map_err(bad)?;
        let certificate = params.signed_by(&key, &self.issuer).map_err(bad)?;
        make_folder(folder).map_err(|error| ConfigError::tls(folder, &error))?;
        let authorities = folder.join(AUTHORITIES);
        if !authorities.exists() {
            let own = self.folder.join(AUTHORITIES);
            let copied = fs::copy(&own, &authorities);
            copied.map_err(|error| ConfigError::tls(&own, &error))?;
        }
        write(&path, &(certificate.pem() + &key.serialize_pem()), true)?;
        Ok(path)
    }
}

/// What the authority's own certificate says. It names the cluster, so that one who trusts the
/// authorities of several clusters can tell them apart.
fn authority(incarnation: u64) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params.distinguished_name = named("authority", incarnation);
    set_validity(&mut params, AUTHORITY_LIFE);
    params
}

fn named(common_name: &str, incarnation: u64) -> rcgen::DistinguishedName {
    let mut name = rcgen::DistinguishedName::new();
    name.push(DnType::OrganizationName, format!("ssmr {incarnation:016x}"));
    name.push(DnType::CommonName, common_name);
    name
}

fn set_validity(params: &mut CertificateParams, valid: Duration) {
    let now = OffsetDateTime::now_utc();
    params.not_before = now - EARLIER;
    params.not_after = now + valid;
}

fn make_folder(folder: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}

/// Writes a file that is there at once and whole. A private one is its owner's alone.
fn write(path: &Path, text: &str, is_private: bool) -> Result<(), ConfigError> {
    let new = path.with_extension("new");
    let write = || {
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        {
            let mode = if is_private { 0o600 } else { 0o644 };
            std::os::unix::fs::OpenOptionsExt::mode(&mut options, mode);
        }
        // One that was left by somebody who was interrupted.
        if let Err(error) = fs::remove_file(&new)
            && error.kind() != io::ErrorKind::NotFound
        {
            return Err(error);
        }
        let mut file = options.open(&new)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        fs::rename(&new, path)
    };
    write().map_err(|error| ConfigError::tls(path, &error))
}
