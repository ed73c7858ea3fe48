/* Errors, tables and memory, for both directions. */
#include "json_internal.h"

#ifdef MOTE_NO_TEXTS
const char *mote_pb_json_strerror(int code)
{
    (void)code;
    return "";
}
#else
const char *mote_pb_json_strerror(int code)
{
    switch (code) {
#define MOTE_PB_JSON_TEXT_OF(name, number, text)                                                   \
    case name:                                                                                     \
        return text;
        MOTE_PB_JSON_ERRORS(MOTE_PB_JSON_TEXT_OF)
#undef MOTE_PB_JSON_TEXT_OF
    default:
        return mote_pb_strerror(code);
    }
}
#endif

/* MOTE_PB_TYPES as a table, by enum mote_pb_type. */
static const struct {
    uint8_t size, value;
} widths[] = {
#define MOTE_PB_JSON_WIDTH(name, number, member, wire, kind)                                       \
    [number] = {sizeof((mote_pb_opt_##member *)0)->value, offsetof(mote_pb_opt_##member, value)},
    MOTE_PB_TYPES(MOTE_PB_JSON_WIDTH)
#undef MOTE_PB_JSON_WIDTH
};

size_t mote_pb_json_size_of(const mote_pb_field *f)
{
    return widths[mote_pb_json_type_of(f)].size;
}

size_t mote_pb_json_value_offset(const mote_pb_field *f)
{
    return widths[mote_pb_json_type_of(f)].value;
}

int mote_pb_json_row(const mote_pb_json *json, uint32_t number)
{
    for (int i = 0; i < json->type->field_count; i++) {
        if (json->type->fields[i].key >> 3 == number)
            return i;
    }
    return -1;
}

int64_t mote_pb_json_part(const mote_pb_json *json, const void *message, uint32_t number)
{
    int row = mote_pb_json_row(json, number);
    int64_t seconds = 0;
    int32_t nanos = 0;

    if (row < 0)
        return 0;
    const uint8_t *at = (const uint8_t *)message + json->type->fields[row].offset;
    if (number == 1)
        memcpy(&seconds, at, sizeof seconds);
    else
        memcpy(&nanos, at, sizeof nanos);
    return seconds + nanos;
}

const mote_pb_json_known *mote_pb_json_find(const mote_pb_json_options *options, mote_pb_string url)
{
    size_t slash = url.len;

    while (slash > 0 && url.data[slash - 1] != '/')
        slash--;
    for (size_t i = 0; options && slash > 0 && i < options->known_count; i++) {
        mote_pb_string name = mote_pb_cstring(options->known[i].json->full_name);
        if (name.len == url.len - slash && memcmp(name.data, url.data + slash, name.len) == 0)
            return &options->known[i];
    }
    return NULL;
}

void *mote_pb_json_take(mote_pb_arena *a, size_t size)
{
    if (!a)
        return NULL;
    size_t gap = (0 - ((uintptr_t)a->memory + a->used)) % sizeof(uint64_t);
    if (gap > a->size - a->used || size > a->size - a->used - gap)
        return NULL;
    void *block = a->memory + a->used + gap;
    a->used += gap + size;
    MOTE_PB_JSON_PERMIT(block, size);
    return block;
}
