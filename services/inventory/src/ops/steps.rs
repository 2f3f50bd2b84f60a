//! The steps of sagas, each admitted by the ledger and recorded in it, whatever the answer.

use prost::Message;
use proto::inventory::v1::GoodsReply;
use storage::{Admission, DbError, Outcome, Overlay};
use types::{Reason, Refusal, Tenant};

use super::books::{Books, Cause, Stop};
use super::command::{Step, StepAnswer, StepCommand};
use super::settling::{self, Change, conclude};
use super::stored_reply;
use crate::domain::{Ask, CartNotice, Goods, Hold, Moment, Reservable, ReturnedLine, Wanted};
use crate::store::goods::OrderKey;
use crate::store::stock::Origin;

/// Decides one step on the books.
pub fn decide(books: &mut Books, command: &StepCommand, moment: Moment<'_>) -> Result<StepAnswer, DbError> {
    let call = &command.call;
    match books.steps.admit(call, moment.at) {
        Admission::Refused(refusal) => return Ok(StepAnswer::Refused(refusal)),
        Admission::Replay(row) => return stored_reply::replay(&row),
        Admission::UndoNothing => return Ok(StepAnswer::Applied(stored_reply::nothing_to_do())),
        Admission::Run | Admission::UndoPending => {}
    }
    match run(books, command, moment) {
        Ok(Some(reply)) => {
            books.steps.record(call, Outcome::Applied, reply.encode_to_vec(), moment.at);
            Ok(StepAnswer::Applied(reply))
        }
        Ok(None) => {
            books.steps.record(call, Outcome::Pending, Vec::new(), moment.at);
            Ok(StepAnswer::Pending)
        }
        Err(Stop::Refused(refusal)) => {
            books.rollback();
            books.steps.record(call, Outcome::Rejected, kit::answer::encode(&refusal), moment.at);
            Ok(StepAnswer::Refused(refusal))
        }
        Err(Stop::Broken(error)) => Err(error),
    }
}

/// None: somebody else has to be heard first.
fn run(books: &mut Books, command: &StepCommand, moment: Moment<'_>) -> Result<Option<GoodsReply>, Stop> {
    let context = &command.call.context;
    let origin =
        Origin { saga_id: context.saga_id.clone(), step: context.step.clone(), direction: context.direction };
    let cause = Cause { origin, moment, traceparent: command.traceparent.as_deref() };
    let key = (context.tenant.clone(), command.order_id.clone());
    let done = match &command.step {
        Step::ReserveStock { wanted, until_paid } => reserve(books, &key, wanted, *until_paid, &cause),
        Step::GoodsPaid => goods_paid(books, &key, &cause),
        Step::Reship => reship(books, &key, &cause),
        Step::UnreserveStock => unreserve(books, &key, &cause),
        Step::HoldGoods(wanted) => hold(books, &key, wanted, &cause),
        // What is claimed after it was shipped is given up as any claim is.
        Step::ResumeGoods | Step::KeepGoods | Step::UnclaimReturned => resume(books, &key, &cause),
        Step::ReleaseGoods(notices) => release(books, &key, notices, &cause),
        Step::WriteDown => write_down(books, &key, &cause),
        Step::ClaimReturned(lines) => claim_returned(books, &key, lines, &cause),
        Step::TakeBack(lines) => take_back(books, &key, lines, &cause),
        Step::WithdrawStop => withdraw_stop(books, &key, &cause),
        Step::StopPartner(ask) => return stop_partner(books, &key, ask, &cause),
        Step::VoidLabels => return void_labels(books, &key, &cause),
    };
    done.map(Some)
}

fn reserve(
    books: &mut Books,
    key: &OrderKey,
    wanted: &Reservable,
    until_paid: bool,
    cause: &Cause<'_>,
) -> Result<GoodsReply, Stop> {
    let (tenant, order_id) = key;
    let known = books.goods.get(key).cloned();
    let mut goods = known.unwrap_or_else(|| Goods::new(order_id.clone(), cause.moment.at));
    goods.await_payment(until_paid);
    let wanted = assigned(books, tenant, wanted);
    let movements = goods.reserve(
        &wanted,
        &cause.origin.saga_id,
        books.warehouses(tenant),
        |warehouse_id, sku| books.available(tenant, warehouse_id, sku),
        |integration| books.integrations(tenant).of(integration).resubmit_same_number_ok,
        cause.moment,
    )?;
    books.put_goods(key, goods, movements, cause)?;
    Ok(GoodsReply::default())
}

