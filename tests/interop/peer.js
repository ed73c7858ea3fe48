// The interoperability tests with @grpc/grpc-js: a server, and a client that runs one case.
//   node peer.js server --port=N [--cert=PEM --key=PEM]
//   node peer.js client --server_port=N --test_case=NAME [--ca=PEM]
'use strict';
const fs = require('fs');
const path = require('path');
const grpc = require('@grpc/grpc-js');
const loader = require('@grpc/proto-loader');
const assert = require('assert');

const INITIAL = 'x-grpc-test-echo-initial', TRAILING = 'x-grpc-test-echo-trailing-bin';
const file = path.join(process.env.MOTE_INTEROP || __dirname, 'interop.proto');
const proto = grpc.loadPackageDefinition(loader.loadSync(file, { keepCase: true })).grpc.testing;
const arguments_ = Object.fromEntries(process.argv.slice(3).map((a) => a.replace(/^--/, '').split('=')));
const payload = (size) => ({ body: Buffer.alloc(size || 0) });
const sizes = (...list) => ({ response_parameters: list.map((size) => ({ size })) });
const sleep = (ms) => new Promise((done) => setTimeout(done, ms));

// ---- server

function echo(call) {
  const trailing = new grpc.Metadata();
  const initial = new grpc.Metadata();
  call.metadata.get(INITIAL).forEach((v) => initial.add(INITIAL, v));
  call.metadata.get(TRAILING).forEach((v) => trailing.add(TRAILING, v));
  call.sendMetadata(initial);
  return trailing;
}

const failure = (status, metadata) => ({ code: status.code, details: status.message, metadata });

const handlers = {
  EmptyCall: (call, done) => done(null, {}, echo(call)),
  UnaryCall: (call, done) => {
    const trailing = echo(call), status = call.request.response_status;
    if (status && status.code) return done(failure(status, trailing));
    return done(null, { payload: payload(call.request.response_size) }, trailing);
  },
  StreamingInputCall: (call, done) => {
    let total = 0;
    call.on('data', (m) => { total += m.payload ? m.payload.body.length : 0; });
    call.on('end', () => done(null, { aggregated_payload_size: total }));
  },
  StreamingOutputCall: async (call) => {
    for (const p of call.request.response_parameters) {
      await sleep(p.interval_us / 1000);
      call.write({ payload: payload(p.size) });
    }
    call.end();
  },
  FullDuplexCall: (call) => {
    const trailing = echo(call);
    let chain = Promise.resolve();
    call.on('data', (m) => {
      chain = chain.then(async () => {
        if (m.response_status && m.response_status.code) return call.emit('error', failure(m.response_status, trailing));
        for (const p of m.response_parameters) {
          await sleep(p.interval_us / 1000);
          call.write({ payload: payload(p.size) });
        }
      });
    });
    call.on('end', () => chain.then(() => call.end(trailing)));
    call.on('error', () => {});
  },
};
handlers.CacheableUnaryCall = handlers.UnaryCall;

function serve() {
  const server = new grpc.Server({ 'grpc.max_receive_message_length': 8 << 20 });
  server.addService(proto.TestService.service, handlers);
  const { cert, key } = arguments_;
  const credentials = cert ? grpc.ServerCredentials.createSsl(null, [{ cert_chain: fs.readFileSync(cert), private_key: fs.readFileSync(key) }])
    : grpc.ServerCredentials.createInsecure();
  server.bindAsync(`127.0.0.1:${arguments_.port || 0}`, credentials, (error, port) => {
    if (error) throw error;
    console.log(`listening on 127.0.0.1:${port}`);
  });
}

// ---- client

let client;
const credentials = arguments_.ca ? grpc.credentials.createSsl(fs.readFileSync(arguments_.ca)) : grpc.credentials.createInsecure();
const unary = (method, request, metadata = new grpc.Metadata(), options = {}) => new Promise((resolve) => {
  const result = { initial: null };
  const call = client[method](request, metadata, options, (error, response) => {
    Object.assign(result, { error, response });
  });
  call.on('metadata', (m) => { result.initial = m; });
  call.on('status', (s) => { result.status = s; setImmediate(() => resolve(result)); });
});

// Sends messages one by one, each after as many responses as it says; gathers the sizes.
const stream = (call, messages) => new Promise((resolve) => {
  const result = { sizes: [] };
  const next = () => (messages.length ? call.write(messages.shift()) : call.end());
  call.on('metadata', (m) => { result.initial = m; });
  call.on('data', (m) => { result.sizes.push(m.payload.body.length); if (call.write) next(); });
  call.on('error', () => {});
  call.on('status', (s) => { result.status = s; resolve(result); });
  if (call.write) next();
});

async function large(more, metadata) {
  const result = await unary('UnaryCall', { response_size: 314159, payload: payload(271828), ...more }, metadata);
  assert(result.response && result.response.payload.body.equals(Buffer.alloc(314159)), String(result.error));
  return result;
}

