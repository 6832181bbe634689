//! What ruleset 0 returned, made fit for delivery: letter case, special users of local mailers.

use bytes::Bytes;

use crate::config::{Config, Mailer, MailerId};
use crate::envelope::Triple;

/// Kinds of address that a local mailer's user part may stand for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Special {
    /// `|command`, for the mailer `prog`.
    Program,
    /// `/path`, for the mailer `*file*`.
    File,
    /// `:include:/path`, for the mailer `*include*`.
    Include,
}

impl Special {
    /// Name of its mailer.
    pub fn mailer_name(self) -> &'static [u8] {
        match self {
            Self::Program => b"prog",
            Self::File => b"*file*",
            Self::Include => b"*include*",
        }
    }

    /// Its words in `Cannot mail directly to …`.
    pub fn plural(self) -> &'static str {
        match self {
            Self::Program => "programs",
            Self::File => "files",
            Self::Include => ":include:s",
        }
    }

    /// The kind whose mailer this is.
    pub fn of_mailer(name: &[u8]) -> Option<Self> {
        [Self::Program, Self::File, Self::Include].into_iter().find(|s| s.mailer_name().eq_ignore_ascii_case(name))
    }
}

/// A triple with special users sent to their mailers and letter case folded as the mailer's flags ask.
///
/// Source: engine_semantics: `/ | :` flags of the mailer pick `*file*`, `prog`, `*include*`; `h` keeps the case of the
/// host, `u` that of the user.
pub fn settle(config: &Config, triple: Triple) -> Triple {
    let Some(mailer) = config.mailers.get(triple.mailer.0) else { return triple };
    if let Some(special) = special(config, mailer, &triple.user) {
        return special;
    }
    let host = if mailer.has(b'h') { triple.host } else { lower(&triple.host) };
    let mut user = triple.user;
    if mailer.has(b's') {
        user = without_quotes(&user);
    }
    if mailer.has(b'B') {
        let backslashes = user.iter().take_while(|b| **b == b'\\').count();
        user = user.slice(backslashes..);
    }
    if !mailer.has(b'u') || user.eq_ignore_ascii_case(b"postmaster") {
        user = lower(&user);
    }
    Triple { mailer: triple.mailer, host, user }
}

fn special(config: &Config, mailer: &Mailer, user: &[u8]) -> Option<Triple> {
    let bare = without_quotes(user);
    let (kind, user) = if mailer.has(b'|') && bare.starts_with(b"|") {
        (Special::Program, bare)
    } else if mailer.has(b'/') && bare.starts_with(b"/") {
        (Special::File, bare)
    } else if mailer.has(b':') && bare.get(..9).is_some_and(|p| p.eq_ignore_ascii_case(b":include:")) {
        (Special::Include, bare.slice(9..))
    } else {
        return None;
    };
    let mailer = config.mailer(kind.mailer_name())?;
    Some(Triple { mailer, host: Bytes::new(), user })
}

/// Whether the user part says that no alias counts (`\user`), and the user behind the backslash.
pub fn unescaped(user: &[u8]) -> (bool, Bytes) {
    match user.strip_prefix(b"\\") {
        Some(rest) => (true, Bytes::copy_from_slice(rest)),
        None => (false, Bytes::copy_from_slice(user)),
    }
}

/// The full name that a user part may stand for: underscores and `BlankSub` are blanks. Source: op guide 5.6 (MatchGECOS);
/// observed.
pub fn full_name(user: &[u8], blank: u8) -> Vec<u8> {
    without_quotes(user).iter().map(|b| if *b == b'_' || *b == blank { b' ' } else { *b }).collect()
}

/// Text with its quotes removed; a backslash within quotes keeps the next character.
pub fn without_quotes(text: &[u8]) -> Bytes {
    if !text.contains(&b'"') {
        return Bytes::copy_from_slice(text);
    }
    let mut out = Vec::with_capacity(text.len());
    let mut quoted = false;
    let mut bytes = text.iter().copied();
    while let Some(b) = bytes.next() {
        match b {
            b'"' => quoted = !quoted,
            b'\\' if quoted => out.extend(bytes.next()),
            _ => out.push(b),
        }
    }
    out.into()
}

/// Whether two triples are the same recipient.
pub fn same(config: &Config, a: &Triple, b: &Triple) -> bool {
    a.mailer == b.mailer && a.user == b.user && (is_local(config, a.mailer) || a.host.eq_ignore_ascii_case(&b.host))
}

/// Whether mail for this mailer ends on this machine (`F=l`).
pub fn is_local(config: &Config, mailer: MailerId) -> bool {
    config.mailers.get(mailer.0).is_some_and(|m| m.has(b'l'))
}

fn lower(text: &Bytes) -> Bytes {
    if text.iter().any(u8::is_ascii_uppercase) { text.to_ascii_lowercase().into() } else { text.clone() }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::base::letters::LetterSet;
    use crate::config::mailer::RulesetPair;

    /// A mailer with a name and flags.
    pub(in crate::route) fn mailer(name: &str, flags: &str) -> Mailer {
        Mailer {
            name: Bytes::copy_from_slice(name.as_bytes()),
            path: Bytes::from_static(b"/bin/true"),
            flags: LetterSet::from_bytes(flags.as_bytes()),
            sender: RulesetPair::default(),
            recipient: RulesetPair::default(),
            argv: Vec::new(),
            eol: Bytes::from_static(b"\n"),
            max_size: 0,
            max_messages: 0,
            max_recipients: 100,
            line_limit: 0,
            directory: None,
            user: None,
            nice: 0,
            charset: None,
            mta_type: Bytes::new(),
            address_type: Bytes::new(),
            diagnostic_type: Bytes::new(),
            wait: None,
            queue_group: None,
            root: None,
        }
    }

    #[test]
    fn underscores_and_the_blank_byte_part_full_names() {
        assert_eq!(full_name(b"Ann.B_Example", b'.'), b"Ann B Example");
        assert_eq!(full_name(b"\"Ann B.\"", b' '), b"Ann B.");
    }

    #[test]
    fn users_of_local_mailers_pick_their_mailer() {
        let mut config = Config::default();
        for (name, flags) in
            [("prog", "lsu"), ("*file*", "lsu"), ("*include*", "su"), ("local", "lsw/|:"), ("smtp", "mu")]
        {
            config.mailers.push(mailer(name, flags));
        }
        let cases = [
            (3, "|cmd A", 0, "|cmd A"),
            (3, "\"|cmd \\\"x\\\" b\"", 0, "|cmd \"x\" b"),
            (3, "/var/List", 1, "/var/List"),
            (3, ":Include:/a/B", 2, "/a/B"),
            (3, "Joe", 3, "joe"),
            (3, "\"Odd Name\"", 3, "odd name"),
            (4, "|Joe", 4, "|Joe"),
        ];
        for (id, user, to, settled) in cases {
            let triple = Triple {
                mailer: MailerId(id),
                host: Bytes::from_static(b"HoSt"),
                user: user.as_bytes().to_vec().into(),
            };
            let result = settle(&config, triple);
            assert_eq!((result.mailer.0, result.user.as_ref()), (to, settled.as_bytes()), "{user}");
        }
    }
}
