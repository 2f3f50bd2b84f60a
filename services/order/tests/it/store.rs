//! The store's contract, on both engines.

use std::sync::LazyLock;

use std::collections::BTreeSet;

use order::domain::change::ChangeState;
use order::domain::lifecycle::{self, Submission};
use order::domain::order::{Actor, Order, Placement};
use order::domain::placing;
use order::domain::policy::default_policy;
use order::domain::reason::Catalogue;
use order::store::{self, changes, orders};
use storage::{Database, DbError, Table, testing};
use types::{Clock, Ids, Tenant, Timestamp};

use crate::samples::{cancel_all, new_order};

async fn databases(name: &str) -> Vec<Database> {
    let databases = testing::databases(name).await;
    for database in &databases {
        database.migrate("order", store::MIGRATIONS).await.unwrap();
    }
    databases
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_unix_micros(second * 1_000_000).unwrap()
}

fn open_order(ids: &Ids) -> Order {
    let actor = Actor::system();
    let mut order = placing::place(new_order("order"), Tenant::DEFAULT, actor, ids, at(1)).unwrap().order;
    order.placement = Placement::Open;
    order
}

async fn insert(database: &Database, order: &Order) {
    let mut table = Table::new();
    table.insert(orders::key(order), order.clone());
    let mut tx = database.begin().await.unwrap();
    orders::flush(&mut tx, &table).await.unwrap();
    tx.commit().await.unwrap();
}

fn submission<'a>(request: &'a order::domain::change::ChangeRequest, ids: &Ids) -> Submission<'a> {
    static SEEDS: LazyLock<Catalogue> = LazyLock::new(|| Catalogue::with([]));
    Submission {
        request,
        policy: default_policy(),
        catalogue: &SEEDS,
        quote: None,
        change_order_id: ids.mint(),
        saga_id: ids.mint(),
        actor: Actor::system(),
        now: at(2),
    }
}

#[tokio::test]
async fn orders_and_changes_are_read_as_they_were_written() {
    for database in databases("roundtrip").await {
        let ids = Ids::random(Clock::System);
        let mut order = open_order(&ids);
        insert(&database, &order).await;
        let key = orders::key(&order);

        let mut tx = database.begin().await.unwrap();
        let loaded = orders::lock(&mut tx, &BTreeSet::from([key.clone()])).await.unwrap().pop().unwrap();
        assert_eq!(loaded, order);
        let request = cancel_all(&order.order_id);
        let mut table = Table::new();
        table.load(key.clone(), loaded);
        let (mut change, _) = lifecycle::accept(&mut order, submission(&request, &ids)).unwrap();
        let _ = lifecycle::commit(&mut order, &mut change, at(3)).unwrap();
        table.update(&key, |row| row.clone_from(&order)).unwrap();
        let mut change_table = Table::new();
        change_table.insert(changes::key(&change), change.clone());
        orders::flush(&mut tx, &table).await.unwrap();
        changes::flush(&mut tx, &change_table).await.unwrap();
        tx.commit().await.unwrap();

        let mut tx = database.read().await.unwrap();
        let found = orders::load(&mut tx, &BTreeSet::from([key])).await.unwrap();
        let stored = changes::load(&mut tx, &BTreeSet::from([changes::key(&change)])).await.unwrap();
        tx.rollback().await;
        assert_eq!(found, [order]);
        assert_eq!(stored, [change]);
    }
}

#[tokio::test]
async fn the_database_itself_refuses_a_second_change_before_the_decision() {
    for database in databases("one_changing").await {
        let ids = Ids::random(Clock::System);
        let order = open_order(&ids);
        insert(&database, &order).await;
        let request = cancel_all(&order.order_id);
        let mut table = Table::new();
        for _ in 0..2 {
            let (change, _) = lifecycle::accept(&mut order.clone(), submission(&request, &ids)).unwrap();
            assert_eq!(change.state, ChangeState::Executing);
            table.insert(changes::key(&change), change);
        }

        let mut tx = database.begin().await.unwrap();
        let refused = changes::flush(&mut tx, &table).await.unwrap_err();
        tx.rollback().await;

        assert!(matches!(refused, DbError::Unique { .. }), "{refused}");
    }
}

#[tokio::test]
async fn the_database_itself_keeps_the_partition_of_a_line() {
    for database in databases("partition").await {
        let ids = Ids::random(Clock::System);
        let mut order = open_order(&ids);
        order.lines[0].quantities.cancelled += 1;
        let mut table = Table::new();
        table.insert(orders::key(&order), order);

        let mut tx = database.begin().await.unwrap();
        let refused = orders::flush(&mut tx, &table).await.unwrap_err();
        tx.rollback().await;

        assert!(matches!(refused, DbError::Check { .. }), "{refused}");
    }
}
