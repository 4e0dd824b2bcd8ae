//! Known answers: 7digital's own vector, RFC 5849, OAuth Core, Twitter's sample, and this API's operations.

use proptest::prelude::*;

use super::*;

const SEVENDIGITAL: &str = "oauth_consumer_key=YOUR_KEY_HERE&oauth_nonce=950262835&oauth_signature_method=HMAC-SHA1&oauth_timestamp=1426071532&oauth_version=1.0";
const PHOTOS: (&str, &str) = ("kd94hf93k423kf44", "pfkkdhi9sl3r4s00");

/// Signed requests whose signatures are published, or were computed by two independent programs:
/// name, method, URL, parameters, secrets, signature.
type Vector = (Text, Text, Text, Text, (Text, Text), Text);
type Text = &'static str;

#[rustfmt::skip]
const VECTORS: &[Vector] = &[
    ("V1: 7digital's own request token example",
        "POST", "https://api.7digital.com/1.2/oauth/requesttoken",
        SEVENDIGITAL,
        ("YOUR_SECRET_HERE", ""), "qX5UNhYyuqZVx+ZOXHQbWMpuKvE="),
    ("V1 with GET is another signature",
        "GET", "https://api.7digital.com/1.2/oauth/requesttoken",
        SEVENDIGITAL,
        ("YOUR_SECRET_HERE", ""), "WyCV9QnEOmgs7ju4SKT54H+d51s="),
    ("V1 over http is another signature",
        "POST", "http://api.7digital.com/1.2/oauth/requesttoken",
        SEVENDIGITAL,
        ("YOUR_SECRET_HERE", ""), "Cm5MDWcv0653TwiNnEYvnxVekvI="),
    ("V2: OAuth Core 1.0 appendix A",
        "GET", "http://photos.example.net/photos?file=vacation.jpg&size=original",
        "oauth_consumer_key=dpf43f3p2l4k3l03&oauth_token=nnch734d00sl2jdk&oauth_nonce=kllo9940pd9333jh&oauth_timestamp=1191242096&oauth_signature_method=HMAC-SHA1&oauth_version=1.0",
        PHOTOS, "tR3+Ty81lMeYAr/Fid0kMTYa/WM="),
    ("V3a: RFC 5849 section 1.2, temporary credentials",
        "POST", "https://photos.example.net/initiate",
        "oauth_consumer_key=dpf43f3p2l4k3l03&oauth_signature_method=HMAC-SHA1&oauth_timestamp=137131200&oauth_nonce=wIjqoS&oauth_callback=http%3A%2F%2Fprinter.example.com%2Fready",
        ("kd94hf93k423kf44", ""), "74KNZJeDHnMBp0EMJ9ZHt/XKycU="),
    ("V3b: RFC 5849 section 1.2, token",
        "POST", "https://photos.example.net/token",
        "oauth_consumer_key=dpf43f3p2l4k3l03&oauth_token=hh5s93j4hdidpola&oauth_signature_method=HMAC-SHA1&oauth_timestamp=137131201&oauth_nonce=walatlh&oauth_verifier=hfdp7dh39dks9884",
        ("kd94hf93k423kf44", "hdhd0244k9j7ao03"), "gKgrFCywp7rO0OXSjdot/IHF7IU="),
    ("V3c: RFC 5849 section 1.2, photos",
        "GET", "http://photos.example.net/photos?file=vacation.jpg&size=original",
        "oauth_consumer_key=dpf43f3p2l4k3l03&oauth_token=nnch734d00sl2jdk&oauth_signature_method=HMAC-SHA1&oauth_timestamp=137131202&oauth_nonce=chapoH",
        PHOTOS, "MdpQcU8iPSUjWoN/UDMsK2sui9I="),
    ("V4: RFC 5849 section 3.4.1 with erratum 2550",
        "POST", "http://example.com/request?b5=%3D%253D&a3=a&c%40=&a2=r%20b",
        "c2&a3=2+q&oauth_consumer_key=9djdj82h48djs9d2&oauth_token=kkk9d7dh3k39sjv7&oauth_signature_method=HMAC-SHA1&oauth_timestamp=137131201&oauth_nonce=7d8f3e4a",
        ("j49sk3j29djd", "dh893hdasih9"), "r6/TJjbCOr97/+UU0NsvSne7s5g="),
    ("V5a: Twitter's sample, 1.1",
        "POST", "https://api.twitter.com/1.1/statuses/update.json",
        TWITTER,
        TWITTER_SECRETS, "hCtSmYh+iHYCEqBWrE7C7hYmtUk="),
    ("V5b: Twitter's sample, 1",
        "POST", "https://api.twitter.com/1/statuses/update.json",
        TWITTER,
        TWITTER_SECRETS, "tnnArxj06cWHq44gCs1OSKk/jLY="),
    ("X1: access token",
        "POST", "https://api.7digital.com/1.2/oauth/accesstoken",
        "oauth_consumer_key=YOUR_KEY_HERE&oauth_nonce=950262835&oauth_signature_method=HMAC-SHA1&oauth_timestamp=1426071532&oauth_version=1.0&oauth_token=ABC1XYZ",
        ("YOUR_SECRET_HERE", "oGBr7s1xQ0OBk6L1fddTCQ=="), "E+gNxaWXxKo75VTp3/vR/6LrpKA="),
];

