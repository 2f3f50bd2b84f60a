//! The wire: requests are parsed, use cases called, answers rendered. One file an RPC, or a tiny family.
//!
//! ```text
//!   generated service ──▶ rpc::answer(orders, request) ──▶ convert (parse) ──▶ ops ──▶ wire (render)
//! ```
//!
//! It never holds a rule of the business, and it never touches a database.

mod address;
mod changes;
pub(crate) mod convert;
mod decisions;
mod events;
mod operations;
mod orders;
pub(crate) mod organising;
mod policies;
mod proposals;
mod remedies;
mod returns;
mod roles;
mod stating;
#[cfg(test)]
mod tests;
pub(crate) mod waiting;

use kit::books::Books;
use kit::server::Routes;
use proto::audit::v1::audit_service_server::AuditServiceServer;
use proto::events::v1::event_intake_service_server::EventIntakeServiceServer;
use proto::order::v1::change_order_service_server::ChangeOrderServiceServer;
use proto::order::v1::conversation_service_server::ConversationServiceServer;
use proto::order::v1::decision_service_server::DecisionServiceServer;
use proto::order::v1::folder_service_server::FolderServiceServer;
use proto::order::v1::operations_service_server::OperationsServiceServer;
use proto::order::v1::order_service_server::OrderServiceServer;
use proto::order::v1::policy_service_server::PolicyServiceServer;
use proto::order::v1::proposal_service_server::ProposalServiceServer;
use proto::order::v1::remedy_service_server::RemedyServiceServer;
use proto::order::v1::return_service_server::ReturnServiceServer;
use proto::order::v1::role_service_server::RoleServiceServer;

use self::changes::ChangeApi;
use self::decisions::DecisionApi;
use self::events::IntakeApi;
use self::operations::OperationsApi;
use self::orders::OrderApi;
use self::organising::{ConversationApi, FolderApi};
use self::policies::PolicyApi;
use self::proposals::ProposalApi;
use self::remedies::RemedyApi;
use self::returns::ReturnApi;
use self::roles::RoleApi;
use crate::ops::Orders;

/// A change may select a hundred lines, each with a note of its own.
const CHANGE_BYTES_MAX: usize = 1024 * 1024;
/// Two hundred events, each about an order of up to a thousand lines: one refused for its size would
/// be sent again for ever.
const EVENTS_BYTES_MAX: usize = 64 * 1024 * 1024;

/// What clients and operators may call.
pub fn public(orders: &Orders, books: Books) -> Routes {
    use kit::server::REQUEST_BYTES_MAX as BYTES_MAX;
    let changes = ChangeOrderServiceServer::new(ChangeApi::new(orders.clone()));
    let operations = OperationsServiceServer::new(OperationsApi::new(orders.clone()));
    Routes::new()
        .request_bytes_max(CHANGE_BYTES_MAX)
        .add_service(
            OrderServiceServer::new(OrderApi::new(orders.clone())).max_decoding_message_size(BYTES_MAX),
        )
        .add_service(changes.max_decoding_message_size(CHANGE_BYTES_MAX))
        .add_service(operations.max_decoding_message_size(BYTES_MAX))
        .add_service(
            PolicyServiceServer::new(PolicyApi::new(orders.clone())).max_decoding_message_size(BYTES_MAX),
        )
        .add_service(
            ConversationServiceServer::new(ConversationApi::new(orders.clone()))
                .max_decoding_message_size(BYTES_MAX),
        )
        .add_service(
            FolderServiceServer::new(FolderApi::new(orders.clone())).max_decoding_message_size(BYTES_MAX),
        )
        .add_service(
            RemedyServiceServer::new(RemedyApi::new(orders.clone())).max_decoding_message_size(BYTES_MAX),
        )
        .add_service(
            ProposalServiceServer::new(ProposalApi::new(orders.clone())).max_decoding_message_size(BYTES_MAX),
        )
        .add_service(
            ReturnServiceServer::new(ReturnApi::new(orders.clone())).max_decoding_message_size(BYTES_MAX),
        )
        .add_service(
            RoleServiceServer::new(RoleApi::new(orders.clone())).max_decoding_message_size(BYTES_MAX),
        )
        .add_service(AuditServiceServer::new(books).max_decoding_message_size(BYTES_MAX))
}

/// What our other services may call.
pub fn internal(orders: &Orders) -> Routes {
    let intake = EventIntakeServiceServer::new(IntakeApi::new(orders.clone()));
    let decisions = DecisionServiceServer::new(DecisionApi::new(orders.clone()));
    Routes::new()
        .request_bytes_max(EVENTS_BYTES_MAX)
        .add_service(intake.max_decoding_message_size(EVENTS_BYTES_MAX))
        .add_service(decisions.max_decoding_message_size(kit::server::REQUEST_BYTES_MAX))
}
