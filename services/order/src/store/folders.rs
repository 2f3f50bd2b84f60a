//! `folder` and `order_folder`: labels, and where orders stand.

use std::collections::{BTreeMap, BTreeSet};

use storage::{DbError, Row, Rows, Statement, Table, Tx, record, values};
use types::{FolderId, OrderId, Tenant};

use super::keys::{self, OrderKey};
use crate::domain::folders::{Folder, FolderName, Placed};
use crate::domain::order::Actor;

pub type FolderKey = (Tenant, FolderId);

static OF_TENANTS: Statement = Statement::new(
    "order.folders_of_tenants",
    "SELECT f.tenant_id, f.folder_id, f.name, f.position, f.created_at, f.deleted_at
       FROM rows($1: tenant_id text) AS r JOIN folder AS f ON f.tenant_id = r.tenant_id
      WHERE f.deleted_at IS NULL ORDER BY f.tenant_id, f.folder_id",
);

static FIND: Statement = Statement::new(
    "order.find_folder",
    "SELECT tenant_id, folder_id, name, position, created_at, deleted_at
       FROM folder WHERE tenant_id = $1 AND folder_id = $2",
);

static INSERT: Statement = Statement::new(
    "order.insert_folders",
    "INSERT INTO folder rows($1: tenant_id text, folder_id text, name text, position bigint, created_at text,
       deleted_at text)",
);

static UPDATE: Statement = Statement::new(
    "order.update_folders",
    "UPDATE folder SET rows($1: tenant_id text, folder_id text | name text, position bigint, deleted_at text)",
);

static LOAD_PLACED: Statement = Statement::new(
    "order.load_order_folders",
    "SELECT p.tenant_id, p.order_id, p.folder_id, p.moved_at, p.moved_by_user, p.moved_by_org, p.moved_by_role
       FROM rows($1: tenant_id text, order_id text) AS r
       JOIN order_folder AS p ON p.tenant_id = r.tenant_id AND p.order_id = r.order_id",
);

static INSERT_PLACED: Statement = Statement::new(
    "order.insert_order_folders",
    "INSERT INTO order_folder rows($1: tenant_id text, order_id text, folder_id text, moved_at text,
       moved_by_user text, moved_by_org text, moved_by_role text)",
);

static UPDATE_PLACED: Statement = Statement::new(
    "order.update_order_folders",
    "UPDATE order_folder SET rows($1: tenant_id text, order_id text | folder_id text, moved_at text,
       moved_by_user text, moved_by_org text, moved_by_role text)",
);

/// What stands in a folder that was taken away stands in none.
static NAMES: Statement = Statement::new(
    "order.folders_of_orders",
    "SELECT p.order_id, f.folder_id, f.name
       FROM rows($1: tenant_id text, order_id text) AS r
       JOIN order_folder AS p ON p.tenant_id = r.tenant_id AND p.order_id = r.order_id
       JOIN folder AS f ON f.tenant_id = p.tenant_id AND f.folder_id = p.folder_id
      WHERE f.deleted_at IS NULL",
);

static COUNTS: Statement = Statement::new(
    "order.count_orders_in_folders",
    "SELECT folder_id, COUNT(*) AS orders FROM order_folder
      WHERE tenant_id = $1 AND folder_id IS NOT NULL GROUP BY folder_id",
);

/// A folder, taken away or not.
pub async fn find(tx: &mut Tx, key: &FolderKey) -> Result<Option<Folder>, DbError> {
    tx.fetch_optional(&FIND, values![&key.0, &key.1]).await?.as_ref().map(read).transpose()
}

/// All folders of these tenants that were not taken away.
pub async fn of_tenants(tx: &mut Tx, tenants: &BTreeSet<Tenant>) -> Result<Vec<Folder>, DbError> {
    if tenants.is_empty() {
        return Ok(Vec::new());
    }
    let tenants: Rows = tenants.iter().map(|tenant| values![tenant]).collect();
    tx.fetch_all(&OF_TENANTS, values![tenants]).await?.iter().map(read).collect()
}

pub async fn load_placed(tx: &mut Tx, orders: &BTreeSet<OrderKey>) -> Result<Vec<Placed>, DbError> {
    if orders.is_empty() {
        return Ok(Vec::new());
    }
    tx.fetch_all(&LOAD_PLACED, values![keys::rows(orders)]).await?.iter().map(read_placed).collect()
}

/// The folders of those orders that stand in one.
pub async fn names(
    tx: &mut Tx,
    orders: &BTreeSet<OrderKey>,
) -> Result<BTreeMap<OrderId, FolderName>, DbError> {
    if orders.is_empty() {
        return Ok(BTreeMap::new());
    }
    let rows = tx.fetch_all(&NAMES, values![keys::rows(orders)]).await?;
    rows.iter()
        .map(|row| {
            let folder_id = row.parsed("folder_id", FolderId::parse)?;
            let name = FolderName { folder_id, name: row.text("name")? };
            Ok((row.parsed("order_id", OrderId::parse)?, name))
        })
        .collect()
}

/// How many orders stand in each folder.
pub async fn counts(tx: &mut Tx, tenant: &Tenant) -> Result<BTreeMap<FolderId, i64>, DbError> {
    let rows = tx.fetch_all(&COUNTS, values![tenant]).await?;
    rows.iter().map(|row| Ok((row.parsed("folder_id", FolderId::parse)?, row.int("orders")?))).collect()
}

/// Updates go first: a name that was given up may have been taken by a new folder.
pub async fn flush(tx: &mut Tx, folders: &Table<FolderKey, Folder>) -> Result<(), DbError> {
    let row = |_: &FolderKey, folder: &Folder| {
        record! {
            tenant_id: &folder.tenant,
            folder_id: &folder.folder_id,
            name: &folder.name,
            position: folder.position,
            created_at: folder.created_at,
            deleted_at: folder.deleted_at,
        }
    };
    folders.flush_updates(tx, &UPDATE, row).await?;
    folders.flush_inserts(tx, &INSERT, row).await
}

pub async fn flush_placed(tx: &mut Tx, placed: &Table<OrderKey, Placed>) -> Result<(), DbError> {
    placed
        .flush(tx, &INSERT_PLACED, &UPDATE_PLACED, |_, placed| {
            record! {
                tenant_id: &placed.tenant,
                order_id: &placed.order_id,
                folder_id: placed.folder_id.as_ref(),
                moved_at: placed.moved_at,
                moved_by_user: &placed.moved_by.user,
                moved_by_org: &placed.moved_by.organisation,
                moved_by_role: &placed.moved_by.role,
            }
        })
        .await
}

fn read(row: &Row) -> Result<Folder, DbError> {
    Ok(Folder {
        tenant: row.tenant()?,
        folder_id: row.parsed("folder_id", FolderId::parse)?,
        name: row.text("name")?,
        position: row.int("position")?,
        created_at: row.timestamp("created_at")?,
        deleted_at: row.opt_timestamp("deleted_at")?,
    })
}

fn read_placed(row: &Row) -> Result<Placed, DbError> {
    Ok(Placed {
        tenant: row.tenant()?,
        order_id: row.parsed("order_id", OrderId::parse)?,
        folder_id: row.opt_parsed("folder_id", FolderId::parse)?,
        moved_at: row.timestamp("moved_at")?,
        moved_by: Actor {
            user: row.text("moved_by_user")?,
            organisation: row.text("moved_by_org")?,
            role: row.text("moved_by_role")?,
        },
    })
}
