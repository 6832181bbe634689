//! Appending a message to a file.
//!
//! Runs as the user in question. The message comes in *pieces*: two bytes of length, most significant first, then the
//! bytes; a length of zero ends it. Without that end the message is not complete, and the file is cut back.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use nix::fcntl::OFlag;

use crate::base::exit::Exit;
use crate::sys::safefile::{self, Fault, Judge, Purpose, Refusal};
use crate::sys::{file, lock};

/// How a file is written to.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The file.
    pub path: PathBuf,
    /// For whom it is judged.
    pub judge: Judge,
    /// Mode of a new file (`TempFileMode`).
    pub mode: u32,
    /// `SafeFileEnvironment`: the root for `path`.
    pub root: Option<PathBuf>,
    /// Longest wait for the lock.
    pub lock_limit: Duration,
}

/// How it went: the exit code, and words for the log when it is not 0.
pub type Outcome = (Exit, String);

/// Appends the message that `input` holds in pieces.
///
/// Errors: EX_CANTCREAT for a file that may not be written, EX_TEMPFAIL for one that is locked too long, EX_IOERR for a
/// failed write; the file is then as long as before. Locks with flock(2).
pub fn append(settings: &Settings, input: &mut impl Read) -> Outcome {
    if settings.path == Path::new("/dev/null") {
        return match copy(input, &mut io::sink()) {
            Ok(()) => (Exit::OK, String::new()),
            Err(e) => (Exit::TEMPFAIL, safefile::error_text(&e)),
        };
    }
    let mut file = match open(settings) {
        Ok(file) => file,
        Err(refusal) if refusal.is_temporary() => return (Exit::TEMPFAIL, refusal.to_string()),
        Err(refusal) => return (Exit::CANTCREAT, refusal.to_string()),
    };
    match lock::lock_within(&file, lock::Kind::Exclusive, settings.lock_limit) {
        Ok(true) => {}
        Ok(false) => return (Exit::TEMPFAIL, "file is locked".to_owned()),
        Err(e) => return (Exit::TEMPFAIL, safefile::error_text(&e)),
    }
    match write(&mut file, input) {
        Ok(()) => (Exit::OK, String::new()),
        Err(e) => (Exit::IOERR, safefile::error_text(&e)),
    }
}

fn open(settings: &Settings) -> Result<File, Refusal> {
    let root = settings.root.as_deref().map(file::Dir::open).transpose()?;
    // A file is named with the root's own name in front, or without it. Source: op guide 5.6 (SafeFileEnvironment).
    let path = match &settings.root {
        Some(root) => Path::new("/").join(settings.path.strip_prefix(root).unwrap_or(&settings.path)),
        None => settings.path.clone(),
    };
    let (dir, name) = safefile::open_parent_below(root.as_ref(), &path, Purpose::Delivery, &settings.judge)?;
    let before = safefile::check_below(root.as_ref(), &path, Purpose::Delivery, &settings.judge)?;
    if before.is_some_and(|f| f.permissions() & 0o111 != 0) {
        return Err(Refusal::Rule(Fault::Executable));
    }
    let flags = OFlag::O_WRONLY | OFlag::O_APPEND | OFlag::O_NONBLOCK;
    let file = match before {
        Some(_) => dir.open_file(&name, flags, 0)?,
        None => dir.open_file(&name, flags | OFlag::O_CREAT | OFlag::O_EXCL, settings.mode)?,
    };
    if before.is_none() {
        // Whatever the umask. Source: observed.
        file::set_mode(&file, settings.mode)?;
    }
    let after = file::facts(&file)?;
    // Between the check and the open another file may have taken the name.
    let is_changed = before.is_some_and(|b| !b.is_same_file(&after) || b.links != after.links || b.mode != after.mode);
    if is_changed || !after.is_regular() {
        return Err(Refusal::Rule(Fault::Changed));
    }
    Ok(file)
}

fn write(file: &mut File, input: &mut impl Read) -> io::Result<()> {
    let length = file.seek(SeekFrom::End(0))?;
    let written = copy(input, file).and_then(|()| file.sync_all());
    if written.is_err() {
        file.set_len(length)?;
    }
    written
}

/// Copies pieces until the end mark. Errors: `UnexpectedEof` when it does not come.
fn copy(input: &mut impl Read, output: &mut impl Write) -> io::Result<()> {
    let mut piece = vec![0u8; PIECE];
    loop {
        let mut length = [0u8; 2];
        input.read_exact(&mut length)?;
        let length = usize::from(u16::from_be_bytes(length));
        if length == 0 {
            return Ok(());
        }
        let piece = piece.get_mut(..length).ok_or(io::ErrorKind::InvalidData)?;
        input.read_exact(piece)?;
        output.write_all(piece)?;
    }
}

/// Puts bytes into pieces.
pub fn pieces(bytes: &[u8]) -> impl Iterator<Item = ([u8; 2], &[u8])> {
    bytes.chunks(PIECE).map(|piece| (u16::try_from(piece.len()).unwrap_or(u16::MAX).to_be_bytes(), piece))
}

