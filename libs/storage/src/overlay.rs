//! [`Overlay`]: rows that are read and changed in memory, and can be put back.

/// What one batch of commands has read and changes in memory before it is written. A command that is refused is put back to
/// its mark and leaves nothing behind.
pub trait Overlay {
    /// The overlays that this one is made of. Take `self` apart exhaustively: then a part that is forgotten does not compile.
    fn parts(&mut self) -> Vec<&mut dyn Overlay>;

    /// The start of a command: what came before stays.
    fn mark(&mut self) {
        for part in self.parts() {
            part.mark();
        }
    }

    /// Undoes everything since the mark.
    fn rollback(&mut self) {
        for part in self.parts() {
            part.rollback();
        }
    }
}
