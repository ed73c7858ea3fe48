/* Two motes that talk through a wire which cuts at random, with little memory on both sides. */
#ifndef GRPC_HARNESS_H
#define GRPC_HARNESS_H

#include "../../grpc/channel/channel.h"
#include "../../grpc/grpc_internal.h"
#include "../test.h"

enum { CALLS = 6, MAX_MEMORY = 1 << 18, WIRE = 1 << 16 };

/* ---- the wire ------------------------------------------------------------------------------ */

typedef struct {
    uint8_t bytes[WIRE];
    size_t len;
} wire;

static mote_grpc client, server;
static uint64_t client_memory[MAX_MEMORY / 8], server_memory[MAX_MEMORY / 8];
static wire to_server, to_client;
static uint32_t seed;

/* Moves some output to the wire; with a seed of 0 all of it. */
static bool write_some(mote_grpc *g, wire *w)
{
    size_t len;
    const uint8_t *p = mote_grpc_peek(g, &len);

    if (!p)
        return false;
    size_t n = seed ? 1 + test_random(&seed) % len : len;
    n = n < WIRE - w->len ? n : WIRE - w->len;
    memcpy(w->bytes + w->len, p, n);
    w->len += n;
    mote_grpc_ack(g, n);
    return n > 0;
}

static size_t read_size(const wire *w)
{
    return seed && w->len > 0 ? 1 + test_random(&seed) % w->len : w->len;
}

static void remove_bytes(wire *w, size_t n)
{
    memmove(w->bytes, w->bytes + n, w->len - n);
    w->len -= n;
}

/* ---- the client's log ---------------------------------------------------------------------- */

typedef struct {
    mote_grpc_call *call;
    uint32_t messages, bytes, status_count;
    uint32_t expected; /* number that the next message should carry */
    uint32_t last;     /* number that the last one did carry */
    int code;
    bool started, in_order;
    char text[256];
    char metadata[512];
} client_call;

static client_call calls[CALLS];

static client_call *log_of(const mote_grpc_call *call)
{
    return call->owner;
}

static void on_client_event(const mote_grpc_event *ev)
{
    client_call *c = ev->call ? log_of(ev->call) : NULL;

    if (!c)
        return;
    if (ev->type == MOTE_GRPC_METADATA)
        snprintf(c->metadata + strlen(c->metadata), sizeof c->metadata - strlen(c->metadata),
                 "%s%.*s=%.*s;", ev->trailing ? "t:" : "", (int)ev->name_len, ev->name,
                 (int)ev->value_len, ev->value);
    if (ev->type == MOTE_GRPC_START)
        c->started = true;
    if (ev->type == MOTE_GRPC_MESSAGE) {
        uint32_t number = 0;
        memcpy(&number, ev->data, ev->len < 4 ? ev->len : 4);
        c->last = number;
        c->in_order = c->in_order && (ev->len < 4 || number == c->expected++);
        c->messages++;
    }
    if (ev->type == MOTE_GRPC_MESSAGE || ev->type == MOTE_GRPC_CHUNK)
        c->bytes += (uint32_t)ev->len;
    if (ev->type == MOTE_GRPC_STATUS) {
        c->status_count++;
        c->code = ev->code;
        snprintf(c->text, sizeof c->text, "%.*s", (int)ev->message_len, ev->message);
        c->call = NULL;
    }
}

static void client_recv(const uint8_t *in, size_t len)
{
    mote_grpc_event ev;
    size_t used;

    while (mote_grpc_recv(&client, in, len, &used, &ev) > 0) {
        in += used;
        len -= used;
        on_client_event(&ev);
    }
}

/* A call whose handler was not ready; it is by the next step. */
static mote_grpc_call *deferred;

/* One step of the wire in both directions; false when nothing moves any more. */
static bool step(void)
{
    bool moved = write_some(&client, &to_server) || deferred;
    size_t n = read_size(&to_server);

    if (deferred)
        mote_grpc_resume(deferred);
    deferred = NULL;

    moved = write_some(&server, &to_client) || moved || n > 0 || to_client.len > 0;
    mote_grpc_serve(&server, to_server.bytes, n);
    remove_bytes(&to_server, n);
    n = read_size(&to_client);
    client_recv(to_client.bytes, n);
    remove_bytes(&to_client, n);
    return moved;
}

static void settle(void)
{
    while (step())
        ;
}

/* ---- the server ---------------------------------------------------------------------------- */

typedef struct {
    uint32_t received, bytes, sent, wanted, defer;
} server_state;

