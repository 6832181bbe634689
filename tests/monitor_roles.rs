//! Files touched as their users, through a child of the real executable.
//!
//! As root the child becomes `nobody`; otherwise everything is done with the identity there is, and only what holds then
//! too is asked.

#![allow(clippy::unwrap_used, reason = "a failed step is a failed test")]

use std::fs;
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use sendmail::base::exit::Exit;
use sendmail::config::Config;
use sendmail::config::values::UserSpec;
use sendmail::log::Logger;
use sendmail::monitor::request::{AppendAsUser, ReadAsUser};
use sendmail::monitor::serve::Server;
use sendmail::monitor::{Error, Port};
use sendmail::sys::safefile::Purpose;
use sendmail::sys::{file, user};

const NOBODY: u32 = 65534;

/// A folder that others may enter, with a copy of the executable, which may lie where they may not.
struct Sandbox {
    dir: tempfile::TempDir,
    uid: u32,
    gid: u32,
}

impl Sandbox {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o755)).unwrap();
        fs::copy(env!("CARGO_BIN_EXE_sendmail"), dir.path().join("sendmail")).unwrap();
        let (uid, gid) = if is_root() { (NOBODY, NOBODY) } else { (user::effective_uid(), user::effective_gid()) };
        Self { dir, uid, gid }
    }

    fn port(&self) -> Port {
        let mut config = Config::default();
        config.options.dont_blame_sendmail.0 = 1 << 32;
        config.options.default_user = UserSpec { uid: self.uid, gid: self.gid, name: None };
        let server = Server::new(Arc::new(config), Logger::memory(9));
        Port::served_by(server.with_executable(self.dir.path().join("sendmail")))
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn make(&self, name: &str, text: &[u8], mode: u32, uid: u32) {
        file::replace(&self.path(name), text, mode).unwrap();
        fs::set_permissions(self.path(name), fs::Permissions::from_mode(mode)).unwrap();
        if is_root() {
            chown(self.path(name), Some(uid), Some(self.gid)).unwrap();
        }
    }

    fn read(&self, name: &str) -> Result<String, Error> {
        let request =
            ReadAsUser { path: self.path(name), purpose: Purpose::Forward, user: (self.uid, self.gid), limit: 1000 };
        let file = runtime().block_on(self.port().read_as_user(request))?;
        Ok(String::from_utf8(file.text.to_vec()).unwrap())
    }

    fn append(&self, path: &Path) -> (Exit, String) {
        let request = AppendAsUser {
            path: path.to_str().unwrap().to_owned().into(),
            mailer: None,
            controller: Some((self.uid, self.gid)),
        };
        runtime().block_on(async {
            let mut appending = self.port().append_as_user(request).await.unwrap();
            // A file that is refused closes the pipe early.
            let _ = appending.write(b"From a\n\nbody\n\n").await;
            let (exit, text) = appending.finish().await.unwrap();
            (exit, String::from_utf8(text.to_vec()).unwrap())
        })
    }
}

fn is_root() -> bool {
    user::effective_uid() == 0
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
}

#[test]
fn a_forward_file_is_read_with_the_rights_of_its_user() {
    let sandbox = Sandbox::new();
    sandbox.make("own", b"bob\n", 0o600, sandbox.uid);
    assert_eq!(sandbox.read("own").unwrap(), "bob\n");
    sandbox.make("writable", b"bob\n", 0o620, sandbox.uid);
    assert_eq!(sandbox.read("writable").unwrap_err().to_string(), "Group writable file");
    assert!(sandbox.read("missing").unwrap_err().is_absent());
    sandbox.make("large", &[b'x'; 2000], 0o600, sandbox.uid);
    assert_eq!(sandbox.read("large").unwrap_err().to_string(), "File too large");
    if is_root() {
        sandbox.make("secret", b"x", 0o600, 0);
        assert_eq!(sandbox.read("secret").unwrap_err().to_string(), "Permission denied");
    }
}

#[test]
fn a_message_is_appended_with_the_rights_of_its_user() {
    let sandbox = Sandbox::new();
    sandbox.make("box", b"", 0o600, sandbox.uid);
    assert_eq!(sandbox.append(&sandbox.path("box")), (Exit::OK, String::new()));
    assert_eq!(fs::metadata(sandbox.path("box")).unwrap().len(), 14);
    assert_eq!(sandbox.append(Path::new("/dev/null")).0, Exit::OK);
    if is_root() {
        sandbox.make("roots", b"", 0o600, 0);
        assert_eq!(sandbox.append(&sandbox.path("roots")), (Exit::CANTCREAT, "Permission denied".to_owned()));
        assert_eq!(sandbox.append(&sandbox.path("new")), (Exit::CANTCREAT, "Permission denied".to_owned()));
    }
}
