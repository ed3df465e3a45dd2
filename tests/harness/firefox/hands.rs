//! A person's hands in Firefox: keys, mouse and fingers as actions of WebDriver.

use super::Firefox;
use serde_json::{Value, json};
use std::collections::BTreeSet;

impl Firefox {
    fn act(&mut self, actions: Value) {
        let actions = json!({ "context": self.context, "actions": actions });
        self.command("input.performActions", actions);
    }

    pub(super) fn key(&mut self, event: &Value) {
        let key = key(event["key"].as_str().expect("key"));
        let action = |kind: &str, key: &str| json!({ "type": kind, "value": key });
        let control = "\u{e009}";
        let actions = match (event["type"].as_str(), event["modifiers"] == 2) {
            (Some("keyUp"), _) => vec![action("keyUp", &key)],
            (_, false) => vec![action("keyDown", &key)],
            (_, true) => vec![
                action("keyDown", control),
                action("keyDown", &key),
                action("keyUp", &key),
                action("keyUp", control),
            ],
        };
        self.act(json!([{ "type": "key", "id": "keys", "actions": actions }]));
    }

    pub(super) fn mouse(&mut self, event: &Value) {
        let (x, y) = (whole(&event["x"]), whole(&event["y"]));
        let moved = json!({ "type": "pointerMove", "x": x, "y": y });
        let actions = match event["type"].as_str() {
            Some("mouseWheel") => {
                let scroll = json!({ "type": "scroll", "x": x, "y": y,
                    "deltaX": whole(&event["deltaX"]), "deltaY": whole(&event["deltaY"]) });
                return self.act(json!([{ "type": "wheel", "id": "wheel", "actions": [scroll] }]));
            }
            Some("mousePressed") => vec![moved, json!({ "type": "pointerDown", "button": 0 })],
            Some("mouseReleased") => vec![moved, json!({ "type": "pointerUp", "button": 0 })],
            _ => vec![moved],
        };
        self.act(json!([{ "type": "pointer", "id": "mouse", "actions": actions }]));
    }

    /// All fingers that are on the screen after it, as Chromium wants them.
    pub(super) fn touch(&mut self, points: &[Value]) {
        let mut sources = Vec::new();
        let mut source = |id: u64, actions: Vec<Value>| {
            let kind = json!({ "pointerType": "touch" });
            sources.push(json!({ "type": "pointer", "id": format!("finger {id}"),
                "parameters": kind, "actions": actions }));
        };
        let now: BTreeSet<u64> = points.iter().filter_map(|at| at["id"].as_u64()).collect();
        for at in points {
            let id = at["id"].as_u64().expect("id");
            let moved =
                json!({ "type": "pointerMove", "x": whole(&at["x"]), "y": whole(&at["y"]) });
            let down = json!({ "type": "pointerDown", "button": 0 });
            match self.fingers.contains(&id) {
                true => source(id, vec![moved]),
                false => source(id, vec![moved, down]),
            }
        }
        for &id in self.fingers.difference(&now) {
            source(id, vec![json!({ "type": "pointerUp", "button": 0 })]);
        }
        self.fingers = now;
        self.act(json!(sources));
    }
}

/// Coordinates of actions are whole px here.
fn whole(value: &Value) -> i64 {
    value.as_f64().unwrap_or(0.0).round() as i64
}

/// What WebDriver calls a key (WebDriver section 17.4.2).
fn key(name: &str) -> String {
    let code = match name {
        "Enter" => '\u{e007}',
        "Escape" => '\u{e00c}',
        "Tab" => '\u{e004}',
        "PageUp" => '\u{e00e}',
        "PageDown" => '\u{e00f}',
        "End" => '\u{e010}',
        "Home" => '\u{e011}',
        "ArrowLeft" => '\u{e012}',
        "ArrowUp" => '\u{e013}',
        "ArrowRight" => '\u{e014}',
        "ArrowDown" => '\u{e015}',
        _ => return name.to_owned(),
    };
    code.to_string()
}
