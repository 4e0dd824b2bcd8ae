//! What the parts of a call cost: signing, reading an answer, bringing it into shape, preparing arguments.
//!
//! `cargo bench -p sevendigital-benches` runs all, with the number of allocations of each, which does not vary as times do.
#![expect(
    clippy::unwrap_used,
    reason = "a bench that can't go on stops, as a test does"
)]

use divan::{AllocProfiler, Bencher};
use serde_json::{Map, Value, json};
use sevendigital::oauth::Stamp;
use sevendigital::reply::Reply;
use sevendigital::signing::{SignedRequest, sign};
use sevendigital::{BaseUri, Consumer, Credentials, Placement, Token, parameters, response};
use sevendigital_tools::get_user_locker::GetUserLocker;
use sevendigital_tools::{AnyTool, Arguments, TOOLS, Tool, shape};

#[global_allocator]
static ALLOCATOR: AllocProfiler = AllocProfiler::system();

const RELEASES: usize = 50;
const TRACKS: usize = 4;

fn main() {
    divan::main();
}

fn signed(credentials: &Credentials, base: &BaseUri) -> SignedRequest {
    let endpoint = GetUserLocker::CONTRACT.upstream;
    let page = json!({"page": 1, "pageSize": RELEASES});
    let parameters = parameters::serialize(&endpoint, &page, credentials).unwrap();
    let placement = Placement::Auto;
    let stamp = Stamp::now();
    sign(&endpoint, parameters, base, credentials, placement, &stamp).unwrap()
}

fn credentials() -> Credentials {
    let consumer = Consumer {
        key: "a-key-of-usual-length".into(),
        secret: Some("a-secret-of-usual-length".into()),
    };
    let token = Token {
        token: "a-token-of-usual-length".into(),
        secret: "another-secret".into(),
    };
    Credentials {
        consumer: Some(consumer),
        token: Some(token),
        country: Some("GB".to_owned()),
        ..Credentials::default()
    }
}

fn base() -> BaseUri {
    "https://api.7digital.com/1.2".parse().unwrap()
}

#[divan::bench]
fn sign_a_request(bencher: Bencher<'_, '_>) {
    let (credentials, base) = (credentials(), base());
    bencher.bench(|| signed(&credentials, &base));
}

#[divan::bench]
fn read_a_locker_in_json(bencher: Bencher<'_, '_>) {
    read(bencher, "application/json", &locker_in_json());
}

#[divan::bench]
fn read_a_locker_in_xml(bencher: Bencher<'_, '_>) {
    read(bencher, "text/xml", &locker_in_xml());
}

fn read(bencher: Bencher<'_, '_>, content_type: &str, body: &str) {
    let reply = reply(content_type, body);
    let endpoint = GetUserLocker::CONTRACT.upstream;
    bencher.bench(|| response::read(&reply, &endpoint).unwrap());
}

fn reply(content_type: &str, body: &str) -> Reply {
    Reply {
        status: 200,
        content_type: content_type.to_owned(),
        sent: signed(&credentials(), &base()).sent,
        body: body.into(),
        ..Reply::default()
    }
}

#[divan::bench(args = ["application/json", "text/xml"])]
fn bring_a_locker_into_shape(bencher: Bencher<'_, '_>, content_type: &str) {
    let body = match content_type {
        "text/xml" => locker_in_xml(),
        _ => locker_in_json(),
    };
    let endpoint = GetUserLocker::CONTRACT.upstream;
    let document = response::read(&reply(content_type, &body), &endpoint).unwrap();
    assert!(fit(document.clone()).1.is_empty());
    bencher.with_inputs(|| document.clone()).bench_values(fit);
}

fn fit(mut document: Map<String, Value>) -> (Map<String, Value>, Vec<String>) {
    let unexpected = shape::fit::<<GetUserLocker as Tool>::Output>(&mut document);
    (document, unexpected)
}

