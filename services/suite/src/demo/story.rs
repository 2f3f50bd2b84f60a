//! The story: five orders, and what becomes of them.

use anyhow::{Result, ensure};
use proto::order::v1::{ChangeOrderState, OrderState};

use super::scene::Scene;
use crate::clients::Clients;
use crate::orders::{show, timeline};
use crate::render;
use crate::say::one_line;
use crate::verify;

pub async fn tell(clients: &Clients) -> Result<()> {
    let scene = Scene::new(clients);
    chapter(1, "A warehouse receives goods");
    scene.receive_stock().await?;
    print_stock(&scene).await?;

    chapter(2, "An order is cancelled wholly: one card was captured, the other only authorised");
    whole(&scene).await?;

    chapter(3, "Another loses one unit of three, to the penny");
    partial(&scene).await?;

    chapter(4, "A card is declined: what was reserved goes back");
    declined(&scene).await?;

    chapter(5, "A shipped order is no longer cancelled");
    shipped(&scene).await?;

    chapter(6, "The books, after all that");
    print_stock(&scene).await?;
    let report = verify::run(clients).await?;
    say!("\n{}", report.text());
    ensure!(report.holds(), "the books do not balance");
    say!("\nNext: `countermand up`, then docs and grpcurl as in the README.");
    Ok(())
}

async fn whole(scene: &Scene<'_>) -> Result<()> {
    // 2 blankets 98.00 + 4 mugs 30.00 + shipping 4.95 = 132.95
    let tenders = [("tok_approve", 10_000, true), ("tok_approve", 3_295, false)];
    let order = scene.place("DEMO-1", &[(2, 2), (1, 4)], (0, 495), &tenders).await?;
    say!("Before:");
    show::print_order(&order);
    let change = scene.cancel(&order.order_id, &[], "ordered twice").await?;
    say!("\nAfter {}:", change.number);
    show::print_order(&scene.order(&order.order_id).await?);
    say!("\n{}", show::changes_table(&[change]));
    say!("\nWho did what, and why:");
    say!("{}", timeline::table(&timeline::entries(scene.clients, &order.order_id).await?));
    Ok(())
}

async fn partial(scene: &Scene<'_>) -> Result<()> {
    // 3 lanterns 10.17 + 1 mug 7.50 - discount 1.00 + shipping 2.50 = 19.17
    let order = scene.place("DEMO-2", &[(0, 3), (1, 1)], (100, 250), &[("tok_approve", 1_917, true)]).await?;
    let change = scene.cancel(&order.order_id, &[(1, 1)], "one lantern too many").await?;
    show::print_order(&scene.order(&order.order_id).await?);
    say!("\n{}", show::changes_table(std::slice::from_ref(&change)));
    let parts = change.amounts.unwrap_or_default();
    say!(
        "\nOne lantern cost {}; its share of the discount was {}; shipping stays, because goods of the group still ship: {} back.",
        render::money("GBP", parts.gross_minor),
        render::money("GBP", parts.discount_minor),
        render::money("GBP", parts.amount_minor),
    );
    Ok(())
}

async fn declined(scene: &Scene<'_>) -> Result<()> {
    let order = scene.place("DEMO-3", &[(2, 1)], (0, 0), &[("tok_decline", 4_900, true)]).await?;
    ensure!(order.state() == OrderState::PlacementFailed, "a declined card must fail the placement");
    show::print_order(&order);
    say!("\n{}", timeline::table(&timeline::entries(scene.clients, &order.order_id).await?));
    Ok(())
}

async fn shipped(scene: &Scene<'_>) -> Result<()> {
    let order = scene.place("DEMO-4", &[(1, 2)], (0, 0), &[("tok_approve", 1_500, true)]).await?;
    scene.ship(&order.order_id).await?;
    match scene.cancel(&order.order_id, &[], "too late").await {
        Err(status) => {
            say!("SubmitChangeOrder was refused at once:\n  {}", crate::failure::sentence(&status));
        }
        Ok(change) => {
            ensure!(change.state() == ChangeOrderState::Rejected, "a shipped order must not be cancelled");
            let cause = change.cause.unwrap_or_default();
            say!("{} was accepted, lost against the shipment and was put back:", change.number);
            say!("  {} ({})", one_line(&cause.message), cause.reason);
        }
    }
    Ok(())
}

async fn print_stock(scene: &Scene<'_>) -> Result<()> {
    let rows = scene.stock().await?.into_iter().map(|stock| {
        let units = [stock.on_hand, stock.reserved, stock.available].map(|units| units.to_string());
        [vec![stock.sku], units.to_vec()].concat()
    });
    say!("{}", render::table(&["sku", "on hand", "reserved", "available"], &[1, 2, 3], rows));
    Ok(())
}

fn chapter(number: u32, title: &str) {
    say!("\n{}\n", render::heading(&format!("{number}. {title}")));
}
