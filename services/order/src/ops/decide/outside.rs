//! Applying events about labels and partners: they show on the order and in its timeline.

use types::Timestamp;

use crate::domain::history::Happened;
use crate::domain::order::Order;
use crate::domain::outside::{self, PartnerMail};
use crate::ops::command::News;

pub fn record(order: &mut Order, news: &News, now: Timestamp) -> Happened {
    match news {
        News::Label(label) => outside::record_label(order, label.clone(), now),
        News::Handover(handed) => outside::record_handover(order, handed.clone(), now),
        News::Leg(leg) => outside::record_leg(order, leg.clone(), now),
        News::Mail(mail) => outside::record_mail(order, PartnerMail::clone(mail), now),
    }
}
