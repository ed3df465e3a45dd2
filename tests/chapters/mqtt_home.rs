//! What Home Assistant is told of the streams at a broker.

use crate::broker::{Message, Mosquitto};
use crate::chapters::mqtt::{DEFAULT, publisher};
use crate::deadline::until;
use crate::folder::Folder;
use serde_json::{Value, json};

/// What Home Assistant is told: retained, so that it is there whenever it looks.
#[test]
fn home_assistant_is_told_of_numbers_by_themselves() {
    let Some(broker) = Mosquitto::start(DEFAULT) else {
        return;
    };
    let folder = Folder::new();
    let table = folder.path("env.csv");
    std::fs::write(
        &table,
        "time,temp_c,hum_percent\n12:00,21.5,48\n12:01,21.6,47\n",
    )
    .unwrap();
    folder.append("Started\nStopped\n");
    let mut reader = broker.reader("homeassistant/#");
    let zone = folder.path("temp");
    std::fs::write(&zone, "48312\n").unwrap();
    let sample = format!("sample:{}", zone.display());
    let server = publisher(
        broker.addr,
        &[folder.arg(), table.to_str().unwrap(), &sample],
    );
    let mut told: Vec<Message> = (0..4).map(|_| reader.next()).collect();
    told.sort_by(|one, other| one.topic.cmp(&other.topic));
    let config = |message: &Message| serde_json::from_str::<Value>(&message.text).unwrap();
    let seen: Vec<(&str, Value, Value, Value)> = told
        .iter()
        .map(|message| {
            let mut config = config(message);
            let (class, unit) = (
                config["device_class"].take(),
                config["unit_of_measurement"].take(),
            );
            (
                &*message.topic,
                class,
                unit,
                config["enabled_by_default"].take(),
            )
        })
        .collect();
    let null = Value::Null;
    assert_eq!(
        seen,
        [
            (
                "homeassistant/sensor/pi1_app_log/config",
                null.clone(),
                null.clone(),
                json!(false)
            ),
            (
                "homeassistant/sensor/pi1_env_csv_hum_percent/config",
                json!("humidity"),
                json!("%"),
                null.clone()
            ),
            (
                "homeassistant/sensor/pi1_env_csv_temp_c/config",
                json!("temperature"),
                json!("\u{b0}C"),
                null.clone()
            ),
            (
                "homeassistant/sensor/pi1_temp/config",
                json!("temperature"),
                json!("\u{b0}C"),
                null
            ),
        ]
    );
    for message in &told {
        let config = config(message);
        let topic = config["state_topic"].as_str().unwrap();
        assert_eq!(config["availability_topic"], "tailcast/pi1/status");
        // The first reader may come before the first line: then it sees that one live.
        until("the newest line to be there at once", || {
            broker.reader(topic).next().retained.then_some(())
        });
        assert_eq!(
            broker.reader(&message.topic).next().text,
            message.text,
            "it is kept"
        );
    }
    drop(server);
}
