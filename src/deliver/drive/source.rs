//! A message as a stream of blocks for one mailer.

use std::borrow::Cow;
use std::io;

use bytes::{Bytes, BytesMut};

use super::agent::Load;
use super::attempt::Attempt;
use crate::base::bytes::shown;
use crate::base::date;
use crate::config::values::EightBitMode;
use crate::config::{Mailer, MailerId};
use crate::deliver::body::LineWriter;
use crate::deliver::message::{self, Value};
use crate::envelope::{BodyType, Envelope};
use crate::log::traffic::{Sign, Tap};
use crate::log::{Logger, Priority};
use crate::macros::{Scope, names};
use crate::message::mime::limits::{self, Checks, Limits};
use crate::message::mime::{Converter, label, label_8bit, to_7bit, to_8bit};
use crate::message::{HeaderList, HeaderValue, fields};
use crate::queue::drive::Body;
use crate::smtp::client::Capabilities;

/// Header and body of a message as a mailer reads them, block by block. Memory: one block.
pub(super) struct Source {
    head: Option<Bytes>,
    body: Body,
    offset: u64,
    writer: LineWriter,
    is_done: bool,
    /// What goes out is told to the traffic log.
    tap: Option<Tap>,
}

impl Source {
    /// From a rendered head (the blank line behind the header included) and a body.
    pub(super) fn new(head: Bytes, body: Body, writer: LineWriter) -> Self {
        Self { head: Some(head), body, offset: 0, writer, is_done: false, tap: None }
    }

    /// The same, watched by the traffic log.
    pub(super) fn watched(self, log: &Logger) -> Self {
        Self { tap: log.traffic().map(|traffic| Tap::new(traffic, Sign::Out)), ..self }
    }

    /// The next block; `None` at the end.
    ///
    /// Errors: the body cannot be read.
    pub(super) async fn next(&mut self) -> io::Result<Option<Bytes>> {
        let block = self.block().await?;
        if let (Some(tap), Some(block)) = (&mut self.tap, &block) {
            tap.feed(block);
        }
        Ok(block)
    }

    async fn block(&mut self) -> io::Result<Option<Bytes>> {
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
    let mode = attempt.site.config.options.eight_bit_mode;
    let body_type = body_type(&attempt.envelope, mode).filter(|_| capabilities.eight_bit_mime);
    let mut headers = attempt.envelope.headers.clone();
    let mut body = attempt.body.clone();
    if !capabilities.eight_bit_mime && !mailer.has(b'8') && is_8bit(&attempt.envelope, mode) {
        let converter = converter(attempt, mailer);
        if attempt.envelope.flags.has_8bit_body {
            label(&mut headers, &converter);
        }
        if let Some(whole) = whole(&body).await
            && let Some(converted) = to_7bit(&mut headers, &whole, &converter)
        {
            body = Body::from(converted);
        }
    } else {
        mimefy(attempt, mailer, &mut headers);
    }
    let head = head(attempt, load.id, mailer, &headers, &load.scope).await;
    let source = Source::new(head, body, LineWriter::new(mailer, true)).watched(&attempt.site.log);
    ForServer { body_type, source }
}

/// The message of a batch for a program or file. Source: op guide 5.4 (flag 9).
pub(super) async fn for_local(attempt: &Attempt, load: &Load, mailer: &Mailer, scope: &Scope) -> Source {
    let mut headers = attempt.envelope.headers.clone();
    let mut body = attempt.body.clone();
    mimefy(attempt, mailer, &mut headers);
    if mailer.has(b'9')
        && headers.first("Content-Transfer-Encoding").is_some()
        && let Some(whole) = whole(&body).await
        && let Some(converted) = to_8bit(&mut headers, &whole, &converter(attempt, mailer))
    {
        body = Body::from(converted);
    }
    let head = head(attempt, load.id, mailer, &headers, scope).await;
    Source::new(head, body, LineWriter::new(mailer, mailer.has(b'X'))).watched(&attempt.site.log)
}

/// Whether a message is known to have 8 bits, so that a server that did not offer to take them gets 7.
///
/// That is so when it was declared, and when it has `MIME-Version` whatever was declared; other text only when `EightBitMode` says
/// so. Source: op guide 5.6 (EightBitMode); observed.
fn is_8bit(envelope: &Envelope, mode: EightBitMode) -> bool {
    let is_labelled = mode == EightBitMode::Mimefy || envelope.headers.first("MIME-Version").is_some();
    envelope.body_type == Some(BodyType::EightBitMime) || (envelope.flags.has_8bit_body && is_labelled)
}

/// `BODY=` for a server: what was declared, as far as it is so. Source: observed.
fn body_type(envelope: &Envelope, mode: EightBitMode) -> Option<BodyType> {
    match envelope.body_type {
        Some(_) if !envelope.flags.has_8bit_body => Some(BodyType::SevenBit),
        None if mode == EightBitMode::Mimefy && envelope.flags.has_8bit_body => Some(BodyType::EightBitMime),
        declared => declared,
    }
}

/// `EightBitMode=mimefy`: text with 8 bits that is no MIME becomes MIME.
fn mimefy(attempt: &Attempt, mailer: &Mailer, headers: &mut HeaderList) {
    let is_mimefied = attempt.site.config.options.eight_bit_mode == EightBitMode::Mimefy;
    if is_mimefied && attempt.envelope.flags.has_8bit_body {
        label_8bit(headers, &converter(attempt, mailer));
    }
}

fn converter<'a>(attempt: &'a Attempt, mailer: &'a Mailer) -> Converter<'a> {
    let charset = mailer.charset.as_ref().unwrap_or(&attempt.site.config.options.default_char_set);
    let classes = &attempt.site.config.classes;
    Converter { host: &attempt.site.host, id: attempt.envelope.id.as_str(), charset, classes }
}

/// A body in one piece; `None` when it is too large to be held or cannot be read, and then it is passed on as it is.
async fn whole(body: &Body) -> Option<Bytes> {
    if let Some(bytes) = body.in_memory() {
        return Some(bytes.clone());
    }
    if body.len() > LARGEST_CONVERTED {
        return None;
    }
    let mut out = BytesMut::new();
    loop {
        let block = body.block(out.len() as u64).await.ok()?;
        if block.is_empty() {
            return Some(out.freeze());
        }
        out.extend_from_slice(&block);
    }
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
    let shown;
    let headers = if site.config.options.rrt_implies_dsn {
        // They have become requests of the envelope.
        let mut without = headers.clone();
        without.retain(|h| !fields::has(&h.name, fields::RECEIPT));
        shown = without;
        &shown
    } else {
        headers
    };
    let headers = &mended(attempt, headers);
    let mut fields = message::written(headers, mailer, scope, attempt.envelope.flags);
    let mut scope = scope.clone();
    for field in &mut fields {
        let Value::Addresses(kind, list) = &mut field.value else { continue };
        for address in &mut list.items {
            // An address that the rules cannot take stays as it is.
            if let Ok(rewritten) = site.router.rewrite_for_mailer(address, *kind, id, &mut scope).await {
                *address = rewritten;
            }
        }
    }
    let mut out = BytesMut::new();
    if !mailer.is_network() {
        let when = date::ctime(attempt.now, &site.zone);
        scope.set(names::NOW_CTIME, when.clone());
        let sender = scope.text(names::SENDER_FOR_RECIPIENT);
        let line = site.config.options.unix_from_line.expand(&scope);
        if let Some(line) = message::from_line(mailer, &line, &sender, &when) {
            out.unsplit(line);
        }
    }
    out.extend_from_slice(&message::render(&fields, mailer));
    out.extend_from_slice(&mailer.eol);
    out.freeze()
}

/// A header whose MIME fields keep to `MaxMimeHeaderLength`.
fn mended<'a>(attempt: &Attempt, headers: &'a HeaderList) -> Cow<'a, HeaderList> {
    let config = &attempt.site.config;
    let number = |n: i64| usize::try_from(n).unwrap_or(0);
    let (field, parameter) = config.options.max_mime_header_length;
    let limits = Limits { field: number(field), parameter: number(parameter) };
    let mut out = Cow::Borrowed(headers);
    for (at, header) in headers.iter().enumerate() {
        let is_in = |class| config.classes.contains(class, &header.name);
        let checks = Checks {
            text: is_in(names::CHECK_MIMETEXT_HEADERS),
            parameters: is_in(names::CHECK_MIMEFIELD_HEADERS),
            whole: is_in(names::CHECK_MIMEHEADERS),
        };
        let Some((text, mended)) = limits::mend(header.text(), checks, limits) else { continue };
        for what in mended {
            let text = what.text(&shown(&header.name).to_string());
            attempt.site.log.write_always(Priority::Alert, attempt.id(), text);
        }
        if let Some(header) = out.to_mut().iter_mut().nth(at) {
            header.value = HeaderValue::Text(text.into());
        }
    }
    out
}

