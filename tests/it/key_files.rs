//! A key that others could read is not used.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use crate::support::client::Client;
use crate::support::sandbox::Sandbox;
use crate::support::tls::Authority;
use crate::support::{LIMIT, until};

const GROUP_READABLE: &str = "O DontBlameSendmail=TrustStickyBit,GroupReadableKeyFile\n";

#[test]
fn the_mode_of_the_key_decides() {
    for (mode, lines, is_accepted) in [
        (0o600, "", true),
        (0o400, "", true),
        (0o640, "", false),
        (0o644, "", false),
        (0o660, "", false),
        (0o640, GROUP_READABLE, true),
        (0o644, GROUP_READABLE, false),
        (0o660, GROUP_READABLE, false),
    ] {
        let case = format!("mode {mode:o}, {lines:?}");
        let sandbox = Sandbox::new();
        let authority = Authority::new(&sandbox.path("tls"));
        authority.sign("a.test");
        let key = authority.path("a.test", "key");
        fs::set_permissions(&key, fs::Permissions::from_mode(mode)).unwrap();
        let mta = sandbox.mta("a", 1, &format!("{lines}{}", authority.options("a.test")));
        let _daemon = mta.start();
        let mut client = Client::connect(mta.port);
        let complaint = format!("file {} unsafe: ", key.display());
        if is_accepted {
            client.start_tls().expect("NOOP", "250 ");
            assert!(!mta.log().contains(&complaint), "{case}: {}", mta.log());
        } else {
            let reply = client.say("STARTTLS");
            assert!(!reply.starts_with("220"), "{case}: {reply}");
            until(LIMIT, &format!("the log names the key, {case}"), || mta.log().contains(&complaint));
        }
    }
}
