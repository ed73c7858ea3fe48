/* Two motes that talk through a wire whose pace, faults and calls the fuzzer chooses. While the
 * wire is sound, no connection fails, each message arrives whole and in order, and each call ends
 * once; a wire that flips bits or breaks still ends every call. First byte: buffer sizes; the rest:
 * commands of two bytes, see step(). */
#include "../grpc/grpc.h"
#include "fuzz.h"

enum { CALLS = 4, WIRE = 1 << 14, MEMORY = 1 << 15 };

typedef struct {
    uint8_t bytes[WIRE];
    size_t len;
} wire;

/* What the client knows of a call. Message number n has size 1 + (n * step) % 700. */
typedef struct {
    mote_grpc_call *call;
    uint32_t sent, received;
    bool pending; /* message number `sent` has been begun */
    bool half_closed, cancelled;
} call_log;

static mote_grpc client, server;
static uint64_t client_memory[MEMORY / 8], server_memory[MEMORY / 8];
static wire to_server, to_client;
static call_log calls[CALLS];
static uint64_t now_ms;
static bool faulty, early, draining;

/* ---- the service: echoes each message ------------------------------------------------------ */

static int echo(mote_grpc_call *call, const mote_grpc_event *ev)
{
    mote_grpc_bytes bytes = {ev->data, ev->len};

    if (ev->type == MOTE_GRPC_MESSAGE)
        return mote_grpc_send(call, &mote_grpc_bytes_source, &bytes, 0);
    return ev->type == MOTE_GRPC_HALF_CLOSE ? mote_grpc_finish(call, 0, NULL) : 0;
}

static const mote_grpc_method methods[] = {{"Echo", echo, NULL, NULL, NULL, false, false}};
static const mote_grpc_service services[] = {{"fuzz", methods, 1, false}};

/* ---- messages ------------------------------------------------------------------------------ */

static size_t message_size(uint32_t number)
{
    return 1 + number * 131 % 700;
}

static uint8_t message_byte(uint32_t number, size_t i)
{
    return (uint8_t)(number * 7 + i);
}

static void send_next(call_log *c)
{
    uint8_t message[1024];
    mote_grpc_bytes bytes = {message, message_size(c->sent)};

    for (size_t i = 0; i < bytes.len; i++)
        message[i] = message_byte(c->sent, i);
    int r = mote_grpc_send(c->call, &mote_grpc_bytes_source, &bytes, 0);
    c->pending = r == MOTE_AGAIN;
    c->sent += r == 0;
}

static void half_close(call_log *c)
{
    if (c->pending)
        send_next(c);
    if (!c->pending && mote_grpc_half_close(c->call) == 0)
        c->half_closed = true;
}

static void check_message(call_log *c, const mote_grpc_event *ev)
{
    ASSERT(faulty || ev->len == message_size(c->received));
    for (size_t i = 0; i < ev->len && !faulty; i++)
        ASSERT(ev->data[i] == message_byte(c->received, i));
    c->received++;
    ASSERT(faulty || c->received <= c->sent + 1); /* one may be on its way in parts */
}

static void on_client_event(const mote_grpc_event *ev)
{
    call_log *c = ev->call ? ev->call->owner : NULL;

    if (!c)
        return;
    ASSERT(c->call == ev->call);
    if (ev->type == MOTE_GRPC_MESSAGE)
        check_message(c, ev);
    if (ev->type != MOTE_GRPC_STATUS)
        return;
    if (!faulty && ev->code == MOTE_GRPC_OK)
        ASSERT(c->half_closed && c->received == c->sent);
    if (!faulty && ev->code != MOTE_GRPC_OK)
        ASSERT(c->cancelled || ev->code == MOTE_GRPC_DEADLINE_EXCEEDED ||
               (early && ev->code == MOTE_GRPC_RESOURCE_EXHAUSTED) ||
               (draining && ev->code == MOTE_GRPC_UNAVAILABLE));
    c->call = NULL;
}

/* ---- the wire ------------------------------------------------------------------------------ */

static void receive(mote_grpc *g, const uint8_t *in, size_t len)
{
    static const uint8_t nothing;
    mote_grpc_event ev;
    size_t used;

    in = in ? in : &nothing;
    if (g->config->server) {
        mote_grpc_serve(g, in, len);
        return;
    }
    while (mote_grpc_recv(g, in, len, &used, &ev) > 0) {
        in += used;
        len -= used;
        on_client_event(&ev);
    }
}

/* At most `n` bytes of output to the wire, and as many from the wire to the other side. */
static bool carry(mote_grpc *from, wire *w, mote_grpc *to, size_t n)
{
    uint8_t piece[WIRE];
    size_t len;
    const uint8_t *p = mote_grpc_peek(from, &len);
    size_t put = p && len < n ? len : p ? n : 0;

    put = put < WIRE - w->len ? put : WIRE - w->len;
    if (put > 0) {
        memcpy(w->bytes + w->len, p, put);
        w->len += put;
        mote_grpc_ack(from, put);
        receive(from, NULL, 0);
    }
    size_t take = w->len < n ? w->len : n;
    memcpy(piece, w->bytes, take);
    memmove(w->bytes, w->bytes + take, w->len - take);
    w->len -= take;
    receive(to, piece, take);
    return put > 0 || take > 0;
}

