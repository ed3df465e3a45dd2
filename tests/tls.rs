//! TLS, done by a proxy in front, as the README says: nginx and Caddy with a certificate of the test's own.

use crate::deadline::until_true;
use crate::folder::Folder;
use crate::program::Program;
use crate::require::tool;
use crate::server::{Server, reserve};
use crate::viewer::Viewer;
use serde_json::json;
use std::fs;
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::os::fd::OwnedFd;
use std::path::Path;
use std::process::Command;

/// What stands around the part that the README shows.
const NGINX: &str = r#"
daemon off;
master_process off;
pid DIR/pid;
error_log DIR/error.log;
events {}
http {
    access_log off;
    client_body_temp_path DIR/body;
    proxy_temp_path DIR/proxy;
    fastcgi_temp_path DIR/fastcgi;
    uwsgi_temp_path DIR/uwsgi;
    scgi_temp_path DIR/scgi;
    map $http_upgrade $connection_upgrade { default upgrade; "" ""; }
    server {
        listen LISTEN ssl;
        ssl_certificate DIR/certificate.pem;
        ssl_certificate_key DIR/key.pem;
        location /logs/ {
            proxy_pass http://SERVER/;
            proxy_http_version 1.1;
            proxy_set_header Host $http_host;
            proxy_set_header X-Forwarded-For $remote_addr;
            proxy_set_header X-Forwarded-Proto $scheme;
            proxy_set_header Upgrade $http_upgrade;
            proxy_set_header Connection $connection_upgrade;
            proxy_read_timeout 1h;
        }
    }
}
"#;

/// The same for Caddy, which says by itself for whom it asks.
const CADDY: &str = "
{
    admin off
    auto_https off
}
https://LISTEN {
    bind 127.0.0.1
    tls DIR/certificate.pem DIR/key.pem
    handle_path /logs/* {
        reverse_proxy SERVER
    }
}
";

/// A proxy with TLS before a Tailcast that has made its key.
struct Front {
    folder: Folder,
    server: Server,
    addr: SocketAddr,
    _proxy: Program,
    _port: OwnedFd,
}

impl Front {
    /// Starts the proxy that `command` makes of its configuration's path.
    fn start(config: &str, command: impl Fn(&Path) -> Command) -> Option<Front> {
        let openssl = tool("openssl")?;
        let folder = Folder::new();
        folder.append("hello\n");
        let server = Server::start(&[folder.arg()]);
        let (port, addr) = reserve(Ipv4Addr::LOCALHOST);
        let directory = folder.path("proxy");
        fs::create_dir(&directory).unwrap();
        let made = Command::new(openssl)
            .args([
                "req",
                "-x509",
                "-newkey",
                "ec",
                "-pkeyopt",
                "ec_paramgen_curve:prime256v1",
                "-noenc",
            ])
            .args([
                "-days",
                "2",
                "-subj",
                "/CN=127.0.0.1",
                "-addext",
                "subjectAltName=IP:127.0.0.1",
            ])
            .args(["-keyout", "key.pem", "-out", "certificate.pem"])
            .current_dir(&directory)
            .output()
            .unwrap();
        assert!(
            made.status.success(),
            "{}",
            String::from_utf8_lossy(&made.stderr)
        );
        let text = config
            .replace("DIR", directory.to_str().unwrap())
            .replace("LISTEN", &addr.to_string())
            .replace("SERVER", &server.addr().to_string());
        let path = directory.join("config");
        fs::write(&path, text).unwrap();
        let mut command = command(&path);
        command.current_dir(&directory).env("HOME", &directory);
        command
            .env("XDG_DATA_HOME", &directory)
            .env("XDG_CONFIG_HOME", &directory);
        let proxy = Program::start(&mut command);
        until_true("the proxy to listen", || TcpStream::connect(addr).is_ok());
        Some(Front {
            folder,
            server,
            addr,
            _proxy: proxy,
            _port: port,
        })
    }

    fn url(&self, target: &str) -> String {
        format!("https://{}/logs{target}", self.addr)
    }

    /// Status and body of what `curl` gets, which trusts this one certificate.
    fn curl(&self, curl: &Path, target: &str) -> (String, String) {
        let output = Command::new(curl)
            .args([
                "--silent",
                "--show-error",
                "--write-out",
                "\n%{http_code}",
                "--cacert",
            ])
            .arg(self.folder.path("proxy/certificate.pem"))
            .arg(self.url(target))
            .output()
            .unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        let (body, status) = text.rsplit_once('\n').expect("a status");
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
        (status.to_owned(), body.to_owned())
    }

    /// The key that it has made, in its banner's links.
    fn key(&self) -> String {
        let banner = self.server.banner().join("\n");
        let (_, rest) = banner.split_once("?key=").expect("a key");
        rest.split_whitespace().next().unwrap().to_owned()
    }
}

fn through(front: &Front) {
    let Some(curl) = tool("curl") else { return };
    let key = front.key();
    // The proxy is on this machine; who stands behind it is not.
    assert_eq!(front.curl(&curl, "/stream").0, "401");
    let with_key = front.curl(&curl, &format!("/stream?key={key}"));
    assert_eq!(with_key, ("200".to_owned(), "hello\n".to_owned()));

    let Some(mut viewer) = Viewer::start() else {
        return;
    };
    viewer.chromium.call(
        "Security.setIgnoreCertificateErrors",
        json!({"ignore": true}),
    );
    viewer.chromium.go(&front.url(&format!("/?key={key}")));
    viewer.until_state("live");
    front.folder.append("through TLS\n");
    viewer.until_last("through TLS");
    assert_eq!(viewer.shown(), ["hello", "through TLS"]);
    assert_eq!(viewer.chromium.evaluate("location.href"), front.url("/"));
    let sockets = viewer.chromium.told("Network.webSocketCreated");
    assert!(
        sockets
            .iter()
            .all(|told| told["url"].as_str().unwrap().starts_with("wss://")),
        "{sockets:?}"
    );
    assert!(!sockets.is_empty());
    let cookies = viewer.chromium.call("Network.getCookies", json!({}));
    let cookie = &cookies["cookies"][0];
    assert_eq!(
        (&cookie["path"], &cookie["secure"], &cookie["httpOnly"]),
        (&json!("/logs"), &json!(true), &json!(true)),
        "{cookies}"
    );
    viewer.assert_no_complaints();
}

#[test]
fn nginx() {
    let Some(nginx) = tool("nginx") else { return };
    let front = Front::start(NGINX, |config| {
        let mut command = Command::new(&nginx);
        command
            .arg("-p")
            .arg(config.parent().unwrap())
            .arg("-c")
            .arg(config);
        command.arg("-e").arg(config.with_file_name("error.log"));
        command
    });
    front.iter().for_each(through);
}

#[test]
fn caddy() {
    let Some(caddy) = tool("caddy") else { return };
    let front = Front::start(CADDY, |config| {
        let mut command = Command::new(&caddy);
        command
            .args(["run", "--adapter", "caddyfile", "--config"])
            .arg(config);
        command
    });
    front.iter().for_each(through);
}
