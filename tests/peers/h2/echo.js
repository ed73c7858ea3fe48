// An HTTP/2 server by Node: POST is answered with what was sent, GET /N with N bytes. Prints its port.
const http2 = require('http2');
const server = http2.createServer();
server.on('stream', (stream, headers) => {
    stream.on('error', () => {});
    if (headers[':method'] === 'POST') {
        stream.respond({':status': 200});
        stream.pipe(stream);
        return;
    }
    let left = Number(headers[':path'].split('?')[0].slice(1)) || 0;
    stream.respond({':status': 200, 'x-path': headers[':path']});
    const more = () => {
        while (left > 0) {
            const n = Math.min(left, 65536);
            left -= n;
            if (!stream.write(Buffer.alloc(n, 'm')))
                return;
        }
        stream.end();
    };
    stream.on('drain', more);
    more();
});
server.listen(0, '127.0.0.1', () => console.log(`listening on 127.0.0.1:${server.address().port}`));
