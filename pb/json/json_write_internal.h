/* Pieces of JSON that is written. */
#ifndef MOTE_PB_JSON_WRITE_H
#define MOTE_PB_JSON_WRITE_H

#include "json_internal.h"

typedef struct {
    mote_pb_sink *sink;
    void *context;
} mote_pb_json_out;

static inline void mote_pb_json_put(const mote_pb_json_out *out, const char *text)
{
    out->sink(out->context, text, mote_pb_cstring(text).len);
}

/* Bytes of a string, without the quotes: 0, or MOTE_PB_ERR_UTF8. */
int mote_pb_json_put_escaped(const mote_pb_json_out *out, mote_pb_string s);
/* The same between quotes. */
int mote_pb_json_put_string(const mote_pb_json_out *out, mote_pb_string s);
/* A value of a field that is no message: 0, or MOTE_PB_ERR_UTF8. */
int mote_pb_json_put_scalar(const mote_pb_json_out *out, const mote_pb_field *f,
                            const mote_pb_json_field *names, const void *at);
/* The same as the key of a map: always between quotes. */
int mote_pb_json_put_key(const mote_pb_json_out *out, const mote_pb_field *f,
                         const mote_pb_json_field *names, const void *at);
/* The paths of a FieldMask: 0, MOTE_PB_ERR_UTF8 or MOTE_PB_JSON_ERR_FORM. */
int mote_pb_json_put_mask(const mote_pb_json_out *out, const mote_pb_list_string *paths);

/* Bits of the entries of a map whose key comes again, in the arena; *doubles stays as it is where
 * there are fewer than two entries, and no arena. 0 or MOTE_PB_ERR_ARENA. */
int mote_pb_json_doubles(mote_pb_arena *arena, const mote_pb_json *json, size_t row,
                         const uint8_t *message, const uint8_t **doubles);

#endif
