import assert from 'node:assert/strict';
import { test } from 'node:test';
import { page } from './page.mjs';

const { Alerts } = await page('alerts.js');
const { rule } = await page('alertbox.js');
const { Watch, worded, wrong } = await page('watch.js');

class Element {
  constructor(name) {
    Object.assign(this, { name, children: [], attributes: {}, hidden: false, textContent: '' });
  }
  replaceChildren(...children) {
    this.children = children;
  }
  addEventListener(event, action) {
    this[event] = action;
  }
  getAttribute(name) {
    return this.attributes[name];
  }
  setAttribute(name, value) {
    this.attributes[name] = value;
  }
}

/** A browser: what it was made to do is told in `done`. */
function browser(more = {}) {
  const done = [];
  const icon = new Element('link');
  icon.attributes.href = 'icon.svg';
  const node = () => ({ connect: (next) => next, frequency: {}, gain: { setValueAtTime() {}, exponentialRampToValueAtTime() {} } });
  const world = {
    done,
    icon,
    time: 0,
    document: { title: 'app.log · Tailcast', querySelector: () => icon, createElement: (name) => new Element(name) },
    performance: { now: () => world.time },
    isSecureContext: false,
    navigator: {},
    AudioContext: class {
      currentTime = 0;
      resume = async () => done.push('sound is allowed');
      createGain = node;
      createOscillator = () => ({ ...node(), start: () => done.push('beep'), stop() {} });
    },
    ...more,
  };
  return world;
}

function scene(world) {
  const banner = new Element('div');
  banner.hidden = true;
  const went = [];
  return { banner, went, alerts: new Alerts({ banner, show: (place) => went.push(place), world }) };
}

test('title, icon and a row that stays; nothing else was asked for', () => {
  const world = browser({ navigator: { vibrate: () => world.done.push('vibrate') } });
  const { alerts, banner, went } = scene(world);
  alerts.line('an error', 'before any rule');
  assert.equal(world.document.title, 'app.log · Tailcast');
  assert.equal(alerts.set([{ pattern: 'error' }, { series: 'temp', above: 30 }]), null);
  alerts.line('all is well', 'p0');
  assert.equal(banner.hidden, true);
  alerts.line('an ERROR', 'p1');
  alerts.value('temp', 31, 'p2');
  alerts.value('temp', 32, 'p3');
  assert.equal(world.document.title, '(2) app.log · Tailcast');
  assert.equal(world.icon.attributes.href, 'icon-alert.svg');
  assert.equal(banner.hidden, false);
  assert.equal(banner.children[0].textContent, '2 alerts · temp > 30 · temp: 31');
  assert.deepEqual(world.done, []);
  alerts.title = 'other.log · Tailcast';
  assert.equal(world.document.title, '(2) other.log · Tailcast');
  banner.children[1].click();
  assert.deepEqual(went, ['p2']);
  assert.deepEqual([world.document.title, world.icon.attributes.href, banner.hidden], ['other.log · Tailcast', 'icon.svg', true]);
});

test('only what works here is offered', () => {
  const Notification = class {
    static permission = 'default';
  };
  const offers = (more) => scene(browser(more)).alerts.offers;
  assert.deepEqual(offers({}), ['sound']);
  assert.deepEqual(offers({ AudioContext: undefined }), []);
  assert.deepEqual(offers({ Notification, navigator: { vibrate() {} } }), ['sound', 'vibration']);
  assert.deepEqual(offers({ Notification, isSecureContext: true }), ['sound', 'notification']);
  assert.deepEqual(offers({ Notification: class { static permission = 'denied'; }, isSecureContext: true }), ['sound']);
});

test('sound after a tap, once in ten seconds', async () => {
  const world = browser();
  const { alerts } = scene(world);
  alerts.set([{ pattern: 'error' }]);
  assert.equal(await alerts.want('sound', true), true);
  assert.deepEqual(world.done, ['sound is allowed', 'beep']);
  for (const [ms, beeps] of [[0, 2], [5_000, 2], [10_000, 3]]) {
    world.time = ms;
    alerts.line('error', null);
    assert.equal(world.done.filter((what) => what === 'beep').length, beeps);
  }
  assert.equal(await alerts.want('vibration', true), false);
  assert.equal(await alerts.want('sound', false), false);
});

test('notifications where they are granted', async () => {
  const told = [];
  const Notification = class {
    static permission = 'default';
    static answer = 'denied';
    static requestPermission = async () => Notification.answer;
    constructor(title, { body }) {
      told.push(`${title}: ${body}`);
    }
  };
  const { alerts } = scene(browser({ Notification, isSecureContext: true }));
  alerts.set([{ pattern: 'error' }]);
  assert.equal(await alerts.want('notification', true), false);
  Notification.answer = 'granted';
  assert.equal(await alerts.want('notification', true), true);
  alerts.line(`error ${'x'.repeat(300)}`, null);
  assert.deepEqual(told, [`app.log · Tailcast: error ${'x'.repeat(194)}…`]);
});

test('rules', () => {
  const watch = new Watch([{ pattern: '/ERR|WARN/' }, { pattern: 'x' }, { series: 't', above: 30 }, { series: 't', below: 10 }, { pattern: '/(/' }]);
  assert.deepEqual(watch.line('a WARN x').map(worded), ['/ERR|WARN/', 'x']);
  assert.deepEqual(watch.line('nothing'), []);
  const crossed = [20, 31, 32, NaN, 33, 29, 30, 30.5, 5, 4, 10, 9].map((value) => watch.value('t', value).map(worded).join());
  assert.deepEqual(crossed, ['', 't > 30', '', '', '', '', '', 't > 30', 't < 10', '', '', 't < 10']);
  assert.deepEqual(watch.value('other', 99), []);
});

test('what is wrong with a rule is said, and the old ones stay', () => {
  const { alerts } = scene(browser());
  alerts.set([{ pattern: 'x' }]);
  assert.match(alerts.set([{ pattern: '/(/' }]), /^`\/\(\/`/);
  assert.deepEqual(alerts.rules, [{ pattern: 'x' }]);
  for (const rule of [{ pattern: ' ' }, {}, { series: 't' }, { series: 't', above: NaN }]) assert.equal(typeof wrong(rule), 'string');
  for (const rule of [{ pattern: 'x' }, { series: 't', above: 0 }, { series: 't', below: 0 }]) assert.equal(wrong(rule), null);
});

test('what is typed becomes a rule', () => {
  const table = [
    [' error ', { pattern: 'error' }],
    ['temp > 30', { series: 'temp', above: 30 }],
    ['temp<-3,5', { series: 'temp', below: -3.5 }],
    ['bme.hum >80.5', { series: 'bme.hum', above: 80.5 }],
    ['other > 30', { pattern: 'other > 30' }],
    ['temp > high', { pattern: 'temp > high' }],
    ['', { pattern: '' }],
  ];
  for (const [text, expected] of table) assert.deepEqual(rule(text, ['temp', 'bme.hum']), expected, text);
});
