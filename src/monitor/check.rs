//! Whether a request agrees with the configuration, and as whom it is done.
//!
//! The engine may be in a stranger's hands: what it says is a wish, and the configuration decides.

use crate::config::values::UserSpec;
use crate::config::{Config, Mailer, MailerId};
use crate::sys::{host, user};

use super::Error;
use super::request::{AppendAsUser, MapProgram, ReadAsUser, RunMailer};
use crate::sys::safefile::Purpose;

/// The user a mailer's program runs as. Source: op guide 5.4 (`U=`, flags `S` and `o`), `DefaultUser`.
///
/// In order: own user for flag `S` without `U=`; `U=` for flag `S`; the mailbox owner for flag `o`; the controlling user
/// when that is not root; `U=`; `DefaultUser`.
pub fn identity_of(
    config: &Config,
    mailer: Option<&Mailer>,
    controller: Option<(u32, u32)>,
    owner: Option<(u32, u32)>,
) -> (u32, u32) {
    let own = (user::effective_uid(), user::effective_gid());
    let set = mailer.and_then(|m| m.user.as_ref()).map(pair);
    if mailer.is_some_and(|m| m.has(b'S')) {
        return set.unwrap_or(own);
    }
    let owner = owner.filter(|_| mailer.is_some_and(|m| m.has(b'o')));
    owner
        .or(controller)
        .filter(|(uid, _)| *uid != 0)
        .or(set)
        .unwrap_or_else(|| pair(config.options.run_as_user.as_ref().unwrap_or(&config.options.default_user)))
}

/// Checks a mailer's run; returns the mailer and whom to become.
pub fn run_mailer<'a>(config: &'a Config, request: &RunMailer) -> Result<(&'a Mailer, (u32, u32)), Error> {
    let mailer = mailer(config, request.mailer)?;
    if !mailer.path.starts_with(b"/") {
        return Err(refused(format!("mailer {} has no program", mailer.name.escape_ascii())));
    }
    if request.argv.is_empty() || has_nul(request.argv.iter()) {
        return Err(refused("bad argument vector".to_owned()));
    }
    if request.root.is_some() && mailer.root.is_none() {
        return Err(refused(format!("mailer {} has no root of its own", mailer.name.escape_ascii())));
    }
    let identity = identity_of(config, Some(mailer), request.controller, request.owner);
    only_wanted_root(identity.0, mailer.has(b'S'))?;
    Ok((mailer, identity))
}

/// Checks an appending; returns whom to become.
pub fn append(config: &Config, request: &AppendAsUser) -> Result<(u32, u32), Error> {
    let mailer = request.mailer.map(|id| mailer(config, id)).transpose()?;
    if mailer.is_some_and(|m| !m.is_file()) {
        return Err(refused("not a file mailer".to_owned()));
    }
    if !request.path.starts_with(b"/") || request.path.contains(&0) {
        return Err(refused("file name is not absolute".to_owned()));
    }
    let identity = identity_of(config, mailer, request.controller, None);
    only_wanted_root(identity.0, mailer.is_some_and(|m| m.has(b'S')))?;
    Ok(identity)
}

/// Checks the reading of a user's file.
pub fn read_as_user(request: &ReadAsUser) -> Result<(), Error> {
    match request.purpose {
        Purpose::Forward | Purpose::Include => Ok(()),
        _ => Err(refused("only .forward and :include: files are read as a user".to_owned())),
    }
}

/// Checks a map's program against its K line.
pub fn map_program(config: &Config, request: &MapProgram) -> Result<(), Error> {
    let map = config.maps.get(request.map).ok_or_else(|| refused("no such map".to_owned()))?;
    if !map.class.eq_ignore_ascii_case(b"program") {
        return Err(refused("not a program map".to_owned()));
    }
    let Some(path) = request.argv.first() else { return Err(refused("no program".to_owned())) };
    let mut words = map.arguments.split(u8::is_ascii_whitespace).filter(|w| !w.is_empty());
    if !path.starts_with(b"/") || !words.any(|w| w == path) || has_nul(request.argv.iter().chain(&request.arguments)) {
        return Err(refused(format!("map {} names another program", map.name.escape_ascii())));
    }
    Ok(())
}

