//! Consumer key and secret, which are one pair: a key is never stored beside the secret of another, and no secret without a key.

use std::io::{self, IsTerminal as _, Read as _, Write as _};
use std::path::Path;

use serde_json::{Value, json};
use sevendigital::Secret;

use super::super::args::Setup;
use super::super::terminal;
use super::asks::{Asks, asked};
use crate::config::{Config, own_file};

/// Bytes of a secret on stdin at most.
const MAX_PIPED: usize = 8_192;

const KEY: &str = "consumer_key";
const SECRET: &str = "consumer_secret";

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

/// A key of the file and its new value.
pub(super) type Setting = (&'static str, Value);

/// Key and secret as one layer has them.
struct Pair {
    key: Option<Secret>,
    secret: Option<Secret>,
}

/// The pairs that there are before anything is asked.
pub(super) struct Credentials {
    /// The key of `--consumer-key`.
    given: Option<Secret>,
    file: Pair,
    /// Whether the file names a command for the secret instead.
    has_command: bool,
    environment: Pair,
}

impl Credentials {
    /// What all layers have, and the file alone.
    pub(super) fn new(config: &Config, file: &Config, options: &Setup) -> Result<Self> {
        let given = match &options.consumer_key {
            Some(key) => own_file::credential(key.expose())
                .map_err(|problem| format!("`--consumer-key`: {problem}"))?,
            None => None,
        };
        let of_environment = |name: &str, value: &Option<Secret>| {
            let mut origins = config.origins.iter();
            let is_there = origins.any(|origin| origin.path == name && origin.is_environment());
            value.clone().filter(|_| is_there)
        };
        Ok(Self {
            given,
            file: Pair {
                key: file.consumer_key.clone(),
                secret: file.consumer_secret.clone(),
            },
            has_command: file.consumer_secret.is_none() && file.has_consumer_secret(),
            environment: Pair {
                key: of_environment(KEY, &config.consumer_key),
                secret: of_environment(SECRET, &config.consumer_secret),
            },
        })
    }

    /// The key that needs no answer: that of the flag, or of the file.
    pub(super) fn key(&self) -> Option<&Secret> {
        self.given.as_ref().or(self.file.key.as_ref())
    }

    /// Whether the secret of that key needs no answer.
    pub(super) fn has_secret(&self, options: &Setup) -> bool {
        let is_there = |key| {
            let is_taken = self.given.is_some() && self.environments_secret_of(key).is_some();
            is_taken || self.has_secret_of(key)
        };
        options.consumer_secret_file.is_some() || self.key().is_some_and(is_there)
    }

    /// What the environment has and the file has not: the secret only with its key. With nobody to ask it is only the secret beside a given key.
    pub(super) fn of_environment(
        &self,
        options: &Setup,
        asks: Asks,
    ) -> Vec<(&'static str, Secret)> {
        let is_wanted = asks == Asks::Person || self.given.is_some();
        let pair = &self.environment;
        let (key, secret) = match self.key() {
            _ if !is_wanted => (None, None),
            Some(key) if self.has_secret_of(key) => (None, None),
            Some(key) => (None, self.environments_secret_of(key)),
            None => (
                pair.key.as_ref(),
                pair.key.as_ref().and(pair.secret.as_ref()),
            ),
        };
        let secret = secret.filter(|_| options.consumer_secret_file.is_none());
        let found = [(KEY, key), (SECRET, secret)].into_iter();
        found
            .filter_map(|(name, value)| Some((name, value?.clone())))
            .collect()
    }

    /// What goes into the file besides what is taken from the environment.
    pub(super) async fn values(
        &self,
        options: &Setup,
        asks: Asks,
        taken: &[Setting],
    ) -> Result<Vec<Setting>> {
        let is_taken = |name: &str| taken.iter().any(|(key, _)| *key == name);
        let key = match self.key() {
            Some(key) => Some(key.clone()),
            None if is_taken(KEY) => self.environment.key.clone(),
            None if self.environment.key.is_some() || asks == Asks::Nobody => None,
            None => {
                let question = "Consumer key that 7digital gave you: ";
                asked(question, own_file::credential).await?
            }
        };
        let Some(key) = key else {
            let error = "`--consumer-secret-file`: there is no key that the secret belongs to: add `--consumer-key KEY`";
            let is_alone = options.consumer_secret_file.is_some();
            return if is_alone {
                Err(error.into())
            } else {
                Ok(Vec::new())
            };
        };
        let mut secret = None;
        if !is_taken(SECRET) {
            secret = self.secret(&key, options, asks).await?;
            if secret.is_none() && !self.can_do_without_secret(&key, asks)? {
                return Ok(Vec::new());
            }
        }
        let is_new = !is_taken(KEY) && !is_same(self.file.key.as_ref(), &key);
        let values = [(KEY, Some(key).filter(|_| is_new)), (SECRET, secret)].into_iter();
        Ok(values
            .filter_map(|(name, value)| Some((name, json!(value?.expose()))))
            .collect())
    }

    /// The secret of a key, where the file has it not.
    async fn secret(&self, key: &Secret, options: &Setup, asks: Asks) -> Result<Option<Secret>> {
        let file = options.consumer_secret_file.as_deref();
        // The person said no to storing that of the environment.
        let is_left_out =
            self.environments_secret_of(key).is_some() && !self.has_secret_of_another(key);
        match file {
            Some(file) if file == Path::new("-") => Ok(Some(piped().await?)),
            Some(file) => Ok(Some(secret_of_file(file)?)),
            None if self.has_secret_of(key) || is_left_out || asks == Asks::Nobody => Ok(None),
            None => Ok(hidden().await?),
        }
    }

    /// Whether the key may be stored where no secret was given; tells what follows from it.
    fn can_do_without_secret(&self, key: &Secret, asks: Asks) -> Result<bool> {
        let is_other = self.has_secret_of_another(key);
        match asks {
            Asks::Nobody if is_other => Err(
                "`--consumer-key`: the secret in the file belongs to another key: add `--consumer-secret-file FILE`".into(),
            ),
            Asks::Person if is_other => {
                terminal::note("key and secret stay as they are: a new key needs its own secret");
                Ok(false)
            }
            Asks::Nobody if self.given.is_some() && !self.has_secret_of(key) => {
                terminal::note("the key is stored without a secret, and requests are not signed: `--consumer-secret-file FILE` adds it");
                Ok(true)
            }
            Asks::Nobody | Asks::Person => Ok(true),
        }
    }

    /// Whether the file has the secret of this key. What a command prints may have changed with the key.
    fn has_secret_of(&self, key: &Secret) -> bool {
        match self.file.secret {
            Some(_) => !self.has_secret_of_another(key),
            None => self.has_command,
        }
    }

    /// Whether the file has a secret, with a key that is another than this one.
    fn has_secret_of_another(&self, key: &Secret) -> bool {
        let own = self.file.key.as_ref();
        self.file.secret.is_some() && own.is_some() && !is_same(own, key)
    }

    /// The environment's secret, unless it is that of another key.
    fn environments_secret_of(&self, key: &Secret) -> Option<&Secret> {
        let own = self.environment.key.as_ref();
        let secret = self.environment.secret.as_ref();
        secret.filter(|_| own.is_none() || is_same(own, key))
    }
}

fn is_same(one: Option<&Secret>, other: &Secret) -> bool {
    one.is_some_and(|one| one.expose() == other.expose())
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

/// The secret on stdin. What is typed there is not shown.
async fn piped() -> Result<Secret> {
    let secret = if io::stdin().is_terminal() {
        hidden().await?
    } else {
        // Whoever writes to the pipe may take long, and Ctrl-C ends the wait.
        let text = tokio::task::spawn_blocking(|| {
            let mut text = String::new();
            let mut stdin = io::stdin().take(MAX_PIPED as u64 + 1);
            stdin.read_to_string(&mut text).map(|_| text)
        });
        let text = text.await??;
        if text.len() > MAX_PIPED {
            return Err(format!("stdin: more than {MAX_PIPED} bytes, which is no secret").into());
        }
        own_file::credential(&text).map_err(|problem| format!("stdin: {problem}"))?
    };
    Ok(secret.ok_or("stdin is empty: expected the consumer secret")?)
}

fn secret_of_file(file: &Path) -> Result<Secret> {
    let secret = own_file::credential_of_file(file);
    let shown = file.display();
    Ok(secret.map_err(|problem| format!("`{shown}` {problem}"))?)
}
