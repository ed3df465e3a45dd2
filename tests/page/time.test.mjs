import assert from 'node:assert/strict';
import { test } from 'node:test';
import { page } from './page.mjs';

const { Times, shown } = await page('time.js');

const BERLIN = 'Europe/Berlin';
const utc = (text) => Date.parse(text);

/** The 25 forms: `[line, its time as written, the instant in Berlin, the instant in UTC where that differs]`. */
const FORMS = [
  ['Dec  2 01:00:00 dnsmasq[6527]: query[PTR] 27.60.162.139.in-addr.arpa from 127.0.0.1', 'Dec  2 01:00:00', '2025-12-02T00:00:00Z', '2025-12-02T01:00:00Z'],
  ["<34>Oct 11 22:14:15 mymachine su: 'su root' failed on /dev/pts/8", 'Oct 11 22:14:15', '2026-10-11T20:14:15Z', '2026-10-11T22:14:15Z'],
  ["<34>1 2003-10-11T22:14:15.003Z mymachine.example.com su - ID47 - 'su root' failed", '2003-10-11T22:14:15.003Z', '2003-10-11T22:14:15.003Z'],
  ['2026-11-25T20:26:01.123456+01:00 pi systemd[1]: Started cron.service.', '2026-11-25T20:26:01.123456+01:00', '2026-11-25T19:26:01.123Z'],
  ['2026-11-25T20:26:01+0100 pi kernel: usb 1-1: new device', '2026-11-25T20:26:01+0100', '2026-11-25T19:26:01Z'],
  ['2024-11-30 23:25:46.894 ERROR (MainThread) [homeassistant.components.trend.binary_sensor] could not convert', '2024-11-30 23:25:46.894', '2024-11-30T22:25:46.894Z', '2024-11-30T23:25:46.894Z'],
  ['2026-11-25 20:26:01.123 [INFO ] [org.openhab.core.model.script      ] - started', '2026-11-25 20:26:01.123', '2026-11-25T19:26:01.123Z', '2026-11-25T20:26:01.123Z'],
  ['2026-03-13 20:39:00.566 CET [529/T587] INFO: Parsing queries in database', '2026-03-13 20:39:00.566 CET', '2026-03-13T19:39:00.566Z'],
  ['[2019-02-12 10:18:40.663 1131M] FTL branch: master', '2019-02-12 10:18:40.663', '2019-02-12T09:18:40.663Z', '2019-02-12T10:18:40.663Z'],
  ['2018-07-17 09:44:05,769 - octoprint.server - INFO - Intermediary server started', '2018-07-17 09:44:05,769', '2018-07-17T07:44:05.769Z', '2018-07-17T09:44:05.769Z'],
  ['[2026-11-25 20:26:01] info: \tz2m: Logging to console, file', '2026-11-25 20:26:01', '2026-11-25T19:26:01Z', '2026-11-25T20:26:01Z'],
  ['debug 2022-04-12 11:36:19: Received Zigbee message from', '2022-04-12 11:36:19', '2022-04-12T09:36:19Z', '2022-04-12T11:36:19Z'],
  ['2026/11/25 20:26:01 [error] 1234#0: *1 open() failed (2: No such file or directory)', '2026/11/25 20:26:01', '2026-11-25T19:26:01Z', '2026-11-25T20:26:01Z'],
  ['121.137.55.45 - - [29/Jan/2024:13:45:19 +0000] "GET / HTTP/1.1" 200 107059 "-" "curl/8.5"', '29/Jan/2024:13:45:19 +0000', '2024-01-29T13:45:19Z'],
  ['[Tue Apr 04 06:18:29.712806 2017] [mpm_prefork:notice] [pid 17725] AH00163: configured', 'Tue Apr 04 06:18:29.712806 2017', '2017-04-04T04:18:29.712Z', '2017-04-04T06:18:29.712Z'],
  ['Thu Mar 17 10:22:57 2022 daemon.info octoprint[1996]: Discovery (bundled)', 'Thu Mar 17 10:22:57 2022', '2022-03-17T09:22:57Z', '2022-03-17T10:22:57Z'],
  ['1594215148: New connection from 192.168.0.124 on port 1883.', '1594215148', '2020-07-08T13:32:28Z'],
  ['1795634761.123456 pi cron[42]: job done', '1795634761.123456', '2026-11-25T19:26:01.123Z'],
  ['1627551892437,21.5,48.2', '1627551892437', '2021-07-29T09:44:52.437Z'],
  ['[   12.345678] usb 1-1: new high-speed USB device number 2 using dwc_otg', '12.345678', '2026-11-25T19:00:12.345Z'],
  ['Stats 944.7: gcodein=0 mcu: mcu_awake=0.056 heater_bed: target=0 temp=17.2 pwm=0.000', '944.7', '2026-11-25T19:26:02.600Z'],
  ['11-25 20:26:01.123  1234  1250 I ActivityManager: Start proc', '11-25 20:26:01.123', '2026-11-25T19:26:01.123Z', '2026-11-25T20:26:01.123Z'],
  ['E1125 20:26:01.980915       1 server.go:121] failed to collect', '1125 20:26:01.980915', '2026-11-25T19:26:01.980Z', '2026-11-25T20:26:01.980Z'],
  ['{"timestamp":"2026-05-20T22:52:37.240+02:00","log_level":"INFO","message":"FTL started"}', '2026-05-20T22:52:37.240+02:00', '2026-05-20T20:52:37.240Z'],
  ['20:26:01.123 -> temp:21.5,hum:48', '20:26:01.123', '2026-11-25T19:26:01.123Z', '2026-11-25T20:26:01.123Z'],
];
const NOW = utc('2026-11-25T21:00:00Z');

