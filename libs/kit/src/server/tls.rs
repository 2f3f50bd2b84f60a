//! A listener's certificate, and the names in a caller's.

use std::io;
use std::sync::Arc;

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{ServerConfig, WebPkiClientVerifier};
use rustls::{RootCertStore, crypto};
use tokio_rustls::TlsAcceptor;

use crate::config::Identity;
use crate::secret_file;

const HTTP_2: &[u8] = b"h2";

/// Speaks TLS with whoever connects. With a `client_ca` whoever shows no certificate of it is not spoken to.
pub(super) fn acceptor(identity: &Identity) -> io::Result<TlsAcceptor> {
    let certificates = read_certificates(&std::fs::read(&identity.certificate)?)?;
    let key = PrivateKeyDer::from_pem_slice(&secret_file::read(&identity.key)?).map_err(invalid)?;

    let provider = Arc::new(crypto::ring::default_provider());
    let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .map_err(invalid)?;
    let builder = match &identity.client_ca {
        None => builder.with_no_client_auth(),
        Some(path) => {
            let mut roots = RootCertStore::empty();
            for authority in read_certificates(&std::fs::read(path)?)? {
                roots.add(authority).map_err(invalid)?;
            }
            let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider).build();
            builder.with_client_cert_verifier(verifier.map_err(invalid)?)
        }
    };
    let mut config = builder.with_single_cert(certificates, key).map_err(invalid)?;
    config.alpn_protocols.push(HTTP_2.to_vec());
    Ok(TlsAcceptor::from(Arc::new(config)))
}

fn read_certificates(pem: &[u8]) -> io::Result<Vec<CertificateDer<'static>>> {
    let certificates: Vec<_> =
        CertificateDer::pem_slice_iter(pem).collect::<Result<_, _>>().map_err(invalid)?;
    if certificates.is_empty() {
        return Err(invalid("it holds no certificate"));
    }
    Ok(certificates)
}

fn invalid(problem: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, problem)
}

/// The DNS names and URIs in the certificate that the caller has proven to hold. One that cannot be read names nobody.
pub(super) fn names(proven: Option<&[CertificateDer<'_>]>) -> Vec<String> {
    let certificate = proven.and_then(<[_]>::first).map(webpki::EndEntityCert::try_from);
    let Some(Ok(certificate)) = certificate else {
        return Vec::new();
    };
    certificate.valid_dns_names().chain(certificate.valid_uri_names()).map(str::to_owned).collect()
}
