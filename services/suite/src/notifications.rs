//! `countermand notifications`: what mails look like, who is mailed, and dead letters.

use anyhow::{Context, Result};
use proto::notification::v1::{
    Delivery, DeliveryState, DiscardDeliveryRequest, ListDeliveriesRequest, ListTemplatesRequest,
    PreviewTemplateRequest, Recipient, RecipientScope, RequeueDeliveryRequest, UpsertRecipientRequest,
};
use serde_json::json;

use crate::cli::{DeliveryStateChoice, NotificationsVerb};
use crate::clients::Clients;
use crate::render;

const PAGE_SIZE: i32 = 200;

pub async fn run(clients: &Clients, verb: NotificationsVerb, json: bool) -> Result<()> {
    let request_id = types::Ids::random(types::Clock::System).mint::<types::EventId>().to_string();
    let mut deliveries = clients.deliveries();
    match verb {
        NotificationsVerb::Templates => {
            let known = deliveries.list_templates(ListTemplatesRequest {}).await?.into_inner();
            if json {
                let known = json!({ "templates": known.templates, "locales": known.locales });
                return render::print_json(&known);
            }
            say!("{}\n\nin {}", known.templates.join("\n"), known.locales.join(", "));
            Ok(())
        }
        NotificationsVerb::Preview { template, locale, html, delivery } => {
            let request = PreviewTemplateRequest { template, locale, delivery_id: delivery };
            let mail = deliveries.preview_template(request).await?.into_inner();
            if json {
                let mail = json!({ "subject": mail.subject, "text": mail.text, "html": mail.html });
                return render::print_json(&mail);
            }
            let body = if html { &mail.html } else { &mail.text };
            say!("{}\n\n{body}", render::heading(&format!("Subject: {}", mail.subject)));
            Ok(())
        }
        NotificationsVerb::Deliveries { state } => show(&all(clients, state).await?, json),
        NotificationsVerb::Requeue { delivery } => {
            let request = RequeueDeliveryRequest { request_id, delivery_id: delivery };
            let answer = deliveries.requeue_delivery(request).await?.into_inner();
            show(&[answer.delivery.context("the answer holds no delivery")?], json)
        }
        NotificationsVerb::Discard { delivery, why } => {
            let request = DiscardDeliveryRequest { request_id, delivery_id: delivery, why };
            let answer = deliveries.discard_delivery(request).await?.into_inner();
            show(&[answer.delivery.context("the answer holds no delivery")?], json)
        }
        NotificationsVerb::Mail { address, audience, order, organisation, locale, remove } => {
            let (scope, scope_id) = match (order, organisation) {
                (Some(order), _) => {
                    (RecipientScope::Order, crate::orders::find(clients, &order).await?.order_id)
                }
                (None, Some(organisation)) => (RecipientScope::Organisation, organisation),
                (None, None) => (RecipientScope::Everything, String::new()),
            };
            let recipient = Recipient {
                scope: scope.into(),
                scope_id,
                audience,
                address,
                name: String::new(),
                locale,
                removed: remove,
                changed_at: String::new(),
            };
            let request = UpsertRecipientRequest { request_id, recipient: Some(recipient) };
            let kept = clients.recipients().upsert_recipient(request).await?.into_inner().recipient;
            let kept = kept.context("the answer holds no recipient")?;
            let what = if kept.removed { "is mailed no more" } else { "is mailed" };
            say!("{} {what} as {}", kept.address, kept.audience);
            Ok(())
        }
    }
}

async fn all(clients: &Clients, state: Option<DeliveryStateChoice>) -> Result<Vec<Delivery>> {
    let state = match state {
        None => DeliveryState::Unspecified,
        Some(DeliveryStateChoice::Queued) => DeliveryState::Queued,
        Some(DeliveryStateChoice::Sent) => DeliveryState::Sent,
        Some(DeliveryStateChoice::Failed) => DeliveryState::Failed,
        Some(DeliveryStateChoice::Dead) => DeliveryState::Dead,
        Some(DeliveryStateChoice::Suppressed) => DeliveryState::Suppressed,
        Some(DeliveryStateChoice::Discarded) => DeliveryState::Discarded,
    };
    let mut found = Vec::new();
    let mut page_token = String::new();
    loop {
        let request = ListDeliveriesRequest {
            page_size: PAGE_SIZE,
            page_token,
            state: state.into(),
            ..ListDeliveriesRequest::default()
        };
        let page = clients.deliveries().list_deliveries(request).await?.into_inner();
        found.extend(page.deliveries);
        page_token = page.next_page_token;
        if page_token.is_empty() {
            return Ok(found);
        }
    }
}

fn show(deliveries: &[Delivery], json: bool) -> Result<()> {
    if json {
        let name = "countermand.notification.v1.Delivery";
        let deliveries: Vec<_> =
            deliveries.iter().map(|it| render::proto_json(name, it)).collect::<Result<_>>()?;
        return render::print_json(&deliveries);
    }
    let header = ["delivery", "state", "tries", "channel", "recipient", "template", "why"];
    say!("{}", render::table(&header, &[2], deliveries.iter().map(row)));
    Ok(())
}

fn row(delivery: &Delivery) -> Vec<String> {
    let state = render::short(delivery.state().as_str_name(), "DELIVERY_STATE_").to_lowercase();
    vec![
        delivery.delivery_id.clone(),
        render::state(&state),
        delivery.tries.to_string(),
        delivery.channel.clone(),
        delivery.recipient.clone(),
        delivery.template.clone(),
        delivery.last_error.clone(),
    ]
}