/// The end of a message.
pub const END: [u8; 2] = [0, 0];
/// Longest piece, bytes.
pub const PIECE: usize = 32 * 1024;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sys::user;
    use std::fs;
    use std::os::unix::fs::{PermissionsExt, symlink};

    fn settings(path: PathBuf) -> Settings {
        let judge = Judge { uid: user::effective_uid(), dont_blame: 0, trusted_uid: None };
        Settings { path, judge, mode: 0o600, root: None, lock_limit: Duration::ZERO }
    }

    fn framed(text: &[u8], is_complete: bool) -> Vec<u8> {
        let mut out: Vec<u8> = pieces(text).flat_map(|(length, piece)| [&length[..], piece].concat()).collect();
        if is_complete {
            out.extend(END);
        }
        out
    }

    #[test]
    fn a_message_is_appended_whole_or_not_at_all() {
        let tmp = tempfile::tempdir().unwrap();
        let path = tmp.path().join("box");
        let settings = settings(path.clone());
        assert_eq!(append(&settings, &mut framed(b"one\n", true).as_slice()).0, Exit::OK);
        assert_eq!(append(&settings, &mut framed(b"two\n", false).as_slice()).0, Exit::IOERR);
        let long = vec![b'x'; 100_000];
        assert_eq!(append(&settings, &mut framed(&long, true).as_slice()).0, Exit::OK);
        let text = file::read(&path, 200_000).unwrap();
        assert!(text.starts_with(b"one\nxxx") && text.len() == 100_004);
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    }

    #[test]
    fn links_programs_and_devices_are_refused() {
        let tmp = tempfile::tempdir().unwrap();
        let real = tmp.path().join("real");
        file::create(&real, 0o644).unwrap();
        symlink(&real, tmp.path().join("symlink")).unwrap();
        file::create(&tmp.path().join("program"), 0o755).unwrap();
        fs::create_dir(tmp.path().join("directory")).unwrap();
        nix::unistd::mkfifo(&tmp.path().join("fifo"), nix::sys::stat::Mode::from_bits_truncate(0o600)).unwrap();
        for (name, words) in [
            ("symlink", "Symbolic links not allowed"),
            ("program", "Executable files not allowed"),
            ("directory", "Regular files only"),
            ("fifo", "Regular files only"),
        ] {
            let outcome = append(&settings(tmp.path().join(name)), &mut framed(b"x", true).as_slice());
            assert_eq!(outcome, (Exit::CANTCREAT, words.to_owned()), "{name}");
        }
        fs::hard_link(&real, tmp.path().join("hard")).unwrap();
        let outcome = append(&settings(real), &mut framed(b"x", true).as_slice());
        assert_eq!(outcome.1, "Hard links not allowed");
    }

    #[test]
    fn a_locked_file_is_a_temporary_failure() {
        let tmp = tempfile::tempdir().unwrap();
        let path = tmp.path().join("box");
        let held = file::create(&path, 0o600).unwrap();
        lock::lock(&held, lock::Kind::Exclusive).unwrap();
        assert_eq!(append(&settings(path), &mut framed(b"x", true).as_slice()).0, Exit::TEMPFAIL);
    }

    #[test]
    fn nothing_leads_out_of_a_safe_environment() {
        let tmp = tempfile::tempdir().unwrap();
        let (safe, outside) = (tmp.path().join("safe"), tmp.path().join("outside"));
        fs::create_dir_all(safe.join("sub")).unwrap();
        fs::create_dir_all(safe.join("safe")).unwrap();
        fs::create_dir(&outside).unwrap();
        symlink(&outside, safe.join("link")).unwrap();
        symlink("../../outside", safe.join("sub/up")).unwrap();
        symlink("/sub", safe.join("inner")).unwrap();
        symlink("/sub/target", safe.join("file-link")).unwrap();
        let put = |name: &Path| {
            let inside = Settings { root: Some(safe.clone()), ..settings(name.to_owned()) };
            append(&inside, &mut framed(b"x", true).as_slice()).0
        };
        // With the root's name and without it; an absolute link counts from the root.
        for (name, file) in [("sub/one", "sub/one"), ("inner/six", "sub/six")] {
            assert_eq!(put(&safe.join(name)), Exit::OK, "{name}");
            assert_eq!(put(&Path::new("/").join(name)), Exit::OK, "{name}");
            assert_eq!(fs::metadata(safe.join(file)).unwrap().len(), 2, "{name}");
        }
        for name in ["link/three", "sub/up/x", "../outside/four", "sub/../../outside/five", "file-link"] {
            assert_eq!(put(&safe.join(name)), Exit::CANTCREAT, "{name}");
        }
        assert_eq!(put(&outside.join("six")), Exit::CANTCREAT);
        assert_eq!(put(Path::new("/dev/null")), Exit::OK);
        assert_eq!(fs::read_dir(&outside).unwrap().count(), 0);
    }
}
