//! The values for the configuration file: from flags, from the environment, or from the person at the terminal.

use std::io::{self, Write as _};
use std::path::Path;

use serde_json::json;

use super::super::args::{Setup, confirm_way, country};
use super::super::terminal;
use super::asks::{Asks, asked};
use super::credentials::{Credentials, Setting};
use crate::config::{Config, Layers};

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

/// What needs no question, since a layer has it.
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is about a step of its own"
)]
pub(super) struct Decided {
    is_sandbox: bool,
    credentials: Credentials,
    country: bool,
    /// Whether a client has a country too.
    country_in_file: bool,
    country_of_environment: Option<String>,
    confirmation: bool,
    user: bool,
    /// The policy of `--spending`, which goes into the file and not into the entries of clients.
    spending: Option<String>,
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
        let has_country = |config: &Config| config.country.is_some() || config.shop_id.is_some();
        let country_in_file = has_country(&file);
        Ok(Self {
            is_sandbox: config.sandbox,
            credentials: Credentials::new(config, &file, options)?,
            country: has_country(config),
            country_in_file,
            country_of_environment: config.country.clone().filter(|_| !country_in_file),
            confirmation: is_set("spending") || is_set("confirm_with"),
            user: is_stored || file.has_user(),
            spending,
        })
    }

    /// The flags that would decide what the file does not: with nobody to ask, the environment alone stores nothing.
    pub(super) fn missing(&self, options: &Setup) -> Vec<String> {
        if self.is_sandbox {
            return Vec::new();
        }
        let has_country = self.country_in_file || options.country.is_some();
        let has_login = self.user || options.login || options.no_login;
        let has_key = self.credentials.key().is_some();
        let has_secret = self.credentials.has_secret(options);
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

/// What goes into the file.
pub(super) async fn values(
    decided: &Decided,
    options: &Setup,
    asks: Asks,
    path: &Path,
) -> Result<Vec<Setting>> {
    let taken = environment(decided, options, asks, path).await?;
    if asks == Asks::Person {
        writeln!(
            io::stderr(),
            "An empty answer leaves a step out; Ctrl-C leaves all as it is."
        )?;
    }
    let credentials = &decided.credentials;
    let mut values = credentials.values(options, asks, &taken).await?;
    values.extend(taken);
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

/// What the environment has and the file has not, where the person or a flag wants it.
async fn environment(
    decided: &Decided,
    options: &Setup,
    asks: Asks,
    path: &Path,
) -> Result<Vec<Setting>> {
    let found = decided.credentials.of_environment(options, asks);
    let found = found.into_iter();
    let mut found: Vec<Setting> = found
        .map(|(key, secret)| (key, json!(secret.expose())))
        .collect();
    if asks == Asks::Nobody {
        return Ok(found);
    }
    let country = decided.country_of_environment.as_ref();
    let country = country.filter(|_| options.country.is_none());
    found.extend(country.map(|code| ("country", json!(code))));
    let keys: Vec<&str> = found.iter().map(|(key, _)| *key).collect();
    let question = format!(
        "The environment has {}, which clients do not pass on. Store that in {}?",
        keys.join(", "),
        path.display()
    );
    if found.is_empty() || !terminal::asks_yes(&question).await? {
        return Ok(Vec::new());
    }
    Ok(found)
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
