//! Contents of the benchmarks.
fn main() {}
