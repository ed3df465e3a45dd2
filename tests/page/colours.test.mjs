import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';

const file = (name) => readFile(new URL(`../../src/app/page/${name}`, import.meta.url), 'utf8');
const [chart, page] = await Promise.all(['chart.css', 'page.css'].map(file));

/** How linear RGB looks to those who have one kind of cone less: Machado, Oliveira and Fernandes, 2009. */
const SIGHTS = {
  'all cones': [[1, 0, 0], [0, 1, 0], [0, 0, 1]],
  'no long-wave cones': [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
  'no middle-wave cones': [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.01182, 0.04294, 0.968881]],
  'no short-wave cones': [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.3039]],
};
/** What is a step apart in Oklab is just told apart, side by side; lines are thin and lie apart. */
const [STEP, STEPS] = [0.02, 3];

const linear = (hex) => [1, 3, 5].map((i) => parseInt(hex.slice(i, i + 2), 16) / 255).map((v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4));
const times = (rows, vector) => rows.map((row) => row.reduce((sum, n, i) => sum + n * vector[i], 0));
const oklab = (rgb) => {
  const cones = times([[0.4122214708, 0.5363325363, 0.0514459929], [0.2119034982, 0.6806995451, 0.1073969566], [0.0883024619, 0.2817188376, 0.6299787005]], rgb);
  return times([[0.2104542553, 0.793617785, -0.0040720468], [1.9779984951, -2.428592205, 0.4505937099], [0.0259040371, 0.7827717662, -0.808675766]], cones.map(Math.cbrt));
};
const seen = (hex, sight) => oklab(times(SIGHTS[sight], linear(hex)).map((v) => Math.min(1, Math.max(0, v))));
const luminance = (hex) => times([[0.2126, 0.7152, 0.0722]], linear(hex))[0];
const contrast = (a, b) => {
  const [dark, light] = [a, b].map(luminance).sort((x, y) => x - y);
  return (light + 0.05) / (dark + 0.05);
};
const pairs = (css, name) => [...css.matchAll(new RegExp(`--${name}: light-dark\\((#[0-9a-f]{6}), (#[0-9a-f]{6})\\)`, 'g'))].map(([, light, dark]) => ({ light, dark }));

test('the colours of series differ to whoever sees, and from the paper', () => {
  const colours = pairs(chart, 'c\\d');
  assert.equal(colours.length, 6);
  const [paper] = pairs(page, 'paper');
  for (const theme of ['light', 'dark']) {
    for (const colour of colours) assert.ok(contrast(colour[theme], paper[theme]) >= 4.5, `${colour[theme]} on paper, ${theme}`);
    for (const sight of Object.keys(SIGHTS)) {
      const shown = colours.map((colour) => [colour[theme], seen(colour[theme], sight)]);
      for (const [i, [a, one]] of shown.entries()) {
        for (const [b, other] of shown.slice(i + 1)) {
          const apart = Math.hypot(...one.map((n, k) => n - other[k]));
          assert.ok(apart >= STEPS * STEP, `${a} and ${b} in ${theme}, ${sight}: ${apart.toFixed(3)}`);
        }
      }
    }
  }
});
