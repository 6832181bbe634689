//! Opening the maps of a configuration.

use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;

use bytes::Bytes;

use super::aliases;
use super::classes::{self, Argument, Row, Status};
use super::file::Kind;
use super::flags::{self, Flags};
use super::ldap::spec::{self, Spec};
use super::ldap::{Directory, schema};
use super::outside::{Endpoint, Records, user_column};
use super::regex::Pattern;
use super::stored::{Closed, Columns, Format, Stored};
use super::userdb::UserDatabase;
use crate::base::bytes::shown;
use crate::base::exit::Exit;
use crate::config::diagnostic::Severity;
use crate::config::maps::MapDeclaration;
use crate::config::{Config, Diagnostic};
use crate::log::Priority;
use crate::sys::safefile::Judge;

/// A name of an alias text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AliasName {
    /// The text.
    pub file: PathBuf,
    /// Line of the file.
    pub line: u32,
    /// The name as it stands.
    pub name: Bytes,
}

/// A declared map.
#[derive(Debug)]
pub(crate) struct Map {
    pub(crate) name: Bytes,
    pub(crate) row: &'static Row,
    pub(crate) flags: Flags,
    pub(crate) backend: Backend,
    /// Said at the first lookup.
    pub(crate) notices: Vec<String>,
    /// Names of an alias text that serves in place of a database: file and line with each.
    pub(crate) unchecked: Vec<AliasName>,
}

/// What answers.
#[derive(Debug)]
pub(crate) enum Backend {
    Stored(Box<Stored>),
    Arith,
    Arpa,
    BestMx,
    Dequote(Option<u8>),
    Dns(Records),
    Host,
    Ldap(Box<Directory>),
    Macro,
    Null,
    /// Command, and place among the K lines.
    Program(Bytes, usize),
    Regex(Pattern),
    Sequence(Vec<usize>),
    Socket(Endpoint),
    Syslog(Priority),
    User(usize),
    /// Field of the user database.
    UserDb(String),
    /// Could not be opened; every lookup fails for now. The text is said once.
    Closed(String),
    /// Could not be opened and is optional, or was declared in a way that makes no sense.
    Absent,
}

/// Opens maps one after the other, collecting what is wrong.
pub(crate) struct Opener<'c> {
    config: &'c Config,
    judge: Judge,
    switch: Vec<u8>,
    /// Flags of `LDAPDefaultSpec`.
    ldap: Flags,
    pub(crate) maps: Vec<Map>,
    pub(crate) users: Option<UserDatabase>,
    pub(crate) diagnostics: Vec<Diagnostic>,
}

/// Most members of a sequence. Source: op guide, MAXMAPSTACK.
const MEMBERS: usize = 12;
/// Largest service switch file, bytes.
const SWITCH: usize = 1 << 20;

impl<'c> Opener<'c> {
    /// Nothing opened yet.
    pub(crate) fn new(config: &'c Config) -> Self {
        let path = String::from_utf8_lossy(&config.options.service_switch_file).into_owned();
        // A missing service switch file is no error: the order built in counts.
        let switch = crate::sys::file::read_following(path.as_ref(), SWITCH).unwrap_or_default();
        let spec = config.options.ldap_default_spec.clone().unwrap_or_default();
        let ldap = spec::defaults(&spec).0;
        Self {
            config,
            judge: aliases::judge(config),
            switch,
            ldap,
            maps: Vec::new(),
            users: None,
            diagnostics: Vec::new(),
        }
    }

    /// Opens all.
    pub(crate) fn run(&mut self) {
        let spec = self.config.options.ldap_default_spec.clone().unwrap_or_default();
        let (flags, unknown) = spec::defaults(&spec);
        for text in spec::check_defaults(&flags, &unknown) {
            self.say(0, text);
        }
        for declaration in &self.config.maps {
            self.declared(declaration);
        }
        self.aliases();
        self.switches();
        let spec = self.config.options.user_database_spec.as_ref();
        self.users = spec.map(|spec| UserDatabase::open(spec, self.judge));
    }

    /// The map of that name, letter case aside.
    fn find(&self, name: &[u8]) -> Option<usize> {
        self.maps.iter().position(|map| map.name.eq_ignore_ascii_case(name))
    }

    fn say(&mut self, line: u32, text: String) {
        let path = (line > 0).then(|| self.config.path.clone());
        self.diagnostics.push(Diagnostic { path, line, text, severity: Severity::Error, exit: Exit::SOFTWARE });
    }

