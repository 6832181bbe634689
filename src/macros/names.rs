//! Predefined macros and classes: names, numbers, who sets them.
//!
//! Macros and classes share one name space. A name of one character is numbered by its byte, a long name of this table
//! from 256 on, a name that only a configuration uses behind those (see [`NameTable`]).

use std::collections::HashMap;

use bytes::Bytes;

use crate::base::limits;

/// Number of a macro or class name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct MacroId(pub u16);

/// A predefined macro.
#[derive(Debug, Clone, Copy)]
pub struct Row {
    /// Its number.
    pub id: MacroId,
    /// Name without `$` and braces.
    pub name: &'static str,
    /// Whether the program sets it (`out`), the configuration (`in`), or both.
    pub direction: &'static str,
    /// When it is set.
    pub set: &'static str,
}

/// Macros and class names of one character that have a meaning. Source: op guide 5.1.2; observed.
#[rustfmt::skip]
pub static SHORT: &[Row] = &[
    row(CF_VERSION, "Z", "in", "configuration version set by the m4 library"),
    row(CLIENT_INFO, "_", "out", "validated sender: ident@host [addr] (may be forged)"),
    row(DATE, "a", "out", "Date: of the message or now"),
    row(NOW, "b", "out", "now, RFC 822 form"),
    row(HOP_COUNT, "c", "out", "hop count"),
    row(NOW_CTIME, "d", "out", "now, ctime form"),
    row(GREETING, "e", "in, obsolete", "SmtpGreetingMessage"),
    row(SENDER, "f", "out", "envelope sender"),
    row(SENDER_FOR_RECIPIENT, "g", "out", "sender relative to recipient (rewritten)"),
    row(RCPT_HOST_H, "h", "out", "recipient host"),
    row(QUEUE_ID, "i", "out", "queue id"),
    row(HOST, "j", "in/out", "official host name; Dj overrides"),
    row(UNAME, "k", "out", "uname node name"),
    row(FROM_LINE, "l", "in, obsolete", "UnixFromLine"),
    row(DOMAIN, "m", "out", "domain part of the host name (may be null)"),
    row(DAEMON_USER, "n", "in", "daemon name for bounces"),
    row(OPERATORS, "o", "in, obsolete", "OperatorChars"),
    row(PID, "p", "out", "process id"),
    row(SENDER_FORMAT, "q", "in, obsolete", "sender format"),
    row(PROTOCOL, "r", "in/out", "protocol: SMTP ESMTP ESMTPS ESMTPA ESMTPSA, or -p value, internal for own mail"),
    row(HELO, "s", "in/out", "HELO name or -p host"),
    row(TIMESTAMP, "t", "out", "time as YYYYMMDDhhmm"),
    row(RCPT_USER, "u", "out", "recipient user"),
    row(VERSION, "v", "out", "binary version"),
    row(HOST_LABEL, "w", "in/out", "host name, first label from level 5"),
    row(FULL_NAME, "x", "out", "full name of the sender"),
    row(TTY, "y", "out", "controlling terminal name, historical"),
    row(HOME, "z", "out", "recipient home directory"),
];

