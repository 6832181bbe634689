//! m4 and the library: an `.mc` becomes a cf.

use std::io;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use bytes::Bytes;

use crate::sys::spawn::{Ended, Launch, Stream};
use crate::sys::{env, file};

/// Why there is no cf.
#[derive(Debug, thiserror::Error)]
pub(super) enum Error {
    /// No folder holds `m4/cf.m4`.
    #[error("the m4 library is in none of {}: give its folder with --library", list(.0))]
    NoLibrary(Vec<PathBuf>),
    /// The folder that was given holds none.
    #[error("{0}: no m4/cf.m4 below it")]
    NotThere(PathBuf),
    /// m4 cannot be started.
    #[error("m4: {}", crate::sys::safefile::error_text(.0))]
    NoM4(io::Error),
    /// m4 said something, or ended badly; its words.
    #[error("{0}")]
    Said(String),
    /// A file cannot be read.
    #[error("{}: {}", .0.display(), crate::sys::safefile::error_text(.1))]
    File(PathBuf, io::Error),
}

fn list(paths: &[PathBuf]) -> String {
    paths.iter().map(|p| p.display().to_string()).collect::<Vec<_>>().join(", ")
}

/// The folder that holds `m4/cf.m4`.
#[derive(Debug, Clone)]
pub(super) struct Library(PathBuf);

impl Library {
    /// The one that was given, else the first of: the environment's, those beside the program, the usual places.
    pub(super) fn find(given: Option<&Path>) -> Result<Self, Error> {
        let is_one = |path: &PathBuf| file::facts_of(&path.join("m4/cf.m4")).is_ok();
        if let Some(given) = given {
            let path = env::current_directory().unwrap_or_default().join(given);
            return if is_one(&path) { Ok(Self(path)) } else { Err(Error::NotThere(path)) };
        }
        let places = places();
        places.iter().find(|path| is_one(path)).cloned().map(Self).ok_or(Error::NoLibrary(places))
    }

    /// Runs m4 on a file; the configuration that it writes, and what it said beside it.
    ///
    /// A file that includes a `cf.m4` of another place gets this library all the same.
    pub(super) fn build(&self, mc: &Path) -> Result<(Vec<u8>, String), Error> {
        let text = file::read_following(mc, LARGEST).map_err(|error| Error::File(mc.to_owned(), error))?;
        let own = self.0.join("m4/cf.m4");
        // Line numbers stay: the line goes to a file of its own name.
        let without = own_line(&text);
        let scratch = match &without {
            Some(text) => Some(Scratch::new(mc, text).map_err(|error| Error::File(mc.to_owned(), error))?),
            None => None,
        };
        let read = scratch.as_ref().map_or(mc, |scratch| &scratch.path);
        // The cf and the messages speak of the file that was given.
        let named = |text: &[u8]| match &scratch {
            Some(scratch) => replaced(text, scratch.path.as_os_str().as_bytes(), mc.as_os_str().as_bytes()),
            None => text.to_vec(),
        };
        let (out, said) = match run_m4(&self.0, &own, read) {
            Ok((out, said)) => (named(&out), String::from_utf8_lossy(&named(said.as_bytes())).into_owned()),
            Err(Error::Said(said)) => {
                return Err(Error::Said(String::from_utf8_lossy(&named(said.as_bytes())).into_owned()));
            }
            Err(error) => return Err(error),
        };
        if out.is_empty() { Err(Error::Said(said)) } else { Ok((out, said)) }
    }
}

/// The text without its `include` of a `cf.m4`; `None` when it has none.
fn own_line(text: &[u8]) -> Option<Vec<u8>> {
    let mut is_changed = false;
    let mut out = Vec::with_capacity(text.len());
    for line in text.split_inclusive(|b| *b == b'\n') {
        let start = line.trim_ascii_start();
        let is_include = start.starts_with(b"include(") && memchr::memmem::find(start, b"m4/cf.m4").is_some();
        if is_include {
            let end = memchr::memchr(b')', line).map_or(line.len(), |at| at + 1);
            out.extend_from_slice(line.get(end..).unwrap_or_default());
            is_changed = true;
        } else {
            out.extend_from_slice(line);
        }
    }
    is_changed.then_some(out)
}

