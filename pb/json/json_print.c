/*
 * Messages as JSON. A level is a message that is open:
 *
 *   FIELDS -- a list or map begins --> ELEMENTS -- its last element --> FIELDS -- "}" --> gone
 *
 * A Struct or ListValue is a level of ELEMENTS alone, those of its only field.
 */
#include "json_write_internal.h"

enum level_state { FIELDS, ELEMENTS, ALONE };

typedef struct {
    const mote_pb_json *json;
    const uint8_t *message;
    size_t element, count;  /* of the list or map at work */
    const uint8_t *doubles; /* bits of a map's entries whose key comes again; NULL: none */
    uint16_t row;           /* at work */
    bool has_element;       /* of it was written */
    bool comma;             /* something stands before the next field */
    enum level_state state : 8;
} json_level;

typedef struct {
    mote_pb_json_out out;
    const mote_pb_json_options *options;
    mote_pb_arena *arena;
    size_t depth;
    json_level levels[MOTE_PB_DEPTH];
} json_printer;

static int json_push(json_printer *p, const mote_pb_json *json, const uint8_t *message,
                     enum level_state state)
{
    if (p->depth == MOTE_PB_DEPTH)
        return MOTE_PB_ERR_DEPTH;
    p->levels[p->depth++] = (json_level){.json = json, .message = message, .state = state};
    return 0;
}

static bool is_map(const mote_pb_json *json, size_t row)
{
    const mote_pb_json *sub = json->fields[row].sub;

    return mote_pb_json_is_message(&json->type->fields[row]) && sub->form == MOTE_PB_JSON_MAP;
}

static int find_doubles(const json_printer *p, json_level *l)
{
    return mote_pb_json_doubles(p->arena, l->json, l->row, l->message, &l->doubles);
}

/* ---- well-known types ---------------------------------------------------------------------- */

/* What a field that is NULL in an entry of a map or a list says: the largest is an Any. */
static const union {
    uint64_t align;
    uint8_t bytes[64];
} nothing;

/* The member of a oneof that is set; -1: none is. */
static int row_set(const mote_pb_json *json, const uint8_t *message)
{
    for (int i = 0; i < json->type->field_count; i++) {
        const mote_pb_field *f = &json->type->fields[i];
        if (mote_pb_json_label_of(f) == MOTE_PB_ONEOF &&
            *mote_pb_json_which(f, message) == f->key >> 3)
            return i;
    }
    return -1;
}

static int put_seconds(json_printer *p, const mote_pb_json *json, const uint8_t *message)
{
    char text[MOTE_PB_TIMESTAMP_TEXT]; /* longer than MOTE_PB_JSON_DURATION_TEXT */
    int64_t seconds = mote_pb_json_part(json, message, 1);
    int32_t nanos = (int32_t)mote_pb_json_part(json, message, 2);
    size_t len;

    if (json->form == MOTE_PB_JSON_DURATION)
        len = mote_pb_json_duration_text(seconds, nanos, text);
    else
        len = mote_pb_timestamp_text(seconds, nanos, text) ? mote_pb_cstring(text).len : 0;
    if (len == 0)
        return MOTE_PB_JSON_ERR_FORM;
    return mote_pb_json_put_string(&p->out, (mote_pb_string){text, len});
}

/* Field 1 of a message that is nothing but this; a type without it is empty. */
static int put_only(json_printer *p, const mote_pb_json *json, const uint8_t *message)
{
    int row = mote_pb_json_row(json, 1);
    const uint8_t *at = row < 0 ? nothing.bytes : message + json->type->fields[row].offset;

    if (json->form == MOTE_PB_JSON_FIELD_MASK)
        return mote_pb_json_put_mask(&p->out, (const mote_pb_list_string *)(const void *)at);
    if (row < 0)
        return MOTE_PB_JSON_ERR_FORM;
    return mote_pb_json_put_scalar(&p->out, &json->type->fields[row], &json->fields[row], at);
}

