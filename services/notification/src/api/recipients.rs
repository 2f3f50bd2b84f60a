//! RecipientService: the address book, preferences and suppressions. For operators.

use kit::page::{Listing, Page};
use kit::{Failure, Principal, Seal};
use lettre::Address;
use proto::notification::v1 as wire;
use proto::notification::v1::recipient_service_server::RecipientService;
use tonic::{Request, Response, Status};
use types::{OrderId, Reason, Refusal, text};

use super::asking::{asked, operator};
use crate::domain::{Audience, Locale, MailTemplate, Outlet, Preference, Recipient, Scope, SuppressionCause};
use crate::ops::desk::Suppression;
use crate::ops::desk::{Deed, Desk};

const NAME_LENGTH_MAX: usize = 200;
const ADDRESS_LENGTH_MAX: usize = 254;
const ORGANISATION_LENGTH_MAX: usize = 128;

pub struct RecipientApi {
    desk: Desk,
    seal: Seal,
}

impl RecipientApi {
    pub fn new(desk: Desk, seal: Seal) -> Self {
        Self { desk, seal }
    }

    async fn put_recipient(
        &self,
        caller: &Principal,
        request: wire::UpsertRecipientRequest,
    ) -> Result<wire::UpsertRecipientResponse, Failure> {
        let given = request.recipient.ok_or_else(|| required("recipient"))?;
        let recipient = Recipient {
            scope: scope(&given)?,
            audience: audience("recipient.audience", &given.audience)?,
            address: address("recipient.address", &given.address)?,
            name: text::line(NAME_LENGTH_MAX, &given.name)
                .map_err(|error| Refusal::from(error).field("recipient.name"))?,
            locale: optional_locale("recipient.locale", &given.locale)?,
            is_active: !given.removed,
            changed_at: self.desk.now(),
        };
        if matches!(recipient.scope, Scope::Organisation(_))
            && !matches!(recipient.audience, Audience::Buyer | Audience::Supplier)
        {
            let message = "an organisation stands behind a buyer or a supplier";
            return Err(Failure::invalid("recipient.audience", Reason::FieldInvalid, message));
        }
        let wire = recipient_of(recipient.clone());
        let content = [
            recipient.scope.as_str(),
            recipient.scope.id(),
            recipient.audience.as_str(),
            &recipient.address,
            &recipient.name,
            &given.locale,
            if given.removed { "removed" } else { "active" },
        ];
        let asked = asked(caller, "UpsertRecipient", &request.request_id, &content)?;
        self.desk.perform(&asked, &Deed::Recipient(recipient)).await?;
        Ok(wire::UpsertRecipientResponse { recipient: Some(wire) })
    }

    async fn put_preference(
        &self,
        caller: &Principal,
        request: wire::UpsertPreferenceRequest,
    ) -> Result<wire::UpsertPreferenceResponse, Failure> {
        let given = request.preference.ok_or_else(|| required("preference"))?;
        if !given.template.is_empty() && MailTemplate::parse(&given.template).is_none() {
            let known = MailTemplate::ALL.map(MailTemplate::as_str).join(", ");
            let message = format!("a template is one of {known}");
            return Err(Failure::invalid("preference.template", Reason::FieldInvalid, message));
        }
        let preference = Preference {
            audience: audience("preference.audience", &given.audience)?,
            address: match given.address.as_str() {
                "" => String::new(),
                text => address("preference.address", text)?,
            },
            template: given.template.clone(),
            locale: optional_locale("preference.locale", &given.locale)?,
            email: !given.off,
            changed_at: self.desk.now(),
        };
        let wire = preference_of(preference.clone());
        let off = if given.off { "off" } else { "on" };
        let content =
            [preference.audience.as_str(), &preference.address, &preference.template, &given.locale, off];
        let asked = asked(caller, "UpsertPreference", &request.request_id, &content)?;
        self.desk.perform(&asked, &Deed::Preference(preference)).await?;
        Ok(wire::UpsertPreferenceResponse { preference: Some(wire) })
    }

