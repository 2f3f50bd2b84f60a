//! ConversationService and FolderService: what people keep beside orders.

mod conversation;
pub(crate) mod folders;

pub use self::conversation::ConversationApi;
pub(crate) use self::conversation::visibility;
pub use self::folders::FolderApi;
