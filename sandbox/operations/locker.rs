//! The locker: what a user has bought, sorted, filtered and paged.

use std::cmp::Ordering;

use crate::call::{Answer, Call, Refusal, timestamp};
use crate::demo;
use crate::document::Node;
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
    let place = |number: u64| usize::try_from(number).unwrap_or(usize::MAX);
    let start = place((page - 1).saturating_mul(page_size));
    let shown = locker.iter().skip(start).take(place(page_size));
    let releases = Node::default()
        .element("page", page)
        .element("pageSize", page_size)
        .element("totalItems", locker.len() as u64)
        .list(
            "lockerRelease",
            shown
                .map(|owned| locker_release(owned, image_size, &call.user_id))
                .collect(),
        );
    Ok(Answer::new(Node::default().child(
        "locker",
        Node::default().child("lockerReleases", releases),
    )))
}

/// A release of a locker, as the locker and purchases show it.
pub(crate) fn locker_release(owned: &Owned, image_size: u64, user_id: &str) -> Node {
    let tracks = owned
        .tracks
        .iter()
        .map(|track| locker_track(owned.release, track, user_id))
        .collect();
    Node::default()
        .child("release", release_node(owned.release, image_size))
        .child("lockerTracks", Node::default().list("lockerTrack", tracks))
        .element("available", owned.available)
}

/// What of a locker the call's filters leave.
fn select(locker: &[Owned], call: &Call) -> Result<Vec<Owned>, Refusal> {
    let (release_id, track_id) = (call.number("releaseId")?, call.number("trackId")?);
    let purchase_id = call.number("purchaseId")?;
    if let (None, Some(track_id)) = (release_id, track_id) {
        return Err(Refusal::invalid(
            "trackId",
            &format!("{track_id} (needs releaseId)"),
        ));
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
    let types: Vec<String> = types
        .split(',')
        .map(|kind| kind.trim().to_ascii_lowercase())
        .collect();
    match types
        .iter()
        .find(|kind| !USAGE_TYPES.contains(&kind.as_str()))
    {
        Some(kind) => Err(Refusal::invalid("usageTypes", kind)),
        None => Ok(types.iter().any(|kind| kind == "download")),
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
        "releasetitle" => |a, b| {
            a.release
                .title
                .to_lowercase()
                .cmp(&b.release.title.to_lowercase())
        },
        "artistname" => |a, b| {
            a.release
                .artist
                .to_lowercase()
                .cmp(&b.release.artist.to_lowercase())
        },
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

fn release_node(release: &Release, image_size: u64) -> Node {
    let id = release.id;
    let label = Node::default()
        .attribute("id", 116_u64)
        .element("name", "Sandbox & Sons Recordings");
    Node::default()
        .attribute("id", id)
        .element("title", release.title)
        .element("version", release.version)
        .element("type", release.kind)
        .element("barcode", release.barcode)
        .child("artist", artist_node(release))
        .element("slug", format!("{}-{id}", slug(release.title)))
        .element(
            "image",
            format!("http://artwork.sandbox.example/sleeveart/{id:010}_{image_size}.jpg"),
        )
        .child("label", label)
        .child(
            "licensor",
            Node::default()
                .attribute("id", 18_u64)
                .element("name", "Sandbox"),
        )
        .child(
            "download",
            Node::default().element("releaseDate", "2019-10-21T00:00:00Z"),
        )
}

fn artist_node(release: &Release) -> Node {
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
        Node::default()
            .element("url", download_url(release.id, id, format, user_id))
            .child(
                "format",
                Node::default()
                    .attribute("id", format)
                    .element("description", description),
            )
    });
    Node::default()
        .child("track", track)
        .element("remainingDownloads", 5_u64)
        .element("purchaseId", owned.purchase_id)
        .element("purchaseDate", timestamp(owned.purchased))
        .element("completeAlbumPurchase", owned.whole_release)
        .child(
            "downloadUrls",
            Node::default().list("downloadUrl", urls.into()),
        )
}

/// A link that looks presigned, as 7digital's do; its signature is good for nothing.
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

/// A name for an address: letters and digits, anything else a single hyphen.
fn slug(text: &str) -> String {
    let words = text
        .split(|char: char| !char.is_ascii_alphanumeric())
        .filter(|word| !word.is_empty());
    words.collect::<Vec<_>>().join("-").to_ascii_lowercase()
}
