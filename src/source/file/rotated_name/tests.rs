//! Names and what is recognised in them, as tables.

use super::*;

#[test]
fn names_that_belong() {
    for (name, candidates) in [
        (
            "app.log",
            // logrotate, newsyslog, Python's handlers, BusyBox, winston.
            &[
                "app.log.0",
                "app.log.1",
                "app.log.2",
                "app.log.12",
                "app.log.100",
                "app.log.old",
                "app.log-1",
                "app.log-20261125",
                "app.log-2026112510",
                "app.log-1795634761",
                "app.log-20261125-1",
                "app.log.20261125",
                "app.log.2026-11-25",
                "app.log.2026-11-25_10",
                "app.log.2026-11-25_10-15",
                "app.log.2026-11-25_10-15-30",
                "app.log.2026-11-25T10_15",
                "app.log.2026-11-25.1",
                "app.log.2026-11",
                "app.log.2026",
                "app.log.202611",
                "app.log_1",
                "app.log_20261125",
                "app.log__2026-11-25_00-00-00",
                "app.log-old",
                "app.log.25-11-2026",
                "app.log.1.log",
                // Before the extension: spdlog, logback, log4j2, tracing, pm2, logrotate's
                // `extension`.
                "app.1.log",
                "app.2.log",
                "app.10.log",
                "app-1.log",
                "app-2.log",
                "app_1.log",
                "app_12.log",
                "app.old.log",
                "app-old.log",
                "app-20261125.log",
                "app-2026-11-25.log",
                "app.2026-11-25.log",
                "app.2026-11-25.0.log",
                "app.2026-11-25.12.log",
                "app-2026-11-25-1.log",
                "app-2026-11-25.1.log",
                "app-11-25-2026.log",
                "app-11-25-2026-1.log",
                "app_2026-11-25.log",
                "app_2026-11-25_10-15-30.log",
                "app__2026-11-25_00-00-00.log",
                "app.2026-11-25-10.log",
                "app.20261125.log",
                "app.20261125-101530.log",
                "app.2026-11-25T10_15_30.log",
                "app.2026-11-25_10.log",
            ][..],
        ),
        (
            "syslog",
            &[
                "syslog.1",
                "syslog.7",
                "syslog-1",
                "syslog_1",
                "syslog-20261125",
                "syslog.old",
                "syslog.2026-11-25",
            ],
        ),
        (
            "app.err.log",
            &[
                "app.err.log.1",
                "app.err.1.log",
                "app.err-2026-11-25.log",
                "app.err__2026-11-25_00-00-00.log",
            ],
        ),
        ("app 1.log", &["app 1.log.1", "app 1.2.log"]),
        (
            "current",
            &[
                "@4000000065f0c3a20bd2f3c4.s",
                "@4000000065f0c3a20bd2f3c4.u",
                "@400000003b4a39c23294b13c.s",
            ],
        ),
    ] {
        for candidate in candidates {
            assert!(
                RotatedName::of(name, candidate).is_some(),
                "{candidate} of {name}"
            );
        }
    }
}

