/*
 * What a request must be: checked once, before anything is made of it. A request of protoc is
 * valid; one that anybody else has written may hold any bytes, and nothing but identifiers, known
 * types and numbers in range gets behind this file.
 */
#include "generator.h"

#include <string.h>

enum { PROTO_OPTIONAL = 1, PROTO_REPEATED = 3, MAX_NUMBER = 536870911 };
enum { EDITION_2023 = 1000, EDITION_2024 = 1001 };

/* ---- names --------------------------------------------------------------------------------- */

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static bool is_identifier(mote_pb_string s)
{
    for (size_t i = 0; i < s.len; i++) {
        if (!is_letter(s.data[i]) && (i == 0 || s.data[i] < '0' || s.data[i] > '9'))
            return false;
    }
    return s.len > 0;
}

static void check_name(mote_pb_string name, const char *where)
{
    if (!is_identifier(name))
        fail("%s: '%.*s' is no identifier", where, S(name));
}

static void check_package(const FileDescriptorProto *f)
{
    size_t start = 0;

    for (size_t i = 0; f->package.len > 0 && i <= f->package.len; i++) {
        if (i < f->package.len && f->package.data[i] != '.')
            continue;
        if (!is_identifier((mote_pb_string){f->package.data + start, i - start}))
            fail("%.*s: the package '%.*s' is no name", S(f->name), S(f->package));
        start = i + 1;
    }
}

/* It goes into #include lines and strings. */
static void check_file_name(mote_pb_string name)
{
    for (size_t i = 0; i < name.len; i++) {
        unsigned char c = (unsigned char)name.data[i];
        if (c < 0x20 || c == 0x7f || c == '"' || c == '\\' ||
            (c == '?' && i > 0 && name.data[i - 1] == '?'))
            fail("'%.*s' is no name of a file: no control characters, quotes, backslashes and ??",
                 S(name));
    }
    if (name.len == 0)
        fail("a file has no name");
}

/* ---- features ------------------------------------------------------------------------------ */

static void check_features(const FeatureSet *f, const char *where)
{
    const struct {
        const char *name;
        uint32_t value, largest;
    } rows[] = {{"field_presence", f ? f->field_presence : 0, 3},
                {"enum_type", f ? f->enum_type : 0, 2},
                {"repeated_field_encoding", f ? f->repeated_field_encoding : 0, 2},
                {"utf8_validation", f ? f->utf8_validation : 0, 3},
                {"message_encoding", f ? f->message_encoding : 0, 2}};

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (rows[i].value > rows[i].largest)
            fail("%s: features.%s = %u is not known: this generator knows editions to 2024", where,
                 rows[i].name, rows[i].value);
    }
}

/* ---- messages and enums -------------------------------------------------------------------- */

static void check_field(const DescriptorProto *m, const FieldDescriptorProto *f, const char *where)
{
    check_name(f->name, where);
    where = format("%s.%.*s", where, S(f->name));
    if (f->number < 1 || f->number > MAX_NUMBER)
        fail("%s: its number %d is not in 1..%d", where, f->number, MAX_NUMBER);
    if (f->label < PROTO_OPTIONAL || f->label > PROTO_REPEATED)
        fail("%s: its label %d is not known", where, f->label);
    if (f->type < MOTE_PB_DOUBLE || f->type > MOTE_PB_SINT64)
        fail("%s: its type %d is not known", where, f->type);
    if (f->oneof_index.has &&
        (f->oneof_index.value < 0 || (size_t)f->oneof_index.value >= m->oneof_decl.count))
        fail("%s: there is no oneof %d in its message", where, f->oneof_index.value);
    if (f->oneof_index.has && f->label != PROTO_OPTIONAL)
        fail("%s: a member of a oneof is neither required nor repeated", where);
    if (f->default_value.has && f->label == PROTO_REPEATED)
        fail("%s: a repeated field has no default", where);
    check_features(f->options ? f->options->features : NULL, where);
}

static void check_numbers(const DescriptorProto *m, const char *where)
{
    map seen = {0};

    for (size_t i = 0; i < m->field.count; i++) {
        const int32_t *number = &m->field.items[i].number;
        if (map_get(&seen, (const char *)number, sizeof *number))
            fail("%s: two fields have the number %d", where, *number);
        map_set(&seen, (const char *)number, sizeof *number, m);
    }
}

