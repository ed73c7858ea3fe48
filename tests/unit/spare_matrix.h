/* Two connections: what a new call waits for on the spare, while the old one lives on, has ended
 * its call, or breaks. What lies between a channel and its server is a layer. */
#ifndef SPARE_MATRIX_H
#define SPARE_MATRIX_H

#include "channel_pair.h"

enum { LIMIT = 3000 };

typedef enum { REFUSES, IS_SILENT, ANSWERS_NEVER, IS_FULL, LEAVES_AS_WELL, WORKS } spare_does;
typedef enum { LIVES, ENDS_ITS_CALL, BREAKS, OLD_DOES } old_does;
typedef enum { UNARY, RECV, FINISH, COLLECT, WAYS } way;

static old_does old;
static mote_io (*layer)(size_t i, mote_io plain); /* NULL: nothing */
static unsigned every = 1;                        /* of so many cells one is run */
static const char *broken = "the peer closed the transport";

/* What happens at the old server, 1 s after a new call has begun to wait. */
static uint64_t happens_ms;

static void pass_and_happen(void *context, bool writing, uint64_t until_ms)
{
    pass(context, writing, until_ms);
    if (happens_ms == 0 || now < happens_ms)
        return;
    happens_ms = 0;
    if (old == ENDS_ITS_CALL)
        CHECK_INT(mote_grpc_finish(peers[0].held, MOTE_GRPC_ABORTED, "in good order"), 0);
    else if (old == BREAKS)
        peers[0].open = false;
}

static void goes_away(size_t i)
{
    mote_grpc_shutdown(&peers[i].grpc);
    mote_channel_poll(&channels[i], 1);
    mote_channel_poll(&channels[i], 1);
    CHECK(!mote_h2_can_open(&channels[i].grpc.h2));
}

/* A call on each of what the spare is to hold. */
static mote_grpc_call *held[2];
static size_t held_count;

static mote_grpc_call *prepare(spare_does spare)
{
    begin();
    for (size_t i = 0; i < PEERS; i++) {
        channels[i].io.wait = pass_and_happen;
        if (layer)
            channels[i].io = layer(i, channels[i].io);
    }
    channel->packing = packing;
    channel->spare = &channels[1];
    happens_ms = 0;
    held_count = 0;
    CHECK_INT(unary(), 0);
    mote_grpc_call *call = start_never(0);
    goes_away(0);
    if (spare == IS_FULL || spare == LEAVES_AS_WELL) {
        held[held_count++] = start_never(0);
        CHECK(held[0]->grpc == &channels[1].grpc);
    }
    if (spare == IS_FULL)
        held[held_count++] = start_never(0);
    else if (spare == LEAVES_AS_WELL)
        goes_away(1);
    peers[1].silent = spare == IS_SILENT;
    peers[1].refuses = spare == REFUSES;
    happens_ms = now + 1000;
    return call;
}

static mote_status ask(way by, const mote_hpack_field *path)
{
    mote_grpc_request request = {.path = path, .timeout_ms = LIMIT, .wait_for_ready = true};
    mote_grpc_bytes message = {(const uint8_t *)hello, sizeof hello};
    mote_grpc_call *call;
    mote_grpc_event ev = {0};
    const uint8_t *data;
    size_t len;

    if (by == UNARY)
        return mote_channel_unary(channel, &request, &mote_grpc_bytes_source, &message, &data,
                                  &len);
    int r = mote_channel_start(channel, &request, &call);
    if (r < 0)
        return mote_channel_status(channel, r);
    CHECK_INT(mote_channel_send(call, &mote_grpc_bytes_source, &message, MOTE_GRPC_LAST), 0);
    if (by == COLLECT)
        return mote_channel_collect(call, &data, &len);
    if (by == FINISH)
        return mote_channel_finish(call);
    while (ev.type != MOTE_GRPC_STATUS)
        CHECK_INT(mote_channel_recv(call, &ev), 1);
    return mote_status_of_event(&ev);
}