static void tick(uint32_t ms)
{
    if (now_ms + ms >= MOTE_H2_SETTINGS_TIMEOUT_MS) /* SETTINGS may still wait for their ACK */
        return;
    now_ms += ms;
    mote_grpc_tick(&client, now_ms);
    mote_grpc_tick(&server, now_ms);
    receive(&client, NULL, 0);
    receive(&server, NULL, 0);
}

/* ---- commands ------------------------------------------------------------------------------ */

static void start_call(call_log *c, uint8_t argument)
{
    static const mote_hpack_field path = MOTE_HPACK_FIELD(":path", "/fuzz/Echo");
    mote_grpc_request request = {.path = &path,
                                 .timeout_ms = argument & 0x80 ? 100u * (argument & 0x7f) : 0};
    mote_grpc_call *call;

    if (c->call || mote_grpc_start(&client, &request, &call) < 0)
        return;
    memset(c, 0, sizeof *c);
    c->call = call;
    call->owner = c;
}

static void flip(wire *w, uint8_t argument)
{
    if (w->len == 0)
        return;
    w->bytes[argument % w->len] ^= (uint8_t)(1 << argument % 8);
    faulty = true;
}

static void step(uint8_t command, uint8_t argument)
{
    call_log *c = &calls[argument % CALLS];

    switch (command % 12) {
    case 0:
    case 1:
        carry(&client, &to_server, &server, argument + 1u);
        break;
    case 2:
    case 3:
        carry(&server, &to_client, &client, argument + 1u);
        break;
    case 4:
        start_call(c, argument);
        break;
    case 5:
    case 6:
        if (c->call && !c->half_closed)
            send_next(c);
        break;
    case 7:
        if (c->call && !c->half_closed)
            half_close(c);
        break;
    case 8:
        if (c->call) {
            mote_grpc_cancel(c->call);
            c->cancelled = true;
            receive(&client, NULL, 0);
        }
        break;
    case 9:
        tick(argument);
        break;
    case 10:
        if (command & 0x80)
            flip(argument & 1 ? &to_server : &to_client, argument);
        break;
    default:
        if (argument == 255) { /* calls that are on their way are refused */
            mote_grpc_shutdown(&server);
            draining = true;
        }
    }
}

static void init(uint8_t sizes)
{
    static const uint32_t rx[] = {64, 300, 1024, 2048}, tx[] = {256, 400, 1024, 4096};
    static mote_grpc_config client_config, config;

    client_config = (mote_grpc_config){.max_calls = CALLS,
                                       .slots = 8,
                                       .rx_size = rx[sizes & 3] + 705,
                                       .tx_size = tx[sizes >> 2 & 3],
                                       .field_size = 256,
                                       .authority = MOTE_GRPC_AUTHORITY("fuzz"),
                                       .budget = 1u << 20};
    memset(calls, 0, sizeof calls);
    to_server.len = to_client.len = 0;
    now_ms = 1;
    faulty = draining = false;
    ASSERT(mote_grpc_init(&client, &client_config, client_memory, sizeof client_memory) == 0);
    config = client_config;
    config.server = true;
    config.coder = sizes & 1 ? &mote_hpack_huffman_coder : NULL;
    config.table_size = 4096;
    config.tx_size = tx[sizes >> 4 & 3];
    config.services = services;
    config.service_count = 1;
    ASSERT(mote_grpc_init(&server, &config, server_memory, sizeof server_memory) == 0);
    tick(0);
}

/* Lets the calls come to their end. */
static void settle(void)
{
    bool moved = true;

    for (int i = 0; i < 10000 && moved; i++) {
        for (int k = 0; k < CALLS; k++) {
            if (calls[k].call && !calls[k].half_closed)
                half_close(&calls[k]);
        }
        moved = carry(&client, &to_server, &server, 1000);
        moved |= carry(&server, &to_client, &client, 1000);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1)
        return 0;
    init(data[0]);
    early = data[0] & 0x40;
    if (!early)
        settle();
    for (size_t i = 1; i + 1 < size; i += 2)
        step(data[i], data[i + 1]);
    settle();
    if (!faulty) {
        ASSERT(client.h2.error == 0 && server.h2.error == 0);
        ASSERT(mote_grpc_active(&client) == 0 && mote_grpc_active(&server) == 0);
    }
    mote_grpc_recv_eof(&client);
    mote_grpc_recv_eof(&server);
    receive(&client, NULL, 0);
    receive(&server, NULL, 0);
    ASSERT(mote_grpc_active(&client) == 0 && mote_grpc_active(&server) == 0);
    for (int k = 0; k < CALLS; k++)
        ASSERT(calls[k].call == NULL);
    return 0;
}
