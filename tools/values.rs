//! The kinds of value in arguments and documents. Each is parsed once, at the edge, into something that can't be wrong.

mod choices;
mod ids;
mod price;
mod tags;
mod text;

pub use self::choices::{Sort, UsageTypes, View};
pub use self::ids::{Country, Currency, Email, Id, Password, UserId};
pub use self::price::Price;
pub use self::tags::Tags;
pub use self::text::{Count, Text};

#[cfg(test)]
mod tests {
    use serde::de::DeserializeOwned;
    use serde_json::{Value, json};

    use super::*;

    fn read<T: DeserializeOwned>(value: Value) -> Result<T, String> {
        serde_json::from_value(value).map_err(|error| error.to_string())
    }

    #[test]
    fn spellings_of_one_value_become_one_value() {
        assert!(read::<Id>(json!(11_700_062)).unwrap() == read::<Id>(json!("11700062")).unwrap());
        assert!(read::<Country>(json!(" gb ")).unwrap() == read::<Country>(json!("GB")).unwrap());
        assert_eq!(read::<Count>(json!("2")), Ok(Count(2)));
        assert_eq!(read::<Count>(json!(2.0)), Ok(Count(2)));
        assert_eq!(read::<Text>(json!(4617)), Ok(Text("4617".into())));
    }

    #[test]
    fn an_error_says_what_was_expected() {
        fn check<T: DeserializeOwned>(value: Value, expected: &str) {
            let error = read::<T>(value).map(|_| ()).unwrap_err();
            assert!(error.contains(expected), "{error}");
        }
        check::<Id>(json!("a/b"), "letters, digits");
        check::<Country>(json!("GBR"), "such as GB; did you mean GB?");
        check::<Country>(json!("UK"), "did you mean GB?");
        check::<Country>(json!("ZZ"), "such as GB");
        check::<Email>(json!("jane"), "e-mail");
        check::<Currency>(json!("£"), "such as GBP");
        check::<UserId>(json!(""), "1 to 255");
        check::<Count>(json!("two"), "whole number");
    }
}
