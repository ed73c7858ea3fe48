/*
 * JSON: what is read is written, and then read and written as the same text, by the wire too; each
 * size of the arena is enough or full, and broken text stays within it; a number is the double that
 * strtod() makes of it. The first byte is a choice of options, the next two the size of the arena.
 */
#include "fuzz.h"
#include "json.mote.h"

#include <stdlib.h>

#define IN_ANY(name)                                                                               \
    {                                                                                              \
        &name##_json, &name##_encoder, &name##_decoder                                             \
    }
static const mote_pb_json_known known[] = {IN_ANY(json_Kinds), IN_ANY(google_protobuf_Duration),
                                           IN_ANY(google_protobuf_Any),
                                           IN_ANY(google_protobuf_Struct)};

enum { LARGE = 1 << 20 };

/* Reads and writes a text. Its length; 0: it is none, or has no form. */
static size_t rewrite(const char *text, size_t size, const mote_pb_json_options *options, char *out)
{
    static uint8_t memory[LARGE], wire[LARGE];
    json_Kinds message, again;
    mote_pb_arena arena;
    size_t len, n, offset;

    mote_pb_arena_init(&arena, memory, sizeof memory);
    int r = mote_pb_json_decode(&json_Kinds_json, &message, text, size, options, &arena, &offset);
    ASSERT(offset <= size);
    if (r < 0)
        return 0;
    r = mote_pb_json_encode(&json_Kinds_json, &message, options, &arena, out, LARGE, &len);
    if (r < 0) /* a FieldMask takes more than it gives */
        return 0;
    ASSERT(json_Kinds_encode(&message, wire, sizeof wire, &n) == 0);
    ASSERT(json_Kinds_decode(&again, wire, n, &arena) == 0);
    static char by_wire[LARGE];
    ASSERT(mote_pb_json_encode(&json_Kinds_json, &again, options, &arena, by_wire, LARGE, &n) == 0);
    ASSERT(n == len && memcmp(by_wire, out, n) == 0);
    return len;
}

static void check_memory(const char *text, size_t size, const mote_pb_json_options *options,
                         size_t room)
{
    json_Kinds message;
    mote_pb_arena arena;
    uint8_t *block = malloc(room + 1);

    ASSERT(block);
    mote_pb_arena_init(&arena, block, room);
    mote_pb_json_decode(&json_Kinds_json, &message, text, size, options, &arena, NULL);
    ASSERT(arena.used <= room);
    free(block);
}

static void check_number(const char *text, size_t size)
{
    char terminated[64], shortest[MOTE_PB_JSON_NUMBER + 1];
    double value, expected, back;

    if (size >= sizeof terminated || !mote_pb_json_real(text, size, &value))
        return;
    memcpy(terminated, text, size);
    terminated[size] = '\0';
    expected = strtod(terminated, NULL);
    ASSERT(memcmp(&value, &expected, sizeof value) == 0);
    size_t n = mote_pb_json_double(value, shortest);
    ASSERT(n <= MOTE_PB_JSON_NUMBER && mote_pb_json_real(shortest, n, &back));
    ASSERT(memcmp(&value, &back, sizeof value) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static char first[LARGE], second[LARGE];

    if (size < 3 || size > 1 << 14)
        return 0;
    mote_pb_json_options options = {known, sizeof known / sizeof known[0], data[0] & 1};
    const char *text = (const char *)data + 3;
    check_memory(text, size - 3, &options, data[1] | (size_t)data[2] << 8);
    check_number(text, size - 3);
    size_t len = rewrite(text, size - 3, &options, first);
    if (len > 0) {
        ASSERT(rewrite(first, len, &options, second) == len);
        ASSERT(memcmp(first, second, len) == 0);
    }
    return 0;
}