/** With the browser in `zone`; its clocks are those of this process. */
function within(zone, run) {
  const before = process.env.TZ;
  process.env.TZ = zone;
  try {
    run();
  } finally {
    if (before === undefined) delete process.env.TZ;
    else process.env.TZ = before;
  }
}

test('the 25 forms, on a board in Berlin and one in UTC', () => {
  for (const zone of [BERLIN, 'UTC']) {
    within(zone, () => {
      for (const [line, written, berlin, elsewhere = berlin] of FORMS) {
        const times = new Times({ zoneOffsetMinutes: zone === BERLIN ? 60 : 0, now: NOW });
        // What a line's own clock began at: dmesg's from arrival, Klipper's from the head of its session.
        times.learn(['[ 3600.000000] eth0: up'], utc('2026-11-25T20:00:00Z'));
        if (line.startsWith('Stats')) times.parse('Start printer at Wed Nov 25 20:26:01 2026 (1795634761.1 943.2)');
        const found = times.parse(line);
        assert.ok(found, line);
        assert.equal(line.slice(found.start, found.end), written);
        const expected = utc(zone === BERLIN ? berlin : elsewhere);
        assert.ok(Math.abs(found.ms - expected) < 1, `${line}: ${new Date(found.ms).toISOString()} in ${zone}`);
      }
    });
  }
  assert.equal(FORMS.length, 25);
});

