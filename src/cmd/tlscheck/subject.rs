//! What is looked at, and for whom.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use bytes::Bytes;

use super::causes::{Cause, Sides};
use crate::base::time::UnixTime;
use crate::config::Config;
use crate::config::dontblame;
use crate::net::tls::Role;
use crate::sys::file::{self, Facts};
use crate::sys::safefile::{self, Fault, Judge, Purpose, Refusal};
use crate::sys::user;

/// A configuration, and for whom its files are judged.
pub(in crate::cmd) struct Subject<'a> {
    /// The configuration.
    pub(in crate::cmd) config: &'a Config,
    /// For whom files are judged.
    pub(in crate::cmd) judge: Judge,
    /// Who reads them, when not the caller.
    pub(in crate::cmd) reader: Option<Reader>,
    /// The time.
    pub(in crate::cmd) now: UnixTime,
    /// Seconds before a certificate's end at which it is reported.
    pub(in crate::cmd) soon: i64,
}

/// A user, or a group that any user borrows from a set-group-id program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::cmd) struct Reader {
    /// The user; `None` for any user.
    uid: Option<u32>,
    groups: Vec<u32>,
    /// As it is shown.
    name: String,
    /// A group that may be given the file.
    group: Option<String>,
}

impl Reader {
    /// Who reads the files of a configuration: under `UseMSP` any user, with the group of the submission program.
    pub(super) fn of(config: &Config) -> Option<Self> {
        let user = config.options.run_as_user.as_ref().filter(|user| user.uid != 0 && config.options.use_msp)?;
        let group = user::group_name(user.gid).ok().flatten().map(|name| String::from_utf8_lossy(&name).into_owned());
        let name = group.as_ref().map_or_else(|| format!("group {}", user.gid), |group| format!("group {group}"));
        Some(Self { uid: None, groups: vec![user.gid], name, group })
    }

    /// Whether the permission bits let the reader in.
    fn can_read(&self, facts: &Facts) -> bool {
        let shift = match (self.uid == Some(facts.uid), self.groups.contains(&facts.gid)) {
            (true, _) => 6,
            (false, true) => 3,
            (false, false) => 0,
        };
        facts.permissions() >> shift & 4 != 0
    }
}

impl Subject<'_> {
    /// Certificates and keys of a side.
    pub(super) fn identity(&self, role: Role) -> (&[Bytes], &[Bytes]) {
        let options = &self.config.options;
        match role {
            Role::Server => (&options.server_cert_file, &options.server_key_file),
            Role::Client => (&options.client_cert_file, &options.client_key_file),
        }
    }

    /// Reads a file as the program would. What is only unsafe is reported and read nevertheless.
    pub(super) fn read(
        &self,
        path: &Bytes,
        purpose: Purpose,
        option: &'static str,
        sides: Sides,
        causes: &mut Vec<Cause>,
    ) -> Option<Vec<u8>> {
        let path = path_of(path);
        if !path.is_absolute() {
            causes.push(relative(&path, option, sides));
            return None;
        }
        match safefile::open(&path, purpose, &self.judge) {
            Ok(opened) => {
                if let Some(reader) = self.reader.as_ref().filter(|reader| !reader.can_read(&opened.facts)) {
                    causes.push(self.unreadable_for(reader, &path, option, sides));
                    return None;
                }
            }
            Err(Refusal::Rule(Fault::NotRegular)) => {
                let cause = Cause::new("file-not-pem", sides, option, "is no regular file").about(&path);
                causes.push(cause.mend(format!("ls -ld {}; certs install puts the right file there", path.display())));
                return None;
            }
            Err(Refusal::Rule(fault)) => causes.push(self.unsafe_file(&path, purpose, fault, option, sides)),
            Err(refusal) => {
                causes.push(unusable(&path, &refusal, option, sides));
                return None;
            }
        }
        file::read_following(&path, LARGEST).ok()
    }

    fn unreadable_for(&self, reader: &Reader, path: &Path, option: &'static str, sides: Sides) -> Cause {
        let shown = path.display();
        let group = reader.group.as_deref().unwrap_or("GROUP");
        let mut mend = format!("chgrp {group} {shown}; chmod 640 {shown}");
        if !self.forgives_group_readers() {
            mend.push_str(", and O DontBlameSendmail=GroupReadableKeyFile");
        }
        Cause::new("file-unreadable", sides, option, format!("{} cannot read it", reader.name)).about(path).mend(mend)
    }

    fn unsafe_file(&self, path: &Path, purpose: Purpose, fault: Fault, option: &'static str, sides: Sides) -> Cause {
        let is_key = purpose == Purpose::Key;
        let shown = path.display();
        match fault {
            Fault::WorldWritableDirectory | Fault::GroupWritableDirectory => {
                let directory = self.first_refused(path, purpose);
                let mend = if is_shared(&directory) {
                    "put the files elsewhere, e.g. /etc/mail/certs".to_owned()
                } else {
                    format!("chmod go-w {}", directory.display())
                };
                Cause::new("directory-unsafe", sides, option, fault.text()).about(directory).mend(mend)
            }
            Fault::GroupReadableFile => Cause::new("key-unsafe", sides, option, fault.text()).about(path).mend(
                format!("chmod 600 {shown}, or O DontBlameSendmail=GroupReadableKeyFile when a group has to read it"),
            ),
            Fault::ForeignOwner => {
                let id = if is_key { "key-unsafe" } else { "file-unsafe" };
                Cause::new(id, sides, option, "belongs to a user who is neither root nor who runs the program")
                    .about(path)
                    .mend(format!("chown root {shown}"))
            }
            _ if is_key => {
                let mode = if self.forgives_group_readers() { "640" } else { "600" };
                Cause::new("key-unsafe", sides, option, fault.text()).about(path).mend(format!("chmod {mode} {shown}"))
            }
            _ => Cause::new("file-unsafe", sides, option, fault.text()).about(path).mend(format!("chmod go-w {shown}")),
        }
    }

    fn forgives_group_readers(&self) -> bool {
        let row = dontblame::FLAGS.iter().find(|row| row.name == "GroupReadableKeyFile");
        row.and_then(|row| row.bit).is_some_and(|bit| self.judge.forgives(bit))
    }

    /// The directory on the way to a file that is refused.
    fn first_refused(&self, path: &Path, purpose: Purpose) -> PathBuf {
        // Where links lead to counts as well.
        let real = std::fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
        [path, &real].iter().find_map(|path| self.refused_above(path, purpose)).unwrap_or_else(|| path.to_owned())
    }

    fn refused_above(&self, path: &Path, purpose: Purpose) -> Option<PathBuf> {
        let mut above: Vec<&Path> = path.ancestors().skip(1).collect();
        above.reverse();
        let is_refused = |directory: &&&Path| {
            let inside = directory.join("x");
            let fault = safefile::check(&inside, purpose, &self.judge).err();
            matches!(fault, Some(Refusal::Rule(Fault::WorldWritableDirectory | Fault::GroupWritableDirectory)))
        };
        above.iter().find(is_refused).map(|directory| (*directory).to_owned())
    }
}

