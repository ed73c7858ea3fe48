// The dashboard's own code (examples/fleet/dashboard/feed.js), run by node against a collector to which sensors stream:
//   node dashboard.mjs ADDRESS TOKEN-FILE: what it is told of each sensor at the end, as "NAME SAMPLES"
import assert from 'assert';
import { readFileSync } from 'fs';
import { CallError, Envelopes, Fleet, HISTORY, call, command, recent, watch } from '../../examples/fleet/dashboard/feed.js';

const server = `http://${process.argv[2]}`, token = readFileSync(process.argv[3], 'utf8').trim();
let passed = 0;
async function test(name, body) {
  await body();
  passed++;
}

// Watches until enough(fleet) is true.
async function until(enough, most = 60000) {
  const stop = new AbortController(), timer = setTimeout(() => stop.abort(), most);
  let last, done = false;
  await watch(server, (fleet) => {
    last = fleet;
    done = done || enough(fleet);
    if (done) stop.abort();
  }, stop.signal).catch((error) => assert.strictEqual(error.name, 'AbortError', String(error)));
  clearTimeout(timer);
  assert(done, `not within ${most} ms: ${JSON.stringify(last && [last.totals, [...last.devices.values()]])}`);
  return last;
}
const named = (fleet, name) => [...fleet.devices.values()].find((d) => d.name === name);
const connected = (fleet, n) => [...fleet.devices.values()].filter((d) => d.connected && d.samples > 0).length === n;

await test('what is served is what is here', async () => {
  for (const file of ['index.html', 'app.js', 'feed.js', 'style.css', 'icon.svg']) {
    const response = await fetch(`${server}/${file === 'index.html' ? '' : file}`);
    assert.strictEqual(await response.text(), readFileSync(`examples/fleet/dashboard/${file}`, 'utf8'), file);
    assert.match(response.headers.get('content-security-policy'), /^default-src 'self';/);
  }
});

await test('a stream is read however it is cut', async () => {
  const wire = Buffer.from('\0\0\0\0\x0e{"a":"\u20ac \\n"}\0\0\0\0\x02{}\x02\0\0\0\x02{}\0\0\0\0\x02{}');
  for (let size = 1; size <= wire.length; size++) {
    const envelopes = new Envelopes(), told = [];
    for (let at = 0; at < wire.length; at += size) told.push(...envelopes.take(wire.subarray(at, at + size)));
    assert.deepStrictEqual(told, [{ a: '\u20ac \n' }, {}]);
    assert.deepStrictEqual(envelopes.ended, {});
  }
});

await test('rates and histories are right', () => {
  const fleet = new Fleet();
  for (let s = 1; s <= HISTORY + 20; s++) {
    const totals = { samples: String(10 * s), bytes: String(400 * s), upMs: String(1000 * s), well: true };
    const device = { number: 1, name: 'a', connected: true, samples: String(10 * s), acknowledgeMs: s % 7, metrics: [{ name: 'm', value: s }, { name: 'n' }] };
    assert.strictEqual(fleet.apply({ devices: [device], more: true }, 1000 * s), false);
    assert.strictEqual(fleet.apply({ totals }, 1000 * s), true);
  }
  const d = fleet.devices.get(1);
  assert.strictEqual(fleet.rate.last, 10);
  assert.strictEqual(fleet.bytesPerSample, 40);
  assert.strictEqual(d.rateAt(140000), 10);
  assert.strictEqual(d.rateAt(145000), 0);
  assert.deepStrictEqual([d.metrics.get('m').values.length, d.metrics.get('m').last, d.metrics.get('n').last], [HISTORY, HISTORY + 20, 0]);
  fleet.apply({ devices: [{ number: 1, name: 'b', samples: '3' }] }, 200000);
  assert.deepStrictEqual([fleet.devices.size, fleet.devices.get(1).name, fleet.devices.get(1).rate], [1, 'b', 0]);
});

await test('all sensors are told of, and add up', async () => {
  const fleet = await until((f) => connected(f, 3));
  const sum = [...fleet.devices.values()].reduce((n, d) => n + d.samples, 0);
  assert.strictEqual(fleet.totals.samples, sum);
  assert.strictEqual(fleet.totals.connected, 3);
  assert(fleet.totals.well && fleet.totals.acknowledged <= fleet.totals.stored && fleet.totals.stored <= fleet.totals.samples);
  assert(fleet.bytesPerSample > 5 && fleet.bytesPerSample < 200, String(fleet.bytesPerSample));
});

await test('what is acknowledged has a delay, and a device a rate', async () => {
  const fleet = await until((f) => [...f.devices.values()].every((d) => d.acknowledgeMs > 0 && d.rateAt(Date.now()) > 0));
  for (const d of fleet.devices.values()) assert(d.acknowledgeMs < 5000 && d.silentAt(Date.now()) < 5000);
});

await test('the last seconds are there', async () => {
  let before = new Map();
  for (let i = 0; i < 100 && (before.size === 0 || [...before.values()].some((v) => v.length < 3)); i++) {
    await new Promise((done) => { setTimeout(done, 100); });
    before = await recent(server, 'sensor-1');
  }
  assert.deepStrictEqual([...before.keys()].sort(), ['cpu_percent', 'load', 'memory_mib', 'net_rx_bytes', 'net_tx_bytes']);
  for (const values of before.values()) assert(values.length >= 3 && values.length <= HISTORY && values.every(Number.isFinite));
  await assert.rejects(recent(server, 'sensor-9'), (e) => e instanceof CallError && e.code === 'not_found');
});

await test('commands need a token', async () => {
  for (const wrong of [undefined, '', `${token}x`, token.slice(1), 'x'.repeat(token.length)]) {
    const headers = wrong === undefined ? {} : { authorization: `Bearer ${wrong}` };
    await assert.rejects(call(server, 'Command', { device: 'sensor-1', intervalMs: 500 }, headers), (e) => e.code === 'unauthenticated');
  }
  await assert.rejects(command(server, 'sensor-9', 500, token), (e) => e.code === 'not_found');
  for (const wrong of [0, 9, 86400001]) await assert.rejects(command(server, 'sensor-1', wrong, token), (e) => e.code === 'invalid_argument');
});

await test('a command slows its device alone', async () => {
  assert.deepStrictEqual(await command(server, 'sensor-1', 1000, token), { connected: true });
  await until((f) => named(f, 'sensor-1').intervalMs === 1000);
  // The device obeys before its next reading; from then on there are 5 samples a second in place of 50.
  const counts = [];
  await until((f) => counts.push(f.devices.size && [named(f, 'sensor-1').samples, named(f, 'sensor-2').samples]) === 8);
  const [one, two] = [0, 1].map((i) => counts[7][i] - counts[2][i]);
  assert(one >= 5 && one <= 50 && two > 2 * one, `${one} and ${two} samples in 5 s`);
});

await test('who is gone stays in the list', async () => {
  const fleet = await until((f) => f.devices.size === 3 && [...f.devices.values()].every((d) => !d.connected && d.waiting === 0), 90000);
  for (const d of fleet.devices.values()) console.log(`${d.name} ${d.samples}`);
});

console.log(`${passed} passed, 0 failed`);
