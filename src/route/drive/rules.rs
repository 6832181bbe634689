//! Rulesets, as routing runs them.

use bytes::Bytes;

use super::Router;
use crate::address::mailbox::{Frame, crack};
use crate::address::scan::{Complaint, Mode};
use crate::base::bytes::shown;
use crate::base::exit::Exit;
use crate::base::limits;
use crate::base::status::Status;
use crate::config::mailer::RulesetPair;
use crate::config::{MailerId, RulesetId};
use crate::envelope::Triple;
use crate::macros::{Scope, names};
use crate::maps::Answer;
use crate::rewrite::trace::Observer;
use crate::rewrite::{Resolution, Workspace};
use crate::route::recipient::settle;
use crate::route::{Kind, RouteError, Waits, triple};

/// Rulesets that the program calls by number.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Standard {
    zero: Option<RulesetId>,
    one: Option<RulesetId>,
    two: Option<RulesetId>,
    three: Option<RulesetId>,
    four: Option<RulesetId>,
    five: Option<RulesetId>,
}

/// Whether messages are only queued, without a look at name servers.
fn is_deferred(scope: &Scope) -> bool {
    scope.text(names::DELIVERY_MODE) == "d"
}

/// What rulesets 0 and 5 made of an address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Parsed {
    pub(super) triple: Triple,
    /// Ruleset 5 is not asked any more.
    pub(super) is_final: bool,
    /// What was wrong with the text of the address, although it can be read.
    pub(super) remark: Option<RouteError>,
}

impl Standard {
    pub(super) fn new(config: &crate::config::Config) -> Self {
        Self {
            zero: config.ruleset(b"0"),
            one: config.ruleset(b"1"),
            two: config.ruleset(b"2"),
            three: config.ruleset(b"3"),
            four: config.ruleset(b"4"),
            five: config.ruleset(b"5"),
        }
    }
}

impl Router {
    /// Rulesets 3 and 0, then 2 (or 1), `R=` (or `S=`) and 4 on the user part; special users and letter case settled.
    ///
    /// Errors: also what is wrong with its text, such as quotes that do not close.
    pub(super) async fn triple(
        &self,
        address: &[u8],
        is_sender: bool,
        scope: &mut Scope,
    ) -> Result<Parsed, RouteError> {
        self.triple_and_focus(address, is_sender, scope).await.map(|(parsed, _)| parsed)
    }

    /// The triple, and what ruleset 3 made of a sender.
    pub(super) async fn triple_and_focus(
        &self,
        address: &[u8],
        is_sender: bool,
        scope: &mut Scope,
    ) -> Result<(Parsed, Bytes), RouteError> {
        let (parsed, focus) = self.parse(address, is_sender, scope).await?;
        parsed.remark.map_or(Ok((Parsed { remark: None, ..parsed }, focus)), Err)
    }

    /// The triple of an address that is used whatever is wrong with its text, as those of the command line are.
    pub(super) async fn triple_with_remark(
        &self,
        address: &[u8],
        is_sender: bool,
        scope: &mut Scope,
    ) -> Result<Parsed, RouteError> {
        self.parse(address, is_sender, scope).await.map(|(parsed, _)| parsed)
    }

