//! Signatures are checked by `ring`, as everything else encrypted here is: one library to trust, and none whose private
//! operations leak by their timing. Nothing is signed here, and no algorithm is known but the three that keys may have.

use jsonwebtoken::crypto::{CryptoProvider, JwtVerifier, KeyUtils};
use jsonwebtoken::errors::ErrorKind;
use jsonwebtoken::signature::{Error, Verifier};
use jsonwebtoken::{Algorithm, DecodingKey, DecodingKeyKind};
use ring::{hmac, signature};

static PROVIDER: CryptoProvider = CryptoProvider {
    signer_factory: |_, _| Err(ErrorKind::InvalidAlgorithm.into()),
    verifier_factory: |algorithm, key| Ok(Box::new(Check { algorithm: *algorithm, key: key.clone() })),
    // Asked only to make a key set out of private keys.
    key_utils: KeyUtils::new_unimplemented(),
};

/// Makes it the one of this process. A second service in the process finds it made.
pub(super) fn install() {
    let _ours_or_the_same = PROVIDER.install_default();
}

struct Check {
    algorithm: Algorithm,
    key: DecodingKey,
}

impl JwtVerifier for Check {
    fn algorithm(&self) -> Algorithm {
        self.algorithm
    }
}

impl Verifier<Vec<u8>> for Check {
    fn verify(&self, message: &[u8], given: &Vec<u8>) -> Result<(), Error> {
        let checked = match (self.algorithm, self.key.kind()) {
            (Algorithm::HS256, DecodingKeyKind::SecretOrDer(secret)) => {
                hmac::verify(&hmac::Key::new(hmac::HMAC_SHA256, secret), message, given)
            }
            (Algorithm::EdDSA, DecodingKeyKind::SecretOrDer(public)) => {
                signature::UnparsedPublicKey::new(&signature::ED25519, public).verify(message, given)
            }
            (Algorithm::RS256, DecodingKeyKind::RsaModulusExponent { n, e }) => {
                let public = signature::RsaPublicKeyComponents { n, e };
                public.verify(&signature::RSA_PKCS1_2048_8192_SHA256, message, given)
            }
            _ => Err(ring::error::Unspecified),
        };
        checked.map_err(|_| Error::new())
    }
}