/// Checks a listening port against `DaemonPortOptions`.
pub fn listener(config: &Config, port: u16) -> Result<(), Error> {
    let declared = |port_name: Option<&[u8]>| match port_name {
        None => Some(25),
        Some(name) => std::str::from_utf8(name).ok().and_then(host::service_port),
    };
    let ports = &config.options.daemon_port_options;
    let is_declared = ports.iter().any(|p| declared(p.port.as_deref()) == Some(port));
    if is_declared || (ports.is_empty() && port == 25) {
        return Ok(());
    }
    Err(refused(format!("port {port} is not in DaemonPortOptions")))
}

fn mailer(config: &Config, id: MailerId) -> Result<&Mailer, Error> {
    config.mailers.get(id.0).ok_or_else(|| refused("no such mailer".to_owned()))
}

/// Root runs a program or writes a file for a message only where the configuration says so, or when nothing else is root.
fn only_wanted_root(uid: u32, is_wanted: bool) -> Result<(), Error> {
    if uid == 0 && !is_wanted && user::effective_uid() == 0 {
        return Err(refused("would run as root".to_owned()));
    }
    Ok(())
}

fn pair(spec: &UserSpec) -> (u32, u32) {
    (spec.uid, spec.gid)
}

fn has_nul<'a>(mut words: impl Iterator<Item = &'a bytes::Bytes>) -> bool {
    words.any(|w| w.contains(&0))
}

fn refused(why: String) -> Error {
    Error::Refused(why)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::maps::MapDeclaration;
    use crate::monitor::tests_support::{config_with_mailers, mailer_named};
    use bytes::Bytes;

    #[test]
    fn the_user_of_a_program_follows_the_manual() {
        let config = config_with_mailers();
        let of = |flags: &[u8], user: Option<(u32, u32)>, controller, owner| {
            let mut mailer = mailer_named("x", "/bin/true", flags);
            mailer.user = user.map(|(uid, gid)| UserSpec { uid, gid, name: None });
            identity_of(&config, Some(&mailer), controller, owner)
        };
        let own = (user::effective_uid(), user::effective_gid());
        assert_eq!(of(b"", None, None, None), (1, 1));
        assert_eq!(of(b"", None, Some((7, 8)), None), (7, 8));
        assert_eq!(of(b"", None, Some((0, 0)), None), (1, 1));
        assert_eq!(of(b"", Some((3, 4)), None, None), (3, 4));
        assert_eq!(of(b"o", None, Some((7, 8)), Some((9, 9))), (9, 9));
        assert_eq!(of(b"S", Some((3, 4)), Some((7, 8)), None), (3, 4));
        assert_eq!(of(b"S", None, Some((7, 8)), None), own);
    }

    #[test]
    fn an_engine_cannot_name_what_the_configuration_does_not() {
        let mut config = config_with_mailers();
        let request = |mailer| RunMailer {
            mailer: MailerId(mailer),
            argv: vec![Bytes::from_static(b"x")],
            controller: None,
            owner: None,
            directories: Vec::new(),
            root: None,
            is_dialogue: false,
        };
        assert!(run_mailer(&config, &request(0)).is_ok());
        assert!(run_mailer(&config, &request(1)).is_err(), "[IPC] is no program");
        assert!(run_mailer(&config, &request(9)).is_err());
        assert!(run_mailer(&config, &RunMailer { root: Some("/x".into()), ..request(0) }).is_err());
        assert!(run_mailer(&config, &RunMailer { argv: vec!["a\0b".into()], ..request(0) }).is_err());

        config.maps.push(MapDeclaration {
            name: "m".into(),
            class: "program".into(),
            arguments: "-o /usr/bin/look up".into(),
            line: 1,
        });
        let question = |path: &'static str| MapProgram {
            map: 0,
            argv: vec![path.into()],
            arguments: vec!["key".into()],
            limit: 100,
        };
        assert!(map_program(&config, &question("/usr/bin/look")).is_ok());
        assert!(map_program(&config, &question("/bin/sh")).is_err());
        assert!(listener(&config, 25).is_ok() && listener(&config, 26).is_err());
    }
}
