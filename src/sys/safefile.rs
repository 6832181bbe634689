//! The safe-file rules: is this file one that its owner alone could have written?
//!
//! The path is walked from `/` component by component; every directory and the file are judged on their descriptor, and
//! that descriptor is what the caller gets. Symbolic links are followed by hand, so that the directories they lead
//! through are judged too. Source: op guide, "File modes" and `DontBlameSendmail`.

use std::collections::VecDeque;
use std::ffi::{OsStr, OsString};
use std::fmt;
use std::fs::File;
use std::io;
use std::os::fd::OwnedFd;
use std::path::{Component, Path};

use nix::errno::Errno;
use nix::fcntl::{AT_FDCWD, OFlag, openat, readlinkat};
use nix::sys::stat::Mode;

use super::file::{self, Facts};

/// What a file is opened for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// `sendmail.cf`, `submit.cf`.
    Configuration,
    /// Socket of a filter.
    FilterSocket,
    /// File of an `F` line.
    Class,
    /// Text of an alias file.
    AliasText,
    /// Map or alias database, for reading.
    Map,
    /// Map or alias database, for building.
    MapBuild,
    /// `.forward`.
    Forward,
    /// `:include:` list.
    Include,
    /// `HelpFile`.
    Help,
    /// `ErrorHeader` file.
    ErrorHeader,
    /// `ServiceSwitchFile`.
    ServiceSwitch,
    /// `StatusFile`.
    Statistics,
    /// Private key.
    Key,
    /// Certificate, CA file, DH parameters.
    Certificate,
    /// `DefaultAuthInfo`.
    AuthInfo,
    /// Configuration or plugin of the SASL library.
    Sasl,
    /// SASL password file.
    SaslDatabase,
    /// Delivery to `/file`.
    Delivery,
    /// A program of a mailer.
    Program,
    /// The site's own lines of an `.mc`, which m4 runs.
    SiteLines,
}

/// A check and what loosens it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rule {
    /// Not checked.
    Free,
    /// Checked, always.
    Refuse,
    /// Checked unless the `DontBlameSendmail` bit is set.
    Unless(u8),
}

/// The checks of one purpose.
#[derive(Debug, Clone, Copy)]
pub struct Row {
    /// What the file is for.
    pub purpose: Purpose,
    /// World-writable directories on the way.
    pub world_directory: Rule,
    /// Group-writable directories on the way.
    pub group_directory: Rule,
    /// The file is a link (of either kind) in a writable directory.
    pub linked: Rule,
    /// The file is a symbolic link.
    pub symlink: Rule,
    /// The file has several names.
    pub hard_link: Rule,
    /// World-writable file.
    pub world_file: Rule,
    /// Group-writable file.
    pub group_file: Rule,
    /// World-readable file.
    pub world_read: Rule,
    /// Group-readable file.
    pub group_read: Rule,
    /// The file must belong to the user in question or to root.
    pub must_own: bool,
}

