/* Every wait of a blocking client ends at its deadline, says what it waited for, and the next call
 * works: a matrix of waits, against a server that is bytes, in virtual time. */
#include "../../grpc/channel/channel_internal.h"
#include "../test.h"

enum { CALLS = 2, RX = 512, TX = 256, LIMIT = 3000 };

/* Where the server stops, in the order of a call. */
typedef enum {
    REFUSES,        /* every connection */
    IS_NOT_REACHED, /* connecting takes for ever */
    ACCEPTS,        /* and says nothing */
    NO_STREAMS,     /* SETTINGS permit none */
    NO_ROOM,        /* the transport takes nothing after SETTINGS */
    NO_WINDOW,      /* SETTINGS with a window of 0 */
    NO_ANSWER,
    WORKS
} obstacle;

static obstacle server;
static uint64_t now;
static mote_channel channel;
static uint64_t memory[MOTE_GRPC_MEMORY(CALLS, RX, TX, 0, 256, 8, 0) / 8];
static uint8_t input[128], heard[4096];
static size_t heard_len, said_at, said_len;
static uint8_t said[256];
static unsigned connects;
static bool refused;

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

static int take(void *context, const uint8_t *buf, size_t len)
{
    static uint8_t answered;

    (void)context;
    if (server == NO_ROOM && heard_len > 60)
        return 0;
    memcpy(heard + heard_len, buf, len);
    heard_len += len;
    if (heard_len == len)
        answered = 0;
    if (server == WORKS && asked() > answered) { /* :status 200, content-type; grpc-status 0 */
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
        say(data, 16);
        said[at + 8] = answered;
        at = said_len;
        say(trailers, 9 + 15);
        said[at + 8] = answered;
    }
    return (int)len;
}

static int give(void *context, uint8_t *buf, size_t cap)
{
    size_t n = said_len - said_at < cap ? said_len - said_at : cap;

    (void)context;
    memcpy(buf, said + said_at, n);
    said_at += n;
    return (int)n;
}

static void pass(void *context, bool writing, uint64_t until_ms)
{
    (void)context;
    (void)writing;
    CHECK(until_ms != UINT64_MAX); /* nothing would ever happen */
    now = until_ms < now + 100 ? until_ms : now + 100;
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

/* ---- the matrix ---------------------------------------------------------------------------- */

static const struct {
    obstacle where;
    const char *text;
} rows[] = {
    {REFUSES, "deadline exceeded: the wait before the next attempt to connect is not over "
              "(connect 10.0.0.1:1: Connection refused)"},
    {IS_NOT_REACHED, "deadline exceeded: connecting took too long (no address could be reached)"},
    {ACCEPTS, "deadline exceeded: connected, but the server has not sent its SETTINGS"},
    {NO_STREAMS, "deadline exceeded: the server permits no more calls at once"},
    {NO_ROOM, "deadline exceeded: the transport takes no more bytes"},
    {NO_WINDOW, "deadline exceeded: the server's flow-control window is closed"},
    {NO_ANSWER, "deadline exceeded: the server has not answered"},
};

static void every_wait_ends_at_the_deadline(void)
{
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        begin(rows[i].where);
        mote_status s;
        if (rows[i].where == NO_ROOM) { /* a message that the buffer does not hold */
            static uint8_t big[2 * TX];
            mote_grpc_bytes message = {big, sizeof big};
            mote_grpc_request request = {.path = &path, .timeout_ms = LIMIT};
            mote_grpc_call *call;
            CHECK_INT(mote_channel_start(&channel, &request, &call), 0);
            CHECK(mote_channel_send(call, &mote_grpc_bytes_source, &message, 0) < 0);
            s = mote_channel_finish(call);
        } else {
            s = unary(LIMIT, true);
        }
        check_status(s, MOTE_GRPC_DEADLINE_EXCEEDED, rows[i].text);
        CHECK_INT(now, 1000 + LIMIT);
        server = WORKS; /* what is on the old connection is as it was */
        if (rows[i].where == ACCEPTS)
            say("\0\0\0\4\0\0\0\0\0\0\0\0\4\1\0\0\0\0", 18);
        else if (rows[i].where == NO_STREAMS)
            say("\0\0\6\4\0\0\0\0\0\0\3\0\0\0\7", 15);
        else if (rows[i].where == NO_WINDOW)
            say("\0\0\6\4\0\0\0\0\0\0\4\0\0\xff\xff", 15);
        check_status(unary(LIMIT, true), MOTE_GRPC_OK, "");
    }
}

