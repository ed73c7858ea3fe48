// The dashboard in Debian's Chromium: what is seen, what a keyboard, a phone and a screen reader get, and what a hostile name does.
//   node dashboard_page.mjs COLLECTOR SENSOR FOLDER: keeps screenshots in FOLDER
//   node dashboard_page.mjs --load URL SECONDS: how long the longest task of the page was
import assert from 'assert';
import { spawn } from 'child_process';
import { createServer } from 'net';
import { writeFileSync } from 'fs';
import { withPage } from './chromium.mjs';

const TOKEN = '0123456789abcdefghij', HOSTILE = '<img src=x onerror=alert(1)>';
const sleep = (ms) => new Promise((done) => { setTimeout(done, ms); });

async function freePort() {
  const server = createServer();
  await new Promise((done) => { server.listen(0, '127.0.0.1', done); });
  const { port } = server.address();
  await new Promise((done) => { server.close(done); });
  return port;
}

// Watches for long tasks for a while; ms of the longest, and how many updates came meanwhile.
async function measure(page, seconds) {
  await page.value(`globalThis.longest = 0; globalThis.shown = 0;
    new PerformanceObserver((list) => { for (const e of list.getEntries()) longest = Math.max(longest, e.duration); }).observe({ type: 'longtask' });
    new MutationObserver(() => { shown++; }).observe(document.getElementById('totals'), { subtree: true, childList: true, characterData: true }); 0`);
  await sleep(seconds * 1000);
  return page.value('({ longest, shown, devices: document.getElementById("totals").innerText.match(/Devices\\s+([0-9,]+)/)[1], page: document.getElementById("page").textContent })');
}

if (process.argv[2] === '--load') {
  const [, , , url, seconds] = process.argv;
  await withPage(url, async (page) => {
    await page.until('document.getElementById("rows").children.length === 50');
    await page.until('[...document.querySelectorAll("tbody canvas")].length === 50');
    const { longest, shown, devices, page: rows } = await measure(page, Number(seconds));
    console.log(`${devices} devices, rows ${rows}, ${shown} updates in ${seconds} s; the longest task above 50 ms: ${longest > 0 ? `${longest} ms` : 'none'}`);
    process.exitCode = longest > 50 || shown < seconds / 2 ? 1 : 0;
  });
  process.exit();
}

const [, , collector, sensor, folder] = process.argv;
const port = await freePort(), web = await freePort(), url = `http://127.0.0.1:${web}/`, processes = new Set();
let passed = 0;

function start(program, ...options) {
  const it = spawn(program, options, { stdio: 'ignore' });
  processes.add(it);
  it.once('exit', () => processes.delete(it));
  return it;
}
const startCollector = () => start(collector, `--address=127.0.0.1:${port}`, `--web=${web}`, `--web-token=${folder}/token`);
process.on('exit', () => { for (const it of processes) it.kill('SIGKILL'); });

async function test(name, body) {
  try {
    await body();
    passed++;
  } catch (error) {
    console.log(`FAIL ${name}\n${error.stack}`);
    process.exitCode = 1;
  }
}

const rowOf = (name) => `[...document.querySelectorAll('#rows tr')].find((r) => r.querySelector('button').textContent === ${JSON.stringify(name)})`;
const textOf = (id) => `document.getElementById('${id}').textContent`;
const rates = (page) => page.value(`Object.fromEntries([...document.querySelectorAll('#rows tr')].map((r) => [r.querySelector('button').textContent,
  Number(r.cells[3].textContent)]))`);

// Contrast as WCAG 2 has it, of texts and lines with the two backgrounds.
const CONTRASTS = `(() => {
  const style = getComputedStyle(document.documentElement);
  const light = (name) => {
    const canvas = document.createElement('canvas').getContext('2d');
    canvas.fillStyle = style.getPropertyValue(name);
    canvas.fillRect(0, 0, 1, 1);
    const [r, g, b] = [...canvas.getImageData(0, 0, 1, 1).data].map((v) => (v / 255 <= 0.03928 ? v / 255 / 12.92 : ((v / 255 + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b + 0.05;
  };
  return ['--ink', '--faint', '--line', '--good', '--bad'].flatMap((ink) => ['--card', '--paper'].map((paper) => {
    const [a, b] = [light(ink), light(paper)];
    return [ink, paper, a > b ? a / b : b / a];
  }));
})()`;

