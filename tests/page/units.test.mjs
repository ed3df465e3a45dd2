import assert from 'node:assert/strict';
import { test } from 'node:test';
import { page } from './page.mjs';

const { kernelUnit, quantity, split, unitOf } = await page('units.js');

test('numbers with units', () => {
  const table = [
    ['21.5', 21.5, ''], ['-3', -3, ''], ['+.5', 0.5, ''], ['5.', 5, ''], ['1e-3', 0.001, ''], ['48%', 48, '%'], ['21.5 °C', 21.5, '°C'], ['21.5C', 21.5, '°C'],
    ["48.3'C", 48.3, '°C'], ['70℉', 70, '°F'], ['12oC', 12, '°C'], ['3.3V', 3.3, 'V'], ['-71dBm', -71, 'dBm'], ['5 µg/m³', 5, 'µg/m³'], ['1e999', NaN, ''],
    ['nan', NaN, ''], ['-inf', NaN, ''], ['NULL', NaN, ''], ['unavailable', NaN, ''], ['', NaN, ''], ['n/a', NaN, ''], ['--', NaN, ''],
    ['3f2a', null], ['12 errors', null], ['1.2.3', null], ['10:20', null], ['0x1f', null], ['text', null], ['1,5', null], ['5-6', null],
  ];
  for (const [text, value, unit] of table) assert.deepEqual(quantity(text), value === null ? null : { value, unit }, text);
  assert.deepEqual(quantity('1,5', { comma: true }), { value: 1.5, unit: '' });
  assert.deepEqual(quantity('1,5 °C', { comma: true }), { value: 1.5, unit: '°C' });
  assert.equal(quantity('1,000,5', { comma: true }), null);
  assert.deepEqual(quantity('12 clicks', { anyUnit: true }), { value: 12, unit: 'clicks' });
});

test('units in names', () => {
  const table = [
    ['temp_c', 'temp', '°C'], ['cpu_celsius', 'cpu', '°C'], ['memory_mib', 'memory', 'MiB'], ['hum_pct', 'hum', '%'], ['p_hPa', 'p', 'hPa'], ['Temp (°C)', 'Temp', '°C'], ['Flow [l/min]', 'Flow', 'l/min'],
    ['Temp (C)', 'Temp', '°C'], ['n (clicks)', 'n', 'clicks'], ['distance_m', 'distance', 'm'], ['accel_x', 'accel_x', ''], ['current_b', 'current_b', ''], ['print_time', 'print_time', ''], ['_c', '_c', ''], ['c', 'c', ''], ['constructor', 'constructor', ''], ['a_constructor', 'a_constructor', ''],
  ];
  for (const [text, name, unit] of table) assert.deepEqual(split(text), { name, unit }, text);
  assert.equal(unitOf('quux'), '');
});

test('thousandths of the kernel', () => {
  const table = [
    ['/sys/class/thermal/thermal_zone0/temp', [48312, -5000], { unit: '°C', scale: 0.001 }],
    ['temp', [48312], { unit: '°C', scale: 0.001 }],
    ['/sys/class/hwmon/hwmon0/temp1_input', [48312], { unit: '°C', scale: 0.001 }],
    ['/sys/class/hwmon/hwmon0/in1_input', [12], { unit: 'V', scale: 0.001 }],
    ['temperature', [48312], { unit: '°C', scale: 0.001 }],
    ['temp', [48.3], null],
    ['temp', [48312, 12], null],
    ['temp', [NaN], null],
    ['attempt', [48312], null],
    ['temperature.log', [48312], null],
  ];
  for (const [path, values, expected] of table) assert.deepEqual(kernelUnit(path, values), expected, path);
});
