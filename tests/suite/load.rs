//! As much at once as the limits let through, and one more.

// How long opened circuits keep reads away from 7digital.
mod breaker;
// What one named caller may take.
mod callers;
mod desk;
// How long a permit is held.
mod held;
// How many calls run and wait.
mod permits;
// What clients do not take.
mod untaken;
