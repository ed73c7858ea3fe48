/*
 * The client under test of the gRPC conformance suite: for each ClientCompatRequest on standard
 * input it makes a call and writes a ClientCompatResponse to standard output.
 *
 *   connectconformance --mode client --conf FILE -- grpc_conformance_client
 */
#include "../../examples/common/options.h"
#include "../../grpc/codec/codec.h"
#include "conformance.h"

#include <unistd.h>

enum { LARGEST = 4 << 20, TX = 65536, FIELD = 16384, SLOTS = 16 };

typedef connectrpc_conformance_v1_ClientCompatRequest request_t;
typedef connectrpc_conformance_v1_ClientResponseResult result_t;

static mote_channel channel;
static uint8_t input[65536], packed[4 * LARGEST];
static uint64_t *memory;
static mote_posix_tls_io tls;
static mote_posix_tls_config tls_config = {.host_name = "localhost"};

/* What the call in progress has brought. */
static headers response_headers, response_trailers;
static connectrpc_conformance_v1_ConformancePayload *payloads;
static size_t payload_count, response_count;
static connectrpc_conformance_v1_Error *call_error;
static google_rpc_Status details;
static bool over;

static void on_metadata(void *context, const mote_grpc_event *ev)
{
    static const char name[] = "grpc-status-details-bin";
    (void)context;

    headers_add(ev->trailing ? &response_trailers : &response_headers, ev);
    if (ev->name_len != sizeof name - 1 || memcmp(ev->name, name, ev->name_len) != 0)
        return;
    uint8_t *bytes = get_memory(ev->value_len);
    int n = mote_grpc_bin_decode(ev->value, ev->value_len, bytes, ev->value_len);
    if (n < 0 || !decode_copy(&google_rpc_Status_decoder, &details, bytes, (size_t)n))
        memset(&details, 0, sizeof details);
}

static int connect_to(const request_t *r, int *fd)
{
    char *address = get_memory(r->host.len + 16);
    uint32_t limit = r->message_receive_limit ? r->message_receive_limit : LARGEST;
    size_t size = MOTE_GRPC_MEMORY(1, LARGEST + 5, TX, 4096, FIELD, SLOTS, 0);
    static uint8_t message[LARGEST];
    mote_grpc_config config = {.max_calls = 1,
                               .rx_size = limit + 5,
                               .tx_size = TX,
                               .dynamic = &mote_hpack_dynamic_table,
                               .coder = &mote_hpack_huffman_coder,
                               .table_size = 4096,
                               .field_size = FIELD,
                               .slots = SLOTS,
                               .authority = mote_grpc_authority(address),
                               .tls = r->server_tls_cert.len > 0,
                               .codecs = &mote_grpc_zlib,
                               .message = message,
                               .message_size = limit};

    snprintf(address, r->host.len + 16, "%.*s:%u", (int)r->host.len, r->host.data, r->port);
    memory = memory ? memory : mote_posix_memory(1, size);
    *fd = mote_posix_connect(address, 5000);
    if (*fd < 0 || !memory || limit > LARGEST)
        return -1;
    mote_io io = mote_posix_io(fd);
    if (r->server_tls_cert.len > 0) {
        mote_pb_bytes none = {0};
        tls_config.context = make_context(false, r->server_tls_cert,
                                          r->client_tls_creds ? r->client_tls_creds->cert : none,
                                          r->client_tls_creds ? r->client_tls_creds->key : none);
        /* the certificate names localhost; mbedTLS 2.28 does not compare addresses */
        if (!tls_config.context || mote_posix_tls_begin(&tls, &tls_config, io) < 0)
            return -1;
        io = mote_posix_tls_transport(&tls);
    }
    int e = mote_channel_init(&channel, &config, memory, size, input, sizeof input, io);
    channel.on_metadata = on_metadata;
    return e;
}

/* ---- the call ------------------------------------------------------------------------------ */

