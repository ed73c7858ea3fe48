/* google.protobuf's own messages from JSON: what is no object of its fields. */
#include "json_read_internal.h"

/* ---- well-known types ---------------------------------------------------------------------- */

/* A member by its number, where the struct has it. */
static void set_member(const mote_pb_json *json, uint8_t *message, uint32_t number,
                       const void *from, size_t size)
{
    int row = mote_pb_json_row(json, number);

    if (row >= 0)
        memcpy(message + json->type->fields[row].offset, from, size);
}

static int read_seconds(mote_pb_json_parser *p, const mote_pb_json *json, uint8_t *message)
{
    mote_pb_string s;
    int64_t seconds;
    int32_t nanos;

    if (mote_pb_json_peek(&p->text) != '"')
        return MOTE_PB_JSON_ERR_TYPE;
    int r = mote_pb_json_string(&p->text, &s);
    if (r == 0)
        r = json->form == MOTE_PB_JSON_DURATION ? mote_pb_json_read_duration(s, &seconds, &nanos)
                                                : mote_pb_json_read_timestamp(s, &seconds, &nanos);
    if (r < 0)
        return r;
    set_member(json, message, 1, &seconds, sizeof seconds);
    set_member(json, message, 2, &nanos, sizeof nanos);
    return 0;
}

/* A path in lowerCamelCase to one of the .proto's names, into the arena. */
static int read_path(mote_pb_json_parser *p, mote_pb_string path, mote_pb_string *out)
{
    char *to = mote_pb_json_take(p->text.arena, 2 * path.len + 1);

    *out = (mote_pb_string){to, 0};
    if (!to)
        return MOTE_PB_ERR_ARENA;
    for (size_t i = 0; i < path.len; i++) {
        char c = path.data[i];
        if (c == '_')
            return MOTE_PB_JSON_ERR_TYPE;
        if (c >= 'A' && c <= 'Z') {
            to[out->len++] = '_';
            c = (char)(c - 'A' + 'a');
        }
        to[out->len++] = c;
    }
    return 0;
}

static int read_mask(mote_pb_json_parser *p, const mote_pb_json *json, uint8_t *message)
{
    mote_pb_json_level list = {.json = json, .message = message};
    int row = mote_pb_json_row(json, 1), r;
    mote_pb_string s, path;

    if (mote_pb_json_peek(&p->text) != '"')
        return MOTE_PB_JSON_ERR_TYPE;
    r = mote_pb_json_string(&p->text, &s);
    list.row = (uint16_t)row;
    while (r == 0 && s.len > 0 && row >= 0) {
        size_t len = 0;
        while (len < s.len && s.data[len] != ',')
            len++;
        size_t taken = len + (len < s.len); /* with the comma */
        r = read_path(p, (mote_pb_string){s.data, len}, &path);
        uint8_t *element = r == 0 ? mote_pb_json_new_element(p, &list) : NULL;
        if (element)
            memcpy(element, &path, sizeof path);
        else if (r == 0)
            r = MOTE_PB_ERR_ARENA;
        s.data += taken;
        s.len -= taken;
    }
    return r;
}

/* Struct, ListValue: open at their only field. */
static int json_open_alone(mote_pb_json_parser *p, const mote_pb_json *json, uint8_t *message)
{
    int row = mote_pb_json_row(json, 1);
    bool is_list = json->form == MOTE_PB_JSON_LIST;
    int r = mote_pb_json_open_with(p, is_list ? '[' : '{');

    if (r == 0)
        r = row < 0 ? MOTE_PB_JSON_ERR_NAME : mote_pb_json_push(p, json, message);
    if (r < 0)
        return r;
    mote_pb_json_top(p)->row = (uint16_t)row;
    mote_pb_json_top(p)->state = is_list ? MOTE_PB_JSON_ITEMS : MOTE_PB_JSON_ENTRIES;
    mote_pb_json_top(p)->alone = true;
    return 0;
}

/* Sets the member `number` of the oneof of a Value, and of google.protobuf.Value in no other. */
static int read_scalar_of(mote_pb_json_parser *p, const mote_pb_json *json, uint8_t *message,
                          uint32_t number)
{
    int row = mote_pb_json_row(json, number);

    if (row < 0)
        return MOTE_PB_JSON_ERR_NAME;
    const mote_pb_field *f = &json->type->fields[row];
    if (mote_pb_json_label_of(f) == MOTE_PB_ONEOF)
        *mote_pb_json_which(f, message) = number;
    return mote_pb_json_scalar(&p->text, f, &json->fields[row], p->options, message + f->offset);
}

