//! Another file in the place of the followed one: the old one is sent to its end, then the new one
//! from its start.

use crate::chapters::follow::{assert_at_start_of, breaks, scene};
use crate::client::Client;
use crate::dice::Dice;
use crate::folder::{Folder, rename};
use crate::http::Connection;
use crate::server::Server;
use crate::writer::{Writer, assert_lines, lines};
use std::fs::{self, File};
use std::os::unix::fs::symlink;

#[test]
fn rotated_while_the_writer_goes_on_in_the_old_file() {
    for folder in Folder::each() {
        let (_server, mut writer, mut client) = scene(&folder);
        folder.rotate();
        File::create(&folder.log).unwrap();
        writer.write(50);
        assert_eq!(client.bytes_until(writer.last()), lines(101..=150));
        assert_eq!(breaks(&client), [], "the old file has not ended yet");

        writer.reopen();
        writer.write(10);
        assert_eq!(client.bytes_until(writer.last()), lines(151..=160));
        assert_eq!(breaks(&client), [(lines(1..=150).len() as u64, "rotated")]);
        assert_at_start_of(&folder.log, &client.events.last().unwrap().1);
    }
}

#[test]
fn rotated_with_the_old_file_s_last_lines_unread() {
    for folder in Folder::each() {
        let (server, mut writer, mut client) = scene(&folder);
        server.between_two_looks(|| {
            writer.write(30);
            folder.rotate();
            writer.write(20);
            writer.reopen();
            writer.write(10);
        });
        assert_eq!(client.bytes_until(writer.last()), lines(101..=160));
        assert_eq!(breaks(&client), [(lines(1..=150).len() as u64, "rotated")]);
    }
}

#[test]
fn renamed_over() {
    for folder in Folder::each() {
        let (server, mut writer, mut client) = scene(&folder);
        for version in 0..5 {
            let content = format!("version {version}\n").repeat(10 - version);
            folder.replace(&content);
            let rotated = client.event("rotated");
            assert_at_start_of(&folder.log, &rotated);
            // The last of ten equal lines: the first ones arrive with it, or before.
            let mut bytes = Vec::new();
            while bytes.len() < content.len() {
                bytes.extend(client.bytes_until("\n"));
            }
            assert_eq!(String::from_utf8(bytes).unwrap(), content);
        }

        // What nobody had seen yet of the file that is gone from the directory comes first.
        writer.reopen();
        server.between_two_looks(|| {
            writer.write(10);
            folder.replace("the new one\n");
        });
        let expected = [lines(101..=110), b"the new one\n".to_vec()].concat();
        assert_eq!(client.bytes_until("the new one\n"), expected);
    }
}

#[test]
fn symbolic_link_re_pointed() {
    for folder in Folder::each() {
        let point_to = |target: &str| {
            symlink(target, folder.path("link~")).unwrap();
            rename(&folder.path("link~"), &folder.log);
        };
        fs::create_dir(folder.path("other")).unwrap();
        let (first, second) = (folder.path("first.log"), folder.path("other/second.log"));
        let mut old = Writer::start(&first);
        old.write(10);
        point_to("first.log");
        let server = Server::start(&[folder.arg()]);
        let mut client = Client::connect(&server, "/stream/app.log?from=start");
        old.write(10);
        assert_eq!(client.bytes_until(old.last()), lines(1..=20));

        let mut new = Writer::start(&second);
        new.write(5);
        server.between_two_looks(|| {
            old.write(1);
            point_to("other/second.log");
        });
        assert_eq!(
            client.bytes_until(new.last()),
            lines((21..=21).chain(1..=5))
        );
        assert_eq!(breaks(&client), [(lines(1..=21).len() as u64, "rotated")]);
        assert_at_start_of(&second, &client.events.last().unwrap().1);

        // The file behind the link is followed like any other, in a directory that the link is not
        // in.
        new.write(5);
        assert_eq!(client.bytes_until(new.last()), lines(6..=10));
        rename(&second, &folder.path("other/second.log.1"));
        new.reopen();
        new.write(5);
        assert_eq!(client.bytes_until(new.last()), lines(11..=15));
        assert_eq!(breaks(&client).len(), 2, "{:?}", client.events);
    }
}

