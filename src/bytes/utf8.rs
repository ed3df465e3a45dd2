//! UTF-8 that comes in pieces.

/// How many bytes there are before a character that has begun but not ended.
pub(crate) fn whole_characters(bytes: &[u8]) -> usize {
    // A character has at most four bytes, so its first one is among the last three when it is cut.
    let from = bytes.len().saturating_sub(3);
    for start in from..bytes.len() {
        let need = match bytes[start] {
            0xc2..=0xdf => 2,
            0xe0..=0xef => 3,
            0xf0..=0xf4 => 4,
            _ => continue,
        };
        let cut = &bytes[start..];
        let unfinished =
            |error: std::str::Utf8Error| error.valid_up_to() == 0 && error.error_len().is_none();
        if cut.len() < need && std::str::from_utf8(cut).is_err_and(unfinished) {
            return start;
        }
    }
    bytes.len()
}
