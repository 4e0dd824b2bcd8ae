//! An amount of money as 7digital wrote it: decimal text, never a float.

use std::fmt;
use std::str::FromStr;

use iso_currency::Currency;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

/// Characters in an amount at most; a longer text is no price.
const MAX_LENGTH: usize = 16;

/// An amount as 7digital wrote it, in major units. Its `Display` is for people and has all the decimals of its currency: `9.50 GBP`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Amount {
    /// The decimal text as it was received, such as `9.49`: digits, and at most one point between them.
    pub text: String,
    /// The currency's code as it was received; by 7digital's documentation ISO 4217, such as `GBP`.
    pub currency: Option<String>,
}

impl Amount {
    /// The amount of that text; nothing if it is not one, as `N/A`, `-1` and `9,49` are not.
    pub(crate) fn read(text: &str, currency: Option<String>) -> Option<Self> {
        let text = text.trim();
        let digits =
            |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
        let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
        let is_amount = digits(whole) && digits(fraction) && text.len() <= MAX_LENGTH;
        is_amount.then(|| Self {
            text: text.to_owned(),
            currency,
        })
    }

    /// The amount in minor units of its currency (999 is 9.99 pounds), or of one with two decimals where the currency is not known.
    ///
    /// Nothing if it has a fraction of a minor unit, or more than 32 bits.
    pub fn minor_units(&self) -> Option<u32> {
        let unit = Decimal::from(10_u64.checked_pow(self.decimals())?);
        let units = self.decimal()?.checked_mul(unit)?;
        let whole = units.fract().is_zero();
        whole.then(|| u32::try_from(units).ok()).flatten()
    }

    /// Whether it is nothing at all, such as `0.00`.
    pub fn is_free(&self) -> bool {
        self.decimal().is_some_and(|amount| amount.is_zero())
    }

    fn decimal(&self) -> Option<Decimal> {
        Decimal::from_str(&self.text).ok()
    }

    /// How many decimals the currency has.
    fn decimals(&self) -> u32 {
        let currency = self.currency.as_deref().and_then(Currency::from_code);
        currency.and_then(Currency::exponent).unwrap_or(2).into()
    }
}

impl fmt::Display for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let decimals = usize::try_from(self.decimals()).unwrap_or_default();
        match self.text.split_once('.') {
            Some((whole, fraction)) => write!(f, "{whole}.{fraction:0<decimals$}")?,
            None if decimals == 0 => f.write_str(&self.text)?,
            None => write!(f, "{}.{:0<decimals$}", self.text, "")?,
        }
        match &self.currency {
            Some(currency) => write!(f, " {currency}"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn amount(text: &str, currency: &str) -> Option<Amount> {
        let currency = Some(currency.to_owned()).filter(|code| !code.is_empty());
        Amount::read(text, currency)
    }

    #[test]
    fn an_amount_keeps_its_text_and_counts_its_minor_units() {
        for (text, currency, units, shown) in [
            ("9.49", "GBP", Some(949), "9.49 GBP"),
            (" 9.5 ", "GBP", Some(950), "9.50 GBP"),
            ("7", "EUR", Some(700), "7.00 EUR"),
            ("0", "", Some(0), "0.00"),
            ("0.00", "USD", Some(0), "0.00 USD"),
            ("0.29", "GBP", Some(29), "0.29 GBP"),
            ("1200", "JPY", Some(1200), "1200 JPY"),
            ("1200.00", "JPY", Some(1200), "1200.00 JPY"),
            ("1.234", "KWD", Some(1234), "1.234 KWD"),
            ("9.99", "IE", Some(999), "9.99 IE"),
            ("9.999", "GBP", None, "9.999 GBP"),
            ("42949672.95", "GBP", Some(u32::MAX), "42949672.95 GBP"),
            ("42949672.96", "GBP", None, "42949672.96 GBP"),
        ] {
            let amount = amount(text, currency).unwrap();
            assert_eq!(amount.text, text.trim());
            assert_eq!(amount.minor_units(), units, "{text} {currency}");
            assert_eq!(amount.to_string(), shown);
            assert_eq!(amount.is_free(), units == Some(0), "{text} {currency}");
        }
    }

    #[test]
    fn what_is_no_decimal_text_is_no_amount() {
        for text in [
            "",
            "N/A",
            "-1",
            "+1",
            "9,49",
            "£9.49",
            ".5",
            "5.",
            "1e3",
            "1_000",
            "1.2.3",
            "٩",
            "00000000000000000",
        ] {
            assert_eq!(amount(text, "GBP"), None, "{text}");
        }
    }
}
