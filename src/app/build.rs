//! Makes the page's files ready to be embedded: without comments, gzipped, with their media types
//! and entity tags. On the machine that builds, so that a board has nothing to compress; the files
//! stay plain in the repository.

use std::env;
use std::error::Error;
use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;
use std::path::Path;

use flate2::{Compression, GzBuilder};

fn main() -> Result<(), Box<dyn Error>> {
    let folder = Path::new(&env::var("CARGO_MANIFEST_DIR")?).join("src/app/page");
    let out = env::var("OUT_DIR")?;
    let out = Path::new(&out);
    println!("cargo::rerun-if-changed=src/app/build.rs");
    println!("cargo::rerun-if-changed=src/app/page");
    let mut names = Vec::new();
    for entry in fs::read_dir(&folder)? {
        names.push(
            entry?
                .file_name()
                .into_string()
                .map_err(|name| format!("{name:?} is not UTF-8"))?,
        );
    }
    // The same table wherever it is built.
    names.sort();
    let mut table = String::from("&[\n");
    for name in names {
        let mut content = fs::read(folder.join(&name))?;
        if name.ends_with(".js") || name.ends_with(".css") {
            content = uncommented(str::from_utf8(&content)?).into_bytes();
        }
        // No name, no time: the same bytes wherever it is built.
        let mut gzip = GzBuilder::new().write(Vec::new(), Compression::best());
        gzip.write_all(&content)?;
        fs::write(out.join(format!("{name}.gz")), gzip.finish()?)?;
        // The page itself has no name in its URL.
        let url = if name == "index.html" { "" } else { &name };
        writeln!(
            table,
            "Asset {{ name: {url:?}, media: {:?}, tag: \"{:016x}\", length: {}, \
             gzip: include_bytes!(concat!(env!(\"OUT_DIR\"), \"/{name}.gz\")) }},",
            media(&name).ok_or_else(|| format!("`src/app/page/{name}` has an unknown type"))?,
            fnv1a(&content),
            content.len(),
        )?;
    }
    table.push_str("]\n");
    fs::write(out.join("page.rs"), table)?;
    Ok(())
}

/// A module or style sheet without its comments, empty lines and indentation: they are a third of
/// what a phone would fetch. Comments stand on lines of their own, and no text goes on in the next
/// line.
fn uncommented(written: &str) -> String {
    let mut content = String::new();
    let mut is_comment = false;
    for line in written.lines() {
        let text = line.trim();
        is_comment |= text.starts_with("/*");
        if !is_comment && !text.is_empty() && !text.starts_with("//") {
            content.push_str(text);
            content.push('\n');
        }
        is_comment &= !text.ends_with("*/");
    }
    content
}

/// Modules must have a JavaScript type, or a browser refuses them.
fn media(name: &str) -> Option<&'static str> {
    Some(match name.rsplit_once('.')?.1 {
        "html" => "text/html; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "js" => "text/javascript; charset=utf-8",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "json" => "application/json",
        "webmanifest" => "application/manifest+json",
        _ => return None,
    })
}

/// FNV-1a, 64 bits: tells one content from another, no secret in it.
fn fnv1a(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, &byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}
