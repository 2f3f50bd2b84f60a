//! The published reasons of refusals and failures.

use std::fmt;

macro_rules! reasons {
    ($($class:ident { $($name:ident = $text:literal,)+ })+) => {
        /// Why a request was not done. The same names stand in `enum ErrorReason` of
        /// `countermand.common.v1`, where each one's code is written for callers; a test keeps the
        /// two lists equal.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Reason {
            $($($name,)+)+
        }

        impl Reason {
            pub const ALL: &[Self] = &[$($(Self::$name,)+)+];

            /// The UPPER_SNAKE text that travels and is stored.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $($(Self::$name => $text,)+)+
                }
            }

            pub const fn class(self) -> Class {
                match self {
                    $($(Self::$name)|+ => Class::$class,)+
                }
            }
        }
    };
}

reasons! {
    InvalidArgument {
        FieldRequired = "FIELD_REQUIRED",
        FieldInvalid = "FIELD_INVALID",
        FieldTooLong = "FIELD_TOO_LONG",
        RequestIdRequired = "REQUEST_ID_REQUIRED",
        QuantityOutOfRange = "QUANTITY_OUT_OF_RANGE",
        AmountOutOfRange = "AMOUNT_OUT_OF_RANGE",
        CurrencyUnknown = "CURRENCY_UNKNOWN",
        CurrencyMismatch = "CURRENCY_MISMATCH",
        ReasonRequired = "REASON_REQUIRED",
        TooManyLines = "TOO_MANY_LINES",
        NoLabel = "NO_LABEL",
        DuplicateLine = "DUPLICATE_LINE",
        DiscountExceedsGoods = "DISCOUNT_EXCEEDS_GOODS",
        TendersMismatch = "TENDERS_MISMATCH",
        MessageTooLarge = "MESSAGE_TOO_LARGE",
        MalformedMessage = "MALFORMED_MESSAGE",
        PageTokenInvalid = "PAGE_TOKEN_INVALID",
        QuoteInvalid = "QUOTE_INVALID",
    }
    FailedPrecondition {
        QuantityExceedsAvailable = "QUANTITY_EXCEEDS_AVAILABLE",
        InsufficientStock = "INSUFFICIENT_STOCK",
        ExceedsRefundable = "EXCEEDS_REFUNDABLE",
        PriceIncreaseNotAllowed = "PRICE_INCREASE_NOT_ALLOWED",
        ShippedFirst = "SHIPPED_FIRST",
        InTransit = "IN_TRANSIT",
        Delivered = "DELIVERED",
        ContactRequired = "CONTACT_REQUIRED",
        NothingToCancel = "NOTHING_TO_CANCEL",
        UseReissue = "USE_REISSUE",
        UseRestore = "USE_RESTORE",
        WarehouseInactive = "WAREHOUSE_INACTIVE",
        AboveCaptureCeiling = "ABOVE_CAPTURE_CEILING",
        TopUpDeclined = "TOP_UP_DECLINED",
        RefundDeclined = "REFUND_DECLINED",
        PartnerRejected = "PARTNER_REJECTED",
        QuoteMismatch = "QUOTE_MISMATCH",
        QuoteExpired = "QUOTE_EXPIRED",
        RefundInFlight = "REFUND_IN_FLIGHT",
        PaymentDeclined = "PAYMENT_DECLINED",
        PaymentNotVerified = "PAYMENT_NOT_VERIFIED",
        Withdrawn = "WITHDRAWN",
        CancelledWhilePlacing = "CANCELLED_WHILE_PLACING",
        PlacementFailed = "PLACEMENT_FAILED",
        AlreadyDecided = "ALREADY_DECIDED",
        NotRetryable = "NOT_RETRYABLE",
        CancelHold = "CANCEL_HOLD",
        StateConflict = "STATE_CONFLICT",
        StockBelowReserved = "STOCK_BELOW_RESERVED",
        ExceedsAuthorised = "EXCEEDS_AUTHORISED",
        AbortedByOperator = "ABORTED_BY_OPERATOR",
        NoAnswerInTime = "NO_ANSWER_IN_TIME",
        StepTombstoned = "STEP_TOMBSTONED",
        StaleEpoch = "STALE_EPOCH",
        ProtocolViolation = "PROTOCOL_VIOLATION",
        LabelVoidRefused = "LABEL_VOID_REFUSED",
        PartnerUnconfirmed = "PARTNER_UNCONFIRMED",
        ShippedAfterCancel = "SHIPPED_AFTER_CANCEL",
        ConfirmationRequired = "CONFIRMATION_REQUIRED",
        PaymentRequired = "PAYMENT_REQUIRED",
        ReturnWindowClosed = "RETURN_WINDOW_CLOSED",
        CapabilityNotIncluded = "CAPABILITY_NOT_INCLUDED",
        BooksDoNotBalance = "BOOKS_DO_NOT_BALANCE",
    }
    Aborted {
        ChangeInProgress = "CHANGE_IN_PROGRESS",
        QuoteStale = "QUOTE_STALE",
        ConcurrentUpdate = "CONCURRENT_UPDATE",
    }
    AlreadyExists {
        IdempotencyKeyReused = "IDEMPOTENCY_KEY_REUSED",
        ExternalReferenceTaken = "EXTERNAL_REFERENCE_TAKEN",
        ExternalNumberBurned = "EXTERNAL_NUMBER_BURNED",
    }
    NotFound {
        ResourceNotFound = "RESOURCE_NOT_FOUND",
    }
    PermissionDenied {
        PermissionDenied = "PERMISSION_DENIED",
        UseProposal = "USE_PROPOSAL",
    }
    Unauthenticated {
        Unauthenticated = "UNAUTHENTICATED",
    }
    ResourceExhausted {
        Overloaded = "OVERLOADED",
        RateLimited = "RATE_LIMITED",
        StorageFull = "STORAGE_FULL",
    }
    Unavailable {
        OutcomeUnknown = "OUTCOME_UNKNOWN",
        StorageUnavailable = "STORAGE_UNAVAILABLE",
        ShuttingDown = "SHUTTING_DOWN",
        ReaderTooSlow = "READER_TOO_SLOW",
    }
    Internal {
        Internal = "INTERNAL",
    }
    DeadlineExceeded {
        DeadlineExceeded = "DEADLINE_EXCEEDED",
    }
}

