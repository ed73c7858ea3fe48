/* The channel and the calls of interop_client. */
#include "client.h"

settings set;
mote_posix_tls_config tls_config;
connection main_connection;
outcome last;
const uint8_t zeros[LARGEST];
const grpc_testing_BoolValue yes = {true}, no = {false};

static uint8_t message[LARGEST + 4096], packed[2 * LARGEST];
static uint64_t scratch[1 << 14];

/* ---- metadata ------------------------------------------------------------------------------ */

static void keep(char *to, size_t cap, const mote_grpc_event *ev)
{
    snprintf(to, cap, "%.*s", (int)ev->value_len, ev->value);
}

static bool name_is(const mote_grpc_event *ev, const char *name)
{
    return ev->name_len == strlen(name) && memcmp(ev->name, name, ev->name_len) == 0;
}

static void on_metadata(void *context, const mote_grpc_event *ev)
{
    (void)context;
    if (name_is(ev, "x-grpc-test-echo-initial"))
        keep(last.initial, sizeof last.initial, ev);
    if (name_is(ev, "x-grpc-test-echo-trailing-bin"))
        keep(last.trailing, sizeof last.trailing, ev);
    if (name_is(ev, "endpoint-load-metrics-bin"))
        keep(last.load, sizeof last.load, ev);
}

/* "key:value;key:value" of the command line. */
static size_t additional(mote_grpc_metadata *metadata, size_t count)
{
    const char *p = set.additional_metadata;

    while (*p && count < MAX_METADATA) {
        size_t name = strcspn(p, ":"), value;
        if (p[name] == '\0')
            break;
        value = strcspn(p + name + 1, ";");
        metadata[count++] = (mote_grpc_metadata){p, p + name + 1, name, value};
        p += name + 1 + value;
        p += *p == ';';
    }
    return count;
}

/* ---- connection ---------------------------------------------------------------------------- */

int connect_to(connection *c)
{
    static char authority[300];
    size_t size = MOTE_GRPC_MEMORY(MAX_CALLS, LARGEST + 5, TX, 4096, FIELD, SLOTS, 0);
    mote_grpc_config config = {.max_calls = MAX_CALLS,
                               .rx_size = LARGEST + 5,
                               .tx_size = TX,
                               .dynamic = &mote_hpack_dynamic_table,
                               .coder = &mote_hpack_huffman_coder,
                               .table_size = 4096,
                               .field_size = FIELD,
                               .slots = SLOTS,
                               .connection_window = 64 << 20,
                               .tls = tls_config.context != NULL,
                               .codecs = &mote_grpc_zlib,
                               .message = message,
                               .message_size = sizeof message};

    snprintf(c->address, sizeof c->address, "%s:%s", set.host, set.port);
    snprintf(authority, sizeof authority, "%s", *set.override ? set.override : c->address);
    config.authority = mote_grpc_authority(authority);
    c->addresses[0] = c->address;
    c->dialer = (mote_posix_dialer){.fd = -1, .addresses = c->addresses, .count = 1};
    mote_io io = mote_posix_dialer_io(&c->dialer);
    if (tls_config.context) {
        tls_config.host_name = *set.override ? set.override : set.host;
        if (mote_posix_tls_begin(&c->tls, &tls_config, io) < 0)
            return fprintf(stderr, "error: out of memory\n"), -1;
        io = mote_posix_tls_transport(&c->tls);
    }
    c->memory = c->memory ? c->memory : mote_posix_memory(1, size);
    if (!c->memory ||
        mote_channel_init(&c->channel, &config, c->memory, size, c->input, sizeof c->input, io) < 0)
        return fprintf(stderr, "error: out of memory\n"), -1;
    c->channel.on_metadata = on_metadata;
    c->channel.packing = packed;
    c->channel.packing_size = sizeof packed;
    return 0;
}

