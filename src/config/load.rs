//! From layers to settings that are checked: what no single setting shows, and what a network asks for.

use std::path::Path;

use sevendigital_tools::TOOLS;
use url::{Host, Url};

use super::error::{ConfigError, Fault};
use super::layers::Layers;
use super::origins::Origin;
use super::principals;
use super::secret_command::{self, KEY};
use super::settings::{Config, DEFAULT_BASE_URI};
use super::stored_login::{self, StoredLogin};

impl Config {
    /// Reads all layers and checks what they make together.
    pub fn load(layers: &Layers) -> Result<Self, ConfigError> {
        let mut config = Self::given(layers)?;
        config.check().map_err(ConfigError::new)?;
        config.run_secret_command(layers)?;
        config.finish(layers)
    }

    /// The same for what signs no request: the command for the consumer secret is not run.
    pub fn load_unsigned(layers: &Layers) -> Result<Self, ConfigError> {
        let config = Self::given(layers)?;
        config.check().map_err(ConfigError::new)?;
        config.finish(layers)
    }

    /// What the layers give, for what makes settings: what must hold of them together is not checked, and no stored login is read.
    pub fn given(layers: &Layers) -> Result<Self, ConfigError> {
        let (mut config, notes): (Self, _) = layers.read()?;
        config.warnings = notes.warnings;
        config.origins = notes.origins;
        config.has_browser = has_browser(&layers.variables);
        Ok(config)
    }

    /// Adds what is made of settings that are checked.
    fn finish(self, layers: &Layers) -> Result<Self, ConfigError> {
        let mut config = self;
        let origins = config.allowed_origins.iter();
        config.allowed_origins = origins.filter_map(|value| origin(value)).collect();
        if let Some(path) = &layers.credentials
            && !config.sandbox
            && config.access_token.is_none()
            && let Some(login) = stored_login::read(path)?
        {
            config.add_stored_login(login, path);
        }
        Ok(config)
    }

    /// Takes the consumer secret from its command, where nothing else has it.
    fn run_secret_command(&mut self, layers: &Layers) -> Result<(), ConfigError> {
        let words = &self.consumer_secret_command;
        if words.is_empty() || self.consumer_secret.is_some() || self.sandbox {
            return Ok(());
        }
        if layers.reads_working_folder() {
            return Err(ConfigError::of(
                Fault::Command,
                format!(
                    "`{KEY}` is not run out of a file in the working folder, which may be anybody's: move the file to the config folder"
                ),
            ));
        }
        self.consumer_secret = Some(secret_command::run(words)?);
        self.origins.push(Origin {
            path: "consumer_secret".to_owned(),
            source: format!("`{KEY}`"),
            value: Some("[redacted]".to_owned()),
        });
        Ok(())
    }

