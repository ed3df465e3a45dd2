//! Why something did not go, in sentences that say what to do.

use std::io;

use crate::engine::nats::protocol::{MESSAGE_MAX, Violation};
use crate::source::error::cause;

/// Why something did not go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Failure {
    /// The server is not there, or not any more.
    Away(String),
    /// It is, and will not, until somebody does what the sentence says.
    Refused(String),
    /// The stream stands elsewhere: somebody else has published, or an older message of ours came
    /// first.
    Elsewhere,
}

impl Failure {
    pub(crate) fn io(error: &io::Error) -> Self {
        Self::Away(cause(error))
    }

    /// It, in a sentence.
    pub(crate) fn sentence(&self) -> String {
        match self {
            Self::Away(cause) | Self::Refused(cause) => cause.clone(),
            Self::Elsewhere => {
                "another one publishes it, too: two boards must not have one name (`--as`)"
                    .to_owned()
            }
        }
    }
}

impl From<Violation> for Failure {
    fn from(_: Violation) -> Self {
        Self::Away("what it says is not the protocol of NATS".to_owned())
    }
}

/// What `-ERR` means for who must do something about it.
pub(crate) fn refusal(text: &str) -> Failure {
    let text = text.escape_debug().to_string();
    if text.starts_with("Authorization") || text.starts_with("Authentication") {
        return Failure::Refused(
            "it does not know this user and password; `--credentials FILE` names a file that holds USER:PASSWORD, or a token"
                .to_owned(),
        );
    }
    if let Some(rest) = text.strip_prefix("Permissions Violation for Subscription to ") {
        let rest = rest.replace('\\', "");
        let subject = rest.split('"').nth(1).unwrap_or_default();
        // An inbox has a random part.
        let subject = match subject.strip_prefix("_INBOX.") {
            Some(rest) => format!("_INBOX.{}.>", rest.split('.').next().unwrap_or_default()),
            None => subject.to_owned(),
        };
        return Failure::Refused(format!(
            "this user may not subscribe to `{subject}` there; its permissions must allow it"
        ));
    }
    Failure::Away(format!("it says: {text}"))
}

pub(crate) fn too_large() -> Failure {
    Failure::Refused(format!(
        "a message there has more than {} bytes, which is none of Tailcast's",
        MESSAGE_MAX
    ))
}
