//! Loads a configuration: the file, the class files it names, users and interfaces of this machine.

use std::ffi::OsStr;
use std::net::{IpAddr, Ipv6Addr};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use bytes::Bytes;

use super::assign::Setting;
use super::daemon_port::Family;
use super::diagnostic::Severity;
use super::dontblame::DontBlame;
use super::outside::{Account, Outside};
use super::reader::Reader;
use super::values::{FileMode, ProbeInterfaces, UserSpec};
use super::{Config, Diagnostic};
use crate::base::domain;
use crate::base::exit::Exit;
use crate::macros::{MacroId, Value, names};
use crate::sys::{file, host, safefile, spawn, user};

/// What counts beside the file itself.
#[derive(Debug, Clone, Default)]
pub struct LoadOptions {
    /// `-O`, `-o`, `-M` and the flags that stand for options, in command line order; they win over the file.
    pub settings: Vec<Setting>,
    /// The file was chosen with `-C`: it is judged with the rights of the caller.
    pub chosen_by_user: bool,
    /// Letter of the operation mode, value of `${opMode}`.
    pub mode: Option<u8>,
    /// Options that anybody may set to a higher value are not lowered by `settings`.
    pub only_raises: bool,
    /// What `-d` shows of the reading is kept in [`Config::traces`].
    pub is_traced: bool,
    /// Programs that `F` lines name are not run; their classes stay empty.
    pub without_programs: bool,
    /// The file is for another machine: users and groups that this one lacks are there, class files that it lacks are empty.
    pub for_another_machine: bool,
}

/// Reads the file at `path` and everything it names.
///
/// The configuration is complete even when there are findings: what a bad line would have set keeps its old value.
/// Findings are in the original's order: the command line's first.
pub fn load(path: &Path, options: &LoadOptions) -> (Config, Vec<Diagnostic>) {
    let machine = Machine { runs_programs: !options.without_programs, is_another: options.for_another_machine };
    let mut reader = Reader::new(path, options.mode, &machine);
    set_host_names(&mut reader.config);
    if user::effective_uid() == 0 && user::real_uid() != 0 {
        // A set-user-id program's files are told apart from root's by their mode. Source: op guide 5.6 (TempFileMode).
        reader.config.options.temp_file_mode = FileMode(0o644);
        reader.config.options.queue_file_mode = FileMode(0o644);
    }
    reader.only_raises = options.only_raises;
    reader.is_traced = options.is_traced;
    for setting in &options.settings {
        reader.command_line(setting);
    }
    if reader.has_ended() {
        return (reader.config, reader.findings);
    }
    match read_config(path, options.chosen_by_user) {
        Ok(text) => reader.read(&text),
        Err(reason) => {
            reader.findings.push(Diagnostic {
                path: None,
                line: 0,
                text: format!("{}: line 0: cannot open: {reason}", path.display()),
                severity: Severity::Fatal,
                exit: Exit::OSFILE,
            });
            return (reader.config, reader.findings);
        }
    }
    if reader.has_ended() {
        return (reader.config, reader.findings);
    }
    reader.finish();
    set_interface_names(&mut reader.config);
    let official = reader.config.scope().text(names::HOST);
    reader.config.classes.add(class(b'w'), &official);
    (reader.config, reader.findings)
}

fn read_config(path: &Path, chosen_by_user: bool) -> Result<Vec<u8>, String> {
    // A file that the caller chose is opened with the caller's rights; nothing else protects the program from it.
    let opened = if chosen_by_user {
        file::open_read_following(path).map_err(|e| safefile::error_text(&e))
    } else {
        let judge = safefile::Judge { uid: user::effective_uid(), dont_blame: 0, trusted_uid: None };
        safefile::open(path, safefile::Purpose::Configuration, &judge).map(|o| o.file).map_err(|e| e.to_string())
    };
    file::read_limited(&mut opened?, LARGEST_FILE).map_err(|e| safefile::error_text(&e))
}

/// The machine the program runs on.
struct Machine {
    runs_programs: bool,
    /// It only stands for the one that the file is for.
    is_another: bool,
}

impl Machine {
    /// A user of the other machine.
    fn elsewhere(&self, name: &[u8]) -> Option<Account> {
        self.is_another.then(|| Account { uid: UNKNOWN, gid: UNKNOWN, name: Bytes::copy_from_slice(name) })
    }
}

