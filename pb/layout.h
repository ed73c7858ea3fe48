/* pb: what structs of messages are made of, and the tables that describe them. A part of pb.h. */
#ifndef MOTE_PB_LAYOUT_H
#define MOTE_PB_LAYOUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- what structs are made of -------------------------------------------------------------- */

typedef struct {
    const char *data;
    size_t len;
} mote_pb_string;

typedef struct {
    const uint8_t *data;
    size_t len;
} mote_pb_bytes;

/* A string from a literal, and from a terminated C string. */
#ifdef __cplusplus
#define MOTE_PB_STRING(literal) (mote_pb_string{literal, sizeof(literal) - 1})
#else
#define MOTE_PB_STRING(literal) ((mote_pb_string){literal, sizeof(literal) - 1})
#endif
mote_pb_string mote_pb_cstring(const char *text);
/* The first for what is constant, in C and in C++: static const mote_pb_string s =
 * MOTE_PB_STRING_INIT("text"), or a member of a static const message. */
#define MOTE_PB_STRING_INIT(literal)                                                               \
    {                                                                                              \
        literal, sizeof(literal) - 1                                                               \
    }

/* clang-format off */
typedef struct { bool has; int32_t value; } mote_pb_opt_int32;
typedef struct { bool has; uint32_t value; } mote_pb_opt_uint32;
typedef struct { bool has; int64_t value; } mote_pb_opt_int64;
typedef struct { bool has; uint64_t value; } mote_pb_opt_uint64;
typedef struct { bool has; float value; } mote_pb_opt_float;
typedef struct { bool has; double value; } mote_pb_opt_double;
typedef struct { bool has; bool value; } mote_pb_opt_bool;
typedef struct { bool has; mote_pb_string value; } mote_pb_opt_string;
typedef struct { bool has; mote_pb_bytes value; } mote_pb_opt_bytes;
typedef struct { bool has; const void *value; } mote_pb_opt_message; /* no field's: for MOTE_PB_TYPES */
typedef struct { const int32_t *items; size_t count; } mote_pb_list_int32;
typedef struct { const uint32_t *items; size_t count; } mote_pb_list_uint32;
typedef struct { const int64_t *items; size_t count; } mote_pb_list_int64;
typedef struct { const uint64_t *items; size_t count; } mote_pb_list_uint64;
typedef struct { const float *items; size_t count; } mote_pb_list_float;
typedef struct { const double *items; size_t count; } mote_pb_list_double;
typedef struct { const bool *items; size_t count; } mote_pb_list_bool;
typedef struct { const mote_pb_string *items; size_t count; } mote_pb_list_string;
typedef struct { const mote_pb_bytes *items; size_t count; } mote_pb_list_bytes;
/* clang-format on */

/*
 * A repeated field whose elements a function gives, in place of an array: with the plugin's option
 * supplied=package.Message.field, for messages that are sent. get() fills *element, which is of the
 * C type of the field (for messages their struct), with element `index` of `count`. It is asked for
 * each element more than once, and must give the same each time until the message has been sent:
 * another length ends the call with INTERNAL. What the element points to must stay until it is
 * asked for the next one. False: it cannot be had, and encoding ends with MOTE_PB_ERR_SUPPLY.
 */
typedef struct {
    bool (*get)(void *user, size_t index, void *element);
    void *user;
    void *element; /* messages: a struct to fill, of this field alone; others: NULL */
    size_t count;
} mote_pb_supply;

/* ---- tables -------------------------------------------------------------------------------- */

/* How a value is written: the low 3 bits of a key. */
enum mote_pb_wire {
    MOTE_PB_VARINT,
    MOTE_PB_I64,
    MOTE_PB_LEN,
    MOTE_PB_SGROUP,
    MOTE_PB_EGROUP,
    MOTE_PB_I32
};

/* What the bits of a value mean. */
enum mote_pb_kind {
    MOTE_PB_UNSIGNED,
    MOTE_PB_SIGNED,
    MOTE_PB_ZIGZAG,
    MOTE_PB_REAL,
    MOTE_PB_VIEW,
    MOTE_PB_NESTED
};

/* What decoder, encoder, printer and generator know of a type; a new one is a row here. Its name
 * and number in google/protobuf/descriptor.proto (FieldDescriptorProto.Type), its C type as
 * mote_pb_opt_..., wire type, and the meaning of its bits. */
