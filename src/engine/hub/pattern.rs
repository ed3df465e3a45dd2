//! What a SOURCE at a hub names, and what its streams are called. Pure.

use crate::engine::nats::subject::{is_pattern, name};
use crate::engine::target::{Target, TargetError};

/// What a SOURCE `nats://HUB/SUBJECT` names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HubSource {
    /// Where the hub is.
    pub target: Target,
    /// A subject, perhaps with wildcards.
    pub pattern: String,
}

impl HubSource {
    /// Reads it.
    ///
    /// # Errors
    /// In a sentence, what it should be.
    pub fn parse(url: &str) -> Result<Self, String> {
        let (target, pattern) = Target::parse(url).map_err(|error| match error {
            TargetError::Login => error.to_string(),
            error => format!("`{url}`: {error}"),
        })?;
        if !is_pattern(pattern) || !pattern.starts_with("tailcast.") {
            return Err(format!(
                "`{target}/{pattern}` names no subject of Tailcast's; expected nats://HUB/tailcast.BOARD.NAME, with `*` or `>` for many"
            ));
        }
        Ok(Self {
            target,
            pattern: pattern.to_owned(),
        })
    }

    /// Whether it names many.
    pub(crate) fn is_wild(&self) -> bool {
        self.pattern.contains(['*', '>'])
    }

    /// What the stream of `subject` is called: by its last part, where the board is one; else by
    /// board and that.
    pub fn title(&self, subject: &str) -> String {
        let parts: Vec<&str> = subject.split('.').skip(1).collect();
        let is_one_board = self
            .pattern
            .split('.')
            .nth(1)
            .is_some_and(|it| !it.contains(['*', '>']));
        let shown = match parts.as_slice() {
            [_, rest @ ..] if is_one_board && !rest.is_empty() => rest,
            all => all,
        };
        let shown: Vec<String> = shown.iter().map(|part| name(part)).collect();
        shown.join(":")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_streams_are_called() {
        for (pattern, subject, want) in [
            (
                "tailcast.pi1.app%2Elog",
                "tailcast.pi1.app%2Elog",
                "app.log",
            ),
            ("tailcast.pi1.>", "tailcast.pi1.app%2Elog", "app.log"),
            ("tailcast.*.syslog", "tailcast.pi%201.syslog", "pi 1:syslog"),
            ("tailcast.>", "tailcast.pi1.syslog", "pi1:syslog"),
        ] {
            let source = HubSource::parse(&format!("nats://hub/{pattern}")).unwrap();
            assert_eq!(source.title(subject), want);
        }
        for url in [
            "nats://hub",
            "nats://hub/other.>",
            "nats://hub/tailcast.a*",
            "nats://hub/>",
        ] {
            assert!(HubSource::parse(url).is_err(), "{url}");
        }
        let error = HubSource::parse("nats://me:secret@hub/tailcast.>").unwrap_err();
        assert!(!error.contains("secret"), "{error}");
    }
}
