//! What the `error` mailer says.

use crate::base::exit::Exit;
use crate::base::status::Status;

use super::error::RouteError;

/// The error that `$#error $@ host $: user` means.
///
/// `host` is an enhanced code, an exit code by number, or a word (`nouser`): it is what reports know. `user` may begin with
/// a reply code and an enhanced code, for the reply; without a reply code it is 553 5.3.0, or 451 where `host` is temporary.
/// The exit code is for `host` alone to say, also where the reply says otherwise; the message is tried again when either may pass.
/// Source: op guide 5.1.4 (error mailer); observed.
pub fn error(host: &[u8], user: &[u8]) -> RouteError {
    let host = host.iter().copied().filter(|b| !b.is_ascii_whitespace()).collect::<Vec<u8>>();
    let given = Status::parse_prefix(&host).filter(|(_, rest)| rest.is_empty()).map(|(status, _)| status);
    let exit = match given {
        Some(status) => exit_of(status),
        None => word(&host),
    };
    let text = unquoted(user);
    let (reply, status, words) = match reply_code(&text) {
        Some((reply, words)) => match Status::parse_prefix(words.as_bytes()) {
            Some((status, rest)) => (reply, status, rest.trim_ascii_start()),
            None => (reply, given.unwrap_or(Status(if reply < 500 { 4 } else { 5 }, 0, 0)), words.as_bytes()),
        },
        None if exit == Exit::TEMPFAIL => {
            (451, given.filter(|status| status.is_temporary()).unwrap_or(Status(4, 0, 0)), text.as_bytes())
        }
        None => (553, Status(5, 3, 0), text.as_bytes()),
    };
    let mut error = RouteError::new(reply, status, exit, String::from_utf8_lossy(words).into_owned());
    error.reported = (reply >= 500).then(|| given.unwrap_or(Status(5, 0, 0)));
    error.by_mailer = Some(Box::new((host.into(), text.into())));
    error
}

/// The exit code that goes with an enhanced code. Source: observed, each of them.
pub fn exit_of(status: Status) -> Exit {
    match status {
        Status(4, _, _) | Status(_, 4, 1 | 3 | 5) => Exit::TEMPFAIL,
        Status(5, 1, 1 | 6) => Exit::NOUSER,
        Status(5, 1, 2 | 8) => Exit::NOHOST,
        Status(2, _, _) | Status(5, 1, 3 | 7) => Exit::USAGE,
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
        // A number that is none of an exit code is cut as the kernel cuts it (observed), but a refusal is no success.
        let cut = u8::try_from(crate::base::bytes::leading_number(host) & 0xff).unwrap_or_default();
        return match (cut == Exit::OK.0, host) {
            (true, b"0") => Exit::USAGE,
            (true, _) => Exit::UNAVAILABLE,
            (false, _) => Exit(cut),
        };
    }
    WORDS.iter().find(|(name, _)| name.eq_ignore_ascii_case(host)).map_or(Exit::UNAVAILABLE, |(_, exit)| *exit)
}

/// Three digits that make a code of a reply, and a blank; anything else is text.
fn reply_code(text: &str) -> Option<(u16, &str)> {
    let (code, rest) = text.split_at_checked(3)?;
    let rest = rest.strip_prefix(' ')?.trim_start();
    code.parse().ok().filter(|code| (400..600).contains(code)).map(|code| (code, rest))
}

fn unquoted(user: &[u8]) -> String {
    String::from_utf8_lossy(&super::recipient::without_quotes(user)).trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::status::Classify as _;

    #[test]
    fn codes_come_from_both_parts() {
        let cases = [
            ("5.7.1", "\"550 Access denied\"", "550 5.7.1 Access denied"),
            ("nouser", "550 gone away", "550 5.0.0 gone away"),
            ("", "nohost No such place", "553 5.3.0 nohost No such place"),
            ("5.1.1", "\"User unknown\"", "553 5.3.0 User unknown"),
            ("5.1.1", "\"5.1.1 User unknown\"", "553 5.3.0 5.1.1 User unknown"),
            ("5.1.1", "\"550 5.7.1 other\"", "550 5.7.1 other"),
            ("5.1.1", "550-x", "553 5.3.0 550-x"),
            ("4.1.8", "\"451 Domain does not resolve\"", "451 4.1.8 Domain does not resolve"),
            ("4.1.8", "no code", "451 4.1.8 no code"),
            ("", "\"553 5.3.0 no\"", "553 5.3.0 no"),
            ("tempfail", "\"450 4.7.1 later\"", "450 4.7.1 later"),
            ("tempfail", "later", "451 4.0.0 later"),
            ("5 . 1 . 2", "\"550 Host\"", "550 5.1.2 Host"),
        ];
        for (host, user, line) in cases {
            assert_eq!(error(host.as_bytes(), user.as_bytes()).line(), line, "{host} {user}");
        }
    }

    #[test]
    fn the_host_part_gives_the_exit_code_and_either_part_another_try() {
        for (host, user, exit, is_temporary) in [
            ("4.1.8", "550 no", Exit::TEMPFAIL, true),
            ("tempfail", "553 5.1.8 no", Exit::TEMPFAIL, true),
            ("5.7.1", "450 later", Exit::DATAERR, true),
            ("nouser", "451 4.3.0 later", Exit::NOUSER, true),
            ("2.1.5", "450 later", Exit::USAGE, true),
            ("5.1.1", "550 no", Exit::NOUSER, false),
            // Codes that a program would be tried again for are final here.
            ("5.3.0", "550 no", Exit::OSERR, false),
            ("5.3.0", "no code", Exit::OSERR, false),
            ("5.4.0", "550 no", Exit::IOERR, false),
        ] {
            let error = error(host.as_bytes(), user.as_bytes());
            assert_eq!((error.exit, error.is_temporary()), (exit, is_temporary), "{host} {user}");
        }
    }

    #[test]
    fn reports_know_the_host_part_alone() {
        for (host, user, reported, exit) in [
            ("5.1.1", "550 5.7.1 other", Some(Status(5, 1, 1)), Exit::NOUSER),
            ("nouser", "550 5.7.1 other", Some(Status(5, 0, 0)), Exit::NOUSER),
            ("550", "only text", Some(Status(5, 0, 0)), Exit(38)),
            ("256", "550 no", Some(Status(5, 0, 0)), Exit::UNAVAILABLE),
            ("0", "550 no", Some(Status(5, 0, 0)), Exit::USAGE),
            ("2.0.0", "550 no", Some(Status(2, 0, 0)), Exit::USAGE),
            ("tempfail", "450 4.7.1 later", None, Exit::TEMPFAIL),
        ] {
            let error = error(host.as_bytes(), user.as_bytes());
            assert_eq!((error.reported, error.exit), (reported, exit), "{host} {user}");
        }
    }
}
