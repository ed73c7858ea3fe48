/*
 * pb/json: messages as JSON and back, by the proto3 JSON mapping (protobuf.dev, "ProtoJSON Format")
 * over RFC 8259. A room of its own: who does not include this header links nothing of it.
 *
 * The plugin writes a table T_json for each message on request (--mote_opt=json), beside the ones
 * that the wire format is driven by, so that both forms have the same structs. Freestanding: no
 * heap, no libc beyond memcpy() and its like, no recursion. A field is found by halving, a text is
 * read once from its start to its end, but for google.protobuf.Any, whose "@type" may stand behind
 * what it describes.
 *
 * Extensions have no names here; unknown fields that were kept are left out, as the mapping says.
 */
#ifndef MOTE_PB_JSON_H
#define MOTE_PB_JSON_H

#include "../pb.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Errors -430..-449; beside them those of pb.h: MOTE_PB_ERR_UTF8, _DEPTH, _ARENA, _SUPPLY, and of
 * an Any what its message is refused for. */
#define MOTE_PB_JSON_ERRORS(X)                                                                     \
    X(MOTE_PB_JSON_ERR_SYNTAX, -430, "json: the text is no JSON")                                  \
    X(MOTE_PB_JSON_ERR_TYPE, -431, "json: the value is not of the type of its field")              \
    X(MOTE_PB_JSON_ERR_RANGE, -432, "json: a number or time is beyond what its field holds")       \
    X(MOTE_PB_JSON_ERR_NAME, -433, "json: no field or enum value has this name")                   \
    X(MOTE_PB_JSON_ERR_TWICE, -434, "json: a field or oneof is set twice")                         \
    X(MOTE_PB_JSON_ERR_ANY, -435, "json: an Any of a type that is not known here")                 \
    X(MOTE_PB_JSON_ERR_FORM, -436, "json: a value that has no form in JSON")

enum mote_pb_json_error {
#define MOTE_PB_JSON_ENUM(name, code, text) name = code,
    MOTE_PB_JSON_ERRORS(MOTE_PB_JSON_ENUM)
#undef MOTE_PB_JSON_ENUM
};

/* What an error says, those of mote_pb_strerror() included; with MOTE_NO_TEXTS "". */
const char *mote_pb_json_strerror(int code);

/* ---- tables -------------------------------------------------------------------------------- */

/* What a message looks like; all but the first two are of google.protobuf. */
enum mote_pb_json_form {
    MOTE_PB_JSON_OBJECT,
    MOTE_PB_JSON_MAP, /* an entry of one: key and value */
    MOTE_PB_JSON_ANY,
    MOTE_PB_JSON_DURATION,
    MOTE_PB_JSON_FIELD_MASK,
    MOTE_PB_JSON_LIST, /* ListValue */
    MOTE_PB_JSON_STRUCT,
    MOTE_PB_JSON_TIMESTAMP,
    MOTE_PB_JSON_VALUE,
    MOTE_PB_JSON_WRAPPER /* BoolValue and its like */
};

typedef struct {
    const char *name; /* in lowerCamelCase, or what json_name says; "" for unknown fields */
    const void *sub;  /* messages: their mote_pb_json; enums: their mote_pb_json_enum, or NULL for
                         google.protobuf.NullValue; NULL for the others */
    bool is_string;   /* a string, whether or not the wire's table checks its UTF-8 */
} mote_pb_json_field;

/* What a text may call a field: its name in JSON, or that in the .proto file. */
typedef struct {
    const char *name;
    uint32_t row; /* of the table's fields */
} mote_pb_json_name;

typedef struct mote_pb_json {
    const mote_pb_message *type;
    const char *full_name;            /* "package.Message" */
    const mote_pb_json_field *fields; /* in the order of type->fields */
    const mote_pb_json_name *names;   /* in the order of their bytes */
    uint16_t name_count;
    uint8_t form; /* enum mote_pb_json_form */
} mote_pb_json;

