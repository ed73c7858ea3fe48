/* A server that knows header blocks again (mote_h2_repeating_table) says what one says that decodes
 * each: event by event, with the same output, however the input is cut. */
#include "../../grpc/grpc.h"
#include "../test.h"

enum { STREAMS = 3, TX = 1024, SCRATCH = 600, LOG = 1 << 16 };

typedef struct {
    mote_h2 h2;
    mote_h2_stream streams[STREAMS];
    uint8_t tx[TX];
    uint16_t table[MOTE_HPACK_TABLE_MEMORY(4096) / 2];
    _Alignas(8) char scratch[SCRATCH + MOTE_H2_REPEATS_SIZE];
    uint8_t log[LOG];
    size_t len;
    unsigned known; /* fields that were told from a record */
} side;

static side plain, repeating;

/* ---- blocks ---------------------------------------------------------------------------------- */

typedef struct {
    const char *bytes;
    size_t len;
} block;

#define B(text)                                                                                    \
    {                                                                                              \
        text, sizeof text - 1                                                                      \
    }
#define REQUEST "\203\206\x04\x02/a" /* POST, http, :path that is not remembered */
#define X40     "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
#define LONG    "\x00\x01l\x7f\x49" X40 X40 X40 X40 X40
#define FOUR    "\x00\x01x\x01y\x00\x01x\x01y\x00\x01x\x01y\x00\x01x\x01y"

static const block blocks[] = {
    B(REQUEST),
    B(REQUEST "\x0f\x0d\x01\x35"),                 /* content-length: 5 */
    B(REQUEST "\x0f\x0d\x01\x30"),                 /* and 0 */
    B(REQUEST "\x40\x01\x6b\x01\x76"),             /* k: v, remembered */
    B(REQUEST "\x40\x01\x6b\x01\x77"),             /* k: w, remembered: 62 is that then */
    B(REQUEST "\xbe"),                             /* the newest */
    B(REQUEST "\xbe\xbf\x7e\x01\x7a"),             /* both, and the name of it */
    B("\x3f\xe1\x0f" REQUEST "\xbe"),              /* a size of 2,032 */
    B("\x20\x3f\xe1\x1f" REQUEST),                 /* nothing, then 4,096 */
    B(REQUEST "\x10\x01\x6b\x01\x6e"),             /* never to be remembered */
    B(REQUEST "\x00\x01\x4b\x01\x76"),             /* a name in capitals: malformed */
    B("\203\206" REQUEST),                         /* twice :method: malformed */
    B("\x00\x01\x61\x01\x62"),                     /* trailers, or no request at all */
    B(REQUEST "\x00\x04host\x01\x68\x41\x01\x68"), /* a Host, and behind it :authority: malformed */
    B("\203\206\x01\x01h\x04\x02/a\x0f\x17\x01\x48"), /* the same host in another case */
    B(REQUEST "\x00\x01\x62\x04 b  "),                /* blanks at its ends */
    B(REQUEST FOUR FOUR FOUR FOUR),                   /* more than is kept */
    B(REQUEST "\x00\x01l\x78" X40 X40 X40),           /* long */
    B(REQUEST "\x00\x01l\x50" X40 X40 "\x00\x01l\x50" X40 X40),
    B(REQUEST "\x00\x01l\x7f\x49" X40 X40 X40 X40 X40),
    B(REQUEST "\x00\x01l\x7f\x49" X40 X40 X40 X40 X40 "\x00\x01l\x7f\x49" X40 X40 X40 X40 X40),
    B(REQUEST LONG LONG LONG LONG),
    B(REQUEST "\x00\x01l\x7f\x69" X40 X40 X40 X40 X40 "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"),
    B(REQUEST "\x40\x01l\x50" X40 X40),
    B(REQUEST "\x00\x82\x1c\x64\x01v"), /* in Huffman code */
    B(REQUEST "\xff\x7f"),              /* no such entry: the connection ends */
    B(REQUEST "\x00\x05\x61"),          /* cut: the connection ends */
};
enum { BLOCKS = sizeof blocks / sizeof blocks[0], LEGAL = BLOCKS - 2 };

/* ---- a conversation -------------------------------------------------------------------------- */

