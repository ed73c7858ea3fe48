/* For tests of what a blocking client waits for: a server that is bytes, and stops where it is
 * told, in virtual time. */
#include "../../grpc/channel/channel_internal.h"
#include "../test.h"

enum { CALLS = 2, RX = 512, TX = 256, LIMIT = 3000, TAKEN = 61 };

/* Where the server stops, in the order of a call. */
typedef enum {
    REFUSES,        /* every connection */
    IS_NOT_REACHED, /* connecting takes for ever */
    ACCEPTS,        /* and says nothing */
    NO_STREAMS,     /* SETTINGS permit none */
    NO_ROOM,        /* the transport takes TAKEN bytes: the preface and SETTINGS */
    NO_WINDOW,      /* SETTINGS with a window of 0 */
    NO_ANSWER,
    HEADERS_ONLY, /* of the answer */
    HALF_FRAME,   /* a frame of the message is not whole */
    HALF_MESSAGE,
    NO_TRAILERS,
    WORKS
} obstacle;

static obstacle server;
static uint64_t now;
static mote_channel channel;
static uint64_t memory[MOTE_GRPC_MEMORY(CALLS, RX, TX, 0, 256, 8, 0) / 8];
static uint8_t input[128], heard[1 << 17];
static size_t heard_len, said_at, said_len;
static uint8_t said[256];
static char reply[2] = {'h', 'i'}; /* the message of an answer */
static unsigned connects;
static bool refused;
static uint64_t drip_ms, drip_at; /* between two bytes of the server; 0: all at once */
static const char *chatter;       /* what it says whenever it has nothing else to say */
static size_t chatter_len;
static uint64_t chatter_ms; /* how long it takes to read it */

static void say(const char *bytes, size_t len)
{
    memcpy(said + said_len, bytes, len);
    said_len += len;
}

static int dial(void *context, uint64_t until_ms)
{
    (void)context;
    connects++;
    heard_len = said_at = said_len = 0;
    refused = server == REFUSES;
    if (server == IS_NOT_REACHED)
        now = until_ms;
    if (server <= IS_NOT_REACHED)
        return -1;
    if (server == NO_STREAMS)
        say("\0\0\6\4\0\0\0\0\0\0\3\0\0\0\0", 15);
    else if (server == NO_WINDOW)
        say("\0\0\6\4\0\0\0\0\0\0\4\0\0\0\0", 15);
    else if (server != ACCEPTS)
        say("\0\0\0\4\0\0\0\0\0", 9);
    say("\0\0\0\4\1\0\0\0\0", server == ACCEPTS ? 0 : 9);
    return 0;
}

/* The stream of the last DATA frame with END_STREAM, or 0. */
static uint8_t asked(void)
{
    uint8_t id = 0;

    for (size_t at = 24; at + 9 <= heard_len;
         at += 9 + ((size_t)heard[at + 1] << 8 | heard[at + 2])) {
        if (heard[at + 3] == 0 && (heard[at + 4] & 1))
            id = heard[at + 8];
    }
    return id;
}

static uint8_t answered; /* id of the stream whose call was answered last */

static int take(void *context, const uint8_t *buf, size_t len)
{

    (void)context;
    if (server == NO_ROOM) {
        size_t room = heard_len < TAKEN ? TAKEN - heard_len : 0;
        len = len < room ? len : room;
    }
    memcpy(heard + heard_len, buf, len);
    heard_len += len;
    if (heard_len == len)
        answered = 0;
    if (server >= HEADERS_ONLY &&
        asked() > answered) { /* :status 200, content-type; grpc-status 0 */
        static const char headers[] = "\0\0\x22\1\4\0\0\0\1\x88\x40\x0c"
                                      "content-type"
                                      "\x10"
                                      "application/grpc"
                                      "\0\0\0\0";
        static const char data[] = "\0\0\7\0\0\0\0\0\1\0\0\0\0\2hi";
        static const char trailers[] = "\0\0\x0f\1\5\0\0\0\1\0\x0b"
                                       "grpc-status"
                                       "\1"
                                       "0";
        answered = asked();
        size_t at = said_len;
        say(headers, 9 + 32);
        said[at + 2] = 32;
        said[at + 8] = answered;
        at = said_len;
        say(data, server == HEADERS_ONLY   ? 0
                  : server == HALF_FRAME   ? 12
                  : server == HALF_MESSAGE ? 15
                                           : 16);
        if (said_len > at)
            said[at + 8] = answered;
        if (said_len == at + 16)
            memcpy(said + at + 14, reply, sizeof reply);
        if (server == HALF_MESSAGE)
            said[at + 2] = 6;
        at = said_len;
        say(trailers, server == WORKS ? 9 + 15 : 0);
        if (said_len > at)
            said[at + 8] = answered;
    }
    return (int)len;
}

static int give(void *context, uint8_t *buf, size_t cap)
{
    size_t n = said_len - said_at < cap ? said_len - said_at : cap;

    (void)context;
    if (drip_ms > 0 && n > 0) {
        n = now >= drip_at;
        drip_at = n ? now + drip_ms : drip_at;
    }
    if (n == 0 && chatter && cap >= chatter_len && server > IS_NOT_REACHED) {
        memcpy(buf, chatter, chatter_len);
        now += chatter_ms;
        return (int)chatter_len;
    }
    memcpy(buf, said + said_at, n);
    said_at += n;
    return (int)n;
}

static void pass(void *context, bool writing, uint64_t until_ms)
{
    (void)context;
    (void)writing;
    CHECK(until_ms != UINT64_MAX); /* nothing would ever happen */
    uint64_t step = drip_ms > 0 && drip_ms < 100 ? drip_ms : 100;
    now = until_ms < now + step ? until_ms : now + step;
}

static uint64_t clock_ms(void *context)
{
    (void)context;
    return now;
}

static const char *why(void *context)
{
    (void)context;
    return refused ? "connect 10.0.0.1:1: Connection refused" : "";
}

/* What stands between the channel and the bytes of the server: NULL: nothing. */
static mote_io (*layer)(mote_io plain);

static void begin(obstacle where)
{
    mote_grpc_config config = {.max_calls = CALLS,
                               .slots = 8,
                               .rx_size = RX,
                               .tx_size = TX,
                               .field_size = 256,
                               .authority = MOTE_GRPC_AUTHORITY("x")};
    mote_io io = {.read = give,
                  .write = take,
                  .wait = pass,
                  .now_ms = clock_ms,
                  .connect = dial,
                  .error = why};

    server = where;
    now = 1000;
    connects = 0;
    refused = false;
    drip_at = 0;
    chatter = NULL;
    if (layer)
        io = layer(io);
    mote_channel_init(&channel, &config, memory, sizeof memory, input, sizeof input, io);
}

static const mote_hpack_field path = MOTE_HPACK_FIELD(":path", "/a.B/C");

static mote_status unary(uint32_t timeout_ms, bool wait_for_ready)
{
    mote_grpc_request request = {
        .path = &path, .timeout_ms = timeout_ms, .wait_for_ready = wait_for_ready};
    mote_grpc_bytes message = {(const uint8_t *)"hello", 5};
    const uint8_t *data;
    size_t len;

    return mote_channel_unary(&channel, &request, &mote_grpc_bytes_source, &message, &data, &len);
}

static void check_status(mote_status s, int code, const char *text)
{
    CHECK_INT(s.code, code);
    bool same = s.message_len == strlen(text) && memcmp(s.message, text, s.message_len) == 0;
    CHECK_TEXT(same);
    if (!same && s.message_len > 0)
        printf("  \"%.*s\", not \"%s\"\n", (int)s.message_len, s.message, text);
}
