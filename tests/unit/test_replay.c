/* Calls that were started, where a server refuses the first of them before it has seen any: with
 * places for them they are made again, whoever waits, and what was sent is sent again. */
#include "waits.h"

enum { KEEP = 128 };

/* How the server says that it has not seen a call. */
typedef enum { RESETS, GOES, GOES_AND_ENDS, ENDS_UNHEARD, REFUSALS } refusal;

static refusal how;
static int refuse_left; /* so many calls */
static bool ended, deaf;
static unsigned calls_seen;
static uint8_t refused_id;
static mote_replay place;
static uint64_t kept[KEEP / 8];

/* The id of the last HEADERS frame, or 0. */
static uint8_t called(const uint8_t *buf, size_t len)
{
    uint8_t id = 0;
    size_t at = len >= 24 && memcmp(buf, "PRI", 3) == 0 ? 24 : 0;

    for (; at + 9 <= len; at += 9 + ((size_t)buf[at + 1] << 8 | buf[at + 2]))
        id = buf[at + 3] == 1 ? buf[at + 8] : id;
    return id;
}

static int take_or_refuse(void *context, const uint8_t *buf, size_t len)
{
    uint8_t id = called(buf, len);

    if (said_at == said_len)
        said_at = said_len = 0;
    if (deaf || (id > 0 && refuse_left > 0 && how == ENDS_UNHEARD)) {
        refuse_left -= !deaf;
        ended = deaf = true;
        return -1;
    }
    if (ended)
        return -1;
    obstacle was = server;
    if (id == 0 && refused_id > 0 && len >= 9 && buf[8] == refused_id)
        server = NO_ANSWER; /* what was under way */
    if (id == 0 || refuse_left == 0) {
        calls_seen += id > 0;
        int n = take(context, buf, len);
        server = was;
        return n;
    }
    uint8_t reset[13] = {0, 0, 4, 3, 0, 0, 0, 0, id, 0, 0, 0, MOTE_H2_REFUSED_STREAM};
    uint8_t goaway[17] = {0, 0, 8, 7, [12] = id > 1 ? id - 2 : 0}; /* the last one that is seen */
    server = NO_ANSWER;
    take(context, buf, len);
    server = was;
    refuse_left--;
    refused_id = id;
    if (how == RESETS)
        say((const char *)reset, sizeof reset);
    else
        say((const char *)goaway, sizeof goaway);
    ended = how == GOES_AND_ENDS;
    return (int)len;
}

static int give_or_end(void *context, uint8_t *buf, size_t cap)
{
    int n = give(context, buf, cap);

    return n == 0 && ended ? -1 : n;
}

static int dial_again(void *context, uint64_t until_ms)
{
    ended = deaf = false;
    refused_id = 0;
    return dial(context, until_ms);
}

static void prepare(refusal by, int refused, size_t size)
{
    begin(WORKS);
    channel.io.write = take_or_refuse;
    channel.io.read = give_or_end;
    channel.io.connect = dial_again;
    how = by;
    refuse_left = refused;
    ended = deaf = false;
    refused_id = 0;
    calls_seen = 0;
    place = (mote_replay){.memory = kept, .size = size};
    mote_channel_set_replay(&channel, &place, size > 0);
}

/* What the server has heard of the last call: its content. */
static size_t content_of(uint8_t id, uint8_t *out)
{
    size_t n = 0;

    for (size_t at = 24; at + 9 <= heard_len;) {
        size_t len = (size_t)heard[at + 1] << 8 | heard[at + 2];
        if (heard[at + 3] == 0 && heard[at + 8] == id) {
            memcpy(out + n, heard + at + 9, len);
            n += len;
        }
        at += 9 + len;
    }
    return n;
}

/* The functions that wait. */
typedef enum { BY_RECV, BY_FINISH, BY_COLLECT, BY_SEND, BY_HALF_CLOSE, WAYS } way;

static mote_grpc_bytes hello = {(const uint8_t *)"hello", 5}, again = {(const uint8_t *)"again", 5};

/* Two messages and the end; how many of them before the server has said anything depends on `by`.
 */
