//! Users and groups of the system.

use std::ffi::{CString, OsStr};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use nix::unistd::{Gid, Group, Uid, User};

use super::file;

/// An entry of the password database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// Login name.
    pub name: Bytes,
    /// User number.
    pub uid: u32,
    /// Login group.
    pub gid: u32,
    /// GECOS field as it stands.
    pub gecos: Bytes,
    /// Home directory.
    pub home: PathBuf,
    /// Login shell; empty for the system's default.
    pub shell: PathBuf,
}

impl Account {
    /// The real name: GECOS up to the first comma, `&` replaced by the login name with a capital letter.
    pub fn real_name(&self) -> Vec<u8> {
        let mut out = Vec::new();
        for b in self.gecos.iter().take_while(|b| **b != b',') {
            if *b == b'&' {
                let mut name = self.name.to_vec();
                if let Some(first) = name.first_mut() {
                    first.make_ascii_uppercase();
                }
                out.extend_from_slice(&name);
            } else {
                out.push(*b);
            }
        }
        out
    }
}

/// The user of that login name. Errors: the database cannot be read, which is temporary.
pub fn by_name(name: &[u8]) -> io::Result<Option<Account>> {
    let Ok(text) = std::str::from_utf8(name) else { return Ok(None) };
    if text.is_empty() || text.contains('\0') {
        return Ok(None);
    }
    absent_is_none(User::from_name(text)).map(|found| found.map(account))
}

/// The first user of the password file whose real name this is, letter case aside.
pub fn by_real_name(name: &[u8]) -> io::Result<Option<Account>> {
    let text = file::read_following(Path::new(PASSWORDS), PASSWORDS_BYTES)?;
    Ok(with_real_name(&text, name))
}

fn with_real_name(passwords: &[u8], name: &[u8]) -> Option<Account> {
    passwords.split(|b| *b == b'\n').filter_map(entry).find(|account| account.real_name().eq_ignore_ascii_case(name))
}

/// A line of the password file.
fn entry(line: &[u8]) -> Option<Account> {
    let mut fields = line.split(|b| *b == b':');
    let name = fields.next().filter(|name| !name.is_empty())?;
    let mut number = || std::str::from_utf8(fields.next()?).ok()?.parse().ok();
    let _: Option<u32> = number();
    let (uid, gid) = (number()?, number()?);
    let gecos = fields.next()?;
    let mut path = || PathBuf::from(OsStr::from_bytes(fields.next().unwrap_or_default()));
    let (home, shell) = (path(), path());
    Some(Account { name: Bytes::copy_from_slice(name), uid, gid, gecos: Bytes::copy_from_slice(gecos), home, shell })
}

const PASSWORDS: &str = "/etc/passwd";
const PASSWORDS_BYTES: usize = 64 * 1024 * 1024;

/// The user of that number.
pub fn by_uid(uid: u32) -> io::Result<Option<Account>> {
    absent_is_none(User::from_uid(Uid::from_raw(uid))).map(|found| found.map(account))
}

/// Number of the group of that name.
pub fn group(name: &[u8]) -> io::Result<Option<u32>> {
    let Ok(text) = std::str::from_utf8(name) else { return Ok(None) };
    if text.contains('\0') {
        return Ok(None);
    }
    absent_is_none(Group::from_name(text)).map(|found| found.map(|g| g.gid.as_raw()))
}

/// Name of the group of that number.
pub fn group_name(gid: u32) -> io::Result<Option<Bytes>> {
    absent_is_none(Group::from_gid(Gid::from_raw(gid))).map(|found| found.map(|g| Bytes::from(g.name)))
}

/// Groups of a user, `gid` among them.
pub fn groups(name: &[u8], gid: u32) -> io::Result<Vec<u32>> {
    let name = CString::new(name).map_err(|_| io::ErrorKind::InvalidInput)?;
    let groups = nix::unistd::getgrouplist(&name, Gid::from_raw(gid))?;
    Ok(groups.into_iter().map(Gid::as_raw).collect())
}

