/* Messages that go in parts, with a small place that says where: as the encoder writes them, at a
 * cost that does not grow with the number of parts. */
#include "../guard.h"

#include "../../fuzz/schema.mote.h"
#include "../pb_random.h"
#include "../test.h"

#include <stddef.h>

static uint64_t looked_at; /* fields and elements */
#define MOTE_PB_LOOKED_AT(n) (looked_at += (n))
#include "../../pb/pb_encode.c"
#include "../../pb/pb_walk.c"
#include "../../pb/pb_walk_size.c"

#include "../../grpc/storage.h"

_Static_assert(sizeof(mote_pb_place) <= MOTE_GRPC_PLACE_SIZE, "a call has room for a place");

enum { LARGEST = 1 << 16 };

static const mote_pb_encoder *const types[] = {
    &fuzz_Two_encoder,       &fuzz_Two_Single_encoder, &fuzz_Two_Many_encoder,
    &fuzz_Two_Right_encoder, &fuzz_Three_encoder,
};
enum { TYPES = sizeof types / sizeof types[0] };

static uint64_t memory_of_messages[2][1 << 13];
static uint8_t whole[LARGEST], out[LARGEST];
static mote_pb_place place;

static uint8_t *random_message(int which, const mote_pb_message *type, uint64_t seed)
{
    pb_random r = {.seed = seed * 0x9e3779b97f4a7c15u,
                   .memory = (uint8_t *)memory_of_messages[which],
                   .size = sizeof memory_of_messages[which],
                   .depth = (int)(seed % 4),
                   .longest = seed % 3 == 0 ? 9 : 3};
    uint8_t *message = pb_random_memory(&r, type->size);

    pb_random_fill(&r, type, message);
    return message;
}

static void parts_are_those_of_the_encoder(void)
{
    static const size_t sizes[] = {1, 2, 7, 64, 133, 512};

    for (uint64_t seed = 1; seed < 80; seed++) {
        const mote_pb_resumed resumed = {types[seed % TYPES], &place};
        const void *message = random_message(0, resumed.encoder->type, seed);
        size_t len, said = 0, size = sizes[seed % 6], at = 0;
        CHECK_INT(mote_pb_encode(resumed.encoder, message, whole, sizeof whole, &len), 0);
        memset(&place, 0xa5, sizeof place); /* memory that nobody has cleared */
        CHECK_INT(mote_pb_resume_part(&resumed, message, 0, out, size, &said), 0);
        CHECK_INT(said, len);
        for (; at < len; at += size) {
            size_t n = len - at < size ? len - at : size;
            said = len;
            CHECK_INT(mote_pb_resume_part(&resumed, message, at, out + at, n, &said), 0);
            CHECK_INT(said, len);
        }
        CHECK(memcmp(out, whole, len) == 0);
    }
}

/* Parts of 3 bytes, of another message from some byte on: 0 when all of it is written. */
static int write_two(const mote_pb_resumed *resumed, const void *first, const void *then,
                     size_t from, size_t *total)
{
    int r = mote_pb_resume_part(resumed, first, *total = 0, NULL, 0, total);

    for (size_t at = 0; r == 0 && at < *total; at += 3) {
        size_t n = *total - at < 3 ? *total - at : 3, said = *total;
        r = mote_pb_resume_part(resumed, at < from ? first : then, at, out + at, n, &said);
        if (r == 0 && said != *total)
            return 1;
    }
    return r;
}

/* What is written with no error and no other length can be read. */
static void a_message_that_changes_is_noticed(void)
{
    static const mote_pb_decoder *const decoders[] = {
        &fuzz_Two_decoder,       &fuzz_Two_Single_decoder, &fuzz_Two_Many_decoder,
        &fuzz_Two_Right_decoder, &fuzz_Three_decoder,
    };
    static uint64_t memory[1 << 15], message[sizeof(fuzz_Three) / 8 + 1];
    unsigned noticed = 0;

    for (uint64_t seed = 1; seed < 400; seed++) {
        const mote_pb_resumed resumed = {types[seed % TYPES], &place};
        const void *first = random_message(0, resumed.encoder->type, seed);
        const void *then = random_message(1, resumed.encoder->type, seed + TYPES);
        size_t total;
        int r = write_two(&resumed, first, then, seed % 17, &total);
        if (r != 0) {
            CHECK(r == 1 || r == MOTE_PB_ERR_CHANGED);
            noticed++;
            continue;
        }
        mote_pb_arena arena;
        mote_pb_arena_init(&arena, memory, sizeof memory);
        CHECK_INT(mote_pb_decode(decoders[seed % TYPES], message, out, total, &arena, NULL), 0);
    }
    CHECK(noticed > 150);
}

