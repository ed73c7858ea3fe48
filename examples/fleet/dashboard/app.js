// What is shown of the fleet (feed.js). All texts of devices are set as text, never as HTML; a row, a tile or a chart is made once and
// then only changed, where it has changed.
import { HISTORY, command, recent, watch } from '/feed.js';

const ROWS = 50; // of a page
const $ = (id) => document.getElementById(id);
const server = location.origin;

let fleet = null, chosen = 0 /* the number of the device that is shown */, page = 0;

// ---- texts

const whole = new Intl.NumberFormat('en', { maximumFractionDigits: 0 });
const tenth = new Intl.NumberFormat('en', { maximumFractionDigits: 1 });
const digits = new Intl.NumberFormat('en', { maximumSignificantDigits: 4 });

function duration(ms) {
  if (ms < 1000) return `${whole.format(ms)} ms`;
  for (const [unit, size, most] of [['s', 1e3, 120], ['min', 6e4, 120], ['h', 36e5, 48]]) if (ms < size * most) return `${whole.format(ms / size)} ${unit}`;
  return `${whole.format(ms / 864e5)} d`;
}

const value = (v) => (!Number.isFinite(v) ? String(v) : Math.abs(v) >= 1000 ? whole.format(v) : digits.format(v));

function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

function make(name, parent, className) {
  const element = document.createElement(name);
  if (className) element.className = className;
  parent.append(element);
  return element;
}

// ---- tiles: a list of terms

function showTerms(list, terms) {
  terms.forEach(([name, text], i) => {
    let group = list.children[i];
    if (!group) {
      group = make('div', list);
      make('dt', group);
      make('dd', group);
    }
    setText(group.firstChild, name);
    setText(group.lastChild, text);
  });
  while (list.children.length > terms.length) list.lastChild.remove();
}

// ---- charts

// A canvas is told its size: to ask for it while texts change would make the browser lay out all of the page each time.
const drawn = new WeakMap(); // canvas -> what it shows
const sizes = new ResizeObserver((changes) => {
  for (const { target, contentRect } of changes) {
    const scale = window.devicePixelRatio || 1;
    [target.width, target.height] = [Math.round(contentRect.width * scale), Math.round(contentRect.height * scale)];
    paint(target, drawn.get(target) || []);
  }
});

function makeCanvas(parent) {
  const canvas = make('canvas', parent);
  sizes.observe(canvas);
  return canvas;
}

function draw(canvas, values) {
  drawn.set(canvas, values);
  paint(canvas, values);
}

// A line through the values; a gap where one is no number.
function paint(canvas, values) {
  const { width, height } = canvas, scale = window.devicePixelRatio || 1;
  const context = canvas.getContext('2d'), finite = values.filter(Number.isFinite);
  const low = Math.min(...finite), high = Math.max(...finite), edge = 2 * scale;
  context.clearRect(0, 0, width, height);
  context.strokeStyle = lineColour;
  context.lineWidth = 1.5 * scale;
  context.lineJoin = 'round';
  context.beginPath();
  let down = false;
  values.forEach((v, i) => {
    const x = edge + (width - 2 * edge) * (i + HISTORY - values.length) / (HISTORY - 1);
    const y = high > low ? height - edge - (height - 2 * edge) * ((v - low) / (high - low)) : height / 2;
    if (Number.isFinite(v)) context[down ? 'lineTo' : 'moveTo'](x, y);
    down = Number.isFinite(v);
  });
  context.stroke();
}

let lineColour = '';
function readColour() {
  lineColour = getComputedStyle(document.documentElement).getPropertyValue('--line');
}
readColour();
matchMedia('(prefers-color-scheme: dark)').addEventListener('change', readColour);

function chart(parent, name) {
  const figure = make('figure', parent), caption = make('figcaption', figure), canvas = makeCanvas(figure);
  canvas.setAttribute('role', 'img');
  return (values, unit) => {
    const finite = values.filter(Number.isFinite), last = values[values.length - 1];
    const text = finite.length === 0 ? `${name}: nothing yet`
      : `${name}: ${value(last)}${unit}, from ${value(Math.min(...finite))} to ${value(Math.max(...finite))}`;
    setText(caption, text);
    canvas.setAttribute('aria-label', `${text} in the last ${values.length} seconds`);
    draw(canvas, values);
  };
}