static void check_map_entry(const DescriptorProto *m, const char *where)
{
    const FieldDescriptorProto *f = m->field.items;

    if (m->field.count != 2 || f[0].number != 1 || f[1].number != 2 ||
        f[0].label != PROTO_OPTIONAL || f[1].label != PROTO_OPTIONAL || f[0].oneof_index.has ||
        f[1].oneof_index.has || type_rows[f[0].type].kind == MOTE_PB_NESTED)
        fail("%s: the entry of a map has a key and a value and nothing else", where);
}

static void check_enum(const EnumDescriptorProto *e, const char *scope)
{
    check_name(e->name, scope);
    char *where = format("%s.%.*s", scope, S(e->name));
    if (e->value.count == 0)
        fail("%s: an enum without values", where);
    for (size_t i = 0; i < e->value.count; i++)
        check_name(e->value.items[i].name, where);
    check_features(e->options ? e->options->features : NULL, where);
}

/* It calls itself for nested messages: the decoder has let in 100 levels at the most. */
static void check_message(const DescriptorProto *m, const char *scope, size_t depth)
{
    check_name(m->name, scope);
    char *where = format("%s.%.*s", scope, S(m->name));
    if (2 * depth + 4 > MAX_PATH)
        fail("%s: messages are nested more than %d deep", where, MAX_PATH / 2 - 2);
    for (size_t i = 0; i < m->field.count; i++)
        check_field(m, &m->field.items[i], where);
    check_numbers(m, where);
    for (size_t i = 0; i < m->oneof_decl.count; i++)
        check_name(m->oneof_decl.items[i].name, where);
    if (m->options && m->options->map_entry)
        check_map_entry(m, where);
    for (size_t i = 0; i < m->enum_type.count; i++)
        check_enum(&m->enum_type.items[i], where);
    for (size_t i = 0; i < m->nested_type.count; i++)
        check_message(&m->nested_type.items[i], where, depth + 1);
    check_features(m->options ? m->options->features : NULL, where);
}

/* ---- files --------------------------------------------------------------------------------- */

static void check_service(const ServiceDescriptorProto *s, const char *scope)
{
    check_name(s->name, scope);
    char *where = format("%s.%.*s", scope, S(s->name));
    for (size_t i = 0; i < s->method.count; i++)
        check_name(s->method.items[i].name, where);
}

static void check_syntax(const FileDescriptorProto *f)
{
    bool is_editions = view_is(f->syntax, "editions");

    if (f->syntax.len > 0 && !is_editions && !view_is(f->syntax, "proto2") &&
        !view_is(f->syntax, "proto3"))
        fail("%.*s: the syntax '%.*s' is not known", S(f->name), S(f->syntax));
    if (is_editions && (f->edition < EDITION_2023 || f->edition > EDITION_2024))
        fail("%.*s: edition %d is not known: this generator knows 2023 (%d) and 2024 (%d)",
             S(f->name), f->edition, EDITION_2023, EDITION_2024);
}

static void check_file(const FileDescriptorProto *f)
{
    check_file_name(f->name);
    char *where = format("%.*s", S(f->name));
    check_package(f);
    check_syntax(f);
    check_features(f->options ? f->options->features : NULL, where);
    for (size_t i = 0; i < f->message_type.count; i++)
        check_message(&f->message_type.items[i], where, 1);
    for (size_t i = 0; i < f->enum_type.count; i++)
        check_enum(&f->enum_type.items[i], where);
    for (size_t i = 0; i < f->service.count; i++)
        check_service(&f->service.items[i], where);
    for (size_t i = 0; i < f->dependency.count; i++)
        check_file_name(f->dependency.items[i]);
    for (size_t i = 0; i < f->public_dependency.count; i++) {
        if (f->public_dependency.items[i] < 0 ||
            (size_t)f->public_dependency.items[i] >= f->dependency.count)
            fail("%s: there is no import %d", where, f->public_dependency.items[i]);
    }
}

void check_request(const CodeGeneratorRequest *request)
{
    for (size_t i = 0; i < request->proto_file.count; i++)
        check_file(&request->proto_file.items[i]);
}

/* ---- types that are named ------------------------------------------------------------------ */

static source *import_at(const FileDescriptorProto *f, size_t index)
{
    return &sources[source_of(import_of(f, index)) - sources];
}

