//! The viewer page: plain files, embedded, with no build step.

/// A file of the page.
#[derive(Debug)]
pub(crate) struct Asset {
    /// Its name in the URL; the page itself has none.
    pub name: &'static str,
    /// Its media type.
    pub media: &'static str,
    /// Its content.
    pub content: &'static [u8],
}

macro_rules! asset {
    ($name:literal, $file:literal, $media:expr) => {
        Asset {
            name: $name,
            media: $media,
            content: include_bytes!(concat!("page/", $file)),
        }
    };
}

/// Modules must have a JavaScript type, or a browser refuses them.
const SCRIPT: &str = "text/javascript; charset=utf-8";

const ASSETS: &[Asset] = &[
    asset!("", "index.html", "text/html; charset=utf-8"),
    asset!("key.html", "key.html", "text/html; charset=utf-8"),
    asset!("page.css", "page.css", "text/css; charset=utf-8"),
    asset!("icon.svg", "icon.svg", "image/svg+xml"),
    asset!("page.js", "page.js", SCRIPT),
    asset!("stream.js", "stream.js", SCRIPT),
    asset!("cursor.js", "cursor.js", SCRIPT),
    asset!("follow.js", "follow.js", SCRIPT),
    asset!("log.js", "log.js", SCRIPT),
    asset!("readings.js", "readings.js", SCRIPT),
];

/// The asset at URL path `/name`.
pub(crate) fn asset(name: &str) -> Option<&'static Asset> {
    ASSETS.iter().find(|asset| asset.name == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_of_the_page_is_served() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/src/app/page");
        for entry in std::fs::read_dir(folder).unwrap() {
            let name = entry.unwrap().file_name().into_string().unwrap();
            let url = if name == "index.html" {
                ""
            } else {
                name.as_str()
            };
            let served = asset(url).unwrap_or_else(|| panic!("`{name}` is not served"));
            assert_eq!(
                served.content,
                std::fs::read(format!("{folder}/{name}")).unwrap(),
                "{name}"
            );
        }
    }
}
