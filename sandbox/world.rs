//! One request in, one delivery out: routing, recording, and the operations behind them.

use chrono::{DateTime, Utc};

use crate::call::{Answer, Call, Refusal};
use crate::document;
use crate::faults::{Fault, Script};
use crate::oauth::{self, Nonces, Signature};
use crate::operations::{self, Format, Legs, Operation};
use crate::pages::{Reply, page, reply, set_header};
use crate::request::{Pairs, Request};
use crate::state::State;
use crate::tokens::Endpoint;
use crate::{Arrival, card_page, demo, login_page};

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

/// How a reply goes out.
#[derive(Debug)]
pub(crate) enum Delivery {
    Sent(Reply),
    Spoilt(Fault, Reply),
}

#[derive(Debug, Clone, Copy)]
enum Route<'a> {
    Operation(&'static Operation, &'a str),
    Token(Endpoint),
    UnknownEndpoint,
    CardPage(&'a str),
    LoginPage,
    Nowhere,
}

impl World {
    pub(crate) fn new(origin: String, now: DateTime<Utc>) -> Self {
        Self {
            origin,
            state: demo::state(now),
            script: Script::default(),
            arrivals: Vec::new(),
            recorded_bytes: 0,
            nonces: Nonces::default(),
            calls: 0,
        }
    }

    /// Records a request and answers it.
    pub(crate) fn answer(&mut self, request: &Request, now: DateTime<Utc>) -> Delivery {
        let route = route(request);
        let signature = self.check(route, request, now);
        let fault = route.name().and_then(|name| self.script.take(name));
        let reply = match fault.as_ref().and_then(Fault::reply) {
            Some(reply) => reply,
            None => self.reply(route, request, &signature, now),
        };
        let reply = if request.path.starts_with("/1.2/") {
            self.with_headers(reply, now)
        } else {
            reply
        };
        let status = match fault {
            Some(Fault::Hang | Fault::Reset) => 0,
            _ => reply.status().as_u16(),
        };
        self.record(route, request, signature, status);
        match fault {
            Some(fault) => Delivery::Spoilt(fault, reply),
            None => Delivery::Sent(reply),
        }
    }

    fn check(&mut self, route: Route, request: &Request, now: DateTime<Utc>) -> Signature {
        if matches!(
            route,
            Route::CardPage(_) | Route::LoginPage | Route::Nowhere
        ) {
            return Signature::Unsigned;
        }
        let tokens = &self.state.tokens;
        let secret_of = |token: &str| match route {
            Route::Token(Endpoint::AccessToken) => tokens.request_secret(token),
            _ => tokens.access_secret(token),
        };
        let seconds = u64::try_from(now.timestamp()).unwrap_or_default();
        let host = request.header("host").unwrap_or_default();
        oauth::verify(request, host, seconds, &mut self.nonces, secret_of)
    }

    fn reply(
        &mut self,
        route: Route,
        request: &Request,
        signature: &Signature,
        now: DateTime<Utc>,
    ) -> Reply {
        let refusal = match route {
            Route::CardPage(id) => return card_page::answer(&mut self.state, id, request, now),
            Route::LoginPage => return login_page::answer(&mut self.state, request),
            Route::Nowhere => return page(404, "Nothing here", ""),
            Route::UnknownEndpoint => Err(Refusal::Plain(oauth::NOT_FOUND.to_owned())),
            Route::Token(endpoint) => self.issue(endpoint, request, signature, now),
            Route::Operation(operation, id) => self.operate(operation, id, request, signature, now),
        };
        refusal.unwrap_or_else(|refusal| refuse(&refusal, route, request))
    }

