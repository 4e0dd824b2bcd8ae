//! Everything that a sandbox holds, and the way of a request through it.

use chrono::{DateTime, Utc};

use crate::arrival::Arrival;
use crate::call::{Answer, Call};
use crate::document::{self, Envelope, Node};
use crate::faults::{Fault, Script};
use crate::oauth::{self, Nonces, Signature};
use crate::operations::{Legs, Operation};
use crate::pages::{Reply, page, reply, set_header, text, xml};
use crate::refusal::{self, Refusal};
use crate::request::{Pairs, Request};
use crate::route::Route;
use crate::state::State;
use crate::token_endpoints::Endpoint;
use crate::{card_page, login_page, seed};

const MOST_ARRIVALS: usize = 100_000;
const MOST_RECORDED_BYTES: usize = 256 << 20;
const RATE_LIMIT: u64 = 4000;
const SECONDS_A_DAY: i64 = 86_400;
/// What a POST may have in its query.
const ALLOWED_IN_POST_QUERY: [&str; 4] = ["userid", "country", "shopid", "onbehalfofpartnerid"];

/// Everything that a sandbox holds.
#[derive(Debug)]
pub(crate) struct World {
    /// Where the sandbox listens: `http://127.0.0.1:PORT`.
    origin: String,
    pub(crate) state: State,
    pub(crate) script: Script,
    pub(crate) arrivals: Vec<Arrival>,
    recorded_bytes: usize,
    nonces: Nonces,
    calls: u64,
}

impl World {
    pub(crate) fn new(origin: String, now: DateTime<Utc>) -> Self {
        Self {
            origin,
            state: seed::state(now),
            script: Script::default(),
            arrivals: Vec::new(),
            recorded_bytes: 0,
            nonces: Nonces::default(),
            calls: 0,
        }
    }

    /// Records a request and answers it. The fault says how the reply is to be spoilt.
    pub(crate) fn answer(
        &mut self,
        request: &Request,
        now: DateTime<Utc>,
    ) -> (Reply, Option<Fault>) {
        let route = Route::find(request);
        let signature = self.check(route, request, now);
        let fault = route.name().and_then(|name| self.script.take(name));
        let mut reply = match fault.as_ref().and_then(Fault::reply) {
            Some(reply) => reply,
            None => self.reply(route, request, &signature, now),
        };
        if !route.is_page() {
            self.add_headers(&mut reply, now);
        }
        let status = match fault {
            Some(Fault::Hang | Fault::Reset) => 0,
            _ => reply.status().as_u16(),
        };
        self.record(route, request, signature, status);
        (reply, fault)
    }

    fn check(&mut self, route: Route, request: &Request, now: DateTime<Utc>) -> Signature {
        if route.is_page() {
            return Signature::Unsigned;
        }
        let tokens = &self.state.tokens;
        let secret_of = |token: &str| match route {
            Route::Token(Endpoint::AccessToken) => tokens.request_secret(token),
            _ => tokens.access_secret(token),
        };
        let seconds = u64::try_from(now.timestamp()).unwrap_or_default();
        oauth::verify(request, seconds, &mut self.nonces, secret_of)
    }

    fn reply(
        &mut self,
        route: Route,
        request: &Request,
        signature: &Signature,
        now: DateTime<Utc>,
    ) -> Reply {
        let reply = match route {
            Route::CardPage(id) => return card_page::answer(&mut self.state, id, request, now),
            Route::LoginPage => return login_page::answer(&mut self.state, request),
            Route::UnknownPage => return page(404, "Nothing here", ""),
            Route::UnknownEndpoint => Err(Refusal::Plain(refusal::NOT_FOUND.to_owned())),
            Route::Token(endpoint) => self.issue(endpoint, request, signature, now),
            Route::Operation(operation, id) => self
                .operate(operation, id, request, signature, now)
                .map(|answer| write(&answer, route, request)),
        };
        reply.unwrap_or_else(|refusal| refuse(&refusal, route, request))
    }

    fn issue(
        &mut self,
        endpoint: Endpoint,
        request: &Request,
        signature: &Signature,
        now: DateTime<Utc>,
    ) -> Result<Reply, Refusal> {
        let token = verified(signature)?;
        let call = Call {
            parameters: &parameters(request)?,
            user_id: String::new(),
            id: "",
            now,
            origin: "",
            operation: endpoint.name(),
        };
        endpoint.answer(&mut self.state, &call, request, token)
    }

