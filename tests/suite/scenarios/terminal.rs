//! What a person types and a script relies on: the command itself, its words and its exit codes.

use std::process::{Command, Output};

use anyhow::{Context, Result, ensure};
use proto::order::v1::{ChangeInput, SubmitChangeOrderRequest};
use tests::process::binary;
use tests::shop::card;
use tests::{Shop, Suite, eventually};

use crate::Stage;

/// What `countermand` says to these words, and how it ends.
async fn countermand(suite: &Suite, words: &[&str]) -> Result<(i32, String)> {
    let mut command = Command::new(binary("countermand")?);
    command.args(words).args(suite.address_arguments());
    let output: Output = tokio::task::spawn_blocking(move || command.output()).await??;
    let said =
        [output.stdout, output.stderr].map(|said| String::from_utf8_lossy(&said).into_owned()).concat();
    Ok((output.status.code().context("it was ended")?, said))
}

pub async fn a_script_tells_by_the_exit_code_whether_every_order_of_a_batch_was_cancelled(
    stage: &Stage,
) -> Result<()> {
    let suite = stage.suite().await?;
    let shop = Shop::open(suite.clients()).await?;
    let directory = tempfile::tempdir()?;
    let file = directory.path().join("recalled.txt");
    let path = file.to_str().context("the path is text")?;
    for (unknown, expected) in [("", 0), ("\nNO-SUCH-ORDER", 3)] {
        let order = shop.placed(&shop.sku("LAMP"), 1).await?;
        // As a spreadsheet writes it: with a byte order mark in front.
        std::fs::write(&file, format!("\u{feff}{}{unknown}\n", order.number))?;

        let (code, said) = countermand(suite, &["batch", "cancel", "--file", path]).await?;

        ensure!(code == expected, "it ended with {code}: {said}");
        ensure!(said.contains("1 cancelled"), "the first line is an order's number: {said}");
    }
    Ok(())
}

pub async fn an_item_is_acknowledged_and_a_role_is_tried_at_the_terminal(stage: &Stage) -> Result<()> {
    let suite = stage.suite().await?;
    let shop = Shop::open(suite.clients()).await?;
    let order = shop.placed(&shop.sku("LAMP"), 1).await?;
    let request = SubmitChangeOrderRequest {
        change: Some(ChangeInput {
            force: true,
            ..shop.cancel_request(&order.order_id, &[]).change.unwrap_or_default()
        }),
        ..shop.cancel_request(&order.order_id, &[])
    };
    shop.submit(request).await?;
    let raised = async || Ok(shop.attention(&order.order_id).await?.pop());
    let item = eventually("somebody looks at what was forced", raised).await?;

    let (_, listed) = countermand(suite, &["attention"]).await?;
    ensure!(listed.contains(&item.attention_id) && listed.contains("AcknowledgeAttention"), "{listed}");
    let acknowledge =
        ["attention", "acknowledge", &item.attention_id, "--note", "the customer was on the line"];
    let (code, said) = countermand(suite, &acknowledge).await?;
    ensure!(code == 0 && said.contains("is closed"), "{said}");
    ensure!(shop.attention(&order.order_id).await?.is_empty());
    let (code, said) = countermand(suite, &acknowledge).await?;
    ensure!(code != 0 && said.contains("ALREADY_DECIDED"), "{said}");

    let directory = tempfile::tempdir()?;
    let roles = directory.path().join("roles.json");
    std::fs::write(
        &roles,
        r#"{"porter": {"sees": ["tenant"], "permissions": ["order.read", "cancel.request"]}}"#,
    )?;
    let roles = roles.to_str().context("the path is text")?;
    let tried = ["policy", "simulate", "default", "--roles", roles, "--role", "porter"];
    let (code, said) = countermand(suite, &tried).await?;
    ensure!(code == 0 && said.contains("OrderService/GetOrder"), "{said}");
    // The policy does not name the role, so it keeps nothing of what the policy has a say in.
    ensure!(
        said.lines().any(|line| line.contains("loses to the policy") && line.contains("cancel.request")),
        "{said}"
    );
    Ok(())
}

pub async fn what_failed_is_tried_again_on_a_named_tender_at_the_terminal(stage: &Stage) -> Result<()> {
    let suite = stage.suite().await?;
    let shop = Shop::open(suite.clients()).await?;
    let sku = shop.sku("LAMP");
    shop.receive(&sku, 2).await?;
    let mut request = shop.order_request(&sku, 2, "10.00", 0);
    request.tenders = vec![card("tok_refund_decline", 2_000, true)];
    let order = shop.create(request).await?;
    shop.submit(shop.cancel_request(&order.order_id, &[(1, 1)])).await?;
    let failed = shop.refunds(&order.order_id).await?.pop().context("a refund was tried")?;

    let named =
        ["order", "refund", &order.number, "--retry-of", &failed.refund_id, "--payment", &failed.payment_id];
    let (_, said) = countermand(suite, &named).await?;
    ensure!(said.contains("refund GBP 10.00 declined"), "the one tender declines again: {said}");
    let (code, said) = countermand(suite, &["order", "refund", &order.number, "--amount", "1.005"]).await?;
    ensure!(code != 0 && said.contains("more decimals"), "{said}");
    let (code, said) = countermand(
        suite,
        &["order", "cancel", &order.number, "--staff-note", "twice", "--without-mail-to", "client"],
    )
    .await?;
    ensure!(code == 0, "{said}");
    let (code, said) = countermand(suite, &["order", "show", &order.number]).await?;
    ensure!(code == 0 && said.contains("CANCELLED"), "{said}");
    Ok(())
}
