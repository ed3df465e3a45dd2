//! A network with weather: a TCP proxy that cuts connections, loses answers, and holds old bytes
//! back.

use crate::dice::Dice;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;

/// What happens to a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// It ends after so many bytes towards the engine.
    Cut(u64),
    /// It ends after so many bytes from the engine.
    CutBack(u64),
    /// It ends when so many confirmations have come back; the last of them is not delivered.
    LoseAnswer(u64),
    /// After so many bytes towards the engine it ends, and half of the last ones arrive only when
    /// the next connection has sent as many.
    HoldBack(u64),
}

/// The proxy. Its threads end with the process.
pub struct Weather {
    pub addr: SocketAddr,
    state: Arc<State>,
}

struct State {
    to: SocketAddr,
    /// Faults to come.
    left: AtomicU64,
    dice: Mutex<Dice>,
    kind: fn(&mut Dice) -> Fault,
    /// An old connection's way to the engine, and what did not arrive there yet.
    held: Mutex<Option<(TcpStream, Vec<u8>)>>,
}

impl Weather {
    /// In front of `to`: each connection gets one of `faults` faults, of the kind that is thrown.
    /// The seed is printed.
    pub fn start(to: SocketAddr, seed: u64, faults: u64, kind: fn(&mut Dice) -> Fault) -> Weather {
        println!("{faults} faults with seed {seed}");
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("bind");
        let addr = listener.local_addr().unwrap();
        let state = Arc::new(State {
            to,
            left: AtomicU64::new(faults),
            dice: Mutex::new(Dice(seed)),
            kind,
            held: Mutex::default(),
        });
        let shared = state.clone();
        thread::spawn(move || {
            for socket in listener.incoming().map_while(Result::ok) {
                let shared = shared.clone();
                thread::spawn(move || shared.carry(socket));
            }
        });
        Weather { addr, state }
    }

    /// Faults to come.
    pub fn left(&self) -> u64 {
        self.state.left.load(Ordering::SeqCst)
    }
}

impl State {
    /// One fault fewer to come; several connections may have been thrown the last one.
    fn pass(&self) {
        let less = |left: u64| left.checked_sub(1);
        let _ = (self.left).fetch_update(Ordering::SeqCst, Ordering::SeqCst, less);
    }

    fn carry(self: Arc<State>, client: TcpStream) {
        let Ok(engine) = TcpStream::connect(self.to) else {
            return;
        };
        client.set_nodelay(true).unwrap();
        engine.set_nodelay(true).unwrap();
        let is_over = self.left.load(Ordering::SeqCst) == 0;
        let fault = (!is_over).then(|| (self.kind)(&mut self.dice.lock().unwrap()));
        let (back_from, back_to) = (engine.try_clone().unwrap(), client.try_clone().unwrap());
        let state = self.clone();
        let back = thread::spawn(move || state.back(back_from, back_to, fault));
        self.forth(client, engine, fault);
        let _ = back.join();
    }

    /// From the client to the engine.
    fn forth(&self, mut client: TcpStream, mut engine: TcpStream, fault: Option<Fault>) {
        let mut passed = 0;
        let mut buffer = vec![0; 64 << 10];
        while let Ok(read @ 1..) = client.read(&mut buffer) {
            let bytes = &buffer[..read];
            passed += read as u64;
            match fault {
                Some(Fault::Cut(at)) if passed >= at => {
                    let kept = read - (passed - at) as usize;
                    let _ = engine.write_all(&bytes[..kept]);
                    self.pass();
                    break;
                }
                Some(Fault::HoldBack(at)) if passed >= at => {
                    let _ = engine.write_all(&bytes[..read / 2]);
                    *self.held.lock().unwrap() = Some((engine, bytes[read / 2..].to_vec()));
                    self.pass();
                    let _ = client.shutdown(Shutdown::Both);
                    return;
                }
                _ if engine.write_all(bytes).is_err() => break,
                _ => {}
            }
            // The new connection is at work: now the old one's bytes arrive.
            if passed > 2048
                && let Some((mut old, bytes)) = self.held.lock().unwrap().take()
            {
                let _ = old.write_all(&bytes);
                let _ = old.shutdown(Shutdown::Write);
            }
        }
        let _ = client.shutdown(Shutdown::Both);
        let _ = engine.shutdown(Shutdown::Both);
    }

    /// From the engine to the client.
    fn back(&self, mut engine: TcpStream, mut client: TcpStream, fault: Option<Fault>) {
        let (mut passed, mut came) = (0, 0);
        let mut buffer = vec![0; 64 << 10];
        while let Ok(read @ 1..) = engine.read(&mut buffer) {
            let is_confirmation = buffer[..read].windows(6).any(|part| part == b"\"seq\":");
            passed += u64::from(is_confirmation);
            if let Some(Fault::LoseAnswer(at)) = fault
                && passed >= at
            {
                self.pass();
                let _ = engine.shutdown(Shutdown::Both);
                break;
            }
            if let Some(Fault::CutBack(at)) = fault {
                came += read as u64;
                if came >= at {
                    let _ = client.write_all(&buffer[..read - (came - at) as usize]);
                    self.pass();
                    let _ = engine.shutdown(Shutdown::Both);
                    break;
                }
            }
            if client.write_all(&buffer[..read]).is_err() {
                break;
            }
        }
        let _ = client.shutdown(Shutdown::Both);
    }
}
