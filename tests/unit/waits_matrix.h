/* Every wait of a blocking client, against everything that it can wait for: it ends at its deadline
 * and says what it waited for, the server has heard of it, and the next call works. */
#ifndef WAITS_MATRIX_H
#define WAITS_MATRIX_H

#include "waits.h"

static unsigned every = 1; /* of so many cells one is run */

/* The functions that wait. Before a call has started, all of them wait in mote_channel_start(). */
typedef enum { UNARY, SEND, RECV, RECV_WITHIN, NEXT, COLLECT, FINISH, WAYS } way;

static const char *const way_names[] = {"unary", "send",    "recv",  "recv_within",
                                        "next",  "collect", "finish"};

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
    [5] = {NO_WINDOW, "deadline exceeded: the server's flow-control window is closed"},
    [6] = {NO_ANSWER, "deadline exceeded: the server has not answered"},
    {HEADERS_ONLY, "deadline exceeded: the server has not answered"},
    {HALF_FRAME, "deadline exceeded: the server has not answered"},
    {HALF_MESSAGE, "deadline exceeded: the server has not answered"},
    {NO_TRAILERS, "deadline exceeded: the server has not answered"},
};

/* One that neither the buffer nor an ordinary window holds. */
static mote_status send_much(mote_grpc_call *call)
{
    static uint8_t big[70000];
    mote_grpc_bytes message = {big, sizeof big};

    CHECK(mote_channel_send(call, &mote_grpc_bytes_source, &message, 0) < 0);
    return mote_channel_finish(call);
}

static mote_status receive(mote_grpc_call *call, way by)
{
    mote_grpc_event ev;
    int r;

    do {
        r = by == RECV          ? mote_channel_recv(call, &ev)
            : by == RECV_WITHIN ? mote_channel_recv_within(call, &ev, 60000)
                                : mote_channel_next(&channel, &ev, 60000);
        CHECK_INT(r, 1);
        CHECK(ev.call == call);
    } while (r == 1 && ev.type != MOTE_GRPC_STATUS);
    return mote_status_of_event(&ev);
}

static mote_status call_by(way by)
{
    mote_grpc_request request = {.path = &path, .timeout_ms = LIMIT, .wait_for_ready = true};
    mote_grpc_bytes message = {(const uint8_t *)"hello", 5};
    mote_grpc_call *call;
    const uint8_t *data;
    size_t len;

    if (by == UNARY)
        return unary(LIMIT, true);
    int r = mote_channel_start(&channel, &request, &call);
    if (r < 0)
        return mote_channel_status(&channel, r);
    if (by == SEND)
        return send_much(call);
    int sent = mote_channel_send(call, &mote_grpc_bytes_source, &message, 0);
    CHECK(server == NO_WINDOW ? sent < 0 : sent == 0);
    if (server != NO_WINDOW)
        CHECK_INT(mote_channel_half_close(call), 0);
    return by == COLLECT  ? mote_channel_collect(call, &data, &len)
           : by == FINISH ? mote_channel_finish(call)
                          : receive(call, by);
}

/* What the server has heard of: the frames of this type. */
static unsigned frames_of(uint8_t type)
{
    unsigned n = 0;

    for (size_t at = 24; at + 9 <= heard_len;
         at += 9 + ((size_t)heard[at + 1] << 8 | heard[at + 2]))
        n += heard[at + 3] == type;
    return n;
}

/* The server goes on where it had stopped; after SEND the window of the connection is used up. */
static void mend(obstacle where, way by)
{
    server = WORKS;
    if (by == SEND && where > NO_STREAMS)
        say("\0\0\4\x8\0\0\0\0\0\0\0\xff\xff", 13);
    if (where == ACCEPTS)
        say("\0\0\0\4\0\0\0\0\0\0\0\0\4\1\0\0\0\0", 18);
    else if (where == NO_STREAMS)
        say("\0\0\6\4\0\0\0\0\0\0\3\0\0\0\7", 15);
    else if (where == NO_WINDOW)
        say("\0\0\6\4\0\0\0\0\0\0\4\0\0\xff\xff", 15);
    else if (where == HALF_FRAME && by != SEND)
        say("\0\2hi", 4);
}