/* ListValue and Struct, open at their only field. */
static int write_alone(json_printer *p, const mote_pb_json *json, const uint8_t *message)
{
    int row = mote_pb_json_row(json, 1), r;
    const mote_pb_list_bytes *list;

    mote_pb_json_put(&p->out, json->form == MOTE_PB_JSON_LIST ? "[" : "{");
    r = json_push(p, json, message, ALONE);
    if (r == 0 && row >= 0) {
        list = (const void *)(message + json->type->fields[row].offset);
        p->levels[p->depth - 1].row = (uint16_t)row;
        p->levels[p->depth - 1].count = list->count;
        if (json->form == MOTE_PB_JSON_STRUCT)
            r = find_doubles(p, &p->levels[p->depth - 1]);
    }
    return r;
}

/* ---- Any ----------------------------------------------------------------------------------- */

/* A message without fields: its level ends with the brace of an Any whose content is a value. */
static const mote_pb_message no_fields = {NULL, NULL, 0, 0};
static const mote_pb_json end_of_any = {&no_fields, "", NULL, NULL, 0, MOTE_PB_JSON_OBJECT};

/* Writes what stands before the content of an Any. *json and *message become the content; *json is
 * NULL: it has none, and all is written. */
static int write_any(json_printer *p, const mote_pb_json **json, const uint8_t **message)
{
    int url_row = mote_pb_json_row(*json, 1), value_row = mote_pb_json_row(*json, 2);
    mote_pb_string url = {NULL, 0};
    mote_pb_bytes value = {NULL, 0};

    if (url_row >= 0)
        memcpy(&url, *message + (*json)->type->fields[url_row].offset, sizeof url);
    if (value_row >= 0)
        memcpy(&value, *message + (*json)->type->fields[value_row].offset, sizeof value);
    if (url.len == 0 && value.len == 0) {
        mote_pb_json_put(&p->out, "{}");
        *json = NULL;
        return 0;
    }
    const mote_pb_json_known *known = mote_pb_json_find(p->options, url);
    if (!known)
        return MOTE_PB_JSON_ERR_ANY;
    void *content = mote_pb_json_take(p->arena, known->json->type->size);
    if (!content)
        return MOTE_PB_ERR_ARENA;
    int r = mote_pb_decode(known->decoder, content, value.data, value.len, p->arena, NULL);
    *json = known->json;
    *message = content;
    mote_pb_json_put(&p->out, "{\"@type\":");
    if (r == 0)
        r = mote_pb_json_put_string(&p->out, url);
    if (r == 0)
        r = json_push(p, known->json->form == MOTE_PB_JSON_OBJECT ? known->json : &end_of_any,
                      content, FIELDS);
    if (r < 0)
        return r;
    p->levels[p->depth - 1].comma = true;
    if (known->json->form == MOTE_PB_JSON_OBJECT)
        *json = NULL;
    else
        mote_pb_json_put(&p->out, ",\"value\":");
    return 0;
}

/* ---- messages ------------------------------------------------------------------------------ */

/* A Value: its scalar is written, and then *json is NULL; or its Struct or ListValue is next. */
static int write_value(json_printer *p, const mote_pb_json **json, const uint8_t **message)
{
    int row = row_set(*json, *message);
    double number;

    if (row < 0)
        return MOTE_PB_JSON_ERR_FORM;
    const mote_pb_field *f = &(*json)->type->fields[row];
    const mote_pb_json_field *names = &(*json)->fields[row];
    const uint8_t *at = *message + f->offset;
    if (mote_pb_json_is_message(f)) {
        memcpy(message, at, sizeof *message);
        *json = names->sub;
        return 0;
    }
    *json = NULL;
    if (mote_pb_json_type_of(f) == MOTE_PB_DOUBLE) {
        memcpy(&number, at, sizeof number);
        if (number - number != 0)
            return MOTE_PB_JSON_ERR_FORM;
    }
    return mote_pb_json_put_scalar(&p->out, f, names, at);
}

