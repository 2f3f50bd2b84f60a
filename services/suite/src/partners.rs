//! `countermand integrations`, `partner` and `label`: who is reached how, what they were asked, and labels.

use anyhow::Result;
use clap::{Subcommand, ValueEnum};
use proto::inventory::v1::{
    GetLabelsRequest, Integration, Label, ListIntegrationsRequest, ListPartnerTasksRequest, PartnerTask,
    PartnerTaskResolution, ReportPartnerShipmentRequest, ReportPartnerShipmentResponse,
    ResolvePartnerTaskRequest, VoidLabelRequest,
};
use types::{Clock, EventId, Ids};

use crate::clients::Clients;
use crate::render;
use crate::say::one_line;

#[derive(Debug, Subcommand)]
pub enum IntegrationsVerb {
    /// Every profile: how it is asked to stop, until when, and what it wants.
    List,
    /// One profile.
    Show {
        /// Such as mww.
        key: String,
    },
}

#[derive(Debug, Subcommand)]
pub enum PartnerVerb {
    /// What partners were asked and have not answered; everything of an order when it is named.
    Tasks {
        /// Order id (ord_…) or number.
        order: Option<String>,
    },
    /// The word of a partner, as it was heard.
    Respond {
        /// Task id (tsk_…).
        task: String,
        #[arg(value_enum)]
        word: Word,
        #[arg(long, default_value = "")]
        note: String,
    },
    /// A partner has shipped a fulfilment.
    Shipped {
        /// Fulfilment id (ful_…).
        fulfillment: String,
        /// The carrier's number.
        tracking: String,
    },
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum Word {
    /// It has stopped the goods.
    Accepted,
    /// It does not.
    Rejected,
    /// It was asked by hand; its word is awaited.
    Asked,
}

#[derive(Debug, Subcommand)]
pub enum LabelVerb {
    /// The labels of an order, voided ones included.
    List {
        /// Order id (ord_…) or number.
        order: String,
    },
    /// Ask the carrier to void a label and refund it.
    Void {
        /// Label id (lab_…).
        label: String,
    },
}

fn request_id() -> String {
    Ids::random(Clock::System).mint::<EventId>().to_string()
}

pub async fn integrations(clients: &Clients, verb: IntegrationsVerb, json: bool) -> Result<()> {
    let key = match verb {
        IntegrationsVerb::List => String::new(),
        IntegrationsVerb::Show { key } => key,
    };
    let request = ListIntegrationsRequest { key };
    let listed = clients.integrations().list_integrations(request).await?.into_inner();
    if json {
        let text = render::proto_json("countermand.inventory.v1.ListIntegrationsResponse", &listed)?;
        return render::print_json(&text);
    }
    for integration in &listed.integrations {
        say!("{}", profile(integration));
    }
    Ok(())
}

fn profile(integration: &Integration) -> String {
    let methods: Vec<String> = integration
        .methods
        .iter()
        .map(|method| {
            let name = method.method().as_str_name().trim_start_matches("PARTNER_METHOD_").to_lowercase();
            let window = method.window_seconds;
            if window == 0 { name } else { format!("{name} for {window} s") }
        })
        .collect();
    let confirmation = integration.confirmation().as_str_name().trim_start_matches("CONFIRMATION_");
    let mut facts = vec![format!("confirmation {}", confirmation.to_lowercase())];
    let flags = [
        (integration.needs_reason, "needs a reason"),
        (integration.rule_triggerable, "a rule may cancel"),
        (integration.accepts_cancel_notification, "takes notifications"),
        (integration.rule_required, "told only by a rule"),
        (integration.resubmit_same_number_ok, "takes a number again"),
        (integration.connector.is_some(), "connected"),
        (!integration.seeded, "your own"),
    ];
    facts.extend(flags.iter().filter(|(is, _)| *is).map(|(_, fact)| (*fact).to_owned()));
    if integration.shipped_after_cancel > 0 {
        facts.push(format!("shipped {} times after a cancel", integration.shipped_after_cancel));
    }
    format!("{:24} {:36} {}", integration.key, methods.join(", then "), facts.join("; "))
}

pub async fn partner(clients: &Clients, verb: PartnerVerb, json: bool) -> Result<()> {
    match verb {
        PartnerVerb::Tasks { order } => {
            let order_id = match order {
                Some(order) => crate::orders::find(clients, &order).await?.order_id,
                None => String::new(),
            };
            let request = ListPartnerTasksRequest { order_id, ..ListPartnerTasksRequest::default() };
            let listed = clients.integrations().list_partner_tasks(request).await?.into_inner();
            if json {
                let text = render::proto_json("countermand.inventory.v1.ListPartnerTasksResponse", &listed)?;
                return render::print_json(&text);
            }
            listed.tasks.iter().for_each(|task| say!("{}", told(task)));
        }
        PartnerVerb::Respond { task, word, note } => {
            let resolution = match word {
                Word::Accepted => PartnerTaskResolution::Confirmed,
                Word::Rejected => PartnerTaskResolution::Refused,
                Word::Asked => PartnerTaskResolution::Asked,
            };
            let request = ResolvePartnerTaskRequest {
                request_id: request_id(),
                task_id: task,
                resolution: resolution.into(),
                note,
            };
            let answer = clients.integrations().resolve_partner_task(request).await?.into_inner();
            say!("{}", told(&answer.task.unwrap_or_default()));
        }
        PartnerVerb::Shipped { fulfillment, tracking } => {
            let request = ReportPartnerShipmentRequest {
                request_id: request_id(),
                fulfillment_id: fulfillment,
                tracking_number: tracking,
                lines: Vec::new(),
            };
            let report = clients.integrations().report_partner_shipment(request).await?.into_inner();
            say!("{}", left(&report));
        }
    }
    Ok(())
}

/// What a report of what has left came to.
pub fn left(report: &ReportPartnerShipmentResponse) -> String {
    let units = report.shipped + report.shipped_after_cancel;
    let shipped = format!("{units} units shipped, {} of them after a cancel", report.shipped_after_cancel);
    if report.noted == 0 {
        return shipped;
    }
    format!("{shipped}; a change holds {}, and the report of them takes effect with its end", report.noted)
}

fn told(task: &PartnerTask) -> String {
    let state = task.state().as_str_name().trim_start_matches("PARTNER_TASK_STATE_").to_lowercase();
    let method = task.method().as_str_name().trim_start_matches("PARTNER_METHOD_").to_lowercase();
    let person = if task.needs_person { "  needs somebody" } else { "" };
    let number = &task.external_number;
    let said = [&task.detail, &task.answer].map(|text| one_line(text));
    let spoken = said.iter().filter(|text| !text.is_empty()).map(|text| format!("  {text}"));
    let detail = spoken.collect::<Vec<_>>().concat();
    format!(
        "{}  {:12} {} number {number} by {method}, until {}{person}{detail}",
        task.task_id, state, task.integration, task.deadline_at
    )
}

pub async fn label(clients: &Clients, verb: LabelVerb, json: bool) -> Result<()> {
    let labels = match verb {
        LabelVerb::List { order } => {
            let order_id = crate::orders::find(clients, &order).await?.order_id;
            let listed = clients.labels().get_labels(GetLabelsRequest { order_id }).await?.into_inner();
            if json {
                let text = render::proto_json("countermand.inventory.v1.GetLabelsResponse", &listed)?;
                return render::print_json(&text);
            }
            listed.labels
        }
        LabelVerb::Void { label } => {
            let request = VoidLabelRequest { request_id: request_id(), label_id: label };
            clients.labels().void_label(request).await?.into_inner().label.into_iter().collect()
        }
    };
    for label in &labels {
        say!("{}", shown(label));
    }
    Ok(())
}

fn shown(label: &Label) -> String {
    let state = label.state().as_str_name().trim_start_matches("LABEL_STATE_").to_lowercase();
    let void = if label.tracking_void { " (void)" } else { "" };
    let credit = label.credit().as_str_name().trim_start_matches("LABEL_CREDIT_").to_lowercase();
    let credit = if credit == "unspecified" { String::new() } else { format!("  refund {credit}") };
    format!("{}  {}{void}  {state}{credit}", label.label_id, label.tracking_number)
}