    async fn parse(&self, address: &[u8], is_sender: bool, scope: &mut Scope) -> Result<(Parsed, Bytes), RouteError> {
        let kind = if is_sender { Kind::ENVELOPE_SENDER } else { Kind::ENVELOPE_RECIPIENT };
        scope.set(names::ADDR_TYPE, kind.addr_type());
        let mut workspace = self.rewriter.lend();
        let remark = match load(&mut workspace, address) {
            // What is too long is not used, what does not close is.
            Err(remark) if remark.status != Status(5, 1, 0) && !workspace.view().is_empty() => Some(remark),
            Err(error) => return Err(error),
            Ok(()) => None,
        };
        // A sender whose domain cannot be looked up now is for `check_mail` to judge: ruleset 3 left it as it was. In
        // deferred mode every name waits for the queue run.
        let waits = is_sender || is_deferred(scope);
        // A recipient goes through all rules, so that one which they refuse is not kept.
        let mut failure = None;
        let mut note = |result: Result<(), RouteError>, heard: &Heard| match result {
            Err(error) if error.exit.is_temporary() => {
                failure.get_or_insert_with(|| (error, heard.why()));
                Ok(())
            }
            result => result,
        };
        let mut heard = Heard::default();
        note(self.run_heard(&mut workspace, [self.standard.three], scope, &mut heard).await, &heard)?;
        let focus = if is_sender { workspace.text() } else { Bytes::new() };
        note(self.run_heard(&mut workspace, [self.standard.zero], scope, &mut heard).await, &heard)?;
        // Observed: the user part of a sender is rewritten as a recipient's is.
        let parsed = self.finish(&workspace, Kind::ENVELOPE_RECIPIENT, scope).await;
        if let Some(failure) = failure.filter(|_| !waits) {
            let (error, why) = failure;
            // What is not well written waits for nothing.
            let parsed = parsed.ok().filter(|_| remark.is_none());
            let waits = parsed.map(|parsed| Box::new(Waits { triple: parsed.triple, why }));
            return Err(RouteError { waits, ..error });
        }
        Ok((Parsed { remark, ..parsed? }, focus))
    }

    /// What rulesets 1 and 4 make of a sender that ruleset 3 has seen.
    pub(super) async fn outward_sender(&self, focus: &[u8], scope: &mut Scope) -> Result<Bytes, RouteError> {
        let mut workspace = self.rewriter.lend();
        load(&mut workspace, focus)?;
        self.run(&mut workspace, [self.standard.one, self.standard.four], scope).await?;
        Ok(workspace.text())
    }

    /// Ruleset 5 on the user part; `None` when it did not resolve to something else. Source: op guide 5.1 (ruleset 5).
    pub(super) async fn local(&self, triple: &Triple, scope: &mut Scope) -> Result<Option<Parsed>, RouteError> {
        let Some(five) = self.standard.five else { return Ok(None) };
        scope.set(names::ADDR_TYPE, Kind::ENVELOPE_RECIPIENT.addr_type());
        scope.set(names::RCPT_HOST_H, triple.host.clone());
        scope.set(names::RCPT_USER, triple.user.clone());
        let mut workspace = self.rewriter.lend();
        load(&mut workspace, &triple.user)?;
        self.run(&mut workspace, [Some(five)], scope).await?;
        if !workspace.is_resolved() {
            return Ok(None);
        }
        let next = self.finish(&workspace, Kind::ENVELOPE_RECIPIENT, scope).await?;
        Ok((next.triple != *triple).then_some(next))
    }

    /// Whether a comma cuts an address of a list in pieces that are none. Source: observed (`<alice, bob>`).
    pub(super) fn check_listed(&self, address: &[u8]) -> Result<(), RouteError> {
        if address.contains(&b',') { scan(&mut self.rewriter.lend(), address, Some(b',')) } else { Ok(()) }
    }

    /// See [`Router::sender_text`].
    pub(super) async fn outward_text(&self, address: &[u8], scope: &mut Scope) -> Result<Bytes, RouteError> {
        let mut workspace = self.rewriter.lend();
        load(&mut workspace, address)?;
        let rulesets = [self.standard.three, self.standard.one, self.standard.four];
        self.run(&mut workspace, rulesets, scope).await?;
        Ok(workspace.text())
    }