/// One row per purpose; the numbers are the bits of `config/dontblame.rs`.
#[rustfmt::skip]
pub static ROWS: &[Row] = {
    use Purpose as P;
    use Rule::{Free, Refuse, Unless};
    const OPEN: Row = Row { purpose: P::Configuration, world_directory: Free, group_directory: Free, linked: Free, symlink: Free,
        hard_link: Free, world_file: Free, group_file: Free, world_read: Free, group_read: Free, must_own: false };
    &[
        Row { purpose: P::Configuration, world_directory: Refuse, group_directory: Refuse, ..OPEN },
        Row { purpose: P::FilterSocket, world_directory: Refuse, group_directory: Refuse, ..OPEN },
        Row { purpose: P::Class, world_directory: Unless(23), group_directory: Unless(23), linked: Unless(10), ..OPEN },
        Row { purpose: P::AliasText, world_directory: Unless(8), group_directory: Unless(8), linked: Unless(9),
              world_file: Unless(6), group_file: Unless(5), ..OPEN },
        Row { purpose: P::Map, world_directory: Unless(8), group_directory: Unless(8), linked: Unless(13), ..OPEN },
        Row { purpose: P::MapBuild, world_directory: Unless(8), group_directory: Unless(8), symlink: Unless(18), hard_link: Unless(17), ..OPEN },
        Row { purpose: P::Forward, world_directory: Unless(7), group_directory: Unless(21), linked: Unless(11),
              world_file: Unless(39), group_file: Unless(37), must_own: true, ..OPEN },
        Row { purpose: P::Include, world_directory: Unless(30), group_directory: Unless(22), linked: Unless(12),
              world_file: Unless(40), group_file: Unless(38), ..OPEN },
        Row { purpose: P::Help, world_directory: Unless(25), group_directory: Unless(25), ..OPEN },
        Row { purpose: P::ErrorHeader, world_directory: Unless(24), group_directory: Unless(24), ..OPEN },
        Row { purpose: P::ServiceSwitch, linked: Unless(14), ..OPEN },
        Row { purpose: P::Statistics, symlink: Unless(20), hard_link: Unless(19), ..OPEN },
        Row { purpose: P::Key, world_directory: Refuse, group_directory: Refuse, world_file: Refuse, group_file: Refuse,
              world_read: Refuse, group_read: Unless(41), must_own: true, ..OPEN },
        Row { purpose: P::Certificate, world_directory: Refuse, group_directory: Refuse, world_file: Refuse, group_file: Refuse,
              must_own: true, ..OPEN },
        Row { purpose: P::AuthInfo, world_directory: Refuse, group_directory: Refuse, world_file: Refuse, group_file: Refuse,
              world_read: Refuse, group_read: Unless(42), ..OPEN },
        Row { purpose: P::Sasl, world_directory: Refuse, group_directory: Refuse, world_file: Refuse, ..OPEN },
        Row { purpose: P::SaslDatabase, world_file: Refuse, group_file: Unless(36), world_read: Refuse, group_read: Unless(35), ..OPEN },
        Row { purpose: P::Delivery, symlink: Unless(16), hard_link: Unless(15), ..OPEN },
        Row { purpose: P::Program, world_directory: Unless(28), group_directory: Unless(28), world_file: Unless(29), group_file: Unless(29), ..OPEN },
        Row { purpose: P::SiteLines, world_directory: Refuse, group_directory: Refuse, symlink: Refuse, world_file: Refuse, group_file: Refuse,
              must_own: true, ..OPEN },
    ]
};

/// For whom a file is judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Judge {
    /// The user whose file it should be.
    pub uid: u32,
    /// Bits of `DontBlameSendmail`.
    pub dont_blame: u64,
    /// `TrustedUser`, who may own what root may.
    pub trusted_uid: Option<u32>,
}

impl Judge {
    /// Whether the `DontBlameSendmail` bit is set.
    pub fn forgives(&self, bit: u8) -> bool {
        bit < 64 && self.dont_blame & (1 << bit) != 0
    }

    fn refuses(&self, rule: Rule) -> bool {
        match rule {
            Rule::Free => false,
            Rule::Refuse => true,
            Rule::Unless(bit) => !self.forgives(bit),
        }
    }
}

/// Why a file is not opened. The text is the original's.
#[derive(Debug)]
pub enum Refusal {
    /// The system said no.
    System(io::Error),
    /// A rule said no.
    Rule(Fault),
}

/// What a rule found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names say what `text` says")]
pub enum Fault {
    SymbolicLink,
    HardLink,
    NotRegular,
    Executable,
    WorldWritableDirectory,
    GroupWritableDirectory,
    Changed,
    WorldWritableFile,
    GroupWritableFile,
    GroupReadableFile,
    WorldReadableFile,
    /// Neither the user's nor root's.
    ForeignOwner,
}

