//! [`Permission`]: what a caller can be allowed to do, and sets of them.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{Reason, Refusal};

macro_rules! permissions {
    ($($(#[doc = $meaning:literal])+ $name:ident = $text:literal,)+) => {
        /// One thing a role can be allowed. The same names stand in the `auth` option of each RPC, in the role map and in
        /// policy documents; `docs/permissions.md` is the table for people.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub enum Permission {
            $($(#[doc = $meaning])+ $name,)+
        }

        impl Permission {
            pub const ALL: &[Self] = &[$(Self::$name,)+];

            /// The text that stands in contracts, configuration and documents.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$name => $text,)+
                }
            }

            /// What it allows, in a sentence for people.
            pub const fn meaning(self) -> &'static str {
                match self {
                    $(Self::$name => concat!($($meaning),+).trim_ascii_start(),)+
                }
            }
        }
    };
}

permissions! {
    /// place orders
    OrderPlace = "order.place",
    /// state the prices, discounts and charges of what one asks for
    OrderPrice = "order.price",
    /// place and name orders for somebody else
    OrderPlaceFor = "order.place_for",
    /// read orders, their changes and their timeline
    OrderRead = "order.read",
    /// confirm orders and start work on them
    OrderProcess = "order.process",
    /// move orders between folders
    OrderOrganise = "order.organise",
    /// bring further payments for an order
    OrderPay = "order.pay",
    /// place an order again as it was
    OrderReissue = "order.reissue",
    /// bring facts of the past in as they are stated
    ImportFacts = "import.facts",
    /// name payments that were taken elsewhere
    PaymentAdopt = "payment.adopt",
    /// write notes and messages
    NoteWrite = "note.write",
    /// ask for a cancellation
    CancelRequest = "cancel.request",
    /// cancel orders one placed, bought, or supplies
    CancelOwn = "cancel.own",
    /// cancel any order
    CancelAny = "cancel.any",
    /// cancel what is packed
    CancelAfterPack = "cancel.after_pack",
    /// go on without acknowledgements and in spite of a shortfall; somebody has to look afterwards
    CancelForce = "cancel.force",
    /// propose changes to the other side
    ChangePropose = "change.propose",
    /// approve or decline what the other side proposed
    ChangeAnswer = "change.answer",
    /// withdraw from a contract by proof of contact
    WithdrawalRequest = "withdrawal.request",
    /// bring cancelled orders back
    Restore = "restore",
    /// say that units cannot be shipped because they do not exist
    ShortShip = "short_ship",
    /// note that money went back by hand, and settle what is owed
    Resolve = "resolve",
    /// decide what happens to the money oneself
    RefundExecute = "refund.execute",
    /// ask for store credit in place of a declined refund
    RefundStoreCredit = "refund.store_credit",
    /// give back more than the policy's limit
    RefundOverLimit = "refund.over_limit",
    /// agree that units come back
    ReturnOpen = "return.open",
    /// read returns
    ReturnRead = "return.read",
    /// note that units came back
    ReturnReceive = "return.receive",
    /// accept or reject what came back
    ReturnDecide = "return.decide",
    /// use a quote that was given to somebody else
    QuoteAny = "quote.any",
    /// read policies and editions
    PolicyRead = "policy.read",
    /// write policies and put them in force
    PolicyEdit = "policy.edit",
    /// read the reasons that can be given
    ReasonRead = "reason.read",
    /// write the reasons that can be given
    ReasonEdit = "reason.edit",
    /// set what the tenant's edition holds
    EditionEdit = "edition.edit",
    /// read the role map
    RolesRead = "roles.read",
    /// write the role map
    RolesEdit = "roles.edit",
    /// read rules and what they did
    RuleRead = "rule.read",
    /// write rules
    RuleEdit = "rule.edit",
    /// read folders
    FolderRead = "folder.read",
    /// write folders
    FolderEdit = "folder.edit",
    /// read batches
    BatchRead = "batch.read",
    /// create and steer batches
    BatchRun = "batch.run",
    /// read reports
    ReportRead = "report.read",
    /// read what needs a person
    AttentionRead = "attention.read",
    /// close what needed a person
    AttentionResolve = "attention.resolve",
    /// read sagas
    SagaRead = "saga.read",
    /// retry and abort sagas
    SagaSteer = "saga.steer",
    /// check the books
    BooksVerify = "books.verify",
    /// export the books
    BooksExport = "books.export",
    /// follow all events
    EventsRead = "events.read",
    /// read stock, its ledger and reservations
    StockRead = "stock.read",
    /// receive, count and correct stock
    StockAdjust = "stock.adjust",
    /// write warehouses
    WarehouseEdit = "warehouse.edit",
    /// read fulfilments and their labels
    FulfilmentRead = "fulfilment.read",
    /// pack, submit, ship and deliver
    FulfilmentWrite = "fulfilment.write",
    /// attach labels
    LabelAttach = "label.attach",
    /// void labels
    LabelVoid = "label.void",
    /// read the profiles of partners
    IntegrationRead = "integration.read",
    /// write the profiles of partners
    IntegrationEdit = "integration.edit",
    /// read what partners were asked
    PartnerRead = "partner.read",
    /// answer for a partner
    PartnerAnswer = "partner.answer",
    /// note what a person did about a partner's task
    PartnerResolve = "partner.resolve",
    /// read payments, refunds and positions
    PaymentRead = "payment.read",
    /// authorise and capture payments
    PaymentTake = "payment.take",
    /// compare payments with the gateway
    PaymentReconcile = "payment.reconcile",
    /// read what gateways told
    GatewayRead = "gateway.read",
    /// read messages that were sent
    NotificationRead = "notification.read",
    /// read deliveries and templates
    DeliveryRead = "delivery.read",
    /// send deliveries again, or drop them
    DeliverySteer = "delivery.steer",
    /// read webhook endpoints
    WebhookRead = "webhook.read",
    /// write webhook endpoints and their secrets
    WebhookEdit = "webhook.edit",
    /// read who is told
    RecipientRead = "recipient.read",
    /// write who is told, and what they want to hear
    RecipientEdit = "recipient.edit",
    /// run goods steps; for workloads of this suite
    PeerGoods = "peer.goods",
    /// run refund steps; for workloads of this suite
    PeerRefunds = "peer.refunds",
    /// deliver events; for workloads of this suite
    PeerEvents = "peer.events",
    /// tell carts and foresee what partners would say; for workloads of this suite
    PeerCarts = "peer.carts",
    /// ask what was decided; for workloads of this suite
    PeerDecisions = "peer.decisions",
}