static const char *text_of(size_t row, way by)
{
    return by == SEND && rows[row].where > NO_WINDOW ? rows[5].text : rows[row].text;
}

static void every_wait_ends_at_the_deadline(void)
{
    bool all = true;

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        for (way by = UNARY; by < WAYS; by++) {
            if ((i + by) % every != 0)
                continue;
            test_ok = true;
            begin(rows[i].where);
            check_status(call_by(by), MOTE_GRPC_DEADLINE_EXCEEDED, text_of(i, by));
            CHECK_INT(now, 1000 + LIMIT);
            CHECK_INT(frames_of(1), rows[i].where >= NO_WINDOW);
            CHECK(rows[i].where < NO_WINDOW ||
                  memcmp(heard + heard_len - 13, "\0\0\4\3\0\0\0\0\1\0\0\0\10", 13) == 0);
            mend(rows[i].where, by);
            check_status(unary(LIMIT, true), MOTE_GRPC_OK, "");
            all = all && test_ok;
            if (!test_ok)
                printf("  %s, row %zu\n", way_names[by], i);
        }
    }
    test_ok = all;
}

/* A server that says a byte at a time, at any pace: the call ends well, or at its deadline,
 * wherever that cuts what the server says, and the next call works. */
static void a_byte_at_a_time_is_an_answer_or_too_slow(void)
{
    bool ok[WAYS] = {false}, late[WAYS] = {false};

    for (uint64_t ms = 1; ms < 400; ms += ms < 40 ? every : 13 * every) {
        for (way by = UNARY; by < WAYS; by++) {
            if (by == SEND) /* nobody gives it windows */
                continue;
            drip_ms = ms;
            begin(WORKS);
            mote_status s = call_by(by);
            CHECK(s.code == MOTE_GRPC_OK || s.code == MOTE_GRPC_DEADLINE_EXCEEDED);
            CHECK(s.code == MOTE_GRPC_OK ? now < 1000 + LIMIT : now == 1000 + LIMIT);
            ok[by] = ok[by] || s.code == MOTE_GRPC_OK;
            late[by] = late[by] || s.code != MOTE_GRPC_OK;
            drip_ms = 0;
            check_status(unary(LIMIT, true), MOTE_GRPC_OK, "");
            CHECK_INT(connects, 1);
        }
    }
    for (way by = UNARY; by < WAYS; by++)
        CHECK(by == SEND || (ok[by] && late[by]));
}

/* A server from which there is always something to read, and that pays for it or need not: who
 * waits for something else waits no longer for that. */
static void a_server_that_never_stops_talking_keeps_nobody(void)
{
    static const struct {
        const char *bytes;
        size_t len;
        uint64_t ms;
    } talks[] = {{"\0\0\4\10\0\0\0\0\0\0\0\0\1", 13, 1},
                 {"\0\0\10\6\0\0\0\0\0askaskas", 17, 20},
                 {"\0\0\0\4\0\0\0\0\0", 9, 20},
                 {"\0\0\1\x42\0\0\0\0\0?", 10, 20},
                 {"\0\0\5\2\0\0\0\0\1\0\0\0\0\1", 14, 20}};
    static const obstacle wheres[] = {NO_STREAMS, NO_WINDOW, NO_ANSWER, NO_TRAILERS, WORKS};

    for (size_t i = 0; i < sizeof talks / sizeof talks[0] * 5; i++) {
        for (way by = UNARY; by < WAYS; by++) {
            if ((i + by) % every != 0 || (by == SEND && wheres[i % 5] == WORKS))
                continue;
            begin(wheres[i % 5]);
            if (server >= NO_ANSWER) { /* on a connection that is there */
                server = WORKS;
                CHECK_INT(unary(LIMIT, true).code, MOTE_GRPC_OK);
                server = wheres[i % 5];
            }
            chatter = talks[i / 5].bytes;
            chatter_len = talks[i / 5].len;
            chatter_ms = talks[i / 5].ms;
            CHECK_INT(call_by(by).code,
                      wheres[i % 5] == WORKS ? MOTE_GRPC_OK : MOTE_GRPC_DEADLINE_EXCEEDED);
            CHECK(now <= 1000 + LIMIT + 3 * chatter_ms + 2 * MOTE_CHANNEL_CATCH_UP_MS);
        }
    }
}

