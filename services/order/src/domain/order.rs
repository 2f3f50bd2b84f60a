//! An order as it is sold: head, lines, delivery groups, and the state derived from them.

use serde::{Deserialize, Serialize};
use types::{ChangeOrderId, Currency, LineId, OrderId, Refusal, Tenant, Timestamp, UnitPrice};

use super::address::Address;
use super::outside::Outside;
use super::position::{Owed, Position};
use super::price_base::PriceBase;
use super::quantities::Quantities;

/// Who did something, as the caller's identity said at that moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Actor {
    pub user: String,
    pub organisation: String,
    pub role: String,
}

impl Actor {
    /// Work that a saga or an event does on nobody's direct request.
    pub fn system() -> Self {
        Self { user: "countermand".to_owned(), organisation: String::new(), role: "system".to_owned() }
    }
}

/// One order with everything that belongs to it. Amounts are minor units of `currency`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Order {
    pub tenant: Tenant,
    pub order_id: OrderId,
    pub number: String,
    pub currency: Currency,
    pub placement: Placement,
    /// When a person or the policy confirmed it.
    pub confirmed_at: Option<Timestamp>,
    /// When work began: the first submission to fulfilment, or StartProcessing.
    pub processing_at: Option<Timestamp>,
    /// When units of it were last reported delivered.
    pub delivered_at: Option<Timestamp>,
    pub created_at: Timestamp,
    /// When it was placed in its own system; informative.
    pub placed_at: Option<Timestamp>,
    pub created_by: Actor,
    pub customer_id: String,
    pub parties: Parties,
    /// Where the goods go, if it was said.
    pub address: Option<Address>,
    /// What all its lines came to: those it was placed with, and those that agreed changes have added.
    pub placed_minor: i64,
    /// What committed changes took off.
    pub reversed_minor: i64,
    pub fees_minor: i64,
    /// What was given back beside the units, out of goodwill.
    pub goodwill_minor: i64,
    /// Counts the decisions about what the order comes to; the payment service is told it with each.
    pub worth_version: i64,
    /// What is owed to the customer, as the payment service last told.
    pub position: Position,
    /// What will be owed once the change that holds the order is committed.
    pub next_position: Option<Position>,
    /// It stands, and its goods wait for the money.
    pub awaits_payment: Option<AwaitedPayment>,
    /// The change that holds the order now.
    pub change_in_progress: Option<ChangeOrderId>,
    /// Moves with every change of the order.
    pub version: i64,
    /// Moves with lines, prices, fees and committed changes only; quotes are bound to it.
    pub pricing_version: i64,
    /// The last sequence number given to an event of this order.
    pub event_seq: i64,
    /// The last sequence number given to an entry of its timeline.
    pub timeline_seq: i64,
    /// How many attention items are open for it.
    pub attention_open: i64,
    /// The change that cancelled the last unit.
    pub cancelled_by_change: Option<ChangeOrderId>,
    /// The order that this one was made of again.
    pub reissue_of: Option<OrderId>,
    /// As the inventory last told.
    pub outside: Outside,
    /// By line number.
    pub lines: Vec<Line>,
    /// By name.
    pub groups: Vec<Group>,
    pub references: Vec<ExternalReference>,
}

/// What is missing of the price of an order that was restored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AwaitedPayment {
    pub missing_minor: i64,
    pub since: Timestamp,
}

/// How far the placing of the order has come; everything else presumes [`Placement::Open`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Placement {
    /// Stock and payment are being arranged.
    Placing,
    Open,
    /// Stock or payment refused, or the order was cancelled meanwhile; everything was put back.
    Failed(Refusal),
}

/// The organisations an order is between.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Parties {
    pub buyer: String,
    pub supplier: String,
    pub source_router: String,
    /// Where the client can be reached; personal data.
    pub client_contact: String,
}

