//! The page's files: once fetched they are not fetched again, and who can takes them gzipped.

use crate::folder::Folder;
use crate::http::{Answer, Connection};
use crate::server::Server;
use std::fs;
use std::io::Read;

fn decoded(answer: &Answer) -> Vec<u8> {
    let mut plain = Vec::new();
    match answer.header("Content-Encoding") {
        None => plain.clone_from(&answer.body),
        Some("gzip") => {
            let mut gzip = flate2::read::GzDecoder::new(&answer.body[..]);
            gzip.read_to_end(&mut plain).expect("gzip");
        }
        Some(other) => panic!("{other}: {answer:?}"),
    }
    plain
}

#[test]
fn each_file_in_both_forms_and_once() {
    let folder = Folder::new();
    let server = Server::start(&[folder.arg()]);
    let mut connection = Connection::open(&server);
    let page = concat!(env!("CARGO_MANIFEST_DIR"), "/src/app/page");
    let mut sum = 0;
    for entry in fs::read_dir(page).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        let target = format!("/{}", if name == "index.html" { "" } else { &name });
        let content = decoded(&connection.request("GET", &target, ""));
        // Scripts and styles come without their comments; which lines those are a unit test holds.
        if !name.ends_with(".js") && !name.ends_with(".css") {
            let written = fs::read(format!("{page}/{name}")).unwrap();
            assert_eq!(content, written, "{name}");
        }
        let mut tags = Vec::new();
        for (fields, gzipped) in [
            ("", false),
            ("Accept-Encoding: identity\r\n", false),
            ("Accept-Encoding: br, deflate\r\n", false),
            ("Accept-Encoding: gzip;q=0\r\n", false),
            ("Accept-Encoding: gzip, deflate\r\n", true),
            ("Accept-Encoding: deflate, GZIP;q=0.5\r\n", true),
        ] {
            let answer = connection.request("GET", &target, fields);
            assert_eq!(answer.status, 200, "{target}");
            let encoding = answer.header("Content-Encoding");
            assert_eq!(encoding, gzipped.then_some("gzip"), "{fields}");
            assert_eq!(decoded(&answer), content, "{target} {fields}");
            assert_eq!(answer.header("Vary"), Some("Accept-Encoding"));
            assert_eq!(answer.header("Cache-Control"), Some("no-cache"));
            let tag = answer.header("ETag").expect("ETag").to_owned();
            tags.push((gzipped, tag.clone()));
            if gzipped {
                sum += answer.body.len();
            }
            for (known, status) in [
                (tag.clone(), 304),
                (format!("W/{tag}"), 304),
                (format!("\"other\", {tag}"), 304),
                ("*".to_owned(), 304),
                ("\"other\"".to_owned(), 200),
                (tag.trim_matches('"').to_owned(), 200),
            ] {
                let fields = format!("{fields}If-None-Match: {known}\r\n");
                for method in ["GET", "HEAD"] {
                    let answer = connection.request(method, &target, &fields);
                    assert_eq!(answer.status, status, "{target} {fields}");
                    assert_eq!(answer.header("ETag"), Some(&tag[..]));
                    assert_eq!(answer.header("Vary"), Some("Accept-Encoding"));
                }
            }
        }
        // One form is not taken for the other; within a form nothing changes.
        for (one, other) in tags.iter().zip(&tags[1..]) {
            assert_eq!(one.0 == other.0, one.1 == other.1, "{tags:?}");
        }
    }
    // Each was asked for twice in this form.
    println!("{} bytes gzipped in all", sum / 2);
    // The connection is still in step after so many 304s.
    assert_eq!(connection.get("/health").text(), "ok\n");
}
