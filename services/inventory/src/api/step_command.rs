//! A step's message, parsed.

use kit::step;
use proto::inventory::v1 as wire;
use proto::inventory::v1::goods_command::Command;
use storage::{Direction, StepCall};
use types::{OrderId, Reason, Refusal, text};

use super::convert::{self, LINES_MAX};
use crate::domain::{
    Ask, CartNotice, Hold, HoldLine, IntegrationKey, Reach, Reservable, Reshipped, ReturnedLine, Teller,
    Unconfirmed, Wanted,
};
use crate::ops::{Step, StepCommand};

/// The steps' names in the sagas' definitions. An undo carries the name of the step it undoes.
const RESERVE_STOCK: &str = "reserve_stock";
const HOLD_GOODS: &str = "hold_goods";
const STOP_PARTNER: &str = "stop_partner";
const RELEASE_GOODS: &str = "release_goods";
const VOID_LABELS: &str = "void_labels";
const WRITE_DOWN: &str = "write_down";
const GOODS_PAID: &str = "goods_paid";
const RESHIP: &str = "reship";
const KEEP_GOODS: &str = "keep_goods";
const CLAIM_RETURNED: &str = "claim_returned";
const TAKE_BACK: &str = "take_back";

/// What a command is to its saga.
struct Part {
    order_id: OrderId,
    step: Step,
    name: &'static str,
    direction: Direction,
    completes: Option<&'static str>,
}

pub fn parse(request: &wire::RunGoodsStepRequest) -> Result<StepCommand, Refusal> {
    let context = step::parse(request.context.as_ref())?;
    let message = request.command.as_ref().ok_or_else(|| missing("command"))?;
    let part = part(message.command.as_ref().ok_or_else(|| missing("command"))?)?;
    if (context.step.as_str(), context.direction) != (part.name, part.direction) {
        let message = format!(
            "this command is the {} of step {}, not the {} of step {}",
            part.direction.as_str(),
            part.name,
            context.direction.as_str(),
            text::display(&context.step),
        );
        return Err(Refusal::new(Reason::FieldInvalid, message).field("context.step"));
    }

    let request_hash = step::request_hash(&context, message);
    Ok(StepCommand {
        call: StepCall { context, request_hash, completes: part.completes },
        order_id: part.order_id,
        step: part.step,
        traceparent: request
            .context
            .as_ref()
            .map(|context| context.traceparent.clone())
            .filter(|text| !text.is_empty()),
    })
}

fn part(command: &Command) -> Result<Part, Refusal> {
    let simple = |order_id: &str, step, name, direction| {
        let order_id = convert::order_id("command.order_id", order_id)?;
        Ok(Part { order_id, step, name, direction, completes: None })
    };
    let (done, undone) = (Direction::Do, Direction::Undo);
    match command {
        Command::ReserveStock(given) => {
            let wanted = wanted(&given.lines, &given.reshipped)?;
            let step = Step::ReserveStock { wanted, until_paid: given.until_paid };
            simple(&given.order_id, step, RESERVE_STOCK, done)
        }
        Command::GoodsPaid(given) => simple(&given.order_id, Step::GoodsPaid, GOODS_PAID, done),
        Command::Reship(given) => simple(&given.order_id, Step::Reship, RESHIP, done),
        Command::UnreserveStock(given) => {
            simple(&given.order_id, Step::UnreserveStock, RESERVE_STOCK, undone)
        }
        Command::HoldGoods(given) => {
            let step = Step::HoldGoods(Hold {
                lines: held(&given.lines)?,
                void_label: given.void_label,
                reach: reach(given)?,
                take_what_is_left: given.take_what_is_left,
                only_here: given.only_here,
            });
            simple(&given.order_id, step, HOLD_GOODS, done)
        }
        Command::ResumeGoods(given) => simple(&given.order_id, Step::ResumeGoods, HOLD_GOODS, undone),
        Command::KeepGoods(given) => {
            let part = simple(&given.order_id, Step::KeepGoods, KEEP_GOODS, done)?;
            Ok(Part { completes: Some(HOLD_GOODS), ..part })
        }
        Command::StopPartner(given) => {
            simple(&given.order_id, Step::StopPartner(ask(given)?), STOP_PARTNER, done)
        }
        Command::WithdrawStop(given) => simple(&given.order_id, Step::WithdrawStop, STOP_PARTNER, undone),
        Command::ReleaseGoods(given) => {
            let notices = notices(given)?;
            let part = simple(&given.order_id, Step::ReleaseGoods(notices), RELEASE_GOODS, done)?;
            Ok(Part { completes: Some(HOLD_GOODS), ..part })
        }
        Command::VoidLabels(given) => simple(&given.order_id, Step::VoidLabels, VOID_LABELS, done),
        Command::WriteDown(given) => {
            let part = simple(&given.order_id, Step::WriteDown, WRITE_DOWN, done)?;
            Ok(Part { completes: Some(HOLD_GOODS), ..part })
        }
        Command::ClaimReturned(given) => {
            let lines = came_back(&given.lines)?;
            simple(&given.order_id, Step::ClaimReturned(lines), CLAIM_RETURNED, done)
        }
        Command::UnclaimReturned(given) => {
            simple(&given.order_id, Step::UnclaimReturned, CLAIM_RETURNED, undone)
        }
        Command::TakeBack(given) => {
            let lines = came_back(&given.lines)?;
            let part = simple(&given.order_id, Step::TakeBack(lines), TAKE_BACK, done)?;
            Ok(Part { completes: Some(CLAIM_RETURNED), ..part })
        }
    }
}