/// The name another system has for the order; unique for ever per tenant.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ExternalReference {
    pub system: String,
    pub reference: String,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    pub line_id: LineId,
    /// 1, 2, 3 … in the order of the request.
    pub line_number: i64,
    pub sku: String,
    pub description: String,
    pub unit_price: UnitPrice,
    pub warehouse_id: Option<String>,
    pub delivery_group: String,
    pub quantities: Quantities,
    pub amounts: LineAmounts,
    /// What committed changes gave back for its goods and tax; what they gave back of shipping stands with its [`Group`].
    pub reversed_minor: i64,
    /// Opened by price adjustments, the last one is in force; none where the frozen amounts are.
    pub bases: Vec<PriceBase>,
    pub progress: Progress,
    /// Set on a child of a bundle.
    pub bundle: Option<InBundle>,
    /// Of a bundle's parent: its article is reserved, too.
    pub own_stock: bool,
}

/// A line's place in a bundle.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InBundle {
    /// The number of the parent's line.
    pub parent: i64,
    /// Units of this line in one unit of the parent.
    pub ratio: i64,
}

/// What a line came to, for all its units, frozen at placement.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct LineAmounts {
    pub gross: i64,
    pub line_discount: i64,
    /// Share of the order's discount.
    pub order_discount: i64,
    /// `gross - line_discount - order_discount`: what was paid for the goods.
    pub goods_net: i64,
    /// The line's own tax and its share of the order's tax.
    pub tax: i64,
    /// The tax is part of `goods_net` and is not paid beside it.
    pub tax_included: bool,
    /// Shares of the delivery group's charge; they count when shipping is given back unit by unit.
    pub shipping: i64,
    pub shipping_tax: i64,
}

/// Inventory's monotone counters, as last heard. They serve previews and decide nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Progress {
    pub allocated: i64,
    pub deallocated: i64,
    pub submitted: i64,
    pub shipped: i64,
    pub unshipped: i64,
}

/// Lines that are delivered together, and what their delivery cost.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    pub delivery_group: String,
    pub shipping_minor: i64,
    pub shipping_tax_minor: i64,
    pub shipping_reversed_minor: i64,
    pub shipping_tax_reversed_minor: i64,
    /// Once a unit was shipped, the charge is not given back with the last unit.
    pub ever_shipped: bool,
}

/// Derived from placement, recorded facts and quantities; nobody sets it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OrderState {
    Placing,
    PlacementFailed,
    Pending,
    Confirmed,
    Processing,
    PartiallyShipped,
    Shipped,
    /// Needs a carrier's scan; until a carrier reports one, no order derives it.
    OutForDelivery,
    PartiallyDelivered,
    Delivered,
    Cancelled,
    Returned,
    ClosedMixed,
}

/// What lists and events show of an order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Summary {
    pub order_id: OrderId,
    pub number: String,
    pub state: OrderState,
    pub currency: Currency,
    pub totals: Totals,
    pub line_count: i64,
    pub units_ordered: i64,
    pub units_cancelled: i64,
    pub customer_id: String,
    pub created_at: Timestamp,
    pub references: Vec<ExternalReference>,
    pub change_in_progress: Option<ChangeOrderId>,
    pub attention_open: bool,
    pub parties: Parties,
    /// What it still has to be paid, in minor units.
    pub missing_minor: i64,
}

/// The money of an order as it stands, in minor units of its currency.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Totals {
    pub placed_minor: i64,
    pub reversed_minor: i64,
    pub fees_minor: i64,
    pub goodwill_minor: i64,
    pub owed: Owed,
}

impl Totals {
    /// What the customer owes now; less than nothing where goodwill came before a cancellation (payment stops at 0).
    pub fn total_minor(self) -> i64 {
        self.placed_minor - self.reversed_minor - self.goodwill_minor
    }
}

impl Order {
    pub fn state(&self) -> OrderState {
        match self.placement {
            Placement::Placing => OrderState::Placing,
            Placement::Failed(_) => OrderState::PlacementFailed,
            Placement::Open => self.units().state(self.confirmed_at.is_some(), self.processing_at.is_some()),
        }
    }

    /// The sum of all lines' quantities.
    pub fn units(&self) -> Quantities {
        self.lines.iter().map(|line| line.quantities).fold(Quantities::default(), Quantities::plus)
    }

    pub fn totals(&self) -> Totals {
        Totals {
            placed_minor: self.placed_minor,
            reversed_minor: self.reversed_minor,
            fees_minor: self.fees_minor,
            goodwill_minor: self.goodwill_minor,
            owed: self.owed(),
        }
    }