impl Fault {
    /// The original's words.
    pub fn text(self) -> &'static str {
        match self {
            Self::SymbolicLink => "Symbolic links not allowed",
            Self::HardLink => "Hard links not allowed",
            Self::NotRegular => "Regular files only",
            Self::Executable => "Executable files not allowed",
            Self::WorldWritableDirectory => "World writable directory",
            Self::GroupWritableDirectory => "Group writable directory",
            Self::Changed => "File changed after open",
            Self::WorldWritableFile => "World writable file",
            Self::GroupWritableFile => "Group writable file",
            Self::GroupReadableFile => "Group readable file",
            Self::WorldReadableFile => "World readable file",
            Self::ForeignOwner => "Permission denied",
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::System(e) => f.write_str(&error_text(e)),
            Self::Rule(fault) => f.write_str(fault.text()),
        }
    }
}

impl std::error::Error for Refusal {}

impl From<io::Error> for Refusal {
    fn from(e: io::Error) -> Self {
        Self::System(e)
    }
}

impl From<Errno> for Refusal {
    fn from(e: Errno) -> Self {
        Self::System(e.into())
    }
}

impl Refusal {
    /// The file does not exist, which is often no error at all.
    pub fn is_absent(&self) -> bool {
        matches!(self, Self::System(e) if e.kind() == io::ErrorKind::NotFound || e.raw_os_error() == Some(libc::ENOTDIR))
    }

    /// Another try may succeed: the system was short of something, or a server did not answer.
    pub fn is_temporary(&self) -> bool {
        let Self::System(e) = self else { return false };
        matches!(
            e.raw_os_error(),
            Some(
                libc::EIO
                    | libc::EAGAIN
                    | libc::EINTR
                    | libc::ENFILE
                    | libc::EMFILE
                    | libc::ENOMEM
                    | libc::ETIMEDOUT
                    | libc::ESTALE
                    | libc::ENOSPC
                    | libc::EDQUOT
                    | libc::EBUSY
            )
        )
    }
}

/// What strerror(3) says: without the number that Rust adds.
pub fn error_text(error: &io::Error) -> String {
    match error.raw_os_error() {
        Some(code) => Errno::from_raw(code).desc().to_owned(),
        None => error.to_string(),
    }
}

/// A file that passed.
#[derive(Debug)]
pub struct Opened {
    /// Open for reading.
    pub file: File,
    /// Facts about it.
    pub facts: Facts,
    /// First directory on the way that others may write to, though a flag forgave it.
    pub unsafe_directory: Option<Fault>,
}

/// Opens a file for reading under the rules of its purpose. A device or FIFO is not waited for and never passes.
pub fn open(path: &Path, purpose: Purpose, judge: &Judge) -> Result<Opened, Refusal> {
    let row = row(purpose);
    let walk = walk(None, path, row, judge)?;
    let flags = OFlag::O_RDONLY | OFlag::O_NONBLOCK | OFlag::O_NOFOLLOW | OFlag::O_NOCTTY | OFlag::O_CLOEXEC;
    let file: File = match openat(&walk.parent, walk.name.as_os_str(), flags, Mode::empty()) {
        Ok(file) => file.into(),
        // What is wrong with its mode is told before that it cannot be read. Source: observed.
        Err(Errno::EACCES) => {
            let facts = file::Dir::from(walk.parent.try_clone()?).facts(&walk.name)?;
            judge_file(&facts, &walk, row, judge)?;
            return Err(Errno::EACCES.into());
        }
        Err(error) => return Err(error.into()),
    };
    let facts = file::facts(&file)?;
    judge_file(&facts, &walk, row, judge)?;
    Ok(Opened { file, facts, unsafe_directory: walk.writable })
}

/// Reads a whole file under the rules of its purpose. Errors: also `FileTooLarge` beyond `limit` bytes.
pub fn read(path: &Path, purpose: Purpose, judge: &Judge, limit: usize) -> Result<Vec<u8>, Refusal> {
    Ok(file::read_limited(&mut open(path, purpose, judge)?.file, limit)?)
}

