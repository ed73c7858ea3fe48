/* Repeated fields whose elements a function gives: the same bytes as from arrays, of each type and
 * at each level, by each way to encode; and a function that fails, or says something else later. */
#include "../../pb/pb.h"
#include "../../pb/pb_internal.h"
#include "../test.h"

#include <stddef.h>

static uint8_t whole[4096], out[4096];

/* ---- of each type -------------------------------------------------------------------------- */

typedef struct {
    const void *items;
    size_t count;
} array_one;
typedef struct {
    mote_pb_supply field;
} supplied_one;

static const uint8_t *items;
static size_t item_size;

static bool copy_item(void *user, size_t index, void *element)
{
    (void)user;
    memcpy(element, items + index * item_size, item_size);
    return true;
}

static int put(mote_pb_writer *w, const mote_pb_message *type, const void *message)
{
    uint64_t memory[MOTE_PB_WALK_SIZE(4, 0) / sizeof(uint64_t) + 1];
    return mote_pb_put_forward(w, type, message, memory, sizeof memory);
}

static void fill_items(uint8_t *to, unsigned type, size_t count)
{
    static const mote_pb_string texts[] = {MOTE_PB_STRING_INIT("one"), MOTE_PB_STRING_INIT(""),
                                           MOTE_PB_STRING_INIT("a text of more than a head")};

    for (size_t i = 0; i < count * mote_pb_types[type].size; i++)
        to[i] = type == MOTE_PB_BOOL ? i % 2 : (uint8_t)(i % 5 ? 0 : 37 * i + 1);
    for (size_t i = 0; mote_pb_types[type].kind == MOTE_PB_VIEW && i < count; i++)
        memcpy(to + i * sizeof texts[0], &texts[i % 3], sizeof texts[0]);
}

static void check_type(unsigned type, unsigned wire, bool packed, size_t count)
{
    static uint64_t memory[64];
    uint32_t key = MOTE_PB_KEY(300, wire);
    unsigned label = packed ? MOTE_PB_PACKED : MOTE_PB_REPEATED;
    const mote_pb_field field = {key, 0, (uint8_t)(type | label), 0};
    const mote_pb_field supplied = {key, 0, (uint8_t)(type | MOTE_PB_SUPPLIED), packed};
    const mote_pb_message array_type = {&field, NULL, 1, sizeof(array_one)};
    const mote_pb_message supplied_type = {&supplied, NULL, 1, sizeof(supplied_one)};
    const mote_pb_encoder arrays = MOTE_PB_ENCODER(&array_type);
    const mote_pb_encoder functions = {&supplied_type, NULL, put};
    const array_one a = {memory, count};
    const supplied_one s = {{copy_item, NULL, NULL, count}};
    size_t len, again, size;

    fill_items((uint8_t *)memory, type, count);
    items = (const uint8_t *)memory;
    item_size = mote_pb_types[type].size;
    CHECK_INT(mote_pb_encode(&arrays, &a, whole, sizeof whole, &len), 0);
    CHECK_INT(mote_pb_encode(&functions, &s, out, sizeof out, &again), 0);
    CHECK_INT(mote_pb_size(&functions, &s, &size), 0);
    CHECK_INT(again, len);
    CHECK_INT(size, len);
    CHECK(memcmp(out, whole, len) == 0);
}

static void each_type_is_sent_as_from_an_array(void)
{
    static const struct {
        unsigned type, wire;
    } rows[] = {
#define ROW(name, number, member, wire, kind) {MOTE_PB_##name, MOTE_PB_##wire},
        MOTE_PB_TYPES(ROW)
#undef ROW
    };
    static const size_t counts[] = {0, 1, 2, 20};

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        for (size_t k = 0; mote_pb_types[rows[i].type].kind != MOTE_PB_NESTED && k < 4; k++) {
            check_type(rows[i].type, rows[i].wire, false, counts[k]);
            if (mote_pb_types[rows[i].type].kind != MOTE_PB_VIEW)
                check_type(rows[i].type, rows[i].wire, true, counts[k]);
        }
    }
}

/* ---- messages that have such fields -------------------------------------------------------- */

enum { ROWS = 3, NUMBERS = 4, LEAVES = 2 };

typedef struct {
    int32_t number;
} leaf;
typedef struct {
    mote_pb_string name;
    mote_pb_supply numbers, leaves;
} row;
typedef struct {
    int32_t first;
    mote_pb_supply rows, groups;
    const row *single;
    uint32_t last;
} table;

