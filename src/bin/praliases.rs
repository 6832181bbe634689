//! praliases.

fn main() -> std::process::ExitCode {
    sendmail::cmd::praliases::main()
}
