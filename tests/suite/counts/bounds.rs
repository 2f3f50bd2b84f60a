//! What an order may cost at most. A bound is lowered when a change makes orders cheaper, and never raised.

use anyhow::{Result, ensure};

use super::report::{Costs, Report};

/// What is counted, the operation, how it is read, and its bound.
type Bound = (&'static str, fn(&Report) -> &Costs, fn(&Costs) -> f64, f64);

const BOUNDS: [Bound; 8] = [
    ("row writes of a cancellation", |report| &report.cancel, Costs::row_writes, 135.0),
    ("statements of a cancellation", |report| &report.cancel, |costs| costs.statements, 179.0),
    ("bytes of WAL of a cancellation", |report| &report.cancel, |costs| costs.wal_bytes, 76_000.0),
    ("messages of a cancellation", |report| &report.cancel, |costs| costs.grpc_messages, 18.0),
    ("row writes of a partial cancellation", |report| &report.partial, Costs::row_writes, 117.0),
    ("statements of a partial cancellation", |report| &report.partial, |costs| costs.statements, 179.0),
    ("row writes of a placing", |report| &report.place, Costs::row_writes, 84.0),
    ("statements of a placing", |report| &report.place, |costs| costs.statements, 130.0),
];

pub fn hold(report: &Report) -> Result<()> {
    for (what, operation, figure, most) in BOUNDS {
        let counted = figure(operation(report));
        ensure!(counted <= most, "{what}: {counted:.1}, and {most} were enough before");
    }
    Ok(())
}
