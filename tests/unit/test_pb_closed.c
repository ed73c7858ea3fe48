/* Protocol Buffers: closed enums of proto2, arrays and what they need, every split, every prefix
 * and every flip. */
#include "pb_nodes.h"

/* ---- closed enums (proto2) ------------------------------------------------------------------- */

typedef struct {
    mote_pb_list_bytes unknown;
    mote_pb_list_int32 many;
    int32_t one;
} levels;

/* -2..-1, 5, 100..127 and the largest one. */
static const mote_pb_field level_ranges[] = {
    {(uint32_t)INT32_MIN, 0, 0, 0}, {(uint32_t)-2, 1, 0, 0}, {5, 0, 0, 0}, {100, 27, 0, 0},
    {INT32_MAX, 0, 0, 0},
};
static const mote_pb_message level_numbers = {level_ranges, NULL, 5, 0};
static const mote_pb_message *const level_subs[] = {&level_numbers};
static const mote_pb_field level_fields[] = {
    {0, offsetof(levels, unknown), MOTE_PB_BYTES | MOTE_PB_UNKNOWN, 0},
    {MOTE_PB_KEY(1, 0), offsetof(levels, one), MOTE_PB_CLOSED, 0},
    {MOTE_PB_KEY(20, 0), offsetof(levels, many), MOTE_PB_CLOSED | MOTE_PB_PACKED, 0},
};
static const mote_pb_message level_table = {level_fields, level_subs, 3, sizeof(levels)};

/* Numbers of the enum are kept, each other one is an unknown field of its own, as it would be
 * encoded: packed, as single elements, and as a field that is not repeated. */
static void numbers_of_a_closed_enum_are_kept_and_others_are_unknown(void)
{
    static const struct {
        int64_t number;
        bool known;
    } rows[] = {{INT32_MIN, true},
                {INT32_MIN + 1LL, false},
                {-3, false},
                {-2, true},
                {-1, true},
                {0, false},
                {4, false},
                {5, true},
                {6, false},
                {99, false},
                {100, true},
                {126, true},
                {127, true},
                {128, false},
                {16383, false},
                {16384, false},
                {INT32_MAX - 1, false},
                {INT32_MAX, true}};
    const mote_pb_decoder decoder = MOTE_PB_DECODER(&level_table);

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        for (int form = 0; form < 3; form++) { /* packed between two known ones, single, one */
            uint8_t in[40], bare[12], kept[16];
            size_t n = 0, len = 0, kept_len = 0;
            mote_pb_arena arena;
            levels m;
            uint64_t v = (uint64_t)rows[i].number;
            for (; v > 127; v >>= 7)
                bare[n++] = (uint8_t)(v | 128);
            bare[n++] = (uint8_t)v;
            kept_len += unhex(form == 2 ? "08" : "a001", kept);
            memcpy(kept + kept_len, bare, n);
            kept_len += n;
            if (form == 0) {
                len = unhex("a201", in);
                in[len++] = (uint8_t)(n + 2);
                in[len++] = 5;
                memcpy(in + len, bare, n);
                len += n;
                in[len++] = 5;
            } else {
                memcpy(in, kept, len = kept_len);
            }
            mote_pb_arena_init(&arena, memory, sizeof memory);
            CHECK_INT(mote_pb_decode(&decoder, &m, in, len, &arena, NULL), 0);
            CHECK_INT(m.unknown.count, !rows[i].known);
            if (m.unknown.count == 1)
                CHECK(m.unknown.items[0].len == kept_len &&
                      memcmp(m.unknown.items[0].data, kept, kept_len) == 0);
            CHECK_INT(m.one, form == 2 && rows[i].known ? rows[i].number : 0);
            CHECK_INT(m.many.count, (form == 0 ? 2 : 0) + (form < 2 && rows[i].known));
            if (form < 2 && rows[i].known)
                CHECK_INT(m.many.items[form == 0 ? 1 : 0], rows[i].number);
        }
    }
}

/* Without a place for what is unknown it is gone, and a full arena is told. */
static void unknown_numbers_need_their_place(void)
{
    mote_pb_decoder decoder = MOTE_PB_DECODER(&level_table);
    uint8_t in[16];
    size_t len = unhex("a201 03 050605 08 04", in);
    int r = MOTE_PB_ERR_ARENA;
    mote_pb_arena arena;
    levels m;

    for (size_t size = 0; r != 0 && size < 500; size += 8) {
        mote_pb_arena_init(&arena, memory, size);
        r = mote_pb_decode(&decoder, &m, in, len, &arena, NULL);
        CHECK(r == MOTE_PB_ERR_ARENA || r == 0);
    }
    CHECK_INT(r, 0);
    CHECK_INT(m.unknown.count, 2);
    decoder.unknown = NULL;
    mote_pb_arena_init(&arena, memory, sizeof memory);
    CHECK_INT(mote_pb_decode(&decoder, &m, in, len, &arena, NULL), 0);
    CHECK_INT(m.unknown.count, 0);
    CHECK_INT(m.many.count, 2);
    CHECK_INT(m.one, 0);
}

