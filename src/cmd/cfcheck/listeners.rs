//! `DaemonPortOptions`: addresses and ports that cannot be had.

use std::collections::HashMap;

use super::Context;
use super::finding::Finding;
use crate::config::daemon_port::{DaemonPort, Family};
use crate::submit;
use crate::sys::host;

/// Each listener beside those before it.
pub(super) fn look(context: &Context<'_>, findings: &mut Vec<Finding>) {
    let lines = context.source.options("DaemonPortOptions");
    let ports = &context.config.options.daemon_port_options;
    // A line that was refused is no port: then it is not known which line is which.
    if lines.len() != ports.len() {
        return;
    }
    let mut taken: HashMap<(String, String), String> = HashMap::new();
    let is_submission = context.config.options.use_msp;
    let runs_as = context.config.options.run_as_user.as_ref().filter(|user| user.uid != 0);
    for ((line, value), port) in lines.into_iter().zip(ports) {
        let place = context.source.place(line, &String::from_utf8_lossy(value));
        let name = String::from_utf8_lossy(&port.name).into_owned();
        let optional = port.modifiers.has(b'O');
        if let Some(other) = taken.insert(endpoint(port, is_submission), name.clone())
            && !optional
        {
            findings.push(
                Finding::new(
                    "duplicate-listener",
                    Some(place.clone()),
                    format!("{other} has this address and port already"),
                )
                .fix("give it another port or address, or take it out"),
            );
        }
        // The submission program listens only when it is started with -bd; what its line is there for is that nothing else does.
        let is_meant = !is_submission || port.port.is_some();
        let is_privileged = is_meant && port.family != Family::Local;
        let number = number(port, is_submission).filter(|number| is_privileged && *number < 1024);
        if let (Some(user), Some(number)) = (runs_as, number) {
            let who =
                user.name.as_ref().map_or(user.uid.to_string(), |name| String::from_utf8_lossy(name).into_owned());
            findings.push(Finding::new(
                "privileged-listener",
                Some(place),
                format!("port {number} is kept through SIGHUP; once the daemon runs as {who} a new one below 1024 cannot be bound"),
            ));
        }
    }
}

/// Family with address, and port, as far as the line says.
fn endpoint(port: &DaemonPort, is_submission: bool) -> (String, String) {
    let address =
        port.address.as_ref().map_or(String::new(), |address| String::from_utf8_lossy(address).to_lowercase());
    let service = number(port, is_submission).map_or_else(|| "smtp".to_owned(), |number| number.to_string());
    (format!("{:?} {address}", port.family), if port.family == Family::Local { String::new() } else { service })
}

fn number(port: &DaemonPort, is_submission: bool) -> Option<u16> {
    match &port.port {
        None if is_submission => Some(submit::PORT),
        None => Some(25),
        Some(service) => host::service_port(std::str::from_utf8(service).ok()?),
    }
}
