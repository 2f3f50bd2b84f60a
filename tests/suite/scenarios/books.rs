//! After everything the other scenarios did to one suite, every equation over the four services holds.

use anyhow::Result;
use tests::{Shop, assert_books_balance};

use crate::Stage;

pub async fn the_books_of_all_scenarios_balance(stage: &Stage) -> Result<()> {
    let suite = stage.suite().await?;
    // Alone, this scenario must not find the books empty.
    let shop = Shop::open(suite.clients()).await?;
    let order = shop.placed(&shop.sku("LAMP"), 2).await?;
    shop.submit(shop.cancel_request(&order.order_id, &[(1, 1)])).await?;

    assert_books_balance(suite).await
}
