//! Parsing and rendering that the RPCs share.

use proto::notification::v1 as wire;

use crate::domain::{Notification, State};

pub fn notification(notification: Notification) -> wire::Notification {
    let Notification { state, .. } = notification;
    let wire_state = match state {
        State::Enqueued => wire::NotificationState::Enqueued,
        State::Sent { .. } => wire::NotificationState::Sent,
    };
    wire::Notification {
        notification_id: notification.notification_id.into(),
        event_id: notification.event_id.into(),
        order_id: notification.order_id.map(String::from).unwrap_or_default(),
        change_order_id: notification.change_order_id.map(String::from).unwrap_or_default(),
        template: notification.template,
        audience: notification.audience.as_str().to_owned(),
        channel: notification.channel.as_str().to_owned(),
        state: wire_state.into(),
        subject: notification.subject,
        body: notification.body,
        created_at: notification.created_at.into(),
        sent_at: state.sent_at().map(String::from).unwrap_or_default(),
    }
}
