//! The one client: both eras of MCP over HTTP, and REST. A setter gives a client that is like the one before in all else.

use reqwest::Method;
use serde_json::{Value, json};

use super::draft::Draft;
use super::events::Events;
use super::messages::{hello, message, yes};
use super::reply::Reply;
use super::rest;
use super::world::World;

/// The eras with one, newest first.
pub(crate) const LEGACY: [&str; 2] = ["2025-11-25", "2025-06-18"];

/// A header: name and value.
pub(crate) type Header<'a> = (&'a str, &'a str);

/// Where a call is made over HTTP.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Surface {
    /// MCP without a handshake.
    Modern,
    /// MCP in a session.
    Session,
    Rest,
}

pub(crate) const SURFACES: [Surface; 3] = [Surface::Modern, Surface::Session, Surface::Rest];

/// A client of one server.
#[derive(Debug, Clone)]
pub(crate) struct Client {
    http: reqwest::Client,
    pub(crate) mcp: String,
    /// Where REST is served, without the path; empty if it is not.
    pub(crate) rest: String,
    capabilities: Value,
    headers: Vec<(String, String)>,
    /// The session's id and version.
    session: Option<(String, &'static str)>,
}

impl Client {
    pub(crate) fn new(mcp: &str, rest: &str, http: &reqwest::Client) -> Self {
        Self {
            http: http.clone(),
            mcp: mcp.to_owned(),
            rest: rest.to_owned(),
            capabilities: json!({}),
            headers: Vec::new(),
            session: None,
        }
    }

    pub(crate) fn of(world: &World) -> Self {
        Self::new(&world.url, &world.rest, &world.http)
    }

    /// One that sends a further header with each request.
    pub(crate) fn with(&self, name: &str, value: &str) -> Self {
        let mut other = self.clone();
        other.headers.push((name.to_owned(), value.to_owned()));
        other
    }

