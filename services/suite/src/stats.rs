//! `countermand stats`: how much is cancelled, and why.

use anyhow::Result;
use clap::{Args, ValueEnum};
use proto::order::v1::{CancellationStats, GetCancellationStatsRequest, StatsDimension};

use crate::clients::Clients;
use crate::render;

/// The longest bar, in characters.
const BAR_WIDTH: i64 = 24;

#[derive(Debug, Args)]
pub struct Wish {
    /// What to count by.
    #[arg(long, value_enum, default_value_t = By::Reason)]
    by: By,
    /// Decided at this instant or later, such as 2026-11-01T00:00:00Z.
    #[arg(long, default_value = "")]
    from: String,
    /// Decided before this instant.
    #[arg(long, default_value = "")]
    before: String,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum By {
    Reason,
    /// Of who asked for it.
    Role,
    Channel,
    Supplier,
    Sku,
    /// The order's state at that moment.
    Stage,
    Day,
}

pub async fn run(clients: &Clients, wish: Wish, json: bool) -> Result<()> {
    let by = match wish.by {
        By::Reason => StatsDimension::Reason,
        By::Role => StatsDimension::Role,
        By::Channel => StatsDimension::Channel,
        By::Supplier => StatsDimension::Supplier,
        By::Sku => StatsDimension::Sku,
        By::Stage => StatsDimension::Stage,
        By::Day => StatsDimension::Day,
    };
    let request = GetCancellationStatsRequest { by: by.into(), from: wish.from, before: wish.before };
    let stats = clients.reports().get_cancellation_stats(request).await?.into_inner();
    if json {
        return render::print_json(&render::proto_json(
            "countermand.order.v1.GetCancellationStatsResponse",
            &stats,
        )?);
    }
    let total = stats.total.unwrap_or_default();
    if total.changes == 0 {
        say!("Nothing was cancelled.");
        return Ok(());
    }
    let most = stats.rows.iter().map(|row| row.orders).max().unwrap_or(1).max(1);
    let mut rows: Vec<Vec<String>> = stats.rows.iter().map(|row| cells(row, most)).collect();
    let mut sum = cells(&CancellationStats { key: "all".to_owned(), ..total }, most);
    // A bar of everything would dwarf the others.
    sum.pop();
    rows.push(sum);
    let header = [
        render::short(by.as_str_name(), "STATS_DIMENSION_"),
        "orders",
        "of",
        "rate",
        "changes",
        "units",
        "gives back",
        "",
    ];
    say!("{}", render::table(&header, &[1, 2, 3, 4, 5, 6], rows));
    Ok(())
}

fn cells(row: &CancellationStats, most: i64) -> Vec<String> {
    let amounts: Vec<String> =
        row.amounts.iter().map(|amount| render::money(&amount.currency_code, amount.amount_minor)).collect();
    let rate = row.rate_basis_points;
    vec![
        if row.key.is_empty() { render::dim("(none)") } else { row.key.clone() },
        render::count(row.orders),
        render::count(row.orders_placed),
        format!("{}.{:02} %", rate / 100, rate % 100),
        render::count(row.changes),
        render::count(row.units),
        amounts.join(" + "),
        bar(row.orders, most),
    ]
}

/// At least one mark for anything that is not nothing.
fn bar(part: i64, most: i64) -> String {
    let length = if part == 0 { 0 } else { (part * BAR_WIDTH / most).max(1) };
    "█".repeat(usize::try_from(length).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_are_in_proportion_and_never_hide_anything() {
        assert_eq!([bar(0, 9), bar(1, 1_000), bar(9, 9)].map(|bar| bar.chars().count()), [0, 1, 24]);
    }
}
