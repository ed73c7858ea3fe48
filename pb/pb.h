/*
 * pb: the Protocol Buffers wire format, driven by a constant table for each message.
 *
 * A message is a plain C struct:
 *   proto field                     C member
 *   int32 .. double, bool, enum     the C type; no presence: zero is not sent
 *   optional int32 ..               struct { bool has; T value; } (mote_pb_opt_...)
 *   string, bytes                   mote_pb_string, mote_pb_bytes: views
 *   message                         const T *: NULL when absent
 *   repeated T                      struct { const T *items; size_t count; }
 *   map<K, V>                       repeated entry { K key; V value; }
 *   oneof                           struct { uint32_t which; union { ... } is; }: which is the
 *                                   number of the field that is set, 0: none; T_set_field() sets,
 *                                   T_get_field() is NULL for one that is not set
 *   repeated T, supplied            mote_pb_supply: a function gives the elements
 *   unknown fields, if kept         mote_pb_list_bytes: views that are sent again as they came
 * Views and arrays that the decoder produces point into its input and into the caller's arena.
 *
 * Conventions: see hpack/hpack.h. No recursion: nesting is limited by T_DEPTH for encoding, and by
 * the arena and 100 for decoding.
 */
#ifndef MOTE_PB_H
#define MOTE_PB_H

#include "layout.h"

#if UINTPTR_MAX < 0xffffffff
#error                                                                                             \
    "mote needs pointers and int of 32 bits or more: machines like AVR and MSP430 are not supported"
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* What generated code may rely on; what the plugin wrote for another number does not compile. */
#define MOTE_PB_GENERATED 1

/* Errors -400..-499. */
#define MOTE_PB_ERRORS(X)                                                                          \
    X(MOTE_PB_ERR_TRUNCATED, -400, "pb: the message ends inside of a field")                       \
    X(MOTE_PB_ERR_VARINT, -401, "pb: varint longer than 10 bytes, or length longer than 5")        \
    X(MOTE_PB_ERR_TAG, -402,                                                                       \
      "pb: a tag of more than 5 bytes, field 0 or above 2^29-1, or an unknown wire type")          \
    X(MOTE_PB_ERR_GROUP, -403, "pb: groups do not match")                                          \
    X(MOTE_PB_ERR_UTF8, -404, "pb: a string is no valid UTF-8")                                    \
    X(MOTE_PB_ERR_DEPTH, -405, "pb: messages are nested too deeply")                               \
    X(MOTE_PB_ERR_ARENA, -406, "pb: the arena is full")                                            \
    X(MOTE_PB_ERR_SPACE, -407, "pb: output buffer too small")                                      \
    X(MOTE_PB_ERR_REQUIRED, -408, "pb: a required field is missing")                               \
    X(MOTE_PB_ERR_CHANGED, -409, "pb: the message was changed while it was sent")                  \
    X(MOTE_PB_ERR_MEMORY, -410,                                                                    \
      "pb: the memory that was lent for a large message is too small for its depth")               \
    X(MOTE_PB_ERR_SUPPLY, -411, "pb: a function did not give an element of a repeated field")

enum mote_pb_error {
#define MOTE_PB_ENUM(name, code, text) name = code,
    MOTE_PB_ERRORS(MOTE_PB_ENUM)
#undef MOTE_PB_ENUM
};

/* What an error says: "pb: ..."; 0: "no error", others: "unknown error"; with MOTE_NO_TEXTS "". */
const char *mote_pb_strerror(int code);

/* Messages inside of messages, the outermost one included, of types that may hold themselves and of
 * tables that nobody generated: each costs the encoder four words of stack. Other types take what
 * their schema needs, T_DEPTH in generated code, which for one that may hold itself is this number
 * unless it was defined before. On hosts what was decoded can be encoded: 100 inside of the
 * outermost one. It is the depth of mote_pb_print() and mote_pb_why() too.
 */
#ifndef MOTE_PB_DEPTH
#if defined(__unix__) || defined(__APPLE__) || defined(_WIN32)
#define MOTE_PB_DEPTH 101
#else
#define MOTE_PB_DEPTH 10
#endif
#endif

/* 1: a string of proto3 that is no valid UTF-8 is not encoded, as other implementations have it. It
 * costs devices some 200 bytes, which is why there it must be asked for. */