const TWITTER: &str = "include_entities=true&status=Hello%20Ladies%20%2B%20Gentlemen%2C%20a%20signed%20OAuth%20request%21&oauth_consumer_key=xvz1evFS4wEEPTGEFPHBog&oauth_nonce=kYjzVBB8Y0ZFabxSWbWovY3uYSQ2pTgmZeNu2VS4cg&oauth_signature_method=HMAC-SHA1&oauth_timestamp=1318622958&oauth_token=370773112-GmHxMAgYyLbNEtIKZeRNFsMKPR9EyMZeS9weJAEb&oauth_version=1.0";
const TWITTER_SECRETS: (&str, &str) = (
    "kAcSOqF21Fu85e7zjz7ZN2U4ZRhfV3WpwPAoE3Z7kBw",
    "LswwdoUaIvS8ltyTt5jkRh4J50vUPVVHtR2YPi5kE",
);

fn parameters(form: &str) -> Vec<Parameter> {
    url::form_urlencoded::parse(form.as_bytes())
        .into_owned()
        .collect()
}

fn own(pairs: &[(&str, &str)]) -> Vec<Parameter> {
    pairs
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect()
}

#[test]
fn published_signatures_come_out() {
    for (name, method, url, form, (consumer, token), expected) in VECTORS {
        let base = base_string(method, &url.parse().unwrap(), &parameters(form));
        let signed = signature(&base, consumer, token);
        assert_eq!(signed, *expected, "{name}\n{base}");
    }
}

/// Our operations, signed by [`sign`] itself with the vectors' common stamp.
#[test]
fn a_request_is_signed_whole() {
    let consumer = Consumer {
        key: "YOUR_KEY_HERE".into(),
        secret: None,
    };
    let secret = "YOUR_SECRET_HERE".into();
    let token = Token {
        token: "ABC1XYZ".into(),
        secret: "oGBr7s1xQ0OBk6L1fddTCQ==".into(),
    };
    let stamp = Stamp {
        timestamp: 1_426_071_532,
        nonce: "950262835".into(),
    };
    let signed = |method: &str, path: &str, parameters: &[Parameter], token: Option<&Token>| {
        let url = format!("https://api.7digital.com/1.2{path}")
            .parse()
            .unwrap();
        sign(method, &url, parameters, &consumer, &secret, token, &stamp)
            .pop()
            .unwrap()
            .1
    };
    let locker = own(&[
        ("country", "GB"),
        ("page", "2"),
        ("pageSize", "50"),
        ("sort", "purchaseDate desc"),
    ]);
    assert_eq!(
        signed("GET", "/user/locker", &locker, Some(&token)),
        "sLC4BsnG1XjM43Gy11FCIb/v0x8=",
        "X2"
    );
    let signup = own(&[
        ("country", "GB"),
        ("emailAddress", "joe+test@example.com"),
        ("password", "p&ss w%rd=é~*"),
    ]);
    assert_eq!(
        signed("POST", "/user/signup", &signup, None),
        "/WGYVnnquz9F7nmS4jPsUWckGkE=",
        "X4"
    );
}

