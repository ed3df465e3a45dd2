//! What Home Assistant is told, against the keys, classes and units that it publishes.

use super::*;
use crate::engine::mqtt::numbers::survey;
use crate::engine::mqtt::template::NUMBER;
use serde_json::{Value as Read, json};

/// The keys of an MQTT sensor's discovery that Home Assistant publishes; others it refuses or
/// ignores.
const KEYS: [&str; 31] = [
    "availability",
    "availability_mode",
    "availability_template",
    "availability_topic",
    "default_entity_id",
    "device",
    "device_class",
    "enabled_by_default",
    "encoding",
    "entity_category",
    "entity_picture",
    "expire_after",
    "force_update",
    "icon",
    "json_attributes_template",
    "json_attributes_topic",
    "last_reset_value_template",
    "name",
    "object_id",
    "options",
    "origin",
    "payload_available",
    "payload_not_available",
    "platform",
    "qos",
    "state_class",
    "state_topic",
    "suggested_display_precision",
    "unique_id",
    "unit_of_measurement",
    "value_template",
];
const DEVICE_KEYS: [&str; 13] = [
    "configuration_url",
    "connections",
    "hw_version",
    "identifiers",
    "manufacturer",
    "model",
    "model_id",
    "name",
    "serial_number",
    "suggested_area",
    "sw_version",
    "via_device",
    "created_at",
];
const ORIGIN_KEYS: [&str; 3] = ["name", "sw_version", "support_url"];

/// The units that Home Assistant takes with a class, of those that we may name.
const CLASSES: [(&str, &[&str]); 17] = [
    ("temperature", &["°C", "°F", "K"]),
    (
        "pressure",
        &[
            "hPa", "kPa", "Pa", "mbar", "bar", "psi", "cbar", "inHg", "mmHg",
        ],
    ),
    ("voltage", &["V", "mV", "kV", "MV"]),
    ("current", &["A", "mA"]),
    ("power", &["W", "kW", "mW", "MW", "GW", "TW"]),
    ("energy", &["Wh", "kWh", "MWh", "GWh", "J", "MJ"]),
    ("frequency", &["Hz", "kHz", "MHz", "GHz"]),
    ("duration", &["ms", "s", "min", "h", "d"]),
    ("illuminance", &["lx"]),
    ("signal_strength", &["dB", "dBm"]),
    ("precipitation", &["mm", "cm", "in"]),
    ("distance", &["mm", "cm", "m", "km", "in", "ft", "yd", "mi"]),
    ("weight", &["g", "kg", "mg", "oz", "lb", "st"]),
    (
        "data_size",
        &["B", "kB", "MB", "GB", "KiB", "MiB", "GiB", "bit"],
    ),
    ("humidity", &["%"]),
    ("battery", &["%"]),
    ("carbon_dioxide", &["ppm"]),
];

