//! Batches: many orders cancelled together, each for itself. What an item does is fixed before it is first tried, so
//! that trying again asks for the same.

pub mod means;

use serde::{Deserialize, Serialize};
use types::{BatchId, ChangeOrderId, OrderId, Quantity, Reason, Refusal, RequestId, Tenant, Timestamp};

use self::means::Rates;
use crate::domain::bundling::parent_of;
use crate::domain::change::{ChangeOrder, ChangeRequest, ChangeState, Channel, LabelAction};
use crate::domain::order::{Actor, Line, Order, OrderState};

/// The most orders of one batch.
pub const ITEMS_MAX: usize = 10_000;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Batch {
    pub tenant: Tenant,
    pub batch_id: BatchId,
    pub state: BatchState,
    /// The article whose open lines are cancelled; empty where whole orders are.
    pub sku: String,
    pub reason_code: String,
    pub note: String,
    /// Voiding concerns the orders that have a label.
    pub label_action: LabelAction,
    pub rates: Rates,
    pub items: i64,
    /// Its changes are made with the authority of whoever made it.
    pub created_by: Actor,
    pub created_at: Timestamp,
    pub finished_at: Option<Timestamp>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum BatchState {
    /// Finding out what it would do.
    Estimating,
    Estimated,
    Running,
    Paused,
    Completed,
}

/// One order of a batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    pub item_number: i64,
    /// The id or number that was given.
    pub named: String,
    /// None where there is no such order.
    pub order_id: Option<OrderId>,
    pub state: ItemState,
    pub estimate: Option<Estimate>,
    /// The units that are submitted; None for the whole order, and before they are fixed.
    pub lines: Option<Vec<PlannedLine>>,
    /// Fixed together with the units.
    pub label_action: LabelAction,
    /// Who had goods of the order when it was last looked at; empty for nobody.
    pub integration: String,
    /// When it was fixed, by the database's clock in microseconds; 0 before.
    pub fixed_at: i64,
    pub change_order_id: Option<ChangeOrderId>,
    pub cause: Option<Refusal>,
    pub currency: String,
    pub amount_minor: i64,
    pub units: i64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlannedLine {
    pub line_number: i64,
    pub units: i64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ItemState {
    Waiting,
    /// What it does is fixed, and it is being submitted.
    Submitting,
    /// Its change was accepted.
    Executing,
    Cancelled,
    /// Nothing was left to cancel.
    AlreadyCancelled,
    Refused,
}

/// How an item would end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Estimate {
    Cancelled,
    AlreadyCancelled,
    Refused,
}

/// How many items of a batch stand where.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    pub waiting: i64,
    pub cancelled: i64,
    pub already_cancelled: i64,
    pub refused: i64,
}

