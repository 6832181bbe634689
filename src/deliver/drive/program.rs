//! The agent that runs a mailer's program.

use bytes::Bytes;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::agent::{Delivered, Load, user_of};
use super::attempt::Attempt;
use super::source::{self, Source};
use crate::base::bytes::shown;
use crate::base::exit::Exit;
use crate::base::status::{Classify, Status};
use crate::config::Mailer;
use crate::deliver::outcome::Outcome;
use crate::envelope::{Controller, Recipient};
use crate::log::traffic::{Sign, Tap};
use crate::macros::{Scope, names};
use crate::monitor::{RunMailer, Running};
use crate::sys::spawn::Ended;

/// Whether the program is spoken to in SMTP or LMTP: no argument names a user. Source: mailer_fields.tsv (A=).
pub(super) fn is_dialogue(mailer: &Mailer) -> bool {
    !mailer.is_file() && !mailer.argv.iter().any(|word| word.mentions(names::RCPT_USER))
}

/// Runs the program and feeds it the message.
pub(super) async fn deliver(attempt: &mut Attempt, load: &Load) -> Delivered {
    let Some(mailer) = load.mailer() else { return Delivered::all(Bytes::new(), &load.recipients, broken()) };
    let recipients: Vec<Recipient> =
        load.recipients.iter().filter_map(|i| attempt.envelope.recipients.get(*i)).cloned().collect();
    let argv = argv(mailer, &recipients, &load.sender_shown(), &load.scope);
    let outcome = run(attempt, load, mailer, &recipients, argv).await;
    Delivered::all(load.host.clone(), &load.recipients, outcome)
}

async fn run(
    attempt: &mut Attempt,
    load: &Load,
    mailer: &Mailer,
    recipients: &[Recipient],
    argv: Vec<Bytes>,
) -> Outcome {
    attempt.show(connecting(recipients, mailer));
    log_start(attempt, &argv);
    let request = request(load, mailer, recipients, argv, false);
    let running = match attempt.site.port.run_mailer(request).await {
        Ok(running) => running,
        Err(error) => return cannot_start(attempt, &error),
    };
    let source = source::for_local(attempt, load, mailer, &load.scope).await;
    let fed = match mailer.wait {
        None => feed(running, source).await,
        Some(limit) => match tokio::time::timeout(limit, feed(running, source)).await {
            Ok(fed) => fed,
            Err(_) => return Outcome::deferred(Status(4, 4, 7), "mailer took too long"),
        },
    };
    let Fed { ended, output, body_error } = match fed {
        Ok(fed) => fed,
        Err(error) => return Outcome::deferred(Status(4, 3, 0), &error.to_string()),
    };
    if let Some(traffic) = attempt.site.log.traffic() {
        let mut tap = Tap::new(traffic, Sign::In);
        tap.feed(&output);
        tap.end_of_input();
    }
    // Observed: watchers do not see what a program says.
    if !output.is_empty() {
        attempt.note(output.strip_suffix(b"\n").unwrap_or(&output));
    }
    if let Some(error) = body_error {
        return Outcome::deferred(Status(4, 3, 0), &format!("cannot read message: {error}"));
    }
    match ended {
        Ended::Exit(code) => Outcome::of_program(code, mailer),
        Ended::Signal(signal, ..) => {
            let text = format!("mailer {} died with signal {signal}", shown(&mailer.name));
            attempt.site.log.system_error(attempt.id(), "root", &text);
            attempt.note(format!("451 4.3.0 {text}"));
            let mut outcome = Outcome::of_program(Exit::TEMPFAIL.0, mailer);
            outcome.job_text = Some(text);
            outcome
        }
    }
}

/// The traffic log is told of a program.
pub(super) fn log_start(attempt: &Attempt, argv: &[Bytes]) {
    if let Some(traffic) = attempt.site.log.traffic() {
        traffic.line(Sign::Start, &[&b"EXEC "[..], &argv.join(&b' ')].concat());
    }
}

struct Fed {
    ended: Ended,
    output: Vec<u8>,
    body_error: Option<std::io::Error>,
}

