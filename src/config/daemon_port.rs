//! `DaemonPortOptions` and `ClientPortOptions`.

use bytes::Bytes;

use super::reader::Reader;
use super::values::DeliveryMode;
use crate::base::bytes::{leading_number, split_once, trim};
use crate::base::letters::Modifiers;

/// Address family of a port.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Family {
    /// IPv4.
    Inet,
    /// IPv6.
    Inet6,
    /// A socket in the file system.
    Local,
}

/// One line of `DaemonPortOptions` or `ClientPortOptions`.
#[derive(Debug, Clone)]
pub struct DaemonPort {
    /// `Name`: for logs and `${daemon_name}`.
    pub name: Bytes,
    /// `Port`: number or service name as written; `None` for the default (25, or any for a client).
    pub port: Option<Bytes>,
    /// `Addr`: address, host name or path as written; `None` for any.
    pub address: Option<Bytes>,
    /// `Family`.
    pub family: Family,
    /// `InputMailFilters`; `None` for those of the option of that name.
    pub filters: Option<Vec<Bytes>>,
    /// `Listen`: backlog.
    pub backlog: i32,
    /// `Modifier`: flag letters.
    pub modifiers: Modifiers,
    /// `SndBufSize`, bytes.
    pub send_buffer_bytes: Option<usize>,
    /// `RcvBufSize`, bytes.
    pub receive_buffer_bytes: Option<usize>,
    /// `children`.
    pub children: Option<i64>,
    /// `DeliveryMode`.
    pub delivery_mode: Option<DeliveryMode>,
    /// `refuseLA`.
    pub refuse_la: Option<i64>,
    /// `delayLA`.
    pub delay_la: Option<i64>,
    /// `queueLA`.
    pub queue_la: Option<i64>,
}

impl Reader<'_> {
    /// The value of one `DaemonPortOptions` or `ClientPortOptions` line; complaints have been made.
    pub(super) fn port(&mut self, value: &[u8], default_name: String) -> DaemonPort {
        let mut port = DaemonPort { name: default_name.into(), ..DaemonPort::default() };
        for part in value.split(|b| *b == b',').map(trim) {
            let Some((key, text)) = split_once(part, b'=') else { continue };
            self.port_key(&mut port, part, key.first().copied().unwrap_or(0), trim(text));
        }
        let shown = |text: &Bytes| String::from_utf8_lossy(text).into_owned();
        if let Some(service) = port.port.as_ref().filter(|p| !self.outside.is_service(p)) {
            let text = format!("service \"{}\" unknown", shown(service));
            self.error(text);
        }
        let inet = port.family != Family::Local;
        if let Some(address) = port.address.as_ref().filter(|a| inet && !self.outside.is_address(a, port.family)) {
            let text = format!("host \"{}\" unknown", shown(address));
            self.error(text);
        }
        port
    }

    /// One `key=value`; only the first letter of a key counts, and its case where two keys share it.
    fn port_key(&mut self, port: &mut DaemonPort, part: &[u8], key: u8, text: &[u8]) {
        let number = leading_number(text);
        match key {
            b'A' | b'a' => port.address = Some(Bytes::copy_from_slice(text)),
            b'c' => port.children = Some(number),
            b'D' => match text.first().copied().filter(u8::is_ascii_lowercase).and_then(DeliveryMode::from_letter) {
                Some(mode) => port.delivery_mode = Some(mode),
                None => self.error(format!("Unknown delivery mode {}", String::from_utf8_lossy(text))),
            },
            b'd' => port.delay_la = Some(number),
            b'F' | b'f' => match text.to_ascii_lowercase().as_slice() {
                b"inet" | b"2" => port.family = Family::Inet,
                b"inet6" | b"10" => port.family = Family::Inet6,
                b"local" | b"unix" | b"1" => port.family = Family::Local,
                _ => {
                    let text = String::from_utf8_lossy(text);
                    self.error(format!("Unknown address family {text} in Family=option"));
                }
            },
            b'I' | b'i' => {
                let names = text.split(|b| *b == b';').map(trim).filter(|n| !n.is_empty());
                port.filters = Some(names.map(Bytes::copy_from_slice).collect());
            }
            b'L' | b'l' => port.backlog = i32::try_from(number).unwrap_or(DEFAULT_BACKLOG),
            b'M' | b'm' => port.modifiers = Modifiers::from_bytes(text),
            b'N' | b'n' => port.name = Bytes::copy_from_slice(text),
            b'P' | b'p' => port.port = Some(Bytes::copy_from_slice(text)),
            b'q' => port.queue_la = Some(number),
            b'R' => port.receive_buffer_bytes = usize::try_from(number).ok(),
            b'r' => port.refuse_la = Some(number),
            b'S' | b's' => port.send_buffer_bytes = usize::try_from(number).ok(),
            _ => self.error(format!("PortOptions parameter \"{}\" unknown", String::from_utf8_lossy(part))),
        }
    }
}

impl Default for DaemonPort {
    /// Any address, the default port, IPv4.
    fn default() -> Self {
        Self {
            name: Bytes::new(),
            port: None,
            address: None,
            family: Family::Inet,
            filters: None,
            backlog: DEFAULT_BACKLOG,
            modifiers: Modifiers::default(),
            send_buffer_bytes: None,
            receive_buffer_bytes: None,
            children: None,
            delivery_mode: None,
            refuse_la: None,
            delay_la: None,
            queue_la: None,
        }
    }
}

/// Backlog of a listener that names none. Source: op guide.
const DEFAULT_BACKLOG: i32 = 10;
