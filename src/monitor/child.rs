//! Roles: what a child of the same executable does as another user.
//!
//! The child is started with the wanted identity already set; the first thing it does is to give up what a set-id bit
//! may have given back. So a stranger who starts a role by hand does nothing that he could not do by himself.

use std::ffi::{OsStr, OsString};
use std::io::{self, Read, Write};
use std::os::unix::ffi::OsStringExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use bytes::Bytes;

use super::append::{self, Settings};
use super::request::UserFile;
use crate::base::exit::Exit;
use crate::sys::file::{self, Facts};
use crate::sys::safefile::{self, Fault, Judge, Purpose, Refusal};
use crate::sys::user::{self, Identity};

/// What a child was started for.
#[derive(Debug, Clone)]
pub enum Role {
    /// Append what comes on standard input to a file.
    Append(Settings),
    /// Write a file to standard output.
    Read {
        /// The file.
        path: PathBuf,
        /// What it is for.
        purpose: Purpose,
        /// For whom it is judged.
        judge: Judge,
        /// Most bytes.
        limit: usize,
    },
}

/// The role that the arguments (the program's name first) ask for; `None` for an ordinary start.
pub fn role_from_args(args: &[OsString]) -> Option<Role> {
    let [_, word, rest @ ..] = args else { return None };
    let [path, numbers @ ..] = rest else { return None };
    // Appending may have a root, behind all numbers.
    let (numbers, root) = match numbers {
        [numbers @ .., root] if Path::new(root).is_absolute() => (numbers, Some(PathBuf::from(root))),
        numbers => (numbers, None),
    };
    let numbers: Vec<u64> = numbers.iter().map(|n| n.to_str()?.parse().ok()).collect::<Option<_>>()?;
    let path = PathBuf::from(path);
    match (word.to_str()?, numbers.as_slice()) {
        (APPEND, [uid, dont_blame, trusted, mode, lock_seconds]) => Some(Role::Append(Settings {
            path,
            judge: judge(*uid, *dont_blame, *trusted)?,
            mode: u32::try_from(*mode).ok()?,
            root,
            lock_limit: Duration::from_secs(*lock_seconds),
        })),
        (READ, [uid, dont_blame, trusted, purpose, limit]) => Some(Role::Read {
            path,
            judge: judge(*uid, *dont_blame, *trusted)?,
            purpose: if *purpose == 0 { Purpose::Forward } else { Purpose::Include },
            limit: usize::try_from(*limit).ok()?,
        }),
        _ => None,
    }
}

/// Does what the role says, with standard input and output, and returns the exit code.
pub fn run_role(role: Role) -> Exit {
    let identity = match user::own_groups() {
        Ok(groups) => Identity { uid: user::real_uid(), gid: user::real_gid(), groups },
        Err(_) => return Exit::OSERR,
    };
    if user::become_for_good(&identity).is_err() {
        return Exit::NOPERM;
    }
    match role {
        Role::Append(settings) => {
            let (exit, text) = append::append(&settings, &mut io::stdin().lock());
            let _ = io::stdout().write_all(text.as_bytes());
            exit
        }
        Role::Read { path, purpose, judge, limit } => {
            let answer = encode(&read(&path, purpose, &judge, limit));
            let mut out = io::stdout().lock();
            if out.write_all(&answer).and_then(|()| out.flush()).is_ok() { Exit::OK } else { Exit::IOERR }
        }
    }
}

/// Arguments that ask for appending.
pub fn append_args(settings: &Settings) -> Vec<Bytes> {
    let mut args =
        vec![Bytes::from_static(b"sendmail"), Bytes::from_static(APPEND.as_bytes()), path_of(&settings.path)];
    args.extend(judge_args(&settings.judge));
    args.push(settings.mode.to_string().into());
    args.push(settings.lock_limit.as_secs().to_string().into());
    args.extend(settings.root.as_ref().map(path_of));
    args
}

/// Arguments that ask for reading.
pub fn read_args(path: &OsStr, purpose: Purpose, judge: &Judge, limit: usize) -> Vec<Bytes> {
    let mut args = vec![Bytes::from_static(b"sendmail"), Bytes::from_static(READ.as_bytes()), path_of(path)];
    args.extend(judge_args(judge));
    args.push(Bytes::from_static(if purpose == Purpose::Forward { b"0" } else { b"1" }));
    args.push(limit.to_string().into());
    args
}

