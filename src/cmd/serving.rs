//! Modes that serve: the daemon, SMTP on standard input, queue runs.

use std::io::Write;
use std::sync::Arc;

use bytes::Bytes;
use tokio::runtime::Runtime;

use super::modes::{Mode, Role};
use super::sendmail::Request;
use crate::base::exit::Exit;
use crate::config::Config;
use crate::daemon::{self, Options, Selection};
use crate::queue::schedule::{Field, Filter};
use crate::site::{Site, StartOptions};
use crate::submit;

/// `-bd`, `-bD`, and `-q30m` alone.
pub(super) fn daemon(request: &Request, config: Config, start: StartOptions, out: &mut dyn Write) -> Exit {
    let invocation = &request.invocation;
    let mut command_line = vec![invocation.program.clone()];
    command_line.extend(invocation.arguments.iter().cloned());
    let options = Options {
        is_foreground: invocation.mode == Mode::Foreground,
        listens: matches!(invocation.mode, Mode::Daemon | Mode::Foreground),
        interval: invocation.queue.interval,
        is_persistent: invocation.queue.persistent,
        selection: selection(request),
        command_line,
        is_restarted: request.is_restarted,
    };
    let listeners = request.listeners.take();
    match request.role {
        Role::Submission => submit::daemon(config, start, options, listeners, out),
        Role::Transfer => daemon::run(config, start, &options, listeners, out),
    }
}

/// `-bs`.
pub(super) fn stdio(_: &Request, site: &Arc<Site>, runtime: &Runtime, _: &mut dyn Write) -> Exit {
    runtime.block_on(daemon::stdio::run(site))
}

/// `-q`: one run of the queue.
pub(super) fn queue_run(request: &Request, site: &Arc<Site>, runtime: &Runtime, out: &mut dyn Write) -> Exit {
    if let Some(name) = super::queue_run::unknown_group(&request.invocation.queue, &site.config) {
        super::sendmail::say(out, &format!("Queue group {name} unknown"));
        return Exit::OK;
    }
    runtime.block_on(daemon::run_queue_once(site, selection(request)))
}

/// What `-qI`, `-qR`, `-qS`, `-qG` select.
fn selection(request: &Request) -> Selection {
    let queue = &request.invocation.queue;
    let filters = queue.selections.iter().filter_map(|s| {
        let field = match s.kind {
            b'I' => Field::Id,
            b'R' => Field::Recipient,
            b'S' => Field::Sender,
            b'Q' => Field::Reason,
            _ => return None,
        };
        Some(Filter { field, is_negated: s.negated, text: Bytes::clone(&s.text) })
    });
    Selection { filters: filters.collect(), group: queue.group.clone(), without: Vec::new() }
}