/// Judges the directories on the way to a path and the file there, if there is one, without opening it.
pub fn check(path: &Path, purpose: Purpose, judge: &Judge) -> Result<Option<Facts>, Refusal> {
    check_below(None, path, purpose, judge)
}

/// [`check`] with another directory as the root: nothing on the way, neither `..` nor a link, leads out of it.
pub fn check_below(
    root: Option<&file::Dir>,
    path: &Path,
    purpose: Purpose,
    judge: &Judge,
) -> Result<Option<Facts>, Refusal> {
    let row = row(purpose);
    let walk = walk(root, path, row, judge)?;
    let dir = file::Dir::from(walk.parent.try_clone()?);
    match dir.facts(&walk.name) {
        Ok(facts) => judge_file(&facts, &walk, row, judge).map(|()| Some(facts)),
        // A link that leads nowhere would be followed by whoever makes the file.
        Err(e) if e.kind() == io::ErrorKind::NotFound && walk.was_link && judge.refuses(row.symlink) => {
            Err(Refusal::Rule(Fault::SymbolicLink))
        }
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(e) => Err(e.into()),
    }
}

/// Opens the directory that holds the file, every component judged; the name in it is the second value.
pub fn open_parent(path: &Path, purpose: Purpose, judge: &Judge) -> Result<(file::Dir, OsString), Refusal> {
    open_parent_below(None, path, purpose, judge)
}

/// [`open_parent`] with another directory as the root.
pub fn open_parent_below(
    root: Option<&file::Dir>,
    path: &Path,
    purpose: Purpose,
    judge: &Judge,
) -> Result<(file::Dir, OsString), Refusal> {
    let walk = walk(root, path, row(purpose), judge)?;
    Ok((file::Dir::from(walk.parent), walk.name))
}

fn row(purpose: Purpose) -> &'static Row {
    ROWS.iter().find(|r| r.purpose == purpose).unwrap_or(&ROWS[0])
}

/// Where a path leads.
struct Walk {
    /// Directory that holds the file.
    parent: OwnedFd,
    /// Its name there; never a link.
    name: OsString,
    /// The last component was a link.
    was_link: bool,
    /// A link stood in a directory that others may write to, or the file's own directory is one.
    in_writable: Option<Fault>,
    /// First writable directory on the way.
    writable: Option<Fault>,
}

fn walk(root: Option<&file::Dir>, path: &Path, row: &Row, judge: &Judge) -> Result<Walk, Refusal> {
    let mut rest: VecDeque<OsString> = VecDeque::new();
    let mut parent = start_of(root, path, &mut rest)?;
    let top = root.map(file::Dir::own_facts).transpose()?;
    let mut links = 0;
    let (mut was_link, mut link_in_writable, mut writable) = (false, None, None);
    loop {
        let here = fault_of_directory(&file::facts(&parent)?, judge);
        if let Some(fault) = here {
            writable = writable.or(here);
            let rule = if fault == Fault::WorldWritableDirectory { row.world_directory } else { row.group_directory };
            if judge.refuses(rule) {
                return Err(Refusal::Rule(fault));
            }
        }
        let Some(name) = rest.pop_front() else { return Err(io::Error::from_raw_os_error(libc::EISDIR).into()) };
        // As in the root of the system, what is above the root is the root.
        if name == ".." && top.is_some_and(|top| file::facts(&parent).is_ok_and(|here| here.is_same_file(&top))) {
            continue;
        }
        let is_last = rest.is_empty();
        match readlinkat(&parent, name.as_os_str()) {
            Ok(target) => {
                links += 1;
                if links > MAX_LINKS {
                    return Err(io::Error::from_raw_os_error(libc::ELOOP).into());
                }
                was_link |= is_last;
                link_in_writable = link_in_writable.or(here);
                let target = Path::new(&target);
                let mut ahead = VecDeque::new();
                let from = start_of(root, target, &mut ahead)?;
                if target.is_absolute() {
                    parent = from;
                }
                ahead.append(&mut rest);
                rest = ahead;
            }
            Err(Errno::EINVAL) if !is_last => {
                let flags = OFlag::O_PATH | OFlag::O_DIRECTORY | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC;
                parent = openat(&parent, name.as_os_str(), flags, Mode::empty())?;
            }
            Err(Errno::EINVAL | Errno::ENOENT) if is_last => {
                let in_writable = if was_link { link_in_writable.or(here) } else { here };
                return Ok(Walk { parent, name, was_link, in_writable, writable });
            }
            Err(e) => return Err(e.into()),
        }
    }
}

