//! Each public RPC: where the contracts have it, and what people wrote that it needs.

use std::collections::BTreeSet;

use anyhow::{Context, Result, ensure};
use prost_reflect::{DescriptorPool, MethodDescriptor};
use proto::common::v1::Scope;
use tests::Service;

use super::golden::Golden;

#[derive(Debug)]
pub struct Method {
    /// "OrderService/GetOrder".
    pub name: String,
    /// "/countermand.order.v1.OrderService/GetOrder".
    pub path: String,
    pub service: Service,
    pub permission: String,
    pub scope: Scope,
    /// It sends until the caller goes.
    pub streams: bool,
}

impl Method {
    /// Nobody's order is asked for: it makes one.
    pub fn names_no_order(&self) -> bool {
        self.name == "OrderService/CreateOrder"
    }

    /// It answers with those that the caller sees.
    pub fn lists(&self) -> bool {
        ["OrderService/ListOrders", "ChangeOrderService/ListChangeOrders", "ReturnService/ListReturns"]
            .contains(&self.name.as_str())
    }
}

/// The RPCs of the four public ports, in the order of the contracts, with what people wrote that a call of each needs: what
/// the contracts declare themselves is what is tried. Audit stands on all four; the order service's is walked.
pub fn public(golden: &Golden) -> Result<Vec<Method>> {
    let pool = DescriptorPool::decode(proto::FILE_DESCRIPTOR_SET)?;
    let mut methods = Vec::new();
    let mut unknown: BTreeSet<&String> = golden.asks().keys().collect();
    for method in pool.services().flat_map(|service| service.methods().collect::<Vec<_>>()) {
        let name = format!("{}/{}", method.parent_service().name(), method.name());
        match golden.asks().get_key_value(&name) {
            Some((known, (permission, scope))) => {
                unknown.remove(known);
                methods.push(of(&method, name, permission, *scope)?);
            }
            None => ensure!(is_for_peers(&name), "golden.txt does not say what {name} asks for"),
        }
    }
    ensure!(unknown.is_empty(), "no contract has {unknown:?}");
    Ok(methods)
}

fn of(method: &MethodDescriptor, name: String, permission: &str, scope: Scope) -> Result<Method> {
    let service = method.parent_service();
    Ok(Method {
        name,
        path: format!("/{}/{}", service.full_name(), method.name()),
        service: served_by(service.full_name(), method.name())?,
        permission: permission.to_owned(),
        scope,
        streams: method.is_server_streaming(),
    })
}

/// On no public port; a test of the chassis holds that.
fn is_for_peers(name: &str) -> bool {
    let services = [
        "EventIntakeService/",
        "GoodsStepsService/",
        "RefundStepsService/",
        "PropagationService/",
        "DecisionService/",
    ];
    services.iter().any(|service| name.starts_with(service))
}

fn served_by(service: &str, method: &str) -> Result<Service> {
    Ok(match service.split('.').nth(1).context("a service has a package")? {
        // It alone calls gateways.
        "audit" if method == "ListGatewayEffects" => Service::Payment,
        "order" | "audit" => Service::Order,
        "inventory" => Service::Inventory,
        "payment" => Service::Payment,
        "notification" => Service::Notification,
        other => anyhow::bail!("who serves {other}?"),
    })
}