static void on_status(const mote_grpc_event *ev, bool one_response)
{
    mote_pb_string text = {ev->message, ev->message_len};
    int code = ev->code;

    over = true;
    if (code == MOTE_GRPC_OK && one_response && response_count != 1) {
        code = MOTE_GRPC_UNIMPLEMENTED;
        text = mote_pb_cstring("not one response");
    }
    if (code == MOTE_GRPC_OK)
        return;
    call_error = get_memory(sizeof *call_error);
    call_error->code = code;
    char *copy = get_memory(text.len);
    memcpy(copy, text.data, text.len);
    call_error->message.has = true;
    call_error->message.value = (mote_pb_string){copy, text.len};
    call_error->details.items = details.details.items;
    call_error->details.count = details.details.count;
    if (one_response)
        payload_count = 0;
}

/* The next response, or the end. */
static void receive(mote_grpc_call *call, bool one_response)
{
    mote_grpc_event ev;
    connectrpc_conformance_v1_UnaryResponse response; /* all have the same fields */

    for (;;) {
        mote_channel_recv(call, &ev);
        if (ev.type == MOTE_GRPC_STATUS) {
            on_status(&ev, one_response);
            return;
        }
        if (ev.type == MOTE_GRPC_MESSAGE)
            break;
    }
    response_count++;
    if (!decode_copy(&connectrpc_conformance_v1_UnaryResponse_decoder, &response, ev.data, ev.len))
        return;
    connectrpc_conformance_v1_ConformancePayload *all =
        get_memory((payload_count + 1) * sizeof *all);
    if (payload_count > 0)
        memcpy(all, payloads, payload_count * sizeof *all);
    if (response.payload)
        all[payload_count] = *response.payload;
    payload_count++;
    payloads = all;
}

static void wait_ms(uint32_t ms)
{
    uint64_t until = mote_posix_now_ms() + ms, now;

    while ((now = mote_posix_now_ms()) < until) {
        if (mote_channel_poll(&channel, (uint32_t)(until - now)) < 0)
            return;
    }
}

static bool send_request(mote_grpc_call *call, const request_t *r, const google_protobuf_Any *any)
{
    mote_grpc_bytes message = {any->value.data, any->value.len}, compressed;

    if (r->compression != connectrpc_conformance_v1_Compression_COMPRESSION_GZIP)
        return mote_channel_send(call, &mote_grpc_bytes_source, &message, 0) == 0;
    return mote_grpc_compress(call, &mote_grpc_bytes_source, &message, packed, sizeof packed,
                              &compressed) == 0 &&
           mote_channel_send(call, &mote_grpc_bytes_source, &compressed, MOTE_GRPC_COMPRESSED) == 0;
}

typedef connectrpc_conformance_v1_ClientCompatRequest_Cancel cancel_t;

static bool cancels(const request_t *r, uint32_t which)
{
    return r->cancel && r->cancel->cancel_timing.which == which;
}

static void after_response(mote_grpc_call *call, const request_t *r)
{
    if (!over &&
        cancels(r, connectrpc_conformance_v1_ClientCompatRequest_Cancel_after_num_responses) &&
        response_count == r->cancel->cancel_timing.is.after_num_responses)
        mote_grpc_cancel(call);
}

static void end_sending(mote_grpc_call *call, const request_t *r)
{
    if (cancels(r, connectrpc_conformance_v1_ClientCompatRequest_Cancel_before_close_send)) {
        mote_grpc_cancel(call);
        return;
    }
    mote_channel_half_close(call);
    if (r->cancel &&
        (r->cancel->cancel_timing.which == 0 ||
         cancels(r, connectrpc_conformance_v1_ClientCompatRequest_Cancel_after_close_send_ms))) {
        wait_ms(r->cancel->cancel_timing.which ? r->cancel->cancel_timing.is.after_close_send_ms
                                               : 0);
        mote_grpc_cancel(call);
    }
}

