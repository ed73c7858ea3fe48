/* Two channels, each with a server of its own behind a wire in memory. */
#ifndef CHANNEL_PAIR_H
#define CHANNEL_PAIR_H

#include "../../grpc/channel/channel.h"
#include "../../grpc/codec/codec.h"
#include "../../h2/mote_features.h"
#include "../test.h"

enum { CALLS = 2, RX = 2048, TX = 512, PEERS = 2, WIRE = 4096 };

/* ---- servers, one for each channel ----------------------------------------------------------- */

typedef struct {
    mote_grpc grpc;
    mote_grpc_config config;
    uint64_t memory[MOTE_GRPC_MEMORY(CALLS, RX, TX, 4096, 1024, 8, 0) / 8];
    uint8_t message[RX];
    unsigned connects;
    bool open; /* the transport */
    bool silent, refuses;
    uint8_t wire[WIRE]; /* what it says beside the server */
    size_t wire_len;
    uint64_t ping_ms, pong_ms; /* a PING is asked; is answered; 0: never */
    mote_grpc_call *held;      /* of Never */
} peer;

static peer peers[PEERS];
static uint64_t now, step_ms; /* a wait returns early after so many */
static int failures;          /* calls of Unary that end with UNAVAILABLE */
static unsigned compressed, plain;

static int on_unary(mote_grpc_call *call, const mote_grpc_event *ev)
{
    if (ev->type == MOTE_GRPC_MESSAGE) {
        compressed += ev->compressed;
        plain += !ev->compressed;
        if (failures > 0)
            return failures--, MOTE_GRPC_UNAVAILABLE;
        mote_grpc_bytes echo = {ev->data, ev->len};
        return mote_grpc_answer(call, &mote_grpc_bytes_source, &echo);
    }
    return 0;
}

static int on_never(mote_grpc_call *call, const mote_grpc_event *ev)
{
    if (ev->type == MOTE_GRPC_START)
        ((peer *)mote_grpc_context(call))->held = call;
    return 0;
}

static const mote_grpc_method methods[] = {{.name = "Unary", .handler = on_unary},
                                           {.name = "Never", .handler = on_never}};
static const mote_grpc_service services[] = {{"a.B", methods, 2, false}};

static mote_grpc_config config_of(bool server, peer *p)
{
    return (mote_grpc_config){.server = server,
                              .max_calls = CALLS,
                              .slots = 8,
                              .rx_size = RX,
                              .tx_size = TX,
                              .table_size = server ? 4096 : 0,
                              .dynamic = &mote_hpack_dynamic_table,
                              .field_size = 1024,
                              .authority = MOTE_GRPC_AUTHORITY("x"),
                              .services = services,
                              .service_count = 1,
                              .codecs = MOTE_COMPRESSES ? &mote_grpc_zlib : NULL,
                              .message = p->message,
                              .message_size = sizeof p->message,
                              .context = p};
}

static int dial(void *context, uint64_t until_ms)
{
    peer *p = context;

    (void)until_ms;
    p->connects++;
    if (p->refuses)
        return -1;
    p->open = true;
    p->wire_len = 0;
    p->config = config_of(true, p);
    return mote_grpc_init(&p->grpc, &p->config, p->memory, sizeof p->memory);
}

/* A PING, and its answer. */
#define QUESTION "are you?"
enum { PONG_SIZE = 17 };
static const char ping[] = "\0\0\10\6\0\0\0\0\0" QUESTION;
static const char pong[] = "\0\0\10\6\1\0\0\0\0" QUESTION;

static int give(void *context, uint8_t *buf, size_t cap)
{
    peer *p = context;
    size_t len, n = p->wire_len < cap ? p->wire_len : cap;
    const uint8_t *out;

    if (p->ping_ms > 0 && now >= p->ping_ms) {
        p->ping_ms = 0;
        memcpy(buf, ping, PONG_SIZE);
        return PONG_SIZE;
    }
    memcpy(buf, p->wire, n);
    memmove(p->wire, p->wire + n, p->wire_len - n);
    p->wire_len -= n;
    while (p->open && !p->silent && n < cap && (out = mote_grpc_peek(&p->grpc, &len))) {
        len = len < cap - n ? len : cap - n;
        memcpy(buf + n, out, len);
        mote_grpc_ack(&p->grpc, len);
        n += len;
    }
    return n == 0 && !p->open ? -1 : (int)n;
}

static int take(void *context, const uint8_t *buf, size_t len)
{
    peer *p = context;

    if (!p->open)
        return -1;
    for (size_t i = 0; i + PONG_SIZE <= len; i++) {
        if (memcmp(buf + i, pong, PONG_SIZE) == 0)
            p->pong_ms = now;
    }
    mote_grpc_tick(&p->grpc, 0); /* it has no clock: deadlines do not pass there */
    mote_grpc_serve(&p->grpc, buf, len);
    return (int)len;
}

static void pass(void *context, bool writing, uint64_t until_ms)
{
    (void)context, (void)writing;
    now = until_ms < now + step_ms ? until_ms : now + step_ms;
}

static uint64_t clock_ms(void *context)
{
    (void)context;
    return now;
}

/* ---- channels -------------------------------------------------------------------------------- */

static mote_channel channels[PEERS], *const channel = &channels[0];
static uint64_t memory[PEERS][MOTE_GRPC_MEMORY(CALLS, RX, TX, 0, 1024, 8, 0) / 8];
static uint8_t input[PEERS][64], messages[PEERS][RX], packing[2 * RX];

static void begin(void)
{
    memset(peers, 0, sizeof peers);
    now = 1000;
    step_ms = 100;
    failures = 0;
    compressed = plain = 0;
    for (size_t i = 0; i < PEERS; i++) {
        mote_grpc_config config = config_of(false, &peers[i]);
        mote_io io = {.context = &peers[i],
                      .read = give,
                      .write = take,
                      .wait = pass,
                      .now_ms = clock_ms,
                      .connect = dial};
        config.message = messages[i];
        CHECK_INT(mote_channel_init(&channels[i], &config, memory[i], sizeof memory[i], input[i],
                                    sizeof input[i], io),
                  0);
    }
}

static const mote_hpack_field unary_path = MOTE_HPACK_FIELD(":path", "/a.B/Unary");
static const mote_hpack_field never_path = MOTE_HPACK_FIELD(":path", "/a.B/Never");
static const char hello[] = "hello, hello, hello, hello, hello, hello, hello, hello, hello, hello";

/* The answer is what was asked. */
static mote_status unary_with(mote_grpc_request request)
{
    mote_grpc_bytes message = {(const uint8_t *)hello, sizeof hello};
    const uint8_t *data;
    size_t len;

    request.path = &unary_path;
    mote_status s =
        mote_channel_unary(channel, &request, &mote_grpc_bytes_source, &message, &data, &len);
    if (s.code == MOTE_GRPC_OK)
        CHECK(len == sizeof hello && memcmp(data, hello, len) == 0);
    return s;
}

static int unary(void)
{
    return unary_with((mote_grpc_request){.timeout_ms = 3000}).code;
}

static void check_status(mote_status s, int code, const char *text)
{
    CHECK_INT(s.code, code);
    CHECK_TEXT(s.message_len == strlen(text) && memcmp(s.message, text, s.message_len) == 0);
}

static mote_grpc_call *start_never(uint32_t timeout_ms)
{
    mote_grpc_request request = {.path = &never_path, .timeout_ms = timeout_ms};
    mote_grpc_call *call = NULL;

    CHECK_INT(mote_channel_start(channel, &request, &call), 0);
    return call;
}

#endif
