//! A folder of its own for a test: configurations, queues, aliases, mailboxes, a log, ports of the loopback interface.

use std::fs;
use std::io::Write as _;
use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU16, Ordering};

use super::daemon::Daemon;

/// The folder.
pub struct Sandbox {
    dir: tempfile::TempDir,
}

/// One configuration in the folder: a transfer agent, or a submission agent.
pub struct Site {
    /// Its own folder: `cf`, `queue`, `mail`, `aliases`.
    pub dir: PathBuf,
    /// Where it listens.
    pub port: u16,
    /// The binary that serves it.
    pub program: &'static str,
    log: PathBuf,
}

impl Sandbox {
    pub fn new() -> Self {
        let dir = tempfile::Builder::new().prefix("sendmail-it.").tempdir().unwrap();
        fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o755)).unwrap();
        Self { dir }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// A transfer agent that passes mail for `next.test` to `next_port`; `lines` follow the options of the template.
    pub fn mta(&self, name: &str, next_port: u16, lines: &str) -> Site {
        self.site(name, include_str!("mta.cf.in"), env!("CARGO_BIN_EXE_sendmail"), next_port, lines)
    }

    /// A submission agent that passes everything to `next_port`.
    pub fn msp(&self, name: &str, next_port: u16, lines: &str) -> Site {
        self.site(name, include_str!("submit.cf.in"), env!("CARGO_BIN_EXE_sendmail-msp"), next_port, lines)
    }

    /// A transfer agent whose configuration the m4 library makes, as sites do: a smart host on `next_port` takes what is not local.
    /// `lines` are `.mc` lines; `DIR` in them is its folder.
    pub fn mta_of_library(&self, name: &str, next_port: u16, lines: &str) -> Site {
        let site = self.site(name, include_str!("site.mc.in"), env!("CARGO_BIN_EXE_sendmail"), next_port, lines);
        let text = fs::read_to_string(site.path("cf")).unwrap().replace("DIR/", &format!("{}/", site.dir.display()));
        fs::rename(site.path("cf"), site.path("mc")).unwrap();
        fs::write(site.path("mc"), text).unwrap();
        let library = Path::new(env!("CARGO_MANIFEST_DIR")).join("m4/cf.m4");
        let made = Command::new("m4").arg(library).arg(site.path("mc")).output().unwrap();
        assert!(made.status.success() && made.stderr.is_empty(), "{}", String::from_utf8_lossy(&made.stderr));
        site.write("cf", &made.stdout, 0o644);
        site
    }

    fn site(&self, name: &str, template: &str, program: &'static str, next_port: u16, lines: &str) -> Site {
        let site = Site { dir: self.path(name), port: free_port(), program, log: self.path("log") };
        for folder in ["", "queue", "mail"] {
            fs::create_dir(site.path(folder)).unwrap();
            fs::set_permissions(site.path(folder), fs::Permissions::from_mode(0o755)).unwrap();
        }
        fs::set_permissions(site.path("queue"), fs::Permissions::from_mode(0o700)).unwrap();
        site.write("aliases", b"", 0o644);
        site.write("mailbox", MAILBOX.as_bytes(), 0o755);
        let (uid, gid) = recipient();
        chown(site.path("mail"), Some(uid), Some(gid)).unwrap();
        let text = template
            .replace("@LINES@", lines)
            .replace("@DIR@", site.dir.to_str().unwrap())
            .replace("@HOST@", &format!("{name}.test"))
            .replace("@PORT@", &site.port.to_string())
            .replace("@NEXT_PORT@", &next_port.to_string())
            .replace("@USER@", &user_name())
            .replace("@UID@", &uid.to_string())
            .replace("@GID@", &gid.to_string());
        site.write("cf", text.as_bytes(), 0o644);
        site
    }
}

/// A test that fails shows the log.
impl Drop for Sandbox {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let log = fs::read(self.path("log")).unwrap_or_default();
            println!("the log:\n{}", String::from_utf8_lossy(&log));
        }
    }
}