impl Permission {
    pub fn parse(text: &str) -> Result<Self, PermissionUnknown> {
        Self::ALL
            .iter()
            .copied()
            .find(|permission| permission.as_str() == text)
            .ok_or_else(|| PermissionUnknown { text: text.chars().take(64).collect() })
    }

    /// Whether it is for workloads of the suite: no role of people or clients can hold it.
    pub fn is_for_peers(self) -> bool {
        matches!(
            self,
            Self::PeerGoods | Self::PeerRefunds | Self::PeerEvents | Self::PeerCarts | Self::PeerDecisions
        )
    }
}

impl TryFrom<String> for Permission {
    type Error = PermissionUnknown;

    fn try_from(text: String) -> Result<Self, PermissionUnknown> {
        Self::parse(&text)
    }
}

impl From<Permission> for String {
    fn from(permission: Permission) -> Self {
        permission.as_str().to_owned()
    }
}

impl fmt::Display for Permission {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is no permission; docs/permissions.md lists them")]
pub struct PermissionUnknown {
    text: String,
}

impl From<PermissionUnknown> for Refusal {
    fn from(error: PermissionUnknown) -> Self {
        Self::new(Reason::FieldInvalid, error.to_string())
    }
}

/// A set of permissions, as cheap as a number.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
pub struct Permissions(u128);

impl Permissions {
    pub const NONE: Self = Self(0);

    pub const fn of(permissions: &[Permission]) -> Self {
        let mut set = 0;
        let mut next = 0;
        while next < permissions.len() {
            set |= 1 << permissions[next] as u32;
            next += 1;
        }
        Self(set)
    }

    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// All that a person or client can hold.
    pub fn all() -> Self {
        Permission::ALL.iter().copied().filter(|permission| !permission.is_for_peers()).collect()
    }

    pub const fn holds(self, permission: Permission) -> bool {
        self.0 & (1 << permission as u32) != 0
    }

    /// What of it is not in the other.
    #[must_use]
    pub const fn beyond(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// In the order in which they are declared.
    pub fn iter(self) -> impl Iterator<Item = Permission> {
        Permission::ALL.iter().copied().filter(move |permission| self.holds(*permission))
    }
}

impl FromIterator<Permission> for Permissions {
    fn from_iter<T: IntoIterator<Item = Permission>>(permissions: T) -> Self {
        permissions.into_iter().fold(Self::NONE, |set, permission| set.and(Self::of(&[permission])))
    }
}

impl fmt::Debug for Permissions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter().map(Permission::as_str)).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_permission_has_a_bit_and_a_name_of_its_own() {
        assert!(Permission::ALL.len() <= 128, "a set has 128 bits");
        for permission in Permission::ALL {
            assert_eq!(Permission::parse(permission.as_str()), Ok(*permission));
            assert_eq!(Permissions::of(&[*permission]).iter().collect::<Vec<_>>(), [*permission]);
        }
    }

    #[test]
    fn what_no_permission_is_called_is_none() {
        for text in ["", "*", "order.read ", "ORDER.READ", "order"] {
            assert!(Permission::parse(text).is_err(), "{text:?}");
        }
    }
}
