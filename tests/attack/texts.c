/* What a byte costs the readers that texts of others go to, with 1, 100 and 1,000 of what it is
 * made of: JSON, heads and chunks of HTTP/1.1, header blocks that a server on a host knows again.
 * Basic blocks of the library are counted (build/counted), so that nothing depends on the machine.
 */
#include "../../grpc/web/http1.h"
#include "../json/json.mote.h"
#include "rows.h"

enum { ROOM = 1 << 21 };

static char text[ROOM];
static size_t text_len;

static void put(const char *bytes, size_t len)
{
    memcpy(text + text_len, bytes, len);
    text_len += len;
}

/* `first`, then `item` so many times with `between`, then `last`; %u in an item is its number. */
static void write_text(const char *first, const char *item, const char *between, const char *last,
                       unsigned count)
{
    char bytes[2048];

    text_len = 0;
    put(first, strlen(first));
    for (unsigned i = 0; i < count; i++) {
        snprintf(bytes, sizeof bytes, item, i);
        if (i > 0)
            put(between, strlen(between));
        put(bytes, strlen(bytes));
    }
    put(last, strlen(last));
}

/* ---- JSON ------------------------------------------------------------------------------------ */

static _Alignas(8) uint8_t arena_memory[ROOM];
static const mote_pb_json_options lenient = {.ignore_unknown = true};
static mote_pb_arena arena;
static json_Kinds kinds;
static char printed[ROOM];

static void read_text(unsigned count)
{
    (void)count;
    mote_pb_arena_init(&arena, arena_memory, sizeof arena_memory);
    sent += text_len;
    CHECK_INT(mote_pb_json_decode(&json_Kinds_json, &kinds, text, text_len, &lenient, &arena, NULL),
              0);
}

/* What was read before, for its bytes on the wire, which are what a peer pays. */
static void print_it(unsigned count)
{
    size_t len = 0, wire = 0;

    (void)count;
    CHECK_INT(mote_pb_size(&json_Kinds_encoder, &kinds, &wire), 0);
    sent += wire;
    steps = 0;
    CHECK_INT(mote_pb_json_encode(&json_Kinds_json, &kinds, &lenient, &arena, printed,
                                  sizeof printed, &len),
              0);
}

#define NINES  "9999999999999999999999999999999999999999999999999999999999999999"
#define NINES8 NINES NINES NINES NINES NINES NINES NINES NINES

#define OF(name, first, item, between, last)                                                       \
    static void name(unsigned count)                                                               \
    {                                                                                              \
        write_text(first, item, between, last, count);                                             \
    }
#define DOUBLES(name, number) OF(name, "{\"doubles\":[", number, ",", "]}")
DOUBLES(zeros, "0")
DOUBLES(large_powers, "1e300")
DOUBLES(small_powers, "1e-300")
DOUBLES(subnormals, "4e-324")
DOUBLES(too_small, "1e-340")
DOUBLES(long_ones, "1.7976931348623157e308")
DOUBLES(longer_ones, "0." NINES8 NINES NINES NINES "e-300")
DOUBLES(exponents, "0e99999999999999999999")
OF(escapes, "{\"strings\":[", "\"\\u20ac\\ud83d\\ude00\\n\"", ",", "]}")
OF(empty_strings, "{\"strings\":[", "\"\"", ",", "]}")
OF(base64, "{\"blocks\":[", "\"AA==\"", ",", "]}")
OF(keys, "{\"byString\":{", "\"k%u\":1", ",", "}}")
OF(same_keys, "{\"byInt64\":{\"7\":\"\"},\"object\":{", "\"%u\":0", ",", "}}")
OF(unknown, "{", "\"u%u\":{\"a\":[[1,2],{}]}", ",", "}")
OF(messages, "{\"kinds\":[", "{}", ",", "]}")
OF(times, "{\"times\":[", "\"9999-12-31T23:59:59.999999999Z\"", ",", "]}")
OF(enums, "{\"colours\":[", "\"CRIMSON\"", ",", "]}")
OF(blanks, "{\"ints\":[", "\t \r\n1", ",", "]}")

/* To print it, it is read. */
#define READ(name)                                                                                 \
    static void name##_read(unsigned count)                                                        \
    {                                                                                              \
        name(count);                                                                               \
        read_text(count);                                                                          \
    }
