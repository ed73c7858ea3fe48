/*
 * Messages from JSON. A level is a message that is open, and what may stand next in it:
 *
 *   MEMBERS -- "name": [ --> ITEMS -- ] --> MEMBERS -- } --> gone
 *   MEMBERS -- "name": { of a map --> ENTRIES -- } --> MEMBERS
 *
 * A ListValue is a level of ITEMS alone, a Struct one of ENTRIES alone, those of its only field;
 * the content of an Any is a level whose end puts its bytes together.
 */
#include "json_read_internal.h"

/* What was read is to be ignored after all. */
static void drop_element(const mote_pb_json_level *l)
{
    uint8_t *place = l->message + l->json->type->fields[l->row].offset;
    mote_pb_list_bytes list;

    memcpy(&list, place, sizeof list);
    list.count--;
    memcpy(place, &list, sizeof list);
}

/* ---- lists and maps ------------------------------------------------------------------------ */

/* Whether null is a value of the row, and not the absence of one. */
static bool takes_null(const mote_pb_json *json, size_t row)
{
    const mote_pb_field *f = &json->type->fields[row];
    const mote_pb_json *sub = json->fields[row].sub;

    if (mote_pb_json_is_message(f))
        return sub->form == MOTE_PB_JSON_VALUE;
    return mote_pb_json_is_enum(f) && !sub;
}

/* Behind what separates elements or members: 1: the end, `close` was read; 0: there is one more. */
static int next_or(mote_pb_json_parser *p, mote_pb_json_level *l, char close)
{
    char c = mote_pb_json_peek(&p->text);

    if (c == close) {
        p->text.p++;
        return 1;
    }
    if (l->comma) {
        int r = mote_pb_json_expect(&p->text, ',');
        if (r < 0)
            return r;
    }
    l->comma = true;
    return 0;
}

/* A list or map has ended. */
static void end_list(mote_pb_json_parser *p, mote_pb_json_level *l)
{
    if (l->alone) {
        p->depth--;
        return;
    }
    l->state = MOTE_PB_JSON_MEMBERS;
    l->comma = true;
}

/* A value of a row into its place, which for a message is the message. 1: it is to be ignored. */
static int read_into(mote_pb_json_parser *p, const mote_pb_json *json, size_t row, uint8_t *to)
{
    const mote_pb_field *f = &json->type->fields[row];

    if (mote_pb_json_is_message(f))
        return mote_pb_json_open(p, json->fields[row].sub, to);
    return mote_pb_json_scalar(&p->text, f, &json->fields[row], p->options, to);
}

static int next_item(mote_pb_json_parser *p, mote_pb_json_level *l)
{
    int r = next_or(p, l, ']');

    if (r == 1)
        end_list(p, l);
    if (r != 0)
        return r < 0 ? r : 0;
    if (mote_pb_json_peek(&p->text) == 'n' && !takes_null(l->json, l->row))
        return MOTE_PB_JSON_ERR_TYPE;
    uint8_t *element = mote_pb_json_new_element(p, l);
    if (!element)
        return MOTE_PB_ERR_ARENA;
    r = read_into(p, l->json, l->row, element);
    if (r == 1)
        drop_element(l);
    return r < 0 ? r : 0;
}

static int read_name(mote_pb_json_parser *p, mote_pb_string *name)
{
    int r = mote_pb_json_peek(&p->text) == '"' ? mote_pb_json_string(&p->text, name)
                                               : MOTE_PB_JSON_ERR_SYNTAX;

    return r < 0 ? r : mote_pb_json_expect(&p->text, ':');
}