#ifndef MOTE_PB_CHECK_SENT
#if defined(__unix__) || defined(__APPLE__) || defined(_WIN32)
#define MOTE_PB_CHECK_SENT 1
#else
#define MOTE_PB_CHECK_SENT 0
#endif
#endif

/* Groups inside of groups in a field that is not known; each costs the decoder a word of stack. */
#ifndef MOTE_PB_GROUPS
#define MOTE_PB_GROUPS 100
#endif

/* ---- encoding ------------------------------------------------------------------------------ */

/*
 * A message type with the parts of the encoder that it and the messages inside of it need. This is
 * an interface between generated code and pb: the generator names what a schema needs, and what
 * nobody names is not linked. A part that is not needed is NULL.
 */
typedef struct mote_pb_writer mote_pb_writer; /* an encoder at work */
typedef struct {
    const mote_pb_message *type;
    /* Repeated fields, and unknown ones that were kept: mote_pb_put_list. */
    void (*list)(mote_pb_writer *w, const mote_pb_field *f, const void *place);
    /* All fields: mote_pb_put_flat or, where messages are inside of messages, a function that calls
     * mote_pb_put_deep() with frames for its depth. */
    int (*put)(mote_pb_writer *w, const mote_pb_message *type, const void *message);
} mote_pb_encoder;

/* With all parts, for tables that nobody generated. */
#define MOTE_PB_ENCODER(type)                                                                      \
    {                                                                                              \
        type, mote_pb_put_list, mote_pb_put_nested                                                 \
    }

void mote_pb_put_list(mote_pb_writer *w, const mote_pb_field *f, const void *place);
int mote_pb_put_flat(mote_pb_writer *w, const mote_pb_message *type, const void *message);
/* With room for MOTE_PB_DEPTH messages inside of each other. */
int mote_pb_put_nested(mote_pb_writer *w, const mote_pb_message *type, const void *message);

/* A message that is open while one inside of it is encoded. */
typedef struct {
    const mote_pb_message *type;
    const uint8_t *message;
    size_t end;   /* the writer's length when it was entered */
    size_t field; /* whose elements are being done; those before it are still to do */
} mote_pb_frame;

/* The same with frames of the caller, the first and the last of them. */
int mote_pb_put_deep(mote_pb_writer *w, const mote_pb_message *type, const void *message,
                     mote_pb_frame *stack, mote_pb_frame *last);

/* For messages with fields that functions supply, their own or further inside: sized first, then
 * written forward. `memory` is for mote_pb_walk_init(). */
int mote_pb_put_forward(mote_pb_writer *w, const mote_pb_message *type, const void *message,
                        void *memory, size_t size);

/* Exact size of a message, in bytes; texts are not looked at. 0, or MOTE_PB_ERR_DEPTH or
 * MOTE_PB_ERR_REQUIRED (mote_pb_why() says where); with fields that functions supply any of
 * mote_pb_walk_part(). */
int mote_pb_size(const mote_pb_encoder *encoder, const void *message, size_t *size);

/* Encodes into `out`, in one pass. Sets *len. 0, MOTE_PB_ERR_SPACE (*len is what it takes), an
 * error as of mote_pb_size() or, with MOTE_PB_CHECK_SENT, MOTE_PB_ERR_UTF8. */
int mote_pb_encode(const mote_pb_encoder *encoder, const void *message, uint8_t *out, size_t cap,
                   size_t *len);

/*
 * Encodes a part, for output that comes in pieces: a mote_grpc_source. `encoder` is a
 * const mote_pb_encoder *. When *total is 0: writes the whole message if it fits, and sets *total
 * to its size. Otherwise *total is its size, and exactly the bytes [offset, offset + cap) are
 * written; the message must not have changed. 0, or an error as of mote_pb_encode().
 */
int mote_pb_encode_part(const void *encoder, const void *message, size_t offset, uint8_t *out,
                        size_t cap, size_t *total);

/* ---- large messages ------------------------------------------------------------------------ */

/*
 * mote_pb_encode_part() walks the whole message for each part: n bytes in k parts cost n * k. A
 * message that is larger than the room for it is better written forward, by a walk that goes on
 * where the last part has ended and costs n bytes, however many parts there are.
 *
 * A walk lies in memory that the caller lends for as long as a message is being sent. It takes 24
 * bytes (with pointers of 64 bits 40) for each message that is open at a time, and what is left of
 * the memory keeps the lengths of sub-messages, 4 bytes for each. With room for the lengths of all
 * the message is sized once; with less, what is not kept is sized again when the walk reaches it,
 * at most once for each level of nesting.
 */
