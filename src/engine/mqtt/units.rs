//! What a number is a measure of, by its unit and its name, in the words of Home Assistant.
//! Pure: no runtime, no file, no socket.

/// Spellings of units, lower case, and the unit that Home Assistant knows.
const UNITS: &[(&[&str], &str)] = &[
    (&["°c", "c", "degc", "celsius"], "°C"),
    (&["°f", "f", "degf", "fahrenheit"], "°F"),
    (&["k", "kelvin"], "K"),
    (&["%", "percent", "pct", "%rh"], "%"),
    (&["hpa"], "hPa"),
    (&["kpa"], "kPa"),
    (&["pa", "pascal"], "Pa"),
    (&["mbar"], "mbar"),
    (&["bar"], "bar"),
    (&["psi"], "psi"),
    (&["v", "volt", "volts"], "V"),
    (&["mv", "millivolts"], "mV"),
    (&["a", "amp", "amps", "ampere"], "A"),
    (&["ma", "milliamps"], "mA"),
    (&["w", "watt", "watts"], "W"),
    (&["kw"], "kW"),
    (&["wh"], "Wh"),
    (&["kwh"], "kWh"),
    (&["hz"], "Hz"),
    (&["khz"], "kHz"),
    (&["mhz"], "MHz"),
    (&["ghz"], "GHz"),
    (&["ms", "milliseconds"], "ms"),
    (&["s", "sec", "seconds"], "s"),
    (&["min", "minutes"], "min"),
    (&["h", "hours"], "h"),
    (&["d", "days"], "d"),
    (&["lx", "lux"], "lx"),
    (&["ppm"], "ppm"),
    (&["ppb"], "ppb"),
    (&["db"], "dB"),
    (&["dbm"], "dBm"),
    (&["rpm"], "rpm"),
    (&["mm"], "mm"),
    (&["cm"], "cm"),
    (&["m", "meters"], "m"),
    (&["km"], "km"),
    (&["g", "grams"], "g"),
    (&["kg"], "kg"),
    (&["b", "bytes"], "B"),
    (&["kb"], "kB"),
    (&["mb"], "MB"),
    (&["gb"], "GB"),
    (&["kib"], "KiB"),
    (&["mib"], "MiB"),
    (&["gib"], "GiB"),
];

/// Units of one letter that may end a name; `sensor_a` and `sensor_b` are no amperes and bytes.
const LETTERS: [&str; 4] = ["c", "s", "v", "w"];

/// The unit by one of its spellings, in any case.
pub(crate) fn unit(text: &str) -> Option<&'static str> {
    let text = text.to_lowercase();
    let known = UNITS
        .iter()
        .find(|(spellings, _)| spellings.contains(&&*text));
    known.map(|&(_, unit)| unit)
}

/// A column's own name and its unit, from `name_unit`, `name (unit)` or `name [unit]`.
pub(crate) fn name_and_unit(name: &str) -> (&str, Option<&'static str>) {
    for (open, close) in [('(', ')'), ('[', ']')] {
        if let Some(inner) = name.strip_suffix(close)
            && let Some((name, inner)) = inner.rsplit_once(open)
            && let Some(unit) = unit(inner.trim())
        {
            return (name.trim_end(), Some(unit));
        }
    }
    match name.rsplit_once('_') {
        Some((own, end)) if !own.is_empty() && (end.len() > 1 || LETTERS.contains(&end)) => {
            unit(end).map_or((name, None), |unit| (own, Some(unit)))
        }
        _ => (name, None),
    }
}

/// What `device_class` Home Assistant has for the unit; where one unit measures several things, by
/// the name. `None` where a wrong one would be refused.
pub(crate) fn device_class(name: &str, unit: &str) -> Option<&'static str> {
    let name = name.to_lowercase();
    let by_name = |table: &[(&str, &'static str)]| {
        let found = table.iter().find(|(part, _)| name.contains(part));
        found.map(|&(_, class)| class)
    };
    match unit {
        "°C" | "°F" | "K" => Some("temperature"),
        "hPa" | "kPa" | "Pa" | "mbar" | "bar" | "psi" => Some("pressure"),
        "V" | "mV" => Some("voltage"),
        "A" | "mA" => Some("current"),
        "W" | "kW" => Some("power"),
        "Wh" | "kWh" => Some("energy"),
        "Hz" | "kHz" | "MHz" | "GHz" => Some("frequency"),
        "ms" | "s" | "min" | "h" | "d" => Some("duration"),
        "lx" => Some("illuminance"),
        "dB" | "dBm" => Some("signal_strength"),
        "mm" if name.contains("rain") => Some("precipitation"),
        "mm" | "cm" | "m" | "km" => Some("distance"),
        "g" | "kg" => Some("weight"),
        "B" | "kB" | "MB" | "GB" | "KiB" | "MiB" | "GiB" => Some("data_size"),
        "%" => by_name(&[
            ("hum", "humidity"),
            ("batt", "battery"),
            ("moist", "moisture"),
        ]),
        "ppm" => by_name(&[
            ("co2", "carbon_dioxide"),
            ("voc", "volatile_organic_compounds_parts"),
        ]),
        "ppb" => by_name(&[("voc", "volatile_organic_compounds_parts")]),
        _ => None,
    }
}

/// The word that a name needs once its unit is taken off it: `cpu_celsius` is the CPU's
/// temperature.
pub(crate) fn noun(device_class: &'static str) -> Option<&'static str> {
    let is_noun = matches!(
        device_class,
        "temperature" | "pressure" | "voltage" | "current" | "power" | "energy" | "frequency"
    );
    is_noun.then_some(device_class)
}

/// Home Assistant takes energy for a count that grows; all else is measured.
pub(crate) fn state_class(device_class: Option<&str>) -> &'static str {
    match device_class {
        Some("energy") => "total_increasing",
        _ => "measurement",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_from_names() {
        for (text, want) in [
            ("cpu_celsius", ("cpu", Some("°C"))),
            ("memory_available_mib", ("memory_available", Some("MiB"))),
            ("temperature (°C)", ("temperature", Some("°C"))),
            ("pressure [hPa]", ("pressure", Some("hPa"))),
            ("load", ("load", None)),
            ("load_avg", ("load_avg", None)),
            ("_c", ("_c", None)),
            ("x (y)", ("x (y)", None)),
            ("sensor_a", ("sensor_a", None)),
            ("supply_v", ("supply", Some("V"))),
            ("disk_gib", ("disk", Some("GiB"))),
        ] {
            assert_eq!(name_and_unit(text), want, "{text:?}");
        }
    }

    #[test]
    fn classes_by_unit_and_name() {
        for (name, unit, class) in [
            ("cpu", "°C", Some("temperature")),
            ("hum", "%", Some("humidity")),
            ("Humidity", "%", Some("humidity")),
            ("battery", "%", Some("battery")),
            ("cpu", "%", None),
            ("co2", "ppm", Some("carbon_dioxide")),
            ("dust", "ppm", None),
            ("rain", "mm", Some("precipitation")),
            ("level", "mm", Some("distance")),
            ("fan", "rpm", None),
        ] {
            assert_eq!(device_class(name, unit), class, "{name} {unit}");
        }
    }
}
