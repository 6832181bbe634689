//! The engine's side: requests out, pipes and answers in.
//!
//! Today requests are served by this process; a transport that passes them to another process replaces [`Transport`] and
//! nothing else, because all that comes back are descriptors and numbers.
//!
//! Being dropped: a dropped [`Running`], [`Waiting`] or [`Appending`] ends its program with all that it started. A dropped
//! [`Appending`] leaves the file as it was.

use std::net::TcpListener;
use std::os::fd::OwnedFd;
use std::path::Path;
use std::process::Child;
use std::sync::Arc;
use std::time::Duration;
use std::{io, thread};

use bytes::{Bytes, BytesMut};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::unix::pipe;
use tokio::task::{self, JoinHandle};
use tokio::time;

use super::append::{self, Outcome};
use super::request::{AppendAsUser, MapProgram, ProgramOutput, ReadAsUser, RunMailer, UserFile};
use super::serve::{self, By, ReadHere, Server, Started};
use super::{Error, child};
use crate::base::exit::Exit;
use crate::config::Config;
use crate::log::Logger;
use crate::sys::safefile::{Opened, Purpose, Refusal};
use crate::sys::socket::Listen;
use crate::sys::spawn::{self, Ended, ExitWatch};

/// Where the engine sends its requests. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Port(Arc<Transport>);

#[derive(Debug)]
enum Transport {
    /// Requests are served by this process.
    InProcess(Server),
}

/// A program's input and output as one stream, for LMTP over pipes.
pub type Dialogue = tokio::io::Join<pipe::Receiver, pipe::Sender>;

/// A running program.
#[derive(Debug)]
pub struct Running {
    /// Its standard input; drop it to end the input.
    pub stdin: pipe::Sender,
    /// Its standard output, with standard error unless it speaks LMTP.
    pub stdout: pipe::Receiver,
    /// Its end.
    pub waiting: Waiting,
}

impl Running {
    /// Input and output as one stream.
    pub fn into_dialogue(self) -> (Dialogue, Waiting) {
        (tokio::io::join(self.stdout, self.stdin), self.waiting)
    }

    /// Ends the input, takes the output (at most `limit` bytes of it) and waits for the end.
    pub async fn finish(self, limit: usize) -> io::Result<ProgramOutput> {
        drop(self.stdin);
        let text = collect(self.stdout, limit).await?;
        let (ended, _) = self.waiting.wait().await?;
        Ok(ProgramOutput { ended, text })
    }
}

/// The end of a program.
#[derive(Debug)]
pub struct Waiting {
    child: Option<Child>,
    watch: ExitWatch,
    errors: Option<JoinHandle<Bytes>>,
}

impl Waiting {
    fn new(child: Child, errors: Option<OwnedFd>) -> io::Result<Self> {
        let watch = ExitWatch::new(child.id())?;
        let errors = errors.map(pipe::Receiver::from_owned_fd).transpose()?;
        let errors = errors.map(|pipe| task::spawn(async { collect(pipe, OUTPUT).await.unwrap_or_default() }));
        Ok(Self { child: Some(child), watch, errors })
    }

    /// Process number.
    pub fn pid(&self) -> Option<u32> {
        self.child.as_ref().map(Child::id)
    }

    /// Waits for the end: how it came, and what the program wrote to standard error when that was kept apart.
    pub async fn wait(mut self) -> io::Result<(Ended, Bytes)> {
        self.watch.ended().await?;
        let Some(mut child) = self.child.take() else { return Err(io::ErrorKind::NotFound.into()) };
        let ended = Ended::from(child.wait()?);
        let errors = match self.errors.take() {
            // A grandchild may hold the pipe open for long.
            Some(task) => time::timeout(AFTER_END, task).await.ok().and_then(Result::ok).unwrap_or_default(),
            None => Bytes::new(),
        };
        Ok((ended, errors))
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        if let Some(errors) = &self.errors {
            errors.abort();
        }
        if let Some(mut child) = self.child.take() {
            spawn::kill_group(child.id());
            // It is dying; somebody must take its status.
            let _ = thread::Builder::new().name("reap".to_owned()).spawn(move || child.wait());
        }
    }
}

/// A message on its way into a file.
#[derive(Debug)]
pub struct Appending {
    input: pipe::Sender,
    outcome: Outcoming,
}