/// Reads a user's file under the rules of its purpose.
pub fn read(path: &Path, purpose: Purpose, judge: &Judge, limit: usize) -> Result<UserFile, Refusal> {
    let mut opened = safefile::open(path, purpose, judge)?;
    let text = file::read_limited(&mut opened.file, limit)?;
    let is_unsafe = unfit_for_programs(purpose, &opened.facts, opened.unsafe_directory, judge);
    Ok(UserFile { text: text.into(), facts: opened.facts, is_unsafe })
}

/// What forbids a file to name programs and files though it may be read. Source: `DontBlameSendmail`
/// (`…FileInUnsafeDirPathSafe`, `GroupWritable…FileSafe`).
fn unfit_for_programs(purpose: Purpose, facts: &Facts, directory: Option<Fault>, judge: &Judge) -> Option<Fault> {
    let (directory_bit, group_bit) = if purpose == Purpose::Forward { (26, 3) } else { (27, 4) };
    let mode = facts.permissions();
    if mode & 0o002 != 0 {
        return Some(Fault::WorldWritableFile);
    }
    if mode & 0o020 != 0 && !judge.forgives(group_bit) {
        return Some(Fault::GroupWritableFile);
    }
    directory.filter(|_| !judge.forgives(directory_bit))
}

/// The answer of a reading child.
///
/// Shape: `ok dev ino mode links uid gid bytes mtime ns ctime fault\n` and the text, or `errno N\n`, or `rule N\n`.
pub fn encode(answer: &Result<UserFile, Refusal>) -> Vec<u8> {
    match answer {
        Ok(read) => {
            let f = &read.facts;
            let fault = read.is_unsafe.map_or(0, |fault| number_of(fault) + 1);
            let mut out = format!(
                "ok {} {} {} {} {} {} {} {} {} {} {fault}\n",
                f.device,
                f.inode,
                f.mode,
                f.links,
                f.uid,
                f.gid,
                f.bytes,
                f.modified.0,
                f.modified_nanoseconds,
                f.changed.0
            )
            .into_bytes();
            out.extend_from_slice(&read.text);
            out
        }
        Err(Refusal::Rule(fault)) => format!("rule {}\n", number_of(*fault)).into_bytes(),
        Err(Refusal::System(e)) if e.kind() == io::ErrorKind::FileTooLarge => {
            format!("errno {}\n", libc::EFBIG).into_bytes()
        }
        Err(Refusal::System(e)) => format!("errno {}\n", e.raw_os_error().unwrap_or(libc::EIO)).into_bytes(),
    }
}

/// Reads the answer of a reading child; an answer that is none counts as an error of the system, which is temporary.
pub fn decode(mut answer: impl Read, limit: usize) -> Result<UserFile, Refusal> {
    let broken = || Refusal::System(io::Error::from_raw_os_error(libc::EIO));
    let data = file::read_limited(&mut answer, limit.saturating_add(HEAD))?;
    let at = memchr::memchr(b'\n', &data).ok_or_else(broken)?;
    let (head, text) = data.split_at(at);
    let head = std::str::from_utf8(head).map_err(|_| broken())?;
    let (word, rest) = head.split_once(' ').ok_or_else(broken)?;
    let numbers: Vec<i64> = rest.split(' ').map(|n| n.parse().ok()).collect::<Option<_>>().ok_or_else(broken)?;
    match (word, numbers.as_slice()) {
        ("errno", [code]) => Err(io::Error::from_raw_os_error(i32::try_from(*code).unwrap_or(libc::EIO)).into()),
        ("rule", [number]) => Err(Refusal::Rule(fault_of(*number).ok_or_else(broken)?)),
        ("ok", numbers @ [.., fault]) => Ok(UserFile {
            facts: facts_of(numbers).ok_or_else(broken)?,
            is_unsafe: fault_of(fault - 1),
            text: Bytes::copy_from_slice(text.get(1..).unwrap_or_default()),
        }),
        _ => Err(broken()),
    }
}

