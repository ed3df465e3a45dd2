//! How Home Assistant gets a number out of a line: its templates (Jinja).
//! Pure: no runtime, no file, no socket.

use std::fmt::Write;

use crate::engine::mqtt::numbers::{Column, Form, Survey};

/// The longest state that Home Assistant takes, in characters.
pub(crate) const STATE_MAX: usize = 255;

/// A number, as the templates find it at the beginning of a text. Without backslashes: it passes
/// through two quotings.
pub(crate) const NUMBER: &str = "^[-+]?(?:[0-9]+[.]?[0-9]*|[.][0-9]+)(?:[eE][-+]?[0-9]+)?";

/// The template of `column`: nothing where the line does not have it, so that the last one
/// stands; `None`, its word for unknown, where the line says that there is no number.
pub(crate) fn template(survey: &Survey, column: &Column, is_thousandths: bool) -> String {
    let rest = if survey.is_stamped {
        "value.partition(' ')[2]"
    } else {
        "value"
    };
    let token = match &survey.form {
        Form::Bare => rest.to_owned(),
        Form::Json => {
            let mut way = match survey.is_stamped {
                true => format!("({rest} | from_json)"),
                false => "(value_json | default({}))".to_owned(),
            };
            for (depth, key) in column.path.iter().rev().enumerate().rev() {
                let otherwise = if depth == 0 { "''" } else { "{}" };
                let _ = write!(way, ".get({}, {otherwise})", quoted(key));
            }
            format!("{way} | string")
        }
        Form::Pairs => {
            let pattern = quoted(&pair(&column.path));
            format!("{rest} | regex_findall({pattern}) | first | default('')")
        }
        Form::Cells { delimiter, count } => {
            let cells = match *delimiter {
                "  " => format!("({rest} | trim | regex_replace(' {{2,}}', ';')).split(';')"),
                delimiter => format!("{rest}.split({})", quoted(delimiter)),
            };
            let point = if matches!(*delimiter, ";" | "\t") {
                " | replace(',', '.')"
            } else {
                ""
            };
            let (index, quote) = (column.index, quoted("\""));
            format!(
                "{cells}[{index}] | replace({quote}, ''){point} | trim if {cells} | count == {count} else ''"
            )
        }
    };
    let scaled = if is_thousandths {
        "(n | float / 1000 if n else none)"
    } else {
        "n"
    };
    let first = format!("t | regex_findall('{NUMBER}') | first | default(none)");
    format!("{{% set t = {token} %}}{{% set n = {first} %}}{{{{ {scaled} if t else '' }}}}")
}

/// The value of a pair: behind its name, or behind its group's name and pairs that are not its own.
fn pair(path: &[String]) -> String {
    let value = "[=:][ \t]*\"?([^ \t,;\"]*)";
    // Names have no other sign that means something in a pattern.
    let literal = |name: &str| name.replace('.', "[.]");
    match path {
        [group, name] => {
            let (group, name) = (literal(group), literal(name));
            format!(
                "(?:^|[ \t,;]){group}[=:](?:[ \t,;]+[^ \t,;]+[=:][^ \t,;]+)*?[ \t,;]+{name}{value}"
            )
        }
        path => format!("(?:^|[ \t,;]){}{value}", literal(&path.join("."))),
    }
}

/// A text in Jinja's single quotes.
fn quoted(text: &str) -> String {
    let escaped = text
        .replace('\\', "\\\\")
        .replace('\'', "\\'")
        .replace('\t', "\\t");
    format!("'{escaped}'")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::mqtt::numbers::survey;

    #[test]
    fn the_way_to_a_value_by_form() {
        let head = Some("time,temp (°C),it's");
        let table: &[(&[&str], Option<&str>, &str)] = &[
            (&["21.5"], None, "{% set t = value %}"),
            (
                &["{\"a\":{\"b's\":1.5}}"],
                None,
                "{% set t = (value_json | default({})).get('a', {}).get('b\\'s', '') | string %}",
            ),
            (
                &["hum=48"],
                None,
                "{% set t = value | regex_findall('(?:^|[ \\t,;])hum[=:][ \\t]*\"?([^ \\t,;\"]*)') | first | default('') %}",
            ),
            (
                &["12:00,1.5,2"],
                head,
                "{% set t = value.split(',')[1] | replace('\"', '') | trim if value.split(',') | count == 3 else '' %}",
            ),
            (
                &["x;1,5"],
                None,
                "{% set t = value.split(';')[1] | replace('\"', '') | replace(',', '.') | trim if value.split(';') | count == 2 else '' %}",
            ),
        ];
        for (lines, head, want) in table {
            let lines: Vec<String> = lines.iter().map(|&line| line.to_owned()).collect();
            let found = survey(&lines, *head).unwrap();
            let template = template(&found, &found.columns[0], false);
            assert!(template.starts_with(want), "{template}\n{want}");
        }
    }
}
