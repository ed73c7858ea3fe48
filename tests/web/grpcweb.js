// The npm package grpc-web, as a page uses it, through XMLHttpRequest: the cases of gRPC-Web that the interop descriptions have.
//   node grpcweb.js PORT
// MOTE_DESCRIPTORS names the descriptor set of interop.proto. Prints "N passed, N failed".
'use strict';
global.XMLHttpRequest = require('xhr2');
const assert = require('assert');
const fs = require('fs');
const { create, createFileRegistry, fromBinary, toBinary } = require('@bufbuild/protobuf');
const { FileDescriptorSetSchema } = require('@bufbuild/protobuf/wkt');
const { GrpcWebClientBase, MethodDescriptor, MethodType, StatusCode } = require('grpc-web');

const registry = createFileRegistry(fromBinary(FileDescriptorSetSchema, fs.readFileSync(process.env.MOTE_DESCRIPTORS)));
const service = registry.getService('grpc.testing.TestService');
const base = `http://127.0.0.1:${process.argv[2]}`;

function describe(name) {
  const method = service.methods.find((m) => m.name === name);
  const type = method.methodKind === 'unary' ? MethodType.UNARY : MethodType.SERVER_STREAMING;
  return [method, new MethodDescriptor(`/grpc.testing.TestService/${name}`, type, Object, Object,
    (m) => toBinary(method.input, create(method.input, m)), (bytes) => fromBinary(method.output, new Uint8Array(bytes)))];
}

function unary(client, name, request, metadata = {}) {
  const [, descriptor] = describe(name);
  const found = {};
  return new Promise((done) => {
    const call = client.rpcCall(`${base}/grpc.testing.TestService/${name}`, request, metadata, descriptor,
      (error, response) => { found.error = error; found.response = response; done(found); });
    call.on('metadata', (m) => { found.initial = m; });
    call.on('status', (s) => { found.status = s; });
  });
}

function stream(client, name, request, metadata = {}) {
  const [, descriptor] = describe(name);
  const found = { sizes: [] };
  return new Promise((done) => {
    const call = client.serverStreaming(`${base}/grpc.testing.TestService/${name}`, request, metadata, descriptor);
    call.on('data', (m) => found.sizes.push(m.payload.body.length));
    call.on('status', (s) => { found.status = s; });
    call.on('error', (e) => { found.error = e; done(found); });
    call.on('end', () => done(found));
  });
}

const payload = (size) => ({ body: new Uint8Array(size) });
const whitespace = '\t\ntest with whitespace\r\nand Unicode BMP \u263a and non-BMP \u{1F608}\t\n';
const cases = {
  empty_unary: async (c) => assert.strictEqual((await unary(c, 'EmptyCall', {})).error, null),
  large_unary: async (c) => {
    const { response } = await unary(c, 'UnaryCall', { responseSize: 314159, payload: payload(271828) });
    assert.strictEqual(response.payload.body.length, 314159);
  },
  custom_metadata: async (c) => {
    const { response, initial, status } = await unary(c, 'UnaryCall', { responseSize: 1 },
      { 'x-grpc-test-echo-initial': 'test_initial_metadata_value', 'x-grpc-test-echo-trailing-bin': 'q6ur' });
    assert.strictEqual(response.payload.body.length, 1);
    assert.strictEqual((initial || {})['x-grpc-test-echo-initial'], 'test_initial_metadata_value');
    assert.strictEqual(((status || {}).metadata || {})['x-grpc-test-echo-trailing-bin'], 'q6ur');
  },
  status_code_and_message: async (c) => {
    const { error } = await unary(c, 'UnaryCall', { responseStatus: { code: 2, message: 'test status message' } });
    assert.deepStrictEqual([error.code, error.message], [StatusCode.UNKNOWN, 'test status message']);
  },
  special_status_message: async (c) => {
    const { error } = await unary(c, 'UnaryCall', { responseStatus: { code: 2, message: whitespace } });
    assert.deepStrictEqual([error.code, error.message], [StatusCode.UNKNOWN, whitespace]);
  },
  unimplemented_method: async (c) => assert.strictEqual((await unary(c, 'UnimplementedCall', {})).error.code, StatusCode.UNIMPLEMENTED),
  timeout_on_sleeping_server: async (c) => {
    const { error } = await stream(c, 'StreamingOutputCall', { responseParameters: [{ size: 1, intervalUs: 3000000 }] },
      { deadline: String(Date.now() + 200) });
    assert.strictEqual(error.code, StatusCode.DEADLINE_EXCEEDED);
  },
  server_streaming: async (c) => {
    const sizes = [31415, 9, 2653, 58979];
    const found = await stream(c, 'StreamingOutputCall', { responseParameters: sizes.map((size) => ({ size })) });
    assert.deepStrictEqual([found.sizes, found.error], [sizes, undefined]);
    assert.strictEqual(found.status.code, StatusCode.OK);
  },
};

async function main() {
  let passed = 0, failed = 0;
  for (const format of ['text', 'binary']) {
    for (const [name, run] of Object.entries(cases)) {
      if (format === 'binary' && /streaming|timeout/.test(name)) continue; // grpc-web streams text alone
      const client = new GrpcWebClientBase({ format });
      try {
        await run(client);
        passed += 1;
      } catch (error) {
        failed += 1;
        console.log(`FAIL ${format} ${name}: ${error.stack}`);
      }
    }
  }
  console.log(`${passed} passed, ${failed} failed`);
  process.exit(failed > 0 ? 1 : 0);
}

main();
