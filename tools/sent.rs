//! Arguments as 7digital takes them, where it takes them otherwise than callers give them.

use std::collections::BTreeMap;

use serde::Serialize;
use sevendigital::{Answer, Client, Endpoint};

use crate::values::{Country, Currency, Price, Tags};
use crate::{Fields, ToolError};

/// Arguments with parameters that stand in the place of some of them, or beside them.
#[derive(Serialize)]
pub(crate) struct Sent<'a, T> {
    #[serde(flatten)]
    input: &'a T,
    #[serde(flatten)]
    parameters: BTreeMap<String, Option<String>>,
}

impl<'a, T: Serialize + Sync> Sent<'a, T> {
    /// The arguments as they are.
    pub(crate) fn new(input: &'a T) -> Self {
        Self {
            input,
            parameters: BTreeMap::new(),
        }
    }

    /// With this in the place of the argument of that name; without a value, the argument is not sent.
    pub(crate) fn with(mut self, name: &str, value: Option<String>) -> Self {
        self.parameters.insert(name.to_owned(), value);
        self
    }

    /// With a parameter for each tag.
    pub(crate) fn with_tags(mut self, tags: Option<&Tags>) -> Self {
        let tags = tags.into_iter().flat_map(Tags::parameters);
        self.parameters.extend(tags);
        self.with("tags", None)
    }

    /// Calls an operation with it.
    pub(crate) async fn call(
        &self,
        client: &Client,
        upstream: &Endpoint,
    ) -> Result<Answer<Fields>, ToolError> {
        Ok(client.call(upstream, self).await?)
    }
}

/// A price in major units, such as `9.99`. The currency is the one given, else that of the call's country, else that of the configured one.
pub(crate) fn upstream_price(
    client: &Client,
    price: Price,
    currency: Option<&Currency>,
    country: Option<&Country>,
) -> String {
    let configured = client.credentials().country.as_deref();
    price.in_major_units(currency, country.map(Country::as_str).or(configured))
}