#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Totals {
    pub currencies: Vec<CurrencyTotal>,
    pub skus: Vec<(String, i64)>,
    /// What the estimate foresaw; empty without one.
    pub tenders: Vec<TenderTotal>,
    pub tenders_unknown: i64,
    pub labels: Vec<LabelTotal>,
    pub stock: Vec<StockTotal>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TenderTotal {
    pub gateway: String,
    pub currency: String,
    pub refund_minor: i64,
    pub void_minor: i64,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LabelTotal {
    pub currency: String,
    pub labels: i64,
    pub cost_minor: i64,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StockTotal {
    pub warehouse_id: String,
    pub sku: String,
    pub units: i64,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CurrencyTotal {
    pub currency: String,
    pub orders: i64,
    pub amount_minor: i64,
}

/// A batch as it is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BatchView {
    pub batch: Batch,
    pub counts: Counts,
    pub totals: Totals,
}

impl Batch {
    /// The name under which an item's change is asked for, however often.
    pub fn request_id(&self, item: &Item) -> RequestId {
        let name = format!("{}/{}", self.batch_id, item.item_number);
        RequestId::parse(&name).expect("an id and a number are a request id")
    }

    /// What an item that was fixed asks for.
    pub fn request(&self, item: &Item, order_id: &OrderId) -> Result<ChangeRequest, Refusal> {
        let (reason, note) = (&self.reason_code, &self.note);
        let request = match &item.lines {
            None => ChangeRequest::whole(order_id, Channel::Batch, reason, note),
            Some(lines) => {
                let lines = lines
                    .iter()
                    .map(|line| Ok((line.line_number, Quantity::parse(line.units)?)))
                    .collect::<Result<Vec<_>, types::QuantityError>>()?;
                ChangeRequest::of_lines(order_id, &lines, Channel::Batch, reason, note)
            }
        };
        Ok(ChangeRequest { label_action: item.label_action, ..request })
    }

    /// Fixes what a waiting item does, or ends it: there may be no such order, or nothing left of it.
    #[must_use]
    pub fn fixed(&self, item: Item, order: Option<&Order>) -> Item {
        let Some(order) = order else {
            let cause = Refusal::not_found("Order", &item.named);
            return Item { state: ItemState::Refused, cause: Some(cause), ..item };
        };
        let voids = self.label_action == LabelAction::Void && order.outside.has_label();
        let item = Item {
            order_id: Some(order.order_id.clone()),
            label_action: if voids { LabelAction::Void } else { LabelAction::Keep },
            integration: order.outside.integration().to_owned(),
            ..item
        };
        if order.state() == OrderState::Cancelled {
            return Item { state: ItemState::AlreadyCancelled, cause: None, ..item };
        }
        if self.sku.is_empty() {
            return Item { state: ItemState::Submitting, cause: None, lines: None, ..item };
        }
        let open = |line: &&Line| line.sku == self.sku && line.quantities.open > 0;
        let (parts, own): (Vec<&Line>, Vec<&Line>) =
            order.lines.iter().filter(open).partition(|line| self.is_unpaid_part(order, line));
        let lines: Vec<PlannedLine> = own
            .iter()
            .map(|line| PlannedLine { line_number: line.line_number, units: line.quantities.open })
            .collect();
        if let (Some(part), true) = (parts.first(), lines.is_empty()) {
            let message = format!(
                "line {} is part of a bundle whose price stands on the bundle: taking it out would give nothing \
                 back; cancel the bundle",
                part.line_number
            );
            let cause = Refusal::new(Reason::StateConflict, message).detail("line_id", &part.line_id);
            return Item { state: ItemState::Refused, cause: Some(cause), ..item };
        }
        if lines.is_empty() {
            return Item { state: ItemState::AlreadyCancelled, cause: None, ..item };
        }
        Item { state: ItemState::Submitting, cause: None, lines: Some(lines), ..item }
    }

    /// A part that would leave its bundle for nothing: the bundle stays sold, and has the whole price. Where the policy has
    /// divided the price over the parts, a part goes for its own.
    fn is_unpaid_part(&self, order: &Order, line: &Line) -> bool {
        let stays = parent_of(order, line)
            .is_some_and(|parent| parent.quantities.net() > 0 && parent.sku != self.sku);
        stays && line.amounts.goods_net == 0
    }

    /// Starts or goes on; what runs already, or is done, stays as it is.
    pub fn resumed(&self) -> Result<BatchState, Refusal> {
        match self.state {
            BatchState::Estimated | BatchState::Paused | BatchState::Running => Ok(BatchState::Running),
            BatchState::Completed => Ok(BatchState::Completed),
            BatchState::Estimating => {
                Err(Refusal::new(Reason::StateConflict, "the batch is still finding out what it would do"))
            }
        }
    }

    /// Stops after the items in hand.
    pub fn paused(&self) -> Result<BatchState, Refusal> {
        match self.state {
            BatchState::Running | BatchState::Paused => Ok(BatchState::Paused),
            BatchState::Completed => Ok(BatchState::Completed),
            BatchState::Estimating | BatchState::Estimated => {
                Err(Refusal::new(Reason::StateConflict, "the batch has not been started"))
            }
        }
    }
}

impl Item {
    /// Ends an item by the state its change has come to, or leaves it executing.
    #[must_use]
    pub fn followed(self, change: &ChangeOrder, currency: &str) -> Self {
        let change_order_id = Some(change.change_order_id.clone());
        let item = Self { change_order_id, currency: currency.to_owned(), ..self };
        match change.state {
            ChangeState::Draft | ChangeState::Requested | ChangeState::Executing | ChangeState::Unwinding => {
                Self { state: ItemState::Executing, ..item }
            }
            ChangeState::Declined | ChangeState::Expired | ChangeState::Withdrawn | ChangeState::Rejected => {
                let ended = || {
                    let message = format!("the change ended {}", change.state.as_str());
                    Refusal::new(Reason::StateConflict, message)
                };
                let cause = change.cause.clone().unwrap_or_else(ended);
                Self { state: ItemState::Refused, cause: Some(cause), ..item }
            }
            ChangeState::Settling | ChangeState::Completed | ChangeState::CompletedWithExceptions => Self {
                state: ItemState::Cancelled,
                cause: None,
                amount_minor: change.amounts.amount,
                units: change.lines.iter().map(|line| line.quantity).sum(),
                ..item
            },
        }
    }

    /// Ends an item that was refused. Nothing left to cancel is what was wanted.
    #[must_use]
    pub fn refused(self, refusal: Refusal) -> Self {
        if refusal.reason == Reason::NothingToCancel {
            return Self { state: ItemState::AlreadyCancelled, cause: None, ..self };
        }
        Self { state: ItemState::Refused, cause: Some(refusal), ..self }
    }

    pub fn is_over(&self) -> bool {
        match self.state {
            ItemState::Waiting | ItemState::Submitting | ItemState::Executing => false,
            ItemState::Cancelled | ItemState::AlreadyCancelled | ItemState::Refused => true,
        }
    }
}

impl BatchState {
    pub const ALL: [Self; 5] =
        [Self::Estimating, Self::Estimated, Self::Running, Self::Paused, Self::Completed];

    /// The text that is stored.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Estimating => "estimating",
            Self::Estimated => "estimated",
            Self::Running => "running",
            Self::Paused => "paused",
            Self::Completed => "completed",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == text)
    }

    /// Whether its figures are what it would do, not what it did.
    pub const fn is_forecast(self) -> bool {
        match self {
            Self::Estimating | Self::Estimated => true,
            Self::Running | Self::Paused | Self::Completed => false,
        }
    }
}

impl ItemState {
    pub const ALL: [Self; 6] = [
        Self::Waiting,
        Self::Submitting,
        Self::Executing,
        Self::Cancelled,
        Self::AlreadyCancelled,
        Self::Refused,
    ];

    /// The text that is stored.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Submitting => "submitting",
            Self::Executing => "executing",
            Self::Cancelled => "cancelled",
            Self::AlreadyCancelled => "already_cancelled",
            Self::Refused => "refused",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == text)
    }
}

impl Estimate {
    pub const ALL: [Self; 3] = [Self::Cancelled, Self::AlreadyCancelled, Self::Refused];

    /// The text that is stored.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Cancelled => "cancelled",
            Self::AlreadyCancelled => "already_cancelled",
            Self::Refused => "refused",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|estimate| estimate.as_str() == text)
    }
}