    pub fn total_minor(&self) -> i64 {
        self.totals().total_minor()
    }

    pub fn line(&self, line_id: &LineId) -> Option<&Line> {
        self.lines.iter().find(|line| line.line_id == *line_id)
    }

    pub fn line_mut(&mut self, line_id: &LineId) -> Option<&mut Line> {
        self.lines.iter_mut().find(|line| line.line_id == *line_id)
    }

    pub fn group_mut(&mut self, delivery_group: &str) -> Option<&mut Group> {
        self.groups.iter_mut().find(|group| group.delivery_group == delivery_group)
    }

    pub fn summary(&self) -> Summary {
        let units = self.units();
        Summary {
            order_id: self.order_id.clone(),
            number: self.number.clone(),
            state: self.state(),
            currency: self.currency,
            totals: self.totals(),
            line_count: i64::try_from(self.lines.len()).expect("an order has at most a thousand lines"),
            units_ordered: units.ordered,
            units_cancelled: units.cancelled + units.cancelled_after_ship,
            customer_id: self.customer_id.clone(),
            created_at: self.created_at,
            references: self.references.clone(),
            change_in_progress: self.change_in_progress.clone(),
            attention_open: self.attention_open > 0,
            parties: self.parties.clone(),
            missing_minor: self.awaits_payment.map_or(0, |awaited| awaited.missing_minor),
        }
    }
}

impl Quantities {
    /// The sum of two lines; a thousand lines of a million units each stay far below the bound.
    fn plus(self, other: Self) -> Self {
        Self {
            ordered: self.ordered + other.ordered,
            open: self.open + other.open,
            cancel_pending: self.cancel_pending + other.cancel_pending,
            cancel_pending_shipped: self.cancel_pending_shipped + other.cancel_pending_shipped,
            cancelled: self.cancelled + other.cancelled,
            fulfilled: self.fulfilled + other.fulfilled,
            cancelled_after_ship: self.cancelled_after_ship + other.cancelled_after_ship,
            returned: self.returned + other.returned,
            delivered: self.delivered + other.delivered,
        }
    }

    /// The state of an open order with these units in all.
    fn state(self, confirmed: bool, processing: bool) -> OrderState {
        if self.cancelled + self.cancelled_after_ship == self.ordered {
            OrderState::Cancelled
        } else if self.returned == self.ordered {
            OrderState::Returned
        } else if self.net() == 0 {
            OrderState::ClosedMixed
        } else if self.fulfilled > 0 {
            self.state_when_shipping()
        } else if processing {
            OrderState::Processing
        } else if confirmed {
            OrderState::Confirmed
        } else {
            OrderState::Pending
        }
    }

    fn state_when_shipping(self) -> OrderState {
        let all_shipped = self.open + self.cancel_pending == 0;
        match (all_shipped, self.delivered) {
            (true, delivered) if delivered == self.fulfilled => OrderState::Delivered,
            (true, 0) => OrderState::Shipped,
            (false, 0) => OrderState::PartiallyShipped,
            (true | false, _) => OrderState::PartiallyDelivered,
        }
    }
}

impl OrderState {
    pub const ALL: [Self; 13] = [
        Self::Placing,
        Self::PlacementFailed,
        Self::Pending,
        Self::Confirmed,
        Self::Processing,
        Self::PartiallyShipped,
        Self::Shipped,
        Self::OutForDelivery,
        Self::PartiallyDelivered,
        Self::Delivered,
        Self::Cancelled,
        Self::Returned,
        Self::ClosedMixed,
    ];

    /// The text that is stored.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Placing => "placing",
            Self::PlacementFailed => "placement_failed",
            Self::Pending => "pending",
            Self::Confirmed => "confirmed",
            Self::Processing => "processing",
            Self::PartiallyShipped => "partially_shipped",
            Self::Shipped => "shipped",
            Self::OutForDelivery => "out_for_delivery",
            Self::PartiallyDelivered => "partially_delivered",
            Self::Delivered => "delivered",
            Self::Cancelled => "cancelled",
            Self::Returned => "returned",
            Self::ClosedMixed => "closed_mixed",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == text)
    }
}
