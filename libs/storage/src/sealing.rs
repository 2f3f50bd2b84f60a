//! The secret by which a service knows its own tokens again. It is minted where it is missing and kept in the database:
//! all replicas have the same one, a restart keeps what was handed out good, and nobody has to think of one.

use crate::database::Database;
use crate::error::DbError;
use crate::statement::Statement;
use crate::values;

const SECRET_BYTES: usize = 32;

static KEEP: Statement = Statement::new(
    "storage.keep_sealing_key",
    "INSERT INTO sealing_key (id, secret) VALUES (1, $1) ON CONFLICT (id) DO NOTHING",
);

static LOAD: Statement =
    Statement::new("storage.load_sealing_key", "SELECT secret FROM sealing_key WHERE id = 1");

impl Database {
    /// The service's own secret.
    pub async fn sealing_key(&self) -> Result<[u8; SECRET_BYTES], DbError> {
        let minted: [u8; SECRET_BYTES] = rand::random();
        let secret = self
            .write("storage.sealing_key", |mut tx| async move {
                // The first of two replicas that start together mints it for both.
                tx.execute(&KEEP, values![minted.to_vec()]).await?;
                let row = tx.fetch_one(&LOAD, values![]).await?;
                Ok((tx, row.bytes("secret")?))
            })
            .await?;
        let length = secret.len();
        secret.try_into().map_err(|_| DbError::malformed("storage.load_sealing_key", length))
    }
}