typedef struct {
    uint8_t *memory; /* levels from its start, lengths from its end */
    size_t size;
    size_t total, at; /* bytes of the message, and how many were written */
    size_t depth;     /* the message at work */
    size_t skip;      /* bytes of the key and value at work that were written ... */
    size_t piece;     /* ... of how many; to hold against what they are when it goes on */
    size_t limit;     /* where the packed field at work ends */
    size_t length;    /* of the sub-message whose key is being written */
    size_t lengths;   /* that were found, the first `slots` of which are kept */
    size_t slots;
    size_t next; /* the length that is asked for next */
} mote_pb_walk;

/* The least memory for messages that nest to `depth`, the outermost one included, and with the
 * lengths of `lengths` sub-messages. */
#define MOTE_PB_WALK_SIZE(depth, lengths)                                                          \
    ((depth) * (4 * sizeof(size_t) + 8) + (lengths) * sizeof(uint32_t) + sizeof(uint64_t))

/* Lends memory, of any alignment. It and the walk are used again for message after message, one at
 * a time. */
void mote_pb_walk_init(mote_pb_walk *w, void *memory, size_t size);

/* A message and its walk: what a mote_grpc_source whose `write` is mote_pb_walk_part() sends. The
 * struct may be another one at each call, or lie elsewhere, as long as it says the same. */
typedef struct {
    const void *message;
    mote_pb_walk *walk;
} mote_pb_large;

/*
 * As mote_pb_encode_part(), for parts that follow each other; `large` is a const mote_pb_large *.
 * *total is 0: begins, and writes the whole message if it fits; otherwise offset is where the last
 * part has ended. 0; MOTE_PB_ERR_DEPTH (more than 100 inside of the outermost one);
 * MOTE_PB_ERR_REQUIRED; MOTE_PB_ERR_UTF8; MOTE_PB_ERR_SUPPLY; MOTE_PB_ERR_MEMORY: the memory holds
 * fewer levels; MOTE_PB_ERR_SPACE: it takes more than 2 GiB; MOTE_PB_ERR_CHANGED: what is left to
 * be written does not fit the lengths that were written, or the part does not follow the last one.
 */
int mote_pb_walk_part(const void *encoder, const void *large, size_t offset, uint8_t *out,
                      size_t cap, size_t *total);

/*
 * A walk that is kept small, for one call among many: where it stopped, without what is found again
 * by looking at the message, for messages of up to MOTE_PB_PLACE_DEPTH levels. The stubs keep one
 * in the memory of each call, where there is one: mote_grpc_place().
 */
enum { MOTE_PB_PLACE_DEPTH = 8 };
typedef struct {
    const mote_pb_message *type;                           /* NULL: none */
    uint32_t total, at, skip, piece, limit, length, depth; /* as in mote_pb_walk */
    uint32_t element[MOTE_PB_PLACE_DEPTH], end[MOTE_PB_PLACE_DEPTH];
    uint16_t field[MOTE_PB_PLACE_DEPTH];
} mote_pb_place;

/* An encoder with a place; NULL: none. */
typedef struct {
    const mote_pb_encoder *encoder;
    mote_pb_place *place;
} mote_pb_resumed;

/*
 * As mote_pb_encode_part(); `resumed` is a const mote_pb_resumed *. A part that begins at 0, or
 * where the last one has ended, costs what it writes, and once the size of the message; any other,
 * and those of deeper messages, walk it all. MOTE_PB_ERR_CHANGED: the message is as long as the one
 * that was begun, and not the same.
 */
int mote_pb_resume_part(const void *resumed, const void *message, size_t offset, uint8_t *out,
                        size_t cap, size_t *total);

/* ---- decoding ------------------------------------------------------------------------------ */

/*
 * Memory for sub-messages and repeated fields: bump allocation, never freed piecewise. However
 * valid input is split, it takes the structs of the sub-messages; for each array at most four times
 * its elements, and 15 bytes each time that it doubles; and while decoding, at its end, five words
 * for each message that is open.
 */
typedef struct {
    uint8_t *memory;
    size_t size;
    size_t used;
} mote_pb_arena;

static inline void mote_pb_arena_init(mote_pb_arena *a, void *memory, size_t size)
{
    a->memory = (uint8_t *)memory;
    a->size = size;
    a->used = 0;
}

