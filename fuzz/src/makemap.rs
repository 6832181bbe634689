//! Any lines as makemap's input: the file that comes out holds what its dump says, and can be read again to the same.

use std::ffi::OsString;

pub fn run(bytes: &[u8]) {
    let Some((choice, input)) = bytes.split_first() else { return };
    let dir = tempfile::tempdir_in("/dev/shm").expect("a folder in memory");
    let at = |name: &str| dir.path().join(name).into_os_string();
    std::fs::write(dir.path().join("cf"), "").expect("a file in memory");
    let class = ["hash", "btree", "cdb"][usize::from(choice % 3)];
    let makemap = |flags: &[&str], map: &str, input: &[u8]| {
        let mut args: Vec<OsString> = vec!["makemap".into(), "-s".into(), "-C".into(), at("cf")];
        args.extend(flags.iter().map(OsString::from));
        args.extend([class.into(), at(map)]);
        let mut out = Vec::new();
        sendmail::cmd::makemap::run(args, input, &mut out, &mut std::io::sink());
        out
    };
    let flags: &[&str] = match choice / 3 % 4 {
        0 => &[],
        1 => &["-d", "-e"],
        2 => &["-f", "-r", "-e"],
        _ => &["-t:", "-N"],
    };
    makemap(flags, "one", input);
    let dumped = makemap(&["-u", "-t\x01"], "one", b"");
    makemap(&["-d", "-e", "-f", "-D\x02", "-t\x01"], "two", &dumped);
    let again = makemap(&["-u", "-t\x01"], "two", b"");
    let sorted = |text: &[u8]| {
        let mut lines: Vec<_> = text.split(|byte| *byte == b'\n').map(<[u8]>::to_vec).collect();
        lines.sort();
        lines
    };
    // A line that needs the other separator, comment sign or more than a line's length cannot be told by a dump.
    if !input.iter().any(|byte| matches!(byte, 1 | 2)) && dumped.split(|b| *b == b'\n').all(|line| line.len() < 1000) {
        assert_eq!(sorted(&dumped), sorted(&again));
    }
}
