//! Lives a life through the real services: places the order, takes each step, and asks after every one whether the order's
//! own books still hold.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use proto::common::v1::Wait;
use proto::inventory::v1::{PartnerTask, PartnerTaskState, PartnerWord};
use proto::order::v1::{
    ChangeOrder, ChangeOrderState, CreateOrderRequest, LineInput, LineTax, ListChangeOrdersRequest, Order,
    OrderState, Parties, ShippingInput, TenderInput, VerifyOrderRequest,
};
use proto::payment::v1::{ListPaymentsRequest, Payment};
use tests::Shop;
use tests::outside::PARTNER;
use tests::shop::reason;
use tonic::{Code, Status};

use super::life::{Birth, Card, Deed, Goods, Life};
use super::simulator::Simulator;
use crate::scenarios::proposals::{BUYER, SUPPLIER};

/// How long an order may take to come to rest after its last step.
const REST_MAX: Duration = Duration::from_mins(1);
/// How long refunds may wait for a dispute while the order comes to rest: banks take weeks.
const DISPUTED_FOR: Duration = Duration::from_secs(3);
/// How long a first answer of the service is waited for again while it is busy.
const ANSWER_MAX: Duration = Duration::from_secs(30);
pub const CONTACT: &str = "eve@example.org";

/// What came of a step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    Done,
    /// The services did not want it, for this reason.
    Refused(String),
    /// There was nothing that it could have been done to.
    Nothing,
    /// Nobody knows: the answer did not come in time.
    Unanswered,
}

/// One order and the world around it.
pub struct Living<'a> {
    /// A shop at each replica of the order service.
    pub shops: &'a [Shop],
    pub simulator: &'a Simulator,
    pub order: Order,
    /// What the articles of this order are called, so that no two lives meet on a shelf.
    pub tag: String,
    pub at_partner: bool,
}

/// What was seen of a life.
pub struct Seen {
    /// Empty if it was never placed.
    pub order_id: String,
    pub outcomes: Vec<(Deed, Outcome)>,
}

/// Lives a life to its end. An error is a fault of the services.
pub async fn live(life: &Life, shops: &[Shop], simulator: &Simulator) -> Result<Seen> {
    let mut outcomes = Vec::new();
    let Some(living) = Living::born(&life.birth, shops, simulator).await.context("while it was placed")?
    else {
        return Ok(Seen { order_id: String::new(), outcomes });
    };
    for (number, step) in life.steps.iter().enumerate() {
        let at = || format!("step {} ({:?}) of order {}", number + 1, step, living.order.order_id);
        let alone = living.at(step.choice).does(step.deed, step.choice);
        let (first, second) = match step.meanwhile {
            None => (alone.await, None),
            Some(other) => {
                let beside = living.at(step.choice + 1).does(other, step.choice >> 3);
                let (first, second) = futures::join!(alone, beside);
                (first, Some((other, second)))
            }
        };
        outcomes.push((step.deed, first.with_context(at)?));
        if let Some((deed, second)) = second {
            outcomes.push((deed, second.with_context(at)?));
        }
        living.books_hold(step.choice).await.with_context(at)?;
    }
    living.comes_to_rest().await.with_context(|| format!("order {}", living.order.order_id))?;
    living.books_hold(0).await.with_context(|| format!("order {} at rest", living.order.order_id))?;
    Ok(Seen { order_id: living.order.order_id.clone(), outcomes })
}

