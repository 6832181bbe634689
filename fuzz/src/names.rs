//! Texts about names: hosts file, service switch file, resolv.conf, and answers of a name server as far as we read them.

use sendmail::net::dns::hosts::Hosts;
use sendmail::net::dns::query::Servers;
use sendmail::net::dns::{Settings, services};

pub fn run(bytes: &[u8]) {
    let hosts = Hosts::parse(bytes);
    for word in bytes.split(u8::is_ascii_whitespace) {
        let _ = (hosts.addresses(word), hosts.canonical(word));
    }
    let _ = services(bytes);
    let _ = Servers::new(bytes, None, &Settings::default());
}
