//! Submission: the client queue and the daemon on port 587.
//!
//! In: messages of local users and of mail programs. Out: messages handed to the MTA. Documents: RFC 6409, op guide 4.8
//! and SECURITY of the original. Never: needs root.

use std::io::Write;
use std::sync::Arc;

use crate::base::exit::Exit;
use crate::config::Config;
use crate::config::daemon_port::DaemonPort;
use crate::daemon::{self, Options, Selection};
use crate::site::{Site, StartOptions};
use crate::sys::handover::Handover;

/// Runs as a daemon under `submit.cf`: accepts mail from mail programs, runs the client queue.
///
/// A port line without `Port` means 587; without a line only the client queue is run.
pub fn daemon(
    mut config: Config,
    mut start: StartOptions,
    mut options: Options,
    listeners: Handover,
    out: &mut dyn Write,
) -> Exit {
    start.is_submission = true;
    let ports = &mut config.options.daemon_port_options;
    options.listens &= !ports.is_empty();
    for port in ports.iter_mut() {
        set_port(port);
    }
    if !options.listens && options.interval.is_none() {
        return run_once_needed(out);
    }
    daemon::run(config, start, &options, listeners, out)
}

/// Runs the client queue once (`-Ac -q`).
pub async fn run_client_queue(site: &Arc<Site>, selection: Selection) -> Exit {
    daemon::run_queue_once(site, selection).await
}

fn set_port(port: &mut DaemonPort) {
    port.port.get_or_insert_with(|| PORT.to_string().into());
}

/// Where the submission program listens when its line names no port. Source: RFC 6409 section 3.1.
pub(crate) const PORT: u16 = 587;

fn run_once_needed(out: &mut dyn Write) -> Exit {
    // A caller who has gone is not told.
    let _ = writeln!(out, "no DaemonPortOptions in submit.cf and no queue interval: nothing to do");
    Exit::CONFIG
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;

    #[test]
    fn a_port_line_without_a_number_means_587() {
        let mut port = DaemonPort::default();
        set_port(&mut port);
        assert_eq!(port.port.as_deref(), Some(b"587".as_slice()));
        port.port = Some(Bytes::from_static(b"2525"));
        set_port(&mut port);
        assert_eq!(port.port.as_deref(), Some(b"2525".as_slice()));
    }
}
