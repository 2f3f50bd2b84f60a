//! `countermand folder`, `note` and `rule`: what people keep beside orders.

use anyhow::{Context, Result, bail};
use clap::{Args, Subcommand, ValueEnum};
use proto::order::v1::rule_action::{Action, MoveToFolder, PropagateTo, SubmitCancel, WriteNote};
use proto::order::v1::{
    AddNoteRequest, DeleteFolderRequest, Folder, ListFoldersRequest, ListRuleRunsRequest, ListRulesRequest,
    MoveOrderRequest, Rule, RuleAction, RuleOutcome, RuleTrigger, SimulateRuleRequest, TimelineVisibility,
    UpsertFolderRequest, UpsertRuleRequest,
};

use crate::clients::Clients;
use crate::{orders, render};

#[derive(Debug, Subcommand)]
pub enum FolderVerb {
    /// All folders, with how many orders stand in each.
    List,
    /// Make a folder.
    Add { name: String },
    /// Give a folder another name.
    Rename { folder: String, name: String },
    /// Take a folder away; its orders stay as they are.
    Delete { folder: String },
    /// Put an order into a folder, or out of all.
    Move {
        /// Order id (ord_…) or number.
        order: String,
        /// Id (fld_…) or name; out of its folder when not given.
        folder: Option<String>,
    },
}