function echoed() {
  const metadata = new grpc.Metadata();
  metadata.add(INITIAL, 'test_initial_metadata_value');
  metadata.add(TRAILING, Buffer.from([0xab, 0xab, 0xab]));
  return metadata;
}

function checkEcho(result) {
  assert.deepStrictEqual(result.initial.get(INITIAL), ['test_initial_metadata_value']);
  assert.deepStrictEqual(result.status.metadata.get(TRAILING), [Buffer.from([0xab, 0xab, 0xab])]);
}

async function status(message) {
  const response_status = { code: 2, message };
  const one = await unary('UnaryCall', { response_status });
  assert.strictEqual(one.status.code, 2);
  assert.strictEqual(one.status.details, message);
  const two = await stream(client.FullDuplexCall(), [{ response_status }]);
  assert.strictEqual(two.status.code, 2);
  assert.strictEqual(two.status.details, message);
}

const cases = {
  empty_unary: async () => assert.strictEqual((await unary('EmptyCall', {})).status.code, 0),
  cacheable_unary: async () => assert.strictEqual((await unary('CacheableUnaryCall', { payload: payload(5) })).status.code, 0),
  large_unary: () => large({}),
  server_compressed_unary: () => large({ response_compressed: { value: true } }),
  client_compressed_unary: () => {
    client = new proto.TestService(client.getChannel().getTarget().replace(/^dns:/, ''), credentials,
      { 'grpc.default_compression_algorithm': 2 });
    return large({ expect_compressed: { value: true } });
  },
  client_streaming: () => new Promise((resolve, reject) => {
    const call = client.StreamingInputCall((error, response) => {
      if (error || response.aggregated_payload_size !== 74922) reject(error || response);
      else resolve();
    });
    [27182, 8, 1828, 45904].forEach((n) => call.write({ payload: payload(n) }));
    call.end();
  }),
  server_streaming: async () => {
    const result = await stream(client.StreamingOutputCall(sizes(31415, 9, 2653, 58979)), []);
    assert.deepStrictEqual(result.sizes, [31415, 9, 2653, 58979]);
  },
  ping_pong: async () => {
    const messages = [[27182, 31415], [8, 9], [1828, 2653], [45904, 58979]].map(([a, b]) => ({ ...sizes(b), payload: payload(a) }));
    const result = await stream(client.FullDuplexCall(), messages);
    assert.deepStrictEqual(result.sizes, [31415, 9, 2653, 58979]);
    assert.strictEqual(result.status.code, 0);
  },
  empty_stream: async () => assert.strictEqual((await stream(client.FullDuplexCall(), [])).status.code, 0),
  custom_metadata: async () => {
    checkEcho(await large({}, echoed()));
    checkEcho(await stream(client.FullDuplexCall(echoed()), [sizes(1)]));
  },
  status_code_and_message: () => status('test status message'),
  special_status_message: () => status('\t\ntest with whitespace\r\nand Unicode BMP \u263a and non-BMP \u{1F608}\t\n'),
  unimplemented_method: async () => assert.strictEqual((await unary('UnimplementedCall', {})).status.code, 12),
  unimplemented_service: async () => {
    const channel = client;
    client = new proto.UnimplementedService(channel.getChannel().getTarget().replace(/^dns:/, ''), credentials);
    assert.strictEqual((await unary('UnimplementedCall', {})).status.code, 12);
  },
  cancel_after_begin: () => new Promise((resolve, reject) => {
    const call = client.StreamingInputCall((error) => (error && error.code === 1 ? resolve() : reject(error)));
    setImmediate(() => call.cancel());
  }),
  cancel_after_first_response: async () => {
    const call = client.FullDuplexCall();
    call.once('data', () => call.cancel());
    assert.strictEqual((await stream(call, [sizes(31415), sizes(1), sizes(1)])).status.code, 1);
  },
  timeout_on_sleeping_server: async () => {
    const call = client.FullDuplexCall({ deadline: Date.now() + 1 });
    assert.strictEqual((await stream(call, [{ response_parameters: [{ size: 1, interval_us: 1000000 }] }])).status.code, 4);
  },
  rpc_soak: async () => { for (let i = 0; i < 20; i++) await large({}); },
  concurrent_large_unary: () => Promise.all(Array.from({ length: 200 }, () => large({}))),
};

async function main() {
  if (process.argv[2] === 'server') return serve();
  if (arguments_.test_case === 'list') return console.log(Object.keys(cases).join(' '));
  client = new proto.TestService(`${arguments_.server_host || '127.0.0.1'}:${arguments_.server_port}`, credentials);
  await cases[arguments_.test_case]();
  return process.exit(0);
}

main().catch((error) => { console.error(error); process.exit(1); });
