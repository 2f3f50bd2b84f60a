//! What can be asked of the service, as values: who asks, the command, its answer and what follows the commit.

mod arrival;
mod desk;
mod named;
mod outside;
mod queue;
mod remedies;
mod request;
mod returns;

pub use arrival::{Arrival, Body, OwedTold, position};
pub use desk::{DeskAnswer, DeskWish};
pub use named::{Named, named};
pub use outside::News;
pub use queue::{Queue, Receiver};
pub use remedies::RemedyWish;
pub use request::{After, Answer, Asked, Command, Done, Wish};
pub use returns::{ReturnWish, Step};