/* Where and why decoding failed. */
typedef struct {
    const mote_pb_message *type; /* the message that could not be decoded further */
    uint32_t field;              /* number of the field in it; 0: no field was recognised */
    size_t offset; /* bytes of the input before the field; MOTE_PB_ERR_REQUIRED: before
                      the end of the message that it is missing in */
} mote_pb_where;

/* A message type with the parts of the decoder that it and the messages inside of it need: see
 * mote_pb_encoder. */
typedef struct mote_pb_reader mote_pb_reader; /* a decoder at work */

/* What proto2 (and editions, when they are told to) adds: mote_pb_proto2. */
typedef struct {
    /* A field of a closed enum: a number that the enum does not have is an unknown field. */
    int (*closed)(mote_pb_reader *r, const mote_pb_field *f, uint32_t key);
    /* The end of a message: its required fields have been there, or MOTE_PB_ERR_REQUIRED. */
    int (*end)(mote_pb_reader *r);
} mote_pb_strict;
extern const mote_pb_strict mote_pb_proto2;

typedef struct {
    const mote_pb_message *type;
    /* Strings, whose UTF-8 is checked: mote_pb_utf8_valid. */
    bool (*utf8)(const uint8_t *s, size_t len);
    /* Repeated fields: mote_pb_read_values for numbers, strings and bytes,
     * mote_pb_read_messages, or mote_pb_read_lists for both. */
    int (*list)(mote_pb_reader *r, const mote_pb_field *f, uint32_t key);
    /* A message inside of the message that is not repeated: mote_pb_enter. */
    int (*enter)(mote_pb_reader *r, const mote_pb_field *f);
    /* Unknown fields: mote_pb_keep_unknown; NULL: they are skipped. */
    int (*unknown)(mote_pb_reader *r, uint32_t key);
    const mote_pb_strict *strict; /* &mote_pb_proto2; NULL: no required fields, no closed enums */
} mote_pb_decoder;

#define MOTE_PB_DECODER(type)                                                                      \
    {                                                                                              \
        type, mote_pb_utf8_valid, mote_pb_read_lists, mote_pb_enter, mote_pb_keep_unknown,         \
            &mote_pb_proto2                                                                        \
    }

bool mote_pb_utf8_valid(const uint8_t *s, size_t len);
int mote_pb_read_values(mote_pb_reader *r, const mote_pb_field *f, uint32_t key);
int mote_pb_read_messages(mote_pb_reader *r, const mote_pb_field *f, uint32_t key);
int mote_pb_read_lists(mote_pb_reader *r, const mote_pb_field *f, uint32_t key);
int mote_pb_enter(mote_pb_reader *r, const mote_pb_field *f);
int mote_pb_keep_unknown(mote_pb_reader *r, uint32_t key);

/*
 * Decodes `len` bytes into the struct `message`, which is set to zero first. Strings and bytes are
 * views into `in`; sub-messages and arrays lie in the arena (NULL: a schema without them). Unknown
 * fields are skipped. Returns 0 or an error, and then *where (may be NULL) tells the place.
 */
int mote_pb_decode(const mote_pb_decoder *decoder, void *message, const uint8_t *in, size_t len,
                   mote_pb_arena *arena, mote_pb_where *where);

/*
 * Extensions. Write a message that has their fields (message FooExtensions { optional Bar bar =
 * 100; }), and generate what is extended with keep_unknown. This decodes what is kept there as the
 * other type, of which it takes the fields that it knows; the bytes are put together in the arena.
 * To send them, encode the other message, and give the bytes as an item of the unknown fields: they
 * go out as they are. 0, or an error as of mote_pb_decode(); MOTE_PB_ERR_ARENA.
 */
int mote_pb_decode_unknown(const mote_pb_decoder *decoder, void *message,
                           const mote_pb_list_bytes *unknown, mote_pb_arena *arena,
                           mote_pb_where *where);

/* ---- in pieces ----------------------------------------------------------------------------- */

/* What the next byte is of: KEY --> VARINT, or FIXED, or LENGTH --> BYTES --> KEY */
enum mote_pb_splitter_state {
    MOTE_PB_AT_KEY,
    MOTE_PB_AT_VARINT,
    MOTE_PB_AT_LENGTH,
    MOTE_PB_AT_FIXED,
    MOTE_PB_AT_BYTES
};

/* A message that is larger than memory, taken apart field by field as it arrives. Each field of the
 * outermost message is handed on when it is complete; the view of a sub-message may then be given
 * to mote_pb_decode(). */