#define MOTE_PB_TYPES(X)                                                                           \
    X(DOUBLE, 1, double, I64, REAL)                                                                \
    X(FLOAT, 2, float, I32, REAL)                                                                  \
    X(INT64, 3, int64, VARINT, SIGNED)                                                             \
    X(UINT64, 4, uint64, VARINT, UNSIGNED)                                                         \
    X(INT32, 5, int32, VARINT, SIGNED)                                                             \
    X(FIXED64, 6, uint64, I64, UNSIGNED)                                                           \
    X(FIXED32, 7, uint32, I32, UNSIGNED)                                                           \
    X(BOOL, 8, bool, VARINT, UNSIGNED)                                                             \
    X(TEXT, 9, string, LEN, VIEW)                                                                  \
    X(GROUP, 10, message, SGROUP, NESTED)                                                          \
    X(MESSAGE, 11, message, LEN, NESTED)                                                           \
    X(BYTES, 12, bytes, LEN, VIEW)                                                                 \
    X(UINT32, 13, uint32, VARINT, UNSIGNED)                                                        \
    X(ENUM_TYPE, 14, int32, VARINT, SIGNED)                                                        \
    X(SFIXED32, 15, int32, I32, SIGNED)                                                            \
    X(SFIXED64, 16, int64, I64, SIGNED)                                                            \
    X(SINT32, 17, int32, VARINT, ZIGZAG)                                                           \
    X(SINT64, 18, int64, VARINT, ZIGZAG)                                                           \
    X(CLOSED, 19, int32, VARINT, SIGNED) /* an enum without unknown numbers: see mote_pb_strict */

/* A string whose UTF-8 is not to be checked (proto2) is MOTE_PB_BYTES. */
enum mote_pb_type {
#define MOTE_PB_ENUM(name, number, member, wire, kind) MOTE_PB_##name = number,
    MOTE_PB_TYPES(MOTE_PB_ENUM)
#undef MOTE_PB_ENUM
};

/* How a field is present. */
enum mote_pb_label {
    MOTE_PB_IMPLICIT = 0 << 5, /* zero or empty means absent; a message is absent when NULL */
    MOTE_PB_OPTIONAL = 1 << 5, /* mote_pb_opt_... */
    MOTE_PB_REQUIRED = 2 << 5, /* always sent, and an error when it does not arrive; a message that
                                  is NULL cannot be sent */
    MOTE_PB_REPEATED = 3 << 5,
    MOTE_PB_PACKED = 4 << 5,
    MOTE_PB_ONEOF = 5 << 5,   /* a member of the union; which stands 4 or, with 8-byte alignment, 8
                                 bytes before it: see MOTE_PB_ONEOF_GAP */
    MOTE_PB_UNKNOWN = 6 << 5, /* no field, but where unknown ones are kept: a mote_pb_list_bytes of
                                 views, keys included; key 0, the first row, type MOTE_PB_BYTES */
    MOTE_PB_SUPPLIED = 7 << 5 /* repeated, as a mote_pb_supply: for encoding alone, and by encoders
                                 whose `put` is a function that calls mote_pb_put_forward() */
};

typedef struct {
    uint32_t key;    /* number << 3 | wire type of one element */
    uint16_t offset; /* of the member in the struct; for a oneof, of the union */
    uint8_t type;    /* enum mote_pb_type | enum mote_pb_label */
    uint8_t aux; /* messages and closed enums: index in subs, or MOTE_PB_MANY_SUBS: then index + row
                    of the field in the table; add 0x80 when a oneof's gap is 8. Other fields that
                    are MOTE_PB_SUPPLIED: 1 when they are packed */
} mote_pb_field;

#define MOTE_PB_MANY_SUBS              0x7f
#define MOTE_PB_KEY(number, wire_type) ((uint32_t)(number) << 3 | (wire_type))
/* aux bit of a oneof member in struct type T, oneof member `one` */
#define MOTE_PB_ONEOF_GAP(T, one) (offsetof(T, one.is) - offsetof(T, one.which) == 8 ? 0x80 : 0)

/* Of a closed enum too: then the rows of `fields` are ranges of its numbers, in ascending order:
 * key is the first one, as an int32_t, and offset how many follow it. */
typedef struct mote_pb_message {
    const mote_pb_field *fields; /* in ascending order of numbers */
    const struct mote_pb_message *const *subs;
    uint16_t field_count;
    uint16_t size; /* sizeof the struct */
} mote_pb_message;

/* ---- descriptors --------------------------------------------------------------------------- */

/* A name that a file defines: of a service, method, message, field, oneof, enum, value of an enum
 * or extension. */
typedef struct {
    uint32_t at;    /* where its length lies in the descriptor, and its bytes behind that */
    uint32_t scope; /* the symbol that it lies in, counted from 1; 0: the package */
} mote_pb_symbol;

/* A .proto file, for reflection; the plugin writes it on request (--mote_opt=descriptors). */
typedef struct mote_pb_file {
    const char *name;     /* "folder/name.proto" */
    const uint8_t *bytes; /* a google.protobuf.FileDescriptorProto */
    size_t len;
    const char *package;           /* "" if it has none */
    const mote_pb_symbol *symbols; /* by their own name; of equal ones, by that of the scope,
                                      and so on; what has no scope first */
    size_t symbol_count;
    const struct mote_pb_file *const *imports; /* NULL ends it */
} mote_pb_file;

#ifdef __cplusplus
}
#endif
#endif