/* A number that a closed enum does not have is no value of the field: what is required is missing.
 */
static void an_unknown_number_is_no_required_value(void)
{
    static const mote_pb_field fields[] = {
        {0, offsetof(levels, unknown), MOTE_PB_BYTES | MOTE_PB_UNKNOWN, 0},
        {MOTE_PB_KEY(1, 0), offsetof(levels, one), MOTE_PB_CLOSED | MOTE_PB_REQUIRED, 0},
    };
    static const mote_pb_message table = {fields, level_subs, 2, sizeof(levels)};
    static const struct {
        const char *in;
        int result, one;
        size_t unknown;
    } rows[] = {
        {"", MOTE_PB_ERR_REQUIRED, 0, 0},
        {"08 05", 0, 5, 0},
        {"08 06", MOTE_PB_ERR_REQUIRED, 0, 1},
        {"08 00", MOTE_PB_ERR_REQUIRED, 0, 1},
        {"08 85 80 80 80 f0 ff ff ff ff 01", 0, 5, 0}, /* its lower 32 bits are 5 */
        {"08 06 08 05", 0, 5, 1},
        {"08 05 08 06", 0, 5, 1},
        {"08 06 10 05", MOTE_PB_ERR_REQUIRED, 0, 1}, /* field 2 has 5 */
    };
    const mote_pb_decoder decoder = MOTE_PB_DECODER(&table);

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        uint8_t in[16];
        size_t len = unhex(rows[i].in, in);
        mote_pb_where where = {NULL, 99, 0};
        mote_pb_arena arena;
        levels m;
        mote_pb_arena_init(&arena, memory, sizeof memory);
        CHECK_INT(mote_pb_decode(&decoder, &m, in, len, &arena, &where), rows[i].result);
        CHECK_INT(where.field, rows[i].result < 0 ? 1 : 99);
        CHECK_INT(m.one, rows[i].one);
        CHECK_INT(m.unknown.count, rows[i].unknown);
    }
}

/* However the input splits an array: its field once an element, packed in pieces of one, or in a
 * sub-message that comes in as many pieces. */
static void arrays_take_a_multiple_of_their_elements(void)
{
    enum { ELEMENTS = 4000 };
    static const uint8_t packed[] = {0xb2, 1, 1, 7};             /* packed: 7 */
    static const uint8_t merged[] = {0xf2, 1, 4, 0xb2, 1, 1, 7}; /* next { packed: 7 } */
    static uint8_t in[ELEMENTS * sizeof merged];
    static uint64_t memory[ELEMENTS * 2 * sizeof(int32_t) / 8 + 200];
    mote_pb_arena arena;
    node m;

    for (size_t i = 0; i < ELEMENTS; i++)
        memcpy(in + i * sizeof packed, packed, sizeof packed);
    mote_pb_arena_init(&arena, memory, sizeof memory);
    CHECK_INT(mote_pb_decode(&node_decoder, &m, in, ELEMENTS * sizeof packed, &arena, NULL), 0);
    CHECK_INT(m.packed.count, ELEMENTS);
    for (size_t i = 0; i < ELEMENTS; i++)
        memcpy(in + i * sizeof merged, merged, sizeof merged);
    mote_pb_arena_init(&arena, memory, sizeof memory);
    CHECK_INT(mote_pb_decode(&node_decoder, &m, in, ELEMENTS * sizeof merged, &arena, NULL), 0);
    CHECK_INT(m.next->packed.count, ELEMENTS);
    CHECK_INT(m.next->packed.items[ELEMENTS - 1], 7);
    /* Two that grow in turn, so that neither lies at the end of the arena. */
    static const uint8_t both[] = {0xb2, 1, 1, 7, 0xf2, 1, 4, 0xb2, 1, 1, 7};
    for (size_t i = 0; i < ELEMENTS / 2; i++)
        memcpy(in + i * sizeof both, both, sizeof both);
    mote_pb_arena_init(&arena, memory, sizeof memory);
    CHECK_INT(mote_pb_decode(&node_decoder, &m, in, ELEMENTS / 2 * sizeof both, &arena, NULL), 0);
    CHECK_INT(m.packed.count, ELEMENTS / 2);
    CHECK_INT(m.next->packed.count, ELEMENTS / 2);
}