/* A message begins: what is no object is written at once, of the others their opening. */
static int json_open_message(json_printer *p, const mote_pb_json *json, const uint8_t *message)
{
    int r = 0;

    while (r == 0 && json) {
        if (!message && json->form == MOTE_PB_JSON_OBJECT) {
            mote_pb_json_put(&p->out, "{}");
            return 0;
        }
        if (!message)
            message = nothing.bytes;
        switch (json->form) {
        case MOTE_PB_JSON_ANY:
            r = write_any(p, &json, &message);
            break;
        case MOTE_PB_JSON_VALUE:
            r = write_value(p, &json, &message);
            break;
        case MOTE_PB_JSON_DURATION:
        case MOTE_PB_JSON_TIMESTAMP:
            return put_seconds(p, json, message);
        case MOTE_PB_JSON_FIELD_MASK:
        case MOTE_PB_JSON_WRAPPER:
            return put_only(p, json, message);
        case MOTE_PB_JSON_LIST:
        case MOTE_PB_JSON_STRUCT:
            return write_alone(p, json, message);
        default:
            mote_pb_json_put(&p->out, "{");
            return json_push(p, json, message, FIELDS);
        }
    }
    return r;
}

/* A value of a row, which lies at `at`: for a message a pointer to it. */
static int json_put_value(json_printer *p, const mote_pb_json *json, size_t row, const void *at)
{
    const mote_pb_field *f = &json->type->fields[row];
    const uint8_t *message;

    if (!mote_pb_json_is_message(f))
        return mote_pb_json_put_scalar(&p->out, f, &json->fields[row], at);
    memcpy(&message, at, sizeof message);
    return json_open_message(p, json->fields[row].sub, message);
}

/* ---- lists and maps ------------------------------------------------------------------------ */

static int put_entry(json_printer *p, const mote_pb_json *entry, const uint8_t *message)
{
    int key = mote_pb_json_row(entry, 1), value = mote_pb_json_row(entry, 2);
    const mote_pb_field *fields = entry->type->fields;

    int r = mote_pb_json_put_key(&p->out, &fields[key], &entry->fields[key],
                                 message + fields[key].offset);
    mote_pb_json_put(&p->out, ":");
    return r < 0 ? r : json_put_value(p, entry, (size_t)value, message + fields[value].offset);
}

/* An element of a list or map: in its array, or where its function puts it. */
static int put_element(json_printer *p, const json_level *l, size_t index)
{
    const mote_pb_field *f = &l->json->type->fields[l->row];
    const mote_pb_json_field *names = &l->json->fields[l->row];
    bool is_message = mote_pb_json_is_message(f);
    const mote_pb_json *sub = names->sub;
    union {
        uint64_t number;
        mote_pb_string view;
    } spare;
    const uint8_t *at;

    if (mote_pb_json_label_of(f) == MOTE_PB_SUPPLIED) {
        const mote_pb_supply *supply = (const void *)(l->message + f->offset);
        void *to = is_message ? supply->element : &spare;
        if (!supply->get(supply->user, index, to))
            return MOTE_PB_ERR_SUPPLY;
        at = to;
    } else {
        const mote_pb_list_bytes *list = (const void *)(l->message + f->offset);
        at = (const uint8_t *)list->items +
             index * (is_message ? sub->type->size : mote_pb_json_size_of(f));
    }
    if (!is_message)
        return mote_pb_json_put_scalar(&p->out, f, names, at);
    return is_map(l->json, l->row) ? put_entry(p, sub, at) : json_open_message(p, sub, at);
}

/* The next element of the level on top, or the end of its list. */
static int next_element(json_printer *p, json_level *l)
{
    bool alone = l->state == ALONE;
    bool braces = alone ? l->json->form == MOTE_PB_JSON_STRUCT : is_map(l->json, l->row);

    if (l->element == l->count) {
        mote_pb_json_put(&p->out, braces ? "}" : "]");
        p->depth -= alone;
        l->state = FIELDS;
        l->row++;
        return 0;
    }
    size_t index = l->element++;
    if (l->doubles && l->doubles[index / 8] >> index % 8 & 1)
        return 0;
    if (l->has_element)
        mote_pb_json_put(&p->out, ",");
    l->has_element = true;
    return put_element(p, l, index);
}

/* ---- fields -------------------------------------------------------------------------------- */

static bool is_zero(const uint8_t *at, size_t size)
{
    while (size > 0 && at[size - 1] == 0)
        size--;
    return size == 0;
}