    /// Flags of earlier `K` lines of the same name, which go on. Source: observed.
    fn flags_before(&self, declaration: &MapDeclaration) -> Flags {
        let mut before = Flags::default();
        let earlier = self.config.maps.iter().take_while(|other| !std::ptr::eq(*other, declaration));
        for other in earlier.filter(|other| other.name.eq_ignore_ascii_case(&declaration.name)) {
            let is_alike = other.class.eq_ignore_ascii_case(&declaration.class);
            let Some(row) = classes::find(&other.class) else { continue };
            let (mut flags, _) = flags::parse(&other.arguments, row.flags);
            if !is_alike {
                flags.retain_common();
            }
            flags.follow(before);
            before = flags;
        }
        before
    }

    fn declared(&mut self, declaration: &MapDeclaration) {
        let name = shown(&declaration.name).to_string();
        let Some(row) = classes::find(&declaration.class) else {
            let text = format!("readcf: map {name}: class {} not available", shown(&declaration.class));
            return self.say(declaration.line, text);
        };
        let mut arguments = declaration.arguments.clone();
        if row.name == "dequote" {
            arguments = first_flag(&arguments);
        }
        let (mut flags, mut unknown) = flags::parse(&arguments, row.flags);
        flags.follow(self.flags_before(declaration));
        // Source: observed: this class takes three flags only, and complains in its own name.
        let is_syslog = row.name == "syslog";
        if is_syslog {
            unknown.extend(flags.letters().filter(|letter| !b"DLS".contains(letter)));
        }
        if row.strict || is_syslog {
            let told = if is_syslog { row.name } else { &name };
            for letter in unknown {
                self.say(declaration.line, format!("Illegal option {} map {told}", char::from(letter)));
            }
        }
        let backend = if row.argument == Argument::Required && flags.word().is_empty() {
            self.say(declaration.line, format!("No file name for {} map {name}", row.name));
            Backend::Absent
        } else if row.name == "sequence" {
            flags.rest = arguments;
            self.sequence(declaration, &name)
        } else {
            match self.backend(row, &name, &flags) {
                Ok(backend) => backend,
                Err(Fault::Declaration(texts, backend)) => {
                    for text in texts {
                        self.say(declaration.line, text);
                    }
                    backend
                }
                Err(Fault::Closed(closed)) if closed.absent && flags.has(b'o') => Backend::Absent,
                Err(Fault::Closed(closed)) => Backend::Closed(closed.text),
            }
        };
        self.put(Map {
            name: declaration.name.clone(),
            row,
            flags,
            backend,
            notices: Vec::new(),
            unchecked: Vec::new(),
        });
    }

    fn put(&mut self, map: Map) {
        match self.find(&map.name) {
            Some(at) => {
                if let Some(slot) = self.maps.get_mut(at) {
                    *slot = map;
                }
            }
            None => self.maps.push(map),
        }
    }

