/* Messages: decode, encode, decode again: the second encoding is the same bytes, and a part of it
 * is the same part of the whole. Fields in pieces are those of the whole. */
#include "../pb/pb.h"
#include "fuzz.h"

typedef struct node node;
struct node {
    int32_t i;
    int64_t s;
    double d;
    mote_pb_string text;
    mote_pb_opt_uint32 opt;
    mote_pb_list_int32 packed;
    mote_pb_list_string texts;
    struct {
        const node *items;
        size_t count;
    } nodes;
    struct {
        uint32_t which;
        union {
            uint64_t a;
            const node *b;
        } is;
    } one;
    const node *group;
};

extern const mote_pb_message node_table;
static const mote_pb_message *const subs[] = {&node_table};
static const mote_pb_field fields[] = {
    {MOTE_PB_KEY(1, 0), offsetof(node, i), MOTE_PB_INT32, 0},
    {MOTE_PB_KEY(2, 0), offsetof(node, s), MOTE_PB_SINT64, 0},
    {MOTE_PB_KEY(3, 1), offsetof(node, d), MOTE_PB_DOUBLE, 0},
    {MOTE_PB_KEY(4, 2), offsetof(node, text), MOTE_PB_TEXT, 0},
    {MOTE_PB_KEY(5, 0), offsetof(node, opt), MOTE_PB_UINT32 | MOTE_PB_OPTIONAL, 0},
    {MOTE_PB_KEY(6, 0), offsetof(node, packed), MOTE_PB_INT32 | MOTE_PB_PACKED, 0},
    {MOTE_PB_KEY(7, 2), offsetof(node, texts), MOTE_PB_TEXT | MOTE_PB_REPEATED, 0},
    {MOTE_PB_KEY(8, 2), offsetof(node, nodes), MOTE_PB_MESSAGE | MOTE_PB_REPEATED, 0},
    {MOTE_PB_KEY(9, 0), offsetof(node, one.is), MOTE_PB_UINT64 | MOTE_PB_ONEOF,
     MOTE_PB_ONEOF_GAP(node, one)},
    {MOTE_PB_KEY(10, 2), offsetof(node, one.is), MOTE_PB_MESSAGE | MOTE_PB_ONEOF,
     MOTE_PB_ONEOF_GAP(node, one)},
    {MOTE_PB_KEY(11, 3), offsetof(node, group), MOTE_PB_GROUP, 0},
};
const mote_pb_message node_table = {fields, subs, sizeof fields / sizeof fields[0], sizeof(node)};

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

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static uint64_t memory[2][1 << 13];
    static uint8_t first[1 << 16], second[1 << 16], part[1 << 16];
    mote_pb_arena arena;
    mote_pb_where where;
    size_t len, again;
    node n, m;

    mote_pb_arena_init(&arena, memory[0], sizeof memory[0]);
    int r = mote_pb_decode(&node_table, &n, data, size, &arena, &where);
    int pieces = check_split(data, size);
    if (r < 0) {
        ASSERT(where.offset <= size);
        return 0;
    }
    ASSERT(pieces == 0);
    if (mote_pb_encode(&node_table, &n, first, sizeof first, &len) < 0)
        return 0; /* deeper than the encoder goes, or larger than the buffer */
    mote_pb_arena_init(&arena, memory[1], sizeof memory[1]);
    if (mote_pb_decode(&node_table, &m, first, len, &arena, NULL) == MOTE_PB_ERR_ARENA)
        return 0;
    ASSERT(mote_pb_encode(&node_table, &m, second, sizeof second, &again) == 0);
    ASSERT(len == again && memcmp(first, second, len) == 0);
    if (len > 0) {
        size_t at = size % len, cap = len - at < 7 ? len - at : 7;
        ASSERT(mote_pb_encode_part(&node_table, &n, at, part, cap, &len) == 0);
        ASSERT(memcmp(part, first + at, cap) == 0);
    }
    return 0;
}