/// Lines that name no warehouse go to the one that their article is assigned to.
fn assigned(books: &Books, tenant: &Tenant, wanted: &Reservable) -> Reservable {
    let lines = wanted.lines.iter().map(|line| Wanted {
        warehouse_id: line.warehouse_id.clone().or_else(|| books.assigned(tenant, &line.sku)),
        ..line.clone()
    });
    Reservable { lines: lines.collect(), reshipped: wanted.reshipped.clone() }
}

fn reship(books: &mut Books, key: &OrderKey, cause: &Cause<'_>) -> Result<GoodsReply, Stop> {
    let mut goods = books.goods.get(key).cloned().ok_or_else(|| no_goods(key))?;
    let splits = goods.reshipped(&cause.origin.saga_id);
    books.put_goods(key, goods, Vec::new(), cause)?;
    Ok(stored_reply::done(&splits))
}

fn goods_paid(books: &mut Books, key: &OrderKey, cause: &Cause<'_>) -> Result<GoodsReply, Stop> {
    let known = books.goods.get(key).cloned();
    let mut goods = known.ok_or_else(|| no_goods(key))?;
    goods.awaits_payment = false;
    books.put_goods(key, goods, Vec::new(), cause)?;
    Ok(GoodsReply::default())
}

fn unreserve(books: &mut Books, key: &OrderKey, cause: &Cause<'_>) -> Result<GoodsReply, Stop> {
    let Some(before) = books.goods.get(key).cloned() else { return Ok(stored_reply::nothing_to_do()) };
    let mut goods = before.clone();
    let (splits, movements) = goods.unreserve(&cause.origin.saga_id);
    books.tell_progress(key, &before, &mut goods, "", cause);
    if splits.shipped() > 0 {
        books.tell_shipped_too_early(key, splits.shipped(), &mut goods, cause);
    }
    books.put_goods(key, goods, movements, cause)?;
    Ok(stored_reply::done(&splits))
}

fn hold(books: &mut Books, key: &OrderKey, wanted: &Hold, cause: &Cause<'_>) -> Result<GoodsReply, Stop> {
    let known = books.goods.get(key).cloned();
    let mut goods = known.ok_or_else(|| no_goods(key))?;
    let splits = goods.hold(wanted, &cause.origin.saga_id, cause.moment)?;
    let with_partner = goods.held_with_partner(&cause.origin.saga_id, books.warehouses(&key.0));
    if wanted.only_here && with_partner > 0 {
        let message = format!("a partner has {with_partner} of the units already");
        return Err(Refusal::new(Reason::StateConflict, message).detail("with_partner", with_partner).into());
    }
    books.put_goods(key, goods, Vec::new(), cause)?;
    Ok(GoodsReply { with_partner, ..stored_reply::done(&splits) })
}

fn resume(books: &mut Books, key: &OrderKey, cause: &Cause<'_>) -> Result<GoodsReply, Stop> {
    let Some(before) = books.goods.get(key).cloned() else { return Ok(stored_reply::nothing_to_do()) };
    let mut goods = before.clone();
    let (splits, mut movements) = goods.resume(&cause.origin.saga_id);
    // Shipped units that were claimed and are sold again may have lost their label meanwhile.
    movements.extend(goods.put_back(books.warehouses(&key.0), None));
    let change = Change { movements, ..Change::of(before, goods) };
    conclude(books, key, change, None, cause)?;
    Ok(stored_reply::done(&splits))
}

/// Who sold the order is told in the same commit, where its profile says that it is told without a rule.
fn release(
    books: &mut Books,
    key: &OrderKey,
    notices: &[CartNotice],
    cause: &Cause<'_>,
) -> Result<GoodsReply, Stop> {
    let Some(before) = books.goods.get(key).cloned() else { return Ok(stored_reply::nothing_to_do()) };
    let mut goods = before.clone();
    let (splits, mut movements) = goods.release(&cause.origin.saga_id);
    let integrations = books.integrations(&key.0);
    for notice in notices.iter().filter(|notice| integrations.told_cart(&notice.cart, notice.teller).is_ok())
    {
        goods.tell_cart(notice, integrations, cause.moment)?;
    }
    // The carrier may have voided the label before: then the units it had shipped are back by now.
    movements.extend(goods.put_back(books.warehouses(&key.0), None));
    let change = Change { movements, ..Change::of(before, goods) };
    conclude(books, key, change, Some(&cause.origin.saga_id), cause)?;
    Ok(stored_reply::done(&splits))
}

