//! The packets of MQTT that a publisher needs, in both versions: 5.0, and 3.1.1 for a broker that
//! knows no other. Pure: no runtime, no file, no socket.

use bytes::BytesMut;
use mqttbytes::{Error, PacketType, QoS, check, v4, v5};

/// The longest packet that is taken, in bytes: a line of 64 KiB, each byte of which may have become
/// a character of three. A broker of version 5 is told, and sends nothing longer.
pub(crate) const PACKET_MAX: usize = 256 * 1024;

/// Which MQTT is spoken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Version {
    /// 5.0 (OASIS, 2019): messages have user properties, answers have reasons.
    Five,
    /// 3.1.1 (OASIS, 2014): neither.
    Three,
}

/// Who connects, and what is to be told when it goes without a word.
pub(crate) struct Hello<'a> {
    /// A second connection of this name ends the first.
    pub(crate) client: &'a str,
    /// User and password.
    pub(crate) login: Option<&'a (String, String)>,
    /// What the broker is to publish when we are gone.
    pub(crate) will: Option<Message<'a>>,
    /// How long the broker waits for the next packet, in seconds (it takes half of it again).
    pub(crate) keep_alive: u16,
}

/// One message.
#[derive(Clone)]
pub(crate) struct Message<'a> {
    /// Where it goes.
    pub topic: &'a str,
    /// Its number until the broker has confirmed it, from 1 on.
    pub id: u16,
    /// What it says.
    pub payload: &'a str,
    /// Names and values beside it; version 3.1.1 has none.
    pub properties: Vec<(String, String)>,
}

/// A message that the broker keeps.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Retained {
    /// What it says.
    pub(crate) payload: Vec<u8>,
    /// Names and values beside it; none in version 3.1.1.
    pub(crate) properties: Vec<(String, String)>,
}

/// What a broker says.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Reply {
    /// It takes us.
    Welcome {
        /// How many messages it takes before it has confirmed the first.
        in_flight: u16,
        /// How long it waits for the next packet, in seconds, where it knows better than we.
        keep_alive: Option<u16>,
    },
    /// It does not, for this reason.
    Refused(String),
    /// It does not know this version.
    OtherVersion,
    /// It has the message of this number.
    Taken(u16),
    /// It does not take the message of this number, for this reason.
    Denied(u16, String),
    /// We may hear a topic.
    Subscribed,
    /// We may not.
    NotSubscribed,
    /// A message that it keeps, and its topic.
    Retained(String, Retained),
    /// The answer to a ping.
    Pong,
    /// Another client has our name now.
    TakenOver,
    /// It ends the connection, with the code of version 5 (section 3.14.2.1).
    Goodbye(u8),
    /// Something that a publisher does not need.
    Other,
}

/// Code of DISCONNECT: another client has connected under the same name (MQTT 5.0 section
/// 3.14.2.1).
const SESSION_TAKEN_OVER: u8 = 0x8e;

