//! What somebody else wrote in a language that a parser of ours reads: the condition of a rule, the template of a
//! connector. Such a text is measured before any parser sees it, and parsed and evaluated on a thread of its own.
//!
//! ```text
//!   text ─▶ expression() | template(): length, nesting, chains ─▶ run(): parse and evaluate ─▶ outcome
//!              │ too much                                           │ too slow, panicked, too many at once
//!              └────────────────────────▶ Excess ◀──────────────────┘
//! ```
//!
//! A recursive parser that runs out of stack ends the whole process, and no handler can catch it. So the depth is known
//! before, it is small, and the stack is [`STACK_BYTES`], several times what the deepest text that passes needs even
//! without optimisation.
//!
//! How much memory an evaluation may take depends on what the language can do, and is decided beside its evaluator.

mod scan;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Duration;

pub use scan::{Outline, Syntax, expression, template};

use crate::{Reason, Refusal};

/// The longest expression, in characters; of a template it is all that stands within its tags.
pub const LENGTH_MAX: usize = 1_000;
/// The longest template, in characters.
pub const TEMPLATE_LENGTH_MAX: usize = 4_000;
/// How many brackets may be open at once.
pub const NESTING_MAX: usize = 16;
/// How deep the tree of an expression may become: brackets, and operators behind each other.
pub const DEPTH_MAX: usize = 100;
/// A parser without optimisation takes 4 MiB of it for the deepest text that passes.
pub const STACK_BYTES: usize = 32 << 20;
/// Everything that passes takes milliseconds; a machine that is busy may take longer.
pub const TIME_MAX: Duration = Duration::from_secs(2);
/// Evaluations at once, those that nobody waits for any more among them.
const RUNNING_MAX: usize = 64;

static RUNNING: AtomicUsize = AtomicUsize::new(0);

/// Why a text is not read, or not to its end.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Excess {
    #[error("it has {length} characters, of at most {limit}")]
    TooLong { length: usize, limit: usize },
    #[error("more than {NESTING_MAX} brackets are open at once")]
    TooNested,
    #[error("it is deeper than {DEPTH_MAX}: too many brackets, or operators behind each other")]
    TooDeep,
    #[error("it holds {0}")]
    NotTaken(&'static str),
    #[error("it took longer than {} ms", TIME_MAX.as_millis())]
    TooSlow,
    #[error("it could not be evaluated")]
    Broken,
    #[error("too many are evaluated at this moment")]
    Busy,
}

/// Parses or evaluates on a thread whose stack is known, and waits for at most [`TIME_MAX`]. What takes longer goes on
/// alone and is counted until it ends; it has to be bounded by itself. A panic is an outcome, not the caller's end.
pub fn run<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, Excess> {
    let place = Place::take().ok_or(Excess::Busy)?;
    let (sender, receiver) = mpsc::sync_channel(1);
    let on_its_own = thread::Builder::new().name("bounded".to_owned()).stack_size(STACK_BYTES);
    let spawned = on_its_own.spawn(move || {
        let _place = place;
        // Nobody waits for what came too late.
        drop(sender.send(work()));
    });
    spawned.map_err(|_| Excess::Busy)?;
    receiver.recv_timeout(TIME_MAX).map_err(|problem| match problem {
        RecvTimeoutError::Timeout => Excess::TooSlow,
        RecvTimeoutError::Disconnected => Excess::Broken,
    })
}

/// One of the places for evaluations, given back when it is dropped.
struct Place;

impl Place {
    fn take() -> Option<Self> {
        let next = |running: usize| (running < RUNNING_MAX).then_some(running + 1);
        RUNNING.fetch_update(Ordering::Relaxed, Ordering::Relaxed, next).ok().map(|_| Self)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        RUNNING.fetch_sub(1, Ordering::Relaxed);
    }
}

impl From<Excess> for Refusal {
    fn from(excess: Excess) -> Self {
        let message = excess.to_string();
        match excess {
            Excess::TooLong { limit, .. } => Self::new(Reason::FieldTooLong, message).detail("limit", limit),
            Excess::TooNested => Self::new(Reason::FieldInvalid, message).detail("limit", NESTING_MAX),
            Excess::TooDeep => Self::new(Reason::FieldInvalid, message).detail("limit", DEPTH_MAX),
            Excess::NotTaken(_) | Excess::TooSlow | Excess::Broken | Excess::Busy => {
                Self::new(Reason::FieldInvalid, message)
            }
        }
    }
}