/* Parts in any order, and after a part of another message. */
static void a_part_that_does_not_follow_goes_the_long_way(void)
{
    for (uint64_t seed = 1; seed < 40; seed++) {
        const mote_pb_resumed resumed = {types[seed % TYPES], &place};
        const mote_pb_resumed other = {types[(seed + 1) % TYPES], &place};
        const void *message = random_message(0, resumed.encoder->type, seed);
        const void *another = random_message(1, other.encoder->type, seed);
        size_t len;
        CHECK_INT(mote_pb_encode(resumed.encoder, message, whole, sizeof whole, &len), 0);
        for (size_t i = 0; i < len && i < 100; i++) {
            size_t at = (size_t)(seed * i * 31) % len, said = len;
            if (i % 7 == 0)
                mote_pb_resume_part(&other, another, 0, NULL, 0, &(size_t){0});
            CHECK_INT(mote_pb_resume_part(&resumed, message, at, out, 1, &said), 0);
            CHECK_INT(said, len);
            CHECK_INT(out[0], whole[at]);
        }
    }
}

/* ---- depth, and no place ------------------------------------------------------------------- */

static void deeper_messages_go_the_long_way(void)
{
    for (int depth = 1; depth <= 10; depth++) {
        pb_random r = {.seed = (uint64_t)depth,
                       .memory = (uint8_t *)memory_of_messages[0],
                       .size = sizeof memory_of_messages[0],
                       .depth = depth,
                       .longest = 1};
        const mote_pb_resumed with = {&fuzz_Three_encoder, &place},
                              none = {&fuzz_Three_encoder, NULL};
        uint8_t *message = pb_random_memory(&r, fuzz_Three_encoder.type->size);
        size_t len, total = 0;
        pb_random_fill(&r, fuzz_Three_encoder.type, message);
        CHECK_INT(mote_pb_encode(with.encoder, message, whole, sizeof whole, &len), 0);
        CHECK_INT(mote_pb_resume_part(&with, message, 0, NULL, 0, &total), 0);
        CHECK_INT(total, len);
        for (size_t at = 0; at < len; at += 1 + len / 200) {
            size_t said = len, again = len;
            CHECK_INT(mote_pb_resume_part(at % 2 ? &none : &with, message, at, out + at, 1, &said),
                      0);
            CHECK_INT(mote_pb_resume_part(&with, message, at, out + at, 1, &again), 0);
            CHECK_INT(out[at], whole[at]);
        }
    }
}

/* ---- cost ---------------------------------------------------------------------------------- */

static fuzz_Two_Many points[1500];

/* What parts of one byte look at: the most for one, once it is begun. */
static uint64_t most_for_a_part(size_t count)
{
    static const fuzz_Empty empty;
    const fuzz_Two list = {.id = 1, .empty = &empty, .many = {points, count}};
    const mote_pb_resumed resumed = {&fuzz_Two_encoder, &place};
    size_t total = 0;
    uint64_t most = 0;

    CHECK_INT(mote_pb_resume_part(&resumed, &list, 0, NULL, 0, &total), 0);
    for (size_t at = 0; at < total; at++) {
        uint8_t byte;
        size_t said = total;
        looked_at = 0;
        CHECK_INT(mote_pb_resume_part(&resumed, &list, at, &byte, 1, &said), 0);
        most = looked_at > most ? looked_at : most;
    }
    return most;
}

static void a_part_costs_no_more_in_a_large_message(void)
{
    CHECK(most_for_a_part(40) < 200);
    CHECK_INT(most_for_a_part(400), most_for_a_part(40));
    CHECK_INT(most_for_a_part(1500), most_for_a_part(40));
}

int main(void)
{
    RUN(parts_are_those_of_the_encoder);
    RUN(a_message_that_changes_is_noticed);
    RUN(a_part_that_does_not_follow_goes_the_long_way);
    RUN(deeper_messages_go_the_long_way);
    RUN(a_part_costs_no_more_in_a_large_message);
    return test_summary();
}