/// The next packet of those that were `received`; `None` until it is whole.
///
/// # Errors
/// When it is none, or longer than [`PACKET_MAX`].
pub(crate) fn read(version: Version, received: &mut BytesMut) -> Result<Option<Reply>, Error> {
    let header = match check(received.iter(), PACKET_MAX) {
        Ok(header) => header,
        Err(Error::InsufficientBytes(_)) => return Ok(None),
        Err(error) => return Err(error),
    };
    let packet = received.split_to(header.frame_length()).freeze();
    // Not by the codec's own `read`: it wants properties of a DISCONNECT, which may be left out,
    // and it brings the code for packets that no broker sends.
    let heard = match (version, header.packet_type()?) {
        (_, PacketType::PingResp) => Reply::Pong,
        (_, PacketType::Disconnect) => match packet.get(2).copied().unwrap_or_default() {
            SESSION_TAKEN_OVER => Reply::TakenOver,
            code => Reply::Goodbye(code),
        },
        (Version::Five, PacketType::ConnAck) => match v5::ConnAck::read(header, packet) {
            // How a broker of 3.1.1 says it.
            Err(Error::InvalidConnectReturnCode(1)) => Reply::OtherVersion,
            ack => welcome(ack?),
        },
        (Version::Three, PacketType::ConnAck) => match v4::ConnAck::read(header, packet)?.code {
            v4::ConnectReturnCode::Success => Reply::Welcome {
                in_flight: u16::MAX,
                keep_alive: None,
            },
            v4::ConnectReturnCode::RefusedProtocolVersion => Reply::OtherVersion,
            code => Reply::Refused(words(&format!("{code:?}"))),
        },
        (Version::Five, PacketType::PubAck) => {
            use v5::PubAckReason as Reason;
            let ack = v5::PubAck::read(header, packet)?;
            match ack.reason {
                Reason::Success | Reason::NoMatchingSubscribers => Reply::Taken(ack.pkid),
                reason => Reply::Denied(ack.pkid, words(&format!("{reason:?}"))),
            }
        }
        (Version::Three, PacketType::PubAck) => {
            Reply::Taken(v4::PubAck::read(header, packet)?.pkid)
        }
        (Version::Five, PacketType::SubAck) => {
            use v5::SubscribeReasonCode as Code;
            match v5::SubAck::read(header, packet)?.return_codes.first() {
                Some(Code::QoS0 | Code::QoS1 | Code::QoS2) => Reply::Subscribed,
                _ => Reply::NotSubscribed,
            }
        }
        (Version::Three, PacketType::SubAck) => {
            match v4::SubAck::read(header, packet)?.return_codes.first() {
                Some(v4::SubscribeReasonCode::Success(_)) => Reply::Subscribed,
                _ => Reply::NotSubscribed,
            }
        }
        (Version::Five, PacketType::Publish) => {
            let publish = v5::Publish::read(header, packet)?;
            let properties = publish.properties.map(|it| it.user_properties);
            let properties = properties.unwrap_or_default();
            retained(publish.retain, publish.topic, &publish.payload, properties)
        }
        (Version::Three, PacketType::Publish) => {
            let publish = v4::Publish::read(header, packet)?;
            retained(publish.retain, publish.topic, &publish.payload, Vec::new())
        }
        _ => Reply::Other,
    };
    Ok(Some(heard))
}

fn welcome(ack: v5::ConnAck) -> Reply {
    use v5::ConnectReturnCode as Code;
    match ack.code {
        Code::Success => {
            let properties = ack.properties.as_ref();
            let is_poor = |it: &v5::ConnAckProperties| {
                it.retain_available == Some(0) || it.max_qos == Some(0)
            };
            if properties.is_some_and(is_poor) {
                return Reply::Refused("it keeps no messages, or confirms none".to_owned());
            }
            Reply::Welcome {
                in_flight: properties.and_then(|it| it.receive_max).unwrap_or(u16::MAX),
                keep_alive: properties.and_then(|it| it.server_keep_alive),
            }
        }
        Code::UnsupportedProtocolVersion => Reply::OtherVersion,
        code => Reply::Refused(words(&format!("{code:?}"))),
    }
}

fn retained(
    is_kept: bool,
    topic: String,
    payload: &[u8],
    properties: Vec<(String, String)>,
) -> Reply {
    let payload = payload.to_vec();
    match is_kept {
        true => Reply::Retained(
            topic,
            Retained {
                payload,
                properties,
            },
        ),
        false => Reply::Other,
    }
}

/// `NotAuthorized` as `not authorized`.
fn words(name: &str) -> String {
    let mut words = String::new();
    for c in name.chars() {
        if c.is_ascii_uppercase() && !words.is_empty() {
            words.push(' ');
        }
        words.push(c.to_ascii_lowercase());
    }
    words
}

