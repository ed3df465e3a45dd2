// Fourteen logs that stand on a Pi, each a screenful in the form that its program writes: of how
// many lines the page finds the time and the level.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { page } from './page.mjs';

const { Times } = await page('time.js');
const { level } = await page('level.js');

process.env.TZ = 'UTC';
const at = (text) => Date.parse(text);
const NOW = at('2026-11-25T21:00:00Z');
/** Of all lines so many have to be right, and of each log. */
const ENOUGH = 0.95;

/** A line of a log: its instant and its level, `null` where it says none. */
const LOGS = {
  'journalctl, short': [
    ['Nov 25 20:26:01 pi systemd[1]: Starting Daily apt download activities...', '20:26:01', null],
    ['Nov 25 20:26:03 pi systemd[1]: Finished Daily apt download activities.', '20:26:03', null],
    ['Nov 25 20:26:09 pi dhcpcd[412]: wlan0: carrier lost', '20:26:09', null],
    ['Nov 25 20:26:12 pi kernel: brcmfmac: brcmf_cfg80211_set_power_mgmt: power save enabled', '20:26:12', null],
    ['Nov 25 20:26:40 pi sshd[2210]: error: kex_exchange_identification: Connection closed by remote host', '20:26:40', 'error'],
    ['Nov 25 20:27:01 pi CRON[2231]: (root) CMD (/usr/local/bin/backup.sh)', '20:27:01', null],
    ['Nov 25 20:27:05 pi avahi-daemon[377]: Registering new address record for 192.168.1.24 on wlan0.IPv4.', '20:27:05', null],
    ['Nov 25 20:27:30 pi bluetoothd[520]: Failed to set mode: Failed (0x03)', '20:27:30', null],
  ],
  'syslog of rsyslog on Debian 12': [
    ['2026-11-25T20:26:01.482913+00:00 pi rngd[401]: stats: entropy added to kernel pool: 640', '20:26:01.482', null],
    ['2026-11-25T20:26:02.001277+00:00 pi kernel: [  812.101] usb 1-1.3: USB disconnect, device number 6', '20:26:02.001', null],
    ['2026-11-25T20:26:02.730001+00:00 pi wpa_supplicant[411]: wlan0: CTRL-EVENT-SIGNAL-CHANGE above=1', '20:26:02.730', null],
    ['2026-11-25T20:26:05.100000+00:00 pi sudo: pam_unix(sudo:session): session opened for user root', '20:26:05.100', null],
    ['2026-11-25T20:26:06.000450+00:00 pi dockerd[702]: level=warning msg="no swap limit support"', '20:26:06', 'warn'],
    ['2026-11-25T20:26:07.230000+00:00 pi fail2ban[611]: NOTICE [sshd] Ban 203.0.113.9', '20:26:07.230', 'info'],
    ['2026-11-25T20:26:08.050505+00:00 pi smartd[333]: Device: /dev/sda, WARNING: 8 unreadable sectors', '20:26:08.050', 'warn'],
    ['2026-11-25T20:26:10.999999+00:00 pi systemd-timesyncd[301]: Contacted time server 203.0.113.3:123.', '20:26:10.999', null],
  ],
  dmesg: [
    ['[    0.000000] Booting Linux on physical CPU 0x0', '20:00:00', null],
    ['[    1.204211] mmc0: new high speed SDHC card at address aaaa', '20:00:01.204', null],
    ['[    2.118340] EXT4-fs (mmcblk0p2): mounted filesystem with ordered data mode', '20:00:02.118', null],
    ['[    5.980120] systemd[1]: Detected architecture arm64.', '20:00:05.980', null],
    ['[   12.345678] usb 1-1: new high-speed USB device number 2 using dwc_otg', '20:00:12.345', null],
    ['[   19.000001] Under-voltage detected! (0x00050005)', '20:00:19', null],
    ['[  125.250000] I/O error, dev mmcblk0, sector 12345 op 0x0:(READ)', '20:02:05.250', null],
    ['[ 3599.500000] cfg80211: Loaded X.509 cert', '20:59:59.500', null],
  ],
  'nginx, access': [
    ['192.168.1.7 - - [25/Nov/2026:20:26:01 +0000] "GET / HTTP/1.1" 200 612 "-" "curl/8.5.0"', '20:26:01', null],
    ['192.168.1.7 - - [25/Nov/2026:20:26:02 +0000] "GET /style.css HTTP/1.1" 304 0 "http://pi/" "Mozilla/5.0 (X11)"', '20:26:02', null],
    ['192.168.1.9 - ada [25/Nov/2026:20:26:03 +0000] "POST /api/error HTTP/2.0" 201 18 "-" "okhttp/4.9"', '20:26:03', null],
    ['192.168.1.9 - - [25/Nov/2026:20:26:04 +0000] "GET /nothing HTTP/1.1" 404 153 "-" "curl/8.5.0"', '20:26:04', 'warn'],
    ['192.168.1.9 - - [25/Nov/2026:20:26:05 +0000] "GET /app HTTP/1.1" 502 157 "-" "curl/8.5.0"', '20:26:05', 'error'],
    ['2001:db8::7 - - [25/Nov/2026:20:26:06 +0000] "GET /warn HTTP/1.1" 200 12 "-" "-"', '20:26:06', null],
    ['203.0.113.4 - - [25/Nov/2026:20:26:07 +0000] "\\x16\\x03\\x01" 400 157 "-" "-"', '20:26:07', null],
  ],
  'nginx, error': [
    ['2026/11/25 20:26:01 [notice] 612#612: using the "epoll" event method', '20:26:01', 'info'],
    ['2026/11/25 20:26:02 [error] 613#613: *1 connect() failed (111: Connection refused) while connecting', '20:26:02', 'error'],
    ['2026/11/25 20:26:03 [warn] 612#612: conflicting server name "pi" on 0.0.0.0:80, ignored', '20:26:03', 'warn'],
    ['2026/11/25 20:26:04 [crit] 613#613: *9 SSL_do_handshake() failed', '20:26:04', 'fatal'],
    ['2026/11/25 20:26:05 [emerg] 700#700: bind() to 0.0.0.0:80 failed (98: Address already in use)', '20:26:05', 'fatal'],
    ['2026/11/25 20:26:06 [info] 613#613: *12 client closed keepalive connection', '20:26:06', 'info'],
    ['2026/11/25 20:26:07 [alert] 612#612: worker process 613 exited on signal 9', '20:26:07', 'fatal'],
    ['2026/11/25 20:26:08 [debug] 613#613: *13 http keepalive handler', '20:26:08', 'debug'],
  ],
  'Home Assistant': [
    ['2026-11-25 20:26:01.003 WARNING (MainThread) [homeassistant.loader] We found a custom integration', '20:26:01.003', 'warn'],
    ['2026-11-25 20:26:02.120 INFO (MainThread) [homeassistant.setup] Setting up sensor', '20:26:02.120', 'info'],
    ['2026-11-25 20:26:03.450 ERROR (SyncWorker_4) [homeassistant.components.mqtt] Unable to connect', '20:26:03.450', 'error'],
    ['2026-11-25 20:26:04.999 DEBUG (MainThread) [custom_components.meter] Read 21.5', '20:26:04.999', 'debug'],
    ['2026-11-25 20:26:05.001 CRITICAL (MainThread) [homeassistant.core] Timed out', '20:26:05.001', 'fatal'],
    ['2026-11-25 20:26:06.700 WARNING (Recorder) [homeassistant.components.recorder] Ended unfinished session', '20:26:06.700', 'warn'],
    ['\x1b[31m2026-11-25 20:26:07.800 ERROR (MainThread) [aiohttp.server] Error handling request\x1b[0m', '20:26:07.800', 'error'],
    ['\x1b[32m2026-11-25 20:26:08.100 INFO (MainThread) [homeassistant.bootstrap] Setting up stage 2\x1b[0m', '20:26:08.100', 'info'],
  ],
  Klipper: [
    ['Start printer at Wed Nov 25 20:26:00 2026 (1795638360.0 100.0)', '20:26:00', null],
    ['Stats 101.0: gcodein=0 mcu: mcu_awake=0.005 mcu_task_avg=0.000009 heater_bed: target=0 temp=21.4', '20:26:01', null],
    ['Stats 102.5: gcodein=0 mcu: mcu_awake=0.006 mcu_task_avg=0.000010 heater_bed: target=60 temp=24.0', '20:26:02.500', null],
    ['Stats 104.1: gcodein=18 mcu: mcu_awake=0.006 sysload=0.52 extruder: target=200 temp=88.1 pwm=1.000', '20:26:04.100', null],
    ['Stats 105.0: gcodein=18 print_time=12.512 buffer_time=2.001 sysload=0.55 memavail=712000', '20:26:05', null],
  ],
  OctoPrint: [
    ['2026-11-25 20:26:01,003 - octoprint.startup - INFO - Starting OctoPrint 1.10.2', '20:26:01.003', 'info'],
    ['2026-11-25 20:26:02,118 - octoprint.plugin.core - WARNING - Plugin has no license', '20:26:02.118', 'warn'],
    ['2026-11-25 20:26:03,450 - octoprint.util.comm - ERROR - Unexpected error while connecting to serial port', '20:26:03.450', 'error'],
    ['2026-11-25 20:26:04,000 - octoprint.util.comm - INFO - Changing monitoring state from "Opening" to "Error"', '20:26:04', 'info'],
    ['2026-11-25 20:26:05,900 - octoprint.server.util.sockjs - DEBUG - New client: 192.168.1.7', '20:26:05.900', 'debug'],
    ['2026-11-25 20:26:06,200 - tornado.access - WARNING - 404 GET /api/warnings (192.168.1.7) 4.02ms', '20:26:06.200', 'warn'],
    ['2026-11-25 20:26:07,100 - octoprint.printer - CRITICAL - Thermal runaway', '20:26:07.100', 'fatal'],
  ],
  Zigbee2MQTT: [
    ['[2026-11-25 20:26:01] info: \tz2m: Logging to console, file (filename: log.log)', '20:26:01', 'info'],
    ['[2026-11-25 20:26:02] error: \tz2m: Failed to ping \'0x00158d0001\' (attempt 1/1)', '20:26:02', 'error'],
    ['[2026-11-25 20:26:03] warning: \tzh:controller: Device is unknown', '20:26:03', 'warn'],
    ['[2026-11-25 20:26:04] debug: \tzh:zstack:znp: --> SREQ: ZDO - mgmtLqiReq', '20:26:04', 'debug'],
    ['[2026-11-25 20:26:05] info: \tz2m:mqtt: MQTT publish: topic \'zigbee2mqtt/lamp\', payload \'{"state":"ON"}\'', '20:26:05', 'info'],
    ['info  2026-11-25 20:26:06: Connected to MQTT server', '20:26:06', 'info'],
    ['warn  2026-11-25 20:26:07: Coordinator is not ready', '20:26:07', 'warn'],
    ['error 2026-11-25 20:26:08: Publish \'set\' failed', '20:26:08', 'error'],
  ],
  'Pi-hole and dnsmasq': [
    ['Nov 25 20:26:01 dnsmasq[6527]: query[A] example.org from 192.168.1.7', '20:26:01', null],
    ['Nov 25 20:26:01 dnsmasq[6527]: gravity blocked error.tracker.example is 0.0.0.0', '20:26:01', null],
    ['Nov 25 20:26:02 dnsmasq[6527]: forwarded example.org to 203.0.113.53', '20:26:02', null],
    ['Nov 25 20:26:02 dnsmasq-dhcp[6527]: DHCPACK(eth0) 192.168.1.30 aa:bb:cc:00:11:22 phone', '20:26:02', null],
    ['2026-11-25 20:26:03.566 UTC [529/T587] INFO: Parsing queries in database', '20:26:03.566', 'info'],
    ['2026-11-25 20:26:04.001 UTC [529M] WARNING: Long-term load larger than number of processors', '20:26:04.001', 'warn'],
    ['2026-11-25 20:26:05.900 UTC [529/T590] ERROR: SQLite3: database is locked', '20:26:05.900', 'error'],
    ['[2026-11-25 20:26:06.663 1131M] FTL branch: master', '20:26:06.663', null],
  ],
  'Node-RED': [
    ['25 Nov 20:26:01 - [info] Started flows', '20:26:01', 'info'],
    ['25 Nov 20:26:02 - [warn] [mqtt-broker:home] Connection failed to broker: mqtt://localhost', '20:26:02', 'warn'],
    ['25 Nov 20:26:03 - [error] [function:scale] TypeError: msg.payload is undefined', '20:26:03', 'error'],
    ['25 Nov 20:26:04 - [debug] [mqtt in:door] received', '20:26:04', 'debug'],
    ['25 Nov 20:26:05 - [trace] node.start', '20:26:05', 'trace'],
    ['25 Nov 20:26:06 - [info] Node-RED version: v4.0.5', '20:26:06', 'info'],
    [' 5 Nov 20:26:06 - [info] Stopping flows', '2026-11-05T20:26:06', 'info'],
  ],
  BIND: [
    ['25-Nov-2026 20:26:01.123 general: info: zone home/IN: loaded serial 7', '20:26:01.123', 'info'],
    ['25-Nov-2026 20:26:02.004 lame-servers: warning: unexpected RCODE', '20:26:02.004', 'warn'],
    ['25-Nov-2026 20:26:03.777 queries: client @0x7f 192.168.1.7#53124: query: pi.home IN A', '20:26:03.777', null],
  ],
  'Python logging': [
    ['2026-11-25 20:26:01,003 INFO pump started', '20:26:01.003', 'info'],
    ['2026-11-25 20:26:02,000 - __main__ - ERROR - sensor does not answer', '20:26:02', 'error'],
    ['2026-11-25 20:26:03,000 [WARNING] garden.valve: slow to close', '20:26:03', 'warn'],
    ['2026-11-25 20:26:04 | DEBUG    | garden.main:read:42 - 21.5', '20:26:04', 'debug'],
    ['WARNING 2026-11-25 20:26:05,100 garden 1 valve', '20:26:05.100', 'warn'],
    ['2026-11-25T20:26:06.000000Z [info     ] reading               [garden] value=21.5', '20:26:06', 'info'],
    ['{"time": "2026-11-25T20:26:07Z", "level": "CRITICAL", "message": "flooded"}', '20:26:07', 'fatal'],
  ],
  mosquitto: [
    ['1795638361: mosquitto version 2.0.18 starting', '20:26:01', null],
    ['1795638362: New connection from 192.168.1.7:51322 on port 1883.', '20:26:02', null],
    ['1795638363: Warning: Mosquitto should not be run as root/administrator.', '20:26:03', 'warn'],
    ['1795638364: Error: Unable to open log file /var/log/mosquitto/mosquitto.log for writing.', '20:26:04', 'error'],
    ['2026-11-25T20:26:05: Client sensor-1 disconnected.', '20:26:05', null],
  ],
};