static mote_status converse(mote_grpc_call *call, way by)
{
    mote_grpc_event ev = {0};
    const uint8_t *data;
    size_t len;

    CHECK_INT(mote_channel_send(call, &mote_grpc_bytes_source, &hello, 0), 0);
    if (by == BY_SEND || by == BY_HALF_CLOSE)
        mote_channel_poll(&channel, 0); /* its answer is there by now */
    if (by == BY_SEND)
        mote_channel_poll(&channel, 0);
    int r = mote_channel_send(call, &mote_grpc_bytes_source, &again, 0);
    if (r == 0 && by == BY_HALF_CLOSE)
        mote_channel_poll(&channel, 0);
    if (r == 0)
        mote_channel_half_close(call);
    if (by == BY_COLLECT)
        return mote_channel_collect(call, &data, &len);
    if (by == BY_FINISH)
        return mote_channel_finish(call);
    while (ev.type != MOTE_GRPC_STATUS)
        CHECK_INT(mote_channel_recv(call, &ev), 1);
    return mote_status_of_event(&ev);
}

static mote_grpc_call *start_with(bool waits, uint32_t timeout_ms)
{
    mote_grpc_metadata metadata[] = {MOTE_GRPC_METADATA_FIELD("x-name", "value")};
    mote_grpc_request request = {.path = &path,
                                 .timeout_ms = timeout_ms,
                                 .metadata = metadata,
                                 .metadata_count = 1,
                                 .wait_for_ready = waits};
    mote_grpc_call *call = NULL;

    CHECK_INT(mote_channel_start(&channel, &request, &call), 0);
    memset(metadata, 0xff, sizeof metadata); /* it was kept */
    return call;
}

/* What is to happen to a call that is refused so often; a connection that was of no use and breaks
 * is no reason to connect at once. */
typedef struct {
    refusal by;
    way with;
    bool waits, used;
    int refused;
} row;

static int code_of_row(const row *r)
{
    bool fails_fast = r->by == ENDS_UNHEARD && !r->used;

    return r->waits || (r->refused == 1 && !fails_fast) ? MOTE_GRPC_OK : MOTE_GRPC_UNAVAILABLE;
}

static unsigned connects_of_row(const row *r)
{
    if (r->by == RESETS)
        return 1;
    if (r->waits)
        return (unsigned)r->refused + 1;
    return r->by == ENDS_UNHEARD && !r->used ? 1 : 2;
}

static void check_row(const row *r)
{
    static const char both[] = "\0\0\0\0\5hello\0\0\0\0\5again";
    uint8_t content[64];

    prepare(r->by, r->used ? 0 : r->refused, KEEP);
    if (r->used)
        check_status(unary(60000, true), MOTE_GRPC_OK, "");
    refuse_left = r->refused;
    calls_seen = 0;
    mote_grpc_call *call = start_with(r->waits, 60000);
    mote_grpc_handle handle = mote_grpc_handle_of(call);
    mote_status s = converse(call, r->with);
    CHECK_INT(s.code, code_of_row(r));
    CHECK_INT(calls_seen, s.code == MOTE_GRPC_OK);
    if (s.code == MOTE_GRPC_OK) {
        CHECK(mote_grpc_find(handle) == call);
        CHECK_INT(content_of(asked(), content), sizeof both - 1);
        CHECK(memcmp(content, both, sizeof both - 1) == 0);
    }
    CHECK_INT(connects, connects_of_row(r));
    CHECK(now < 1000 + 10000);
    refuse_left = 0;
    check_status(unary(60000, true), MOTE_GRPC_OK, "");
}

static void a_started_call_that_was_not_seen_is_made_again(void)
{
    bool all = true;

    for (int i = 0; i < REFUSALS * WAYS * 4 * 3; i++) {
        row r = {.by = (refusal)(i % REFUSALS),
                 .with = (way)(i / REFUSALS % WAYS),
                 .waits = i / REFUSALS / WAYS % 2,
                 .used = i / REFUSALS / WAYS / 2 % 2,
                 .refused = i / REFUSALS / WAYS / 4 + 1};
        test_ok = true;
        check_row(&r);
        all = all && test_ok;
        if (!test_ok)
            printf("  refusal %d, way %d, waits %d, used %d, %d times\n", r.by, r.with, r.waits,
                   r.used, r.refused);
    }
    test_ok = all;
}

/* More than there is room for, an answer that has begun, a limit of its own: its end is told, once,
 * and says that nobody has seen it. */
