/* A message of both.proto whose repeated fields come from functions, to standard output: what
 * Python's protobuf writes of the same values (supplied.py). Also with points inside of a point's
 * message, sent by a walk in parts of one byte. */
#include "both.mote.h"

#include <stdio.h>
#include <string.h>

enum { COUNT = 300 };

static bool i32_at(void *user, size_t i, void *element)
{
    *(int32_t *)element = (int32_t)i * *(const int32_t *)user;
    return true;
}

static bool real_at(void *user, size_t i, void *element)
{
    (void)user;
    *(double *)element = (double)i * 0.5;
    return true;
}

static bool s64_at(void *user, size_t i, void *element)
{
    (void)user;
    *(int64_t *)element = i % 2 ? -(int64_t)i : (int64_t)i << 33;
    return true;
}

static bool text_at(void *user, size_t i, void *element)
{
    char *text = user;

    text[5] = (char)('0' + i % 10);
    *(mote_pb_string *)element = mote_pb_cstring(text);
    return true;
}

static bool point_at(void *user, size_t i, void *element)
{
    (void)user;
    *(both_Point *)element = (both_Point){.x = (int32_t)i - 5, .y = (int64_t)i << 20, .z = 0.25f};
    return true;
}

static bool count_at(void *user, size_t i, void *element)
{
    *(both_All_CountsEntry *)element =
        (both_All_CountsEntry){.key = mote_pb_cstring(user), .value = (int32_t)i + 7};
    return true;
}

static int in_bytes(const both_All *m, uint8_t *out, size_t *total)
{
    static uint64_t memory[MOTE_PB_WALK_SIZE(both_All_DEPTH, 10) / 8 + 1];
    mote_pb_walk walk;
    const mote_pb_large large = {m, &walk};

    mote_pb_walk_init(&walk, memory, sizeof memory);
    *total = 0;
    int r = mote_pb_walk_part(&both_All_encoder, &large, 0, NULL, 0, total);
    for (size_t at = 0; r == 0 && at < *total; at++)
        r = mote_pb_walk_part(&both_All_encoder, &large, at, out + at, 1, total);
    return r;
}

int main(void)
{
    static uint8_t out[1 << 16], parts[sizeof out];
    int32_t step = -7;
    char text[] = "text ?";
    both_Point point;
    both_All_CountsEntry entry;
    const both_All m = {.i32 = -1,
                        .i32s = {i32_at, &step, NULL, COUNT},
                        .reals = {real_at, NULL, NULL, COUNT},
                        .s64s = {s64_at, NULL, NULL, COUNT},
                        .texts = {text_at, text, NULL, COUNT},
                        .points = {point_at, NULL, &point, COUNT},
                        .counts = {count_at, (char[]){"key"}, &entry, 1},
                        .last = true};
    size_t len, size, total;

    if (both_All_encode(&m, out, sizeof out, &len) < 0 || both_All_size(&m, &size) < 0 ||
        size != len || in_bytes(&m, parts, &total) < 0 || total != len ||
        memcmp(out, parts, len) != 0)
        return 1;
    return fwrite(out, 1, len, stdout) == len ? 0 : 1;
}
