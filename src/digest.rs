//! SHA-256, and bytes as hexadecimal digits.

use sha2::{Digest as _, Sha256};

/// The SHA-256 of a text.
pub(crate) fn sha256(text: &str) -> [u8; 32] {
    Sha256::digest(text.as_bytes()).into()
}

/// Two digits for each byte, in small letters.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes
        .iter()
        .fold(String::new(), |hex, byte| format!("{hex}{byte:02x}"))
}

/// The digest that 64 digits stand for.
pub(crate) fn of_hex(digits: &str) -> Option<[u8; 32]> {
    let sound = digits.len() == 64 && digits.bytes().all(|digit| digit.is_ascii_hexdigit());
    let byte = |at| u8::from_str_radix(digits.get(at..at + 2)?, 16).ok();
    let bytes: Option<Vec<u8>> = (0..64).step_by(2).map(byte).collect();
    bytes.filter(|_| sound)?.try_into().ok()
}
