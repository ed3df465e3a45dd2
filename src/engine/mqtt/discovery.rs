//! What Home Assistant is told of a stream, so that its numbers appear by themselves: one retained message for each
//! entity (Home Assistant's MQTT discovery, component `sensor`).
//! Pure: no runtime, no file, no socket.

use miniserde::json::{self, Array, Number, Object, Value};

use crate::engine::mqtt::numbers::{Column, Survey};
use crate::engine::mqtt::template::{STATE_MAX, template};
use crate::engine::mqtt::units;

/// What there is to know of a stream.
pub(crate) struct Stream<'a> {
    /// The board's name.
    pub board: &'a str,
    /// The stream's name.
    pub name: &'a str,
    /// Where its lines are published.
    pub topic: &'a str,
    /// Where it is told whether the board is there.
    pub status: &'a str,
    /// These are the board's own vitals: their entities need no stream in their names.
    pub is_vitals: bool,
    /// Values over 1,000 are thousandths of a degree.
    pub is_thermometer: bool,
    /// For how many seconds a value is true; `None`: until the next one.
    pub expires: Option<u64>,
}

/// A retained message for Home Assistant.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Config {
    /// `homeassistant/sensor/BOARD_NAME[_COLUMN]/config`.
    pub topic: String,
    /// A JSON object.
    pub payload: String,
}

/// The entities of `stream`: one for each number that `survey` found; where there is none, one for the newest line, which
/// its owner has to switch on.
pub(crate) fn configs(stream: &Stream, survey: Option<&Survey>) -> Vec<Config> {
    let Some(survey) = survey else {
        let mut line = entity(stream, "", stream.name);
        line.insert(
            "value_template".into(),
            text(&format!("{{{{ value[:{STATE_MAX}] }}}}")),
        );
        line.insert("enabled_by_default".into(), Value::Bool(false));
        line.insert("icon".into(), text("mdi:text"));
        return vec![config(stream, "", &line)];
    };
    let mut configs: Vec<Config> = Vec::new();
    for column in &survey.columns {
        let name = column.name();
        let config = config(stream, &name, &number(stream, survey, column));
        // Of two names that differ in signs alone, the first has the entity.
        if configs.iter().all(|other| other.topic != config.topic) {
            configs.push(config);
        }
    }
    configs
}

/// The entity of a number.
fn number(stream: &Stream, survey: &Survey, column: &Column) -> Object {
    let name = column.name();
    let (own, of_name) = units::name_and_unit(&name);
    let is_thousandths = stream.is_thermometer && column.is_large;
    let unit = match (is_thousandths, units::unit(&column.suffix)) {
        (true, _) => Some("°C"),
        (false, of_value) => of_value.or(of_name),
    };
    let class = unit.and_then(|unit| units::device_class(&name, unit));
    let mut object = entity(stream, &name, &title(stream, own, class));
    let template = template(survey, column, is_thousandths);
    object.insert("value_template".into(), text(&template));
    object.insert("state_class".into(), text(units::state_class(class)));
    // Of a unit that Home Assistant does not know it shows what the line has.
    let unit = unit.unwrap_or(&column.suffix);
    if !unit.is_empty() {
        object.insert("unit_of_measurement".into(), text(unit));
    }
    if let Some(class) = class {
        object.insert("device_class".into(), text(class));
    }
    if let Some(seconds) = stream.expires {
        object.insert("expire_after".into(), Value::Number(Number::U64(seconds)));
    }
    if column.is_counter {
        object.insert("enabled_by_default".into(), Value::Bool(false));
    }
    object
}

/// What every entity has.
fn entity(stream: &Stream, column: &str, title: &str) -> Object {
    let (board, version) = (stream.board, env!("CARGO_PKG_VERSION"));
    let mut device = Object::new();
    let identifier = text(&format!("tailcast_{}", slug(board)));
    device.insert(
        "identifiers".into(),
        Value::Array([identifier].into_iter().collect::<Array>()),
    );
    device.insert("name".into(), text(board));
    device.insert("manufacturer".into(), text("Tailcast"));
    device.insert("sw_version".into(), text(version));
    let mut origin = Object::new();
    origin.insert("name".into(), text("Tailcast"));
    origin.insert("sw_version".into(), text(version));
    let mut object = Object::new();
    object.insert("name".into(), text(title));
    object.insert(
        "unique_id".into(),
        text(&format!("tailcast_{}", id(stream, column))),
    );
    object.insert("state_topic".into(), text(stream.topic));
    object.insert("availability_topic".into(), text(stream.status));
    object.insert("device".into(), Value::Object(device));
    object.insert("origin".into(), Value::Object(origin));
    object
}

fn config(stream: &Stream, column: &str, object: &Object) -> Config {
    Config {
        topic: format!("homeassistant/sensor/{}/config", id(stream, column)),
        payload: json::to_string(object),
    }
}

/// `BOARD_NAME`, and `_COLUMN` where the stream has several.
fn id(stream: &Stream, column: &str) -> String {
    let parts = [stream.board, stream.name, column];
    let parts = parts
        .iter()
        .filter(|part| !part.is_empty())
        .map(|part| slug(part));
    parts.collect::<Vec<_>>().join("_")
}

/// The characters that discovery topics may have.
fn slug(text: &str) -> String {
    let known = |c: char| {
        if c.is_ascii_alphanumeric() || c == '-' {
            c
        } else {
            '_'
        }
    };
    let slug: String = text.chars().map(known).collect();
    slug.trim_matches('_').to_owned()
}

/// What people read: `vitals` of a board have `cpu temperature`, another stream has its name before it.
fn title(stream: &Stream, column: &str, class: Option<&'static str>) -> String {
    let column = column.replace(['_', '.'], " ");
    // `bed_temp` says it already.
    let says = |noun: &&str| {
        let start = noun.get(..4).unwrap_or_default();
        column.to_lowercase().contains(start)
    };
    let noun = class.and_then(units::noun).filter(|noun| !says(noun));
    let stream = if stream.is_vitals { "" } else { stream.name };
    let parts = [stream, &column, noun.unwrap_or_default()];
    let parts: Vec<&str> = parts.into_iter().filter(|part| !part.is_empty()).collect();
    parts.join(" ")
}

fn text(text: &str) -> Value {
    Value::String(text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::mqtt::numbers::survey;
    use crate::engine::mqtt::template::NUMBER;
    use serde_json::{Value as Read, json};

    /// The keys of an MQTT sensor's discovery that Home Assistant publishes; others it refuses or ignores.
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
        let said =
            |key: &str| -> Vec<&Read> { found.iter().map(|(_, config)| &config[key]).collect() };
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
}
