//! The scenarios, by name. Each is a claim.

mod batches;
mod books;
mod broker;
mod cancel;
mod crash;
mod doors;
mod events;
mod expire;
mod goods;
mod guides;
mod independent;
mod input;
mod keys;
mod limits;
mod messages;
mod money;
mod outbound;
mod owed;
mod parcels;
mod permissions;
mod place;
mod priced;
pub mod proposals;
mod proposals_agreed;
mod quote;
mod races;
pub mod refund_only;
mod refunds;
mod repeats;
pub mod restore;
pub mod returns;
mod short_ship;
mod steer;
mod telemetry;
mod tenders;
mod terminal;
mod transfer;
mod verify;
mod watch;
mod webhooks;
mod webhooks_out;
mod withdrawal;

use self::guides::{carts, marketplace};
use crate::matrix::{self, hidden};
use crate::{Scenario, lives};

/// A list of scenarios by name: of another module, or of the one it stands in.
macro_rules! scenarios {
    ($($module:ident::$name:ident),+ $(,)?) => {
        &[$((stringify!($name), |stage| Box::pin($module::$name(stage)))),+]
    };
    ($($name:ident),* $(,)?) => {
        &[$((stringify!($name), |stage| Box::pin($name(stage)))),*]
    };
}
use scenarios;

/// Every scenario but the last ones.
pub fn all() -> Vec<(&'static str, Scenario)> {
    [OWN].iter().chain(guides::ALL).flat_map(|scenarios| scenarios.iter().copied()).collect()
}

