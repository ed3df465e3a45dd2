//! The limit: what is left of the job when only the kernel's part is done. One thread; inotify on
//! the file, epoll over the clients, reads of 64 KiB, a write to each client, no framing, no
//! protocol, no rotation.

use std::fs::File;
use std::io::{self, ErrorKind, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::FileExt;
use std::path::Path;

use rustix::buffer::spare_capacity;
use rustix::event::epoll::{self, EventData, EventFlags};
use rustix::fs::inotify;

/// What a client is told when it has been accepted: the counterpart of the `open` event.
pub const GREETING: &[u8] = b"hello\n";

const CHUNK: usize = 64 * 1024;
const LISTENER: u64 = u64::MAX;
const NOTICES: u64 = u64::MAX - 1;

struct Client {
    socket: TcpStream,
    offset: u64,
}

/// Serves until it is killed. Clients start at the file's end, or at its start.
pub fn serve(path: &Path, from_start: bool) -> io::Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    listener.set_nonblocking(true)?;
    let notices = inotify::init(inotify::CreateFlags::NONBLOCK | inotify::CreateFlags::CLOEXEC)?;
    inotify::add_watch(&notices, path, inotify::WatchFlags::MODIFY)?;
    let file = File::open(path)?;
    let mut end = file.metadata()?.len();

    let epoll = epoll::create(epoll::CreateFlags::CLOEXEC)?;
    epoll::add(
        &epoll,
        &listener,
        EventData::new_u64(LISTENER),
        EventFlags::IN,
    )?;
    epoll::add(
        &epoll,
        &notices,
        EventData::new_u64(NOTICES),
        EventFlags::IN,
    )?;
    println!("http://{}/", listener.local_addr()?);
    io::stdout().flush()?;

    let mut clients: Vec<Option<Client>> = Vec::new();
    let mut chunk = vec![0; CHUNK];
    let mut events: Vec<epoll::Event> = Vec::with_capacity(256);
    loop {
        events.clear();
        epoll::wait(&epoll, spare_capacity(&mut events), None)?;
        for event in &events {
            match event.data.u64() {
                LISTENER => {
                    let Some(socket) = ready(listener.accept())? else {
                        continue;
                    };
                    let client = greet(socket.0, if from_start { 0 } else { end })?;
                    let slot = clients.iter().position(Option::is_none).unwrap_or_else(|| {
                        clients.push(None);
                        clients.len() - 1
                    });
                    // Edges, so that a full socket says once that it has room again, with no
                    // further call.
                    let interest = EventFlags::OUT | EventFlags::RDHUP | EventFlags::ET;
                    epoll::add(
                        &epoll,
                        &client.socket,
                        EventData::new_u64(slot as u64),
                        interest,
                    )?;
                    clients[slot] = Some(client);
                }
                NOTICES => {
                    rustix::io::read(&notices, &mut chunk[..])?;
                    end = publish(&file, end, &mut clients, &mut chunk)?;
                }
                slot => {
                    let slot = &mut clients[usize::try_from(slot).expect("an index")];
                    // Copied out: the kernel's struct is packed.
                    let flags = event.flags;
                    let gone =
                        flags.intersects(EventFlags::RDHUP | EventFlags::HUP | EventFlags::ERR);
                    if gone
                        || slot
                            .as_mut()
                            .is_some_and(|client| catch_up(&file, client, &mut chunk).is_err())
                    {
                        *slot = None;
                    }
                }
            }
        }
    }
}

fn greet(mut socket: TcpStream, offset: u64) -> io::Result<Client> {
    socket.set_nonblocking(true)?;
    socket.set_nodelay(true)?;
    socket.write_all(GREETING)?;
    Ok(Client { socket, offset })
}

/// Reads what is new once and writes it to every client that stands in it. One whose socket is full
/// is left behind: `catch_up` comes when it has room.
fn publish(
    file: &File,
    mut end: u64,
    clients: &mut [Option<Client>],
    chunk: &mut [u8],
) -> io::Result<u64> {
    loop {
        let fresh = file.read_at(chunk, end)?;
        if fresh == 0 {
            return Ok(end);
        }
        let start = end;
        end += fresh as u64;
        for slot in clients.iter_mut() {
            let Some(client) = slot else { continue };
            if !(start..end).contains(&client.offset) {
                continue;
            }
            let seen = usize::try_from(client.offset - start).expect("less than a chunk");
            match ready(client.socket.write(&chunk[seen..fresh])) {
                Ok(written) => client.offset += written.unwrap_or(0) as u64,
                Err(_) => *slot = None,
            }
        }
    }
}

/// Writes until the file or the room in the socket ends.
fn catch_up(file: &File, client: &mut Client, chunk: &mut [u8]) -> io::Result<()> {
    loop {
        let read = file.read_at(chunk, client.offset)?;
        if read == 0 {
            return Ok(());
        }
        let Some(written) = ready(client.socket.write(&chunk[..read]))? else {
            return Ok(());
        };
        client.offset += written as u64;
    }
}

/// Not now is `None`.
fn ready<T>(result: io::Result<T>) -> io::Result<Option<T>> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(error) if error.kind() == ErrorKind::WouldBlock => Ok(None),
        Err(error) => Err(error),
    }
}
