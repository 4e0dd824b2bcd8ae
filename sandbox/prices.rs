//! What a release or a track costs in each country: what the catalogue says, and purchases charge.

/// Countries that are sold to in euros. Britain pays in pounds, and all others in US dollars.
const EURO: [&str; 12] = [
    "AT", "BE", "DE", "ES", "FI", "FR", "GR", "IE", "IT", "LU", "NL", "PT",
];

/// What a release or a track costs, in minor units: 799 is 7.99.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Price {
    /// 7digital's own price, which `purchaseUserItem` and baskets charge.
    pub sevendigital: u64,
    /// The recommended retail price, which `purchaseUserRrpItem` charges.
    pub recommended: u64,
}

/// The currency of a country's shop.
pub(crate) fn currency(country: &str) -> &'static str {
    match country {
        "GB" => "GBP",
        country if EURO.contains(&country) => "EUR",
        _ => "USD",
    }
}

/// The same without loss: its price as FLAC.
pub(crate) fn premium(price: Price) -> Price {
    price.raised(300)
}

/// Minor units as 7digital writes an amount: `7.99`.
pub(crate) fn decimal(amount: u64) -> String {
    format!("{}.{:02}", amount / 100, amount % 100)
}

/// An amount for people, as 7digital writes it in each currency.
pub(crate) fn formatted(amount: u64, currency: &str) -> String {
    let decimal = decimal(amount);
    match currency {
        "EUR" => format!("{}€", decimal.replace('.', ",")),
        _ => format!("{}{decimal}", symbol(currency)),
    }
}

pub(crate) fn symbol(currency: &str) -> &'static str {
    match currency {
        "GBP" => "£",
        "EUR" => "€",
        _ => "$",
    }
}

impl Price {
    /// What the catalogue's British price becomes in a country.
    pub(crate) fn in_country(self, country: &str) -> Self {
        match country {
            "GB" => self,
            _ => self.raised(200),
        }
    }

    /// More by so much; by 30 where it costs less than 2.00, and what is free stays free.
    fn raised(self, by: u64) -> Self {
        let raise = |amount: u64| match amount {
            0 => 0,
            1..200 => amount + 30,
            _ => amount + by,
        };
        Self {
            sevendigital: raise(self.sevendigital),
            recommended: raise(self.recommended),
        }
    }
}
