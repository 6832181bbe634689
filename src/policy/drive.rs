//! Asks rulesets.
//!
//! Being dropped at an await loses the question, nothing else.

use std::sync::Arc;

use bytes::Bytes;

use super::{Hook, Refusal, Verdict};
use crate::address::scan::Mode;
use crate::base::exit::Exit;
use crate::base::status::Status;
use crate::config::{Config, RulesetId};
use crate::macros::{Scope, names};
use crate::rewrite::drive::Rewriter;
use crate::rewrite::{Messages, Resolution, Workspace};

/// Asks the rulesets of one configuration. Cheap to clone.
#[derive(Clone)]
pub struct Policy {
    rewriter: Rewriter,
    /// By [`Hook`].
    rulesets: Arc<[Option<RulesetId>]>,
}

impl Policy {
    /// For a configuration and its rules.
    pub fn new(config: &Config, rewriter: Rewriter) -> Self {
        let rulesets = super::hooks::HOOKS.iter().map(|row| config.ruleset(row.name.as_bytes())).collect();
        Self { rewriter, rulesets }
    }

    /// Whether the configuration has this ruleset.
    pub fn has(&self, hook: Hook) -> bool {
        self.ruleset(hook).is_some()
    }

    /// The answer of a check ruleset; [`Verdict::Accept`] when the configuration has none.
    pub async fn check(&self, hook: Hook, arguments: &[Bytes], scope: &mut Scope) -> Verdict {
        match self.ruleset(hook) {
            None => Verdict::Accept,
            Some(ruleset) => self.check_ruleset(ruleset, arguments, mode(hook), scope).await,
        }
    }

    /// The answer of a ruleset that an `H` line names for a header field.
    ///
    /// Sets `${hdr_name}`, `${hdrlen}`, `${currHeader}`. `keep_comments` is `$>+`.
    pub async fn check_header(
        &self,
        ruleset: RulesetId,
        name: &[u8],
        value: &[u8],
        keep_comments: bool,
        scope: &mut Scope,
    ) -> Verdict {
        scope.set(names::HDR_NAME, Bytes::copy_from_slice(name));
        scope.set(names::HDRLEN, value.len().to_string());
        scope.set(names::CURR_HEADER, quoted(value));
        let value = value.get(..LONGEST_HEADER).unwrap_or(value);
        let mode = if keep_comments { Mode::KeepComments } else { Mode::Address };
        self.check_ruleset(ruleset, &[Bytes::copy_from_slice(value)], mode, scope).await
    }

    /// What a ruleset that gives a value says: the text behind `$#`; `None` without ruleset or value.
    pub async fn ask(&self, hook: Hook, arguments: &[Bytes], scope: &mut Scope) -> Option<Bytes> {
        let ruleset = self.ruleset(hook)?;
        let mut workspace = self.rewriter.lend();
        let mut said = Messages::default();
        load(&mut workspace, arguments, mode(hook))?;
        let exit = self.rewriter.apply(ruleset, &mut workspace, scope, &mut said).await;
        if exit == Exit::TEMPFAIL {
            return Some(Bytes::from_static(b"temp"));
        }
        if !workspace.is_resolved() {
            return None;
        }
        let view = workspace.view();
        Some(view.part(1, view.len()).join().into())
    }

    /// What the workspace of a ruleset holds in the end (`$@ text`): `None` without ruleset or text, or for what it resolves (`$#`).
    ///
    /// A map that fails for now is no error here: what the rules made of that counts. Errors: it said `$#error`.
    /// Source: observed (`tls_srv_features`, `tls_clt_features`).
    pub async fn text(&self, hook: Hook, arguments: &[Bytes], scope: &mut Scope) -> Result<Option<Bytes>, Exit> {
        let Some(ruleset) = self.ruleset(hook) else { return Ok(None) };
        let mut workspace = self.rewriter.lend();
        let mut said = Messages::default();
        if load(&mut workspace, arguments, mode(hook)).is_none() {
            return Ok(None);
        }
        self.rewriter.apply(ruleset, &mut workspace, scope, &mut said).await;
        let view = workspace.view();
        if workspace.is_resolved() {
            let is_error = workspace.resolution().is_ok_and(|r| r.mailer.eq_ignore_ascii_case(b"error"));
            return if is_error { Err(Exit::TEMPFAIL) } else { Ok(None) };
        }
        Ok(Some(view.join().into()).filter(|text: &Bytes| !text.is_empty()))
    }

    async fn check_ruleset(&self, ruleset: RulesetId, arguments: &[Bytes], mode: Mode, scope: &mut Scope) -> Verdict {
        let mut workspace = self.rewriter.lend();
        let mut said = Messages::default();
        if load(&mut workspace, arguments, mode).is_none() {
            // What cannot be taken apart is not looked at: the command's own parser refuses it.
            return Verdict::Accept;
        }
        // A map that fails for now leaves its mark in the workspace (`-T`); the rules say what that means.
        self.rewriter.apply(ruleset, &mut workspace, scope, &mut said).await;
        if !workspace.is_resolved() {
            return Verdict::Accept;
        }
        match workspace.resolution() {
            Ok(resolution) => self.verdict(&resolution),
            Err(error) => Verdict::Reject(Refusal::new(554, Status(5, 3, 5), error.to_string())),
        }
    }

    fn verdict(&self, resolution: &Resolution) -> Verdict {
        let user = match &resolution.user {
            Some(user) if self.rewriter.program().blank_sub == b' ' => user,
            _ => &resolution.user_words,
        };
        let host = resolution.host.as_deref().unwrap_or_default();
        Verdict::from_triple(&resolution.mailer, host, &without_quotes(user))
    }

    fn ruleset(&self, hook: Hook) -> Option<RulesetId> {
        self.rulesets.get(hook as usize).copied().flatten()
    }
}

/// Comments are dropped where the arguments are addresses.
fn mode(hook: Hook) -> Mode {
    match hook {
        Hook::CheckMail | Hook::CheckRcpt | Hook::CheckCompat | Hook::TlsRcpt | Hook::QueueGroup => Mode::Address,
        _ => Mode::KeepComments,
    }
}

fn load(workspace: &mut Workspace, arguments: &[Bytes], mode: Mode) -> Option<()> {
    let parts: Vec<&[u8]> = arguments.iter().map(AsRef::as_ref).collect();
    workspace.load_parts(&parts, mode).ok().map(|_| ())
}

/// A header value as `${currHeader}` holds it: in quotes, so that rules see one token. Source: observed.
fn quoted(value: &[u8]) -> Vec<u8> {
    let mut out = vec![b'"'];
    for b in value {
        if matches!(b, b'"' | b'\\') {
            out.push(b'\\');
        }
        out.push(if *b == b'\n' { b' ' } else { *b });
    }
    out.push(b'"');
    out
}

/// Without quotes; a backslash within them keeps the next character.
fn without_quotes(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut bytes = text.iter().copied();
    let mut is_quoted = false;
    while let Some(b) = bytes.next() {
        match b {
            b'"' => is_quoted = !is_quoted,
            b'\\' if is_quoted => out.extend(bytes.next()),
            _ => out.push(b),
        }
    }
    out
}

/// Longest header value that a ruleset sees, bytes. Source: limits (MAXNAME applies to `${currHeader}`).
const LONGEST_HEADER: usize = 8192;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_are_taken_off() {
        assert_eq!(without_quotes(b"\"550 no\" more \"a\\\"b\""), b"550 no more a\"b");
    }
}