    fn operate(
        &mut self,
        operation: &'static Operation,
        id: &str,
        request: &Request,
        signature: &Signature,
        now: DateTime<Utc>,
    ) -> Result<Answer, Refusal> {
        let token = verified(signature)?;
        let user_of_token = token.and_then(|token| self.state.tokens.user_of(token));
        let mut call = Call {
            parameters: &parameters(request)?,
            user_id: user_of_token.unwrap_or_default().to_owned(),
            id,
            now,
            origin: &self.origin,
            operation: operation.name,
        };
        if call.optional("country").is_some() {
            call.country()?;
        }
        if operation.legs == Legs::User {
            call.user_id = acting_user(&mut self.state, &call)?;
        }
        (operation.run)(&mut self.state, &call)
    }

    fn add_headers(&mut self, reply: &mut Reply, now: DateTime<Utc>) {
        self.calls += 1;
        let reset = SECONDS_A_DAY - now.timestamp().rem_euclid(SECONDS_A_DAY);
        set_header(reply, "x-ratelimit-limit", &RATE_LIMIT.to_string());
        set_header(reply, "x-ratelimit-current", &self.calls.to_string());
        set_header(reply, "x-ratelimit-reset", &reset.to_string());
        set_header(reply, "x-7dig", "sandbox");
    }

    /// Records a request while there is room. What was typed into a web page is left out.
    fn record(&mut self, route: Route, request: &Request, signature: Signature, status: u16) {
        let (form, body) = match route {
            Route::CardPage(_) | Route::LoginPage => (Pairs::new(), String::new()),
            _ => (request.form.clone(), request.body.clone()),
        };
        let bytes = 3 * (request.target.len() + body.len());
        if self.arrivals.len() >= MOST_ARRIVALS || self.recorded_bytes + bytes > MOST_RECORDED_BYTES
        {
            return;
        }
        self.recorded_bytes += bytes;
        self.arrivals.push(Arrival {
            method: request.method.clone(),
            target: request.target.clone(),
            path: request.path.clone(),
            query: request.query.clone(),
            form,
            body,
            headers: request.headers.clone(),
            operation: route.name(),
            signature,
            status,
        });
    }
}

/// The token's user, or the user that the consumer names.
fn acting_user(state: &mut State, call: &Call) -> Result<String, Refusal> {
    match call.subject() {
        Ok(id) => Ok(state.user(id)?.id.clone()),
        Err(Refusal::Api { code: 1001, .. }) => {
            Err(Refusal::Plain(refusal::NEEDS_TOKEN.to_owned()))
        }
        Err(refusal) => Err(refusal),
    }
}

/// The token of a good signature, or the plain text for a bad one.
fn verified(signature: &Signature) -> Result<Option<&str>, Refusal> {
    match signature {
        Signature::Verified { token } => Ok(token.as_deref()),
        Signature::Unsigned => Err(Refusal::Plain(refusal::NO_CREDENTIALS.to_owned())),
        Signature::Refused(reason) => Err(Refusal::Plain(reason.clone())),
    }
}

/// A GET's query, or a POST's form and query, without the parameters of OAuth.
fn parameters(request: &Request) -> Result<Pairs, Refusal> {
    let is_post = request.method == "POST";
    let is_own = |(name, _): &&(String, String)| !name.starts_with("oauth_");
    let query = request.query.iter().filter(is_own);
    let is_stray = |name: &String| {
        is_post && !ALLOWED_IN_POST_QUERY.contains(&name.to_ascii_lowercase().as_str())
    };
    if let Some((name, value)) = query.clone().find(|(name, _)| is_stray(name)) {
        return Err(Refusal::invalid(name, value));
    }
    let form = request.form.iter().filter(|_| is_post).filter(is_own);
    Ok(form.chain(query).cloned().collect())
}

fn write(answer: &Answer, route: Route, request: &Request) -> Reply {
    let mut reply = write_document(200, &answer.payload, answer.envelope, route, request);
    if let Some(location) = &answer.location {
        set_header(&mut reply, "location", location);
    }
    reply
}

fn refuse(refusal: &Refusal, route: Route, request: &Request) -> Reply {
    match refusal {
        Refusal::Plain(reason) => text(401, format!("OAuth authentication error: {reason}")),
        Refusal::Api {
            code,
            message,
            status,
        } => {
            let error = Node::default()
                .attribute("code", *code)
                .element("errorMessage", message);
            let payload = Node::default().child("error", error);
            write_document(*status, &payload, Envelope::Full, route, request)
        }
    }
}

/// Writes JSON where the route has it and the client prefers it, else XML.
fn write_document(
    status: u16,
    payload: &Node,
    envelope: Envelope,
    route: Route,
    request: &Request,
) -> Reply {
    let word = if status == 200 { "ok" } else { "error" };
    if route.has_json() && request.prefers_json() {
        let body = document::json(payload, word, envelope);
        reply(status, "application/json; charset=utf-8", body)
    } else {
        xml(status, document::xml(payload, word))
    }
}
