//! What the host has that gencf runs on: the program for mailboxes, and the site's own lines.

use std::path::{Path, PathBuf};

use super::answers::Answers;
use super::mc::Target;
use super::options;
use crate::sys::{env, file};

/// Lines of an `.mc` that come from the host, and what is to be said of them.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Host {
    /// Lines that stand behind those of the answers.
    pub(super) lines: Vec<String>,
    /// Lines for whoever runs gencf.
    pub(super) notes: Vec<String>,
}

impl Host {
    /// Looks at this host.
    pub(super) fn look(answers: &Answers, target: Target) -> Self {
        let is_there = |path: &Path| file::facts_of(path).is_ok_and(|facts| facts.is_regular());
        Self::seen(answers, target, &places(), &is_there)
    }

    /// The same for a host whose programs for mailboxes may lie in `places`.
    fn seen(answers: &Answers, target: Target, places: &[PathBuf], is_there: &dyn Fn(&Path) -> bool) -> Self {
        let mut host = Self::default();
        if target == Target::Transfer {
            host.mailboxes(answers, places, is_there);
        }
        let own = format!("{}.local.mc", target.cf().trim_end_matches(".cf"));
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
    use super::*;

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
