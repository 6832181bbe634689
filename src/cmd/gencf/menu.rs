//! The menu: pages of numbered entries on a terminal, or lines of a script.

use std::io::{self, BufRead, Write};

use super::answers::Answers;
use super::mc::Target;
use super::options::{self, Kind, Opt, Page};

/// What the menu asks its program to do.
pub(super) trait Work {
    /// Makes `sendmail.cf.gen` or `submit.cf.gen`.
    fn generate(&mut self, answers: &Answers, target: Target, out: &mut dyn Write) -> io::Result<()>;
    /// Shows the `.mc`.
    fn show(&mut self, answers: &Answers, target: Target, out: &mut dyn Write) -> io::Result<()>;
    /// Keeps the answers.
    fn keep(&mut self, answers: &Answers) -> io::Result<()>;
}

/// Runs the menu until its end or the end of the input.
pub(super) fn run(
    answers: &mut Answers,
    work: &mut dyn Work,
    input: &mut dyn BufRead,
    out: &mut dyn Write,
) -> io::Result<()> {
    loop {
        writeln!(out, "\n\tsendmail configuration\n")?;
        for (number, text) in MAIN {
            writeln!(out, "{number:>3}: {text}")?;
        }
        let Some(choice) = ask(input, out, "Choice")? else { return Ok(()) };
        match choice.as_str() {
            "1" => page(Page::Relay, answers, work, input, out)?,
            "2" => page(Page::Checks, answers, work, input, out)?,
            "3" => page(Page::Routing, answers, work, input, out)?,
            "4" => security(answers, work, input, out)?,
            "5" => work.generate(answers, Target::Transfer, out)?,
            "6" => work.generate(answers, Target::Submission, out)?,
            "7" => work.show(answers, Target::Transfer, out)?,
            "8" => work.show(answers, Target::Submission, out)?,
            "0" | "q" | "quit" => return Ok(()),
            other => writeln!(out, "There is no entry {other}.")?,
        }
    }
}

/// A page of options; an empty line or 0 leads back.
fn page(
    which: Page,
    answers: &mut Answers,
    work: &mut dyn Work,
    input: &mut dyn BufRead,
    out: &mut dyn Write,
) -> io::Result<()> {
    let rows: Vec<&Opt> = options::on(which).collect();
    loop {
        writeln!(out)?;
        for (at, option) in rows.iter().enumerate() {
            writeln!(out, "{:>3}: {} [{}]", at + 1, option.text, answers.text(option))?;
        }
        writeln!(out, "  0: back")?;
        let Some(choice) = ask(input, out, "Choice")? else { return Ok(()) };
        if choice.is_empty() || choice == "0" {
            return Ok(());
        }
        let chosen = choice.parse::<usize>().ok().and_then(|n| rows.get(n.checked_sub(1)?));
        match chosen {
            Some(option) => change(option, answers, work, input, out)?,
            None => writeln!(out, "There is no entry {choice}.")?,
        }
    }
}

/// Security Options. STARTTLS is one choice, as on HP-UX: it is on then, with the usual files, and the main menu follows.
fn security(
    answers: &mut Answers,
    work: &mut dyn Work,
    input: &mut dyn BufRead,
    out: &mut dyn Write,
) -> io::Result<()> {
    let is_on = if answers.has("starttls") { "yes" } else { "no" };
    let mechanisms = options::find("auth").map_or("", |option| answers.text(option)).to_owned();
    writeln!(out, "\n\tSecurity Options\n")?;
    writeln!(out, "  1: Login of clients (AUTH) [{mechanisms}]")?;
    writeln!(out, "  2: STARTTLS [{is_on}]")?;
    writeln!(out, "  3: Files and options of STARTTLS")?;
    writeln!(out, "  4: No STARTTLS")?;
    writeln!(out, "  0: back")?;
    let Some(choice) = ask(input, out, "Choice")? else { return Ok(()) };
    match choice.as_str() {
        "1" => match options::find("auth") {
            Some(option) => change(option, answers, work, input, out),
            None => Ok(()),
        },
        "2" => {
            set(answers, "starttls", "yes", work, out)?;
            writeln!(out, "STARTTLS is on, with these files:")?;
            for option in options::on(Page::Files).filter(|o| answers.is_on(o)) {
                writeln!(out, "\t{} = {}", option.text, answers.text(option))?;
            }
            Ok(())
        }
        "3" => page(Page::Files, answers, work, input, out),
        "4" => set(answers, "starttls", "no", work, out),
        "" | "0" => Ok(()),
        other => writeln!(out, "There is no entry {other}."),
    }
}

