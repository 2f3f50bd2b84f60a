//! [`Roles`]: the role map of each tenant, at hand for every call.
//!
//! A map begins as the one that is shipped, with what the configuration puts over it. What a tenant writes is a whole map
//! with a version, kept in the order service's database and told to the other services as an event; each keeps it in its
//! own database, and each process has the newest at hand.
//!
//! ```text
//!   UpsertRoles ──▶ order's role_map ──event──▶ the others' role_map ──every second──▶ Roles ──▶ Gate
//! ```

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use prost::Message as _;
use proto::common::v1 as wire;
use proto::events::v1::event_intake_service_server::EventIntakeService;
use proto::events::v1::{DeliverEventsRequest, DeliverEventsResponse, RolesChanged};
use storage::role_map::{self, Written};
use storage::{Database, DbError, Delivery, Envelope};
use tokio_util::sync::CancellationToken;
use tonic::{Request, Response, Status};
use types::{Grants, Reason, Refusal, Role, RoleMap, Tenant};

use crate::config::Auth;
use crate::events;
use crate::failure::Failure;

/// Events about role maps are of this kind of aggregate; its id is the tenant, its sequence the map's version.
pub const AGGREGATE: &str = "roles";
/// How soon a process knows what another one has written.
const LOOK_AGAIN: Duration = Duration::from_secs(1);

/// The newest map of each tenant that wrote one, and its version.
type Newest = HashMap<Tenant, (i64, Arc<RoleMap>)>;

/// Cheap to clone; all clones know the same.
#[derive(Debug, Clone)]
pub struct Roles {
    base: Arc<RoleMap>,
    /// Where this service keeps what was written; none where only the configuration counts.
    database: Option<Database>,
    written: Arc<RwLock<Newest>>,
}

impl Roles {
    /// The shipped map with the configuration's roles over it.
    pub fn configured(auth: &Auth) -> Self {
        let configured = auth.roles.iter().map(|(role, grants)| (role.clone(), *grants));
        let base = Arc::new(RoleMap::shipped().with(configured));
        Self { base, database: None, written: Arc::default() }
    }

    /// The same, and over it what tenants wrote, as this service's database has it now.
    pub async fn kept(auth: &Auth, database: &Database) -> Result<Self, DbError> {
        let roles = Self { database: Some(database.clone()), ..Self::configured(auth) };
        roles.read(database, 0).await?;
        Ok(roles)
    }

    /// What a tenant begins with.
    pub fn base(&self) -> Arc<RoleMap> {
        Arc::clone(&self.base)
    }

    pub fn of(&self, tenant: &Tenant) -> Arc<RoleMap> {
        let written = self.written.read().unwrap_or_else(PoisonError::into_inner);
        written.get(tenant).map_or_else(|| self.base(), |(_, map)| Arc::clone(map))
    }

    /// A map was committed. An older one than is known changes nothing.
    pub fn learn(&self, tenant: Tenant, version: i64, map: Arc<RoleMap>) {
        let mut written = self.written.write().unwrap_or_else(PoisonError::into_inner);
        let known = written.get(&tenant).map_or(0, |(version, _)| *version);
        if version > known {
            written.insert(tenant, (version, map));
        }
    }

    /// Keeps up with what other processes write, until `stop`.
    pub(crate) async fn follow(self, stop: CancellationToken) {
        let Some(database) = self.database.clone() else { return };
        let mut since = 0;
        while !stop.is_cancelled() {
            match self.read(&database, since).await {
                Ok(newest) => since = newest,
                Err(problem) => tracing::warn!(%problem, "the role maps could not be read again"),
            }
            tokio::select! {
                () = stop.cancelled() => {}
                () = tokio::time::sleep(LOOK_AGAIN) => {}
            }
        }
    }

    /// Answers where the next reading begins.
    async fn read(&self, database: &Database, since: i64) -> Result<i64, DbError> {
        let mut tx = database.read().await?;
        let found = role_map::written_since(&mut tx, since).await;
        tx.rollback().await;
        let (maps, next) = found?;
        for Written { tenant, version, roles } in maps {
            self.learn(tenant, version, Arc::new(roles));
        }
        Ok(next)
    }

