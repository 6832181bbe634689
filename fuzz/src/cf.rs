//! Bytes as a cf file: a configuration and findings, and the rules in it can be compiled.

use sendmail::config;
use sendmail::queue::qf::Codec;
use sendmail::rewrite::Program;

pub fn run(bytes: &[u8]) {
    let (config, findings) = config::parse(bytes);
    for finding in &findings {
        let _ = finding.to_string();
    }
    let program = Program::compile(&config);
    for rule in 0.. {
        let Some(source) = program.source(rule) else { break };
        let _ = source;
    }
    let _ = Codec::new(&config);
}
