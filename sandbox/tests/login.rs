//! The ways to an access token: without a browser, and on the login page.

use super::harness::{CONSUMER, FORM, Response, get, percent, post, send};
use crate::{Sandbox, demo, request::decode_form};

const GB: &[(&str, &str)] = &[("country", "GB")];
const PAGE: &str = "/sandbox-key/oauth/authorise";

/// The token and its secret.
fn pair(response: &Response) -> (String, String) {
    let [(_, token), (_, secret)] = decode_form(&response.body).try_into().unwrap();
    (token, secret)
}

fn request_token(sandbox: &Sandbox) -> (String, String) {
    pair(&post(CONSUMER, "/oauth/requesttoken", &[]).send(sandbox))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_user_logs_in_without_a_browser_and_the_token_works() {
    let sandbox = Sandbox::start().await.unwrap();
    let (token, secret) = request_token(&sandbox);
    let access = || post(Some((&token, &secret)), "/oauth/accesstoken", GB).send(&sandbox);
    let early = access();
    assert_eq!(early.status, 400, "{early:?}");
    assert!(early.body.contains("2002"), "{early:?}");
    for (password, status) in [("wrong", 401), (demo::PASSWORD, 200)] {
        let parameters = [
            ("username", demo::EMAIL),
            ("password", password),
            ("token", &token),
        ];
        let authorise = get(CONSUMER, "/oauth/requestToken/authorise", &parameters);
        assert_eq!(authorise.send(&sandbox).status, status);
    }
    let (token, secret) = pair(&access());
    let locker = get(Some((&token, &secret)), "/user/locker", GB).json(&sandbox);
    assert_eq!(locker["locker"]["lockerReleases"]["totalItems"], 13);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_token_is_given_in_xml_when_asked() {
    let sandbox = Sandbox::start().await.unwrap();
    let call = get(CONSUMER, "/oauth/requesttoken", &[]).accepting("text/xml");
    let body = call.send(&sandbox).body;
    assert!(
        body.contains("<oauth_request_token><oauth_token>"),
        "{body}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_user_allows_or_denies_on_the_login_page() {
    let sandbox = Sandbox::start().await.unwrap();
    for (action, status, code) in [("allow", "Authorised", 200), ("deny", "Denied", 401)] {
        let (token, secret) = request_token(&sandbox);
        let fields = |callback| format!("oauth_token={token}&oauth_callback={}", percent(callback));
        let show = |callback| {
            send(
                &sandbox,
                "GET",
                &format!("{PAGE}?{}", fields(callback)),
                "",
                "",
            )
        };
        assert_eq!(show("http://evil.example/").status, 400);
        let callback = "http://127.0.0.1:5/back?a=1";
        let shown = show(callback);
        assert_eq!(shown.status, 200, "{shown:?}");
        assert!(shown.body.contains("<form method=\"post\""), "{shown:?}");
        let submit = |password| {
            let (fields, email) = (fields(callback), demo::EMAIL);
            let form = format!("{fields}&email={email}&password={password}&action={action}");
            send(&sandbox, "POST", PAGE, FORM, &form)
        };
        if action == "allow" {
            assert_eq!(submit("x").status, 401);
        }
        let sent = submit(demo::PASSWORD);
        let expected = format!("{callback}&oauth_token={token}&status={status}");
        assert_eq!(
            (sent.status, sent.header("location")),
            (302, Some(&*expected))
        );
        let access = post(Some((&token, &secret)), "/oauth/accesstoken", &[]).send(&sandbox);
        assert_eq!(access.status, code, "{access:?}");
    }
    let arrivals = sandbox.arrivals();
    assert!(
        arrivals
            .iter()
            .all(|arrival| !arrival.body.contains(demo::PASSWORD))
    );
}
