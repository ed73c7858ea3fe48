/* What generated code knows of a schema by name: numbers of fields, names of enums, members of
 * oneofs. */
#include "../test.h"
#include "../../fuzz/schema.mote.h"

#include <stdlib.h>

static void fields_have_numbers(void)
{
    _Static_assert(fuzz_Three_real_NUMBER == 1 && fuzz_Three_f_NUMBER == 43 &&
                       fuzz_Three_far_NUMBER == 536870911,
                   "those of the .proto");
    _Static_assert(fuzz_Three_CountsEntry_value_NUMBER == 2 && fuzz_Two_single_NUMBER == 6,
                   "of all messages");
}

static void enums_have_names(void)
{
    static const struct {
        const char *name;
        int32_t number;
    } rows[] = {{"RED", 0}, {"GREEN", 1}, {"BLUE", -1}};
    static const char *const others[] = {"", "RE", "REDD", "red", "PURPLE"};
    fuzz_Colour c = 7;

    for (size_t i = 0; i < 3; i++) {
        CHECK(strcmp(fuzz_Colour_name(rows[i].number), rows[i].name) == 0);
        CHECK(fuzz_Colour_parse(mote_pb_cstring(rows[i].name), &c));
        CHECK_INT(c, rows[i].number);
    }
    c = 7;
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
        CHECK(!fuzz_Colour_parse(mote_pb_cstring(others[i]), &c));
    CHECK_INT(c, 7);
    CHECK(fuzz_Colour_name(2) == NULL);
}

static void setting_a_member_of_a_oneof_names_it(void)
{
    static const fuzz_Three inside = {.i32 = 1};
    fuzz_Three m = {.real = 1};
    uint8_t out[32];
    size_t len;

    fuzz_Three_set_a(&m, 5);
    CHECK(m.narrow.which == fuzz_Three_a && m.narrow.is.a == 5);
    fuzz_Three_set_b(&m, true);
    CHECK(m.narrow.which == fuzz_Three_b_NUMBER && m.narrow.is.b);
    fuzz_Three_set_c(&m, 0.5);
    CHECK(m.wide.which == 40 && m.wide.is.c > 0.4);
    fuzz_Three_set_d(&m, MOTE_PB_STRING("x"));
    CHECK(m.wide.which == 41 && m.wide.is.d.len == 1);
    fuzz_Three_set_e(&m, &inside);
    CHECK(m.wide.which == 42 && m.wide.is.e == &inside);
    CHECK_INT(fuzz_Three_encode(&m, out, sizeof out, &len), 0);
    CHECK_INT(len, 9 + 3 + 5);
}

static void a_member_of_a_oneof_is_read_by_its_name(void)
{
    static const fuzz_Three inside = {.i32 = 1};
    fuzz_Three m = {.real = 1};

    CHECK(!fuzz_Three_get_a(&m) && !fuzz_Three_get_b(&m) && !fuzz_Three_get_c(&m) &&
          !fuzz_Three_get_d(&m) && !fuzz_Three_get_e(&m) && !fuzz_Three_get_f(&m));
    fuzz_Three_set_a(&m, 0);
    CHECK(fuzz_Three_get_a(&m) == &m.narrow.is.a && !fuzz_Three_get_b(&m));
    fuzz_Three_set_b(&m, true);
    CHECK(!fuzz_Three_get_a(&m) && *fuzz_Three_get_b(&m));
    fuzz_Three_set_d(&m, MOTE_PB_STRING("x"));
    CHECK(fuzz_Three_get_d(&m)->len == 1 && !fuzz_Three_get_c(&m) && !fuzz_Three_get_e(&m));
    fuzz_Three_set_e(&m, &inside);
    CHECK(fuzz_Three_get_e(&m) == &inside && !fuzz_Three_get_d(&m));
}

