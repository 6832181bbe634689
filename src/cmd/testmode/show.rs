//! `$x`, `$=x`, `=S`, `=M`, `/map`, `/mx`, `/canon`, `/expand`: what the configuration and the maps say.

use bytes::Bytes;

use super::{TestMode, first_word, owned};
use crate::base::bytes::trim;
use crate::config::{Mailer, RulesetId};
use crate::macros::{Template, Value, names};
use crate::maps::Answer;
use crate::net::dns::{self, MxAnswer, Service};

impl TestMode<'_> {
    /// `$x`, `$=x`.
    pub(super) fn dollar(&mut self, rest: &[u8]) {
        if let Some(name) = rest.strip_prefix(b"=") {
            let Some((id, _)) = self.name(name) else { return };
            let members: Vec<Bytes> = self.config.classes.listed(id).into_iter().cloned().collect();
            for member in members {
                self.output.shown(&member);
                self.output.end();
            }
            return;
        }
        if let Some(operator) = rest.first().filter(|b| b"&*+-~#@:>?|.[]()0123456789".contains(b)) {
            self.output.text(&[b'$', *operator]);
            return self.output.end();
        }
        let Some((id, _)) = self.name(rest) else { return };
        let text = match self.scope.value(id) {
            None => b"Undefined".to_vec(),
            Some(Value::Text(text)) => text.to_vec(),
            Some(Value::Template(template)) => template.source(&self.names),
        };
        self.output.shown(&text);
        self.output.end();
    }

    /// `=S`, `=M`.
    pub(super) fn equals(&mut self, line: &[u8], rest: &[u8]) {
        match rest.split_first() {
            Some((b'S', name)) => self.show_ruleset(name),
            Some((b'M', _)) => self.show_mailers(),
            None => self.output.line("Usage: =Sruleset or =M"),
            Some(_) => {
                self.output.text(b"Unknown \"=\" command ");
                self.output.shown(line);
                self.output.end();
            }
        }
    }

    fn show_ruleset(&mut self, name: &[u8]) {
        let found = match self.rewriter.program().called(trim(name)) {
            Ok(id) => Some(id).filter(|id| self.config.rulesets.is_known(*id)),
            Err(complaint) => {
                if let Some(complaint) = complaint {
                    self.fault(&complaint);
                }
                None
            }
        };
        let Some(id) = found else {
            self.output.text(b"Undefined ruleset ");
            self.output.shown(name);
            return self.output.end();
        };
        for rule in self.config.rulesets.rules(id) {
            self.output.text(b"R");
            for symbol in rule.lhs.iter() {
                self.output.shown(&symbol.render(&self.names));
                self.output.text(b" ");
            }
            self.output.text(b"\t\t");
            for symbol in rule.rhs.iter() {
                self.output.shown(&symbol.render(&self.names));
                self.output.text(b" ");
            }
            self.output.end();
        }
    }

    fn show_mailers(&mut self) {
        let mailers = self.config.mailers.clone();
        for (n, mailer) in mailers.iter().enumerate() {
            self.show_mailer(n, mailer);
        }
    }

    fn show_mailer(&mut self, n: usize, mailer: &Mailer) {
        let name = |id: Option<RulesetId>| {
            let name = self.config.rulesets.name(id.unwrap_or(RulesetId(0)));
            String::from_utf8_lossy(&name).into_owned()
        };
        let pairs = format!(
            " S={}/{} R={}/{} M={}",
            name(mailer.sender.envelope),
            name(mailer.sender.header),
            name(mailer.recipient.envelope),
            name(mailer.recipient.header),
            mailer.max_size,
        );
        let user = mailer.user.as_ref().map_or_else(|| "-1:-1".to_owned(), |u| format!("{}:{}", u.uid, u.gid));
        self.output.text(format!("mailer {n} (").as_bytes());
        self.output.shown(&mailer.name);
        self.output.text(b"): P=");
        self.output.shown(&mailer.path);
        self.output.text(pairs.as_bytes());
        self.output.text(format!(" U={user} F={} L={} E=", mailer.flags, mailer.line_limit).as_bytes());
        self.output.shown(&mailer.eol);
        if let Some(charset) = &mailer.charset {
            self.output.text(b" C=");
            self.output.shown(charset);
        }
        let types = [&mailer.mta_type, &mailer.address_type, &mailer.diagnostic_type];
        for (n, kind) in types.iter().enumerate() {
            self.output.text(if n == 0 { b" T=" } else { b"/" });
            self.output.shown(if kind.is_empty() { b"<undefined>" } else { kind });
        }
        self.output.text(format!(" r={} A=", mailer.max_recipients).as_bytes());
        for (n, word) in mailer.argv.iter().enumerate() {
            if n > 0 {
                self.output.text(b" ");
            }
            self.output.shown(&word.source(&self.names));
        }
        self.output.end();
    }

    /// `/expand text`.
    pub(super) fn expand(&mut self, argument: &[u8]) {
        let argument = argument.trim_ascii_start();
        if argument.is_empty() {
            return self.output.line("Usage: /expand string");
        }
        // References in what is typed are not looked at: it comes out as it went in, and nothing ends the line.
        let text = Template::literal(owned(argument)).expand(&self.scope);
        self.output.shown(&text);
    }

    /// `/map name key`.
    pub(super) fn map(&mut self, argument: &[u8]) {
        let (name, key) = first_word(argument.trim_ascii_end());
        if name.is_empty() {
            return self.output.line("Usage: /map mapname key");
        }
        if key.is_empty() {
            return self.output.line("No key specified");
        }
        let Some(map) = self.site.maps.find(name) else {
            return self.output.line(&format!("Map named \"{}\" not found", String::from_utf8_lossy(name)));
        };
        if !self.site.maps.is_open(map) {
            return self.output.line(&format!("Map named \"{}\" not open", String::from_utf8_lossy(name)));
        }
        let answer = self.runtime.block_on(self.site.maps.ask(map, key, &[], &mut self.scope));
        for complaint in self.site.maps.take_complaints_of_opening() {
            self.output.line(&complaint);
        }
        self.output.text(b"map_lookup: ");
        self.output.shown(name);
        self.output.text(b" (");
        self.output.text(key);
        self.output.text(b") ");
        for complaint in self.site.maps.take_complaints() {
            self.output.line(&complaint);
        }
        let exit = answer.exit().0;
        match answer {
            Answer::Found(value) | Answer::Instead(value) => {
                self.output.text(b"returns ");
                self.output.text(&value);
                self.output.line(&format!(" ({exit})"));
            }
            Answer::NotFound(_) | Answer::Temporary(_) => self.output.line(&format!("no match ({exit})")),
        }
    }

    /// `/canon host`.
    pub(super) fn canon(&mut self, argument: &[u8]) {
        let host = trim(argument);
        if host.is_empty() {
            return self.output.line("Usage: /canon address");
        }
        let domain = self.scope.text(names::DOMAIN);
        let found = self.runtime.block_on(self.site.resolver.canonify(host, &domain));
        let name = found.map_or_else(|_| owned(host), |canonical| canonical.name);
        self.output.text(b"getcanonname(");
        self.output.shown(host);
        self.output.text(b") returns ");
        self.output.shown(&name);
        self.output.end();
    }

    /// `/mx host`.
    pub(super) fn mx(&mut self, argument: &[u8]) {
        let host = trim(argument);
        if host.is_empty() {
            return self.output.line("Usage: /mx address");
        }
        let (resolver, domain) = (&self.site.resolver, self.scope.text(names::DOMAIN));
        let answer = self.runtime.block_on(async {
            match resolver.bracketed(host, &domain).await {
                Some(found) => found.map(MxAnswer::Host),
                // Without name servers nobody is asked. Source: observed.
                None if !resolver.settings().services.contains(&Service::Dns) => Err(dns::Error::NotFound),
                None => resolver.mx(host).await,
            }
        });
        self.output.text(b"getmxrr(");
        self.output.shown(host);
        self.output.text(b") returns ");
        let names = match answer {
            Ok(MxAnswer::Null) => return self.output.line("null MX (See RFC7505)"),
            Ok(answer) => answer.names(&owned(host)),
            Err(dns::Error::Temporary) => return self.output.line("-1 value(s):"),
            Err(_) => Vec::new(),
        };
        self.output.line(&format!("{} value(s):", names.len()));
        for name in names {
            self.output.text(b"\t");
            self.output.shown(&name);
            self.output.end();
        }
    }
}
