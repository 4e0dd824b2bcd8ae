//! The values for the configuration file: from flags, from the environment, or from the person at the terminal.

use std::io::{self, Read as _, Write as _};
use std::path::Path;

use serde_json::{Value, json};
use sevendigital::Secret;

use super::super::args::{Setup, confirm_way, country};
use super::super::terminal;
use super::asks::Asks;
use crate::config::{Config, Layers, own_file};

/// Bytes of a secret on stdin at most.
const MAX_PIPED: u64 = 8_192;

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

/// A key of the file and its new value.
type Setting = (&'static str, Value);

/// What needs no question, since a layer has it.
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is about a step of its own"
)]
pub(super) struct Decided {
    is_sandbox: bool,
    key: bool,
    secret: bool,
    country: bool,
    confirmation: bool,
    user: bool,
    /// The policy of `--spending`, which goes into the file and not into the entries of clients.
    spending: Option<String>,
    /// Key, secret and country that the environment has and the file has not.
    from_environment: Vec<(&'static str, Secret)>,
}

impl Decided {
    /// What these layers decide. `--spending` is taken out of them.
    pub(super) fn new(layers: &mut Layers, config: &Config, options: &Setup) -> Result<Self> {
        let mut spending = None;
        if !config.sandbox {
            layers.flags.retain(|(setting, value)| {
                let is_spending = setting.key == "spending";
                if is_spending {
                    spending = Some(value.clone());
                }
                !is_spending
            });
        }
        let is_stored = layers
            .credentials
            .as_ref()
            .is_some_and(|path| path.exists());
        let file = Config::given(&clients_own(layers))?;
        let is_set = |key: &str| file.origins.iter().any(|origin| origin.path == key);
        Ok(Self {
            is_sandbox: config.sandbox,
            key: config.consumer_key.is_some(),
            secret: config.has_consumer_secret(),
            country: config.country.is_some() || config.shop_id.is_some(),
            confirmation: is_set("spending") || is_set("confirm_with"),
            user: is_stored || file.access_token.is_some() || file.user_id.is_some(),
            spending,
            from_environment: from_environment(config, &file, options),
        })
    }

    /// The flags that would decide what is not decided.
    pub(super) fn missing(&self, options: &Setup) -> Vec<String> {
        if self.is_sandbox {
            return Vec::new();
        }
        let has_country = self.country || options.country.is_some();
        let has_login = self.user || options.login || options.no_login;
        let has_key = self.key || options.consumer_key.is_some();
        let has_secret = self.secret || options.consumer_secret_file.is_some();
        let steps = [
            (has_key, "`--consumer-key KEY`"),
            (has_secret, "`--consumer-secret-file FILE`"),
            (has_country, "`--country CODE`"),
            (self.has_confirmation(options), "`--confirm-with WAY`"),
            (has_login, "`--login` or `--no-login`"),
        ];
        let missing = steps.into_iter().filter(|(is_decided, _)| !is_decided);
        missing.map(|(_, flag)| flag.to_owned()).collect()
    }

    /// Whether a user is to log in.
    pub(super) async fn logs_in(&self, options: &Setup, asks: Asks) -> io::Result<bool> {
        if self.is_sandbox || options.no_login || options.login {
            return Ok(options.login);
        }
        if self.user || asks == Asks::Nobody {
            return Ok(false);
        }
        terminal::asks_yes("Log a user in at 7digital now, in a browser?").await
    }