static uint32_t server_closed, server_closed_code, server_half_closed;

/* Echoes each message; MOTE_AGAIN is handed on. */
static int echo(mote_grpc_call *call, const mote_grpc_event *ev)
{
    mote_grpc_bytes message = {ev->data, ev->len};

    if (ev->type == MOTE_GRPC_MESSAGE)
        return mote_grpc_send(call, &mote_grpc_bytes_source, &message, 0);
    if (ev->type == MOTE_GRPC_HALF_CLOSE) {
        server_half_closed++;
        return mote_grpc_finish(call, MOTE_GRPC_OK, NULL);
    }
    if (ev->type == MOTE_GRPC_CLOSED) {
        server_closed++;
        server_closed_code = (uint32_t)ev->code;
    }
    return 0;
}

/* The first message is a number: that many messages of 40 bytes come back, counted from 0. */
static int count(mote_grpc_call *call, const mote_grpc_event *ev)
{
    server_state *s = call->user;
    uint8_t bytes[40] = {0};
    mote_grpc_bytes message = {bytes, sizeof bytes};
    int r;

    if (ev->type == MOTE_GRPC_MESSAGE)
        memcpy(&s->wanted, ev->data, 4);
    if (ev->type != MOTE_GRPC_HALF_CLOSE && ev->type != MOTE_GRPC_WRITABLE)
        return 0;
    for (; s->sent < s->wanted; s->sent++) {
        memcpy(bytes, &s->sent, 4);
        if ((r = mote_grpc_send(call, &mote_grpc_bytes_source, &message, 0)) < 0)
            return r == MOTE_AGAIN ? 0 : r;
    }
    r = mote_grpc_finish(call, MOTE_GRPC_OK, NULL);
    return r == MOTE_AGAIN ? 0 : r;
}

/* The message is a status code, which ends the call. */
static int status(mote_grpc_call *call, const mote_grpc_event *ev)
{
    if (ev->type == MOTE_GRPC_MESSAGE && ev->data[0] == 0)
        return mote_grpc_finish(call, 0, NULL);
    if (ev->type == MOTE_GRPC_MESSAGE && ev->data[0] < 100)
        return mote_grpc_finish(call, ev->data[0], "a \xe2\x82\xac 100% text \n with a break");
    return ev->type == MOTE_GRPC_MESSAGE ? ev->data[0] - 100 : 0;
}

/* Takes every message only at the third offer, then answers with how many bytes there were. */
static int slow(mote_grpc_call *call, const mote_grpc_event *ev)
{
    server_state *s = call->user;
    mote_grpc_bytes message = {(const uint8_t *)&s->bytes, 4};

    if (ev->type == MOTE_GRPC_MESSAGE || ev->type == MOTE_GRPC_CHUNK) {
        if (s->defer++ % 3 != 2) {
            deferred = call;
            return MOTE_AGAIN;
        }
        s->bytes += (uint32_t)ev->len;
        s->received++;
    }
    if (ev->type != MOTE_GRPC_HALF_CLOSE)
        return 0;
    if (s->sent == 0) {
        int r = mote_grpc_send(call, &mote_grpc_bytes_source, &message, 0);
        if (r < 0)
            return r;
        s->sent = 1;
    }
    return mote_grpc_finish(call, MOTE_GRPC_OK, NULL);
}

static int metadata(mote_grpc_call *call, const mote_grpc_event *ev)
{
    static const mote_grpc_metadata initial = MOTE_GRPC_METADATA_FIELD("x-initial", "one");
    static char echoed[128];
    static size_t echoed_len;

    if (ev->type == MOTE_GRPC_METADATA && ev->name_len == 9 &&
        memcmp(ev->name, "x-ask-bin", 9) == 0) {
        memcpy(echoed, ev->value, ev->value_len);
        echoed_len = ev->value_len;
    }
    if (ev->type == MOTE_GRPC_START)
        return mote_grpc_send_headers(call, &initial, 1);
    if (ev->type == MOTE_GRPC_HALF_CLOSE) {
        mote_grpc_metadata trailer = {"x-answer-bin", echoed, 12, echoed_len};
        return mote_grpc_finish_with(call, 0, NULL, 0, &trailer, 1);
    }
    return 0;
}

static int silent(mote_grpc_call *call, const mote_grpc_event *ev)
{
    (void)call;
    if (ev->type == MOTE_GRPC_CLOSED) {
        server_closed++;
        server_closed_code = (uint32_t)ev->code;
    }
    return 0;
}