static const mote_pb_field leaf_fields[] = {{MOTE_PB_KEY(1, 0), 0, MOTE_PB_INT32, 0}};
static const mote_pb_message leaf_type = {leaf_fields, NULL, 1, sizeof(leaf)};
static const mote_pb_message *const row_subs[] = {&leaf_type};
static const mote_pb_field row_fields[] = {
    {MOTE_PB_KEY(1, 2), offsetof(row, name), MOTE_PB_TEXT, 0},
    {MOTE_PB_KEY(2, 0), offsetof(row, numbers), MOTE_PB_SINT32 | MOTE_PB_SUPPLIED, 1},
    {MOTE_PB_KEY(3, 2), offsetof(row, leaves), MOTE_PB_MESSAGE | MOTE_PB_SUPPLIED, 0},
};
static const mote_pb_message row_type = {row_fields, row_subs, 3, sizeof(row)};
static const mote_pb_message *const table_subs[] = {&row_type, &leaf_type};
static const mote_pb_field table_fields[] = {
    {MOTE_PB_KEY(1, 0), offsetof(table, first), MOTE_PB_INT32, 0},
    {MOTE_PB_KEY(2, 2), offsetof(table, rows), MOTE_PB_MESSAGE | MOTE_PB_SUPPLIED, 0},
    {MOTE_PB_KEY(3, 3), offsetof(table, groups), MOTE_PB_GROUP | MOTE_PB_SUPPLIED, 1},
    {MOTE_PB_KEY(4, 2), offsetof(table, single), MOTE_PB_MESSAGE, 0},
    {MOTE_PB_KEY(5, 0), offsetof(table, last), MOTE_PB_UINT32, 0},
};
static const mote_pb_message table_type = {table_fields, table_subs, 5, sizeof(table)};
static const mote_pb_encoder encoder = {&table_type, NULL, put};

static unsigned asked, fails_at, changes_at; /* calls of all functions; 0: none */

static bool ask(void)
{
    return ++asked != fails_at;
}

static int32_t number_of(size_t index)
{
    return changes_at > 0 && asked >= changes_at ? 100000 : (int32_t)index * 50 + 3;
}

static bool give_number(void *user, size_t index, void *element)
{
    (void)user;
    bool given = ask();
    int32_t v = number_of(index);
    memcpy(element, &v, sizeof v);
    return given;
}

static bool give_leaf(void *user, size_t index, void *element)
{
    (void)user;
    bool given = ask();
    *(leaf *)element = (leaf){number_of(index)};
    return given;
}

static bool give_row(void *user, size_t index, void *element)
{
    static leaf one;
    row *r = element;

    (void)user;
    memset(r, 0, sizeof *r);
    r->name = mote_pb_cstring(index == 1 ? "" : "a row");
    r->numbers = (mote_pb_supply){give_number, NULL, NULL, index == 2 ? 0 : NUMBERS};
    r->leaves = (mote_pb_supply){give_leaf, NULL, &one, LEAVES};
    return ask();
}

static table a_table(void)
{
    static row of_rows, single;
    static leaf of_groups;

    give_row(NULL, 0, &single);
    asked = 0;
    return (table){
        7, {give_row, NULL, &of_rows, ROWS}, {give_leaf, NULL, &of_groups, 2}, &single, 9};
}

/* What the table is, written down: leaves 3 and 53, numbers 3, 53, 103, 153. */
#define LEAVES_BYTES "\x1a\x02\x08\x03\x1a\x02\x08\x35"
static const char expected[] =
    "\x08\x07"
    "\x12\x17\x0a\x05"
    "a row\x12\x06\x06\x6a\xce\x01\xb2\x02" LEAVES_BYTES
    "\x12\x10\x12\x06\x06\x6a\xce\x01\xb2\x02" LEAVES_BYTES "\x12\x0f\x0a\x05"
    "a row" LEAVES_BYTES "\x1b\x08\x03\x1c\x1b\x08\x35\x1c"
    "\x22\x17\x0a\x05"
    "a row\x12\x06\x06\x6a\xce\x01\xb2\x02" LEAVES_BYTES "\x28\x09";
enum { LEN = sizeof expected - 1 };

/* ---- ways to encode: 0 or an error; what was written is in `out` --------------------------- */

static size_t written;
typedef int way(const table *t, size_t part);

static int at_once(const table *t, size_t part)
{
    size_t len;
    int r = mote_pb_encode(&encoder, t, out, sizeof out, &len);

    (void)part;
    if (r == 0)
        written = len;
    return r;
}

static mote_pb_place place;
static uint64_t memory_of_walk[64];

static int in_parts(const void *what, const void *message, size_t part,
                    int write(const void *, const void *, size_t, uint8_t *, size_t, size_t *))
{
    size_t total = 0, said;
    int r = write(what, message, 0, NULL, 0, &total);

    for (size_t at = 0, n; r == 0 && at < total; at += n) {
        n = total - at < part ? total - at : part;
        said = total;
        out[at + n] = 0x77;
        r = write(what, message, at, out + at, n, &said);
        CHECK(r < 0 || said == total || changes_at > 0);
        CHECK_INT(out[at + n], 0x77);
        if (r == 0 && said != total)
            return MOTE_PB_ERR_CHANGED; /* as the engine has it */
    }
    written = total;
    return r;
}

