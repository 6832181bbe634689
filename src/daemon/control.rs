//! The control socket (`ControlSocketName`): one command a connection.
//!
//! Source: op guide 5.6 (ControlSocketName); observed (words and line ends; `HELP` comes from topic `control` of the help file).

use std::ffi::OsStr;
use std::io;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::mpsc;

use super::engine::Engine;
use super::{Stop, listen};
use crate::log::{Id, Priority};
use crate::queue::Kind;
use crate::site::Site;
use crate::smtp::help;
use crate::sys::safefile::{Purpose, Refusal};
use crate::sys::{file, load, safefile, socket, user};

/// The socket, while the daemon has it.
#[derive(Debug)]
pub(super) struct Control {
    path: PathBuf,
    listener: std::os::unix::net::UnixListener,
}

/// A command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Command {
    Help,
    Restart,
    Shutdown,
    Status,
    Mstat,
    Memdump,
}

/// All commands, sorted.
const COMMANDS: &[(&str, Command)] = &[
    ("help", Command::Help),
    ("memdump", Command::Memdump),
    ("mstat", Command::Mstat),
    ("restart", Command::Restart),
    ("shutdown", Command::Shutdown),
    ("status", Command::Status),
];

impl Control {
    /// Opens the socket that the configuration names, with rights for its owner alone: `TrustedUser`, else root. A socket of
    /// its name is removed, anything else stays and there is none. One that cannot be opened is logged, and the daemon goes on. Source: observed.
    pub(super) fn open(site: &Site) -> Option<Self> {
        let name = site.config.options.control_socket_name.as_ref()?.expand(&site.config.scope());
        if name.is_empty() {
            return None;
        }
        let path = PathBuf::from(OsStr::from_bytes(&name));
        match listening(site, &path) {
            Ok(listener) => Some(Self { path, listener }),
            Err(refusal) => {
                let text = format!("daemon could not open control socket {}: {refusal}", path.display());
                site.log.write_always(Priority::Warning, Id::None, text);
                None
            }
        }
    }

    /// Serves the socket until the daemon ends; it is removed then.
    pub(super) fn serve(self, engine: &Arc<Engine>, ask: mpsc::Sender<Stop>) -> io::Result<()> {
        let listener = UnixListener::from_std(self.listener)?;
        let path = self.path;
        let engine = Arc::clone(engine);
        let mut stop = engine.stopping();
        tokio::spawn(async move {
            loop {
                let accepted = tokio::select! {
                    accepted = listener.accept() => accepted,
                    _ = stop.wait_for(|stop| *stop) => break,
                };
                match accepted {
                    Ok((stream, _)) => {
                        let (engine, ask) = (Arc::clone(&engine), ask.clone());
                        tokio::spawn(async move { dialogue(&engine, stream, &ask).await });
                    }
                    // Out of descriptors: others must end first.
                    Err(_) => tokio::time::sleep(AFTER_FAILURE).await,
                }
            }
            if file::facts_of(&path).is_ok_and(|facts| facts.is_socket()) {
                // As RunAsUser it may not be ours to remove; the next start does.
                let _ = file::unlink(&path);
            }
        });
        Ok(())
    }
}