#[derive(Debug)]
enum Outcoming {
    Child(pipe::Receiver, Waiting),
    Thread(JoinHandle<Outcome>),
}

impl Appending {
    /// Writes a part of the message.
    ///
    /// Errors: broken pipe when the file could not be opened; [`Appending::finish`] says why.
    pub async fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        for (length, piece) in append::pieces(bytes) {
            self.input.write_all(&length).await?;
            self.input.write_all(piece).await?;
        }
        Ok(())
    }

    /// Marks the message complete and waits until it is on disk: exit code, and words when it is not 0.
    pub async fn finish(mut self) -> io::Result<(Exit, Bytes)> {
        // A refusal before the end of the message closes the pipe; the reason comes below.
        let _ = self.input.write_all(&append::END).await;
        drop(self.input);
        match self.outcome {
            Outcoming::Thread(task) => {
                let (exit, text) = task.await.map_err(io::Error::other)?;
                Ok((exit, text.into()))
            }
            Outcoming::Child(output, waiting) => {
                let text = collect(output, OUTPUT).await?;
                match waiting.wait().await?.0 {
                    Ended::Exit(code) => Ok((Exit(code), text)),
                    Ended::Signal(..) => Ok((Exit::TEMPFAIL, text)),
                }
            }
        }
    }
}

impl Port {
    /// A port whose requests are served by this process.
    pub fn in_process(config: Arc<Config>, logger: Logger) -> Self {
        Self::served_by(Server::new(config, logger))
    }

    /// A port served by this server, in this process.
    pub fn served_by(server: Server) -> Self {
        Self(Arc::new(Transport::InProcess(server)))
    }

    /// Starts a mailer's program.
    pub async fn run_mailer(&self, request: RunMailer) -> Result<Running, Error> {
        let started = self.served(move |server| server.run_mailer(&request)).await?;
        running(started)
    }

    /// Begins to append a message to a file.
    pub async fn append_as_user(&self, request: AppendAsUser) -> Result<Appending, Error> {
        match self.served(move |server| server.append(&request)).await? {
            By::Child(started) => {
                let running = running(started)?;
                Ok(Appending { input: running.stdin, outcome: Outcoming::Child(running.stdout, running.waiting) })
            }
            By::Self_(settings) => {
                let (theirs, ours) = spawn::pipe()?;
                let task = task::spawn_blocking(move || serve::append_here(&settings, theirs));
                Ok(Appending { input: pipe::Sender::from_owned_fd(ours)?, outcome: Outcoming::Thread(task) })
            }
        }
    }

    /// Reads a `.forward` or `:include:` file as its user.
    ///
    /// Errors: [`Error::File`] with the original's words; [`Error::TimedOut`] after `Timeout.fileopen`.
    pub async fn read_as_user(&self, request: ReadAsUser) -> Result<UserFile, Error> {
        let limit = match self.config().timeouts.fileopen {
            Duration::ZERO => Duration::MAX,
            limit => limit,
        };
        time::timeout(limit, self.read_without_limit(request)).await.map_err(|_| Error::TimedOut)?
    }

    async fn read_without_limit(&self, request: ReadAsUser) -> Result<UserFile, Error> {
        let limit = request.limit;
        match self.served(move |server| server.read_as_user(&request)).await? {
            By::Self_(ReadHere { path, purpose, judge, limit }) => {
                let read = task::spawn_blocking(move || child::read(&path, purpose, &judge, limit));
                Ok(read.await.map_err(io::Error::other)??)
            }
            By::Child(started) => {
                let stdout = pipe::Receiver::from_owned_fd(started.stdout)?;
                let waiting = Waiting::new(started.child, None)?;
                let answer = collect(stdout, limit.saturating_add(ANSWER_HEAD)).await?;
                waiting.wait().await?;
                Ok(child::decode(&*answer, limit)?)
            }
        }
    }

    /// Runs a map's program: its standard output and its end.
    pub async fn run_map_program(&self, request: MapProgram) -> Result<ProgramOutput, Error> {
        let limit = request.limit;
        let started = self.served(move |server| server.map_program(&request)).await?;
        let stdout = pipe::Receiver::from_owned_fd(started.stdout)?;
        let waiting = Waiting::new(started.child, started.stderr)?;
        let text = collect(stdout, limit).await?;
        let (ended, _) = waiting.wait().await?;
        Ok(ProgramOutput { ended, text })
    }

