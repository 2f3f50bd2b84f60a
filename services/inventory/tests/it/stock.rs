//! Counted stock, and names that try to be something else.

use inventory::domain::{Warehouse, WarehouseKind};
use inventory::ops::{Action, Adjustment, Resource};
use types::{Reason, Tenant};

use crate::world::{applied, sku, warehouse, worlds};

fn set(name: &str, on_hand: i64) -> Action {
    Action::SetStock { warehouse_id: warehouse("main"), sku: sku(name), on_hand }
}

fn adjust(rows: &[(&str, &str, i64)]) -> Action {
    let rows = rows.iter().map(|(at, name, delta)| Adjustment {
        warehouse_id: warehouse(at),
        sku: sku(name),
        delta: *delta,
    });
    Action::AdjustStock(rows.collect())
}

#[tokio::test]
async fn stock_is_never_set_below_what_is_reserved() {
    for world in worlds("stock_set").await {
        world.act("SetStock", set("apple", 5)).await.unwrap();
        world.placed(&[("apple", 4)]).await;

        let refusal = world.act("SetStock", set("apple", 3)).await.unwrap_err();
        assert_eq!(refusal.reason, Reason::StockBelowReserved);
        let refusal = world.act("AdjustStock", adjust(&[("main", "apple", -2)])).await.unwrap_err();
        assert_eq!(refusal.reason, Reason::StockBelowReserved);
        world.act("SetStock", set("apple", 4)).await.unwrap();

        assert_eq!(world.stock("main", "apple").await, (4, 4));
        world.check().await;
    }
}

#[tokio::test]
async fn adjustments_are_summed_by_place_and_done_all_or_none() {
    for world in worlds("stock_adjust").await {
        let rows = [("main", "apple", 3), ("main", "pear", 1), ("main", "apple", -1), ("main", "apple", 5)];
        let Resource::Stock(shown) = world.act("AdjustStock", adjust(&rows)).await.unwrap() else { panic!() };
        let shown: Vec<_> = shown.iter().map(|row| (row.sku.as_str(), row.stock.on_hand)).collect();
        assert_eq!(shown, [("apple", 7), ("pear", 1)]);

        let rows = [("main", "apple", 3), ("main", "pear", -2)];
        let refusal = world.act("AdjustStock", adjust(&rows)).await.unwrap_err();
        assert_eq!(refusal.reason, Reason::QuantityOutOfRange);
        let rows = [("main", "apple", 3), ("nowhere", "apple", 1)];
        let refusal = world.act("AdjustStock", adjust(&rows)).await.unwrap_err();
        assert_eq!(refusal.reason, Reason::ResourceNotFound);

        assert_eq!(world.stock("main", "apple").await, (7, 0));
        assert_eq!(world.stock("main", "pear").await, (1, 0));
        world.act("AdjustStock", adjust(&[("main", "fig", 2), ("main", "fig", -2)])).await.unwrap();
        assert_eq!(world.stock("main", "fig").await, (0, 0));
        world.check().await;
    }
}

#[tokio::test]
async fn a_repeated_request_moves_nothing_and_another_body_is_refused() {
    for world in worlds("stock_repeat").await {
        let request = crate::world::request("AdjustStock", "once", adjust(&[("main", "apple", 3)]));
        let other = crate::world::request("AdjustStock", "once", adjust(&[("main", "apple", 4)]));

        let first = world.inventory.request(request.clone()).await.unwrap().unwrap();
        let second = world.inventory.request(request).await.unwrap().unwrap();
        let refusal = world.inventory.request(other).await.unwrap().unwrap_err();

        assert_eq!(first, second);
        assert_eq!(refusal.reason, Reason::IdempotencyKeyReused);
        assert_eq!(world.stock("main", "apple").await, (3, 0));
        world.check().await;
    }
}

#[tokio::test]
async fn a_refused_request_may_be_tried_again_with_its_id() {
    for world in worlds("stock_retry").await {
        let request = crate::world::request("AdjustStock", "again", adjust(&[("main", "apple", -3)]));
        let refusal = world.inventory.request(request.clone()).await.unwrap().unwrap_err();
        assert_eq!(refusal.reason, Reason::QuantityOutOfRange);
        world.receive("main", "apple", 5).await;

        world.inventory.request(request).await.unwrap().unwrap();

        assert_eq!(world.stock("main", "apple").await, (2, 0));
        world.check().await;
    }
}

