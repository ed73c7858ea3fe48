// Debian's Chromium, headless, driven through its DevTools protocol by node, which has all that is needed for it: fetch() and a WebSocket.
import { spawn } from 'child_process';
import { mkdtempSync, readFileSync, rmSync } from 'fs';
import { tmpdir } from 'os';
import { join } from 'path';
import { connect } from './socket.mjs';

const sleep = (ms) => new Promise((done) => { setTimeout(done, ms); });

// Says commands on a connection, and remembers the page's errors and what it logs.
class Session {
  #next = 1;
  #waiting = new Map();
  complaints = []; // errors, exceptions, violations of the policy

  constructor(socket) {
    this.socket = socket;
    socket.onmessage = (text) => this.#take(JSON.parse(text));
  }

  #take(message) {
    const { id, error, result, method, params } = message;
    if (id) {
      const [done, failed] = this.#waiting.get(id);
      this.#waiting.delete(id);
      if (error) failed(new Error(error.message));
      else done(result);
    }
    if (method === 'Runtime.exceptionThrown') this.complaints.push(params.exceptionDetails.exception?.description || params.exceptionDetails.text);
    if (method === 'Log.entryAdded' && params.entry.level === 'error') this.complaints.push(`${params.entry.text} ${params.entry.url || ''}`);
    if (method === 'Page.javascriptDialogOpening') this.complaints.push(`a dialog: ${params.message}`);
  }

  say(method, params = {}) {
    const id = this.#next++;
    this.socket.send(JSON.stringify({ id, method, params }));
    return new Promise((done, failed) => { this.#waiting.set(id, [done, failed]); });
  }

  // The value of an expression in the page, which may be a promise.
  async value(expression) {
    const { result, exceptionDetails } = await this.say('Runtime.evaluate', { expression, awaitPromise: true, returnByValue: true });
    if (exceptionDetails) throw new Error(exceptionDetails.exception?.description || exceptionDetails.text);
    return result.value;
  }

  async until(expression, mostMs = 20000) {
    for (let waited = 0; waited < mostMs; waited += 100) {
      const value = await this.value(expression).catch(() => false);
      if (value) return value;
      await sleep(100);
    }
    throw new Error(`not within ${mostMs} ms: ${expression}\nthe page says: ${await this.value('document.body.innerText').catch(String)}`);
  }

  async size(width, height) {
    await this.say('Emulation.setDeviceMetricsOverride', { width, height, deviceScaleFactor: 1, mobile: width < 600 });
  }

  async colours(scheme) {
    await this.say('Emulation.setEmulatedMedia', { features: [{ name: 'prefers-color-scheme', value: scheme }] });
  }

  // As a keyboard: a key that is pressed and let go.
  async key(key, code = key, keyCode = { Enter: 13, Tab: 9, Escape: 27 }[key]) {
    const text = key === 'Enter' ? '\r' : undefined;
    await this.say('Input.dispatchKeyEvent', { type: 'keyDown', key, code, windowsVirtualKeyCode: keyCode, text });
    await this.say('Input.dispatchKeyEvent', { type: 'keyUp', key, code, windowsVirtualKeyCode: keyCode });
  }

  async screenshot() {
    return Buffer.from((await this.say('Page.captureScreenshot', { format: 'png' })).data, 'base64');
  }
}

// Opens a page; body(session) is told of it.
export async function withPage(url, body) {
  const home = mkdtempSync(join(tmpdir(), 'mote-chromium-'));
  const browser = spawn(process.env.CHROMIUM || 'chromium', ['--headless=new', '--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage',
    '--no-first-run', '--disable-extensions', '--remote-debugging-port=0', `--user-data-dir=${home}`, 'about:blank'], { stdio: 'ignore', detached: true });
  const gone = new Promise((done) => { browser.once('exit', done); browser.once('error', done); });
  try {
    let port = '';
    for (let i = 0; i < 300 && !port; i++) {
      await sleep(100);
      try { [port] = readFileSync(join(home, 'DevToolsActivePort'), 'utf8').split('\n'); } catch { /* not yet */ }
    }
    const targets = await (await fetch(`http://127.0.0.1:${port}/json`)).json();
    const session = new Session(await connect('127.0.0.1', Number(port), new URL(targets.find((t) => t.type === 'page').webSocketDebuggerUrl).pathname));
    for (const domain of ['Runtime', 'Page', 'Log']) await session.say(`${domain}.enable`);
    await session.say('Page.navigate', { url });
    return await body(session);
  } finally {
    process.kill(-browser.pid, 'SIGKILL'); // it and its processes
    await gone;
    rmSync(home, { recursive: true, force: true, maxRetries: 10, retryDelay: 200 });
  }
}
