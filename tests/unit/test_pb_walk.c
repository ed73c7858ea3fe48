/* Large messages in parts: every message as the encoder writes it, however it is cut, at a cost
 * that does not grow with the number of parts. */
#include "../guard.h"

#include "../../fuzz/schema.mote.h"
#include "../pb_random.h"
#include "../test.h"

#include <stddef.h>

static uint64_t looked_at; /* fields and elements */
#define MOTE_PB_LOOKED_AT(n) (looked_at += (n))
#include "../../pb/pb_walk.c"
#include "../../pb/pb_walk_size.c"

enum { LARGEST = 1 << 16 };

static const mote_pb_encoder *const types[] = {
    &fuzz_Two_encoder,           &fuzz_Two_Single_encoder, &fuzz_Two_Many_encoder,
    &fuzz_Two_Many_Deep_encoder, &fuzz_Two_Right_encoder,  &fuzz_Empty_encoder,
    &fuzz_Three_encoder,
};
enum { TYPES = sizeof types / sizeof types[0] };

static uint64_t memory_of_messages[1 << 13], memory_of_walk[1 << 12];
static uint8_t whole[LARGEST], out[LARGEST];
static mote_pb_walk walk;

static uint8_t *random_message(const mote_pb_message *type, uint64_t seed)
{
    pb_random r = {.seed = seed * 0x9e3779b97f4a7c15u,
                   .memory = (uint8_t *)memory_of_messages,
                   .size = sizeof memory_of_messages,
                   .depth = (int)(seed % 4),
                   .longest = seed % 3 == 0 ? 9 : 3};
    uint8_t *message = pb_random_memory(&r, type->size);

    pb_random_fill(&r, type, message);
    return message;
}

/* Parts of `first` bytes, and then of `size`, until all of it is written or there is an error. */
static int write_in_parts(const mote_pb_encoder *encoder, const void *message, size_t first,
                          size_t size, size_t *total)
{
    const mote_pb_large large = {message, &walk};
    size_t at = 0, n = first;

    *total = 0;
    int r = mote_pb_walk_part(encoder, &large, 0, NULL, 0, total);
    for (; r == 0 && at < *total; at += n, n = size) {
        size_t said = *total;
        n = *total - at < n ? *total - at : n;
        memset(out + at, 0x77, n + 1 <= LARGEST - at ? n + 1 : n);
        r = mote_pb_walk_part(encoder, &large, at, out + at, n, &said);
        CHECK_INT(said, *total);
        if (r == 0 && at + n < LARGEST)
            CHECK_INT(out[at + n], 0x77);
    }
    return r;
}

static void check_parts(const mote_pb_encoder *encoder, const void *message, size_t len,
                        size_t first, size_t size)
{
    size_t total;

    CHECK_INT(write_in_parts(encoder, message, first, size, &total), 0);
    CHECK_INT(total, len);
    if (memcmp(out, whole, len) == 0)
        return;
    printf("%zu bytes differ when they are written as %zu and by %zu\n", len, first, size);
    test_ok = false;
}

/* As a whole, in two parts that meet at any byte, and in parts of any size. */
static void check_cuts(const mote_pb_encoder *encoder, const void *message, size_t len)
{
    static const size_t sizes[] = {1, 2, 3, 7, 64, 133, 512};
    size_t step = 1 + len / 100;

    check_parts(encoder, message, len, LARGEST, LARGEST);
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++)
        check_parts(encoder, message, len, sizes[i], sizes[i]);
    for (size_t first = 1; first < len; first += step)
        check_parts(encoder, message, len, first, LARGEST);
}

