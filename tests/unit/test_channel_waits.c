/* What a blocking client waits for, and for how long: deadlines, ends, errors and what has left
 * when a function returns. test_channel_deadlines.c has the matrix of all waits. */
#include "waits.h"

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

static unsigned closes, calls_refused;

static bool said_goodbye;

static void hang_up(void *context)
{
    (void)context;
    closes++;
    said_goodbye = heard_len > 17 && memcmp(heard + heard_len - 17, "\0\0\10\7", 4) == 0;
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

/* The stream of the last HEADERS that were heard is refused. */
static int refuse(void *context, const uint8_t *buf, size_t len)
{
    uint32_t id = 0;
    int n = take(context, buf, len);

    for (size_t at = 0; at + 9 <= len && memcmp(buf, "PRI", 3) != 0;
         at += 9 + ((size_t)buf[at + 1] << 8 | buf[at + 2]))
        id = buf[at + 3] == 1 ? (uint32_t)buf[at + 7] << 8 | buf[at + 8] : id;
    if (id > 0) {
        uint8_t reset[13] = {0, 0, 4, 3, 0, 0, 0, [12] = MOTE_H2_REFUSED_STREAM};
        reset[7] = (uint8_t)(id >> 8);
        reset[8] = (uint8_t)id;
        said_at = said_len = 0;
        say((const char *)reset, sizeof reset);
        calls_refused++;
    }
    return n;
}

/* Whoever waits for ready goes on where a server refuses each call, to the deadline, and does not
 * ask it as fast as the network can; others are told. */
static void a_server_that_refuses_each_call_is_asked_now_and_then(void)
{
    static const char refused_text[] = "the peer has reset the stream: REFUSED_STREAM";
    static const struct {
        bool policy, waits;
        unsigned least, most; /* calls */
    } rows[] = {
        {false, false, 2, 2}, {true, false, 6, 6}, {false, true, 7, 12}, {true, true, 7, 12}};

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        begin(NO_ANSWER);
        channel.io.write = refuse;
        calls_refused = 0;
        if (rows[i].policy)
            mote_channel_set_retry(&channel, NULL);
        mote_status s = unary(60000, rows[i].waits);
        CHECK(calls_refused >= rows[i].least && calls_refused <= rows[i].most);
        CHECK_INT(connects, 1);
        if (rows[i].waits)
            check_status(s, MOTE_GRPC_DEADLINE_EXCEEDED,
                         "deadline exceeded: the server permits no more calls at once");
        else
            check_status(s, MOTE_GRPC_UNAVAILABLE, refused_text);
        CHECK(rows[i].waits ? now == 61000 : now < 3000);
        channel.io.write = take;
        server = WORKS;
        CHECK_INT(unary(0, false).code, MOTE_GRPC_OK);
    }
}

/* ... and so does whoever connects again: the server takes no more calls, or there are no more ids
 * for them. */
static void a_connection_that_is_left_is_told(void)
{
    for (int ids = 0; ids < 2; ids++) {
        begin(WORKS);
        closes = 0;
        channel.io.close = hang_up;
        CHECK_INT(unary(0, false).code, MOTE_GRPC_OK);
        said_at = said_len = 0;
        if (ids)
            channel.grpc.h2.next_id = (1u << 31) + 1;
        else
            say("\0\0\10\7\0\0\0\0\0\0\0\0\1\0\0\0\0", 17);
        CHECK_INT(unary(0, false).code, MOTE_GRPC_OK);
        CHECK_INT(connects, 2);
        CHECK_INT(closes, 1);
        CHECK_INT(said_goodbye, ids);
        channel.open = false; /* one that has ended by itself is not told */
        channel.state = MOTE_CHANNEL_IDLE;
        CHECK_INT(unary(0, false).code, MOTE_GRPC_OK);
        CHECK_INT(connects, 3);
        CHECK_INT(closes, 1);
    }
}

static size_t cuts[2]; /* where reads end, counted in what the server has said */

static int give_to_cut(void *context, uint8_t *buf, size_t cap)
{
    for (int i = 0; i < 2; i++)
        cap = said_at < cuts[i] && cuts[i] - said_at < cap ? cuts[i] - said_at : cap;
    return give(context, buf, cap);
}

/* A call with one response, by each of the functions that give it. */
static mote_status ask(int how, const uint8_t **data, size_t *len)
{
    mote_grpc_request request = {.path = &path, .timeout_ms = LIMIT};
    mote_grpc_bytes message = {(const uint8_t *)"hello", 5};
    mote_grpc_call *call;

    mote_channel_set_retry(&channel, NULL);
    if (how < 2) {
        channel.unary = how == 0 ? NULL : channel.unary;
        return mote_channel_unary(&channel, &request, &mote_grpc_bytes_source, &message, data, len);
    }
    CHECK_INT(mote_channel_start(&channel, &request, &call), 0);
    CHECK_INT(
        mote_channel_send(call, &mote_grpc_bytes_source, &message, how == 2 ? MOTE_GRPC_LAST : 0),
        0);
    if (how == 4)
        CHECK_INT(mote_channel_half_close(call), 0);
    return mote_channel_collect(call, data, len);
}

