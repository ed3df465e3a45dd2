// Where a person says what to be told of: a field, the rules so far, and a switch for each thing
// that works here.

import { worded } from './watch.js';

const NAMES = {
  sound: 'Sound',
  vibration: 'Vibration',
  notification: 'Notification of the system',
};

const element = (name, properties, ...children) => {
  const made = Object.assign(document.createElement(name), properties);
  made.append(...children);
  return made;
};

/** `name > 30`, `name < 10`: a threshold of one of `series`; anything else is a pattern. */
export function rule(text, series) {
  const found = /^(.+?)\s*([<>])\s*([+-]?\d+(?:[.,]\d+)?)$/.exec(text.trim());
  if (!found || !series.includes(found[1])) return { pattern: text.trim() };
  return { series: found[1], [found[2] === '>' ? 'above' : 'below']: Number(found[3].replace(',', '.')) };
}

/**
 * The form for `alerts` (alerts.js), to be put into a dialog. `series()`: the names of the stream's
 * series, for thresholds; `changed(rules)`: to keep them.
 */
export function alertBox(alerts, { series = () => [], changed = () => {} } = {}) {
  const field = element('input', {
    type: 'text',
    autocomplete: 'off',
    spellcheck: false,
    ariaLabel: 'Alert on',
  });
  const problem = element('p', { role: 'alert' });
  const list = element('ul', { ariaLabel: 'Alerts' });
  const set = (rules) => {
    const error = alerts.set(rules);
    problem.textContent = error ?? '';
    if (error === null) {
      draw();
      changed(rules);
    }
    return error === null;
  };
  const draw = () => {
    field.placeholder = series().length > 0 ? `text, /pattern/ or ${series()[0]} > 30` : 'text or /pattern/';
    list.replaceChildren(
      ...alerts.rules.map((one) => {
        const remove = () => set(alerts.rules.filter((other) => other !== one));
        const button = element('button', {
          type: 'button',
          textContent: 'Remove',
          ariaLabel: `Remove ${worded(one)}`,
        });
        button.addEventListener('click', remove);
        return element('li', {}, element('span', { textContent: worded(one) }), button);
      }),
    );
  };
  const form = element('form', {}, field, element('button', { textContent: 'Add' }));
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    if (set([...alerts.rules, rule(field.value, series())])) field.value = '';
  });
  const switches = alerts.offers.map((what) => {
    const box = element('input', { type: 'checkbox', checked: alerts.wanted[what] });
    box.addEventListener('change', async () => {
      box.checked = await alerts.want(what, box.checked);
    });
    return element('label', {}, box, NAMES[what]);
  });
  const told = element('p', {
    textContent: 'An alert counts in the title and shows a row, while this page is open.',
  });
  draw();
  return element(
    'section',
    { className: 'alerts' },
    form,
    problem,
    list,
    told,
    element('fieldset', { ariaLabel: 'Also by' }, ...switches),
  );
}
