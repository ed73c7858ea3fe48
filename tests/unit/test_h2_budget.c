/* HTTP/2: what is legal but odd has its price, and a budget of it comes back with time. */
#include "h2_harness.h"

/* ---- the budget ---------------------------------------------------------------------------- */

/* Repeats what `frames` writes until the connection ends; the code that ended it. */
static uint32_t repeat(void (*frames)(uint32_t id), bool with_output)
{
    mote_h2_event ev;
    size_t used;

    start(true);
    for (uint32_t id = 1; h2.error == 0 && id < 20000; id += 2) {
        size_t at = 0;
        in_len = 0;
        frames(id);
        while (mote_h2_recv(&h2, in + at, in_len - at, &used, &ev) > 0) {
            at += used;
            if (with_output)
                drain();
        }
        out_len = 0;
    }
    return h2.error_code;
}

static void goaways(uint32_t id)
{
    (void)id;
    frame_hex(7, 0, 0, "0000000000000000");
}

static void empty_data(uint32_t id)
{
    if (id == 1)
        frame_hex(1, 4, 1, GET);
    frame(0, 0, 1, NULL, 0);
}

static void stream_errors(uint32_t id)
{
    frame_hex(1, 5, id, "82");
}

static void refusals(uint32_t id)
{
    frame_hex(1, 4, id, GET);
}

static void long_lists(uint32_t id)
{
    static uint8_t block[600];

    memset(block, 0x90, sizeof block);
    frame(1, 5, id, block, sizeof block);
    frame_hex(3, 0, id, "00000000");
}

static void resets_of_closed_streams(uint32_t id)
{
    if (id == 1)
        frame_hex(1, 5, 1, GET);
    frame_hex(3, 0, 1, "00000000");
}

static void everything_odd_meets_the_budget(void)
{
    void (*const odd[])(uint32_t) = {goaways,  empty_data, stream_errors,
                                     refusals, long_lists, resets_of_closed_streams};

    for (size_t i = 0; i < sizeof odd / sizeof odd[0]; i++)
        CHECK_INT(repeat(odd[i], true), MOTE_H2_ENHANCE_YOUR_CALM);
}

static void streams_that_end_well_refill_the_budget(void)
{
    static const mote_hpack_field ok = MOTE_HPACK_STATIC(8);

    start(true);
    uint32_t before = h2.budget;
    for (uint32_t id = 1; id < 4000; id += 2) {
        frame_hex(6, 0, 0, "0000000000000000"); /* costs what the stream earns */
        frame_hex(1, 5, id, GET);
        feed_raw();
        mote_h2_headers_begin(&h2, &streams[id / 2 % STREAMS]);
        mote_h2_put(&h2, &ok);
        CHECK_INT(mote_h2_headers_end(&h2, true), 0);
        drain();
        out_len = 0;
    }
    CHECK_INT(h2.budget, before);
}

/* 100 a second, whenever it is asked. */
static void the_budget_regains_a_hundred_a_second(void)
{
    for (unsigned every = 1; every <= 30; every++) {
        start(true);
        mote_h2_tick(&h2, 1000);
        h2.budget = 0;
        for (uint64_t t = 1000; t <= 6000; t += every)
            mote_h2_tick(&h2, t);
        CHECK_INT(h2.budget, 5000 / every * every / 10);
    }
}

/* What is legal but odd, so many times a second: up to 100 for ever, more as long as 1000 last. */
static void the_budget_bears_a_hundred_a_second(void)
{
    static const struct {
        unsigned every_ms;
        uint64_t ends_ms; /* 0: never */
    } cases[] = {{20, 0}, {11, 0}, {10, 0}, {9, 90000}, {5, 10000}, {2, 2500}, {1, 1111}};

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uint64_t t = 1;
        start(true);
        h2.budget = h2.budget_max;
        while (h2.error == 0 && t < 200000) {
            mote_h2_tick(&h2, t);
            frame_hex(0x55, 0, 0, "");
            feed_raw();
            out_len = 0;
            t += cases[i].every_ms;
        }
        CHECK((h2.error == 0) == (cases[i].ends_ms == 0));
        if (cases[i].ends_ms > 0)
            CHECK(t * 100 > cases[i].ends_ms * 98 && t * 100 < cases[i].ends_ms * 102);
    }
}

/* How often a server of so many streams is told another window before it has had enough. */
static int windows_for(uint16_t count)
{
    static mote_h2_stream many[2048];
    mote_h2_config config = config_of(true);
    int told = 0;

    config.streams = many;
    config.stream_count = count;
    in_len = out_len = 0;
    events[0] = '\0';
    CHECK_INT(mote_h2_init(&h2, &config), 0);
    memcpy(in, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 24);
    in_len = 24;
    for (; h2.error == 0 && told < 5000; told++) {
        frame_hex(4, 0, 0, told % 2 ? "000400000001" : "000400000002");
        feed_raw();
        in_len = out_len = 0;
    }
    CHECK_INT(h2.error_code, MOTE_H2_ENHANCE_YOUR_CALM);
    return told;
}

/* All streams are looked at (RFC 9113 6.9.2). */
static void windows_of_many_streams_have_their_price(void)
{
    CHECK_INT(windows_for(1023), MOTE_H2_BUDGET_DEFAULT + 1);
    CHECK_INT(windows_for(1024), MOTE_H2_BUDGET_DEFAULT / 2 + 1);
    CHECK_INT(windows_for(2048), MOTE_H2_BUDGET_DEFAULT / 3 + 1);
}

