//! Token calls as 7digital's guide has them, and answers in each form.

use super::*;
use crate::credentials::{Consumer, Credentials};
use crate::upstream::refused;

fn client(base: &str) -> Client {
    let credentials = Credentials {
        consumer: Some(Consumer {
            key: "YOUR_KEY_HERE".into(),
            secret: Some("YOUR_SECRET_HERE".into()),
        }),
        ..Credentials::default()
    };
    let builder = Client::builder(base.parse().unwrap());
    builder.credentials(credentials).build().unwrap()
}

fn request_token() -> Token {
    Token {
        token: "ABC1XYZ".into(),
        secret: "oGBr7s1xQ0OBk6L1fddTCQ==".into(),
    }
}

fn reply(status: u16, body: &str) -> Reply {
    Reply {
        status,
        body: body.into(),
        ..Reply::default()
    }
}

#[test]
fn token_calls_are_signed_as_in_7digitals_guide() {
    let client = client("https://api.7digital.com/1.2");
    let stamp = Stamp {
        timestamp: 1_426_071_532,
        nonce: "950262835".into(),
    };
    let token = request_token();
    for (endpoint, token, path, signature) in [
        (
            REQUEST_TOKEN,
            None,
            "/1.2/oauth/requesttoken",
            "qX5UNhYyuqZVx%2BZOXHQbWMpuKvE%3D",
        ),
        (
            ACCESS_TOKEN,
            Some(&token),
            "/1.2/oauth/accesstoken",
            "E%2BgNxaWXxKo75VTp3%2FvR%2F6LrpKA%3D",
        ),
    ] {
        let sent = sign(&client, &endpoint, token, None, &stamp).unwrap();
        assert_eq!(
            (sent.url.path(), sent.url.query(), sent.authorization),
            (path, None, None)
        );
        let form = sent.form.unwrap();
        assert!(
            form.ends_with(&format!("&oauth_signature={signature}")),
            "{form}"
        );
    }
}

#[test]
fn a_country_or_shop_and_a_verifier_are_sent_along() {
    let mut client = client("https://api.7digital.com/1.2");
    for (country, shop_id, expected) in [
        (None, None, ""),
        (Some("DE"), Some("34"), "country=DE&"),
        (None, Some("34"), "shopId=34&"),
    ] {
        client = client.with_credentials(Credentials {
            country: country.map(str::to_owned),
            shop_id: shop_id.map(str::to_owned),
            ..client.credentials().clone()
        });
        let sent = sign(
            &client,
            &ACCESS_TOKEN,
            Some(&request_token()),
            Some("v"),
            &Stamp::now(),
        );
        let form = sent.unwrap().form.unwrap();
        let start = format!("{expected}oauth_verifier=v&oauth_consumer_key=");
        assert!(form.starts_with(&start), "{form}");
    }
}

#[test]
fn users_log_in_at_7digital_or_at_a_stub_of_it() {
    for (base, start) in [
        (
            "https://api.7digital.com/1.2",
            "https://account.7digital.com/",
        ),
        (
            "https://gateway.example/7digital",
            "https://account.7digital.com/",
        ),
        ("http://127.0.0.1:9070/1.2", "http://127.0.0.1:9070/"),
    ] {
        let page = client(base)
            .authorise_page(&request_token(), "http://127.0.0.1:1/callback")
            .unwrap();
        let rest = "YOUR_KEY_HERE/oauth/authorise?oauth_token=ABC1XYZ&oauth_callback=http%3A%2F%2F127.0.0.1%3A1%2Fcallback";
        assert_eq!(page.as_str(), format!("{start}{rest}"));
    }
}

#[test]
fn tokens_are_read_in_every_form() {
    let xml = "<oauth_token>t</oauth_token><oauth_token_secret>s+/==</oauth_token_secret>";
    for body in [
        "oauth_token=t&oauth_token_secret=s%2b%2F%3d%3d".to_owned(),
        "oauth_token_secret=s%2B/==&oauth_callback_confirmed=true&oauth_token=t\r\n".to_owned(),
        format!("<oauth_request_token>{xml}</oauth_request_token>"),
        format!("<?xml version=\"1.0\"?><oauth_access_token>{xml}</oauth_access_token>"),
        format!(
            "<response status=\"ok\" version=\"1.2\"><oauth_access_token>{xml}</oauth_access_token></response>"
        ),
        r#"{"status":"ok","oauth_access_token":{"oauth_token":"t","oauth_token_secret":"s+/=="}}"#
            .to_owned(),
    ] {
        let token = read(&reply(200, &body)).unwrap();
        assert_eq!(
            (token.token.expose(), token.secret.expose()),
            ("t", "s+/=="),
            "{body}"
        );
    }
}

#[test]
fn an_answer_without_a_token_is_an_error_that_quotes_none() {
    let early = "<response status=\"error\"><error code=\"2002\"><errorMessage>Not yet</errorMessage></error></response>";
    for (status, body, expected) in [
        (401, early, refused(401, Some(2002), "Not yet")),
        (
            401,
            "OAuth authentication error: Access to resource denied",
            Error::Unauthorised {
                message: "OAuth authentication error: Access to resource denied".into(),
                clock_ahead: None,
            },
        ),
        (
            200,
            "oauth_token=canary",
            Error::Unreadable(Unreadable::Token("oauth_token_secret")),
        ),
        (
            200,
            "oauth_token=can%0Aary&oauth_token_secret=canary",
            Error::Unreadable(Unreadable::Token("oauth_token")),
        ),
        (
            200,
            "<response status=\"ok\"><oauth_token>canary</oauth_token></response>",
            Error::Unreadable(Unreadable::NoToken),
        ),
        (
            503,
            "oauth_token=canary&oauth_token_secret=canary",
            Error::Unavailable {
                status: 503,
                retry_after: None,
            },
        ),
        (200, "", Error::Unreadable(Unreadable::Empty)),
    ] {
        assert_eq!(
            read(&reply(status, body)).unwrap_err(),
            expected,
            "{status} {body}"
        );
    }
}
