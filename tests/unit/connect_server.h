/* A server with a door for Connect, whose methods answer, stream, refuse and wait. */
#ifndef CONNECT_SERVER_H
#define CONNECT_SERVER_H

#include "../../grpc/web/connect.h"
#include "../test.h"
#include "../web/hello.mote.h"

#ifndef TX
#define TX 256
#endif
enum { WEB_CALLS = 4, RX = 80, LOG = 1 << 15, PLACES = 2, PLACE = 160 };

MOTE_GRPC_LAYOUT(room, max_calls = WEB_CALLS, slots = 4, rx_size = RX, tx_size = TX,
                 table_size = 4096, field_size = 256, user_size = 16 + MOTE_CONNECT_STATE);

static mote_grpc server;
static uint64_t server_memory[room_memory_size / 8];
static unsigned handler_calls;
static mote_grpc_handle deferred; /* whose handler was not ready; it is by the next step */

/* ---- the server's methods ------------------------------------------------------------------ */

static uint64_t hello_memory[64];

/* The message of an event; the arena is of one handler at a time. */
static int read_hello(const mote_grpc_event *ev, test_Hello *hello)
{
    mote_pb_arena arena;

    mote_pb_arena_init(&arena, hello_memory, sizeof hello_memory);
    return test_Web_Once_read(ev, hello, &arena);
}

/* Names of the metadata that a handler was told of. */
static char names_told[512];

static void note_name(const char *name, size_t len)
{
    size_t n = strlen(names_told);

    snprintf(names_told + n, sizeof names_told - n, "%.*s ", (int)len, name);
}

/* The same with a count that is one more. */
static int once(mote_grpc_call *call, const mote_grpc_event *ev)
{
    test_Hello hello;
    int r;

    handler_calls += ev->type == MOTE_GRPC_START || ev->type == MOTE_GRPC_MESSAGE;
    if (ev->type == MOTE_GRPC_METADATA)
        note_name(ev->name, ev->name_len);
    if (ev->type != MOTE_GRPC_MESSAGE)
        return 0;
    if ((r = read_hello(ev, &hello)) < 0)
        return r;
    hello.count++;
    return test_Web_Once_answer(call, &hello);
}

/* The same, compressed where the client takes it, at the second offer, with metadata. */
static int late(mote_grpc_call *call, const mote_grpc_event *ev)
{
    static const mote_grpc_metadata initial = MOTE_GRPC_METADATA_FIELD("x-initial", "one");
    static const mote_grpc_metadata trailing[] = {MOTE_GRPC_METADATA_FIELD("x-why", "because"),
                                                  MOTE_GRPC_METADATA_FIELD("x-raw-bin", "AAEC")};
    static uint8_t packed[64];
    uint32_t *offers = call->user;
    mote_grpc_bytes message = {ev->data, ev->len};
    int r;

    if (ev->type == MOTE_GRPC_HALF_CLOSE)
        return mote_grpc_finish_with(call, MOTE_GRPC_OK, NULL, 0, trailing, 2);
    if (ev->type != MOTE_GRPC_MESSAGE)
        return 0;
    if ((*offers)++ == 0) {
        deferred = mote_grpc_handle_of(call);
        return MOTE_AGAIN;
    }
    mote_grpc_choose_codec(call);
    if ((r = mote_grpc_send_headers(call, &initial, 1)) < 0)
        return r;
    if (mote_grpc_compress(call, &mote_grpc_bytes_source, &message, packed, sizeof packed,
                           &message) < 0)
        return mote_grpc_send(call, &mote_grpc_bytes_source, &message, 0);
    return mote_grpc_send(call, &mote_grpc_bytes_source, &message, MOTE_GRPC_COMPRESSED);
}

#define DETAILS                                                                                    \
    "CBASAW0aJQoedHlwZS5nb29nbGVhcGlzLmNvbS90ZXN0LkhlbGxvEgMKAXgaJQoedHlwZS5nb29nbGVhcGlzLmNvbS90" \
    "ZXN0LkhlbGxvEgMKAXg"

static int broken_write(const void *type, const void *message, size_t offset, uint8_t *out,
                        size_t cap, size_t *total)
{
    (void)type, (void)message, (void)offset, (void)out, (void)cap;
    *total = 2;
    return MOTE_GRPC_ERR_SPACE;
}
static const mote_grpc_source broken = {broken_write, mote_grpc_strerror, NULL};

/* An error with the request's count as its code; of 17 a response that has none. */
static int refuse(mote_grpc_call *call, const mote_grpc_event *ev)
{
    static const mote_grpc_metadata initial = MOTE_GRPC_METADATA_FIELD("x-initial", "one");
    static const mote_grpc_metadata trailing[] = {
        MOTE_GRPC_METADATA_FIELD("x-why", "because"), MOTE_GRPC_METADATA_FIELD("x-other", "2"),
        MOTE_GRPC_METADATA_FIELD("grpc-status-details-bin", DETAILS),
        MOTE_GRPC_METADATA_FIELD("x-why", "again")};
    uint32_t *code = call->user;
    test_Hello hello;

    if (ev->type == MOTE_GRPC_START)
        return mote_grpc_send_headers(call, &initial, 1);
    if (ev->type == MOTE_GRPC_MESSAGE && read_hello(ev, &hello) == 0)
        *code = (uint32_t)hello.count;
    if (ev->type != MOTE_GRPC_HALF_CLOSE)
        return 0;
    if (*code == 17)
        return mote_grpc_send(call, &broken, "", 0);
    if (*code == MOTE_GRPC_UNAUTHENTICATED)
        return mote_grpc_finish_with(call, (int)*code, " \"100%\"\\ \xe2\x82\xac\x1f ", 14,
                                     trailing, 4);
    return mote_grpc_finish(call, (int)*code, *code == MOTE_GRPC_NOT_FOUND ? "b\x80\xffz" : NULL);
}

