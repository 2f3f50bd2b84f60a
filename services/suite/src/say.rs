//! Standard output, where the reader may go away before the end: `countermand timeline ord_01… | head`.

use std::fmt::Arguments;
use std::io::{ErrorKind, Write as _};

/// As `println!`, which would panic where nobody reads any more.
macro_rules! say {
    ($($text:tt)*) => { $crate::say::line(format_args!($($text)*)) };
}

/// Writes one line. Without a reader the program has nothing left to say, which is no failure.
pub fn line(text: Arguments<'_>) {
    if let Err(problem) = writeln!(std::io::stdout().lock(), "{text}") {
        if problem.kind() == ErrorKind::BrokenPipe {
            std::process::exit(0);
        }
        eprintln!("countermand: writing the answer: {problem}");
        std::process::exit(1);
    }
}
