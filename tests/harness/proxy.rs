//! A proxy in front of a Tailcast: whatever it writes goes into a directory of the test's own.

use crate::deadline::until_true;
use crate::folder::Folder;
use crate::program::Program;
use crate::server::{Server, reserve};
use std::fs;
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A running proxy before a running Tailcast, which follows a log that says `hello`.
pub struct Proxy {
    pub folder: Folder,
    pub server: Server,
    pub addr: SocketAddr,
    _program: Program,
    _port: OwnedFd,
}

impl Proxy {
    /// Starts what `command` makes of a directory and the file in it that holds `config`, when
    /// `prepare` is through with that directory. In `config`, DIR, LISTEN and SERVER stand for the
    /// directory and for the addresses of both.
    pub fn start(
        config: &str,
        prepare: impl Fn(&Path),
        command: impl Fn(&Path, &Path) -> Command,
    ) -> Proxy {
        let folder = Folder::new();
        folder.append("hello\n");
        let server = Server::start(&[folder.arg()]);
        let (port, addr) = reserve(Ipv4Addr::LOCALHOST);
        let directory = folder.path("proxy");
        fs::create_dir(&directory).unwrap();
        prepare(&directory);
        let file = directory.join("config");
        let text = config
            .replace("DIR", directory.to_str().unwrap())
            .replace("LISTEN", &addr.to_string())
            .replace("SERVER", &server.addr().to_string());
        fs::write(&file, text).unwrap();
        let mut command = command(&directory, &file);
        command.current_dir(&directory);
        let program = Program::start(&mut command);
        until_true("the proxy to listen", || TcpStream::connect(addr).is_ok());
        Proxy {
            folder,
            server,
            addr,
            _program: program,
            _port: port,
        }
    }

    /// nginx, with this in its `http` block.
    pub fn nginx(nginx: PathBuf, http: &str, prepare: impl Fn(&Path)) -> Proxy {
        Self::start(
            &NGINX.replace("HTTP", http),
            prepare,
            |directory, config| {
                let mut command = Command::new(&nginx);
                command.arg("-p").arg(directory).arg("-c").arg(config);
                command.arg("-e").arg(directory.join("error.log"));
                command
            },
        )
    }
}

/// One process in the foreground.
const NGINX: &str = r#"
daemon off;
master_process off;
pid DIR/pid;
error_log DIR/error.log;
events {}
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
