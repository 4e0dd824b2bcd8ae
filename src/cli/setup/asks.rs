//! Who is asked.

/// Who is asked for what no flag gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Asks {
    /// The person at the terminal.
    Person,
    /// Nobody: flags decide everything, or `--yes` leaves the rest out.
    Nobody,
}
