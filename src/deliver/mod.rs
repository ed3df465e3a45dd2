//! One stream to one client: plain, poll, follow, server-sent events, WebSocket, and the pump under them.

pub mod endless;
pub mod event;
pub mod plain;
pub mod pump;
pub mod websocket;
