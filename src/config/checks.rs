//! What no single setting shows: settings that belong together, and what a network asks for.

use sevendigital_tools::TOOLS;

use super::auth;
use super::error::ConfigError;
use super::principals;
use super::settings::{Config, DEFAULT_BASE_URI};

impl Config {
    /// What must hold of the settings together.
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        self.check_credentials()?;
        if self
            .token
            .as_ref()
            .is_some_and(|token| token.expose().len() < 32)
        {
            return fail(
                "`token` (`SEVENDIGITAL_MCP_TOKEN`) is too short: expected at least 32 characters, for instance from `openssl rand -hex 32`",
            );
        }
        if self.limits.drain_changes_timeout <= self.limits.change_deadline {
            return fail(
                "`limits.drain_changes_timeout` must be more than `limits.change_deadline`, or a purchase in flight would be given up at every stop",
            );
        }
        auth::check(self)?;
        principals::check(
            &self.principals,
            self.token.as_ref(),
            self.auth_issuer.is_some(),
        )?;
        let mut origins = self.allowed_origins.iter();
        if let Some(wrong) = origins.position(|value| auth::origin(value).is_none()) {
            return fail(&format!(
                "`allowed_origins`: number {} is not an origin, such as https://app.example.com",
                wrong + 1
            ));
        }
        for (key, names) in [
            ("tools", &self.tools),
            ("exclude_tools", &self.exclude_tools),
        ] {
            let is_tool = |name: &str| TOOLS.iter().any(|tool| tool.contract.name == name);
            if let Some(name) = names.iter().find(|name| !is_tool(name)) {
                return fail(&format!(
                    "`{key}`: there is no tool `{name}`; `sevendigital-mcp tools` lists them"
                ));
            }
        }
        Ok(())
    }

    /// Keys and tokens need one another, and a sandbox brings its own.
    fn check_credentials(&self) -> Result<(), ConfigError> {
        if self.access_token.is_some() != self.access_token_secret.is_some() {
            return fail(
                "`access_token` and `access_token_secret` belong together: set both (`SEVENDIGITAL_ACCESS_TOKEN`, `SEVENDIGITAL_ACCESS_TOKEN_SECRET`) or neither",
            );
        }
        if self.access_token.is_some() && self.consumer_secret.is_none() {
            return fail(
                "`access_token` needs `consumer_secret` (`SEVENDIGITAL_CONSUMER_SECRET`): a call for a user must be signed",
            );
        }
        if self.consumer_secret.is_some() && self.consumer_key.is_none() {
            return fail("`consumer_secret` needs `consumer_key` (`SEVENDIGITAL_CONSUMER_KEY`)");
        }
        if self.sandbox && self.base_uri.to_string() != DEFAULT_BASE_URI {
            return fail("`sandbox` brings its own `base_uri`: set one of the two");
        }
        Ok(())
    }

    /// What must hold before the server listens on a network.
    pub fn check_exposure(&self) -> Result<(), ConfigError> {
        let mut binds = [("bind", Some(self.bind)), ("rest_bind", self.rest_bind)].into_iter();
        let exposed = binds.find_map(|(key, bind)| {
            Some((key, bind?)).filter(|(_, bind)| !bind.ip().is_loopback())
        });
        let Some((key, bind)) = exposed else {
            return Ok(());
        };
        let asks =
            self.token.is_some() || !self.principals.is_empty() || self.auth_issuer.is_some();
        let missing = match (asks, self.allowed_hosts.is_empty()) {
            (true, false) => return Ok(()),
            (false, _) => {
                "`token` (`SEVENDIGITAL_MCP_TOKEN`), the bearer token that clients must show, or `principals` or `auth_issuer`,"
            }
            (true, true) => {
                "`allowed_hosts` (`SEVENDIGITAL_MCP_ALLOWED_HOSTS`), the names that clients call it by"
            }
        };
        fail(&format!(
            "`{key}` is {bind}, which other machines reach: set {missing}, or bind to 127.0.0.1"
        ))
    }
}

fn fail(problem: &str) -> Result<(), ConfigError> {
    Err(ConfigError(problem.to_owned()))
}
