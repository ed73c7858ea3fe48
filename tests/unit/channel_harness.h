/* A channel that connects by itself and its server, in one process, with a clock of their own. */
#ifndef CHANNEL_HARNESS_H
#define CHANNEL_HARNESS_H

#include "../../grpc/channel/channel.h"
#include "../test.h"

enum { CALLS = 2, RX = 512, TX = 512 };

static uint64_t now;
static mote_grpc server;
static mote_channel channel;
static mote_grpc_life server_life, client_life;
static bool has_server_life;
static uint64_t memory[2][MOTE_GRPC_MEMORY(CALLS, RX, TX, 4096, 256, 8, 0) / 8];
static uint8_t input[256];

/* What the network does. */
static int refusals;     /* attempts to connect that fail */
static uint64_t dial_ms; /* what each attempt takes */
static bool connected;
static bool greeted, asked;      /* SETTINGS were sent; a call followed */
static bool silent;              /* nothing arrives any more */
static uint64_t way_ms, said_ms; /* how long an answer is on its way; when the client spoke last */
static unsigned connects, pings; /* attempts; of PINGs that the client has sent */
static uint64_t connect_ms[16];  /* when */
static char states[64];          /* I, C, R, T */

/* What the server does: its statuses, one for each call; the last one is repeated. */
static const int *codes;
static const char *pushback;
static unsigned served, attempts_seen;
static bool headers_first;
static int reset_calls; /* calls that the server refuses before it has seen them */
static bool ended;
static int takes;         /* bytes that the transport takes before it ends; < 0: all */
static bool leaves, left; /* it closes the transport as well, behind its GOAWAY; has done so */

static char authorization[64];
static uint32_t onward_ms;

static const mote_hpack_field path = MOTE_HPACK_FIELD(":path", "/a.B/Unary");

static int unary(mote_grpc_call *call, const mote_grpc_event *ev)
{
    mote_grpc_metadata again = MOTE_GRPC_METADATA_FIELD("grpc-retry-pushback-ms", "");
    static mote_grpc_bytes answer = {(const uint8_t *)"hi", 2};

    if (ev->type == MOTE_GRPC_METADATA && ev->name_len == 26 &&
        memcmp(ev->name, "grpc-previous-rpc-attempts", 26) == 0)
        attempts_seen = attempts_seen * 10 + (unsigned)(ev->value[0] - '0');
    if (ev->type == MOTE_GRPC_METADATA && ev->name_len == 13 &&
        memcmp(ev->name, "authorization", 13) == 0)
        snprintf(authorization, sizeof authorization, "%.*s", (int)ev->value_len, ev->value);
    if (ev->type != MOTE_GRPC_HALF_CLOSE)
        return 0;
    onward_ms = mote_grpc_timeout_for(call);
    int code = *codes;
    served++;
    if (codes[1] >= 0)
        codes++;
    if (headers_first)
        mote_grpc_send_headers(call, NULL, 0);
    if (code == 0)
        mote_grpc_send(call, &mote_grpc_bytes_source, &answer, 0);
    again.value = pushback ? pushback : "";
    again.value_len = strlen(again.value);
    return mote_grpc_finish_with(call, code, "", 0, &again, pushback != NULL);
}

static int never(mote_grpc_call *call, const mote_grpc_event *ev)
{
    (void)call;
    (void)ev;
    return 0;
}

static const mote_grpc_method methods[] = {{"Unary", unary, NULL, NULL, NULL, true, false},
                                           {"Never", never, NULL, NULL, NULL, false, false}};
static const mote_grpc_service services[] = {{"a.B", methods, 2, false}};

/* ---- the network --------------------------------------------------------------------------- */

static mote_grpc_config config_of(bool is_server)
{
    return (mote_grpc_config){.server = is_server,
                              .max_calls = CALLS,
                              .slots = 8,
                              .rx_size = RX,
                              .tx_size = TX,
                              .dynamic = &mote_hpack_dynamic_table,
                              .coder = &mote_hpack_huffman_coder,
                              .table_size = is_server ? 4096 : 0,
                              .field_size = 256,
                              .authority = MOTE_GRPC_AUTHORITY("x"),
                              .services = services,
                              .service_count = 1};
}

static int dial(void *context, uint64_t until_ms)
{
    static mote_grpc_config config;

    config = config_of(true);
    (void)context;
    (void)until_ms;
    connect_ms[connects++ % 16] = now;
    now += dial_ms;
    if (refusals > 0) {
        refusals--;
        return -1;
    }
    silent = left = greeted = asked = false;
    takes = -1;
    ended = false;
    connected = true;
    server_life.state = MOTE_GRPC_LIFE_NONE;
    server_life.keepalive = MOTE_GRPC_KEEPALIVE_QUIET;
    return mote_grpc_init(&server, &config, memory[0], sizeof memory[0]);
}

