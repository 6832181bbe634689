//! A name server that answers from a list and may vouch for it.

use std::net::{Ipv4Addr, UdpSocket};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

/// The server; it ends with the test.
pub struct FakeDns {
    pub address: Ipv4Addr,
    is_over: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
    _one: MutexGuard<'static, ()>,
}

/// One server at a time: it has an address of the process.
static ONE: Mutex<()> = Mutex::new(());

/// Name without final dot, type, data as it goes over the wire.
pub type Entry = (String, u16, Vec<u8>);

pub const A: u16 = 1;
pub const CNAME: u16 = 5;
pub const MX: u16 = 15;
pub const TLSA: u16 = 52;

impl FakeDns {
    /// Listens on port 53 of an address of this machine; `vouches` sets the AD bit of every answer.
    pub fn start(entries: Vec<Entry>, vouches: bool) -> Self {
        let one = ONE.lock().unwrap_or_else(PoisonError::into_inner);
        let is_over = Arc::new(AtomicBool::new(false));
        let [high, low] = u16::try_from(std::process::id() % 60_000).unwrap().to_be_bytes();
        let address = Ipv4Addr::new(127, high, low, 53);
        let socket = UdpSocket::bind((address, 53)).unwrap();
        socket.set_read_timeout(Some(Duration::from_millis(50))).unwrap();
        let over = Arc::clone(&is_over);
        let thread = std::thread::spawn(move || {
            let mut question = [0; 1500];
            while !over.load(Ordering::SeqCst) {
                let Ok((length, from)) = socket.recv_from(&mut question) else { continue };
                if let Some(answer) = answer(&question[..length], &entries, vouches) {
                    let _ = socket.send_to(&answer, from);
                }
            }
        });
        Self { address, is_over, thread: Some(thread), _one: one }
    }
}

impl Drop for FakeDns {
    fn drop(&mut self) {
        self.is_over.store(true, Ordering::SeqCst);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// A name as it goes over the wire.
pub fn name(text: &str) -> Vec<u8> {
    let labels = text.split('.').filter(|label| !label.is_empty());
    let mut out: Vec<u8> = labels.flat_map(|l| [&[u8::try_from(l.len()).unwrap()], l.as_bytes()].concat()).collect();
    out.push(0);
    out
}

/// Source: RFC 1035 §4.1.
fn answer(question: &[u8], entries: &[Entry], vouches: bool) -> Option<Vec<u8>> {
    let mut at = 12;
    let mut labels = Vec::new();
    while *question.get(at)? != 0 {
        let length = usize::from(question[at]);
        labels.push(String::from_utf8_lossy(question.get(at + 1..at + 1 + length)?).to_lowercase());
        at += 1 + length;
    }
    let kind = u16::from_be_bytes([*question.get(at + 1)?, *question.get(at + 2)?]);
    let asked = labels.join(".");
    let is_known = entries.iter().any(|(name, ..)| *name == asked);
    let found: Vec<&Entry> =
        entries.iter().filter(|(name, of, _)| *name == asked && (*of == kind || *of == CNAME)).collect();
    let mut out = question[..2].to_vec();
    // Answer, recursion wished and there; no such name is 3.
    out.extend([0x81, 0x80 | if vouches { 0x20 } else { 0 } | if is_known { 0 } else { 3 }]);
    out.extend([0, 1, 0, u8::try_from(found.len()).unwrap(), 0, 0, 0, 0]);
    out.extend(&question[12..at + 5]);
    for (_, kind, data) in found {
        out.extend([0xc0, 12]);
        out.extend(kind.to_be_bytes());
        out.extend([0, 1, 0, 0, 0, 60]);
        out.extend(u16::try_from(data.len()).unwrap().to_be_bytes());
        out.extend(data);
    }
    Some(out)
}
