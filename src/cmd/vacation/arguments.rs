//! The command line.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;

use crate::base::bytes::leading_number;

/// What the command line says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Settings {
    /// Whose mail is answered; empty when [`Self::is_own`].
    pub(super) login: OsString,
    /// `-i`, `-I`, `-l` and `-x` without one login: the database of who runs the program.
    pub(super) is_own: bool,
    /// `-a`: other names of that user.
    pub(super) aliases: Vec<OsString>,
    /// `-f`: the database.
    pub(super) database: Option<PathBuf>,
    /// `-i`, `-I`: the database begins anew.
    pub(super) begins_anew: bool,
    /// `-j`: also mail that names the user nowhere.
    pub(super) answers_all: bool,
    /// `-l`: print the database.
    pub(super) lists: bool,
    /// `-m`: the text.
    pub(super) text: Option<PathBuf>,
    /// `-R`, and `<>` for `-z`: envelope sender of a reply. The last one counts.
    pub(super) reverse_path: Option<OsString>,
    /// `-r`: seconds between two replies to the same sender; 0 for one reply and no more.
    pub(super) interval: Option<i64>,
    /// `-s`: who gets the reply.
    pub(super) recipient: Option<OsString>,
    /// `-U`: the user needs no account.
    pub(super) without_account: bool,
    /// `-x`: take a list of senders who get none.
    pub(super) excludes: bool,
}

pub(super) const USAGE: &str = "usage: vacation [-a alias] [-C cfpath] [-d] [-f db] [-i] [-j] [-l] [-m msg] \
     [-R returnaddr] [-r interval] [-s sender] [-t time] [-U] [-x] [-z] login";

/// Reads options and the login in the manner of getopt(3) of the GNU library: in any order, up to `--`.
///
/// Out: whether `-d` was there, and the settings; `None` when they make no sense.
pub(super) fn parse(args: &[OsString]) -> (bool, Option<Settings>) {
    let mut settings = Settings::default();
    let (mut is_debugging, mut is_sound) = (false, true);
    let mut words = Vec::new();
    let mut rest = args.iter();
    while let Some(word) = rest.next() {
        let bytes = word.as_bytes();
        if bytes == b"--" {
            words.extend(rest.by_ref());
            break;
        }
        if bytes.len() < 2 || !bytes.starts_with(b"-") {
            words.push(word);
            continue;
        }
        for (at, letter) in bytes.iter().enumerate().skip(1) {
            match letter {
                b'd' => is_debugging = true,
                b'i' | b'I' => settings.begins_anew = true,
                b'j' => settings.answers_all = true,
                b'l' => settings.lists = true,
                b'U' => settings.without_account = true,
                b'x' => settings.excludes = true,
                b'z' => settings.reverse_path = Some("<>".into()),
                b'a' | b'C' | b'f' | b'm' | b'R' | b'r' | b's' | b't' => {
                    let attached = bytes.get(at + 1..).filter(|attached| !attached.is_empty());
                    match attached.map(OsStr::from_bytes).or_else(|| rest.next().map(OsString::as_os_str)) {
                        Some(value) => set(&mut settings, *letter, value),
                        None => is_sound = false,
                    }
                    break;
                }
                _ => is_sound = false,
            }
        }
    }
    match words.as_slice() {
        [login] => settings.login.clone_from(login),
        _ if settings.begins_anew || settings.lists || settings.excludes => settings.is_own = true,
        _ => is_sound = false,
    }
    (is_debugging, is_sound.then_some(settings))
}

fn set(settings: &mut Settings, letter: u8, value: &OsStr) {
    match letter {
        b'a' => settings.aliases.push(value.to_owned()),
        b'f' => settings.database = Some(value.into()),
        b'm' => settings.text = Some(value.into()),
        b'R' => settings.reverse_path = Some(value.to_owned()),
        // Words mean one reply and no more. Source: vacation(1); observed for signs.
        b'r' => settings.interval = Some(leading_number(value.as_bytes()).clamp(0, LONGEST_DAYS) * DAY),
        b's' => settings.recipient = Some(value.to_owned()).filter(|address| !address.is_empty()),
        _ => {}
    }
}

/// Seconds of a day.
const DAY: i64 = 86_400;
/// Ten thousand years.
const LONGEST_DAYS: i64 = 3_650_000;

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(line: &str) -> (bool, Option<Settings>) {
        parse(&line.split_whitespace().map(OsString::from).collect::<Vec<_>>())
    }

    #[test]
    fn options_are_read_as_getopt_reads_them() {
        let (is_debugging, settings) = parsed("bob -dja eric -a joe -fdb -m text -R a@b -r3 -s c@d -t 5 -C cf");
        let settings = settings.unwrap();
        assert!(is_debugging && settings.answers_all && !settings.begins_anew);
        assert_eq!(
            (settings.login.as_os_str(), settings.aliases),
            (OsStr::new("bob"), vec!["eric".into(), "joe".into()])
        );
        assert_eq!((settings.database, settings.text), (Some("db".into()), Some("text".into())));
        assert_eq!((settings.reverse_path, settings.recipient), (Some("a@b".into()), Some("c@d".into())));
        assert_eq!(parsed("-l -- -bob").1.unwrap().login, "-bob");
        for line in ["", "-d", "a b", "-q a", "a -f", "a -ja"] {
            assert_eq!(parsed(line).1, None, "{line}");
        }
        assert!(parsed("-q -d").0);
    }

    #[test]
    fn without_one_login_a_database_is_that_of_the_caller() {
        for (line, is_own) in
            [("-i", true), ("-I", true), ("-l a b", true), ("-x", true), ("-l bob", false), ("bob", false)]
        {
            assert_eq!(parsed(line).1.unwrap().is_own, is_own, "{line}");
        }
        assert_eq!(parsed("-l -q").1, None);
        assert_eq!(parsed("-j a b").1, None);
    }

    #[test]
    fn intervals_are_days_and_words_mean_never_again() {
        for (value, interval) in [
            ("3", 3 * 86_400),
            ("2d", 2 * 86_400),
            ("0", 0),
            ("infinite", 0),
            ("-2", 0),
            ("99999999999", LONGEST_DAYS * DAY),
        ] {
            assert_eq!(parsed(&format!("-r {value} bob")).1.unwrap().interval, Some(interval), "{value}");
        }
        assert_eq!(parsed("bob").1.unwrap().interval, None);
    }

    #[test]
    fn the_last_reverse_path_counts() {
        assert_eq!(parsed("-z -R a@b bob").1.unwrap().reverse_path, Some("a@b".into()));
        assert_eq!(parsed("-R a@b -z bob").1.unwrap().reverse_path, Some("<>".into()));
    }
}