    /// Takes in an event of the order service. It carries the whole map, so an older one that comes late is done with.
    pub async fn take(&self, envelope: &Envelope) -> Result<Delivery, Failure> {
        let kept = self.database.as_ref();
        let database = kept.ok_or_else(|| Failure::internal("role maps are told where none are kept"))?;
        let tenant = envelope.tenant.clone();
        let told = RolesChanged::decode(envelope.payload.as_slice()).map_err(Failure::internal)?;
        let roles = parse(&told.roles).map_err(|refusal| Failure::internal(refusal.message))?;
        let roles = RoleMap::default().with(roles);
        let row = Written { tenant, version: told.version, roles };
        let written = row.clone();
        let added = database
            .write("take_role_map", |mut tx| {
                let row = row.clone();
                async move {
                    let added = role_map::add_told(&mut tx, &row).await?;
                    Ok((tx, added))
                }
            })
            .await?;
        self.learn(written.tenant, written.version, Arc::new(written.roles));
        Ok(if added { Delivery::Accepted } else { Delivery::Duplicate })
    }
}

/// The event intake of a service that is told of nothing but roles.
#[derive(Debug, Clone)]
pub struct RolesIntake(pub Roles);

#[tonic::async_trait]
impl EventIntakeService for RolesIntake {
    async fn deliver_events(
        &self,
        request: Request<DeliverEventsRequest>,
    ) -> Result<Response<DeliverEventsResponse>, Status> {
        let envelopes = events::parse(request.into_inner()).map_err(Failure::from)?;
        let mut deliveries = Vec::with_capacity(envelopes.len());
        for envelope in &envelopes {
            // Of anything else a newer sender tells, a newer version of this service will know what to do.
            let about_roles = envelope.aggregate_type == AGGREGATE;
            deliveries.push(if about_roles { self.0.take(envelope).await? } else { Delivery::Later });
        }
        Ok(Response::new(events::answer(&deliveries)))
    }
}

/// Roles as they travel.
pub fn to_wire(roles: &RoleMap) -> Vec<wire::Role> {
    let role = |(role, grants): (&Role, Grants)| wire::Role {
        role: role.to_string(),
        sees: grants.reach.relations().map(|relation| relation.as_str().to_owned()).collect(),
        permissions: grants.permissions.iter().map(|granted| granted.as_str().to_owned()).collect(),
    };
    roles.iter().map(role).collect()
}

/// Roles as somebody wrote them, each name once.
pub fn parse(roles: &[wire::Role]) -> Result<Vec<(Role, Grants)>, Refusal> {
    let mut parsed: Vec<(Role, Grants)> = Vec::with_capacity(roles.len());
    for (place, given) in roles.iter().enumerate() {
        let at = |field: &str, refusal: Refusal| refusal.field(format!("roles[{place}].{field}"));
        let role = Role::parse(&given.role).map_err(|error| at("role", error.into()))?;
        if parsed.iter().any(|(known, _)| *known == role) {
            return Err(at("role", Refusal::new(Reason::FieldInvalid, format!("{role} is named twice"))));
        }
        let grants = Grants::named(&given.sees, &given.permissions)
            .map_err(|error| at("permissions", error.into()))?;
        parsed.push((role, grants));
    }
    Ok(parsed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_map_arrives_as_it_was_sent() {
        let shipped = RoleMap::shipped();

        let parsed = parse(&to_wire(&shipped)).unwrap();

        assert_eq!(RoleMap::default().with(parsed), shipped);
    }

    #[test]
    fn an_older_map_that_comes_late_changes_nothing() {
        let roles = Roles::configured(&Auth::default());
        let tenant = Tenant::default();
        let newer = Arc::new(RoleMap::default());

        roles.learn(tenant.clone(), 2, Arc::clone(&newer));
        roles.learn(tenant.clone(), 1, Arc::new(RoleMap::shipped()));

        assert_eq!(roles.of(&tenant), newer);
    }
}
