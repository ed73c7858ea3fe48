/* protoc-gen-mote: what its files share. A host program: it allocates and never frees. */
#ifndef GENERATOR_H
#define GENERATOR_H

#include "descriptor.mote.h"

#include <stdio.h>

/* A growing text. */
typedef struct {
    char *bytes;
    size_t len, cap;
} text;

void text_add(text *t, const char *format, ...) __attribute__((format(printf, 2, 3)));
void text_bytes(text *t, const char *bytes, size_t len);

/* printf of a view. */
#define S(view) (int)(view).len, (view).data

/* Prints "protoc-gen-mote: ..." and ends the program by an error in the response. */
void fail(const char *format, ...) __attribute__((format(printf, 1, 2), noreturn));
void write_response(CodeGeneratorResponse *response);
void *allocate(size_t size);
char *format(const char *format, ...) __attribute__((format(printf, 1, 2)));
bool view_is(mote_pb_string view, const char *s);
int view_compare(mote_pb_string a, mote_pb_string b); /* in the order of their bytes, as strcmp() */

/* What belongs to a key, which is any bytes and is not copied. Begins as zeros. */
typedef struct {
    const char *key;
    size_t len;
    const void *value;
} map_row;
typedef struct {
    map_row *rows; /* `cap` of them, a power of two; a free one has no value */
    size_t count, cap;
} map;
const void *map_get(const map *m, const char *key, size_t len); /* NULL: nothing */
void map_set(map *m, const char *key, size_t len, const void *value);

/* ---- options ------------------------------------------------------------------------------- */

/* Fields that an option names, as "package.Message.field". */
typedef struct {
    char *names[256];
    size_t count;
} field_names;

/* prefix=PACKAGE:NAME. */
typedef struct {
    const char *package, *prefix;
} package_prefix;

typedef struct {
    const char *prefix; /* prefix=NAME: of the packages of the files to generate; NULL: none */
    package_prefix prefixes[256];
    size_t prefix_count;
    const char *runtime; /* folder of pb/ and grpc/, with a slash or ""; or one header */
    bool runtime_is_file;
    bool client, server; /* which stubs */
    bool keep_unknown;
    bool sizes;       /* T_size() as code of its own */
    bool large;       /* stubs for large messages too: mote_pb_walk */
    bool names;       /* for mote_pb_print() and mote_pb_path() */
    bool json;        /* for pb/json; names of enums too */
    bool connect;     /* services for grpc/web/connect.h; json too */
    bool descriptors; /* for reflection */
    bool descriptors_only;
    field_names skip, encode_only, decode_only;
    field_names supplied; /* by functions */
} options;
extern options opt;

void parse_options(const char *parameter);
/* The packages that prefix=NAME is meant for. */
void spread_prefix(const CodeGeneratorRequest *request);
/* prefix=PACKAGE:NAME. */
void map_package(const char *package, const char *prefix);
/* What stands in place of the package of a file; NULL: the package. */
const char *prefix_of(const FileDescriptorProto *file);

/* ---- types --------------------------------------------------------------------------------- */

enum { MAX_PATH = 128 }; /* two numbers for each level of nesting */

/* A message or an enum of any file of the request. */
typedef struct type {
    const FileDescriptorProto *file;
    const struct type *parent; /* the message that it is nested in, or NULL */
    const DescriptorProto *message;
    const EnumDescriptorProto *enumeration;
    char *full_name;  /* "package.Outer.Inner" */
    char *c_name;     /* package_Outer_Inner */
    char **constants; /* of the values of an enum; of the fields that are members of a oneof */
    char **numbers;   /* of the fields */
    char **setters;   /* of the fields that are members of a oneof */
    char **getters;   /* of the same */
    char **defaults;  /* of the fields that have one */
    const FeatureSet *features; /* its own, or NULL */
    int32_t path[MAX_PATH];     /* in SourceCodeInfo */
    size_t path_len;
} type;

extern type *types;
extern size_t type_count;

/* A file of the request, with the C names of what is in it. */
typedef struct {
    const FileDescriptorProto *proto;
    size_t first, end; /* of `types` */
    char **services;   /* package_Service */
    char ***methods;   /* package_Service_Method */
    bool is_generated;
    size_t seen_by; /* number of the last file that was asked for what it may name, from 1 */
} source;
extern source *sources;
extern size_t source_count;
const source *source_of(const FileDescriptorProto *file);
/* NULL: it is not in the request. */
const FileDescriptorProto *find_file(mote_pb_string name);
/* A file that another one imports; fails when it is not in the request. */
const FileDescriptorProto *import_of(const FileDescriptorProto *file, size_t index);

/* Fails when an option names a field that is not there. */
void check_options(void);

/* ---- what a request must be ---------------------------------------------------------------- */

/* The names and numbers in it, before anything is made of them. */
void check_request(const CodeGeneratorRequest *request);
/* The types that fields and methods name. */
void check_types(void);

void collect_files(const CodeGeneratorRequest *request);
void collect_types(void);
/* By the name in a field, as ".package.Message"; fails when there is none. */
const type *find_type(mote_pb_string name, const char *who);

/* Whether a list has a field of a message. */
bool is_named(const field_names *list, const type *message, mote_pb_string field);

/* ---- names --------------------------------------------------------------------------------- */

