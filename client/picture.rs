//! Covers: pictures from 7digital's picture hosts, and from nowhere else.

use std::time::Duration;

use url::{Host, Url};

use crate::connection::{Opener, platform_tls};

/// How long a picture may take, from the connection to its last byte.
const TIMEOUT: Duration = Duration::from_secs(3);
/// Bytes of a picture at most.
const MAX_BYTES: usize = 1 << 20;
/// The domains that 7digital's pictures are under.
const DOMAINS: [&str; 2] = [".7digital.com", ".7static.com"];

/// A picture as it came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Picture {
    /// What its first bytes say that it is: `image/jpeg`, `image/png`, `image/gif` or `image/webp`.
    pub media_type: &'static str,
    /// The file.
    pub bytes: Vec<u8>,
}

/// Fetches a picture of 7digital's over `https`; none where the address is another's, or where it can't be had in 3 s and 1 MiB. Follows no redirect, and sends no credentials.
pub async fn fetch(address: &str) -> Option<Picture> {
    let address = Url::parse(address).ok().filter(is_theirs)?;
    let fetched = tokio::time::timeout(TIMEOUT, get(address)).await;
    let bytes = fetched.ok().flatten()?;
    let media_type = media_type(&bytes)?;
    Some(Picture { media_type, bytes })
}

async fn get(address: Url) -> Option<Vec<u8>> {
    let opener = Opener {
        user_agent: concat!("sevendigital-rs/", env!("CARGO_PKG_VERSION")).to_owned(),
        connect_timeout: TIMEOUT,
        is_loopback: false,
        tls: platform_tls().ok()?,
    };
    let request = opener.open(0).ok()?.get(address);
    let mut response = request.send().await.ok()?;
    if response.status() != reqwest::StatusCode::OK {
        return None;
    }
    let mut bytes = Vec::new();
    while let Some(part) = response.chunk().await.ok()? {
        bytes.extend_from_slice(&part);
        if bytes.len() > MAX_BYTES {
            return None;
        }
    }
    Some(bytes)
}

/// Whether an address is one of 7digital's pictures.
fn is_theirs(address: &Url) -> bool {
    let is_plain = address.scheme() == "https"
        && address.port().is_none()
        && address.username().is_empty()
        && address.password().is_none();
    let is_under = |host: &str| DOMAINS.iter().any(|domain| host.ends_with(domain));
    is_plain && matches!(address.host(), Some(Host::Domain(host)) if is_under(host))
}

fn media_type(bytes: &[u8]) -> Option<&'static str> {
    match bytes {
        [0xff, 0xd8, 0xff, ..] => Some("image/jpeg"),
        [0x89, b'P', b'N', b'G', 0x0d, 0x0a, 0x1a, 0x0a, ..] => Some("image/png"),
        [b'G', b'I', b'F', b'8', b'7' | b'9', b'a', ..] => Some("image/gif"),
        [
            b'R',
            b'I',
            b'F',
            b'F',
            _,
            _,
            _,
            _,
            b'W',
            b'E',
            b'B',
            b'P',
            ..,
        ] => Some("image/webp"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_picture_hosts_of_7digital_are_asked() {
        #[rustfmt::skip]
        let rows = [
            ("https://artwork-cdn.7static.com/static/img/sleeveart/00/003/208/0000320866_350.jpg", true),
            ("https://API.7DIGITAL.com/a.png", true),
            ("http://artwork-cdn.7static.com/a.jpg", false),
            ("https://7static.com.example/a.jpg", false),
            ("https://evil7static.com/a.jpg", false),
            ("https://7static.com/a.jpg", false),
            ("https://artwork-cdn.7static.com./a.jpg", false),
            ("https://artwork-cdn.7static.com:8443/a.jpg", false),
            ("https://artwork-cdn.7static.com@127.0.0.1/a.jpg", false),
            ("https://user@artwork-cdn.7static.com/a.jpg", false),
            ("https://127.0.0.1/.7static.com", false),
            ("file:///a.7static.com", false),
        ];
        for (address, expected) in rows {
            assert_eq!(
                is_theirs(&Url::parse(address).unwrap()),
                expected,
                "{address}"
            );
        }
    }

    #[test]
    fn a_picture_is_what_its_first_bytes_say() {
        #[rustfmt::skip]
        let rows: [(&[u8], _); 7] = [
            (b"\xff\xd8\xff\xe0\0\x10JFIF", Some("image/jpeg")),
            (b"\x89PNG\r\n\x1a\n\0", Some("image/png")),
            (b"GIF89a\0", Some("image/gif")),
            (b"RIFF\x24\0\0\0WEBPVP8 ", Some("image/webp")),
            (b"<svg xmlns='http://www.w3.org/2000/svg'/>", None),
            (b"<!doctype html>", None),
            (b"", None),
        ];
        for (bytes, expected) in rows {
            assert_eq!(media_type(bytes), expected, "{bytes:?}");
        }
    }
}
