//! Prices as 7digital takes them: in major units of the shop's currency.

use sevendigital::Client;

use crate::values::{Country, Currency, Price};

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
