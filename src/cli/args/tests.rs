//! Command lines, and what is said of wrong ones.

use super::*;

fn run(words: &[&str]) -> Result<Args, String> {
    let words: Vec<String> = words.iter().map(|&word| word.to_owned()).collect();
    match parse(&words) {
        Ok(Asked::Run(args)) => Ok(*args),
        Ok(Asked::Print(text)) => Err(text),
        Err(error) => Err(error.to_string()),
    }
}

#[test]
fn both_ways_to_give_a_value() {
    for words in [
        ["--lines", "3", "--poll=1m", "x"].as_slice(),
        &["x", "--lines=3", "--poll", "60s"],
    ] {
        let args = run(words).unwrap();
        assert_eq!(
            (args.lines, args.poll, args.sources),
            (3, Duration::from_secs(60), vec!["x".to_owned()])
        );
    }
    let args = run(&["--", "--lines=3", "a=b"]).unwrap();
    assert_eq!(args.sources, ["--lines=3", "a=b"]);
}

#[test]
fn the_word_behind_an_option_is_its_value() {
    let args = run(&["--key", "--pass=word", "app.log"]).unwrap();
    assert_eq!(args.key.as_deref(), Some("--pass=word"));
    assert_eq!(args.sources, ["app.log"]);
    assert!(run(&["--host", "--origin=x"]).is_err());
    let args = run(&["--key-file", "-"]).unwrap();
    assert_eq!(args.key_file, Some(PathBuf::from("-")));
    let args = run(&["--key=a=b", "x=y"]).unwrap();
    assert_eq!(args.key.as_deref(), Some("a=b"));
    assert_eq!(args.sources, ["x=y"]);
}

#[test]
fn sizes() {
    for (text, want) in [
        ("1024", Some(1024)),
        ("256K", Some(256 << 10)),
        ("4m", Some(4 << 20)),
        ("64M", Some(64 << 20)),
        ("1", None),
        ("64.5M", None),
        ("99999999999999999999", None),
        ("M", None),
        ("", None),
        ("4MiB", None),
    ] {
        assert_eq!(size(text).ok(), want, "{text:?}");
    }
}

#[test]
fn errors_are_one_line_that_names_the_argument() {
    for (words, name) in [
        (["--nonsense"].as_slice(), "--nonsense"),
        (&["--lines"], "--lines"),
        (&["--lines", "many"], "--lines"),
        (&["--lines=-1"], "--lines"),
        (&["--poll", "5"], "--poll"),
        (&["--poll=0s"], "--poll"),
        (&["--heartbeat=1y"], "--heartbeat"),
        (&["--history=65M"], "--history"),
        (&["--history=K"], "--history"),
        (&["--history=+1K"], "--history"),
        (&["--history=0"], "--history"),
        (&["--max-clients=0"], "--max-clients"),
        (&["--listen", "8080"], "--listen"),
        (&["--as="], "--as"),
        (&["--as=a\nb"], "--as"),
        (&["--listen", "localhost:1"], "--listen"),
        (&["--quiet=yes"], "--quiet"),
        (&["--public=no"], "--public"),
        (&["--host=pi:80"], "--host"),
        (&["--origin=pi.example"], "--origin"),
        (&["--origin=http://pi.example/"], "--origin"),
        (&["--origin=null"], "--origin"),
        (&["--origin=*"], "--origin"),
    ] {
        let error = run(words).unwrap_err();
        assert!(
            error.contains(name) && error.lines().count() == 1,
            "{words:?}: {error}"
        );
    }
}

#[test]
fn standard_input_is_no_option() {
    for words in [&["-"][..], &["--", "-"], &["--quiet", "-"]] {
        assert_eq!(run(words).unwrap().sources, ["-"], "{words:?}");
    }
    let error = run(&["--lines", "-"]).unwrap_err();
    assert!(
        error.contains("--lines") && error.contains("`-`"),
        "{error}"
    );
}