static int to_server(void *context, const uint8_t *buf, size_t len)
{
    (void)context;
    said_ms = now;
    if (takes >= 0) {
        int n = takes > 0 ? takes : -1;
        ended = n < 0;
        takes = 0;
        return n;
    }
    for (size_t i = 0; len >= 17 && i <= len - 17; i++)
        pings += memcmp(buf + i, "\0\0\10\6\0\0\0\0\0", 9) == 0;
    if (silent)
        return (int)len;
    mote_grpc_tick(&server, now);
    if (reset_calls > 0) { /* a server that is about to say that it goes */
        asked = greeted;
        return (int)len;
    }
    mote_grpc_serve(&server, buf, len);
    return (int)len;
}

static int from_server(void *context, uint8_t *buf, size_t cap)
{
    /* SETTINGS, and GOAWAY: no stream was seen */
    static const uint8_t goodbye[] = {0, 0, 0, 4, 0, 0, 0, 0, 0, 0, 0, 8, 7,
                                      0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0};
    size_t len, n = 0;
    const uint8_t *out;

    (void)context;
    if (reset_calls > 0) { /* GOAWAY follows the call */
        size_t at = greeted ? 9 : 0, end = !greeted ? 9 : asked ? sizeof goodbye : 9;
        greeted = true;
        reset_calls -= end == sizeof goodbye;
        left = leaves && end == sizeof goodbye;
        asked = asked && end < sizeof goodbye; /* it is said once */
        memcpy(buf, goodbye + at, end - at);
        return (int)(end - at);
    }
    if (left || ended)
        return -1;
    if (now < said_ms + way_ms)
        return 0;
    if (!silent) {
        mote_grpc_tick(&server, now);
        if (has_server_life)
            mote_grpc_life_tick(&server_life, &server, now);
        mote_grpc_serve(&server, NULL, 0);
        while (n < cap && (out = mote_grpc_peek(&server, &len))) {
            len = len < cap - n ? len : cap - n;
            memcpy(buf + n, out, len);
            mote_grpc_ack(&server, len);
            n += len;
        }
        if (n == 0 && mote_h2_error(&server.h2) < 0)
            return -1;
    }
    return (int)n;
}

static uint64_t clock_ms(void *context)
{
    (void)context;
    return now;
}

/* The time passes, but for what the server may want to do meanwhile. */
static void wait_ms(void *context, bool writing, uint64_t until_ms)
{
    (void)context;
    (void)writing;
    now = connected && until_ms > now + 500 ? now + 500 : until_ms > now ? until_ms : now + 1;
}

static void on_state(void *context, int state, const char *why)
{
    size_t n = strlen(states);

    (void)context;
    CHECK_TEXT(why[0] != '\0');
    if (n + 1 < sizeof states)
        states[n] = "ICRTS"[state];
}

static void prepare(const int *list)
{
    mote_grpc_config config = config_of(false);
    mote_io io = {.read = from_server,
                  .write = to_server,
                  .now_ms = clock_ms,
                  .connect = dial,
                  .wait = wait_ms};

    now = 1000;
    codes = list;
    refusals = reset_calls = 0;
    dial_ms = 0;
    connects = served = attempts_seen = pings = 0;
    pushback = NULL;
    greeted = asked = connected = headers_first = silent = has_server_life = false;
    leaves = left = false;
    way_ms = said_ms = 0;
    takes = -1;
    ended = false;
    memset(states, 0, sizeof states);
    server_life = client_life = (mote_grpc_life){0};
    mote_channel_init(&channel, &config, memory[1], sizeof memory[1], input, sizeof input, io);
    channel.on_state = on_state;
    channel.random = 7;
}

static char status_text[128]; /* of the last call */

static int call_with(mote_grpc_request request)
{
    mote_grpc_bytes message = {(const uint8_t *)"hello", 5};
    const uint8_t *data;
    size_t len;

    request.path = &path;
    mote_status status =
        mote_channel_unary(&channel, &request, &mote_grpc_bytes_source, &message, &data, &len);
    snprintf(status_text, sizeof status_text, "%.*s", (int)status.message_len, status.message);
    if (status.code == 0)
        CHECK(len == 2 && memcmp(data, "hi", 2) == 0);
    return status.code;
}

static int call(void)
{
    return call_with((mote_grpc_request){.timeout_ms = 60000});
}

static const int ok[] = {0, -1};

#endif