#[test]
fn base_strings_are_those_of_the_specification() {
    let (_, method, url, form, ..) = VECTORS[7];
    assert_eq!(
        base_string(method, &url.parse().unwrap(), &parameters(form)),
        "POST&http%3A%2F%2Fexample.com%2Frequest&a2%3Dr%2520b%26a3%3D2%2520q%26a3%3Da%26b5%3D%253D%25253D%26c%2540%3D%26c2%3D%26oauth_consumer_key%3D9djdj82h48djs9d2%26oauth_nonce%3D7d8f3e4a%26oauth_signature_method%3DHMAC-SHA1%26oauth_timestamp%3D137131201%26oauth_token%3Dkkk9d7dh3k39sjv7"
    );
}

#[test]
fn the_key_is_both_secrets_encoded() {
    let v7 = "GET&http%3A%2F%2Fapi.example.com%2Fendpoint&oauth_consumer_key%3Dconsumer-key%26oauth_nonce%3D5678%26oauth_signature_method%3DHMAC-SHA1%26oauth_timestamp%3D1234%26oauth_token%3Dtoken-key%26oauth_version%3D1.0";
    let v7_without_token = v7.replace("%26oauth_token%3Dtoken-key", "");
    for (base, consumer, token, expected) in [
        ("bs", "cs", "", "egQqG5AJep5sJ7anhXju1unge2I="),
        ("bs", "cs", "ts", "VZVjXceV7JgPq/dOTnNmEfO0Fv8="),
        (v7, "你好", "åçñ", "JXcouSrYw1x7ql1ArjfT1Bg8O9g="),
        (
            &v7_without_token,
            "consumer-secret",
            "",
            "9ynBsPmHokLVL8g3UQ3QX3czNXk=",
        ),
        (
            "testSignatureBaseString",
            "consumerSecret",
            "tokenSecret",
            "+8JOwipB49F+1y2W0/2S4q0Tp4s=",
        ),
    ] {
        assert_eq!(
            signature(base, consumer, token),
            expected,
            "{consumer} {token}"
        );
    }
}

#[test]
fn parameters_are_sorted_by_encoded_name_then_value() {
    let shuffled = own(&[
        ("z", "t"),
        ("z", "p"),
        ("f", "a"),
        ("f", "50"),
        ("f", "25"),
        ("c", "hi there"),
        ("a", "1"),
    ]);
    let base = base_string("GET", &"http://example.com/".parse().unwrap(), &shuffled);
    assert_eq!(
        base,
        format!(
            "GET&http%3A%2F%2Fexample.com%2F&{}",
            encode("a=1&c=hi%20there&f=25&f=50&f=a&z=p&z=t")
        )
    );
}

#[test]
fn urls_are_signed_without_default_port_and_in_lower_case() {
    for (url, expected) in [
        (
            "HTTPS://API.7digital.com:443/1.2/user/locker",
            "https://api.7digital.com/1.2/user/locker",
        ),
        (
            "http://127.0.0.1:9070/1.2/user/locker?page=1",
            "http://127.0.0.1:9070/1.2/user/locker",
        ),
        ("http://example.com:80/Path", "http://example.com/Path"),
    ] {
        let base = base_string("GET", &url.parse().unwrap(), &[]);
        assert_eq!(
            base.split('&').nth(1),
            Some(encode(expected).as_str()),
            "{url}"
        );
    }
}

#[test]
fn stamps_differ_every_time() {
    let nonces: std::collections::HashSet<String> =
        (0..10_000).map(|_| Stamp::now().nonce).collect();
    assert_eq!(nonces.len(), 10_000);
    assert!(
        nonces.iter().all(|nonce| nonce.len() == 32),
        "128 bits in hex"
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn the_order_of_parameters_does_not_matter(
        (sorted, shuffled) in prop::collection::vec((".*", ".*"), 0..8)
            .prop_flat_map(|all| (Just(all.clone()), Just(all).prop_shuffle()))
    ) {
        let url: Url = "https://api.7digital.com/1.2/user/locker".parse().unwrap();
        prop_assert_eq!(base_string("GET", &url, &sorted), base_string("GET", &url, &shuffled));
    }

    #[test]
    fn what_is_encoded_decodes_to_itself(text in ".*") {
        let encoded = encode(&text);
        prop_assert!(encoded.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._~%".contains(&byte)));
        prop_assert_eq!(percent_encoding::percent_decode_str(&encoded).decode_utf8().unwrap(), text);
    }

    #[test]
    fn a_form_means_the_same_to_a_form_parser(all in prop::collection::vec((".*", ".*"), 0..8)) {
        prop_assert_eq!(parameters(&encode_form(&all)), all);
    }
}
