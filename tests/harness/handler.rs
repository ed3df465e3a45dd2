//! A handler of the library, served in this process.

use crate::http::Connection;
use std::io;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::thread::{self, JoinHandle};
use tailcast::{Connection as Kept, Exchange};
use tungstenite::WebSocket;

/// What a handler gives back: the connection, where it may be used again.
type Answered = io::Result<Option<Kept>>;

/// It is stopped when dropped.
pub struct Handler {
    pub addr: SocketAddr,
    stop: Option<smol::channel::Sender<()>>,
    thread: Option<JoinHandle<io::Result<()>>>,
}

impl Handler {
    pub fn serve<H, F>(handle: H) -> Handler
    where
        H: Fn(Exchange) -> F + Send + 'static,
        F: Future<Output = Answered> + 'static,
    {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let addr = listener.local_addr().unwrap();
        let (stop, stopped) = smol::channel::bounded::<()>(1);
        let shutdown = async move { _ = stopped.recv().await };
        let thread =
            thread::spawn(move || smol::block_on(tailcast::serve(listener, 8, shutdown, handle)));
        Handler {
            addr,
            stop: Some(stop),
            thread: Some(thread),
        }
    }

    pub fn connection(&self) -> Connection {
        Connection::to(self.addr)
    }

    pub fn websocket(&self) -> WebSocket<TcpStream> {
        self.connection().upgrade("/", None)
    }
}

impl Drop for Handler {
    fn drop(&mut self) {
        drop(self.stop.take());
        let ended = self.thread.take().unwrap().join();
        if !thread::panicking() {
            ended.expect("no panic").expect("no error");
        }
    }
}