    /// What must hold of the settings together.
    fn check(&self) -> Result<(), String> {
        let (token, secret) = (&self.access_token, &self.access_token_secret);
        let operator = self.token.as_ref();
        let is_short = |token: &sevendigital::Secret| token.expose().len() < 32;
        let drain = self.limits.drain_changes_timeout;
        // What must not be, and the way out.
        #[rustfmt::skip]
        let rules = [
            (token.is_some() != secret.is_some(), "`access_token` and `access_token_secret` belong together: set both (`SEVENDIGITAL_ACCESS_TOKEN`, `SEVENDIGITAL_ACCESS_TOKEN_SECRET`) or neither"),
            (token.is_some() && !self.has_consumer_secret(), "`access_token` needs `consumer_secret` (`SEVENDIGITAL_CONSUMER_SECRET`): a call for a user must be signed"),
            (self.has_consumer_secret() && self.consumer_key.is_none(), "`consumer_secret` needs `consumer_key` (`SEVENDIGITAL_CONSUMER_KEY`)"),
            (self.sandbox && self.base_uri.to_string() != DEFAULT_BASE_URI, "`sandbox` brings its own `base_uri`: set one of the two"),
            (operator.is_some_and(is_short), "`token` (`SEVENDIGITAL_MCP_TOKEN`) is too short: expected at least 32 characters, for instance from `openssl rand -hex 32`"),
            (drain <= self.limits.change_deadline, "`limits.drain_changes_timeout` must be more than `limits.change_deadline`, or a purchase in flight would be given up at every stop"),
        ];
        if let Some((_, problem)) = rules.into_iter().find(|(is_broken, _)| *is_broken) {
            return Err(problem.to_owned());
        }
        check_auth(self)?;
        principals::check(&self.principals, operator, self.auth_issuer.is_some())?;
        let mut origins = (1..).zip(&self.allowed_origins);
        if let Some((number, _)) = origins.find(|(_, value)| origin(value).is_none()) {
            return Err(format!(
                "`allowed_origins`: number {number} is not an origin, such as https://app.example.com"
            ));
        }
        let (tools, excluded) = (&self.tools, &self.exclude_tools);
        for (key, names) in [("tools", tools), ("exclude_tools", excluded)] {
            let is_tool = |name: &str| TOOLS.iter().any(|tool| tool.contract.name == name);
            if let Some(name) = names.iter().find(|name| !is_tool(name)) {
                return Err(format!(
                    "`{key}`: there is no tool `{name}`; `sevendigital-mcp tools` lists them"
                ));
            }
        }
        Ok(())
    }

    /// Takes the token of a stored login where nothing else says who the user is.
    ///
    /// It goes to the API root that issued it and to no other.
    fn add_stored_login(&mut self, login: StoredLogin, path: &Path) {
        let (theirs, ours) = (login.base_uri.to_string(), self.base_uri.to_string());
        let obstacle = if theirs != ours {
            &format!("it is for `{theirs}`, and `base_uri` is `{ours}`")
        } else if self.user_id.is_some() {
            "`user_id` names the user"
        } else if !self.has_consumer_secret() {
            "a call for a user needs `consumer_secret` (`SEVENDIGITAL_CONSUMER_SECRET`)"
        } else {
            self.access_token = Some(login.access_token);
            self.access_token_secret = Some(login.access_token_secret);
            self.origins.push(Origin {
                path: "access_token".to_owned(),
                source: format!("stored login `{}`", path.display()),
                value: Some("[redacted]".to_owned()),
            });
            return;
        };
        let text = format!(
            "the stored login is not used: {obstacle}; `sevendigital-mcp logout` removes it"
        );
        self.warnings
            .push(ConfigError::of(Fault::StoredLogin, text));
    }

    /// Whether every request has to show a token.
    pub fn asks_who_calls(&self) -> bool {
        self.token.is_some() || !self.principals.is_empty() || self.auth_issuer.is_some()
    }

    /// What must hold before the server listens on a network.
    pub fn check_exposure(&self) -> Result<(), ConfigError> {
        let binds = [("bind", Some(self.bind)), ("rest_bind", self.rest_bind)];
        let mut binds = binds.iter().filter_map(|(key, bind)| Some((key, (*bind)?)));
        let Some((key, bind)) = binds.find(|(_, bind)| !bind.ip().is_loopback()) else {
            return Ok(());
        };
        let missing = if !self.asks_who_calls() {
            "`token` (`SEVENDIGITAL_MCP_TOKEN`), the bearer token that clients must show, or `principals` or `auth_issuer`"
        } else if self.allowed_hosts.is_empty() {
            "`allowed_hosts` (`SEVENDIGITAL_MCP_ALLOWED_HOSTS`), the names that clients call it by"
        } else {
            return Ok(());
        };
        Err(ConfigError::new(format!(
            "`{key}` is {bind}, which other machines reach: set {missing}, or bind to 127.0.0.1"
        )))
    }
}

/// Browsers in a terminal, which a server has not, and what only downloads.
const NO_WINDOW: [&str; 9] = [
    "lynx", "links", "links2", "elinks", "w3m", "eww", "netrik", "retawq", "curl",
];

