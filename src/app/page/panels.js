// The panels behind the buttons: levels, everything that is needed more seldom, help.

import { alertBox } from './alertbox.js';
import { canStayAwake } from './awake.js';
import { KEYS } from './keys.js';
import { item } from './streams.js';

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

const at = (id) => document.getElementById(id);

function make(name, properties = {}, ...children) {
  const made = Object.assign(document.createElement(name), properties);
  made.append(...children);
  return made;
}

const button = (textContent, act) => make('button', { type: 'button', textContent, onclick: act });
const title = (textContent) => make('h2', { textContent });

/** Makes the panels. `act` does what is asked for; what is shown is read from it when a panel
 * opens. */
export function panels(act) {
  const opened = (id, build) => {
    at(id).addEventListener('beforetoggle', ({ newState }) => {
      if (newState === 'open') at(id).replaceChildren(...build());
    });
    at(id).addEventListener('toggle', ({ newState }) => {
      act.opened(id, newState === 'open');
      // The keys work again.
      if (newState === 'closed' && (document.activeElement === document.body || document.activeElement?.matches('#bar button'))) at('view').focus();
    });
  };
  opened('level-panel', () => levels(act));
  opened('more-panel', () => more(act));
  opened('help-panel', help);
}

/** Opens the panel of this button, or closes it. */
export function toggle(button) {
  at(PANELS[button]).togglePopover();
}

function levels(act) {
  return [
    title('Levels'),
    ...LEVELS.map(([level, words]) => {
      const box = make('input', { type: 'radio', name: 'level', checked: act.level() === level });
      box.addEventListener('change', () => {
        act.setLevel(level);
        at('level-panel').hidePopover();
      });
      return make('label', { className: 'choice' }, box, words);
    }),
  ];
}

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

const streamList = make('ul', { className: 'streams' });

/** The list of streams; `others` are merged with the one that is shown. */
export function drawStreams(list, shown, others, act) {
  streamList.replaceChildren(
    ...list.map((source) => {
      const li = item(source, shown);
      if (source.name !== shown) {
        const is = others.includes(source.name);
        const merge = button('Merge', () => act.merge(source.name, !is));
        merge.ariaPressed = String(is);
        merge.ariaLabel = `Merge ${source.name} with ${shown}`;
        li.append(merge);
      }
      return li;
    }),
  );
}

function more(act) {
  const away = (work) => () => {
    at('more-panel').hidePopover();
    work();
  };
  const rare = [...document.querySelectorAll('.rare')].filter((one) => one.dataset.moved);
  const parts = [
    rare.length > 0 ? make('div', { className: 'group' }, ...rare) : '',
    title('Streams'),
    streamList,
    title('This log'),
    make(
      'div',
      { className: 'group' },
      button('Go to…', away(act.openGoto)),
      button('Copy lines', away(act.copy)),
      button('Copy link', away(act.link)),
    ),
    title('Download'),
    make(
      'div',
      { className: 'group' },
      make('a', { href: act.address(), download: act.name(), textContent: 'the file', className: 'button' }),
      act.canSave('selection') ? button('what is selected', away(() => act.save('selection'))) : '',
      act.canSave('filtered') ? button('these lines', away(() => act.save('filtered'))) : '',
    ),
    title('Looks'),
    switched('Times in this zone', act.local(), act.setLocal),
    chosen('Theme', THEMES, act.theme(), act.setTheme),
    chosen('Font size', [['', 'as usual'], ...SIZES.map((size) => [size, `${size} px`])], act.size(), act.setSize),
    switched('News for screen readers', act.aloud(), act.setAloud),
    canStayAwake() ? switched('Keep the screen on', act.awake(), act.setAwake) : '',
    title('Alerts'),
    alertBox(act.alerts(), { series: act.series, changed: act.keepAlerts }),
  ];
  return parts.filter(Boolean);
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