/* Whoever was busy beyond the deadline: an answer that was there in time is taken, in however many
 * reads. */
static void an_answer_that_was_there_in_time_is_taken(void)
{
    for (size_t size = 1; size <= sizeof input; size += size < 8 ? 1 : 8) {
        for (way by = RECV; by < WAYS; by++) {
            mote_grpc_request request = {.path = &path, .timeout_ms = LIMIT};
            mote_grpc_bytes message = {(const uint8_t *)"hello", 5};
            mote_grpc_call *call;
            const uint8_t *data;
            size_t len;
            begin(WORKS);
            channel.in_size = size;
            CHECK_INT(mote_channel_start(&channel, &request, &call), 0);
            CHECK_INT(mote_channel_send(call, &mote_grpc_bytes_source, &message, MOTE_GRPC_LAST),
                      0);
            now += LIMIT + 1000;
            mote_status s = by == COLLECT  ? mote_channel_collect(call, &data, &len)
                            : by == FINISH ? mote_channel_finish(call)
                                           : receive(call, by);
            check_status(s, MOTE_GRPC_OK, "");
            CHECK_INT(now, 1000 + LIMIT + 1000);
        }
    }
}

/* Whoever has no time to wait still reads what is there. */
static void without_time_what_is_there_is_read(void)
{
    for (int how = 0; how < 2; how++) {
        mote_grpc_request request = {.path = &path};
        mote_grpc_bytes message = {(const uint8_t *)"hello", 5};
        mote_grpc_call *call;
        mote_grpc_event ev = {0};
        int events = 0, r = 1;
        begin(WORKS);
        CHECK_INT(mote_channel_start(&channel, &request, &call), 0);
        CHECK_INT(mote_channel_send(call, &mote_grpc_bytes_source, &message, MOTE_GRPC_LAST), 0);
        uint64_t at = now;
        while (r == 1 && ev.type != MOTE_GRPC_STATUS) {
            r = how ? mote_channel_next(&channel, &ev, 0) : mote_channel_recv_within(call, &ev, 0);
            events += r;
        }
        CHECK_INT(events, 3); /* START, MESSAGE, STATUS */
        CHECK_INT(ev.code, MOTE_GRPC_OK);
        CHECK_INT(now, at);
    }
}

/* Nothing waits for the next call, or for time: after 5 s the server has heard no more. */
static void heard_so_far(size_t len)
{
    size_t before = heard_len;

    CHECK_INT(heard_len, len);
    for (int i = 0; i < 50; i++)
        mote_channel_poll(&channel, 100);
    CHECK_INT(heard_len, before);
}

static void what_returns_has_left(void)
{
    mote_grpc_request request = {.path = &path};
    mote_grpc_bytes message = {(const uint8_t *)"hello", 5};
    mote_grpc_call *call;

    begin(NO_ANSWER);
    CHECK_INT(mote_channel_start(&channel, &request, &call), 0);
    size_t after_start = heard_len;
    CHECK_INT(frames_of(1), 1);
    heard_so_far(after_start);
    CHECK_INT(mote_channel_send(call, &mote_grpc_bytes_source, &message, 0), 0);
    heard_so_far(after_start + 9 + 10);
    CHECK_INT(mote_channel_send(call, &mote_grpc_bytes_source, &message, MOTE_CHANNEL_MORE), 0);
    CHECK_INT(heard_len, after_start + 9 + 10);
    CHECK_INT(mote_channel_half_close(call), 0);
    heard_so_far(after_start + 9 + 10 + 9 + 10);
    CHECK_INT(asked(), 1);
    mote_channel_cancel(call);
    CHECK_INT(heard[heard_len - 10], 3); /* RST_STREAM: its type, 4 bytes from the end of 13 */
    heard_so_far(after_start + 9 + 10 + 9 + 10 + 13);
    CHECK_INT(mote_channel_finish(call).code, MOTE_GRPC_CANCELLED);
}

#endif
