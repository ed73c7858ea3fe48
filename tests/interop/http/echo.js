// Node's http2 as a plain HTTP/2 peer, with prior knowledge.
//   echo.js server --port=N            POST: what was sent; GET /N: N times 'm'
//   echo.js client --url=URL --size=N  posts N bytes and compares what comes back
const http2 = require('http2');
const options = Object.fromEntries(process.argv.slice(3).map(a => a.replace(/^--/, '').split(/=(.*)/)));

function* bytes(left) {
    while (left > 0) {
        const n = Math.min(left, 65536);
        left -= n;
        yield n;
    }
}

function serve(stream, headers) {
    stream.on('error', () => {});
    stream.respond({':status': 200});
    if (headers[':method'] === 'POST') {
        stream.pipe(stream);
        return;
    }
    require('stream').Readable.from((function* () {
        for (const n of bytes(Number(headers[':path'].slice(1))))
            yield Buffer.alloc(n, 'm');
    })()).pipe(stream);
}

const at = i => ((i * 31) >> 3) & 255;
const piece = Buffer.from(Array.from({length: 65536}, (_, i) => at(i))); // repeats after 2,048 bytes

function post(url, size) {
    const target = new URL(url), session = http2.connect(target.origin);
    const stream = session.request({':method': 'POST', ':path': target.pathname});
    let got = 0, status = 0;
    const die = why => { console.error('error:', why); process.exit(1); };
    session.on('error', die);
    stream.on('error', die);
    stream.on('response', h => { status = h[':status']; });
    stream.on('data', d => {
        const from = got % 2048;
        for (let i = 0; i < d.length; i += 32768) {
            const part = d.subarray(i, i + 32768), start = (from + i) % 2048;
            if (part.compare(piece, start, start + part.length) !== 0)
                die(`bytes behind ${got + i} differ`);
        }
        got += d.length;
    });
    stream.on('end', () => {
        session.close();
        if (status !== 200 || got !== size)
            die(`status ${status}, ${got} bytes in place of ${size}`);
    });
    require('stream').Readable.from((function* () {
        for (const n of bytes(size))
            yield piece.subarray(0, n);
    })()).pipe(stream);
}

if (process.argv[2] === 'client') {
    post(options.url, Number(options.size));
} else {
    http2.createServer().on('stream', serve).listen(Number(options.port), '127.0.0.1');
}