/* The old call has the end that its server has given it, and others go on. */
static void check_old_call(mote_grpc_call *call)
{
    if (old == LIVES)
        mote_grpc_finish(peers[0].held, MOTE_GRPC_ABORTED, "in good order");
    mote_status s = mote_channel_finish(call);
    if (old == BREAKS)
        check_status(s, MOTE_GRPC_UNAVAILABLE, broken);
    else
        check_status(s, MOTE_GRPC_ABORTED, "in good order");
    for (size_t i = 0; i < held_count; i++) {
        mote_channel_cancel(held[i]);
        CHECK_INT(mote_channel_finish(held[i]).code, MOTE_GRPC_CANCELLED);
    }
    peers[1].silent = peers[1].refuses = false;
    now += 130000;
    CHECK_INT(unary_with((mote_grpc_request){.timeout_ms = LIMIT, .wait_for_ready = true}).code, 0);
}

static const struct {
    spare_does spare;
    int code;
    const char *text;
    uint64_t after_ms;
} rows[] = {
    {REFUSES, MOTE_GRPC_DEADLINE_EXCEEDED,
     "deadline exceeded: the wait before the next attempt to connect is not over (no address "
     "could be reached)",
     LIMIT},
    {IS_SILENT, MOTE_GRPC_DEADLINE_EXCEEDED,
     "deadline exceeded: connected, but the server has not sent its SETTINGS", LIMIT},
    {ANSWERS_NEVER, MOTE_GRPC_DEADLINE_EXCEEDED, "deadline exceeded: the server has not answered",
     LIMIT},
    {IS_FULL, MOTE_GRPC_RESOURCE_EXHAUSTED,
     "all calls that the channel has room for are open (max_calls)", 0},
    {LEAVES_AS_WELL, MOTE_GRPC_DEADLINE_EXCEEDED,
     "deadline exceeded: the server takes no new calls, and open ones have not ended", LIMIT},
    {WORKS, MOTE_GRPC_OK, "", 0},
};

static void every_wait_on_the_spare_ends(void)
{
    bool all = true;

    for (size_t i = 0; i < sizeof rows / sizeof rows[0] * WAYS * OLD_DOES; i += every) {
        size_t row = i / WAYS / OLD_DOES;
        way by = (way)(i % WAYS);
        old = (old_does)(i / WAYS % OLD_DOES);
        test_ok = true;
        mote_grpc_call *call = prepare(rows[row].spare);
        uint64_t before = now;
        mote_status s = ask(by, rows[row].spare == ANSWERS_NEVER ? &never_path : &unary_path);
        check_status(s, rows[row].code, rows[row].text);
        CHECK(now - before >= rows[row].after_ms && now - before <= rows[row].after_ms + 200);
        if (now < before + 1200) {
            while (now < before + 1200)
                mote_channel_poll(channel, 100);
        }
        check_old_call(call);
        all = all && test_ok;
        if (!test_ok)
            printf("  row %zu, way %d, old %d: %llu ms, %d \"%.*s\"\n", row, by, old,
                   (unsigned long long)(now - before), s.code, (int)s.message_len, s.message);
    }
    test_ok = all;
}

/* The end of the old call is there, and nobody has read it: its memory is not free yet. */
static void an_end_that_nobody_has_read_holds_up_no_call(void)
{
    static const spare_does spares[] = {WORKS, ANSWERS_NEVER, IS_SILENT};

    for (size_t i = 0; i < 3 * WAYS * 2; i++) {
        spare_does spare = spares[i / WAYS % 3];
        old = i / WAYS / 3 ? BREAKS : ENDS_ITS_CALL;
        mote_grpc_call *call = prepare(spare);
        now = happens_ms;
        for (int turns = 0; turns < 5; turns++)
            mote_channel_poll(channel, 100);
        CHECK_INT(mote_grpc_running(&channel->grpc), 0);
        mote_status s = ask((way)(i % WAYS), spare == ANSWERS_NEVER ? &never_path : &unary_path);
        CHECK_INT(s.code, spare == WORKS ? MOTE_GRPC_OK : MOTE_GRPC_DEADLINE_EXCEEDED);
        CHECK_INT(peers[0].connects, 1);
        CHECK_INT(peers[1].connects, 1);
        check_old_call(call);
    }
}

#endif
