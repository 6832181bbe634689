//! A filter that follows a script: what it is told is kept, what it says to each step is chosen beforehand.

use std::collections::HashMap;
use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

/// What it does at a step.
#[derive(Clone)]
pub enum Does {
    /// Sends these packets: letter and payload.
    Says(Vec<(u8, Vec<u8>)>),
    /// Closes the connection.
    HangsUp,
    /// Keeps the connection and takes nothing more, having said "go on" to all that may come.
    StopsReading,
}

/// The filter.
pub struct FakeMilter {
    pub port: u16,
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    /// By letter of the command; `c` (continue) for the others.
    does: HashMap<u8, Does>,
    told: Mutex<Vec<String>>,
    /// Lengths of body pieces, and all of them together.
    body: Mutex<(Vec<usize>, u64)>,
}

impl FakeMilter {
    /// A filter that does this at these commands and goes on at all others.
    pub fn new(does: &[(u8, Does)]) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let shared = Arc::new(Shared { does: does.iter().cloned().collect(), ..Shared::default() });
        let of_thread = Arc::clone(&shared);
        // It ends with the test program.
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let shared = Arc::clone(&of_thread);
                std::thread::spawn(move || serve(stream, &shared));
            }
        });
        Self { port, shared }
    }

    /// `X` line and option that put it in.
    pub fn lines(&self, flag: &str) -> String {
        format!("Xm1, S=inet:{}@127.0.0.1, {flag}T=C:20s;S:20s;R:20s;E:30s\nO InputMailFilters=m1", self.port)
    }

    /// What it was told so far, a line each.
    pub fn told(&self) -> Vec<String> {
        self.shared.told.lock().unwrap().clone()
    }

    /// Lengths of the pieces of bodies, and their sum.
    pub fn body(&self) -> (Vec<usize>, u64) {
        self.shared.body.lock().unwrap().clone()
    }
}

/// Packets at the end of a message.
pub fn says(packets: &[(u8, &[u8])]) -> Does {
    Does::Says(packets.iter().map(|(letter, payload)| (*letter, payload.to_vec())).collect())
}

fn serve(mut stream: TcpStream, shared: &Shared) {
    // The other side may go at any time.
    let _ = dialogue(&mut stream, shared);
}

fn dialogue(stream: &mut TcpStream, shared: &Shared) -> std::io::Result<()> {
    loop {
        let mut length = [0; 4];
        stream.read_exact(&mut length)?;
        let mut packet = vec![0; usize::try_from(u32::from_be_bytes(length)).unwrap()];
        stream.read_exact(&mut packet)?;
        let (letter, payload) = packet.split_first().unwrap();
        if *letter == b'B' {
            let mut body = shared.body.lock().unwrap();
            body.0.push(payload.len());
            body.1 += payload.len() as u64;
        } else {
            let words: Vec<_> = payload.split(|b| *b == 0).map(String::from_utf8_lossy).collect();
            let gap = if *letter == b'D' { "" } else { " " };
            let text = format!("{}{gap}{}", char::from(*letter), words.join(" "));
            shared.told.lock().unwrap().push(text.trim_end().to_owned());
        }
        match letter {
            b'O' => send(stream, b'O', &[6u32, 0x1ff, 0].iter().flat_map(|n| n.to_be_bytes()).collect::<Vec<_>>())?,
            b'D' | b'A' => {}
            b'Q' => return Ok(()),
            _ => match shared.does.get(letter) {
                None => send(stream, b'c', b"")?,
                Some(Does::HangsUp) => return Ok(()),
                Some(Does::StopsReading) => {
                    for _ in 0..2000 {
                        send(stream, b'c', b"")?;
                    }
                    loop {
                        std::thread::park();
                    }
                }
                Some(Does::Says(packets)) => {
                    for (letter, payload) in packets {
                        send(stream, *letter, payload)?;
                    }
                }
            },
        }
    }
}

fn send(stream: &mut TcpStream, letter: u8, payload: &[u8]) -> std::io::Result<()> {
    let mut packet = u32::try_from(payload.len() + 1).unwrap().to_be_bytes().to_vec();
    packet.push(letter);
    packet.extend_from_slice(payload);
    stream.write_all(&packet)
}
