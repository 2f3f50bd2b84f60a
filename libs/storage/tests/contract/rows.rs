use storage::{DbError, Rows, Statement, Value, values};

use crate::world::{ADD_STOCK, GET_STOCK, MOVE, MOVED, PUT_STOCK, T, add, on_hand, shops, stock_up};

/// Sku, units, note, picture.
type Good = (&'static str, i64, Option<&'static str>, Option<Vec<u8>>);

#[tokio::test]
async fn a_batch_of_rows_arrives_as_it_was_bound() {
    for database in shops("rows").await {
        let mut goods: Vec<Good> = vec![
            ("a", 0, None, None),
            ("b\"[{'\\", i64::MAX, Some("quote \" and ' and \\ and \n"), Some(vec![])),
            ("ç漢😀", 7, Some(""), Some((0..=255).collect())),
            ("null", 1, Some("null"), Some(b"null".to_vec())),
        ];
        let rows: Rows = goods
            .iter()
            .map(|(sku, units, note, picture)| values![*sku, *units, *note, picture.clone()])
            .collect();

        let mut tx = database.begin().await.unwrap();
        tx.execute_exactly(&PUT_STOCK, values![T, rows], 4).await.unwrap();
        let mut read = tx.fetch_all(&GET_STOCK, values![T]).await.unwrap();
        tx.commit().await.unwrap();

        read.sort_by_key(|row| row.text("sku").unwrap());
        goods.sort_by_key(|good| good.0);
        for (row, (sku, units, note, picture)) in read.iter().zip(goods) {
            assert_eq!(row.text("sku").unwrap(), sku);
            assert_eq!(row.int("on_hand").unwrap(), units);
            assert_eq!(row.opt_text("note").unwrap().as_deref(), note);
            assert_eq!(row.opt_bytes("picture").unwrap(), picture);
        }
    }
}

#[tokio::test]
async fn an_empty_batch_is_no_rows() {
    for database in shops("empty_batch").await {
        let mut tx = database.begin().await.unwrap();

        let touched = tx.execute(&PUT_STOCK, values![T, Rows::default()]).await.unwrap();

        assert_eq!(touched, 0);
        assert!(tx.fetch_all(&GET_STOCK, values![T]).await.unwrap().is_empty());
    }
}

#[tokio::test]
async fn single_nulls_bind_with_their_types() {
    static NULLS: Statement = Statement::new(
        "test.nulls",
        "SELECT CAST($1 AS TEXT) AS t, CAST($2 AS BIGINT) AS i, CAST($3 AS BYTEA) AS b, CAST($4 AS BIGINT) AS n",
    );
    for database in shops("nulls").await {
        let mut tx = database.read().await.unwrap();

        let values = values![None::<&str>, None::<i64>, None::<Vec<u8>>, i64::MIN];
        let row = tx.fetch_one(&NULLS, values).await.unwrap();

        assert_eq!(row.opt_text("t").unwrap(), None);
        assert_eq!(row.opt_int("i").unwrap(), None);
        assert_eq!(row.opt_bytes("b").unwrap(), None);
        assert_eq!(row.int("n").unwrap(), i64::MIN);
        assert!(matches!(row.text("t"), Err(DbError::Malformed { .. })), "an unexpected NULL is an error");
        assert!(matches!(row.int("absent"), Err(DbError::Malformed { .. })));
    }
}

/// A set-based UPDATE applies one of several rows with the same key, so the caller sums them first. The count gives
/// away the caller that forgot.
#[tokio::test]
async fn the_same_sku_three_times_is_summed_by_the_caller() {
    for database in shops("same_sku").await {
        stock_up(&database, &[("tea", 10), ("cup", 10)]).await;
        let lines = [("tea", -1), ("cup", -1), ("tea", -2), ("tea", -3)];

        let mut tx = database.begin().await.unwrap();
        let unsummed: Rows = lines.iter().map(|(sku, delta)| values![*sku, *delta]).collect();
        let forgot = tx.execute_exactly(&ADD_STOCK, values![T, unsummed], 4).await;
        tx.rollback().await;

        let mut sums = std::collections::BTreeMap::<&str, i64>::new();
        for (sku, delta) in lines {
            *sums.entry(sku).or_default() += delta;
        }
        let summed: Rows = sums.iter().map(|(sku, delta)| values![*sku, *delta]).collect();
        let mut tx = database.begin().await.unwrap();
        tx.execute_exactly(&ADD_STOCK, values![T, summed], 2).await.unwrap();
        tx.commit().await.unwrap();

        assert_eq!(forgot, Err(DbError::RowCount { statement: "shop.add_stock", expected: 4, actual: 2 }));
        assert_eq!(on_hand(&database, "tea").await, 4);
        assert_eq!(on_hand(&database, "cup").await, 9);
    }
}

#[tokio::test]
async fn a_row_count_that_does_not_match_can_not_be_committed() {
    for database in shops("row_count").await {
        stock_up(&database, &[("tea", 10)]).await;
        let mut tx = database.begin().await.unwrap();
        add(&mut tx, "tea", 5).await.unwrap();

        let missing = add(&mut tx, "absent", 5).await;
        let committed = tx.commit().await;

        assert_eq!(missing, Err(DbError::RowCount { statement: "shop.add_stock", expected: 1, actual: 0 }));
        assert!(matches!(committed, Err(DbError::Other { .. })));
        assert_eq!(on_hand(&database, "tea").await, 10);
    }
}

