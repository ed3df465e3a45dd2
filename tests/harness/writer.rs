//! A writer in another process, as a daemon is one: it holds its log open and appends numbered
//! lines.

use sha2::{Digest, Sha256};
use std::io::{BufRead, BufReader, Write};
use std::ops::RangeInclusive;
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

/// Takes `write COUNT` and `reopen` from standard input, answers each when it is done. One `echo`
/// is one `write`.
const SCRIPT: &str = r#"
set -e
exec 3>>"$1"
n=0
while read -r verb count; do
    case $verb in
    write)
        end=$((n + count))
        while [ $n -lt $end ]; do
            n=$((n + 1))
            echo "line $n of the writer, who holds the file open and says one thing at a time: $n" >&3
        done ;;
    reopen) exec 3>>"$1" ;;
    esac
    echo "$verb"
done
"#;

/// The line of that number, numbered from 1, as the writer writes it: no two end in the same 64
/// bytes.
pub fn line(number: u64) -> String {
    format!(
        "line {number} of the writer, who holds the file open and says one thing at a time: {number}\n"
    )
}

/// The lines of these numbers.
pub fn lines(numbers: impl IntoIterator<Item = u64>) -> Vec<u8> {
    numbers
        .into_iter()
        .map(line)
        .collect::<String>()
        .into_bytes()
}

/// What arrived against what was written.
pub fn sha256(bytes: impl AsRef<[u8]>) -> String {
    hex(&Sha256::digest(bytes.as_ref()))
}

/// What arrived is these lines; where it is not, the first one that is wrong is what a person wants
/// to see.
pub fn assert_lines(bytes: &[u8], numbers: RangeInclusive<u64>) {
    if sha256(bytes) == sha256(lines(numbers.clone())) {
        return;
    }
    let text = String::from_utf8_lossy(bytes);
    let mut arrived = text.split_inclusive('\n');
    for number in numbers {
        let came = arrived.next().unwrap_or("the end");
        assert_eq!(came, line(number), "in the place of line {number}");
    }
    panic!("after the last line came {:?}", arrived.next());
}

/// A digest as `sha256sum` prints it.
pub fn hex(digest: &[u8]) -> String {
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A running writer; killed when dropped.
pub struct Writer {
    child: Child,
    orders: ChildStdin,
    answers: BufReader<ChildStdout>,
    /// How many lines it has been told to write.
    pub written: u64,
}

impl Writer {
    /// Starts it on this file, which it creates where there is none.
    pub fn start(path: &Path) -> Writer {
        let mut child = Command::new("sh")
            .args(["-c", SCRIPT, "sh"])
            .arg(path)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("sh");
        let orders = child.stdin.take().unwrap();
        let answers = BufReader::new(child.stdout.take().unwrap());
        let mut writer = Writer {
            child,
            orders,
            answers,
            written: 0,
        };
        // The file is there once it has answered.
        writer.write(0);
        writer
    }

    /// Writes that many lines more; they are in the file when this returns.
    pub fn write(&mut self, count: u64) {
        self.begin(count);
        self.wait();
    }

    /// Begins to write that many lines more; `wait` must follow.
    pub fn begin(&mut self, count: u64) {
        self.written += count;
        self.order(&format!("write {count}"));
    }

    /// Waits until it has done what it was told.
    pub fn wait(&mut self) {
        let mut answer = String::new();
        self.answers.read_line(&mut answer).expect("answer");
        assert!(answer.ends_with('\n'), "the writer has ended: {answer:?}");
    }

    /// Opens the path again, as a daemon does after a rotation.
    pub fn reopen(&mut self) {
        self.order("reopen");
        self.wait();
    }

    /// Everything it has written so far, wherever rotation put it.
    pub fn everything(&self) -> Vec<u8> {
        lines(1..=self.written)
    }

    /// The last line it has written.
    pub fn last(&self) -> String {
        line(self.written)
    }

    fn order(&mut self, order: &str) {
        writeln!(self.orders, "{order}").expect("order");
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