READ(large_powers)
READ(subnormals)
READ(long_ones)
READ(keys)
READ(escapes)
READ(messages)

/* ---- HTTP/1.1 -------------------------------------------------------------------------------- */

static mote_http1 http1;
static uint64_t http1_memory[MOTE_HTTP1_MEMORY / 8];
static size_t said_to_engine;

static bool engine_input(void *self, const uint8_t *in, size_t len)
{
    (void)self, (void)in;
    said_to_engine += len;
    return true;
}

static const uint8_t *engine_peek(void *self, size_t *len)
{
    (void)self;
    *len = 0;
    return NULL;
}

static void engine_ack(void *self, size_t len)
{
    (void)self, (void)len;
}

static const mote_http1_engine engine = {engine_input, engine_peek, engine_ack};

static void hear(size_t piece)
{
    size_t used, len = 0;

    CHECK_INT(mote_http1_init(&http1, &engine, NULL, http1_memory, sizeof http1_memory), 0);
    mote_http1_tick(&http1, 1000);
    sent += text_len;
    for (size_t at = 0; at < text_len; at += piece) {
        size_t n = text_len - at < piece ? text_len - at : piece;
        mote_http1_tick(&http1, 1000 + at / PER_MS);
        CHECK_INT(mote_http1_recv(&http1, (const uint8_t *)text + at, n, &used), 0);
    }
    CHECK(mote_http1_peek(&http1, &len) == NULL); /* nothing is refused */
}

static void hear_it(unsigned count)
{
    (void)count;
    hear(text_len);
}

static void hear_it_by_bytes(unsigned count)
{
    (void)count;
    hear(1);
}

#define POST    "POST /a HTTP/1.1\r\nHost: x\r\n"
#define CHUNKED POST "Transfer-Encoding: chunked\r\n\r\n"
OF(short_fields, POST, "a:\r\n", "", "\r\n")
OF(connections, POST "Connection: ", "te", ",", "\r\n\r\n")
OF(chunks, CHUNKED, "1\r\nx\r\n", "", "0\r\n\r\n")
OF(extensions, CHUNKED, "1;;;;\r\nx\r\n", "", "0\r\n\r\n")
OF(trailers, CHUNKED "0\r\n", "a:\r\n", "", "\r\n")

/* ---- header blocks that are known again -------------------------------------------------------
 */

enum { TABLE = 40000, SCRATCH = 512, TX = 16384 };

static mote_h2 h2;
static mote_h2_stream streams[4];
static uint16_t table[MOTE_HPACK_TABLE_MEMORY(TABLE) / 2];
static _Alignas(8) char scratch[SCRATCH + MOTE_H2_REPEATS_SIZE];
static uint8_t tx[TX];
static uint32_t next_id;

static void hear_frames(const uint8_t *in, size_t len)
{
    size_t used, out;
    mote_h2_event ev;
    int r;

    sent += len;
    mote_h2_tick(&h2, 1 + sent / PER_MS);
    while ((r = mote_h2_recv(&h2, in, len, &used, &ev)) > 0) {
        in += used;
        len -= used;
        if (ev.type == MOTE_H2_HEADERS) {
            mote_h2_headers_begin(&h2, ev.stream);
            static const mote_hpack_field ok = MOTE_HPACK_STATIC(8);
            mote_h2_put(&h2, &ok);
            CHECK_INT(mote_h2_headers_end(&h2, true), 0);
        }
    }
    CHECK_INT(r, 0);
    while (mote_h2_peek(&h2, &out))
        mote_h2_ack(&h2, out);
}

static void request(const uint8_t *more, size_t len)
{
    uint8_t bytes[512] = {0,
                          0,
                          (uint8_t)(4 + len),
                          1,
                          5,
                          0,
                          0,
                          (uint8_t)(next_id >> 8),
                          (uint8_t)next_id,
                          0x83,
                          0x86,
                          0x84,
                          0};

    bytes[2] = (uint8_t)(3 + len);
    memcpy(bytes + 12, more, len);
    next_id += 2;
    hear_frames(bytes, 12 + len);
}

