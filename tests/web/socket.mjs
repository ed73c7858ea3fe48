// A client's WebSocket (RFC 6455) for text, as much of it as DevTools speak: node has one of its own from version 22 on.
import { createConnection } from 'net';
import { randomBytes } from 'crypto';

const TEXT = 1, CLOSE = 8, PING = 9, PONG = 10;

function frame(opcode, content) {
  const long = content.length > 65535 ? 8 : content.length > 125 ? 2 : 0, head = Buffer.alloc(2 + long), mask = randomBytes(4);
  head[0] = 0x80 | opcode;
  head[1] = 0x80 | (long === 8 ? 127 : long === 2 ? 126 : content.length);
  if (long === 2) head.writeUInt16BE(content.length, 2);
  if (long === 8) head.writeBigUInt64BE(BigInt(content.length), 2);
  return Buffer.concat([head, mask, content.map((byte, i) => byte ^ mask[i & 3])]);
}

// The next frame of the bytes, or null: { opcode, last, content, rest }.
function takeFrame(bytes) {
  if (bytes.length < 2) return null;
  const short = bytes[1] & 127, at = short === 127 ? 10 : short === 126 ? 4 : 2;
  if (bytes.length < at) return null;
  const length = short === 127 ? Number(bytes.readBigUInt64BE(2)) : short === 126 ? bytes.readUInt16BE(2) : short;
  if (bytes.length < at + length) return null;
  return { opcode: bytes[0] & 15, last: bytes[0] >= 128, content: bytes.subarray(at, at + length), rest: bytes.subarray(at + length) };
}

// { send(text), close(), onmessage(text) }
export function connect(host, port, path) {
  return new Promise((done, failed) => {
    const socket = createConnection(port, host), parts = [];
    const self = { send: (text) => socket.write(frame(TEXT, Buffer.from(text))), close: () => socket.end(frame(CLOSE, Buffer.alloc(0))), onmessage: () => {} };
    let bytes = Buffer.alloc(0), open = false;

    const takeHead = () => {
      const end = bytes.indexOf('\r\n\r\n');
      if (end < 0) return;
      if (!bytes.subarray(0, end).toString().startsWith('HTTP/1.1 101 ')) failed(new Error(bytes.subarray(0, end).toString()));
      open = true;
      bytes = bytes.subarray(end + 4);
      done(self);
    };
    const take = ({ opcode, last, content }) => {
      if (opcode === PING) socket.write(frame(PONG, content));
      if (opcode >= CLOSE) return;
      parts.push(content);
      if (last) self.onmessage(Buffer.concat(parts.splice(0)).toString());
    };
    socket.on('error', failed);
    socket.on('data', (chunk) => {
      bytes = Buffer.concat([bytes, chunk]);
      if (!open) takeHead();
      for (let next; open && (next = takeFrame(bytes)); bytes = next.rest) take(next);
    });
    socket.write(`GET ${path} HTTP/1.1\r\nHost: ${host}:${port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n` +
      `Sec-WebSocket-Key: ${randomBytes(16).toString('base64')}\r\nSec-WebSocket-Version: 13\r\n\r\n`);
  });
}