#[tokio::test]
async fn a_batch_that_does_not_fit_its_statement_is_refused_on_both_engines_alike() {
    for database in shops("misfit").await {
        let batch = |row: Vec<Value>| -> Rows { [row].into_iter().collect() };
        let misfits = [
            values![T, batch(values!["tea", "ten", None::<&str>, None::<Vec<u8>>])],
            values![T, batch(values!["tea", 10])],
            values![T],
            values![T, "tea"],
            values![batch(values!["tea", 10]), T],
        ];
        for values in misfits {
            let mut tx = database.begin().await.unwrap();

            let refused = tx.execute(&PUT_STOCK, values).await;

            assert!(matches!(refused, Err(DbError::Malformed { .. })), "{refused:?}");
        }
    }
}

#[tokio::test]
async fn one_row_is_one_row() {
    for database in shops("one_row").await {
        stock_up(&database, &[("cup", 1), ("tea", 2)]).await;
        let counted = |actual| DbError::RowCount { statement: "shop.get_stock", expected: 1, actual };

        let mut tx = database.begin().await.unwrap();
        let two = tx.fetch_one(&GET_STOCK, values![T]).await.err();
        tx.rollback().await;
        let mut tx = database.begin().await.unwrap();
        let none = tx.fetch_one(&GET_STOCK, values!["other"]).await.err();
        tx.rollback().await;
        let mut tx = database.begin().await.unwrap();
        let optional = tx.fetch_optional(&GET_STOCK, values!["other"]).await.unwrap();

        assert_eq!(two, Some(counted(2)));
        assert_eq!(none, Some(counted(0)));
        assert!(optional.is_none());
    }
}

/// SQLite takes small batches in another way than large ones.
#[tokio::test]
async fn every_size_of_a_batch_arrives_whole() {
    static COUNT: Statement = Statement::new(
        "test.count",
        "SELECT COUNT(*) AS count, CAST(SUM(n) AS BIGINT) AS sum FROM rows($2: id text, n bigint) WHERE id <> $1",
    );
    for database in shops("sizes").await {
        let mut tx = database.read().await.unwrap();
        for size in [1, 2, 3, 4, 5, 127, 128, 129, 255, 256, 257, 1_000_i64] {
            let rows: Rows = (1..=size).map(|n| values![format!("row{n}"), n]).collect();

            let row = tx.fetch_one(&COUNT, values!["row1", rows]).await.unwrap();

            assert_eq!(row.int("count").unwrap(), size - 1);
            assert_eq!(row.opt_int("sum").unwrap().unwrap_or(0), size * (size + 1) / 2 - 1);
        }
    }
}

#[tokio::test]
async fn a_missing_value_is_not_taken_for_null() {
    static PAIR: Statement =
        Statement::new("test.pair", "SELECT CAST($1 AS TEXT) AS a, CAST($2 AS TEXT) AS b");
    for database in shops("missing_value").await {
        for values in [values![], values!["a"], values!["a", "b", "c"]] {
            let mut tx = database.read().await.unwrap();

            let refused = tx.fetch_all(&PAIR, values).await;

            assert!(matches!(refused, Err(DbError::Malformed { .. })), "{refused:?}");
        }
    }
}

#[tokio::test]
async fn a_large_batch_is_one_statement() {
    for database in shops("large_batch").await {
        stock_up(&database, &[("tea", 0)]).await;
        let rows: Rows = (0..20_000_i64).map(|n| values![format!("mov_{n}"), "tea", n]).collect();

        let mut tx = database.begin().await.unwrap();
        tx.execute_exactly(&MOVE, values![T, rows], 20_000).await.unwrap();
        let sum = tx.fetch_one(&MOVED, values![T]).await.unwrap();
        tx.commit().await.unwrap();

        assert_eq!(sum.int("delta").unwrap(), 20_000 * 19_999 / 2);
        assert_eq!(sum.int("count").unwrap(), 20_000);
    }
}

#[tokio::test]
async fn an_upsert_takes_rows_where_true() {
    static UPSERT: Statement = Statement::new(
        "test.upsert",
        "INSERT INTO stock (tenant_id, sku, on_hand)
         SELECT $1, sku, on_hand FROM rows($2: sku text, on_hand bigint) WHERE true
         ON CONFLICT (tenant_id, sku) DO UPDATE SET on_hand = stock.on_hand + excluded.on_hand
         RETURNING sku, on_hand",
    );
    for database in shops("upsert").await {
        stock_up(&database, &[("tea", 10)]).await;
        let rows: Rows = [values!["tea", 1], values!["cup", 2]].into_iter().collect();

        let mut tx = database.begin().await.unwrap();
        let mut rows = tx.fetch_all(&UPSERT, values![T, rows]).await.unwrap();
        tx.commit().await.unwrap();

        rows.sort_by_key(|row| row.text("sku").unwrap());
        let units: Vec<i64> = rows.iter().map(|row| row.int("on_hand").unwrap()).collect();
        assert_eq!(units, [2, 11]);
    }
}

#[tokio::test]
async fn the_clock_of_the_database_is_now_and_stands_still_in_a_transaction() {
    static NOW: Statement = Statement::new("test.now", "SELECT db_now() AS now");
    for database in shops("clock").await {
        let mut tx = database.read().await.unwrap();

        let first = tx.db_now().await.unwrap();
        let row = tx.fetch_one(&NOW, values![]).await.unwrap();
        let second = tx.db_now().await.unwrap();

        assert_eq!(first, second);
        assert!(row.int("now").unwrap() >= first);
        let our_clock = types::Clock::System.now().unix_micros();
        assert!((our_clock - first).abs() < 60_000_000, "both are microseconds since 1970");
    }
}
