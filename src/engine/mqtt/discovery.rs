//! What Home Assistant is told of a stream, so that its numbers appear by themselves: one retained
//! message for each entity (Home Assistant's MQTT discovery, component `sensor`). Pure: no runtime,
//! no file, no socket.

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

/// The entities of `stream`: one for each number that `survey` found; where there is none, one for
/// the newest line, which its owner has to switch on.
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

/// What people read: `vitals` of a board have `cpu temperature`, another stream has its name before
/// it.
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
mod tests;
