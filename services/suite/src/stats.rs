//! `countermand stats`: how much is cancelled, and why.

use anyhow::Result;
use clap::{Args, ValueEnum};
use proto::order::v1::{
    CancellationEconomics, CancellationStats, GetCancellationStatsRequest, StatsDimension,
};

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
    let mut sum = cells(&CancellationStats { key: "all".to_owned(), ..total.clone() }, most);
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
    if let Some(costs) = costs(header[0], &stats.rows, &total) {
        say!("\n{costs}");
    }
    Ok(())
}

/// What cancelling has earned and cost beside the goods; nothing where there was neither fee nor label.
fn costs(by: &str, rows: &[CancellationStats], total: &CancellationStats) -> Option<String> {
    let costs = |money: &&CancellationEconomics| money.fee_minor != 0 || money.label_cost_minor != 0;
    let all = CancellationStats { key: "all".to_owned(), ..total.clone() };
    let lines: Vec<Vec<String>> = rows
        .iter()
        .chain([&all])
        .flat_map(|row| row.economics.iter().filter(costs).map(|money| cost_cells(&row.key, money)))
        .collect();
    let header =
        [by, "fees kept", "labels cost", "credit expected", "credit granted", "labels lost", "result"];
    (!lines.is_empty()).then(|| render::table(&header, &[1, 2, 3, 4, 5, 6], lines))
}

fn cost_cells(key: &str, money: &CancellationEconomics) -> Vec<String> {
    let amounts = [
        money.fee_minor,
        money.label_cost_minor,
        money.credit_expected_minor,
        money.credit_granted_minor,
        money.label_lost_minor,
        money.result_minor,
    ];
    let key = if key.is_empty() { render::dim("(none)") } else { key.to_owned() };
    std::iter::once(key).chain(amounts.map(|minor| render::money(&money.currency_code, minor))).collect()
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
    fn fees_and_labels_are_told_by_reason() {
        let money = CancellationEconomics {
            currency_code: "GBP".to_owned(),
            fee_minor: 500,
            label_cost_minor: 1_200,
            credit_granted_minor: 400,
            label_lost_minor: 800,
            result_minor: -300,
            ..CancellationEconomics::default()
        };
        let row =
            CancellationStats { key: "DAMAGED".to_owned(), economics: vec![money], ..Default::default() };

        let told = costs("REASON", std::slice::from_ref(&row), &row).unwrap();

        assert_eq!(
            told,
            "\
REASON   fees kept  labels cost  credit expected  credit granted  labels lost     result
DAMAGED   GBP 5.00    GBP 12.00         GBP 0.00        GBP 4.00     GBP 8.00  GBP -3.00
all       GBP 5.00    GBP 12.00         GBP 0.00        GBP 4.00     GBP 8.00  GBP -3.00"
        );
        assert_eq!(costs("REASON", &[], &CancellationStats::default()), None);
    }

    #[test]
    fn bars_are_in_proportion_and_never_hide_anything() {
        assert_eq!([bar(0, 9), bar(1, 1_000), bar(9, 9)].map(|bar| bar.chars().count()), [0, 1, 24]);
    }
}