/// Writes the message while the output is read, so that neither pipe can fill up for good.
async fn feed(running: Running, mut source: Source) -> std::io::Result<Fed> {
    let Running { stdin, mut stdout, waiting } = running;
    let mut waiting = Some(waiting);
    let write = async {
        let mut stdin = stdin;
        loop {
            match source.next().await {
                Ok(Some(block)) => {
                    // A program need not read everything; its exit code tells.
                    if stdin.write_all(&block).await.is_err() {
                        return None;
                    }
                }
                Ok(None) => return None,
                Err(error) => {
                    // Half a message must not be delivered: the program ends before its input does.
                    drop(waiting.take());
                    return Some(error);
                }
            }
        }
    };
    let read = async {
        let mut output = Vec::new();
        let mut block = [0u8; 4096];
        while let Ok(length @ 1..) = stdout.read(&mut block).await {
            let room = OUTPUT.saturating_sub(output.len());
            output.extend_from_slice(block.get(..length.min(room)).unwrap_or_default());
        }
        output
    };
    let (body_error, output) = tokio::join!(write, read);
    let Some(waiting) = waiting else {
        return Ok(Fed { ended: Ended::Exit(Exit::TEMPFAIL.0), output, body_error });
    };
    let (ended, _) = waiting.wait().await?;
    Ok(Fed { ended, output, body_error })
}

/// What the monitor is asked.
pub(super) fn request(
    load: &Load,
    mailer: &Mailer,
    recipients: &[Recipient],
    argv: Vec<Bytes>,
    is_dialogue: bool,
) -> RunMailer {
    let first = recipients.first();
    let directories = mailer.directory.as_ref().map(|d| d.expand(&load.scope)).unwrap_or_default();
    RunMailer {
        mailer: load.id,
        argv,
        controller: first.and_then(|r| identity(load, r.controller.as_ref())),
        owner: load.owner.as_ref().map(|owner| (owner.uid, owner.gid)),
        directories: directories.split(|b| *b == b':').filter(|d| !d.is_empty()).map(Bytes::copy_from_slice).collect(),
        root: mailer.root.as_ref().map(|r| r.expand(&load.scope).into()),
        is_dialogue,
    }
}

/// The user a controlling address stands for; `None` for aliases of the system, which are the default user's.
pub(super) fn identity(load: &Load, controller: Option<&Controller>) -> Option<(u32, u32)> {
    let default = load.config.options.default_user.uid;
    controller.filter(|c| c.uid != 0 && !(c.uid == default && c.gid == 0)).map(|c| (c.uid, c.gid))
}

/// Arguments of the program: words with `$u` once per recipient; `-f` or `-r` and the sender where the flags ask.
pub(super) fn argv(mailer: &Mailer, recipients: &[Recipient], sender: &[u8], scope: &Scope) -> Vec<Bytes> {
    let mut out: Vec<Bytes> = Vec::new();
    for (n, word) in mailer.argv.iter().enumerate() {
        if word.mentions(names::RCPT_USER) {
            for recipient in recipients {
                let mut scope = scope.clone();
                scope.set(names::RCPT_USER, argument(mailer, &user_of(recipient)));
                out.push(word.expand(&scope).into());
            }
        } else {
            out.push(word.expand(scope).into());
        }
        let flag: &'static [u8] = if mailer.has(b'f') {
            b"-f"
        } else if mailer.has(b'r') {
            b"-r"
        } else {
            continue;
        };
        if n == 0 {
            out.push(Bytes::from_static(flag));
            out.push(Bytes::copy_from_slice(sender));
        }
    }
    out
}

/// `$u` as an argument: the command behind the bar for programs.
fn argument(mailer: &Mailer, user: &Bytes) -> Bytes {
    match user.strip_prefix(b"|") {
        Some(command) if mailer.name.eq_ignore_ascii_case(b"prog") => user.slice_ref(command),
        _ => user.clone(),
    }
}

/// `bob... Connecting to local...`.
fn connecting(recipients: &[Recipient], mailer: &Mailer) -> String {
    let names: Vec<String> = recipients.iter().map(|r| shown(&r.address).to_string()).collect();
    format!("{}... Connecting to {}...", names.join(","), shown(&mailer.name))
}

fn cannot_start(attempt: &Attempt, error: &crate::monitor::Error) -> Outcome {
    attempt.site.log.system_error(attempt.id(), "root", error);
    let (_, status) = error.status();
    if error.is_temporary() {
        Outcome::deferred(status, &error.to_string())
    } else {
        let exit = error.exit();
        Outcome::failed(exit, status, exit.row().map_or("Local configuration error", |r| r.text))
    }
}

fn broken() -> Outcome {
    Outcome::failed(Exit::CONFIG, Status(5, 3, 5), "Local configuration error")
}

/// Most bytes of output kept for the transcript.
const OUTPUT: usize = 64 * 1024;