static int by_the_encoder(const table *t, size_t part)
{
    return in_parts(&encoder, t, part, mote_pb_encode_part);
}

static int by_a_walk(const table *t, size_t part)
{
    mote_pb_walk walk;
    const mote_pb_large large = {t, &walk};

    mote_pb_walk_init(&walk, memory_of_walk, sizeof memory_of_walk);
    return in_parts(&encoder, &large, part, mote_pb_walk_part);
}

static int by_a_place(const table *t, size_t part)
{
    const mote_pb_resumed resumed = {&encoder, &place};

    memset(&place, 0, sizeof place);
    return in_parts(&resumed, t, part, mote_pb_resume_part);
}

static way *const ways[] = {at_once, by_the_encoder, by_a_walk, by_a_place};
enum { WAYS = sizeof ways / sizeof ways[0] };

static void each_way_writes_the_same(void)
{
    const table t = a_table();
    size_t size;

    CHECK_INT(mote_pb_size(&encoder, &t, &size), 0);
    CHECK_INT(size, LEN);
    for (size_t w = 0; w < WAYS; w++) {
        for (size_t part = 1; part <= LEN; part++) {
            memset(out, 0, LEN);
            CHECK_INT(ways[w](&t, part), 0);
            CHECK_INT(written, LEN);
            CHECK(memcmp(out, expected, LEN) == 0);
        }
    }
}

static void a_room_that_is_too_small_says_how_much_it_takes(void)
{
    const table t = a_table();
    size_t len;

    for (size_t cap = 0; cap < LEN; cap++) {
        CHECK_INT(mote_pb_encode(&encoder, &t, out, cap, &len), MOTE_PB_ERR_SPACE);
        CHECK_INT(len, LEN);
    }
}

/* ---- functions that do not do what they should --------------------------------------------- */

static void what_is_not_given_is_an_error(void)
{
    const table t = a_table();

    for (size_t w = 0; w < WAYS; w++) {
        asked = fails_at = 0;
        CHECK_INT(ways[w](&t, 5), 0);
        unsigned calls = asked;
        for (unsigned k = 1; k <= calls; k++) {
            asked = 0;
            fails_at = k;
            int r = ways[w](&t, 5);
            CHECK_INT(r, MOTE_PB_ERR_SUPPLY);
        }
    }
    fails_at = 0;
}

/* Numbers of one or two bytes become such of three: what is written is of one kind, or an error. */
static void what_changes_is_an_error(void)
{
    static uint8_t changed[sizeof out];
    const table t = a_table();
    unsigned refused = 0;
    size_t changed_len;

    changes_at = 1;
    CHECK_INT(mote_pb_encode(&encoder, &t, changed, sizeof changed, &changed_len), 0);

    for (size_t w = 0; w < WAYS; w++) {
        asked = changes_at = 0;
        CHECK_INT(ways[w](&t, 5), 0);
        unsigned calls = asked;
        for (unsigned k = 2; k <= calls; k++) {
            asked = 0;
            changes_at = k;
            int r = ways[w](&t, 5);
            refused += r == MOTE_PB_ERR_CHANGED;
            const void *same = written == LEN ? (const void *)expected : changed;
            CHECK(r == MOTE_PB_ERR_CHANGED || (r == 0 && memcmp(out, same, written) == 0));
        }
        CHECK(refused > 0);
        refused = 0;
    }
    changes_at = 0;
}

static bool give_broken_text(void *user, size_t index, void *element)
{
    (void)user;
    (void)index;
    *(mote_pb_string *)element = mote_pb_cstring("\xff");
    return true;
}

static void texts_are_checked_where_others_are(void)
{
    static const mote_pb_field field = {MOTE_PB_KEY(1, 2), 0, MOTE_PB_TEXT | MOTE_PB_SUPPLIED, 0};
    static const mote_pb_message type = {&field, NULL, 1, sizeof(supplied_one)};
    static const mote_pb_encoder texts = {&type, NULL, put};
    const supplied_one s = {{give_broken_text, NULL, NULL, 1}};
    size_t len;

    int r = mote_pb_encode(&texts, &s, out, sizeof out, &len);
    CHECK_INT(r, MOTE_PB_CHECK_SENT ? MOTE_PB_ERR_UTF8 : 0);
}

int main(void)
{
    RUN(each_type_is_sent_as_from_an_array);
    RUN(each_way_writes_the_same);
    RUN(a_room_that_is_too_small_says_how_much_it_takes);
    RUN(what_is_not_given_is_an_error);
    RUN(what_changes_is_an_error);
    RUN(texts_are_checked_where_others_are);
    return test_summary();
}