enum { FRAMES = 1 << 16, END_STREAM = 1, END_HEADERS = 4, PADDED = 8, PRIORITY = 32 };

static uint8_t in[FRAMES];
static size_t in_len;
static uint32_t next_id, left[5], left_open; /* streams */

static void frame(unsigned type, unsigned flags, uint32_t id, const void *payload, size_t len)
{
    const uint8_t header[9] = {
        0, (uint8_t)(len >> 8), (uint8_t)len, (uint8_t)type, (uint8_t)flags, 0,
        0, (uint8_t)(id >> 8),  (uint8_t)id};

    memcpy(in + in_len, header, 9);
    if (len > 0)
        memcpy(in + in_len + 9, payload, len);
    in_len += 9 + len;
}

static void start_conversation(void)
{
    memcpy(in, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 24);
    in_len = 24;
    next_id = 1;
    left_open = 0;
    frame(4, 0, 0, NULL, 0);
}

enum way { WHOLE, PRIORITIZED, ON_ITSELF, PADDED_BY_3, CUT, CONTINUED, TRAILING, LEFT_OPEN, WAYS };

static void put_block(const block *b, enum way way, bool ends)
{
    uint8_t payload[1024] = {0};
    unsigned flags = ends ? END_STREAM : 0;
    size_t half = b->len / 2;

    switch (way) {
    case PRIORITIZED:
        memcpy(payload + 5, b->bytes, b->len);
        frame(1, flags | END_HEADERS | PRIORITY, next_id, payload, b->len + 5);
        break;
    case ON_ITSELF: /* RFC 7540 5.3.1: an error of the stream */
        payload[3] = (uint8_t)next_id;
        memcpy(payload + 5, b->bytes, b->len);
        frame(1, flags | END_HEADERS | PRIORITY, next_id, payload, b->len + 5);
        break;
    case PADDED_BY_3:
        payload[0] = 3;
        memcpy(payload + 1, b->bytes, b->len);
        frame(1, flags | END_HEADERS | PADDED, next_id, payload, b->len + 4);
        break;
    case CUT:
        frame(1, flags, next_id, b->bytes, half);
        frame(9, END_HEADERS, next_id, b->bytes + half, b->len - half);
        break;
    case CONTINUED:
        frame(1, flags, next_id, b->bytes, b->len);
        frame(9, END_HEADERS, next_id, "\x00\x01s\x01t", 5);
        break;
    default:
        frame(1, flags | END_HEADERS, next_id, b->bytes, b->len);
    }
}

/* Streams that are left open until there are five: of these two are beyond the limit. */
static void leave_open(void)
{
    static const uint8_t cancel[4] = {0, 0, 0, 8};

    left[left_open++] = next_id;
    for (; left_open == 5; left_open = 0) {
        for (int i = 0; i < 5; i++)
            frame(3, 0, left[i], cancel, sizeof cancel);
    }
}

/* A request of such a block; content follows it, and in one way it comes again as trailers. */
static void request(const block *b, enum way way, bool ends)
{
    put_block(b, way, ends && way != TRAILING && way != LEFT_OPEN);
    if (way == LEFT_OPEN)
        leave_open();
    else if (way == TRAILING)
        put_block(b, WHOLE, true);
    else if (!ends)
        frame(0, END_STREAM, next_id, "hello", 5);
    next_id += 2;
}

/* ---- both of them ---------------------------------------------------------------------------- */

static void say(side *s, const void *bytes, size_t len)
{
    CHECK(s->len + len <= LOG);
    if (s->len + len <= LOG && len > 0)
        memcpy(s->log + s->len, bytes, len);
    s->len += len;
}

static void say_number(side *s, uint64_t number)
{
    say(s, &number, sizeof number);
}

static size_t table_size = 4096;

static void init(side *s, const mote_hpack_dynamic *dynamic)
{
    mote_h2_config config = {.server = true,
                             .streams = s->streams,
                             .stream_count = STREAMS,
                             .tx = s->tx,
                             .tx_size = TX,
                             .dynamic = dynamic,
                             .table = s->table,
                             .table_size = table_size,
                             .scratch = s->scratch,
                             .scratch_size = SCRATCH,
                             .max_list_size = 800,
                             .blank_ends = true};

    memset(s, 0xa5, sizeof *s);
    s->len = s->known = 0;
    CHECK_INT(mote_h2_init(&s->h2, &config), 0);
    CHECK(s->h2.decoder.dynamic == dynamic);
}

