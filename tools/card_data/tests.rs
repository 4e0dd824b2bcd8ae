use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher as _, Hasher as _};

use schemars::JsonSchema;
use serde_json::json;

use super::*;
use crate::declared;
use crate::values::{Email, Id, Password, Text, UserId};

#[derive(JsonSchema)]
#[serde(rename_all = "camelCase")]
#[expect(dead_code, reason = "only its schema is read")]
struct Input {
    body: Option<Inner>,
    user_id: Option<UserId>,
    release_id: Option<Id>,
    email: Option<Email>,
    note: Option<Text>,
    page: Option<u32>,
}

#[derive(JsonSchema)]
#[serde(rename_all = "camelCase")]
#[expect(dead_code, reason = "only its schema is read")]
struct Inner {
    #[schemars(extend("x-kind" = "card id"))]
    card_id: Option<Id>,
    purchase_id: Option<Id>,
    password: Option<Password>,
    #[schemars(extend("x-kind" = "address"))]
    redirect_url: Option<Text>,
}

fn refused(arguments: &Value) -> Result<(), ToolError> {
    refuse(arguments.as_object().unwrap(), declared::of::<Input>())
}

/// The numbers that issuers and payment services publish for tests.
#[rustfmt::skip]
const CARDS: [(&str, &[&str]); 8] = [
    ("Visa", &["4111111111111111", "4012888888881881", "4242424242424242", "4222222222222", "4000000000000000006"]),
    ("Mastercard", &["5555555555554444", "5105105105105100", "2221000000000009", "2223003122003222", "2720990000000007"]),
    ("American Express", &["378282246310005", "371449635398431", "343434343434343"]),
    ("Discover", &["6011111111111117", "6011000990139424", "6445644564456445", "6500000000000002"]),
    ("Diners Club", &["30569309025904", "38520000023237", "36227206271667", "3056930009020004"]),
    ("JCB", &["3530111333300000", "3566002020360505"]),
    ("UnionPay", &["6200000000000005", "6205500000000000004", "8171999927660000"]),
    ("Maestro", &["6759649826438453", "6799990100000000019", "5000000000000611", "6304000000000000", "5018000000000009"]),
];

#[test]
fn the_test_cards_of_each_issuer_are_refused_in_all_spellings() {
    for (issuer, numbers) in CARDS {
        assert!(ISSUERS.iter().any(|(name, ..)| *name == issuer));
        for number in numbers {
            let grouped = |separator: &str| {
                let groups = number.as_bytes().chunks(4);
                let groups = groups.map(|group| String::from_utf8_lossy(group).into_owned());
                groups.collect::<Vec<_>>().join(separator)
            };
            let (start, rest) = number.split_at(4);
            for written in [
                (*number).to_owned(),
                grouped(" "),
                grouped("-"),
                grouped("\u{2013}"),
                format!("{start} {rest}"),
                format!("my card is {number}, thank you"),
                format!("card:{}.", grouped(" ")),
                format!("{} 12/29 123", grouped(" ")),
                format!("{number} 123"),
                format!("No. 7 {}", grouped("-")),
                format!("({number})"),
            ] {
                let error = refused(&json!({"note": written})).unwrap_err().to_string();
                assert!(error.starts_with("note: card data is not"), "{written}");
                assert!(!error.contains(start), "{error}");
            }
        }
    }
}

#[test]
fn card_data_is_refused_and_not_repeated() {
    for arguments in [
        json!({"note": "４１１１１１１１１１１１１１１１"}),
        json!({"page": 4_111_111_111_111_111_u64}),
        json!({"page": 4_111_111_111_111_111.0}),
        json!({"comment": "4111111111111111"}),
        json!({"body": {"note": ["378282246310005"]}}),
        json!({"body": {"cardId": {"number": "378282246310005"}}}),
        json!({"userId": ["378282246310005"]}),
        json!({"body": "378282246310005"}),
        json!({"body": {"cardId": "4111-1111-1111-1111"}}),
        json!({"body": {"cardId": 378_282_246_310_005_u64}}),
        json!({"body": {"cardNumber": "1"}}),
        json!({"body": {"CARD_NUMBER": "1"}}),
        json!({"body": {"cardVerificationCode": "1"}}),
        json!({"cvv": "1"}),
    ] {
        let error = refused(&arguments).unwrap_err().to_string();
        assert!(error.contains("card data is not accepted"), "{arguments}");
        let shows_it = error.contains("1111") || error.contains("3782");
        assert!(!shows_it, "{error}");
    }
}

#[test]
fn what_only_looks_a_little_like_a_card_passes() {
    for arguments in [
        json!({"releaseId": "11700062", "trackId": 812_485_994}),
        json!({"basketId": "0f8fad5b-d9cb-469f-a165-70867728950e"}),
        json!({"basketId": "00000000-0000-0000-0000-000000000000"}),
        json!({"body": {"cardId": "8154430", "cardHolderName": "Bob"}}),
        json!({"note": "4111111111111112"}),
        // No issuer begins so, or has so few digits.
        json!({"note": "1000000000000008"}),
        json!({"note": "41111111111111"}),
        json!({"note": "sha256:9f4111111111111111ab"}),
        json!({"email": "jane.smith@example.com"}),
        json!({"email": "4111111111111111@example.com"}),
        json!({"body": {"password": "4111111111111111", "redirectUrl": "https://shop.example/?t=4111111111111111"}}),
        json!({"userId": 4_111_111_111_111_111_u64, "releaseId": "4111111111111111"}),
    ] {
        assert_eq!(refused(&arguments), Ok(()), "{arguments}");
    }
}

/// Numbers as ids have them: of 13 to 19 digits, and every second one a snowflake, which is a time with a counter.
fn ids() -> impl Iterator<Item = u64> {
    let random = |seed: u64| {
        let mut hasher = RandomState::new().build_hasher();
        hasher.write_u64(seed);
        hasher.finish()
    };
    (0..100_000).map(move |at| {
        if at % 2 == 0 {
            // Milliseconds since the end of 2010, from 2016 to 2040.
            let time = 160_000_000_000 + random(at) % 780_000_000_000;
            return time << 22 | random(at) & 0x3f_ffff;
        }
        let digits = 13 + u32::try_from(at / 2 % 7).unwrap();
        let least = 10_u64.pow(digits - 1);
        least + random(at) % (least.saturating_mul(10) - least)
    })
}

#[test]
fn no_id_is_taken_for_a_card_and_few_numbers_in_free_text_are() {
    let (mut luhn, mut in_texts) = (0, 0);
    for id in ids() {
        for arguments in [
            json!({"userId": id, "releaseId": id.to_string()}),
            json!({"body": {"purchaseId": id}}),
            json!({"body": {"cardId": id % 100_000_000}}),
        ] {
            assert_eq!(refused(&arguments), Ok(()), "{arguments}");
        }
        let digits: Vec<u32> = id.to_string().chars().filter_map(digit).collect();
        luhn += u32::from(passes_luhn(&digits));
        in_texts += u32::from(refused(&json!({"note": id.to_string()})).is_err());
    }
    println!("of 100,000 ids Luhn alone takes {luhn} for cards, free text {in_texts}, id fields 0");
    assert!((9_000..11_000).contains(&luhn), "{luhn}");
    assert!(in_texts < 3_000, "{in_texts}");
}
