// What opens below the charts: which series, under which names and within which limits; and the numbers as a table.

import { make } from './chart.js';
import { clock, day, exact, timeTicks } from './scale.js';
import { keep, kept } from './settings.js';

/** Rows of the table, about. */
const ROWS = 12;

/** Series to choose, rename and watch, and streams to lay over. */
export function choose(charts, inside) {
  const { alerts, others } = charts.options;
  const again = () => choose(charts, inside);
  const rows = charts.feeds.flatMap(({ series }) => series).map((series) => {
    const { feed, key, unit } = series;
    const change = (to) => {
      const known = kept(feed.name).series;
      keep(feed.name, { series: { ...known, [key]: { ...known?.[key], ...to } } });
      charts.arrange();
    };
    const on = make('input', { type: 'checkbox', checked: series.on, ariaLabel: `Show ${series.name}` });
    on.onchange = () => {
      series.on = on.checked;
      feed.chosen = feed.series.filter((one) => one.on).map((one) => one.key);
      change({ on: on.checked });
      charts.keep();
      // Of what is not shown nothing was kept.
      if (on.checked) feed.read();
    };
    const name = make('input', { value: series.name, ariaLabel: `Name of ${key}` });
    name.onchange = () => change({ name: (series.name = name.value.trim() || key) });
    const limit = (side) => {
      const rule = alerts.rules.find((one) => one.series === series.name && side in one);
      const ariaLabel = `Alert when ${series.name} is ${side}`;
      const input = make('input', { type: 'number', step: 'any', placeholder: side, value: rule?.[side] ?? '', ariaLabel });
      input.onchange = () => {
        const rest = alerts.rules.filter((one) => one !== rule);
        alerts.set(input.value === '' ? rest : [...rest, { series: series.name, [side]: input.valueAsNumber }]);
        charts.options.keepAlerts?.(alerts.rules);
        charts.dirty();
        again();
      };
      return input;
    };
    return make('div', {}, on, name, make('span', { textContent: unit }), ...(alerts ? [limit('above'), limit('below')] : []));
  });
  const left = others.filter((one) => !charts.feeds.some((feed) => feed.name === one.name));
  if (left.length > 0) {
    const select = make('select', { ariaLabel: 'Lay another stream over' }, new Option('lay over …', ''), ...left.map(({ name }) => new Option(name)));
    select.onchange = () => {
      const other = left.find(({ name }) => name === select.value);
      charts.feed({ ...other, address: other.url }, null);
      again();
    };
    rows.push(select);
  }
  inside.className = 'chart-choice';
  inside.replaceChildren(...rows);
}

const row = (tag, scope, [first, ...texts]) =>
  make('tr', {}, make('th', { textContent: first, scope }), ...texts.map((textContent) => make(tag, { textContent })));

/** What is seen, in rows, for those who do not see it. */
export function table(charts, inside) {
  const { from, to, shown } = charts;
  const value = (data, ms) => {
    const found = data.near(ms);
    return found && Math.abs(found.ms - ms) < (to - from) / ROWS ? exact(found.value) : '–';
  };
  const rows = timeTicks(from, to, ROWS).map(({ ms }) => {
    const date = new Date(ms);
    return row('td', 'row', [`${day(date)} ${clock(date, 1000)}`, ...shown.map(({ data }) => value(data, ms))]);
  });
  const head = make('thead', {}, row('th', 'col', ['Time', ...shown.map(charts.title)]));
  inside.replaceChildren(make('table', {}, head, make('tbody', {}, ...rows)));
}
