/* What reading and writing share. */
#ifndef MOTE_PB_JSON_INTERNAL_H
#define MOTE_PB_JSON_INTERNAL_H

#include "json.h"

#include <string.h>

static inline unsigned mote_pb_json_type_of(const mote_pb_field *f)
{
    return f->type & 31u;
}

static inline unsigned mote_pb_json_label_of(const mote_pb_field *f)
{
    return f->type & 0xe0u;
}

static inline bool mote_pb_json_is_message(const mote_pb_field *f)
{
    unsigned type = mote_pb_json_type_of(f);

    return type == MOTE_PB_MESSAGE || type == MOTE_PB_GROUP;
}

static inline bool mote_pb_json_is_enum(const mote_pb_field *f)
{
    unsigned type = mote_pb_json_type_of(f);

    return type == MOTE_PB_ENUM_TYPE || type == MOTE_PB_CLOSED;
}

static inline bool mote_pb_json_is_list(const mote_pb_field *f)
{
    unsigned label = mote_pb_json_label_of(f);

    return label == MOTE_PB_REPEATED || label == MOTE_PB_PACKED;
}

/* The bytes of one element in an array; of a message that is not repeated: of its pointer. */
size_t mote_pb_json_size_of(const mote_pb_field *f);
/* Where a mote_pb_opt_... of the field has its value. */
size_t mote_pb_json_value_offset(const mote_pb_field *f);
/* The `which` of the oneof that a field is a member of. */
static inline uint32_t *mote_pb_json_which(const mote_pb_field *f, const uint8_t *message)
{
    return (uint32_t *)(void *)(message + f->offset - (f->aux & 0x80 ? 8 : 4));
}

/* The row of a field by its number in the .proto, which generated code may lack; -1: it does. */
int mote_pb_json_row(const mote_pb_json *json, uint32_t number);
/* The seconds and nanos of a Timestamp or Duration; a field that is left out is 0. */
int64_t mote_pb_json_part(const mote_pb_json *json, const void *message, uint32_t number);

/* The type that "@type" names, behind its last slash. NULL: it is not known. */
const mote_pb_json_known *mote_pb_json_find(const mote_pb_json_options *options,
                                            mote_pb_string url);

/* What the decoder of the wire has forbidden behind its blocks: see MOTE_RED_ZONES in
 * grpc/storage.h. */
#ifdef MOTE_RED_ZONES
void __asan_unpoison_memory_region(void const volatile *at, size_t size); /* of its runtime */
#define MOTE_PB_JSON_PERMIT(at, size) __asan_unpoison_memory_region(at, size)
#else
#define MOTE_PB_JSON_PERMIT(at, size) ((void)0)
#endif

/* Memory of an arena, aligned for every type and not set; NULL: none is left. */
void *mote_pb_json_take(mote_pb_arena *a, size_t size);

/* ---- texts --------------------------------------------------------------------------------- */

/* "1.5s"; the bytes of it, without a zero. 0: it is not valid. */
enum { MOTE_PB_JSON_DURATION_TEXT = 26 };
size_t mote_pb_json_duration_text(int64_t seconds, int32_t nanos,
                                  char out[MOTE_PB_JSON_DURATION_TEXT]);
/* RFC 3339, 5.6. 0, MOTE_PB_JSON_ERR_TYPE or MOTE_PB_JSON_ERR_RANGE, as the next one. */
int mote_pb_json_read_timestamp(mote_pb_string text, int64_t *seconds, int32_t *nanos);
int mote_pb_json_read_duration(mote_pb_string text, int64_t *seconds, int32_t *nanos);

/* ---- a text that is read ------------------------------------------------------------------- */

typedef struct {
    const char *p, *end;
    mote_pb_arena *arena;
} mote_pb_json_text;

/* Over blanks; the next character, or 0 at the end. */
char mote_pb_json_peek(mote_pb_json_text *t);
/* Over blanks and a character that must stand here: 0 or MOTE_PB_JSON_ERR_SYNTAX. */
int mote_pb_json_expect(mote_pb_json_text *t, char c);
/* true, false or null, whole: 0 or MOTE_PB_JSON_ERR_SYNTAX. */
int mote_pb_json_word(mote_pb_json_text *t, const char *word);
/* A string: a view into the text or, with escapes, into the arena. 0, MOTE_PB_JSON_ERR_SYNTAX,
 * MOTE_PB_ERR_UTF8 or MOTE_PB_ERR_ARENA. */
int mote_pb_json_string(mote_pb_json_text *t, mote_pb_string *s);
/* A number, as it stands. 0 or MOTE_PB_JSON_ERR_SYNTAX. */
int mote_pb_json_digits(mote_pb_json_text *t, mote_pb_string *s);
/* Whether it is one: RFC 8259, section 6. */
bool mote_pb_json_is_number(mote_pb_string s);
/* Over a whole value, which is looked at as any other. 0 or an error. */
int mote_pb_json_skip(mote_pb_json_text *t);
/* A value of a field that is no message into its place: a number, string, bytes, bool or enum. 0 or
 * an error; 1: an enum value that is not known and to be ignored. */
int mote_pb_json_scalar(mote_pb_json_text *t, const mote_pb_field *f,
                        const mote_pb_json_field *names, const mote_pb_json_options *options,
                        void *to);
/* < 0, 0, > 0, in the order of the bytes of a text and of a name. */
int mote_pb_json_order(mote_pb_string s, const char *name);
/* A number or bool from a string, as keys of maps are. */
int mote_pb_json_key(mote_pb_json_text *t, const mote_pb_field *f, mote_pb_string s, void *to);

#endif