static void parts_are_those_of_the_encoder(void)
{
    for (uint64_t seed = 1; seed < 300; seed++) {
        const mote_pb_encoder *encoder = types[seed % TYPES];
        const void *message = random_message(encoder->type, seed);
        size_t len, total, kept = seed % 4 == 0 ? 1000 : seed % 4 - 1; /* lengths */
        mote_pb_walk_init(&walk, memory_of_walk, MOTE_PB_WALK_SIZE(6, kept));
        CHECK_INT(mote_pb_encode(encoder, message, whole, sizeof whole, &len), 0);
        CHECK_INT(write_in_parts(encoder, message, 1, 1, &total), 0);
        check_cuts(encoder, message, len);
    }
}

static void what_fits_is_written_at_once(void)
{
    for (uint64_t seed = 1; seed < 50; seed++) {
        const mote_pb_encoder *encoder = types[seed % TYPES];
        const mote_pb_large large = {random_message(encoder->type, seed), &walk};
        size_t len, total = 0;
        mote_pb_walk_init(&walk, memory_of_walk, sizeof memory_of_walk);
        CHECK_INT(mote_pb_encode(encoder, large.message, whole, sizeof whole, &len), 0);
        memset(out, 0x77, len + 1);
        CHECK_INT(mote_pb_walk_part(encoder, &large, 0, out, len, &total), 0);
        CHECK_INT(total, len);
        CHECK(memcmp(out, whole, len) == 0);
        CHECK_INT(out[len], 0x77);
        if (len == 0)
            continue;
        out[0] = 0x77;
        total = 0;
        CHECK_INT(mote_pb_walk_part(encoder, &large, 0, out, len - 1, &total), 0);
        CHECK_INT(total, len);
        CHECK_INT(out[0], 0x77);
    }
}

/* ---- messages that change ------------------------------------------------------------------ */

/* What was written can be read, or there was an error. */
static bool ends_well(const mote_pb_decoder *decoder, int r, size_t total)
{
    static uint64_t memory[1 << 15], message[sizeof(fuzz_Three) / 8 + 1];
    _Static_assert(sizeof(fuzz_Three) >= sizeof(fuzz_Two), "room for both");
    mote_pb_arena arena;

    if (r == MOTE_PB_ERR_CHANGED)
        return true;
    mote_pb_arena_init(&arena, memory, sizeof memory);
    return r == 0 && mote_pb_decode(decoder, message, out, total, &arena, NULL) == 0;
}

/* Another message after `first` bytes. */
static int write_two(const mote_pb_encoder *encoder, const void *one, const void *other,
                     size_t first, size_t *total)
{
    const mote_pb_large before = {one, &walk}, after = {other, &walk};
    size_t said;

    *total = 0;
    int r = mote_pb_walk_part(encoder, &before, 0, NULL, 0, total);
    said = *total;
    if (r == 0 && first < *total)
        r = mote_pb_walk_part(encoder, &before, 0, out, first, &said);
    if (r == 0 && first < *total)
        r = mote_pb_walk_part(encoder, &after, first, out + first, *total - first, &said);
    CHECK_INT(said, *total);
    return r;
}

/* Two messages, of which one follows the other at any byte: an error, or lengths that are right. */
static void a_message_that_changes_never_has_a_wrong_length(void)
{
    static uint64_t kept[1 << 13];
    unsigned refused = 0, cuts = 0;

    for (uint64_t seed = 1; seed < 200; seed++) {
        const mote_pb_encoder *encoder = seed % 2 ? &fuzz_Two_encoder : &fuzz_Three_encoder;
        const mote_pb_decoder *decoder = seed % 2 ? &fuzz_Two_decoder : &fuzz_Three_decoder;
        pb_random r = {seed, (uint8_t *)kept, sizeof kept, 0, (int)(seed % 4), 3};
        uint8_t *other = pb_random_memory(&r, encoder->type->size);
        const void *one = random_message(encoder->type, seed + 1000);
        size_t len, total;
        pb_random_fill(&r, encoder->type, other);
        mote_pb_walk_init(&walk, memory_of_walk, MOTE_PB_WALK_SIZE(6, seed % 7));
        if (mote_pb_encode(encoder, one, whole, sizeof whole, &len) < 0)
            continue; /* it has found no memory for a required message */
        for (size_t first = 1; first < len; first += 1 + len / 100) {
            int result = write_two(encoder, one, other, first, &total);
            CHECK(ends_well(decoder, result, total));
            refused += result == MOTE_PB_ERR_CHANGED;
            cuts++;
        }
    }
    CHECK(refused > cuts * 9 / 10); /* as a rule other messages have other lengths */
}