static void who_does_not_wait_is_told_why_at_once(void)
{
    begin(REFUSES);
    check_status(unary(LIMIT, false), MOTE_GRPC_UNAVAILABLE,
                 "connect 10.0.0.1:1: Connection refused");
    CHECK_INT(now, 1000);
    check_status(unary(0, false), MOTE_GRPC_UNAVAILABLE, "connect 10.0.0.1:1: Connection refused");
    CHECK_INT(connects, 1); /* the next attempt is not due */
}

static void what_can_never_work_ends_at_once(void)
{
    mote_grpc_request request = {.path = &path};
    mote_grpc_call *calls[CALLS], *more;

    begin(NO_ANSWER);
    for (int i = 0; i < CALLS; i++)
        CHECK_INT(mote_channel_start(&channel, &request, &calls[i]), 0);
    int r = mote_channel_start(&channel, &request, &more);
    CHECK_INT(r, MOTE_CHANNEL_ERR_CALLS);
    check_status(mote_channel_status(&channel, r), MOTE_GRPC_RESOURCE_EXHAUSTED,
                 "all calls that the channel has room for are open (max_calls)");
    channel.config.send_limit = 3;
    mote_channel_cancel(calls[0]);
    CHECK_INT(mote_channel_finish(calls[0]).code, MOTE_GRPC_CANCELLED);
    check_status(unary(0, false), MOTE_GRPC_RESOURCE_EXHAUSTED,
                 "grpc: the message is larger than send_limit of 3");
    CHECK_INT(mote_channel_start(&channel, &request, &calls[0]), 0);
    r = mote_channel_send(calls[0], &mote_grpc_bytes_source,
                          &(mote_grpc_bytes){(const uint8_t *)"four", 4}, 0);
    CHECK_INT(r, MOTE_GRPC_ERR_LIMIT); /* with no memory of a call for a text with numbers */
    check_status(mote_channel_status(&channel, r), MOTE_GRPC_RESOURCE_EXHAUSTED,
                 "grpc: the message is larger than send_limit");
    CHECK_INT(now, 1000);
}

static void what_returns_has_left(void)
{
    mote_grpc_request request = {.path = &path};
    mote_grpc_bytes message = {(const uint8_t *)"hello", 5};
    mote_grpc_call *call;

    begin(NO_ANSWER);
    CHECK_INT(mote_channel_start(&channel, &request, &call), 0);
    size_t after_start = heard_len;
    CHECK_INT(mote_channel_send(call, &mote_grpc_bytes_source, &message, 0), 0);
    CHECK_INT(heard_len, after_start + 9 + 10);
    CHECK_INT(mote_channel_send(call, &mote_grpc_bytes_source, &message, MOTE_CHANNEL_MORE), 0);
    CHECK_INT(heard_len, after_start + 9 + 10);
    CHECK_INT(mote_channel_half_close(call), 0);
    CHECK_INT(heard_len, after_start + 9 + 10 + 9 + 10);
    CHECK_INT(asked(), 1);
    mote_channel_cancel(call);
    CHECK_INT(heard[heard_len - 10], 3); /* RST_STREAM: its type, 4 bytes from the end of 13 */
    CHECK_INT(mote_channel_finish(call).code, MOTE_GRPC_CANCELLED);
}

static void a_receive_may_have_a_limit_and_the_deadline_is_kept(void)
{
    mote_grpc_request request = {.path = &path, .timeout_ms = LIMIT};
    mote_grpc_event ev;
    mote_grpc_call *call;

    begin(NO_ANSWER);
    CHECK_INT(mote_channel_start(&channel, &request, &call), 0);
    CHECK_INT(mote_channel_recv_within(call, &ev, 500), 0);
    CHECK_INT(now, 1500);
    CHECK_INT(mote_channel_next(&channel, &ev, 500), 0);
    CHECK_INT(now, 2000);
    CHECK_INT(mote_channel_recv_within(call, &ev, 60000), 1);
    CHECK_INT(ev.type, MOTE_GRPC_STATUS);
    CHECK_INT(ev.code, MOTE_GRPC_DEADLINE_EXCEEDED);
    CHECK_INT(now, 1000 + LIMIT);
}

/* Whoever waits for any of its calls is told at the deadline of each, and what was waited for. */
static void each_of_several_calls_ends_at_its_own_deadline(void)
{
    static const uint32_t limits[CALLS] = {700, 400};
    mote_grpc_call *calls[CALLS];
    mote_grpc_event ev;

    begin(NO_ANSWER);
    for (int i = 0; i < CALLS; i++) {
        mote_grpc_request request = {.path = &path, .timeout_ms = limits[i]};
        CHECK_INT(mote_channel_start(&channel, &request, &calls[i]), 0);
    }
    for (int i = CALLS - 1; i >= 0; i--) {
        CHECK_INT(mote_channel_next(&channel, &ev, 60000), 1);
        CHECK_INT(ev.type, MOTE_GRPC_STATUS);
        CHECK(ev.call == calls[i]);
        check_status(mote_status_of_event(&ev), MOTE_GRPC_DEADLINE_EXCEEDED,
                     "deadline exceeded: the server has not answered");
        CHECK_INT(now, 1000 + limits[i]);
        CHECK_INT(heard[heard_len - 1], MOTE_H2_CANCEL); /* which the server was told */
    }
    CHECK_INT(mote_channel_next(&channel, &ev, 300), 0);
    CHECK_INT(now, 2000);
}

