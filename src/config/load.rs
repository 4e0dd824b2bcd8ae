//! From layers to settings that are checked.

use super::auth;
use super::error::ConfigError;
use super::layers::Layers;
use super::settings::Config;
use super::stored_login::{self, StoredLogin};

impl Config {
    /// Reads all layers and checks what they make together.
    pub fn load(layers: &Layers) -> Result<Self, ConfigError> {
        let mut config: Self = layers.read()?;
        config.check()?;
        let origins = config.allowed_origins.iter();
        config.allowed_origins = origins.filter_map(|value| auth::origin(value)).collect();
        if let Some(path) = &layers.credentials
            && !config.sandbox
            && config.access_token.is_none()
            && let Some(login) = stored_login::read(path)?
        {
            config.add_stored_login(login);
        }
        Ok(config)
    }

    /// Takes the token of a stored login where nothing else says who the user is.
    ///
    /// It goes to the API root that issued it and to no other.
    fn add_stored_login(&mut self, login: StoredLogin) {
        let (theirs, ours) = (login.base_uri.to_string(), self.base_uri.to_string());
        let obstacle = if theirs != ours {
            format!("it is for `{theirs}`, and `base_uri` is `{ours}`")
        } else if self.user_id.is_some() {
            "`user_id` names the user".to_owned()
        } else if self.consumer_secret.is_none() {
            "a call for a user needs `consumer_secret` (`SEVENDIGITAL_CONSUMER_SECRET`)".to_owned()
        } else {
            self.access_token = Some(login.token.token);
            self.access_token_secret = Some(login.token.secret);
            return;
        };
        self.warnings.push(format!(
            "the stored login is not used: {obstacle}; `sevendigital-mcp logout` removes it"
        ));
    }
}
