//! Accounts and subscriptions.

use chrono::{Days, Utc};
use serde_json::json;

use super::harness::{ask_two_legged, ask_with};
use crate::call::timestamp;
use crate::{Sandbox, demo};

#[tokio::test(flavor = "multi_thread")]
async fn a_new_user_can_log_in_and_cannot_be_made_twice() {
    let sandbox = Sandbox::start().await.unwrap();
    let account = [
        ("emailAddress", "joe+test@example.com"),
        ("password", "p&ss w%rd=é~*"),
    ];
    let signup = ask_two_legged("POST", "/user/signup", &account).json(&sandbox);
    let id = signup["user"]["id"].as_str().unwrap();
    assert_eq!(signup["user"]["emailAddress"], "joe+test@example.com");
    let again = ask_two_legged("POST", "/user/signup", &account).json(&sandbox);
    assert_eq!(
        again["error"],
        json!({"code": 2003, "errorMessage": "User with given email already exists"})
    );
    assert_eq!(
        ask_two_legged("POST", "/user/authenticate", &account).json(&sandbox)["user"]["id"],
        id
    );
    let details = ask_two_legged("GET", "/user/details", &[("userId", id)]).json(&sandbox);
    assert_eq!(details["user"], signup["user"]);
    let create = |id: &str| {
        ask_two_legged("GET", "/user/create", &[("userId", id), ("country", "GB")]).json(&sandbox)
    };
    assert_eq!(create("partner-7")["user"]["id"], "partner-7");
    assert_eq!(create("partner-7")["error"]["code"], 2003);
    let locker = ask_two_legged(
        "GET",
        "/user/locker",
        &[("userId", "partner-7"), ("country", "GB")],
    )
    .json(&sandbox);
    assert_eq!(
        locker["locker"]["lockerReleases"]["lockerRelease"],
        json!([])
    );
    let token = Some((demo::ACCESS_TOKEN, demo::ACCESS_TOKEN_SECRET));
    assert_eq!(
        ask_with("GET", "/user/details", &[], token).json(&sandbox)["user"]["id"],
        demo::USER_ID
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_subscription_is_renewed_ended_and_checked() {
    let sandbox = Sandbox::start().await.unwrap();
    let now = Utc::now();
    let day = |days: u64| timestamp(now + Days::new(days));
    let show = || {
        ask_two_legged(
            "GET",
            "/user/unlimitedStreaming",
            &[("userId", demo::SECOND_USER_ID)],
        )
        .json(&sandbox)
    };
    let update = |changes: &[(&str, &str)]| {
        let (today, end) = (day(0), day(30));
        let mut body = vec![
            ("userId", demo::SECOND_USER_ID),
            ("planCode", "standard-unlimited-streaming"),
            ("status", "active"),
            ("currency", "GBP"),
            ("recurringFee", "0"),
            ("country", "GB"),
            ("activatedAt", "2020-01-01T00:00:00Z"),
            ("currentPeriodStartDate", &today),
            ("expiryDate", &end),
        ];
        body.retain(|(name, _)| changes.iter().all(|(changed, _)| changed != name));
        body.extend(changes.iter().filter(|(_, value)| !value.is_empty()));
        ask_two_legged("POST", "/user/unlimitedStreaming", &body).json(&sandbox)
    };
    assert_eq!(show(), json!({}));
    let active = json!({"streaming": {"level": "standard", "expiryDate": day(30)}});
    assert_eq!((update(&[]), show()), (active.clone(), active.clone()));
    let (late, far) = (day(2), day(40));
    let bad = [
        ("userId", "", 1001),
        ("planCode", "gold", 1002),
        ("status", "cancelled", 1002),
        ("currency", "pounds", 1002),
        ("recurringFee", "9.99", 1002),
        ("recurringFee", "", 1001),
        ("country", "", 1001),
        ("activatedAt", "yesterday", 1002),
        ("activatedAt", &far, 1003),
        ("currentPeriodStartDate", &late, 1003),
        ("expiryDate", &far, 1003),
        ("planCode", "trial-unlimited-streaming", 1001),
        ("trialEndsAt", &late, 1002),
        ("userId", "nobody", 2001),
    ];
    for (name, value, code) in bad {
        assert_eq!(
            update(&[(name, value)])["error"]["code"],
            code,
            "{name}={value}"
        );
    }
    assert_eq!(show(), active);
    let ended = update(&[
        ("status", "expired"),
        ("expiryDate", "2020-02-01T00:00:00Z"),
    ]);
    assert_eq!(ended["streaming"]["expiryDate"], "2020-02-01T00:00:00Z");
    let trial = update(&[
        ("planCode", "trial-unlimited-streaming"),
        ("trialEndsAt", &day(14)),
    ]);
    assert_eq!(trial["streaming"]["level"], "trial");
}
