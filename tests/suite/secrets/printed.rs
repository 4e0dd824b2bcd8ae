//! What `Debug` and `Display` show of what holds secrets, and what a crash would leave behind.

use std::fmt::Debug;
use std::num::NonZeroU32;
use std::time::Duration;

use serde_json::Value;
use sevendigital::oauth::Stamp;
use sevendigital::reply::Reply;
use sevendigital::{Placement, parameters, signing};
use sevendigital_mcp::calls::{Asker, Call, Calls, RequestContext, UserAnswer, upstream};
use sevendigital_mcp::config::stored_login::StoredLogin;
use sevendigital_mcp::config::{Config, Layers};
use sevendigital_mcp::identity::{Authenticator, Caller, User};
use sevendigital_mcp::serve::App;
use sevendigital_tools::TOOLS;

use super::answers::{bad, leaky};
use super::requests::with_secrets;
use super::{Needles, all, secret, settings_file, variables};
use crate::support::faults::faults;
use crate::support::upstream::{ANY, Act, Upstream};
use crate::support::{Server, folder};

/// What was printed, and of what.
#[derive(Default)]
struct Printed(Vec<(String, String)>);

impl Printed {
    fn debug(&mut self, what: &str, value: &impl Debug) {
        self.0
            .push((what.to_owned(), format!("{value:?} {value:#?}")));
    }

    fn check(&self) {
        let needles = Needles::of(&all());
        let mut wrong = Vec::new();
        for (what, text) in &self.0 {
            let found = needles.find(text.as_bytes());
            wrong.extend(found.into_iter().map(|found| format!("{what}: {found:?}")));
        }
        println!("{} texts, {} spellings", self.0.len(), needles.count());
        assert!(wrong.is_empty(), "{}:\n{}", wrong.len(), wrong.join("\n"));
    }
}

/// The settings with every secret in them, and their layers.
fn settings(base_uri: &str) -> (Layers, Config) {
    let folder = folder();
    let mut variables = variables(base_uri, "http://127.0.0.1:1/keys", &[]);
    variables.retain(|(name, _)| name.starts_with("SEVENDIGITAL_"));
    let state = folder.path().display().to_string();
    variables.push(("SEVENDIGITAL_MCP_STATE_DIR".to_owned(), state));
    let layers = Layers {
        file: Some(settings_file(folder.path()).into()),
        variables,
        ..Layers::default()
    };
    let config = Config::load(&layers).unwrap();
    (layers, config)
}

#[tokio::test]
async fn what_holds_settings_and_credentials_does_not_print_them() {
    let mut printed = Printed::default();
    let (layers, mut config) = settings("http://127.0.0.1:1/1.2");
    printed.debug("Layers", &layers);
    printed.debug("Config", &config);
    let credentials = config.credentials();
    printed.debug("Credentials", &credentials);
    printed.debug("Client", &upstream::client(&config).unwrap());
    let calls = Calls::new(&config).unwrap();
    printed.debug("Calls", &calls);
    config.bind.set_port(0);
    printed.debug("App", &App::bind(&config, calls).unwrap());
    printed.debug("Authenticator", &Authenticator::new(&config).unwrap());
    let token = credentials.token.clone().unwrap();
    printed.debug(
        "StoredLogin",
        &StoredLogin {
            base_uri: config.base_uri.clone(),
            access_token: token.token,
            access_token_secret: token.secret,
        },
    );
    printed.debug("User", &User::Token(credentials.token.unwrap()));
    printed.check();
}

#[tokio::test]
async fn what_holds_a_request_does_not_print_it() {
    let mut printed = Printed::default();
    let (_, config) = settings("http://127.0.0.1:1/1.2");
    let credentials = config.credentials();
    let user = || Some(User::Token(credentials.token.clone().unwrap()));
    for (tool, arguments) in with_secrets() {
        let call = Call {
            arguments: arguments.as_object().unwrap().clone(),
            caller: Caller::operator(),
            user: user(),
            context: RequestContext::default(),
            confirmation: UserAnswer::Confirmed(secret("argument").to_owned()),
            idempotency_key: Some(secret("argument").to_owned()),
        };
        printed.debug(&format!("Call of {tool}"), &call);
        let tool = TOOLS
            .iter()
            .find(|other| other.contract.name == tool)
            .unwrap();
        let prepared = tool.prepare(call.arguments.clone()).unwrap();
        printed.debug(&format!("Prepared {}", tool.contract.name), &prepared);
        for placement in [Placement::Query, Placement::Header] {
            let endpoint = &tool.contract.upstream;
            let fields = arguments.get("body").unwrap_or(&arguments);
            let fields: Value = fields.clone();
            let parameters = parameters::serialize(endpoint, &fields, &credentials).unwrap();
            let request = signing::sign(
                endpoint,
                parameters,
                &config.base_uri,
                &credentials,
                placement,
                &Stamp::now(),
            );
            printed.debug("SignedRequest", &request.unwrap());
        }
    }
    let reply = Reply {
        body: secret("signature of a delivery URL").into(),
        ..Reply::default()
    };
    printed.debug("Reply", &reply);
    printed.check();
}

#[tokio::test]
async fn no_error_prints_what_led_to_it() {
    let mut printed = Printed::default();
    let upstream = Upstream::start().await;
    let (_, mut config) = settings(&upstream.base_uri());
    config.limits.read_deadline = Duration::from_millis(300);
    config.limits.change_deadline = Duration::from_millis(300);
    config.limits.max_attempts = 1;
    config.limits.breaker_failure_percent = 101;
    config.limits.logins_per_minute = NonZeroU32::MAX;
    let calls = Calls::new(&config).unwrap();
    let table = faults("http://127.0.0.1:1/")
        .into_iter()
        .map(|fault| fault.act);
    for act in table.chain(leaky()).chain([Act::Hang(Vec::new())]) {
        upstream.script(ANY, [act.clone()]);
        bad(&upstream, &act);
        for (name, arguments) in with_secrets() {
            let tool = calls.registry().find(name).unwrap();
            let call = Call {
                arguments: arguments.as_object().unwrap().clone(),
                caller: Caller::operator(),
                user: None,
                context: RequestContext::default(),
                confirmation: UserAnswer::NotAsked(Asker::Client),
                idempotency_key: None,
            };
            if let Err(problem) = calls.call(tool, call).await {
                let what = format!("failure of {name}");
                printed.debug(&what, &problem);
                printed.debug(&what, &problem.detail());
                printed.debug(&what, &problem.document("1"));
            }
        }
    }
    assert!(printed.0.len() > 1_000, "{}", printed.0.len());
    printed.check();
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_crash_leaves_no_memory_behind() {
    let folder = folder();
    let upstream = Upstream::start().await;
    let variables = variables(&upstream.base_uri(), "http://127.0.0.1:1/keys", &[]);
    let mut server = Server::serve(folder.path(), &[], &variables).await;
    let limits = String::from_utf8(server.of_system("limits")).unwrap();
    let core = limits
        .lines()
        .find(|line| line.starts_with("Max core file size"));
    let words: Vec<&str> = core.unwrap().split_whitespace().collect();
    assert_eq!(words, ["Max", "core", "file", "size", "0", "0", "bytes"]);
    server.signal("TERM");
    assert!(server.ended().await.success());
}
