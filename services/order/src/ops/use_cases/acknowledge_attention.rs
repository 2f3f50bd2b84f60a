//! AcknowledgeAttention: closes an item that is done with once somebody has looked.

use types::{AttentionId, Fingerprint, Refusal, Tenant};

use super::{Resource, UseCase, Work};
use crate::domain::attention::AttentionItem;
use crate::ops::books::wanted::Wanted;

pub struct AcknowledgeAttention {
    pub attention_id: AttentionId,
    pub note: String,
}

impl Resource for AttentionItem {
    fn resource_id(&self) -> String {
        self.attention_id.to_string()
    }
}

impl UseCase for AcknowledgeAttention {
    const METHOD: &'static str = "AcknowledgeAttention";
    type Answer = AttentionItem;

    fn content(&self) -> Fingerprint {
        Fingerprint::of(&[self.attention_id.as_str().as_bytes(), self.note.as_bytes()])
    }

    fn reads(&self, tenant: &Tenant, wanted: &mut Wanted) {
        wanted.items.insert((tenant.clone(), self.attention_id.clone()));
    }

    fn decide(&self, work: &mut Work<'_>) -> Result<AttentionItem, Refusal> {
        work.books.acknowledge(work.asked, &self.attention_id, &self.note)
    }
}