/* Counts what it is told of its calls, and does in the phase of interest what it is asked for. */
static struct {
    uint32_t begun, ended, act_at; /* an event type */
    int returns;                   /* what it then returns, */
    bool finishes, answers;        /* or does */
    int code;                      /* of the last end */
    mote_grpc_handle handle;       /* of the last call */
} way;

static int go_a_way(mote_grpc_call *call, const mote_grpc_event *ev)
{
    static const mote_grpc_bytes empty = {NULL, 0};
    server_state *s = call->user;

    if (s->received++ == 0) { /* its first event, a field of its metadata or START */
        way.begun++;
        way.handle = mote_grpc_handle_of(call);
    }
    if (ev->type == MOTE_GRPC_CLOSED) {
        way.ended++;
        way.code = ev->code;
    }
    if (ev->type != way.act_at)
        return 0;
    if (way.finishes)
        return mote_grpc_finish(call, MOTE_GRPC_ABORTED, "finished");
    if (way.answers)
        return mote_grpc_answer(call, &mote_grpc_bytes_source, &empty);
    return way.returns;
}

static const mote_grpc_method methods[] = {
    {"Echo", echo, NULL, NULL, NULL, false, false},
    {"Count", count, NULL, NULL, NULL, false, false},
    {"Status", status, NULL, NULL, NULL, false, false},
    {"Slow", slow, NULL, NULL, NULL, false, false},
    {"Metadata", metadata, NULL, NULL, NULL, false, false},
    {"Silent", silent, NULL, NULL, NULL, false, false},
    {"Chunks", slow, NULL, NULL, &mote_grpc_chunks, false, false},
    {"Way", go_a_way, NULL, NULL, NULL, false, false},
    {"Once", go_a_way, NULL, NULL, NULL, true, true},
};
static const mote_grpc_service services[] = {{"other.Service", methods, 1, false},
                                             {"test.Service", methods, 9, false}};

#define PATH(name) MOTE_HPACK_FIELD(":path", "/test.Service/" name)
static const mote_hpack_field echo_path = PATH("Echo"), count_path = PATH("Count"),
                              status_path = PATH("Status"), slow_path = PATH("Slow"),
                              metadata_path = PATH("Metadata"), silent_path = PATH("Silent"),
                              chunks_path = PATH("Chunks"), way_path = PATH("Way"),
                              once_path = PATH("Once");

/* ---- set-up -------------------------------------------------------------------------------- */

static mote_grpc_config client_config, server_config;

static void connect_with(uint32_t rx, uint32_t tx, uint32_t new_seed)
{
    client_config = (mote_grpc_config){.max_calls = CALLS,
                                       .slots = 8,
                                       .rx_size = rx,
                                       .tx_size = tx,
                                       .field_size = 256,
                                       .authority = MOTE_GRPC_AUTHORITY("test")};
    server_config = client_config;
    server_config.server = true;
    server_config.table_size = 4096;
    server_config.user_size = sizeof(server_state);
    server_config.services = services;
    server_config.service_count = 2;
    seed = new_seed;
    to_server.len = to_client.len = 0;
    deferred = NULL;
    server_closed = server_closed_code = server_half_closed = 0;
    memset(calls, 0, sizeof calls);
    CHECK_INT(mote_grpc_init(&client, &client_config, client_memory, sizeof client_memory), 0);
    CHECK_INT(mote_grpc_init(&server, &server_config, server_memory, sizeof server_memory), 0);
    mote_grpc_tick(&client, 1000);
    mote_grpc_tick(&server, 1000);
    settle();
}

static client_call *call_start(int i, const mote_hpack_field *path, uint32_t timeout_ms)
{
    mote_grpc_request request = {.path = path, .timeout_ms = timeout_ms};
    client_call *c = &calls[i];

    memset(c, 0, sizeof *c);
    c->code = -1;
    c->in_order = true;
    CHECK_INT(mote_grpc_start(&client, &request, &c->call), 0);
    if (c->call)
        c->call->owner = c;
    return c;
}

/* Sends a message, moving the wire as long as there is no room. */
static inline void call_send(client_call *c, const void *data, size_t len, unsigned flags)
{
    mote_grpc_bytes message = {data, len};
    int r;

    while (c->call &&
           (r = mote_grpc_send(c->call, &mote_grpc_bytes_source, &message, flags)) == MOTE_AGAIN)
        if (!step()) {
            CHECK(!"stuck");
            return;
        }
}

static inline void call_end(client_call *c)
{
    while (c->call && mote_grpc_half_close(c->call) == MOTE_AGAIN)
        step();
    settle();
}

#endif