/// CONNECT: without a session, for the broker's retained messages are all the memory there is.
///
/// # Errors
/// When it would be longer than a packet can be.
pub(crate) fn connect(version: Version, hello: Hello) -> Result<BytesMut, Error> {
    let mut packet = BytesMut::new();
    let login = hello.login;
    match version {
        Version::Five => {
            let mut connect = v5::Connect::new(hello.client);
            connect.keep_alive = hello.keep_alive;
            connect.login = login.map(|(user, password)| v5::Login::new(user, password));
            connect.last_will = hello.will.map(|will| {
                let mut last = v5::LastWill::new(will.topic, will.payload, QoS::AtLeastOnce, true);
                last.properties = Some(v5::WillProperties {
                    delay_interval: None,
                    payload_format_indicator: None,
                    message_expiry_interval: None,
                    content_type: None,
                    response_topic: None,
                    correlation_data: None,
                    user_properties: will.properties,
                });
                last
            });
            // A connection without a will says nothing that a broker of 3.1.1 would take for
            // something else.
            connect.properties = connect.last_will.is_some().then(|| v5::ConnectProperties {
                session_expiry_interval: None,
                receive_maximum: None,
                max_packet_size: u32::try_from(PACKET_MAX).ok(),
                topic_alias_max: None,
                request_response_info: None,
                request_problem_info: None,
                user_properties: Vec::new(),
                authentication_method: None,
                authentication_data: None,
            });
            connect.write(&mut packet)?;
        }
        Version::Three => {
            let mut connect = v4::Connect::new(hello.client);
            connect.keep_alive = hello.keep_alive;
            connect.login = login.map(|(user, password)| v4::Login::new(user, password));
            connect.last_will = hello
                .will
                .map(|will| v4::LastWill::new(will.topic, will.payload, QoS::AtLeastOnce, true));
            connect.write(&mut packet)?;
        }
    }
    Ok(packet)
}

/// PUBLISH, at least once (QoS 1), to be kept by the broker as the newest of its topic.
///
/// # Errors
/// When it would be longer than a packet can be.
pub(crate) fn publish(version: Version, message: Message) -> Result<BytesMut, Error> {
    let mut packet = BytesMut::new();
    match version {
        Version::Five => {
            let mut publish = v5::Publish::new(message.topic, QoS::AtLeastOnce, message.payload);
            (publish.pkid, publish.retain) = (message.id, true);
            publish.properties = Some(v5::PublishProperties {
                payload_format_indicator: Some(1),
                message_expiry_interval: None,
                topic_alias: None,
                response_topic: None,
                correlation_data: None,
                user_properties: message.properties,
                subscription_identifiers: Vec::new(),
                content_type: None,
            });
            publish.write(&mut packet)?;
        }
        Version::Three => {
            let mut publish = v4::Publish::new(message.topic, QoS::AtLeastOnce, message.payload);
            (publish.pkid, publish.retain) = (message.id, true);
            publish.write(&mut packet)?;
        }
    }
    Ok(packet)
}

/// SUBSCRIBE to one topic, at most once (QoS 0): what is asked for comes at once or is asked for
/// again.
///
/// # Errors
/// When it would be longer than a packet can be.
pub(crate) fn subscribe(version: Version, topic: &str, id: u16) -> Result<BytesMut, Error> {
    let mut packet = BytesMut::new();
    match version {
        Version::Five => {
            let mut subscribe = v5::Subscribe::new(topic, QoS::AtMostOnce);
            subscribe.pkid = id;
            subscribe.write(&mut packet)?;
        }
        Version::Three => {
            let mut subscribe = v4::Subscribe::new(topic, QoS::AtMostOnce);
            subscribe.pkid = id;
            subscribe.write(&mut packet)?;
        }
    }
    Ok(packet)
}

/// UNSUBSCRIBE from one topic.
///
/// # Errors
/// When it would be longer than a packet can be.
pub(crate) fn unsubscribe(version: Version, topic: &str, id: u16) -> Result<BytesMut, Error> {
    let mut packet = BytesMut::new();
    match version {
        Version::Five => {
            let mut unsubscribe = v5::Unsubscribe::new(topic);
            unsubscribe.pkid = id;
            unsubscribe.write(&mut packet)?;
        }
        Version::Three => {
            let mut unsubscribe = v4::Unsubscribe::new(topic);
            unsubscribe.pkid = id;
            unsubscribe.write(&mut packet)?;
        }
    }
    Ok(packet)
}

/// PINGREQ, the same in both versions.
pub(crate) fn ping() -> BytesMut {
    BytesMut::from(&[0xc0, 0x00][..])
}

#[cfg(test)]
mod tests;
