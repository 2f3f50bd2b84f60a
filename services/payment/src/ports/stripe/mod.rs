//! Stripe: payment intents that are captured by hand, refunds with our id as metadata.
//!
//! ```text
//!   authorise  POST payment_intents (confirm, manual capture)    key = payment id
//!   capture    POST payment_intents/{id}/capture                 key = capture id
//!   void       POST payment_intents/{id}/cancel                  key = refund id
//!   refund     POST refunds (metadata.refund_id)                 key = refund id
//! ```
//!
//! A "succeeded" in the answer to a refund is Stripe's word for that moment; a later failure comes
//! by webhook and is found by asking. It never sends a reason for a refund or a cancellation: the
//! reasons here are not Stripe's, and a wrong "fraudulent" blocks a customer's card for everybody.

mod amount;
mod api;
mod book;
mod elsewhere;

use std::time::Duration;

use types::Tenant;

pub use self::amount::AmountRefused;
use self::api::{Api, Failure, PaymentIntent, Refund};
use super::gateway::Unanswered;
use super::http;
use crate::domain::gateway::{Amounts, Answer, Capabilities, Effect, PartialCapture, Statement, Task};

#[derive(Debug, Clone)]
pub struct Stripe {
    api: Api,
}

impl Stripe {
    pub const CAPABILITIES: Capabilities = Capabilities {
        key_window: Some(Duration::from_hours(24)),
        caches_errors: true,
        queries_by_reference: true,
        enforces_refund_cap: true,
        partial_capture: PartialCapture::DropsTheRest,
        voids: true,
        lowers: false,
        webhooks: true,
        amounts: Amounts::Stepped,
    };

    /// `base` is `https://api.stripe.com`, or where a fake listens.
    pub fn new(base: &str, secret_key: &str, timeout: Duration) -> Result<Self, reqwest::Error> {
        let (base, secret_key) = (base.to_owned(), secret_key.to_owned());
        Ok(Self { api: Api { client: http::client(timeout)?, base, secret_key } })
    }

    pub async fn call(&self, tenant: &Tenant, task: &Task) -> Answer {
        let done = match task.effect {
            Effect::Authorise => self.authorise(tenant, task).await,
            Effect::Capture => self.capture(task).await,
            Effect::Refund => self.refund(tenant, task).await,
            Effect::Void => self.void(task).await,
            Effect::Lower => self.lower(task).await,
            Effect::Read => Err(nothing_asked()),
        };
        done.unwrap_or_else(answer_to)
    }

    /// What became of a key; none if Stripe never got it.
    pub async fn query(&self, task: &Task) -> Option<Answer> {
        let found = match task.effect {
            Effect::Authorise => self.find_authorisation(task).await,
            Effect::Capture => self.intent(task).await.map(|intent| captured(&intent, task)),
            Effect::Refund => self.find_refund(task).await,
            Effect::Void => self.intent(task).await.map(|intent| voided(&intent)),
            Effect::Lower => self.lower(task).await.map(Some),
            Effect::Read => Err(nothing_asked()),
        };
        found.unwrap_or_else(|failure| Some(answer_to(failure)))
    }

    /// What Stripe's book says of the payment that a task is about.
    pub async fn statement(&self, task: &Task) -> Result<Statement, Unanswered> {
        self.read_statement(task).await.map_err(|failure| {
            let (Failure::Refused(detail) | Failure::Missing(detail) | Failure::Ambiguous(detail)) = failure;
            Unanswered { gateway: task.gateway.clone(), detail }
        })
    }

    async fn authorise(&self, tenant: &Tenant, task: &Task) -> Result<Answer, Failure> {
        let amount = stripes(task)?.to_string();
        let currency = task.currency.code().to_ascii_lowercase();
        let form = [
            ("amount", amount.as_str()),
            ("currency", &currency),
            ("capture_method", "manual"),
            ("confirm", "true"),
            ("payment_method", &task.token),
            // Methods that send the customer elsewhere need a page to come back to; there is none.
            ("payment_method_types[]", "card"),
            ("metadata[payment_id]", task.payment_id.as_str()),
            ("metadata[order_id]", task.order_id.as_str()),
            ("metadata[tenant]", tenant.as_str()),
        ];
        let intent = self.api.post("/v1/payment_intents", task.subject.key(), &form).await?;
        Ok(authorised(&intent))
    }

    /// Stripe gives what is not captured back to the customer with this.
    async fn capture(&self, task: &Task) -> Result<Answer, Failure> {
        let amount = stripes(task)?.to_string();
        let path = format!("/v1/payment_intents/{}/capture", id(&task.authorisation)?);
        let tried = self.api.post(&path, task.subject.key(), &[("amount_to_capture", &amount)]).await;
        match tried {
            Ok(intent) => Ok(captured(&intent, task).unwrap_or_else(|| odd(&intent))),
            // A no to a repeat after the key was forgotten may mean that it has long been done.
            Err(Failure::Refused(detail)) => {
                let known = captured(&self.intent(task).await?, task);
                Ok(known.unwrap_or(Answer::Declined { detail }))
            }
            Err(failure) => Err(failure),
        }
    }

    async fn void(&self, task: &Task) -> Result<Answer, Failure> {
        let path = format!("/v1/payment_intents/{}/cancel", id(&task.authorisation)?);
        match self.api.post(&path, task.subject.key(), &[]).await {
            Ok(intent) => Ok(voided(&intent).unwrap_or_else(|| odd(&intent))),
            Err(Failure::Refused(detail)) => {
                let known = voided(&self.intent(task).await?);
                Ok(known.unwrap_or(Answer::Declined { detail }))
            }
            Err(failure) => Err(failure),
        }
    }

