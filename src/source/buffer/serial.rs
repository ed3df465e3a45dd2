//! How a serial line is set: its speed and its frames, and never a terminal's habits.

use std::fs::File;
use std::io;

use rustix::termios::{ControlModes, InputModes, OptionalActions, tcgetattr, tcsetattr};

/// What was said of a serial line; what was not is left as the line has it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Serial {
    /// Its speed in baud.
    pub baud: Option<u32>,
    /// What one character is on the wire.
    pub frame: Option<Frame>,
}

/// A character on the wire, as in `7e1`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Frame {
    /// Data bits, 5 to 8.
    pub bits: u8,
    /// The bit that is added.
    pub parity: Parity,
    /// Stop bits, 1 or 2.
    pub stops: u8,
}

/// A bit that makes the number of ones even or odd.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Parity {
    /// There is none.
    None,
    /// An even number.
    Even,
    /// An odd one.
    Odd,
}

impl Frame {
    /// Reads data bits, parity and stop bits: `8n1`, `7E1`. `None` for anything else.
    pub fn parse(text: &str) -> Option<Self> {
        let &[bits @ b'5'..=b'8', parity, stops @ (b'1' | b'2')] = text.as_bytes() else {
            return None;
        };
        let parity = match parity.to_ascii_lowercase() {
            b'n' => Parity::None,
            b'e' => Parity::Even,
            b'o' => Parity::Odd,
            _ => return None,
        };
        Some(Self {
            bits: bits - b'0',
            parity,
            stops: stops - b'0',
        })
    }
}

/// Has an open line give the bytes as they come: nothing is echoed, cut, rubbed out or added,
/// whatever the kernel makes of a terminal. What is no terminal, such as `/dev/kmsg`, is left
/// alone. Blocks.
///
/// # Errors
/// Where the line does not take what was said of it.
pub(crate) fn make_raw(file: &File, said: Serial) -> io::Result<()> {
    let mut line = match tcgetattr(file) {
        Ok(line) => line,
        Err(_) if said == Serial::default() => return Ok(()),
        Err(error) => return Err(error.into()),
    };
    line.make_raw();
    // Whatever the modem lines say, and the receiver on.
    line.control_modes |= ControlModes::CLOCAL | ControlModes::CREAD;
    if let Some(frame) = said.frame {
        line.control_modes &= !(ControlModes::CSIZE
            | ControlModes::PARENB
            | ControlModes::PARODD
            | ControlModes::CSTOPB);
        line.control_modes |= match frame.bits {
            5 => ControlModes::CS5,
            6 => ControlModes::CS6,
            7 => ControlModes::CS7,
            _ => ControlModes::CS8,
        };
        line.control_modes |= match frame.parity {
            Parity::None => ControlModes::empty(),
            Parity::Even => ControlModes::PARENB,
            Parity::Odd => ControlModes::PARENB | ControlModes::PARODD,
        };
        if frame.stops == 2 {
            line.control_modes |= ControlModes::CSTOPB;
        }
        if frame.bits < 8 {
            // An adapter that knows eight bits alone gives the parity as the eighth.
            line.input_modes |= InputModes::ISTRIP;
        }
    }
    if let Some(baud) = said.baud {
        line.set_speed(baud)?;
    }
    Ok(tcsetattr(file, OptionalActions::Now, &line)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames() {
        let frame = |bits, parity, stops| {
            Some(Frame {
                bits,
                parity,
                stops,
            })
        };
        for (text, want) in [
            ("8n1", frame(8, Parity::None, 1)),
            ("7e1", frame(7, Parity::Even, 1)),
            ("7E1", frame(7, Parity::Even, 1)),
            ("5o2", frame(5, Parity::Odd, 2)),
            ("9n1", None),
            ("4n1", None),
            ("8x1", None),
            ("8n3", None),
            ("8n0", None),
            ("8n", None),
            ("8n1 ", None),
            ("", None),
            ("é1", None),
        ] {
            assert_eq!(Frame::parse(text), want, "{text:?}");
        }
    }
}
