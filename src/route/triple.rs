//! What the `error` mailer says.

use crate::base::exit::Exit;
use crate::base::status::Status;

use super::error::RouteError;

/// The error that `$#error $@ host $: user` means.
///
/// `host` is an enhanced code, an exit code by number, or a word (`nouser`); `user` may begin with a three-digit reply
/// code, and then its own enhanced code wins over none. Source: op guide 5.1.4 (error mailer); observed texts.
pub fn error(host: &[u8], user: &[u8]) -> RouteError {
    let host = host.iter().copied().filter(|b| !b.is_ascii_whitespace()).collect::<Vec<u8>>();
    let given = Status::parse_prefix(&host).filter(|(_, rest)| rest.is_empty()).map(|(status, _)| status);
    let exit = match given {
        Some(status) => exit_of(status),
        None => word(&host),
    };
    let text = unquoted(user);
    let (reply, text) = reply_code(&text);
    let (status, text) = match (given, Status::parse_prefix(text.as_bytes())) {
        (Some(status), Some((same, rest))) if same == status => (Some(status), rest.trim_ascii_start().to_vec()),
        (Some(status), _) => (Some(status), text.into_bytes()),
        (None, Some((status, rest))) => (Some(status), rest.trim_ascii_start().to_vec()),
        (None, None) => (None, text.into_bytes()),
    };
    let is_temporary = exit.is_temporary() || status.is_some_and(Status::is_temporary);
    let reply = reply.unwrap_or(if is_temporary { 451 } else { 553 });
    let status = status.unwrap_or(if reply < 500 { Status(4, 0, 0) } else { Status(5, 0, 0) });
    let exit = if reply < 500 || status.is_temporary() { Exit::TEMPFAIL } else { exit };
    RouteError::new(reply, status, exit, String::from_utf8_lossy(&text).into_owned())
}

/// The exit code that goes with an enhanced code. Source: observed, each of them.
pub fn exit_of(status: Status) -> Exit {
    match status {
        Status(4, _, _) | Status(_, 4, 1 | 3 | 5) => Exit::TEMPFAIL,
        Status(5, 1, 1 | 6) => Exit::NOUSER,
        Status(5, 1, 2 | 8) => Exit::NOHOST,
        Status(5, 1, 3 | 7) => Exit::USAGE,
        Status(5, 1, 0) | Status(5, 2, 3) | Status(5, 7, _) => Exit::DATAERR,
        Status(5, 1, 5) | Status(5, 4, 6) => Exit::CONFIG,
        Status(5, 3, _) => Exit::OSERR,
        Status(5, 4, 0 | 2) => Exit::IOERR,
        Status(5, 4, 4) | Status(5, 5, _) => Exit::PROTOCOL,
        _ => Exit::UNAVAILABLE,
    }
}

fn word(host: &[u8]) -> Exit {
    const WORDS: &[(&[u8], Exit)] = &[
        (b"usage", Exit::USAGE),
        (b"nouser", Exit::NOUSER),
        (b"nohost", Exit::NOHOST),
        (b"unavailable", Exit::UNAVAILABLE),
        (b"software", Exit::SOFTWARE),
        (b"tempfail", Exit::TEMPFAIL),
        (b"protocol", Exit::PROTOCOL),
        (b"config", Exit::CONFIG),
    ];
    if host.first().is_some_and(u8::is_ascii_digit) {
        return u8::try_from(crate::base::bytes::leading_number(host)).map_or(Exit::UNAVAILABLE, Exit);
    }
    WORDS.iter().find(|(name, _)| name.eq_ignore_ascii_case(host)).map_or(Exit::UNAVAILABLE, |(_, exit)| *exit)
}

fn reply_code(text: &str) -> (Option<u16>, String) {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    match text.split_at_checked(3) {
        Some((code, rest)) if digits == 3 && (rest.is_empty() || rest.starts_with(' ')) => {
            (code.parse().ok().filter(|c| (400..600).contains(c)), rest.trim_start().to_owned())
        }
        _ => (None, text.to_owned()),
    }
}

fn unquoted(user: &[u8]) -> String {
    String::from_utf8_lossy(&super::recipient::without_quotes(user)).trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_come_from_both_parts() {
        let cases = [
            ("5.7.1", "\"550 Access denied\"", "550 5.7.1 Access denied"),
            ("nouser", "550 gone away", "550 5.0.0 gone away"),
            ("", "nohost No such place", "553 5.0.0 nohost No such place"),
            ("5.1.1", "\"User unknown\"", "553 5.1.1 User unknown"),
            ("4.1.8", "\"451 Domain does not resolve\"", "451 4.1.8 Domain does not resolve"),
            ("", "\"553 5.3.0 no\"", "553 5.3.0 no"),
            ("tempfail", "\"450 4.7.1 later\"", "450 4.7.1 later"),
            ("5 . 1 . 2", "\"550 Host\"", "550 5.1.2 Host"),
        ];
        for (host, user, line) in cases {
            assert_eq!(error(host.as_bytes(), user.as_bytes()).line(), line, "{host} {user}");
        }
    }
}
