//! This machine's own state in one line, from what the kernel tells: `cpu_celsius=48.3 load=0.42
//! memory_available_mib=312`. What a machine does not have is left out.

use std::fs;
use std::io;
use std::path::Path;

/// The state now. Blocks.
///
/// # Errors
/// `NotFound` where the kernel tells nothing at all.
pub(crate) fn read() -> io::Result<Vec<u8>> {
    let text = |path: &str| fs::read_to_string(path).ok();
    let pairs = [
        temperature(Path::new("/sys/class/thermal"))
            .map(|celsius| format!("cpu_celsius={celsius}")),
        text("/proc/loadavg").and_then(|text| Some(format!("load={}", load(&text)?))),
        text("/proc/meminfo")
            .and_then(|text| Some(format!("memory_available_mib={}", available(&text)?))),
    ];
    let pairs: Vec<String> = pairs.into_iter().flatten().collect();
    if pairs.is_empty() {
        return Err(io::ErrorKind::NotFound.into());
    }
    Ok(pairs.join(" ").into_bytes())
}

/// What the zones of the processor are called by kernels for boards and for PCs; where none is, the
/// first zone stands in.
const PROCESSOR: [&str; 4] = ["cpu", "soc", "x86_pkg", "k10temp"];

/// The processor's temperature in °C with one decimal, from the thermal zones under `directory`.
fn temperature(directory: &Path) -> Option<String> {
    let entries = directory.read_dir().ok()?;
    let mut zones: Vec<_> = entries
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.join("temp").exists())
        .collect();
    let is_other = |zone: &std::path::PathBuf| {
        let kind = fs::read_to_string(zone.join("type")).unwrap_or_default();
        !PROCESSOR.iter().any(|name| kind.contains(name))
    };
    // By name within each group: `thermal_zone0` before `thermal_zone1`.
    zones.sort_unstable_by_key(|zone| (is_other(zone), zone.clone()));
    zones
        .iter()
        .find_map(|zone| celsius(&fs::read_to_string(zone.join("temp")).ok()?))
}

/// Thousandths of a degree as degrees.
fn celsius(text: &str) -> Option<String> {
    let thousandths: i32 = text.trim().parse().ok()?;
    // In whole numbers, rounded half away from zero: a Pi Zero's user pays for floating point in
    // bytes.
    let tenths = (thousandths.unsigned_abs() + 50) / 100;
    let sign = if thousandths < 0 && tenths > 0 {
        "-"
    } else {
        ""
    };
    Some(format!("{sign}{}.{}", tenths / 10, tenths % 10))
}

/// The load of the last minute, from `/proc/loadavg`.
fn load(text: &str) -> Option<&str> {
    text.split(' ').next().filter(|load| !load.is_empty())
}

/// Memory that programs could still get, in MiB, from `/proc/meminfo`.
fn available(text: &str) -> Option<u64> {
    let line = text
        .lines()
        .find_map(|line| line.strip_prefix("MemAvailable:"))?;
    let kib: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kib / 1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_as_the_kernel_writes_them() {
        for (text, want) in [
            ("48312\n", Some("48.3")),
            ("48350\n", Some("48.4")),
            ("0\n", Some("0.0")),
            ("-5250\n", Some("-5.3")),
            ("", None),
            ("N/A\n", None),
        ] {
            assert_eq!(celsius(text).as_deref(), want, "{text:?}");
        }
        assert_eq!(load("0.42 0.50 0.61 1/123 4567\n"), Some("0.42"));
        assert_eq!(load(""), None);
        let text = "MemTotal:         945512 kB\nMemAvailable:     319488 kB\n";
        assert_eq!(available(text), Some(312));
        assert_eq!(available("MemTotal: 945512 kB\n"), None);
    }

    #[test]
    fn the_processor_s_zone_comes_first() {
        let directory = tempfile::tempdir().unwrap();
        assert_eq!(temperature(directory.path()), None);
        let zone = |name: &str, kind: &str, temp: &str| {
            let zone = directory.path().join(name);
            fs::create_dir(&zone).unwrap();
            fs::write(zone.join("type"), kind).unwrap();
            fs::write(zone.join("temp"), temp).unwrap();
        };
        zone("thermal_zone0", "iwlwifi_1\n", "30000\n");
        assert_eq!(temperature(directory.path()).as_deref(), Some("30.0"));
        zone("thermal_zone1", "cpu-thermal\n", "48312\n");
        assert_eq!(temperature(directory.path()).as_deref(), Some("48.3"));
        fs::create_dir(directory.path().join("cooling_device0")).unwrap();
        assert_eq!(temperature(directory.path()).as_deref(), Some("48.3"));
        assert_eq!(temperature(Path::new("/nonexistent")), None);
    }
}
