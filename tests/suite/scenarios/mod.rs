//! The scenarios, by name. Each is a claim.

mod cancel;
mod crash;
mod independent;
mod input;
mod money;
mod place;
mod quote;
mod races;
mod repeats;

use crate::Scenario;

macro_rules! scenarios {
    ($($module:ident::$name:ident),+ $(,)?) => {
        &[$((stringify!($name), |stage| Box::pin($module::$name(stage)))),+]
    };
}

pub const ALL: &[(&str, Scenario)] = scenarios![
    cancel::a_whole_order_is_cancelled_everywhere,
    cancel::units_of_a_line_are_cancelled,
    cancel::a_cancelled_order_has_nothing_left_to_cancel,
    cancel::more_than_is_open_is_refused_and_changes_nothing,
    cancel::the_timeline_tells_every_step_with_its_actor,
    cancel::people_are_told,
    place::missing_stock_fails_the_placement_and_takes_nothing,
    place::a_declined_card_gives_the_stock_back,
    place::an_order_brought_in_from_elsewhere_is_cancelled_like_any_other,
    place::an_external_reference_is_taken_once,
    money::captured_and_authorised_tenders_are_given_back,
    money::partial_cancels_add_up_to_what_was_paid,
    money::a_declined_refund_is_owed_and_said,
    money::an_unknown_refund_is_resolved_with_the_same_key,
    quote::a_quote_is_honoured_to_the_unit,
    quote::a_stale_quote_is_refused_with_the_difference,
    quote::a_preview_writes_nothing,
    races::one_of_64_parallel_submits_is_accepted,
    races::a_shipped_order_is_not_cancelled,
    races::a_held_order_is_not_shipped_or_the_cancel_loses,
    repeats::the_same_request_id_answers_the_same_change,
    repeats::the_same_request_id_with_another_body_is_refused,
    repeats::an_accepted_order_request_is_one_order,
    input::hostile_text_is_stored_as_it_was_or_refused,
    input::numeric_edges_are_refused_with_their_field,
    input::currencies_keep_their_exponent,
    input::unknown_ids_are_not_found_in_any_tenant,
    independent::a_python_client_cancels_an_order,
    independent::grpcurl_finds_its_way_without_our_files,
    independent::grpcurl_cancels_and_reads_a_refusal,
    crash::twenty_kills_during_a_replay_change_nothing_but_the_time,
    crash::every_service_drains_at_sigterm,
];
