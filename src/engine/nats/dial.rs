//! The way to a server: its first words, ours, and a connection that is ready.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::net::TcpStream;
use std::time::Duration;

use futures_lite::{AsyncReadExt, AsyncWriteExt, future};
use rustix::net::sockopt;
use smol::{Async, Timer};

use crate::engine::nats::failure::{Failure, refusal};
use crate::engine::nats::protocol::{Info, Op, Violation, parse};
use crate::engine::nats::say;
use crate::engine::nats::subject::token as as_token;
use crate::engine::socket;
use crate::engine::target::{Login, Target};

/// How long a server may take to accept a connection and to say what it is.
const CONNECT_TIME: Duration = Duration::from_secs(10);

/// After this long without a word the kernel asks whether the server is still there, so that we
/// need not wake for it.
const KEEPALIVE: Duration = Duration::from_secs(20);

/// A server whose kernel has confirmed nothing for this long is gone, in milliseconds.
const VANISHED: u32 = 45_000;

/// How much is read at once, in bytes.
pub(crate) const CHUNK: usize = 16 * 1024;

/// The subscription that answers come to.
pub(crate) const INBOX: u64 = 1;

/// A connection whose server has said what it is, and knows who we are.
pub(crate) struct Greeted {
    pub socket: Async<TcpStream>,
    pub info: Info,
    /// What the subjects of answers begin with.
    pub inbox: String,
    /// What was read and not yet looked at.
    pub unread: Vec<u8>,
}

/// Connects to `target` as `name`.
pub(crate) async fn dial(
    target: &Target,
    login: Option<&Login>,
    name: &str,
) -> Result<Greeted, Failure> {
    let late = async {
        Timer::after(CONNECT_TIME).await;
        Err(Failure::Away(format!(
            "no answer in {} s",
            CONNECT_TIME.as_secs()
        )))
    };
    future::or(greet(target, login, name), late).await
}

async fn greet(target: &Target, login: Option<&Login>, name: &str) -> Result<Greeted, Failure> {
    let connected = socket::connect(target).await;
    let mut socket = connected.map_err(|error| Failure::io(&error))?;
    let _ = sockopt::set_socket_keepalive(&socket, true);
    let _ = sockopt::set_tcp_keepidle(&socket, KEEPALIVE);
    let _ = sockopt::set_tcp_keepintvl(&socket, KEEPALIVE);
    let _ = sockopt::set_tcp_user_timeout(&socket, VANISHED);
    let mut unread = Vec::new();
    let info = loop {
        match parse(&unread)? {
            Some((Op::Info(text), length)) => {
                let info = Info::parse(text)?;
                unread.drain(..length);
                break info;
            }
            Some((Op::Error(text), _)) => return Err(refusal(text)),
            Some(_) => return Err(Violation.into()),
            None => read(&mut socket, &mut unread).await?,
        }
    };
    if info.tls_required == Some(true) {
        return Err(Failure::Refused(
            "it wants TLS, which is not spoken here; connect to a leaf node beside the board, which speaks it upwards"
                .to_owned(),
        ));
    }
    if info.headers == Some(false) {
        return Err(Failure::Refused(
            "it knows no headers; nats-server 2.9 and later does".to_owned(),
        ));
    }
    let (user, token) = match login {
        Some(Login::User(user, password)) => (Some((user.as_str(), password.as_str())), None),
        Some(Login::Token(token)) => (None, Some(token.as_str())),
        None => (None, None),
    };
    let inbox = format!("_INBOX.{}.{:x}.", as_token(name), random());
    let mut hello = say::connect(name, user, token);
    hello += &say::subscribe(&format!("{inbox}*"), INBOX);
    hello += "PING\r\n";
    socket
        .write_all(hello.as_bytes())
        .await
        .map_err(|error| Failure::io(&error))?;
    loop {
        match parse(&unread)? {
            Some((Op::Pong, length)) => {
                unread.drain(..length);
                break;
            }
            Some((Op::Error(text), _)) => return Err(refusal(text)),
            Some((_, length)) => _ = unread.drain(..length),
            None => read(&mut socket, &mut unread).await?,
        }
    }
    Ok(Greeted {
        socket,
        info,
        inbox,
        unread,
    })
}

/// Appends what has come to `unread`.
pub(crate) async fn read(
    mut socket: impl AsyncReadExt + Unpin,
    unread: &mut Vec<u8>,
) -> Result<(), Failure> {
    let held = unread.len();
    unread.resize(held + CHUNK, 0);
    let read = socket.read(&mut unread[held..]).await;
    unread.truncate(held + *read.as_ref().unwrap_or(&0));
    match read {
        Ok(0) => Err(Failure::Away("it ended the connection".to_owned())),
        Ok(_) => Ok(()),
        Err(error) => Err(Failure::io(&error)),
    }
}

/// A number that nobody else has.
fn random() -> u64 {
    RandomState::new().build_hasher().finish()
}