/// Long names, sorted; their numbers are 256 and up in this order. Source: op guide 5.1.2; observed.
#[rustfmt::skip]
pub static LONG: &[Row] = &[
    row(ADDR_TYPE, "addr_type", "out", "while rewriting: e or h, blank, s or r, optional d for DSN"),
    row(ALG_BITS, "alg_bits", "out", "TLS"),
    row(AUTH_AUTHEN, "auth_authen", "out", "AUTH success"),
    row(AUTH_AUTHOR, "auth_author", "out", "AUTH= of MAIL"),
    row(AUTH_SSF, "auth_ssf", "out", "SASL layer"),
    row(AUTH_TYPE, "auth_type", "out", "AUTH success"),
    row(BODYTYPE, "bodytype", "out", "after BODY= (empty in check_mail, set in delivery)"),
    row(CERT_ALTNAMES, "cert_altnames", "out", "TLS, FFR SetCertAltnames"),
    row(CERT_FP, "cert_fp", "out", "TLS with CertFingerprintAlgorithm"),
    row(CERT_ISSUER, "cert_issuer", "out", "TLS"),
    row(CERT_MD5, "cert_md5", "out", "TLS without CertFingerprintAlgorithm"),
    row(CERT_SUBJECT, "cert_subject", "out", "TLS"),
    row(CHECK_MIMEFIELD_HEADERS, "checkMIMEFieldHeaders", "class names", "names share the macro name space"),
    row(CHECK_MIMEHEADERS, "checkMIMEHeaders", "class names", "names share the macro name space"),
    row(CHECK_MIMETEXT_HEADERS, "checkMIMETextHeaders", "class names", "names share the macro name space"),
    row(CIPHER, "cipher", "out", "TLS"),
    row(CIPHER_BITS, "cipher_bits", "out", "TLS"),
    row(CLIENT_ADDR, "client_addr", "out", "server"),
    row(CLIENT_CONNECTIONS, "client_connections", "out", "server"),
    row(CLIENT_FLAGS, "client_flags", "out", "client"),
    row(CLIENT_NAME, "client_name", "out", "server"),
    row(CLIENT_PORT, "client_port", "out", "server"),
    row(CLIENT_PTR, "client_ptr", "out", "server"),
    row(CLIENT_RATE, "client_rate", "out", "server"),
    row(CLIENT_RESOLVE, "client_resolve", "out", "server"),
    row(CN_ISSUER, "cn_issuer", "out", "TLS"),
    row(CN_SUBJECT, "cn_subject", "out", "TLS"),
    row(CURR_HEADER, "currHeader", "out", "header rulesets"),
    row(DAEMON_ADDR, "daemon_addr", "out", "server"),
    row(DAEMON_FAMILY, "daemon_family", "out", "server"),
    row(DAEMON_FLAGS, "daemon_flags", "out", "server or command line"),
    row(DAEMON_INFO, "daemon_info", "out", "daemon"),
    row(DAEMON_NAME, "daemon_name", "out", "server"),
    row(DAEMON_PORT, "daemon_port", "out", "server"),
    row(DELIVERY_MODE, "deliveryMode", "out", "always"),
    row(DSN_ENVID, "dsn_envid", "out", "ENVID= or -V"),
    row(DSN_NOTIFY, "dsn_notify", "out", "RCPT NOTIFY= or -N"),
    row(DSN_RET, "dsn_ret", "out", "MAIL RET= or -R"),
    row(ENVID, "envid", "out", "delivery"),
    row(HDR_NAME, "hdr_name", "out", "header rulesets"),
    row(HDRLEN, "hdrlen", "out", "header rulesets"),
    row(IF_ADDR, "if_addr", "out", "server, not loopback (empty seen on loopback)"),
    row(IF_ADDR_OUT, "if_addr_out", "out", "client, not loopback"),
    row(IF_FAMILY, "if_family", "out", "as if_addr"),
    row(IF_FAMILY_OUT, "if_family_out", "out", "as if_addr_out"),
    row(IF_NAME, "if_name", "out", "server"),
    row(IF_NAME_OUT, "if_name_out", "out", "client"),
    row(LOAD_AVG, "load_avg", "out", "always"),
    row(MAIL_ADDR, "mail_addr", "out", "MAIL resolved user"),
    row(MAIL_FROM, "mail_from", "out", "FFR _FFR_MAIL_MACRO: MAIL argument as given"),
    row(MAIL_HOST, "mail_host", "out", "MAIL resolved host (empty for local)"),
    row(MAIL_MAILER, "mail_mailer", "out", "MAIL resolved mailer"),
    row(MSG_ID, "msg_id", "out", "after the header was read, only if one was present at check_eoh"),
    row(MSG_SIZE, "msg_size", "out", "SIZE= at MAIL, real size later"),
    row(NBADRCPTS, "nbadrcpts", "out", "server"),
    row(NRCPTS, "nrcpts", "out", "server (one behind in check_rcpt)"),
    row(NTRIES, "ntries", "out", "delivery tries"),
    row(OP_MODE, "opMode", "out", "-b letter"),
    row(PERSISTENT_MACROS, "persistentMacros", "class names", "names share the macro name space"),
    row(QUARANTINE, "quarantine", "out", "quarantine reason"),
    row(QUEUE_INTERVAL, "queue_interval", "out", "-q time"),
    row(RCPT_ADDR, "rcpt_addr", "out", "RCPT resolved user (also recipient in tls_rcpt)"),
    row(RCPT_HOST, "rcpt_host", "out", "RCPT resolved host"),
    row(RCPT_MAILER, "rcpt_mailer", "out", "RCPT resolved mailer"),
    row(SENDMAIL_MTACLUSTER, "sendmailMTACluster", "in", "LDAP default filters"),
    row(SERVER_ADDR, "server_addr", "out", "client"),
    row(SERVER_NAME, "server_name", "out", "client"),
    row(STS_SNI, "sts_sni", "in", "FFR MTA-STS: SNI name chosen by rules"),
    row(TIME, "time", "out", "now, seconds"),
    row(TLS_VERSION, "tls_version", "out", "TLS"),
    row(TOTAL_RATE, "total_rate", "out", "server"),
    row(VERIFY, "verify", "out", "after STARTTLS decision; empty before"),
];

