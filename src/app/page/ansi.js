// The escape sequences in a line (ECMA-48, xterm's colours): colours become classes and styles, all
// others vanish. Each line begins with no colour, so that it looks the same from wherever one
// scrolls to it.

/** What is no text: CSI; OSC, whose text around stays (8 is a link); DCS, SOS, PM, APC; single
 * escapes; other controls. A string without an end loses its beginning only: better a bit of
 * rubbish than a line that can't be read. */
const ESCAPE = new RegExp(
  [
    String.raw`(?:\x1b\[|\x9b)([0-?]*)([ -/]*)([@-~]?)`,
    String.raw`(?:\x1b\]|\x9d)[^\x07\x1b\x90-\x9f]*(?:\x07|\x1b\\|\x9c)`,
    String.raw`(?:\x1b[PX^_]|[\x90\x98\x9e\x9f])[^\x07\x1b\x90-\x9f]*(?:\x1b\\|\x9c)`,
    String.raw`\x1b[ -/]*[0-~]?`,
    String.raw`[\0-\x08\n-\x1a\x1c-\x1f\x7f-\x9f]`,
  ].join('|'),
  'g',
);
const CONTROL = /[\0-\x08\n-\x1f\x7f-\x9f]/;

/** xterm's first sixteen colours, for where one is a background or stands on one. */
const SIXTEEN = [
  0x000000, 0xcd0000, 0x00cd00, 0xcdcd00, 0x0000ee, 0xcd00cd, 0x00cdcd, 0xe5e5e5,
  0x7f7f7f, 0xff0000, 0x00ff00, 0xffff00, 0x5c5cff, 0xff00ff, 0x00ffff, 0xffffff,
];
/** What text stands on, light and dark: the row that is chosen, the worst of them. As in page.css.
 * */
const PAPERS = [0xe3efe9, 0x22342d];
/** What text is made of, light and dark: the paper of inverse text. */
const INKS = [0x26292e, 0xd5d8dc];
/** WCAG 2.2, 1.4.3, and a little for rounding. */
const CONTRAST = 4.55;

const BLACK = 0;
const WHITE = 0xffffff;

const channels = (colour) => [colour >> 16, (colour >> 8) & 255, colour & 255];
const css = (colour) => `#${colour.toString(16).padStart(6, '0')}`;

