//! The equations, in the order they are checked. Each finds the first row that breaks it, or nothing.

mod agreed;
mod batches;
mod changes;
mod desk;
mod history;
mod money;
mod outside;
mod owed;
mod pricing;
mod quantity;
mod returned;
mod sagas;
mod stock;
mod told;
mod unpaid;

use super::facts::Facts;

pub struct Equation {
    /// The invariant's number in the reliability catalogue (`docs/reliability.md`).
    pub id: &'static str,
    pub says: &'static str,
    pub first_broken: fn(&Facts) -> Option<String>,
}

pub const ALL: &[Equation] = &[
    Equation {
        id: "I01",
        says: "refunds that count never exceed what was captured, per payment",
        first_broken: money::refunds_within_capture,
    },
    Equation {
        id: "I01",
        says: "an account's ceiling and its payments' amounts agree with their captures and voids",
        first_broken: money::payments_agree,
    },
    Equation {
        id: "I01",
        says: "a payment that orders share holds exactly their parts, and no more than was authorised",
        first_broken: money::shared_payments_agree,
    },
    Equation {
        id: "I01",
        says: "each capture counts exactly its refunds",
        first_broken: owed::captures_agree,
    },
    Equation {
        id: "I01",
        says: "open and lost disputes lie on their payments' captures",
        first_broken: owed::disputes_agree,
    },
    Equation {
        id: "I03",
        says: "one refund effect per change order and capture",
        first_broken: money::one_effect_per_capture,
    },
    Equation {
        id: "I03",
        says: "the gateway's own ledger and our refunds agree",
        first_broken: money::gateway_agrees,
    },
    Equation {
        id: "I04",
        says: "frozen line amounts add up to what the order was placed for",
        first_broken: pricing::placed_amounts,
    },
    Equation {
        id: "I04",
        says: "a change gives back exactly the telescoped price of its units",
        first_broken: changes::change_amounts,
    },
    Equation {
        id: "I04",
        says: "the parts that explain a change's refunds come to its price",
        first_broken: owed::parts_agree,
    },
    Equation {
        id: "I04",
        says: "what changes gave back adds up, per line, group and order",
        first_broken: pricing::reversed_amounts,
    },
    Equation {
        id: "I04",
        says: "money kept = min(captured, total + fees) + what is owed",
        first_broken: pricing::position,
    },
    Equation {
        id: "I04",
        says: "an order awaits no more than it comes to, and its goods wait with it",
        first_broken: unpaid::goods_wait_with_their_order,
    },
    Equation {
        id: "I05",
        says: "every movement of money has two equal sides",
        first_broken: money::ledger_balances,
    },
    Equation {
        id: "I05",
        says: "the money ledger adds up to captures less refunds, per payment",
        first_broken: money::ledger_matches_payments,
    },
    Equation {
        id: "I05",
        says: "what was paid by hand or became store credit stands in the money ledger",
        first_broken: owed::ledger_matches_other_ways,
    },
    Equation {
        id: "I05",
        says: "store credit is the sum of its rows, each of them a refund",
        first_broken: owed::store_credit_agrees,
    },
    Equation {
        id: "I06",
        says: "on_hand and reserved are the sums of the stock ledger",
        first_broken: stock::ledger_matches_stock,
    },
    Equation {
        id: "I06",
        says: "reserved = active + held reservations, per warehouse and sku",
        first_broken: stock::reserved_matches_reservations,
    },
    Equation {
        id: "I06",
        says: "what came back after shipping is in the ledger, and never more than went out",
        first_broken: outside::restocks_are_in_the_ledger,
    },
    Equation {
        id: "I09",
        says: "returned units: the order, its returns, its changes and the warehouses say the same",
        first_broken: returned::returned_units_agree,
    },
    Equation {
        id: "I06",
        says: "units that came back are in the stock ledger, each once",
        first_broken: returned::returned_units_are_in_the_ledger,
    },
    Equation {
        id: "I09",
        says: "a return counts no more than came, and ends with its last unit",
        first_broken: returned::returns_end,
    },
    Equation {
        id: "I08",
        says: "goods at a partner stand under a number that it has seen once",
        first_broken: outside::partners_have_numbers,
    },
    Equation {
        id: "I10",
        says: "no carrier or partner is asked, and no shipped unit claimed, for a change that has ended",
        first_broken: outside::nobody_is_asked_in_vain,
    },
    Equation { id: "I07", says: "0 <= reserved <= on_hand", first_broken: stock::never_oversold },
    Equation {
        id: "I08",
        says: "each stock and money effect happened once",
        first_broken: stock::effects_once,
    },
    Equation {
        id: "I09",
        says: "ordered = open + cancel_pending + cancelled + fulfilled + cancelled_after_ship",
        first_broken: quantity::partition,
    },
    Equation {
        id: "I09",
        says: "cancelled = the units of committed changes, per line",
        first_broken: quantity::cancelled_by_changes,
    },
    Equation {
        id: "I10",
        says: "open units are reserved, shipped units consumed, per line",
        first_broken: quantity::reservations_match_lines,
    },
    Equation {
        id: "I10",
        says: "no goods are held for a change that has ended",
        first_broken: quantity::no_stale_holds,
    },
    Equation {
        id: "I11",
        says: "every accepted change ends, runs, or stands on the attention list",
        first_broken: sagas::changes_end,
    },
    Equation {
        id: "I12",
        says: "a completed saga did every step and undid none; an unwound one undid all it did",
        first_broken: sagas::all_or_nothing,
    },
    Equation {
        id: "I16",
        says: "at most one change holds an order, and the order says which",
        first_broken: quantity::one_change_at_a_time,
    },
    Equation {
        id: "I18",
        says: "every accepted request id stands for one resource",
        first_broken: history::request_keys,
    },
    Equation {
        id: "I19",
        says: "the timeline is gap-free, signed, and in order of time",
        first_broken: history::timeline_complete,
    },
    Equation {
        id: "I19",
        says: "each saga step has exactly one timeline entry",
        first_broken: history::timeline_tells_steps,
    },
    Equation {
        id: "I20",
        says: "events are numbered without gaps and every transition has one",
        first_broken: history::outbox_complete,
    },
    Equation {
        id: "I20",
        says: "each event that was sent was taken in exactly once",
        first_broken: history::inbox_matches_outbox,
    },
    Equation {
        id: "I20",
        says: "each webhook of a gateway is kept once, and waits or was worked on",
        first_broken: owed::gateway_events_end,
    },
    Equation {
        id: "I21",
        says: "each committed change that has ended was told to its buyer exactly once",
        first_broken: told::commits_told,
    },
    Equation {
        id: "I21",
        says: "one event tells an audience one thing, through each channel once",
        first_broken: told::told_once,
    },
    Equation {
        id: "I21",
        says: "one event goes to a recipient once per channel, and its state says how it ended",
        first_broken: told::deliveries_agree,
    },
    Equation {
        id: "I21",
        says: "deliveries = ended + open, per channel",
        first_broken: told::deliveries_add_up,
    },
    Equation {
        id: "I18",
        says: "each item of a batch has one change of its own order, or says how it ended",
        first_broken: batches::items_have_one_change,
    },
    Equation {
        id: "I18",
        says: "each change that came by a batch belongs to one of its items",
        first_broken: batches::changes_belong_to_items,
    },
    Equation {
        id: "I18",
        says: "a batch has the items it was made of, and none of them is open at its end",
        first_broken: batches::batches_add_up,
    },
    Equation {
        id: "I18",
        says: "a rule runs once for an event, and what it made is its own",
        first_broken: desk::rules_run_once,
    },
    Equation {
        id: "I16",
        says: "a proposal that waits holds nothing, and one that was not agreed to moved nothing",
        first_broken: desk::proposals_hold_nothing,
    },
    Equation {
        id: "I19",
        says: "folders and messages are of orders that there are",
        first_broken: desk::desk_points_at_orders,
    },
    Equation {
        id: "I20",
        says: "the event log has no gap, and an order's events stand in their own order",
        first_broken: desk::event_log_is_gap_free,
    },
    Equation {
        id: "I21",
        says: "the tries of a webhook are numbered, and what was sent was taken",
        first_broken: desk::webhook_tries_are_noted,
    },
    Equation {
        id: "I24",
        says: "each submitted cancellation has its decision, by the same rule, policy and person",
        first_broken: desk::decisions_have_their_facts,
    },
];

/// `a = b` or the row that says otherwise.
#[expect(clippy::needless_pass_by_value, reason = "so that a call reads as the equation it checks")]
fn differs<T: PartialEq + std::fmt::Debug>(what: &str, left: T, right: T) -> Option<String> {
    (left != right).then(|| format!("{what}: {left:?} is not {right:?}"))
}
