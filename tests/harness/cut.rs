//! A proxy that cuts what goes through it: after so many bytes, in one direction, or with what was
//! sent held back.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

/// What happens to the connection that is there, or to the next one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Cut once so many more bytes have gone to the server.
    Up(u64),
    /// Cut once so many more bytes have come from the server: what it has answered is lost.
    Down(u64),
    /// As `Up`, but what the client has sent since is delivered when the next connection has sent
    /// something: a zombie.
    Zombie(u64),
}

#[derive(Default)]
struct State {
    fault: Option<Fault>,
    cuts: u64,
    /// Connections are refused.
    closed: bool,
    /// How many connections there have been, and how many of them carry nothing any more.
    made: u64,
    dead: u64,
    /// Bytes of a dead client, and the socket that they are for.
    held: Option<(Vec<u8>, TcpStream)>,
    /// The sockets of the connections that are there.
    open: Vec<TcpStream>,
}

/// The proxy; it ends with the test.
pub struct Cut {
    pub addr: SocketAddr,
    state: Arc<Mutex<State>>,
}

/// A stuck thread looks this often whether its connection is over.
const LOOK: Duration = Duration::from_millis(20);

impl Cut {
    /// In front of `server`.
    pub fn before(server: SocketAddr) -> Cut {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("listener");
        let addr = listener.local_addr().expect("address");
        let state = Arc::new(Mutex::new(State::default()));
        let shared = state.clone();
        thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                let is_closed = shared.lock().unwrap().closed;
                let server = TcpStream::connect(server);
                if let Ok(server) = server
                    && !is_closed
                {
                    carry(client, server, &shared);
                }
            }
        });
        Cut { addr, state }
    }

    /// Does this to the connection that is there, or the next one.
    pub fn fault(&self, fault: Fault) {
        self.state.lock().unwrap().fault = Some(fault);
    }

    /// How many connections were cut.
    pub fn cuts(&self) -> u64 {
        self.state.lock().unwrap().cuts
    }

    /// Ends every connection and takes no new one.
    pub fn close(&self) {
        let mut state = self.state.lock().unwrap();
        state.closed = true;
        for socket in state.open.drain(..) {
            let _ = socket.shutdown(Shutdown::Both);
        }
    }

    /// Takes connections again.
    pub fn open(&self) {
        self.state.lock().unwrap().closed = false;
    }

    /// The connections that are there die as by a phone's sleep: who only listens does not hear of
    /// it, who sends something does. New ones live.
    pub fn deaden(&self) {
        let mut state = self.state.lock().unwrap();
        state.dead = state.made;
    }
}

fn carry(client: TcpStream, server: TcpStream, state: &Arc<Mutex<State>>) {
    let mut shared = state.lock().unwrap();
    let copies = [&client, &server].map(|socket| socket.try_clone().expect("socket"));
    shared.open.extend(copies);
    let number = shared.made;
    shared.made += 1;
    drop(shared);
    for socket in [&client, &server] {
        socket.set_nodelay(true).expect("nodelay");
        socket.set_read_timeout(Some(LOOK)).expect("timeout");
    }
    for up in [true, false] {
        let (client, server) = (client.try_clone().unwrap(), server.try_clone().unwrap());
        let state = state.clone();
        thread::spawn(move || match up {
            true => pump(&client, &server, &state, number, true),
            false => pump(&server, &client, &state, number, false),
        });
    }
}

/// Carries one direction until either end is over or it is cut.
fn pump(from: &TcpStream, to: &TcpStream, state: &Mutex<State>, number: u64, up: bool) {
    let (mut from_reader, mut to_writer) = (from, to);
    let mut chunk = [0; 4096];
    let mut sent = 0u64;
    loop {
        let length = match from_reader.read(&mut chunk) {
            Ok(0) => break,
            Ok(length) => length,
            Err(error) if matches!(error.kind(), std::io::ErrorKind::WouldBlock) => continue,
            Err(_) => break,
        };
        let bytes = &chunk[..length];
        let mut shared = state.lock().unwrap();
        if number < shared.dead {
            match up {
                true => break,
                false => continue,
            }
        }
        let left = match shared.fault {
            Some(Fault::Up(left) | Fault::Zombie(left)) if up => Some(left),
            Some(Fault::Down(left)) if !up => Some(left),
            _ => None,
        };
        if let Some(left) = left {
            if length as u64 > left {
                let is_zombie = matches!(shared.fault, Some(Fault::Zombie(_)));
                shared.fault = None;
                shared.cuts += 1;
                let (now, later) = bytes.split_at(left as usize);
                let _ = to_writer.write_all(now);
                if is_zombie {
                    shared.held = Some((later.to_vec(), to.try_clone().unwrap()));
                    let _ = from.shutdown(Shutdown::Both);
                    return;
                }
                break;
            }
            let rest = left - length as u64;
            shared.fault = shared.fault.map(|fault| match fault {
                Fault::Up(_) => Fault::Up(rest),
                Fault::Down(_) => Fault::Down(rest),
                Fault::Zombie(_) => Fault::Zombie(rest),
            });
        }
        let ghost = if up && sent > 0 {
            shared.held.take()
        } else {
            None
        };
        drop(shared);
        if to_writer.write_all(bytes).is_err() {
            break;
        }
        sent += length as u64;
        if let Some((held, mut socket)) = ghost {
            // The dead client's last words come after the first of the living one.
            let _ = socket.write_all(&held);
            let _ = socket.shutdown(Shutdown::Both);
        }
    }
    let _ = from.shutdown(Shutdown::Both);
    let _ = to.shutdown(Shutdown::Both);
}
