//! Any arguments at all: what goes upstream is the operation's own request, or nothing goes.

use std::collections::BTreeSet;

use proptest::sample;
use proptest::strategy::Strategy;
use proptest::test_runner::{Config as Cases, TestRunner};
use serde_json::{Map, Value, json};
use sevendigital::{Auth, Client, Effect, Error, Method};
use sevendigital_mcp::config::Config;
use sevendigital_sandbox::{Arrival, Sandbox, Signature, demo};
use sevendigital_tools::{AnyTool, TOOLS, ToolError};
use tokio::runtime::Runtime;

use crate::support::hostile::{arguments, card_number, fields, good, is_typed, spellings};
use crate::support::{load, sandbox_settings};
use crate::upstream::wire::{oauth_names, second_opinion};

/// Cases for each tool.
const CASES: u32 = 600;
/// Cases for each sandbox, which remembers all that arrives.
const BATCH: usize = 100;

/// A sandbox and a client before it, made anew for each batch of cases.
struct Upstream {
    runtime: Runtime,
    sandbox: Sandbox,
    client: Client,
    seen: usize,
}

impl Upstream {
    fn start() -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        let sandbox = runtime.block_on(Sandbox::start()).unwrap();
        let config: Config = load(sandbox_settings(&sandbox.base_uri())).unwrap();
        let client = Client::builder(config.base_uri.clone())
            .placement(config.oauth_placement)
            .credentials(config.credentials())
            .build();
        Self {
            runtime,
            sandbox,
            client: client.unwrap(),
            seen: 0,
        }
    }

    /// Makes the call; gives why it failed, if it did, and what arrived.
    fn call(
        &mut self,
        tool: &AnyTool,
        arguments: Map<String, Value>,
    ) -> (Option<ToolError>, Vec<Arrival>) {
        let call = async { tool.prepare(arguments)?.run(&self.client).await };
        let error = self.runtime.block_on(call).err();
        let arrivals = self.sandbox.arrivals().split_off(self.seen);
        self.seen += arrivals.len();
        (error, arrivals)
    }
}

/// Holds what arrived, if anything did, to what the operation may send.
fn check(
    tool: &AnyTool,
    given: &Map<String, Value>,
    sandbox: &Sandbox,
    error: Option<&ToolError>,
    arrivals: &[Arrival],
) {
    let refused = matches!(
        error,
        Some(ToolError::Input(_) | ToolError::Client(Error::Input { .. }))
    );
    assert_eq!(arrivals.len(), usize::from(!refused), "{error:?}");
    if let Some(arrival) = arrivals.first() {
        check_place(tool, sandbox, arrival);
        check_parameters(tool, given, arrival);
        check_signature(tool, sandbox, arrival);
    }
}

/// Our host, and exactly the operation's path.
fn check_place(tool: &AnyTool, sandbox: &Sandbox, arrival: &Arrival) {
    let endpoint = tool.contract.upstream;
    let hosts = arrival.headers.iter().filter(|(name, _)| name == "host");
    let hosts: Vec<&str> = hosts.map(|(_, value)| value.as_str()).collect();
    assert_eq!(hosts, [sandbox.address().to_string()]);
    assert_eq!(arrival.method, endpoint.method.as_str());
    let path = format!("/1.2{}", endpoint.path);
    let Some(start) = path.strip_suffix("{id}") else {
        assert_eq!(arrival.path, path);
        return;
    };
    let id = arrival
        .path
        .strip_prefix(start)
        .expect("the start of the path");
    let followed = url::Url::parse(&format!("http://x/{id}")).unwrap();
    assert_eq!(followed.path(), format!("/{id}"), "it stays where it is");
    assert!(!id.is_empty() && !id.contains('/'), "{id}");
    for hidden in ["%2f", "%5c", "%00"] {
        assert!(!id.to_ascii_lowercase().contains(hidden), "{id}");
    }
}

/// What is sent otherwise than it was given: codes in capitals, prices in major units, numbers as numbers.
#[rustfmt::skip]
const REWRITTEN: [&str; 8] = [
    "country", "currency", "price", "retailPrice", "emailAddress", "page", "pageSize", "recurringFee",
];

/// The operation's own parameters, each once, in one place.
fn check_parameters(tool: &AnyTool, given: &Map<String, Value>, arrival: &Arrival) {
    let endpoint = tool.contract.upstream;
    let body: Value = match given.get("body") {
        Some(Value::String(text)) => serde_json::from_str(text).unwrap(),
        Some(body) => body.clone(),
        None => json!({}),
    };
    let (parameters, other, source) = match endpoint.method {
        Method::Get => (&arrival.query, arrival.body.as_str(), given),
        Method::Post => {
            let query = arrival
                .target
                .split_once('?')
                .map_or("", |(_, query)| query);
            (&arrival.form, query, body.as_object().unwrap())
        }
    };
    assert_eq!(other, "", "all parameters are in one place");
    let mut allowed: BTreeSet<String> = fields(tool).into_iter().collect();
    if endpoint.method == Method::Post {
        allowed.extend(source.keys().cloned());
    }
    allowed.extend(["country", "shopId", "userId"].map(str::to_owned));
    if allowed.remove("email") {
        allowed.insert("emailAddress".to_owned());
    }
    if endpoint.path.ends_with("{id}") {
        allowed.remove("id");
    }
    let mut once = BTreeSet::new();
    for (name, value) in parameters {
        let lower = name.to_ascii_lowercase();
        if lower.starts_with("oauth_") {
            continue;
        }
        let is_tag = name.starts_with("tag_") && allowed.contains("tags");
        let known = is_tag || allowed.contains(name);
        assert!(known, "`{name}` is no parameter of this");
        assert!(once.insert(lower), "`{name}` twice");
        assert!(!value.chars().any(char::is_control), "{name}: {value:?}");
        if let (Some(Value::String(text)), false) =
            (source.get(name), REWRITTEN.contains(&name.as_str()))
            && !["", "null", "none", "undefined"].contains(&&*text.trim().to_ascii_lowercase())
        {
            assert_eq!(value, text, "{name} stays the text that it was");
        }
    }
}

