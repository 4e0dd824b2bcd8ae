//! Lockers: pages, sorting, filters.

use serde_json::{Value, json};

use super::harness::{USER, get};
use crate::Sandbox;

/// The answer to a call with these parameters.
fn locker(sandbox: &Sandbox, parameters: &[(&str, &str)]) -> Value {
    let parameters = [&[("country", "GB")], parameters].concat();
    get(USER, "/user/locker", &parameters).json(sandbox)
}

/// The titles of the releases on the page that the parameters ask for.
fn titles(sandbox: &Sandbox, parameters: &[(&str, &str)]) -> Vec<String> {
    let answer = locker(sandbox, parameters);
    let releases = answer["locker"]["lockerReleases"]["lockerRelease"].as_array();
    let title = |release: &Value| release["release"]["title"].as_str().unwrap().to_owned();
    releases.unwrap().iter().map(title).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_locker_is_paged_and_sorted() {
    let sandbox = Sandbox::start().await.unwrap();
    let first = locker(&sandbox, &[]);
    assert_eq!(first["status"], "ok");
    assert_eq!(first["locker"]["lockerReleases"]["totalItems"], 13);
    let page = |page| titles(&sandbox, &[("page", page)]);
    assert_eq!(page("1")[0], "A Month of Sundays");
    assert_eq!(["1", "2", "9"].map(|number| page(number).len()), [10, 3, 0]);
    let by_artist = titles(&sandbox, &[("PAGESIZE", "2"), ("sort", "artistName desc")]);
    assert_eq!(by_artist, ["A Month of Sundays", "Café del Río"]);
    let newest = titles(
        &sandbox,
        &[("pageSize", "1"), ("sort", "purchaseDate desc")],
    );
    assert_eq!(newest, ["Aurora Drift"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_locker_is_filtered() {
    let sandbox = Sandbox::start().await.unwrap();
    let streams = locker(&sandbox, &[("usageTypes", "subscriptionstreaming")]);
    assert_eq!(streams["locker"]["lockerReleases"]["totalItems"], 0);
    let one = locker(
        &sandbox,
        &[("releaseId", "11600002"), ("trackId", "1160000202")],
    );
    let release = &one["locker"]["lockerReleases"]["lockerRelease"][0];
    let tracks = release["lockerTracks"]["lockerTrack"].as_array().unwrap();
    assert_eq!(
        (tracks.len(), &tracks[0]["track"]["title"]),
        (1, &json!("Naïve"))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn bad_parameters_of_the_locker_give_their_error_code() {
    let sandbox = Sandbox::start().await.unwrap();
    for (name, value, code) in [
        ("page", "0", 1003),
        ("pageSize", "51", 1003),
        ("page", "x", 1002),
        ("sort", "price asc", 1002),
        ("trackId", "1", 1002),
        ("purchaseId", "1", 2001),
    ] {
        let error = locker(&sandbox, &[(name, value)])["error"].take();
        assert_eq!(error["code"], code, "{name}={value}");
    }
}
