//! The checks: one row each. `--explain` prints the row, `cfcheck(8)` lists them.

use super::Context;
use super::finding::Severity::{Error, Note, Warning};
use super::finding::{Finding, Severity};
use super::{certificates, files, filters, listeners, mailers, maps, names, options, queues, reader, rules, rulesets};

/// A check.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Check {
    /// Its name, in brackets behind the severity of a finding.
    pub(super) id: &'static str,
    /// How bad a finding is.
    pub(super) severity: Severity,
    /// What a finding means, in a sentence.
    pub(super) title: &'static str,
    /// Why it matters and what to do.
    pub(super) text: &'static str,
}

/// A function that looks; it may report findings of several checks.
pub(super) type Look = fn(&Context<'_>, &mut Vec<Finding>);

/// What the text of the configuration alone shows.
pub(super) static OF_THE_TEXT: &[Look] = &[
    reader::look,
    options::look,
    names::look,
    rulesets::look,
    rules::look,
    maps::look,
    listeners::look,
    filters::look,
];

/// What the machine shows that it is to run on.
pub(super) static OF_THE_MACHINE: &[Look] =
    &[maps::look_at_files, files::look, certificates::look, mailers::look, queues::look, filters::look_at_sockets];

/// All checks, sorted by name.
pub(super) static CHECKS: &[Check] = &[
    check(
        "abbreviated-option",
        Warning,
        "An option's name is abbreviated.",
        "A unique beginning of a name is accepted, but a later release may have another option that begins so. \
         Write the whole name.",
    ),
    check(
        "bad-cipher-list",
        Error,
        "A list of ciphers names none.",
        "OpenSSL refuses the list, and it is ignored: sessions use its default ciphers, not those that were meant.",
    ),
    check(
        "bad-number",
        Warning,
        "The value of an option is no whole number.",
        "What stands before the first letter counts, else 0. For LogLevel that means an empty log.",
    ),
    check(
        "ca-key-beside-certificates",
        Warning,
        "The private key of a CA lies on this host.",
        "Whoever reads that file can make certificates that everybody trusts who trusts the CA. \
         Keep it on a machine that signs, never on one that serves mail.",
    ),
    check(
        "ca-link-old-hash",
        Warning,
        "A link in CACertPath has the name that OpenSSL before 1.0 looked for.",
        "The name of a link is a hash of the certificate's subject, and OpenSSL 1.0 changed the hash. A CA that has only an old \
         link is not found: certificates of its clients fail with \"unable to get local issuer certificate\". \
         Make the links again with `openssl rehash DIRECTORY`.",
    ),
    check("certificate-expired", Error, "A certificate is not valid now.", "Peers that check certificates refuse it."),
    check(
        "certificate-expiring",
        Warning,
        "A certificate ends soon.",
        "Renew it in time; `--expiring DAYS` sets what soon means (30 days).",
    ),
    check(
        "certificate-mismatch",
        Error,
        "A key is not that of its certificate.",
        "STARTTLS is not offered, or not used, with such a pair.",
    ),
    check(
        "certificate-unreadable",
        Error,
        "A certificate file cannot be used.",
        "It is missing, its directory or mode is not safe, or it holds no certificate in PEM form. Without it STARTTLS is off.",
    ),
    check(
        "configuration-error",
        Error,
        "A line is refused.",
        "The daemon does not start with such a file; test mode and -bC end with a failure.",
    ),
    check(
        "configuration-warning",
        Warning,
        "A line is accepted with a warning.",
        "The program says the same when it starts.",
    ),
    check(
        "duplicate-listener",
        Error,
        "Two DaemonPortOptions ask for the same address and port.",
        "The second cannot be bound: the daemon waits and then gives up, unless the port has modifier O.",
    ),
    check(
        "impossible-token",
        Warning,
        "A rule has a token that no workspace holds.",
        "The rule was read under other operator characters than those that addresses are cut by, so that it never matches. \
         OperatorChars must stand before the first rule.",
    ),
    check(
        "key-encrypted",
        Error,
        "A private key asks for a pass phrase.",
        "Nobody is there to type it when the daemon starts. Write the key without one: `openssl pkey -in KEY -out NEW`.",
    ),
    check(
        "key-unreadable",
        Error,
        "A private key cannot be used.",
        "It is missing or holds no private key in PEM form. Without it STARTTLS is off.",
    ),
    check(
        "key-unsafe",
        Error,
        "A private key can be read or written by others.",
        "Keys must belong to root or the user that runs the daemon, with mode 0600 or less. \
         A key that a group shares needs `O DontBlameSendmail=GroupReadableKeyFile`.",
    ),
    check(
        "key-weak",
        Error,
        "A key is too short.",
        "OpenSSL refuses RSA keys below 2048 bits and curves below 224 bits at its usual security level, so that STARTTLS is off. \
         Make a new key and certificate.",
    ),
    check(
        "mailer-program-missing",
        Error,
        "The program of a mailer cannot be run.",
        "Mail for the mailer is returned or stays in the queue.",
    ),
    check(
        "mailer-program-unsafe",
        Warning,
        "Others may replace the program of a mailer.",
        "A directory on the way or the file itself is writable for more than its owner.",
    ),
    check(
        "map-file-format",
        Error,
        "The file of a map is not what its class reads.",
        "Make it again with makemap(8) and the class that the K line names.",
    ),
    check(
        "map-file-missing",
        Error,
        "The file of a map does not exist.",
        "Lookups fail for now and mail stays in the queue. With flag -o a missing file is an empty map.",
    ),
    check(
        "map-file-stale",
        Warning,
        "The file of a map is older than the text it is made from.",
        "Changes of the text have no effect before makemap(8) or newaliases has run.",
    ),
    check(
        "map-file-unsafe",
        Error,
        "The file of a map is refused.",
        "A directory on the way is writable for more than its owner, or the file is a link where links are not followed. \
         DontBlameSendmail can allow it.",
    ),
    check(
        "map-file-writable",
        Warning,
        "Everybody may write to the file of a map.",
        "The program reads it all the same: whoever has an account here decides where mail goes, or who may relay. \
         Take the right away: chmod o-w FILE.",
    ),
    check(
        "milter-socket-missing",
        Warning,
        "The socket of a filter does not exist.",
        "The filter is not running, or listens elsewhere.",
    ),
    check(
        "missing-ruleset",
        Warning,
        "A ruleset is called and never declared.",
        "The call changes nothing. Often it is a misspelt name.",
    ),
    check(
        "option-without-effect",
        Note,
        "An option is read and does nothing here.",
        "The line may stay: the original has a use for it. What is done in its place is said, and listed in DIFFERENCES.",
    ),
    check(
        "option-without-o",
        Error,
        "A line looks like an option without its `O `.",
        "Without the letter O and a blank the first letter of the name decides: `CACertPath=...` adds a word to class A, \
         `ServerCertFile=...` begins a ruleset. Put `O ` in front.",
    ),
    check(
        "privileged-listener",
        Note,
        "A listener needs a port below 1024 that only a start as root can bind.",
        "RunAsUser gives root's rights up after the start. Listeners go on through SIGHUP, but one that is added, or gets another \
         port below 1024, is there after a restart through the service alone.",
    ),
    check(
        "queue-directory-missing",
        Error,
        "A queue directory does not exist, or none is named.",
        "No mail is accepted.",
    ),
    check(
        "queue-directory-unsafe",
        Warning,
        "Others may write to a queue directory.",
        "It should belong to root or RunAsUser with mode 0700; that of the submission program to its user and group with mode 0770.",
    ),
    check(
        "queue-directory-unwritable",
        Error,
        "The program cannot write to a queue directory.",
        "No mail is accepted. The user that runs the program (root, or RunAsUser) must own it and have all rights in it, on a file \
         system that is not read-only.",
    ),
    check(
        "shadowed-rule",
        Warning,
        "A rule can never match.",
        "An earlier rule of the ruleset matches everything that it matches, and either ends the ruleset or goes on until it \
         matches no more.",
    ),
    check(
        "submission-as-root",
        Error,
        "RunAsUser of a submit.cf is root.",
        "When root calls it, the program says \"Mail submission program must have RunAsUser set to non root user\" and ends with 78: \
         neither mail of root nor the client queue is taken care of.",
    ),
    check(
        "undeclared-mailer",
        Warning,
        "A rule names a mailer that does not exist.",
        "Addresses that the rule matches are refused: \"buildaddr: unknown mailer\". An M line must declare the mailer, \
         or `MAILER` in the .mc file. `$#discard` is for check_* rulesets: for addresses it is a mailer like any other.",
    ),
    check(
        "undeclared-map",
        Warning,
        "A map is used and never declared.",
        "Each lookup fails for now. A K line must declare the map before it is used.",
    ),
    check(
        "undefined-class",
        Warning,
        "A class is used and never defined.",
        "`$=x` then matches nothing and `$~x` everything. A C or F line makes the class, if only an empty one.",
    ),
    check(
        "undefined-filter",
        Error,
        "InputMailFilters names a filter without an X line.",
        "The daemon says so when it starts and does not ask the filter.",
    ),
    check(
        "undefined-macro",
        Warning,
        "A macro is used and never defined.",
        "Its value is empty. A D line makes it, if only with an empty value; `$?x` asks whether it is set.",
    ),
    check("unknown-option", Error, "An option does not exist.", "The daemon does not start with such a line."),
    check(
        "unreachable-ruleset",
        Note,
        "A ruleset with rules is called from nowhere.",
        "Neither a rule, a mailer, a header nor the program calls it. Generated files have some of these.",
    ),
    check(
        "unsafe-file",
        Error,
        "A file that an option names is refused.",
        "A directory on the way or the file is writable for more than its owner.",
    ),
    check(
        "unused-filter",
        Note,
        "A filter is declared and not used.",
        "Neither InputMailFilters nor a DaemonPortOptions line names it.",
    ),
    check(
        "unused-map",
        Note,
        "A map is declared and not used.",
        "No rule, sequence or switch names it. Generated files have some of these.",
    ),
];

const fn check(id: &'static str, severity: Severity, title: &'static str, text: &'static str) -> Check {
    Check { id, severity, title, text }
}

/// The row of a check.
pub(super) fn find(id: &str) -> &'static Check {
    by_id(id).unwrap_or(&CHECKS[0])
}

/// The row of a check that a user names.
pub(super) fn by_id(id: &str) -> Option<&'static Check> {
    CHECKS.binary_search_by(|check| check.id.cmp(id)).ok().and_then(|at| CHECKS.get(at))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_sorted_and_say_what_they_mean() {
        assert!(CHECKS.windows(2).all(|pair| pair[0].id < pair[1].id));
        for check in CHECKS {
            assert!(check.title.ends_with('.') && check.text.ends_with(['.', '`', ')']), "{}", check.id);
            assert_eq!(find(check.id), check);
        }
    }

    #[test]
    #[allow(clippy::disallowed_methods, reason = "the check reads the manual page")]
    fn the_manual_page_lists_them_all() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/man/cfcheck.8");
        let page = std::fs::read_to_string(path).unwrap();
        for check in CHECKS {
            assert!(page.contains(&format!(".It Cm {}\n", check.id)), "{} is not in cfcheck(8)", check.id);
        }
    }
}
