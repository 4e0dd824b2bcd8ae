//! What takes minutes: `cargo nextest run --profile long`. Each prints its figures.
#![expect(
    clippy::cast_precision_loss,
    clippy::unchecked_time_subtraction,
    reason = "long walks with figures for people, of clocks that don't go back"
)]

// What measuring needs.
mod bench;
mod peers;
// How many charges a ledger takes in a second.
mod ledger;
// The load that the limit sheet promises to bear.
mod load;
// Ten minutes of everything at once.
mod soak;
// A thousand slow clients of one sort at once.
mod slow_clients;
