//! Contents of the integration tests.
