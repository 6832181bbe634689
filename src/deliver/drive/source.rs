//! A message as a stream of blocks for one mailer.

use std::io;

use bytes::{Bytes, BytesMut};

use super::agent::Load;
use super::attempt::Attempt;
use crate::base::date;
use crate::config::{Mailer, MailerId};
use crate::deliver::body::LineWriter;
use crate::deliver::message::{self, Value};
use crate::envelope::BodyType;
use crate::macros::{Scope, names};
use crate::message::HeaderList;
use crate::queue::drive::Body;
use crate::smtp::client::Capabilities;

/// Header and body of a message as a mailer reads them, block by block. Memory: one block.
pub(super) struct Source {
    head: Option<Bytes>,
    body: Body,
    offset: u64,
    writer: LineWriter,
    is_done: bool,
}

impl Source {
    /// From a rendered head (the blank line behind the header included) and a body.
    pub(super) fn new(head: Bytes, body: Body, writer: LineWriter) -> Self {
        Self { head: Some(head), body, offset: 0, writer, is_done: false }
    }

    /// The next block; `None` at the end.
    ///
    /// Errors: the body cannot be read.
    pub(super) async fn next(&mut self) -> io::Result<Option<Bytes>> {
        if let Some(head) = self.head.take() {
            return Ok(Some(head));
        }
        while !self.is_done {
            let block = self.body.block(self.offset).await?;
            let piece = block.slice(..block.len().min(BLOCK));
            self.offset += piece.len() as u64;
            let mut out = BytesMut::with_capacity(piece.len() + piece.len() / 16 + 16);
            if piece.is_empty() {
                self.is_done = true;
                self.writer.finish(&mut out);
            } else {
                self.writer.push(&piece, &mut out);
            }
            if !out.is_empty() {
                return Ok(Some(out.freeze()));
            }
        }
        Ok(None)
    }
}

/// A message as a server is to get it.
pub(super) struct ForServer {
    /// `BODY=`.
    pub(super) body_type: Option<BodyType>,
    /// Header and body.
    pub(super) source: Source,
}

/// The message of a batch for a server: CRLF line ends, dots doubled.
pub(super) async fn for_server(
    attempt: &Attempt,
    load: &Load,
    mailer: &Mailer,
    capabilities: &Capabilities,
) -> ForServer {
    let owned;
    let mailer = if mailer.eol.as_ref() == b"\r\n" {
        mailer
    } else {
        owned = Mailer { eol: Bytes::from_static(b"\r\n"), ..mailer.clone() };
        &owned
    };
    let body_type = attempt.envelope.body_type.filter(|_| capabilities.eight_bit_mime);
    let head = head(attempt, load.id, mailer, &attempt.envelope.headers, &load.scope).await;
    let source = Source::new(head, attempt.body.clone(), LineWriter::new(mailer, true));
    ForServer { body_type, source }
}

/// The head of a message for a mailer: `From ` line, header, blank line.
pub(super) async fn head(
    attempt: &Attempt,
    id: MailerId,
    mailer: &Mailer,
    headers: &HeaderList,
    scope: &Scope,
) -> Bytes {
    let site = &attempt.site;
    let mut fields = message::fields(headers, mailer, scope, attempt.envelope.flags.delete_bcc);
    let mut scope = scope.clone();
    for field in &mut fields {
        let Value::Addresses(kind, list) = &mut field.value else { continue };
        for address in list {
            // An address that the rules cannot take stays as it is.
            if let Ok(rewritten) = site.router.rewrite_for_mailer(address, *kind, id, &mut scope).await {
                *address = rewritten;
            }
        }
    }
    let mut out = BytesMut::new();
    if !mailer.is_network() {
        scope.set(names::NOW_CTIME, date::ctime(attempt.now, &site.zone));
        let line = site.config.options.unix_from_line.expand(&scope);
        if let Some(line) = message::from_line(mailer, &line) {
            out.unsplit(line);
        }
    }
    out.unsplit(message::render(&fields, mailer));
    out.extend_from_slice(&mailer.eol);
    out.freeze()
}

/// Bytes of a body converted at once.
const BLOCK: usize = 64 * 1024;