#[tokio::test]
async fn hostile_names_are_names() {
    let names = [
        "select",
        "order by",
        "NULL",
        "'; DROP TABLE stock; --",
        "\"quoted\"",
        "back\\slash",
        "$1",
        "{a,\"b\",NULL}",
        "[\"json\"]",
        "percent%_like",
        "a/b",
        "日本語 ☃ 🦀",
        "-0",
        "1e9",
    ];
    for world in worlds("stock_hostile").await {
        for name in names {
            world.warehouse(name, WarehouseKind::Own, 2).await;
            world.receive(name, name, 2).await;
            let order = world.placed(&[(name, 1)]).await;

            assert_eq!(world.stock(name, name).await, (2, 1), "{name}");
            applied(world.step(&order.hold(name, &[1])).await);
            applied(world.step(&order.release(name)).await);
            assert_eq!(world.stock(name, name).await, (2, 0), "{name}");
        }
        // Two places whose parts read the same when joined by a slash.
        world.warehouse("x/y", WarehouseKind::Own, 2).await;
        world.warehouse("x", WarehouseKind::Own, 2).await;
        world.act("AdjustStock", adjust(&[("x/y", "z", 1), ("x", "y/z", 1)])).await.unwrap();
        world.check().await;
    }
}

#[tokio::test]
async fn a_third_partys_stock_is_not_kept_here() {
    for world in worlds("stock_dropship").await {
        world.warehouse("partner", WarehouseKind::Dropship, 9).await;

        let refusal = world.act("AdjustStock", adjust(&[("partner", "kite", 1)])).await.unwrap_err();
        assert_eq!(refusal.reason, Reason::StateConflict);
        let own = Warehouse { kind: WarehouseKind::Own, priority: 1, active: true, integration: None };
        let turn = Action::UpsertWarehouse { id: warehouse("partner"), warehouse: own };
        let refusal = world.act("UpsertWarehouse", turn).await.unwrap_err();
        assert_eq!(refusal.reason, Reason::StateConflict);

        let order = world.placed(&[("kite", 4)]).await;
        applied(world.step(&order.unreserve()).await);
        world.check().await;
    }
}

#[tokio::test]
async fn a_closed_warehouse_is_not_chosen_and_still_gives_back() {
    for world in worlds("stock_closed").await {
        world.receive("main", "apple", 5).await;
        let order = world.placed(&[("apple", 3)]).await;
        let closed = Warehouse { kind: WarehouseKind::Own, priority: 1, active: false, integration: None };
        let close = Action::UpsertWarehouse { id: warehouse("main"), warehouse: closed };
        world.act("UpsertWarehouse", close).await.unwrap();

        let (_, reserve) = world.placing(&[("apple", 1)]);
        assert_eq!(crate::world::reason(world.step(&reserve).await), Reason::InsufficientStock);
        applied(world.step(&order.hold("chg", &[3])).await);
        applied(world.step(&order.release("chg")).await);

        assert_eq!(world.stock("main", "apple").await, (5, 0));
        world.check().await;
    }
}

#[tokio::test]
async fn the_ledger_explains_the_stock() {
    for world in worlds("stock_ledger").await {
        world.act("SetStock", set("apple", 9)).await.unwrap();
        let order = world.placed(&[("apple", 4)]).await;
        let fulfilment = world.create_fulfilment(&order, Vec::new()).await.unwrap();
        world.ship(&fulfilment.id, crate::world::select(&order.lines[0], 1)).await.unwrap();
        applied(world.step(&order.hold("chg", &[3])).await);
        applied(world.step(&order.release("chg")).await);

        let (main, apple) = (warehouse("main"), sku("apple"));
        let ledger = world.inventory.list_ledger(&Tenant::DEFAULT, &main, &apple, 0, 50).await.unwrap();

        let lines: Vec<_> = ledger
            .iter()
            .map(|line| {
                let entry = &line.entry;
                (entry.seq, entry.kind.as_str(), entry.on_hand_delta, entry.reserved_delta)
            })
            .collect();
        let expected = [(1, "set", 9, 0), (2, "reserve", 0, 4), (3, "ship", -1, -1), (4, "release", 0, -3)];
        assert_eq!(lines, expected);
        assert_eq!(ledger[0].reservation_id, "main/apple");
        assert_eq!(ledger[3].saga_id, "chg");
        world.check().await;
    }
}

#[tokio::test]
async fn lists_show_one_tenants_warehouses_and_stock() {
    for world in worlds("stock_lists").await {
        world.warehouse("spare", WarehouseKind::Own, 2).await;
        world.receive("main", "apple", 1).await;
        world.receive("spare", "apple", 2).await;
        let stranger = Tenant::parse("stranger").unwrap();

        let all = world.inventory.list_warehouses(&Tenant::DEFAULT, "", 50).await.unwrap();
        let behind = world.inventory.list_warehouses(&Tenant::DEFAULT, "main", 50).await.unwrap();
        let stock = world.inventory.get_stock(&Tenant::DEFAULT, &sku("apple"), None).await.unwrap();

        assert_eq!((all.len(), behind.len()), (2, 1));
        let on_hand: Vec<_> = stock.iter().map(|(at, stock)| (at.as_str(), stock.on_hand)).collect();
        assert_eq!(on_hand, [("main", 1), ("spare", 2)]);
        assert!(world.inventory.list_warehouses(&stranger, "", 50).await.unwrap().is_empty());
        assert!(world.inventory.get_stock(&stranger, &sku("apple"), None).await.unwrap().is_empty());
    }
}