typedef struct {
    uint8_t *buffer;
    size_t cap;
    uint64_t value; /* integer in progress, or of a field; bytes of a long one */
    size_t have;    /* bytes of the field so far */
    uint32_t key;
    enum mote_pb_splitter_state state : 8;
    uint8_t shift;
    uint8_t depth; /* of groups, which are skipped */
    int error;
} mote_pb_splitter;

/* A field, or a part of one that is larger than the buffer. */
typedef struct {
    uint32_t number;
    uint8_t wire;        /* enum mote_pb_wire: VARINT, I64, LEN or I32 */
    uint64_t value;      /* of those but LEN */
    const uint8_t *data; /* LEN: a view into the input or the buffer, until the next call */
    size_t len;
    size_t offset, total; /* bytes before this part, and of the whole field */
} mote_pb_piece;

/* `buffer` holds a field that is cut by the input; fields beyond `cap` bytes come in parts. */
void mote_pb_splitter_init(mote_pb_splitter *s, void *buffer, size_t cap);

/* Takes input. 1: *piece is filled; 0: all of it was used; < 0: an error (sticky). *used says how
 * much was consumed; call again with the rest while it returns 1. */
int mote_pb_split(mote_pb_splitter *s, const uint8_t *in, size_t len, size_t *used,
                  mote_pb_piece *piece);

/* The message has ended: 0, or MOTE_PB_ERR_TRUNCATED inside of a field. */
int mote_pb_split_end(mote_pb_splitter *s);

/* ---- messages one after the other ---------------------------------------------------------- */

/*
 * Files, lines and logs hold messages one after the other, each with its length in front, as a
 * varint (protobuf's "delimited" streams): a reader of them, from input that comes in pieces. A
 * message that lies whole in the input is handed on where it lies; one that is cut is put together
 * in the buffer. The members may be read.
 *
 *   IN_LENGTH -- its last byte --> IN_BODY -- its last byte: a message --> IN_LENGTH
 */
enum mote_pb_delimited_state { MOTE_PB_IN_LENGTH, MOTE_PB_IN_BODY };

typedef struct {
    uint8_t *buffer;
    size_t cap, have; /* bytes of the message that are in the buffer */
    uint32_t len;     /* of the message; in IN_LENGTH what is known of it */
    uint8_t shift;
    enum mote_pb_delimited_state state;
    int error;
} mote_pb_delimited;

/* `cap` is the longest message that is taken; without a buffer none may be cut, as where a file is
 * in memory. */
void mote_pb_delimited_init(mote_pb_delimited *d, void *buffer, size_t cap);

/* Takes input. 1: a message, valid until the next call as long as `in` is; 0: the input is used
 * up; MOTE_PB_ERR_VARINT: a length beyond 32 bits or in more than 5 bytes; MOTE_PB_ERR_SPACE: a
 * message of d->len bytes is longer than `cap`, or cut without a buffer. Errors are sticky. *used
 * says how much of the input was consumed: call again with the rest while it returns 1. */
int mote_pb_delimited_read(mote_pb_delimited *d, const uint8_t *in, size_t len, size_t *used,
                           const uint8_t **message, size_t *message_len);

/* The input has ended: 0; MOTE_PB_ERR_TRUNCATED inside of a message; or the sticky error. */
int mote_pb_delimited_end(const mote_pb_delimited *d);

/* Writes the length that belongs in front of a message: 1 to 5 bytes, whose number is returned. */
enum { MOTE_PB_DELIMITER = 5 };
size_t mote_pb_delimit(uint32_t len, uint8_t out[MOTE_PB_DELIMITER]);

/* ---- messages as values -------------------------------------------------------------------- */

/* Goes over the elements of a repeated field, or the entries of a map, of type T:
 * MOTE_PB_EACH(fleet_Sensor, sensor, request.sensors) use(sensor->name); */
#define MOTE_PB_EACH(T, item, list)                                                                \
    for (T const *item = (list).items, *item##_end = item + (list).count; item != item##_end;      \
         item++)

/* Whether two messages of a type say the same: 1, 0, or MOTE_PB_ERR_DEPTH beyond MOTE_PB_DEPTH.
 * Numbers are compared by their bits, maps and unknown fields in their order. */
int mote_pb_equal(const mote_pb_message *type, const void *a, const void *b);

