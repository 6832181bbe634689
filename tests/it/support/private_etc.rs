//! A program with an `/etc` or `/usr/sbin` of its own: what is looked for there cannot be named by an option. Only for root.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;

use super::sandbox::is_root;

/// The same command, below `/etc` with these files, which lie in `dir` after that; `None` for who is not root.
pub fn with_etc(command: &Command, dir: &Path, files: &[(&str, &str)]) -> Option<Command> {
    with_folder(command, dir, "/etc", files, 0o644)
}

/// The same command with these programs in `/usr/sbin`; `None` for who is not root.
pub fn with_programs(command: &Command, dir: &Path, files: &[(&str, &str)]) -> Option<Command> {
    with_folder(command, dir, "/usr/sbin", files, 0o755)
}

fn with_folder(command: &Command, dir: &Path, folder: &str, files: &[(&str, &str)], mode: u32) -> Option<Command> {
    if !is_root() {
        println!("not root: what needs files in {folder} was not looked at");
        return None;
    }
    let name = folder.rsplit('/').next().unwrap();
    let (upper, work) = (dir.join(name), dir.join(format!("{name}.work")));
    for (name, text) in files {
        let path = upper.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
    }
    fs::create_dir_all(&work).unwrap();
    let options = format!("lowerdir={folder},upperdir={},workdir={}", upper.display(), work.display());
    let script = format!("mount -t overlay overlay -o {options} {folder} && exec \"$@\"");
    let mut wrapped = Command::new("unshare");
    wrapped.args(["-m", "sh", "-c", &script, "sh"]).arg(command.get_program()).args(command.get_args());
    for (name, value) in command.get_envs() {
        wrapped.env(name, value.unwrap_or_default());
    }
    wrapped.current_dir(command.get_current_dir().unwrap_or(dir));
    Some(wrapped)
}
