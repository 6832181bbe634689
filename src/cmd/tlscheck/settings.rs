//! Options that are missing or that the library does not take.

use std::cmp::Ordering;

use openssl::hash::MessageDigest;
use openssl::ssl::{SslContext, SslContextBuilder, SslMethod};

use super::causes::{Cause, Sides};
use super::subject::{Subject, path_of};
use crate::base::bytes::shown;
use crate::net::tls::Role;
use crate::net::tls::features::{DEFAULT_OPTIONS, options as ssl_options};
use crate::sys::safefile::Purpose;

/// One after the other.
pub(super) fn look(subject: &Subject<'_>, causes: &mut Vec<Cause>) {
    let options = &subject.config.options;
    if !options.use_tls {
        causes.push(Cause::new("tls-off", Sides::BOTH, "UseTLS", "is False").mend("O UseTLS=True"));
    }
    missing(subject, causes);
    halves(subject, causes);
    ciphers(subject, causes);
    diffie_hellman(subject, causes);
    for (value, option, sides) in [
        (&options.server_ssl_options, "ServerSSLOptions", Sides::SERVER),
        (&options.client_ssl_options, "ClientSSLOptions", Sides::CLIENT),
    ] {
        for (name, near) in value.iter().flat_map(|value| ssl_options(value, DEFAULT_OPTIONS).1) {
            let mend = near.map_or("take it out".to_owned(), |near| format!("{near} is meant?"));
            causes.push(Cause::new("option-unknown", sides, option, format!("{name} is unknown")).mend(mend));
        }
    }
    if let Some(name) = &options.cert_fingerprint_algorithm
        && MessageDigest::from_name(&shown(name).to_string()).is_none()
    {
        let text = format!("{} is no digest", shown(name));
        let cause = Cause::new("fingerprint-unknown", Sides::BOTH, "CertFingerprintAlgorithm", text);
        causes.push(cause.mend("O CertFingerprintAlgorithm=sha256"));
    }
    for port in options.daemon_port_options.iter().filter(|port| port.modifiers.has(b'S')) {
        let cause = Cause::new(
            "port-without-tls",
            Sides::SERVER,
            "DaemonPortOptions",
            format!("{} has modifier S", shown(&port.name)),
        );
        causes.push(cause.mend("take the S out of M="));
    }
    for (ruleset, sides) in [("srv_features", Sides::SERVER), ("try_tls", Sides::CLIENT)] {
        if subject.config.ruleset(ruleset.as_bytes()).is_some() {
            let cause = Cause::new("ruleset-decides", sides, ruleset, "this ruleset is asked for each host");
            causes.push(cause.mend(format!("sendmail -bt: {ruleset} HOST")));
        }
    }
}

/// Without these there is no server side. A side that nobody set up is no fault of the other.
fn missing(subject: &Subject<'_>, causes: &mut Vec<Cause>) {
    let options = &subject.config.options;
    if super::sides::is_client_alone(subject.config) {
        let text =
            "no server certificate is set; under UseMSP only the client side counts unless it is started with -bd";
        let cause = Cause::new("client-alone", Sides::SERVER, "ServerCertFile", text);
        causes.push(cause.mend("nothing, or set it when mail programs submit on port 587"));
        return;
    }
    if !super::sides::listens(subject.config) {
        return;
    }
    for (option, is_missing) in [
        ("ServerCertFile", options.server_cert_file.is_empty()),
        ("ServerKeyFile", options.server_key_file.is_empty()),
        ("CACertFile", options.ca_cert_file.is_none()),
        ("CACertPath", options.ca_cert_path.is_none()),
    ] {
        if is_missing {
            let file = if option == "CACertPath" { "/DIRECTORY" } else { "/FILE" };
            let cause = Cause::new("option-missing", Sides::SERVER, option, "is not set");
            causes.push(cause.mend(format!("O {option}={file} (certs install prints the lines)")));
        }
    }
}

