//! smrsh, the restricted shell.

fn main() -> std::process::ExitCode {
    sendmail::cmd::smrsh::main()
}
