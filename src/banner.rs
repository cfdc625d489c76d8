//! What the first start prints, once, on standard output: addresses, secrets, the next step. The
//! log goes to standard error and never holds a secret (T7).

use std::fmt::Write as _;
use std::io::{self, Write as _};
use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::path::Path;

use crate::config::Secret;
use crate::secrets::Secrets;

/// What there is to say.
#[derive(Debug)]
pub struct Banner<'a> {
    /// Where the page is.
    pub http: SocketAddr,
    /// Where publishers go.
    pub rtmp: SocketAddr,
    /// Data folder.
    pub data: &'a Path,
    /// Keys, and what was made at this start.
    pub secrets: &'a Secrets,
    /// The built-in picture is on.
    pub demo: bool,
}

impl Banner<'_> {
    /// Prints it. A closed standard output is no reason to stop.
    pub fn print(&self) {
        let _ = io::stdout().lock().write_all(self.text().as_bytes());
    }

    fn text(&self) -> String {
        let mut text = format!("\nRiverrun {}\n\n", env!("CARGO_PKG_VERSION"));
        let hosts = reachable_hosts(self.http.ip());
        for host in &hosts {
            line(&mut text, "Page", &format!("http://{host}:{}/", self.http.port()));
        }
        for host in reachable_hosts(self.rtmp.ip()) {
            line(&mut text, "Publish to", &format!("rtmp://{host}:{}/live", self.rtmp.port()));
        }
        match &self.secrets.new_stream_key {
            Some(stream_key) => line(&mut text, "Stream key", shown(stream_key)),
            None => line(&mut text, "Stream key", "as set or shown at the first start"),
        }
        if let Some(password) = &self.secrets.new_admin_password {
            line(&mut text, "Admin", &format!("user admin, password {}", shown(password)));
            line(&mut text, "", "(shown this once; riverrun reset-admin-password makes another)");
        }
        line(&mut text, "Data", &self.data.display().to_string());
        let host = hosts.first().map_or("127.0.0.1", String::as_str);
        let next = if self.demo {
            format!("open http://{host}:{}/ and watch the demo", self.http.port())
        } else {
            "in OBS: Settings, Stream, Custom; enter address and key, keyframe interval 2 s; start"
                .to_owned()
        };
        line(&mut text, "Next step", &next);
        text.push('\n');
        text
    }
}

/// The one place that shows a secret.
fn shown(secret: &Secret) -> &str {
    secret.expose()
}

fn line(text: &mut String, name: &str, value: &str) {
    // Writing to a String cannot fail.
    let _ = writeln!(text, "  {name:<12}{value}");
}

/// Hosts a person can type: this machine's own name for itself, and the address it has towards
/// others when the server listens on all of them.
fn reachable_hosts(listening: IpAddr) -> Vec<String> {
    if !listening.is_unspecified() {
        return vec![in_url(listening)];
    }
    let mut hosts = vec!["127.0.0.1".to_owned()];
    hosts.extend(outward_address().map(in_url));
    hosts
}

fn in_url(addr: IpAddr) -> String {
    match addr {
        IpAddr::V4(addr) => addr.to_string(),
        IpAddr::V6(addr) => format!("[{addr}]"),
    }
}

/// The address a packet to another network would leave from. Connecting a datagram socket sends
/// nothing; 192.0.2.1 is reserved for examples (RFC 5737).
fn outward_address() -> Option<IpAddr> {
    let socket = UdpSocket::bind("0.0.0.0:0").ok()?;
    socket.connect("192.0.2.1:9").ok()?;
    let addr = socket.local_addr().ok()?.ip();
    (!addr.is_loopback() && !addr.is_unspecified()).then_some(addr)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_shown_when_new_and_only_then() {
        let mut secrets = Secrets {
            new_stream_key: Some(Secret::new("the-key".into())),
            new_admin_password: Some(Secret::new("the-password".into())),
        };
        let banner = |secrets: &Secrets| {
            let (http, rtmp) = ("127.0.0.1:8080".parse().unwrap(), "[::1]:1935".parse().unwrap());
            Banner { http, rtmp, data: Path::new("./data"), secrets, demo: false }.text()
        };
        let first = banner(&secrets);
        for words in ["the-key", "the-password", "http://127.0.0.1:8080/", "rtmp://[::1]:1935/live"]
        {
            assert!(first.contains(words), "{words} in\n{first}");
        }
        secrets.new_stream_key = None;
        secrets.new_admin_password = None;
        let second = banner(&secrets);
        assert!(!second.contains("the-key") && !second.contains("the-password"));
    }
}