/// Opens where a path begins and puts its components into `rest`.
fn start_of(root: Option<&file::Dir>, path: &Path, rest: &mut VecDeque<OsString>) -> Result<OwnedFd, Refusal> {
    for component in path.components() {
        match component {
            Component::Normal(name) => rest.push_back(name.to_owned()),
            Component::ParentDir => rest.push_back(OsStr::new("..").to_owned()),
            Component::RootDir | Component::CurDir | Component::Prefix(_) => {}
        }
    }
    if let Some(root) = root.filter(|_| path.is_absolute()) {
        return Ok(root.duplicate()?.into());
    }
    let start = if path.is_absolute() { "/" } else { "." };
    Ok(openat(AT_FDCWD, start, OFlag::O_PATH | OFlag::O_DIRECTORY | OFlag::O_CLOEXEC, Mode::empty())?)
}

fn fault_of_directory(facts: &Facts, judge: &Judge) -> Option<Fault> {
    let mode = facts.permissions();
    let sticky = mode & 0o1000 != 0 && judge.forgives(TRUST_STICKY_BIT);
    if mode & 0o002 != 0 && !sticky {
        return Some(Fault::WorldWritableDirectory);
    }
    (mode & 0o020 != 0 && !sticky && !judge.forgives(GROUP_WRITABLE_DIR_PATH_SAFE))
        .then_some(Fault::GroupWritableDirectory)
}

fn judge_file(facts: &Facts, walk: &Walk, row: &Row, judge: &Judge) -> Result<(), Refusal> {
    let mode = facts.permissions();
    let is_linked = walk.was_link || facts.links > 1;
    let checks = [
        (walk.was_link, row.symlink, Fault::SymbolicLink),
        (facts.links > 1, row.hard_link, Fault::HardLink),
        (walk.was_link && walk.in_writable.is_some(), row.linked, Fault::SymbolicLink),
        (is_linked && walk.in_writable.is_some(), row.linked, Fault::HardLink),
        (mode & 0o020 != 0, row.group_file, Fault::GroupWritableFile),
        (mode & 0o002 != 0, row.world_file, Fault::WorldWritableFile),
        (mode & 0o040 != 0, row.group_read, Fault::GroupReadableFile),
        (mode & 0o004 != 0, row.world_read, Fault::WorldReadableFile),
    ];
    if !facts.is_regular() {
        return Err(Refusal::Rule(Fault::NotRegular));
    }
    for (found, rule, fault) in checks {
        if found && judge.refuses(rule) {
            return Err(Refusal::Rule(fault));
        }
    }
    if row.must_own && facts.uid != 0 && facts.uid != judge.uid && Some(facts.uid) != judge.trusted_uid {
        return Err(Refusal::Rule(Fault::ForeignOwner));
    }
    Ok(())
}

