//! How a user lets the program in: the whole flow of the real binary against the sandbox.

use std::path::PathBuf;

use reqwest::redirect;
use sevendigital::oauth::encode_form;
use sevendigital_sandbox::{Sandbox, Signature, demo};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStderr, Command};
use url::Url;

use crate::support::{Reply, program, within};

/// A sandbox, and a folder in place of the user's own.
struct World {
    sandbox: Sandbox,
    home: tempfile::TempDir,
}

impl World {
    async fn start() -> Self {
        Self {
            sandbox: Sandbox::start().await.unwrap(),
            home: tempfile::tempdir().unwrap(),
        }
    }

    /// Where the program stores a login.
    fn credentials(&self) -> PathBuf {
        self.home.path().join("sevendigital-mcp/credentials.toml")
    }

    /// The key and nothing else: no user.
    fn settings(&self) -> Vec<(String, String)> {
        [
            ("SEVENDIGITAL_BASE_URI", self.sandbox.base_uri().as_str()),
            ("SEVENDIGITAL_CONSUMER_KEY", demo::CONSUMER_KEY),
            ("SEVENDIGITAL_CONSUMER_SECRET", demo::CONSUMER_SECRET),
            ("SEVENDIGITAL_COUNTRY", demo::COUNTRY),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .to_vec()
    }

    fn program(&self, arguments: &[&str]) -> Command {
        let mut command = program(arguments, &self.settings());
        command
            .env("HOME", self.home.path())
            .env("XDG_CONFIG_HOME", self.home.path());
        command
    }

    /// Runs the program to its end: exit code, stdout, stderr.
    async fn run(&self, arguments: &[&str]) -> (i32, String, String) {
        ended(self.program(arguments)).await
    }

    /// Starts a login, as far as the page's address. No browser opens by itself.
    async fn log_in(&self, arguments: &[&str]) -> Login {
        let mut command = self.program(arguments);
        let mut child = command.env("BROWSER", "/bin/true").spawn().unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let page = within("the page's address", async {
            loop {
                let line = lines.next_line().await.unwrap().expect("an address");
                if line.trim().starts_with("http://") {
                    return line.trim().parse().unwrap();
                }
            }
        })
        .await;
        Login { child, lines, page }
    }

    /// Logs in with a browser elsewhere, whose last address is pasted.
    async fn log_in_elsewhere(&self, arguments: &[&str]) -> (i32, String, String) {
        let mut login = self.log_in(arguments).await;
        let address = decide(&login.page, "allow").await;
        login.paste(&address).await;
        login.ended().await
    }
}

/// The program while it waits for its user.
struct Login {
    child: Child,
    lines: Lines<BufReader<ChildStderr>>,
    page: Url,
}

impl Login {
    /// Pastes the last address of a browser elsewhere.
    async fn paste(&mut self, address: &str) {
        let mut stdin = self.child.stdin.take().unwrap();
        let line = format!("{address}\n");
        stdin.write_all(line.as_bytes()).await.unwrap();
    }

    /// How it ended: exit code, stdout, and the rest of stderr.
    async fn ended(mut self) -> (i32, String, String) {
        let mut told = String::new();
        while let Some(line) = within("a line", self.lines.next_line()).await.unwrap() {
            told.push_str(&line);
            told.push('\n');
        }
        let output = within("the program's end", self.child.wait_with_output())
            .await
            .unwrap();
        let printed = String::from_utf8(output.stdout).unwrap();
        (output.status.code().unwrap(), printed, told)
    }
}

async fn ended(mut command: Command) -> (i32, String, String) {
    let output = within("the program's end", command.output()).await.unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    let code = output.status.code().unwrap();
    (code, text(output.stdout), text(output.stderr))
}

/// A browser that follows no redirect.
fn browser() -> reqwest::Client {
    reqwest::Client::builder()
        .no_proxy()
        .redirect(redirect::Policy::none())
        .build()
        .unwrap()
}

/// The user's part: fills in the page's form and decides. Gives the address where the browser is sent.
pub(crate) async fn decide(page: &Url, action: &str) -> String {
    let form = Reply::of(browser().get(page.clone()).send().await.unwrap()).await;
    assert_eq!(form.status, 200, "{form:?}");
    let asked = page.query_pairs().into_owned();
    let answers = [
        ("email", demo::EMAIL),
        ("password", demo::PASSWORD),
        ("action", action),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()));
    let body = encode_form(&asked.chain(answers).collect::<Vec<_>>());
    let mut target = page.clone();
    target.set_query(None);
    let request = browser()
        .post(target)
        .header("content-type", "application/x-www-form-urlencoded")
        .body(body);
    let sent = Reply::of(request.send().await.unwrap()).await;
    assert_eq!(sent.status, 302, "{sent:?}");
    sent.headers["location"].to_str().unwrap().to_owned()
}

