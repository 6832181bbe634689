//! Which lines of the log tell of trouble.

use memchr::memmem;

/// What such lines hold. Source: the log lines of this program and of the original; a file of syslog has no priorities.
const SIGNS: &[&str] = &[
    "SYSERR",
    "error",
    "unsafe: ",
    " failed",
    "cannot ",
    "can not ",
    "reject=",
    "Milter: ",
    "rejecting ",
    "timeout",
    "lost input channel",
    "low on space",
    "possible attack",
    "AUTH failure",
    "verify=FAIL",
    "dsn=4.",
    "dsn=5.",
    "stat=Deferred",
    "return to sender",
    "WARNING",
    "Warning",
    "panic",
];

/// Whether a line is one of them.
pub(super) fn tells_of_trouble(line: &[u8]) -> bool {
    SIGNS.iter().any(|sign| memmem::find(line, sign.as_bytes()).is_some())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn trouble_is_told_from_daily_work() {
        for line in [
            "sm-mta[7]: STARTTLS=server, error: SSL_CTX_use_PrivateKey_file(/k) failed",
            "sm-mta[7]: X: to=a, delay=00:00:00, dsn=5.1.1, stat=User unknown",
            "sm-mta[7]: X: SYSERR(root): Out of disk space for temp file",
            "sm-mta[7]: X: ruleset=check_rcpt, arg1=<a@b>, relay=h, reject=550 5.7.1 <a@b>... Relaying denied",
        ] {
            assert!(tells_of_trouble(line.as_bytes()), "{line}");
        }
        for line in [
            "sm-mta[7]: starting daemon (8.18.2): SMTP+queueing@00:10:00",
            "sm-mta[7]: X: from=<a@b>, size=5, class=0, nrcpts=1, msgid=<x@y>, proto=ESMTP, daemon=MTA, relay=h",
            "sm-mta[7]: X: to=a, delay=00:00:00, xdelay=00:00:00, mailer=local, pri=1, dsn=2.0.0, stat=Sent",
            "sm-mta[7]: STARTTLS=client, relay=h., version=TLSv1.3, verify=OK, cipher=X, bits=256/256",
        ] {
            assert!(!tells_of_trouble(line.as_bytes()), "{line}");
        }
    }
}
