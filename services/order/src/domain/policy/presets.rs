//! The presets: one document for each of five real ways to cancel, and the one that holds where nobody chose.

use std::sync::{Arc, LazyLock};

use types::RoleMap;

use super::{Document, Policy};

/// Where no policy was chosen.
pub const DEFAULT: &str = "default";

/// Their names, with the documents as they are shipped. A preset is version 1 of the policy of its name; what a
/// tenant writes under the same name begins with version 2.
pub const PRESETS: [(&str, &str); 6] = [
    (DEFAULT, include_str!("../../../policies/default.json")),
    ("installer", include_str!("../../../policies/installer.json")),
    ("marketplace", include_str!("../../../policies/marketplace.json")),
    ("order_desk", include_str!("../../../policies/order_desk.json")),
    ("ordoro", include_str!("../../../policies/ordoro.json")),
    ("salesforce", include_str!("../../../policies/salesforce.json")),
];

pub const PRESET_VERSION: i64 = 1;

static PARSED: LazyLock<Vec<Policy>> = LazyLock::new(|| presets(&Arc::new(RoleMap::shipped())));

/// The presets beside a role map.
pub(super) fn presets(roles: &Arc<RoleMap>) -> Vec<Policy> {
    let parsed = PRESETS.iter().map(|(policy_id, text)| Policy {
        policy_id: (*policy_id).to_owned(),
        version: PRESET_VERSION,
        document: Document::parse_new(text).expect("a test parses every preset"),
        roles: Arc::clone(roles),
    });
    parsed.collect()
}

/// A preset beside the shipped roles.
pub fn preset(policy_id: &str) -> Option<&'static Policy> {
    PARSED.iter().find(|policy| policy.policy_id == policy_id)
}

pub fn default_policy() -> &'static Policy {
    preset(DEFAULT).expect("the default is a preset")
}