#[test]
fn deleted_and_back_again() {
    for folder in Folder::each() {
        let (_server, mut writer, mut client) = scene(&folder);
        fs::remove_file(&folder.log).unwrap();
        client.event("missing");
        // Nobody can see it any more, but the writer still holds it, and so do we.
        writer.write(5);
        assert_eq!(client.bytes_until(writer.last()), lines(101..=105));

        writer.reopen();
        writer.write(5);
        assert_eq!(client.bytes_until(writer.last()), lines(106..=110));
        assert_eq!(client.event_names(), ["missing", "found", "rotated"]);
        assert_eq!(breaks(&client), [(lines(1..=105).len() as u64, "rotated")]);
        assert_at_start_of(&folder.log, &client.events.last().unwrap().1);
    }
}

#[test]
fn five_rotations_between_two_looks() {
    for folder in Folder::each() {
        let (server, mut writer, mut client) = scene(&folder);
        let mut expected = Vec::new();
        server.between_two_looks(|| {
            for _ in 0..5 {
                writer.write(10);
                expected.push((writer.everything().len() as u64, "rotated"));
                folder.rotate();
                writer.reopen();
            }
            writer.write(10);
        });
        assert_eq!(client.bytes_until(writer.last()), lines(101..=160));
        assert_eq!(breaks(&client), expected);
    }
}

/// Each file is larger than what the sockets hold, so the client stands in the first while the
/// sixth is written.
#[test]
fn five_rotations_while_a_client_is_stopped() {
    let folder = Folder::new();
    let (server, mut writer, mut witness) = scene(&folder);
    let descriptors = server.descriptors();
    let narrow = Connection::narrow(&server);
    let mut stopped = Client::over(narrow, "/stream/app.log?from=start");
    let (mut expected, mut at) = (Vec::new(), 0);
    for _ in 0..5 {
        writer.write(80_000);
        // The server has seen each file, as it does when rotations are hours apart.
        witness.bytes_until(writer.last());
        at += fs::metadata(&folder.log).unwrap().len();
        expected.push((at, "rotated"));
        folder.rotate();
        writer.reopen();
    }
    writer.write(100);
    witness.bytes_until(writer.last());

    let bytes = stopped.bytes_until(writer.last());
    assert_lines(&bytes, 1..=writer.written);
    assert_eq!(breaks(&stopped), expected);
    assert_eq!(breaks(&witness), expected);

    // The last reader to leave a file closes it.
    stopped.disconnect();
    crate::deadline::until_true("the old files to be closed", || {
        server.descriptors() <= descriptors
    });
}

/// Two hundred things in an order nobody thought of, with one client that reads along and one that
/// reads now and then.
#[test]
fn in_any_order() {
    for folder in Folder::each() {
        let mut dice = Dice(0x0dd_ba11);
        let (server, mut writer, mut prompt) = scene(&folder);
        let narrow = Connection::narrow(&server);
        let mut late = Client::over(narrow, "/stream/app.log?from=start");
        late.bytes_until(writer.last());
        let (mut by_prompt, mut by_late) = (Vec::new(), Vec::new());
        for step in 0..200 {
            match dice.below(8) {
                0..4 => writer.write(1 + dice.below(300)),
                4 => {
                    folder.rotate();
                    writer.write(dice.below(50));
                    writer.reopen();
                    writer.write(1 + dice.below(50));
                }
                5 => server.between_two_looks(|| {
                    for _ in 0..1 + dice.below(3) {
                        writer.write(dice.below(20));
                        folder.rotate();
                        writer.reopen();
                        writer.write(1 + dice.below(20));
                    }
                }),
                // What is nowhere in the directory any more must have been seen to be sent.
                6 => {
                    writer.write(1);
                    by_prompt.extend(prompt.bytes_until(writer.last()));
                    folder.replace("");
                    writer.write(1 + dice.below(10));
                    by_prompt.extend(prompt.bytes_until(writer.last()));
                    writer.reopen();
                    writer.write(1);
                    by_prompt.extend(prompt.bytes_until(writer.last()));
                }
                _ => {
                    writer.write(1);
                    by_prompt.extend(prompt.bytes_until(writer.last()));
                    fs::remove_file(&folder.log).unwrap();
                    writer.reopen();
                    writer.write(1);
                    by_prompt.extend(prompt.bytes_until(writer.last()));
                }
            }
            if step % 40 == 0 {
                writer.write(1);
                by_late.extend(late.bytes_until(writer.last()));
            }
        }
        writer.write(1);
        by_prompt.extend(prompt.bytes_until(writer.last()));
        by_late.extend(late.bytes_until(writer.last()));
        for (client, bytes) in [(prompt, by_prompt), (late, by_late)] {
            assert_lines(&bytes, 101..=writer.written);
            let breaks = breaks(&client);
            let told = breaks.iter().all(|(_, name)| *name == "rotated");
            assert!(told, "nothing was lost, but this was told: {breaks:?}");
        }
    }
}