writeFileSync(`${folder}/token`, TOKEN, { mode: 0o600 });
let taking = startCollector();
for (const name of ['sensor-1', 'sensor-2', 'sensor-3']) start(sensor, `--collector=127.0.0.1:${port}`, `--name=${name}`, '--interval=200', '--duration=1000');
for (let i = 0; i < 100 && !(await fetch(url).catch(() => null)); i++) await sleep(50);

await withPage(`${url}#token=${TOKEN}`, async (page) => {
  await page.size(1200, 1000);
  await page.colours('light');

  await test('devices are seen, live', async () => {
    await page.until(`${textOf('status')} === 'live' && document.getElementById('rows').children.length === 3`);
    await page.until(`${textOf('totals')}.match(/Connected3/)`);
    await page.until(`[...document.querySelectorAll('#rows tr')].every((r) => Number(r.cells[3].textContent) > 10 && /ms$|s$/.test(r.cells[7].textContent))`);
    for (const [name, rate] of Object.entries(await rates(page))) assert(rate > 10 && rate < 40, `${name}: ${rate} samples/s, 25 are sent`);
    assert.match(await page.value(textOf('totals')), /Bytes a sample[1-9]/);
  });

  await test('charts are drawn', async () => {
    const painted = `[...document.querySelectorAll('#total-charts canvas, #rows canvas')].map((c) => c.width > 0 &&
      c.getContext('2d').getImageData(0, 0, c.width, c.height).data.some((v, i) => i % 4 === 3 && v > 0))`;
    await page.until(`(${painted}).length === 5 && (${painted}).every(Boolean)`);
  });

  await test('a device opens, and a command is sent, by the keyboard alone', async () => {
    await page.value(`${rowOf('sensor-1')}.querySelector('button').focus()`);
    await page.key('Enter');
    await page.until(`document.activeElement.id === 'device-name' && ${textOf('device-name')} === 'sensor-1'`);
    await page.until(`document.querySelectorAll('#metric-charts figure').length === 5`);
    assert.strictEqual(await page.value('document.getElementById("token").value + location.hash'), TOKEN);
    await page.value('document.getElementById("interval").focus(); document.getElementById("interval").select()');
    for (const digit of '2000') await page.say('Input.insertText', { text: digit });
    await page.key('Enter');
    await page.until(`${textOf('answer')} === 'sensor-1 is told.'`);
    await page.until(`${textOf('facts')}.includes('2,000 ms, as commanded')`);
    await page.until(`Number(${rowOf('sensor-1')}.cells[3].textContent) < 8 && Number(${rowOf('sensor-2')}.cells[3].textContent) > 10`);
  });

  await test('a token that is wrong is said', async () => {
    await page.value('document.getElementById("token").value = "x".repeat(20); document.getElementById("command").requestSubmit()');
    await page.until(`${textOf('answer')} === 'Not sent: this is not the token of the dashboard'`);
    await page.until(`!document.getElementById('device').hidden && ${textOf('facts')}.includes('2,000 ms')`);
  });

  // The browser says of an answer of 401 that it has failed to load; nothing else is wrong so far.
  await test('nothing is wrong, and nothing comes from elsewhere', async () => {
    assert.deepStrictEqual(page.complaints.filter((text) => !/status of 401/.test(text)), []);
    const from = await page.value('[...new Set(performance.getEntriesByType("resource").map((e) => new URL(e.name).origin))]');
    assert.deepStrictEqual(from, [url.slice(0, -1)]);
  });

  await test('a device with a hostile name is shown as text', async () => {
    await page.value(`import('/feed.js').then(({ Fleet }) => {
      const apply = Fleet.prototype.apply;
      Fleet.prototype.apply = function (update, now) {
        if (!update.more) (update.devices ||= []).push({ number: 999, name: ${JSON.stringify(HOSTILE)}, connected: true, samples: String(now),
          metrics: [{ name: ${JSON.stringify(HOSTILE)}, value: 1 }] });
        return apply.call(this, update, now);
      };
    })`);
    await page.until(rowOf(HOSTILE) + ' !== undefined');
    await page.value(`${rowOf(HOSTILE)}.querySelector('button').click()`);
    await page.until(`${textOf('device-name')} === ${JSON.stringify(HOSTILE)} && ${textOf('metric-charts')}.includes(${JSON.stringify(HOSTILE)})`);
    assert.strictEqual(await page.value('document.querySelectorAll("img").length'), 0);
    assert(!page.complaints.some((text) => /dialog/.test(text)));
    writeFileSync(`${folder}/hostile.png`, await page.screenshot());
  });

  await test('Escape closes it, and the keyboard is where it was', async () => {
    await page.key('Escape');
    assert.strictEqual(await page.value('document.getElementById("device").hidden && document.activeElement.textContent'), HOSTILE);
  });

  await test('a screen reader gets a name for each control, each chart and each column', async () => {
    await page.value(`${rowOf('sensor-2')}.querySelector('button').click()`);
    await page.until(`document.querySelectorAll('#metric-charts figure').length === 5`);
    const { nodes } = await page.say('Accessibility.getFullAXTree');
    const of = (...roles) => nodes.filter((n) => !n.ignored && roles.includes(n.role?.value)).map((n) => n.name?.value || '');
    const controls = of('button', 'textbox', 'searchbox', 'combobox', 'spinbutton', 'link');
    assert(controls.length >= 14 && controls.every(Boolean), controls.join('|'));
    const images = of('img', 'image', 'Canvas', 'graphics-document');
    assert(images.length >= 7 && images.every((name) => /: .*last \d+ seconds|nothing yet/.test(name)), images.join('|'));
    assert.deepStrictEqual(of('columnheader').length, 10);
    assert(of('rowheader').includes('sensor-3'), of('rowheader').join('|'));
    assert.deepStrictEqual(of('heading'), ['Fleet', 'All devices', 'sensor-2', 'Devices']);
    assert(of('status').length >= 2 && of('search').length === 1 && of('main').length === 1);
  });

  await test('what is dark and what is light can be read', async () => {
    const papers = [];
    for (const scheme of ['light', 'dark']) {
      await page.colours(scheme);
      papers.push(await page.value('getComputedStyle(document.body).backgroundColor'));
      for (const [ink, paper, contrast] of await page.value(CONTRASTS)) assert(contrast >= 4.5, `${scheme}: ${ink} on ${paper}: ${contrast}`);
      await sleep(1200);
      writeFileSync(`${folder}/${scheme}.png`, await page.screenshot());
    }
    assert.notStrictEqual(papers[0], papers[1]);
  });

  await test('it fits a phone', async () => {
    await page.size(360, 740);
    await sleep(1200);
    assert.strictEqual(await page.value('document.documentElement.scrollWidth'), 360);
    const small = await page.value(`[...document.querySelectorAll('button, input, select')].filter((e) => e.offsetHeight > 0 && e.offsetHeight < 24).length`);
    assert.strictEqual(small, 0);
    writeFileSync(`${folder}/phone.png`, await page.screenshot());
    await page.size(1200, 1000);
  });

  await test('devices are found and ordered', async () => {
    await page.value(`document.getElementById('search').value = 'SOR-3'; document.getElementById('search').dispatchEvent(new Event('input'))`);
    assert.strictEqual(await page.value(textOf('page')), '1 to 1 of 1');
    await page.value(`document.getElementById('search').value = 'sensor'; document.getElementById('order').value = 'rate';
      document.getElementById('order').dispatchEvent(new Event('input'))`);
    assert.strictEqual(await page.value(`document.querySelector('#rows tr:last-child button').textContent`), 'sensor-1');
  });

  await test('a collector that is gone is said, and found again', async () => {
    taking.kill('SIGKILL');
    await page.until(`${textOf('status')}.startsWith('not connected')`);
    taking = startCollector();
    await page.until(`${textOf('status')} === 'live' && ${textOf('device-name')} === 'sensor-2' && ${rowOf('sensor-2')}?.cells[1].textContent === 'connected'`);
  });

  await test('a script that gets into the page does not run', async () => {
    await page.value(`globalThis.refused = ''; document.addEventListener('securitypolicyviolation', (e) => { refused += e.effectiveDirective + ' '; });
      const s = document.createElement('script'); s.textContent = 'globalThis.ran = 1'; document.body.append(s);
      const b = document.createElement('button'); b.setAttribute('onclick', 'globalThis.ran = 2'); document.body.append(b); b.click();
      const i = document.createElement('img'); i.src = 'http://127.0.0.2:9/x.png'; document.body.append(i); 0`);
    await page.until('refused.split(" ").length >= 4');
    assert.strictEqual(await page.value('globalThis.ran'), undefined);
  });
});
console.log(`${passed} passed, ${process.exitCode ? 'some' : 0} failed`);
process.exit();
