//! SMTP on standard input and output (`-bs`).

use std::io;
use std::net::Shutdown;
use std::os::unix::net::UnixStream as Pair;
use std::sync::Arc;
use std::thread;

use bytes::Bytes;
use tokio::net::UnixStream;

use super::engine::{Engine, Handle};
use crate::base::exit::Exit;
use crate::net::tls::Stream;
use crate::policy::rates::Counts;
use crate::site::Site;
use crate::smtp::server::Setting;
use crate::smtp::server::drive::{Peer, Server, session};

/// Serves the caller; returns when the session is over and its messages were tried.
pub async fn run(site: &Arc<Site>) -> Exit {
    let engine = Engine::new(Arc::clone(site), tokio::runtime::Handle::current());
    let options = &site.config.options;
    let setting = Setting {
        config: Arc::clone(&site.config),
        host: site.host.clone(),
        daemon: Bytes::new(),
        modifiers: options.direct_submission_modifiers.clone().unwrap_or_default(),
        filters: options.input_mail_filters.clone(),
        delivery_mode: options.delivery_mode,
        help: super::listen::help_text(site),
        is_smtps: false,
        is_stdio: true,
    };
    let server = Server {
        site: Arc::clone(site),
        setting: Arc::new(setting),
        bound: None,
        offers_tls: false,
        deliverer: Arc::new(Handle(Arc::clone(&engine))),
        queue_la: options.queue_la.filter(|limit| *limit > 0),
        stop: engine.stopping(),
    };
    let Ok((stream, writer)) = standard_stream() else { return Exit::OSERR };
    session(stream, Arc::new(server), Peer { remote: None, local: None, counts: Counts::default() }).await;
    // What was said last must be written before the program ends.
    let _ = tokio::task::spawn_blocking(move || writer.join()).await;
    engine.finish().await;
    Exit::OK
}

/// Standard input and output as one stream: two threads carry bytes, because files and terminals know no readiness.
fn standard_stream() -> io::Result<(Stream, thread::JoinHandle<()>)> {
    let (ours, theirs) = Pair::pair()?;
    let (mut into, mut out_of) = (theirs.try_clone()?, theirs);
    thread::spawn(move || {
        // The end of either side ends the session.
        let _ = io::copy(&mut io::stdin(), &mut into);
        let _ = into.shutdown(Shutdown::Write);
    });
    let writer = thread::spawn(move || {
        let _ = io::copy(&mut out_of, &mut io::stdout());
    });
    ours.set_nonblocking(true)?;
    Ok((Stream::from(UnixStream::from_std(ours)?), writer))
}
