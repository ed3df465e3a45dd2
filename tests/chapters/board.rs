//! Whole boards: `cross/board.sh` boots one in QEMU, with Debian's kernel and a binary of `dist/`,
//! and a browser and a client outside look at it. What happens on the board happens over its
//! console.
//!
//! An emulated processor tells nothing about speed: here is no time that something must take less
//! than.

use crate::board::Board;
use crate::viewer::Viewer;
use crate::writer::sha256;
use std::net::TcpStream;
use std::os::unix::net::UnixStream;

/// What it may have in memory after its start, in KiB. The aim was 1,536, which it had while it was
/// half as large; most of what is there is its own code (1,648 on a Pi Zero, 2026-11-26).
const RESIDENT_MAX: u32 = 2048;

impl Board {
    /// Nobody is connected, and it is small. Not `VmRSS`: with several processors that is off by up
    /// to 256 KiB a thread.
    fn is_small(&mut self) {
        let resident = self.run("grep ^Rss /proc/$(pidof tailcast)/smaps_rollup");
        println!("{}: {resident}", self.name);
        let kilobytes = resident.split_whitespace().nth(1).unwrap();
        assert!(
            kilobytes.parse::<u32>().unwrap() < RESIDENT_MAX,
            "{resident}"
        );
    }

    /// Nobody is connected any more, and soon it sleeps through more than a heartbeat, while the
    /// log grows.
    fn is_asleep(&mut self) {
        self.run(
            "quiet=0; before=; until [ $quiet = 22 ]; do \
             now=$(grep -h ^voluntary /proc/$(pidof tailcast)/task/*/status); \
             [ \"$now\" = \"$before\" ] && quiet=$((quiet + 1)) || quiet=0; before=$now; sleep 1; done",
        );
    }

    /// A real browser shows a line that is written on the board.
    fn is_seen(&mut self) {
        let Some(mut viewer) = Viewer::start() else {
            return;
        };
        viewer
            .browser
            .go(&format!("http://{}/?key={}", self.addr, self.key));
        viewer.until_state("live");
        let line = "written on the board";
        self.run(&format!("echo {line} >>{}", self.log()));
        let row = format!(
            "[...document.querySelectorAll('.row')].some(row => row.textContent === '{line}')"
        );
        viewer.until("the line on the page", &row);
        viewer.assert_no_complaints();
    }

    /// An exact client gets every byte once, over a rotation and over a lost connection with
    /// another rotation in it.
    fn is_followed(&mut self) {
        let log = self.log();
        let stream = format!("{}.log", self.name);
        // From here on the board writes what it is told to.
        self.run("kill -STOP $(cat /run/writer)");
        let mut client = self.client(&stream, "start");
        self.run(&format!(
            "head -c 100000 /dev/urandom >>{log}; echo >>{log}; echo whole >>{log}"
        ));
        let mut came = client.bytes_until("\nwhole\n");
        self.run(&format!("mv {log} {log}.1; echo second >>{log}"));
        came.extend(client.bytes_until("second\n"));
        assert_eq!(client.event_names(), ["rotated"]);

        client.disconnect();
        self.run(&format!(
            "echo unseen >>{log}; mv {log}.1 {log}.2; mv {log} {log}.1; echo third >>{log}"
        ));
        let place = client.place().clone();
        let mut client = self.client(&stream, &place.to_string());
        assert_eq!(client.open["cursor"], place.to_string());
        came.extend(client.bytes_until("third\n"));
        assert_eq!(client.event_names(), ["rotated"]);

        let written = self.run(&format!("cat {log}.2 {log}.1 {log} | sha256sum"));
        assert_eq!(sha256(&came), written.split(' ').next().unwrap());
    }

    /// A thermometer's readings arrive, each with the board's time before it.
    fn has_temperature(&mut self, reading: &str) {
        let mut client = self.client("temperature", "end");
        let bytes = client.bytes_until(format!("Z {reading}\n"));
        let last = String::from_utf8(bytes).unwrap();
        let time = last.lines().last().unwrap().split(' ').next().unwrap();
        let today = self.run("date -u +%F");
        assert!(time.starts_with(&today), "{time} on {today}");
    }

    /// A real browser shows the thermometer as a chart with no question asked, and what is set
    /// outside is its newest point.
    fn is_charted(&mut self, monitor: &mut UnixStream) {
        let Some(mut viewer) = Viewer::start() else {
            return;
        };
        viewer.browser.go(&format!(
            "http://{}/?key={}#temperature",
            self.addr, self.key
        ));
        let live = "document.querySelector('#chart-panel strong')?.textContent";
        for (reading, shown) in [("41500", "41.5"), ("-12250", "−12.25"), ("30500", "30.5")] {
            self.set_temperature(monitor, reading);
            viewer.until(shown, &format!("{live} === '{shown} °C'"));
            // What is drawn, as it is taken away: its last row.
            let newest = "(async () => {
                const taken = new Promise((done) => (URL.createObjectURL = (blob) => (done(blob), 'data:,')));
                [...document.querySelectorAll('#chart-panel button')].find((one) => one.textContent === 'CSV').click();
                return (await (await taken).text()).trimEnd().split(/[\\n,]/).at(-1);
            })()";
            let newest = viewer.browser.evaluate(newest);
            assert_eq!(newest, shown.replace('−', "-"));
        }
        viewer.assert_no_complaints();
    }

    /// The processor's thermometer, which QEMU never warms.
    fn has_processor_temperature(&mut self) {
        let reading = self.run("cat /sys/class/thermal/thermal_zone0/temp");
        self.has_temperature(&reading);
    }

    /// Everything that a board is asked for. `act` comes while the log grows and nothing else is
    /// connected.
    fn serves(mut self, act: impl FnOnce(&mut Board)) {
        self.run("touch /run/mark; sleep 1");
        self.is_small();
        self.is_seen();
        act(&mut self);
        self.is_asleep();
        self.is_followed();
        self.is_small();
        // Nothing has been written but by the writer, and by us.
        let log = self.log();
        let changed = self.run("find / -xdev -newer /run/mark | sort");
        let logs = ["/var/log", &log, &format!("{log}.1"), &format!("{log}.2")];
        assert_eq!(changed.lines().collect::<Vec<_>>(), logs);
        assert!(self.power_off());
        assert!(
            TcpStream::connect(self.addr).is_err(),
            "QEMU is still there"
        );
    }
}

/// ARMv6, network over USB, a thermometer, and a clock that starts in 1970.
#[test]
fn raspi0() {
    if let Some(board) = Board::boot("raspi0", &["armv6"]) {
        board.serves(Board::has_processor_temperature);
    }
}

/// The same in 64 bit.
#[test]
fn raspi3b() {
    if let Some(board) = Board::boot("raspi3b", &["aarch64"]) {
        board.serves(Board::has_processor_temperature);
    }
}

/// A thermometer that gets warmer. An ARMv7 runs code for ARMv6, too.
#[test]
fn vexpress_a9() {
    if let Some(board) = Board::boot("vexpress-a9", &["armv7", "armv6"]) {
        board.serves(|board| {
            let mut monitor = board.monitor();
            board.set_temperature(&mut monitor, "30500");
            board.has_temperature("30500");
            board.is_charted(&mut monitor);
        });
    }
}

/// 64 MiB.
#[test]
fn virt() {
    if let Some(board) = Board::boot("virt", &["aarch64"]) {
        board.serves(|_| {});
    }
}
