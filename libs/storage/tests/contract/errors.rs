use storage::{DbError, Rows, Statement, values};

use crate::world::{MOVE, PUT_STOCK, T, add, shops, stock_up};

#[tokio::test]
async fn both_engines_tell_the_same_kinds_of_errors() {
    static EDIT: Statement =
        Statement::new("test.edit", "UPDATE movement SET delta = 0 WHERE tenant_id = $1");
    static NOTHING: Statement =
        Statement::new("test.nothing", "INSERT INTO stock (tenant_id, sku) VALUES ($1, 'cup')");
    static NONSENSE: Statement = Statement::new("test.nonsense", "SELECT nothing FROM nowhere");
    for database in shops("error_kinds").await {
        stock_up(&database, &[("tea", 1)]).await;
        let one = |row| -> Rows { [row].into_iter().collect() };
        let twice = one(values!["tea", 1, None::<&str>, None::<Vec<u8>>]);
        let orphan = one(values!["mov_1", "absent", 1]);
        let moved = one(values!["mov_2", "tea", 1]);

        let mut tx = database.begin().await.unwrap();
        let unique = tx.execute(&PUT_STOCK, values![T, twice]).await.unwrap_err();
        drop(tx);
        let mut tx = database.begin().await.unwrap();
        let foreign = tx.execute(&MOVE, values![T, orphan]).await.unwrap_err();
        drop(tx);
        let mut tx = database.begin().await.unwrap();
        let check = add(&mut tx, "tea", -2).await.unwrap_err();
        drop(tx);
        let mut tx = database.begin().await.unwrap();
        let null = tx.execute(&NOTHING, values![T]).await.unwrap_err();
        drop(tx);
        let mut tx = database.begin().await.unwrap();
        tx.execute(&MOVE, values![T, moved]).await.unwrap();
        let trigger = tx.execute(&EDIT, values![T]).await.unwrap_err();
        drop(tx);
        let mut tx = database.begin().await.unwrap();
        let nonsense = tx.execute(&NONSENSE, values![]).await.unwrap_err();
        drop(tx);
        let mut tx = database.begin().await.unwrap();
        let hollow = one(values!["t\0a", 1, None::<&str>, None::<Vec<u8>>]);
        let nul_in_a_row = tx.execute(&PUT_STOCK, values![T, hollow]).await.unwrap_err();
        drop(tx);
        let mut tx = database.begin().await.unwrap();
        let nul = tx.execute(&EDIT, values!["defa\0ult"]).await.unwrap_err();

        assert!(matches!(unique, DbError::Unique { statement: "shop.put_stock", .. }), "{unique:?}");
        assert!(matches!(foreign, DbError::ForeignKey { .. }), "{foreign:?}");
        assert!(matches!(check, DbError::Check { .. }), "{check:?}");
        assert!(matches!(null, DbError::Check { .. }), "{null:?}");
        assert!(matches!(trigger, DbError::Check { .. }), "{trigger:?}");
        assert_eq!(nul_in_a_row, DbError::Nul { statement: "shop.put_stock" });
        assert_eq!(nul, DbError::Nul { statement: "test.edit" });
        assert!(matches!(nonsense, DbError::Other { .. }), "{nonsense:?}");
        assert!(!unique.is_retryable() && !nonsense.is_of_the_database());
    }
}