    async fn put_suppression(
        &self,
        caller: &Principal,
        request: wire::SetSuppressionRequest,
    ) -> Result<wire::SetSuppressionResponse, Failure> {
        let cause = match SuppressionCause::parse(&request.cause) {
            Some(cause @ (SuppressionCause::Unsubscribed | SuppressionCause::Operator)) => cause,
            Some(SuppressionCause::HardBounce | SuppressionCause::EndpointGone) | None => {
                let message = "a cause is unsubscribed or operator";
                return Err(Failure::invalid("cause", Reason::FieldInvalid, message));
            }
        };
        let suppression = Suppression {
            outlet: Outlet::Email,
            recipient: address("address", &request.address)?,
            cause,
            detail: text::line(NAME_LENGTH_MAX, &request.detail)
                .map_err(|error| Refusal::from(error).field("detail"))?,
            is_active: !request.lifted,
            changed_at: self.desk.now(),
        };
        let wire = suppression_of(suppression.clone());
        let lifted = if request.lifted { "lifted" } else { "active" };
        let content = [&suppression.recipient, cause.as_str(), &suppression.detail, lifted];
        let asked = asked(caller, "SetSuppression", &request.request_id, &content)?;
        self.desk.perform(&asked, &Deed::Suppression(suppression)).await?;
        Ok(wire::SetSuppressionResponse { suppression: Some(wire) })
    }

    async fn recipients(
        &self,
        caller: &Principal,
        request: wire::ListRecipientsRequest,
    ) -> Result<wire::ListRecipientsResponse, Failure> {
        let listing = Listing::new("ListRecipients", &caller.tenant, &());
        let page = Page::parse(&self.seal, listing, request.page_size, &request.page_token)?;
        let after = page.after(4)?.map_or([""; 4], |key| [&key[0], &key[1], &key[2], &key[3]]);
        let mut rows = self.desk.recipients(&caller.tenant, after, page.limit()).await?;
        let next_page_token = page.finish(&mut rows, |row| {
            let key = [row.scope.as_str(), row.scope.id(), row.audience.as_str(), &row.address];
            key.map(str::to_owned).into()
        });
        Ok(wire::ListRecipientsResponse {
            recipients: rows.into_iter().map(recipient_of).collect(),
            next_page_token,
        })
    }

    async fn preferences(
        &self,
        caller: &Principal,
        request: wire::ListPreferencesRequest,
    ) -> Result<wire::ListPreferencesResponse, Failure> {
        let listing = Listing::new("ListPreferences", &caller.tenant, &());
        let page = Page::parse(&self.seal, listing, request.page_size, &request.page_token)?;
        let after = page.after(3)?.map_or([""; 3], |key| [&key[0], &key[1], &key[2]]);
        let mut rows = self.desk.preferences(&caller.tenant, after, page.limit()).await?;
        let next_page_token = page.finish(&mut rows, |row| {
            [row.audience.as_str(), &row.address, &row.template].map(str::to_owned).into()
        });
        Ok(wire::ListPreferencesResponse {
            preferences: rows.into_iter().map(preference_of).collect(),
            next_page_token,
        })
    }

    async fn suppressions(
        &self,
        caller: &Principal,
        request: wire::ListSuppressionsRequest,
    ) -> Result<wire::ListSuppressionsResponse, Failure> {
        let listing = Listing::new("ListSuppressions", &caller.tenant, &());
        let page = Page::parse(&self.seal, listing, request.page_size, &request.page_token)?;
        let after = page.after(2)?.map_or(("", ""), |key| (key[0].as_str(), key[1].as_str()));
        let mut rows = self.desk.suppressions(&caller.tenant, after, page.limit()).await?;
        let next_page_token =
            page.finish(&mut rows, |row| vec![row.outlet.as_str().to_owned(), row.recipient.clone()]);
        Ok(wire::ListSuppressionsResponse {
            suppressions: rows.into_iter().map(suppression_of).collect(),
            next_page_token,
        })
    }
}

#[tonic::async_trait]
impl RecipientService for RecipientApi {
    async fn upsert_recipient(
        &self,
        request: Request<wire::UpsertRecipientRequest>,
    ) -> Result<Response<wire::UpsertRecipientResponse>, Status> {
        let caller = operator(&request)?;
        Ok(Response::new(self.put_recipient(&caller, request.into_inner()).await?))
    }

    async fn list_recipients(
        &self,
        request: Request<wire::ListRecipientsRequest>,
    ) -> Result<Response<wire::ListRecipientsResponse>, Status> {
        let caller = operator(&request)?;
        Ok(Response::new(self.recipients(&caller, request.into_inner()).await?))
    }

    async fn upsert_preference(
        &self,
        request: Request<wire::UpsertPreferenceRequest>,
    ) -> Result<Response<wire::UpsertPreferenceResponse>, Status> {
        let caller = operator(&request)?;
        Ok(Response::new(self.put_preference(&caller, request.into_inner()).await?))
    }

    async fn list_preferences(
        &self,
        request: Request<wire::ListPreferencesRequest>,
    ) -> Result<Response<wire::ListPreferencesResponse>, Status> {
        let caller = operator(&request)?;
        Ok(Response::new(self.preferences(&caller, request.into_inner()).await?))
    }

