//! Parsing the events of the participants.

use std::collections::BTreeSet;

use prost::Message;
use proto::events::v1::{
    AttentionCleared, AttentionRaised, GoodsProgressed, OwedChanged, RefundEnded, RefundFound, StepSettled,
};
use proto::payment::v1::OwedPosition;
use saga::SagaKey;
use storage::Envelope;
use types::{ChangeOrderId, LineId, OrderId, RefundId, SagaId, Tenant};

use super::outside::{self, News};
use crate::domain::goods::LineCounters;
use crate::domain::lifecycle::LeftOwed;
use crate::domain::position::Position;
use crate::store::keys::{ChangeKey, OrderKey};

/// An event and its parsed body.
pub struct Arrival {
    pub envelope: Envelope,
    pub body: Result<Body, String>,
}

pub enum Body {
    StepSettled {
        saga_id: SagaId,
    },
    GoodsProgressed {
        order_id: OrderId,
        lines: Vec<LineCounters>,
        tracking_number: String,
    },
    RefundEnded {
        order_id: OrderId,
        change_order_id: ChangeOrderId,
        refund_id: RefundId,
        event: RefundEnded,
    },
    OwedChanged(OwedTold),
    RefundFound {
        order_id: OrderId,
        event: RefundFound,
    },
    Outside {
        order_id: OrderId,
        news: News,
    },
    AttentionRaised {
        order_id: Option<OrderId>,
        change_order_id: Option<ChangeOrderId>,
        event: AttentionRaised,
    },
    AttentionCleared {
        order_id: Option<OrderId>,
        change_order_id: Option<ChangeOrderId>,
        event: AttentionCleared,
    },
}

/// The event, parsed.
pub struct OwedTold {
    pub order_id: OrderId,
    pub positions: Vec<Position>,
    pub left: Vec<LeftOwed>,
}

impl Arrival {
    pub fn read(envelope: Envelope) -> Self {
        let body = read(&envelope);
        Self { envelope, body }
    }

    /// Adds what has to be loaded before the event can take effect.
    pub fn needs(
        &self,
        sagas: &mut BTreeSet<SagaKey>,
        orders: &mut BTreeSet<OrderKey>,
        changes: &mut BTreeSet<ChangeKey>,
    ) {
        let tenant = &self.envelope.tenant;
        match &self.body {
            Ok(Body::StepSettled { saga_id }) => {
                sagas.insert(SagaKey::new(tenant.clone(), saga_id.clone()));
            }
            Ok(Body::GoodsProgressed { order_id, .. } | Body::RefundFound { order_id, .. }) => {
                orders.insert((tenant.clone(), order_id.clone()));
            }
            Ok(Body::Outside { order_id, news }) => {
                orders.insert((tenant.clone(), order_id.clone()));
                let change = news.leg().and_then(|leg| ChangeOrderId::parse(&leg.change_order_id).ok());
                changes.extend(change.map(|id| (tenant.clone(), id)));
            }
            Ok(Body::OwedChanged(told)) => {
                orders.insert((tenant.clone(), told.order_id.clone()));
                changes.extend(told.left.iter().map(|left| (tenant.clone(), left.change_order_id.clone())));
            }
            Ok(Body::RefundEnded { order_id, change_order_id, .. }) => {
                orders.insert((tenant.clone(), order_id.clone()));
                changes.insert((tenant.clone(), change_order_id.clone()));
            }
            Ok(
                Body::AttentionRaised { order_id, change_order_id, .. }
                | Body::AttentionCleared { order_id, change_order_id, .. },
            ) => {
                orders.extend(order_id.iter().map(|id| (tenant.clone(), id.clone())));
                changes.extend(change_order_id.iter().map(|id| (tenant.clone(), id.clone())));
            }
            Err(_) => {}
        }
    }

    /// The subject of the attention item that the event raises or closes.
    pub fn subject(&self) -> Option<(Tenant, String, String)> {
        match &self.body {
            Ok(Body::AttentionRaised { event, .. }) => {
                let tenant = self.envelope.tenant.clone();
                Some((tenant, event.subject_type.clone(), event.subject_id.clone()))
            }
            // Items about an order come with it; others are found by what they are about.
            Ok(Body::AttentionCleared { event, .. }) => {
                let tenant = self.envelope.tenant.clone();
                Some((tenant, event.subject_type.clone(), event.subject_id.clone()))
            }
            Ok(
                Body::StepSettled { .. }
                | Body::GoodsProgressed { .. }
                | Body::Outside { .. }
                | Body::OwedChanged(_)
                | Body::RefundFound { .. }
                | Body::RefundEnded { .. },
            )
            | Err(_) => None,
        }
    }
}