    fn sequence(&mut self, declaration: &MapDeclaration, name: &str) -> Backend {
        let mut members = Vec::new();
        for word in declaration.arguments.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty()) {
            let word = word.strip_prefix(b"-").unwrap_or(word);
            match self.find(word) {
                Some(at) => members.push(at),
                None => {
                    self.say(declaration.line, format!("Sequence map {name}: unknown member map {}", shown(word)));
                }
            }
        }
        members.truncate(MEMBERS);
        Backend::Sequence(members)
    }

    fn backend(&self, row: &Row, name: &str, flags: &Flags) -> Result<Backend, Fault> {
        let stored = |format| {
            Stored::open(row.name, name, format, flags, self.judge)
                .map(|stored| Backend::Stored(Box::new(stored)))
                .map_err(Fault::Closed)
        };
        Ok(match row.name {
            "arith" => Backend::Arith,
            "arpa" => Backend::Arpa,
            "bestmx" => Backend::BestMx,
            "dequote" => Backend::Dequote(flags.character(b's').or(flags.character(b'S'))),
            "dns" => Backend::Dns(Records::new(name, flags).map_err(|t| Fault::Declaration(t, Backend::Null))?),
            "btree" | "cdb" | "hash" => return stored(Format::Database(Kind::of_class(row.name.as_bytes()))),
            "host" => Backend::Host,
            "implicit" => return stored(Format::Database(None)),
            "ldap" => {
                let spec = Spec::new(name, flags, &self.ldap, &self.judge);
                let spec = spec.map_err(|text| Fault::Declaration(vec![text], Backend::Absent))?;
                Backend::Ldap(Box::new(Directory::new(spec)))
            }
            "macro" => Backend::Macro,
            "null" => Backend::Null,
            "program" => {
                let place = self.config.maps.iter().position(|map| map.name.eq_ignore_ascii_case(name.as_bytes()));
                Backend::Program(flags.rest.clone(), place.unwrap_or(usize::MAX))
            }
            "regex" => Backend::Regex(Pattern::new(flags).map_err(|t| Fault::Declaration(vec![t], Backend::Absent))?),
            "socket" => {
                let endpoint = Endpoint::parse(flags.word()).map_err(|why| {
                    Fault::Closed(Closed { text: format!("socket map \"{name}\": {why}"), absent: true })
                })?;
                Backend::Socket(endpoint)
            }
            // Its members are known only when all maps are.
            "switch" => Backend::Sequence(Vec::new()),
            "syslog" => Backend::Syslog(priority(flags).map_err(|t| Fault::Declaration(vec![t], Backend::Absent))?),
            "text" => {
                let columns = Columns::new(name, flags).map_err(Fault::Closed)?;
                return stored(Format::Columns(columns));
            }
            "userdb" => Backend::UserDb(String::from_utf8_lossy(flags.word()).into_owned()),
            "user" => match user_column(name, flags) {
                Ok(column) => Backend::User(column),
                Err(text) => return Err(Fault::Closed(Closed { text, absent: false })),
            },
            _ => {
                let text = match row.status {
                    Status::Accepted(why) => format!("{} map \"{name}\": {why}", row.name),
                    Status::Done => String::new(),
                };
                return Err(Fault::Closed(Closed { text, absent: true }));
            }
        })
    }

    /// The alias databases (`Alias0` …), `aliases.files` over them, and `aliases`, unless the configuration declares such maps.
    fn aliases(&mut self) {
        let mut members = Vec::new();
        for (nth, source) in aliases::sources(self.config).enumerate() {
            let name = format!("Alias{nth}");
            if let Some(map) = self.alias_map(&name, &source) {
                members.push(self.maps.len());
                self.maps.push(map);
            }
        }
        if self.find(b"aliases.files").is_none() {
            self.predeclare("aliases.files", "sequence", Backend::Sequence(members));
        }
        if self.find(b"aliases").is_none() {
            let declaration = MapDeclaration {
                name: Bytes::from_static(b"aliases"),
                class: Bytes::from_static(b"switch"),
                // Keys are local parts, whose quotes count.
                arguments: Bytes::from_static(b"-q aliases"),
                line: 0,
            };
            self.declared(&declaration);
        }
    }

    fn predeclare(&mut self, name: &'static str, class: &str, backend: Backend) {
        if let Some(row) = classes::find(class.as_bytes()) {
            self.maps.push(Map {
                name: Bytes::from_static(name.as_bytes()),
                row,
                flags: Flags::default(),
                backend,
                notices: Vec::new(),
                unchecked: Vec::new(),
            });
        }
    }

    fn alias_map(&mut self, name: &str, source: &aliases::Source) -> Option<Map> {
        let Some(row) = classes::find(&source.class) else {
            self.say(source.line, format!("setalias: unknown alias class {}", shown(&source.class)));
            return None;
        };
        if !row.for_aliases {
            self.say(source.line, format!("setalias: map class {} can't handle aliases", row.name));
            return None;
        }
        let schema;
        let arguments = if row.name == "ldap" && source.arguments.is_empty() {
            schema = schema::aliases(self.config);
            schema.as_bytes()
        } else {
            &source.arguments
        };
        let (flags, unknown) = flags::parse(arguments, row.flags);
        if row.strict {
            for letter in unknown {
                self.say(source.line, format!("Illegal option {} map {name}", char::from(letter)));
            }
        }
        if row.argument == Argument::Required && flags.word().is_empty() {
            self.say(source.line, format!("No file name for {} map {name}", row.name));
            return None;
        }
        let (mut notices, mut unchecked) = (Vec::new(), Vec::new());
        let backend = match self.backend(row, name, &flags) {
            Ok(backend) => backend,
            Err(Fault::Closed(closed)) if row.folds && row.name != "text" => {
                self.alias_text(row, name, &flags, closed, &mut notices, &mut unchecked)
            }
            Err(Fault::Closed(closed)) => Backend::Closed(closed.text),
            Err(Fault::Declaration(texts, backend)) => {
                for text in texts {
                    self.say(source.line, text);
                }
                backend
            }
        };
        Some(Map { name: Bytes::from(name.to_owned()), row, flags, backend, notices, unchecked })
    }

    /// Where no database is, the text serves.
    fn alias_text(
        &self,
        row: &Row,
        name: &str,
        flags: &Flags,
        closed: Closed,
        notices: &mut Vec<String>,
        unchecked: &mut Vec<AliasName>,
    ) -> Backend {
        let path = PathBuf::from(std::ffi::OsStr::from_bytes(flags.word()));
        match Stored::open(row.name, name, Format::Aliases, flags, self.judge) {
            Ok(stored) => {
                let shown = path.display();
                notices.push(format!("WARNING: cannot open alias database {shown}; reading text version"));
                if let Ok(text) = aliases::open_text(&path, &self.judge) {
                    let table = aliases::Table::plain(&text);
                    notices.extend(table.complaints.iter().map(|complaint| format!("{shown}: {}", complaint.text)));
                    notices.push(format!("{shown}: {}", table.summary()));
                    unchecked.extend(aliases::names(&text).map(|(line, name)| AliasName {
                        file: path.clone(),
                        line,
                        name,
                    }));
                }
                Backend::Stored(Box::new(stored))
            }
            Err(_) if flags.has(b'o') => Backend::Absent,
            Err(own) if closed.text.is_empty() && own.text.is_empty() => {
                Backend::Closed(format!("cannot open {}", path.display()))
            }
            Err(own) if closed.text.is_empty() => Backend::Closed(own.text),
            Err(_) => Backend::Closed(closed.text),
        }
    }

    /// Finds the members of `switch` maps: `NAME.service` for each service of the service switch.
    fn switches(&mut self) {
        for at in 0..self.maps.len() {
            let Some(map) = self.maps.get(at).filter(|map| map.row.name == "switch") else { continue };
            let name = map.name.clone();
            let services = self.services(map.flags.word());
            let mut members = Vec::new();
            let mut missing = None;
            for service in &services {
                let member = [name.as_ref(), b".", service].concat();
                match self.find(&member) {
                    Some(at) => members.push(at),
                    None => {
                        missing = Some(format!("Switch map {}: unknown member map {}", shown(&name), shown(&member)));
                    }
                }
            }
            let backend = if services.is_empty() { Backend::Closed(String::new()) } else { Backend::Sequence(members) };
            if let Some(map) = self.maps.get_mut(at) {
                map.backend = backend;
                map.notices.extend(missing);
            }
        }
    }

    /// Services of a name: from the service switch file, else `files` for those that always exist.
    fn services(&self, name: &[u8]) -> Vec<Vec<u8>> {
        let lines = self.switch.split(|byte| *byte == b'\n');
        let words = |line: &[u8]| -> Vec<Vec<u8>> {
            let line = line.split(|byte| *byte == b'#').next().unwrap_or_default();
            line.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty()).map(<[u8]>::to_vec).collect()
        };
        for line in lines {
            let mut words = words(line);
            if words.first().is_some_and(|first| first == name) {
                words.remove(0);
                return words;
            }
        }
        if name == b"aliases" || name == b"passwd" { vec![b"files".to_vec()] } else { Vec::new() }
    }
}

enum Fault {
    /// Told when the file is read; the map stays with this in its place.
    Declaration(Vec<String>, Backend),
    /// Told at the first lookup.
    Closed(Closed),
}

/// `dequote` reads one flag only.
fn first_flag(arguments: &Bytes) -> Bytes {
    let end = arguments.iter().position(u8::is_ascii_whitespace).unwrap_or(arguments.len());
    arguments.slice(..end)
}

fn priority(flags: &Flags) -> Result<Priority, String> {
    let Some(text) = flags.text(b'L') else { return Ok(Priority::Info) };
    let name = text.strip_prefix(b"LOG_").unwrap_or(text);
    Ok(match name.to_ascii_uppercase().as_slice() {
        b"EMERG" => Priority::Emergency,
        b"ALERT" => Priority::Alert,
        b"CRIT" => Priority::Critical,
        b"ERR" => Priority::Error,
        b"WARNING" => Priority::Warning,
        b"NOTICE" => Priority::Notice,
        b"INFO" => Priority::Info,
        b"DEBUG" => Priority::Debug,
        _ => return Err(format!("syslog_map_parseargs: Unknown priority {}", shown(text))),
    })
}
