// The panels behind the buttons: levels, everything that is needed more seldom, help.

import { alertBox } from './alertbox.js';
import { canStayAwake } from './awake.js';
import { keep, kept } from './settings.js';
import { item } from './streamlist.js';

/** The panel that a button opens. */
const PANELS = { levels: 'level-panel', more: 'more-panel', help: 'help-panel' };

const LEVELS = [
  [null, 'all lines'],
  ['debug', 'debug and worse'],
  ['info', 'info and worse'],
  ['warn', 'warnings and errors'],
  ['error', 'errors'],
];
const THEMES = [['', 'as the system'], ['light', 'light'], ['dark', 'dark']];
/** Font sizes, in px. */
const SIZES = [10, 11, 12, 13, 14, 16, 18, 21, 24];

/** What each key does (hands.js). */
const KEYS = [
  ['p', 'pause and resume'],
  ['g  G', 'start; end, and follow'],
  ['j k  d u  space b', 'line, half a page, a page'],
  ['/  n  N', 'find; next, previous hit'],
  ['&', 'show only lines that hold a text'],
  ['e  E', 'next, previous error'],
  ['[  ]', 'previous, next mark'],
  ['%', 'go to 50%, 14:30, -2h'],
  ['w  t', 'wrap; times as here or as written'],
  ['c  y', 'copy lines; copy the link to this view'],
  ['Esc', 'back'],
];

const at = (id) => document.getElementById(id);

function make(name, properties = {}, ...children) {
  const made = Object.assign(document.createElement(name), properties);
  made.append(...children);
  return made;
}

const button = (textContent, act) => make('button', { type: 'button', textContent, onclick: act });
const title = (textContent) => make('h2', { textContent });

export class Panels {
  #page;
  #hands;
  #streams = make('ul', { className: 'streams' });

  /** `page`: as page.js has it; `hands`: as hands.js has them. */
  constructor(page, hands) {
    this.#page = page;
    this.#hands = hands;
    this.#opened('level-panel', () => this.#levels());
    this.#opened('more-panel', () => this.#more());
    this.#opened('help-panel', help);
  }

  /** What is shown is read anew each time. */
  #opened(id, build) {
    at(id).addEventListener('beforetoggle', ({ newState }) => {
      if (newState === 'open') at(id).replaceChildren(...build());
    });
    at(id).addEventListener('toggle', ({ newState }) => {
      // The keys work again.
      if (newState === 'closed' && (document.activeElement === document.body || document.activeElement?.matches('#bar button'))) at('view').focus();
    });
  }

  /** Opens the panel of this button, or closes it. */
  toggle(button) {
    at(PANELS[button]).togglePopover();
  }

  /** The list of streams; those of the view are merged with the one that is shown. */
  drawStreams(list) {
    const shown = this.#page.name();
    const others = this.#page.view().with;
    this.#streams.replaceChildren(
      ...list.map((source) => {
        const li = item(source, shown);
        if (source.name !== shown) {
          const is = others.includes(source.name);
          const merge = button('Merge', () => this.#merge(list, source.name, !is));
          merge.ariaPressed = String(is);
          merge.ariaLabel = `Merge ${source.name} with ${shown}`;
          li.append(merge);
        }
        return li;
      }),
    );
  }

  #merge(list, name, also) {
    const view = this.#page.view();
    this.#page.changed({ ...view, with: [...view.with.filter((one) => one !== name), ...(also ? [name] : [])], at: null }, true);
    this.#page.merge();
    this.drawStreams(list);
  }

  #levels() {
    const { view, changed, find } = this.#page;
    return [
      title('Levels'),
      ...LEVELS.map(([level, words]) => {
        const box = make('input', { type: 'radio', name: 'level', checked: view().level === level });
        box.addEventListener('change', () => {
          changed({ ...view(), level, at: null }, true);
          find.ready.apply();
          at('level-panel').hidePopover();
        });
        return make('label', { className: 'choice' }, box, words);
      }),
    ];
  }

  #more() {
    const rare = [...document.querySelectorAll('.rare')].filter((one) => one.dataset.moved);
    const group = (...parts) => make('div', { className: 'group' }, ...parts);
    const { openGoto, copy, link } = this.#hands;
    return [
      rare.length > 0 ? group(...rare) : '',
      title('Streams'),
      this.#streams,
      title('This log'),
      group(button('Go to…', away(openGoto)), button('Copy lines', away(copy)), button('Copy link', away(link))),
      title('Download'),
      group(...this.#downloads()),
      title('Looks'),
      ...this.#looks(),
      title('Alerts'),
      this.#alerts(),
    ].filter(Boolean);
  }

  #downloads() {
    const { name, sources, selection, find, acts } = this.#page;
    const save = (what, words) => button(words, away(() => acts.ready.save(what)));
    return [
      make('a', { href: sources.address(name()), download: name().split('/').at(-1), textContent: 'the file', className: 'button' }),
      selection.ready.any ? save('selection', 'what is selected') : '',
      find.ready.filtered === null ? '' : save('filtered', 'these lines'),
    ];
  }

  #looks() {
    const { name, look, wake, announcer } = this.#page;
    const page = kept('');
    return [
      switched('Times in this zone', Boolean(kept(name()).local), this.#hands.setTimes),
      chosen('Theme', THEMES, page.theme ?? '', (theme) => (keep('', { theme }), look())),
      chosen('Font size', [['', 'as usual'], ...SIZES.map((size) => [size, `${size} px`])], page.size ?? '', (size) => (keep('', { size: Number(size) || null }), look())),
      switched('News for screen readers', announcer.on, (on) => (keep('', { aloud: on }), (announcer.on = on))),
      canStayAwake() ? switched('Keep the screen on', Boolean(page.awake), (on) => (keep('', { awake: on }), wake())) : '',
    ];
  }

  #alerts() {
    const { name, charting, watching } = this.#page;
    return alertBox(watching.ready.alerts, {
      series: () => charting.series,
      changed: (rules) => keep(name(), { alerts: rules }),
    });
  }
}

/** Work for which the panel goes away. */
const away = (work) => () => {
  at('more-panel').hidePopover();
  work();
};

function chosen(label, options, value, act) {
  const select = make('select', {}, ...options.map(([key, words]) => new Option(words, key, false, String(key) === String(value))));
  select.addEventListener('change', () => act(select.value));
  return make('label', {}, label, select);
}

function switched(label, on, act) {
  const box = make('input', { type: 'checkbox', checked: on });
  box.addEventListener('change', () => act(box.checked));
  return make('label', {}, label, box);
}

function help() {
  const keys = KEYS.flatMap(([key, words]) => [make('dt', { textContent: key }), make('dd', { textContent: words })]);
  const secure = 'On plain HTTP a browser gives a page no notifications. With `ssh -L 8080:localhost:8080 BOARD` and localhost it does.';
  return [
    title('Keys'),
    make('dl', {}, ...keys),
    title('Find'),
    make('p', { textContent: 'Plain text; all lower case means any case. /this/ is an expression. A leading - leaves such lines out. A filter shows a hit with the whole record that it is a part of; tap a line to see it among its neighbours.' }),
    isSecureContext ? '' : make('p', { textContent: secure }),
  ].filter(Boolean);
}
