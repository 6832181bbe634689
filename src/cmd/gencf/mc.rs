//! The `.mc` that says the same as the answers.

use super::answers::{Answers, words};
use super::host::Host;
use super::options::{self, Effect, Kind, OPTIONS, Opt, Part};

/// Which configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Target {
    /// `sendmail.cf`.
    Transfer,
    /// `submit.cf`.
    Submission,
}

impl Target {
    /// Name of the configuration that it becomes.
    pub(super) fn cf(self) -> &'static str {
        match self {
            Self::Transfer => "sendmail.cf",
            Self::Submission => "submit.cf",
        }
    }
}

/// Text of the `.mc`.
///
/// It names no library: m4 gets that before it. What comes of the host stands before the mailers.
pub(super) fn render(answers: &Answers, target: Target, host: &Host) -> String {
    let mut out = format!(
        "divert(-1)\n# Written by gencf; the answers are kept beside it. Build it with: gencf build {name}.mc\ndivert(0)dnl\n\
         VERSIONID(`{name} of gencf')dnl\n",
        name = target.cf().trim_end_matches(".cf"),
    );
    let mut lines = chosen(answers, target);
    lines.sort_by_key(|(part, _)| *part);
    let (rulesets, others): (Vec<_>, Vec<_>) = lines.into_iter().partition(|(part, _)| *part == Part::Rulesets);
    for (_, line) in others {
        push(&mut out, &line);
    }
    if target == Target::Submission {
        push(&mut out, SUBMISSION);
    }
    host.lines.iter().for_each(|line| push(&mut out, line));
    if target == Target::Transfer {
        push(&mut out, "MAILER(`local')\nMAILER(`smtp')");
    } else {
        push(&mut out, "FEATURE(`msp', `[127.0.0.1]')");
    }
    if answers.has("starttls") {
        out.push_str(CERTIFICATES);
        out.push_str(local_config(answers));
    }
    for (at, (_, text)) in rulesets.into_iter().enumerate() {
        if at == 0 {
            out.push_str("LOCAL_RULESETS\n");
        }
        out.push_str(&text);
        out.push('\n');
    }
    out
}

fn push(out: &mut String, lines: &str) {
    for line in lines.lines() {
        out.push_str(line);
        out.push_str("dnl\n");
    }
}

/// Lines of everything that is on; what two options ask for comes once.
fn chosen(answers: &Answers, target: Target) -> Vec<(Part, String)> {
    let mut lines = Vec::new();
    for option in OPTIONS {
        let is_asked = option.needs.is_none_or(|name| answers.has(name));
        if is_asked && answers.is_on(option) {
            add(option, answers.text(option), target, &mut lines);
        }
    }
    lines
}

fn add(option: &Opt, answer: &str, target: Target, lines: &mut Vec<(Part, String)>) {
    let is_transfer = target == Target::Transfer;
    let mut line = |part: Part, text: String| {
        if !lines.contains(&(part, text.clone())) {
            lines.push((part, text));
        }
    };
    let answer = match option.kind {
        // m4 lists of words are separated by blanks.
        Kind::Words => words(answer).collect::<Vec<_>>().join(" "),
        _ => answer.to_owned(),
    };
    match option.effect {
        Effect::Lines(part, text) => line(part, text.replace("{}", &answer)),
        Effect::Transfer(part, text) if is_transfer => line(part, text.replace("{}", &answer)),
        Effect::List(part, head, each) if is_transfer => {
            if !head.is_empty() {
                line(part, head.to_owned());
            }
            words(&answer).for_each(|word| line(part, each.replace("{}", word)));
        }
        Effect::All(names) => {
            for other in names.iter().filter_map(|name| options::find(name)) {
                add(other, "yes", target, lines);
            }
        }
        Effect::Transfer(..) | Effect::List(..) | Effect::Nothing => {}
    }
}

