//! What brokers say, byte by byte.

use super::*;

fn heard(version: Version, bytes: &[u8]) -> Result<Option<Reply>, Error> {
    read(version, &mut BytesMut::from(bytes))
}

#[test]
fn what_brokers_say() {
    use Version::{Five, Three};
    let welcome = |in_flight, keep_alive| Reply::Welcome {
        in_flight,
        keep_alive,
    };
    for (version, bytes, want) in [
        (
            Five,
            &[0x20, 0x03, 0x00, 0x00, 0x00][..],
            welcome(u16::MAX, None),
        ),
        // Receive Maximum 20, Server Keep Alive 15.
        (
            Five,
            &[0x20, 0x09, 0, 0, 6, 0x21, 0, 20, 0x13, 0, 15],
            welcome(20, Some(15)),
        ),
        (Three, &[0x20, 0x02, 0x00, 0x00], welcome(u16::MAX, None)),
        (Five, &[0x20, 0x02, 0x00, 0x01], Reply::OtherVersion),
        (Five, &[0x20, 0x03, 0x00, 0x84, 0x00], Reply::OtherVersion),
        (
            Five,
            &[0x20, 0x03, 0x00, 0x87, 0x00],
            Reply::Refused("not authorized".into()),
        ),
        (
            Three,
            &[0x20, 0x02, 0x00, 0x05],
            Reply::Refused("not authorized".into()),
        ),
        (
            Five,
            &[0x20, 0x05, 0, 0, 2, 0x25, 0],
            Reply::Refused("it keeps no messages, or confirms none".into()),
        ),
        (Five, &[0x40, 0x02, 0x00, 0x07], Reply::Taken(7)),
        (Five, &[0x40, 0x03, 0x00, 0x07, 0x10], Reply::Taken(7)),
        (
            Five,
            &[0x40, 0x03, 0x00, 0x07, 0x87],
            Reply::Denied(7, "not authorized".into()),
        ),
        (Three, &[0x40, 0x02, 0x00, 0x07], Reply::Taken(7)),
        (Five, &[0x90, 0x04, 0, 1, 0, 0x00], Reply::Subscribed),
        (Five, &[0x90, 0x04, 0, 1, 0, 0x87], Reply::NotSubscribed),
        (Three, &[0x90, 0x03, 0, 1, 0x80], Reply::NotSubscribed),
        (Five, &[0xd0, 0x00], Reply::Pong),
        (Five, &[0xe0, 0x01, 0x8e], Reply::TakenOver),
        (Five, &[0xe0, 0x02, 0x8e, 0x00], Reply::TakenOver),
        (Five, &[0xe0, 0x00], Reply::Goodbye(0)),
        (Five, &[0xb0, 0x04, 0, 1, 0, 0x11], Reply::Other),
    ] {
        assert_eq!(
            heard(version, bytes),
            Ok(Some(want)),
            "{version:?} {bytes:x?}"
        );
        for cut in 0..bytes.len() {
            assert_eq!(
                heard(version, &bytes[..cut]),
                Ok(None),
                "{bytes:x?} up to {cut}"
            );
        }
    }
}

#[test]
fn what_no_broker_says_is_an_error_and_never_a_panic() {
    let huge = [0x30, 0xff, 0xff, 0xff, 0x7f, 0];
    assert!(heard(Version::Five, &huge).is_err(), "longer than we take");
    // Every packet of up to four bytes behind its head, as far as it is told from others.
    for version in [Version::Five, Version::Three] {
        for first in 0..=u8::MAX {
            for body in [
                &[][..],
                &[0],
                &[0, 0],
                &[0, 9, 1],
                &[0xff; 4],
                &[0, 1, 0xff, 0x26],
            ] {
                let mut packet = vec![first, u8::try_from(body.len()).unwrap()];
                packet.extend_from_slice(body);
                let _ = heard(version, &packet);
            }
            // No length, in two bytes.
            let _ = heard(version, &[first, 0x80, 0]);
        }
    }
}

#[test]
fn a_message_is_read_back_as_it_was_written() {
    let properties = vec![("Tailcast-Bytes".to_owned(), "7".to_owned())];
    let message = || Message {
        topic: "tailcast/pi1/x",
        id: 3,
        payload: "21.5 °C",
        properties: properties.clone(),
    };
    let mut five = publish(Version::Five, message()).unwrap();
    assert_eq!(five[0], 0x33, "at least once, retained");
    let retained = |properties| {
        let payload = "21.5 °C".into();
        Reply::Retained(
            "tailcast/pi1/x".to_owned(),
            Retained {
                payload,
                properties,
            },
        )
    };
    assert_eq!(
        read(Version::Five, &mut five),
        Ok(Some(retained(properties.clone())))
    );
    let mut three = publish(Version::Three, message()).unwrap();
    assert_eq!(
        read(Version::Three, &mut three),
        Ok(Some(retained(Vec::new())))
    );
}
