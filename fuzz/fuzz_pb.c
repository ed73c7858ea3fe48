/* Messages of every shape (schema.proto): decode, encode, decode again: the second encoding is the
 * same bytes, and a part of it is the same part of the whole, by a walk too. Fields in pieces are
 * those of the whole. What can be decoded can be printed and copied, and the place of an error has
 * a path. */
#include "schema.mote.h"
#include "fuzz.h"

/* Splits in chunks; what came out goes to the log, parts of a field put together. */
static int split(const uint8_t *in, size_t len, size_t chunk, size_t cap, fuzz_log *log)
{
    static uint8_t buffer[256];
    mote_pb_splitter s;
    mote_pb_piece p;
    int r = 0;

    log->len = 0;
    mote_pb_splitter_init(&s, buffer, cap);
    for (size_t at = 0, n; at < len && r >= 0; at += n) {
        size_t used;
        n = len - at < chunk ? len - at : chunk;
        for (size_t i = 0; (r = mote_pb_split(&s, in + at + i, n - i, &used, &p)) > 0; i += used) {
            if (p.wire != 2 || p.offset == 0)
                fuzz_put_number(log, p.number << 3 | p.wire);
            if (p.wire == 2)
                fuzz_put(log, p.data, p.len);
            else
                fuzz_put(log, &p.value, sizeof p.value);
        }
    }
    return r < 0 ? r : mote_pb_split_end(&s);
}

static int check_split(const uint8_t *data, size_t size)
{
    static fuzz_log whole, pieces;
    size_t chunk = 1 + size % 13;
    int r = split(data, size, SIZE_MAX, 256, &whole);

    ASSERT(split(data, size, chunk, 256, &pieces) == r);
    if (r == 0)
        ASSERT(fuzz_same(&whole, &pieces));
    ASSERT(split(data, size, chunk, size % 32, &pieces) == r);
    if (r == 0)
        ASSERT(fuzz_same(&whole, &pieces));
    return r;
}

static void count(void *context, const char *text, size_t len)
{
    size_t *total = (size_t *)context;

    for (size_t i = 0; i < len; i++)
        *total += (unsigned char)text[i] < 128; /* every byte is read */
}

static void check_error(const uint8_t *data, size_t size, const mote_pb_where *where)
{
    char path[64];

    ASSERT(where->offset <= size);
    ASSERT(mote_pb_path(&fuzz_Two_names, data, size, where->offset, path, sizeof path) == path);
    ASSERT(memcmp(path, "fuzz.Two", 8) == 0 && strlen(path) < sizeof path);
}

/* Encoding a message again, in whole and in part, and its size. */
static void check_encoding(const fuzz_Two *n, const uint8_t *first, size_t len, size_t salt)
{
    static uint8_t part[16];
    size_t size = 0, total = len;

    ASSERT(fuzz_Two_size(n, &size) == 0 && size == len);
    if (len > 0) {
        size_t at = salt % len, cap = len - at < 7 ? len - at : 7;
        ASSERT(mote_pb_encode_part(&fuzz_Two_encoder, n, at, part, cap, &total) == 0);
        ASSERT(memcmp(part, first + at, cap) == 0);
    }
}

/* The same by a walk: in parts of 1 to 32 bytes, with memory for 0 to 6 lengths. */
static void check_walk(const fuzz_Two *n, const uint8_t *first, size_t len, size_t salt)
{
    static uint64_t memory[MOTE_PB_WALK_SIZE(101, 7) / 8];
    uint8_t part[32];
    mote_pb_walk walk;
    const mote_pb_large large = {n, &walk};
    size_t total = 0, size = 1 + salt % 32;

    mote_pb_walk_init(&walk, memory, MOTE_PB_WALK_SIZE(101, salt % 7));
    ASSERT(mote_pb_walk_part(&fuzz_Two_encoder, &large, 0, NULL, 0, &total) == 0);
    ASSERT(total == len);
    for (size_t at = 0, cap; at < len; at += cap) {
        cap = len - at < size ? len - at : size;
        ASSERT(mote_pb_walk_part(&fuzz_Two_encoder, &large, at, part, cap, &total) == 0);
        ASSERT(memcmp(part, first + at, cap) == 0);
    }
}

/* A copy is equal, and stands alone: without what it was copied from it has the same encoding. */
static void check_copy(const fuzz_Two *n, mote_pb_arena *from, const uint8_t *first, size_t len)
{
    static uint64_t memory[1 << 16];
    static uint8_t bytes[1 << 16];
    mote_pb_arena arena;
    fuzz_Two copy;
    size_t again;

    mote_pb_arena_init(&arena, memory, sizeof memory);
    ASSERT(fuzz_Two_copy(&copy, n, &arena) == 0);
    ASSERT(fuzz_Two_equal(n, &copy) == 1 && fuzz_Two_equal(&copy, n) == 1);
    fuzz_fill(from->memory, 0xee, from->size);
    ASSERT(fuzz_Two_encode(&copy, bytes, sizeof bytes, &again) == 0);
    ASSERT(len == again && memcmp(first, bytes, len) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static uint64_t memory[2][1 << 14];
    static uint8_t first[1 << 16], second[1 << 16];
    mote_pb_arena arena;
    mote_pb_where where;
    size_t len, again, printed = 0;
    fuzz_Two n, m;

    mote_pb_arena_init(&arena, memory[0], sizeof memory[0]);
    int r = mote_pb_decode(&fuzz_Two_decoder, &n, data, size, &arena, &where);
    int pieces = check_split(data, size);
    if (r < 0) {
        check_error(data, size, &where);
        return 0;
    }
    ASSERT(pieces == 0);
    r = mote_pb_print(&fuzz_Two_names, &n, count, &printed);
    if (fuzz_Two_encode(&n, first, sizeof first, &len) < 0)
        return 0; /* deeper than the encoder goes, or larger than the buffer */
    ASSERT(r == 0);
    check_encoding(&n, first, len, size);
    check_walk(&n, first, len, size);
    check_copy(&n, &arena, first, len);
    mote_pb_arena_init(&arena, memory[1], sizeof memory[1]);
    if (fuzz_Two_decode(&m, first, len, &arena) == MOTE_PB_ERR_ARENA)
        return 0;
    ASSERT(fuzz_Two_encode(&m, second, sizeof second, &again) == 0);
    ASSERT(len == again && memcmp(first, second, len) == 0);
    return 0;
}