static void lists_and_maps_are_gone_over(void)
{
    static const int32_t numbers[] = {3, 5, 9};
    static const fuzz_Three selves[] = {{.i32 = 1}, {.i32 = 2}};
    static const fuzz_Three_CountsEntry counts[] = {{.key = MOTE_PB_STRING_INIT("a"), .value = 7},
                                                    {.key = MOTE_PB_STRING_INIT("bb"), .value = 8}};
    fuzz_Three m = {.i32s = {numbers, 3}, .selves = {selves, 2}, .counts = {counts, 2}};
    int64_t sum = 0;

    MOTE_PB_EACH(int32_t, n, m.i32s)
    sum = sum * 10 + *n;
    MOTE_PB_EACH(fuzz_Three, t, m.selves)
    sum = sum * 10 + t->i32;
    MOTE_PB_EACH(fuzz_Three_CountsEntry, e, m.counts)
    sum = sum * 10 + (int64_t)e->key.len + e->value;
    MOTE_PB_EACH(bool, b, m.flags)
    sum += *b ? 1 : 100; /* an empty list */
    CHECK_INT(sum, 359 * 10000 + 1200 + 80 + 10);
}

/* ---- messages as values ------------------------------------------------------------------------
 */

#define OF(literal)                                                                                \
    {                                                                                              \
        (const uint8_t *)(literal), sizeof(literal) - 1                                            \
    }

/* Each row differs from all others, in one field, in its presence, its length or one value. */
static const int32_t one_two[] = {1, 2}, one_three[] = {1, 3};
static const double nought[] = {0.0}, minus_nought[] = {-0.0};
static const bool yes_no[] = {true, false}, no_no[] = {false, false};
static const mote_pb_string texts_a[] = {MOTE_PB_STRING_INIT("a"), MOTE_PB_STRING_INIT("")},
                            texts_b[] = {MOTE_PB_STRING_INIT(""), MOTE_PB_STRING_INIT("a")},
                            texts_c[] = {MOTE_PB_STRING_INIT("b"), MOTE_PB_STRING_INIT("")};
static const mote_pb_bytes kept_a[] = {OF("\xc8\x3e\x01")}, kept_b[] = {OF("\xc8\x3e\x02")};
static const fuzz_Three inner = {.i32 = 5}, inner_b = {.i32 = 6}, deep = {.self = &inner},
                        deep_b = {.self = &inner_b}, pair[] = {{.i32 = 5}, {.i32 = 6}},
                        pair_b[] = {{.i32 = 5}, {.self = &inner}};
static const fuzz_Three_CountsEntry entries[] = {{.key = MOTE_PB_STRING_INIT("k"), .value = 1}},
                                    entries_b[] = {{.key = MOTE_PB_STRING_INIT("k"), .value = 2}};
static const fuzz_Three_ChildrenEntry children[] = {{.key = 1, .value = &inner}},
                                      children_b[] = {{.key = 1, .value = &deep}};
static const fuzz_Three rows[] = {
    {.i32 = 0},
    {.real = -0.0},
    {.real = 1},
    {.i32 = 1},
    {.i64 = 1},
    {.flag = true},
    {.text = MOTE_PB_STRING_INIT("a")},
    {.text = MOTE_PB_STRING_INIT("b")},
    {.text = MOTE_PB_STRING_INIT("ab")},
    {.blob = OF("a")},
    {.maybe_u32 = {true, 0}},
    {.maybe_u32 = {true, 1}},
    {.maybe_text = {true, MOTE_PB_STRING_INIT("")}},
    {.maybe_text = {true, MOTE_PB_STRING_INIT("a")}},
    {.i32s = {one_two, 1}},
    {.i32s = {one_two, 2}},
    {.i32s = {one_three, 2}},
    {.reals = {nought, 1}},
    {.reals = {minus_nought, 1}},
    {.flags = {yes_no, 2}},
    {.flags = {no_no, 2}},
    {.texts = {texts_a, 2}},
    {.texts = {texts_b, 2}},
    {.texts = {texts_c, 2}},
    {.self = &inner},
    {.self = &inner_b},
    {.self = &deep},
    {.self = &deep_b},
    {.selves = {pair, 1}},
    {.selves = {pair, 2}},
    {.selves = {pair_b, 2}},
    {.counts = {entries, 1}},
    {.counts = {entries_b, 1}},
    {.children = {children, 1}},
    {.children = {children_b, 1}},
    {.narrow = {fuzz_Three_a, {.a = 0}}},
    {.narrow = {fuzz_Three_a, {.a = 1}}},
    {.narrow = {fuzz_Three_b, {.b = false}}},
    {.wide = {fuzz_Three_d, {.d = MOTE_PB_STRING_INIT("a")}}},
    {.wide = {fuzz_Three_f, {.f = OF("a")}}},
    {.wide = {fuzz_Three_e, {.e = &inner}}},
    {.wide = {fuzz_Three_e, {.e = &deep}}},
    {.unknown_fields = {kept_a, 1}},
    {.unknown_fields = {kept_b, 1}},
};
enum { ROWS = sizeof rows / sizeof rows[0] };

