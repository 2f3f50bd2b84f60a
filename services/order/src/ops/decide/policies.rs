//! Writing policies, reasons, editions and roles.

use prost::Message as _;
use proto::events::v1::RolesChanged;
use storage::{NewEvent, role_map};
use types::{Grants, Role, RoleMap};

use crate::domain::policy::{Document, Edition, Selector, Shelf};
use crate::domain::reason::CancelReason;
use crate::ops::books::Books;
use crate::ops::command::{Answer, Asked, Done};

/// Adds the next version of a policy.
pub fn write(books: &mut Books, asked: &Asked, policy_id: &str, document: &Document) -> Done {
    let mut shelf = Shelf::clone(&books.policies.shelf(&asked.tenant));
    let stored = shelf.write(policy_id, document.clone(), &asked.actor, books.now)?;
    let resource = stored.policy.version_text();
    books.policies.written.policies.push((asked.tenant.clone(), stored));
    books.policies.put(&asked.tenant, shelf);
    Ok((Answer::Written(resource.clone()), resource))
}

/// Puts orders under a version of a policy.
pub fn choose(books: &mut Books, asked: &Asked, policy_id: &str, version: i64, selector: &Selector) -> Done {
    let mut shelf = Shelf::clone(&books.policies.shelf(&asked.tenant));
    let policy = shelf.choose(selector.clone(), policy_id, version)?;
    let resource = policy.version_text();
    let key = (asked.tenant.clone(), selector.clone());
    books.policies.written.choices.insert(key, (policy.policy_id, policy.version));
    books.policies.put(&asked.tenant, shelf);
    Ok((Answer::Written(resource.clone()), resource))
}

pub fn offer(books: &mut Books, asked: &Asked, reason: &CancelReason) -> Done {
    let mut shelf = Shelf::clone(&books.policies.shelf(&asked.tenant));
    shelf.offer(reason.clone())?;
    let key = (asked.tenant.clone(), reason.code.clone());
    books.policies.written.reasons.insert(key, reason.clone());
    books.policies.put(&asked.tenant, shelf);
    Ok((Answer::Written(reason.code.clone()), reason.code.clone()))
}

pub fn put_on(books: &mut Books, asked: &Asked, edition: &Edition) -> (Answer, String) {
    let mut shelf = Shelf::clone(&books.policies.shelf(&asked.tenant));
    shelf.put_on(edition.clone());
    books.policies.written.editions.insert(asked.tenant.clone(), edition.clone());
    books.policies.put(&asked.tenant, shelf);
    (Answer::Written(edition.name.clone()), edition.name.clone())
}

/// Writes roles over those of the same name, and tells the other services of the whole map.
pub fn grant(books: &mut Books, asked: &Asked, granted: &[(Role, Grants)]) -> Done {
    let shelf = Shelf::clone(&books.policies.shelf(&asked.tenant)).grant(&asked.actor.role, granted)?;
    let (tenant, version) = (asked.tenant.clone(), shelf.roles_version);
    let event = RolesChanged { version, roles: kit::roles::to_wire(&shelf.roles) };
    books.tell_beside(NewEvent {
        tenant: tenant.clone(),
        event_id: books.ids.mint(),
        aggregate_type: kit::roles::AGGREGATE,
        aggregate_id: tenant.to_string(),
        aggregate_seq: version,
        kind: "countermand.events.v1.RolesChanged",
        payload: event.encode_to_vec(),
        traceparent: asked.traceparent.clone(),
        occurred_at: books.now,
    });
    let roles = RoleMap::clone(&shelf.roles);
    books.policies.role_maps.push(role_map::Written { tenant, version, roles });
    books.policies.put(&asked.tenant, shelf);
    let resource = version.to_string();
    Ok((Answer::Written(resource.clone()), resource))
}