    /// Opens a file that the engine may not open by itself. Answers at once.
    pub fn open_protected(&self, path: &Path, purpose: Purpose) -> Result<Opened, Error> {
        let Transport::InProcess(server) = &*self.0;
        server.open_protected(path, purpose)
    }

    /// Reads a small protected file whole, such as a key.
    pub fn read_protected(&self, path: &Path, purpose: Purpose, limit: usize) -> Result<Vec<u8>, Error> {
        let mut opened = self.open_protected(path, purpose)?;
        crate::sys::file::read_limited(&mut opened.file, limit).map_err(|e| Error::File(Refusal::from(e)))
    }

    /// Opens a listening socket. Answers at once.
    pub fn open_listener(&self, request: &Listen) -> Result<TcpListener, Error> {
        let Transport::InProcess(server) = &*self.0;
        server.open_listener(request)
    }

    fn config(&self) -> &Config {
        let Transport::InProcess(server) = &*self.0;
        server.config()
    }

    async fn served<T: Send + 'static>(
        &self,
        serve: impl FnOnce(&Server) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        let port = self.clone();
        let work = task::spawn_blocking(move || {
            let Transport::InProcess(server) = &*port.0;
            serve(server)
        });
        work.await.map_err(io::Error::other)?
    }
}

fn running(started: Started) -> Result<Running, Error> {
    let waiting = Waiting::new(started.child, started.stderr)?;
    let stdin = started.stdin.ok_or(io::ErrorKind::InvalidInput).map_err(io::Error::from)?;
    Ok(Running {
        stdin: pipe::Sender::from_owned_fd(stdin)?,
        stdout: pipe::Receiver::from_owned_fd(started.stdout)?,
        waiting,
    })
}

/// Reads to the end and keeps the first `limit` bytes.
async fn collect(mut from: pipe::Receiver, limit: usize) -> io::Result<Bytes> {
    let mut kept = BytesMut::new();
    let mut buffer = vec![0u8; 4096];
    loop {
        let length = from.read(&mut buffer).await?;
        if length == 0 {
            return Ok(kept.freeze());
        }
        let room = limit.saturating_sub(kept.len()).min(length);
        kept.extend_from_slice(buffer.get(..room).unwrap_or_default());
    }
}