impl Outside for Machine {
    fn user(&self, name: &[u8]) -> Option<Account> {
        user::by_name(name).ok().flatten().map(account).or_else(|| self.elsewhere(name))
    }

    fn user_by_number(&self, uid: u32) -> Option<Account> {
        user::by_uid(uid).ok().flatten().map(account)
    }

    fn group(&self, name: &[u8]) -> Option<u32> {
        user::group(name).ok().flatten().or(self.is_another.then_some(UNKNOWN))
    }

    fn class_file(&self, path: &[u8], blame: DontBlame) -> Result<Vec<u8>, String> {
        let judge = safefile::Judge { uid: user::effective_uid(), dont_blame: blame.0, trusted_uid: None };
        let path = Path::new(OsStr::from_bytes(path));
        let mut opened = match safefile::open(path, safefile::Purpose::Class, &judge) {
            Err(_) if self.is_another => return Ok(Vec::new()),
            opened => opened.map_err(|e| e.to_string())?,
        };
        file::read_limited(&mut opened.file, LARGEST_FILE).map_err(|e| safefile::error_text(&e))
    }

    fn class_program(&self, command: &[u8], user: &UserSpec, directory: Option<&[u8]>) -> Result<Vec<u8>, String> {
        if !self.runs_programs {
            return Ok(Vec::new());
        }
        let mut words = command.split(u8::is_ascii_whitespace).filter(|w| !w.is_empty());
        let Some(path) = words.next() else { return Ok(Vec::new()) };
        let mut launch = spawn::Launch::new(OsStr::from_bytes(path));
        launch.argv = std::iter::once(path).chain(words).map(Bytes::copy_from_slice).collect();
        launch.environment = vec![(Bytes::from_static(b"AGENT"), Bytes::from_static(b"sendmail"))];
        launch.directories = directory.map(|path| PathBuf::from(OsStr::from_bytes(path))).into_iter().collect();
        // What a program prints is configuration, what it does is its own: never with root's rights.
        if user::effective_uid() == 0 {
            let identity = user::Identity::of(user.uid, user.gid);
            launch.identity = Some(identity.map_err(|e| safefile::error_text(&e))?);
        }
        launch.stdout = spawn::Stream::Pipe;
        // A program that cannot be started adds nothing and is no error (observed).
        let Ok(mut child) = launch.start() else { return Ok(Vec::new()) };
        let mut output = child.stdout.take();
        let text = output.as_mut().map_or(Ok(Vec::new()), |pipe| file::read_limited(pipe, LARGEST_FILE));
        let ended = child.wait();
        ended.and(text).map_err(|e| safefile::error_text(&e))
    }

    fn is_address(&self, address: &[u8], family: Family) -> bool {
        let Ok(text) = std::str::from_utf8(address) else { return false };
        let bare = text.strip_prefix("IPv6:").unwrap_or(text);
        let bare = bare.strip_prefix('[').and_then(|t| t.strip_suffix(']')).unwrap_or(bare);
        match bare.parse::<IpAddr>() {
            Ok(ip) => ip.is_ipv6() == (family == Family::Inet6),
            Err(_) => self.is_another || host::canonical_name(bare).is_some(),
        }
    }

    fn is_service(&self, port: &[u8]) -> bool {
        self.is_another || std::str::from_utf8(port).is_ok_and(|name| host::service_port(name).is_some())
    }
}

fn account(found: user::Account) -> Account {
    Account { name: found.name, uid: found.uid, gid: found.gid }
}

/// `$j $w $m $k $=w $=k` from the host's own name, before the file is read.
fn set_host_names(config: &mut Config) {
    let own = host::name().unwrap_or_default();
    let full = host::canonical_name(&own).filter(|name| name.contains('.')).unwrap_or_else(|| own.clone());
    let full = domain::without_final_dot(full.as_bytes()).to_vec();
    let mut put = |id: MacroId, text: &[u8]| {
        std::sync::Arc::make_mut(&mut config.macros).insert(id, Value::Text(Bytes::copy_from_slice(text)));
    };
    put(names::HOST, &full);
    // The first label alone from level 5 of the language on; the V line says which it is.
    put(names::HOST_LABEL, &full);
    put(names::UNAME, &full);
    let parent = domain::parent(&full);
    if !parent.is_empty() {
        put(names::DOMAIN, parent);
        config.classes.add(class(b'm'), parent);
    }
    config.classes.add(class(b'k'), &full);
    for name in [full.as_slice(), own.as_bytes()] {
        config.classes.add(class(b'w'), name);
    }
    for name in hosts_file_names(&full) {
        config.classes.add(class(b'w'), &name);
    }
    for address in host::addresses(&own) {
        config.classes.add(class(b'w'), bracketed(address).as_bytes());
    }
}

