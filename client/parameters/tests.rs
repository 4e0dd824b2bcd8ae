//! What becomes of an input, and what must never be sent.

use serde_json::json;

use super::*;
use crate::credentials::Token;
use crate::endpoint::Effect;
use crate::oauth::encode_form;

const LOCKER: Endpoint = Endpoint::get("/user/locker", Auth::User, Effect::Reads);
const SIGNUP: Endpoint = Endpoint::post("/user/signup", Auth::Consumer, Effect::Writes);

#[test]
fn defaults_fill_what_a_call_leaves_open() {
    let mut known = Credentials {
        user_id: Some("7".into()),
        country: Some("GB".into()),
        shop_id: Some("34".into()),
        ..Credentials::default()
    };
    let form = |endpoint, input, known: &Credentials| {
        encode_form(&serialize(endpoint, &input, known).unwrap())
    };
    for (endpoint, input, expected) in [
        (&LOCKER, json!({}), "userId=7&country=GB"),
        (
            &LOCKER,
            json!({"userId": "8", "country": "FR"}),
            "country=FR&userId=8",
        ),
        (&LOCKER, json!({"shopId": "9"}), "shopId=9&userId=7"),
        (&SIGNUP, json!({}), "country=GB"),
    ] {
        assert_eq!(form(endpoint, input, &known), expected);
    }
    known.country = None;
    assert_eq!(form(&LOCKER, json!({}), &known), "userId=7&shopId=34");
    known.token = Some(Token {
        token: "token".into(),
        secret: "token-secret".into(),
    });
    assert_eq!(
        form(&LOCKER, json!({}), &known),
        "shopId=34",
        "the token names the user"
    );
}

#[test]
fn what_must_not_be_sent_is_rejected_by_name() {
    use InvalidParameter as Invalid;
    for (input, field, problem) in [
        (json!(["x"]), "arguments", Invalid::NotAnObject),
        (
            json!({"oauth_signature": "x"}),
            "oauth_signature",
            Invalid::OAuth,
        ),
        (json!({"OAuth_Nonce": "x"}), "OAuth_Nonce", Invalid::OAuth),
        (
            json!({"onBehalfOfPartnerId": "1"}),
            "onBehalfOfPartnerId",
            Invalid::OtherPartner,
        ),
        (
            json!({"cardId": "1", "CardID": "2"}),
            "cardId",
            Invalid::Duplicate,
        ),
        (json!({"cardId[]": "1"}), "cardId[]", Invalid::Name),
        (json!({"cardId": ["1"]}), "cardId", Invalid::NotAScalar),
        (
            json!({"country": "G\r\nB"}),
            "country",
            Invalid::ControlCharacter,
        ),
        (
            json!({"country": "x".repeat(1_025)}),
            "country",
            Invalid::TooLong { max: 1_024 },
        ),
    ] {
        let error = serialize(&SIGNUP, &input, &Credentials::default()).unwrap_err();
        assert_eq!(error, invalid(field, problem), "{input}");
    }
}