static void take_output(side *s)
{
    size_t len;
    const uint8_t *p;

    while ((p = mote_h2_peek(&s->h2, &len))) {
        say(s, p, len);
        mote_h2_ack(&s->h2, len);
    }
}

static bool in_record(const side *s, const char *p)
{
    return p >= s->scratch + MOTE_H2_REPEATS_AT(SCRATCH) && p < s->scratch + sizeof s->scratch;
}

static void note(side *s, const mote_h2_event *ev)
{
    say_number(s, ev->type | (uint64_t)ev->end_stream << 8 | (uint64_t)ev->trailers << 9 |
                      (uint64_t)ev->truncated << 10);
    say_number(s, ev->stream ? ev->stream->id : 0);
    if (ev->type == MOTE_H2_DATA)
        mote_h2_consume(&s->h2, ev->stream, ev->len);
    if (ev->type == MOTE_H2_RESET)
        say_number(s, ev->code);
    if (ev->type != MOTE_H2_FIELD)
        return;
    s->known += in_record(s, ev->field.value);
    say_number(s, ev->kind | (uint64_t)ev->field.flags << 8 | (uint64_t)ev->field.name_index << 16 |
                      (uint64_t)ev->field.full_index << 24);
    say(s, ev->field.name, ev->field.name_len);
    say(s, ev->field.value, ev->field.value_len);
    if (ev->field.memo) /* what the user remembers of a field is of that field */
        CHECK(ev->field.memo->app == 0 || ev->field.memo->app == ev->field.name_len);
    if (ev->field.memo)
        ev->field.memo->app = (uint16_t)ev->field.name_len;
}

static void feed(side *s, size_t chunk)
{
    mote_h2_event ev;
    size_t used;

    for (size_t at = 0; at < in_len; at += chunk) {
        const uint8_t *p = in + at;
        size_t len = in_len - at < chunk ? in_len - at : chunk;
        while (mote_h2_recv(&s->h2, p, len, &used, &ev) > 0) {
            p += used;
            len -= used;
            note(s, &ev);
            if (ev.end_stream)
                mote_h2_reset(&s->h2, ev.stream, MOTE_H2_NO_ERROR);
            take_output(s);
        }
        take_output(s);
    }
    say_number(s, (uint64_t)s->h2.error);
    say_number(s, s->h2.decoder.table.size);
    say_number(s, s->h2.budget);
}

static bool both_say_the_same(size_t chunk)
{
    init(&plain, &mote_hpack_dynamic_table);
    feed(&plain, chunk);
    init(&repeating, &mote_h2_repeating_table);
    feed(&repeating, chunk);
    return plain.len == repeating.len && memcmp(plain.log, repeating.log, plain.len) == 0;
}

/* ---- tests ----------------------------------------------------------------------------------- */

static void a_block_is_known_from_its_third_time_on(void)
{
    start_conversation();
    for (int i = 0; i < 5; i++)
        request(&blocks[0], WHOLE, true);
    CHECK(both_say_the_same(SIZE_MAX / 2));
    CHECK_INT(repeating.known, 3); /* its :path, which lies in no table */
}

/* Each block, then another one, then the first again, in each way. */
static void what_lies_between_does_not_matter(void)
{
    for (unsigned i = 0; i < BLOCKS; i++) {
        for (unsigned j = 0; j < BLOCKS; j++) {
            start_conversation();
            for (unsigned n = 0; n < 6; n++)
                request(&blocks[n < 2 ? 3 + n : 0], WHOLE, true); /* two entries */
            for (unsigned n = 0; n < 8; n++)
                request(&blocks[n == 3 || n == 6 ? j : i], (enum way)(n < 5 ? WHOLE : j % WAYS),
                        (n + i) % 2);
            if (!both_say_the_same(SIZE_MAX / 2)) {
                printf("block %u, %u between\n", i, j);
                CHECK(false);
            }
        }
    }
}

