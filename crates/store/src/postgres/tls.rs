//! Encrypted connections to PostgreSQL.

use std::sync::Arc;

use ::postgres::config::SslMode;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};
use tokio_postgres_rustls::MakeRustlsConnect;

pub(super) type Tls = MakeRustlsConnect;

/// How to encrypt for `mode`. With `prefer` any certificate will do, since someone who could
/// present a wrong one could also answer that there is no encryption. Otherwise it must be valid
/// for the host. Errors when `root_cert` cannot be read.
pub(super) fn connector(mode: SslMode, root_cert: Option<&str>) -> Result<Tls, String> {
    let provider = Arc::new(ring::default_provider());
    let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())?;
    let config = if mode == SslMode::Require || root_cert.is_some() {
        builder.with_root_certificates(authorities(root_cert)?).with_no_client_auth()
    } else {
        let anyone = Arc::new(Anyone(provider));
        builder.dangerous().with_custom_certificate_verifier(anyone).with_no_client_auth()
    };
    Ok(MakeRustlsConnect::new(config))
}

/// The authorities in the file at `path`, or those the system knows.
fn authorities(path: Option<&str>) -> Result<RootCertStore, String> {
    let mut known = RootCertStore::empty();
    let Some(path) = path else {
        let (added, _) =
            known.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        return if 0 < added {
            Ok(known)
        } else {
            Err("the system knows no certificate authorities; name yours with sslrootcert".into())
        };
    };
    let read = CertificateDer::pem_file_iter(path);
    for certificate in read.map_err(|error| format!("sslrootcert {path}: {error}"))? {
        let certificate = certificate.map_err(|error| format!("sslrootcert {path}: {error}"))?;
        known.add(certificate).map_err(|error| format!("sslrootcert {path}: {error}"))?;
    }
    Ok(known)
}

/// Takes any certificate, but only from someone who has its key.
#[derive(Debug)]
struct Anyone(Arc<CryptoProvider>);

impl ServerCertVerifier for Anyone {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.0.signature_verification_algorithms;
        verify_tls12_signature(message, certificate, signature, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.0.signature_verification_algorithms;
        verify_tls13_signature(message, certificate, signature, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
