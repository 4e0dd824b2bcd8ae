//! Prices: whole numbers of minor units here, major units at 7digital.

use std::str::FromStr;

use iso_currency::{Country as IsoCountry, Currency as IsoCurrency};
use rust_decimal::Decimal;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::ids::Currency;
use super::text::Text;

/// A price in minor units (`999` is 9.99 pounds), from 0 to 10,000,000.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "Text")]
#[schemars(with = "f64", extend("minimum" = 0, "maximum" = 10_000_000))]
pub struct Price(u32);

impl Price {
    /// The most that a price may be, in minor units.
    pub const MAX: u32 = 10_000_000;

    /// The price in minor units.
    pub fn in_minor_units(self) -> u32 {
        self.0
    }

    /// The price for people, such as `9.99 GBP`.
    pub fn shown(self, currency: Option<&Currency>, country: Option<&str>) -> String {
        Self::amount(self.0, Self::currency(currency, country))
    }

    /// Minor units of a currency for people, such as `9.99 GBP`.
    pub fn amount(minor_units: u32, currency: Option<&str>) -> String {
        let currency = currency.and_then(IsoCurrency::from_code);
        let amount = major_units(minor_units, currency);
        match currency {
            Some(currency) => format!("{amount} {}", currency.code()),
            None => amount.to_string(),
        }
    }

    /// The code of the currency that a price is in, where that is known: the one given, else that of the country.
    pub fn currency(currency: Option<&Currency>, country: Option<&str>) -> Option<&'static str> {
        iso_currency(currency, country).map(|currency| currency.code())
    }

    /// The price in major units as 7digital takes it (`9.99`), by the number of decimals that the currency has.
    ///
    /// The currency is the one given, else that of the country, else one with two decimals.
    pub fn in_major_units(self, currency: Option<&Currency>, country: Option<&str>) -> String {
        major_units(self.0, iso_currency(currency, country)).to_string()
    }
}

fn major_units(minor_units: u32, currency: Option<IsoCurrency>) -> Decimal {
    let decimals = currency.and_then(IsoCurrency::exponent).unwrap_or(2);
    Decimal::new(minor_units.into(), decimals.into())
}

/// The currency that was given, else that of the country.
fn iso_currency(currency: Option<&Currency>, country: Option<&str>) -> Option<IsoCurrency> {
    let given = currency.and_then(|currency| IsoCurrency::from_code(currency.as_str()));
    given.or_else(|| {
        let country = IsoCountry::from_str(country?).ok()?;
        IsoCurrency::from_country(country)
            .into_iter()
            .find(|currency| currency.flags().is_empty())
    })
}

impl TryFrom<Text> for Price {
    type Error = &'static str;
    fn try_from(Text(text): Text) -> Result<Self, Self::Error> {
        const EXPECTED: &str = "expected a whole number of minor units from 0 to 10000000: 999 means 9.99, so write 999 and not 9.99";
        let number =
            Decimal::from_str(text.trim()).or_else(|_| Decimal::from_scientific(text.trim()));
        match number {
            Ok(number) if number.fract().is_zero() && number <= Decimal::from(Self::MAX) => {
                u32::try_from(number).map(Self).map_err(|_| EXPECTED)
            }
            _ => Err(EXPECTED),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde::de::DeserializeOwned;
    use serde_json::{Value, json};

    use super::*;

    fn read<T: DeserializeOwned>(value: Value) -> Result<T, String> {
        serde_json::from_value(value).map_err(|error| error.to_string())
    }

    #[test]
    fn a_price_is_a_whole_number_of_minor_units() {
        for (written, major) in [
            (json!(999), "9.99"),
            (json!("999"), "9.99"),
            (json!(999.0), "9.99"),
            (json!(1e2), "1.00"),
            (json!(0), "0.00"),
            (json!(10_000_000), "100000.00"),
        ] {
            let price = read::<Price>(written.clone());
            let price = price.map(|price| price.in_major_units(None, None));
            assert_eq!(price.as_deref(), Ok(major), "{written}");
        }
        for written in [
            json!(9.99),
            json!("9.99"),
            json!(-1),
            json!(10_000_001),
            json!(1e300),
            json!(0.001),
            json!("x"),
            json!(""),
        ] {
            let error = read::<Price>(written.clone()).map(|_| ()).unwrap_err();
            assert!(error.contains("999 means 9.99"), "{written}: {error}");
        }
    }

    #[test]
    fn a_price_has_the_decimals_of_its_currency() {
        let price: Price = read(json!(1234)).unwrap();
        for (currency, country, major) in [
            (None, None, "12.34"),
            (Some("JPY"), None, "1234"),
            (Some("KWD"), Some("GB"), "1.234"),
            (None, Some("JP"), "1234"),
            (None, Some("GB"), "12.34"),
            (None, Some("AQ"), "12.34"),
            (Some("XXX"), None, "12.34"),
        ] {
            let currency: Option<Currency> = currency.map(|code| read(json!(code)).unwrap());
            assert_eq!(price.in_major_units(currency.as_ref(), country), major);
        }
    }
}