fn listening(site: &Site, path: &Path) -> Result<std::os::unix::net::UnixListener, Refusal> {
    let options = &site.config.options;
    let (directory, name) = safefile::open_parent(path, Purpose::FilterSocket, &site.judge())?;
    match directory.facts(&name) {
        Ok(facts) if facts.is_socket() => directory.unlink(&name)?,
        Ok(_) => return Err(io::Error::from_raw_os_error(libc::ENOTSOCK).into()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(error.into()),
    }
    let listener = socket::listen_local(path, 0o600, BACKLOG)?;
    if let Some(owner) = options.trusted_user.filter(|owner| *owner != 0 && user::effective_uid() == 0) {
        directory.set_owner(&name, owner)?;
    }
    listener.set_nonblocking(true)?;
    Ok(listener)
}

/// Reads a line, answers, closes.
async fn dialogue(engine: &Arc<Engine>, mut stream: UnixStream, ask: &mpsc::Sender<Stop>) {
    let limit = engine.site.config.timeouts.control;
    let Ok(Some(line)) = tokio::time::timeout(limit, line(&mut stream)).await else { return };
    let word = line.split(u8::is_ascii_whitespace).next().unwrap_or_default().to_ascii_lowercase();
    let word = String::from_utf8_lossy(&word).into_owned();
    let command = COMMANDS.binary_search_by(|(name, _)| (*name).cmp(&word)).ok().and_then(|at| COMMANDS.get(at));
    let Some((_, command)) = command else {
        let shown = String::from_utf8_lossy(&line).into_owned();
        return send(&mut stream, &format!("Bad command ({shown})\r\n")).await;
    };
    let text = match command {
        Command::Help => help_text(&engine.site),
        Command::Restart | Command::Shutdown => "OK\r\n".to_owned(),
        Command::Status => status(engine),
        Command::Mstat => machine_status(engine).await,
        Command::Memdump => memory(),
    };
    send(&mut stream, &text).await;
    let stop = match command {
        Command::Restart => Stop::Restart,
        Command::Shutdown => Stop::End,
        _ => return,
    };
    // It is ending already when nobody listens.
    let _ = ask.send(stop).await;
}

/// A line without its end; none when the other side goes or says too much.
async fn line(stream: &mut UnixStream) -> Option<Vec<u8>> {
    let mut text = Vec::new();
    let mut block = [0u8; 256];
    loop {
        let length = stream.read(&mut block).await.ok().filter(|length| *length > 0)?;
        text.extend_from_slice(block.get(..length)?);
        if let Some(end) = text.iter().position(|b| *b == b'\n') {
            text.truncate(end);
            if text.last() == Some(&b'\r') {
                text.pop();
            }
            return Some(text);
        }
        if text.len() > LONGEST {
            return None;
        }
    }
}

async fn send(stream: &mut UnixStream, text: &str) {
    // Who asked may be gone.
    let _ = stream.write_all(text.as_bytes()).await;
    let _ = stream.shutdown().await;
}

fn help_text(site: &Site) -> String {
    let text = listen::help_text(site).unwrap_or_default();
    match help::lines(&text, TOPIC, &site.config.scope()) {
        Some(lines) => {
            let lines = lines.iter().map(|line| format!("{}\n", String::from_utf8_lossy(line)));
            lines.chain(["End of HELP info\n".to_owned()]).collect()
        }
        None => "HELP topic \"control\" unknown\n".to_owned(),
    }
}

/// `sessions/most/kilobytes free/load` and a line for each thing that is done, with the one process that does it.
fn status(engine: &Engine) -> String {
    let most = engine.site.config.options.max_daemon_children;
    let head = format!("{}/{most}/{}/{}", children(engine), free(&engine.site), engine.load.average());
    lines([head].into_iter().chain(tasks(engine)))
}

/// The same with a letter for each number, and the number of messages in each queue directory.
async fn machine_status(engine: &Engine) -> String {
    let options = &engine.site.config.options;
    let mut text = vec![
        format!("C:{}", children(engine)),
        format!("M:{}", options.max_daemon_children),
        format!("L:{}", engine.load.average()),
    ];
    match engine.site.spool() {
        Ok(spool) if options.shared_memory_key != 0 => {
            let entries = spool.scan().await.unwrap_or_default();
            for directory in (0..spool.groups()).flat_map(|group| spool.directories_of(group)) {
                let path = spool.path_of(*directory).map(|path| path.display().to_string()).unwrap_or_default();
                let here = entries.iter().filter(|e| e.directory == *directory && e.kind == Kind::Normal).count();
                text.push(format!("Q:{path}:{here}"));
            }
        }
        _ => text.push("Q:NOTCONFIGURED:-1".to_owned()),
    }
    text.push(format!("D:0/./{}", free(&engine.site)));
    text.extend(tasks(engine).into_iter().map(|task| format!("P:{task}")));
    lines(text)
}

fn lines(lines: impl IntoIterator<Item = String>) -> String {
    lines.into_iter().flat_map(|line| [line, "\r\n".to_owned()]).collect()
}

fn children(engine: &Engine) -> usize {
    engine.tasks.clients().len() + usize::from(engine.lanes().is_running())
}

/// All of it is done by this one process.
fn tasks(engine: &Engine) -> Vec<String> {
    let process = std::process::id();
    let sessions = engine.tasks.clients().into_iter().map(|client| format!("SMTP server child for {client}"));
    let runs = engine.lanes().is_running().then(|| "Queue runner".to_owned());
    let all = [engine.tasks.title()].into_iter().chain(sessions).chain(runs).chain(["console socket child".to_owned()]);
    all.map(|task| format!("{process} {task}")).collect()
}

/// Free space of the queue, kilobytes; -1 when it is not known.
fn free(site: &Site) -> i64 {
    let path = site.spool().ok().and_then(|spool| spool.path_of(0).map(Path::to_owned));
    let space = path.and_then(|path| load::space(&path).ok());
    space.map_or(-1, |space| i64::try_from(space.free_bytes() / 1024).unwrap_or(i64::MAX))
}

/// What the kernel says of this process's memory.
fn memory() -> String {
    let text = file::read("/proc/self/status".as_ref(), STATUS).unwrap_or_default();
    let text = String::from_utf8_lossy(&text).into_owned();
    let text = lines(text.lines().filter(|line| line.starts_with("Vm")).map(str::to_owned));
    if text.is_empty() { "Memory dump unavailable.\r\n".to_owned() } else { text }
}

/// Topic of the help file.
const TOPIC: &[u8] = b"control";
/// Longest command, bytes.
const LONGEST: usize = 1024;
/// Longest `/proc/self/status`, bytes.
const STATUS: usize = 64 * 1024;
const BACKLOG: i32 = 8;
/// Pause after a failure to accept.
const AFTER_FAILURE: std::time::Duration = std::time::Duration::from_millis(500);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_are_sorted() {
        assert!(COMMANDS.is_sorted_by_key(|(name, _)| *name));
    }
}