/* Whether C, C++ or their headers know a name: as a word or a macro; or as a function or a type. */
bool is_word(const char *name);
extern const char *const header_words[]; /* lines of macros, each word with a space behind it */
extern const size_t header_word_count;
bool is_global_word(const char *name);
/* A name that C and C++ take as a member, whatever it is in the .proto. */
char *c_member(mote_pb_string name);
/* "package_Service", with the prefix of the options. */
char *c_scope(const FileDescriptorProto *file, mote_pb_string name);
/* Makes a name that is not in the set, by underscores; and adds it. */
char *unique_name(map *names, char *name);
/* Makes a name that, with each of the endings, is a name of no other thing of the file, by
 * underscores; these names are the file's from now on. What a file gets depends on that file
 * alone: fails when they are those of another file. */
char *claim(const FileDescriptorProto *file, char *stem, const char *const *endings, size_t count);
/* The names of what is declared beside the types. */
void name_constants(type *t);
void name_services(source *s);
void name_file(const FileDescriptorProto *file);

/* ---- types of fields ----------------------------------------------------------------------- */

/* A row of MOTE_PB_TYPES. */
typedef struct {
    const char *constant; /* of MOTE_PB_... */
    const char *member;   /* of mote_pb_opt_... and mote_pb_list_... */
    enum mote_pb_wire wire;
    enum mote_pb_kind kind;
} type_row;
extern const type_row type_rows[];

/* ---- fields -------------------------------------------------------------------------------- */

enum presence { IMPLICIT, EXPLICIT, REQUIRED, REPEATED, PACKED, ONEOF };

enum direction { ENCODE, DECODE, BOTH };

/* A field as it is generated. */
typedef struct {
    const FieldDescriptorProto *proto;
    bool in[3];       /* the tables for encoding, for decoding and for both */
    bool is_supplied; /* by a function, and sent alone */
    const type *sub;  /* message or enum */
    char *member;
    enum presence presence;
    unsigned pb_type; /* enum mote_pb_type */
    int oneof;        /* index of the oneof, -1: none */
    int aux;          /* index in subs, or MOTE_PB_MANY_SUBS: there by its row */
    int index;        /* in the message of the .proto */
} field_plan;

typedef struct {
    const type *type;
    field_plan *fields; /* in the order of the .proto */
    size_t count;
    char **oneofs; /* members; NULL: a synthetic one of proto3 optional */
    char *unknown; /* member of kept unknown fields */
    const type *subs[127];
    size_t sub_count;
    enum { NOT_SIZED, AT_WORK, SIZED } sized;
    bool bounded; /* by its schema: to max_size bytes */
    uint64_t max_size;
    enum { NOT_MEASURED, BEING_MEASURED, MEASURED } measured;
    size_t depth; /* of messages inside of each other, itself included; 0: it may hold itself */
} message_plan;

message_plan *plan_of(const type *t);
/* The bytes of its struct where pointers have 64 bits. */
size_t struct_size(const message_plan *m);

/* ---- parts of the output ------------------------------------------------------------------- */

void put_comment(text *t, const FileDescriptorProto *file, const int32_t *path, size_t path_len,
                 const char *indent);
void put_inside_comment(text *t, mote_pb_string c, const char *indent);
void put_message_struct(text *t, const message_plan *m);
void put_message_table(text *t, const message_plan *m);
/* What the name of a message's table for a direction begins with: its own, or the common one's. */
char *stem_of(const type *t, enum direction d);
bool is_message_type(unsigned pb_type);
bool is_map_entry(const type *message);
/* Whether unknown numbers of an enum are unknown fields. */
bool is_closed(const type *e);
/* The numbers of a closed enum. */
void put_enum_table(text *t, const type *e);
/* What a message and those inside of it need of the encoder or the decoder. */
typedef struct {
    bool values, messages; /* repeated ones */
    bool single;           /* a message that is not repeated */
    bool text, unknown;
    bool strict; /* closed enums or required fields */
    bool supplied;
} needs;
needs needs_of(const type *t, enum direction d);
/* Ends the program before a request of messages that lead to each other, one inside of the other,
 * takes all of the stack. */
void go_deeper(size_t *depth, const type *t);
void put_coders(text *t, const message_plan *m);
void put_enum(text *t, const type *e);
void put_enum_names(text *t, const type *e);
void put_service_header(text *t, const FileDescriptorProto *file, size_t index);
void put_service_source(text *t, const FileDescriptorProto *file, size_t index);
void put_message_names(text *t, const message_plan *m);
void put_message_json(text *t, const message_plan *m);
void put_enum_json(text *t, const type *e);
/* Fields in the order of the table; `count` of them. */
const field_plan **sort_fields(const message_plan *m, enum direction d, size_t *count);
void put_defaults(text *t, const message_plan *m);
/* Whether a default is one of the type of its field. */
bool default_is_valid(const FieldDescriptorProto *f, const type *sub);
void put_sizes(text *t, message_plan *m);
void put_depth(text *t, message_plan *m);
void put_sized_messages(text *t, const FileDescriptorProto *file);
/* The descriptor of a file; the request as it came must be given once before. */
void embed_from(const uint8_t *in, size_t len);
char *c_file(const FileDescriptorProto *file); /* of its descriptor */
char *base_of(mote_pb_string name);            /* of a file, without ".proto" */
void put_file(text *t, const FileDescriptorProto *file);
/* The next field of a message: true when *p is filled and *rest lies behind it. */
bool next_field(mote_pb_bytes *rest, mote_pb_piece *p);
/* The table NAME_symbols of what a descriptor defines; how many there are. */
size_t put_symbols(text *t, const char *name, mote_pb_bytes file);

#endif