static unsigned closes;

static void hang_up(void *context)
{
    (void)context;
    closes++;
}

/* A transport that connects again may have no close of its own. */
static void a_server_that_breaks_the_protocol_is_left(void)
{
    static const uint8_t goaway[] = {0, 0, 0, 0, 0, 0, 0, MOTE_H2_FRAME_SIZE_ERROR};

    for (int has_close = 0; has_close < 2; has_close++) {
        begin(WORKS);
        closes = 0;
        channel.io.close = has_close ? hang_up : NULL;
        CHECK_INT(unary(0, false).code, MOTE_GRPC_OK);
        say("\0\0\1\6\0\0\0\0\0x", 10); /* PING of one byte */
        CHECK_INT(mote_channel_poll(&channel, 100), MOTE_H2_ERR_PEER);
        CHECK_INT(mote_channel_poll(&channel, 100), MOTE_H2_ERR_PEER);
        CHECK(memcmp(heard + heard_len - 8 - strlen("PING is not 8 bytes long: 1"), goaway, 8) ==
                  0 ||
              memcmp(heard + heard_len - 8, goaway, 8) == 0);
        CHECK_INT(closes, has_close);
        CHECK(!channel.open);
        CHECK_INT(connects, 1);
        CHECK_INT(unary(0, true).code, MOTE_GRPC_OK);
        CHECK_INT(connects, 2);
        CHECK_INT(closes, has_close);
    }
}

static void a_second_close_does_nothing(void)
{
    begin(WORKS);
    closes = 0;
    channel.io.close = hang_up;
    CHECK_INT(unary(0, false).code, MOTE_GRPC_OK);
    mote_channel_close(&channel, 1000);
    size_t len = heard_len;
    mote_channel_close(&channel, 1000);
    CHECK_INT(closes, 1);
    CHECK_INT(heard_len, len);
}

/* Each error that a call can begin or end with, and the status that it is told as. */
static void every_error_has_its_status(void)
{
#define NAMED(name, code, text) {name, text},
    static const struct {
        int error;
        const char *text;
    } all[] = {MOTE_HPACK_ERRORS(NAMED) MOTE_H2_ERRORS(NAMED) MOTE_GRPC_ERRORS(NAMED)
                   MOTE_CHANNEL_ERRORS(NAMED)};
#undef NAMED
    static const int exhausted[] = {MOTE_CHANNEL_ERR_CALLS, MOTE_CHANNEL_ERR_GOAWAY,
                                    MOTE_GRPC_ERR_LIMIT, MOTE_H2_ERR_TOO_LARGE, 0},
                     unavailable[] = {
                         MOTE_CHANNEL_ERR_CONNECT, MOTE_CHANNEL_ERR_SHUTDOWN, MOTE_GRPC_ERR_IO,
                         MOTE_H2_ERR_PEER,         MOTE_H2_ERR_CALM,          MOTE_H2_ERR_GOAWAY,
                         MOTE_H2_ERR_TIMEOUT,      MOTE_H2_ERR_CLOSED,        0};

    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        int code = all[i].error == MOTE_CHANNEL_ERR_DEADLINE ? MOTE_GRPC_DEADLINE_EXCEEDED
                   : all[i].error == MOTE_GRPC_ERR_INSECURE  ? MOTE_GRPC_UNAUTHENTICATED
                                                             : MOTE_GRPC_INTERNAL;
        for (const int *e = exhausted; *e; e++)
            code = *e == all[i].error ? MOTE_GRPC_RESOURCE_EXHAUSTED : code;
        for (const int *e = unavailable; *e; e++)
            code = *e == all[i].error ? MOTE_GRPC_UNAVAILABLE : code;
        check_status(mote_status_of_error(all[i].error), code, all[i].text);
    }
}

