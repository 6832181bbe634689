//! A program with an `/etc` of its own: what the original looks for there cannot be named by an option. Only for root.

use std::fs;
use std::path::Path;
use std::process::Command;

use super::sandbox::is_root;

/// The same command, below `/etc` with these files, which lie in `dir` after that; `None` for who is not root.
pub fn with_etc(command: &Command, dir: &Path, files: &[(&str, &str)]) -> Option<Command> {
    if !is_root() {
        println!("not root: what needs files in /etc was not looked at");
        return None;
    }
    let (upper, work) = (dir.join("etc"), dir.join("etc.work"));
    for (name, text) in files {
        let path = upper.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    fs::create_dir_all(&work).unwrap();
    let options = format!("lowerdir=/etc,upperdir={},workdir={}", upper.display(), work.display());
    let script = format!("mount -t overlay overlay -o {options} /etc && exec \"$@\"");
    let mut wrapped = Command::new("unshare");
    wrapped.args(["-m", "sh", "-c", &script, "sh"]).arg(command.get_program()).args(command.get_args());
    for (name, value) in command.get_envs() {
        wrapped.env(name, value.unwrap_or_default());
    }
    wrapped.current_dir(command.get_current_dir().unwrap_or(dir));
    Some(wrapped)
}
