//! Which carts and partners will be told of a cancellation, and telling a cart because a rule says so. The inventory service keeps the
//! profiles and makes the calls.

use std::collections::BTreeSet;

use futures::future::BoxFuture;
use kit::answer::{self, Verdict};
use kit::{Failure, Principal};
use proto::inventory::v1::{
    CartReference, ForecastTargetsRequest, PartnerMethod, TargetForecast, TellTargetRequest,
};
use types::{OrderId, Reason, Refusal, RequestId, Tenant};

use crate::domain::order::Order;
use crate::domain::propagation::{CartStanding, Forecast, Outlook, cancelled_at, foresee};
use crate::ops::calls::orders::Orders;

/// Who would be told, and whether the carts among them are known.
pub struct Foreseen {
    pub targets: Vec<Forecast>,
    pub is_whole: bool,
}

/// Tells which systems the enabled rules of a tenant tell of cancellations. The trunk does not know the wing of rules, so `app` hands
/// this function in.
pub type ToldByRules =
    Box<dyn Fn(Tenant) -> BoxFuture<'static, Result<BTreeSet<String>, Failure>> + Send + Sync>;

impl Orders {
    /// Who would be told of a change. `nothing_left` says whether the change cancels the whole order. If the inventory does not answer, the
    /// carts are missing.
    pub async fn foresee_targets(
        &self,
        principal: &Principal,
        order: &Order,
        nothing_left: bool,
    ) -> Result<Foreseen, Failure> {
        let systems: Vec<String> = order.references.iter().map(|name| name.system.clone()).collect();
        if systems.is_empty() {
            return Ok(Foreseen {
                targets: foresee(order, &[], &BTreeSet::new(), nothing_left),
                is_whole: true,
            });
        }
        let request = ForecastTargetsRequest { tenant: principal.tenant.to_string(), systems };
        let answer = match self.outsiders() {
            Some(outsiders) => outsiders.forecast(request).await.ok(),
            None => None,
        };
        let is_whole = answer.is_some();
        let standings = answer.into_iter().flat_map(|answer| answer.targets).map(standing);
        let standings: Vec<CartStanding> = standings.collect();
        let told_by_rules = self.told_by_rules(&principal.tenant).await?;
        Ok(Foreseen { targets: foresee(order, &standings, &told_by_rules, nothing_left), is_whole })
    }

    /// Tells a cart that the order is cancelled. Answers the id of the task that does it.
    pub async fn propagate(
        &self,
        caller: &Principal,
        request_id: RequestId,
        order_id: &OrderId,
        target: &str,
    ) -> Result<String, Failure> {
        let order = self.order(&caller.tenant, order_id).await?;
        let (change_id, name) = cancelled_at(&order, target)?;
        let change = self.change(&caller.tenant, change_id).await?.change;
        let request = TellTargetRequest {
            tenant: caller.tenant.to_string(),
            request_id: request_id.to_string(),
            order_id: order_id.to_string(),
            change_order_id: change_id.to_string(),
            cart: Some(CartReference { system: name.system.clone(), reference: name.reference.clone() }),
            reason_code: change.reason_code.clone(),
            note: change.note.clone(),
            units: change.lines.iter().map(|line| line.quantity).sum::<i64>().max(1),
        };
        let Some(outsiders) = self.outsiders() else {
            return Err(unreachable_now("the inventory is not connected yet"));
        };
        match outsiders.tell(request).await {
            Ok(task) => Ok(task.task_id),
            Err(status) => match answer::classify(&status) {
                Verdict::Answered(refusal) => Err(refusal.into()),
                Verdict::Stale => Err(unreachable_now("the inventory took it for an old step")),
                Verdict::Unknown(text) => Err(unreachable_now(&text)),
            },
        }
    }
}

/// The worker looks at the event again, under the same request id.
fn unreachable_now(message: &str) -> Failure {
    Refusal::new(Reason::OutcomeUnknown, message).into()
}

/// The inventory's words for why a system is never told.
const NEVER_TOLD: [(&str, Outlook); 3] = [
    ("no_profile", Outlook::NoProfile),
    ("not_a_cart", Outlook::NotACart),
    ("takes_no_notification", Outlook::TakesNoNotification),
];

fn standing(target: TargetForecast) -> CartStanding {
    let method = match target.method() {
        PartnerMethod::Unspecified => "",
        PartnerMethod::Api => "api",
        PartnerMethod::Email => "email",
        PartnerMethod::Phone => "phone",
        PartnerMethod::ManualPortal => "manual_portal",
    };
    CartStanding {
        method: method.to_owned(),
        system: target.system,
        told: target.told,
        told_by_rule: target.told_by_rule,
        never: NEVER_TOLD.iter().find(|(untold, _)| *untold == target.untold).map(|(_, outlook)| *outlook),
    }
}