/* A Value: its scalar is read, and then *json is NULL; or its Struct or ListValue is next. */
static int json_open_value(mote_pb_json_parser *p, const mote_pb_json **json, uint8_t **message)
{
    enum { NULL_VALUE = 1, NUMBER, STRING, BOOL, STRUCT, LIST };
    const mote_pb_json *value = *json;
    char first = mote_pb_json_peek(&p->text);

    if (first != '{' && first != '[') {
        *json = NULL;
        return read_scalar_of(p, value, *message,
                              first == 'n'                   ? NULL_VALUE
                              : first == '"'                 ? STRING
                              : first == 't' || first == 'f' ? BOOL
                                                             : NUMBER);
    }
    int row = mote_pb_json_row(value, first == '{' ? STRUCT : LIST);
    if (row < 0)
        return MOTE_PB_JSON_ERR_NAME;
    const mote_pb_field *f = &value->type->fields[row];
    *json = value->fields[row].sub;
    uint8_t *inner = mote_pb_json_new(p, *json);
    if (!inner)
        return MOTE_PB_ERR_ARENA;
    *mote_pb_json_which(f, *message) = f->key >> 3;
    memcpy(*message + f->offset, &inner, sizeof inner);
    *message = inner;
    return 0;
}

/* ---- Any ----------------------------------------------------------------------------------- */

bool mote_pb_json_is_type_name(mote_pb_string s)
{
    return s.len == 5 && memcmp(s.data, "@type", 5) == 0;
}

/* What "@type" says, wherever it stands in the object whose brace was read. *url is as it was: it
 * does not stand there. */
static int find_type_url(const mote_pb_json_parser *p, mote_pb_string *url, bool *is_empty)
{
    mote_pb_json_text t = p->text;
    mote_pb_string name = {NULL, 0};
    int r = 0;

    *is_empty = mote_pb_json_peek(&t) == '}';
    while (r == 0 && !mote_pb_json_is_type_name(name) && mote_pb_json_peek(&t) == '"') {
        r = mote_pb_json_string(&t, &name);
        if (r == 0)
            r = mote_pb_json_expect(&t, ':');
        if (r == 0 && mote_pb_json_is_type_name(name))
            r = mote_pb_json_peek(&t) == '"' ? mote_pb_json_string(&t, url) : MOTE_PB_JSON_ERR_TYPE;
        else if (r == 0)
            r = mote_pb_json_skip(&t);
        if (r == 0 && mote_pb_json_peek(&t) == ',')
            t.p++;
    }
    return r;
}

static int json_open_any(mote_pb_json_parser *p, const mote_pb_json *json, uint8_t *message)
{
    mote_pb_string url = {NULL, 0};
    bool is_empty = false;
    int r = mote_pb_json_open_with(p, '{');

    if (r == 0)
        r = find_type_url(p, &url, &is_empty);
    if (r == 0 && is_empty)
        return mote_pb_json_expect(&p->text, '}');
    if (r < 0)
        return r;
    const mote_pb_json_known *known = mote_pb_json_find(p->options, url);
    if (!known)
        return MOTE_PB_JSON_ERR_ANY;
    uint8_t *content = mote_pb_json_new(p, known->json);
    r = content ? mote_pb_json_push(p, known->json, content) : MOTE_PB_ERR_ARENA;
    if (r < 0)
        return r;
    set_member(json, message, 1, &url, sizeof url);
    mote_pb_json_top(p)->known = known;
    mote_pb_json_top(p)->any_json = json;
    mote_pb_json_top(p)->any = message;
    mote_pb_json_top(p)->content =
        known->json->form == MOTE_PB_JSON_OBJECT ? MOTE_PB_JSON_AS_OBJECT : MOTE_PB_JSON_AS_VALUE;
    return 0;
}

/* The content of an Any is complete. */
int mote_pb_json_close_any(mote_pb_json_parser *p, const mote_pb_json_level *l)
{
    size_t len;
    int r = mote_pb_size(l->known->encoder, l->message, &len);
    uint8_t *bytes = r == 0 ? mote_pb_json_take(p->text.arena, len) : NULL;

    if (r == 0)
        r = bytes ? mote_pb_encode(l->known->encoder, l->message, bytes, len, &len)
                  : MOTE_PB_ERR_ARENA;
    mote_pb_bytes value = {bytes, len};
    if (r == 0)
        set_member(l->any_json, l->any, 2, &value, sizeof value);
    return r;
}

/* ---- messages ------------------------------------------------------------------------------ */

/* A message begins: what is no object is read whole, of the others the opening. */
int mote_pb_json_open(mote_pb_json_parser *p, const mote_pb_json *json, uint8_t *message)
{
    int r = 0;

    while (r == 0 && json) {
        switch (json->form) {
        case MOTE_PB_JSON_ANY:
            return json_open_any(p, json, message);
        case MOTE_PB_JSON_VALUE:
            r = json_open_value(p, &json, &message);
            break;
        case MOTE_PB_JSON_DURATION:
        case MOTE_PB_JSON_TIMESTAMP:
            return read_seconds(p, json, message);
        case MOTE_PB_JSON_FIELD_MASK:
            return read_mask(p, json, message);
        case MOTE_PB_JSON_WRAPPER:
            return read_scalar_of(p, json, message, 1);
        case MOTE_PB_JSON_LIST:
        case MOTE_PB_JSON_STRUCT:
            return json_open_alone(p, json, message);
        default:
            r = mote_pb_json_open_with(p, '{');
            return r < 0 ? r : mote_pb_json_push(p, json, message);
        }
    }
    return r;
}
