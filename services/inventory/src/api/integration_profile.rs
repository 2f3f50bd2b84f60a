//! A profile on the wire and inside. What a connector's templates get wrong is said when they are stored, by the port
//! that would fill them in.

use std::collections::BTreeMap;

use proto::inventory::v1 as wire;
use types::bounded::TEMPLATE_LENGTH_MAX;
use types::{Reason, Refusal, TextError, text};

use super::{convert, integrations};
use crate::domain::{
    Confirmation, Connector, Integration, IntegrationKey, IntegrationKind, Method, MethodProfile,
};
use crate::ops::ShownIntegration;

const NAME_MAX: usize = 128;
const METHODS_MAX: usize = 8;
const REASONS_MAX: usize = 200;
const HEADERS_MAX: usize = 20;
const HEADER_NAME_MAX: usize = 64;
const ADDRESS_MAX: usize = 254;
const SECONDS_MAX: i64 = 30 * 24 * 60 * 60;
const TIMEOUT_SECONDS_MAX: i64 = 60;

pub fn parse(given: Option<&wire::Integration>) -> Result<(IntegrationKey, Integration), Refusal> {
    let given = given
        .ok_or_else(|| Refusal::new(Reason::FieldRequired, "integration is missing").field("integration"))?;
    let key = convert::integration_key("integration.key", &given.key)?;
    convert::not_empty(given.methods.len(), "integration.methods")?;
    convert::at_most(given.methods.len(), METHODS_MAX, "integration.methods", Reason::FieldInvalid)?;
    convert::at_most(given.reason_map.len(), REASONS_MAX, "integration.reason_map", Reason::FieldInvalid)?;
    let methods = given.methods.iter().enumerate().map(|(index, method)| parse_method(index, method));
    let integration = Integration {
        name: text::line_required(NAME_MAX, &given.name).map_err(convert::at("integration.name"))?,
        kind: kind(given.kind)?,
        methods: methods.collect::<Result<_, _>>()?,
        needs_reason: given.needs_reason,
        reason_map: reason_map(given)?,
        confirmation: confirmation(given.confirmation)?,
        resubmit_same_number_ok: given.resubmit_same_number_ok,
        rule_triggerable: given.rule_triggerable,
        rule_required: given.rule_required,
        accepts_cancel_notification: given.accepts_cancel_notification,
        connector: given.connector.as_ref().map(parse_connector).transpose()?,
    };
    Ok((key, integration))
}

fn reason_map(given: &wire::Integration) -> Result<BTreeMap<String, String>, Refusal> {
    let code = |text: &String| convert::code("integration.reason_map", text);
    given.reason_map.iter().map(|(ours, theirs)| Ok((code(ours)?, code(theirs)?))).collect()
}

fn parse_method(index: usize, given: &wire::PartnerMethodProfile) -> Result<MethodProfile, Refusal> {
    let field = |name: &str| format!("integration.methods[{index}].{name}");
    let method = match wire::PartnerMethod::try_from(given.method) {
        Ok(wire::PartnerMethod::Api) => Method::Api,
        Ok(wire::PartnerMethod::Email) => Method::Email,
        Ok(wire::PartnerMethod::Phone) => Method::Phone,
        Ok(wire::PartnerMethod::ManualPortal) => Method::ManualPortal,
        Ok(wire::PartnerMethod::Unspecified) | Err(_) => {
            return Err(Refusal::new(Reason::FieldInvalid, "a method is missing").field(field("method")));
        }
    };
    Ok(MethodProfile {
        method,
        window_seconds: seconds(&field("window_seconds"), given.window_seconds, SECONDS_MAX)?,
        deadline_seconds: seconds(&field("deadline_seconds"), given.deadline_seconds, SECONDS_MAX)?,
        address: text::line(ADDRESS_MAX, &given.address).map_err(convert::at(&field("address")))?,
    })
}