const fn row(id: MacroId, name: &'static str, direction: &'static str, set: &'static str) -> Row {
    Row { id, name, direction, set }
}

/// `$Z`: configuration version set by the m4 library.
pub const CF_VERSION: MacroId = MacroId(b'Z' as u16);
/// `$_`: validated sender: ident@host \[addr\] (may be forged).
pub const CLIENT_INFO: MacroId = MacroId(b'_' as u16);
/// `$a`: Date: of the message or now.
pub const DATE: MacroId = MacroId(b'a' as u16);
/// `$b`: now, RFC 822 form.
pub const NOW: MacroId = MacroId(b'b' as u16);
/// `$c`: hop count.
pub const HOP_COUNT: MacroId = MacroId(b'c' as u16);
/// `$d`: now, ctime form.
pub const NOW_CTIME: MacroId = MacroId(b'd' as u16);
/// `$e`: SmtpGreetingMessage.
pub const GREETING: MacroId = MacroId(b'e' as u16);
/// `$f`: envelope sender.
pub const SENDER: MacroId = MacroId(b'f' as u16);
/// `$g`: sender relative to recipient (rewritten).
pub const SENDER_FOR_RECIPIENT: MacroId = MacroId(b'g' as u16);
/// `$h`: recipient host.
pub const RCPT_HOST_H: MacroId = MacroId(b'h' as u16);
/// `$i`: queue id.
pub const QUEUE_ID: MacroId = MacroId(b'i' as u16);
/// `$j`: official host name; Dj overrides.
pub const HOST: MacroId = MacroId(b'j' as u16);
/// `$k`: uname node name.
pub const UNAME: MacroId = MacroId(b'k' as u16);
/// `$l`: UnixFromLine.
pub const FROM_LINE: MacroId = MacroId(b'l' as u16);
/// `$m`: domain part of the host name (may be null).
pub const DOMAIN: MacroId = MacroId(b'm' as u16);
/// `$n`: daemon name for bounces.
pub const DAEMON_USER: MacroId = MacroId(b'n' as u16);
/// `$o`: OperatorChars.
pub const OPERATORS: MacroId = MacroId(b'o' as u16);
/// `$p`: process id.
pub const PID: MacroId = MacroId(b'p' as u16);
/// `$q`: sender format.
pub const SENDER_FORMAT: MacroId = MacroId(b'q' as u16);
/// `$r`: protocol: SMTP ESMTP ESMTPS ESMTPA ESMTPSA, or -p value, internal for own mail.
pub const PROTOCOL: MacroId = MacroId(b'r' as u16);
/// `$s`: HELO name or -p host.
pub const HELO: MacroId = MacroId(b's' as u16);
/// `$t`: time as YYYYMMDDhhmm.
pub const TIMESTAMP: MacroId = MacroId(b't' as u16);
/// `$u`: recipient user.
pub const RCPT_USER: MacroId = MacroId(b'u' as u16);
/// `$v`: binary version.
pub const VERSION: MacroId = MacroId(b'v' as u16);
/// `$w`: host name, first label from level 5.
pub const HOST_LABEL: MacroId = MacroId(b'w' as u16);
/// `$x`: full name of the sender.
pub const FULL_NAME: MacroId = MacroId(b'x' as u16);
/// `$y`: controlling terminal name, historical.
pub const TTY: MacroId = MacroId(b'y' as u16);
/// `$z`: recipient home directory.
pub const HOME: MacroId = MacroId(b'z' as u16);
/// `${addr_type}`: while rewriting: e or h, blank, s or r, optional d for DSN.
pub const ADDR_TYPE: MacroId = MacroId(256);
/// `${alg_bits}`: TLS.
pub const ALG_BITS: MacroId = MacroId(257);
/// `${auth_authen}`: AUTH success.
pub const AUTH_AUTHEN: MacroId = MacroId(258);
/// `${auth_author}`: AUTH= of MAIL.
pub const AUTH_AUTHOR: MacroId = MacroId(259);
/// `${auth_ssf}`: SASL layer.
pub const AUTH_SSF: MacroId = MacroId(260);
/// `${auth_type}`: AUTH success.
pub const AUTH_TYPE: MacroId = MacroId(261);
/// `${bodytype}`: after BODY= (empty in check_mail, set in delivery).
pub const BODYTYPE: MacroId = MacroId(262);
/// `${cert_altnames}`: TLS, FFR SetCertAltnames.
pub const CERT_ALTNAMES: MacroId = MacroId(263);
/// `${cert_fp}`: TLS with CertFingerprintAlgorithm.
pub const CERT_FP: MacroId = MacroId(264);
/// `${cert_issuer}`: TLS.
pub const CERT_ISSUER: MacroId = MacroId(265);
/// `${cert_md5}`: TLS without CertFingerprintAlgorithm.
pub const CERT_MD5: MacroId = MacroId(266);
/// `${cert_subject}`: TLS.
pub const CERT_SUBJECT: MacroId = MacroId(267);
/// `${checkMIMEFieldHeaders}`: names share the macro name space.
pub const CHECK_MIMEFIELD_HEADERS: MacroId = MacroId(268);
/// `${checkMIMEHeaders}`: names share the macro name space.
pub const CHECK_MIMEHEADERS: MacroId = MacroId(269);
/// `${checkMIMETextHeaders}`: names share the macro name space.
pub const CHECK_MIMETEXT_HEADERS: MacroId = MacroId(270);
/// `${cipher}`: TLS.
pub const CIPHER: MacroId = MacroId(271);
/// `${cipher_bits}`: TLS.
pub const CIPHER_BITS: MacroId = MacroId(272);
/// `${client_addr}`: server.
pub const CLIENT_ADDR: MacroId = MacroId(273);
/// `${client_connections}`: server.
pub const CLIENT_CONNECTIONS: MacroId = MacroId(274);
/// `${client_flags}`: client.
pub const CLIENT_FLAGS: MacroId = MacroId(275);
/// `${client_name}`: server.
pub const CLIENT_NAME: MacroId = MacroId(276);
/// `${client_port}`: server.
pub const CLIENT_PORT: MacroId = MacroId(277);
/// `${client_ptr}`: server.
pub const CLIENT_PTR: MacroId = MacroId(278);
/// `${client_rate}`: server.
pub const CLIENT_RATE: MacroId = MacroId(279);
/// `${client_resolve}`: server.
pub const CLIENT_RESOLVE: MacroId = MacroId(280);
/// `${cn_issuer}`: TLS.
pub const CN_ISSUER: MacroId = MacroId(281);
/// `${cn_subject}`: TLS.
pub const CN_SUBJECT: MacroId = MacroId(282);
/// `${currHeader}`: header rulesets.
pub const CURR_HEADER: MacroId = MacroId(283);
/// `${daemon_addr}`: server.
pub const DAEMON_ADDR: MacroId = MacroId(284);
/// `${daemon_family}`: server.
pub const DAEMON_FAMILY: MacroId = MacroId(285);
/// `${daemon_flags}`: server or command line.
pub const DAEMON_FLAGS: MacroId = MacroId(286);
/// `${daemon_info}`: daemon.
pub const DAEMON_INFO: MacroId = MacroId(287);
/// `${daemon_name}`: server.
pub const DAEMON_NAME: MacroId = MacroId(288);
/// `${daemon_port}`: server.
pub const DAEMON_PORT: MacroId = MacroId(289);
/// `${deliveryMode}`: always.
pub const DELIVERY_MODE: MacroId = MacroId(290);
/// `${dsn_envid}`: ENVID= or -V.
pub const DSN_ENVID: MacroId = MacroId(291);
/// `${dsn_notify}`: RCPT NOTIFY= or -N.
pub const DSN_NOTIFY: MacroId = MacroId(292);
/// `${dsn_ret}`: MAIL RET= or -R.
pub const DSN_RET: MacroId = MacroId(293);
/// `${envid}`: delivery.
pub const ENVID: MacroId = MacroId(294);
/// `${hdr_name}`: header rulesets.
pub const HDR_NAME: MacroId = MacroId(295);
/// `${hdrlen}`: header rulesets.
pub const HDRLEN: MacroId = MacroId(296);
/// `${if_addr}`: server, not loopback (empty seen on loopback).
pub const IF_ADDR: MacroId = MacroId(297);
/// `${if_addr_out}`: client, not loopback.
pub const IF_ADDR_OUT: MacroId = MacroId(298);
/// `${if_family}`: as if_addr.
pub const IF_FAMILY: MacroId = MacroId(299);
/// `${if_family_out}`: as if_addr_out.
pub const IF_FAMILY_OUT: MacroId = MacroId(300);
/// `${if_name}`: server.
pub const IF_NAME: MacroId = MacroId(301);
/// `${if_name_out}`: client.
pub const IF_NAME_OUT: MacroId = MacroId(302);
/// `${load_avg}`: always.
pub const LOAD_AVG: MacroId = MacroId(303);
/// `${mail_addr}`: MAIL resolved user.
pub const MAIL_ADDR: MacroId = MacroId(304);
/// `${mail_from}`: FFR _FFR_MAIL_MACRO: MAIL argument as given.
pub const MAIL_FROM: MacroId = MacroId(305);
/// `${mail_host}`: MAIL resolved host (empty for local).
pub const MAIL_HOST: MacroId = MacroId(306);
/// `${mail_mailer}`: MAIL resolved mailer.
pub const MAIL_MAILER: MacroId = MacroId(307);
/// `${msg_id}`: after the header was read, only if one was present at check_eoh.
pub const MSG_ID: MacroId = MacroId(308);
/// `${msg_size}`: SIZE= at MAIL, real size later.
pub const MSG_SIZE: MacroId = MacroId(309);
/// `${nbadrcpts}`: server.
pub const NBADRCPTS: MacroId = MacroId(310);
/// `${nrcpts}`: server (one behind in check_rcpt).
pub const NRCPTS: MacroId = MacroId(311);
/// `${ntries}`: delivery tries.
pub const NTRIES: MacroId = MacroId(312);
/// `${opMode}`: -b letter.
pub const OP_MODE: MacroId = MacroId(313);
/// `${persistentMacros}`: names share the macro name space.
pub const PERSISTENT_MACROS: MacroId = MacroId(314);
/// `${quarantine}`: quarantine reason.
pub const QUARANTINE: MacroId = MacroId(315);
/// `${queue_interval}`: -q time.
pub const QUEUE_INTERVAL: MacroId = MacroId(316);
/// `${rcpt_addr}`: RCPT resolved user (also recipient in tls_rcpt).
pub const RCPT_ADDR: MacroId = MacroId(317);
/// `${rcpt_host}`: RCPT resolved host.
pub const RCPT_HOST: MacroId = MacroId(318);
/// `${rcpt_mailer}`: RCPT resolved mailer.
pub const RCPT_MAILER: MacroId = MacroId(319);
/// `${sendmailMTACluster}`: LDAP default filters.
pub const SENDMAIL_MTACLUSTER: MacroId = MacroId(320);
/// `${server_addr}`: client.
pub const SERVER_ADDR: MacroId = MacroId(321);
/// `${server_name}`: client.
pub const SERVER_NAME: MacroId = MacroId(322);
/// `${sts_sni}`: FFR MTA-STS: SNI name chosen by rules.
pub const STS_SNI: MacroId = MacroId(323);
/// `${time}`: now, seconds.
pub const TIME: MacroId = MacroId(324);
/// `${tls_version}`: TLS.
pub const TLS_VERSION: MacroId = MacroId(325);
/// `${total_rate}`: server.
pub const TOTAL_RATE: MacroId = MacroId(326);
/// `${verify}`: after STARTTLS decision; empty before.
pub const VERIFY: MacroId = MacroId(327);

