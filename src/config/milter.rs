//! `X` lines and `O Milter.…`.

use std::time::Duration;

use bytes::Bytes;

use super::daemon_port::Family;
use super::lines;
use super::mailer::{Equates, line_name};
use super::reader::Reader;
use crate::base::bytes::{leading_number, split_once, trim};
use crate::base::exit::Exit;
use crate::base::limits;

/// An `X` line.
#[derive(Debug, Clone)]
pub struct Filter {
    /// Name.
    pub name: Bytes,
    /// `S=`: socket as written.
    pub socket: Bytes,
    /// `F=`: what happens when it fails: `R`, `T`, `4` or nothing.
    pub on_failure: Option<u8>,
    /// `T=C:`.
    pub connect: Duration,
    /// `T=S:`.
    pub send: Duration,
    /// `T=R:`.
    pub read: Duration,
    /// `T=E:`.
    pub end_of_message: Duration,
}

/// `O Milter.…`.
#[derive(Debug, Clone, Default)]
pub struct MilterOptions {
    /// `Milter.LogLevel`.
    pub log_level: Option<i64>,
    /// `Milter.macros.STAGE`: stage and macro names (without `$`).
    pub macros: Vec<(Bytes, Vec<Bytes>)>,
}

impl Reader<'_> {
    /// `Xname, S=socket, F=flag, T=times`.
    pub(super) fn filter_line(&mut self, text: &[u8]) {
        let text = self.expand(text);
        let (name, rest) = line_name(&text);
        if name.is_empty() {
            return self.error("name required for mail filter".to_owned());
        }
        let shown = String::from_utf8_lossy(name).into_owned();
        if self.config.filters.iter().any(|f| f.name.eq_ignore_ascii_case(name)) {
            return self.error(format!("X{shown}: duplicate filter definition"));
        }
        let mut filter = Filter { name: Bytes::copy_from_slice(name), ..Filter::default() };
        let mut equates = Equates(rest);
        while let Some(equate) = equates.next_equate() {
            let Ok((letter, value)) = equate else {
                return self.error(format!("X{shown}: `=' expected"));
            };
            match letter {
                b'S' => filter.socket = value.into(),
                b'F' => filter.on_failure = value.iter().copied().find(|b| matches!(b, b'R' | b'T' | b'4')),
                b'T' => {
                    if !self.filter_times(&mut filter, &shown, &value) {
                        return;
                    }
                }
                other => self.error(format!("X{shown}: unknown filter equate {}=", char::from(other))),
            }
        }
        match self.socket_fault(&filter.socket) {
            None => self.config.filters.push(filter),
            Some((fault, exit)) => self.error_with(format!("X{shown}: {fault}"), exit),
        }
    }

    /// `C:5m;S:10s;R:10s;E:5m`. Complains and returns false when that is none.
    fn filter_times(&mut self, filter: &mut Filter, shown: &str, value: &[u8]) -> bool {
        for part in value.split(|b| *b == b';').map(trim).filter(|p| !p.is_empty()) {
            let Some((key, time)) = split_once(part, b':') else {
                self.error(format!("X{shown}, T=: `:' expected"));
                return false;
            };
            let Some(span) = self.interval(trim(time), b's') else { continue };
            match key.first() {
                Some(b'C') => filter.connect = span,
                Some(b'S') => filter.send = span,
                Some(b'R') => filter.read = span,
                Some(b'E') => filter.end_of_message = span,
                other => {
                    let letter = other.map_or(' ', |b| char::from(*b));
                    self.error(format!("X{shown}: unknown filter timeout {letter}"));
                    return false;
                }
            }
        }
        true
    }

    /// What is wrong with a socket, as far as one can tell without opening it.
    fn socket_fault(&self, socket: &[u8]) -> Option<(String, Exit)> {
        let config = |text: String| Some((text, Exit::SOFTWARE));
        if socket.is_empty() {
            return config("empty or missing socket information".to_owned());
        }
        let (kind, address) = split_once(socket, b':')?;
        match kind.to_ascii_lowercase().as_slice() {
            b"local" | b"unix" if address.len() >= LONGEST_PATH => {
                let text = format!("local socket name {} too long", String::from_utf8_lossy(address));
                Some((text, Exit::OSERR))
            }
            b"" | b"local" | b"unix" => None,
            b"inet" | b"inet6" => {
                let Some((port, host)) = split_once(address, b'@') else {
                    let address = String::from_utf8_lossy(address);
                    return config(format!("bad address {address} (expected port@host)"));
                };
                if port.is_empty() || !self.outside.is_service(port) {
                    return config(format!("unknown port name {}", String::from_utf8_lossy(port)));
                }
                if host.first() == Some(&b'[') && host.last() != Some(&b']') {
                    return config(format!("Invalid numeric domain spec \"{}\"", String::from_utf8_lossy(host)));
                }
                let family = if kind.eq_ignore_ascii_case(b"inet6") { Family::Inet6 } else { Family::Inet };
                if self.outside.is_address(host, family) {
                    return None;
                }
                config(format!("Unknown host name {}", lines::quoted(host)))
            }
            other => {
                let kind = String::from_utf8_lossy(other);
                Some((format!("unknown socket type {kind}: Protocol not supported"), Exit::OSERR))
            }
        }
    }

    /// `O Milter.name=value`.
    pub(super) fn milter_option(&mut self, name: Option<&[u8]>, value: &[u8]) {
        let Some(name) = name else {
            return self.error("milter_set_option: invalid Milter option, must specify suboption".to_owned());
        };
        let lower = name.to_ascii_lowercase();
        if lower == b"loglevel" {
            self.config.milter.log_level = Some(leading_number(value));
            return;
        }
        let stage = lower.strip_prefix(b"macros.").and_then(|s| STAGES.iter().find(|known| known.as_bytes() == s));
        let Some(stage) = stage else {
            let name = String::from_utf8_lossy(name);
            return self.error(format!("milter_set_option: invalid Milter option {name}"));
        };
        let macros = value.split(|b| *b == b',' || b.is_ascii_whitespace()).filter(|w| !w.is_empty());
        let macros = macros.map(|name| {
            let inner = name.strip_prefix(b"{").and_then(|rest| rest.strip_suffix(b"}")).unwrap_or(name);
            Bytes::copy_from_slice(inner)
        });
        let mut macros: Vec<Bytes> = macros.collect();
        if macros.len() > limits::MILTER_MACROS {
            macros.truncate(limits::MILTER_MACROS);
            let most = limits::MILTER_MACROS;
            self.error(format!("milter_set_option: too many macros in Milter.macros.{stage} (max {most})"));
        }
        self.config.milter.macros.retain(|(known, _)| known != stage);
        self.config.milter.macros.push((Bytes::from_static(stage.as_bytes()), macros));
    }
}

impl Default for Filter {
    /// The times of a filter whose line gives none.
    fn default() -> Self {
        Self {
            name: Bytes::new(),
            socket: Bytes::new(),
            on_failure: None,
            connect: Duration::from_secs(300),
            send: Duration::from_secs(10),
            read: Duration::from_secs(10),
            end_of_message: Duration::from_secs(300),
        }
    }
}

/// Bytes of a socket's path, its end included. Source: `sockaddr_un`.
const LONGEST_PATH: usize = 108;

/// Stages of `Milter.macros`. Source: op guide 5.11; observed.
pub static STAGES: &[&str] = &["connect", "helo", "envfrom", "envrcpt", "data", "eoh", "eom"];