/// Whether the person at this machine has a browser that can be opened in a window: not over SSH, and on a desktop.
fn has_browser(variables: &[(String, String)]) -> bool {
    let value = |name: &str| {
        let mut named = variables.iter().filter(|(key, _)| key == name);
        named.find(|(_, value)| !value.is_empty())
    };
    let is_set = |name: &str| value(name).is_some();
    // It may name several, and each is tried.
    let is_text = value("BROWSER").is_some_and(|(_, browsers)| {
        let programs = browsers
            .split(':')
            .filter_map(|it| it.split_whitespace().next());
        let mut names = programs.filter_map(|program| program.rsplit('/').next());
        names.any(|name| NO_WINDOW.contains(&name))
    });
    if is_text {
        return false;
    }
    let has_desktop = cfg!(any(target_os = "macos", target_os = "windows"))
        || is_set("DISPLAY")
        || is_set("WAYLAND_DISPLAY");
    is_set("BROWSER") || (has_desktop && !is_set("SSH_CONNECTION"))
}

/// Signature algorithms that may be set, all of public keys: an HMAC's key would have to be secret, and published keys are not.
const ALGORITHMS: &str = "RS256, RS384, RS512, PS256, PS384, PS512, ES256, ES384, EdDSA";

/// The settings of an authorization server belong together.
fn check_auth(config: &Config) -> Result<(), String> {
    let settings = [
        ("auth_issuer", &config.auth_issuer),
        ("auth_audience", &config.auth_audience),
        ("auth_jwks_uri", &config.auth_jwks_uri),
    ];
    if settings.iter().all(|(_, value)| value.is_none()) {
        return Ok(());
    }
    for (key, value) in settings {
        let problem = match value {
            Some(value) if is_web_address(value) => continue,
            Some(_) => {
                "is not an https URL, or an http URL of a loopback address, without a user and a fragment"
            }
            None => {
                "is missing: `auth_issuer`, `auth_audience` and `auth_jwks_uri` belong together"
            }
        };
        return Err(format!("`{key}` {problem}"));
    }
    let is_known = |name: &str| ALGORITHMS.split(", ").any(|known| known == name);
    let mut algorithms = config.auth_algorithms.iter();
    if let Some(name) = algorithms.find(|name| !is_known(name)) {
        return Err(format!(
            "`auth_algorithms`: `{name}` is not one of {ALGORITHMS}"
        ));
    }
    if config.auth_algorithms.is_empty() {
        return Err("`auth_algorithms` is empty, so no access token could be accepted".into());
    }
    Ok(())
}

/// An origin of the web (scheme, host and perhaps a port) as browsers write it: in small letters, and without the scheme's own port.
fn origin(value: &str) -> Option<String> {
    let url = Url::parse(value).ok()?;
    let is_origin = matches!(url.scheme(), "http" | "https")
        && url.path() == "/"
        && !value.ends_with('/')
        && url.query().is_none()
        && url.fragment().is_none()
        && has_no_user(&url);
    is_origin.then(|| url.origin().ascii_serialization())
}

fn has_no_user(url: &Url) -> bool {
    url.username().is_empty() && url.password().is_none()
}

/// Whether nothing on the way can change what an address serves: https, or http on this machine.
fn is_web_address(value: &str) -> bool {
    let Ok(url) = Url::parse(value) else {
        return false;
    };
    let is_safe = url.scheme() == "https" || (url.scheme() == "http" && is_loopback(&url));
    is_safe && url.fragment().is_none() && has_no_user(&url)
}

/// Whether the host of an address is this machine.
pub(crate) fn is_loopback(url: &Url) -> bool {
    url.host().is_some_and(|host| match host {
        Host::Domain(name) => name == "localhost",
        Host::Ipv4(address) => address.is_loopback(),
        Host::Ipv6(address) => address.is_loopback(),
    })
}
