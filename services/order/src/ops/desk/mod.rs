//! What people keep beside orders: messages, folders and where orders stand, rules. It is decided in the same batch as
//! orders are, on an overlay of its own, and never touches an order's quantities or money.

mod conversation;
mod folders;
mod rules;

use std::collections::BTreeSet;

use kit::Failure;
use storage::{DbError, Table, Tx};
use types::{FolderId, MessageId, OrderId, Tenant};

use super::accept::Done;
use super::batch::{Answer, Asked, Wish};
use super::books::Books;
use super::orders::{Orders, unexpected};
use crate::domain::conversation::{Message, NewMessage};
use crate::domain::folders::{Folder, FolderWish, Placed};
use crate::domain::order::Order;
use crate::domain::rules::{Rule, RuleWish};
use crate::store::folders::FolderKey;
use crate::store::keys::{ChangeKey, OrderKey};
use crate::store::messages::MessageKey;
use crate::store::rules::RuleKey;
use crate::store::{
    event_log, folders as folder_store, messages as message_store, orders, rules as rule_store,
};

/// What may be wished for here.
pub enum DeskWish {
    AddNote(NewMessage),
    UpsertFolder(FolderWish),
    DeleteFolder(FolderId),
    /// `depth` says how many rules in a row led to it.
    MoveOrder {
        order_id: OrderId,
        folder_id: Option<FolderId>,
        depth: i64,
    },
    UpsertRule(RuleWish),
}

/// What a wish made or changed.
#[derive(Debug, Clone)]
pub enum DeskAnswer {
    Message(Message),
    Folder(Folder),
    Moved(Placed, Option<Folder>),
    Rule(Rule),
}

/// The overlay of what is kept here.
#[derive(Default)]
pub struct Desk {
    messages: Table<MessageKey, Message>,
    folders: Table<FolderKey, Folder>,
    placed: Table<OrderKey, Placed>,
    rules: Table<RuleKey, Rule>,
}

/// What the wishes of a batch touch.
#[derive(Default)]
pub(super) struct Needed {
    folders_of: BTreeSet<Tenant>,
    placed: BTreeSet<OrderKey>,
    rules_of: BTreeSet<Tenant>,
    /// Messages that are named as proof that somebody was spoken to.
    messages: BTreeSet<MessageKey>,
}

impl Needed {
    pub(super) fn add_proof(&mut self, tenant: &Tenant, message_id: Option<MessageId>) {
        self.messages.extend(message_id.map(|id| (tenant.clone(), id)));
    }

    /// Also names the orders and changes that have to be at hand.
    pub(super) fn add(
        &mut self,
        tenant: &Tenant,
        wish: &DeskWish,
        orders: &mut BTreeSet<OrderKey>,
        changes: &mut BTreeSet<ChangeKey>,
    ) {
        match wish {
            DeskWish::AddNote(new) => {
                orders.insert((tenant.clone(), new.order_id.clone()));
                changes.extend(new.change_order_id.iter().map(|id| (tenant.clone(), id.clone())));
            }
            DeskWish::UpsertFolder(_) | DeskWish::DeleteFolder(_) => {
                self.folders_of.insert(tenant.clone());
            }
            DeskWish::MoveOrder { order_id, .. } => {
                let key = (tenant.clone(), order_id.clone());
                orders.insert(key.clone());
                self.placed.insert(key);
                self.folders_of.insert(tenant.clone());
            }
            DeskWish::UpsertRule(_) => {
                self.rules_of.insert(tenant.clone());
                self.folders_of.insert(tenant.clone());
            }
        }
    }
}

