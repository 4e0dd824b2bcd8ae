//! The locker: what a user has bought, sorted, filtered and paged.

use std::cmp::Ordering;

use crate::call::{Answer, Call, timestamp};
use crate::demo;
use crate::document::Node;
use crate::refusal::Refusal;
use crate::state::{Owned, OwnedTrack, Release, State};

const IMAGE_SIZES: [u64; 9] = [33, 50, 100, 180, 182, 200, 350, 500, 800];
const USAGE_TYPES: [&str; 3] = ["download", "subscriptionstreaming", "adsupportedstreaming"];

/// `getUserLocker`.
pub(crate) fn show(state: &mut State, call: &Call) -> Result<Answer, Refusal> {
    call.country()?;
    let page = call.number("page")?.unwrap_or(1);
    let page_size = call.number("pageSize")?.unwrap_or(10);
    if page < 1 {
        return Err(Refusal::out_of_range("page", &page.to_string()));
    }
    if !(1..=50).contains(&page_size) {
        return Err(Refusal::out_of_range("pageSize", &page_size.to_string()));
    }
    let image_size = image_size(call)?;
    let order = order(call.optional("sort").unwrap_or("releaseTitle asc"))?;
    let mut locker = select(&state.user(&call.user_id)?.locker, call)?;
    locker.sort_by(order);
    let count = |number: u64| usize::try_from(number).unwrap_or(usize::MAX);
    let start = count((page - 1).saturating_mul(page_size));
    let shown = locker.iter().skip(start).take(count(page_size));
    let shown = shown.map(|owned| locker_release(owned, image_size, call));
    let releases = Node::default()
        .element("page", page)
        .element("pageSize", page_size)
        .element("totalItems", locker.len() as u64)
        .list("lockerRelease", shown.collect());
    let payload = Node::default().child("lockerReleases", releases);
    Ok(Answer::new(Node::default().child("locker", payload)))
}

/// A release of a locker, as the locker and purchases show it.
pub(crate) fn locker_release(owned: &Owned, image_size: u64, call: &Call) -> Node {
    let track = |track: &OwnedTrack| locker_track(owned.release, track, &call.user_id);
    let tracks = owned.tracks.iter().map(track).collect();
    let date = timestamp(owned.release.release_date(call.now));
    let download = Node::default().element("releaseDate", date);
    let release = release_node(owned.release, image_size).child("download", download);
    Node::default()
        .child("release", release)
        .child("lockerTracks", Node::default().list("lockerTrack", tracks))
        .element("available", owned.available)
}

/// The part of a locker that the call's filters select.
fn select(locker: &[Owned], call: &Call) -> Result<Vec<Owned>, Refusal> {
    let (release_id, track_id) = (call.number("releaseId")?, call.number("trackId")?);
    let purchase_id = call.number("purchaseId")?;
    if let (None, Some(track_id)) = (release_id, track_id) {
        let value = format!("{track_id} (needs releaseId)");
        return Err(Refusal::invalid("trackId", &value));
    }
    if !wants_downloads(call)? {
        return Ok(Vec::new());
    }
    let wanted = |owned: &&Owned| release_id.is_none_or(|id| owned.release.id == id);
    let mut left: Vec<Owned> = locker.iter().filter(wanted).cloned().collect();
    if track_id.is_some() || purchase_id.is_some() {
        for owned in &mut left {
            let id = owned.release.id;
            owned.tracks.retain(|track| {
                track_id.is_none_or(|track_id| Release::track_id(id, track.number) == track_id)
                    && purchase_id.is_none_or(|purchase_id| track.purchase_id == purchase_id)
            });
        }
        left.retain(|owned| !owned.tracks.is_empty());
    }
    match purchase_id {
        Some(id) if left.is_empty() => Err(Refusal::not_found("Purchase", &id.to_string())),
        _ => Ok(left),
    }
}

/// Whether the usage types ask for downloads, which is all that a locker of the sandbox holds.
fn wants_downloads(call: &Call) -> Result<bool, Refusal> {
    let Some(types) = call.optional("usageTypes") else {
        return Ok(true);
    };
    let types = types.to_ascii_lowercase();
    let mut kinds = types.split(',').map(str::trim);
    match kinds.clone().find(|kind| !USAGE_TYPES.contains(kind)) {
        Some(kind) => Err(Refusal::invalid("usageTypes", kind)),
        None => Ok(kinds.any(|kind| kind == "download")),
    }
}