static void what_is_not_kept_is_told(void)
{
    for (size_t size = 0; size <= KEEP; size++) {
        size_t needed = sizeof(mote_grpc_metadata) + strlen("x-namevalue") + 5 + 5 + 5 + 5 + 5;
        prepare(RESETS, 1, size);
        mote_status s = converse(start_with(false, 60000), BY_RECV);
        CHECK_INT(s.code, size >= needed ? MOTE_GRPC_OK : MOTE_GRPC_UNAVAILABLE);
        check_status(unary(60000, true), MOTE_GRPC_OK, "");
    }
    for (int next = 0; next < 2; next++) {
        mote_grpc_event ev;
        prepare(RESETS, 1, KEEP);
        mote_grpc_call *call = start_with(true, 60000);
        CHECK_INT(next ? mote_channel_next(&channel, &ev, 100)
                       : mote_channel_recv_within(call, &ev, 100),
                  1);
        CHECK(ev.type == MOTE_GRPC_STATUS && ev.unseen);
        check_status(mote_channel_finish(call), MOTE_GRPC_INTERNAL,
                     "the call has not started, or its end was told");
        check_status(unary(60000, true), MOTE_GRPC_OK, "");
    }
}

/* Another call on the old connection: nobody waits for its end. On a connection that goes on both
 * slots stay what they are. */
static void a_second_call_is_left_alone(void)
{
    for (int i = 0; i < 4; i++) {
        refusal by = i / 2 ? GOES : RESETS;
        bool first = i % 2;
        prepare(by, first ? 1 : 0, KEEP);
        mote_grpc_call *a = start_with(true, 60000), *other;
        place.call = first ? place.call : NULL; /* only the other one is kept */
        refuse_left = first ? 0 : 1;
        if (first)
            mote_channel_poll(&channel, 0);
        mote_grpc_request request = {.path = &path, .timeout_ms = 60000, .wait_for_ready = true};
        int r = by == GOES && first ? -1 : mote_channel_start(&channel, &request, &other);
        if (r < 0)
            continue;
        mote_grpc_call *kept_call = first ? a : other;
        mote_status s = converse(kept_call, BY_RECV);
        CHECK_INT(s.code, by == RESETS ? MOTE_GRPC_OK : MOTE_GRPC_UNAVAILABLE);
        CHECK_INT(connects, 1);
        CHECK(a != other);
        CHECK_INT(mote_grpc_running(&channel.grpc), 1);
        mote_channel_cancel(first ? other : a);
        CHECK_INT(mote_channel_finish(first ? other : a).code, MOTE_GRPC_CANCELLED);
        check_status(unary(60000, true), MOTE_GRPC_OK, "");
    }
}

/* While it is made again time goes on: its deadline is that of the first attempt, and the status
 * says what it has waited for. */
static void the_deadline_holds_over_all_of_it(void)
{
    static const obstacle wheres[] = {REFUSES, IS_NOT_REACHED, ACCEPTS, NO_STREAMS, NO_ANSWER};
    static const char *const texts[] = {
        "deadline exceeded: the wait before the next attempt to connect is not over "
        "(connect 10.0.0.1:1: Connection refused)",
        "deadline exceeded: connecting took too long (no address could be reached)",
        "deadline exceeded: connected, but the server has not sent its SETTINGS",
        "deadline exceeded: the server permits no more calls at once",
        "deadline exceeded: the server has not answered"};

    for (size_t i = 0; i < 5 * WAYS; i++) {
        prepare(GOES_AND_ENDS, 1, KEEP);
        mote_grpc_call *call = start_with(true, 5000);
        server = wheres[i / WAYS];
        check_status(converse(call, (way)(i % WAYS)), MOTE_GRPC_DEADLINE_EXCEEDED, texts[i / WAYS]);
        CHECK_INT(now, 6000);
        server = WORKS;
        said_at = said_len = 0;
        channel.open = false; /* the old connection is of no use */
        mote_channel_set_replay(&channel, NULL, 0);
        channel.state = MOTE_CHANNEL_IDLE;
        CHECK_INT(unary(20000, true).code, MOTE_GRPC_OK);
    }
}

int main(void)
{
    RUN(a_started_call_that_was_not_seen_is_made_again);
    RUN(what_is_not_kept_is_told);
    RUN(a_second_call_is_left_alone);
    RUN(the_deadline_holds_over_all_of_it);
    return test_summary();
}
