//! editmap.

fn main() -> std::process::ExitCode {
    sendmail::cmd::editmap::main()
}
