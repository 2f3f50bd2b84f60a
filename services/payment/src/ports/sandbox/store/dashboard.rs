//! What happens at the gateway without us: refunds made by hand, disputes, and the ends of refunds
//! that were left pending.

use storage::{DbError, Statement, Tx, values};
use types::{PaymentId, Tenant, Timestamp};

use super::Outcome;
use crate::domain::gateway::{Answer, DisputeState, FoundDispute, FoundRefund};

static INSERT_REFUND: Statement = Statement::new(
    "sandbox.insert_side_refund",
    "INSERT INTO gateway_side_refund (tenant_id, gateway_reference, payment_id, amount_minor, at)
     VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING",
);

static REFUNDS: Statement = Statement::new(
    "sandbox.side_refunds",
    "SELECT gateway_reference, amount_minor FROM gateway_side_refund
      WHERE tenant_id = $1 AND payment_id = $2 ORDER BY gateway_reference",
);

/// Whoever gives back locks what was captured first.
static CAPTURED: Statement = Statement::new(
    "sandbox.lock_captured",
    "SELECT amount_minor FROM gateway_effect
      WHERE tenant_id = $1 AND payment_id = $2 AND kind = 'capture' AND outcome = 'applied' ORDER BY key FOR UPDATE",
);

static GIVEN_BACK: Statement = Statement::new(
    "sandbox.given_back",
    "SELECT CAST(COALESCE(SUM(amount_minor), 0) AS BIGINT) AS amount_minor FROM (
        SELECT amount_minor FROM gateway_effect
         WHERE tenant_id = $1 AND payment_id = $2 AND kind = 'refund' AND outcome IN ('applied', 'pending')
        UNION ALL
        SELECT amount_minor FROM gateway_side_refund WHERE tenant_id = $1 AND payment_id = $2) AS refunds",
);

static UPSERT_DISPUTE: Statement = Statement::new(
    "sandbox.upsert_dispute",
    "INSERT INTO gateway_dispute (tenant_id, gateway_reference, payment_id, amount_minor, state, at)
     VALUES ($1, $2, $3, $4, $5, $6)
     ON CONFLICT (tenant_id, gateway_reference) DO UPDATE SET state = excluded.state, at = excluded.at",
);

static DISPUTES: Statement = Statement::new(
    "sandbox.disputes",
    "SELECT gateway_reference, amount_minor, state FROM gateway_dispute
      WHERE tenant_id = $1 AND payment_id = $2 ORDER BY gateway_reference",
);

static END_REFUND: Statement = Statement::new(
    "sandbox.end_refund",
    "UPDATE gateway_effect SET outcome = $3, detail = $4, changes_at = 0, notice = 1
      WHERE tenant_id = $1 AND key = $2 AND kind = 'refund' AND outcome = $5",
);

/// How a refund ends that the simulator was told to end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    Succeeded,
    Failed,
    /// After it had succeeded.
    FailedAfter,
}

impl End {
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "succeeded" => Some(Self::Succeeded),
            "failed" => Some(Self::Failed),
            "failed_after" => Some(Self::FailedAfter),
            _ => None,
        }
    }

    /// From which outcome to which, and why if that is bad news.
    const fn change(self) -> (Outcome, Outcome, &'static str) {
        match self {
            Self::Succeeded => (Outcome::Pending, Outcome::Applied, ""),
            Self::Failed => (Outcome::Pending, Outcome::Declined, "the bank refused the money"),
            Self::FailedAfter => (Outcome::Applied, Outcome::FailedAfter, "the bank sent the money back"),
        }
    }
}

/// One dispute as the bank sees it now; the reference tells two of one payment apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Disputed {
    pub payment_id: PaymentId,
    pub dispute: FoundDispute,
}

/// False if there is no such refund in the state that this ends.
pub async fn end_refund(tx: &mut Tx, tenant: &Tenant, key: &str, end: End) -> Result<bool, DbError> {
    let (from, to, detail) = end.change();
    Ok(tx.execute(&END_REFUND, values![tenant, key, to.as_str(), detail, from.as_str()]).await? == 1)
}

/// What is left of the payment's captures, which are locked until the commit.
pub async fn left(tx: &mut Tx, tenant: &Tenant, payment_id: &PaymentId) -> Result<i64, DbError> {
    let mut captured = 0;
    for row in tx.fetch_all(&CAPTURED, values![tenant, payment_id]).await? {
        captured += row.int("amount_minor")?;
    }
    let back = tx.fetch_one(&GIVEN_BACK, values![tenant, payment_id]).await?.int("amount_minor")?;
    Ok(captured - back)
}

/// A repeat with the same reference is the same refund.
pub async fn insert_refund(
    tx: &mut Tx,
    tenant: &Tenant,
    payment_id: &PaymentId,
    refund: (&str, i64),
    at: Timestamp,
) -> Result<(), DbError> {
    let (reference, amount_minor) = refund;
    tx.execute(&INSERT_REFUND, values![tenant, reference, payment_id, amount_minor, at]).await?;
    Ok(())
}

pub async fn refunds(
    tx: &mut Tx,
    tenant: &Tenant,
    payment_id: &PaymentId,
) -> Result<Vec<FoundRefund>, DbError> {
    let rows = tx.fetch_all(&REFUNDS, values![tenant, payment_id]).await?;
    rows.iter()
        .map(|row| {
            let gateway_reference = row.text("gateway_reference")?;
            let answer = Answer::Done { reference: gateway_reference.clone() };
            let amount_minor = row.int("amount_minor")?;
            Ok(FoundRefund { gateway_reference, refund_id: None, amount_minor, answer })
        })
        .collect()
}

pub async fn put_dispute(
    tx: &mut Tx,
    tenant: &Tenant,
    disputed: &Disputed,
    at: Timestamp,
) -> Result<(), DbError> {
    let FoundDispute { gateway_reference, amount_minor, state } = &disputed.dispute;
    let row = values![tenant, gateway_reference, &disputed.payment_id, *amount_minor, state.as_str(), at];
    tx.execute_exactly(&UPSERT_DISPUTE, row, 1).await
}

pub async fn disputes(
    tx: &mut Tx,
    tenant: &Tenant,
    payment_id: &PaymentId,
) -> Result<Vec<FoundDispute>, DbError> {
    let rows = tx.fetch_all(&DISPUTES, values![tenant, payment_id]).await?;
    rows.iter()
        .map(|row| {
            Ok(FoundDispute {
                gateway_reference: row.text("gateway_reference")?,
                amount_minor: row.int("amount_minor")?,
                state: row.named("state", DisputeState::parse)?,
            })
        })
        .collect()
}
