//! `DaemonPortOptions` and `ClientPortOptions`.

use bytes::Bytes;

use super::values::DeliveryMode;
use crate::base::letters::LetterSet;

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
    pub modifiers: LetterSet,
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
