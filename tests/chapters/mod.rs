//! The chapters: each starts the built binary and looks at it from outside.

/// The Autobahn test suite against the example `echo`.
mod autobahn;
/// Whole boards in QEMU, with Debian's kernel: what a browser and a client outside get from them.
mod board;
/// The page's files: once fetched they are not fetched again, and who can takes them gzipped.
mod caching;
/// Clients killed and stopped, the log cut again and again: who survives has every byte.
mod chaos;
/// The command: its options, what it prints, how it ends.
mod cli;
/// Clients of every kind, and what each of them costs the others: nothing.
mod clients;
/// Those who mean harm by coming in numbers: slow ones, bursts, half-open ones.
mod crowds;
/// `curl`: ranges, kept connections, bodies that do not end.
mod curl;
/// A network share whose server is gone.
mod dead_share;
/// The door: who is let in, and what the others hear.
mod door;
/// Visitors from the network, with the key, without it, and with wrong ones.
mod door_visitors;
/// A board that hands its streams to NATS: exactly once, whatever happens on the way.
mod engine;
/// The engine is away, for as long as it likes: what comes late is exact, or told as lost.
mod engine_away;
/// A cluster of three servers, of which one is killed and one cut off.
mod engine_cluster;
/// Readers that others wrote, in Node over WebSocket.
mod engine_readers;
/// The README's commands of "More than one board", a leaf node with TLS among them.
mod engine_readme;
/// Why a stream does not go to its engine, in one sentence each.
mod engine_refusals;
/// Server-sent events: a line is an event, its id the cursor behind it.
mod events;
/// Server-sent events over lost connections, restarts and rotations.
mod events_resume;
/// Clients that never stop talking: everybody else has a turn all the same.
mod fairness;
/// What rotation made of a name while nobody looked.
mod family;
/// The family at its edges: links while nobody looks, one gap, private members, a file rewritten
/// all the time.
mod family_edges;
/// `?find`: where the lines stand that hold something, newest first; compared with GNU `grep`.
mod find;
/// The page in Firefox, by the bodies of the chapters on the page.
mod firefox;
/// Following one file that grows, is cut, rewritten, missing; asleep while nobody listens.
mod follow;
/// `?follow`, for `curl -N`: the file's own bytes in a body that does not end.
mod follow_http;
/// Any part of any file of the family, whatever is rotated meanwhile.
mod generations;
/// Quoted globs: which files they offer, now and later, and which never.
mod globs;
/// Links in a glob: which are followed, and that none leads out.
mod globs_links;
/// Those who mean harm: after each of them the next client is served, and the memory that they took
/// is back.
mod hostile;
/// A hub: subjects of NATS, read like files, at any number of places.
mod hub;
/// Hubs whose engine is cut off, forgets or goes back in time.
mod hub_breaks;
/// Two hubs behind one nginx, of which one dies.
mod hub_nginx;
/// The layers of the code, and its front door.
mod layers;
/// The plain form of a stream: one text message per line.
mod lines;
/// Where it listens, and the links that lead there.
mod listen;
/// `match` and `not`: only the lines that are wanted, in every form that sends lines.
mod matching;
/// `/metrics`: what the server counts.
mod metrics;
/// What changes above the last part of a path: links, directories, mounts; and what may not be
/// read.
mod moved;
/// Streams at an MQTT broker of a home.
mod mqtt;
/// Cuts on the way to a broker, and brokers that die.
mod mqtt_breaks;
/// What Home Assistant is told.
mod mqtt_home;
/// The newest file that a glob matches: a file a day, over midnights, awake and asleep.
mod newest;
/// nginx in front, as people put one there.
mod nginx;
/// NULs that nobody wrote: holes, space made beforehand.
mod nuls;
/// Hosts and origins: which names the server answers to, which pages may connect.
mod origins;
/// The page in a real browser: what a reader sees while lines come.
mod page;
/// The page for everybody: by keyboard, on a phone, read aloud.
mod page_access;
/// Alerts: what is told to who looks elsewhere, and only once it was asked for.
mod page_alerts;
/// The page through everything that breaks a stream: restarts, rotations, silence.
mod page_breaks;
/// Charts: streams of numbers in every form, live and from the newest back, over breaks.
mod page_chart;
/// Charts for everybody: what axe-core finds, numbers in a table, series told apart by more than
/// colour.
mod page_chart_access;
/// The code that draws charts: small, fetched for numbers alone, of one mind with uPlot.
mod page_chart_code;
/// Charts in a person's hands: pointed at, moved, zoomed, chosen, taken away.
mod page_chart_hands;
/// Charts of what comes: over rotations and a restart, before the clock was set, in a file that
/// begins.
mod page_chart_live;
/// The chart and the log below it; charts of streams that have hardly begun.
mod page_chart_log;
/// A chart that is kept open: over a phone's sleep, a gap, a sensor that begins anew; thresholds.
mod page_chart_open;
/// The page says how a stream stands at its engine.
mod page_engine;
/// What a browser fetches of the page, and how often.
mod page_fetched;
/// The page's find, filters and highlights; the address is the view.
mod page_find;
/// The page beside logs: files of one value, sensors, many streams, file systems without notices.
mod page_kinds;
/// The page's rows: colours, levels, times, records; what is copied of them.
mod page_legible;
/// Several streams as one log, ordered by time.
mod page_merged;
/// The page over files of any size: from the newest line to byte 0, on into rotated files.
mod page_scroll;
/// The page's modules that need no browser, over tables of lines.
mod page_text;
/// Clients that others wrote: `wscat`, `websocat`, npm `eventsource`, the browser's own.
mod peers;
/// FIFOs, serial lines, standard input: what has no past of its own.
mod pipes;
/// The file as it is now, and any part of it.
mod plain;
/// Polling and long polling: what came after a cursor.
mod poll;
/// `?wait`: a poll that is held until something comes, or in vain.
mod poll_held;
/// Where the kernel sends no notice: FUSE, the lower layer of an overlay.
mod polled;
/// What is left to the process: to read in the followed directories.
mod privileges;
/// Why the command does not begin: one line and an exit status.
mod refusals;
/// Another file in the place of the followed one: rotated, renamed over, re-pointed, deleted.
mod replaced;
/// Plain HTTP: the file as it is now, the sources, the page, bad requests.
mod requests;
/// Requests that are refused: bad ones by their own status, and other methods.
mod requests_refused;
/// Going on where a client stood: over lost connections, restarts, rotations.
mod resume;
/// The real `logrotate`, under a writer that does not wait for it.
mod rotate;
/// Files that hold one reading: sensors, counters, the board's own vitals.
mod samples;
/// Serial lines as the kernel makes them.
mod serial;
/// The server API of the article, in Rust: handlers of our own on the library.
mod session;
/// Logs that never rest in each mode of logrotate, and viewers that break off and sleep: each line
/// once, or told.
mod soak;
/// The logs of the soak, and their writers.
mod soak_log;
/// Plain HTTP at its edges: every answer arrives, whatever the request.
mod statuses;
/// TLS, done by a proxy in front: nginx and Caddy.
mod tls;
/// Requests for a WebSocket that are none, and a server that gives nothing else.
mod upgrades;
/// The README's table of ways to read a stream: each line is run as it stands there.
mod ways;
/// The bytes on the wire of a WebSocket: handshake, events, pings, bad frames.
mod wire;