fn parse_connector(given: &wire::Connector) -> Result<Connector, Refusal> {
    let template = |name: &str, template: &str| {
        text::parse(TEMPLATE_LENGTH_MAX, template)
            .map_err(convert::at(&format!("integration.connector.{name}")))
    };
    let verb = given.http_method.as_str();
    if !["", "POST", "PUT", "PATCH", "DELETE"].contains(&verb) {
        let refusal = Refusal::new(Reason::FieldInvalid, "a partner is asked by POST, PUT, PATCH or DELETE");
        return Err(refusal.field("integration.connector.http_method"));
    }
    let timeout = "integration.connector.timeout_seconds";
    let parsed = Connector {
        url: text::line_required(TEMPLATE_LENGTH_MAX, &given.url)
            .map_err(convert::at("integration.connector.url"))?,
        http_method: verb.to_owned(),
        headers: headers(&given.headers)?,
        body: template("body", &given.body)?,
        success: template("success", &given.success)?,
        rejected: template("rejected", &given.rejected)?,
        timeout_seconds: seconds(timeout, given.timeout_seconds, TIMEOUT_SECONDS_MAX)?,
    };
    Ok(parsed)
}

fn headers(given: &BTreeMap<String, String>) -> Result<BTreeMap<String, String>, Refusal> {
    let field = "integration.connector.headers";
    convert::at_most(given.len(), HEADERS_MAX, field, Reason::FieldInvalid)?;
    let entries = given.iter().map(|(name, value)| {
        Ok((text::parse_required(HEADER_NAME_MAX, name)?, text::parse(TEMPLATE_LENGTH_MAX, value)?))
    });
    entries.collect::<Result<_, TextError>>().map_err(convert::at(field))
}

fn seconds(field: &str, given: i64, max: i64) -> Result<u32, Refusal> {
    let parsed = u32::try_from(given).ok().filter(|_| given <= max);
    parsed.ok_or_else(|| {
        Refusal::new(Reason::FieldInvalid, format!("{field} is 0 to {max} seconds")).field(field)
    })
}

fn kind(given: i32) -> Result<IntegrationKind, Refusal> {
    match wire::IntegrationKind::try_from(given) {
        Ok(wire::IntegrationKind::Unspecified | wire::IntegrationKind::Fulfillment) => {
            Ok(IntegrationKind::Fulfillment)
        }
        Ok(wire::IntegrationKind::Cart) => Ok(IntegrationKind::Cart),
        Err(_) => Err(Refusal::new(Reason::FieldInvalid, "no such kind").field("integration.kind")),
    }
}

fn confirmation(given: i32) -> Result<Confirmation, Refusal> {
    match wire::Confirmation::try_from(given) {
        Ok(wire::Confirmation::Unspecified | wire::Confirmation::None) => Ok(Confirmation::None),
        Ok(wire::Confirmation::Required) => Ok(Confirmation::Required),
        Ok(wire::Confirmation::AfterWindow) => Ok(Confirmation::AfterWindow),
        Err(_) => {
            let refusal = Refusal::new(Reason::FieldInvalid, "no such confirmation");
            Err(refusal.field("integration.confirmation"))
        }
    }
}

pub fn render(shown: &ShownIntegration) -> wire::Integration {
    let profile = &shown.integration;
    let kind = match profile.kind {
        IntegrationKind::Fulfillment => wire::IntegrationKind::Fulfillment,
        IntegrationKind::Cart => wire::IntegrationKind::Cart,
    };
    let confirmation = match profile.confirmation {
        Confirmation::None => wire::Confirmation::None,
        Confirmation::Required => wire::Confirmation::Required,
        Confirmation::AfterWindow => wire::Confirmation::AfterWindow,
    };
    let methods = profile.methods.iter().map(|method| wire::PartnerMethodProfile {
        method: integrations::method(method.method).into(),
        window_seconds: method.window_seconds.into(),
        deadline_seconds: method.deadline_seconds().into(),
        address: method.address.clone(),
    });
    wire::Integration {
        key: shown.key.to_string(),
        name: profile.name.clone(),
        kind: kind.into(),
        methods: methods.collect(),
        needs_reason: profile.needs_reason,
        reason_map: profile.reason_map.clone(),
        confirmation: confirmation.into(),
        resubmit_same_number_ok: profile.resubmit_same_number_ok,
        rule_triggerable: profile.rule_triggerable,
        rule_required: profile.rule_required,
        accepts_cancel_notification: profile.accepts_cancel_notification,
        connector: profile.connector.as_ref().map(render_connector),
        seeded: shown.seeded,
        shipped_after_cancel: shown.shipped_after_cancel,
    }
}

fn render_connector(connector: &Connector) -> wire::Connector {
    wire::Connector {
        url: connector.url.clone(),
        http_method: connector.http_method.clone(),
        headers: connector.headers.clone(),
        body: connector.body.clone(),
        success: connector.success.clone(),
        rejected: connector.rejected.clone(),
        timeout_seconds: connector.timeout_seconds.into(),
    }
}