/// First number of the names that only a configuration uses.
const FIRST_FREE: u16 = 328;

/// Why a name is none.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// Nothing where a name should be.
    #[error("Name required for macro/class")]
    Missing,
    /// A character that may not stand in a name.
    #[error("Invalid macro/class character {0}")]
    Character(String),
    /// More than 25 characters; holds what was kept.
    #[error("Macro/class name ({{{0}}}) too long (25 chars max)")]
    TooLong(String),
    /// More names than numbers.
    #[error("Macro/class {{{0}}}: too many long names")]
    TooMany(String),
}

/// The names one configuration knows.
#[derive(Debug, Clone, Default)]
pub struct NameTable {
    own: Vec<Bytes>,
    numbers: HashMap<Bytes, MacroId>,
    /// Long names in the order in which a configuration mentions them.
    mentioned: Vec<MacroId>,
}

impl NameTable {
    /// Number of a name (without `$` and braces), adding it when it is new.
    pub fn intern(&mut self, name: &[u8]) -> Result<MacroId, NameError> {
        if let Some(id) = self.lookup(name) {
            if id.0 >= 256 && !self.mentioned.contains(&id) {
                self.mentioned.push(id);
            }
            return Ok(id);
        }
        if name.is_empty() {
            return Err(NameError::Missing);
        }
        if name.len() > limits::MACRO_NAME {
            let kept = name.get(..limits::MACRO_NAME).unwrap_or(name);
            return Err(NameError::TooLong(String::from_utf8_lossy(kept).into_owned()));
        }
        let too_many = || NameError::TooMany(String::from_utf8_lossy(name).into_owned());
        let offset = u16::try_from(self.own.len()).map_err(|_| too_many())?;
        let id = MacroId(FIRST_FREE.checked_add(offset).ok_or_else(too_many)?);
        let name = Bytes::copy_from_slice(name);
        self.own.push(name.clone());
        self.numbers.insert(name, id);
        self.mentioned.push(id);
        Ok(id)
    }