static void a_cancelled_call_says_so_at_once(void)
{
    mote_grpc_request request = {.path = &path, .timeout_ms = LIMIT};
    mote_grpc_call *call;
    mote_grpc_event ev;

    begin(NO_ANSWER);
    CHECK_INT(mote_channel_start(&channel, &request, &call), 0);
    mote_channel_cancel(call);
    CHECK(memcmp(heard + heard_len - 13, "\0\0\4\3\0\0\0\0\1\0\0\0\10", 13) == 0);
    CHECK_INT(mote_channel_recv(call, &ev), 1);
    CHECK_INT(ev.type, MOTE_GRPC_STATUS);
    CHECK_INT(ev.code, MOTE_GRPC_CANCELLED);
    CHECK_INT(now, 1000);
}

/* The transport takes nothing for a while: what is to leave is waited for, and no longer. */
static void what_is_to_leave_is_waited_for(void)
{
    begin(WORKS);
    CHECK_INT(unary(0, false).code, MOTE_GRPC_OK);
    CHECK_INT(mote_channel_flush(&channel, 1000), 0);
    uint64_t start = now;
    server = NO_ROOM;
    heard_len = 61;
    CHECK_INT(mote_h2_ping(&channel.grpc.h2), 0);
    CHECK_INT(mote_channel_flush(&channel, 1000), MOTE_AGAIN);
    CHECK_INT(now, start + 1000);
    CHECK_INT(mote_channel_flush(&channel, 0), MOTE_AGAIN);
    CHECK_INT(now, start + 1000);
    server = WORKS;
    CHECK_INT(mote_channel_flush(&channel, 1000), 0);
    CHECK_INT(now, start + 1000);
    mote_channel_pause(&channel, now + 700);
    CHECK_INT(now, start + 1700);
}

static void nothing_is_written_to_a_transport_that_has_ended(void)
{
    begin(WORKS);
    CHECK_INT(unary(0, false).code, MOTE_GRPC_OK);
    size_t len = heard_len;
    CHECK_INT(mote_h2_ping(&channel.grpc.h2), 0);
    channel.open = false;
    mote_channel_write(&channel);
    CHECK_INT(heard_len, len);
    channel.open = true;
    channel.write_ends = true;
    mote_channel_write(&channel);
    CHECK_INT(heard_len, len);
    channel.write_ends = false;
    mote_channel_write(&channel);
    CHECK_INT(heard_len, len + 17);
}

static int no_more(void *context, uint8_t *buf, size_t cap)
{
    (void)context;
    (void)buf;
    (void)cap;
    refused = true; /* so that why() says what has happened */
    return -1;
}

/* The transport says why it has ended, to whoever asks: for one call, or for any. */
static void a_status_tells_why_the_transport_has_ended(void)
{
    static const char text[] = "connect 10.0.0.1:1: Connection refused";

    for (int any = 0; any < 2; any++) {
        mote_grpc_request request = {.path = &path, .timeout_ms = LIMIT};
        mote_grpc_call *call;
        mote_grpc_event ev;
        begin(NO_ANSWER);
        CHECK_INT(mote_channel_start(&channel, &request, &call), 0);
        channel.io.read = no_more;
        if (any)
            CHECK_INT(mote_channel_next(&channel, &ev, 1000), 1);
        else
            CHECK_INT(mote_channel_recv(call, &ev), 1);
        CHECK_INT(ev.type, MOTE_GRPC_STATUS);
        CHECK_INT(ev.code, MOTE_GRPC_UNAVAILABLE);
        CHECK_TEXT(ev.message_len == sizeof text - 1 &&
                   memcmp(ev.message, text, sizeof text - 1) == 0);
    }
}

static void close_says_goaway(void)
{
    begin(WORKS);
    CHECK_INT(unary(0, false).code, MOTE_GRPC_OK);
    mote_channel_close(&channel, 1000);
    CHECK_INT(channel.state, MOTE_CHANNEL_SHUTDOWN);
    CHECK(heard[heard_len - 14] == 7); /* GOAWAY without debug data is 17 bytes */
    CHECK_INT(unary(0, true).code, MOTE_GRPC_UNAVAILABLE);
}

int main(void)
{
    RUN(every_wait_ends_at_the_deadline);
    RUN(who_does_not_wait_is_told_why_at_once);
    RUN(what_can_never_work_ends_at_once);
    RUN(what_returns_has_left);
    RUN(each_of_several_calls_ends_at_its_own_deadline);
    RUN(a_receive_may_have_a_limit_and_the_deadline_is_kept);
    RUN(a_server_that_breaks_the_protocol_is_left);
    RUN(a_second_close_does_nothing);
    RUN(every_error_has_its_status);
    RUN(a_cancelled_call_says_so_at_once);
    RUN(what_is_to_leave_is_waited_for);
    RUN(nothing_is_written_to_a_transport_that_has_ended);
    RUN(a_status_tells_why_the_transport_has_ended);
    RUN(close_says_goaway);
    return test_summary();
}