/* Where the value of a field lies that is no list; NULL: it is absent. */
static const uint8_t *present(const mote_pb_field *f, const uint8_t *message)
{
    const uint8_t *at = message + f->offset;
    unsigned label = mote_pb_json_label_of(f);
    mote_pb_bytes view;
    bool has;

    if (label == MOTE_PB_ONEOF)
        return *mote_pb_json_which(f, message) == f->key >> 3 ? at : NULL;
    if (mote_pb_json_is_message(f) || (label == MOTE_PB_IMPLICIT && (f->key & 7) != MOTE_PB_LEN))
        return is_zero(at, mote_pb_json_size_of(f)) ? NULL : at;
    if (label == MOTE_PB_IMPLICIT) {
        memcpy(&view, at, sizeof view);
        return view.len > 0 ? at : NULL;
    }
    if (label != MOTE_PB_OPTIONAL)
        return at;
    memcpy(&has, at, sizeof has);
    return has ? at + mote_pb_json_value_offset(f) : NULL;
}

static size_t count_of(const mote_pb_field *f, const uint8_t *message)
{
    const void *at = message + f->offset;

    return mote_pb_json_label_of(f) == MOTE_PB_SUPPLIED ? ((const mote_pb_supply *)at)->count
                                                        : ((const mote_pb_list_bytes *)at)->count;
}

static int put_name(json_printer *p, json_level *l)
{
    if (l->comma)
        mote_pb_json_put(&p->out, ",");
    l->comma = true;
    int r = mote_pb_json_put_string(&p->out, mote_pb_cstring(l->json->fields[l->row].name));
    mote_pb_json_put(&p->out, ":");
    return r;
}

/* The next field of the level on top, or its end. */
static int next_field(json_printer *p, json_level *l)
{
    if (l->row == l->json->type->field_count) {
        mote_pb_json_put(&p->out, "}");
        p->depth--;
        return 0;
    }
    const mote_pb_field *f = &l->json->type->fields[l->row];
    if (mote_pb_json_label_of(f) == MOTE_PB_UNKNOWN) {
        l->row++;
        return 0;
    }
    if (mote_pb_json_is_list(f) || mote_pb_json_label_of(f) == MOTE_PB_SUPPLIED) {
        l->element = 0;
        l->count = count_of(f, l->message);
        if (l->count == 0) {
            l->row++;
            return 0;
        }
        bool braces = is_map(l->json, l->row);
        int r = put_name(p, l);
        mote_pb_json_put(&p->out, braces ? "{" : "[");
        l->state = ELEMENTS;
        l->has_element = false;
        l->doubles = NULL;
        return r == 0 && braces ? find_doubles(p, l) : r;
    }
    const uint8_t *at = present(f, l->message);
    int r = at ? put_name(p, l) : 0;
    size_t row = l->row++;
    return at && r == 0 ? json_put_value(p, l->json, row, at) : r;
}

int mote_pb_json_print(const mote_pb_json *json, const void *message,
                       const mote_pb_json_options *options, mote_pb_arena *arena,
                       mote_pb_sink *sink, void *context)
{
    json_printer p;
    size_t used = arena ? arena->used : 0;

    p.out = (mote_pb_json_out){sink, context};
    p.options = options;
    p.arena = arena;
    p.depth = 0;
    int r = json_open_message(&p, json, message);
    while (r == 0 && p.depth > 0) {
        json_level *top = &p.levels[p.depth - 1];
        r = top->state == FIELDS ? next_field(&p, top) : next_element(&p, top);
    }
    if (arena)
        arena->used = used;
    return r;
}

typedef struct {
    char *out;
    size_t cap, len;
} json_buffer;

static void json_fill(void *context, const char *bytes, size_t len)
{
    json_buffer *b = context;

    if (b->len < b->cap)
        memcpy(b->out + b->len, bytes, len < b->cap - b->len ? len : b->cap - b->len);
    b->len += len;
}

int mote_pb_json_encode(const mote_pb_json *json, const void *message,
                        const mote_pb_json_options *options, mote_pb_arena *arena, char *out,
                        size_t cap, size_t *len)
{
    json_buffer b = {out, cap, 0};
    int r = mote_pb_json_print(json, message, options, arena, json_fill, &b);

    *len = b.len;
    return r == 0 && b.len > cap ? MOTE_PB_ERR_SPACE : r;
}