typedef struct {
    const mote_pb_enum_names *names;  /* the first of a number is written */
    const mote_pb_enum_value *sorted; /* the same, in the order of the names' bytes */
} mote_pb_json_enum;

/* A type that a google.protobuf.Any may hold. */
typedef struct {
    const mote_pb_json *json;
    const mote_pb_encoder *encoder;
    const mote_pb_decoder *decoder;
} mote_pb_json_known;

typedef struct {
    const mote_pb_json_known *known; /* of Any; looked through from the first to the last */
    size_t known_count;
    bool ignore_unknown; /* reading: names of no field, and of no enum value, are skipped */
} mote_pb_json_options;

/* ---- writing ------------------------------------------------------------------------------- */

/*
 * Writes a message, without blanks, in pieces of any size. Fields stand in the order of their
 * numbers, and what is absent is left out; enums are names, where a number has one; numbers with
 * decimals are the shortest that read back as the same. `options` may be NULL: then an Any that is
 * not empty is an error. `arena` is for what an Any holds, and for maps: 4 bytes and a bit for each
 * entry, so that of entries with the same key, which the wire allows, the last one alone is
 * written. It is given back; without one (NULL) an Any is MOTE_PB_ERR_ARENA, and all entries of a
 * map are written. 0, or an error, and then what was written is of no use: MOTE_PB_ERR_UTF8;
 * MOTE_PB_ERR_DEPTH beyond MOTE_PB_DEPTH; MOTE_PB_ERR_SUPPLY; MOTE_PB_JSON_ERR_ANY;
 * MOTE_PB_JSON_ERR_FORM: a Timestamp, Duration or FieldMask that is not valid, a Value that is
 * not set, or not finite.
 */
int mote_pb_json_print(const mote_pb_json *json, const void *message,
                       const mote_pb_json_options *options, mote_pb_arena *arena,
                       mote_pb_sink *sink, void *context);

/* The same into `out`, for who has room: *len is what it takes, also when that is more than `cap`:
 * MOTE_PB_ERR_SPACE. */
int mote_pb_json_encode(const mote_pb_json *json, const void *message,
                        const mote_pb_json_options *options, mote_pb_arena *arena, char *out,
                        size_t cap, size_t *len);

/* ---- reading ------------------------------------------------------------------------------- */

/*
 * Reads one JSON value, and nothing behind it but blanks, into the struct `message`, which is set
 * to zero first. Strings without escapes are views into `text`; all else that a message points to
 * lies in the arena: an array takes at most four times its elements, and an Any is put together
 * from its bytes, again at each level of Any inside of Any. `options` may be NULL. 0, or an error,
 * and then *offset (may be NULL) is the byte of the text at which it was noticed:
 * MOTE_PB_JSON_ERR_..., MOTE_PB_ERR_ARENA, MOTE_PB_ERR_UTF8, MOTE_PB_ERR_DEPTH beyond
 * MOTE_PB_DEPTH. Whether required fields of proto2 are there is not looked at.
 */
int mote_pb_json_decode(const mote_pb_json *json, void *message, const char *text, size_t len,
                        const mote_pb_json_options *options, mote_pb_arena *arena, size_t *offset);

/* ---- numbers ------------------------------------------------------------------------------- */

/* The shortest decimal that reads back as the same double, or float, as ECMAScript writes it:
 * "0.1", "1e+21"; "-0.0" has a point, since many readers take "-0" for an integer. Of two that are
 * as short the one that is nearer. The number must be finite. Returns the length; there is no zero
 * behind it. */
enum { MOTE_PB_JSON_NUMBER = 25 };
size_t mote_pb_json_double(double value, char out[MOTE_PB_JSON_NUMBER]);
size_t mote_pb_json_float(float value, char out[MOTE_PB_JSON_NUMBER]);

/* The double that is nearest to a number as JSON writes it; of two that are as near the even one.
 * False: the text is none, or what it says is beyond the largest double. */
bool mote_pb_json_real(const char *text, size_t len, double *value);

#ifdef __cplusplus
}
#endif
#endif
