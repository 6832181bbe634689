//! tlscheck.

fn main() -> std::process::ExitCode {
    sendmail::cmd::tlscheck::main()
}