    /// See [`Router::rewrite_for_mailer`].
    pub(super) async fn rewritten(
        &self,
        address: &[u8],
        kind: Kind,
        mailer: MailerId,
        scope: &mut Scope,
    ) -> Result<Bytes, RouteError> {
        let whole = Frame { has_address: true, ..Frame::default() };
        let frame = if kind.in_header { crack(address, &self.config.options.must_quote_chars) } else { whole };
        let mut workspace = self.rewriter.lend();
        if workspace.load(address, Mode::Address, None).is_err() || workspace.view().is_empty() {
            return Ok(Bytes::copy_from_slice(address));
        }
        scope.set(names::ADDR_TYPE, kind.addr_type());
        self.run(&mut workspace, [self.standard.three], scope).await?;
        if kind.in_header && self.adds_domain(scope) && !workspace.view().iter().any(|t| t == b"@") {
            let sender = scope.text(names::SENDER);
            if let Some(at) = sender.iter().position(|b| *b == b'@') {
                let mut text = workspace.text().to_vec();
                text.extend_from_slice(sender.get(at..).unwrap_or_default());
                load(&mut workspace, &text)?;
                self.run(&mut workspace, [self.standard.three], scope).await?;
            }
        }
        self.outward(&mut workspace, kind, mailer, scope).await?;
        Ok(frame.around(&workspace.text()).into())
    }

    /// `F=C` of the sender's mailer.
    fn adds_domain(&self, scope: &Scope) -> bool {
        let name = scope.text(names::MAIL_MAILER);
        let mailer = self.config.mailer(&name).and_then(|id| self.config.mailers.get(id.0));
        mailer.is_some_and(|m| m.has(b'C'))
    }

    /// 1 or 2, `S=` or `R=`, 4.
    async fn outward(
        &self,
        workspace: &mut Workspace,
        kind: Kind,
        mailer: MailerId,
        scope: &mut Scope,
    ) -> Result<(), RouteError> {
        let pair = match self.config.mailers.get(mailer.0) {
            Some(m) if kind.is_sender => m.sender,
            Some(m) => m.recipient,
            None => RulesetPair::default(),
        };
        let own = if kind.in_header { pair.header } else { pair.envelope };
        // Ruleset 0 in S= or R= means none.
        let own = own.filter(|id| Some(*id) != self.standard.zero);
        let common = if kind.is_sender { self.standard.one } else { self.standard.two };
        self.run(workspace, [common, own, self.standard.four], scope).await
    }

    /// Makes a triple of a workspace that ruleset 0 or 5 resolved.
    async fn finish(&self, workspace: &Workspace, kind: Kind, scope: &mut Scope) -> Result<Parsed, RouteError> {
        let Resolution { mailer, host, user, user_words } =
            workspace.resolution().map_err(|e| configuration(e.to_string()))?;
        if mailer.eq_ignore_ascii_case(b"error") {
            return Err(triple::error(&host.unwrap_or_default(), &user_words));
        }
        let Some(id) = self.config.mailer(&mailer) else {
            return Err(configuration(format!("buildaddr: unknown mailer {}", shown(&mailer))));
        };
        let is_local = self.config.mailers.get(id.0).is_some_and(|m| m.has(b'l'));
        let (host, user) = match (host, user) {
            (_, None) => return Err(configuration("buildaddr: no user")),
            (None, Some(_)) if !is_local => return Err(configuration("buildaddr: no host")),
            (host, Some(user)) => (host.unwrap_or_default(), user),
        };
        // A leading @ of the user says that ruleset 5 is done with it (F=@).
        let stops = self.config.mailers.get(id.0).is_some_and(|m| m.has(b'@'));
        let rest = user.strip_prefix(b"@").filter(|_| stops).map(|rest| user.slice_ref(rest.trim_ascii_start()));
        let is_final = rest.is_some();
        let raw = Triple { mailer: id, host, user: rest.unwrap_or(user) };
        let settled = settle(&self.config, raw.clone());
        if settled.mailer != id {
            return Ok(Parsed { triple: settled, is_final, remark: None });
        }
        check_printable(&raw.user, scope)?;
        let mut workspace = self.rewriter.lend();
        load(&mut workspace, &raw.user)?;
        self.outward(&mut workspace, kind, id, scope).await?;
        let triple = settle(&self.config, Triple { user: workspace.text(), ..raw });
        Ok(Parsed { triple, is_final, remark: None })
    }

