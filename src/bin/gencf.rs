//! gencf.

fn main() -> std::process::ExitCode {
    sendmail::cmd::gencf::main()
}