/// Real user of this process.
pub fn real_uid() -> u32 {
    nix::unistd::getuid().as_raw()
}

/// Effective user of this process.
pub fn effective_uid() -> u32 {
    nix::unistd::geteuid().as_raw()
}

/// Real group of this process.
pub fn real_gid() -> u32 {
    nix::unistd::getgid().as_raw()
}

/// Effective group of this process.
pub fn effective_gid() -> u32 {
    nix::unistd::getegid().as_raw()
}

/// Supplementary groups of this process.
pub fn own_groups() -> io::Result<Vec<u32>> {
    Ok(nix::unistd::getgroups()?.into_iter().map(Gid::as_raw).collect())
}

/// A user, a group and supplementary groups to become.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// User number.
    pub uid: u32,
    /// Group number.
    pub gid: u32,
    /// Supplementary groups.
    pub groups: Vec<u32>,
}

impl Identity {
    /// The identity of this process.
    pub fn own() -> io::Result<Self> {
        Ok(Self { uid: effective_uid(), gid: effective_gid(), groups: own_groups()? })
    }

    /// A user with the login group alone (`DontInitGroups`).
    pub fn without_groups(uid: u32, gid: u32) -> Self {
        Self { uid, gid, groups: vec![gid] }
    }

    /// A user with the groups that the database gives; the group alone for a user without a name.
    pub fn of(uid: u32, gid: u32) -> io::Result<Self> {
        let groups = match by_uid(uid)? {
            Some(account) => groups(&account.name, gid)?,
            None => vec![gid],
        };
        Ok(Self { uid, gid, groups })
    }

    /// Whether this process has the user and group already.
    pub fn is_own(&self) -> bool {
        self.uid == effective_uid() && self.gid == effective_gid()
    }
}

/// Becomes another user for good. Only for a process with one thread, before it starts its work.
///
/// Errors: any step that fails, and a way back to root that is still open; the caller must end then.
pub fn become_for_good(identity: &Identity) -> io::Result<()> {
    let gid = Gid::from_raw(identity.gid);
    let uid = Uid::from_raw(identity.uid);
    if nix::unistd::geteuid().is_root() {
        let groups: Vec<Gid> = identity.groups.iter().map(|g| Gid::from_raw(*g)).collect();
        nix::unistd::setgroups(&groups)?;
    }
    nix::unistd::setresgid(gid, gid, gid)?;
    nix::unistd::setresuid(uid, uid, uid)?;
    if !uid.is_root()
        && nix::unistd::setresuid(Uid::from_raw(u32::MAX), Uid::from_raw(0), Uid::from_raw(u32::MAX)).is_ok()
    {
        return Err(io::Error::other("root privileges could be taken again"));
    }
    Ok(())
}

/// Does something with another effective user, for a program with one thread that root started; without root it is done
/// with the identity there is.
///
/// Errors: the change or the way back failed; after the latter the program must end.
pub fn with_effective<T>(uid: u32, gid: u32, work: impl FnOnce() -> T) -> io::Result<T> {
    if !nix::unistd::geteuid().is_root() {
        return Ok(work());
    }
    let own_gid = nix::unistd::getegid();
    nix::unistd::setegid(Gid::from_raw(gid))?;
    nix::unistd::seteuid(Uid::from_raw(uid))?;
    let result = work();
    nix::unistd::seteuid(Uid::from_raw(0))?;
    nix::unistd::setegid(own_gid)?;
    Ok(result)
}