static void messages_are_equal_to_themselves_alone(void)
{
    for (size_t a = 0; a < ROWS; a++) {
        for (size_t b = 0; b < ROWS; b++)
            CHECK_INT(fuzz_Three_equal(&rows[a], &rows[b]), a == b);
    }
}

/* With arenas of each size up to the one that suffices, in memory that ends there. */
static void a_copy_needs_nothing_else(void)
{
    for (size_t row = 0; row < ROWS; row++) {
        int r = MOTE_PB_ERR_ARENA;
        for (size_t size = 0; r == MOTE_PB_ERR_ARENA; size += 4) {
            uint8_t *memory = malloc(size + 1);
            fuzz_Three copy;
            mote_pb_arena arena;
            mote_pb_arena_init(&arena, memory, size);
            r = fuzz_Three_copy(&copy, &rows[row], &arena);
            CHECK(r == 0 || r == MOTE_PB_ERR_ARENA);
            if (r == 0)
                CHECK_INT(fuzz_Three_equal(&copy, &rows[row]), 1);
            CHECK(arena.used <= size);
            free(memory);
            CHECK(size < 4000);
        }
    }
    fuzz_Three copy;
    CHECK_INT(fuzz_Three_copy(&copy, &rows[3], NULL), 0);
    CHECK_INT(fuzz_Three_copy(&copy, &rows[14], NULL), MOTE_PB_ERR_ARENA);
}

static void what_is_nested_too_deeply_is_an_error(void)
{
    static fuzz_Three chain[MOTE_PB_DEPTH + 1];
    static uint64_t memory[MOTE_PB_DEPTH * sizeof(fuzz_Three) / 4];
    mote_pb_arena arena;
    fuzz_Three copy;

    for (size_t depth = MOTE_PB_DEPTH - 1; depth <= MOTE_PB_DEPTH + 1; depth++) {
        int expected = depth <= MOTE_PB_DEPTH ? 0 : MOTE_PB_ERR_DEPTH;
        for (size_t i = 0; i < depth; i++)
            chain[i] = (fuzz_Three){.self = i + 1 < depth ? &chain[i + 1] : NULL};
        mote_pb_arena_init(&arena, memory, sizeof memory);
        CHECK_INT(fuzz_Three_copy(&copy, chain, &arena), expected);
        CHECK_INT(fuzz_Three_equal(chain, chain), expected ? expected : 1);
    }
}

/* ---- extensions ------------------------------------------------------------------------------ */

/* As protobuf for Python writes them: id 7, note "hi", levels 1 and -1, mark. */
static const char extended[] = "\x08\x07\x42\x00\xa2\x06\x02hi\xaa\x06\x0b\x01\xff\xff\xff\xff"
                               "\xff\xff\xff\xff\xff\x01\xb2\x09\x00";
enum { EXTENDED = sizeof extended - 1 };

