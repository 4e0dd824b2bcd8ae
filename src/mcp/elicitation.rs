//! Elicitation: the question to the user as a form, and what their answer means.

use std::collections::BTreeMap;
use std::time::Duration;

use rmcp::model::{
    BooleanSchema, CancelledNotificationParam, ClientResult, ElicitRequest, ElicitRequestParams,
    ElicitResult, ElicitationAction, ElicitationSchema, InputRequest, InputRequests,
    InputRequiredResult, InputResponses, MetaObject, PrimitiveSchemaDefinition, RequestId,
    ServerRequest,
};
use rmcp::service::{PeerRequestOptions, RequestContext, ServiceError};
use rmcp::{Peer, RoleServer};
use serde::Deserialize as _;
use serde_json::Value;

use super::accept::hears_no_question;
use super::hosts;
use crate::calls::{Asker, Question, UserAnswer};
use crate::problem::Problem;

/// Name of the form's one field.
const CONFIRM: &str = "confirm";

/// What a call says of the user's answer: the token and the answer that it brings back, or else whether its client can ask.
pub(super) fn answer(
    context: &RequestContext<RoleServer>,
    token: Option<String>,
    responses: Option<&InputResponses>,
) -> UserAnswer {
    if let Some(token) = token {
        let answer = responses.and_then(|responses| responses.get(CONFIRM));
        let answer = answer.and_then(|answer| ElicitResult::deserialize(answer).ok());
        return if answer.is_some_and(|answer| is_confirmed(&answer)) {
            UserAnswer::Confirmed(token)
        } else {
            UserAnswer::Declined(token)
        };
    }
    let capabilities = context.client_capabilities();
    let modes = capabilities.and_then(|capabilities| capabilities.elicitation);
    let can_ask = modes.is_some_and(|modes| modes.form.is_some() || modes.url.is_none())
        && !hears_no_question(context);
    let client = context.client_info().map(|client| client.name);
    UserAnswer::NotAsked(if !can_ask {
        Asker::Nothing
    } else if client.is_some_and(|name| hosts::answers_for_its_user(&name)) {
        Asker::DoubtfulClient
    } else {
        Asker::Client
    })
}

/// Asks the user within a session, and waits for the answer as long as the question's token is good.
pub(super) async fn ask(
    context: &RequestContext<RoleServer>,
    question: Question,
) -> Result<UserAnswer, Problem> {
    let (form, token) = (form(question.message), question.confirmation_token);
    match elicit(&context.peer, form, question.ttl).await {
        Ok(ClientResult::ElicitResult(answer)) if is_confirmed(&answer) => {
            Ok(UserAnswer::Confirmed(token))
        }
        Ok(ClientResult::ElicitResult(_)) => Ok(UserAnswer::Declined(token)),
        Err(ServiceError::Timeout { .. }) => Err(Problem::not_answered_in_time()),
        _ => Err(Problem::not_shown_by_client()),
    }
}

/// Sends an elicitation and waits for its answer. It ends with the call: if nobody waits any more, it is taken back.
pub(super) async fn elicit(
    peer: &Peer<RoleServer>,
    params: ElicitRequestParams,
    ttl: Duration,
) -> Result<ClientResult, ServiceError> {
    let request = ServerRequest::ElicitRequest(ElicitRequest::new(params));
    let options = PeerRequestOptions::with_timeout(ttl);
    let asked = peer.send_cancellable_request(request, options).await?;
    let mut open = OpenQuestion {
        peer: peer.clone(),
        id: Some(asked.id.clone()),
    };
    // rmcp takes it back itself once the time is up.
    let answer = asked.await_response().await;
    open.id = None;
    answer
}

/// A question that is taken back when it is dropped.
struct OpenQuestion {
    peer: Peer<RoleServer>,
    /// None once it has ended.
    id: Option<RequestId>,
}

impl Drop for OpenQuestion {
    fn drop(&mut self) {
        let (Some(id), peer) = (self.id.take(), self.peer.clone()) else {
            return;
        };
        let why = "the call was cancelled".to_owned();
        let params = CancelledNotificationParam::new(Some(id), Some(why));
        // A client that has left needs no notice.
        tokio::spawn(async move { peer.notify_cancelled(params).await.ok() });
    }
}

/// The question as the result of a call without a session: the client asks, and repeats the call with the answer.
pub(super) fn input_required(question: Question, meta: Option<MetaObject>) -> InputRequiredResult {
    let request = InputRequest::Elicitation(ElicitRequest::new(form(question.message)));
    let requests = InputRequests::from([(CONFIRM.to_owned(), request)]);
    let mut result = InputRequiredResult::new(Some(requests), Some(question.confirmation_token));
    result.meta = meta;
    result
}

/// Anything but an explicit yes is a no.
fn is_confirmed(answer: &ElicitResult) -> bool {
    let content = answer.content.as_ref();
    let confirmed = content.and_then(|content| content.get(CONFIRM));
    answer.action == ElicitationAction::Accept && confirmed == Some(&Value::Bool(true))
}

fn form(message: String) -> ElicitRequestParams {
    let yes = BooleanSchema::new().title("Yes, go ahead");
    let yes = PrimitiveSchemaDefinition::Boolean(yes.with_default(false));
    let schema = ElicitationSchema::new(BTreeMap::from([(CONFIRM.to_owned(), yes)]));
    ElicitRequestParams::FormElicitationParams {
        meta: None,
        message,
        requested_schema: schema.with_required(vec![CONFIRM.to_owned()]),
    }
}