    /// The same with several.
    pub(crate) fn with_all(&self, headers: &[Header<'_>]) -> Self {
        let add = |client: Self, (name, value): &Header<'_>| client.with(name, value);
        headers.iter().fold(self.clone(), add)
    }

    /// One that shows this bearer token instead of any before.
    pub(crate) fn showing(&self, token: &str) -> Self {
        let mut other = self.clone();
        other.headers.retain(|(name, _)| name != "authorization");
        other.with("authorization", &format!("Bearer {token}"))
    }

    /// One that can ask its user.
    pub(crate) fn that_can_ask(&self) -> Self {
        Self {
            capabilities: json!({"elicitation": {}}),
            ..self.clone()
        }
    }

    /// One that can open pages for its user.
    pub(crate) fn that_can_open_pages(&self) -> Self {
        Self {
            capabilities: json!({"elicitation": {"form": {}, "url": {}}}),
            ..self.clone()
        }
    }

    /// One in the session with that id, whichever client opened it.
    pub(crate) fn within(&self, session: &str, version: &'static str) -> Self {
        Self {
            session: Some((session.to_owned(), version)),
            ..self.clone()
        }
    }

    /// One in a session of its own.
    pub(crate) async fn in_session(&self, version: &'static str) -> Self {
        self.opened(&self.initialize(version).await, version).await
    }

    /// One in the session that this response opened.
    pub(crate) async fn opened(&self, reply: &Reply, version: &'static str) -> Self {
        let other = self.within(&reply.session(), version);
        let done = json!({"jsonrpc": "2.0", "method": "notifications/initialized"});
        assert_eq!(other.say(&done).await.status, 202);
        other
    }

    /// Asks for a session.
    pub(crate) async fn initialize(&self, version: &str) -> Reply {
        let mut hello = hello(version);
        hello["capabilities"] = self.capabilities.clone();
        self.say(&message(json!(0), "initialize", &hello)).await
    }

    /// The id of its session.
    pub(crate) fn session(&self) -> &str {
        &self.session.as_ref().expect("a session").0
    }

    fn draft(&self, draft: Draft) -> Draft {
        let headers = self.headers.iter();
        headers.fold(draft, |draft, (name, value)| and(draft, name, value))
    }

    /// Sends what was drafted, over the connections of this client.
    async fn deliver(&self, draft: Draft) -> reqwest::Result<Reply> {
        Ok(Reply::of(self.transmit(draft).await?).await)
    }

    /// The same before the response is read.
    pub(crate) async fn transmit(&self, draft: Draft) -> reqwest::Result<reqwest::Response> {
        let mut words = draft.line.split(' ');
        let method = Method::from_bytes(words.next().unwrap().as_bytes()).unwrap();
        let url = format!("http://{}{}", draft.address, words.next().unwrap());
        let mut request = self.http.request(method, url);
        for (name, value) in draft.headers {
            request = request.header(name, value);
        }
        if !draft.body.is_empty() {
            request = request.body(draft.body);
        }
        request.send().await
    }

    /// The stream that answers a request in the session.
    pub(crate) async fn stream(&self, message: &Value) -> Events {
        Events::of(self.transmit(self.saying(message)).await.unwrap())
    }

    /// The session's own stream, or the rest of one that was left.
    pub(crate) async fn listen(&self, last_event: Option<&str>) -> Events {
        let draft = self.bare_request("GET");
        let draft = match last_event {
            Some(id) => draft.and("last-event-id", id),
            None => draft,
        };
        Events::of(self.transmit(draft).await.unwrap())
    }

    /// Any request to REST.
    pub(crate) async fn send(
        &self,
        method: &str,
        target: &str,
        headers: &[Header<'_>],
        body: impl Into<Vec<u8>>,
    ) -> reqwest::Result<Reply> {
        self.send_to(&self.rest, method, target, headers, body)
            .await
    }

    /// Any request to a whole URL.
    pub(crate) async fn fetch(
        &self,
        method: &str,
        url: &str,
        headers: &[Header<'_>],
        body: impl Into<Vec<u8>>,
    ) -> Reply {
        let path = url.match_indices('/').nth(2);
        let target = path.map_or("/", |(at, _)| &url[at..]);
        let reply = self.send_to(url, method, target, headers, body).await;
        reply.unwrap()
    }

    async fn send_to(
        &self,
        url: &str,
        method: &str,
        target: &str,
        headers: &[Header<'_>],
        body: impl Into<Vec<u8>>,
    ) -> reqwest::Result<Reply> {
        let draft = Draft::new(url, method, target);
        let headers = headers.iter();
        let draft = headers.fold(draft, |draft, (name, value)| and(draft, name, value));
        self.deliver(self.draft(draft.holding(body))).await
    }

    /// Any bytes to the endpoint of MCP, with the headers that each client sends.
    pub(crate) async fn post(&self, headers: &[Header<'_>], body: impl Into<Vec<u8>>) -> Reply {
        let draft = Draft::mcp(&self.mcp).holding(body);
        let draft = headers
            .iter()
            .fold(draft, |draft, (name, value)| draft.and(name, value));
        self.deliver(self.draft(draft)).await.unwrap()
    }

    /// A message in the session, or outside of any.
    pub(crate) async fn say(&self, message: &Value) -> Reply {
        self.deliver(self.saying(message)).await.unwrap()
    }

    /// A GET or DELETE on the endpoint of MCP, in the session if there is one.
    pub(crate) async fn bare(&self, method: &str) -> Reply {
        self.deliver(self.bare_request(method)).await.unwrap()
    }

    /// The same before it is sent.
    pub(crate) fn bare_request(&self, method: &str) -> Draft {
        let draft = Draft::mcp(&self.mcp).to(method, "/mcp");
        self.draft(self.in_its_session(draft.without("content-type")))
    }

    /// A message in the session before it is sent.
    pub(crate) fn saying(&self, message: &Value) -> Draft {
        self.draft(self.in_its_session(Draft::mcp(&self.mcp).saying(message)))
    }

    fn in_its_session(&self, draft: Draft) -> Draft {
        match &self.session {
            Some((id, version)) => draft
                .and("mcp-session-id", id)
                .and("mcp-protocol-version", version),
            None => draft,
        }
    }

    /// A request in the session.
    pub(crate) async fn ask_in_session(&self, id: Value, method: &str, params: &Value) -> Reply {
        self.say(&message(id, method, params)).await
    }

    /// A request of the era without a handshake.
    pub(crate) async fn ask(&self, method: &str, params: Value) -> Reply {
        self.ask_as(json!(1), method, params).await.unwrap()
    }

    /// The same with an id of one's own, to a server that may not answer.
    pub(crate) async fn ask_as(
        &self,
        id: Value,
        method: &str,
        params: Value,
    ) -> reqwest::Result<Reply> {
        let draft = Draft::message_by(&self.mcp, id, &self.capabilities, method, params);
        self.deliver(self.draft(draft)).await
    }

    /// A call with further parameters, to a server that may not answer.
    pub(crate) async fn reply(&self, tool: &str, mut params: Value) -> reqwest::Result<Reply> {
        params["name"] = json!(tool);
        self.ask_as(json!(1), "tools/call", params).await
    }

    /// A tool's result.
    pub(crate) async fn call(&self, tool: &str, arguments: &Value) -> Value {
        self.on(Surface::Modern, tool, arguments).await.result()
    }

    /// A tool's result, where a question was answered: its confirmation token, and what the user said.
    pub(crate) async fn answer(
        &self,
        tool: &str,
        arguments: &Value,
        sealed: &str,
        said: Value,
    ) -> Value {
        let params =
            json!({"arguments": arguments, "requestState": sealed, "inputResponses": said});
        self.reply(tool, params).await.unwrap().result()
    }

    /// The same with a plain yes.
    pub(crate) async fn agree(&self, tool: &str, arguments: &Value, sealed: &str) -> Value {
        self.answer(tool, arguments, sealed, yes()).await
    }

    /// A call over MCP without a handshake.
    pub(crate) async fn mcp(&self, tool: &str, arguments: &Value) -> Reply {
        self.on(Surface::Modern, tool, arguments).await
    }

    /// A call in the session, with an id of one's own.
    pub(crate) async fn call_as(&self, id: Value, tool: &str, arguments: &Value) -> Reply {
        let params = json!({"name": tool, "arguments": arguments});
        self.ask_in_session(id, "tools/call", &params).await
    }

    /// A call over REST.
    pub(crate) async fn rest(&self, tool: &str, arguments: &Value) -> Reply {
        self.on(Surface::Rest, tool, arguments).await
    }

    /// The same with further headers.
    pub(crate) async fn rest_with(
        &self,
        tool: &str,
        arguments: &Value,
        headers: &[Header<'_>],
    ) -> Reply {
        self.with_all(headers).rest(tool, arguments).await
    }

    /// The request that a call is on one of the surfaces.
    pub(crate) fn request(&self, surface: Surface, tool: &str, arguments: &Value) -> Draft {
        let params = json!({"name": tool, "arguments": arguments});
        self.draft(match surface {
            Surface::Rest => {
                let (method, target, body) = rest::request(tool, arguments);
                let draft = Draft::new(&self.rest, method, &target);
                if body.is_empty() {
                    draft
                } else {
                    draft.and("content-type", "application/json").holding(body)
                }
            }
            Surface::Modern => Draft::message_by(
                &self.mcp,
                json!(1),
                &self.capabilities,
                "tools/call",
                params,
            ),
            Surface::Session => {
                let message = message(json!(rand::random::<u32>()), "tools/call", &params);
                self.in_its_session(Draft::mcp(&self.mcp).saying(&message))
            }
        })
    }

    /// A call on one of the surfaces.
    pub(crate) async fn on(&self, surface: Surface, tool: &str, arguments: &Value) -> Reply {
        let request = self.request(surface, tool, arguments);
        self.deliver(request).await.unwrap()
    }

    /// The names of the tools that are listed.
    pub(crate) async fn tool_names(&self) -> Vec<String> {
        let tools = self.tools().await;
        let names = tools.iter().map(|tool| tool["name"].as_str().unwrap());
        names.map(str::to_owned).collect()
    }

    /// The tools that are listed.
    pub(crate) async fn tools(&self) -> Vec<Value> {
        let result = self.ask("tools/list", json!({})).await.result();
        result["tools"].as_array().unwrap().clone()
    }
}

/// The request with one more header; a `Host` replaces the true one.
fn and(draft: Draft, name: &str, value: &str) -> Draft {
    match name {
        "host" => draft.with(name, value),
        _ => draft.and(name, value),
    }
}

/// An HTTP client that takes no proxy's way round.
pub(crate) fn http() -> reqwest::Client {
    reqwest::Client::builder().no_proxy().build().unwrap()
}