static void extensions_are_read_as_another_message(void)
{
    uint64_t memory[64];
    mote_pb_arena arena;
    mote_pb_where where;
    fuzz_TwoExtensions x;
    fuzz_Two m;

    mote_pb_arena_init(&arena, memory, sizeof memory);
    CHECK_INT(fuzz_Two_decode(&m, (const uint8_t *)extended, EXTENDED, &arena), 0);
    CHECK(m.unknown_fields.count > 0);
    CHECK_INT(
        mote_pb_decode_unknown(&fuzz_TwoExtensions_decoder, &x, &m.unknown_fields, &arena, &where),
        0);
    CHECK(x.note.has && x.note.value.len == 2 && memcmp(x.note.value.data, "hi", 2) == 0);
    CHECK(x.levels.count == 2 && x.levels.items[0] == 1 && x.levels.items[1] == -1);
    CHECK(x.mark != NULL);
    static const mote_pb_list_bytes none = {NULL, 0};
    CHECK_INT(mote_pb_decode_unknown(&fuzz_TwoExtensions_decoder, &x, &none, NULL, &where), 0);
    CHECK(!x.note.has && x.levels.count == 0 && !x.mark);
}

static void extensions_are_written_as_another_message(void)
{
    static const int32_t levels[] = {1, -1};
    static const fuzz_Empty empty = {.unknown_fields = {NULL, 0}};
    const fuzz_TwoExtensions x = {
        .note = {true, MOTE_PB_STRING("hi")}, .levels = {levels, 2}, .mark = &empty};
    uint8_t inside[64], out[64];
    mote_pb_bytes item = {inside, 0};
    const fuzz_Two m = {.id = 7, .empty = &empty, .unknown_fields = {&item, 1}};
    size_t len;

    CHECK_INT(fuzz_TwoExtensions_encode(&x, inside, sizeof inside, &item.len), 0);
    CHECK_INT(fuzz_Two_encode(&m, out, sizeof out, &len), 0);
    CHECK_INT(len, EXTENDED);
    CHECK(memcmp(out, extended + 4, EXTENDED - 4) == 0); /* unknown fields go first */
    CHECK(memcmp(out + EXTENDED - 4, extended, 4) == 0);
}

/* In views that split a field anywhere, and arenas of each size. */
static void extensions_need_no_more_than_their_bytes(void)
{
    const uint8_t *in = (const uint8_t *)extended + 4;
    enum { LEN = EXTENDED - 4 };

    for (size_t cut = 0; cut <= LEN; cut++) {
        const mote_pb_bytes views[] = {{in, cut}, {in + cut, LEN - cut}};
        const mote_pb_list_bytes both = {views, 2};
        int r = MOTE_PB_ERR_ARENA;
        for (size_t size = 0; r == MOTE_PB_ERR_ARENA && size < 400; size += 8) {
            uint64_t *memory = malloc(size + 1);
            mote_pb_arena arena;
            fuzz_TwoExtensions x;
            mote_pb_arena_init(&arena, memory, size);
            r = mote_pb_decode_unknown(&fuzz_TwoExtensions_decoder, &x, &both, &arena, NULL);
            CHECK(r != 0 || (x.note.has && x.levels.count == 2 && x.mark));
            free(memory);
        }
        CHECK_INT(r, 0);
    }
}

int main(void)
{
    RUN(fields_have_numbers);
    RUN(enums_have_names);
    RUN(setting_a_member_of_a_oneof_names_it);
    RUN(a_member_of_a_oneof_is_read_by_its_name);
    RUN(lists_and_maps_are_gone_over);
    RUN(messages_are_equal_to_themselves_alone);
    RUN(a_copy_needs_nothing_else);
    RUN(what_is_nested_too_deeply_is_an_error);
    RUN(extensions_are_read_as_another_message);
    RUN(extensions_are_written_as_another_message);
    RUN(extensions_need_no_more_than_their_bytes);
    return test_summary();
}