/** Relative luminance of 0xRRGGBB, after WCAG 2.2. */
function luminance(colour) {
  const [r, g, b] = channels(colour).map((c) => (c <= 10 ? c / 3294.6 : ((c / 255 + 0.055) / 1.055) ** 2.4));
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

/** The contrast of two colours 0xRRGGBB: 1 to 21. */
export function contrast(a, b) {
  const [low, high] = [luminance(a), luminance(b)].sort((x, y) => x - y);
  return (high + 0.05) / (low + 0.05);
}

/** The colour nearest to `colour`, darkened or lightened, that can be read on `paper` (4.5:1); both
 * 0xRRGGBB. */
export function legible(colour, paper) {
  if (contrast(colour, paper) >= CONTRAST) return colour;
  const towards = contrast(BLACK, paper) > contrast(WHITE, paper) ? 0 : 255;
  const mixed = (part) =>
    channels(colour).reduce((sum, c) => sum * 256 + Math.round(c + (towards - c) * part), 0);
  let [near, far] = [0, 1];
  for (let i = 0; i < 7; i += 1) {
    const middle = (near + far) / 2;
    if (contrast(mixed(middle), paper) >= CONTRAST) far = middle;
    else near = middle;
  }
  return mixed(far);
}

/** Colour `n` of xterm's 256, as 0xRRGGBB. */
function indexed(n) {
  if (n < 16) return SIXTEEN[n];
  if (n > 231) return 0x010101 * (8 + 10 * (n - 232));
  const step = (d) => (d ? 55 + 40 * d : 0);
  n -= 16;
  return (step(Math.floor(n / 36)) << 16) | (step(Math.floor(n / 6) % 6) << 8) | step(n % 6);
}

/** The styles that one number turns on or off. 5 and 6 blink: nothing does here. */
const ON = {
  1: 'bold', 2: 'dim', 3: 'italic', 4: 'underline', 7: 'inverse', 8: 'conceal', 9: 'strike',
  21: 'underline',
};
const OFF = {
  22: ['bold', 'dim'], 23: ['italic'], 24: ['underline'], 27: ['inverse'], 28: ['conceal'],
  29: ['strike'],
};

/** The colour that `38` or `48` names, from its arguments: `-1 - n` for the first sixteen, which
 * have classes. */
function extended([kind, a, b, c]) {
  if (kind === 5 && a < 256) return a < 16 ? -1 - a : indexed(a);
  if (kind === 2 && a < 256 && b < 256 && c < 256) return (a << 16) | (b << 8) | c;
  return null;
}

/** Applies the parameters of an SGR sequence (`CSI … m`) to `state`. */
function select(state, parameters) {
  const list = parameters.split(';');
  for (let i = 0; i < list.length; i += 1) {
    const sub = list[i].split(':').map(Number);
    const n = sub[0];
    if (n === 0) Object.assign(state, { styles: new Set(), ink: null, paper: null });
    else if (n === 38 || n === 48 || n === 58) {
      let from;
      if (sub.length > 1) {
        // With colons a colour space may stand before red, green and blue.
        from = sub[1] === 2 && sub.length > 5 ? [2, ...sub.slice(3)] : sub.slice(1);
      } else {
        from = list.slice(i + 1, i + 5).map(Number);
        i += from[0] === 5 ? 2 : from[0] === 2 ? 4 : 0;
      }
      const colour = extended(from);
      if (colour !== null && n !== 58) state[n === 38 ? 'ink' : 'paper'] = colour;
    } else if (n === 4 && sub[1] === 0) state.styles.delete('underline');
    else if (ON[n]) state.styles.add(ON[n]);
    else if (OFF[n]) OFF[n].forEach((style) => state.styles.delete(style));
    else if (n === 39) state.ink = null;
    else if (n === 49) state.paper = null;
    else if (n >= 30 && n <= 37) state.ink = 29 - n;
    else if (n >= 40 && n <= 47) state.paper = 39 - n;
    else if (n >= 90 && n <= 97) state.ink = 81 - n;
    else if (n >= 100 && n <= 107) state.paper = 91 - n;
  }
}

const concrete = (colour) => (colour < 0 ? SIXTEEN[-1 - colour] : colour);
/** One colour for each of the two themes. */
const pair = (colour, papers) =>
  `light-dark(${papers.map((paper) => css(legible(colour, paper))).join(', ')})`;

/** How text looks in this state. */
function look({ styles, ink, paper }) {
  const classes = [...styles].filter((style) => style !== 'inverse' && style !== 'dim');
  if (styles.has('inverse')) {
    [ink, paper] = [paper, ink];
    if (paper === null) {
      classes.push('inverse');
      return ink === null ? { classes } : { classes, color: pair(concrete(ink), INKS) };
    }
  }
  if (paper !== null) {
    const background = concrete(paper);
    const away = contrast(BLACK, background) > contrast(WHITE, background) ? BLACK : WHITE;
    return {
      classes,
      color: css(legible(ink === null ? away : concrete(ink), background)),
      background: css(background),
    };
  }
  if (ink === null) {
    if (styles.has('dim')) classes.push('dim');
  } else if (ink < 0) classes.push(`fg${-1 - ink}`);
  else return { classes, color: pair(ink, PAPERS) };
  return { classes };
}

/**
 * The visible text in pieces of one look: `[{ text, classes, color?, background? }]`. Classes are
 * `bold`, `dim`, `italic`, `underline`, `strike`, `conceal`, `inverse`, `fg0` to `fg15` (page.css);
 * `color` and `background` are CSS colours, always with a contrast of 4.5:1. The pieces' text is
 * `plain(text)`.
 */
export function spans(text) {
  if (!CONTROL.test(text)) return text === '' ? [] : [{ text, classes: [] }];
  const found = [];
  const state = { styles: new Set(), ink: null, paper: null };
  let at = 0;
  let piece = null;
  const show = (part) => {
    if (part === '') return;
    if (piece) piece.text += part;
    else found.push((piece = { text: part, ...look(state) }));
  };
  for (const escape of text.matchAll(ESCAPE)) {
    show(text.slice(at, escape.index));
    at = escape.index + escape[0].length;
    // `CSI > … m` and `CSI … SP m` are other commands.
    if (escape[3] === 'm' && escape[2] === '' && !/[<-?]/.test(escape[1])) {
      select(state, escape[1]);
      piece = null;
    }
  }
  show(text.slice(at));
  return found;
}

/** The visible text alone. */
export function plain(text) {
  return CONTROL.test(text) ? text.replace(ESCAPE, '') : text;
}

/** What is left of a line in which carriage returns went back to its start: what was written last,
 * in its colours. */
export function overwritten(text) {
  if (!text.includes('\r')) return text;
  const layers = text.split('\r');
  while (layers.length > 1 && plain(layers.at(-1)) === '') layers.pop();
  const last = layers.pop();
  const colours = layers.join('').match(/\x1b\[[\d;:]*m/g);
  return colours ? colours.join('') + last : last;
}
