//! The viewer page: plain files in `page/`, embedded by `build.rs`, gzipped, without comments and
//! indentation.

use std::borrow::Cow;

use miniz_oxide::inflate::decompress_to_vec_with_limit;

use crate::http::head::Request;
use crate::http::response::Response;

/// What stands before and behind the deflated bytes, in bytes: a header without a name and a
/// trailer (RFC 1952 section 2.3).
const GZIP_HEADER: usize = 10;
const GZIP_TRAILER: usize = 8;

/// A file of the page.
#[derive(Debug)]
pub(crate) struct Asset {
    /// Its name in the URL; the page itself has none.
    name: &'static str,
    /// Its media type.
    pub(crate) media: &'static str,
    /// A hash of its content.
    tag: &'static str,
    /// How long it is, in bytes.
    length: usize,
    /// Its content, gzipped.
    gzip: &'static [u8],
}

const ASSETS: &[Asset] = include!(concat!(env!("OUT_DIR"), "/page.rs"));

/// The asset at URL path `/name`.
pub(crate) fn asset(name: &str) -> Option<&'static Asset> {
    ASSETS.iter().find(|asset| asset.name == name)
}

impl Asset {
    /// The content: for the few who do not take gzip.
    pub(crate) fn plain(&self) -> Vec<u8> {
        let end = self.gzip.len().saturating_sub(GZIP_TRAILER);
        let deflated = self.gzip.get(GZIP_HEADER..end).unwrap_or_default();
        // What `build.rs` has deflated can be inflated: a test does it for each.
        decompress_to_vec_with_limit(deflated, self.length).unwrap_or_default()
    }

    /// The answer to a request for it: 304 to who has it already (RFC 9110 section 13.1.2).
    pub(crate) fn answer(&self, request: &Request) -> Response {
        let gzipped = request.takes("Accept-Encoding", "gzip");
        // Two forms of one file are two representations (section 8.8.3.3).
        let tag = format!("\"{}{}\"", self.tag, if gzipped { "-gzip" } else { "" });
        let fields = vec![
            // Kept, and asked for again each time: a new version is seen at the next load.
            ("Cache-Control", "no-cache".into()),
            ("ETag", tag.clone()),
            ("Vary", "Accept-Encoding".into()),
        ];
        let is_known = |known: &str| known == "*" || known.trim_start_matches("W/") == tag;
        if request.list("If-None-Match").any(is_known) {
            return Response::new(304, fields, &[][..]);
        }
        let body: Cow<'static, [u8]> = match gzipped {
            true => self.gzip.into(),
            false => self.plain().into(),
        };
        let whole = Response::new(200, fields, body).with("Content-Type", self.media);
        match gzipped {
            true => whole.with("Content-Encoding", "gzip"),
            false => whole,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    fn file(name: &str) -> Vec<u8> {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/src/app/page");
        std::fs::read(format!("{folder}/{name}")).unwrap()
    }

    #[test]
    fn every_file_of_the_page_is_served() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/src/app/page");
        for entry in std::fs::read_dir(folder).unwrap() {
            let name = entry.unwrap().file_name().into_string().unwrap();
            let url = if name == "index.html" { "" } else { &name };
            let served = asset(url).unwrap_or_else(|| panic!("`{name}` is not served"));
            if !name.ends_with(".js") && !name.ends_with(".css") {
                assert_eq!(served.plain(), file(&name), "{name}");
                continue;
            }
            let served = String::from_utf8(served.plain()).unwrap();
            let mut served = served.lines().peekable();
            for line in String::from_utf8(file(&name)).unwrap().lines() {
                let text = line.trim();
                if served.next_if_eq(&text).is_none() {
                    let is_comment = ["//", "/*", "*"].iter().any(|mark| text.starts_with(mark));
                    assert!(
                        is_comment || text.is_empty(),
                        "{name}: `{line}` is left out"
                    );
                } else {
                    // Nor would a line of a template be taken for a comment.
                    let quotes = line.matches('`').count();
                    assert_eq!(
                        quotes % 2,
                        0,
                        "{name}: the text in `{line}` goes on in the next"
                    );
                }
            }
            assert_eq!(served.next(), None, "{name}");
        }
    }

    /// What a module imports of its own, without a call: `import()` fetches later, on purpose.
    fn imports(name: &str) -> Vec<String> {
        let text = String::from_utf8(file(name)).unwrap();
        let quoted = text.split(['\'', '"']);
        let before_and_name = quoted.clone().zip(quoted.skip(1));
        let imported = before_and_name.filter(|(before, _)| {
            let before = before.trim_end();
            before.ends_with("from") || before.ends_with("import")
        });
        let own = imported.filter_map(|(_, name)| name.strip_prefix("./"));
        own.map(str::to_owned).collect()
    }

    /// Else a browser learns of each module only from the one that imports it, a round trip for
    /// each step.
    #[test]
    fn every_module_is_preloaded() {
        let page = String::from_utf8(file("index.html")).unwrap();
        let links = page.split("<link").skip(1);
        let links = links.map(|link| link.split('>').next().unwrap());
        let links = links.filter(|link| link.contains("rel=\"modulepreload\""));
        let preloaded: BTreeSet<String> = links
            .map(|link| link.split("href=\"").nth(1).unwrap())
            .map(|rest| rest.split('"').next().unwrap().to_owned())
            .collect();
        let mut wanted = BTreeSet::new();
        let mut found = imports("page.js");
        while let Some(name) = found.pop() {
            if wanted.insert(name.clone()) {
                found.extend(imports(&name));
            }
        }
        assert!(!wanted.is_empty(), "the page imports nothing");
        assert_eq!(preloaded, wanted);
    }
}