typedef struct {
    const char *what;
    fuzz_Three message; /* after the change */
} change;

static const int32_t numbers[] = {1, 200, 30000};
static const fuzz_Three inside = {.i32 = 7}, longer = {.i32 = 700},
                        two_inside[] = {{.i32 = 7}, {.i32 = 7}};
#define LIST(array, n)                                                                             \
    {                                                                                              \
        array, n                                                                                   \
    }

/* Each says after the first byte something else than what the first byte was written of. */
static const change changes[] = {
    {"a text is longer",
     {.real = 1, .text = MOTE_PB_STRING_INIT("abcd"), .i32s = LIST(numbers, 3), .self = &inside}},
    {"a text is shorter",
     {.real = 1, .text = MOTE_PB_STRING_INIT("ab"), .i32s = LIST(numbers, 3), .self = &inside}},
    {"a text is gone", {.real = 1, .i32s = LIST(numbers, 3), .self = &inside}},
    {"a number is longer",
     {.real = 1,
      .i32 = 300,
      .text = MOTE_PB_STRING_INIT("abc"),
      .i32s = LIST(numbers, 3),
      .self = &inside}},
    {"a list has less",
     {.real = 1, .text = MOTE_PB_STRING_INIT("abc"), .i32s = LIST(numbers, 2), .self = &inside}},
    {"a list has other numbers",
     {.real = 1,
      .text = MOTE_PB_STRING_INIT("abc"),
      .i32s = LIST(numbers + 1, 2),
      .self = &inside}},
    {"a list is gone, and a text as much longer",
     {.real = 1, .text = MOTE_PB_STRING_INIT("abcdefghijkl"), .self = &inside}},
    {"a message is longer",
     {.real = 1, .text = MOTE_PB_STRING_INIT("abc"), .i32s = LIST(numbers, 3), .self = &longer}},
    {"a message is gone",
     {.real = 1, .text = MOTE_PB_STRING_INIT("abc"), .i32s = LIST(numbers, 3)}},
    {"there is one more message",
     {.real = 1,
      .text = MOTE_PB_STRING_INIT("abc"),
      .i32s = LIST(numbers, 3),
      .self = &inside,
      .selves = LIST(two_inside, 2)}},
    {"one of a oneof is there",
     {.real = 1,
      .text = MOTE_PB_STRING_INIT("abc"),
      .i32s = LIST(numbers, 3),
      .self = &inside,
      .narrow = {38, {.a = 1}}}},
};

/* The last change is another message that is as long: of that nobody can tell. */
static void each_change_is_an_error(void)
{
    static const fuzz_Three before = {
        .real = 1, .text = MOTE_PB_STRING_INIT("abc"), .i32s = LIST(numbers, 3), .self = &inside};
    size_t len, total;

    mote_pb_walk_init(&walk, memory_of_walk, sizeof memory_of_walk);
    CHECK_INT(fuzz_Three_encode(&before, whole, sizeof whole, &len), 0);
    CHECK_INT(write_two(&fuzz_Three_encoder, &before, &before, 1, &total), 0);
    CHECK(total == len && memcmp(out, whole, len) == 0);
    for (size_t i = 0; i < sizeof changes / sizeof changes[0]; i++) {
        int r = write_two(&fuzz_Three_encoder, &before, &changes[i].message, 1, &total);
        size_t said = total;
        const mote_pb_large large = {&before, &walk};
        if (i == 6 ? r == 0 : r == MOTE_PB_ERR_CHANGED) /* the seventh is as long, and right */
            CHECK_INT(mote_pb_walk_part(&fuzz_Three_encoder, &large, walk.at, out, 1, &said),
                      MOTE_PB_ERR_CHANGED);
        else
            printf("%s: %d\n", changes[i].what, r), test_ok = false;
    }
}

