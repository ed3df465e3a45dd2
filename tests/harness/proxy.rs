//! A proxy in front of a Tailcast, or of several: whatever it writes goes into a directory of the
//! test's own.

use crate::deadline::until_true;
use crate::folder::Folder;
use crate::program::Program;
use crate::server::{Server, reserve};
use std::fs;
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A running proxy.
pub struct Front {
    pub addr: SocketAddr,
    _program: Program,
    _port: OwnedFd,
}

impl Front {
    /// Starts what `command` makes of `directory`, which is made, and the file in it that holds
    /// `config`, when `prepare` is through with that directory. In `config`, DIR and LISTEN stand
    /// for the directory and for the proxy's address.
    pub fn start(
        directory: &Path,
        config: &str,
        prepare: impl Fn(&Path),
        command: impl Fn(&Path, &Path) -> Command,
    ) -> Front {
        let (port, addr) = reserve(Ipv4Addr::LOCALHOST);
        fs::create_dir(directory).unwrap();
        prepare(directory);
        let file = directory.join("config");
        let text = config
            .replace("DIR", directory.to_str().unwrap())
            .replace("LISTEN", &addr.to_string());
        fs::write(&file, text).unwrap();
        let mut command = command(directory, &file);
        command.current_dir(directory);
        let program = Program::start(&mut command);
        until_true("the proxy to listen", || TcpStream::connect(addr).is_ok());
        Front {
            addr,
            _program: program,
            _port: port,
        }
    }

    /// nginx, with this in its `http` block.
    pub fn nginx(nginx: &Path, directory: &Path, http: &str, prepare: impl Fn(&Path)) -> Front {
        let config = NGINX.replace("HTTP", http);
        Self::start(directory, &config, prepare, |directory, config| {
            let mut command = Command::new(nginx);
            command.arg("-p").arg(directory).arg("-c").arg(config);
            command.arg("-e").arg(directory.join("error.log"));
            command
        })
    }
}

/// A running proxy before a running Tailcast, which follows a log that says `hello`.
pub struct Proxy {
    pub folder: Folder,
    pub server: Server,
    pub addr: SocketAddr,
    _front: Front,
}

impl Proxy {
    /// As [`Front::start`]; in `config`, SERVER stands for Tailcast's address.
    pub fn start(
        config: &str,
        prepare: impl Fn(&Path),
        command: impl Fn(&Path, &Path) -> Command,
    ) -> Proxy {
        Self::before(config, |directory, config| {
            Front::start(directory, config, prepare, command)
        })
    }

    /// As [`Front::nginx`].
    pub fn nginx(nginx: PathBuf, http: &str, prepare: impl Fn(&Path)) -> Proxy {
        Self::before(http, |directory, http| {
            Front::nginx(&nginx, directory, http, prepare)
        })
    }

    fn before(config: &str, start: impl FnOnce(&Path, &str) -> Front) -> Proxy {
        let folder = Folder::new();
        folder.append("hello\n");
        let server = Server::start(&[folder.arg()]);
        let config = config.replace("SERVER", &server.addr().to_string());
        let front = start(&folder.path("proxy"), &config);
        Proxy {
            folder,
            server,
            addr: front.addr,
            _front: front,
        }
    }
}

/// One process in the foreground, for a thousand viewers and their servers.
const NGINX: &str = r#"
daemon off;
master_process off;
pid DIR/pid;
error_log DIR/error.log;
events { worker_connections 8000; }
http {
    access_log off;
    client_body_temp_path DIR/body;
    proxy_temp_path DIR/temp;
    fastcgi_temp_path DIR/fastcgi;
    uwsgi_temp_path DIR/uwsgi;
    scgi_temp_path DIR/scgi;
    map $http_upgrade $connection_upgrade { default upgrade; "" ""; }
    HTTP
}
"#;
