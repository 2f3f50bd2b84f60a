//! NotificationService: what was told to whom, on the public port.

use kit::page::{Listing, Page};
use kit::{Failure, Principal, Seal};
use proto::notification::v1::notification_service_server::NotificationService;
use proto::notification::v1::{
    GetNotificationRequest, GetNotificationResponse, ListNotificationsRequest, ListNotificationsResponse,
};
use tonic::{Request, Response, Status};
use types::{NotificationId, OrderId, Reason, Refusal};

use super::convert;
use crate::domain::{Audience, Template};
use crate::ops::Notifications;
use crate::ops::told::Filter;

pub struct NotificationApi {
    notifications: Notifications,
    seal: Seal,
}

impl NotificationApi {
    pub fn new(notifications: Notifications, seal: Seal) -> Self {
        Self { notifications, seal }
    }

    /// The oldest first, so that a page once read stays as it was.
    async fn list(
        &self,
        caller: &Principal,
        request: ListNotificationsRequest,
    ) -> Result<ListNotificationsResponse, Failure> {
        let filter = filter(&request)?;
        let chosen = (&request.order_id, filter.audience, &request.template);
        let listing = Listing::new("ListNotifications", &caller.tenant, &chosen);
        let page = Page::parse(&self.seal, listing, request.page_size, &request.page_token)?;
        let after = page.after(1)?.map_or("", |key| key[0].as_str());
        let mut rows = self.notifications.list(&caller.tenant, &filter, after, page.limit()).await?;
        let next_page_token = page.finish(&mut rows, |row| vec![row.notification_id.to_string()]);
        let notifications = rows.into_iter().map(convert::notification).collect();
        Ok(ListNotificationsResponse { notifications, next_page_token })
    }

    async fn get(
        &self,
        caller: &Principal,
        request: GetNotificationRequest,
    ) -> Result<GetNotificationResponse, Failure> {
        let id = NotificationId::parse(&request.notification_id)
            .map_err(|error| Refusal::from(error).field("notification_id"))?;
        let found = self.notifications.get(&caller.tenant, &id).await?;
        Ok(GetNotificationResponse { notification: Some(convert::notification(found)) })
    }
}

#[tonic::async_trait]
impl NotificationService for NotificationApi {
    async fn list_notifications(
        &self,
        request: Request<ListNotificationsRequest>,
    ) -> Result<Response<ListNotificationsResponse>, Status> {
        let caller = Principal::of(&request)?.clone();
        Ok(Response::new(self.list(&caller, request.into_inner()).await?))
    }

    async fn get_notification(
        &self,
        request: Request<GetNotificationRequest>,
    ) -> Result<Response<GetNotificationResponse>, Status> {
        let caller = Principal::of(&request)?.clone();
        Ok(Response::new(self.get(&caller, request.into_inner()).await?))
    }
}

fn filter(request: &ListNotificationsRequest) -> Result<Filter, Failure> {
    let order_id = match request.order_id.as_str() {
        "" => None,
        text => Some(OrderId::parse(text).map_err(|error| Refusal::from(error).field("order_id"))?),
    };
    let audience = match request.audience.as_str() {
        "" => None,
        text => Some(Audience::parse(text).ok_or_else(|| {
            Failure::invalid(
                "audience",
                Reason::FieldInvalid,
                "an audience is buyer, supplier, staff or client",
            )
        })?),
    };
    if !request.template.is_empty() && Template::parse(&request.template).is_none() {
        let known = Template::ALL.map(Template::as_str).join(", ");
        let message = format!("a template is one of {known}");
        return Err(Failure::invalid("template", Reason::FieldInvalid, message));
    }
    Ok(Filter { order_id, audience, template: request.template.clone() })
}