/* The value of an entry, whose struct is `element`. 1: it is to be ignored. */
static int read_entry_value(mote_pb_json_parser *p, const mote_pb_json *entry, uint8_t *element)
{
    int row = mote_pb_json_row(entry, 2);
    const mote_pb_field *f = &entry->type->fields[row];

    if (mote_pb_json_peek(&p->text) == 'n' && !takes_null(entry, (size_t)row))
        return MOTE_PB_JSON_ERR_TYPE;
    if (!mote_pb_json_is_message(f))
        return read_into(p, entry, (size_t)row, element + f->offset);
    uint8_t *message = mote_pb_json_new(p, entry->fields[row].sub);
    if (!message)
        return MOTE_PB_ERR_ARENA;
    memcpy(element + f->offset, &message, sizeof message);
    return read_into(p, entry, (size_t)row, message);
}

static int next_entry(mote_pb_json_parser *p, mote_pb_json_level *l)
{
    const mote_pb_json *entry = l->json->fields[l->row].sub;
    mote_pb_string key;
    int r = next_or(p, l, '}');

    if (r == 1)
        end_list(p, l);
    if (r != 0)
        return r < 0 ? r : 0;
    r = read_name(p, &key);
    if (r < 0)
        return r;
    uint8_t *element = mote_pb_json_new_element(p, l);
    if (!element)
        return MOTE_PB_ERR_ARENA;
    int row = mote_pb_json_row(entry, 1);
    uint8_t *to = element + entry->type->fields[row].offset;
    if (entry->fields[row].is_string)
        memcpy(to, &key, sizeof key);
    else
        r = mote_pb_json_key(&p->text, &entry->type->fields[row], key, to);
    if (r == 0)
        r = read_entry_value(p, entry, element);
    if (r == 1)
        drop_element(l);
    return r < 0 ? r : 0;
}

/* ---- members ------------------------------------------------------------------------------- */

/* The row of a name; -1: it is none of the message's. */
static int json_find_name(const mote_pb_json *json, mote_pb_string name)
{
    size_t low = 0, high = json->name_count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = mote_pb_json_order(name, json->names[middle].name);
        if (order == 0)
            return (int)json->names[middle].row;
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return -1;
}

/* Whether a field, or another member of its oneof, has a value already. */
static bool is_set(const mote_pb_field *f, const uint8_t *message)
{
    const uint8_t *at = message + f->offset;
    const mote_pb_list_bytes *list = (const void *)at;

    if (mote_pb_json_label_of(f) == MOTE_PB_ONEOF)
        return *mote_pb_json_which(f, message) != 0;
    if (mote_pb_json_is_list(f))
        return list->count > 0;
    size_t size = mote_pb_json_size_of(f); /* what begins with `has` too is not zero */
    while (size > 0 && at[size - 1] == 0)
        size--;
    return size > 0;
}

/* Says that a field is there. Returns its place. */
static uint8_t *set_present(const mote_pb_field *f, uint8_t *message)
{
    uint8_t *at = message + f->offset;
    bool has = true;

    if (mote_pb_json_label_of(f) == MOTE_PB_ONEOF) {
        *mote_pb_json_which(f, message) = f->key >> 3;
    } else if (mote_pb_json_label_of(f) == MOTE_PB_OPTIONAL && !mote_pb_json_is_message(f)) {
        memcpy(at, &has, sizeof has);
        return at + mote_pb_json_value_offset(f);
    }
    return at;
}

static int read_single(mote_pb_json_parser *p, mote_pb_json_level *l, size_t row)
{
    const mote_pb_field *f = &l->json->type->fields[row];
    union {
        uint64_t number;
        mote_pb_string view;
    } value;

    if (mote_pb_json_is_message(f)) {
        uint8_t *message = mote_pb_json_new(p, l->json->fields[row].sub);
        if (!message)
            return MOTE_PB_ERR_ARENA;
        memcpy(set_present(f, l->message), &message, sizeof message);
        return read_into(p, l->json, row, message);
    }
    memset(&value, 0, sizeof value);
    int r = read_into(p, l->json, row, (uint8_t *)&value);
    if (r == 0)
        memcpy(set_present(f, l->message), &value, mote_pb_json_size_of(f));
    return r < 0 ? r : 0;
}