/* Parts follow each other, of one message and one type. */
static void a_part_follows_the_last_one(void)
{
    static const fuzz_Three message = {.text = MOTE_PB_STRING_INIT("0123456789")};
    const mote_pb_large large = {&message, &walk};
    size_t total = 0, other;

    mote_pb_walk_init(&walk, memory_of_walk, sizeof memory_of_walk);
    CHECK_INT(mote_pb_walk_part(&fuzz_Three_encoder, &large, 0, NULL, 0, &total), 0);
    CHECK_INT(mote_pb_walk_part(&fuzz_Three_encoder, &large, 1, out, 1, &total),
              MOTE_PB_ERR_CHANGED);
    other = total + 1;
    CHECK_INT(mote_pb_walk_part(&fuzz_Three_encoder, &large, 0, out, 1, &other),
              MOTE_PB_ERR_CHANGED);
    CHECK_INT(mote_pb_walk_part(&fuzz_Two_encoder, &large, 0, out, 1, &total), MOTE_PB_ERR_CHANGED);
    CHECK_INT(mote_pb_walk_part(&fuzz_Three_encoder, &large, 0, out, 1, &total), 0);
    CHECK_INT(mote_pb_walk_part(&fuzz_Three_encoder, &large, 0, out, 1, &total),
              MOTE_PB_ERR_CHANGED);
    CHECK_INT(mote_pb_walk_part(&fuzz_Three_encoder, &large, 1, out, total - 1, &total), 0);
    /* and then the next message */
    total = 0;
    CHECK_INT(mote_pb_walk_part(&fuzz_Three_encoder, &large, 0, out, 100, &total), 0);
    CHECK_INT(total, 11 + 1);
}

/* ---- memory and depth ---------------------------------------------------------------------- */

enum { DEEP = 102 };
static fuzz_Three chain[DEEP];

/* `n` messages, one inside of the other. */
static const fuzz_Three *chain_of(unsigned n)
{
    memset(chain, 0, sizeof chain);
    for (unsigned i = 0; i < n; i++) {
        chain[i].i32 = 1;
        chain[i].self = i + 1 < n ? &chain[i + 1] : NULL;
    }
    return chain;
}

static void memory_that_is_too_small_is_an_error(void)
{
    size_t total, len;

    for (unsigned depth = 1; depth < 10; depth++) {
        const fuzz_Three *message = chain_of(depth);
        CHECK_INT(fuzz_Three_encode(message, whole, sizeof whole, &len), 0);
        for (size_t size = 0; size < 12 * sizeof(mote_pb_level); size++) {
            mote_pb_walk_init(&walk, (uint8_t *)memory_of_walk + size % 8, size);
            int r = write_in_parts(&fuzz_Three_encoder, message, 1, 1, &total);
            CHECK(r == 0 || r == MOTE_PB_ERR_MEMORY);
            if (size < depth * sizeof(mote_pb_level))
                CHECK_INT(r, MOTE_PB_ERR_MEMORY);
            if (size >= MOTE_PB_WALK_SIZE(depth, 0))
                CHECK_INT(r, 0);
            if (r == 0)
                CHECK(total == len && memcmp(out, whole, len) == 0);
        }
    }
}

static void depth_is_that_of_other_implementations(void)
{
    size_t total;

    mote_pb_walk_init(&walk, memory_of_walk, sizeof memory_of_walk);
    CHECK_INT(write_in_parts(&fuzz_Three_encoder, chain_of(101), 1, 1, &total), 0);
    CHECK_INT(write_in_parts(&fuzz_Three_encoder, chain_of(102), 1, 1, &total), MOTE_PB_ERR_DEPTH);
    CHECK_INT(total, 0);
}

