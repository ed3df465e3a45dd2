//! Streams to the MQTT broker of a home, and its numbers to Home Assistant.

pub mod discovery;
pub mod numbers;
pub mod packet;
pub mod units;