#[derive(Debug, Args)]
pub struct NoteWish {
    /// Order id (ord_…) or number.
    order: String,
    text: String,
    /// Who may read it.
    #[arg(long, value_enum, default_value_t = ReadBy::Parties)]
    to: ReadBy,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum ReadBy {
    Internal,
    Parties,
    Public,
}

#[derive(Debug, Subcommand)]
pub enum RuleVerb {
    /// All rules.
    List,
    /// Store a rule.
    #[command(after_help = "Examples:
  countermand rule add 'cancel what is filed so' --on order-folder-changed --when \"event.folder == 'Cancelled'\" --cancel CUSTOMER_REQUEST
  countermand rule add 'file what is cancelled' --on change-completed --move-to Done")]
    Add(RuleWish),
    /// What rules did.
    Runs {
        /// Only this rule's (rul_…).
        #[arg(default_value = "")]
        rule: String,
    },
    /// Hold a condition against recorded orders or changes; nothing happens.
    Try {
        #[arg(long, value_enum)]
        on: On,
        #[arg(long)]
        when: String,
        /// Stands for event.folder.
        #[arg(long, default_value = "")]
        folder: String,
        #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(i32).range(1..=1_000))]
        count: i32,
    },
}

#[derive(Debug, Args)]
pub struct RuleWish {
    name: String,
    /// What sets it off.
    #[arg(long, value_enum)]
    on: On,
    /// A condition over event, order and change; always when not given.
    #[arg(long, default_value = "")]
    when: String,
    /// Cancel the whole order, for this reason.
    #[arg(long, value_name = "REASON")]
    cancel: Option<String>,
    /// Tell this cart that the order is cancelled; the name of the system in the order's references.
    #[arg(long, value_name = "SYSTEM")]
    tell: Option<String>,
    /// Move the order to this folder.
    #[arg(long, value_name = "FOLDER")]
    move_to: Option<String>,
    /// Write a note for our own people.
    #[arg(long, value_name = "TEXT")]
    note: Option<String>,
    /// Keep it, without letting it act.
    #[arg(long)]
    off: bool,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum On {
    OrderPlaced,
    OrderProgressed,
    OrderFolderChanged,
    ChangeAccepted,
    ChangeCommitted,
    ChangeRejected,
    ChangeCompleted,
}

impl On {
    fn trigger(self) -> RuleTrigger {
        match self {
            Self::OrderPlaced => RuleTrigger::OrderPlaced,
            Self::OrderProgressed => RuleTrigger::OrderProgressed,
            Self::OrderFolderChanged => RuleTrigger::OrderFolderChanged,
            Self::ChangeAccepted => RuleTrigger::ChangeAccepted,
            Self::ChangeCommitted => RuleTrigger::ChangeCommitted,
            Self::ChangeRejected => RuleTrigger::ChangeRejected,
            Self::ChangeCompleted => RuleTrigger::ChangeCompleted,
        }
    }
}

pub async fn folder(clients: &Clients, verb: FolderVerb, json: bool) -> Result<()> {
    let request_id = render::request_id();
    match verb {
        FolderVerb::List => return list_folders(clients, json).await,
        FolderVerb::Add { name } => {
            let folder = Folder { name, ..Folder::default() };
            clients.folders().upsert_folder(UpsertFolderRequest { request_id, folder: Some(folder) }).await?;
        }
        FolderVerb::Rename { folder, name } => {
            let folder = Folder { name, ..find_folder(clients, &folder).await? };
            clients.folders().upsert_folder(UpsertFolderRequest { request_id, folder: Some(folder) }).await?;
        }
        FolderVerb::Delete { folder } => {
            let folder_id = find_folder(clients, &folder).await?.folder_id;
            clients.folders().delete_folder(DeleteFolderRequest { request_id, folder_id }).await?;
        }
        FolderVerb::Move { order, folder } => {
            let order_id = orders::find(clients, &order).await?.order_id;
            let folder_id = match &folder {
                Some(folder) => find_folder(clients, folder).await?.folder_id,
                None => String::new(),
            };
            clients.folders().move_order(MoveOrderRequest { request_id, order_id, folder_id }).await?;
        }
    }
    list_folders(clients, json).await
}

async fn list_folders(clients: &Clients, json: bool) -> Result<()> {
    let page = clients.folders().list_folders(ListFoldersRequest {}).await?.into_inner();
    if json {
        return render::print_json(&render::proto_json("countermand.order.v1.ListFoldersResponse", &page)?);
    }
    if page.folders.is_empty() {
        say!("There are no folders. `countermand folder add NAME` makes one.");
        return Ok(());
    }
    let rows = page
        .folders
        .iter()
        .map(|folder| vec![folder.name.clone(), render::count(folder.order_count), folder.folder_id.clone()]);
    say!("{}", render::table(&["folder", "orders", "id"], &[1], rows));
    Ok(())
}

/// Finds a folder by its id or name.
pub async fn find_folder(clients: &Clients, id_or_name: &str) -> Result<Folder> {
    let folders = clients.folders().list_folders(ListFoldersRequest {}).await?.into_inner().folders;
    let found =
        folders.into_iter().find(|folder| folder.folder_id == id_or_name || folder.name == id_or_name);
    found.with_context(|| format!("there is no folder {id_or_name:?}"))
}

pub async fn note(clients: &Clients, wish: NoteWish, json: bool) -> Result<()> {
    let visibility = match wish.to {
        ReadBy::Internal => TimelineVisibility::Internal,
        ReadBy::Parties => TimelineVisibility::Parties,
        ReadBy::Public => TimelineVisibility::Public,
    };
    let request = AddNoteRequest {
        request_id: render::request_id(),
        order_id: orders::find(clients, &wish.order).await?.order_id,
        visibility: visibility.into(),
        text: wish.text,
        change_order_id: String::new(),
    };
    let note = clients.conversation().add_note(request).await?.into_inner().note;
    let note = note.context("the answer holds no note")?;
    if json {
        return render::print_json(&render::proto_json("countermand.order.v1.Note", &note)?);
    }
    say!("{}", note.message_id);
    Ok(())
}

pub async fn rule(clients: &Clients, verb: RuleVerb, json: bool) -> Result<()> {
    match verb {
        RuleVerb::List => list_rules(clients, json).await,
        RuleVerb::Add(wish) => add_rule(clients, wish, json).await,
        RuleVerb::Runs { rule } => list_runs(clients, rule, json).await,
        RuleVerb::Try { on, when, folder, count } => {
            let rule = Rule { trigger: on.trigger().into(), condition: when, ..Rule::default() };
            let request = SimulateRuleRequest { rule: Some(rule), count, folder };
            let tried = clients.rules().simulate_rule(request).await?.into_inner();
            if json {
                let name = "countermand.order.v1.SimulateRuleResponse";
                return render::print_json(&render::proto_json(name, &tried)?);
            }
            say!(
                "held against {}: {} met, {} could not be evaluated",
                render::count(tried.evaluated),
                render::count(tried.met),
                render::count(tried.failed)
            );
            let rows = tried.runs.iter().map(|run| {
                let cause = run.cause.clone().unwrap_or_default().message;
                vec![
                    run.order_number.clone(),
                    outcome(run.outcome()).to_owned(),
                    run.change_order_id.clone(),
                    cause,
                ]
            });
            say!("{}", render::table(&["order", "outcome", "change", "why"], &[], rows));
            Ok(())
        }
    }
}

async fn add_rule(clients: &Clients, wish: RuleWish, json: bool) -> Result<()> {
    let mut actions = Vec::new();
    if let Some(reason_code) = wish.cancel {
        actions.push(Action::SubmitCancel(SubmitCancel { reason_code, note: wish.name.clone() }));
    }
    if let Some(target) = wish.tell {
        actions.push(Action::PropagateTo(PropagateTo { target }));
    }
    if let Some(folder) = wish.move_to {
        let folder_id = find_folder(clients, &folder).await?.folder_id;
        actions.push(Action::MoveToFolder(MoveToFolder { folder_id }));
    }
    if let Some(text) = wish.note {
        let visibility = TimelineVisibility::Internal.into();
        actions.push(Action::WriteNote(WriteNote { visibility, text }));
    }
    if actions.is_empty() {
        bail!("a rule does something: --cancel, --tell, --move-to or --note");
    }
    let rule = Rule {
        name: wish.name,
        trigger: wish.on.trigger().into(),
        condition: wish.when,
        actions: actions.into_iter().map(|action| RuleAction { action: Some(action) }).collect(),
        enabled: !wish.off,
        ..Rule::default()
    };
    let request = UpsertRuleRequest { request_id: render::request_id(), rule: Some(rule) };
    clients.rules().upsert_rule(request).await?;
    list_rules(clients, json).await
}

async fn list_rules(clients: &Clients, json: bool) -> Result<()> {
    let page = clients.rules().list_rules(ListRulesRequest {}).await?.into_inner();
    if json {
        return render::print_json(&render::proto_json("countermand.order.v1.ListRulesResponse", &page)?);
    }
    let rows = page.rules.iter().map(|rule| {
        let on = render::short(rule.trigger().as_str_name(), "RULE_TRIGGER_").to_lowercase();
        let state = if rule.enabled { "on" } else { "off" };
        vec![rule.name.clone(), state.to_owned(), on, rule.condition.clone(), rule.rule_id.clone()]
    });
    say!("{}", render::table(&["rule", "", "when", "if", "id"], &[], rows));
    Ok(())
}

async fn list_runs(clients: &Clients, rule_id: String, json: bool) -> Result<()> {
    let request = ListRuleRunsRequest { rule_id, page_size: 200, ..ListRuleRunsRequest::default() };
    let page = clients.rules().list_rule_runs(request).await?.into_inner();
    if json {
        return render::print_json(&render::proto_json("countermand.order.v1.ListRuleRunsResponse", &page)?);
    }
    let rows = page.runs.iter().map(|run| {
        let cause = run.cause.clone().unwrap_or_default().message;
        vec![
            run.at.clone(),
            run.order_id.clone(),
            outcome(run.outcome()).to_owned(),
            run.resource_ids.join(" "),
            cause,
        ]
    });
    say!("{}", render::table(&["at", "order", "outcome", "made", "why"], &[], rows));
    Ok(())
}

fn outcome(outcome: RuleOutcome) -> &'static str {
    outcome.as_str_name().trim_start_matches("RULE_OUTCOME_")
}
