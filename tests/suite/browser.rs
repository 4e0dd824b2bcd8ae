//! The confirmation page: what the user's answer does, and that nobody else's does anything.

// A server whose browser only notes the address, and the page at it.
mod asking;

// Yes, no, nothing, and too late.
mod answers;
// What other programs and other pages send.
mod attacks;
// What is shown, and when a browser is opened at all.
mod shown;