    /// What was interned so far was not mentioned by a configuration.
    pub fn forget_mentions(&mut self) {
        self.mentioned.clear();
    }

    /// The byte that stands for a macro in the original's own templates: its character, or a number by first mention.
    ///
    /// Source: observed (`$&{name}` in an `H` line comes out as the byte 0x82 and this one).
    pub fn code(&self, id: MacroId, is_daemon: bool) -> u8 {
        if let Ok(byte) = u8::try_from(id.0) {
            return byte;
        }
        if id == OP_MODE {
            return 0x82;
        }
        let known = [DELIVERY_MODE, LOAD_AVG, DAEMON_FLAGS];
        // The daemon sets its flags later.
        let at_start = known.get(..if is_daemon { 2 } else { 3 }).unwrap_or_default();
        let before = at_start.iter().chain(self.mentioned.iter().filter(|m| **m != OP_MODE && !at_start.contains(m)));
        let at = before.take_while(|known| **known != id).count();
        u8::try_from(at).unwrap_or(u8::MAX).saturating_add(0xa0)
    }

    /// Number of a name (without `$` and braces), when it is known. A long name of one character is the short name.
    pub fn lookup(&self, name: &[u8]) -> Option<MacroId> {
        if let [one] = name {
            return Some(MacroId(u16::from(*one)));
        }
        if let Ok(at) = LONG.binary_search_by(|r| r.name.as_bytes().cmp(name)) {
            return LONG.get(at).map(|r| r.id);
        }
        self.numbers.get(name).copied()
    }