/* Returns the number of requests that were not sent. */
static size_t converse(mote_grpc_call *call, const request_t *r)
{
    bool full =
        r->stream_type == connectrpc_conformance_v1_StreamType_STREAM_TYPE_FULL_DUPLEX_BIDI_STREAM;
    bool one = r->stream_type == connectrpc_conformance_v1_StreamType_STREAM_TYPE_UNARY ||
               r->stream_type == connectrpc_conformance_v1_StreamType_STREAM_TYPE_CLIENT_STREAM;
    size_t sent = 0, count = r->request_messages.count;

    for (; sent < count && !over; sent++) {
        wait_ms(r->request_delay_ms);
        if (!send_request(call, r, &r->request_messages.items[sent]))
            break;
        if (full) {
            receive(call, false);
            after_response(call, r);
        }
    }
    if (!over && (sent == count || !full))
        end_sending(call, r);
    while (!over) {
        receive(call, one);
        after_response(call, r);
    }
    return count - sent;
}

static const char *run(const request_t *r, result_t *result)
{
    char *path = get_memory(r->service.value.len + r->method.value.len + 2);
    mote_hpack_field path_field = MOTE_HPACK_FIELD(":path", "");
    mote_grpc_metadata *metadata;
    mote_grpc_request options = {.path = &path_field};
    mote_grpc_call *call;
    int fd;

    response_headers = response_trailers = (headers){0};
    payload_count = response_count = 0;
    call_error = NULL;
    over = false;
    memset(&details, 0, sizeof details);
    if (connect_to(r, &fd) < 0)
        return mote_posix_error();
    path_field.value_len =
        (uint16_t)sprintf(path, "/%.*s/%.*s", (int)r->service.value.len, r->service.value.data,
                          (int)r->method.value.len, r->method.value.data);
    path_field.value = path;
    options.timeout_ms = r->timeout_ms.has ? r->timeout_ms.value : 0;
    options.metadata_count =
        to_metadata(r->request_headers.items, r->request_headers.count, 0, &metadata);
    options.metadata = metadata;
    if (r->compression == connectrpc_conformance_v1_Compression_COMPRESSION_GZIP)
        options.codec = &mote_grpc_gzip;
    int e = mote_channel_start(&channel, &options, &call);
    if (e == 0)
        result->num_unsent_requests = (int32_t)converse(call, r);
    if (e < 0) { /* a deadline may pass before a call begins */
        mote_status s = mote_channel_status(&channel, e);
        on_status(&(const mote_grpc_event){.type = MOTE_GRPC_STATUS,
                                           .code = s.code,
                                           .message = s.message,
                                           .message_len = s.message_len},
                  false);
    }
    mote_channel_poll(&channel, 0);
    if (r->server_tls_cert.len > 0) {
        mote_posix_tls_end(&tls);
        mote_tls_context_end(tls_config.context);
    }
    close(fd);
    return NULL;
}

int main(int argc, char **argv)
{
    request_t r;
    const option options[] = {OPTIONS_END};

    parse_options(argc, argv,
                  "grpc_conformance_client: the client under test of connectconformance; started "
                  "by it",
                  options);
    while (read_message(&connectrpc_conformance_v1_ClientCompatRequest_decoder, &r)) {
        connectrpc_conformance_v1_ClientCompatResponse response = {.test_name = r.test_name};
        connectrpc_conformance_v1_ClientErrorResult error = {0};
        result_t result = {0};
        const char *text = run(&r, &result);
        if (text) {
            error.message = mote_pb_cstring(text);
            response.result.which = connectrpc_conformance_v1_ClientCompatResponse_error;
            response.result.is.error = &error;
        } else {
            result.response_headers.items = response_headers.items;
            result.response_headers.count = response_headers.count;
            result.response_trailers.items = response_trailers.items;
            result.response_trailers.count = response_trailers.count;
            result.payloads.items = payloads;
            result.payloads.count = payload_count;
            result.error = call_error;
            response.result.which = connectrpc_conformance_v1_ClientCompatResponse_response;
            response.result.is.response = &result;
        }
        write_message(&connectrpc_conformance_v1_ClientCompatResponse_encoder, &response);
    }
    return 0;
}