impl<'a> Living<'a> {
    /// Places the order; none if its cards were declined.
    async fn born(birth: &Birth, shops: &'a [Shop], simulator: &'a Simulator) -> Result<Option<Self>> {
        let shop = &shops[0];
        let id = shop.request_id();
        let mut living = Self {
            shops,
            simulator,
            order: Order::default(),
            tag: id[id.len() - 12..].to_uppercase(),
            at_partner: birth.at_partner,
        };
        for (number, goods) in birth.lines.iter().enumerate() {
            if !birth.at_partner {
                shop.receive(&living.sku(number), goods.units + 2).await?;
            }
        }
        let started = Instant::now();
        let request = living.request(birth);
        loop {
            match shop.create(request.clone()).await {
                Ok(order) => living.order = order,
                // It is not known whether it was placed: the same request tells.
                Err(status) if is_unanswered(&status) && started.elapsed() < ANSWER_MAX => continue,
                Err(status) => bail!("it was refused: {status}"),
            }
            break;
        }
        if !matches!(living.order.state(), OrderState::Confirmed | OrderState::PlacementFailed) {
            living.comes_to_rest().await?;
            living.order = shop.order(&living.order.order_id).await?;
        }
        Ok((living.order.state() != OrderState::PlacementFailed).then_some(living))
    }

    fn request(&self, birth: &Birth) -> CreateOrderRequest {
        let line = |(number, goods): (usize, &Goods)| LineInput {
            sku: self.sku(number),
            quantity: goods.units,
            unit_price: pounds(goods.price_minor),
            tax: (goods.tax_minor > 0)
                .then_some(LineTax { amount_minor: goods.tax_minor, included: goods.tax_included }),
            warehouse_id: if birth.at_partner { PARTNER.to_owned() } else { String::new() },
            ..LineInput::default()
        };
        let shipping = ShippingInput { amount_minor: birth.shipping_minor, ..ShippingInput::default() };
        CreateOrderRequest {
            request_id: self.shops[0].request_id(),
            currency_code: "GBP".to_owned(),
            lines: birth.lines.iter().enumerate().map(line).collect(),
            order_discount_minor: birth.discount_minor,
            shipping: if birth.shipping_minor > 0 { vec![shipping] } else { Vec::new() },
            tenders: tenders(birth),
            parties: Some(Parties {
                buyer: BUYER.to_owned(),
                supplier: SUPPLIER.to_owned(),
                client_contact: CONTACT.to_owned(),
                ..Parties::default()
            }),
            wait: Wait::Completed.into(),
            ..CreateOrderRequest::default()
        }
    }

    pub fn sku(&self, line: usize) -> String {
        format!("{}-{line}", self.tag)
    }