    /// Name of a number, without `$` and braces.
    pub fn name(&self, id: MacroId) -> Bytes {
        if let Ok(byte) = u8::try_from(id.0) {
            return Bytes::copy_from_slice(&[byte]);
        }
        if id.0 >= FIRST_FREE {
            return self.own.get(usize::from(id.0 - FIRST_FREE)).cloned().unwrap_or_default();
        }
        LONG.get(usize::from(id.0) - 256).map_or_else(Bytes::new, |r| Bytes::from_static(r.name.as_bytes()))
    }

    /// As written behind a `$`: one character, or the name in braces.
    pub fn shown(&self, id: MacroId) -> String {
        let name = self.name(id);
        let text = String::from_utf8_lossy(&name);
        if name.len() == 1 { text.into_owned() } else { format!("{{{text}}}") }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_rows_are_sorted_and_numbered_in_order() {
        assert!(LONG.is_sorted_by_key(|r| r.name));
        for (at, row) in LONG.iter().enumerate() {
            assert_eq!(usize::from(row.id.0), 256 + at, "{}", row.name);
        }
        assert_eq!(usize::from(FIRST_FREE), 256 + LONG.len());
    }

    #[test]
    fn names_are_found_again() {
        let mut names = NameTable::default();
        let own = names.intern(b"MyMacro").unwrap();
        assert_eq!(names.lookup(b"MyMacro"), Some(own));
        assert_eq!(names.shown(own), "{MyMacro}");
        assert_eq!(names.intern(b"client_addr"), Ok(CLIENT_ADDR));
        let known = [MacroId(u16::from(b'j')), OP_MODE, DELIVERY_MODE, DAEMON_FLAGS, own, CLIENT_ADDR];
        assert_eq!(known.map(|id| names.code(id, false)), [b'j', 0x82, 0xa0, 0xa2, 0xa3, 0xa4]);
        assert_eq!(names.shown(HOST), "j");
        assert!(names.intern(&[b'x'; 26]).is_err());
    }
}
