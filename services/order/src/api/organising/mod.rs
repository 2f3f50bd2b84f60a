//! ConversationService, FolderService and RuleService: what people keep beside orders.

mod conversation;
mod folders;
mod rule_input;
mod rules;

pub use self::conversation::ConversationApi;
pub use self::folders::FolderApi;
pub use self::rules::RuleApi;