const MAX_LINKS: usize = 40;
const GROUP_WRITABLE_DIR_PATH_SAFE: u8 = 2;
/// The bit that takes a sticky directory for one that others may not write to.
pub const TRUST_STICKY_BIT: u8 = 32;

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::os::unix::fs::{PermissionsExt, symlink};

    /// A folder whose own path is safe apart from the sticky `/tmp` above it.
    fn sandbox() -> (tempfile::TempDir, Judge) {
        let dir = tempfile::tempdir().unwrap();
        let uid = super::super::user::effective_uid();
        (dir, Judge { uid, dont_blame: 1 << TRUST_STICKY_BIT, trusted_uid: None })
    }

    fn chmod(path: &Path, mode: u32) {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    }

    #[test]
    fn each_check_has_its_words_and_its_flag() {
        let (tmp, judge) = sandbox();
        let dir = tmp.path().join("d");
        let path = dir.join("f");
        fs::create_dir(&dir).unwrap();
        file::create(&path, 0o644).unwrap();
        for (dir_mode, mode, purpose, words, bit) in [
            (0o755, 0o664, Purpose::Forward, "Group writable file", 37),
            (0o755, 0o646, Purpose::Forward, "World writable file", 39),
            (0o757, 0o644, Purpose::Include, "World writable directory", 30),
            (0o775, 0o644, Purpose::Include, "Group writable directory", 22),
            (0o775, 0o644, Purpose::Class, "Group writable directory", 2),
            (0o755, 0o640, Purpose::Key, "Group readable file", 41),
            (0o755, 0o664, Purpose::AliasText, "Group writable file", 5),
        ] {
            chmod(&dir, dir_mode);
            chmod(&path, mode);
            assert_eq!(open(&path, purpose, &judge).unwrap_err().to_string(), words);
            let forgiving = Judge { dont_blame: judge.dont_blame | 1 << bit, ..judge };
            assert!(open(&path, purpose, &forgiving).is_ok(), "{words}");
        }
    }

    #[test]
    fn a_link_counts_where_it_stands_and_where_it_leads() {
        let (tmp, judge) = sandbox();
        for (name, mode) in [("safe", 0o755), ("open", 0o777)] {
            fs::create_dir(tmp.path().join(name)).unwrap();
            file::create(&tmp.path().join(name).join("f"), 0o644).unwrap();
            chmod(&tmp.path().join(name), mode);
        }
        symlink(tmp.path().join("open/f"), tmp.path().join("safe/to-open")).unwrap();
        symlink("../safe/f", tmp.path().join("open/to-safe")).unwrap();
        symlink("f", tmp.path().join("safe/to-safe")).unwrap();
        let verdict = |name: &str, purpose| open(&tmp.path().join(name), purpose, &judge).map_err(|e| e.to_string());
        assert!(verdict("safe/to-safe", Purpose::Class).is_ok());
        assert_eq!(verdict("safe/to-open", Purpose::Class).unwrap_err(), "World writable directory");
        assert_eq!(verdict("open/to-safe", Purpose::ServiceSwitch).unwrap_err(), "Symbolic links not allowed");
        assert_eq!(verdict("safe/to-safe", Purpose::Statistics).unwrap_err(), "Symbolic links not allowed");
        assert!(open(&tmp.path().join("safe/gone"), Purpose::Class, &judge).unwrap_err().is_absent());
    }

    #[test]
    fn a_link_that_leads_nowhere_is_a_link() {
        let (tmp, judge) = sandbox();
        symlink("gone", tmp.path().join("link")).unwrap();
        let verdict = |purpose| check(&tmp.path().join("link"), purpose, &judge).map_err(|e| e.to_string());
        assert_eq!(verdict(Purpose::MapBuild).unwrap_err(), "Symbolic links not allowed");
        assert!(verdict(Purpose::Map).unwrap().is_none());
    }

    #[test]
    fn a_fifo_is_no_file_and_is_not_waited_for() {
        let (tmp, judge) = sandbox();
        let path = tmp.path().join("fifo");
        nix::unistd::mkfifo(&path, Mode::from_bits_truncate(0o600)).unwrap();
        assert_eq!(open(&path, Purpose::Include, &judge).unwrap_err().to_string(), "Regular files only");
        assert_eq!(open(tmp.path(), Purpose::Include, &judge).unwrap_err().to_string(), "Regular files only");
    }

    #[test]
    fn every_purpose_has_one_row() {
        for (i, row) in ROWS.iter().enumerate() {
            assert!(ROWS.iter().skip(i + 1).all(|other| other.purpose != row.purpose));
            assert_eq!(super::row(row.purpose).purpose, row.purpose);
        }
    }
}