/* SETTINGS and their ACK, headers, a message, trailers. */
static void a_response_is_whole_wherever_reads_end(void)
{
    enum { START = 18, END = START + 41 + 16 + 24, HOW = 5 };
    const uint8_t *data;
    size_t len;

    for (size_t i = START; i < END; i++) {
        for (size_t j = i; j < END; j++) {
            begin(WORKS);
            channel.io.read = give_to_cut;
            cuts[0] = i;
            cuts[1] = j;
            check_status(ask((int)(i + j) % HOW, &data, &len), MOTE_GRPC_OK, "");
            CHECK(len == 2 && memcmp(data, "hi", 2) == 0);
        }
    }
    for (int how = 0; how < HOW; how++) { /* each frame by itself */
        begin(WORKS);
        channel.io.read = give_to_cut;
        cuts[0] = START + 41;
        cuts[1] = START + 41 + 16;
        check_status(ask(how, &data, &len), MOTE_GRPC_OK, "");
        CHECK(len == 2 && memcmp(data, "hi", 2) == 0);
    }
}

static struct {
    const char *bytes; /* behind the headers of the response, once; NULL: none, or said */
    size_t len;
} behind;

static int give_behind(void *context, uint8_t *buf, size_t cap)
{
    if (behind.bytes && answered > 0) {
        say(behind.bytes, behind.len);
        behind.bytes = NULL;
    }
    return give(context, buf, cap);
}

/* Whoever waits for one response reads on where it is none: a server that has no more room to say
 * anything is not waited for. */
static void what_is_no_response_is_read_at_once(void)
{
    enum { HOW = 5 };
    static const struct {
        const char *bytes;
        size_t len;
        int code;
        const char *text;
        uint64_t ms;
    } rows[] = {
        {"\0\0\5\0\0\0\0\0\1\0\xff\xff\xff\xff", 14, MOTE_GRPC_RESOURCE_EXHAUSTED,
         "message of 4294967300 bytes with its prefix is larger than rx_size 512 of the client", 0},
        {"\0\0\5\0\0\0\0\0\1\0\0\0\1\xfc", 14, MOTE_GRPC_RESOURCE_EXHAUSTED,
         "message of 513 bytes with its prefix is larger than rx_size 512 of the client", 0},
        {"\0\0\5\0\0\0\0\0\1\0\0\0\1\xfb", 14, MOTE_GRPC_DEADLINE_EXCEEDED,
         "deadline exceeded: the server has not answered", LIMIT},
        {"\0\0\5\0\0\0\0\0\1\2\0\0\0\3", 14, MOTE_GRPC_INTERNAL,
         "the flag before a message is neither 0 nor 1", 0},
        {"\0\0\5\0\0\0\0\0\1\1\0\0\0\3", 14, MOTE_GRPC_INTERNAL,
         "compressed message without a grpc-encoding", 0},
        {"\0\0\6\0\0\0\0\0\1\0\0\0\0\0\0", 15, MOTE_GRPC_DEADLINE_EXCEEDED,
         "deadline exceeded: the server has not answered", LIMIT},
    };
    const uint8_t *data;
    size_t len;

    for (size_t i = 0; i < sizeof rows / sizeof rows[0] * HOW; i++) {
        begin(HEADERS_ONLY);
        channel.io.read = give_behind;
        behind.bytes = rows[i / HOW].bytes;
        behind.len = rows[i / HOW].len;
        uint64_t at = now;
        check_status(ask((int)i % HOW, &data, &len), rows[i / HOW].code, rows[i / HOW].text);
        CHECK_INT(now, at + rows[i / HOW].ms);
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
    RUN(who_does_not_wait_is_told_why_at_once);
    RUN(what_can_never_work_ends_at_once);
    RUN(each_of_several_calls_ends_at_its_own_deadline);
    RUN(a_receive_may_have_a_limit_and_the_deadline_is_kept);
    RUN(a_server_that_breaks_the_protocol_is_left);
    RUN(a_second_close_does_nothing);
    RUN(every_error_has_its_status);
    RUN(a_cancelled_call_says_so_at_once);
    RUN(what_is_to_leave_is_waited_for);
    RUN(nothing_is_written_to_a_transport_that_has_ended);
    RUN(a_status_tells_why_the_transport_has_ended);
    RUN(a_server_that_refuses_each_call_is_asked_now_and_then);
    RUN(a_response_is_whole_wherever_reads_end);
    RUN(what_is_no_response_is_read_at_once);
    RUN(close_says_goaway);
    RUN(a_connection_that_is_left_is_told);
    return test_summary();
}
