//! Connections per client: how many are open, how many came lately.

use std::collections::HashMap;
use std::collections::VecDeque;
use std::net::IpAddr;
use std::time::Duration;

use crate::base::time::UnixTime;

/// Counts for `${client_rate}`, `${total_rate}` and `${client_connections}`.
///
/// Bounds: clients that have no open connection and none in the window are forgotten; at most [`MOST_CLIENTS`] are kept.
#[derive(Debug)]
pub struct Rates {
    window: Duration,
    clients: HashMap<IpAddr, Client>,
    all: VecDeque<(UnixTime, u64)>,
    swept: UnixTime,
}

/// What is known about one client.
#[derive(Debug, Default)]
struct Client {
    open: u64,
    recent: VecDeque<(UnixTime, u64)>,
}

/// The three numbers at the moment of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// Connections of this client in the window, this one included.
    pub client_rate: u64,
    /// Connections of all in the window.
    pub total_rate: u64,
    /// Open connections of this client.
    pub client_connections: u64,
}

impl Rates {
    /// Counts over a window (`ConnectionRateWindowSize`).
    pub fn new(window: Duration) -> Self {
        Self { window, clients: HashMap::new(), all: VecDeque::new(), swept: UnixTime(0) }
    }

    /// A connection came.
    pub fn open(&mut self, address: IpAddr, now: UnixTime) -> Counts {
        self.sweep(now);
        count(&mut self.all, now);
        let total_rate = sum(&mut self.all, now, self.window);
        if self.clients.len() >= MOST_CLIENTS && !self.clients.contains_key(&address) {
            return Counts { client_rate: 1, total_rate, client_connections: 1 };
        }
        let client = self.clients.entry(address).or_default();
        client.open += 1;
        count(&mut client.recent, now);
        let client_rate = sum(&mut client.recent, now, self.window);
        Counts { client_rate, total_rate, client_connections: client.open }
    }

    /// A connection ended.
    pub fn close(&mut self, address: IpAddr) {
        if let Some(client) = self.clients.get_mut(&address) {
            client.open = client.open.saturating_sub(1);
        }
    }

    /// Forgets clients without news, at most once a window.
    fn sweep(&mut self, now: UnixTime) {
        if now.since(self.swept) < self.window && self.clients.len() < MOST_CLIENTS {
            return;
        }
        self.swept = now;
        let window = self.window;
        self.clients.retain(|_, client| sum(&mut client.recent, now, window) > 0 || client.open > 0);
    }
}

/// Adds one to the entry of this second.
fn count(recent: &mut VecDeque<(UnixTime, u64)>, now: UnixTime) {
    match recent.back_mut() {
        Some((at, n)) if *at == now => *n += 1,
        _ => recent.push_back((now, 1)),
    }
}

/// What lies within the window; older entries are dropped.
fn sum(recent: &mut VecDeque<(UnixTime, u64)>, now: UnixTime, window: Duration) -> u64 {
    while recent.front().is_some_and(|(at, _)| now.since(*at) >= window) {
        recent.pop_front();
    }
    recent.iter().map(|(_, n)| n).sum()
}

/// Most clients counted at a time.
pub const MOST_CLIENTS: usize = 100_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn old_connections_leave_the_window() {
        let mut rates = Rates::new(Duration::from_secs(60));
        let a: IpAddr = "192.0.2.1".parse().unwrap();
        let b: IpAddr = "192.0.2.2".parse().unwrap();
        assert_eq!(rates.open(a, UnixTime(100)).client_rate, 1);
        assert_eq!(rates.open(b, UnixTime(110)).total_rate, 2);
        let counts = rates.open(a, UnixTime(120));
        assert_eq!(counts, Counts { client_rate: 2, total_rate: 3, client_connections: 2 });
        rates.close(a);
        rates.close(a);
        let counts = rates.open(a, UnixTime(165));
        assert_eq!(counts, Counts { client_rate: 2, total_rate: 3, client_connections: 1 });
    }
}
