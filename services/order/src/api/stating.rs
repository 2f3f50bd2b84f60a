//! What a caller may state, beside what the RPC itself lets them do: prices, payments that no gateway is asked for, other
//! people's names, facts of the past. There is no list of prices here, so whoever places an order states them.

use kit::{Failure, Principal};
use types::Permission;

use crate::domain::placing::{NewExternalPayment, NewOrder, NewTender};
use crate::domain::reissue::{Prices, Reissue};

/// Of an order that is placed from nothing.
pub fn may_place(caller: &Principal, new: &NewOrder) -> Result<(), Failure> {
    caller.must_hold(Permission::OrderPrice)?;
    may_name_parties(caller, new)?;
    may_pay_with(caller, &new.tenders)?;
    may_adopt(caller, &new.external_payments)
}

/// Of an order that is made again: its parties and its frozen prices are copied, and stated by nobody.
pub fn may_reissue(caller: &Principal, wish: &Reissue) -> Result<(), Failure> {
    match wish.prices {
        Prices::Frozen => {}
        Prices::Current(_) => caller.must_hold(Permission::OrderPrice)?,
    }
    may_pay_with(caller, &wish.tenders)?;
    may_adopt(caller, &wish.external_payments)
}

/// A tender that no gateway is asked for, cash or a card of ours or a share of what was paid for several orders, rests on
/// the caller's word as a payment made elsewhere does.
pub fn may_pay_with(caller: &Principal, tenders: &[NewTender]) -> Result<(), Failure> {
    const UNASKED: [&str; 4] = ["offline", "gift_card", "store_credit", "shared"];
    let unasked = tenders.iter().any(|tender| UNASKED.contains(&tender.gateway.as_str()));
    if unasked { caller.must_hold(Permission::PaymentAdopt) } else { Ok(()) }
}

fn may_adopt(caller: &Principal, payments: &[NewExternalPayment]) -> Result<(), Failure> {
    if payments.is_empty() {
        return Ok(());
    }
    caller.must_hold(Permission::PaymentAdopt)?;
    let attested = payments.iter().any(|payment| payment.attested);
    if attested { caller.must_hold(Permission::ImportFacts) } else { Ok(()) }
}

/// Who routes an order here for their own organisation names whom it is for; everybody else places for themselves.
fn may_name_parties(caller: &Principal, new: &NewOrder) -> Result<(), Failure> {
    let own = |named: &str, whose: &str| named.is_empty() || named == whose;
    let organisation = caller.organisation.as_str();
    let routes = !organisation.is_empty() && new.parties.source_router == organisation;
    let itself = own(&new.parties.buyer, organisation)
        && own(&new.parties.source_router, organisation)
        && own(&new.customer_id, &caller.user);
    if routes || itself { Ok(()) } else { caller.must_hold(Permission::OrderPlaceFor) }
}
