// The interoperability tests with @connectrpc/connect-node, speaking gRPC: a server, and a client that runs one case.
//   node connect.js server --port=N [--cert=PEM --key=PEM]
//   node connect.js client --server_port=N --test_case=NAME [--ca=PEM] [--web=1.1 or 2] [--connect=1.1 or 2 [--json] [--get]]
//       with --web as gRPC-Web, by that HTTP; with --connect by the protocol Connect
// MOTE_DESCRIPTORS names the descriptor set of interop.proto.
'use strict';
const assert = require('assert');
const fs = require('fs');
const http2 = require('http2');
const { createFileRegistry, fromBinary } = require('@bufbuild/protobuf');
const { FileDescriptorSetSchema } = require('@bufbuild/protobuf/wkt');
const { Code, ConnectError, createClient, decodeBinaryHeader, encodeBinaryHeader } = require('@connectrpc/connect');
const { compressionGzip, connectNodeAdapter, createConnectTransport, createGrpcTransport, createGrpcWebTransport } = require('@connectrpc/connect-node');

const INITIAL = 'x-grpc-test-echo-initial', TRAILING = 'x-grpc-test-echo-trailing-bin';
const registry = createFileRegistry(fromBinary(FileDescriptorSetSchema, fs.readFileSync(process.env.MOTE_DESCRIPTORS)));
const service = registry.getService('grpc.testing.TestService');
const unimplementedService = registry.getService('grpc.testing.UnimplementedService');
const arguments_ = Object.fromEntries(process.argv.slice(3).map((a) => a.replace(/^--/, '').split('=')));
const payload = (size) => ({ body: new Uint8Array(size || 0) });
const sizes = (...list) => ({ responseParameters: list.map((size) => ({ size })) });
const sleep = (ms) => new Promise((done) => setTimeout(done, ms));

// ---- server

function echo(context) {
  const initial = context.requestHeader.get(INITIAL), trailing = context.requestHeader.get(TRAILING);
  if (initial) context.responseHeader.set(INITIAL, initial);
  if (trailing) context.responseTrailer.set(TRAILING, trailing);
}

function check(status) {
  if (status && status.code) throw new ConnectError(status.message, status.code);
}

async function* respond(requests) {
  for await (const request of requests) {
    check(request.responseStatus);
    for (const p of request.responseParameters) {
      await sleep(p.intervalUs / 1000);
      yield { payload: payload(p.size) };
    }
  }
}

async function* all(list) { yield* list; }

const handlers = {
  emptyCall: () => ({}),
  unaryCall: (request, context) => {
    echo(context);
    check(request.responseStatus);
    return { payload: payload(request.responseSize) };
  },
  cacheableUnaryCall: (request) => ({ payload: payload(request.responseSize) }),
  streamingInputCall: async (requests) => {
    let aggregatedPayloadSize = 0;
    for await (const m of requests) aggregatedPayloadSize += m.payload ? m.payload.body.length : 0;
    return { aggregatedPayloadSize };
  },
  streamingOutputCall: (request) => respond(all([request])),
  fullDuplexCall: async function* (requests, context) {
    echo(context);
    yield* respond(requests);
  },
  halfDuplexCall: async function* (requests) {
    const list = [];
    for await (const request of requests) list.push(request);
    yield* respond(all(list));
  },
};

function serve() {
  const routes = (router) => router.service(service, handlers);
  const handler = connectNodeAdapter({ routes, acceptCompression: [compressionGzip] });
  const { cert, key } = arguments_;
  const server = cert ? http2.createSecureServer({ cert: fs.readFileSync(cert), key: fs.readFileSync(key) }, handler)
    : http2.createServer(handler);
  server.listen(Number(arguments_.port || 0), '127.0.0.1', () => console.log(`listening on 127.0.0.1:${server.address().port}`));
}

// ---- client

let client;
const baseUrl = `${arguments_.ca ? 'https' : 'http'}://${arguments_.server_host || '127.0.0.1'}:${arguments_.server_port}`;
// Node resets streams of a session that holds more than 10 MB by itself.
const nodeOptions = { maxSessionMemory: 1000, ca: arguments_.ca && fs.readFileSync(arguments_.ca) };
const httpVersion = arguments_.web || arguments_.connect;
const ofPages = { baseUrl, httpVersion, nodeOptions: httpVersion === '2' ? nodeOptions : {} };
const ofConnect = { ...ofPages, useBinaryFormat: !('json' in arguments_), useHttpGet: 'get' in arguments_ };
const transport = (more) => (arguments_.connect ? createConnectTransport({ ...ofConnect, ...more })
  : arguments_.web ? createGrpcWebTransport({ ...ofPages, ...more }) : createGrpcTransport({ baseUrl, nodeOptions, ...more }));
const connect = (more) => createClient(service, transport({ acceptCompression: [], ...more }));
const gzip = { sendCompression: compressionGzip, acceptCompression: [compressionGzip], compressMinBytes: 0 };

async function large(more, options) {
  const response = await client.unaryCall({ responseSize: 314159, payload: payload(271828), ...more }, options);
  assert(Buffer.from(response.payload.body).equals(Buffer.alloc(314159)));
}

const code = (promise) => promise.then(() => 0, (error) => error.code);

async function inputs(options) {
  const list = [27182, 8, 1828, 45904].map((n) => ({ payload: payload(n), ...options }));
  assert.strictEqual((await client.streamingInputCall(all(list))).aggregatedPayloadSize, 74922);
}

