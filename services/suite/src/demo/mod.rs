//! `countermand demo`: a story a newcomer understands, on a throw-away suite, through the public RPCs only.

pub mod scene;
mod story;

pub use story::tell;
