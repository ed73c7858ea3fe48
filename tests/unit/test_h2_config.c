/* HTTP/2: the bounds of the configuration, and the times that it gives. */
#include "h2_harness.h"

/* ---- configuration ------------------------------------------------------------------------- */

typedef void change(mote_h2_config *);

static void no_streams(mote_h2_config *g)
{
    g->streams = NULL;
}

static void too_many_streams(mote_h2_config *g)
{
    g->stream_count = 65536;
}

static void no_tx(mote_h2_config *g)
{
    g->tx = NULL;
}

static void no_table(mote_h2_config *g)
{
    g->table = NULL;
}

static void too_large_a_table(mote_h2_config *g)
{
    g->table_size = 65505;
}

static void too_small_a_scratch(mote_h2_config *g)
{
    g->scratch_size = 31;
}

static void no_slots(mote_h2_config *g)
{
    g->slots = NULL;
}

static void too_many_slots(mote_h2_config *g)
{
    g->slot_count = 65536;
}

static void too_large_a_window(mote_h2_config *g)
{
    g->initial_window = 0x7fffffff - 260; /* no room for padding above it */
}

static void too_large_a_connection_window(mote_h2_config *g)
{
    g->connection_window = 0x80000000;
}

static void every_bound_of_the_config_is_checked(void)
{
    static change *const changes[] = {
        no_streams,
        too_many_streams,
        no_tx,
        no_table,
        too_large_a_table,
        too_small_a_scratch,
        no_slots,
        too_many_slots,
        too_large_a_window,
        too_large_a_connection_window,
    };

    for (size_t i = 0; i < sizeof changes / sizeof changes[0]; i++) {
        mote_h2_config config = config_of(true);
        changes[i](&config);
        CHECK_INT(mote_h2_init(&h2, &config), MOTE_H2_ERR_CONFIG);
    }
}

static void a_table_and_slots_are_optional(void)
{
    mote_h2_config config = config_of(false);

    config.table = NULL;
    config.table_size = 0;
    config.slots = NULL;
    config.slot_count = 0;
    CHECK_INT(mote_h2_init(&h2, &config), 0);
    config.dynamic = NULL; /* then nothing of tables is needed */
    CHECK_INT(mote_h2_init(&h2, &config), 0);
    CHECK(!h2.decoder.dynamic);
}

/* A client names what its table works by; a server, which must have one, need not. */
static void a_table_of_a_client_has_its_interface(void)
{
    for (int server = 0; server < 2; server++) {
        mote_h2_config config = config_of(server);
        config.dynamic = NULL;
        CHECK_INT(mote_h2_init(&h2, &config), server ? 0 : MOTE_H2_ERR_CONFIG);
    }
    CHECK(h2.decoder.dynamic == &mote_hpack_dynamic_table);
}

static void a_larger_connection_window_is_announced(void)
{
    mote_h2_config config = config_of(true);

    config.connection_window = 100000;
    out_len = 0;
    CHECK_INT(mote_h2_init(&h2, &config), 0);
    CHECK_INT(h2.recv_window, 100000);
    drain();
    const uint8_t *update = out + out_len - 13;
    CHECK(update[3] == 8 && update[10] == 0 && update[11] == 0x86 && update[12] == 0xa1);
}

static void the_longest_time_out_is_still_one(void)
{
    mote_h2_config config = config_of(true);

    config.settings_timeout_ms = UINT32_MAX;
    mote_h2_init(&h2, &config);
    CHECK_INT(mote_h2_tick(&h2, 1), MOTE_H2_LOOK_MS);
    h2.refill_ms = UINT32_MAX - 1; /* it was looked at all the time */
    CHECK_INT(mote_h2_tick(&h2, UINT32_MAX), 1);
    mote_h2_tick(&h2, (uint64_t)UINT32_MAX + 1);
    CHECK_INT(mote_h2_error(&h2), MOTE_H2_ERR_TIMEOUT);
}