/// `UseTLS` has no name in the library: other sendmails do not know it, and True is what they do without it.
fn local_config(answers: &Answers) -> &'static str {
    let is_off = options::find("use-tls").is_some_and(|option| answers.text(option) == "False");
    if is_off {
        "LOCAL_CONFIG\n# Neither offered nor used, whatever keys there are (HP-UX sendmail and sendmail-rs).\nO UseTLS=False\n"
    } else {
        "LOCAL_CONFIG\n# STARTTLS is offered and used when the keys below can be used. HP-UX sendmail wants this besides:\n#O UseTLS=True\n"
    }
}

/// Where the files come from.
const CERTIFICATES: &str = "\
divert(-1)
# NAME-cert.pem and NAME-key.pem are what `certs install --name NAME' puts into /etc/mail/certs; the NAME here is `servername'
# unless other files were named. Without --name it is the first part of the name of the host.
divert(0)dnl
";

/// What makes the configuration one of the submission program.
const SUBMISSION: &str = "\
define(`confCF_VERSION', `Submit')
define(`__OSTYPE__', `')
define(`_USE_DECNET_SYNTAX_', `1')
define(`confTIME_ZONE', `USE_TZ')
define(`confDONT_INIT_GROUPS', `True')";

#[cfg(test)]
mod tests {
    use super::*;

    fn answers(text: &str) -> Answers {
        let (answers, faults) = Answers::parse(text);
        assert_eq!(faults, []);
        answers
    }

    #[test]
    fn options_become_lines_in_the_order_m4_wants() {
        let text = render(
            &answers(
                "relay-on = yes\npromiscuous-relay = yes\nsmart-host = relay.test\nsmart-host-port = 587\ndnsbl = a.test b.test\n\
                 genericstable = x.test\nauth = PLAIN LOGIN\nsystem = hpux11\nsend-only = yes\n",
            ),
            Target::Transfer,
            &Host::default(),
        );
        let lines: Vec<&str> = text.lines().skip(3).collect();
        let head: Vec<&str> =
            lines.iter().take_while(|l| !l.starts_with("LOCAL")).map(|l| l.trim_end_matches("dnl")).collect();
        assert_eq!(
            head,
            [
                "VERSIONID(`sendmail of gencf')",
                "OSTYPE(`hpux11')",
                "define(`SMART_HOST', `relay.test')",
                "define(`RELAY_MAILER_ARGS', `TCP $h 587')",
                "define(`confAUTH_MECHANISMS', `PLAIN LOGIN')",
                "TRUST_AUTH_MECH(`PLAIN LOGIN')",
                "FEATURE(`accept_unresolvable_domains')",
                "FEATURE(`accept_unqualified_senders')",
                "FEATURE(`promiscuous_relay')",
                "FEATURE(`dnsbl', `a.test')",
                "FEATURE(`dnsbl', `b.test')",
                "FEATURE(`genericstable')",
                "GENERICS_DOMAIN(`x.test')",
                "MAILER(`local')",
                "MAILER(`smtp')",
            ]
        );
        assert!(text.contains("LOCAL_RULESETS\nSLocal_check_relay\n"), "{text}");
    }

    #[test]
    fn the_submission_program_gets_files_and_no_relaying() {
        let host = Host { lines: vec!["include(`submit.local.mc')".to_owned()], notes: Vec::new() };
        let text =
            render(&answers("relay-on = yes\nstarttls = yes\nca-cert-path = /etc/certs\n"), Target::Submission, &host);
        assert!(text.contains("include(`submit.local.mc')dnl\nFEATURE(`msp'"), "{text}");
        assert!(text.contains("define(`confCACERT_PATH', `/etc/certs')dnl\n"), "{text}");
        assert!(text.contains("FEATURE(`msp', `[127.0.0.1]')dnl\n") && !text.contains("relay"), "{text}");
        assert!(text.contains("\n#O UseTLS=True\n"));
        let off = render(&answers("starttls = yes\nuse-tls = False\n"), Target::Submission, &host);
        assert!(off.contains("\nO UseTLS=False\n"));
        assert!(!render(&answers("use-tls = False\n"), Target::Transfer, &host).contains("UseTLS"));
    }
}