fn image_size(call: &Call) -> Result<u64, Refusal> {
    let size = call.number("imageSize")?.unwrap_or(50);
    if IMAGE_SIZES.contains(&size) {
        Ok(size)
    } else {
        Err(Refusal::invalid("imageSize", &size.to_string()))
    }
}

/// The comparison that `<column> <order>` asks for; purchases of one second keep their order.
fn order(sort: &str) -> Result<impl Fn(&Owned, &Owned) -> Ordering, Refusal> {
    let lower = sort.to_ascii_lowercase();
    let (column, direction) = lower.split_once(' ').unwrap_or((&lower, "asc"));
    let column: fn(&Owned, &Owned) -> Ordering = match column {
        "releasetitle" => |a, b| in_any_case(a.release.title, b.release.title),
        "artistname" => |a, b| in_any_case(a.release.artist, b.release.artist),
        "purchasedate" => |a, b| a.last_purchase.cmp(&b.last_purchase),
        _ => return Err(Refusal::invalid("sort", sort)),
    };
    let descending = match direction.trim() {
        "asc" => false,
        "desc" => true,
        _ => return Err(Refusal::invalid("sort", sort)),
    };
    Ok(move |a: &Owned, b: &Owned| {
        if descending {
            column(b, a)
        } else {
            column(a, b)
        }
    })
}

fn in_any_case(a: &str, b: &str) -> Ordering {
    a.to_lowercase().cmp(&b.to_lowercase())
}

/// A release, but for where and how it is sold.
pub(crate) fn release_node(release: &Release, image_size: u64) -> Node {
    let id = release.id;
    let named = |id: u64, name: &str| {
        let node = Node::default().attribute("id", id);
        node.element("name", name)
    };
    let image = format!("https://artwork.sandbox.example/sleeveart/{id:010}_{image_size}.jpg");
    Node::default()
        .attribute("id", id)
        .element("title", release.title)
        .element("version", release.version)
        .element("type", release.kind)
        .element("barcode", release.barcode)
        .child("artist", artist_node(release))
        .element("slug", format!("{}-{id}", slug(release.title)))
        .element("image", image)
        .child("label", named(116, "Sandbox & Sons Recordings"))
        .child("licensor", named(18, "Sandbox"))
}

pub(crate) fn artist_node(release: &Release) -> Node {
    Node::default()
        .attribute("id", release.artist_id)
        .element("name", release.artist)
        .element("appearsAs", release.artist)
        .element("slug", slug(release.artist))
}

fn locker_track(release: &Release, owned: &OwnedTrack, user_id: &str) -> Node {
    let id = Release::track_id(release.id, owned.number);
    let track = Node::default()
        .attribute("id", id)
        .element("title", owned.title)
        .element("version", "")
        .child("artist", artist_node(release))
        .element("trackNumber", owned.number)
        .element("duration", 150 + owned.number * 23)
        .element("isrc", format!("GBSBX19{:05}", id % 100_000))
        .element("slug", slug(release.title));
    let urls = [(17, "MP3 320"), (33, "M4A 320")].map(|(format, description)| {
        let node = Node::default()
            .attribute("id", format)
            .element("description", description);
        let url = download_url(release.id, id, format, user_id);
        Node::default().element("url", url).child("format", node)
    });
    let urls = Node::default().list("downloadUrl", urls.into());
    Node::default()
        .child("track", track)
        .element("remainingDownloads", 5_u64)
        .element("purchaseId", owned.purchase_id)
        .element("purchaseDate", timestamp(owned.purchased))
        .element("completeAlbumPurchase", owned.whole_release)
        .child("downloadUrls", urls)
}

/// A link that looks presigned, as 7digital's do; its signature is not valid.
fn download_url(release_id: u64, track_id: u64, format: u64, user_id: &str) -> String {
    let key = demo::CONSUMER_KEY;
    let user_id: String = user_id
        .chars()
        .filter(char::is_ascii_alphanumeric)
        .collect();
    format!(
        "http://media.sandbox.example/media/user/downloadtrack?formatid={format}&oauth_consumer_key={key}&presigned=1&releaseid={release_id}&trackid={track_id}&userid={user_id}&oauth_signature=c2FuZGJveC1saW5r%3D"
    )
}

/// A name for a URL: letters and digits, anything else a single hyphen.
fn slug(text: &str) -> String {
    let words = text
        .split(|char: char| !char.is_ascii_alphanumeric())
        .filter(|word| !word.is_empty());
    words.collect::<Vec<_>>().join("-").to_ascii_lowercase()
}
