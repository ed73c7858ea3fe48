/* Every wait of a server, against a client that stops there: the call, or the connection where that
 * has no deadline, ends in time, the client is told why, and the next call works. In virtual time;
 * what lies between the engine and the client's bytes is a layer. */
#ifndef SERVED_MATRIX_H
#define SERVED_MATRIX_H

#include "../../port/posix/posix.h"
#include "../test.h"

enum { CALLS = 4, RX = 512, TX = 512, START = 1000, LIMIT = 3000 };

/* Where the client stops. Up to HALF_DATA its call has no deadline. */
typedef enum {
    SAYS_NOTHING,
    HALF_PREFACE,
    NO_SETTINGS,
    NO_ACK,
    HALF_BLOCK,
    HALF_DATA,
    NO_MESSAGE,
    HALF_FRAME,
    HALF_MESSAGE,
    NO_END,
    NO_ANSWER,     /* of the handler */
    TAKES_NOTHING, /* the handler */
    NO_WINDOW,     /* for the answer */
    NO_ROOM,       /* the transport takes nothing of it */
    GOES_ON,       /* the answer */
    STOPS
} stop;

static stop client_stops;
static uint64_t now;
static mote_grpc grpc;
static uint64_t memory[MOTE_GRPC_MEMORY(CALLS, RX, TX, 4096, 256, 8, 0) / 8];
static uint8_t heard[1 << 17]; /* by the client */
static size_t heard_len;
static unsigned closed; /* calls whose end the handler was told */
static int closed_code;
static bool ended; /* the server's engine */

/* ---- the server -------------------------------------------------------------------------------
 */

static int goes_on(mote_grpc_call *call)
{
    static uint8_t big[500];
    int r;

    do
        r = mote_grpc_send(call, &mote_grpc_bytes_source, &(mote_grpc_bytes){big, sizeof big}, 0);
    while (r == 0);
    return r == MOTE_AGAIN ? 0 : r;
}

static int on_event(mote_grpc_call *call, const mote_grpc_event *ev)
{
    bool stopped = mote_grpc_timeout_for(call) > 0 && client_stops < STOPS;

    if (ev->type == MOTE_GRPC_CLOSED) {
        closed++;
        closed_code = ev->code;
    }
    if (ev->type == MOTE_GRPC_MESSAGE && stopped && client_stops == TAKES_NOTHING)
        return MOTE_AGAIN;
    if (stopped && (client_stops == GOES_ON || client_stops == NO_ROOM) &&
        (ev->type == MOTE_GRPC_HALF_CLOSE || ev->type == MOTE_GRPC_WRITABLE))
        return goes_on(call);
    if (ev->type != MOTE_GRPC_HALF_CLOSE || (stopped && client_stops == NO_ANSWER))
        return 0;
    return mote_grpc_answer(call, &mote_grpc_bytes_source,
                            &(mote_grpc_bytes){(const uint8_t *)"hello", 5});
}

static const mote_grpc_method methods[] = {{.name = "C", .handler = on_event}};
static const mote_grpc_service services[] = {{"a.B", methods, 1, false}};

static const mote_posix_engine *engine; /* the outermost */
static void *self;

static void run_engine(const uint8_t *in, size_t len)
{
    size_t used;

    while (!ended) {
        engine->clock(self, now);
        enum mote_posix_input r = engine->input(self, in, len, &used);
        ended = r == MOTE_POSIX_ENDED;
        if (r != MOTE_POSIX_OUTPUT_FIRST)
            return;
        in += used;
        len -= used;
        if (!engine->peek(self, &used))
            return;
        CHECK(!"output that leaves first is taken by layer.carry");
    }
}

/* ---- what lies between ------------------------------------------------------------------------
 */

typedef struct {
    void (*open)(void);
    void (*to_server)(const uint8_t *bytes, size_t len);
    void (*from_server)(void); /* what there is, appended to heard */
} link_layer;

static void hear(const uint8_t *bytes, size_t len)
{
    CHECK(heard_len + len <= sizeof heard);
    memcpy(heard + heard_len, bytes, len);
    heard_len += len;
}

