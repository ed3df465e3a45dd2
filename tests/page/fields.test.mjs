import assert from 'node:assert/strict';
import { test } from 'node:test';
import { page } from './page.mjs';

const { detect, reader } = await page('fields.js');
const { Times } = await page('time.js');

const NOW = Date.UTC(2026, 10, 25, 20, 0);
const two = (n) => String(n).padStart(2, '0');
const make = (n, line) => Array.from({ length: n }, (_, i) => line(i, two(i)));

/** `name unit` of each series, with a `-` before what is not shown at first. */
const named = (found) => found.series.map(({ name, unit, off }) => `${off ? '-' : ''}${name}${unit ? ` ${unit}` : ''}`);

/** `[form, lines, path, rule, names, timeOf, a line, its values, its ms]`. */
const FORMS = [
  ['sample', make(20, (i, ii) => `2026-11-25T19:00:${ii}.000Z ${20 + i}.5`), 'room_temp_c', 'sample', ['room_temp °C'], 'line', '2026-11-25T19:00:01.500Z 21.5', [21.5], Date.UTC(2026, 10, 25, 19, 0, 1, 500)],
  ['sample of the kernel', make(20, (i, ii) => `2026-11-25T19:00:${ii}.000Z ${45000 + i}`), 'thermal_zone0/temp', 'sample', ['temp °C'], 'line', '2026-11-25T19:00:01Z 45277', [45.277], Date.UTC(2026, 10, 25, 19, 0, 1)],
  ['degrees of the kernel', make(20, (i, ii) => `2026-11-25T19:00:${ii}.000Z ${45 + i}`), 'thermal_zone0/temp', 'sample', ['temp'], 'line', '2026-11-25T19:00:01Z 45', [45], Date.UTC(2026, 10, 25, 19, 0, 1)],
  ['vitals', make(20, (i, ii) => `2026-11-25T19:00:${ii}.000Z cpu_celsius=48.${i} load=0.4${i} memory_available_mib=${400 + i}`), 'vitals', 'pairs', ['cpu °C', 'load', 'memory_available MiB'], 'line', '2026-11-25T19:00:01.250Z cpu_celsius=48.3 load=0.42 memory_available_mib=312', [48.3, 0.42, 312], Date.UTC(2026, 10, 25, 19, 0, 1, 250)],
  ['sample without a value', make(20, (i, ii) => `2026-11-25T19:00:${ii}.000Z ${20 + i}.5`), 'x', 'sample', ['x'], 'line', '2026-11-25T19:00:01Z unavailable', [NaN], Date.UTC(2026, 10, 25, 19, 0, 1)],
  ['loadavg as a sample', make(20, (i, ii) => `2026-11-25T19:00:${ii}.000Z 0.4${i} 0.30 0.25 1/12${i} 4567`), 'loadavg', 'delimited', ['column 2', 'column 3', 'column 4', 'column 6'], 'line', '2026-11-25T19:00:01Z 0.42 0.31 0.26 2/99 7', [0.42, 0.31, 0.26, 7], Date.UTC(2026, 10, 25, 19, 0, 1)],
  ['firmware', make(20, (i) => `temp=48.${i}'C`), '', 'pairs', ['temp °C'], null, "temp=50.1'C", [50.1], null],
  ['bare', make(20, (i) => `${20 + i}.5`), 'sensor', 'bare', ['sensor'], null, '-3.25e1', [-32.5], null],
  ['bare with a glued unit', make(20, (i) => `${i}%`), '', 'bare', ['value %'], null, '48%', [48], null],
  ['bare with a unit', make(20, (i) => `${i}.5 °C`), '/dev/ttyUSB0', 'bare', ['ttyUSB0 °C'], null, '21.5 °C', [21.5], null],
  ['bare behind a time', make(20, (i, ii) => `2026-11-25 20:26:${ii} ${i}`), 'x', 'bare', ['x'], 'line', '2026-11-25 19:26:01 -5', [-5], Date.UTC(2026, 10, 25, 19, 26, 1)],
  ['a large number alone is no time', make(20, (i) => `${1500000000 + i * 7}`), 'bytes', 'bare', ['bytes'], null, '1500000001', [1500000001], null],
  ['JSON', make(20, (i) => `{"temp":21.${i},"bme":{"hum_pct":${i}},"pid":7,"seq":${i},"name":"x","ok":true}`), '', 'json', ['temp', 'bme.hum %', '-pid', '-seq'], null, '{"temp":21.5,"bme":{"hum_pct":null}}', [21.5, NaN, NaN, NaN], null],
  ['JSON with a time', make(20, (i, ii) => `{"ts":17956347${ii},"t":${i}}`), '', 'json', ['t'], 'line', '{"ts":1795634761,"t":"unavailable"}', [NaN], 1795634761000],
  ['pairs', make(20, (i, ii) => `20:26:${ii}.123 -> temp:${i}.5,hum:48`), '', 'pairs', ['temp', 'hum'], 'line', '19:26:01.123 -> temp:21.5,hum:48', [21.5, 48], Date.UTC(2026, 10, 25, 19, 26, 1, 123)],
  ['pairs with =', make(20, (i) => `temp_c=${i}.5 volt=3300mV rssi=-71dBm state=on`), '', 'pairs', ['temp °C', 'volt mV', 'rssi dBm'], null, 'temp_c=1 volt=3200mV rssi=nan state=off', [1, 3200, NaN], null],
  ['pairs with a space', make(20, (i) => `Humidity: ${i}.1 %\tTemperature: 21.5 °C`), '', 'pairs', ['Humidity %', 'Temperature °C'], null, 'Humidity: 40 %\tTemperature: 21 °C', [40, 21], null],
  ['Klipper', make(20, (i) => `Stats ${944 + i}.7: gcodein=0 mcu: mcu_awake=0.0${i + 10} freq=1600 heater_bed: target=0 temp=17.2 pwm=0.000 print_time=${i * 1.5}`), '', 'pairs', ['gcodein', 'mcu.mcu_awake', 'mcu.freq', 'heater_bed.target', 'heater_bed.temp', 'heater_bed.pwm', 'heater_bed.print_time'], 'line', 'Stats 950.0: gcodein=1 mcu: mcu_awake=2 freq=3 heater_bed: target=4 temp=5 pwm=6 print_time=7', [1, 2, 3, 4, 5, 6, 7], null],
  ['teleplot', make(20, (i) => `>${i % 2 ? 'temp' : 'hum'}:${1795634761000 + i}:${i}§${i % 2 ? '°C' : '%'}|g`), '', 'teleplot', ['hum %', 'temp °C'], 'line', '>temp:1795634761500:21.5§°C|g', [NaN, 21.5], 1795634761500],
  ['teleplot without time', make(20, (i) => `>temp:${i}`), '', 'teleplot', ['temp'], null, '>temp:5', [5], null],
  ['teleplot since boot', make(20, (i) => `temp:${i * 100}:${i}`), '', 'teleplot', ['temp'], null, 'temp:5:7', [7], null],
  ['names that take turns', make(20, (i) => `${i % 2 ? 'temp' : 'hum'}=${i}`), '', 'pairs', ['hum', 'temp'], null, 'temp=5', [NaN, 5], null],
  ['CSV with a header', ['time,temp (°C),hum [%],note', ...make(20, (i, ii) => `2026-11-25 20:26:${ii},${i}.5,48,"a, b"`)], '', 'delimited', ['temp °C', 'hum %'], 'line', '2026-11-25 19:26:01,21.5,,"c"', [21.5, NaN], Date.UTC(2026, 10, 25, 19, 26, 1)],
  ['CSV without a header', make(20, (i) => `${1627551892437 + i},${i}.5,48.2`), '', 'delimited', ['column 2', 'column 3'], 'line', '1627551892437,21.5,48.2', [21.5, 48.2], 1627551892437],
  ['CSV without a time', make(20, (i) => `${i}.5,48.2`), '', 'delimited', ['column 1', 'column 2'], null, '1,2', [1, 2], null],
  ['semicolons and decimal commas', ['Datum;Uhrzeit;Temp_C', ...make(20, (i, ii) => `2026-11-25;20:26:${ii};${i},5`)], '', 'delimited', ['Temp °C'], 'line', '2026-11-25;19:26:01;-2,5', [-2.5], Date.UTC(2026, 10, 25, 19, 26, 1)],
  ['tabs, time in the second column', ['id\ttime\tv', ...make(20, (i, ii) => `a\t2026-11-25T19:26:${ii}Z\t${i}.5`)], '', 'delimited', ['v'], 1, 'b\t2026-11-25T19:26:01Z\t2.5', [2.5], Date.UTC(2026, 10, 25, 19, 26, 1)],
  ['columns of spaces', ['Time    Load    Free', ...make(20, (i, ii) => `20:26:${ii}    0.${i}      ${900 + i * 2 - (i % 3) * 5}`)], '', 'delimited', ['Load', 'Free'], 'line', '19:26:01   1.5   7', [1.5, 7], Date.UTC(2026, 10, 25, 19, 26, 1)],
  ['single spaces', make(20, (i) => `${i}.5 48 1013`), '', 'delimited', ['column 1', 'column 2', 'column 3'], null, '1 2 3', [1, 2, 3], null],
];