#[divan::bench(args = ["get-user-locker", "purchase-user-item", "signup-user"])]
fn prepare_arguments(bencher: Bencher<'_, '_>, name: &str) {
    let arguments = match name {
        "purchase-user-item" => json!({"releaseId": "11700062", "trackId": "1170006201"}),
        "signup-user" => {
            json!({"body": {"emailAddress": "new@example.com", "password": "a password"}})
        }
        _ => json!({"page": 1, "pageSize": 10, "view": "summary"}),
    };
    let arguments: Arguments = serde_json::from_value(arguments).unwrap();
    let tool = TOOLS.iter().find(|tool| tool.contract.name == name);
    let tool = tool.unwrap();
    let inputs = bencher.with_inputs(|| arguments.clone());
    inputs.bench_values(|arguments| tool.prepare(arguments).unwrap());
}

/// What the server makes of the tools once, when it starts; `benches/instructions` counts what `tools/list` costs then.
#[divan::bench]
fn schemas_of_all_tools() -> Vec<[Map<String, Value>; 2]> {
    let listed = |tool: &AnyTool| [tool.listed_input_schema(), tool.listed_output_schema()];
    TOOLS.iter().map(listed).collect()
}

fn locker_in_json() -> String {
    let url =
        "http://media.geo.7digital.com/media/user/downloadtrack?trackid=1&oauth_signature=a%2Bb";
    let track = |number: usize| {
        json!({
            "track": {"id": 6_313_215 + number, "title": format!("Hero & {number}"), "version": "", "trackNumber": number, "duration": 186},
            "remainingDownloads": 5,
            "purchaseId": 812_485_994,
            "purchaseDate": "2014-04-16T16:08:55+01:00",
            "downloadUrls": {"downloadUrl": [{"url": url, "format": {"id": 17, "description": "MP3 320"}}]},
        })
    };
    let release = |number: usize| {
        let tracks: Vec<Value> = (1..=TRACKS).map(track).collect();
        json!({
            "release": {
                "id": 569_720 + number, "title": "Awake", "version": "", "type": "Album",
                "artist": {"id": 4617, "name": "Skillet", "appearsAs": "Skillet"},
                "image": "http://artwork-cdn.7static.com/static/img/569720_50.jpg",
                "label": {"id": 116, "name": "Atlantic Records"},
            },
            "lockerTracks": {"lockerTrack": tracks},
            "available": true,
        })
    };
    let releases: Vec<Value> = (1..=RELEASES).map(release).collect();
    let page =
        json!({"page": 1, "pageSize": RELEASES, "totalItems": RELEASES, "lockerRelease": releases});
    let locker = json!({"lockerReleases": page});
    json!({"status": "ok", "version": "1.2", "locker": locker}).to_string()
}

/// The same in the form that 7digital has by default: ids are attributes.
fn locker_in_xml() -> String {
    let url = "http://media.geo.7digital.com/media/user/downloadtrack?trackid=1&amp;oauth_signature=a%2Bb";
    let track = |number: usize| {
        let id = 6_313_215 + number;
        format!(
            r#"<lockerTrack><track id="{id}"><title>Hero &amp; {number}</title><version/><trackNumber>{number}</trackNumber><duration>186</duration></track>
<remainingDownloads>5</remainingDownloads><purchaseId>812485994</purchaseId><purchaseDate>2014-04-16T16:08:55+01:00</purchaseDate>
<downloadUrls><downloadUrl><url>{url}</url><format id="17"><description>MP3 320</description></format></downloadUrl></downloadUrls></lockerTrack>"#
        )
    };
    let release = |number: usize| {
        let (id, tracks) = (569_720 + number, (1..=TRACKS).map(track));
        let tracks: String = tracks.collect();
        format!(
            r#"<lockerRelease><release id="{id}"><title>Awake</title><version/><type>Album</type>
<artist id="4617"><name>Skillet</name><appearsAs>Skillet</appearsAs></artist>
<image>http://artwork-cdn.7static.com/static/img/569720_50.jpg</image><label id="116"><name>Atlantic Records</name></label></release>
<lockerTracks>{tracks}</lockerTracks><available>true</available></lockerRelease>"#
        )
    };
    let releases: String = (1..=RELEASES).map(release).collect();
    format!(
        r#"<?xml version="1.0" encoding="utf-8"?><response status="ok" version="1.2"><locker><lockerReleases>
<page>1</page><pageSize>{RELEASES}</pageSize><totalItems>{RELEASES}</totalItems>{releases}</lockerReleases></locker></response>"#
    )
}