/// Largest body that is converted between 7 and 8 bits, which holds it in memory.
const LARGEST_CONVERTED: u64 = 16 * 1024 * 1024;
/// Bytes of a body converted at once.
const BLOCK: usize = 64 * 1024;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::time::UnixTime;
    use crate::envelope::QueueId;
    use crate::message::Header;

    fn envelope() -> Envelope {
        Envelope::new(QueueId::parse(b"6AM8Wwpk005225").unwrap(), UnixTime(0), Scope::default())
    }

    #[test]
    fn the_body_is_called_8_bits_when_it_was_declared_and_has_them() {
        use BodyType::{EightBitMime, SevenBit};
        for (declared, has_8bit, mode, wanted) in [
            (None, true, EightBitMode::Pass, None),
            (None, true, EightBitMode::Mimefy, Some(EightBitMime)),
            (None, false, EightBitMode::Mimefy, None),
            (Some(EightBitMime), true, EightBitMode::Pass, Some(EightBitMime)),
            (Some(EightBitMime), false, EightBitMode::Pass, Some(SevenBit)),
        ] {
            let mut envelope = Envelope { body_type: declared, ..envelope() };
            envelope.flags.has_8bit_body = has_8bit;
            assert_eq!(body_type(&envelope, mode), wanted, "{declared:?} {has_8bit} {mode:?}");
        }
    }

    #[test]
    fn a_message_with_a_mime_version_is_known_to_have_8_bits_whatever_was_declared() {
        let mut envelope = envelope();
        envelope.flags.has_8bit_body = true;
        assert!(!is_8bit(&envelope, EightBitMode::Pass));
        assert!(is_8bit(&envelope, EightBitMode::Mimefy));
        envelope.headers.push(Header::new("MIME-Version", " 1.0"));
        for mode in [EightBitMode::Pass, EightBitMode::Strict] {
            assert!(is_8bit(&envelope, mode), "{mode:?}");
        }
        envelope.flags.has_8bit_body = false;
        assert!(!is_8bit(&envelope, EightBitMode::Mimefy), "no 8 bits");
    }
}