/// The page that the browser gets at that address.
pub(crate) async fn get(address: &str) -> Reply {
    Reply::of(browser().get(address).send().await.unwrap()).await
}

#[tokio::test]
async fn a_user_lets_the_program_in_with_a_browser() {
    let world = World::start().await;
    let login = world.log_in(&["login"]).await;
    let callback = decide(&login.page, "allow").await;
    // What does not know the callback's path and host is turned away, and nothing comes of it.
    let mut elsewhere: Url = callback.parse().unwrap();
    elsewhere.set_path("/callback/0123");
    let stranger = get(elsewhere.as_str()).await.status;
    let rebound = browser()
        .get(&callback)
        .header("host", "evil.example")
        .send();
    let rebound = rebound.await.unwrap().status().as_u16();
    let posted = browser().post(&callback).send().await.unwrap().status();
    assert_eq!([stranger, rebound, posted.as_u16()], [404, 421, 405]);
    let last_page = get(&callback).await;
    for words in ["given sevendigital-mcp access", "close this window"] {
        assert!(last_page.text.contains(words), "{last_page:?}");
    }
    let (code, printed, told) = login.ended().await;
    assert_eq!((code, printed.as_str()), (0, ""), "{told}");
    let stored = std::fs::read_to_string(world.credentials()).unwrap();
    assert!(
        stored.contains("access_token") && !stored.contains(demo::ACCESS_TOKEN),
        "a new one"
    );

    let arrivals = world.sandbox.arrivals().into_iter();
    let steps = arrivals.filter_map(|arrival| {
        let operation = arrival.operation?;
        let legs = match &arrival.signature {
            Signature::Verified { token: None } => 2,
            Signature::Verified { token: Some(_) } => 3,
            other => panic!("{other:?}"),
        };
        let country = arrival.parameter("country").map(str::to_owned);
        Some((operation, legs, arrival.query, country))
    });
    let country = Some(demo::COUNTRY.to_owned());
    let expected = [
        ("requestToken", 2, vec![], country.clone()),
        ("accessToken", 3, vec![], country),
    ];
    assert_eq!(steps.collect::<Vec<_>>(), expected);
}

#[tokio::test]
async fn a_user_who_says_no_is_not_logged_in() {
    let world = World::start().await;
    let login = world.log_in(&["login"]).await;
    let last_page = get(&decide(&login.page, "deny").await).await;
    assert!(
        last_page.text.contains("was given no access"),
        "{last_page:?}"
    );
    let (code, _, told) = login.ended().await;
    assert!(
        code == 1 && told.contains("did not allow it"),
        "{code}: {told}"
    );
    assert!(!world.credentials().exists());
}

#[tokio::test]
async fn a_callback_without_a_decision_is_refused_by_7digital() {
    let world = World::start().await;
    let login = world.log_in(&["login"]).await;
    let value = |name: &str| {
        login
            .page
            .query_pairs()
            .find(|(key, _)| key == name)
            .unwrap()
            .1
    };
    let (callback, token) = (value("oauth_callback"), value("oauth_token"));
    get(&format!("{callback}?oauth_token={token}&status=Authorised")).await;
    let (code, _, told) = login.ended().await;
    assert!(code == 1 && told.contains("code 2002"), "{code}: {told}");
    assert!(!world.credentials().exists());
}