/// Whether a directory is meant to be written to by all, or is one of the system whose modes are not for us to change.
fn is_shared(directory: &Path) -> bool {
    let is_sticky = file::facts_of(directory).is_ok_and(|facts| facts.permissions() & STICKY != 0);
    is_sticky || OF_THE_SYSTEM.iter().any(|path| directory == Path::new(path))
}

const STICKY: u32 = 0o1000;
/// Directories that more than mail depends on.
const OF_THE_SYSTEM: &[&str] = &[
    "/",
    "/bin",
    "/dev",
    "/dev/shm",
    "/etc",
    "/home",
    "/lib",
    "/opt",
    "/root",
    "/run",
    "/sbin",
    "/srv",
    "/tmp",
    "/usr",
    "/usr/local",
    "/var",
    "/var/lib",
    "/var/mail",
    "/var/run",
    "/var/spool",
    "/var/tmp",
];

fn unusable(path: &Path, refusal: &Refusal, option: &'static str, sides: Sides) -> Cause {
    let shown = path.display();
    let (id, mend) = if refusal.is_absent() {
        ("file-missing", format!("put it there, or correct O {option}= (certs install does both)"))
    } else {
        ("file-unreadable", format!("ls -l {shown}; run tlscheck as root"))
    };
    Cause::new(id, sides, option, refusal.to_string()).about(path).mend(mend)
}

/// A name that depends on the directory the program is in.
pub(super) fn relative(path: &Path, option: &'static str, sides: Sides) -> Cause {
    let id = if option.ends_with("Path") { "directory-missing" } else { "file-missing" };
    let here = crate::sys::env::current_directory().ok().map(|here| here.join(path));
    let whole =
        here.filter(|whole| file::facts_of(whole).is_ok()).unwrap_or_else(|| Path::new("/DIRECTORY").join(path));
    let cause = Cause::new(id, sides, option, "does not begin with /; no other name counts").about(path);
    cause.mend(format!("O {option}={}", whole.display()))
}

/// A path of an option.
pub(super) fn path_of(path: &Bytes) -> PathBuf {
    PathBuf::from(OsStr::from_bytes(path))
}

/// Largest PEM file that is read, bytes.
pub(super) const LARGEST: usize = 16 * 1024 * 1024;