test('further forms that programs write', () => {
  const table = [
    ['Start printer at Wed Nov 25 20:26:01 2026 (1795634761.1 943.2)', 'Wed Nov 25 20:26:01 2026', '2026-11-25T19:26:01.100Z'],
    ['type=SYSCALL msg=audit(1364481363.243:24287): arch=c000003e', null, null],
    ['type=SYSCALL msg=audit(1795634761.243:24287): arch=c000003e', '1795634761.243', '2026-11-25T19:26:01.243Z'],
    ['time=2026-11-25T20:26:01Z level=info msg=x', '2026-11-25T20:26:01Z', '2026-11-25T20:26:01Z'],
    ['level=info ts="2026-11-25T20:26:01Z" msg=x', '2026-11-25T20:26:01Z', '2026-11-25T20:26:01Z'],
    ['{"level":30,"time":1795634761123,"msg":"x"}', '1795634761123', '2026-11-25T19:26:01.123Z'],
    ['{"ts":1795634761.5,"msg":"x"}', '1795634761.5', '2026-11-25T19:26:01.500Z'],
    ['Wed 2026-11-25 20:26:01 UTC pi x', '2026-11-25 20:26:01 UTC', '2026-11-25T20:26:01Z'],
    ['1795634761123456789 x', '1795634761123456789', '2026-11-25T19:26:01.123Z'],
    ['2026-11-25 08:26:01 PM UTC x', '2026-11-25 08:26:01 PM UTC', '2026-11-25T20:26:01Z'],
    ['2026-11-25T20:26:01-05:30 x', '2026-11-25T20:26:01-05:30', '2026-11-26T01:56:01Z'],
    ['2026-11-25T20:26:01Z -12.5', '2026-11-25T20:26:01Z', '2026-11-25T20:26:01Z'],
    ['\x1b[2m2026-11-25T20:26:01.5Z\x1b[0m \x1b[32m INFO\x1b[0m started', '2026-11-25T20:26:01.5Z', '2026-11-25T20:26:01.500Z'],
    ['no time at 20:26:01', null, null],
    ['2026-13-25 20:26:01 x', null, null],
    ['2026-11-25 24:26:01 x', null, null],
    ['2026-11-25 x', null, null],
    ['999999999999 x', null, null],
    ['1234567890 is too old for an epoch', null, null],
    ['192.168.0.1 - GET', null, null],
    ['', null, null],
  ];
  within('UTC', () => {
    const times = new Times({ now: NOW });
    for (const [line, written, instant] of table) {
      const found = times.parse(line);
      assert.equal(found && line.slice(found.start, found.end), written, line);
      if (instant) assert.ok(Math.abs(found.ms - utc(instant)) < 1, `${line}: ${new Date(found.ms).toISOString()}`);
    }
  });
});

test('over the changes of summer time', () => {
  within(BERLIN, () => {
    const times = new Times({ zoneOffsetMinutes: 60, now: NOW });
    // Read in winter, written in both: each by the clock of its day; the hour that comes twice in the order of lines.
    const table = [
      ['2026-03-29 01:59:59 x', '2026-03-29T00:59:59Z'],
      ['2026-03-29 03:00:00 x', '2026-03-29T01:00:00Z'],
      ['2026-07-01 12:00:00 x', '2026-07-01T10:00:00Z'],
      ['2026-10-25 01:59:59 x', '2026-10-24T23:59:59Z'],
      ['2026-10-25 02:10:00 x', '2026-10-25T00:10:00Z'],
      ['2026-10-25 02:40:00 x', '2026-10-25T00:40:00Z'],
      ['2026-10-25 02:59:59 x', '2026-10-25T00:59:59Z'],
      ['2026-10-25 02:00:00 x', '2026-10-25T01:00:00Z'],
      ['2026-10-25 02:20:00 x', '2026-10-25T01:20:00Z'],
      ['2026-10-25 02:59:59 x', '2026-10-25T01:59:59Z'],
      ['2026-10-25 03:00:00 x', '2026-10-25T02:00:00Z'],
      ['Mar 29 03:00:00 x', '2026-03-29T01:00:00Z'],
      ['2026-03-29 02:30:00 x', '2026-03-29T01:30:00Z'],
    ];
    for (const [line, instant] of table) assert.equal(new Date(times.parse(line).ms).toISOString(), new Date(utc(instant)).toISOString(), line);
  });
});

test('over New Year', () => {
  within(BERLIN, () => {
    const table = [
      ['2027-01-01T00:00:30Z', 'Dec 31 23:59:59 x', '2026-12-31T22:59:59Z'],
      ['2027-01-01T00:00:30Z', 'Jan  1 00:00:00 x', '2026-12-31T23:00:00Z'],
      // The board's clock is a little ahead of ours.
      ['2026-12-31T22:59:50Z', 'Jan  1 00:00:10 x', '2026-12-31T23:00:10Z'],
      ['2026-11-25T12:00:00Z', 'Feb 29 12:00:00 x', '2024-02-29T11:00:00Z'],
      ['2027-01-01T00:00:30Z', '12-31 23:59:59.000  1  2 I x: y', '2026-12-31T22:59:59Z'],
      ['2027-01-01T00:00:30Z', 'E1231 23:59:59.000       1 x.go:1] y', '2026-12-31T22:59:59Z'],
      ['2026-12-31T23:00:10Z', '23:59:59 x', '2026-12-31T22:59:59Z'],
      ['2026-12-31T23:00:10Z', '00:00:05 x', '2026-12-31T23:00:05Z'],
    ];
    for (const [now, line, instant] of table) {
      const times = new Times({ zoneOffsetMinutes: 60, now: () => utc(now) });
      assert.equal(times.parse(line).ms, utc(instant), line);
    }
    assert.equal(new Times({ now: NOW }).parse('Feb 30 12:00:00 x'), null);
  });
});

