//! The steps of sagas, each admitted by the ledger and recorded in it, whatever the answer.

use prost::Message;
use proto::inventory::v1::GoodsReply;
use storage::{Admission, DbError, Outcome};
use types::{Reason, Refusal};

use super::books::{Books, Cause, Stop};
use super::command::{Step, StepAnswer, StepCommand};
use super::stored_reply;
use crate::domain::{Goods, HoldLine, Moment, Movement, Wanted};
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
        Ok(reply) => {
            books.steps.record(call, Outcome::Applied, reply.encode_to_vec(), moment.at);
            Ok(StepAnswer::Applied(reply))
        }
        Err(Stop::Refused(refusal)) => {
            books.rollback();
            books.steps.record(call, Outcome::Rejected, kit::answer::encode(&refusal), moment.at);
            Ok(StepAnswer::Refused(refusal))
        }
        Err(Stop::Broken(error)) => Err(error),
    }
}

fn run(books: &mut Books, command: &StepCommand, moment: Moment<'_>) -> Result<GoodsReply, Stop> {
    let context = &command.call.context;
    let origin =
        Origin { saga_id: context.saga_id.clone(), step: context.step.clone(), direction: context.direction };
    let cause = Cause { origin, moment, traceparent: command.traceparent.as_deref() };
    let key = (context.tenant.clone(), command.order_id.clone());
    match &command.step {
        Step::ReserveStock(lines) => reserve(books, &key, lines, &cause),
        Step::UnreserveStock => unreserve(books, &key, &cause),
        Step::HoldGoods { lines, void_label } => hold(books, &key, lines, *void_label, &cause),
        Step::ResumeGoods => resume(books, &key, &cause),
        Step::ReleaseGoods => release(books, &key, &cause),
        Step::StopPartner => stop_partner(books, &key, &cause),
        // A stop that was asked for is refused, and one that had nothing to stop has nothing to withdraw. Labels
        // are refused by the hold, so that none is left to void.
        Step::WithdrawStop | Step::VoidLabels => Ok(stored_reply::nothing_to_do()),
    }
}

fn reserve(
    books: &mut Books,
    key: &OrderKey,
    lines: &[Wanted],
    cause: &Cause<'_>,
) -> Result<GoodsReply, Stop> {
    let (tenant, order_id) = key;
    let known = books.goods.get(key).cloned();
    let mut goods = known.unwrap_or_else(|| Goods::new(order_id.clone(), cause.moment.at));
    let movements = goods.reserve(
        lines,
        &cause.origin.saga_id,
        books.warehouses(tenant),
        |warehouse_id, sku| books.available(tenant, warehouse_id, sku),
        cause.moment,
    )?;
    books.put_goods(key, goods, movements, cause)?;
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

fn hold(
    books: &mut Books,
    key: &OrderKey,
    lines: &[HoldLine],
    void_label: bool,
    cause: &Cause<'_>,
) -> Result<GoodsReply, Stop> {
    if void_label {
        return Err(Refusal::new(Reason::NoLabel, "the order has no label to void").into());
    }
    let known = books.goods.get(key).cloned();
    let mut goods = known.ok_or_else(|| no_goods(key))?;
    let splits = goods.hold(lines, &cause.origin.saga_id, cause.moment)?;
    let with_partner = goods.held_with_partner(&cause.origin.saga_id, books.warehouses(&key.0));
    books.put_goods(key, goods, Vec::new(), cause)?;
    Ok(GoodsReply { with_partner, ..stored_reply::done(&splits) })
}

fn resume(books: &mut Books, key: &OrderKey, cause: &Cause<'_>) -> Result<GoodsReply, Stop> {
    let Some(mut goods) = books.goods.get(key).cloned() else { return Ok(stored_reply::nothing_to_do()) };
    let splits = goods.resume(&cause.origin.saga_id);
    books.put_goods(key, goods, Vec::<Movement>::new(), cause)?;
    Ok(stored_reply::done(&splits))
}

fn release(books: &mut Books, key: &OrderKey, cause: &Cause<'_>) -> Result<GoodsReply, Stop> {
    let Some(before) = books.goods.get(key).cloned() else { return Ok(stored_reply::nothing_to_do()) };
    let mut goods = before.clone();
    let (splits, movements) = goods.release(&cause.origin.saga_id);
    books.tell_progress(key, &before, &mut goods, "", cause);
    books.put_goods(key, goods, movements, cause)?;
    Ok(stored_reply::done(&splits))
}

/// Nobody here can reach a third party that has begun to work on the units, so the change is refused while it can
/// still be put back: claiming a stop that nobody asked for would let the goods leave and refund them too.
fn stop_partner(books: &mut Books, key: &OrderKey, cause: &Cause<'_>) -> Result<GoodsReply, Stop> {
    let goods = books.goods.get(key);
    let warehouses = books.warehouses(&key.0);
    let units = goods.map_or(0, |goods| goods.held_with_partner(&cause.origin.saga_id, warehouses));
    if units == 0 {
        return Ok(stored_reply::nothing_to_do());
    }
    let message = "a third party is working on the units and can only be stopped by hand";
    Err(Refusal::new(Reason::PartnerRejected, message).detail("with_partner", units).into())
}

pub fn no_goods((_, order_id): &OrderKey) -> Refusal {
    Refusal::not_found("goods", order_id)
}