fn facts_of(numbers: &[i64]) -> Option<Facts> {
    let [device, inode, mode, links, uid, gid, bytes, modified, nanoseconds, changed, _] = numbers else { return None };
    let wide = |n: &i64| u64::try_from(*n).ok();
    let narrow = |n: &i64| u32::try_from(*n).ok();
    Some(Facts {
        device: wide(device)?,
        inode: wide(inode)?,
        mode: narrow(mode)?,
        links: wide(links)?,
        uid: narrow(uid)?,
        gid: narrow(gid)?,
        bytes: wide(bytes)?,
        modified: crate::base::time::UnixTime(*modified),
        modified_nanoseconds: *nanoseconds,
        changed: crate::base::time::UnixTime(*changed),
    })
}

fn number_of(fault: Fault) -> usize {
    FAULTS.iter().position(|f| *f == fault).unwrap_or(0)
}

fn fault_of(number: i64) -> Option<Fault> {
    FAULTS.get(usize::try_from(number).ok()?).copied()
}

fn judge(uid: u64, dont_blame: u64, trusted: u64) -> Option<Judge> {
    let trusted_uid = if trusted == NOBODY { None } else { Some(u32::try_from(trusted).ok()?) };
    Some(Judge { uid: u32::try_from(uid).ok()?, dont_blame, trusted_uid })
}

fn judge_args(judge: &Judge) -> [Bytes; 3] {
    let trusted = judge.trusted_uid.map_or(NOBODY, u64::from);
    [judge.uid.to_string().into(), judge.dont_blame.to_string().into(), trusted.to_string().into()]
}

fn path_of(path: impl AsRef<OsStr>) -> Bytes {
    path.as_ref().to_owned().into_vec().into()
}

const APPEND: &str = "@append";
const READ: &str = "@read";
const NOBODY: u64 = u64::MAX;
const HEAD: usize = 256;
const FAULTS: &[Fault] = &[
    Fault::SymbolicLink,
    Fault::HardLink,
    Fault::NotRegular,
    Fault::Executable,
    Fault::WorldWritableDirectory,
    Fault::GroupWritableDirectory,
    Fault::Changed,
    Fault::WorldWritableFile,
    Fault::GroupWritableFile,
    Fault::GroupReadableFile,
    Fault::WorldReadableFile,
    Fault::ForeignOwner,
];

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::ffi::OsStrExt;

    fn os(args: &[Bytes]) -> Vec<OsString> {
        args.iter().map(|a| OsStr::from_bytes(a).to_owned()).collect()
    }

    #[test]
    fn a_role_goes_through_the_arguments() {
        let judge = Judge { uid: 1001, dont_blame: 1 << 42, trusted_uid: None };
        let args = read_args("/home/a/.forward".as_ref(), Purpose::Forward, &judge, 4096);
        let root = Some(PathBuf::from("/safe"));
        let settings = Settings { path: "/box".into(), judge, mode: 0o600, root, lock_limit: Duration::from_secs(5) };
        let Some(Role::Append(found)) = role_from_args(&os(&append_args(&settings))) else { panic!() };
        assert_eq!((found.path, found.root, found.mode), (settings.path, settings.root, 0o600));
        let Some(Role::Read { path, purpose, judge: read, limit }) = role_from_args(&os(&args)) else { panic!() };
        assert_eq!((path, purpose, read, limit), ("/home/a/.forward".into(), Purpose::Forward, judge, 4096));
        for ordinary in
            [&["sendmail", "-bd"][..], &["sendmail"], &["sendmail", "@read", "x"], &["sendmail", "a@b", "1"]]
        {
            let args: Vec<OsString> = ordinary.iter().map(OsString::from).collect();
            assert!(role_from_args(&args).is_none(), "{ordinary:?}");
        }
    }

    #[test]
    fn answers_survive_the_pipe() {
        let facts = file::facts_of("/".as_ref()).unwrap();
        let good = UserFile { text: "bob\n".into(), facts, is_unsafe: Some(Fault::WorldWritableDirectory) };
        assert_eq!(decode(encode(&Ok(good.clone())).as_slice(), 100).unwrap(), good);
        for refusal in [Refusal::Rule(Fault::GroupWritableFile), io::Error::from_raw_os_error(libc::EACCES).into()] {
            let words = refusal.to_string();
            assert_eq!(decode(encode(&Err(refusal)).as_slice(), 100).unwrap_err().to_string(), words);
        }
        assert!(decode(&b""[..], 100).unwrap_err().is_temporary());
        assert!(decode(&b"ok 1 2 x\n"[..], 100).unwrap_err().is_temporary());
    }
}
