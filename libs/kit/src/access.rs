//! [`Access`]: what a call of each RPC needs, as the contracts declare it.
//!
//! ```text
//!   proto option (countermand.common.v1.auth) ──▶ Access { permission, scope } by path ──▶ Gate, before any handler
//! ```
//!
//! A method without the option, or with a permission that nobody knows, keeps its service from starting: what nobody
//! allowed is refused.

use std::collections::HashMap;

use prost_reflect::{DescriptorPool, MethodDescriptor};
use proto::common::v1::{Auth, Scope};
use types::{Permission, Reason, Refusal};

use crate::principal::Principal;
use crate::server::Side;

/// What a call needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Access {
    pub permission: Permission,
    pub scope: Scope,
}

/// Why a service must not start.
#[derive(Debug, thiserror::Error)]
pub enum AccessError {
    #[error("reading the contracts")]
    Contracts(#[from] prost_reflect::DescriptorError),
    #[error("{0} is in no contract of this suite")]
    ServiceUnknown(String),
    #[error("{method} does not say what a call of it needs: {problem}")]
    Unguarded { method: String, problem: String },
}

/// What calls of these services need, by path, for one listener.
pub(crate) fn of_services(names: &[String], side: Side) -> Result<HashMap<String, Access>, AccessError> {
    let pool = DescriptorPool::decode(proto::FILE_DESCRIPTOR_SET)?;
    let mut by_path = HashMap::new();
    for name in names {
        let service =
            pool.get_service_by_name(name).ok_or_else(|| AccessError::ServiceUnknown(name.clone()))?;
        for method in service.methods() {
            let access = declared(&pool, &method, side).map_err(|problem| AccessError::Unguarded {
                method: method.full_name().to_owned(),
                problem,
            })?;
            by_path.insert(path(&method), access);
        }
    }
    Ok(by_path)
}

/// Every method of the suite with what it needs, by service and name as the contracts have them.
pub fn table() -> Result<Vec<(String, Access)>, AccessError> {
    let pool = DescriptorPool::decode(proto::FILE_DESCRIPTOR_SET)?;
    let mut table = Vec::new();
    for service in pool.services() {
        for method in service.methods() {
            let unguarded =
                |problem| AccessError::Unguarded { method: method.full_name().to_owned(), problem };
            table.push((path(&method), option(&pool, &method).map_err(unguarded)?));
        }
    }
    table.sort_by(|(one, _), (other, _)| one.cmp(other));
    Ok(table)
}

fn path(method: &MethodDescriptor) -> String {
    format!("/{}/{}", method.parent_service().full_name(), method.name())
}

/// The option, and that it fits the listener: workloads call the internal port, everybody else the public one.
fn declared(pool: &DescriptorPool, method: &MethodDescriptor, side: Side) -> Result<Access, String> {
    let access = option(pool, method)?;
    let for_peers = access.scope == Scope::Peer;
    match side {
        Side::Public if for_peers => Err("it is for peers and stands on the public port".to_owned()),
        Side::Internal if !for_peers => Err("it is not for peers and stands on the internal port".to_owned()),
        Side::Public | Side::Internal | Side::Health => Ok(access),
    }
}

fn option(pool: &DescriptorPool, method: &MethodDescriptor) -> Result<Access, String> {
    let extension =
        pool.get_extension_by_name("countermand.common.v1.auth").ok_or("there is no such option")?;
    let options = method.options();
    if !options.has_extension(&extension) {
        return Err("it has no option (countermand.common.v1.auth)".to_owned());
    }
    let value = options.get_extension(&extension);
    let message = value.as_message().ok_or("the option is no message")?;
    let auth: Auth = message.transcode_to().map_err(|error| error.to_string())?;
    let permission = Permission::parse(&auth.permission).map_err(|error| error.to_string())?;
    let scope = auth.scope();
    match scope {
        Scope::Unspecified => Err("it names no scope".to_owned()),
        Scope::Peer if !permission.is_for_peers() => Err(format!("{permission} is not for peers")),
        Scope::Tenant | Scope::Party | Scope::Self_ if permission.is_for_peers() => {
            Err(format!("{permission} is for peers"))
        }
        Scope::Tenant | Scope::Party | Scope::Self_ | Scope::Peer => Ok(Access { permission, scope }),
    }
}

impl Access {
    /// Whether somebody who calls on the public port may call at all. Which orders they see is said by the service that
    /// knows the parties.
    pub(crate) fn check(self, caller: &Principal) -> Result<(), Refusal> {
        let Self { permission, scope } = self;
        if scope == Scope::Peer || !caller.holds(permission) {
            return Err(missing(caller, permission));
        }
        Ok(())
    }
}

pub(crate) fn missing(caller: &Principal, permission: Permission) -> Refusal {
    let message = format!("the role {} does not have the permission {permission}", caller.role);
    Refusal::new(Reason::PermissionDenied, message)
        .detail("permission", permission)
        .detail("role", &caller.role)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_method_of_the_suite_says_what_it_needs() {
        let table = table().unwrap();

        assert!(table.len() > 120, "{} methods", table.len());
    }

    #[test]
    fn the_table_for_people_has_every_method_and_every_cell() {
        let page = include_str!("../../../docs/permissions.md");

        for (path, access) in table().unwrap() {
            let (service, method) = path.trim_start_matches('/').split_once('/').unwrap();
            let service = service.rsplit('.').next().unwrap();
            let scope = access.scope.as_str_name().trim_start_matches("SCOPE_").to_lowercase();
            let row = format!("| {service}/{method} | `{}` | {scope} |", access.permission);
            assert!(page.contains(&row), "docs/permissions.md lacks {row}");
        }
        let shipped = types::RoleMap::shipped();
        let header = page.lines().find(|line| line.starts_with("| Permission | Allows to |")).unwrap();
        let roles: Vec<_> =
            header.split('|').skip(3).map(str::trim).filter(|role| !role.is_empty()).collect();
        assert_eq!(roles.len(), shipped.iter().count());
        for permission in types::Permissions::all().iter() {
            let begin = format!("| `{permission}` | {} |", permission.meaning());
            let row = page.lines().find(|line| line.starts_with(&begin));
            let row = row.unwrap_or_else(|| panic!("docs/permissions.md lacks {begin}"));
            let cells: Vec<_> = row[begin.len()..].split('|').map(str::trim).collect();
            for (role, cell) in roles.iter().zip(cells) {
                let holds = shipped.grants(&types::Role::parse(role).unwrap()).holds(permission);
                assert_eq!(cell == "●", holds, "{role} {permission}");
            }
        }
    }

    #[test]
    fn a_service_for_peers_does_not_stand_on_the_public_port() {
        let steps = ["countermand.inventory.v1.GoodsStepsService".to_owned()];
        let orders = ["countermand.order.v1.OrderService".to_owned()];

        assert!(of_services(&steps, Side::Internal).is_ok());
        assert!(of_services(&steps, Side::Public).is_err());
        assert!(of_services(&orders, Side::Public).is_ok());
        assert!(of_services(&orders, Side::Internal).is_err());
    }
}