/* The value of a field behind its name. */
static int json_read_field(mote_pb_json_parser *p, mote_pb_json_level *l, size_t row)
{
    const mote_pb_field *f = &l->json->type->fields[row];
    const mote_pb_json *sub = l->json->fields[row].sub;
    bool is_list = mote_pb_json_is_list(f);

    if (mote_pb_json_label_of(f) == MOTE_PB_SUPPLIED) /* for messages that are sent */
        return mote_pb_json_skip(&p->text);
    if (mote_pb_json_peek(&p->text) == 'n' && (is_list || !takes_null(l->json, row)))
        return mote_pb_json_word(&p->text, "null");
    if (is_set(f, l->message))
        return MOTE_PB_JSON_ERR_TWICE;
    if (!is_list)
        return read_single(p, l, row);
    bool is_map = mote_pb_json_is_message(f) && sub->form == MOTE_PB_JSON_MAP;
    int r = mote_pb_json_open_with(p, is_map ? '{' : '[');
    l->row = (uint16_t)row;
    l->state = is_map ? MOTE_PB_JSON_ENTRIES : MOTE_PB_JSON_ITEMS;
    l->comma = false;
    l->cap = 0;
    return r;
}

/* "value", of an Any whose content is no object: into its message. */
static int read_any_value(mote_pb_json_parser *p, mote_pb_json_level *l)
{
    if (l->content == MOTE_PB_JSON_AS_VALUE_READ)
        return MOTE_PB_JSON_ERR_TWICE;
    l->content = MOTE_PB_JSON_AS_VALUE_READ;
    return mote_pb_json_open(p, l->json, l->message);
}

static int next_member(mote_pb_json_parser *p, mote_pb_json_level *l)
{
    mote_pb_string name;
    int r = next_or(p, l, '}');

    if (r == 1) {
        r = l->known ? mote_pb_json_close_any(p, l) : 0;
        p->depth--;
        return r;
    }
    if (r == 0)
        r = read_name(p, &name);
    if (r < 0)
        return r;
    if (l->known && mote_pb_json_is_type_name(name))
        return mote_pb_json_skip(&p->text);
    bool is_value = l->content >= MOTE_PB_JSON_AS_VALUE;
    if (is_value && name.len == 5 && memcmp(name.data, "value", 5) == 0)
        return read_any_value(p, l);
    int row = is_value ? -1 : json_find_name(l->json, name);
    if (row >= 0)
        return json_read_field(p, l, (size_t)row);
    return p->options && p->options->ignore_unknown ? mote_pb_json_skip(&p->text)
                                                    : MOTE_PB_JSON_ERR_NAME;
}

static int read_all(mote_pb_json_parser *p, const mote_pb_json *json, void *message)
{
    int r = mote_pb_json_open(p, json, message);

    while (r == 0 && p->depth > 0) {
        mote_pb_json_level *top = mote_pb_json_top(p);
        if (top->state == MOTE_PB_JSON_MEMBERS)
            r = next_member(p, top);
        else
            r = top->state == MOTE_PB_JSON_ITEMS ? next_item(p, top) : next_entry(p, top);
    }
    if (r == 0 && (mote_pb_json_peek(&p->text) != '\0' || p->text.p < p->text.end))
        r = MOTE_PB_JSON_ERR_SYNTAX;
    return r < 0 ? r : 0;
}

int mote_pb_json_decode(const mote_pb_json *json, void *message, const char *text, size_t len,
                        const mote_pb_json_options *options, mote_pb_arena *arena, size_t *offset)
{
    mote_pb_json_parser p;

    p.text = (mote_pb_json_text){text, text + len, arena};
    p.options = options;
    p.depth = 0;
    memset(message, 0, json->type->size);
    int r = read_all(&p, json, message);
    if (offset)
        *offset = (size_t)(p.text.p - text);
    return r;
}