test('numbers, names and units in each form, with no question asked', () => {
  for (const [form, lines, path, rule, names, timeOf, line, values, ms] of FORMS) {
    const found = detect(lines, { path });
    assert.ok(found, form);
    assert.equal(found.rule, rule, form);
    assert.deepEqual(named(found), names, form);
    assert.equal(found.timeOf, timeOf, form);
    assert.ok(found.sure, form);
    // What is kept as JSON reads the same.
    const read = reader(JSON.parse(JSON.stringify(found)), new Times({ now: NOW }));
    const row = read(line);
    assert.ok(row, form);
    const rounded = [...row.values].map((value) => Math.round(value * 1e6) / 1e6);
    assert.deepEqual(rounded, values, form);
    assert.equal(row.ms === null ? null : Math.round(row.ms), ms, form);
    assert.equal(read.wrong, 0, form);
  }
});

test('every line of every form is read', () => {
  for (const [form, lines, path] of FORMS) {
    const read = reader(detect(lines, { path }), new Times({ now: NOW }));
    const rows = lines.map(read).filter((row) => row !== null);
    assert.equal(read.wrong, 0, form);
    assert.equal(rows.length, lines.filter((line) => /\d/.test(line)).length, form);
  }
});

test('wrong rows are counted, headers and empty lines are not', () => {
  const lines = ['time,temp,hum', ...make(20, (i) => `${1795634761 + i},${i}.5,48`)];
  const read = reader(detect(lines), new Times({ now: NOW }));
  for (const line of ['1795634761,1', 'rubbish', '1795634761,1,2,3', '{"a":1}']) assert.equal(read(line), null, line);
  assert.equal(read.wrong, 4);
  for (const line of ['time,temp,hum', '', '  ']) assert.equal(read(line), null, line);
  assert.equal(read.wrong, 4);
  assert.deepEqual([...read('1795634761,21,48').values], [21, 48]);
  // The file that came after a rotation has its columns in another order.
  assert.equal(read('time,hum,temp'), null);
  assert.deepEqual([...read('1795634761,48,21').values], [21, 48]);
});

test('what has no numbers has no chart', () => {
  const table = [
    [],
    [''],
    make(50, (i, ii) => `Dec  2 01:00:${ii} dnsmasq[6527]: query[PTR] 27.60.162.139.in-addr.arpa from 127.0.0.1`),
    make(50, (i, ii) => `2026-11-25T20:26:${ii}+01:00 pi systemd[1]: Started cron.service.`),
    make(50, (i) => `text of ${'some '.repeat(i % 7)}length`),
    make(50, (i, ii) => `2018-07-17 09:44:${ii},769 - octoprint.server - INFO - Intermediary server started`),
  ];
  for (const lines of table) assert.equal(detect(lines), null, lines[0]);
});

test('a log with numbers in its text is not taken for readings', () => {
  const found = detect(make(50, (i, ii) => `2026-11-25T20:26:${ii}Z INFO request of user 7 to the front page was served and took=${i} ms`));
  assert.deepEqual([found.rule, found.sure], ['pairs', false]);
});
