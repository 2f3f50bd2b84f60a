//! Books for verification.
