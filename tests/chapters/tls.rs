//! TLS, done by a proxy in front, as the README says: nginx and Caddy with a certificate of the
//! test's own.

use crate::proxy::Proxy;
use crate::require::tool;
use crate::viewer::Viewer;
use serde_json::json;
use std::path::Path;
use std::process::Command;

/// What stands around the part that the README shows.
const NGINX: &str = "
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
";

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

/// Makes key and certificate, with which it also is its own authority.
pub fn certify(directory: &Path) {
    let arguments = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -noenc -days 2 -subj /CN=127.0.0.1 \
                     -addext subjectAltName=IP:127.0.0.1 -keyout key.pem -out certificate.pem";
    let made = Command::new("openssl")
        .args(arguments.split_whitespace())
        .current_dir(directory)
        .output()
        .unwrap();
    assert!(
        made.status.success(),
        "{}",
        String::from_utf8_lossy(&made.stderr)
    );
}

fn url(front: &Proxy, target: &str) -> String {
    format!("https://{}/logs{target}", front.addr)
}

/// Status and body of what `curl` gets, which trusts this one certificate.
fn fetch(front: &Proxy, curl: &Path, target: &str) -> (String, String) {
    let output = Command::new(curl)
        .args("--silent --show-error --write-out \n%{http_code} --cacert".split(' '))
        .arg(front.folder.path("proxy/certificate.pem"))
        .arg(url(front, target))
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
fn key(front: &Proxy) -> String {
    let banner = front.server.banner().join("\n");
    let (_, rest) = banner.split_once("?key=").expect("a key");
    rest.split_whitespace().next().unwrap().to_owned()
}

fn through(front: &Proxy) {
    let Some(curl) = tool("curl") else { return };
    let key = key(front);
    // The proxy is on this machine; who stands behind it is not.
    assert_eq!(fetch(front, &curl, "/stream").0, "401");
    let with_key = fetch(front, &curl, &format!("/stream?key={key}"));
    assert_eq!(with_key, ("200".to_owned(), "hello\n".to_owned()));

    let Some(mut viewer) = Viewer::start() else {
        return;
    };
    viewer.browser.call(
        "Security.setIgnoreCertificateErrors",
        json!({"ignore": true}),
    );
    viewer.browser.go(&url(front, &format!("/?key={key}")));
    viewer.until_state("live");
    front.folder.append("through TLS\n");
    viewer.until_last("through TLS");
    assert_eq!(viewer.shown(), ["hello", "through TLS"]);
    assert_eq!(viewer.browser.evaluate("location.href"), url(front, "/"));
    let sockets = viewer.browser.told("Network.webSocketCreated");
    assert!(
        sockets
            .iter()
            .all(|told| told["url"].as_str().unwrap().starts_with("wss://")),
        "{sockets:?}"
    );
    assert!(!sockets.is_empty());
    let cookies = viewer.browser.call("Network.getCookies", json!({}));
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
    if let (Some(nginx), Some(_)) = (tool("nginx"), tool("openssl")) {
        through(&Proxy::nginx(nginx, NGINX, certify));
    }
}

#[test]
fn caddy() {
    let (Some(caddy), Some(_)) = (tool("caddy"), tool("openssl")) else {
        return;
    };
    through(&Proxy::start(CADDY, certify, |directory, config| {
        let mut command = Command::new(&caddy);
        command
            .args(["run", "--adapter", "caddyfile", "--config"])
            .arg(config);
        for home in ["HOME", "XDG_DATA_HOME", "XDG_CONFIG_HOME"] {
            command.env(home, directory);
        }
        command
    }));
}