async function outputs(request, options) {
  const found = [];
  for await (const m of client.streamingOutputCall(request, options)) found.push(m.payload.body.length);
  assert.deepStrictEqual(found, [31415, 9, 2653, 58979]);
}

// Each message after the answer to the one before.
async function pingPong(pairs, options) {
  let answered = Promise.resolve(), next;
  const found = [];
  async function* requests() {
    for (const [a, b] of pairs) {
      await answered;
      answered = new Promise((done) => { next = done; });
      yield { ...sizes(b), payload: payload(a) };
    }
    await answered;
  }
  for await (const m of client.fullDuplexCall(requests(), options)) {
    found.push(m.payload.body.length);
    next();
  }
  assert.deepStrictEqual(found, pairs.map((pair) => pair[1]));
}

async function status(message) {
  const responseStatus = { code: 2, message };
  const each = [() => client.unaryCall({ responseStatus }),
    async () => { for await (const m of client.fullDuplexCall(all([{ responseStatus }]))) assert.fail(String(m)); }];
  for (const call of each) {
    const error = await call().then(() => assert.fail('no status'), (e) => e);
    assert.strictEqual(error.code, Code.Unknown);
    assert.strictEqual(error.rawMessage, message);
  }
}

function metadata() {
  const found = {};
  const options = {
    headers: { [INITIAL]: 'test_initial_metadata_value', [TRAILING]: encodeBinaryHeader(new Uint8Array([0xab, 0xab, 0xab])) },
    onHeader: (h) => { found.initial = h.get(INITIAL); },
    onTrailer: (t) => { found.trailing = decodeBinaryHeader(t.get(TRAILING)); },
  };
  const checked = () => {
    assert.strictEqual(found.initial, 'test_initial_metadata_value');
    assert.deepStrictEqual([...found.trailing], [0xab, 0xab, 0xab]);
  };
  return [options, checked];
}

const cases = {
  empty_unary: () => client.emptyCall({}),
  cacheable_unary: () => client.cacheableUnaryCall({ payload: payload(5) }),
  large_unary: () => large({}),
  client_compressed_unary: async () => {
    const expectCompressed = { value: true };
    assert.strictEqual(await code(client.unaryCall({ expectCompressed })), Code.InvalidArgument);
    client = connect(gzip);
    await large({ expectCompressed });
  },
  server_compressed_unary: async () => {
    let encoding;
    client = connect({ acceptCompression: [compressionGzip] });
    await large({ responseCompressed: { value: true } }, { onHeader: (h) => { encoding = h.get('grpc-encoding') || h.get('content-encoding'); } });
    assert.strictEqual(encoding, 'json' in arguments_ ? null : 'gzip');
  },
  client_streaming: () => inputs({}),
  client_compressed_streaming: () => {
    client = connect(gzip);
    return inputs({ expectCompressed: { value: true } });
  },
  server_streaming: () => outputs(sizes(31415, 9, 2653, 58979)),
  server_compressed_streaming: () => {
    const request = sizes(31415, 9, 2653, 58979);
    request.responseParameters[0].compressed = { value: true };
    client = connect({ acceptCompression: [compressionGzip] });
    return outputs(request);
  },
  ping_pong: () => pingPong([[27182, 31415], [8, 9], [1828, 2653], [45904, 58979]]),
  empty_stream: () => pingPong([]),
  custom_metadata: async () => {
    const [options, checked] = metadata();
    await large({}, options);
    checked();
    const [more, checkedToo] = metadata();
    await pingPong([[1, 1]], more);
    checkedToo();
  },
  status_code_and_message: () => status('test status message'),
  special_status_message: () => status('\t\ntest with whitespace\r\nand Unicode BMP \u263a and non-BMP \u{1F608}\t\n'),
  unimplemented_method: async () => assert.strictEqual(await code(client.unimplementedCall({})), Code.Unimplemented),
  unimplemented_service: async () => {
    const other = createClient(unimplementedService, transport({}));
    assert.strictEqual(await code(other.unimplementedCall({})), Code.Unimplemented);
  },
  cancel_after_begin: async () => {
    const abort = new AbortController();
    async function* requests() { await sleep(20); abort.abort(); await sleep(1000); }
    assert.strictEqual(await code(client.streamingInputCall(requests(), { signal: abort.signal })), Code.Canceled);
    await large({});
  },
  cancel_after_first_response: async () => {
    const abort = new AbortController();
    async function* requests() { yield sizes(31415); await sleep(1000); }
    const read = async () => {
      for await (const m of client.fullDuplexCall(requests(), { signal: abort.signal })) {
        assert.strictEqual(m.payload.body.length, 31415);
        abort.abort();
      }
    };
    assert.strictEqual(await code(read()), Code.Canceled);
    await large({});
  },
  timeout_on_sleeping_server: async () => {
    const request = { responseParameters: [{ size: 1, intervalUs: 1000000 }] };
    const read = async () => { for await (const m of client.fullDuplexCall(all([request]), { timeoutMs: 1 })) assert.fail(String(m)); };
    assert.strictEqual(await code(read()), Code.DeadlineExceeded);
  },
  rpc_soak: async () => { for (let i = 0; i < 20; i++) await large({}); },
  concurrent_large_unary: () => Promise.all(Array.from({ length: 200 }, () => large({}))),
};

async function main() {
  if (process.argv[2] === 'server') return serve();
  if (arguments_.test_case === 'list') return console.log(Object.keys(cases).join(' '));
  client = connect({});
  await cases[arguments_.test_case]();
  return process.exit(0);
}

main().catch((error) => { console.error(error); process.exit(1); });