fn reach(given: &wire::HoldGoods) -> Result<Reach, Refusal> {
    match (given.only_unallocated, given.allow_shipped) {
        (true, true) => {
            let message = "shipped units are not unallocated";
            Err(Refusal::new(Reason::FieldInvalid, message).field("command.only_unallocated"))
        }
        (true, false) => Ok(Reach::Unallocated),
        (false, true) => Ok(Reach::OnTheWay),
        (false, false) => Ok(Reach::Here),
    }
}

/// Who is to be told; a system whose name no profile can have is nobody that could be.
fn notices(given: &wire::ReleaseGoods) -> Result<Vec<CartNotice>, Refusal> {
    let note = convert::note("command.note", &given.note)?;
    let change_order_id = convert::code("command.change_order_id", &given.change_order_id)?;
    let reason_code = convert::code("command.reason_code", &given.reason_code)?;
    for cart in &given.carts {
        convert::code("command.carts.reference", &cart.reference)?;
    }
    let known = given.carts.iter().filter_map(|cart| {
        Some(CartNotice {
            cart: IntegrationKey::parse(&cart.system).ok()?,
            reference: cart.reference.clone(),
            change_order_id: change_order_id.clone(),
            reason_code: reason_code.clone(),
            note: note.clone(),
            units: given.units.max(1),
            teller: Teller::Change,
        })
    });
    Ok(known.collect())
}

fn ask(given: &wire::StopPartner) -> Result<Ask, Refusal> {
    let unconfirmed = match wire::UnconfirmedPolicy::try_from(given.unconfirmed) {
        Ok(wire::UnconfirmedPolicy::Unspecified | wire::UnconfirmedPolicy::Commit) => Unconfirmed::Commit,
        Ok(wire::UnconfirmedPolicy::Wait) => Unconfirmed::Wait,
        Ok(wire::UnconfirmedPolicy::Reject) => Unconfirmed::Reject,
        Err(_) => {
            let message = format!("{} is no policy for silence", given.unconfirmed);
            return Err(Refusal::new(Reason::FieldInvalid, message).field("command.unconfirmed"));
        }
    };
    Ok(Ask {
        change_order_id: convert::code("command.change_order_id", &given.change_order_id)?,
        reason_code: convert::code("command.reason_code", &given.reason_code)?,
        note: convert::note("command.note", &given.note)?,
        unconfirmed,
    })
}

pub fn wanted(
    lines: &[wire::ReserveStockLine],
    reshipped: &[wire::ReshippedLine],
) -> Result<Reservable, Refusal> {
    convert::not_empty(lines.len().saturating_add(reshipped.len()), "command.lines")?;
    convert::at_most(lines.len(), LINES_MAX, "command.lines", Reason::TooManyLines)?;
    convert::at_most(reshipped.len(), LINES_MAX, "command.reshipped", Reason::TooManyLines)?;
    let parsed = lines.iter().enumerate().map(|(index, line)| {
        let field = |name: &str| format!("command.lines[{index}].{name}");
        Ok(Wanted {
            line_id: convert::line_id(&field("line_id"), &line.line_id)?,
            sku: convert::sku(&field("sku"), &line.sku)?,
            quantity: convert::quantity(&field("quantity"), line.quantity)?,
            warehouse_id: convert::optional_warehouse_id(&field("warehouse_id"), &line.warehouse_id)?,
            without_stock: line.without_stock,
            part_of: match line.part_of.as_str() {
                "" => None,
                parent => Some(convert::line_id(&field("part_of"), parent)?),
            },
        })
    });
    let again = reshipped.iter().enumerate().map(|(index, line)| {
        let field = |name: &str| format!("command.reshipped[{index}].{name}");
        Ok(Reshipped {
            line_id: convert::line_id(&field("line_id"), &line.line_id)?,
            quantity: convert::quantity(&field("quantity"), line.quantity)?,
        })
    });
    Ok(Reservable {
        lines: parsed.collect::<Result<_, Refusal>>()?,
        reshipped: again.collect::<Result<_, Refusal>>()?,
    })
}

fn held(lines: &[wire::HoldGoodsLine]) -> Result<Vec<HoldLine>, Refusal> {
    counted(lines.len())?;
    let parsed = lines.iter().enumerate().map(|(index, line)| {
        let field = |name: &str| format!("command.lines[{index}].{name}");
        Ok(HoldLine {
            line_id: convert::line_id(&field("line_id"), &line.line_id)?,
            quantity: convert::quantity(&field("quantity"), line.quantity)?,
        })
    });
    parsed.collect()
}

fn came_back(lines: &[wire::ReturnedLine]) -> Result<Vec<ReturnedLine>, Refusal> {
    counted(lines.len())?;
    let parsed = lines.iter().enumerate().map(|(index, line)| {
        let field = |name: &str| format!("command.lines[{index}].{name}");
        for (name, units) in [("restock", line.restock), ("write_off", line.write_off)] {
            if units < 0 {
                let message = format!("{units} units cannot have come back");
                return Err(Refusal::new(Reason::QuantityOutOfRange, message).field(field(name)));
            }
        }
        convert::quantity(&field("restock"), line.restock.saturating_add(line.write_off))?;
        Ok(ReturnedLine {
            line_id: convert::line_id(&field("line_id"), &line.line_id)?,
            restock: line.restock,
            write_off: line.write_off,
            warehouse_id: convert::optional_warehouse_id(&field("warehouse_id"), &line.warehouse_id)?,
        })
    });
    parsed.collect()
}

fn counted(lines: usize) -> Result<(), Refusal> {
    convert::not_empty(lines, "command.lines")?;
    convert::at_most(lines, LINES_MAX, "command.lines", Reason::TooManyLines)
}

fn missing(field: &str) -> Refusal {
    Refusal::new(Reason::FieldRequired, format!("{field} is missing")).field(field)
}