test('the day of a time of day comes from its neighbours', () => {
  within('UTC', () => {
    const times = new Times({ now: NOW });
    const read = (line) => new Date(times.parse(line).ms).toISOString();
    assert.equal(read('20:59:00 x'), '2026-11-25T20:59:00.000Z');
    assert.equal(read('2026-11-20T23:59:59Z x'), '2026-11-20T23:59:59.000Z');
    assert.equal(read('00:00:01 x'), '2026-11-21T00:00:01.000Z');
    assert.equal(read('23:59:58 x'), '2026-11-20T23:59:58.000Z');
  });
});

test('the zone of the board is learnt from a line that has just arrived', () => {
  within(BERLIN, () => {
    const arrival = utc('2026-07-01T10:00:00Z');
    const line = (hour) => `2026-07-01 ${hour}:00 x`;
    for (const [hour, minutes] of [['10:00', 0], ['12:00', 120], ['15:30', 330], ['05:00', -300]]) {
      const times = new Times({ now: arrival });
      times.learn(['older', line(hour)], arrival + 1500);
      assert.equal(times.parse(line(hour)).ms, arrival, hour);
      // Another zone than the browser's has no known summer time; the browser's has.
      const winter = times.parse('2026-01-01 12:00:00 x').ms;
      assert.equal(winter, utc('2026-01-01T12:00:00Z') - (minutes === 120 ? 60 : minutes) * 60_000, hour);
    }
    // An old line tells nothing, nor does one whose zone is written.
    const times = new Times({ zoneOffsetMinutes: 120, now: arrival });
    times.learn([line('11:07')], arrival);
    times.learn(['2026-07-01T11:00:00Z x'], arrival);
    assert.equal(times.parse(line('12:00')).ms, arrival);
  });
});

test('dates of two numbers are read only where all lines agree and one shows which is the day', () => {
  within('UTC', () => {
    const table = [
      [['25.11.2026 20:26:01 x', '01.12.2026 00:00:00 x'], '2026-11-25T20:26:01Z'],
      [['11/25/2026 08:26:01 PM x', '12/01/2026 12:00:00 AM x'], '2026-11-25T20:26:01Z'],
      [['01.11.2026 20:26:01 x', '02.11.2026 20:26:01 x'], null],
      [['25.11.2026 20:26:01 x', 'text'], null],
      [['25.11.2026 20:26:01 x', '11.25.2026 20:26:01 x'], null],
    ];
    for (const [lines, instant] of table) {
      const times = new Times({ now: NOW });
      assert.equal(times.parse(lines[0]), null);
      times.learn(lines);
      assert.equal(times.parse(lines[0])?.ms ?? null, instant && utc(instant), lines[0]);
    }
  });
});

test('whether lines have times', () => {
  const times = new Times();
  times.learn(['2026-11-25 20:26:01 x', '  at y', '2026-11-25 20:26:02 x']);
  assert.equal(times.winner, true);
  times.learn(['x', 'y', '2026-11-25 20:26:02 x']);
  assert.equal(times.winner, false);
});

test('times are shown in the zone of the reader', () => {
  const ms = utc('2026-11-25T19:26:01.123Z');
  within(BERLIN, () => {
    assert.equal(shown(ms, true), '20:26:01');
    assert.equal(shown(ms, false), '2026-11-25 20:26:01.123 +01:00');
  });
  within('America/St_Johns', () => assert.equal(shown(ms, false), '2026-11-25 15:56:01.123 -03:30'));
  assert.equal(shown(NaN, true), '');
});