/* What the peer begins it must end, however little it sends in between. */
static void a_frame_or_block_that_does_not_end_ends_the_connection(void)
{
    static const struct {
        const char *what;
        uint8_t bytes[16];
        size_t len;
        const char *more; /* of which a byte comes now and then */
    } cases[] = {
        {"a frame header", {0, 0}, 2, "\0\6\0\0\0\0"},
        {"content", {0, 0, 100, 0, 0, 0, 0, 0, 1, 'x'}, 10, "xxxxxx"},
        {"a PING", {0, 0, 8, 6, 0, 0, 0, 0, 0, 1}, 10, "123456"},
        {"a header block", {0, 0, 1, 1, 0, 0, 0, 0, 3, 0x82}, 10, NULL},
        {"a block with CONTINUATION", {0, 0, 1, 1, 0, 0, 0, 0, 3, 0x82}, 10, "\x90"},
        {"SETTINGS", {0, 0, 60, 4, 0, 0, 0, 0, 0, 0}, 10, "\1\0\0\0\0"},
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        start(true);
        mote_h2_tick(&h2, 1);
        frame_hex(1, 4, 1, GET);
        feed_raw();
        CHECK_INT(mote_h2_tick(&h2, 100000), UINT32_MAX); /* between frames there is time */
        h2.heard = false;
        memcpy(in, cases[i].bytes, in_len = cases[i].len);
        feed_raw();
        CHECK_INT(mote_h2_tick(&h2, 200000), MOTE_H2_LOOK_MS);
        for (unsigned t = 1000; t < 60000; t += 1000) {
            CHECK_INT(mote_h2_tick(&h2, 200000 + t), MOTE_H2_LOOK_MS);
            if (t % 10000 > 0)
                continue;
            if (cases[i].more && strlen(cases[i].more) == 1)
                frame(9, 0, 3, cases[i].more, 1);
            else if (cases[i].more)
                in[in_len++] = (uint8_t)cases[i].more[t / 10000 - 1];
            feed_raw();
        }
        bool block = cases[i].bytes[3] == 1;
        CHECK(h2.heard == block); /* a whole frame, as HEADERS is one, not bytes */
        mote_h2_tick(&h2, 259999);
        CHECK_INT(mote_h2_error(&h2), 0);
        CHECK_INT(mote_h2_tick(&h2, 260000), UINT32_MAX);
        CHECK_INT(mote_h2_error(&h2), MOTE_H2_ERR_TIMEOUT);
        CHECK_TEXT(strcmp(mote_h2_error_text(&h2), "a frame or a header block without end") == 0);
        drain();
        CHECK(strcmp(said(), "GOAWAY 11") == 0);
    }
}

/* A frame that has ended in time is no part of the next one's. */
static void each_frame_has_its_own_time(void)
{
    start(true);
    mote_h2_tick(&h2, 1);
    frame_hex(1, 4, 1, GET);
    frame(0, 0, 1, "x", 1);
    in_len--;
    feed_raw();
    for (unsigned i = 1; i < 20; i++) {
        uint64_t t = i * 50000;
        for (uint64_t end = t + 49000; t <= end; t += MOTE_H2_LOOK_MS)
            CHECK_INT(mote_h2_tick(&h2, t), MOTE_H2_LOOK_MS);
        in[in_len++] = 'x'; /* the end of one, and all but the end of another */
        frame(0, 0, 1, "x", 1);
        in_len--;
        feed_raw();
    }
    CHECK_INT(mote_h2_error(&h2), 0);
}

#ifndef MOTE_NO_TEXTS
/* It stands in the scratch, beside its value. */
static void a_text_is_cut_to_the_least_scratch(void)
{
    mote_h2_config config = config_of(true);

    config.scratch_size = MOTE_H2_SCRATCH_MIN;
    memset(scratch, '#', sizeof scratch);
    CHECK_INT(mote_h2_init(&h2, &config), 0);
    memcpy(in, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 24);
    in_len = 24;
    out_len = 0;
    frame_hex(4, 0, 0, "0005ffffffff");
    feed_raw();
    CHECK_INT(h2.error_code, MOTE_H2_PROTOCOL_ERROR);
    CHECK_TEXT(strcmp(mote_h2_error_text(&h2), "MAX_FRAME_SIZE is n: 4294967295") == 0);
    CHECK_INT(scratch[MOTE_H2_SCRATCH_MIN], '#');
}
#endif

int main(void)
{
#ifndef MOTE_NO_TEXTS
    RUN(a_text_is_cut_to_the_least_scratch);
#endif
    RUN(every_bound_of_the_config_is_checked);
    RUN(a_table_and_slots_are_optional);
    RUN(a_table_of_a_client_has_its_interface);
    RUN(a_larger_connection_window_is_announced);
    RUN(the_longest_time_out_is_still_one);
    RUN(a_frame_or_block_that_does_not_end_ends_the_connection);
    RUN(each_frame_has_its_own_time);
    return test_summary();
}
