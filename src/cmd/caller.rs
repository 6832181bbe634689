//! Who called the program, and with which rights it goes on.

use std::path::PathBuf;

use bytes::Bytes;

use crate::config::Config;
use crate::macros::MacroId;
use crate::sys::user::{self, Identity};

/// The user behind the command line.
#[derive(Debug, Clone)]
pub struct Caller {
    /// Real user number.
    pub uid: u32,
    /// Real group number.
    pub gid: u32,
    /// Login name; digits for a user without an entry.
    pub name: Bytes,
    /// Full name from the password file.
    pub full_name: Bytes,
    /// Home directory.
    pub home: PathBuf,
}

impl Caller {
    /// The user of this process.
    pub fn own() -> Self {
        let uid = user::real_uid();
        let gid = user::real_gid();
        match user::by_uid(uid).ok().flatten() {
            Some(account) => {
                Self { uid, gid, full_name: account.real_name().into(), name: account.name, home: account.home }
            }
            None => Self {
                uid,
                gid,
                name: uid.to_string().into(),
                full_name: Bytes::new(),
                home: PathBuf::from("/no/such/directory"),
            },
        }
    }

    /// Whether the user may do what only root and `TrustedUser` may.
    pub fn is_privileged(&self, config: &Config) -> bool {
        self.uid == 0 || config.options.trusted_user == Some(self.uid)
    }

    /// Whether the user may name another sender without a warning (`$=t`).
    pub fn is_trusted(&self, config: &Config) -> bool {
        self.uid == 0 || config.classes.contains(MacroId(u16::from(b't')), &self.name)
    }
}

/// Whether the process has rights that its caller has not (set-user-id or set-group-id).
pub fn has_borrowed_rights() -> bool {
    user::effective_uid() != user::real_uid() || user::effective_gid() != user::real_gid()
}

/// Goes on with the caller's own rights, for good.
pub fn drop_privileges() -> std::io::Result<()> {
    let own = Identity { uid: user::real_uid(), gid: user::real_gid(), groups: user::own_groups()? };
    user::become_for_good(&own)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_of_the_class_are_trusted() {
        let caller = Caller { uid: 1, name: Bytes::from_static(b"joe"), ..Caller::own() };
        let mut config = Config::default();
        assert!(!caller.is_trusted(&config));
        config.classes.add(MacroId(u16::from(b't')), b"joe");
        assert!(caller.is_trusted(&config) && Caller { uid: 0, ..caller }.is_trusted(&Config::default()));
    }
}