const OWN: &[(&str, Scenario)] = scenarios![
    cancel::a_whole_order_is_cancelled_everywhere,
    cancel::units_of_a_line_are_cancelled,
    cancel::a_cancelled_order_has_nothing_left_to_cancel,
    cancel::more_than_is_open_is_refused_and_changes_nothing,
    cancel::the_timeline_tells_every_step_with_its_actor,
    cancel::people_are_told,
    messages::b21_b23_a_cancellation_is_mailed_to_each_party_in_its_language,
    carts::x28_a_cart_hears_of_a_withdrawal_and_somebody_of_a_restoration,
    marketplace::only_ones_own_message_to_the_supplier_proves_that_they_were_spoken_to,
    messages::an_orders_contact_is_told_without_being_registered,
    messages::u36_a_change_is_mailed_to_nobody_whom_it_leaves_out_and_its_staff_note_to_nobody,
    messages::u36_who_does_not_want_mail_gets_none_and_the_log_says_why,
    messages::a_mail_can_be_looked_at_before_it_is_sent,
    messages::a_dead_letter_alerts_an_operator_until_it_is_given_up,
    place::missing_stock_fails_the_placement_and_takes_nothing,
    place::a_declined_card_gives_the_stock_back,
    place::an_order_brought_in_from_elsewhere_is_cancelled_like_any_other,
    place::an_external_reference_is_taken_once,
    priced::a_buyer_states_no_price_no_payment_and_no_party,
    priced::a_role_that_nobody_listed_places_nothing,
    priced::a_reissue_copies_its_prices_and_states_none,
    priced::a_tender_that_nobody_is_asked_for_rests_on_a_permission,
    priced::an_order_that_names_somebody_elses_payment_is_not_placed,
    priced::one_charge_is_one_orders,
    priced::a_gateway_that_does_not_answer_keeps_the_order_placing,
    priced::an_attested_payment_is_read_before_any_of_it_leaves,
    priced::a_second_card_on_a_paid_order_is_refused,
    priced::what_is_shared_is_what_the_gateway_has_and_no_order_took,
    money::captured_and_authorised_tenders_are_given_back,
    money::partial_cancels_add_up_to_what_was_paid,
    money::a_declined_refund_is_owed_and_said,
    money::what_was_owed_goes_back_with_the_next_change,
    money::an_unknown_refund_is_resolved_with_the_same_key,
    money::a_refund_in_doubt_survives_a_crash_and_is_made_once,
    money::a_refund_that_is_late_keeps_the_change_settling,
    money::a_refund_that_fails_afterwards_is_owed_and_asks_for_attention,
    money::x27_a_declined_refund_is_on_the_list_until_it_was_paid,
    money::an_authorisation_without_an_answer_is_asked_after,
    money::settlement_none_moves_no_money_and_says_what_is_owed,
    owed::x26_an_end_of_one_change_inside_another_leaves_one_figure,
    owed::p59_what_is_owed_is_paid_out_to_tenders_as_credit_or_by_hand,
    owed::with_its_last_exception_settled_a_change_is_completed,
    owed::a_quote_binds_what_moves_of_each_tender,
    owed::a_refund_at_the_gateway_that_spans_captures_is_booked_and_told,
    owed::what_only_was_promised_back_is_not_called_refunded,
    terminal::a_script_tells_by_the_exit_code_whether_every_order_of_a_batch_was_cancelled,
    terminal::an_item_is_acknowledged_and_a_role_is_tried_at_the_terminal,
    terminal::what_failed_is_tried_again_on_a_named_tender_at_the_terminal,
    watch::a_change_is_watched_to_its_end,
    watch::who_follows_a_change_is_told_that_its_end_was_none,
    watch::a_timeline_is_followed_from_where_the_reader_stopped,
    quote::a_quote_is_honoured_to_the_unit,
    quote::a_stale_quote_is_refused_with_the_difference,
    quote::a_preview_writes_nothing,
    races::one_of_64_parallel_submits_is_accepted,
    races::a_shipped_order_is_not_cancelled,
    races::a_held_order_is_not_shipped_or_the_cancel_loses,
    races::an_allocation_and_a_cancel_of_unallocated_units_never_both_win,
    races::all_that_is_eligible_is_what_a_shipment_has_left,
    hidden::absent_and_hidden_are_told_alike_by_the_same_statements,
    matrix::every_cell_of_the_permission_table_holds_over_the_wire,
    permissions::what_a_role_may_is_known_by_every_service_and_holds_up_no_event,
    permissions::restoring_needs_its_permission,
    permissions::steering_a_saga_needs_the_permission_to_resolve,
    permissions::cancelling_the_rest_of_a_shipment_needs_its_permission,
    permissions::store_credit_needs_its_permission,
    permissions::voiding_a_label_needs_its_permission,
    repeats::the_same_request_id_answers_the_same_change,
    repeats::the_same_request_id_with_another_body_is_refused,
    repeats::an_accepted_order_request_is_one_order,
    keys::two_callers_may_use_one_request_id,
    keys::a_quote_is_good_for_who_asked_for_it,
    keys::a_token_of_a_page_or_a_stream_cannot_be_made_up,
    keys::a_name_takes_nothing_that_is_not_seen,
    keys::nul_reaches_no_database,
    keys::a_note_forges_no_row_of_a_timeline,
    input::hostile_text_is_stored_as_it_was_or_refused,
    input::numeric_edges_are_refused_with_their_field,
    input::currencies_keep_their_exponent,
    input::unknown_ids_are_not_found_in_any_tenant,
    doors::a_bare_client_on_the_internal_port_refunds_nothing,
    doors::books_that_nobody_reads_starve_nobody,
    doors::wrong_guesses_at_an_order_are_few_and_refuse_nobody_else,
    limits::an_expired_deadline_is_said_and_the_request_may_be_repeated,
    limits::a_wait_ends_with_the_deadline_and_answers_the_state,
    limits::a_message_too_large_or_unreadable_is_the_callers_fault,
    limits::an_order_has_a_thousand_lines_at_most_and_a_change_a_hundred,
    limits::an_unknown_enum_value_is_refused_with_its_field,
    limits::a_page_is_bounded_and_its_token_is_checked,
    steer::a_change_withdrawn_while_executing_is_put_back,
    steer::an_operator_aborts_a_change_before_its_decision,
    steer::a_decided_change_is_not_withdrawn,
    steer::an_order_cancelled_while_placing_was_never_placed,
    telemetry::a_change_is_one_trace_over_all_services,
    independent::a_python_client_cancels_an_order,
    independent::grpcurl_finds_its_way_without_our_files,
    independent::grpcurl_cancels_and_reads_a_refusal,
    events::an_order_is_known_from_its_events_alone,
    events::a_subscriber_loses_nothing_when_the_service_is_killed,
    events::a_stream_goes_on_with_what_happens_next,
    broker::every_event_is_published_once_though_order_and_broker_are_killed,
    events::a_party_of_the_business_is_not_shown_everybodys_orders,
    outbound::a_connector_reaches_no_address_of_our_own,
    outbound::a_secret_is_not_drawn_by_another_tenant,
    outbound::texts_of_a_tenant_end_no_service,
    outbound::a_webhook_has_one_address_in_every_spelling,
    webhooks_out::another_language_verifies_what_is_posted,
    webhooks_out::a_receiver_that_is_busy_gets_the_event_later_under_the_same_id,
    webhooks_out::a_receiver_that_is_gone_is_not_asked_again,
    restore::cancel_restore_cancel_ends_where_the_first_cancel_did,
    restore::an_order_restored_without_tenders_awaits_its_payment,
    restore::an_unpaid_order_is_cancelled_again_without_a_refund,
    restore::missing_stock_leaves_the_order_cancelled,
    restore::a_declined_card_gives_the_stock_of_a_restoration_back,
    restore::tenders_of_a_restoration_pay_exactly_what_is_missing,
    restore::a_live_order_is_not_restored,
    refund_only::goodwill_goes_back_and_the_rest_with_the_cancellation,
    refund_only::goodwill_above_the_limit_is_refused,
    refund_only::a_refund_that_did_not_fail_is_not_tried_again,
    returns::what_comes_back_is_on_the_shelf_and_paid_back_once,
    returns::an_order_that_came_back_whole_is_returned,
    returns::what_has_not_shipped_does_not_come_back,
    returns::a_buyer_opens_a_return_and_does_not_decide_it,
    returns::a_return_of_which_nothing_came_is_closed_or_expires,
    returns::a_return_whose_refund_is_declined_is_owed_and_its_goods_are_here,
    returns::a_crash_in_the_middle_of_a_return_moves_nothing_twice,
    goods::nothing_is_given_out_before_the_order_is_placed,
    parcels::a_label_is_its_parcels_whatever_number_the_shipment_names,
    parcels::the_label_of_a_delivered_parcel_is_not_voided,
    goods::a_bundle_that_comes_back_brings_its_parts_to_the_shelf,
    goods::a_part_that_comes_back_alone_brings_no_money,
    goods::a_bundle_is_made_of_its_parts_unless_it_has_stock_of_its_own,
    goods::a_batch_by_article_takes_no_part_out_of_a_bundle_for_nothing,
    goods::a_third_party_delivers_only_what_is_assigned_to_it,
    goods::what_was_cancelled_after_it_had_left_is_restored_or_refused_at_once,
    goods::an_edit_of_a_cancelled_order_is_a_restoration,
    parcels::our_own_warehouse_is_believed_that_it_shipped_what_was_cancelled,
    parcels::a_parcel_is_undone_or_packed_elsewhere_without_a_label,
    expire::an_unpaid_order_is_warned_of_and_then_ends_by_the_clock,
    expire::an_order_that_is_paid_in_time_stands,
    expire::a_crash_in_the_middle_ends_an_unpaid_order_once,
    short_ship::what_does_not_exist_is_paid_back_and_sold_to_nobody_else,
    short_ship::a_buyer_does_not_say_what_the_warehouse_has,
    short_ship::a_crash_in_the_middle_writes_down_once,
    proposals::a_proposal_moves_nothing_until_the_other_side_agrees,
    proposals::an_approval_at_another_price_stays_requested,
    proposals::a_counter_proposal_takes_the_place_of_the_one_it_answers,
    proposals::a_delivery_charge_is_lowered_by_agreement_and_never_raised,
    proposals::a_proposal_is_declined_or_ends_by_the_clock,
    proposals_agreed::more_units_are_reserved_and_paid_before_the_order_has_them,
    proposals_agreed::a_declined_payment_for_more_units_leaves_everything_as_it_was,
    proposals_agreed::more_units_than_there_are_cost_nobody_anything,
    proposals_agreed::an_item_is_added_with_the_payment_of_whoever_proposes_it,
    proposals_agreed::goods_are_replaced_in_one_change_and_the_difference_goes_back,
    proposals_agreed::a_price_is_lowered_by_agreement_and_its_units_are_worth_less,
    proposals_agreed::an_address_is_changed_by_agreement_until_something_has_left,
    proposals_agreed::a_proposal_of_an_outdated_order_is_not_taken,
    proposals_agreed::every_answer_to_an_addition_leaves_the_order_free,
    proposals_agreed::a_kill_during_the_extra_authorisation_changes_nothing_but_the_time,
    withdrawal::a_withdrawal_is_acknowledged_before_it_is_decided,
    refunds::gift_card_and_store_credit_go_back_before_the_card_and_each_part_is_explained,
    refunds::a_refund_paid_by_hand_is_owed_no_more,
    refunds::a_declined_refund_is_tried_again_on_another_tender,
    tenders::the_policy_says_how_money_is_divided_over_the_tenders,
    tenders::store_credit_instead_of_a_declined_refund_needs_the_policy_or_a_permission,
    tenders::explicit_tenders_give_back_more_than_is_owed_only_with_a_reason,
    tenders::attention_about_a_refund_ends_when_it_is_resolved,
    tenders::p38_orders_that_share_a_payment_give_back_their_own_parts,
    webhooks::an_unsigned_webhook_is_refused,
    batches::x15_a_batch_cut_anywhere_gives_every_order_one_change,
    batches::x15_a_dry_run_tells_tenders_labels_and_stock_and_changes_nothing,
    transfer::an_import_that_is_cut_is_resumed_and_repeating_it_changes_nothing,
    transfer::a_dry_run_tells_what_is_wrong_line_by_line_and_writes_nothing,
    transfer::exports_agree_with_the_books,
    transfer::a_reference_brings_an_order_in_once,
    crash::twenty_kills_during_a_replay_change_nothing_but_the_time,
    crash::every_service_drains_at_sigterm,
    verify::a_withdrawal_that_waits_for_an_answer_is_no_fault,
    verify::what_ships_after_a_restoration_says_nothing_of_the_cancellation_before,
    verify::a_refund_at_a_gateway_with_a_book_of_its_own_is_no_fault,
    lives::random_lives_keep_the_books_true,
];

/// Run when the others have ended, on the suite they shared.
pub const LAST: &[(&str, Scenario)] = scenarios![books::the_books_of_all_scenarios_balance];