/* What a file imports publicly is seen where it is. True: that was new. */
static bool see_public(const source *seen)
{
    const FileDescriptorProto *f = seen->proto;
    bool is_new = false;

    for (size_t i = 0; i < f->public_dependency.count; i++) {
        source *import = import_at(f, (size_t)f->public_dependency.items[i]);
        is_new = is_new || import->seen_by != seen->seen_by;
        import->seen_by = seen->seen_by;
    }
    return is_new;
}

/* Marks the files whose types a file may name: itself, its imports, and what those import publicly.
 * The files of a request come in any order. */
static void mark_imports(source *from)
{
    size_t number = (size_t)(from - sources) + 1;
    bool is_new = true;

    for (size_t i = 0; i < from->proto->dependency.count; i++)
        import_at(from->proto, i)->seen_by = number;
    from->seen_by = number;
    while (is_new) {
        is_new = false;
        for (size_t i = 0; i < source_count; i++)
            is_new = (sources[i].seen_by == number && see_public(&sources[i])) || is_new;
    }
}

static bool imports_are_placed(const FileDescriptorProto *f)
{
    for (size_t i = 0; i < f->dependency.count; i++) {
        if (import_at(f, i)->seen_by == 0)
            return false;
    }
    return true;
}

/* Files can be written one behind the other, each behind what it imports: those that are placed
 * are marked. */
static void check_circles(void)
{
    size_t placed = 0, before;

    do {
        before = placed;
        for (size_t i = 0; i < source_count; i++) {
            if (sources[i].seen_by == 0 && imports_are_placed(sources[i].proto)) {
                sources[i].seen_by = source_count + 1;
                placed++;
            }
        }
    } while (placed > before);
    for (size_t i = 0; i < source_count; i++) {
        if (sources[i].seen_by == 0)
            fail("%.*s: it imports itself, or what does", S(sources[i].proto->name));
    }
}

/* A type that this file may name. */
static const type *visible_type(const source *from, mote_pb_string name, const char *where)
{
    const type *t = find_type(name, where);

    if (source_of(t->file)->seen_by != (size_t)(from - sources) + 1)
        fail("%s: its type %s is in %.*s: import the file", where, t->full_name, S(t->file->name));
    return t;
}

enum { REPEATED_LABEL = 3 };

/* An entry is that of one map, a repeated field beside it: no other thing names it. */
static void check_entry(const type *sub, const type *outer, int32_t label, const char *where)
{
    if (is_map_entry(sub) && (!outer || sub->parent != outer || label != REPEATED_LABEL))
        fail("%s: its type %s is the entry of a map", where, sub->full_name);
}

static void check_reference(const source *from, const type *outer, const FieldDescriptorProto *f,
                            const char *where)
{
    bool is_message = type_rows[f->type].kind == MOTE_PB_NESTED;
    const type *sub = NULL;

    if (is_message || f->type == MOTE_PB_ENUM_TYPE) {
        sub = visible_type(from, f->type_name, where);
        if (is_message != (sub->message != NULL))
            fail("%s: its type %s is %s", where, sub->full_name,
                 is_message ? "an enum and no message" : "a message and no enum");
        if (is_message)
            check_entry(sub, outer, f->label, where);
    }
    if (f->default_value.has && !default_is_valid(f, sub))
        fail("%s: its default '%.*s' is not one of its type", where, S(f->default_value.value));
}

static void check_method(const source *from, mote_pb_string name, mote_pb_string of)
{
    char *where = format("%.*s: %.*s", S(from->proto->name), S(name));

    const type *t = visible_type(from, of, where);
    if (!t->message)
        fail("%s: its type %.*s is an enum and no message", where, S(of));
    check_entry(t, NULL, 0, where);
}

static void check_types_of(const source *from)
{
    const FileDescriptorProto *f = from->proto;

    for (size_t i = from->first; i < from->end; i++) {
        const DescriptorProto *m = types[i].message;
        for (size_t k = 0; m && k < m->field.count; k++)
            check_reference(
                from, &types[i], &m->field.items[k],
                format("%.*s: %s.%.*s", S(f->name), types[i].full_name, S(m->field.items[k].name)));
    }
    for (size_t s = 0; s < f->service.count; s++) {
        for (size_t k = 0; k < f->service.items[s].method.count; k++) {
            const MethodDescriptorProto *m = &f->service.items[s].method.items[k];
            check_method(from, m->name, m->input_type);
            check_method(from, m->name, m->output_type);
        }
    }
}

void check_types(void)
{
    check_circles();
    for (size_t i = 0; i < source_count; i++) {
        mark_imports(&sources[i]);
        check_types_of(&sources[i]);
    }
}