    /// The same order, through one of the replicas.
    fn at(&self, choice: u32) -> At<'_> {
        At { living: self, shop: &self.shops[turn(choice, self.shops.len())] }
    }

    async fn books_hold(&self, choice: u32) -> Result<()> {
        let shop = &self.shops[turn(choice >> 1, self.shops.len())];
        let request = VerifyOrderRequest { order_id: self.order.order_id.clone() };
        let verified = match shop.clients.operations().verify_order(request).await {
            Ok(verified) => verified.into_inner(),
            Err(status) if is_unanswered(&status) => return Ok(()),
            Err(status) => bail!("it cannot be verified: {status}"),
        };
        ensure!(verified.holds, "VerifyOrder: {:?}", verified.broken);
        Ok(())
    }

    /// Waits until nothing of the order is under way; partners that were asked agree, and a dispute that refunds wait for is
    /// won.
    async fn comes_to_rest(&self) -> Result<()> {
        let started = Instant::now();
        loop {
            for task in self.tasks().await?.iter().filter(|task| is_asked(task)) {
                // It may have been answered, or withdrawn, in this moment.
                drop(self.shops[0].respond(&task.task_id, PartnerWord::Accepted).await);
            }
            let order = self.shops[0].order(&self.order.order_id).await?;
            let busy: Vec<String> = self
                .changes()
                .await?
                .into_iter()
                .filter(is_under_way)
                .map(|change| format!("{:?} {:?} {}", change.r#type(), change.state(), change.current_step))
                .collect();
            if busy.is_empty() && order.state() != OrderState::Placing {
                return Ok(());
            }
            ensure!(
                started.elapsed() < REST_MAX,
                "it does not come to rest: {:?}, {}",
                order.state(),
                busy.join(", ")
            );
            if started.elapsed() > DISPUTED_FOR {
                self.win_disputes().await?;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    async fn win_disputes(&self) -> Result<()> {
        for payment in self.payments().await?.iter().filter(|payment| payment.disputed_minor > 0) {
            // False where the bank had decided before: what is disputed of that one is lost.
            self.simulator.dispute(&payment.payment_id, payment.disputed_minor, "won").await?;
        }
        Ok(())
    }

    pub async fn changes(&self) -> Result<Vec<ChangeOrder>> {
        let request = ListChangeOrdersRequest {
            order_id: self.order.order_id.clone(),
            page_size: 100,
            ..ListChangeOrdersRequest::default()
        };
        Ok(self.shops[0].clients.changes().list_change_orders(request).await?.into_inner().change_orders)
    }

    pub async fn payments(&self) -> Result<Vec<Payment>> {
        let request = ListPaymentsRequest { order_id: self.order.order_id.clone() };
        Ok(self.shops[0].clients.payments().list_payments(request).await?.into_inner().payments)
    }

    pub async fn tasks(&self) -> Result<Vec<PartnerTask>> {
        self.shops[0].tasks(&self.order.order_id).await
    }
}

/// An order, and the replica that it is spoken to through.
#[derive(Clone, Copy)]
pub struct At<'a> {
    pub living: &'a Living<'a>,
    pub shop: &'a Shop,
}

impl At<'_> {
    pub fn order_id(&self) -> String {
        self.living.order.order_id.clone()
    }
}

/// One of several, by a number that was drawn before anybody knew how many there would be.
pub fn chosen<T>(choice: u32, among: Vec<T>) -> Option<T> {
    if among.is_empty() {
        return None;
    }
    let place = turn(choice, among.len());
    among.into_iter().nth(place)
}

fn turn(choice: u32, bound: usize) -> usize {
    usize::try_from(choice).expect("a choice is small") % bound
}

/// From 1 to the most, by a choice.
pub fn some(choice: u32, most: i64) -> i64 {
    1 + i64::from(choice) % most.max(1)
}

/// A refusal is an answer; a defect is a fault of the services.
pub fn heard<T>(answer: Result<T, Status>) -> Result<Outcome> {
    match answer {
        Ok(_) => Ok(Outcome::Done),
        Err(status) if is_unanswered(&status) => Ok(Outcome::Unanswered),
        Err(status) if matches!(status.code(), Code::Internal | Code::Unknown | Code::DataLoss) => {
            bail!("a defect: {status}")
        }
        Err(status) => Ok(Outcome::Refused(reason(&status))),
    }
}

fn is_unanswered(status: &Status) -> bool {
    matches!(status.code(), Code::Unavailable | Code::DeadlineExceeded | Code::Cancelled)
}

fn is_asked(task: &PartnerTask) -> bool {
    matches!(task.state(), PartnerTaskState::Requested | PartnerTaskState::Unconfirmed)
}

fn is_under_way(change: &ChangeOrder) -> bool {
    matches!(
        change.state(),
        ChangeOrderState::Executing | ChangeOrderState::Unwinding | ChangeOrderState::Settling
    )
}

fn tenders(birth: &Birth) -> Vec<TenderInput> {
    let total = birth.total_minor();
    let count = i64::try_from(birth.tenders.len()).expect("an order has few tenders");
    let each = total / count;
    let tender = |(card, amount): (&Card, i64)| TenderInput {
        gateway: card.gateway.to_owned(),
        payment_token: card.token.to_owned(),
        amount_minor: amount,
        capture_now: card.captured,
    };
    let amounts = (1..=count).map(|number| if number == count { total - each * (count - 1) } else { each });
    birth.tenders.iter().zip(amounts).map(tender).collect()
}

pub fn pounds(minor: i64) -> String {
    format!("{}.{:02}", minor / 100, minor % 100)
}
