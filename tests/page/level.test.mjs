import assert from 'node:assert/strict';
import { test } from 'node:test';
import { page } from './page.mjs';

const { level, named } = await page('level.js');

const TABLE = [
  // Formats with a place for it.
  ['{"level":"error","msg":"x"}', 'error'],
  ['{"time":1,"severity":"WARNING","message":"x"}', 'warn'],
  ['{"log.level":"debug","message":"x"}', 'debug'],
  ['{"@t":"2026-11-25T20:26:01Z","@l":"Fatal","@m":"x"}', 'fatal'],
  ['{"lvl":"trace","msg":"INFO"}', 'trace'],
  ['{"level":50,"time":1,"msg":"pino"}', 'error'],
  ['{"level":30,"msg":"pino"}', 'info'],
  ['{"level":4,"short_message":"gelf"}', 'warn'],
  ['{"level":50,"temp":21.5}', null],
  ['{"timestamp":"2026-05-20T22:52:37.240+02:00","log_level":"INFO","message":"FTL started"}', 'info'],
  ['2026-11-25T20:26:01Z {"level":"error"}', 'error'],
  ['<34>Oct 11 22:14:15 mymachine su: failed', 'fatal'],
  ['<11>1 2003-10-11T22:14:15.003Z mymachine su - ID47 - x', 'error'],
  ['<30>Oct 11 22:14:15 host cron: ran', 'info'],
  ['<15>Oct 11 22:14:15 host x: y', 'debug'],
  ['time=2026-11-25T20:26:01Z level=warn msg="disk is slow"', 'warn'],
  ['ts=1 lvl=eror msg=x', 'error'],
  ['level="critical" msg=x', 'fatal'],
  ['E1125 20:26:01.980915       1 server.go:121] failed to collect', 'error'],
  ['I1125 20:26:01.980915       1 server.go:121] started', 'info'],
  ['W1125 20:26:01.980915       1 server.go:121] ERROR in text', 'warn'],
  ['F1125 20:26:01.980915       1 server.go:121] gone', 'fatal'],
  ['11-25 20:26:01.123  1234  1250 I ActivityManager: Start proc', 'info'],
  ['11-25 20:26:01.123  1234  1250 E AndroidRuntime: x', 'error'],
  ['W/dalvikvm( 1234): threadid=1', 'warn'],
  ['1.2.3.4 - - [29/Jan/2024:13:45:19 +0000] "GET / HTTP/1.1" 200 107059 "-" "curl/8.5"', null],
  ['1.2.3.4 - - [29/Jan/2024:13:45:19 +0000] "GET /error HTTP/1.1" 404 12 "-" "-"', 'warn'],
  ['1.2.3.4 - - [29/Jan/2024:13:45:19 +0000] "GET / HTTP/2" 502 12 "-" "-"', 'error'],
  ['Thu Mar 17 10:22:57 2022 daemon.info octoprint[1996]: Discovery (bundled)', 'info'],
  ['Thu Mar 17 10:22:57 2022 kern.err kernel: usb failed', 'error'],
  ['Thu Mar 17 10:22:57 2022 authpriv.emerg x: y', 'fatal'],
  // A leading word.
  ['ERROR: no such file', 'error'],
  ['error: linker failed', 'error'],
  ['Warning: deprecated', 'warn'],
  ['  WARN  something', 'warn'],
  ['2024-11-30 23:25:46.894 ERROR (MainThread) [x.trend] could not convert', 'error'],
  ['20:26:01 info starting', 'info'],
  ['debug 2022-04-12 11:36:19: Received Zigbee message from', 'debug'],
  ['[20:26:01] panic: out of order', 'fatal'],
  ['Errors were found', null],
  ['info.plist was read', null],
  // Brackets.
  ['2026-11-25 20:26:01.123 [INFO ] [org.openhab.core ] - started', 'info'],
  ['2026/11/25 20:26:01 [error] 1234#0: *1 open() failed', 'error'],
  ['[E] cannot open', 'error'],
  ['main [W] slow', 'warn'],
  ['<warn>  [1234.5] dhcp4: timed out', 'warn'],
  ['[Tue Apr 04 06:18:29.712806 2017] [mpm_prefork:notice] [pid 17725] AH00163: configured', 'info'],
  ['x [INFO] [ERROR] y', null],
  ['x [ERROR] then [error]', 'error'],
  // name:level.
  ['app:error cannot', 'error'],
  ['x root:WARNING: y', 'warn'],
  // Quoted.
  ['took "WARN" from', 'warn'],
  // level followed by a separator.
  ['[2026-11-25 20:26:01] info: \tz2m: Logging to console, file', 'info'],
  ['2026-03-13 20:39:00.566 CET [529/T587] INFO: Parsing queries in database', 'info'],
  ['2018-07-17 09:44:05,769 - octoprint.server - INFO - Intermediary server started', 'info'],
  ['Dec  2 01:00:00 pi su: error: not allowed', 'error'],
  ['main.c trace/ x', 'trace'],
  // A word in capitals.
  ['something DEBUG happened', 'debug'],
  ['the last word is FATAL', 'fatal'],
  ['from INFO to ERROR', null],
  ['an error happened', null],
  ['NOINFO here', null],
  ['Dec  2 01:00:00 dnsmasq[6527]: query[PTR] 27.60.162.139.in-addr.arpa from 127.0.0.1', null],
  ['', null],
];

test('levels by tiers', () => {
  assert.ok(TABLE.length >= 60);
  for (const [line, expected] of TABLE) assert.equal(level(line), expected, line);
});

test('names, letters and numbers of levels', () => {
  const table = [['Error', 'error'], ['w', 'warn'], ['I', 'info'], ['3', 'error'], [0, 'fatal'], [10, 'trace'], [60, 'fatal'], [42, null], ['', null], ['hello', null], [null, null]];
  for (const [name, expected] of table) assert.equal(named(name), expected, String(name));
});
