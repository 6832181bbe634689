//! What the host has that gencf runs on: the program for mailboxes, and the site's own lines.

use std::io;
use std::path::{Path, PathBuf};

use super::answers::Answers;
use super::mc::Target;
use super::options;
use crate::sys::safefile::{self, Fault, Judge, Purpose, Refusal};
use crate::sys::{env, file, user};

/// Lines of an `.mc` that come from the host, and what is to be said of them.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Host {
    /// Lines that stand behind those of the answers.
    pub(super) lines: Vec<String>,
    /// Lines for whoever runs gencf.
    pub(super) notes: Vec<String>,
}

impl Host {
    /// Looks at this host. Errors: lines of the site that somebody else may have written.
    pub(super) fn look(answers: &Answers, target: Target) -> io::Result<Self> {
        let is_there = |path: &Path| file::facts_of(path).is_ok_and(|facts| facts.is_regular());
        let own = own_lines(target);
        if is_there(Path::new(&own)) {
            judge(&env::current_directory()?.join(&own), user::effective_uid()).map_err(|why| refused(&own, &why))?;
        }
        Ok(Self::seen(answers, target, &places(), &is_there))
    }

    /// The same for a host whose programs for mailboxes may lie in `places`.
    fn seen(answers: &Answers, target: Target, places: &[PathBuf], is_there: &dyn Fn(&Path) -> bool) -> Self {
        let mut host = Self::default();
        if target == Target::Transfer {
            host.mailboxes(answers, places, is_there);
        }
        let own = own_lines(target);
        if is_there(Path::new(&own)) {
            host.lines.push(format!("include(`{own}')"));
            host.notes.push(format!("note: the lines of {own} are in it"));
        }
        host
    }

    fn mailboxes(&mut self, answers: &Answers, places: &[PathBuf], is_there: &dyn Fn(&Path) -> bool) {
        let text = |name: &str| options::find(name).map_or("", |option| answers.text(option)).to_owned();
        let lmtp = places.iter().find(|path| is_there(path)).or(places.first());
        let by_lmtp = lmtp.map(|path| format!("FEATURE(`local_lmtp', `{}')", path.display()));
        match text("local-mailer").as_str() {
            "procmail" => self.lines.push(format!("FEATURE(`local_procmail', `{PROCMAIL}')")),
            "mail.local" => self.lines.extend(by_lmtp),
            "automatic" => {
                let system = text("system");
                let Some((_, usual)) = USUAL.iter().find(|(name, _)| *name == system) else { return };
                match lmtp.filter(|path| is_there(path)) {
                    _ if is_there(Path::new(usual)) => {}
                    Some(path) => {
                        self.lines.extend(by_lmtp);
                        self.notes.push(format!(
                            "note: {usual} is not on this machine: mailboxes are written by {} \
                             (local-mailer = system keeps the other)",
                            path.display()
                        ));
                    }
                    None => self.notes.push(format!(
                        "hint: {usual}, which writes mailboxes, is not on this machine, and neither is mail.local \
                         (local-mailer chooses)"
                    )),
                }
            }
            _ => {}
        }
    }
}

/// The file of the site's own lines.
fn own_lines(target: Target) -> String {
    format!("{}.local.mc", target.cf().trim_end_matches(".cf"))
}

/// Whether root and this user alone can have written a file: m4 runs commands that stand in it. Errors: why not.
fn judge(path: &Path, uid: u32) -> Result<(), String> {
    // The sticky bit of a folder keeps others from what is not theirs, and a link is none of ours.
    let judge = Judge { uid, dont_blame: 1 << safefile::TRUST_STICKY_BIT, trusted_uid: None };
    safefile::check(path, Purpose::SiteLines, &judge).map_err(|refusal| match refusal {
        Refusal::Rule(Fault::ForeignOwner) => "it belongs to another user".to_owned(),
        other => other.to_string(),
    })?;
    for folder in path.ancestors().skip(1) {
        let owner = file::facts_of(folder).map_err(|error| safefile::error_text(&error))?.uid;
        if owner != 0 && owner != uid {
            return Err(format!("{} belongs to another user", folder.display()));
        }
    }
    Ok(())
}

fn refused(own: &str, why: &str) -> io::Error {
    let text = format!(
        "{own} is not read: {why}. m4 runs what stands in it: it and the folders above it must belong to root or \
         to you, and neither their group nor others may write to them"
    );
    io::Error::new(io::ErrorKind::PermissionDenied, text)
}

/// Where `mail.local` may lie, beside this program first.
fn places() -> Vec<PathBuf> {
    let prefix = env::own_path().ok().and_then(|program| Some(program.ancestors().nth(2)?.to_owned()));
    let beside = prefix.into_iter().flat_map(|prefix| LMTP.map(|name| prefix.join(name)));
    let usual = LMTP.map(|name| Path::new("/usr").join(name));
    let mut places: Vec<_> = beside.chain(usual).collect();
    places.extend(["/usr/lib/sm.bin/mail.local", "/usr/sbin/mail.local", "/usr/lib/mail.local"].map(PathBuf::from));
    places
}

