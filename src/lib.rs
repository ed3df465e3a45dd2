//! Tailcast follows a file on a small board and streams it, live, to browsers on the network.