    /// Stripe cannot lower an authorisation. What will not be captured is dropped by it with the one
    /// capture there is, or when the authorisation ends; that the authorisation is its own is all
    /// that can be made sure of.
    async fn lower(&self, task: &Task) -> Result<Answer, Failure> {
        let intent = self.intent(task).await?;
        Ok(Answer::Done { reference: intent.id })
    }

    async fn refund(&self, tenant: &Tenant, task: &Task) -> Result<Answer, Failure> {
        let amount = stripes(task)?.to_string();
        let form = [
            (payment_field(&task.authorisation), id(&task.authorisation)?),
            ("amount", &amount),
            ("metadata[refund_id]", task.subject.key()),
            ("metadata[order_id]", task.order_id.as_str()),
            ("metadata[tenant]", tenant.as_str()),
        ];
        let refund = self.api.post("/v1/refunds", task.subject.key(), &form).await?;
        Ok(refunded(&refund))
    }

    async fn intent(&self, task: &Task) -> Result<PaymentIntent, Failure> {
        self.api.get(&format!("/v1/payment_intents/{}", id(&task.authorisation)?)).await
    }
}

/// The request's field that names the payment: payments brought in from elsewhere may be charges.
fn payment_field(authorisation: &str) -> &'static str {
    if is_charge(authorisation) { "charge" } else { "payment_intent" }
}

fn is_charge(reference: &str) -> bool {
    reference.starts_with("ch_") || reference.starts_with("py_")
}

/// An id as it may stand in a path. A reference brought in from elsewhere is anybody's text.
fn id(reference: &str) -> Result<&str, Failure> {
    let clean = reference.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    if clean && !reference.is_empty() {
        return Ok(reference);
    }
    Err(Failure::Refused("the payment's reference is not one of Stripe's".to_owned()))
}

fn stripes(task: &Task) -> Result<i64, Failure> {
    amount::to_stripe(task.currency, task.amount_minor)
        .map_err(|refused| Failure::Refused(refused.to_string()))
}

/// A payment of others is read, and never asked for.
fn nothing_asked() -> Failure {
    Failure::Ambiguous("reading a payment asks for nothing".to_owned())
}

fn answer_to(failure: Failure) -> Answer {
    match failure {
        Failure::Refused(detail) | Failure::Missing(detail) => Answer::Declined { detail },
        Failure::Ambiguous(detail) => Answer::Unknown { detail },
    }
}

fn authorised(intent: &PaymentIntent) -> Answer {
    let reference = intent.id.clone();
    match intent.status.as_str() {
        "requires_capture" | "succeeded" => Answer::Done { reference },
        "processing" => Answer::Pending { reference, detail: "Stripe is still processing it".to_owned() },
        "requires_action" | "requires_confirmation" => {
            Answer::ActionRequired { detail: "the customer has to confirm with the bank".to_owned() }
        }
        "requires_payment_method" => Answer::Declined { detail: declined(intent) },
        "canceled" => Answer::Declined { detail: "the payment was cancelled at Stripe".to_owned() },
        _ => odd(intent),
    }
}

/// Stripe captures an intent once, so its state tells of the one capture; none if it waits for it.
fn captured(intent: &PaymentIntent, task: &Task) -> Option<Answer> {
    match intent.status.as_str() {
        "requires_capture" => None,
        "processing" => {
            let detail = "Stripe is still processing it".to_owned();
            Some(Answer::Pending { reference: intent.id.clone(), detail })
        }
        "succeeded" => {
            let taken = intent.amount_received.map(|amount| amount::from_stripe(task.currency, amount));
            if taken.is_some_and(|taken| taken != Ok(task.amount_minor)) {
                let detail = "Stripe has captured another amount of this payment".to_owned();
                return Some(Answer::Declined { detail });
            }
            let charge = intent.latest_charge.get("id").unwrap_or(&intent.latest_charge).as_str();
            Some(Answer::Done { reference: charge.unwrap_or(&intent.id).to_owned() })
        }
        "canceled" => Some(Answer::Declined { detail: "the payment was cancelled at Stripe".to_owned() }),
        _ => Some(odd(intent)),
    }
}

/// None if the authorisation still stands.
fn voided(intent: &PaymentIntent) -> Option<Answer> {
    match intent.status.as_str() {
        "canceled" => Some(Answer::Done { reference: intent.id.clone() }),
        "succeeded" => Some(Answer::Declined { detail: "the payment is captured already".to_owned() }),
        _ => None,
    }
}

fn refunded(refund: &Refund) -> Answer {
    let reference = refund.id.clone();
    let detail = http::kept(refund.failure_reason.as_deref().unwrap_or("Stripe gave no reason"));
    match refund.status.as_deref() {
        Some("succeeded") => Answer::Done { reference },
        Some("pending") => Answer::Pending { reference, detail: "the refund is on its way".to_owned() },
        Some("requires_action") => {
            Answer::ActionRequired { detail: "the customer has to say where the money goes".to_owned() }
        }
        Some("failed" | "canceled") if !refund.failure_balance_transaction.is_null() => {
            Answer::FailedAfter { reference, detail }
        }
        Some("failed" | "canceled") => Answer::Declined { detail },
        Some(_) | None => Answer::Unknown { detail: "Stripe's refund is in a state of its own".to_owned() },
    }
}

fn declined(intent: &PaymentIntent) -> String {
    let error = &intent.last_payment_error;
    let said = error.get("message").and_then(|message| message.as_str());
    http::kept(said.unwrap_or("the card was declined"))
}

/// A state that no rule here knows proves nothing, so nothing is claimed.
fn odd(intent: &PaymentIntent) -> Answer {
    Answer::Unknown { detail: http::kept(&format!("Stripe's payment is in state {:?}", intent.status)) }
}
