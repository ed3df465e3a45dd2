//! Tells Home Assistant of a stream, once enough of it has been seen.

use std::io;
use std::time::Duration;

use smol::Timer;

use crate::bytes::cursor::From;
use crate::bytes::lines::Splitter;
use crate::engine::mqtt::board::Board;
use crate::engine::mqtt::discovery::{self, Config};
use crate::engine::mqtt::numbers::{SURVEY_LINES, survey};
use crate::source::marker::Next;
use crate::source::{Runtime, Source};

/// How many lines a stream needs before it is judged: of a table the first may be its head. A
/// sample's lines are alike.
const LINES_MIN: usize = 2;

/// How long until a file that could not be read is tried again.
const UNREADABLE_TIME: Duration = Duration::from_secs(10);

/// How much longer than three of its periods a sample's value is true.
const EXPIRY_TIME: Duration = Duration::from_secs(60);

/// What Home Assistant is to be told of `source`, published at `topic` by `board`.
pub(crate) async fn configs(
    source: &Source,
    topic: &str,
    board: &Board,
    runtime: &Runtime,
) -> Vec<Config> {
    let is_sample = source.kind() == "sample";
    let (head, lines) = loop {
        match seen(source, is_sample, runtime).await {
            Ok(seen) => break seen,
            Err(_) => _ = Timer::after(UNREADABLE_TIME).await,
        }
    };
    let place = source.place.as_ref();
    let expires = EXPIRY_TIME + 3 * runtime.sample;
    let stream = discovery::Stream {
        board: &board.name,
        name: &source.name,
        topic,
        status: &board.status(),
        is_vitals: is_sample && place.is_none(),
        is_thermometer: place.is_some_and(|place| is_thermometer(&place.path.to_string_lossy())),
        expires: is_sample.then_some(expires.as_secs()),
    };
    discovery::configs(&stream, survey(&lines, head.as_deref()).as_ref())
}

/// Files in which the kernel writes thousandths of a degree: thermal zones, hwmon, 1-wire.
fn is_thermometer(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or_default();
    name.ends_with("temp")
        || name == "w1_slave"
        || name.starts_with("temp") && name.ends_with("_input")
}

/// The first line of the stream and its newest ones.
async fn seen(
    source: &Source,
    is_sample: bool,
    runtime: &Runtime,
) -> io::Result<(Option<String>, Vec<String>)> {
    let least = if is_sample { 1 } else { LINES_MIN };
    let lines = lines(
        source,
        From::Lines(SURVEY_LINES as u64),
        least,
        SURVEY_LINES,
        runtime,
    )
    .await?;
    let head = lines_at_start(source, runtime).await?;
    Ok((head, lines))
}

async fn lines_at_start(source: &Source, runtime: &Runtime) -> io::Result<Option<String>> {
    let mut first = lines(source, From::Start, 1, 1, runtime).await?;
    Ok(first.pop())
}

/// From `from` on `most` lines, or at least so many once there are no more now.
async fn lines(
    source: &Source,
    from: From,
    least: usize,
    most: usize,
    runtime: &Runtime,
) -> io::Result<Vec<String>> {
    let mut reader = source.open(from).await?;
    let mut changed = reader.changed();
    let mut splitter = Splitter::behind(&[], reader.line_end());
    let mut lines = Vec::new();
    loop {
        let next = {
            let mut cache = runtime.cache.borrow_mut();
            let next = reader.next(&mut cache)?;
            if matches!(next, Next::Bytes) {
                splitter.push(cache.bytes(), |line, _| lines.push(line.to_owned()));
            }
            next
        };
        lines.truncate(most);
        match next {
            _ if lines.len() == most => return Ok(lines),
            Next::End if lines.len() >= least => return Ok(lines),
            Next::End => changed.rung().await,
            Next::Cold => reader.warm().await?,
            Next::Marker(marker) if marker.cursor().is_some() => {
                splitter = Splitter::behind(&[], reader.line_end());
            }
            Next::Bytes | Next::Marker(_) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thermometers_by_their_path() {
        for (path, want) in [
            ("/sys/class/thermal/thermal_zone0/temp", true),
            ("/sys/class/hwmon/hwmon0/temp1_input", true),
            ("/sys/bus/w1/devices/28-0316a/w1_slave", true),
            ("/sys/class/hwmon/hwmon0/fan1_input", false),
            ("/sys/class/power_supply/BAT0/voltage_now", false),
        ] {
            assert_eq!(is_thermometer(path), want, "{path}");
        }
    }
}
