// Escape sequences as xterm.js understands them: random ones are given to both. Run with NODE_PATH at the folder that
// holds `@xterm/headless`.

import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { dice } from './dice.mjs';
import { page } from './page.mjs';

const { Terminal } = createRequire(import.meta.url)('@xterm/headless');
const { spans } = await page('ansi.js');

const COLUMNS = 400;
const CASES = 2_000;
/** Pieces of sequences. Left out is where we mean to differ: a link is not underlined, `CSI b` and `CSI a` neither repeat nor move, and a
 * control in the middle of a sequence ends it. */
const PIECES = [
  '\x1b[', '\x1b[0m', '\x1b[1m', '\x1b[3m', '\x1b[9m', '\x1b[31m', '\x1b[92m', '\x1b[44m', '\x1b[103m', '\x1b[38;5;', '\x1b[48;5;', '\x1b[38;2;1;2;', '\x1b[38;2;250;1;2m',
  '\x1b[38;5;200m', '\x1b[7m', '\x1b[27m', '\x1b[4:3m', '\x1b[4:0m', '\x1b[38:2::9:8:7m', '\x1b[48:5:200m', '\x1b[58;5;3m', '\x1b[22m', '\x1b[39;49m', '\x1b[>4;2m', '\x1b[?25l',
  '\x1b]0;t\x07', '\x1bP1$r\x1b\\', '\x1b(B', 'm', '3', '12', '1', ';', 'q', 'w', 'x', 'y', 'z',
];
const random = dice(16);
const terminal = new Terminal({ cols: COLUMNS, rows: 2, allowProposedApi: true, logLevel: 'off' });

/** The cells of a terminal: `[character, styles, inverse, ink, paper]`; colours are `null`, an index, or `#rrggbb`. */
async function cells(text) {
  // CAN ends what the last line left open, RIS forgets the rest.
  await new Promise((done) => terminal.write(`\x18\x1bc${text}`, done));
  const line = terminal.buffer.active.getLine(0);
  const rgb = (colour) => `#${colour.toString(16).padStart(6, '0')}`;
  const found = [];
  for (let i = 0; i < COLUMNS && line.getCell(i).getChars(); i += 1) {
    const cell = line.getCell(i);
    const styles = [cell.isBold() && 'bold', cell.isItalic() && 'italic', cell.isUnderline() && 'underline', cell.isStrikethrough() && 'strike'];
    const ink = cell.isFgDefault() ? null : cell.isFgPalette() ? cell.getFgColor() : rgb(cell.getFgColor());
    const paper = cell.isBgDefault() ? null : cell.isBgPalette() ? cell.getBgColor() : rgb(cell.getBgColor());
    found.push([cell.getChars(), styles.filter(Boolean).sort().join(' '), Boolean(cell.isInverse()), ink, paper]);
  }
  return found;
}

let coloured = 0;
for (let i = 0; i < CASES; i += 1) {
  const text = Array.from({ length: 1 + Math.floor(random() * 10) }, () => PIECES[Math.floor(random() * PIECES.length)]).join('');
  const theirs = await cells(text);
  const ours = spans(text).flatMap((span) => [...span.text].map((character) => [character, span]));
  assert.equal(ours.map(([character]) => character).join(''), theirs.map(([character]) => character).join(''), JSON.stringify(text));
  theirs.forEach(([, styles, inverse, ink, paper], k) => {
    const { classes, color, background } = ours[k][1];
    const what = `${JSON.stringify(text)}, character ${k}: ${JSON.stringify(ours[k][1])}`;
    assert.equal(classes.filter((name) => !/^fg|inverse/.test(name)).sort().join(' '), styles, what);
    const [front, back] = inverse ? [paper, ink] : [ink, paper];
    assert.equal(classes.includes('inverse'), inverse && back === null, what);
    // A background is the very colour; text is that colour as far as it can be read.
    if (typeof back === 'string') assert.equal(background, back, what);
    else assert.equal(background === undefined, back === null, what);
    if (back !== null || inverse) return;
    const class_ = typeof front === 'number' && front < 16 ? `fg${front}` : undefined;
    assert.equal(classes.find((name) => name.startsWith('fg')), class_, what);
    assert.equal(color !== undefined, front !== null && class_ === undefined, what);
    coloured += front === null ? 0 : 1;
  });
}
assert.ok(coloured > CASES / 4, `${coloured} coloured characters`);
console.log(`${CASES} lines look as in xterm.js`);
