//! What `docs/REQUIREMENTS.md` promises, a test for each row, named after its number.

mod dialogue;
mod files;
mod headers;
mod log;
mod options;
mod parameters;
mod policy;
mod procedures;
mod verify;

use std::path::Path;
use std::process::{Command, Output};

use openssl::ssl::SslConnector;

use crate::support::client::Client;
use crate::support::daemon::Daemon;
use crate::support::fake_host::FakeHost;
use crate::support::sandbox::{Sandbox, Site};
use crate::support::tls::Authority;
use crate::support::{LIMIT, until};

/// A transfer agent of its own with keys at hand, and a next hop.
struct Place {
    sandbox: Sandbox,
    authority: Authority,
}

/// A running one.
struct Running {
    site: Site,
    _daemon: Daemon,
}

impl Place {
    /// An authority that signed `a.test` and `client.test`.
    fn new() -> Self {
        let sandbox = Sandbox::new();
        let authority = Authority::new(&sandbox.path("tls"));
        authority.sign("a.test");
        authority.sign("client.test");
        Self { sandbox, authority }
    }

    /// A transfer agent under these lines.
    fn run(&self, name: &str, next_port: u16, lines: &str) -> Running {
        let site = self.sandbox.mta(name, next_port, lines);
        let daemon = site.start();
        Running { site, _daemon: daemon }
    }

    /// One with keys of `a.test` and more lines.
    fn run_tls(&self, lines: &str) -> Running {
        self.run("a", 1, &format!("{}{lines}", self.authority.options("a.test")))
    }

    /// What the mailbox holds after a message came over TLS from a client with this certificate.
    fn receives(&self, running: &Running, certificate: Option<&str>) -> String {
        running.receives(&self.authority.connector(certificate))
    }
}

impl Running {
    fn offers(&self) -> bool {
        offers(self.site.port)
    }

    /// What the mailbox holds after a message came over TLS.
    fn receives(&self, connector: &SslConnector) -> String {
        let user = format!("u{}", self.site.mailq().len() + std::fs::read_dir(self.site.path("mail")).unwrap().count());
        let mut client = Client::connect(self.site.port).start_tls_with(connector);
        client.expect("EHLO client.test", "250-");
        let to = format!("{user}@a.test");
        let reply = client.message("me@client.test", &[&to], b"Subject: tls\r\n\r\nsecret\r\n");
        assert!(reply.starts_with("250 "), "{reply}");
        until(LIMIT, "it is in the mailbox", || self.site.mailbox(&user).contains("secret"));
        self.site.mailbox(&user)
    }

    fn wait_for_log(&self, text: &str) {
        until(LIMIT, &format!("the log has {text:?}"), || self.site.log().contains(text));
    }
}

fn offers(port: u16) -> bool {
    Client::connect(port).say("EHLO client.test").contains("STARTTLS")
}

/// A message for the next hop.
fn send(running: &Running) {
    let reply =
        Client::connect(running.site.port).message("me@a.test", &["you@next.test"], b"Subject: out\r\n\r\nout\r\n");
    assert!(reply.starts_with("250 "), "{reply}");
}

/// A next hop with the certificate of `next.test`.
fn tls_host(authority: &Authority) -> FakeHost {
    authority.sign("next.test");
    FakeHost::with_tls(&[""], authority.acceptor("next.test"))
}

fn tool(program: &str, arguments: &[&str], directory: &Path) -> Output {
    Command::new(program).args(arguments).current_dir(directory).output().unwrap()
}

/// What a program printed; it must have ended well.
fn printed(program: &str, arguments: &[&str], directory: &Path) -> String {
    let output = tool(program, arguments, directory);
    assert!(output.status.success(), "{program} {arguments:?}: {output:?}");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn mode(path: &Path, mode: u32) {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
}

const CERTS: &str = env!("CARGO_BIN_EXE_certs");
const CFCHECK: &str = env!("CARGO_BIN_EXE_cfcheck");
const GENCF: &str = env!("CARGO_BIN_EXE_gencf");
const MTAIL: &str = env!("CARGO_BIN_EXE_mtail");
const SENDMAIL: &str = env!("CARGO_BIN_EXE_sendmail");
const TLSCHECK: &str = env!("CARGO_BIN_EXE_tlscheck");
/// A line that lets rules write to the log.
const SEEN: &str = "Kseen syslog\n";
