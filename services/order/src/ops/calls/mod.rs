//! What `api` and the service's own clocks call. Each call hands a use case to the group commit, or reads from one snapshot.

pub mod asking;
mod desk;
mod events;
pub mod guesses;
pub mod once;
pub mod orders;
mod policies;
pub mod policy_simulation;
pub mod propagation;
pub mod queue;
pub mod reads;
pub mod remedies;
mod returns;
mod visible;
pub mod wait;