/// The names that the hosts file gives to a host beside the one asked for.
fn hosts_file_names(host: &[u8]) -> Vec<Vec<u8>> {
    // Without the file there are no such names.
    let text = file::read_following(Path::new("/etc/hosts"), HOSTS_FILE).unwrap_or_default();
    let mut found = Vec::new();
    for line in text.split(|b| *b == b'\n') {
        let words = line.split(|b| *b == b'#').next().unwrap_or_default();
        let names: Vec<&[u8]> = words.split(u8::is_ascii_whitespace).filter(|w| !w.is_empty()).skip(1).collect();
        if names.iter().any(|name| name.eq_ignore_ascii_case(host)) {
            found.extend(names.into_iter().map(<[u8]>::to_vec));
        }
    }
    found
}

/// Most of the hosts file that is read, bytes.
const HOSTS_FILE: usize = 16 * 1024 * 1024;

/// Names and addresses of the interfaces for `$=w`, as `DontProbeInterfaces` allows.
fn set_interface_names(config: &mut Config) {
    let probe = config.options.dont_probe_interfaces;
    if probe == ProbeInterfaces::None {
        return;
    }
    let interfaces = host::interfaces().unwrap_or_default();
    // Observed: the loopback address of IPv6 is never among them.
    let counts = |address: IpAddr| address != IpAddr::V6(Ipv6Addr::LOCALHOST);
    for interface in
        interfaces.iter().filter(|i| counts(i.address) && (!i.is_loopback || probe == ProbeInterfaces::All))
    {
        config.classes.add(class(b'w'), bracketed(interface.address).as_bytes());
        let Some(name) = host::reverse_name(interface.address) else { continue };
        let aliases = hosts_file_names(name.as_bytes());
        // Names that are new stand there in brackets, too. Source: observed.
        for name in std::iter::once(name.into_bytes()).chain(aliases) {
            if !config.classes.contains(class(b'w'), &name) {
                config.classes.add(class(b'w'), &name);
                config.classes.add(class(b'w'), &[b"[", name.as_slice(), b"]"].concat());
            }
        }
    }
}

/// An address as `$=w` holds it: `[192.0.2.1]`, `[IPv6:2001:db8:0:0:0:0:0:1]`.
fn bracketed(address: IpAddr) -> String {
    match address {
        IpAddr::V4(v4) => format!("[{v4}]"),
        IpAddr::V6(v6) => {
            let groups: Vec<String> = v6.segments().iter().map(|g| format!("{g:x}")).collect();
            format!("[IPv6:{}]", groups.join(":"))
        }
    }
}

fn class(letter: u8) -> MacroId {
    MacroId(u16::from(letter))
}

/// Number of a user or group that this machine does not know. Source: nobody's, by custom.
const UNKNOWN: u32 = 65_534;
/// Largest cf or class file that is read, bytes.
const LARGEST_FILE: usize = 256 * 1024 * 1024;

impl Config {
    /// `QueueDirectory`, or where the directories lie that it stands for: what relative paths begin at.
    pub fn queue_root(&self) -> PathBuf {
        let path = self.options.queue_directory.as_deref().unwrap_or(b".");
        let path = match path.strip_suffix(b"*") {
            Some(stem) => memchr::memrchr(b'/', stem).and_then(|at| stem.get(..at)).unwrap_or(b"."),
            None => path,
        };
        PathBuf::from(OsStr::from_bytes(path))
    }

    /// `StatusFile`, when one is named; a relative path lies in the queue directory.
    pub fn status_file(&self) -> Option<PathBuf> {
        let path = self.options.status_file.as_ref().filter(|path| !path.is_empty())?;
        Some(self.queue_root().join(OsStr::from_bytes(path)))
    }
}