/// The kind of a reason, which is also its gRPC code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Class {
    /// The request itself is wrong and will stay so.
    InvalidArgument,
    /// The state of things says no.
    FailedPrecondition,
    /// Somebody else was first: read again, then try again.
    Aborted,
    AlreadyExists,
    NotFound,
    PermissionDenied,
    Unauthenticated,
    /// Too much at once: the same request may be sent again, later.
    ResourceExhausted,
    /// Nothing is known about the outcome: the same request may be sent again.
    Unavailable,
    /// The outcome is unknown to the caller, who stopped waiting.
    DeadlineExceeded,
    /// A defect of ours.
    Internal,
}

impl Reason {
    /// Reads a reason that was stored or received; `None` for a name this version does not know.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|reason| reason.as_str() == text)
    }
}

impl Reason {
    /// Whether a participant that refuses with it has decided. A stale quote tells a client to preview again, and a saga
    /// that the promise which it carries does not hold: sent again, it would be refused again.
    pub fn is_answer(self) -> bool {
        self.class().is_answer() || self == Self::QuoteStale
    }
}

impl Class {
    /// Whether a participant that answers so has decided. After any other class the outcome is
    /// unknown, and the same request must be sent again with the same id.
    pub const fn is_answer(self) -> bool {
        match self {
            Self::InvalidArgument
            | Self::FailedPrecondition
            | Self::AlreadyExists
            | Self::NotFound
            | Self::PermissionDenied => true,
            Self::Aborted
            | Self::Unauthenticated
            | Self::ResourceExhausted
            | Self::Unavailable
            | Self::DeadlineExceeded
            | Self::Internal => false,
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}