// ---- all devices

const rateChart = chart($('total-charts'), 'Samples a second'), delayChart = chart($('total-charts'), 'Acknowledgement delay');

function showTotals() {
  const t = fleet.totals;
  showTerms($('totals'), [
    ['Devices', t.hidden > 0 ? `${whole.format(t.devices)}, ${whole.format(t.hidden)} not shown` : whole.format(t.devices)],
    ['Connected', whole.format(t.connected)], ['Samples/s', tenth.format(fleet.rate.last || 0)],
    ['Bytes a sample', tenth.format(fleet.bytesPerSample)], ['Samples', whole.format(t.samples)], ['Stored', whole.format(t.stored)],
    ['Acknowledged', whole.format(t.acknowledged)], ['Missing', whole.format(t.missing)], ['Sent again', whole.format(t.duplicates)],
    ['Acknowledgement delay', fleet.delay.last === undefined ? '–' : duration(fleet.delay.last)], ['Commits', whole.format(t.commits)],
    ['Up for', duration(t.upMs)],
  ]);
  rateChart(fleet.rate.values, '');
  delayChart(fleet.delay.values, ' ms');
}

// ---- the table

const COLUMNS = ['', '', 'number', 'number', 'number wide', 'number wide', 'number wide', 'number wide', 'wide', 'wide'];

function makeRow(body) {
  const row = make('tr', body), name = make('th', row);
  name.scope = 'row';
  const button = make('button', name), cells = COLUMNS.slice(1).map((className) => make('td', row, className));
  button.type = 'button';
  row.parts = { button, cells, canvas: makeCanvas(cells[8]) };
  row.parts.canvas.setAttribute('aria-hidden', 'true');
  button.addEventListener('click', () => choose(row.number));
  return row;
}

function showRow(row, number, d, now) {
  const { button, cells, canvas } = row.parts, [first] = d.metrics;
  row.number = number;
  setText(button, d.name);
  setText(cells[0], d.connected ? 'connected' : 'gone');
  cells[0].className = d.connected ? 'on' : 'off';
  const texts = [duration(d.silentAt(now)), tenth.format(d.rateAt(now)), whole.format(d.waiting), whole.format(d.dropped), whole.format(d.missing),
    d.acknowledgeMs || d.samples ? duration(d.acknowledgeMs) : '–', first ? `${first[0]} ${value(first[1].last)}` : '–'];
  texts.forEach((text, i) => setText(cells[i + 1], text));
  if (first) draw(canvas, first[1].values);
}

const ORDERS = {
  name: null, silent: (d, now) => d.silentAt(now), rate: (d, now) => d.rateAt(now), lost: (d) => d.lost, acknowledgeMs: (d) => d.acknowledgeMs,
};

function listed(now) {
  const text = $('search').value.toLowerCase(), state = $('state').value, key = ORDERS[$('order').value];
  const list = [...fleet.devices].filter(([, d]) => (!text || d.name.toLowerCase().includes(text)) && (!state || d.connected === (state === 'on')));
  const byName = (a, b) => (a[1].name < b[1].name ? -1 : a[1].name > b[1].name ? 1 : 0);
  return list.sort(key ? (a, b) => key(b[1], now) - key(a[1], now) || byName(a, b) : byName);
}

function showTable() {
  const now = Date.now(), all = listed(now), pages = Math.max(1, Math.ceil(all.length / ROWS)), body = $('rows');
  page = Math.min(page, pages - 1);
  const part = all.slice(page * ROWS, (page + 1) * ROWS);
  while (body.children.length > part.length) body.lastChild.remove();
  part.forEach(([number, d], i) => showRow(body.children[i] || makeRow(body), number, d, now));
  setText($('page'), all.length === 0 ? 'no device' : `${page * ROWS + 1} to ${page * ROWS + part.length} of ${whole.format(all.length)}`);
  $('previous').disabled = page === 0;
  $('next').disabled = page === pages - 1;
}

// ---- one device

let metricCharts = new Map();