/// Each OAuth parameter once, and a signature that the sandbox and a third implementation verify.
fn check_signature(tool: &AnyTool, sandbox: &Sandbox, arrival: &Arrival) {
    let for_user = tool.contract.upstream.auth == Auth::User;
    #[rustfmt::skip]
    let mut oauth = arrival.oauth();
    oauth.sort();
    let names: Vec<&str> = oauth.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, oauth_names(for_user));
    let token = for_user.then(|| demo::ACCESS_TOKEN.to_owned());
    assert_eq!(arrival.signature, Signature::Verified { token });
    let signature = oauth.iter().find(|(name, _)| name == "oauth_signature");
    let origin = format!("http://{}", sandbox.address());
    assert_eq!(signature.unwrap().1, second_opinion(arrival, &origin));
}

/// Runs a property of the arguments of each tool with that effect.
fn each_tool<S: Strategy>(
    effect: Effect,
    strategy: impl Fn(&AnyTool) -> S,
    property: impl Fn(&AnyTool, &mut Upstream, S::Value),
) {
    for tool in TOOLS
        .iter()
        .filter(|tool| tool.contract.upstream.effect == effect)
    {
        let mut cases = Cases::with_cases(CASES);
        cases.failure_persistence = None;
        let upstream = std::cell::RefCell::new(Upstream::start());
        let count = std::cell::Cell::new(0_usize);
        let result = TestRunner::new(cases).run(&strategy(tool), |value| {
            count.set(count.get() + 1);
            if count.get().is_multiple_of(BATCH) {
                upstream.replace(Upstream::start());
            }
            property(tool, &mut upstream.borrow_mut(), value);
            Ok(())
        });
        if let Err(error) = result {
            panic!("{}: {error}", tool.contract.name);
        }
    }
}

/// Whatever is given to the tools with that effect, nothing foreign arrives.
fn check_hostile(effect: Effect) {
    let arrived = std::cell::Cell::new(0_usize);
    each_tool(effect, arguments, |tool, upstream, given| {
        let (error, arrivals) = upstream.call(tool, given.clone());
        arrived.set(arrived.get() + arrivals.len());
        check(tool, &given, &upstream.sandbox, error.as_ref(), &arrivals);
    });
    println!("{effect:?}: {} requests arrived", arrived.get());
    assert!(
        arrived.get() > 500,
        "enough of them must get past the door to prove something"
    );
}

#[test]
fn hostile_arguments_of_a_read_send_its_own_request_or_none() {
    check_hostile(Effect::Reads);
}

#[test]
fn hostile_arguments_of_a_change_send_its_own_request_or_none() {
    check_hostile(Effect::Writes);
}

#[test]
fn hostile_arguments_of_a_charge_send_its_own_request_or_none() {
    check_hostile(Effect::Charges);
}

#[test]
fn a_card_number_anywhere_is_refused_and_not_repeated() {
    for effect in [Effect::Reads, Effect::Writes, Effect::Charges] {
        let strategy = |tool: &AnyTool| {
            let mut names = fields(tool);
            names.retain(|name| !is_typed(name));
            names.push("comment".to_owned());
            (
                card_number(),
                sample::select(spellings()),
                sample::select(names),
            )
        };
        each_tool(
            effect,
            strategy,
            |tool, upstream, (number, spelling, name)| {
                let mut given = good(tool);
                match given.get_mut("body") {
                    Some(body) => body[name] = spelling(&number),
                    None => {
                        given.insert(name, spelling(&number));
                    }
                }
                let (error, arrivals) = upstream.call(tool, given);
                assert_eq!(arrivals.len(), 0);
                let told = error.expect("a refusal").to_string();
                assert!(told.contains("card data is not accepted"), "{told}");
                let digits: String = told.chars().filter(char::is_ascii_digit).collect();
                assert!(!digits.contains(&number[..6]), "{told}");
            },
        );
    }
}

#[test]
fn an_id_that_looks_like_a_card_number_is_the_id_that_is_sent() {
    for effect in [Effect::Reads, Effect::Writes, Effect::Charges] {
        let strategy = |tool: &AnyTool| {
            let mut names = fields(tool);
            names.retain(|name| is_typed(name) && !name.to_lowercase().contains("email"));
            (card_number(), sample::select(names))
        };
        each_tool(effect, strategy, |tool, upstream, (number, name)| {
            let mut given = good(tool);
            match given.get_mut("body") {
                Some(body) => body[&name] = json!(number),
                None => {
                    given.insert(name.clone(), json!(number));
                }
            }
            // 7digital's locker knows a track by its release.
            if name == "trackId" {
                given.insert("releaseId".into(), json!("1"));
            }
            let (error, arrivals) = upstream.call(tool, given);
            let [arrival] = arrivals.as_slice() else {
                panic!("{name} is sent: {error:?}");
            };
            let sent = if arrival.query.is_empty() {
                &arrival.form
            } else {
                &arrival.query
            };
            let in_path = arrival.path.ends_with(&number);
            assert!(
                in_path || sent.contains(&(name, number)),
                "{:?}",
                arrival.target
            );
        });
    }
}