static void any_order_in_any_pieces(void)
{
    static const size_t chunks[] = {SIZE_MAX / 2, 1, 7, 30, 100};
    uint32_t seed = 1;
    unsigned known = 0;

    for (unsigned i = 0; i < 600; i++) {
        unsigned few = 1 + i % LEGAL; /* of them come again and again */
        table_size = i % 7 == 0 ? 2048 : 4096;
        start_conversation();
        for (unsigned n = 0; n < 40; n++) {
            if (n == 20) /* of our SETTINGS: a block without a new size is an error then */
                frame(4, 1, 0, NULL, 0);
            seed = seed * 1664525 + 1013904223;
            request(&blocks[(seed >> 24) % few], (enum way)(seed >> 20 & 15) % WAYS,
                    seed >> 19 & 1);
        }
        CHECK(both_say_the_same(chunks[i % 5]));
        known += repeating.known;
    }
    printf("%u fields were told from records\n", known);
    CHECK(known > 200);
    table_size = 4096;
}

/* Blocks of one length in turn: four of them are known, and of more the oldest makes room. */
static void many_blocks_of_one_length(void)
{
    for (int count = 1; count <= 7; count++) {
        start_conversation();
        for (int i = 0; i < 10 * count; i++) {
            const char text[] = {'\203', '\206', 4, 2, '/', (char)('a' + i % count)};
            request(&(block){text, sizeof text}, WHOLE, true);
        }
        CHECK(both_say_the_same(SIZE_MAX / 2));
        CHECK_INT(repeating.known, count <= 4 ? 8 * count : 0);
    }
}

/* Streams that end while their block is recorded, and while their fields are told from a record: no
 * other field is told, and the next block is looked at. */
static void a_stream_that_ends_meanwhile(void)
{
    mote_h2_event ev;
    size_t used, at = 0;
    unsigned fields = 0;

    start_conversation();
    for (int i = 0; i < 6; i++)
        request(&blocks[0], WHOLE, true);
    init(&repeating, &mote_h2_repeating_table);
    while (mote_h2_recv(&repeating.h2, in + at, in_len - at, &used, &ev) > 0) {
        at += used;
        fields += ev.type == MOTE_H2_FIELD;
        if (ev.end_stream ||
            (ev.type == MOTE_H2_FIELD && (ev.stream->id == 3 || ev.stream->id > 7)))
            mote_h2_reset(&repeating.h2, ev.stream, MOTE_H2_CANCEL);
        take_output(&repeating);
    }
    CHECK_INT(fields, 3 + 1 + 3 + 3 + 1 + 1);
    CHECK_INT(repeating.h2.error, 0);
}

/* Servers of gRPC have it by themselves, and clients never. */
static void a_server_of_grpc_has_it_by_itself(void)
{
    static uint64_t memory[MOTE_GRPC_MEMORY(1, 64, 256, 4096, 64, 8, 0) / 8];
    static mote_grpc grpc;
    mote_grpc_config config = {.server = true,
                               .max_calls = 1,
                               .slots = 8,
                               .rx_size = 64,
                               .tx_size = 256,
                               .table_size = 4096,
                               .field_size = 64,
                               .authority = MOTE_GRPC_AUTHORITY("a")};

    CHECK_INT(mote_grpc_init(&grpc, &config, memory, sizeof memory), 0);
    CHECK(grpc.h2.decoder.dynamic == &mote_h2_repeating_table);
    CHECK_INT(mote_grpc_init(&grpc, &config, memory, sizeof memory - 8), MOTE_GRPC_ERR_CONFIG);
    config.dynamic = &mote_hpack_dynamic_table;
    CHECK_INT(mote_grpc_init(&grpc, &config, memory, sizeof memory), 0);
    CHECK(grpc.h2.decoder.dynamic == &mote_hpack_dynamic_table);
    config.server = false;
    CHECK_INT(mote_grpc_init(&grpc, &config, memory, sizeof memory), 0);
    CHECK(grpc.h2.decoder.dynamic == &mote_hpack_dynamic_table);
}

int main(void)
{
    RUN(a_server_of_grpc_has_it_by_itself);
    RUN(a_block_is_known_from_its_third_time_on);
    RUN(what_lies_between_does_not_matter);
    RUN(many_blocks_of_one_length);
    RUN(any_order_in_any_pieces);
    RUN(a_stream_that_ends_meanwhile);
    return test_summary();
}
