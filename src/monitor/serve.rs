//! Serving requests: the side that has the privileges.
//!
//! Nothing here waits for a peer, a user or a program; what takes time is handed back as descriptors.

use std::ffi::OsStr;
use std::fs::File;
use std::net::TcpListener;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::process::Child;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;

use super::append::Settings;
use super::request::{AppendAsUser, MapProgram, ReadAsUser, RunMailer};
use super::{Error, check, child};
use crate::config::Config;
use crate::config::values::TimeZoneSpec;
use crate::log::{Id, Level, Logger, Priority};
use crate::sys::safefile::{self, Judge, Opened, Purpose};
use crate::sys::socket::{self, Listen};
use crate::sys::spawn::{self, Launch, Stream};
use crate::sys::user::{self, Identity};
use crate::sys::{env, file};

/// Checks and serves requests.
#[derive(Debug, Clone)]
pub struct Server {
    config: Arc<Config>,
    logger: Logger,
    /// What roles are started from.
    executable: PathBuf,
}

/// A started program with this side of its descriptors.
#[derive(Debug)]
pub struct Started {
    /// The process; it leads a session of its own.
    pub child: Child,
    /// Its standard input.
    pub stdin: Option<OwnedFd>,
    /// Its standard output.
    pub stdout: OwnedFd,
    /// Its standard error when that is kept apart.
    pub stderr: Option<OwnedFd>,
}

/// Who does a piece of work.
#[derive(Debug)]
pub enum By<T> {
    /// A child that was started for it.
    Child(Started),
    /// This process, which has the right identity already.
    Self_(T),
}

/// A file to be read here.
#[derive(Debug)]
pub struct ReadHere {
    /// The file.
    pub path: PathBuf,
    /// What it is for.
    pub purpose: Purpose,
    /// For whom.
    pub judge: Judge,
    /// Most bytes.
    pub limit: usize,
}

impl Server {
    /// A server for this configuration.
    pub fn new(config: Arc<Config>, logger: Logger) -> Self {
        Self { config, logger, executable: env::own_executable() }
    }

    /// The same with roles started from another executable. For tests, whose own has no roles.
    #[must_use]
    pub fn with_executable(self, executable: PathBuf) -> Self {
        Self { executable, ..self }
    }

    /// The configuration that requests are checked against.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// Starts a mailer's program.
    pub fn run_mailer(&self, request: &RunMailer) -> Result<Started, Error> {
        let (mailer, (uid, gid)) = self.said(check::run_mailer(&self.config, request))?;
        let path = PathBuf::from(OsStr::from_bytes(&mailer.path));
        self.warn_of_unsafe_program(&path)?;
        let mut launch = Launch::new(path);
        launch.argv.clone_from(&request.argv);
        launch.environment = self.environment();
        launch.identity = self.identity_to_take(uid, gid)?;
        launch.directories = request.directories.iter().map(|d| OsStr::from_bytes(d).into()).collect();
        // Where nothing else is said it begins in the queue directory. Source: op guide 5.4 (D=); observed.
        launch.begins_in = request.root.is_none().then(|| self.config.queue_root());
        launch.root = request.root.as_ref().map(|d| OsStr::from_bytes(d).into());
        launch.nice = mailer.nice;
        launch.umask = MAILER_UMASK;
        start(launch, true, request.is_dialogue)
    }

    /// Starts an appending, or says with which settings it is to be done here.
    pub fn append(&self, request: &AppendAsUser) -> Result<By<Settings>, Error> {
        let (uid, gid) = self.said(check::append(&self.config, request))?;
        let options = &self.config.options;
        let settings = Settings {
            path: OsStr::from_bytes(&request.path).into(),
            judge: self.judge(uid),
            mode: options.temp_file_mode.0,
            root: options.safe_file_environment.as_ref().map(|p| PathBuf::from(OsStr::from_bytes(p))),
            lock_limit: LOCK_LIMIT,
        };
        let Some(identity) = self.identity_to_take(uid, gid)? else { return Ok(By::Self_(settings)) };
        let mut launch = self.role();
        launch.argv = child::append_args(&settings);
        launch.identity = Some(identity);
        Ok(By::Child(start(launch, true, false)?))
    }

    /// Starts the reading of a user's file, or says how it is to be done here.
    pub fn read_as_user(&self, request: &ReadAsUser) -> Result<By<ReadHere>, Error> {
        self.said(check::read_as_user(request))?;
        let judge = self.judge(request.user.0);
        let Some(identity) = self.identity_to_take(request.user.0, request.user.1)? else {
            let (path, purpose, limit) = (request.path.clone(), request.purpose, request.limit);
            return Ok(By::Self_(ReadHere { path, purpose, judge, limit }));
        };
        // Most users have no .forward file. Root sees that without becoming the user.
        if let Err(e) = file::facts_of(&request.path)
            && matches!(e.raw_os_error(), Some(libc::ENOENT | libc::ENOTDIR))
        {
            return Err(Error::File(e.into()));
        }
        let mut launch = self.role();
        launch.argv = child::read_args(request.path.as_os_str(), request.purpose, &judge, request.limit);
        launch.identity = Some(identity);
        Ok(By::Child(start(launch, false, false)?))
    }