async function choose(number) {
  const d = fleet.devices.get(number);
  if (!d) return;
  chosen = number;
  metricCharts = new Map();
  $('metric-charts').replaceChildren();
  setText($('answer'), '');
  if (d.intervalMs) $('interval').value = d.intervalMs;
  $('device').hidden = false;
  showDevice();
  $('device-name').focus();
  $('device').scrollIntoView({ block: 'nearest' });
  const before = await recent(server, d.name).catch(() => new Map());
  for (const [name, values] of before) {
    const ring = d.metrics.get(name);
    if (ring && ring.values.length < values.length) ring.values = values.slice(-HISTORY);
  }
  showDevice();
}

function showDevice() {
  const d = fleet.devices.get(chosen), now = Date.now();
  if (!d) return;
  setText($('device-name'), d.name);
  showTerms($('facts'), [
    ['State', d.connected ? 'connected' : 'gone'], ['Silent for', duration(d.silentAt(now))], ['Samples/s', tenth.format(d.rateAt(now))],
    ['Samples', whole.format(d.samples)], ['Waiting to be stored', whole.format(d.waiting)], ['Dropped by the device', whole.format(d.dropped)],
    ['Missing', whole.format(d.missing)], ['Acknowledgement delay', duration(d.acknowledgeMs)],
    ['Interval', d.intervalMs ? `${whole.format(d.intervalMs)} ms, as commanded` : 'its own'],
  ]);
  for (const [name, ring] of d.metrics) {
    if (!metricCharts.has(name)) metricCharts.set(name, chart($('metric-charts'), name));
    metricCharts.get(name)(ring.values, '');
  }
}

function closeDevice() {
  if ($('device').hidden) return;
  const number = chosen;
  chosen = 0;
  $('device').hidden = true;
  const row = [...$('rows').children].find((r) => r.number === number);
  (row ? row.parts.button : $('devices')).focus();
}

async function sendCommand(event) {
  event.preventDefault();
  const d = fleet && fleet.devices.get(chosen), answer = $('answer');
  if (!d) return;
  answer.className = '';
  try {
    const { connected } = await command(server, d.name, Number($('interval').value), $('token').value);
    setText(answer, connected ? `${d.name} is told.` : `${d.name} is gone; it is told when it comes.`);
  } catch (error) {
    answer.className = 'wrong';
    setText(answer, `Not sent: ${error.message}`);
  }
}

// ---- all of it

// After a new beginning the collector may know the device by another number.
function findAgain(next) {
  const name = fleet && fleet.devices.get(chosen)?.name;
  for (const [number, d] of next.devices) if (d.name === name) chosen = number;
}

export function show(next) {
  if (next !== fleet && chosen) findAgain(next);
  fleet = next;
  setText($('status'), fleet.totals.well ? 'live' : 'the store takes nothing now: devices keep their samples');
  $('status').className = fleet.totals.well ? 'on' : 'wrong';
  showTotals();
  showTable();
  if (chosen) showDevice();
}

async function run() {
  const sleep = (ms) => new Promise((done) => { setTimeout(done, ms); });
  for (let waitMs = 500; ; waitMs = Math.min(waitMs * 2, 8000)) {
    const failed = await watch(server, (next) => { waitMs = 500; show(next); }).then(() => new Error('it has ended'), (error) => error);
    $('status').className = 'wrong';
    setText($('status'), `not connected: ${failed.message}`);
    await sleep(waitMs);
  }
}

// A token behind the # of the address, as the demo prints it, is no part of what is asked for.
function takeToken() {
  const token = new URLSearchParams(location.hash.slice(1)).get('token');
  if (!token) return;
  $('token').value = token;
  history.replaceState(null, '', location.pathname);
}

takeToken();
for (const id of ['search', 'state', 'order']) $(id).addEventListener('input', () => { page = 0; if (fleet) showTable(); });
$('choice').addEventListener('submit', (event) => event.preventDefault());
$('previous').addEventListener('click', () => { page--; showTable(); });
$('next').addEventListener('click', () => { page++; showTable(); });
$('close').addEventListener('click', closeDevice);
$('command').addEventListener('submit', sendCommand);
document.addEventListener('keydown', (event) => { if (event.key === 'Escape') closeDevice(); });
run();
