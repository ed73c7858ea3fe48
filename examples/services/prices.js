// Prices in a page, without a build step or a library: gRPC-Web (docs/web.md) by fetch(), and the few fields of mote.prices.Price read
// by hand. A page with more messages takes stubs that are generated (@connectrpc/connect-web, grpc-web).

// The fields of a message of Protocol Buffers that are varints, or text: number -> value.
function readFields(bytes) {
  const fields = {};
  let at = 0;
  const varint = () => {
    let value = 0n, shift = 0n;
    for (;;) {
      const byte = bytes[at++];
      value |= BigInt(byte & 127) << shift;
      if (byte < 128) return value;
      shift += 7n;
    }
  };
  while (at < bytes.length) {
    const key = Number(varint());
    if ((key & 7) === 0) {
      fields[key >> 3] = Number(BigInt.asIntN(64, varint()));
    } else {
      const end = Number(varint()) + at;
      fields[key >> 3] = new TextDecoder().decode(bytes.subarray(at, end));
      at = end;
    }
  }
  return fields;
}

// A message with its prefix: a flag and its length.
function frame(message) {
  const bytes = new Uint8Array(5 + message.length);
  new DataView(bytes.buffer).setUint32(1, message.length);
  bytes.set(message, 5);
  return bytes;
}

// Calls a method whose response is a stream; onMessage gets the bytes of each. Throws what the status says.
export async function serverStream(url, request, onMessage, signal) {
  const response = await fetch(url, {
    method: 'POST', signal, body: frame(request), headers: { 'content-type': 'application/grpc-web+proto', 'x-grpc-web': '1' },
  });
  if (!response.ok) throw new Error(`HTTP ${response.status}`);
  const reader = response.body.getReader();
  let rest = new Uint8Array();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) throw new Error('the response has no status');
    const bytes = new Uint8Array(rest.length + value.length);
    bytes.set(rest);
    bytes.set(value, rest.length);
    rest = bytes;
    while (rest.length >= 5) {
      const length = new DataView(rest.buffer, rest.byteOffset).getUint32(1);
      if (rest.length < 5 + length) break;
      const content = rest.subarray(5, 5 + length);
      if (rest[0] & 0x80) return checkStatus(new TextDecoder().decode(content));
      onMessage(content);
      rest = rest.subarray(5 + length);
    }
  }
}

function checkStatus(trailers) {
  const code = /^grpc-status: ?(\d+)/im.exec(trailers), text = /^grpc-message: ?(.*)\r/im.exec(trailers);
  if (!code || code[1] !== '0') throw new Error(`status ${code && code[1]}: ${text ? decodeURIComponent(text[1]) : ''}`);
}

// Watches all symbols; onPrice gets { symbol, cents, change }.
export function watchPrices(server, onPrice, signal) {
  return serverStream(`${server}/mote.prices.Prices/Watch`, new Uint8Array(), (bytes) => {
    const fields = readFields(bytes);
    onPrice({ symbol: fields[1], cents: fields[2] || 0, change: fields[3] || 0 });
  }, signal);
}