    /// Starts a map's program.
    pub fn map_program(&self, request: &MapProgram) -> Result<Started, Error> {
        self.said(check::map_program(&self.config, request))?;
        let path = request.argv.first().map(|p| PathBuf::from(OsStr::from_bytes(p))).unwrap_or_default();
        let mut launch = Launch::new(path);
        launch.argv = request.argv.iter().chain(&request.arguments).cloned().collect();
        launch.environment = self.environment();
        let (uid, gid) = check::identity_of(&self.config, None, None, None);
        launch.identity = self.identity_to_take(uid, gid)?;
        launch.umask = MAILER_UMASK;
        start(launch, false, true)
    }

    /// Opens a file under the rules of its purpose.
    pub fn open_protected(&self, path: &Path, purpose: Purpose) -> Result<Opened, Error> {
        Ok(safefile::open(path, purpose, &self.judge(user::effective_uid()))?)
    }

    /// Opens a listening socket.
    pub fn open_listener(&self, request: &Listen) -> Result<TcpListener, Error> {
        self.said(check::listener(&self.config, request.address.port()))?;
        Ok(socket::listen(request)?)
    }

    /// `AGENT`, `TZ` when it is to be known, and what E lines name. Source: observed; op guide, E lines.
    fn environment(&self) -> Vec<(Bytes, Bytes)> {
        let mut out = vec![(Bytes::from_static(b"AGENT"), Bytes::from_static(b"sendmail"))];
        let zone = match &self.config.options.time_zone_spec {
            TimeZoneSpec::System => None,
            TimeZoneSpec::Caller => env::var("TZ").map(|tz| Bytes::copy_from_slice(tz.as_bytes())),
            TimeZoneSpec::Named(name) => Some(name.clone()),
        };
        out.extend(zone.map(|zone| (Bytes::from_static(b"TZ"), zone)));
        for (name, value) in &self.config.environment {
            let value = match value {
                Some(value) => Some(value.clone()),
                None => env::var(OsStr::from_bytes(name)).map(|v| Bytes::copy_from_slice(v.as_bytes())),
            };
            out.extend(value.map(|value| (name.clone(), value)));
        }
        out
    }

    fn judge(&self, uid: u32) -> Judge {
        let options = &self.config.options;
        Judge { uid, dont_blame: options.dont_blame_sendmail.0, trusted_uid: options.trusted_user }
    }

    /// Programs that others could change are run, as the original does, but not silently; by root they are not.
    fn warn_of_unsafe_program(&self, path: &Path) -> Result<(), Error> {
        match safefile::check(path, Purpose::Program, &self.judge(0)) {
            Err(safefile::Refusal::Rule(fault)) => {
                let text = format!("Warning: program {} unsafe: {}", path.display(), fault.text());
                self.logger.write(Level(0), Priority::Alert, Id::None, &text);
                if user::effective_uid() == 0 && fault == safefile::Fault::WorldWritableFile {
                    return Err(Error::Refused(text));
                }
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// This executable in another role.
    fn role(&self) -> Launch {
        let mut launch = Launch::new(&self.executable);
        launch.no_new_privileges = true;
        launch
    }

    /// Whom to become: nobody else when this process is not root, and nobody else when it has the identity already.
    fn identity_to_take(&self, uid: u32, gid: u32) -> Result<Option<Identity>, Error> {
        if user::effective_uid() != 0 || (uid, gid) == (0, user::effective_gid()) {
            return Ok(None);
        }
        if self.config.options.dont_init_groups {
            return Ok(Some(Identity::without_groups(uid, gid)));
        }
        Ok(Some(Identity::of(uid, gid)?))
    }

    fn said<T>(&self, result: Result<T, Error>) -> Result<T, Error> {
        if let Err(Error::Refused(why)) = &result {
            self.logger.write_always(Priority::Alert, Id::None, format_args!("monitor: refused: {why}"));
        }
        result
    }
}

fn start(mut launch: Launch, has_input: bool, keeps_errors_apart: bool) -> Result<Started, Error> {
    let path = launch.path.display().to_string();
    let mut stdin = None;
    if has_input {
        let (theirs, ours) = spawn::pipe()?;
        launch.stdin = Stream::Descriptor(theirs);
        stdin = Some(ours);
    }
    let (stdout, theirs) = spawn::pipe()?;
    let mut stderr = None;
    if keeps_errors_apart {
        let (ours, errors) = spawn::pipe()?;
        launch.stderr = Stream::Descriptor(errors);
        stderr = Some(ours);
    } else {
        launch.stderr = Stream::Descriptor(theirs.try_clone()?);
    }
    launch.stdout = Stream::Descriptor(theirs);
    let child = launch.start().map_err(|source| Error::Start { path, source })?;
    Ok(Started { child, stdin, stdout, stderr })
}

/// Appends here, from a pipe. For a thread that may block.
pub fn append_here(settings: &Settings, input: OwnedFd) -> super::append::Outcome {
    super::append::append(settings, &mut File::from(input))
}

/// Source: observed (`umask` in a program of an alias).
const MAILER_UMASK: u32 = 0o022;
const LOCK_LIMIT: Duration = Duration::from_secs(60);
