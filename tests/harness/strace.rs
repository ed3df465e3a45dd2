//! strace around a program: what the kernel is made to refuse it, and what it asks the kernel for.

use crate::require::tool;

/// The words that run another program under strace with these arguments, for as long as strace
/// itself lives; `None` (the test should return) where there is none.
pub fn strace<'a>(arguments: &[&'a str]) -> Option<Vec<&'a str>> {
    tool("strace")?;
    let program = ["setpriv", "--pdeathsig=KILL"];
    Some([&["strace", "-f"], arguments, &program].concat())
}

/// The same, where the kernel answers a call in another way: `inject=socket:error=EAFNOSUPPORT`.
pub fn injecting(answer: &str) -> Option<Vec<&str>> {
    strace(&["-qq", "-o", "/dev/null", "-e", answer])
}
