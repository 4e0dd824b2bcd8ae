//! Waiting for a condition: the only bound is one that no good test reaches.

use std::time::Duration;

/// Waits until something is so.
pub(crate) async fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let asking = async {
        let mut turn = tokio::time::interval(Duration::from_millis(5));
        while !is_so() {
            turn.tick().await;
        }
    };
    within(what, asking).await;
}

/// Waits for something to end; gives up after a time that only what hangs takes, however loaded the machine is.
pub(crate) async fn within<T>(what: &str, done: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(120), done)
        .await
        .unwrap_or_else(|_| panic!("waited in vain: {what}"))
}
