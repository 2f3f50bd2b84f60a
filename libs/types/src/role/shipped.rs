//! The roles that every tenant begins with, in every preset. Configuration and `UpsertRoles` add to them or replace them.

#![cfg_attr(
    not(test),
    expect(clippy::enum_glob_use, reason = "the table below is read by its right-hand side")
)]

use super::{Grants, Reach, Relation};
use crate::permission::Permission::{self, *};
use crate::permission::Permissions;

/// What those who run the place do every day.
const DAILY: &[Permission] = &[
    OrderPlace,
    OrderPrice,
    OrderPlaceFor,
    OrderRead,
    OrderProcess,
    OrderOrganise,
    OrderPay,
    OrderReissue,
    PaymentAdopt,
    NoteWrite,
    CancelRequest,
    CancelOwn,
    CancelAny,
    CancelAfterPack,
    CancelForce,
    ChangePropose,
    ChangeAnswer,
    WithdrawalRequest,
    Restore,
    ShortShip,
    Resolve,
    RefundExecute,
    RefundStoreCredit,
    RefundOverLimit,
    ReturnOpen,
    ReturnRead,
    ReturnReceive,
    ReturnDecide,
    PolicyRead,
    ReasonRead,
    RolesRead,
    RuleRead,
    FolderRead,
    FolderEdit,
    BatchRead,
    BatchRun,
    ReportRead,
    AttentionRead,
    AttentionResolve,
    SagaRead,
    SagaSteer,
    BooksVerify,
    StockRead,
    StockAdjust,
    WarehouseEdit,
    FulfilmentRead,
    FulfilmentWrite,
    LabelAttach,
    LabelVoid,
    IntegrationRead,
    PartnerRead,
    PartnerAnswer,
    PartnerResolve,
    PaymentRead,
    PaymentTake,
    PaymentReconcile,
    GatewayRead,
    NotificationRead,
    DeliveryRead,
    DeliverySteer,
    WebhookRead,
    RecipientRead,
    RecipientEdit,
];

/// What changes how the place is run.
const RUNNING: &[Permission] = &[
    PolicyEdit,
    ReasonEdit,
    RolesEdit,
    RuleEdit,
    BooksExport,
    EventsRead,
    IntegrationEdit,
    WebhookEdit,
    ImportFacts,
];

const MANAGER: Permissions = Permissions::of(DAILY).and(Permissions::of(RUNNING));
/// Another backend of the tenant, and whoever runs the installation.
const PLATFORM: Permissions = MANAGER.and(Permissions::of(&[EditionEdit, QuoteAny]));

/// What the parties of an order may do, as far as its policy lets them.
const PARTY: Permissions = Permissions::of(&[
    OrderRead,
    OrderReissue,
    NoteWrite,
    CancelRequest,
    CancelOwn,
    ChangePropose,
    ChangeAnswer,
    WithdrawalRequest,
    ReturnOpen,
    ReturnRead,
    ReasonRead,
    FulfilmentRead,
    NotificationRead,
]);
const BUYER: Permissions = PARTY.and(Permissions::of(&[PaymentRead]));
const SUPPLIER: Permissions =
    PARTY.and(Permissions::of(&[CancelAfterPack, ReturnReceive, ReturnDecide, ShortShip, LabelVoid]));
const INSTALLER: Permissions =
    Permissions::of(&[OrderPlace, OrderRead, NoteWrite, CancelRequest, CancelOwn, ReasonRead]);
const WAREHOUSE: Permissions = Permissions::of(&[
    StockRead,
    StockAdjust,
    WarehouseEdit,
    FulfilmentRead,
    FulfilmentWrite,
    LabelAttach,
    LabelVoid,
    ReturnRead,
    ReturnReceive,
]);
const PARTNER: Permissions = Permissions::of(&[PartnerRead, PartnerAnswer]);
const GUEST: Permissions = Permissions::of(&[WithdrawalRequest]);

const BOUGHT: Reach = Reach::by(&[Relation::Buyer, Relation::SourceRouter, Relation::Creator]);
const OWN: Reach = Reach::by(&[Relation::Buyer, Relation::Customer, Relation::Creator]);

pub(super) const ROLES: &[(&str, Grants)] = &[
    ("system", Grants { permissions: PLATFORM, reach: Reach::TENANT }),
    ("platform", Grants { permissions: PLATFORM, reach: Reach::TENANT }),
    ("manager", Grants { permissions: MANAGER, reach: Reach::TENANT }),
    ("staff", Grants { permissions: Permissions::of(DAILY), reach: Reach::TENANT }),
    ("warehouse", Grants { permissions: WAREHOUSE, reach: Reach::TENANT }),
    ("installer", Grants { permissions: INSTALLER, reach: Reach::by(&[Relation::SourceRouter]) }),
    ("buyer", Grants { permissions: BUYER, reach: BOUGHT }),
    ("client", Grants { permissions: BUYER, reach: OWN }),
    ("customer", Grants { permissions: BUYER, reach: OWN }),
    ("supplier", Grants { permissions: SUPPLIER, reach: Reach::by(&[Relation::Supplier]) }),
    ("partner", Grants { permissions: PARTNER, reach: Reach::by(&[Relation::Integration]) }),
    ("guest", Grants { permissions: GUEST, reach: Reach::NONE }),
];