    async fn set_suppression(
        &self,
        request: Request<wire::SetSuppressionRequest>,
    ) -> Result<Response<wire::SetSuppressionResponse>, Status> {
        let caller = operator(&request)?;
        Ok(Response::new(self.put_suppression(&caller, request.into_inner()).await?))
    }

    async fn list_suppressions(
        &self,
        request: Request<wire::ListSuppressionsRequest>,
    ) -> Result<Response<wire::ListSuppressionsResponse>, Status> {
        let caller = operator(&request)?;
        Ok(Response::new(self.suppressions(&caller, request.into_inner()).await?))
    }
}

fn required(field: &str) -> Failure {
    Failure::invalid(field, Reason::FieldRequired, format!("{field} is required"))
}

fn audience(field: &str, text: &str) -> Result<Audience, Failure> {
    Audience::parse(text).ok_or_else(|| {
        Failure::invalid(field, Reason::FieldInvalid, "an audience is buyer, supplier, staff or client")
    })
}

pub fn locale(field: &str, text: &str) -> Result<Locale, Failure> {
    Locale::parse(text).ok_or_else(|| {
        let known = Locale::ALL.map(Locale::as_str).join(", ");
        Failure::invalid(field, Reason::FieldInvalid, format!("a locale is one of {known}"))
    })
}

fn optional_locale(field: &str, text: &str) -> Result<Option<Locale>, Failure> {
    if text.is_empty() { Ok(None) } else { locale(field, text).map(Some) }
}

fn address(field: &str, text: &str) -> Result<String, Failure> {
    mail_address(text).map_err(|message| Failure::invalid(field, Reason::FieldInvalid, message))
}

/// In lower case, so that an address is suppressed however it is written.
pub(super) fn mail_address(text: &str) -> Result<String, String> {
    if text.len() > ADDRESS_LENGTH_MAX || !text.is_ascii() {
        return Err(format!("an address has at most {ADDRESS_LENGTH_MAX} ASCII characters"));
    }
    let address: Address = text.parse().map_err(|problem| format!("not a mail address: {problem}"))?;
    Ok(address.to_string().to_lowercase())
}

fn scope(given: &wire::Recipient) -> Result<Scope, Failure> {
    use wire::RecipientScope as Wire;
    let id = given.scope_id.as_str();
    let invalid = |message: &str| Failure::invalid("recipient.scope_id", Reason::FieldInvalid, message);
    match Wire::try_from(given.scope) {
        Ok(Wire::Order) => {
            let id = OrderId::parse(id).map_err(|error| Refusal::from(error).field("recipient.scope_id"))?;
            Ok(Scope::Order(id.into()))
        }
        Ok(Wire::Organisation) => {
            let id = text::name_required(ORGANISATION_LENGTH_MAX, id)
                .map_err(|error| Refusal::from(error).field("recipient.scope_id"))?;
            Ok(Scope::Organisation(id))
        }
        Ok(Wire::Everything) if id.is_empty() => Ok(Scope::Everything),
        Ok(Wire::Everything) => Err(invalid("everything has no scope_id")),
        Ok(Wire::Unspecified) => Err(required("recipient.scope")),
        Err(_) => Err(Failure::invalid("recipient.scope", Reason::FieldInvalid, "no such scope")),
    }
}

fn recipient_of(recipient: Recipient) -> wire::Recipient {
    let scope = match recipient.scope {
        Scope::Order(_) => wire::RecipientScope::Order,
        Scope::Organisation(_) => wire::RecipientScope::Organisation,
        Scope::Everything => wire::RecipientScope::Everything,
    };
    wire::Recipient {
        scope: scope.into(),
        scope_id: recipient.scope.id().to_owned(),
        audience: recipient.audience.as_str().to_owned(),
        address: recipient.address,
        name: recipient.name,
        locale: recipient.locale.map_or("", Locale::as_str).to_owned(),
        removed: !recipient.is_active,
        changed_at: recipient.changed_at.into(),
    }
}

fn preference_of(preference: Preference) -> wire::Preference {
    wire::Preference {
        audience: preference.audience.as_str().to_owned(),
        address: preference.address,
        template: preference.template,
        locale: preference.locale.map_or("", Locale::as_str).to_owned(),
        off: !preference.email,
        changed_at: preference.changed_at.into(),
    }
}

fn suppression_of(suppression: Suppression) -> wire::Suppression {
    wire::Suppression {
        channel: suppression.outlet.as_str().to_owned(),
        recipient: suppression.recipient,
        cause: suppression.cause.as_str().to_owned(),
        detail: suppression.detail,
        lifted: !suppression.is_active,
        changed_at: suppression.changed_at.into(),
    }
}