/* ---- prices ---------------------------------------------------------------------------------- */

typedef struct {
    uint8_t type, flags;
    uint32_t id;
    const char *payload; /* NULL: a list beyond the limit */
} one_frame;

typedef struct {
    const char *what;
    bool server;
    unsigned price;
    one_frame before[4], odd;
} odd_event;

#define ENTRY "000300000005"
#define FOUR  ENTRY ENTRY ENTRY ENTRY

static const odd_event odd_events[] = {
    {"PING", true, 1, {{0}}, {6, 0, 0, "0102030405060708"}},
    {"an answer to no PING", true, 1, {{0}}, {6, 1, 0, "0102030405060708"}},
    {"SETTINGS", true, 1, {{0}}, {4, 0, 0, ""}},
    {"SETTINGS of 15", true, 1, {{0}}, {4, 0, 0, FOUR FOUR FOUR ENTRY ENTRY ENTRY}},
    {"SETTINGS of 16", true, 2, {{0}}, {4, 0, 0, FOUR FOUR FOUR FOUR}},
    {"RST_STREAM", true, 1, {{1, 4, 1, GET}}, {3, 0, 1, "00000008"}},
    {"a stream error", true, 2, {{1, 4, 1, GET}}, {8, 0, 1, "00000000"}},
    {"a malformed request", true, 2, {{0}}, {1, 5, 1, "82"}},
    {"a stream too many",
     true,
     1,
     {{1, 4, 1, GET}, {1, 4, 3, GET}, {1, 4, 5, GET}, {1, 4, 7, GET}},
     {1, 4, 9, GET}},
    {"DATA of nothing", true, 1, {{1, 4, 1, GET}}, {0, 0, 1, ""}},
    {"DATA of padding", true, 1, {{1, 4, 1, GET}}, {0, 8, 1, "020000"}},
    {"HEADERS of 15 bytes",
     true,
     1,
     {{0}},
     {1, 1, 1,
      "828684"
      "000363636303616161"
      "000161"}},
    {"CONTINUATION of nothing",
     true,
     1,
     {{1, 1, 1,
       "828684"
       "000361616109"
       "616161616161616161"}},
     {9, 0, 1, ""}},
    {"a list that is too long", true, 8, {{0}}, {1, 5, 1, NULL}},
    {"PRIORITY", true, 1, {{0}}, {2, 0, 1, "000000000f"}},
    {"a frame of no known type", true, 1, {{0}}, {0x55, 0, 0, "0102"}},
    {"GOAWAY", true, 1, {{0}}, {7, 0, 0, "0000000000000000"}},
    {"credit for nothing", true, 1, {{1, 5, 1, GET}, {3, 0, 1, "00000008"}}, {8, 0, 1, "00000001"}},
    {"a 1xx response", false, 1, {{0}}, {1, 4, 1, "08 03313030"}},
    {"RST_STREAM for a client", false, 1, {{0}}, {3, 0, 1, "00000008"}},
    {"a malformed response", false, 2, {{0}}, {1, 5, 1, "82"}},
    {"DATA of nothing for a client", false, 1, {{1, 4, 1, "88"}}, {0, 0, 1, ""}},
    {"GOAWAY for a client", false, 1, {{0}}, {7, 0, 0, "0000000100000000"}},
};

static void feed_one(const one_frame *f)
{
    static uint8_t block[600];

    memset(block, 0x90, sizeof block);
    if (f->payload)
        frame_hex(f->type, f->flags, f->id, f->payload);
    else
        frame(f->type, f->flags, f->id, block, sizeof block);
}

/* The event, with a budget of so many, and perhaps a header block that is read with it. */
static int odd_with(const odd_event *odd, unsigned budget, bool with_more)
{
    if (odd->server)
        start(true);
    else
        start_client();
    for (int i = 0; i < 4 && odd->before[i].payload; i++)
        feed_one(&odd->before[i]);
    CHECK_INT(feed_raw(), 0);
    events[0] = '\0';
    out_len = 0;
    h2.budget = budget;
    h2.talked = false;
    feed_one(&odd->odd);
    if (with_more)
        frame_hex(1, 4, odd->server ? 11 : 1, odd->server ? GET : "88");
    return feed_raw();
}

/* With less than its price it is the end, and nothing that came with it is looked at. */
static void each_odd_event_has_its_price(void)
{
    for (size_t i = 0; i < sizeof odd_events / sizeof odd_events[0]; i++) {
        const odd_event *odd = &odd_events[i];
        int r = odd_with(odd, odd->price, false);
        if (r != 0 || h2.budget != 0) {
            printf("%s: %d, and %u of %u are left\n", odd->what, r, h2.budget, odd->price);
            test_ok = false;
        }
        for (int with_more = 0; with_more < 2; with_more++) {
            r = odd_with(odd, odd->price - 1, with_more);
            if (r != MOTE_H2_ERR_CALM || strcmp(events, "") != 0 ||
                strcmp(said(), "GOAWAY 11") != 0) {
                printf("%s, which is too much: %d, %s, %s\n", odd->what, r, events, said());
                test_ok = false;
            }
        }
    }
}

int main(void)
{
    RUN(everything_odd_meets_the_budget);
    RUN(streams_that_end_well_refill_the_budget);
    RUN(the_budget_regains_a_hundred_a_second);
    RUN(the_budget_bears_a_hundred_a_second);
    RUN(windows_of_many_streams_have_their_price);
    RUN(each_odd_event_has_its_price);
    return test_summary();
}
