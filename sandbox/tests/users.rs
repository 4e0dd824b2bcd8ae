//! Accounts and subscriptions.

use chrono::{Days, Utc};
use serde_json::json;

use super::harness::{CONSUMER, USER, get, post};
use crate::call::timestamp;
use crate::{Sandbox, demo};

#[tokio::test(flavor = "multi_thread")]
async fn a_new_user_can_log_in_and_cannot_be_made_twice() {
    let sandbox = Sandbox::start().await.unwrap();
    let address = "joe+test@example.com";
    let account = [("emailAddress", address), ("password", "p&ss w%rd=é~*")];
    let signup = || post(CONSUMER, "/user/signup", &account).json(&sandbox);
    let user = signup()["user"].clone();
    assert_eq!(user["emailAddress"], address);
    let error = json!({"code": 2003, "errorMessage": "User with given email already exists"});
    assert_eq!(signup()["error"], error);
    let login = post(CONSUMER, "/user/authenticate", &account).json(&sandbox);
    assert_eq!(login["user"]["id"], user["id"]);
    let id = [("userId", user["id"].as_str().unwrap())];
    let details = get(CONSUMER, "/user/details", &id).json(&sandbox);
    assert_eq!(details["user"], user);
    let own = get(USER, "/user/details", &[]).json(&sandbox);
    assert_eq!(own["user"]["id"], demo::USER_ID);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_managed_user_has_an_empty_locker_and_cannot_be_made_twice() {
    let sandbox = Sandbox::start().await.unwrap();
    let user = [("userId", "partner-7"), ("country", "GB")];
    let create = || get(CONSUMER, "/user/create", &user).json(&sandbox);
    assert_eq!(create()["user"]["id"], "partner-7");
    assert_eq!(create()["error"]["code"], 2003);
    let locker = get(CONSUMER, "/user/locker", &user).json(&sandbox);
    let releases = &locker["locker"]["lockerReleases"]["lockerRelease"];
    assert_eq!(*releases, json!([]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_subscription_is_renewed_ended_and_checked() {
    let sandbox = Sandbox::start().await.unwrap();
    let now = Utc::now();
    let day = |days: u64| timestamp(now + Days::new(days));
    let (today, late, end, far) = (day(0), day(2), day(30), day(40));
    let path = "/user/unlimitedStreaming";
    let show = || get(CONSUMER, path, &[("userId", demo::SECOND_USER_ID)]).json(&sandbox);
    let update = |changes: &[(&str, &str)]| {
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
        post(CONSUMER, path, &body).json(&sandbox)
    };
    assert_eq!(show(), json!({}));
    let active = json!({"streaming": {"level": "standard", "expiryDate": end}});
    assert_eq!((update(&[]), show()), (active.clone(), active.clone()));
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
        ("userId", "missing", 2001),
    ];
    for (name, value, code) in bad {
        let error = update(&[(name, value)])["error"].take();
        assert_eq!(error["code"], code, "{name}={value}");
    }
    assert_eq!(show(), active);
    let past = "2020-02-01T00:00:00Z";
    let ended = update(&[("status", "expired"), ("expiryDate", past)]);
    assert_eq!(ended["streaming"]["expiryDate"], past);
    let trial = ("planCode", "trial-unlimited-streaming");
    let trial = update(&[trial, ("trialEndsAt", &day(14))]);
    assert_eq!(trial["streaming"]["level"], "trial");
}