    async fn run<const N: usize>(
        &self,
        workspace: &mut Workspace,
        rulesets: [Option<RulesetId>; N],
        scope: &mut Scope,
    ) -> Result<(), RouteError> {
        self.run_heard(workspace, rulesets, scope, &mut Heard::default()).await
    }

    async fn run_heard<const N: usize>(
        &self,
        workspace: &mut Workspace,
        rulesets: [Option<RulesetId>; N],
        scope: &mut Scope,
        heard: &mut Heard,
    ) -> Result<(), RouteError> {
        for ruleset in rulesets.into_iter().flatten() {
            let exit = self.rewriter.apply(ruleset, workspace, scope, heard).await;
            if exit == Exit::OK {
                continue;
            }
            let why = heard.message.take();
            if exit.is_temporary() {
                return Err(RouteError::new(
                    451,
                    Status(4, 3, 0),
                    exit,
                    "Temporary system failure. Please try again later.",
                ));
            }
            return Err(configuration(why.unwrap_or_else(|| "Local configuration error".to_owned())));
        }
        Ok(())
    }
}

/// What rulesets say while they work.
#[derive(Debug, Default)]
struct Heard {
    /// The last message.
    message: Option<String>,
    /// The first lookup that failed for now.
    failed: Option<String>,
}

impl Heard {
    fn why(&self) -> String {
        self.failed.clone().unwrap_or_else(|| "deferred".to_owned())
    }
}

impl Observer for Heard {
    fn message(&mut self, text: &str) {
        self.message = Some(text.to_owned());
    }

    fn looked_up(&mut self, map: &[u8], key: &[u8], answer: &Answer) {
        if matches!(answer, Answer::Temporary(_) | Answer::Instead(_)) && self.failed.is_none() {
            self.failed = Some(format!("{} map: lookup ({}): deferred", shown(map), shown(key)));
        }
    }
}

/// Errors: a user with control characters, for any mailer that is not a program or a file. Source: observed.
fn check_printable(user: &[u8], scope: &Scope) -> Result<(), RouteError> {
    let is_bad = |byte: &u8| byte.is_ascii_control() && *byte != b'\t';
    if !user.iter().any(is_bad) {
        return Ok(());
    }
    let user = crate::route::recipient::without_quotes(user);
    let masked: Vec<u8> = user.iter().map(|byte| if is_bad(byte) { b'?' } else { *byte }).collect();
    let text = format!("Syntax error in mailbox address \"{}\" (non-printable character)", shown(&masked));
    let is_sender = scope.text(names::ADDR_TYPE).contains(&b's');
    let status = if is_sender { Status(5, 1, 7) } else { Status(5, 1, 3) };
    Err(RouteError::new(501, status, Exit::USAGE, text))
}

/// Errors: text that cannot be scanned, and addresses of more bytes than the original keeps. Source: observed.
fn load(workspace: &mut Workspace, text: &[u8]) -> Result<(), RouteError> {
    scan(workspace, text, None)?;
    match text.get(..limits::ADDRESS) {
        Some(kept) if text.len() > kept.len() => {
            let text = format!("Address \"{}\" too long ({} bytes max)", shown(kept), limits::ADDRESS);
            Err(RouteError::new(553, Status(5, 1, 0), Exit::USAGE, text).at(kept))
        }
        _ => Ok(()),
    }
}

fn scan(workspace: &mut Workspace, text: &[u8], delimiter: Option<u8>) -> Result<(), RouteError> {
    let complaint = match workspace.load(text, Mode::Address, delimiter) {
        Ok((_, complaints)) => complaints.into_iter().next(),
        Err(error) => error.0.into_iter().next_back(),
    };
    match complaint {
        None => Ok(()),
        Some(complaint) => {
            let status = if complaint == Complaint::TokenTooLong { Status(5, 1, 0) } else { Status(5, 0, 0) };
            Err(RouteError::new(553, status, Exit::USAGE, complaint.to_string()))
        }
    }
}

fn configuration(text: impl Into<String>) -> RouteError {
    RouteError::new(554, Status(5, 3, 5), Exit::CONFIG, text)
}