static void a_required_message_must_be_there(void)
{
    static const fuzz_Two two = {.id = 1};
    static const fuzz_Two outer = {.id = 1, .choice = {fuzz_Two_left, {.left = &two}}};
    size_t total;

    mote_pb_walk_init(&walk, memory_of_walk, sizeof memory_of_walk);
    CHECK_INT(write_in_parts(&fuzz_Two_encoder, &two, 1, 1, &total), MOTE_PB_ERR_REQUIRED);
    CHECK_INT(write_in_parts(&fuzz_Two_encoder, &outer, 1, 1, &total), MOTE_PB_ERR_REQUIRED);
}

/* ---- cost ---------------------------------------------------------------------------------- */

enum { RECORDS = 2000 };
static fuzz_Three records[RECORDS], points[3 * RECORDS];

/* A message of n records of three messages each, and one list of numbers. */
static const fuzz_Three *report_of(size_t n)
{
    static fuzz_Three report;
    static int32_t many[RECORDS];

    for (size_t i = 0; i < 3 * n; i++)
        points[i] = (fuzz_Three){.i32 = 5, .text = MOTE_PB_STRING_INIT("0123456789")};
    for (size_t i = 0; i < n; i++) {
        records[i] = (fuzz_Three){.i64 = 1000, .selves = {points + 3 * i, 3}};
        many[i] = (int32_t)i;
    }
    report = (fuzz_Three){.selves = {records, n}, .i32s = {many, n}};
    return &report;
}

/* How many fields and elements are looked at for each byte, in thousandths. */
static uint64_t cost_of(const fuzz_Three *message, size_t part, size_t lengths)
{
    static uint64_t memory[MOTE_PB_WALK_SIZE(3, 4 * RECORDS) / 8 + 1];
    static uint8_t bytes[1 << 16];
    const mote_pb_large large = {message, &walk};
    size_t total = 0, at = 0;

    mote_pb_walk_init(&walk, memory, MOTE_PB_WALK_SIZE(3, lengths));
    looked_at = 0;
    CHECK_INT(mote_pb_walk_part(&fuzz_Three_encoder, &large, 0, NULL, 0, &total), 0);
    while (at < total) {
        size_t n = total - at < part ? total - at : part;
        CHECK_INT(mote_pb_walk_part(&fuzz_Three_encoder, &large, at, bytes, n, &total), 0);
        at += n;
    }
    CHECK(total > 0);
    return looked_at * 1000 / (total + 1);
}

/* A byte costs the same in a message of any size, in parts of any size but the smallest, where each
 * costs a look at the messages that are open. */
static void cost_does_not_grow_with_the_message(void)
{
    static const size_t parts[] = {1, 64, 133, 512, 4096, 1 << 16};
    static const size_t lengths[] = {4 * RECORDS, 100, 0};

    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        for (size_t k = 0; k < sizeof lengths / sizeof lengths[0]; k++) {
            uint64_t small = cost_of(report_of(10), parts[i], lengths[k]);
            uint64_t large = cost_of(report_of(RECORDS), parts[i], lengths[k]);
            CHECK(large <= small * 3 / 2);
            printf("parts of %zu, %zu lengths kept: %llu looks for 1,000 bytes, and %llu\n",
                   parts[i], lengths[k], (unsigned long long)small, (unsigned long long)large);
        }
    }
}

int main(void)
{
    RUN(parts_are_those_of_the_encoder);
    RUN(what_fits_is_written_at_once);
    RUN(a_message_that_changes_never_has_a_wrong_length);
    RUN(each_change_is_an_error);
    RUN(a_part_follows_the_last_one);
    RUN(memory_that_is_too_small_is_an_error);
    RUN(depth_is_that_of_other_implementations);
    RUN(a_required_message_must_be_there);
    RUN(cost_does_not_grow_with_the_message);
    return test_summary();
}