/// `mail.local` below a prefix.
const LMTP: [&str; 2] = ["libexec/sendmail/mail.local", "libexec/mail.local"];

/// Where procmail lies on Linux.
const PROCMAIL: &str = "/usr/bin/procmail";

/// Systems whose `OSTYPE` names a program for mailboxes that a host may lack.
pub(super) const USUAL: &[(&str, &str)] = &[("debian", "/usr/sbin/sensible-mda"), ("linux", PROCMAIL)];

#[cfg(test)]
mod tests {
    use std::fs::{self, Permissions};
    use std::os::unix::fs::{PermissionsExt as _, symlink};

    use super::*;

    #[test]
    fn lines_of_the_site_are_those_of_root_or_the_caller() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("sendmail.local.mc");
        file::create(&path, 0o644).unwrap();
        let uid = user::effective_uid();
        for (folder, mode, wanted) in [
            (0o755, 0o644, None),
            (0o1777, 0o644, None),
            (0o755, 0o664, Some("Group writable file")),
            (0o755, 0o646, Some("World writable file")),
            (0o775, 0o644, Some("Group writable directory")),
            (0o757, 0o644, Some("World writable directory")),
        ] {
            fs::set_permissions(dir.path(), Permissions::from_mode(folder)).unwrap();
            fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
            assert_eq!(judge(&path, uid).err().as_deref(), wanted, "{folder:o} {mode:o}");
        }
        fs::set_permissions(dir.path(), Permissions::from_mode(0o755)).unwrap();
        fs::set_permissions(&path, Permissions::from_mode(0o644)).unwrap();
        let link = dir.path().join("submit.local.mc");
        symlink(&path, &link).unwrap();
        assert_eq!(judge(&link, uid).unwrap_err(), "Symbolic links not allowed");
        // Somebody else's: of the file, then of its folder alone.
        if uid == 0 {
            std::os::unix::fs::chown(dir.path(), Some(12_345), None).unwrap();
            assert_eq!(judge(&path, 0).unwrap_err(), format!("{} belongs to another user", dir.path().display()));
            std::os::unix::fs::chown(&path, Some(12_345), None).unwrap();
            assert_eq!(judge(&path, 12_345), Ok(()));
            assert_eq!(judge(&path, 0).unwrap_err(), "it belongs to another user");
        }
    }

    fn seen(answers: &str, target: Target, there: &[&str]) -> Host {
        let (answers, faults) = Answers::parse(answers);
        assert_eq!(faults, []);
        let places = ["/opt/libexec/mail.local", "/usr/libexec/mail.local"].map(PathBuf::from);
        Host::seen(&answers, target, &places, &|path| there.iter().any(|name| Path::new(name) == path))
    }

    #[test]
    fn mailboxes_are_written_by_what_is_there() {
        let lmtp = "/usr/libexec/mail.local";
        let feature = format!("FEATURE(`local_lmtp', `{lmtp}')");
        for (answers, there, line, note) in [
            ("system = linux", &[PROCMAIL, lmtp][..], None, None),
            ("system = linux", &[lmtp], Some(feature.as_str()), Some("note: /usr/bin/procmail is not on this machine")),
            ("system = linux", &[], None, Some("hint: /usr/bin/procmail")),
            ("system = debian", &[lmtp], Some(feature.as_str()), Some("note: /usr/sbin/sensible-mda")),
            ("system = hpux11", &[lmtp], None, None),
            ("system = linux\nlocal-mailer = system", &[lmtp], None, None),
            ("system = linux\nlocal-mailer = mail.local", &[PROCMAIL, lmtp], Some(feature.as_str()), None),
            (
                "system = hpux11\nlocal-mailer = procmail",
                &[lmtp],
                Some("FEATURE(`local_procmail', `/usr/bin/procmail')"),
                None,
            ),
            // The host that it is for may have it.
            (
                "system = linux\nlocal-mailer = mail.local",
                &[],
                Some("FEATURE(`local_lmtp', `/opt/libexec/mail.local')"),
                None,
            ),
        ] {
            let host = seen(answers, Target::Transfer, there);
            assert_eq!(host.lines.first().map(String::as_str), line, "{answers} {there:?}");
            assert_eq!(host.notes.len(), usize::from(note.is_some()), "{answers} {there:?}");
            assert!(host.notes.iter().all(|said| said.starts_with(note.unwrap())), "{host:?}");
        }
        assert_eq!(seen("system = linux", Target::Submission, &[lmtp]), Host::default());
    }

    #[test]
    fn lines_of_the_site_come_last() {
        let there = ["sendmail.local.mc", "/opt/libexec/mail.local"];
        let host = seen("system = linux", Target::Transfer, &there);
        assert_eq!(host.lines.len(), 2, "{host:?}");
        assert_eq!(host.lines.last().unwrap(), "include(`sendmail.local.mc')");
        assert_eq!(seen("", Target::Submission, &there).lines, Vec::<String>::new());
        assert_eq!(seen("", Target::Submission, &["submit.local.mc"]).lines, ["include(`submit.local.mc')"]);
    }
}
