//! Values every service agrees on: money, quantities, ids, instants, names and refusals.
//!
//! Text and numbers are parsed here once, at the edge, and trusted afterwards: a value of one of
//! these types is valid by construction, and its error says what was wrong with the input.
//!
//! ```text
//!   request text ──parse──▶ value ──────▶ domain code
//!                   │                        │
//!                   └──▶ error ──into──▶ Refusal { reason, message, field, details }
//! ```
//!
//! It never holds input or output, async code, transport, SQL, or a rule of one service only.
//! Time and chance come in through [`Clock`] and [`Ids`], so that a test can fix both.

pub mod bounded;
mod clock;
mod currency;
mod fingerprint;
pub mod id;
mod mint;
pub mod money;
mod permission;
mod quantity;
mod reason;
mod refusal;
mod request_id;
mod role;
mod subject;
mod tenant;
pub mod text;
mod timestamp;

pub use clock::Clock;
pub use currency::{Currency, CurrencyUnknown};
pub use fingerprint::{Fingerprint, FingerprintError};
pub use id::{
    AttentionId, BatchId, CaptureId, ChangeOrderId, DeliveryId, EventId, FolderId, FulfilmentId,
    FulfilmentLineId, IdError, LabelId, LineId, MessageId, NotificationId, OrderId, PartnerTaskId, PaymentId,
    PolicyId, RefundId, ReservationId, ReturnId, RuleId, SagaId, ShipmentId, StoredRequestId, TypedId,
    WebhookId,
};
pub use mint::Ids;
pub use money::{Money, MoneyError, UnitPrice};
pub use permission::{Permission, PermissionUnknown, Permissions};
pub use quantity::{Quantity, QuantityError};
pub use reason::{Class, Reason};
pub use refusal::Refusal;
pub use request_id::{RequestId, RequestIdError};
pub use role::{Grants, Reach, Relation, Role, RoleError, RoleMap};
pub use subject::Subject;
pub use tenant::{Tenant, TenantError};
pub use text::TextError;
pub use timestamp::{Timestamp, TimestampError};