test('of the logs of a Pi the time and the level of nearly each line are found', () => {
  let [right, all] = [0, 0];
  for (const [log, lines] of Object.entries(LOGS)) {
    const times = new Times({ zoneOffsetMinutes: 0, now: NOW });
    // The clock of dmesg is known by when a line of it came.
    if (log === 'dmesg') times.learn(['[ 3600.000000] eth0: up'], NOW);
    else times.learn(lines.map(([line]) => line), null);
    const wrong = [];
    for (const [line, clock, is] of lines) {
      const ms = times.parse(line)?.ms;
      const wanted = at(`${clock.includes('T') ? '' : '2026-11-25T'}${clock}Z`);
      // Of a fraction the browser's dates keep ms.
      const timely = ms !== undefined && Math.floor(ms + 1e-6) === wanted;
      if (!timely || level(line.replace(/\x1b\[[\d;]*m/g, '')) !== is) {
        wrong.push(`${line}\n    ${timely ? '' : `time ${ms && new Date(ms).toISOString()}, `}level ${level(line)}`);
      }
    }
    all += lines.length;
    right += lines.length - wrong.length;
    assert.ok(wrong.length <= lines.length * (1 - ENOUGH) + 1e-9, `${log}:\n${wrong.join('\n')}`);
  }
  assert.ok(Object.keys(LOGS).length >= 10 && all >= 90, `${all} lines`);
  assert.ok(right >= ENOUGH * all, `${right} of ${all}`);
});