/// What is held does not exist: it leaves the count together with its promise.
fn write_down(books: &mut Books, key: &OrderKey, cause: &Cause<'_>) -> Result<GoodsReply, Stop> {
    let Some(before) = books.goods.get(key).cloned() else { return Ok(stored_reply::nothing_to_do()) };
    let mut goods = before.clone();
    let (splits, movements) = goods.write_down(&cause.origin.saga_id);
    let change = Change { movements, ..Change::of(before, goods) };
    conclude(books, key, change, None, cause)?;
    Ok(stored_reply::done(&splits))
}

fn claim_returned(
    books: &mut Books,
    key: &OrderKey,
    lines: &[ReturnedLine],
    cause: &Cause<'_>,
) -> Result<GoodsReply, Stop> {
    let mut goods = books.goods.get(key).cloned().ok_or_else(|| no_goods(key))?;
    let warehouses = books.warehouses(&key.0);
    let splits = goods.claim_returned(lines, warehouses, &cause.origin.saga_id, cause.moment)?;
    books.put_goods(key, goods, Vec::new(), cause)?;
    Ok(stored_reply::done(&splits))
}

fn take_back(
    books: &mut Books,
    key: &OrderKey,
    lines: &[ReturnedLine],
    cause: &Cause<'_>,
) -> Result<GoodsReply, Stop> {
    let before = books.goods.get(key).cloned().ok_or_else(|| no_goods(key))?;
    let mut goods = before.clone();
    let (splits, movements) =
        goods.take_back(lines, books.warehouses(&key.0), &cause.origin.saga_id, cause.moment)?;
    let change = Change { movements, ..Change::of(before, goods) };
    conclude(books, key, change, None, cause)?;
    Ok(stored_reply::done(&splits))
}

/// Asks the partners that work on held units. Nothing is called stopped before they have said so.
fn stop_partner(
    books: &mut Books,
    key: &OrderKey,
    ask: &Ask,
    cause: &Cause<'_>,
) -> Result<Option<GoodsReply>, Stop> {
    let Some(before) = books.goods.get(key).cloned() else { return Ok(Some(stored_reply::nothing_to_do())) };
    let mut goods = before.clone();
    let saga_id = &cause.origin.saga_id;
    let (warehouses, integrations) = (books.warehouses(&key.0), books.integrations(&key.0));
    if goods.ask_partners(saga_id, ask, warehouses, integrations, cause.moment)? == 0 {
        return Ok(Some(stored_reply::nothing_to_do()));
    }
    conclude(books, key, Change::of(before, goods), None, cause)?;
    Ok(None)
}

fn withdraw_stop(books: &mut Books, key: &OrderKey, cause: &Cause<'_>) -> Result<GoodsReply, Stop> {
    let Some(before) = books.goods.get(key).cloned() else { return Ok(stored_reply::nothing_to_do()) };
    let mut goods = before.clone();
    if goods.withdraw_stops(&cause.origin.saga_id, cause.moment.at) == 0 {
        return Ok(stored_reply::nothing_to_do());
    }
    conclude(books, key, Change::of(before, goods), None, cause)?;
    Ok(GoodsReply::default())
}

/// Asks the carriers for what the hold had promised. Done at once if they have all answered before.
fn void_labels(books: &mut Books, key: &OrderKey, cause: &Cause<'_>) -> Result<Option<GoodsReply>, Stop> {
    let Some(before) = books.goods.get(key).cloned() else { return Ok(Some(stored_reply::nothing_to_do())) };
    let mut goods = before.clone();
    if goods.request_voids(&cause.origin.saga_id, cause.moment.at) == 0 {
        return Ok(Some(stored_reply::nothing_to_do()));
    }
    let ended = goods.voids_ended(&cause.origin.saga_id, books.warehouses(&key.0));
    let reply = ended.map(|ended| settling::labels(&ended));
    conclude(books, key, Change::of(before, goods), None, cause)?;
    Ok(reply)
}

pub fn no_goods((_, order_id): &OrderKey) -> Refusal {
    Refusal::not_found("goods", order_id)
}
