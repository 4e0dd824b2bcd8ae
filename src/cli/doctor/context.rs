//! What all areas look at: the layers, the settings that they make, and one look at the way to 7digital.

use sevendigital::{Client, Probe};
use tokio::sync::OnceCell;

use crate::calls::upstream;
use crate::config::{Config, ConfigError, Layers};

/// What is looked at.
pub(super) struct Context<'a> {
    /// Where settings come from.
    pub(super) layers: &'a Layers,
    /// The settings, or why there are none.
    pub(super) loaded: Result<&'a Config, &'a ConfigError>,
    /// Whether nothing is to be sent.
    pub(super) offline: bool,
    probe: OnceCell<Probe>,
}

impl<'a> Context<'a> {
    /// Over these layers and what they make.
    pub(super) fn new(
        layers: &'a Layers,
        loaded: Result<&'a Config, &'a ConfigError>,
        offline: bool,
    ) -> Self {
        Self {
            layers,
            loaded,
            offline,
            probe: OnceCell::new(),
        }
    }

    /// The settings and a client for 7digital, or the reason why nothing can be sent.
    pub(super) fn client(&self) -> Result<(&'a Config, Client), String> {
        if self.offline {
            return Err("Nothing is sent with `--offline`.".to_owned());
        }
        let Ok(config) = self.loaded else {
            return Err("The settings can't be read.".to_owned());
        };
        let client = upstream::client(config).map_err(|error| format!("{error}."))?;
        Ok((config, client))
    }

    /// The way to 7digital, looked at once.
    pub(super) async fn probe(&self, client: &Client) -> &Probe {
        self.probe.get_or_init(|| client.probe()).await
    }
}