    fn issue(
        &mut self,
        endpoint: Endpoint,
        request: &Request,
        signature: &Signature,
        now: DateTime<Utc>,
    ) -> Result<Reply, Refusal> {
        let token = verified(signature)?;
        let parameters = parameters(request)?;
        let user_id = String::new();
        let call = Call {
            user_id,
            origin: "",
            parameters: &parameters,
            id: "",
            now,
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
    ) -> Result<Reply, Refusal> {
        let token = verified(signature)?;
        let parameters = parameters(request)?;
        let own = token
            .and_then(|token| self.state.tokens.user_of(token))
            .unwrap_or_default()
            .to_owned();
        let origin = self.origin.clone();
        let mut call = Call {
            user_id: own,
            origin: &origin,
            parameters: &parameters,
            id,
            now,
            operation: operation.name,
        };
        if call.optional("country").is_some() {
            call.country()?;
        }
        if operation.legs == Legs::User {
            call.user_id = self.acting_user(&call)?;
        }
        let answer = (operation.run)(&mut self.state, &call)?;
        Ok(write(&answer, operation.format, request))
    }

    /// The token's user, or the user that the consumer names.
    fn acting_user(&mut self, call: &Call) -> Result<String, Refusal> {
        match call.subject() {
            Ok(id) => Ok(self.state.user(id)?.id.clone()),
            Err(Refusal::Api { code: 1001, .. }) => {
                Err(Refusal::Plain(oauth::NEEDS_TOKEN.to_owned()))
            }
            Err(refusal) => Err(refusal),
        }
    }

    fn with_headers(&mut self, mut reply: Reply, now: DateTime<Utc>) -> Reply {
        self.calls += 1;
        let reset = SECONDS_A_DAY - now.timestamp().rem_euclid(SECONDS_A_DAY);
        set_header(&mut reply, "x-ratelimit-limit", &RATE_LIMIT.to_string());
        set_header(&mut reply, "x-ratelimit-current", &self.calls.to_string());
        set_header(&mut reply, "x-ratelimit-reset", &reset.to_string());
        set_header(&mut reply, "x-7dig", "sandbox");
        reply
    }

    /// Remembers a request, as long as there is room. What was typed into a web page is left out.
    fn record(&mut self, route: Route, request: &Request, signature: Signature, status: u16) {
        let is_page = matches!(route, Route::CardPage(_) | Route::LoginPage);
        let (form, body) = if is_page {
            (Pairs::new(), String::new())
        } else {
            (request.form.clone(), request.body.clone())
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

impl Route<'_> {
    fn name(&self) -> Option<&'static str> {
        match self {
            Self::Operation(operation, _) => Some(operation.name),
            Self::Token(endpoint) => Some(endpoint.name()),
            Self::UnknownEndpoint | Self::CardPage(_) | Self::LoginPage | Self::Nowhere => None,
        }
    }
}

fn route(request: &Request) -> Route<'_> {
    let (method, path) = (request.method.as_str(), request.path.as_str());
    let is_form_method = ["GET", "POST"].contains(&method);
    if let Some(path) = path
        .strip_prefix("/1.2")
        .filter(|path| path.starts_with('/'))
    {
        return match (operations::find(method, path), Endpoint::find(path)) {
            (Some((operation, id)), _) => Route::Operation(operation, id),
            (None, Some(endpoint)) if is_form_method => Route::Token(endpoint),
            _ => Route::UnknownEndpoint,
        };
    }
    match path.strip_prefix("/cardregistration/") {
        Some(id) if is_form_method => Route::CardPage(id),
        None if is_form_method && login_page::is_at(path) => Route::LoginPage,
        _ => Route::Nowhere,
    }
}

/// The token of a good signature, or the plain text for a bad one.
fn verified(signature: &Signature) -> Result<Option<&str>, Refusal> {
    match signature {
        Signature::Verified { token } => Ok(token.as_deref()),
        Signature::Unsigned => Err(Refusal::Plain(oauth::NO_CREDENTIALS.to_owned())),
        Signature::Refused(reason) => Err(Refusal::Plain(reason.clone())),
    }
}

/// A GET's query or a POST's form, without what belongs to OAuth.
fn parameters(request: &Request) -> Result<Pairs, Refusal> {
    let is_post = request.method == "POST";
    let is_oauth = |name: &str| name.starts_with("oauth_");
    let is_allowed = |name: &str| {
        is_oauth(name) || ALLOWED_IN_POST_QUERY.contains(&name.to_ascii_lowercase().as_str())
    };
    if let Some((name, value)) = request
        .query
        .iter()
        .find(|(name, _)| is_post && !is_allowed(name))
    {
        return Err(Refusal::invalid(name, value));
    }
    let form = request.form.iter().filter(|_| is_post);
    Ok(form
        .chain(&request.query)
        .filter(|(name, _)| !is_oauth(name))
        .cloned()
        .collect())
}

fn write(answer: &Answer, format: Format, request: &Request) -> Reply {
    let mut reply = if format == Format::Negotiated && request.prefers_json() {
        reply(
            200,
            "application/json; charset=utf-8",
            document::json(&answer.payload, "ok", answer.envelope),
        )
    } else {
        reply(
            200,
            "text/xml; charset=utf-8",
            document::xml(&answer.payload, "ok"),
        )
    };
    if let Some(location) = &answer.location {
        set_header(&mut reply, "location", location);
    }
    reply
}

fn refuse(refusal: &Refusal, route: Route, request: &Request) -> Reply {
    let (code, message, status) = match refusal {
        Refusal::Plain(reason) => {
            return reply(
                401,
                "text/plain; charset=utf-8",
                format!("OAuth authentication error: {reason}"),
            );
        }
        Refusal::Api {
            code,
            message,
            status,
        } => (*code, message, *status),
    };
    let error = document::Node::default()
        .attribute("code", code)
        .element("errorMessage", message);
    let payload = document::Node::default().child("error", error);
    let is_xml_only =
        matches!(route, Route::Operation(operation, _) if operation.format == Format::XmlOnly);
    if request.prefers_json() && !is_xml_only {
        let body = document::json(&payload, "error", document::Envelope::Full);
        reply(status, "application/json; charset=utf-8", body)
    } else {
        reply(
            status,
            "text/xml; charset=utf-8",
            document::xml(&payload, "error"),
        )
    }
}
