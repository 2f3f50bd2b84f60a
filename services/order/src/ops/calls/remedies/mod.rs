//! Restorations, withdrawals, previews of proposals, and the clocks that end proposals and unpaid orders.

mod clock;
mod expiry;
mod preview;

use kit::{Deadline, Failure, Principal};
use types::RequestId;

use crate::domain::change::ChangeView;
use crate::domain::lifecycle::RestoreRequest;
use crate::ops::calls::orders::Orders;
use crate::ops::calls::wait::Wait;
use crate::ops::use_cases::{RequestWithdrawal, RestoreOrder};

impl Orders {
    /// Restores an order. The inventory is asked first what it lacks.
    pub async fn restore_order(
        &self,
        caller: &Principal,
        request_id: RequestId,
        request: RestoreRequest,
        until: (Wait, Deadline),
    ) -> Result<ChangeView, Failure> {
        let lacking = self.lacking(caller, &request.order_id).await;
        let restore = RestoreOrder(RestoreRequest { lacking, ..request });
        self.ask_for_change(caller, request_id, restore, until).await
    }

    pub async fn request_withdrawal(
        &self,
        caller: &Principal,
        request_id: RequestId,
        number: String,
        contact: String,
        note: String,
    ) -> Result<ChangeView, Failure> {
        // An order that does not exist is treated like one with another contact, so that nobody learns which it was.
        let order_id = self.id_of_number(&caller.tenant, &number).await?;
        let order_id = order_id.unwrap_or_else(|| self.ids().mint());
        self.ask(caller, request_id, RequestWithdrawal { order_id, number, contact, note }).await
    }
}
