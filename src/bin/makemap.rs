//! makemap.

fn main() -> std::process::ExitCode {
    sendmail::cmd::makemap::main()
}
