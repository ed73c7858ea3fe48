/* A server with a door for browsers, and methods that answer, stream, refuse and wait. */
#ifndef WEB_SERVER_H
#define WEB_SERVER_H

#include "../../grpc/web/web.h"
#include "../test.h"

enum { WEB_CALLS = 4, RX = 80, LOG = 1 << 15 };

MOTE_GRPC_LAYOUT(room, max_calls = WEB_CALLS, slots = 4, rx_size = RX, tx_size = 256,
                 table_size = 4096, field_size = 256, user_size = 16 + MOTE_WEB_STATE);

static mote_grpc server;
static uint64_t server_memory[room_memory_size / 8];
static unsigned handler_calls;
static mote_grpc_handle deferred; /* whose handler was not ready; it is by the next step */

/* ---- the server's methods ------------------------------------------------------------------ */

static int echo(mote_grpc_call *call, const mote_grpc_event *ev)
{
    mote_grpc_bytes message = {ev->data, ev->len};

    handler_calls += ev->type == MOTE_GRPC_START || ev->type == MOTE_GRPC_MESSAGE;
    if (ev->type == MOTE_GRPC_MESSAGE)
        return mote_grpc_send(call, &mote_grpc_bytes_source, &message, 0);
    return ev->type == MOTE_GRPC_HALF_CLOSE ? mote_grpc_finish(call, MOTE_GRPC_OK, NULL) : 0;
}

static int answer_once(mote_grpc_call *call, const mote_grpc_event *ev)
{
    mote_grpc_bytes message = {ev->data, ev->len};

    return ev->type == MOTE_GRPC_MESSAGE ? mote_grpc_answer(call, &mote_grpc_bytes_source, &message)
                                         : 0;
}

/* As many messages of 20 bytes as the request has. */
static int stream_many(mote_grpc_call *call, const mote_grpc_event *ev)
{
    uint32_t *state = call->user; /* wanted, sent */
    char text[21];
    int r;

    if (ev->type == MOTE_GRPC_MESSAGE)
        state[0] = (uint32_t)ev->len;
    if (ev->type != MOTE_GRPC_HALF_CLOSE && ev->type != MOTE_GRPC_WRITABLE)
        return 0;
    for (; state[1] < state[0]; state[1]++) {
        snprintf(text, sizeof text, "message %12u", (unsigned)state[1]);
        mote_grpc_bytes message = {(const uint8_t *)text, 20};
        if ((r = mote_grpc_send(call, &mote_grpc_bytes_source, &message, 0)) < 0)
            return r == MOTE_AGAIN ? 0 : r;
    }
    r = mote_grpc_finish(call, MOTE_GRPC_OK, NULL);
    return r == MOTE_AGAIN ? 0 : r;
}

/* The end says who asked, with metadata behind it. */
static int refuse(mote_grpc_call *call, const mote_grpc_event *ev)
{
    static const mote_grpc_metadata initial = MOTE_GRPC_METADATA_FIELD("x-initial", "one");
    static const mote_grpc_metadata trailing[] = {MOTE_GRPC_METADATA_FIELD("x-why", "because"),
                                                  MOTE_GRPC_METADATA_FIELD("x-raw-bin", "AAEC")};

    if (ev->type == MOTE_GRPC_START)
        return mote_grpc_send_headers(call, &initial, 1);
    return ev->type == MOTE_GRPC_HALF_CLOSE
               ? mote_grpc_finish_with(call, MOTE_GRPC_UNAUTHENTICATED,
                                       " 100% \xe2\x82\xac~\x7f\x1f! ", 14, trailing, 2)
               : 0;
}

/* What it returns is the request's first byte. */
static int returns(mote_grpc_call *call, const mote_grpc_event *ev)
{
    (void)call;
    return ev->type == MOTE_GRPC_MESSAGE ? ev->data[0] - '0' : 0;
}

/* A message as long as the request, and an error in its midst. */
static int gives_up(mote_grpc_call *call, const mote_grpc_event *ev)
{
    static const uint8_t bytes[64];
    uint32_t *state = call->user;
    mote_grpc_bytes message = {bytes, state[0]};

    if (ev->type == MOTE_GRPC_MESSAGE)
        state[0] = (uint32_t)ev->len;
    if (ev->type != MOTE_GRPC_HALF_CLOSE)
        return 0;
    int r = mote_grpc_send(call, &mote_grpc_bytes_source, &message, 0);
    return r == MOTE_AGAIN ? MOTE_GRPC_ABORTED : r;
}