/* Copies a message with all that it points to, which goes into the arena: each array, string and
 * sub-message in as many bytes as it has, rounded up to 8. It does not look at `from` again. 0;
 * MOTE_PB_ERR_ARENA, MOTE_PB_ERR_DEPTH beyond MOTE_PB_DEPTH: then *to is of no use. */
int mote_pb_copy(const mote_pb_message *type, const void *from, void *to, mote_pb_arena *arena);

/* ---- well-known types ---------------------------------------------------------------------- */

/*
 * google.protobuf.Timestamp and Duration, both of int64 seconds and int32 nanos, whatever their
 * structs are called: mote_pb_timestamp_from(ms, 1000, &at.seconds, &at.nanos). `per_second` says
 * the unit of a time: 1 to 1,000,000,000 of them are a second, which they divide into whole
 * nanoseconds; 1000 for milliseconds. A Timestamp counts from 1970-01-01T00:00:00Z and is rounded
 * to the earlier unit, a Duration toward zero. False: the unit is none, the message is not valid
 * (0001-01-01 to 9999-12-31; 315,576,000,000 s, with one sign), or the time is beyond its type.
 */
bool mote_pb_timestamp_from(int64_t time, uint32_t per_second, int64_t *seconds, int32_t *nanos);
bool mote_pb_timestamp_to(int64_t seconds, int32_t nanos, uint32_t per_second, int64_t *time);
bool mote_pb_duration_from(int64_t time, uint32_t per_second, int64_t *seconds, int32_t *nanos);
bool mote_pb_duration_to(int64_t seconds, int32_t nanos, uint32_t per_second, int64_t *time);

/* Writes a Timestamp as RFC 3339 and proto3 JSON have it: "2026-11-30T10:50:19.500Z", with 0, 3, 6
 * or 9 digits behind the point. False: it is not valid, and the text is empty. */
enum { MOTE_PB_TIMESTAMP_TEXT = 31 };
bool mote_pb_timestamp_text(int64_t seconds, int32_t nanos, char out[MOTE_PB_TIMESTAMP_TEXT]);

/* ---- for people ---------------------------------------------------------------------------- */

/* Names of a message and its fields; the plugin writes them on request (--mote_opt=names), so that
 * they cost nothing otherwise. */
typedef struct mote_pb_names {
    const mote_pb_message *type;
    const char *name;                        /* "package.Message" */
    const char *const *fields;               /* in the order of type->fields */
    const struct mote_pb_names *const *subs; /* in the order of type->subs */
} mote_pb_names;

/* Names of the values of an enum, of the same option. */
typedef struct {
    const char *name;
    int32_t number;
} mote_pb_enum_value;
typedef struct {
    const mote_pb_enum_value *values;
    size_t count;
} mote_pb_enum_names;

/* The first name of a number; NULL: it has none. */
const char *mote_pb_enum_name(const mote_pb_enum_names *names, int32_t number);
/* The number of a name; false: it is none of them, and *number stays as it is. */
bool mote_pb_enum_number(const mote_pb_enum_names *names, mote_pb_string name, int32_t *number);

/* Gets a piece of text. */
typedef void mote_pb_sink(void *context, const char *text, size_t len);

/* Writes a message in protobuf's text format: for debugging. Enums are numbers, and doubles have 15
 * digits. 0, or MOTE_PB_ERR_DEPTH when the rest was left out. */
int mote_pb_print(const mote_pb_names *names, const void *message, mote_pb_sink *sink,
                  void *context);

/* The path of a place in a message, as "Request.sensors[3].name": for mote_pb_where.offset. Where a
 * message ends that lacks a required field, which is where MOTE_PB_ERR_REQUIRED is, that field's;
 * of a number that its closed enum does not have, the message's. Cut to cap - 1 bytes and
 * terminated. Returns `out`. */
const char *mote_pb_path(const mote_pb_names *names, const uint8_t *in, size_t len, size_t offset,
                         char *out, size_t cap);

/* Why a message cannot be encoded, as "Request.sensors[3].name: pb: a string is no valid UTF-8, at
 * byte 5", cut to cap - 1 bytes and terminated. Returns what mote_pb_encode() would: 0 (and an
 * empty text), MOTE_PB_ERR_DEPTH, MOTE_PB_ERR_REQUIRED or MOTE_PB_ERR_UTF8. */
int mote_pb_why(const mote_pb_names *names, const void *message, char *out, size_t cap);

#ifdef __cplusplus
}
#endif
#endif