fn read(envelope: &Envelope) -> Result<Body, String> {
    let text = |problem: &dyn std::fmt::Display| format!("{}: {problem}", envelope.kind);
    let payload = envelope.payload.as_slice();
    match envelope.kind.as_str() {
        "countermand.events.v1.StepSettled" => {
            let event = StepSettled::decode(payload).map_err(|error| text(&error))?;
            Ok(Body::StepSettled { saga_id: SagaId::parse(&event.saga_id).map_err(|error| text(&error))? })
        }
        "countermand.events.v1.GoodsProgressed" => {
            let event = GoodsProgressed::decode(payload).map_err(|error| text(&error))?;
            let lines = event.lines.iter().map(|line| {
                Ok(LineCounters {
                    line_id: LineId::parse(&line.line_id).map_err(|error| text(&error))?,
                    allocated: line.allocated,
                    deallocated: line.deallocated,
                    submitted: line.submitted,
                    shipped: line.shipped,
                    unshipped: line.unshipped,
                    delivered: line.delivered,
                })
            });
            Ok(Body::GoodsProgressed {
                order_id: OrderId::parse(&event.order_id).map_err(|error| text(&error))?,
                lines: lines.collect::<Result<_, String>>()?,
                tracking_number: event.tracking_number,
            })
        }
        "countermand.events.v1.RefundEnded" => {
            let event = RefundEnded::decode(payload).map_err(|error| text(&error))?;
            Ok(Body::RefundEnded {
                order_id: OrderId::parse(&event.order_id).map_err(|error| text(&error))?,
                change_order_id: ChangeOrderId::parse(&event.change_order_id)
                    .map_err(|error| text(&error))?,
                refund_id: RefundId::parse(&event.refund_id).map_err(|error| text(&error))?,
                event,
            })
        }
        "countermand.events.v1.RefundFound" => {
            let event = RefundFound::decode(payload).map_err(|error| text(&error))?;
            let order_id = OrderId::parse(&event.order_id).map_err(|error| text(&error))?;
            Ok(Body::RefundFound { order_id, event })
        }
        "countermand.events.v1.OwedChanged" => {
            let event = OwedChanged::decode(payload).map_err(|error| text(&error))?;
            owed(&event).map(Body::OwedChanged).map_err(|error| text(&error))
        }
        "countermand.events.v1.AttentionRaised" => {
            let event = AttentionRaised::decode(payload).map_err(|error| text(&error))?;
            Ok(Body::AttentionRaised {
                order_id: OrderId::parse(&event.order_id).ok(),
                change_order_id: ChangeOrderId::parse(&event.change_order_id).ok(),
                event,
            })
        }
        "countermand.events.v1.AttentionCleared" => {
            let event = AttentionCleared::decode(payload).map_err(|error| text(&error))?;
            Ok(Body::AttentionCleared {
                order_id: OrderId::parse(&event.order_id).ok(),
                change_order_id: ChangeOrderId::parse(&event.change_order_id).ok(),
                event,
            })
        }
        kind => match outside::read(kind, payload, envelope.occurred_at) {
            Some(read) => read.map(|(order_id, news)| Body::Outside { order_id, news }),
            None => Err(text(&"nobody here reads such an event")),
        },
    }
}

pub fn position(owed: &OwedPosition) -> Position {
    Position { sequence: owed.sequence, worth_version: owed.worth_version, owed_minor: owed.owed_minor }
}

fn owed(event: &OwedChanged) -> Result<OwedTold, types::IdError> {
    let left = event.left.iter().map(|left| {
        Ok(LeftOwed {
            change_order_id: ChangeOrderId::parse(&left.change_order_id)?,
            owed_minor: left.owed_minor,
            mended: left.mended,
        })
    });
    Ok(OwedTold {
        order_id: OrderId::parse(&event.order_id)?,
        positions: event.positions.iter().map(position).collect(),
        left: left.collect::<Result<_, types::IdError>>()?,
    })
}
