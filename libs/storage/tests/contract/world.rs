//! A small shop to try the contract on.

use storage::{Database, DbError, Migration, Rows, Statement, Tx, testing, values};

pub const SHOP: Migration = Migration {
    number: 10,
    name: "shop",
    sql: "CREATE TABLE stock (
              tenant_id TEXT NOT NULL, sku TEXT NOT NULL, on_hand BIGINT NOT NULL CHECK (on_hand >= 0), note TEXT,
              picture BYTEA, PRIMARY KEY (tenant_id, sku));
          CREATE TABLE movement (
              tenant_id TEXT NOT NULL, id TEXT NOT NULL, sku TEXT NOT NULL, delta BIGINT NOT NULL,
              PRIMARY KEY (tenant_id, id), FOREIGN KEY (tenant_id, sku) REFERENCES stock (tenant_id, sku));",
    sqlite: "CREATE TRIGGER movement_keeps BEFORE UPDATE ON movement
             BEGIN SELECT RAISE(ABORT, 'movement is append-only'); END;",
    postgres: "CREATE TRIGGER movement_keeps BEFORE UPDATE ON movement
               FOR EACH ROW EXECUTE FUNCTION append_only();",
};

pub static PUT_STOCK: Statement = Statement::new(
    "shop.put_stock",
    "INSERT INTO stock (tenant_id, sku, on_hand, note, picture)
     SELECT $1, sku, on_hand, note, picture FROM rows($2: sku text, on_hand bigint, note text, picture bytea)",
);
pub static GET_STOCK: Statement = Statement::new(
    "shop.get_stock",
    "SELECT sku, on_hand, note, picture FROM stock WHERE tenant_id = $1 ORDER BY sku FOR UPDATE",
);
pub static ADD_STOCK: Statement = Statement::new(
    "shop.add_stock",
    "UPDATE stock SET on_hand = stock.on_hand + r.delta FROM rows($2: sku text, delta bigint) AS r
      WHERE stock.tenant_id = $1 AND stock.sku = r.sku",
);
pub static MOVE: Statement = Statement::new(
    "shop.move",
    "INSERT INTO movement (tenant_id, id, sku, delta) SELECT $1, id, sku, delta
       FROM rows($2: id text, sku text, delta bigint)",
);
pub static MOVED: Statement = Statement::new(
    "shop.moved",
    "SELECT CAST(COALESCE(SUM(delta), 0) AS BIGINT) AS delta, COUNT(*) AS count FROM movement WHERE tenant_id = $1",
);

/// The tenant of the shop.
pub const T: &str = "default";

/// Databases with all of storage's tables and the shop, on each engine.
pub async fn shops(name: &str) -> Vec<Database> {
    let databases = testing::databases(name).await;
    for database in &databases {
        let all = [storage::REQUESTS, storage::STEP_LEDGER, storage::OUTBOX, storage::INBOX, SHOP];
        database.migrate("shop", &all).await.expect("the schema must apply");
    }
    databases
}

/// Puts these units of these goods on the shelf.
pub async fn stock_up(database: &Database, goods: &[(&str, i64)]) {
    let rows: &Rows =
        &goods.iter().map(|(sku, units)| values![*sku, *units, None::<&str>, None::<Vec<u8>>]).collect();
    database
        .write("stock_up", |mut tx| async move {
            tx.execute_exactly(&PUT_STOCK, values![T, rows.clone()], rows.len() as u64).await?;
            Ok((tx, ()))
        })
        .await
        .expect("the shelf is empty");
}

/// How many units of one good are on the shelf.
pub async fn on_hand(database: &Database, sku: &str) -> i64 {
    static ONE: Statement =
        Statement::new("shop.on_hand", "SELECT on_hand FROM stock WHERE tenant_id = $1 AND sku = $2");
    let mut tx = database.read().await.expect("the database answers");
    let row = tx.fetch_one(&ONE, values![T, sku]).await.expect("the good is known");
    row.int("on_hand").expect("it is a number")
}

/// One unit more or less.
pub async fn add(tx: &mut Tx, sku: &str, delta: i64) -> Result<(), DbError> {
    let rows: Rows = [values![sku, delta]].into_iter().collect();
    tx.execute_exactly(&ADD_STOCK, values![T, rows], 1).await
}

/// All goods, without a lock: what a read-only transaction may ask.
pub static GET_STOCK_READ: Statement =
    Statement::new("shop.get_stock_read", "SELECT sku, on_hand FROM stock WHERE tenant_id = $1");