impl Desk {
    pub(super) async fn load(tx: &mut Tx, needed: &Needed) -> Result<Self, DbError> {
        let mut desk = Self::default();
        for folder in folder_store::of_tenants(tx, &needed.folders_of).await? {
            desk.folders.load((folder.tenant.clone(), folder.folder_id.clone()), folder);
        }
        for placed in folder_store::load_placed(tx, &needed.placed).await? {
            desk.placed.load((placed.tenant.clone(), placed.order_id.clone()), placed);
        }
        for message in message_store::load(tx, &needed.messages).await? {
            desk.messages.load((message.tenant.clone(), message.message_id.clone()), message);
        }
        for rule in rule_store::of_tenants(tx, &needed.rules_of).await? {
            desk.rules.load((rule.tenant.clone(), rule.rule_id.clone()), rule);
        }
        Ok(desk)
    }

    pub(super) async fn flush(&self, tx: &mut Tx) -> Result<(), DbError> {
        message_store::flush(tx, &self.messages).await?;
        folder_store::flush(tx, &self.folders).await?;
        folder_store::flush_placed(tx, &self.placed).await?;
        rule_store::flush(tx, &self.rules).await?;
        let begun: BTreeSet<&Tenant> =
            self.rules.inserted().into_iter().map(|((tenant, _), _)| tenant).collect();
        for tenant in begun {
            let position = event_log::last_position(tx, tenant).await?;
            rule_store::begin(tx, tenant, position).await?;
        }
        Ok(())
    }

    pub(super) fn mark(&mut self) {
        self.messages.mark();
        self.folders.mark();
        self.placed.mark();
        self.rules.mark();
    }

    pub(super) fn rollback(&mut self) {
        self.messages.rollback();
        self.folders.rollback();
        self.placed.rollback();
        self.rules.rollback();
    }

    pub(super) fn message(&self, tenant: &Tenant, message_id: &MessageId) -> Option<&Message> {
        self.messages.get(&(tenant.clone(), message_id.clone()))
    }

    fn live_folder(&self, tenant: &Tenant, folder_id: &FolderId) -> Option<&Folder> {
        let folder = self.folders.get(&(tenant.clone(), folder_id.clone()));
        folder.filter(|folder| folder.deleted_at.is_none())
    }
}

pub(super) fn decide(books: &mut Books, asked: &Asked, wish: &DeskWish) -> Done {
    let (answer, resource) = match wish {
        DeskWish::AddNote(new) => conversation::add(books, asked, new)?,
        DeskWish::UpsertFolder(wish) => folders::upsert(books, asked, wish)?,
        DeskWish::DeleteFolder(folder_id) => folders::delete(books, asked, folder_id)?,
        DeskWish::MoveOrder { order_id, folder_id, depth } => {
            folders::move_order(books, asked, order_id, folder_id.as_ref(), *depth)?
        }
        DeskWish::UpsertRule(wish) => rules::upsert(books, asked, wish)?,
    };
    Ok((Answer::Desk(Box::new(answer)), resource))
}

/// Puts a row into a table, whether it is there or not.
fn put<K: Ord + Clone, V: Clone + PartialEq>(table: &mut Table<K, V>, key: K, value: V) {
    if table.contains(&key) {
        table.update(&key, |row| *row = value).expect("the row was just found");
    } else {
        table.insert(key, value);
    }
}

impl Orders {
    /// What a wish made, or the resource that the request made before.
    async fn ask_desk(&self, asked: Asked, wish: DeskWish) -> Result<Result<DeskAnswer, String>, Failure> {
        match self.ask(asked, Wish::Desk(wish)).await? {
            Answer::Desk(answer) => Ok(Ok(*answer)),
            Answer::AcceptedBefore(resource) => Ok(Err(resource)),
            _ => Err(unexpected()),
        }
    }

    /// An order without its lines.
    async fn head(&self, tenant: &Tenant, order_id: &OrderId) -> Result<Order, Failure> {
        let key = BTreeSet::from([(tenant.clone(), order_id.clone())]);
        let found = self.reading(async |tx| orders::heads(tx, &key).await).await?.pop();
        found.ok_or_else(|| Failure::not_found("Order", order_id.as_str()))
    }
}
