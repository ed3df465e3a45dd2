// Numbers as people and programs write them, with their units.

/** Units behind a number, and at the end of a name after `_`. */
const UNITS =
  'K % ‰ V mV kV A mA µA W mW kW MW Wh kWh VA var Ah mAh Hz kHz MHz GHz Pa hPa kPa mbar bar psi ' +
  'ppm ppb lx lux m cm mm km s ms us µs ns min h d rpm RPM dB dBm dBA g kg mg B kB KB MB GB TB ' +
  'KiB MiB GiB TiB kbps Mbps kB/s MB/s l L ml l/h l/min m/s km/h m³ m³/h Ω kΩ ohm pH µg/m³ ug/m3 ' +
  'µg/m3 W/m² W/m2 mm/h ° °/s deg J N Nm px fps';
const KNOWN = new Set(UNITS.split(' '));
/** The ends of names that are written otherwise than the unit. */
const SPELT = {
  c: '°C', celsius: '°C', degc: '°C', f: '°F', fahrenheit: '°F', degf: '°F', pct: '%', percent: '%',
  percentage: '%', volts: 'V', volt: 'V', amps: 'A', watts: 'W', watt: 'W', seconds: 's', secs: 's',
  sec: 's', millis: 'ms', bytes: 'B', hertz: 'Hz', lux: 'lx', degrees: '°', meters: 'm',
};
/** Of single letters only these: `accel_b` or `pid_d` is no unit. */
const LETTERS = 'KVAWsm';
const LOWER = new Map(
  [...KNOWN]
    .reverse()
    .filter((unit) => unit.length > 1 || !/[a-z]/i.test(unit) || LETTERS.includes(unit))
    .map((unit) => [unit.toLowerCase(), unit]),
);

const GAPS = /^(?:[+-]?nan|null|none|nil|unavailable|unknown|n\/?a|-+|[+-]?inf(?:inity)?)?$/i;
const NUMBER = /^([+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)(?:\s?([^\d\s.,;:=+-][^\s,;:=]{0,7}))?$/;
const DECIMAL_COMMA = /^([+-]?\d+),(\d+)(?=\D|$)/;

/** How kernels name their readings: by the end of the file's path, what one of theirs is worth in
 * which unit. */
const SYSFS = [
  [/(?:^|[/_])temp(?:erature)?\d*(?:_input)?$/, '°C', 0.001, 1000],
  [/\/in\d+_input$/, 'V', 0.001, 0],
  [/\/curr\d+_input$/, 'A', 0.001, 0],
  [/\/power\d+_(?:input|average)$/, 'W', 1e-6, 0],
  [/\/fan\d+_input$/, 'rpm', 1, 0],
  [/humidity(?:\d+|relative)_input$/, '%', 0.001, 100],
  [/\/(?:cpuinfo|scaling)_cur_freq$/, 'MHz', 0.001, 0],
  [/\/voltage_now$/, 'V', 1e-6, 0],
  [/\/current_now$/, 'A', 1e-6, 0],
];

/** Whether it stands for "no reading". */
export const isGap = (text) => GAPS.test(text.trim());

/** A written unit in its usual spelling; '' where it is none. */
export function unitOf(text) {
  // `48.3'C` is what a Raspberry Pi's firmware says.
  const degrees = /^(?:[°o']|deg)?([CF])$/.exec(text.normalize('NFKC'));
  return degrees ? `°${degrees[1]}` : KNOWN.has(text) ? text : '';
}

/**
 * A number and its unit: `{ value, unit }`; a gap has the value NaN, anything else is `null`.
 * `anyUnit`: any short word is taken for a unit; `comma`: `21,5` is a number.
 */
export function quantity(text, { anyUnit = false, comma = false } = {}) {
  text = text.trim();
  if (isGap(text)) return { value: NaN, unit: '' };
  const found = NUMBER.exec(comma ? text.replace(DECIMAL_COMMA, '$1.$2') : text);
  if (!found) return null;
  const [, number, written = ''] = found;
  const unit = unitOf(written) || (anyUnit ? written : '');
  // 1e999 is as little of a reading as NaN.
  const value = Number.isFinite(Number(number)) ? Number(number) : NaN;
  return written !== '' && unit === '' ? null : { value, unit };
}

/** A name without its unit, and that: of `temp_c`, `temp (°C)`, `temp [°C]`. */
export function split(name) {
  const bracketed = /^(.*\S)\s*[([]([^()[\]]{1,12})[)\]]$/.exec(name);
  if (bracketed) return { name: bracketed[1], unit: unitOf(bracketed[2]) || bracketed[2] };
  const last = name.lastIndexOf('_');
  const end = name.slice(last + 1).toLowerCase();
  const unit = last > 0 && ((Object.hasOwn(SPELT, end) && SPELT[end]) || LOWER.get(end));
  return unit ? { name: name.slice(0, last), unit } : { name, unit: '' };
}

/** What values read from a file of the kernel at `path` are: `{ unit, scale }`; `null` for other
 * files. */
export function kernelUnit(path, values) {
  const row = SYSFS.find(([end]) => end.test(path));
  const finite = values.filter(Number.isFinite);
  // Some drivers already give degrees.
  if (!row || finite.length === 0 || !finite.every((value) => Math.abs(value) >= row[3])) return null;
  return { unit: row[1], scale: row[2] };
}
