//! Patterns and the lines that they want.

use super::*;

fn matcher(terms: &[&str]) -> Result<Matcher, BadPattern> {
    let term = |term: &&str| match term.strip_prefix("not ") {
        Some(text) => (Sense::Unwanted, text.to_owned()),
        None => (Sense::Wanted, (*term).to_owned()),
    };
    Matcher::new(&terms.iter().map(term).collect::<Vec<_>>())
}

#[test]
fn lines_that_fit_and_that_do_not() {
    type Row = (
        &'static [&'static str],
        &'static [&'static str],
        &'static [&'static str],
    );
    let table: [Row; 14] = [
        (&[], &["", "anything"], &[]),
        (
            &["error"],
            &["error", "An ERROR", "terrors"],
            &["", "eror", "e r r o r"],
        ),
        (&["Error"], &["Error", "anError!"], &["error", "ERROR"]),
        (&["404"], &["x404x"], &["40 4"]),
        (&["grün"], &["GRüN", "grün"], &["GRÜN", "grun"]),
        (&["Ärger"], &["Ärger"], &["ärger", "ÄRGER"]),
        (&["a", "b"], &["ab", "b a"], &["a", "b", ""]),
        (&["not debug"], &["", "info"], &["DEBUG x", "debug"]),
        (&["a", "not b"], &["a", "A"], &["ab", "b", ""]),
        (&["/^e.*r$/"], &["er", "eager", "er\r"], &["ER", "era", ""]),
        (&["/(?i)^e/", "not /r$/"], &["E", "ea"], &["er", "x"]),
        (&["//"], &["http://x"], &["http:/x"]),
        (&["/"], &["a/b"], &["ab"]),
        (&["/dev"], &["/DEV/tty"], &["dev"]),
    ];
    for (terms, fit, differ) in table {
        let matcher = matcher(terms).unwrap();
        for (lines, want) in [(fit, true), (differ, false)] {
            for line in lines {
                assert_eq!(
                    matcher.is_match(line.as_bytes()),
                    want,
                    "{line:?} for {terms:?}"
                );
            }
        }
        // The same, all in one block, however it ends.
        for end in ["", "\n"] {
            let block = [fit, differ, fit].concat().join("\n") + end;
            let mut found = Vec::new();
            matcher.lines(block.as_bytes(), LineEnd::Newline, |at| {
                found.push(&block[at])
            });
            // An empty rest behind the last newline is no line.
            let mut want = [fit, fit].concat();
            if block.is_empty() || (end.is_empty() && block.ends_with('\n')) {
                want.pop();
            }
            assert_eq!(found, want, "{terms:?} in {block:?}");
        }
    }
}

#[test]
fn invalid_utf_8() {
    let broken = b"\xff\xfeerror \xe2\x82";
    for (term, want) in [
        ("error", true),
        ("/error/", true),
        ("/^..error/", true),
        ("ERROR", false),
    ] {
        assert_eq!(matcher(&[term]).unwrap().is_match(broken), want, "{term}");
    }
}

#[test]
fn what_holds_for_a_beginning_holds_for_the_line() {
    for (terms, want) in [
        (&["a"][..], true),
        (&["a", "b"], false),
        (&["a", "not b"], false),
        (&["/a/"], false),
    ] {
        assert_eq!(
            matcher(terms).unwrap().is_match_already(b"xa"),
            want,
            "{terms:?}"
        );
    }
}

#[test]
fn refusals_show_where() {
    let long = "x".repeat(PATTERN_MAX + 1);
    let bars = format!("/{}/", "a|".repeat(ALTERNATIVES_MAX + 1));
    let deep = format!("/{}a{}/", "(".repeat(20), ")".repeat(20));
    for (term, words) in [
        ("", "`match=` is empty"),
        ("not ", "`not=` is empty"),
        ("a\nb", "`match=a\\nb` has the end of a line"),
        (&long, "has more than 256 bytes"),
        (&bars, "has more than 64 alternatives"),
        (&deep, "too much nesting"),
        (
            "/a(b/",
            "`match=/a(b/` is no regular expression that can be used: at character 2 of it, `(b`: ",
        ),
        (
            "not /ä)/",
            "`not=/ä)/` is no regular expression that can be used: at character 2 of it, `)`: ",
        ),
        ("/[z-a]/", "at character 1 of it, `[z-a]`: invalid range"),
        (
            "/x(?=y)/",
            "at character 2 of it, `(?=y)`: look-around is not supported",
        ),
        (
            r"/(a)\1/",
            r"at character 4 of it, `\\1`: backreferences are not supported",
        ),
        ("/(?:a{100}){100}/", "size limit"),
    ] {
        let refusal = matcher(&[term]).err().unwrap().to_string();
        assert!(refusal.contains(words), "{term:?}: {refusal}");
        assert!(!refusal.contains('\n'), "{refusal}");
    }
    assert!(matcher(&["x"; TERMS_MAX + 1]).is_err());
    assert!(matcher(&["x"; TERMS_MAX]).is_ok());
}

#[test]
fn a_share_is_whole_lines() {
    let lines = b"0123456\n".repeat(4096);
    assert_eq!(
        matcher(&["x"]).unwrap().share(&lines, LineEnd::Newline),
        lines.len()
    );
    let regex = matcher(&["/x/"]).unwrap();
    assert_eq!(regex.share(&lines, LineEnd::Newline), PATTERN_BLOCK);
    assert_eq!(regex.share(&lines[..100], LineEnd::Newline), 100);
    let long = vec![b'x'; 20_000];
    assert_eq!(regex.share(&long, LineEnd::Newline), 20_000);
    assert_eq!(
        regex.share(&[&long[..], b"\nyyy"].concat(), LineEnd::Newline),
        20_001
    );
}
