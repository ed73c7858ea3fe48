// An echo (fuzz/differ.h) on Node's http2, without TLS.
const http2 = require('http2');
const server = http2.createServer({ settings: { maxConcurrentStreams: 32 } });

server.on('stream', (stream, headers, flags, raw) => {
    const content = [];
    const fields = new Map();
    for (let i = 0; i < raw.length; i += 2) {
        const name = raw[i];
        if (name[0] === ':' || name === 'host') continue;
        const between = name === 'cookie' ? '; ' : ', ';
        fields.set(name, fields.has(name) ? fields.get(name) + between + raw[i + 1] : raw[i + 1]);
    }
    stream.on('error', () => {});
    stream.on('data', (piece) => content.push(piece));
    stream.on('end', () => {
        if (stream.destroyed || !stream.writable) return;
        let head = `${headers[':method']} ${headers[':path'] || ''} ${headers[':authority'] || headers.host || ''}\n`;
        for (const name of [...fields.keys()].sort()) head += `${name}: ${fields.get(name)}\n`;
        if (headers[':method'] === 'HEAD') return stream.respond({ ':status': 200 }, { endStream: true });
        stream.respond({ ':status': 200 });
        stream.end(Buffer.concat([Buffer.from(head + '\n', 'latin1'), ...content]));
    });
});
server.on('sessionError', () => {});
server.listen(0, '127.0.0.1', () => console.log(`listening on 127.0.0.1:${server.address().port}`));