static void plain_open(void)
{
    engine = &mote_posix_grpc_server;
    self = &grpc;
}

static void plain_from(void)
{
    const uint8_t *out;
    size_t len;

    while ((out = engine->peek(self, &len))) {
        hear(out, len);
        engine->ack(self, len);
        run_engine(NULL, 0);
    }
}

static const link_layer plain_layer = {plain_open, run_engine, plain_from};
static link_layer layer;
static bool holds; /* the transport takes nothing from the server */

/* ---- the client -------------------------------------------------------------------------------
 */

static void frame(uint8_t type, uint8_t flags, uint8_t id, const void *payload, size_t len)
{
    uint8_t bytes[256] = {0, 0, (uint8_t)len, type, flags, 0, 0, 0, id};

    if (len > 0)
        memcpy(bytes + 9, payload, len);
    layer.to_server(bytes, 9 + len);
}

static void headers(uint8_t id, bool deadline)
{
    static const char block[] = "\x83\x86\x04\x06/a.B/C\0\x02te\x08trailers"
                                "\x0f\x10\x10"
                                "application/grpc\0\x0cgrpc-timeout\x02"
                                "3S";
    size_t len = sizeof block - 1;

    frame(1, 4, id, block, deadline ? len : len - 17);
}

static void request(uint8_t id)
{
    headers(id, true);
    frame(0, 1, id, "\0\0\0\0\2hi", 7);
}

static void settings(bool window)
{
    frame(4, 0, 0, "\0\4\0\0\0", 0);
    if (!window)
        frame(4, 0, 0, "\0\4\0\0\0\0", 6);
}

static void connect_until_stop(void)
{
    static const uint8_t preface[] = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

    if (client_stops > SAYS_NOTHING)
        layer.to_server(preface, client_stops == HALF_PREFACE ? 10 : 24);
    if (client_stops > NO_SETTINGS)
        settings(client_stops != NO_WINDOW);
    if (client_stops > NO_ACK)
        frame(4, 1, 0, NULL, 0);
}

static void call_until_stop(void)
{
    if (client_stops == HALF_BLOCK)
        layer.to_server((const uint8_t *)"\0\0\2\1\0\0\0\0\1\x83\x86", 11);
    else if (client_stops >= HALF_DATA)
        headers(1, client_stops > HALF_DATA);
    if (client_stops == HALF_DATA || client_stops == HALF_FRAME)
        layer.to_server((const uint8_t *)"\0\0\7\0\0\0\0\0\1\0\0\0", 12);
    else if (client_stops == HALF_MESSAGE)
        frame(0, 0, 1, "\0\0\0\0\5he", 7);
    else if (client_stops > HALF_MESSAGE)
        frame(0, client_stops > NO_END, 1, "\0\0\0\0\2hi", 7);
}

/* It goes on where it had stopped. */
static void mend(stop where)
{
    client_stops = STOPS;
    holds = false;
    if (where == HALF_FRAME)
        layer.to_server((const uint8_t *)"\0\2hi", 4);
    else if (where == NO_WINDOW)
        frame(4, 0, 0, "\0\4\0\0\xff\xff", 6);
    else if (where == GOES_ON || where == NO_ROOM)
        frame(8, 0, 0, "\0\0\xff\xff", 4);
}

/* ---- time -------------------------------------------------------------------------------------
 */

static bool was_heard(const char *text, size_t len)
{
    for (size_t i = 0; i + len <= heard_len; i++) {
        if (memcmp(heard + i, text, len) == 0)
            return true;
    }
    return false;
}

/* Until the client has heard it, or the engine has ended and says no more; at most for so long. */
static void pass_until(const char *text, uint64_t most_ms)
{
    uint64_t end = now + most_ms;

    for (;;) {
        uint32_t ms = engine->tick(self, now);
        run_engine(NULL, 0);
        if (!holds)
            layer.from_server();
        if (now >= end || ended || was_heard(text, strlen(text)))
            return;
        ms = ms == 0 ? 1 : ms;
        now = ms < end - now ? now + ms : end;
    }
}

