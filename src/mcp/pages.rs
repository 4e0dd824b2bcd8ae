//! Pages: where a result leads the user to one, a client that can open it is asked to, and told when the user is done there.

use std::time::Duration;

use rmcp::model::{
    ClientResult, CustomNotification, ElicitRequestParams, ElicitationAction, ProtocolVersion,
    ServerNotification,
};
use rmcp::service::RequestContext;
use rmcp::{Peer, RoleServer};
use serde_json::json;
use sevendigital_tools::Page;

use super::accept::hears_no_question;
use super::elicitation::elicit;
use crate::calls::{CallOutcome, Completed};
use crate::problem::{Kind, Problem};

/// How long the result waits for the user to be led to the page. Hosts give up after a minute.
const OPENING: Duration = Duration::from_secs(45);
/// How often, and how many times, it is looked whether the user is done.
const INTERVAL: Duration = Duration::from_secs(5);
const LOOKS: u32 = 60;

/// Whether the client opens pages: in a session, of the revision that has it.
pub(super) fn can_open(context: &RequestContext<RoleServer>) -> bool {
    let modes = context.client_capabilities();
    let modes = modes.and_then(|capabilities| capabilities.elicitation);
    // Without a session there is no one to tell: the page's address stands in the result.
    let has_it = context.protocol_version() == Some(ProtocolVersion::V_2025_11_25);
    has_it && !hears_no_question(context) && modes.is_some_and(|modes| modes.url.is_some())
}

/// Asks the client to open a page. If the user agrees, `look` says from time to time how far they are, and the client is told of the end.
pub(super) async fn open<L>(
    context: &RequestContext<RoleServer>,
    page: Page,
    look: impl Fn() -> L + Send + 'static,
) where
    L: Future<Output = Result<CallOutcome, Problem>> + Send,
{
    let id = format!("{:032x}", rand::random::<u128>());
    let params = ElicitRequestParams::UrlElicitationParams {
        meta: None,
        message: page.purpose.to_owned(),
        url: page.url,
        elicitation_id: id.clone(),
    };
    match elicit(&context.peer, params, OPENING).await {
        Ok(ClientResult::ElicitResult(answer)) if answer.action == ElicitationAction::Accept => {}
        // The address stands in the result all the same.
        _ => return,
    }
    let peer = context.peer.clone();
    // The result does not wait for it.
    tokio::spawn(async move {
        if is_done(&peer, page.is_done, look).await {
            let told = Some(json!({"elicitationId": id}));
            let told = CustomNotification::new("notifications/elicitation/complete", told);
            let told = ServerNotification::CustomNotification(told);
            // A client that has left needs no notice.
            peer.send_notification(told).await.ok();
        }
    });
}

/// Waits until the user is done; false if the client leaves first, or it takes too long.
async fn is_done<L>(
    peer: &Peer<RoleServer>,
    is_done: fn(&serde_json::Value) -> bool,
    look: impl Fn() -> L,
) -> bool
where
    L: Future<Output = Result<CallOutcome, Problem>>,
{
    for _ in 0..LOOKS {
        tokio::time::sleep(INTERVAL).await;
        if peer.is_transport_closed() {
            return false;
        }
        match look().await {
            Ok(CallOutcome::Completed(Completed { reply, .. })) => {
                if is_done(&reply.answer.document) {
                    return true;
                }
            }
            // It is over, though not well.
            Err(problem) if problem.kind == Kind::Refused => return true,
            Err(_) => {}
            Ok(CallOutcome::ConfirmationRequired(_)) => return false,
        }
    }
    false
}