    fn has_confirmation(&self, options: &Setup) -> bool {
        self.confirmation || self.spending.is_some() || !options.confirm_with.is_empty()
    }
}

/// The layers as a client has them, which passes on the environment of no shell: the file alone.
fn clients_own(layers: &Layers) -> Layers {
    Layers {
        file: layers.file_to_read().filter(|path| path.is_file()),
        usual_file: None,
        variables: Vec::new(),
        flags: Vec::new(),
        ..layers.clone()
    }
}

fn from_environment(
    config: &Config,
    file: &Config,
    options: &Setup,
) -> Vec<(&'static str, Secret)> {
    let key = config.consumer_key.clone();
    let secret = config.consumer_secret.clone();
    let country = config.country.as_deref().map(Secret::from);
    let has_key = file.consumer_key.is_some() || options.consumer_key.is_some();
    let has_secret = file.has_consumer_secret() || options.consumer_secret_file.is_some();
    let has_country = file.country.is_some() || file.shop_id.is_some() || options.country.is_some();
    let found = [
        ("consumer_key", key.filter(|_| !has_key)),
        ("consumer_secret", secret.filter(|_| !has_secret)),
        ("country", country.filter(|_| !has_country)),
    ];
    let found = found.into_iter();
    found
        .filter_map(|(key, value)| Some((key, value?)))
        .collect()
}

/// What goes into the file.
pub(super) async fn values(
    decided: &Decided,
    options: &Setup,
    asks: Asks,
    path: &Path,
) -> Result<Vec<Setting>> {
    let mut values = environment(decided, asks, path).await?;
    if asks == Asks::Person {
        writeln!(
            io::stderr(),
            "An empty answer leaves a step out; Ctrl-C leaves all as it is."
        )?;
    }
    let key = match &options.consumer_key {
        Some(key) => own_file::credential(key.expose())
            .map_err(|problem| format!("`--consumer-key`: {problem}"))?,
        None if decided.key || asks == Asks::Nobody => None,
        None => {
            asked(
                "Consumer key that 7digital gave you: ",
                own_file::credential,
            )
            .await?
        }
    };
    values.extend(key.map(|key| ("consumer_key", json!(key.expose()))));
    let secret = match options.consumer_secret_file.as_deref() {
        Some(file) if file == Path::new("-") => piped(asks).await?,
        Some(file) => Some(secret_of_file(file)?),
        None if decided.secret || asks == Asks::Nobody => None,
        None => hidden().await?,
    };
    values.extend(secret.map(|secret| ("consumer_secret", json!(secret.expose()))));
    let code = match &options.country {
        Some(code) => Some(code.clone()),
        None if decided.country || asks == Asks::Nobody => None,
        None => {
            let read = |text: &str| match text {
                "" => Ok(None),
                text => country(text).map(Some),
            };
            asked("Country of the user, in two letters such as GB: ", read).await?
        }
    };
    values.extend(code.map(|code| ("country", json!(code))));
    values.extend(confirmation(decided, options, asks).await?);
    Ok(values)
}

/// What the environment has and the file has not, where the person agrees.
async fn environment(decided: &Decided, asks: Asks, path: &Path) -> Result<Vec<Setting>> {
    let found = &decided.from_environment;
    let keys: Vec<&str> = found.iter().map(|(key, _)| *key).collect();
    let question = format!(
        "The environment has {}, which clients do not pass on. Store that in {}?",
        keys.join(", "),
        path.display()
    );
    if found.is_empty() || (asks == Asks::Person && !terminal::asks_yes(&question).await?) {
        return Ok(Vec::new());
    }
    let values = found.iter();
    Ok(values
        .map(|(key, secret)| (*key, json!(secret.expose())))
        .collect())
}

/// How the user is asked before money is spent.
async fn confirmation(decided: &Decided, options: &Setup, asks: Asks) -> Result<Vec<Setting>> {
    const QUESTION: &str = "Before money is spent the user is asked. How?
  auto      by the client where it can, else in the browser, else on a terminal
  client, browser, terminal
            by these alone; several with commas between them
  off       not at all: nothing can be bought
How: ";
    let mut values = Vec::new();
    values.extend(decided.spending.clone().map(|it| ("spending", json!(it))));
    if !options.confirm_with.is_empty() {
        values.push(("confirm_with", json!(options.confirm_with)));
    }
    if decided.has_confirmation(options) || asks == Asks::Nobody {
        return Ok(values);
    }
    let read = |text: &str| match text {
        "" => Ok(None),
        "off" => Ok(Some(("spending", json!("off")))),
        text => {
            let ways = text.split(',').map(|way| confirm_way(way.trim()));
            let ways = ways.collect::<std::result::Result<Vec<_>, _>>()?;
            Ok(Some(("confirm_with", json!(ways))))
        }
    };
    Ok(asked(QUESTION, read).await?.into_iter().collect())
}

/// Asks until the answer can be read.
async fn asked<T>(
    question: &str,
    read: impl Fn(&str) -> std::result::Result<Option<T>, String>,
) -> io::Result<Option<T>> {
    loop {
        match read(&terminal::ask(question).await?) {
            Ok(answer) => return Ok(answer),
            Err(problem) => writeln!(io::stderr(), "{problem}")?,
        }
    }
}

async fn hidden() -> io::Result<Option<Secret>> {
    loop {
        let typed = terminal::ask_hidden("Its secret, which is not shown: ").await?;
        match own_file::credential(&typed) {
            Ok(secret) => return Ok(secret),
            Err(problem) => writeln!(io::stderr(), "{problem}")?,
        }
    }
}

/// The secret on stdin; of a person it is asked for.
async fn piped(asks: Asks) -> Result<Option<Secret>> {
    if asks == Asks::Person {
        return Ok(hidden().await?);
    }
    let mut text = String::new();
    io::stdin().take(MAX_PIPED).read_to_string(&mut text)?;
    let secret = own_file::credential(&text).map_err(|problem| format!("stdin: {problem}"))?;
    let none = "stdin is empty: expected the consumer secret";
    Ok(Some(secret.ok_or(none)?))
}

fn secret_of_file(file: &Path) -> Result<Secret> {
    let secret = own_file::credential_of_file(file);
    let shown = file.display();
    Ok(secret.map_err(|problem| format!("`{shown}` {problem}"))?)
}