/* Pieces of two arrays, of a text and of a message that is merged, in every order: what the arena
 * gives is within the bound of mote_pb_arena. */
static void every_way_to_split_takes_no_more_than_the_bound(void)
{
    static const struct {
        const char *hex;
        size_t own, other, inner; /* elements of the three arrays */
    } pieces[] = {{"b001 01", 1, 0, 0},        {"b201 01 02", 1, 0, 0},
                  {"b201 03 030405", 3, 0, 0}, {"ba01 02 0607", 0, 2, 0},
                  {"f201 03 b00101", 0, 0, 1}, {"f201 05 b201020203", 0, 0, 2}};
    enum {
        PIECES = sizeof pieces / sizeof pieces[0],
        LENGTH = 5,
        WAYS = 7776,
        REPEATS = 8,
        HEAD = 8 + 7
    };
    static uint64_t memory[8192];

    for (int way = 0; way < WAYS; way++) {
        uint8_t in[REPEATS * LENGTH * 8];
        size_t len = 0, own = 0, other = 0, inner = 0;
        mote_pb_arena arena;
        node m;
        for (int i = 0, rest = way; i < REPEATS * LENGTH;
             i++, rest = i % LENGTH ? rest / PIECES : way) {
            len += unhex(pieces[rest % PIECES].hex, in + len);
            own += pieces[rest % PIECES].own;
            other += pieces[rest % PIECES].other;
            inner += pieces[rest % PIECES].inner;
        }
        size_t blocks = 3 * 7; /* to 120 elements */
        size_t bound = 4 * (own + other + inner) * sizeof(int32_t) + blocks * HEAD;
        mote_pb_arena_init(&arena, memory, sizeof memory);
        int r = mote_pb_decode(&node_decoder, &m, in, len, &arena, NULL);
        bool counted = m.packed.count == own && m.unpacked.count == other &&
                       (m.next ? m.next->packed.count == inner : inner == 0);
        if (r != 0 || !counted || arena.used > bound + (m.next ? sizeof(node) + 7 : 0)) {
            printf("way %d: %d, %zu bytes of %zu\n", way, r, arena.used, bound);
            test_ok = false;
            return;
        }
    }
}

/* Whatever stands between the elements of an array, it takes no more than they need. */
static void an_array_takes_what_its_elements_need(void)
{
    static const struct {
        const char *what, *in;
        size_t count, room;
    } rows[] = {
        {"packed", "b201 03 010203", 3, 3},
        {"packed as single ones", "b001 01 b001 02", 2, 2},
        {"both, which grow at the end of the arena", "b001 01 b201 02 0203 b001 04", 4, 5},
        {"with a text between", "b001 01 4a 09 010101010101010101 b001 02", 2, 2},
        {"with another array between", "b001 01 ba01 06 010101010101 b001 02", 2, 2},
        {"with numbers between", "b001 01 28 07 28 08 b001 02", 2, 2},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        static uint64_t memory[64];
        uint8_t in[64];
        mote_pb_arena arena;
        node m;
        mote_pb_arena_init(&arena, memory, sizeof memory);
        CHECK_INT(mote_pb_decode(&node_decoder, &m, in, unhex(rows[i].in, in), &arena, NULL), 0);
        CHECK_INT(m.packed.count, rows[i].count);
        CHECK_INT(mote_pb_capacity((const mote_pb_list *)(const void *)&m.packed), rows[i].room);
    }
}

static void every_prefix_and_every_flip_is_safe(void)
{
    static uint8_t in[sizeof out];
    node n = full(), m;
    size_t len = encode(&n);

    memcpy(in, out, len);
    for (size_t cut = 0; cut < len; cut++) {
        uint8_t *exact = malloc(cut ? cut : 1);
        memcpy(exact, in, cut);
        decode(&m, exact, cut, NULL);
        free(exact);
        for (int bit = 0; bit < 8; bit++) {
            in[cut] ^= (uint8_t)(1 << bit);
            decode(&m, in, len, NULL);
            in[cut] ^= (uint8_t)(1 << bit);
        }
    }
}

int main(void)
{
    RUN(numbers_of_a_closed_enum_are_kept_and_others_are_unknown);
    RUN(unknown_numbers_need_their_place);
    RUN(an_unknown_number_is_no_required_value);
    RUN(arrays_take_a_multiple_of_their_elements);
    RUN(every_way_to_split_takes_no_more_than_the_bound);
    RUN(an_array_takes_what_its_elements_need);
    RUN(every_prefix_and_every_flip_is_safe);
    return test_summary();
}
