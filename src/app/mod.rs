//! Tailcast on the server: configuration, shared state, admission, routes, page, metrics.

pub mod admit;
pub mod page;
pub mod route;