fn replaced(text: &[u8], old: &[u8], new: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = memchr::memmem::find(rest, old) {
        let (before, after) = rest.split_at(at);
        out.extend_from_slice(before);
        out.extend_from_slice(new);
        rest = after.get(old.len()..).unwrap_or_default();
    }
    out.extend_from_slice(rest);
    out
}

fn run_m4(library: &Path, own: &Path, mc: &Path) -> Result<(Vec<u8>, String), Error> {
    let path = env::var("PATH").unwrap_or_else(|| "/usr/bin:/bin".into());
    let program = std::env::split_paths(&path).map(|dir| dir.join("m4")).find(|p| file::facts_of(p).is_ok());
    let program = program.ok_or_else(|| Error::NoM4(io::ErrorKind::NotFound.into()))?;
    let mut launch = Launch::new(program);
    let define = [b"-D_CF_DIR_=", library.as_os_str().as_bytes(), b"/"].concat();
    launch.argv = vec![
        Bytes::from_static(b"m4"),
        define.into(),
        Bytes::copy_from_slice(own.as_os_str().as_bytes()),
        Bytes::copy_from_slice(mc.as_os_str().as_bytes()),
    ];
    launch.environment = vec![(Bytes::from_static(b"PATH"), Bytes::copy_from_slice(path.as_bytes()))];
    launch.directories = env::current_directory().into_iter().collect();
    (launch.stdout, launch.stderr) = (Stream::Pipe, Stream::Pipe);
    let output = launch.start().and_then(std::process::Child::wait_with_output).map_err(Error::NoM4)?;
    let said = String::from_utf8_lossy(&output.stderr).trim_end().to_owned();
    match Ended::from(output.status) {
        Ended::Exit(0) => Ok((output.stdout, said)),
        ended => Err(Error::Said(if said.is_empty() { format!("m4 ended with {ended:?}") } else { said })),
    }
}

/// Where a library may lie.
fn places() -> Vec<PathBuf> {
    let mut places: Vec<PathBuf> = env::var("SENDMAIL_CF_LIBRARY").map(PathBuf::from).into_iter().collect();
    if let Ok(program) = env::own_path() {
        // PREFIX/sbin/gencf, and target/release/gencf of the source tree.
        let above = |n: usize| program.ancestors().nth(n).map(Path::to_owned);
        places.extend(above(2).map(|prefix| prefix.join("share/sendmail-cf")));
        places.extend(above(3));
    }
    places.extend(USUAL.iter().map(PathBuf::from));
    places
}

/// A file of the same name in a folder of its own; both go when it is dropped.
struct Scratch {
    folder: PathBuf,
    path: PathBuf,
}

impl Scratch {
    fn new(mc: &Path, text: &[u8]) -> io::Result<Self> {
        let temporary = env::var("TMPDIR").map_or_else(|| PathBuf::from("/tmp"), PathBuf::from);
        let folder = temporary.join(format!("gencf.{}", std::process::id()));
        file::Dir::open(&temporary)?.make_dir(folder.file_name().unwrap_or_default(), 0o700)?;
        let path = folder.join(mc.file_name().unwrap_or_default());
        let made = Self { folder, path };
        io::Write::write_all(&mut file::create(&made.path, 0o600)?, text)?;
        Ok(made)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = file::unlink(&self.path);
        if let (Some(above), Some(name)) = (self.folder.parent(), self.folder.file_name())
            && let Ok(above) = file::Dir::open(above)
        {
            let _ = above.remove_dir(name);
        }
    }
}

/// Where packages put a library.
const USUAL: &[&str] = &["/usr/share/sendmail-cf", "/usr/local/share/sendmail-cf", "/usr/newconfig/etc/mail/cf"];
/// Largest `.mc`, bytes.
const LARGEST: usize = 16 * 1024 * 1024;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_library_is_not_read() {
        let text = b"divert(-1)\n  include(`/usr/share/sendmail-cf/m4/cf.m4')dnl\nOSTYPE(`linux')\n";
        assert_eq!(own_line(text).unwrap(), b"divert(-1)\ndnl\nOSTYPE(`linux')\n");
        assert_eq!(own_line(b"include(`other.m4')\n"), None);
    }
}
