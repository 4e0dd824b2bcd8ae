//! Signs of life: a client that asked for progress hears every few seconds that its call goes on.

use std::pin::pin;
use std::time::Duration;

use rmcp::RoleServer;
use rmcp::model::ProgressNotificationParam;
use rmcp::service::RequestContext;
use tokio::time::{Instant, MissedTickBehavior, interval_at};

use super::accept::takes_only_the_answer;

/// Clients give up after a minute without a sign; most calls end sooner than the first one.
const INTERVAL: Duration = Duration::from_secs(5);

/// Runs a call, and tells its client from time to time that it still waits: for 7digital, or for a person who thinks.
pub(super) async fn beside<T>(
    context: &RequestContext<RoleServer>,
    call: impl Future<Output = T>,
) -> T {
    let token = context.meta.get_progress_token();
    let Some(token) = token.filter(|_| !takes_only_the_answer(context)) else {
        return call.await;
    };
    let mut call = pin!(call);
    let mut turns = interval_at(Instant::now() + INTERVAL, INTERVAL);
    turns.set_missed_tick_behavior(MissedTickBehavior::Delay);
    for turn in 1_u32.. {
        tokio::select! {
            biased;
            outcome = &mut call => return outcome,
            _ = turns.tick() => {}
        }
        let told = ProgressNotificationParam::new(token.clone(), turn.into())
            .with_message("waiting for the user's answer, or for 7digital");
        // Sent whole before the call goes on, so that none follows the result. A client that has left needs none.
        context.peer.notify_progress(told).await.ok();
    }
    call.await
}