static int huge_write(const void *type, const void *message, size_t offset, uint8_t *out,
                      size_t cap, size_t *total)
{
    (void)type, (void)message, (void)offset, (void)out, (void)cap;
    *total = 0xfffffffb; /* with its prefix 2^32 bytes */
    return 0;
}

/* A message whose bytes no 32 bits can count. */
static int is_huge(mote_grpc_call *call, const mote_grpc_event *ev)
{
    static const mote_grpc_source huge = {huge_write, mote_grpc_strerror, NULL};

    if (ev->type != MOTE_GRPC_HALF_CLOSE)
        return 0;
    int r = mote_grpc_send(call, &huge, "", 0);
    return r == MOTE_GRPC_ERR_LIMIT ? MOTE_GRPC_OUT_OF_RANGE : r;
}

/* Takes a message, or a piece of one, at the second offer; says at the end how many bytes. */
static int counts(mote_grpc_call *call, const mote_grpc_event *ev)
{
    uint32_t *state = call->user; /* bytes, offers */
    char text[16];

    if (ev->type == MOTE_GRPC_MESSAGE || ev->type == MOTE_GRPC_CHUNK) {
        if (state[1]++ % 2 == 0) {
            deferred = mote_grpc_handle_of(call);
            return MOTE_AGAIN;
        }
        state[0] += (uint32_t)ev->len;
    }
    if (ev->type != MOTE_GRPC_HALF_CLOSE)
        return 0;
    snprintf(text, sizeof text, "%u bytes", (unsigned)state[0]);
    return mote_grpc_finish(call, MOTE_GRPC_OK, text);
}

/* The same, at the first offer. */
static int takes(mote_grpc_call *call, const mote_grpc_event *ev)
{
    uint32_t *state = call->user;

    state[1] = 1;
    return counts(call, ev);
}

static int waits(mote_grpc_call *call, const mote_grpc_event *ev)
{
    (void)call, (void)ev;
    return 0;
}

static const mote_grpc_method methods[] = {
    {"Echo", echo, NULL, NULL, NULL, false, false},
    {"Once", answer_once, NULL, NULL, NULL, true, true},
    {"Many", stream_many, NULL, NULL, NULL, true, false},
    {"Refuse", refuse, NULL, NULL, NULL, false, false},
    {"Returns", returns, NULL, NULL, NULL, false, false},
    {"GivesUp", gives_up, NULL, NULL, NULL, false, false},
    {"Huge", is_huge, NULL, NULL, NULL, false, false},
    {"Counts", counts, NULL, NULL, NULL, false, false},
    {"Chunks", counts, NULL, NULL, &mote_grpc_chunks, false, false},
    {"Takes", takes, NULL, NULL, &mote_grpc_chunks, false, false},
    {"Waits", waits, NULL, NULL, NULL, false, false},
};
static const mote_grpc_service services[] = {
    {.name = "test.Web", .methods = methods, .method_count = sizeof methods / sizeof *methods}};

static const char *const origins[] = {"https://a.example", "http://localhost:8080"};
static mote_web_config web_config;
static const mote_grpc_door door = MOTE_WEB_DOOR(&web_config);
static mote_grpc_config server_config;

static void prepare_server(void)
{
    server_config = (mote_grpc_config){MOTE_GRPC_SIZES(room), .server = true, .services = services,
                                       .service_count = 1, .door = &door};
    web_config = (mote_web_config){.origins = origins, .origin_count = 2};
    CHECK_INT(mote_grpc_init(&server, &server_config, server_memory, sizeof server_memory), 0);
    mote_grpc_tick(&server, 1000);
    deferred = (mote_grpc_handle){0};
}

static bool resume(void)
{
    mote_grpc_call *call = mote_grpc_find(deferred);

    deferred = (mote_grpc_handle){0};
    if (!call)
        return false;
    mote_grpc_resume(call);
    mote_grpc_serve(&server, NULL, 0);
    return true;
}

#endif
