//! The verbs of a server session.

/// A verb.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names are those of the verbs; the table says what they do")]
pub enum Verb {
    Auth,
    Data,
    Debug,
    Ehlo,
    Etrn,
    Expn,
    Helo,
    Help,
    Mail,
    Noop,
    NotImplemented,
    Quit,
    Rcpt,
    Rset,
    Showq,
    StartTls,
    Verb,
    Vrfy,
    Wiz,
}

/// A verb as it is typed.
#[derive(Debug, Clone, Copy)]
pub struct Row {
    /// The word.
    pub word: &'static str,
    /// What it means.
    pub verb: Verb,
    /// Whether it is done though the whole session is refused (`check_relay`, early talkers).
    pub when_refused: bool,
    /// What it does.
    pub effect: &'static str,
}

/// All verbs, sorted. Source: RFC 5321 §4.1; observed.
#[rustfmt::skip]
pub static VERBS: &[Row] = &[
    row("auth",     Verb::Auth,           false, "authentication"),
    row("data",     Verb::Data,           false, "the message"),
    row("debug",    Verb::Debug,          true,  "logged as an attack, answered as unknown"),
    row("ehlo",     Verb::Ehlo,           true,  "introduction, list of extensions"),
    row("etrn",     Verb::Etrn,           false, "queue run for a host"),
    row("expn",     Verb::Expn,           false, "members of a list"),
    row("helo",     Verb::Helo,           true,  "introduction"),
    row("help",     Verb::Help,           false, "text of the help file"),
    row("mail",     Verb::Mail,           false, "reverse-path, starts a transaction"),
    row("noop",     Verb::Noop,           true,  "nothing"),
    row("quit",     Verb::Quit,           true,  "the end"),
    row("rcpt",     Verb::Rcpt,           false, "forward-path"),
    row("rset",     Verb::Rset,           true,  "ends a transaction without a message"),
    row("saml",     Verb::NotImplemented, false, "RFC 821"),
    row("send",     Verb::NotImplemented, false, "RFC 821"),
    row("showq",    Verb::Showq,          true,  "logged as an attack, answered as unknown"),
    row("soml",     Verb::NotImplemented, false, "RFC 821"),
    row("starttls", Verb::StartTls,       false, "TLS from here on"),
    row("turn",     Verb::NotImplemented, false, "RFC 821"),
    row("verb",     Verb::Verb,           false, "each step of delivery is told"),
    row("vrfy",     Verb::Vrfy,           false, "whether a mailbox exists"),
    row("wiz",      Verb::Wiz,            true,  "logged as an attack, answered as unknown"),
];

const fn row(word: &'static str, verb: Verb, when_refused: bool, effect: &'static str) -> Row {
    Row { word, verb, when_refused, effect }
}

/// Words of other protocols that an open proxy lets through. Source: observed.
pub static PROXY_WORDS: &[&str] = &["CONNECT", "GET", "POST", "USER"];

/// A command line taken apart: the row of its verb, and what follows the blanks behind it.
pub fn parse(line: &[u8]) -> (Option<&'static Row>, &[u8]) {
    let line = line.trim_ascii_start();
    let end = line.iter().position(u8::is_ascii_whitespace).unwrap_or(line.len());
    let (word, rest) = line.split_at_checked(end).unwrap_or((line, b""));
    let word = word.to_ascii_lowercase();
    let row = VERBS.binary_search_by(|r| r.word.as_bytes().cmp(&word)).ok().and_then(|at| VERBS.get(at));
    (row, rest.trim_ascii_start())
}

/// Whether the line begins with a word of [`PROXY_WORDS`] and a blank.
pub fn is_proxy_word(line: &[u8]) -> bool {
    PROXY_WORDS.iter().any(|word| {
        crate::base::bytes::starts_with_ignore_case(line, word.as_bytes())
            && line.get(word.len()).is_none_or(u8::is_ascii_whitespace)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn verbs_are_found_in_any_case() {
        assert!(VERBS.is_sorted_by_key(|r| r.word));
        for (line, verb, rest) in [
            ("MAIL FROM:<a>", Some(Verb::Mail), "FROM:<a>"),
            (" rCpt  TO:<b>", Some(Verb::Rcpt), "TO:<b>"),
            ("quit", Some(Verb::Quit), ""),
            ("NOOPX", None, ""),
            ("", None, ""),
        ] {
            let (row, found) = parse(line.as_bytes());
            assert_eq!((row.map(|r| r.verb), found), (verb, rest.as_bytes()), "{line}");
        }
        assert!(is_proxy_word(b"GET / HTTP/1.0") && !is_proxy_word(b"GETX"));
    }
}