/* A table with so many fields. */
static void know_fields(unsigned count)
{
    mote_h2_config c = {.server = true,
                        .streams = streams,
                        .stream_count = 4,
                        .tx = tx,
                        .tx_size = TX,
                        .dynamic = &mote_h2_repeating_table,
                        .table = table,
                        .table_size = TABLE,
                        .scratch = scratch,
                        .scratch_size = SCRATCH,
                        .max_list_size = 16384};

    CHECK_INT(mote_h2_init(&h2, &c), 0);
    next_id = 1;
    hear_frames((const uint8_t *)"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 24);
    hear_frames((const uint8_t *)"\0\0\0\4\0\0\0\0\0", 9);
    hear_frames((const uint8_t *)"\0\0\0\4\1\0\0\0\0", 9);
    for (unsigned i = 0; i < count; i++) {
        uint8_t field[] = {0x40, 1, 'a', 2, (uint8_t)('0' + i / 64), (uint8_t)('0' + i % 64)};
        request(field, sizeof field);
    }
}

static void repeat_blocks(unsigned count)
{
    (void)count;
    for (int i = 0; i < 1000; i++)
        request((const uint8_t *)"\xbe\xbe\xbe\xbe\xbe\xbe\xbe\xbe\xbe\xbe\xbe\xbe\xbe", 13);
}

/* Each comes twice, which is when it is recorded, and never again. */
static void have_blocks_recorded(unsigned count)
{
    (void)count;
    for (unsigned i = 0; i < 1000; i++) {
        uint8_t field[] = {
            0x00, 1, 'a', 2, (uint8_t)('0' + i / 2 / 64), (uint8_t)('0' + i / 2 % 64)};
        request(field, sizeof field);
    }
}

/* What changes the table makes all records void. */
static void void_records(unsigned count)
{
    (void)count;
    for (int i = 0; i < 1000; i++)
        request((const uint8_t *)(i % 3 == 2 ? "\x40\x01z\x01z" : "\xbe\xbe\xbe\xbe\xbe"), 5);
}

/* ---- the table ------------------------------------------------------------------------------- */

static const attack_row rows[] = {
    {"JSON: zeros", zeros, read_text, 200},
    {"JSON: 1e300", large_powers, read_text, 300},
    {"JSON: 1e-300", small_powers, read_text, 300},
    {"JSON: 4e-324", subnormals, read_text, 300},
    {"JSON: 1e-340", too_small, read_text, 300},
    {"JSON: 1.7976931348623157e308", long_ones, read_text, 300},
    {"JSON: 704 digits", longer_ones, read_text, 300},
    {"JSON: long exponents", exponents, read_text, 200},
    {"JSON: escapes", escapes, read_text, 200},
    {"JSON: empty strings", empty_strings, read_text, 200},
    {"JSON: base64", base64, read_text, 200},
    {"JSON: keys of a map", keys, read_text, 200},
    {"JSON: keys of a Struct", same_keys, read_text, 200},
    {"JSON: unknown fields", unknown, read_text, 200},
    {"JSON: empty messages", messages, read_text, 200},
    {"JSON: times", times, read_text, 200},
    {"JSON: names of enums", enums, read_text, 200},
    {"JSON: blanks", blanks, read_text, 200},
    {"printed: 1e300", large_powers_read, print_it, 600},
    {"printed: 4e-324", subnormals_read, print_it, 600},
    {"printed: 1.7976931348623157e308", long_ones_read, print_it, 1500},
    {"printed: keys of a map", keys_read, print_it, 600},
    {"printed: escapes", escapes_read, print_it, 600},
    {"printed: empty messages", messages_read, print_it, 1000},
    {"HTTP/1.1: fields of a head", short_fields, hear_it, 300},
    {"HTTP/1.1: a head by bytes", short_fields, hear_it_by_bytes, 300},
    {"HTTP/1.1: options of Connection", connections, hear_it, 300},
    {"HTTP/1.1: chunks of a byte", chunks, hear_it, 300},
    {"HTTP/1.1: chunks of a byte, by bytes", chunks, hear_it_by_bytes, 300},
    {"HTTP/1.1: extensions of chunks", extensions, hear_it, 300},
    {"HTTP/1.1: trailers", trailers, hear_it, 300},
    {"blocks that are known again", know_fields, repeat_blocks, 60},
    {"blocks that are recorded in vain", know_fields, have_blocks_recorded, 60},
    {"blocks whose records are void", know_fields, void_records, 60},
};

static void work_does_not_grow_with_entries(void)
{
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        costs_no_more_with_entries(&rows[i]);
}

int main(void)
{
    RUN(work_does_not_grow_with_entries);
    return test_summary();
}