/// Turns a switch, or asks for another answer.
fn change(
    option: &Opt,
    answers: &mut Answers,
    work: &mut dyn Work,
    input: &mut dyn BufRead,
    out: &mut dyn Write,
) -> io::Result<()> {
    let answer = match option.kind {
        Kind::Switch => Some(if answers.is_on(option) { "no".to_owned() } else { "yes".to_owned() }),
        Kind::OneOf(choices) => {
            let now = choices.iter().position(|c| *c == answers.text(option)).unwrap_or(0);
            choices.iter().cycle().nth(now + 1).map(|c| (*c).to_owned())
        }
        Kind::Text(_) | Kind::Words => {
            writeln!(out, "{} is now: {}", option.text, answers.text(option))?;
            match ask(input, out, "New answer (empty: as it is; none: -)")? {
                None => None,
                Some(text) if text.is_empty() => None,
                Some(text) if text == "-" => Some(String::new()),
                text => text,
            }
        }
    };
    match answer {
        Some(answer) => set(answers, option.name, &answer, work, out),
        None => Ok(()),
    }
}

fn set(answers: &mut Answers, name: &str, answer: &str, work: &mut dyn Work, out: &mut dyn Write) -> io::Result<()> {
    match answers.set(name, answer) {
        Ok(()) => work.keep(answers),
        Err(fault) => writeln!(out, "{fault}"),
    }
}

/// A line of the input; `None` at its end.
fn ask(input: &mut dyn BufRead, out: &mut dyn Write, question: &str) -> io::Result<Option<String>> {
    write!(out, "{question}: ")?;
    out.flush()?;
    let mut line = String::new();
    if input.read_line(&mut line)? == 0 {
        writeln!(out)?;
        return Ok(None);
    }
    Ok(Some(line.trim().to_owned()))
}

/// The main menu. Entries 4, 5 and 6 have the numbers they have on HP-UX.
const MAIN: &[(char, &str)] = &[
    ('1', "Relaying"),
    ('2', "Checks of incoming mail"),
    ('3', "Routing, tables and names"),
    ('4', "Security Options"),
    ('5', "Generate sendmail.cf"),
    ('6', "Generate submit.cf"),
    ('7', "Show sendmail.mc"),
    ('8', "Show submit.mc"),
    ('0', "Quit"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Default)]
    struct Noted {
        done: Vec<String>,
        kept: usize,
    }

    impl Work for Noted {
        fn generate(&mut self, answers: &Answers, target: Target, _: &mut dyn Write) -> io::Result<()> {
            self.done.push(format!("{} starttls={}", target.cf(), answers.has("starttls")));
            Ok(())
        }
        fn show(&mut self, _: &Answers, target: Target, _: &mut dyn Write) -> io::Result<()> {
            self.done.push(format!("show {}", target.cf()));
            Ok(())
        }
        fn keep(&mut self, _: &Answers) -> io::Result<()> {
            self.kept += 1;
            Ok(())
        }
    }

    fn played(lines: &str) -> (Answers, Noted, String) {
        let (mut answers, mut work, mut out) = (Answers::default(), Noted::default(), Vec::new());
        run(&mut answers, &mut work, &mut lines.as_bytes(), &mut out).unwrap();
        (answers, work, String::from_utf8(out).unwrap())
    }

    #[test]
    fn the_numbers_of_the_hp_document_lead_where_they_led() {
        let (_, work, out) = played("4\n2\n5\n4\n2\n6\n0\n");
        assert_eq!(work.done, ["sendmail.cf starttls=true", "submit.cf starttls=true"]);
        assert!(out.contains("  4: Security Options\n  5: Generate sendmail.cf\n  6: Generate submit.cf\n"), "{out}");
        assert!(out.contains("\tCACertPath = /etc/mail/certs\n"), "{out}");
    }

    #[test]
    fn answers_are_changed_on_their_page() {
        let (answers, work, out) = played("3\n3\nrelay.test\n0\n2\n3\n9\n4\na.test b.test\n\n4\n3\n1\n0\n4\n2\n4\n4\n");
        assert!(answers.render().ends_with(
            "\naccess-db = yes\ndnsbl = a.test, b.test\nsmart-host = relay.test\nstarttls = no\nuse-tls = False\n"
        ));
        assert_eq!(work.kept, 6);
        assert!(out.contains("There is no entry 9."));
    }
}
