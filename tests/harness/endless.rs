//! An answer without an end, read as it comes.

use crate::http::{Answer, Connection};
use crate::server::Server;
use std::io::{BufRead, Read};

/// A body that goes on; the connection is closed when dropped.
pub struct Endless {
    connection: Connection,
    pub head: Answer,
    chunked: bool,
    /// What has come and was not taken.
    held: Vec<u8>,
}

impl Endless {
    /// Asks over HTTP/1.1; more header lines each with its CRLF.
    pub fn ask(server: &Server, target: &str, more: &str) -> Endless {
        Endless::over(Connection::open(server), target, more)
    }

    /// The same over a connection that is there.
    pub fn over(mut connection: Connection, target: &str, more: &str) -> Endless {
        connection.send(format!(
            "GET {target} HTTP/1.1\r\nHost: localhost\r\n{more}\r\n"
        ));
        let endless = Endless::answered(connection);
        let coding = endless.head.header("Transfer-Encoding");
        assert_eq!(coding, Some("chunked"), "{:?}", endless.head);
        endless
    }

    /// The answer to what was asked on this connection.
    pub fn answered(mut connection: Connection) -> Endless {
        let head = connection.head();
        // 206 of a range without an end.
        assert!(matches!(head.status, 200 | 206), "{head:?}");
        assert_eq!(head.header("Content-Length"), None, "{head:?}");
        Endless {
            chunked: head.header("Transfer-Encoding").is_some(),
            connection,
            head,
            held: Vec::new(),
        }
    }

    /// The connection below.
    pub fn connection(&mut self) -> &mut Connection {
        &mut self.connection
    }

    /// Reads on a little; `false` at the end of the body, which must be a proper one.
    fn more(&mut self) -> bool {
        let stream = self.connection.stream();
        if !self.chunked {
            let piece = stream.fill_buf().expect("more of the body");
            let length = piece.len();
            self.held.extend_from_slice(piece);
            stream.consume(length);
            return length > 0;
        }
        let mut size = String::new();
        stream.read_line(&mut size).expect("the size of a chunk");
        let size = size
            .strip_suffix("\r\n")
            .and_then(|size| usize::from_str_radix(size, 16).ok())
            .unwrap_or_else(|| panic!("not the size of a chunk: {size:?}"));
        let mut chunk = vec![0; size + 2];
        stream.read_exact(&mut chunk).expect("a chunk");
        assert!(chunk.ends_with(b"\r\n"), "a chunk longer than it said");
        self.held.extend_from_slice(&chunk[..size]);
        size > 0
    }

    /// Everything up to and with these bytes.
    pub fn until(&mut self, last: impl AsRef<[u8]>) -> Vec<u8> {
        let last = last.as_ref();
        let mut searched = 0;
        loop {
            let window = &self.held[searched..];
            if let Some(at) = window.windows(last.len()).position(|bytes| bytes == last) {
                let rest = self.held.split_off(searched + at + last.len());
                return std::mem::replace(&mut self.held, rest);
            }
            searched = self.held.len().saturating_sub(last.len() - 1);
            let so_far = &self.held[self.held.len().saturating_sub(200)..];
            let so_far = String::from_utf8_lossy(so_far).into_owned();
            assert!(self.more(), "the body ended with {so_far:?}");
        }
    }

    /// The next line, without its newline.
    pub fn line(&mut self) -> String {
        let mut line = self.until("\n");
        line.pop();
        String::from_utf8(line).expect("UTF-8")
    }

    /// What is left up to the end of the body.
    pub fn rest(&mut self) -> Vec<u8> {
        while self.more() {}
        std::mem::take(&mut self.held)
    }
}