void disconnect(connection *c)
{
    mote_channel_close(&c->channel, 1000);
    if (tls_config.context) {
        if (*mote_tls_error(c->tls.tls))
            fprintf(stderr, "TLS: %s\n", mote_tls_error(c->tls.tls));
        mote_posix_tls_end(&c->tls);
    }
}

/* ---- calls --------------------------------------------------------------------------------- */

/* The text is kept as it is valid until the next call. */
static void keep_status(mote_status status)
{
    last.status = status;
    snprintf(last.text, sizeof last.text, "%.*s", (int)status.message_len, status.message);
}

mote_grpc_call *start(connection *c, const mote_hpack_field *path, mote_grpc_request options)
{
    mote_grpc_metadata metadata[MAX_METADATA];
    mote_grpc_call *call;
    size_t count = options.metadata_count;

    memset(&last, 0, sizeof last);
    if (count > 0)
        memcpy(metadata, options.metadata, count * sizeof *metadata);
    options.metadata_count = additional(metadata, count);
    options.metadata = metadata;
    options.path = path;
    int r = mote_channel_start(&c->channel, &options, &call);
    if (r < 0)
        keep_status(mote_channel_status(&c->channel, r));
    return r < 0 ? NULL : call;
}

bool send_message(mote_grpc_call *call, const mote_pb_encoder *type, const void *m, bool compressed)
{
    const mote_grpc_source source = {mote_pb_encode_part, mote_pb_strerror, type};
    int r = mote_channel_send(call, &source, m, compressed ? 0 : MOTE_CHANNEL_PLAIN);

    if (r < 0 && mote_grpc_decided(call)) /* its status, which receive() will bring, says why */
        keep_status((mote_status){call->code, call->text ? call->text : "", call->text_len});
    else if (r < 0)
        keep_status(mote_channel_status((mote_channel *)call->grpc, r));
    return r == 0;
}

int call_plainly(connection *c, const grpc_testing_SimpleRequest *request,
                 grpc_testing_SimpleResponse *response)
{
    mote_grpc_metadata metadata[MAX_METADATA];
    mote_grpc_request options = {
        .timeout_ms = 60000, .metadata = metadata, .metadata_count = additional(metadata, 0)};
    mote_pb_arena arena;

    memset(&last, 0, sizeof last);
    mote_pb_arena_init(&arena, scratch, sizeof scratch);
    keep_status(
        grpc_testing_TestService_UnaryCall(&c->channel, options, request, response, &arena));
    return last.status.code;
}

bool receive(mote_grpc_call *call, const mote_pb_decoder *type, void *m)
{
    mote_pb_arena arena;
    mote_grpc_event ev;

    for (;;) {
        mote_channel_recv(call, &ev);
        if (ev.type == MOTE_GRPC_START)
            last.started = true;
        if (ev.type == MOTE_GRPC_STATUS) {
            keep_status(mote_status_of_event(&ev));
            return false;
        }
        if (ev.type == MOTE_GRPC_MESSAGE)
            break;
    }
    last.messages++;
    last.compressed += ev.compressed;
    mote_pb_arena_init(&arena, scratch, sizeof scratch);
    if (type && mote_pb_decode(type, m, ev.data, ev.len, &arena, NULL) < 0)
        fprintf(stderr, "a message of %zu bytes cannot be decoded\n", ev.len), exit(1);
    return true;
}

int finish(mote_grpc_call *call)
{
    while (receive(call, NULL, NULL))
        continue;
    return last.status.code;
}

int unary(const mote_hpack_field *path, mote_grpc_request options, const mote_pb_encoder *type,
          const void *request, bool compressed, const mote_pb_decoder *response_type,
          void *response)
{
    mote_grpc_call *call = start(&main_connection, path, options);

    if (!call)
        return -1;
    if (send_message(call, type, request, compressed))
        mote_channel_half_close(call);
    receive(call, response_type, response);
    return last.messages > 0 ? finish(call) : last.status.code;
}

bool is_payload(const grpc_testing_Payload *payload, size_t size)
{
    return payload && payload->body.len == size && memcmp(payload->body.data, zeros, size) == 0;
}