/// A certificate without a key, or more of one than of the other.
fn halves(subject: &Subject<'_>, causes: &mut Vec<Cause>) {
    for (role, sides, names) in [
        (Role::Server, Sides::SERVER, ("ServerCertFile", "ServerKeyFile")),
        (Role::Client, Sides::CLIENT, ("ClientCertFile", "ClientKeyFile")),
    ] {
        let (certificates, keys) = subject.identity(role);
        let (short, long, has, wanted) = match certificates.len().cmp(&keys.len()) {
            Ordering::Equal => continue,
            Ordering::Less => (names.0, names.1, certificates.len(), keys.len()),
            Ordering::Greater => (names.1, names.0, keys.len(), certificates.len()),
        };
        let cause = |text: String, mend: String| Cause::new("option-missing", sides, short, text).mend(mend);
        if has > 0 {
            let text = format!("names {has} of {wanted} files that {long} names");
            causes.push(cause(text, format!("O {short}=/FILE,/FILE (one for each of {long})")));
        } else if role == Role::Client {
            // A server without one of them was told.
            let text = format!("is not set, so that {long} is of no use");
            causes.push(cause(text, format!("O {short}=/FILE (certs install prints the lines)")));
        }
    }
}

fn ciphers(subject: &Subject<'_>, causes: &mut Vec<Cause>) {
    let options = &subject.config.options;
    let set_list: Set = SslContextBuilder::set_cipher_list;
    let set_suites: Set = SslContextBuilder::set_ciphersuites;
    for (value, option, set, show) in [
        (&options.cipher_list, "CipherList", set_list, "openssl ciphers -v LIST shows what a list means"),
        (&options.cipher_suites, "CipherSuites", set_suites, "openssl ciphers -tls1_3 -v shows the suites"),
    ] {
        let Some(value) = value else { continue };
        let Ok(mut context) = SslContext::builder(SslMethod::tls()) else { continue };
        let text = shown(value).to_string();
        if set(&mut context, &text).is_err() {
            let text = format!("OpenSSL does not take {text}");
            causes.push(Cause::new("cipher-list-bad", Sides::BOTH, option, text).mend(show));
        }
    }
}

fn diffie_hellman(subject: &Subject<'_>, causes: &mut Vec<Cause>) {
    let Some(file) = &subject.config.options.dh_parameters else { return };
    if !file.starts_with(b"/") {
        // The first letter counts.
        if !file.first().is_some_and(|letter| b"nN125iI".contains(letter)) {
            let text = format!("{} is neither the whole path of a file nor one of none, i and 2048", shown(file));
            causes.push(Cause::new("dh-missing", Sides::SERVER, "DHParameters", text).mend("O DHParameters=2048"));
        }
        return;
    }
    let mend = format!("openssl dhparam -out {} 2048, or take the line out", path_of(file).display());
    let cause = |text: String| Cause::new("dh-missing", Sides::SERVER, "DHParameters", text).about(path_of(file));
    let mut told = Vec::new();
    match subject.read(file, Purpose::Certificate, "DHParameters", Sides::SERVER, &mut told) {
        None => causes.extend(told.into_iter().map(|why| cause(why.text).mend(mend.clone()))),
        Some(text) => {
            causes.extend(told);
            let Ok(parameters) = openssl::dh::Dh::params_from_pem(&text) else {
                return causes.push(cause("holds no parameters in PEM form".to_owned()).mend(mend));
            };
            let bits = parameters.prime_p().num_bits();
            if SslContext::builder(SslMethod::tls_server()).is_ok_and(|mut c| c.set_tmp_dh(&parameters).is_err()) {
                let text = format!("has {bits} bits, which OpenSSL does not take");
                let cause = Cause::new("dh-weak", Sides::SERVER, "DHParameters", text).about(path_of(file));
                causes.push(cause.mend(mend));
            }
        }
    }
}

/// Sets a list of ciphers.
type Set = fn(&mut SslContextBuilder, &str) -> Result<(), openssl::error::ErrorStack>;