static void begin(stop where)
{
    static mote_grpc_config config;

    config = (mote_grpc_config){.server = true,
                                .max_calls = CALLS,
                                .slots = 8,
                                .rx_size = RX,
                                .tx_size = TX,
                                .table_size = 4096,
                                .field_size = 256,
                                .services = services,
                                .service_count = 1};
    CHECK_INT(mote_grpc_init(&grpc, &config, memory, sizeof memory), 0);
    client_stops = where;
    now = START;
    heard_len = closed = 0;
    closed_code = -1;
    ended = holds = false;
    layer.open();
    engine->tick(self, now);
}

/* ---- the matrix -------------------------------------------------------------------------------
 */

static const struct {
    uint64_t ms; /* when it ends */
    const char *text;
} ends[STOPS] = {
    [SAYS_NOTHING] = {10000, "no acknowledgement of SETTINGS in time"},
    [HALF_PREFACE] = {10000, "no acknowledgement of SETTINGS in time"},
    [NO_SETTINGS] = {10000, "no acknowledgement of SETTINGS in time"},
    [NO_ACK] = {10000, "no acknowledgement of SETTINGS in time"},
    [HALF_BLOCK] = {60000, "a frame or a header block without end"},
    [HALF_DATA] = {60000, "a frame or a header block without end"},
    [NO_MESSAGE] = {LIMIT, "deadline exceeded"},
    [HALF_FRAME] = {LIMIT, "deadline exceeded"},
    [HALF_MESSAGE] = {LIMIT, "deadline exceeded"},
    [NO_END] = {LIMIT, "deadline exceeded"},
    [NO_ANSWER] = {LIMIT, "deadline exceeded"},
    [TAKES_NOTHING] = {LIMIT, "deadline exceeded"},
    [NO_WINDOW] = {LIMIT, "deadline exceeded"},
    [NO_ROOM] = {LIMIT, "deadline exceeded"},
    [GOES_ON] = {LIMIT, "deadline exceeded"},
};

static void a_wait(stop where)
{
    static const char status[] = "grpc-status\001"
                                 "4";
    bool has_deadline = where >= NO_MESSAGE;
    const char *end = has_deadline ? status : "the engine's end";

    begin(where);
    connect_until_stop();
    if (!ended)
        layer.from_server();
    holds = where == NO_ROOM;
    call_until_stop();
    pass_until(end, ends[where].ms + (where == NO_ROOM ? 0 : 5000));
    CHECK_INT(now, START + ends[where].ms);
    CHECK_INT(ended, !has_deadline);
    CHECK_INT(closed, where == HALF_DATA || (has_deadline && where != NO_ROOM));
    if (!has_deadline) {
        CHECK_TEXT(was_heard(ends[where].text, strlen(ends[where].text)));
        CHECK_INT(closed_code, where == HALF_DATA ? MOTE_GRPC_CANCELLED : -1);
        return;
    }
    mend(where);
    pass_until(end, 0);
    CHECK(was_heard(end, strlen(end)));
    CHECK_TEXT(was_heard(ends[where].text, strlen(ends[where].text)));
    CHECK_INT(closed, 1);
    CHECK_INT(closed_code, MOTE_GRPC_DEADLINE_EXCEEDED);
    heard_len = 0;
    request(3);
    pass_until("hello", 0);
    CHECK(was_heard("hello", 5));
    CHECK_INT(closed, 2);
    CHECK_INT(closed_code, MOTE_GRPC_OK);
    CHECK_INT(mote_grpc_active(&grpc), 0);
}

static void every_wait_of_a_server_ends(void)
{
    bool all = true;

    for (stop where = SAYS_NOTHING; where < STOPS; where++) {
        test_ok = true;
        a_wait(where);
        all = all && test_ok;
        if (!test_ok)
            printf("  where the client stops: %d\n", where);
    }
    test_ok = all;
}

#endif