fn stream(name: &'static str) -> Stream<'static> {
    Stream {
        board: "pi1",
        name,
        topic: "tailcast/pi1/x",
        status: "tailcast/pi1/status",
        is_vitals: false,
        is_thermometer: false,
        expires: None,
    }
}

fn found(stream: &Stream, lines: &[&str], head: Option<&str>) -> Vec<(String, Read)> {
    let lines: Vec<String> = lines.iter().map(|&line| line.to_owned()).collect();
    let configs = configs(stream, survey(&lines, head).as_ref());
    let read = |config: Config| {
        let object = serde_json::from_str(&config.payload).unwrap();
        (config.topic, object)
    };
    configs.into_iter().map(read).collect()
}

fn keys(object: &Read) -> impl Iterator<Item = &str> {
    object.as_object().unwrap().keys().map(String::as_str)
}

#[test]
fn every_key_is_one_that_home_assistant_publishes() {
    let mut thermometer = stream("temp");
    thermometer.is_thermometer = true;
    thermometer.expires = Some(63);
    let samples: [&[&str]; 6] = [
        &["48312"],
        &["a log"],
        &["21.5 °C"],
        &["t=1 u_hpa=990 pid=7"],
        &["{\"bme\":{\"hum_pct\":48.5}}"],
        &["x;21,5"],
    ];
    for (stream, lines) in [thermometer, stream("x")]
        .iter()
        .flat_map(|stream| samples.map(|lines| (stream, lines)))
    {
        for (topic, config) in found(stream, lines, None) {
            assert!(
                keys(&config).all(|key| KEYS.contains(&key)),
                "{topic}: {config}"
            );
            assert!(keys(&config["device"]).all(|key| DEVICE_KEYS.contains(&key)));
            assert!(keys(&config["origin"]).all(|key| ORIGIN_KEYS.contains(&key)));
            for needed in [
                "name",
                "unique_id",
                "state_topic",
                "availability_topic",
                "device",
            ] {
                assert!(config.get(needed).is_some(), "{topic}: no {needed}");
            }
        }
    }
}

#[test]
fn every_class_has_a_unit_that_home_assistant_takes_with_it() {
    for (name, unit) in [
        ("cpu", "c"),
        ("cpu", "f"),
        ("p", "hpa"),
        ("p", "mbar"),
        ("x", "v"),
        ("x", "mv"),
        ("x", "ma"),
        ("x", "w"),
        ("x", "kwh"),
        ("x", "mhz"),
        ("x", "ms"),
        ("x", "lux"),
        ("x", "dbm"),
        ("rain", "mm"),
        ("x", "cm"),
        ("x", "kg"),
        ("x", "mib"),
        ("x", "gib"),
        ("humidity", "percent"),
        ("battery", "%"),
        ("co2", "ppm"),
    ] {
        let unit = units::unit(unit).unwrap();
        let class = units::device_class(name, unit).unwrap();
        let (_, takes) = CLASSES.iter().find(|(known, _)| *known == class).unwrap();
        assert!(takes.contains(&unit), "{class} is not measured in {unit}");
    }
}

#[test]
fn a_board_s_vitals_are_one_device() {
    let vitals = Stream {
        is_vitals: true,
        topic: "tailcast/pi1/vitals",
        expires: Some(63),
        ..stream("vitals")
    };
    let line = "2026-11-23T20:15:00.250Z cpu_celsius=48.3 load=0.42 memory_available_mib=312";
    let found = found(&vitals, &[line], None);
    let topics: Vec<&str> = found.iter().map(|(topic, _)| &**topic).collect();
    assert_eq!(
        topics,
        [
            "homeassistant/sensor/pi1_vitals_cpu_celsius/config",
            "homeassistant/sensor/pi1_vitals_load/config",
            "homeassistant/sensor/pi1_vitals_memory_available_mib/config",
        ]
    );
    let said = |key: &str| -> Vec<&Read> { found.iter().map(|(_, config)| &config[key]).collect() };
    assert_eq!(
        said("name"),
        ["cpu temperature", "load", "memory available"]
    );
    assert_eq!(
        said("unit_of_measurement"),
        [&json!("°C"), &json!(null), &json!("MiB")]
    );
    assert_eq!(
        said("device_class"),
        [&json!("temperature"), &json!(null), &json!("data_size")]
    );
    assert_eq!(said("state_class"), ["measurement"; 3]);
    assert_eq!(said("expire_after"), [63; 3]);
    assert_eq!(found[0].1["device"]["identifiers"], json!(["tailcast_pi1"]));
    assert_eq!(found[0].1["unique_id"], "tailcast_pi1_vitals_cpu_celsius");
}

#[test]
fn the_whole_message_of_a_thermometer() {
    let thermometer = Stream {
        is_thermometer: true,
        topic: "tailcast/pi1/temp",
        expires: Some(63),
        ..stream("temp")
    };
    let found = found(&thermometer, &["2026-11-23T20:15:00.250Z 48312"], None);
    let version = env!("CARGO_PKG_VERSION");
    let want = json!({
        "name": "temp temperature",
        "unique_id": "tailcast_pi1_temp",
        "state_topic": "tailcast/pi1/temp",
        "availability_topic": "tailcast/pi1/status",
        "unit_of_measurement": "°C",
        "device_class": "temperature",
        "state_class": "measurement",
        "expire_after": 63,
        "value_template": format!(
            "{{% set t = value.partition(' ')[2] %}}{{% set n = t | regex_findall('{NUMBER}') | first | \
             default(none) %}}{{{{ (n | float / 1000 if n else none) if t else '' }}}}"
        ),
        "device": {
            "identifiers": ["tailcast_pi1"],
            "name": "pi1",
            "manufacturer": "Tailcast",
            "sw_version": version,
        },
        "origin": {"name": "Tailcast", "sw_version": version},
    });
    assert_eq!(
        found,
        [("homeassistant/sensor/pi1_temp/config".to_owned(), want)]
    );
}

#[test]
fn a_log_is_a_text_that_is_off() {
    let found = found(&stream("app.log"), &["Started", "Stopped"], None);
    let (topic, config) = &found[0];
    assert_eq!(topic, "homeassistant/sensor/pi1_app_log/config");
    assert_eq!(config["enabled_by_default"], false);
    assert_eq!(config["value_template"], "{{ value[:255] }}");
    assert!(
        config.get("state_class").is_none(),
        "a text is no measurement"
    );
    assert_eq!(found.len(), 1);
}

#[test]
fn two_columns_of_one_slug_do_not_take_turns() {
    let found = found(&stream("x"), &["a.b=1.5 a-b=2 a/b=3"], None);
    let names: Vec<&Read> = found.iter().map(|(_, config)| &config["name"]).collect();
    assert_eq!(names, ["x a b", "x a-b"]);
}
