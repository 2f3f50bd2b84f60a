//! What a batch takes back, as tables: money, tenders, labels, articles, shelves.

use proto::order::v1::{Batch, BatchTotals};

use crate::render;

/// Empty ones are left out.
pub fn tables(batch: &Batch) -> Vec<String> {
    let totals = batch.totals.clone().unwrap_or_default();
    [money(&totals), tenders(&totals), labels(&totals), articles(&totals), shelves(&totals)]
        .into_iter()
        .flatten()
        .collect()
}

fn money(totals: &BatchTotals) -> Option<String> {
    let rows = totals.currencies.iter().map(|total| {
        vec![render::count(total.orders), render::money(&total.currency_code, total.amount_minor)]
    });
    table(&["orders", "gives back"], &[0, 1], rows.collect())
}

/// What the estimate foresaw.
fn tenders(totals: &BatchTotals) -> Option<String> {
    let mut rows: Vec<Vec<String>> = totals
        .tenders
        .iter()
        .map(|total| {
            let shown = |minor| render::money(&total.currency_code, minor);
            vec![total.gateway.clone(), shown(total.refund_minor), shown(total.void_minor)]
        })
        .collect();
    if totals.tenders_unknown > 0 {
        let unknown = format!("unknown of {} orders", render::count(totals.tenders_unknown));
        rows.push(vec![unknown, String::new(), String::new()]);
    }
    table(&["tender", "to refund", "to let go"], &[1, 2], rows)
}

fn labels(totals: &BatchTotals) -> Option<String> {
    let rows = totals.labels.iter().map(|total| {
        vec![render::count(total.labels), render::money(&total.currency_code, total.cost_minor)]
    });
    table(&["labels to void", "had cost"], &[0, 1], rows.collect())
}

fn articles(totals: &BatchTotals) -> Option<String> {
    let rows = totals.skus.iter().map(|total| vec![total.sku.clone(), render::count(total.units)]);
    table(&["article", "units"], &[1], rows.collect())
}

fn shelves(totals: &BatchTotals) -> Option<String> {
    let rows = totals.stock.iter().map(|total| {
        let warehouse =
            if total.warehouse_id.is_empty() { "(where it was reserved)" } else { &total.warehouse_id };
        vec![warehouse.to_owned(), total.sku.clone(), render::count(total.units)]
    });
    table(&["back in", "article", "units"], &[2], rows.collect())
}

fn table(header: &[&str], right: &[usize], rows: Vec<Vec<String>>) -> Option<String> {
    (!rows.is_empty()).then(|| render::table(header, right, rows))
}

#[cfg(test)]
mod tests {
    use proto::order::v1::{CurrencyTotal, LabelTotal, SkuTotal, StockTotal, TenderTotal};

    use super::*;

    #[test]
    fn a_dry_run_is_told_by_currency_tender_label_and_shelf() {
        let totals = BatchTotals {
            currencies: vec![CurrencyTotal {
                currency_code: "GBP".to_owned(),
                orders: 1_200,
                amount_minor: 480_000,
            }],
            tenders: vec![TenderTotal {
                gateway: "sandbox".to_owned(),
                currency_code: "GBP".to_owned(),
                refund_minor: 470_000,
                void_minor: 10_000,
            }],
            tenders_unknown: 2,
            labels: vec![LabelTotal { currency_code: "GBP".to_owned(), labels: 3, cost_minor: 1_290 }],
            skus: vec![SkuTotal { sku: "LAMP-7".to_owned(), units: 1_200 }],
            stock: vec![StockTotal {
                warehouse_id: "main".to_owned(),
                sku: "LAMP-7".to_owned(),
                units: 1_197,
            }],
        };

        let text = tables(&Batch { totals: Some(totals), ..Batch::default() }).join("\n\n");

        let expected = "\
orders   gives back
 1,200  GBP 4800.00

tender                 to refund   to let go
sandbox              GBP 4700.00  GBP 100.00
unknown of 2 orders

labels to void   had cost
             3  GBP 12.90

article  units
LAMP-7   1,200

back in  article  units
main     LAMP-7   1,197";
        assert_eq!(text, expected);
    }
}