#[tokio::test]
async fn a_login_is_used_until_it_is_forgotten() {
    let world = World::start().await;
    let (code, printed, told) = world.log_in_elsewhere(&["login", "--no-browser"]).await;
    assert_eq!((code, printed.as_str()), (0, ""), "{told}");
    assert!(told.contains("credentials.toml"), "{told}");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = world.credentials().metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
    let (code, locker, told) = world.run(&["call", "get-user-locker"]).await;
    assert_eq!(code, 0, "{told}");
    assert!(locker.contains("Aurora Drift"), "{locker}");

    // Another API root is never shown the token.
    let other = Sandbox::start().await.unwrap();
    let base_uri = other.base_uri();
    let arguments = ["call", "get-user-locker", "--base-uri", base_uri.as_str()];
    let (code, _, told) = world.run(&arguments).await;
    assert_eq!(code, 1, "{told}");
    assert!(told.contains("the stored login is not used"), "{told}");
    for arrival in other.arrivals() {
        assert_eq!(arrival.parameter("oauth_token"), None, "{arrival:?}");
    }

    let (code, _, told) = world.run(&["logout"]).await;
    assert_eq!((code, world.credentials().exists()), (0, false), "{told}");
    let (code, _, told) = world.run(&["call", "get-user-locker"]).await;
    assert_eq!(code, 1);
    assert!(told.contains("SEVENDIGITAL_ACCESS_TOKEN"), "{told}");
    let (code, _, told) = world.run(&["logout"]).await;
    assert_eq!(code, 0);
    assert!(told.contains("no user was logged in"), "{told}");
}

#[tokio::test]
async fn a_printed_login_is_not_stored() {
    let world = World::start().await;
    let (code, printed, told) = world
        .log_in_elsewhere(&["login", "--no-browser", "--print"])
        .await;
    assert_eq!((code, world.credentials().exists()), (0, false), "{told}");
    let lines: Vec<_> = printed
        .lines()
        .map(|line| line.split_once('=').unwrap())
        .collect();
    let [(name, token), (secret_name, secret)] = lines[..] else {
        panic!("two lines")
    };
    assert_eq!(
        (name, secret_name),
        (
            "SEVENDIGITAL_ACCESS_TOKEN",
            "SEVENDIGITAL_ACCESS_TOKEN_SECRET"
        )
    );
    assert!(!told.contains(token) && !told.contains(secret), "{told}");
    let mut call = world.program(&["call", "get-user-locker"]);
    call.env(name, token).env(secret_name, secret);
    let (code, _, told) = ended(call).await;
    assert_eq!(code, 0, "{told}");
}

#[tokio::test]
async fn what_can_not_be_a_login_ends_with_the_reason() {
    let world = World::start().await;
    #[rustfmt::skip]
    let rows = [
        (&["login", "--sandbox"][..], "", 2, "sevendigital-sandbox"),
        (&["login", "--no-browser"], "", 1, "whole address"),
        (&["login", "--no-browser"], "yes\n", 1, "whole address"),
        (&["login", "--no-browser"], "http://127.0.0.1/callback/0?oauth_token=x&status=Authorised\n", 1, "another login"),
    ];
    for (arguments, pasted, expected_code, reason) in rows {
        let mut command = world.program(arguments);
        if arguments.contains(&"--sandbox") {
            command.env_remove("SEVENDIGITAL_BASE_URI");
        }
        let mut child = command.spawn().unwrap();
        let mut stdin = child.stdin.take().unwrap();
        // The program may have ended already.
        let _ = stdin.write_all(pasted.as_bytes()).await;
        drop(stdin);
        let output = within("the program's end", child.wait_with_output())
            .await
            .unwrap();
        let told = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(expected_code), "{told}");
        assert!(told.contains(reason), "{told}");
    }
    let mut keyless = world.program(&["login", "--no-browser"]);
    keyless.env_remove("SEVENDIGITAL_CONSUMER_SECRET");
    let (code, _, told) = ended(keyless).await;
    assert_eq!(code, 2, "{told}");
    assert!(told.contains("SEVENDIGITAL_CONSUMER_SECRET"), "{told}");
}