impl Site {
    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.join(name)
    }

    pub fn write(&self, name: &str, text: &[u8], mode: u32) {
        fs::write(self.path(name), text).unwrap();
        fs::set_permissions(self.path(name), fs::Permissions::from_mode(mode)).unwrap();
    }

    /// The program under this configuration.
    pub fn command(&self) -> Command {
        let mut command = Command::new(self.program);
        command.arg("-C").arg(self.path("cf")).env("SENDMAIL_LOG_FILE", &self.log).current_dir(&self.dir);
        command
    }

    /// Runs the program with a message as its input; its exit code and what it printed.
    pub fn submit(&self, args: &[&str], message: &[u8]) -> (i32, String) {
        let mut command = self.command();
        command.args(args).env("HOME", &self.dir).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        // It may end without reading its input.
        let _ = child.stdin.take().unwrap().write_all(message);
        let output = child.wait_with_output().unwrap();
        let printed = [output.stdout, output.stderr].concat();
        (output.status.code().unwrap(), String::from_utf8_lossy(&printed).into_owned())
    }

    /// A daemon of this configuration that listens.
    pub fn start(&self) -> Daemon {
        let mut command = self.command();
        command.args(["-bD", "-q1h"]);
        Daemon::start(command, self.port)
    }

    /// One queue run, to its end.
    pub fn run_queue(&self) {
        let output = self.command().arg("-q").output().unwrap();
        assert!(output.status.success(), "-q: {output:?}");
    }

    /// What `mailq` prints.
    pub fn mailq(&self) -> String {
        String::from_utf8(self.command().arg("-bp").output().unwrap().stdout).unwrap()
    }

    /// Whether nothing is queued.
    pub fn queue_is_empty(&self) -> bool {
        self.mailq().contains("is empty")
    }

    /// Names in the queue folder, by their first letters.
    pub fn queue_files(&self, prefix: &str) -> Vec<String> {
        let names = fs::read_dir(self.path("queue")).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap());
        names.filter(|name| name.starts_with(prefix)).collect()
    }

    pub fn log_file(&self) -> &Path {
        &self.log
    }

    /// What was delivered to a local user.
    pub fn mailbox(&self, user: &str) -> String {
        fs::read(self.path("mail").join(user)).map(|b| String::from_utf8_lossy(&b).into_owned()).unwrap_or_default()
    }

    /// The log of all programs of the sandbox.
    pub fn log(&self) -> String {
        fs::read(&self.log).map(|b| String::from_utf8_lossy(&b).into_owned()).unwrap_or_default()
    }
}

/// Whom mailboxes belong to: root gives its rights away before it delivers.
pub fn recipient() -> (u32, u32) {
    if is_root() { (NOBODY, NOBODY) } else { own_ids() }
}

pub fn is_root() -> bool {
    own_ids().0 == 0
}

/// Login name of whoever runs the tests.
pub fn user_name() -> String {
    let output = Command::new("id").arg("-un").output().unwrap();
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

/// A number of an account: `-u` or `-g`.
pub fn id(which: &str, user: &str) -> String {
    let output = Command::new("id").args([which, user]).output().unwrap();
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

/// The field of a line of `/etc/passwd` or `/etc/group`.
fn field(file: &str, name: &str, number: usize) -> String {
    let text = fs::read_to_string(file).unwrap();
    let line = text.lines().find(|line| line.split(':').next() == Some(name)).unwrap();
    line.split(':').nth(number).unwrap().to_owned()
}

/// Home directory of an account.
pub fn home(user: &str) -> String {
    field("/etc/passwd", user, 5)
}

/// Number of a group.
pub fn group(name: &str) -> String {
    field("/etc/group", name, 2)
}

fn own_ids() -> (u32, u32) {
    let own = fs::metadata(Path::new("/proc/self")).unwrap();
    (own.uid(), own.gid())
}

/// A port of the loopback interface below those the system hands out, so that nobody takes it meanwhile.
pub fn free_port() -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let start = u16::try_from(std::process::id() % 11_000).unwrap();
    loop {
        let port = 20_000 + (start + NEXT.fetch_add(1, Ordering::Relaxed)) % 12_000;
        if TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok() {
            return port;
        }
    }
}

/// The local mailer: one file per user; nobody is called nosuch. The lock keeps messages whole.
const MAILBOX: &str =
    "#!/bin/sh\n[ \"$2\" = nosuch ] && exit 67\nexec flock \"$1/.lock\" sh -c 'cat >>\"$0/$1\"' \"$1\" \"$2\"\n";
const NOBODY: u32 = 65534;