#[test]
fn names_that_do_not() {
    for (name, candidates) in [
        (
            "app.log",
            &[
                "app.log",
                "app.log.",
                "app.log-",
                "app.log_",
                "app.log.1.gz",
                "app.log.2.xz",
                "app.log.1.zst",
                "app.log-20261125.gz",
                "app.1.log.gz",
                "app.log.secret",
                "app.log.1~",
                "app.log~",
                "app.log.bak",
                "app.log.1.bak",
                "app.log.swp",
                ".app.log.swp",
                "app.log.T",
                "app.log.1T",
                "app.log.T1",
                "app.log1",
                "app.log 1",
                "app.log.-1",
                "app.log.1-",
                "app.log..1",
                "app.log.1.2.3",
                "app.log.10.0.0.1",
                "app.10.0.0.1.log",
                "app-192.168.1.7.log",
                "app.log.0x1",
                "app.log.1a",
                "app.log.a1",
                "app.log.new",
                "app.log.OLD",
                "app.log.old.1",
                "app.log.older",
                "app-other.log",
                "app-v2.log",
                "app.v1.log",
                "app-2.0-beta.log",
                "app-error.log",
                "app.error.log",
                "app_error.log",
                "app.1",
                "app-1",
                "app_1",
                "app",
                "app.old",
                "app-20261125",
                "app1.log",
                "app.log.1.txt",
                "app.1.txt",
                "myapp.log.1",
                "my-app.log.1",
                "xapp.1.log",
                "App.log.1",
                "secret.txt",
                "secret.1.log",
                "app.log/1",
                "../app.log.1",
                "app.log.1/x",
                "app.log.\u{661}",
                "app.log.1\n",
                "app..log",
                "app.-.log",
                "app.log.2026-",
                "1.log",
                "",
            ][..],
        ),
        (".log", &["-1.log", "1.log", ".1", ".log1"]),
        (
            "syslog",
            &[
                "syslog",
                "syslog1",
                "syslog.conf",
                "syslog-ng",
                "syslog.1.gz",
                "sys.1",
            ],
        ),
        (
            "current",
            &[
                "current.1",
                "previous",
                "state",
                "lock",
                "@4000000065f0c3a20bd2f3c4",
                "@4000000065f0c3a20bd2f3c4.t",
                "@4000000065F0C3A20BD2F3C4.s",
                "@40000000.s",
                "4000000065f0c3a20bd2f3c4.s",
                "@4000000065f0c3a20bd2f3cg.s",
            ],
        ),
    ] {
        for candidate in candidates {
            assert_eq!(
                RotatedName::of(name, candidate),
                None,
                "{candidate} of {name}"
            );
        }
    }
}

#[test]
fn the_older_one() {
    for (name, oldest_first) in [
        (
            "app.log",
            &["app.log.12", "app.log.2", "app.log.1", "app.log.0"][..],
        ),
        (
            "app.log",
            &["app.log-20251231", "app.log-20260101", "app.log-20261125"],
        ),
        (
            "app.log",
            &[
                "app.2026-11-25.0.log",
                "app.2026-11-25.1.log",
                "app.2026-11-25.10.log",
                "app.2026-11-26.0.log",
            ],
        ),
        (
            "app.log",
            &[
                "app__2026-11-25_00-00-00.log",
                "app__2026-11-25_10-00-00.log",
            ],
        ),
        (
            "current",
            &["@4000000065f0c3a20bd2f3c4.s", "@4000000065f0c3a30bd2f3c4.u"],
        ),
    ] {
        let rotated_name: Vec<RotatedName> = oldest_first
            .iter()
            .map(|c| RotatedName::of(name, c).unwrap())
            .collect();
        for pair in rotated_name.windows(2) {
            assert_eq!(pair[0].series, pair[1].series, "{oldest_first:?}");
            assert_eq!(pair[0].age(&pair[1]), Ordering::Less, "{pair:?}");
            assert_eq!(pair[1].age(&pair[0]), Ordering::Greater, "{pair:?}");
        }
    }
    let rotated_name = |candidate| RotatedName::of("app.log", candidate).unwrap();
    assert!(rotated_name("app.log.3").is_next(&rotated_name("app.log.2")));
    assert!(!rotated_name("app.log.3").is_next(&rotated_name("app.log.1")));
}

#[test]
fn beside_the_target_of_a_link() {
    for (target, candidate, want) in [
        ("app-2026-11-25.log", "app-2026-11-24.log", true),
        ("app.20261125", "app.20261124", true),
        (
            "glog.INFO.20261125-101530.77",
            "glog.INFO.20261124-081530.1234",
            true,
        ),
        ("app3.log", "app12.log", true),
        ("2026-11-25.csv", "2026-11-24.csv", true),
        ("app-2026-11-25.log", "app-2026-11-25.log", false),
        ("app-2026-11-25.log", "app-2026-11-25.log.gz", false),
        ("app-2026-11-25.log", "other-2026-11-24.log", false),
        ("app-2026-11-25.log", "app-2026-11.log", false),
        ("app-2026-11-25.log", "secret", false),
        ("app.log", "app.txt", false),
        ("app.log", "app1.log", false),
        ("1app.log", "app1.log", false),
    ] {
        assert_eq!(
            RotatedName::beside(target, candidate).is_some(),
            want,
            "{candidate} of {target}"
        );
    }
    let older = RotatedName::beside("a-2026-11-25", "a-2026-11-09").unwrap();
    assert_eq!(
        older.age(&RotatedName::target("a-2026-11-25")),
        Ordering::Less
    );
}
