import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { page } from './page.mjs';

const { contrast, legible, overwritten, plain, spans } = await page('ansi.js');
const style = (name) => readFileSync(new URL(name, page.folder), 'utf8');
const hex = (text) => Number.parseInt(text.slice(1), 16);

/** One string for what a line looks like: pieces as `text{classes color/background}`. */
const drawn = (text) =>
  spans(text)
    .map((s) => {
      const look = [...s.classes, s.color ?? '', s.background ? `on ${s.background}` : ''].filter(Boolean).join(' ');
      return look ? `${s.text}{${look}}` : s.text;
    })
    .join('|');

test('colours and styles', () => {
  const table = [
    ['plain', 'plain'],
    ['\x1b[31mred\x1b[0m not', 'red{fg1}| not'],
    ['\x1b[1;31mred', 'red{bold fg1}'],
    ['\x1b[mnone', 'none'],
    ['\x1b[91mbright\x1b[39mink', 'bright{fg9}|ink'],
    ['\x1b[1mb\x1b[22mn', 'b{bold}|n'],
    ['\x1b[2mquiet\x1b[22mn', 'quiet{dim}|n'],
    ['\x1b[3mi\x1b[23mn\x1b[4mu\x1b[24mn\x1b[9ms\x1b[29mn', 'i{italic}|n|u{underline}|n|s{strike}|n'],
    ['\x1b[21mdouble', 'double{underline}'],
    ['\x1b[4:3mcurly\x1b[4:0mnone', 'curly{underline}|none'],
    ['\x1b[5mblinks', 'blinks'],
    ['\x1b[8mhidden\x1b[28mshown', 'hidden{conceal}|shown'],
    ['\x1b[7minverse\x1b[27mnot', 'inverse{inverse}|not'],
    ['\x1b[41mx', 'x{#ffffff on #cd0000}'],
    ['\x1b[30;47mx', 'x{#000000 on #e5e5e5}'],
    ['\x1b[41;49mx', 'x'],
    ['\x1b[103mx', 'x{#000000 on #ffff00}'],
    ['\x1b[7;32mx', 'x{#000000 on #00cd00}'],
    ['\x1b[38;5;9mx', 'x{fg9}'],
    ['\x1b[38:5:9mx', 'x{fg9}'],
    ['\x1b[48;5;21mx', 'x{#ffffff on #0000ff}'],
    ['\x1b[48;5;232mx', 'x{#ffffff on #080808}'],
    ['\x1b[48;5;255mx', 'x{#000000 on #eeeeee}'],
    ['\x1b[48;5;67mx', 'x{#000000 on #5f87af}'],
    ['\x1b[48;2;10;20;30mx', 'x{#ffffff on #0a141e}'],
    ['\x1b[48:2::10:20:30mx', 'x{#ffffff on #0a141e}'],
    ['\x1b[48:2:10:20:30mx', 'x{#ffffff on #0a141e}'],
    ['\x1b[38;5;9;1mx', 'x{bold fg9}'],
    ['\x1b[38;2;1;2;3;1mx', 'x{bold light-dark(#010203, #989899)}'],
    ['\x1b[58;5;9;1mx', 'x{bold}'],
    ['\x1b[38;5;300mx', 'x'],
    ['\x1b[>4;2mx', 'x'],
    ['\x1b[?25lx', 'x'],
    ['\x1b[31 mx', 'x'],
  ];
  for (const [text, look] of table) assert.equal(drawn(text), look, JSON.stringify(text));
});

test('every other escape is invisible, and so is garbage', () => {
  const table = [
    ['\x1b]8;;http://a.example/\x1b\\link\x1b]8;;\x1b\\ text', 'link text'],
    ['\x1b]0;title\x07text', 'text'],
    ['\x1bP1$r0m\x1b\\text', 'text'],
    ['\x1b_G\x1b\\a\x1b^b\x1b\\c', 'ac'],
    ['\x1b(Btext\x1b7\x1b=\x1bc', 'text'],
    ['\x9b31mred\x9d0;t\x9ctext', 'redtext'],
    ['\x1b[2K\x1b[1;5Htext\x1b[6n', 'text'],
    ['a\0b\x07c\x08d\x7fe', 'abcde'],
    ['tab\tstays', 'tab\tstays'],
    ['cut \x1b[31', 'cut '],
    ['cut \x1b', 'cut '],
    ['\x1b[31\x1b[0mtwice', 'twice'],
    ['\x1b]no end', 'no end'],
    ['Grüße 👍 \x1b[1m漢字', 'Grüße 👍 漢字'],
  ];
  for (const [text, visible] of table) {
    assert.equal(plain(text), visible, JSON.stringify(text));
    assert.equal(spans(text).map((s) => s.text).join(''), visible, JSON.stringify(text));
  }
});

test('what was overwritten is not shown', () => {
  const table = [
    ['no return', 'no return'],
    ['10%\r20%\r30%', '30%'],
    ['done\r', 'done'],
    ['done\r\x1b[K', 'done'],
    ['\x1b[32m10%\r20%', '\x1b[32m20%'],
    ['\r', ''],
  ];
  for (const [text, left] of table) assert.equal(overwritten(text), left, JSON.stringify(text));
});

test('all text can be read: 4.5:1 on both papers and on every background', () => {
  const css = style('page.css');
  const value = (name) => {
    const found = new RegExp(`--${name}: light-dark\\((#[0-9a-f]{6}), (#[0-9a-f]{6})\\);`).exec(css);
    assert.ok(found, `page.css has a --${name}`);
    return found.slice(1).map(hex);
  };
  const papers = [0, 1].map((theme) => ['paper', 'hover', 'chosen'].map((name) => value(name)[theme]));
  const inks = value('ink');
  const check = (color, on) => assert.ok(contrast(hex(color), on) >= 4.5, `${color} on #${on.toString(16)}`);

  const classes = [...style('page.css').matchAll(/\.fg(\d+) \{ color: light-dark\((#[0-9a-f]{6}), (#[0-9a-f]{6})\)/g)];
  assert.deepEqual(classes.map((m) => Number(m[1])), Array.from({ length: 16 }, (_, n) => n));
  for (const [, , ...colours] of classes) colours.forEach((c, theme) => papers[theme].forEach((on) => check(c, on)));

  const sources = [...style('panels.css').matchAll(/--source: light-dark\((#[0-9a-f]{6}), (#[0-9a-f]{6})\)/g)];
  assert.equal(sources.length, 8);
  for (const [, ...colours] of sources) colours.forEach((c, theme) => papers[theme].forEach((on) => check(c, on)));

  for (let n = 16; n < 256; n += 1) {
    const [{ color }] = spans(`\x1b[38;5;${n}mx`);
    color.match(/#[0-9a-f]{6}/g).forEach((c, theme) => papers[theme].forEach((on) => check(c, on)));
    const [inverse] = spans(`\x1b[48;5;${n};7mx`);
    inverse.color.match(/#[0-9a-f]{6}/g).forEach((c, theme) => check(c, inks[theme]));
    for (let on = 0; on < 256; on += 5) {
      const [both] = spans(`\x1b[38;5;${n};48;5;${on}mx`);
      check(both.color, hex(both.background));
    }
  }
  assert.equal(legible(0x123456, 0xffffff), 0x123456);
});