/// Output of a program that is kept for the transcript, bytes.
pub const OUTPUT: usize = 16 * 1024;
const ANSWER_HEAD: usize = 256;
const AFTER_END: Duration = Duration::from_secs(1);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::MailerId;
    use crate::monitor::tests_support::{config_with_mailers, runtime};
    use crate::sys::{file, user};

    fn port() -> Port {
        let mut config = config_with_mailers();
        config.options.dont_blame_sendmail.0 = 1 << 32;
        // As root the mailers would run as another user, who may not look into the folders of a test.
        let own =
            crate::config::values::UserSpec { uid: user::effective_uid(), gid: user::effective_gid(), name: None };
        config.options.default_user = own;
        for mailer in &mut config.mailers {
            mailer.flags.insert(b'S');
        }
        config.environment = vec![("COLOUR".into(), Some("blue".into()))];
        Port::in_process(Arc::new(config), Logger::memory(9))
    }

    fn shell(script: &str, is_dialogue: bool) -> RunMailer {
        RunMailer {
            mailer: MailerId(0),
            argv: vec!["sh".into(), "-c".into(), script.to_owned().into()],
            controller: None,
            owner: None,
            directories: vec!["/no/such".into(), "/".into()],
            root: None,
            is_dialogue,
        }
    }

    #[test]
    fn a_mailer_reads_writes_and_ends() {
        runtime().block_on(async {
            let script = "cat; echo $AGENT $COLOUR; pwd; echo oops >&2; exit 75";
            let mut running = port().run_mailer(shell(script, false)).await.unwrap();
            running.stdin.write_all(b"in\n").await.unwrap();
            let output = running.finish(OUTPUT).await.unwrap();
            assert_eq!(output.ended, Ended::Exit(75));
            assert_eq!(output.text, "in\nsendmail blue\n/\noops\n");
        });
    }

    #[test]
    fn output_is_cut_but_taken() {
        runtime().block_on(async {
            let running = port().run_mailer(shell("yes | head -c 300000; exit 0", false)).await.unwrap();
            let output = running.finish(10).await.unwrap();
            assert_eq!((output.ended, output.text.len()), (Ended::Exit(0), 10));
        });
    }

    #[test]
    fn a_dialogue_keeps_errors_apart() {
        runtime().block_on(async {
            let running = port().run_mailer(shell("read a; echo \"<$a>\"; echo log >&2", true)).await.unwrap();
            let (mut stream, waiting) = running.into_dialogue();
            stream.write_all(b"LHLO x\n").await.unwrap();
            let mut text = String::new();
            stream.read_to_string(&mut text).await.unwrap();
            assert_eq!(text, "<LHLO x>\n");
            assert_eq!(waiting.wait().await.unwrap(), (Ended::Exit(0), Bytes::from("log\n")));
        });
    }

    #[test]
    fn a_dropped_program_is_ended() {
        runtime().block_on(async {
            let running = port().run_mailer(shell("sleep 1000 & echo $!; wait", false)).await.unwrap();
            let Running { mut stdout, waiting, .. } = running;
            let mut line = [0u8; 16];
            let length = stdout.read(&mut line).await.unwrap();
            assert!(length > 1);
            drop(waiting);
            // The pipe closes when the last process that holds it is gone.
            assert_eq!(stdout.read(&mut line).await.unwrap(), 0);
        });
    }

    #[test]
    fn a_message_is_appended_when_it_is_finished() {
        runtime().block_on(async {
            let tmp = tempfile::tempdir().unwrap();
            let path = tmp.path().join("box");
            let mut config = config_with_mailers();
            config.options.default_user = crate::config::values::UserSpec { uid: 0, gid: 0, name: None };
            config.mailers[2].flags.insert(b'S');
            let port = Port::in_process(Arc::new(config), Logger::memory(9));
            let request = AppendAsUser {
                path: path.as_os_str().as_encoded_bytes().to_vec().into(),
                mailer: Some(MailerId(2)),
                controller: None,
            };
            let mut appending = port.append_as_user(request.clone()).await.unwrap();
            appending.write(b"From a\n\nbody\n\n").await.unwrap();
            assert_eq!(appending.finish().await.unwrap().0, Exit::OK);
            let mut dropped = port.append_as_user(request).await.unwrap();
            dropped.write(b"half").await.unwrap();
            let Appending { input, outcome: Outcoming::Thread(task) } = dropped else { panic!("own identity") };
            drop(input);
            assert_eq!(task.await.unwrap().0, Exit::IOERR);
            assert_eq!(file::read(&path, 100).unwrap(), b"From a\n\nbody\n\n");
        });
    }

    #[test]
    fn a_users_file_is_waited_for_as_long_as_the_option_says() {
        let runtime =
            tokio::runtime::Builder::new_current_thread().enable_all().max_blocking_threads(1).build().unwrap();
        runtime.block_on(async {
            // The one thread that could read it has other work.
            let (held, holds) = std::sync::mpsc::channel::<()>();
            let busy = task::spawn_blocking(move || holds.recv().is_ok());
            let mut config = config_with_mailers();
            config.timeouts.fileopen = Duration::from_millis(1);
            let port = Port::in_process(Arc::new(config), Logger::memory(9));
            let user = (user::effective_uid(), user::effective_gid());
            let request = ReadAsUser { path: "/dev/null".into(), purpose: Purpose::Forward, user, limit: 100 };
            assert!(matches!(port.read_as_user(request).await, Err(Error::TimedOut)));
            drop(held);
            assert!(!busy.await.unwrap());
        });
    }

    #[test]
    fn a_users_file_is_read_and_judged() {
        runtime().block_on(async {
            let tmp = tempfile::tempdir().unwrap();
            let path = tmp.path().join(".forward");
            file::replace(&path, b"bob\n", 0o644).unwrap();
            let user = (user::effective_uid(), user::effective_gid());
            let request = ReadAsUser { path: path.clone(), purpose: Purpose::Forward, user, limit: 100 };
            assert_eq!(port().read_as_user(request.clone()).await.unwrap().text, "bob\n");
            file::set_mode(file::open_read(&path).unwrap(), 0o664).unwrap();
            let refusal = port().read_as_user(request.clone()).await.unwrap_err();
            assert_eq!(refusal.to_string(), "Group writable file");
            let gone = ReadAsUser { path: tmp.path().join("gone"), ..request };
            assert!(port().read_as_user(gone).await.unwrap_err().is_absent());
        });
    }
}
