//! `countermand webhooks`: who events are posted to, and how that went.

use anyhow::{Context, Result};
use clap::Subcommand;
use proto::notification::v1::{
    DisableEndpointRequest, Endpoint, ListEndpointsRequest, ListWebhookDeliveriesRequest, RedeliverRequest,
    RotateSecretRequest, UpsertEndpointRequest, WebhookDelivery,
};

use crate::clients::Clients;
use crate::render;

#[derive(Debug, Subcommand)]
pub enum WebhooksVerb {
    /// Every endpoint.
    List,
    /// Add an endpoint; prints the secret that verifies its deliveries, once.
    Add {
        url: String,
        /// Only this type, such as ChangeOrderCommitted; may be repeated.
        #[arg(long = "type", value_name = "TYPE")]
        types: Vec<String>,
        #[arg(long, default_value = "")]
        description: String,
    },
    /// Give an endpoint a new secret; for a while the old one signs too.
    Rotate {
        /// Endpoint id (whk_…).
        endpoint: String,
        /// Seconds for which both sign; a day when not given.
        #[arg(long, default_value_t = 0)]
        overlap: i64,
    },
    /// Post nothing more to an endpoint.
    Disable {
        /// Endpoint id (whk_…).
        endpoint: String,
    },
    /// Deliveries to an endpoint with their attempts, the oldest first.
    Deliveries {
        /// Endpoint id (whk_…).
        endpoint: String,
        /// Only those in this state, such as dead.
        #[arg(long, default_value = "")]
        state: String,
    },
    /// Send a delivery once more.
    Redeliver {
        /// Delivery id (dlv_…).
        delivery: String,
    },
}

const PAGE_SIZE: i32 = 200;

pub async fn run(clients: &Clients, verb: WebhooksVerb, json: bool) -> Result<()> {
    let mut webhooks = clients.webhooks();
    let request_id = types::Ids::random(types::Clock::System).mint::<types::EventId>().to_string();
    match verb {
        WebhooksVerb::List => show_endpoints(&endpoints(clients).await?, json),
        WebhooksVerb::Add { url, types, description } => {
            let webhook_id = String::new();
            let request =
                UpsertEndpointRequest { request_id, webhook_id, url, description, event_types: types };
            let added = webhooks.upsert_endpoint(request).await?.into_inner();
            show_secret(added.endpoint, &added.secret, json)
        }
        WebhooksVerb::Rotate { endpoint, overlap } => {
            let request = RotateSecretRequest { request_id, webhook_id: endpoint, overlap_seconds: overlap };
            let rotated = webhooks.rotate_secret(request).await?.into_inner();
            show_secret(rotated.endpoint, &rotated.secret, json)
        }
        WebhooksVerb::Disable { endpoint } => {
            let request = DisableEndpointRequest { request_id, webhook_id: endpoint };
            let disabled = webhooks.disable_endpoint(request).await?.into_inner();
            show_endpoints(&[disabled.endpoint.context("the answer holds no endpoint")?], json)
        }
        WebhooksVerb::Deliveries { endpoint, state } => {
            show_deliveries(&deliveries(clients, &endpoint, &state).await?, json)
        }
        WebhooksVerb::Redeliver { delivery } => {
            let request = RedeliverRequest { request_id, delivery_id: delivery };
            let again = webhooks.redeliver(request).await?.into_inner();
            show_deliveries(&[again.delivery.context("the answer holds no delivery")?], json)
        }
    }
}

async fn endpoints(clients: &Clients) -> Result<Vec<Endpoint>> {
    let mut endpoints = Vec::new();
    let mut page_token = String::new();
    loop {
        let request = ListEndpointsRequest { page_size: PAGE_SIZE, page_token };
        let page = clients.webhooks().list_endpoints(request).await?.into_inner();
        endpoints.extend(page.endpoints);
        page_token = page.next_page_token;
        if page_token.is_empty() {
            return Ok(endpoints);
        }
    }
}

async fn deliveries(clients: &Clients, endpoint: &str, state: &str) -> Result<Vec<WebhookDelivery>> {
    let mut deliveries = Vec::new();
    let mut page_token = String::new();
    loop {
        let request = ListWebhookDeliveriesRequest {
            webhook_id: endpoint.to_owned(),
            state: state.to_owned(),
            page_size: PAGE_SIZE,
            page_token,
        };
        let page = clients.webhooks().list_webhook_deliveries(request).await?.into_inner();
        deliveries.extend(page.deliveries);
        page_token = page.next_page_token;
        if page_token.is_empty() {
            return Ok(deliveries);
        }
    }
}

fn show_secret(endpoint: Option<Endpoint>, secret: &str, json: bool) -> Result<()> {
    let endpoint = endpoint.context("the answer holds no endpoint")?;
    if json {
        return render::print_json(
            &serde_json::json!({ "endpoint": endpoint_json(&endpoint)?, "secret": secret }),
        );
    }
    say!("{} posts to {}\nsecret {secret}", endpoint.webhook_id, endpoint.url);
    Ok(())
}

fn show_endpoints(endpoints: &[Endpoint], json: bool) -> Result<()> {
    if json {
        let endpoints = endpoints.iter().map(endpoint_json).collect::<Result<Vec<_>>>()?;
        return render::print_json(&endpoints);
    }
    let rows = endpoints.iter().map(|endpoint| {
        let state = render::short(endpoint.state().as_str_name(), "ENDPOINT_STATE_").to_lowercase();
        let cause = &endpoint.disabled_cause;
        let state = if cause.is_empty() { state } else { format!("{state} ({cause})") };
        let types: Vec<&str> =
            endpoint.event_types.iter().filter_map(|name| name.rsplit('.').next()).collect();
        let types = if types.is_empty() { "all".to_owned() } else { types.join(" ") };
        vec![endpoint.webhook_id.clone(), state, endpoint.url.clone(), types, endpoint.failing_since.clone()]
    });
    say!("{}", render::table(&["endpoint", "state", "url", "types", "failing since"], &[], rows));
    Ok(())
}

fn show_deliveries(deliveries: &[WebhookDelivery], json: bool) -> Result<()> {
    if json {
        let name = "countermand.notification.v1.WebhookDelivery";
        let deliveries: Vec<_> =
            deliveries.iter().map(|delivery| render::proto_json(name, delivery)).collect::<Result<_>>()?;
        return render::print_json(&deliveries);
    }
    let rows = deliveries.iter().map(|delivery| {
        let statuses: Vec<String> =
            delivery.attempts.iter().map(|attempt| attempt.status.to_string()).collect();
        vec![
            delivery.delivery_id.clone(),
            delivery.created_at.get(..19).unwrap_or_default().replace('T', " "),
            delivery.event_type.rsplit('.').next().unwrap_or_default().to_owned(),
            delivery.order_id.clone(),
            delivery.state.clone(),
            statuses.join(" "),
            delivery.last_error.clone(),
        ]
    });
    let header = ["delivery", "at", "event", "order", "state", "answers", "why"];
    say!("{}", render::table(&header, &[], rows));
    Ok(())
}

fn endpoint_json(endpoint: &Endpoint) -> Result<serde_json::Value> {
    render::proto_json("countermand.notification.v1.Endpoint", endpoint)
}