static int silent(mote_grpc_call *call, const mote_grpc_event *ev)
{
    return ev->type == MOTE_GRPC_HALF_CLOSE ? mote_grpc_finish(call, MOTE_GRPC_OK, NULL) : 0;
}

/* As many messages as the request counts, and what the end of `late` has. */
static int many(mote_grpc_call *call, const mote_grpc_event *ev)
{
    static const mote_grpc_metadata trailing = MOTE_GRPC_METADATA_FIELD("x-why", "because");
    uint32_t *state = call->user; /* wanted, sent */
    test_Hello hello;
    int r;

    if (ev->type == MOTE_GRPC_MESSAGE) {
        if ((r = read_hello(ev, &hello)) < 0)
            return r;
        state[0] = (uint32_t)(hello.count > 100 ? 100 : hello.count); /* of any input */
    }
    if (ev->type != MOTE_GRPC_HALF_CLOSE && ev->type != MOTE_GRPC_WRITABLE)
        return 0;
    for (; state[1] < state[0]; state[1]++) {
        hello = (test_Hello){.text = MOTE_PB_STRING("a message"), .count = state[1]};
        if ((r = test_Web_Many_write(call, &hello)) < 0)
            return r == MOTE_AGAIN ? 0 : r;
    }
    r = mote_grpc_finish_with(call, MOTE_GRPC_OK, NULL, 0, &trailing, 1);
    return r == MOTE_AGAIN ? 0 : r;
}

static int waits(mote_grpc_call *call, const mote_grpc_event *ev)
{
    (void)call, (void)ev;
    return 0;
}

/* How often a response was asked for: that is what a part of it in JSON may cost. */
static unsigned translated;
static int count_translations(const void *type, const void *message, size_t offset, uint8_t *out,
                              size_t cap, size_t *total)
{
    translated++;
    return mote_grpc_bytes_source.write(type, message, offset, out, cap, total);
}
static const mote_grpc_source counted = {count_translations, mote_grpc_strerror, NULL};

static int echo(mote_grpc_call *call, const mote_grpc_event *ev)
{
    mote_grpc_bytes message = {ev->data, ev->len};

    handler_calls += ev->type == MOTE_GRPC_START || ev->type == MOTE_GRPC_MESSAGE;
    if (ev->type == MOTE_GRPC_MESSAGE)
        return mote_grpc_send(call, &counted, &message, 0);
    return ev->type == MOTE_GRPC_HALF_CLOSE ? mote_grpc_finish(call, MOTE_GRPC_OK, NULL) : 0;
}

static const mote_grpc_method methods[] =
    test_Web_METHODS(once, once, late, waits, refuse, silent, NULL, many, many, refuse, echo);
static mote_grpc_method web_methods[sizeof methods / sizeof *methods];
/* The same methods, of which Connect does not know. */
static const mote_grpc_service services[] = {
    test_Web_SERVICE(web_methods),
    {.name = "test.Plain", .methods = methods, .method_count = sizeof methods / sizeof *methods}};

/* Write takes messages of any length, in pieces. */
static void prepare_methods(void)
{
    memcpy(web_methods, methods, sizeof methods);
    for (size_t i = 0; i < sizeof methods / sizeof *methods; i++) {
        if (strcmp(methods[i].name, "Write") == 0)
            web_methods[i].chunks = &mote_grpc_chunks;
    }
}

/* ---- a codec: each byte is another --------------------------------------------------------------
 */

static int flip(const uint8_t *in, size_t len, uint8_t *out, size_t cap, size_t *n)
{
    if (len > cap)
        return MOTE_GRPC_ERR_SPACE;
    for (size_t i = 0; i < len; i++)
        out[i] = in[i] ^ 0x80;
    *n = len;
    return len > 0 && in[0] == '!' ? MOTE_GRPC_ERR_CODEC : 0;
}

static const mote_grpc_codec flipped = {MOTE_HPACK_FIELD("grpc-encoding", "flip"), flip, flip};
static const mote_grpc_codecs codecs = {
    {&flipped}, 1, MOTE_HPACK_FIELD("grpc-accept-encoding", "identity,flip")};
static const mote_grpc_codecs *codecs_used;
static uint8_t unpacked[RX];

/* ---- the server ------------------------------------------------------------------------------ */

static const char *const origins[] = {"https://a.example", "http://localhost:8080"};
static const mote_connect_service *const connect_services[] = {&test_Web_CONNECT};
static uint64_t scratch[128], places[PLACES][PLACE / 8];
static size_t scratch_used = sizeof scratch;
static mote_connect_config connect_config;
static const mote_grpc_door door = MOTE_CONNECT_DOOR(&connect_config);
static const mote_grpc_door *door_used = &door;
static const mote_web_config *pages_used; /* NULL: of the origins above, by any host */
static mote_grpc_config server_config;

static void prepare_server(void)
{
    server_config = (mote_grpc_config){MOTE_GRPC_SIZES(room),
                                       .server = true,
                                       .services = services,
                                       .service_count = 2,
                                       .codecs = codecs_used,
                                       .message = unpacked,
                                       .message_size = sizeof unpacked,
                                       .door = door_used};
    connect_config = (mote_connect_config){.web = {.origins = origins, .origin_count = 2},
                                           .services = connect_services,
                                           .service_count = 1,
                                           .scratch = scratch,
                                           .scratch_size = scratch_used,
                                           .places = places,
                                           .place_size = PLACE,
                                           .place_count = PLACES};
    if (pages_used)
        connect_config.web = *pages_used;
    memset(places, 0, sizeof places);
    prepare_methods();
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
