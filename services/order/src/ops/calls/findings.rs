//! Taking in what `verify` found.

use kit::{Failure, Principal};
use types::RequestId;

use crate::domain::findings::Findings;
use crate::ops::calls::asking::{asked, unexpected};
use crate::ops::calls::orders::Orders;
use crate::ops::command::{Answer, Wish};

impl Orders {
    pub async fn raise_findings(
        &self,
        principal: &Principal,
        request_id: RequestId,
        findings: Findings,
    ) -> Result<(), Failure> {
        let content = format!("{findings:?}");
        let asked = asked(principal, "RaiseFindings", request_id, &[content.as_bytes()]);
        match self.ask(asked, Wish::RaiseFindings(Box::new(findings))).await? {
            Answer::Written(_) | Answer::AcceptedBefore(_) => Ok(()),
            _ => Err(unexpected()),
        }
    }
}