/// Whether the shell stands in `/etc/shells`, or that file allows every shell (`/SENDMAIL/ANY/SHELL/`).
///
/// Source: op guide (`/etc/shells`); a missing file allows `/bin/sh` and `/bin/csh` and what getusershell(3) adds.
pub fn is_valid_shell(shell: &OsStr) -> bool {
    let wanted = if shell.is_empty() { b"/bin/sh".as_slice() } else { shell.as_bytes() };
    match file::read_following("/etc/shells".as_ref(), SHELLS_LIMIT) {
        Ok(text) => listed(&text, wanted),
        Err(_) => DEFAULT_SHELLS.contains(&wanted),
    }
}

fn listed(text: &[u8], shell: &[u8]) -> bool {
    text.split(|b| *b == b'\n')
        .map(|line| line.split(|b| *b == b'#').next().unwrap_or_default().trim_ascii())
        .any(|line| !line.is_empty() && (line == shell || line == b"/SENDMAIL/ANY/SHELL/"))
}

fn account(user: User) -> Account {
    Account {
        name: Bytes::from(user.name),
        uid: user.uid.as_raw(),
        gid: user.gid.as_raw(),
        gecos: Bytes::copy_from_slice(user.gecos.as_bytes()),
        home: user.dir,
        shell: user.shell,
    }
}

/// Name services say "no such entry" with several error numbers. Source: getpwnam(3), ERRORS.
fn absent_is_none<T>(found: nix::Result<Option<T>>) -> io::Result<Option<T>> {
    use nix::errno::Errno;
    match found {
        Err(Errno::ENOENT | Errno::ESRCH | Errno::EBADF | Errno::EPERM) => Ok(None),
        other => other.map_err(io::Error::from),
    }
}

const SHELLS_LIMIT: usize = 1 << 20;
const DEFAULT_SHELLS: &[&[u8]] = &[b"/bin/sh", b"/usr/bin/sh", b"/bin/csh", b"/bin/bash"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_name_finds_its_user() {
        let passwords = b"root:x:0:0:root:/root:/bin/sh\nbroken\nann:x:7:8:Ann Example,Room 1:/home/ann:/bin/sh\n\
            carl:x:9:9:& Co:/home/carl:\n";
        let ann = with_real_name(passwords, b"ann example").unwrap();
        assert_eq!((ann.name.as_ref(), ann.uid, ann.gid), (&b"ann"[..], 7, 8));
        assert_eq!((ann.home.to_str(), ann.shell.to_str()), (Some("/home/ann"), Some("/bin/sh")));
        assert_eq!(with_real_name(passwords, b"Carl Co").unwrap().name, "carl");
        assert!(
            with_real_name(passwords, b"Ann").is_none() && with_real_name(passwords, b"Ann Example,Room 1").is_none()
        );
    }

    #[test]
    fn without_groups_there_is_the_login_group_alone() {
        assert_eq!(Identity::without_groups(7, 8).groups, [8]);
    }

    #[test]
    fn root_is_found_by_name_and_number() {
        let root = by_name(b"root").unwrap().unwrap();
        assert_eq!((root.uid, root.gid), (0, 0));
        assert_eq!(by_uid(0).unwrap().unwrap().name, root.name);
        assert_eq!(by_name(b"no such user").unwrap(), None);
        assert_eq!(by_name(b"a\0b").unwrap(), None);
        assert_eq!(group(b"root").unwrap(), Some(0));
    }

    #[test]
    fn an_ampersand_is_the_login_name() {
        let mut someone = by_name(b"root").unwrap().unwrap();
        someone.gecos = Bytes::from_static(b"Mister & Smith,Room 1,,");
        assert_eq!(someone.real_name(), b"Mister Root Smith");
    }

    #[test]
    fn shells_are_listed_one_a_line() {
        let text = b"# shells\n/bin/sh\n /bin/zsh # z\n";
        for (shell, valid) in [("/bin/sh", true), ("/bin/zsh", true), ("/bin/false", false), ("# shells", false)] {
            assert_eq!(listed(text, shell.as_bytes()), valid, "{shell}");
        }
        assert!(listed(b"/SENDMAIL/ANY/SHELL/\n", b"/bin/false"));
    }
}
