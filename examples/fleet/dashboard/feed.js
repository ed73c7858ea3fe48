// What comes from the collector: the Connect protocol (connectrpc.com, "Protocol Reference") in JSON by fetch(), and the fleet that its
// updates make (dashboard.proto). Nothing of a page is in here, so that node runs it as well.

export const HISTORY = 120; // points of a chart

const SERVICE = '/mote.dashboard.Dashboard/';

// An error as Connect has it: { code, message }.
export class CallError extends Error {
  constructor(error) {
    super(error.message || error.code || 'the call has failed');
    this.code = error.code;
  }
}

// A call with one response; throws a CallError.
export async function call(server, method, message, headers = {}) {
  const response = await fetch(server + SERVICE + method, {
    method: 'POST', body: JSON.stringify(message), headers: { 'content-type': 'application/json', ...headers },
  });
  if (response.ok) return response.json();
  throw new CallError(await response.json().catch(() => ({ message: `HTTP ${response.status}` })));
}

// A message of a stream: a flag, its length in four bytes, and JSON.
function envelope(message) {
  const text = new TextEncoder().encode(JSON.stringify(message)), bytes = new Uint8Array(5 + text.length);
  new DataView(bytes.buffer).setUint32(1, text.length);
  bytes.set(text, 5);
  return bytes;
}

// Takes bytes as they come, and tells each message that is whole; `ended` is what stands at the end of the stream, or null.
export class Envelopes {
  #rest = new Uint8Array();
  ended = null;

  *take(bytes) {
    const all = new Uint8Array(this.#rest.length + bytes.length);
    all.set(this.#rest);
    all.set(bytes, this.#rest.length);
    const view = new DataView(all.buffer), decoder = new TextDecoder();
    let at = 0;
    while (!this.ended && all.length - at >= 5 && all.length - at - 5 >= view.getUint32(at + 1)) {
      const end = at + 5 + view.getUint32(at + 1), message = JSON.parse(decoder.decode(all.subarray(at + 5, end)));
      if (all[at] & 2) this.ended = message;
      else yield message;
      at = end;
    }
    this.#rest = all.subarray(at);
  }
}

// A call whose response is a stream: its messages. Throws a CallError when it ends with one, or is cut off.
export async function* stream(server, method, message, signal) {
  const response = await fetch(server + SERVICE + method, {
    method: 'POST', body: envelope(message), signal, headers: { 'content-type': 'application/connect+json' },
  });
  if (!response.ok) throw new CallError({ message: `HTTP ${response.status}` });
  const reader = response.body.getReader(), envelopes = new Envelopes();
  while (!envelopes.ended) {
    const { done, value } = await reader.read();
    if (done) throw new CallError({ message: 'the stream was cut off' });
    yield* envelopes.take(value);
  }
  if (envelopes.ended.error) throw new CallError(envelopes.ended.error);
}

// The last HISTORY values.
export class Ring {
  values = [];

  add(value) {
    this.values.push(value);
    if (this.values.length > HISTORY) this.values.shift();
  }

  get last() {
    return this.values[this.values.length - 1];
  }
}

// 64-bit numbers are texts in JSON, and zeros are left out.
const count = (value) => Number(value || 0);

class Device {
  samples = 0;
  rate = 0;
  metrics = new Map(); // name -> Ring
  #changedMs = 0;
  #gapMs = 0;

  take(told, nowMs) {
    const samples = count(told.samples), gapMs = nowMs - this.#changedMs;
    if (this.#changedMs > 0 && samples > this.samples && gapMs > 0) {
      this.rate = (samples - this.samples) * 1000 / gapMs;
      this.#gapMs = gapMs;
    }
    if (samples !== this.samples || this.#changedMs === 0) this.#changedMs = nowMs;
    this.name = told.name;
    this.connected = Boolean(told.connected);
    this.heardMs = nowMs - count(told.silentMs);
    this.samples = samples;
    for (const key of ['dropped', 'missing', 'waiting', 'acknowledgeMs', 'intervalMs']) this[key] = count(told[key]);
    this.lost = this.dropped + this.missing;
    for (const { name, value } of told.metrics || []) {
      if (!this.metrics.has(name)) this.metrics.set(name, new Ring());
      this.metrics.get(name).add(count(value));
    }
  }

  // Samples a second; 0 once the next ones are overdue.
  rateAt(nowMs) {
    return nowMs - this.#changedMs > 2 * this.#gapMs + 2000 ? 0 : this.rate;
  }

  silentAt(nowMs) {
    return Math.max(0, nowMs - this.heardMs);
  }
}

// All that is known, from the beginning of a stream on.
export class Fleet {
  devices = new Map(); // number -> Device
  totals = null; // as in dashboard.proto, as numbers
  rate = new Ring(); // samples a second
  delay = new Ring(); // the median of acknowledgement delays, ms
  bytesPerSample = 0; // over the last two minutes
  #before = [];

  // True: the update is the last one of its second.
  apply(update, nowMs) {
    for (const told of update.devices || []) {
      const known = this.devices.get(told.number);
      if (!known || known.name !== told.name) this.devices.set(told.number, new Device());
      this.devices.get(told.number).take(told, nowMs);
    }
    if (!update.more) this.#sum(update.totals || {});
    return !update.more;
  }

  #sum(told) {
    const keys = ['samples', 'stored', 'acknowledged', 'duplicates', 'missing', 'bytes', 'commits', 'upMs', 'devices', 'connected', 'hidden'];
    const totals = { well: Boolean(told.well) };
    for (const key of keys) totals[key] = count(told[key]);
    const last = this.totals, first = this.#before[0] || totals;
    if (last && totals.upMs > last.upMs) this.rate.add(Math.max(0, (totals.samples - last.samples) * 1000 / (totals.upMs - last.upMs)));
    if (totals.samples > first.samples) this.bytesPerSample = (totals.bytes - first.bytes) / (totals.samples - first.samples);
    else if (totals.samples > 0 && !this.bytesPerSample) this.bytesPerSample = totals.bytes / totals.samples;
    this.#before.push(totals);
    if (this.#before.length > HISTORY) this.#before.shift();
    const delays = [...this.devices.values()].filter((d) => d.connected && d.samples > 0).map((d) => d.acknowledgeMs).sort((a, b) => a - b);
    if (delays.length > 0) this.delay.add(delays[delays.length >> 1]);
    this.totals = totals;
  }
}

// Watches until the signal, or until the stream ends: onUpdate(fleet) once a second. Throws why it ended.
export async function watch(server, onUpdate, signal) {
  const fleet = new Fleet();
  for await (const update of stream(server, 'Watch', {}, signal)) {
    if (fleet.apply(update, Date.now())) onUpdate(fleet);
  }
}

export const command = (server, device, intervalMs, token) =>
  call(server, 'Command', { device, intervalMs }, { authorization: `Bearer ${token}` });

// The last two minutes of a device before the page was opened: name -> values, the newest last.
export async function recent(server, device) {
  const reply = await call(server, 'Recent', { device });
  return new Map((reply.series || []).map((s) => [s.metric, (s.values || []).map(Number)]));
}
