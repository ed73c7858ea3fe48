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
    char address[300];

    snprintf(address, sizeof address, "%s:%s", set.host, set.port);
    snprintf(authority, sizeof authority, "%s", *set.override ? set.override : address);
    config.authority = mote_grpc_authority(authority);
    c->fd = mote_posix_connect(address, 10000);
    if (c->fd < 0)
        return fprintf(stderr, "error: %s\n", mote_posix_error()), -1;
    mote_io io = mote_posix_io(&c->fd);
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
    mote_grpc_shutdown(&c->channel.grpc);
    mote_channel_poll(&c->channel, 0);
    if (tls_config.context) {
        if (*mote_tls_error(c->tls.tls))
            fprintf(stderr, "TLS: %s\n", mote_tls_error(c->tls.tls));
        mote_posix_tls_end(&c->tls);
    }
    close(c->fd);
}

/* ---- calls --------------------------------------------------------------------------------- */

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
        last.status = mote_channel_status(&c->channel, r);
    return r < 0 ? NULL : call;
}

bool send_message(mote_grpc_call *call, const mote_pb_encoder *type, const void *m, bool compressed)
{
    return mote_channel_send(call,
                             &(const mote_grpc_source){mote_pb_encode_part, mote_pb_strerror, type},
                             m, compressed ? 0 : MOTE_CHANNEL_PLAIN) == 0;
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
            last.status = mote_status_of_event(&ev);
            snprintf(last.text, sizeof last.text, "%.*s", (int)ev.message_len, ev.message);
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
