/* Protobuf messages by the fields of a mote table: a tree is taken from the bytes, changed in one
 * place, and written again with all lengths right. */
#include "mutator_internal.h"

enum { MAX_NODES = 2048, MAX_DEPTH = 32, TRIES = 200 };

/* A field of a message, or the outermost message (no key). Children form a list. */
typedef struct node {
    const mote_pb_message *type; /* of what is inside; NULL: a number or bytes */
    const mote_pb_field *field;  /* NULL: not in the table */
    struct node *first, *next;   /* inside, behind */
    uint32_t key;
    uint64_t number;
    uint8_t *bytes; /* of MOTE_PB_LEN without a type */
    size_t len;
    size_t size; /* of what is inside, set by measure() */
} node;

typedef struct {
    node nodes[MAX_NODES];
    size_t count;
} tree;

static tree all;

static node *new_node(uint32_t key)
{
    node *n = all.count < MAX_NODES ? &all.nodes[all.count++] : NULL;

    if (n) {
        memset(n, 0, sizeof *n);
        n->key = key;
    }
    return n;
}

static bool is_nested(const mote_pb_field *f)
{
    unsigned type = f->type & 31;

    return f->key != 0 && (type == MOTE_PB_MESSAGE || type == MOTE_PB_GROUP);
}

static const mote_pb_message *type_inside(const mote_pb_message *type, const mote_pb_field *f)
{
    size_t index = f->aux & 0x7fu;

    return type->subs[index < MOTE_PB_MANY_SUBS ? index : index + (size_t)(f - type->fields)];
}

/* ---- reading ------------------------------------------------------------------------------- */

typedef struct {
    const uint8_t *at, *end;
} span;

static bool read_varint(span *s, uint64_t *value)
{
    *value = 0;
    for (unsigned shift = 0; s->at < s->end && shift < 70; shift += 7) {
        uint8_t b = *s->at++;
        *value |= shift < 64 ? (uint64_t)(b & 127) << shift : 0;
        if (b < 128)
            return true;
    }
    return false;
}

static bool read_fixed(span *s, size_t size, uint64_t *value)
{
    *value = 0;
    if ((size_t)(s->end - s->at) < size)
        return false;
    for (size_t i = 0; i < size; i++)
        *value |= (uint64_t)s->at[i] << 8 * i;
    s->at += size;
    return true;
}

/* The field of a number and a wire type; numbers in a packed one are bytes here. */
static const mote_pb_field *find_field(const mote_pb_message *type, uint32_t key)
{
    for (size_t i = 0; type && i < type->field_count; i++) {
        const mote_pb_field *f = &type->fields[i];
        if (f->key != 0 && (f->key == key || (f->key >> 3 == key >> 3 && (key & 7) == MOTE_PB_LEN)))
            return f;
    }
    return NULL;
}

static bool read_fields(node *parent, span *s, uint32_t group, unsigned depth);

static bool read_view(node *n, const mote_pb_message *type, span *s, unsigned depth)
{
    uint64_t len;
    span inside;

    if (!read_varint(s, &len) || len > (uint64_t)(s->end - s->at))
        return false;
    n->bytes = (uint8_t *)s->at;
    n->len = (size_t)len;
    inside = (span){s->at, s->at + len};
    s->at += len;
    if (!n->field || !is_nested(n->field) || (n->field->key & 7) != MOTE_PB_LEN)
        return true;
    n->type = type_inside(type, n->field);
    if (depth == MAX_DEPTH || !read_fields(n, &inside, 0, depth + 1)) {
        n->type = NULL; /* it stays bytes */
        n->first = NULL;
    }
    return true;
}

static bool read_value(node *n, const mote_pb_message *type, span *s, unsigned depth)
{
    switch (n->key & 7) {
    case MOTE_PB_VARINT:
        return read_varint(s, &n->number);
    case MOTE_PB_I64:
        return read_fixed(s, 8, &n->number);
    case MOTE_PB_I32:
        return read_fixed(s, 4, &n->number);
    case MOTE_PB_LEN:
        return read_view(n, type, s, depth);
    case MOTE_PB_SGROUP:
        n->type = n->field && is_nested(n->field) ? type_inside(type, n->field) : NULL;
        return depth < MAX_DEPTH && read_fields(n, s, n->key >> 3, depth + 1);
    default:
        return false;
    }
}

/* Up to the end or, in a group, to its end. */
static bool read_fields(node *parent, span *s, uint32_t group, unsigned depth)
{
    node **last = &parent->first;
    uint64_t key;

    while (s->at < s->end) {
        if (!read_varint(s, &key) || key >> 3 == 0 || key > UINT32_MAX)
            return false;
        if ((key & 7) == MOTE_PB_EGROUP)
            return group > 0 && key >> 3 == group;
        node *n = new_node((uint32_t)key);
        if (!n)
            return false;
        n->field = find_field(parent->type, (uint32_t)key);
        if (!read_value(n, parent->type, s, depth))
            return false;
        *last = n;
        last = &n->next;
    }
    return group == 0;
}

/* ---- writing ------------------------------------------------------------------------------- */

static size_t varint_size(uint64_t v)
{
    size_t n = 1;

    for (; v >= 128; v >>= 7)
        n++;
    return n;
}

static uint8_t *put_varint(uint8_t *to, uint64_t v)
{
    for (; v >= 128; v >>= 7)
        *to++ = (uint8_t)(v | 128);
    *to++ = (uint8_t)v;
    return to;
}

static bool holds_fields(const node *n)
{
    return n->type || n->first || (n->key & 7) == MOTE_PB_SGROUP;
}

static size_t measure(node *n);

static size_t measure_field(node *n)
{
    size_t size = varint_size(n->key);

    switch (n->key & 7) {
    case MOTE_PB_VARINT:
        return size + varint_size(n->number);
    case MOTE_PB_I64:
        return size + 8;
    case MOTE_PB_I32:
        return size + 4;
    case MOTE_PB_SGROUP:
        return 2 * size + measure(n);
    default:
        measure(n);
        return size + varint_size(n->size) + n->size;
    }
}

/* The size of what is inside. */
static size_t measure(node *n)
{
    n->size = holds_fields(n) ? 0 : n->len;
    for (node *k = n->first; k; k = k->next)
        n->size += measure_field(k);
    return n->size;
}

static uint8_t *write_inside(const node *n, uint8_t *to);

static uint8_t *write_field(const node *n, uint8_t *to)
{
    size_t fixed = (n->key & 7) == MOTE_PB_I64 ? 8 : 4;

    to = put_varint(to, n->key);
    switch (n->key & 7) {
    case MOTE_PB_VARINT:
        return put_varint(to, n->number);
    case MOTE_PB_I64:
    case MOTE_PB_I32:
        for (size_t i = 0; i < fixed; i++)
            *to++ = (uint8_t)(n->number >> 8 * i);
        return to;
    case MOTE_PB_SGROUP:
        return put_varint(write_inside(n, to), n->key | MOTE_PB_EGROUP);
    default:
        return write_inside(n, put_varint(to, n->size));
    }
}

static uint8_t *write_inside(const node *n, uint8_t *to)
{
    if (!holds_fields(n)) {
        if (n->len > 0)
            memcpy(to, n->bytes, n->len);
        return to + n->len;
    }
    for (const node *k = n->first; k; k = k->next)
        to = write_field(k, to);
    return to;
}

/* ---- changes ------------------------------------------------------------------------------- */

static uint64_t some_number(conversation *c)
{
    uint64_t n = mote_mutator_number(c);

    switch (roll(c, 4)) {
    case 0:
        return n << 32 | n;
    case 1:
        return 0 - n;
    default:
        return n;
    }
}

/* As the fuzzer would change it in memory, where it compares it with others. */
static void change_number_plain(conversation *c, node *n)
{
    uint8_t bytes[8];
    size_t size = roll(c, 2) ? 4 : 8;

    for (size_t i = 0; i < 8; i++)
        bytes[i] = (uint8_t)(n->number >> 8 * i);
    if (n->field && (n->field->type & 31) == MOTE_PB_BOOL)
        bytes[0] ^= 1;
    else
        mote_mutator_plain(c, bytes, size, size);
    n->number = 0;
    for (size_t i = 0; i < size; i++)
        n->number |= (uint64_t)bytes[i] << 8 * i;
}

static void change_number(conversation *c, node *n)
{
    switch (roll(c, 6)) {
    case 0:
        n->number = some_number(c);
        break;
    case 1:
        n->number += roll(c, 2) ? 1 : UINT64_MAX;
        break;
    case 2:
        n->number ^= (uint64_t)1 << roll(c, 64);
        break;
    default:
        change_number_plain(c, n);
    }
}

static bool can_be_shown(const uint8_t *s, size_t len)
{
    while (len > 0 && s[len - 1] >= 0x20 && s[len - 1] < 0x7f)
        len--;
    return len == 0;
}

/* As long as before, and with two characters or more that were not there: what the fuzzer makes of
 * a text when it puts there what the program has compared it with, and seldom otherwise. */
static bool is_replaced(const uint8_t *was, const uint8_t *is, size_t len)
{
    size_t other = 0;

    for (size_t i = 0; i < len; i++)
        other += memchr(was, is[i], len) == NULL;
    return other > 1 && can_be_shown(is, len);
}

/* Of some tries the first that looks like an answer to a comparison. */
static void answer_comparison(conversation *c, node *n)
{
    uint8_t *to = take_bytes(c, n->len);

    for (int tries = 0; to && n->len > 0 && tries < TRIES; tries++) {
        memcpy(to, n->bytes, n->len);
        if (mote_mutator_plain(c, to, n->len, n->len) == n->len &&
            is_replaced(n->bytes, to, n->len)) {
            n->bytes = to;
            return;
        }
    }
}

static void change_view(conversation *c, node *n)
{
    bool text = n->field && (n->field->type & 31) == MOTE_PB_TEXT;

    if (!n->bytes)
        n->bytes = c->bytes;
    if (n->len > 1 && n->len <= 64 && roll(c, 2)) {
        answer_comparison(c, n);
        return;
    }
    mote_mutator_plain_bytes(c, &n->bytes, &n->len);
    text = text && roll(c, 64) > 0; /* valid UTF-8, as a rule */
    for (size_t i = 0; text && i < n->len; i++)
        n->bytes[i] &= 0x7f;
}

static void change_value(conversation *c, node *n)
{
    if ((n->key & 7) == MOTE_PB_LEN)
        change_view(c, n);
    else
        change_number(c, n);
}

/* A node that holds fields of which the table knows some; the outermost one if need be. */
static node *some_message(conversation *c)
{
    for (int tries = 0; tries < 8; tries++) {
        node *n = &all.nodes[roll(c, (uint32_t)all.count)];
        if (n->type && n->type->field_count > 0)
            return n;
    }
    return &all.nodes[0];
}

/* A new field of a message, and now and then one inside of it. */
static void add_field(conversation *c, node *parent, unsigned depth)
{
    const mote_pb_message *type = parent->type;
    const mote_pb_field *f = &type->fields[roll(c, type->field_count)];
    node *n = f->key != 0 ? new_node(f->key) : NULL;

    if (!n)
        return;
    n->field = f;
    n->bytes = c->bytes;
    if (is_nested(f))
        n->type = type_inside(type, f);
    else if (roll(c, 2))
        change_value(c, n);
    node **at = &parent->first;
    while (*at && (*at)->key <= n->key)
        at = &(*at)->next;
    n->next = *at;
    *at = n;
    if (n->type && n->type->field_count > 0 && depth < MAX_DEPTH && roll(c, 2))
        add_field(c, n, depth + 1);
}

/* The place that points to a node; NULL: it is in none that is in use. */
static node **place_of(const node *wanted)
{
    for (size_t i = 0; i < all.count; i++) {
        for (node **at = &all.nodes[i].first; *at; at = &(*at)->next) {
            if (*at == wanted)
                return at;
        }
    }
    return NULL;
}

static void remove_field(const node *n)
{
    node **at = place_of(n);

    if (at)
        *at = n->next;
}

/* Once more, with the same inside. */
static void repeat_field(node *n)
{
    node *copy = place_of(n) ? new_node(n->key) : NULL;

    if (!copy)
        return;
    *copy = *n;
    n->next = copy;
}

/* The value of another field of its wire type. */
static void take_value(conversation *c, node *n)
{
    const node *from = &all.nodes[roll(c, (uint32_t)all.count)];

    if (from == n || (from->key & 7) != (n->key & 7) || holds_fields(from) || holds_fields(n))
        return;
    n->number = from->number;
    n->bytes = from->bytes;
    n->len = from->len;
}

/* Numbers of a packed field have no keys: one more, at the end. */
static void add_element(conversation *c, node *n)
{
    uint8_t *to = take_bytes(c, n->len + 10), *end;
    uint64_t number = some_number(c);
    unsigned wire = n->field->key & 7;

    if (!to)
        return;
    if (n->len > 0)
        memcpy(to, n->bytes, n->len);
    end = to + n->len;
    if (wire == MOTE_PB_VARINT || wire == MOTE_PB_LEN)
        end = put_varint(end, number);
    for (size_t i = 0; i < (wire == MOTE_PB_I64 ? 8u : wire == MOTE_PB_I32 ? 4u : 0u); i++)
        *end++ = (uint8_t)(number >> 8 * i);
    n->bytes = to;
    n->len = (size_t)(end - to);
}

static bool is_packed(const node *n)
{
    return n->field && (n->key & 7) == MOTE_PB_LEN && (n->field->type >> 5) == MOTE_PB_PACKED >> 5;
}

static void change_node(conversation *c, node *n)
{
    uint32_t what = roll(c, 16);

    if (n == all.nodes || what < 3)
        add_field(c, some_message(c), 0);
    else if (what == 3)
        remove_field(n);
    else if (what == 4)
        repeat_field(n);
    else if (what == 5)
        take_value(c, n);
    else if (holds_fields(n))
        add_field(c, n->type && n->type->field_count > 0 ? n : some_message(c), 0);
    else if (is_packed(n) && roll(c, 2))
        add_element(c, n);
    else
        change_value(c, n);
}

void mote_mutator_change_pb(conversation *c, const mote_pb_message *type, uint8_t **data,
                            size_t *len)
{
    span s = {*data, *data + *len};
    size_t size;
    uint8_t *to;
    node *root;

    all.count = 0;
    root = new_node(0);
    root->type = type;
    if (type->field_count == 0 || !read_fields(root, &s, 0, 0) || roll(c, 32) == 0) {
        mote_mutator_plain_bytes(c, data, len);
        return;
    }
    change_node(c, &all.nodes[roll(c, (uint32_t)all.count)]);
    size = measure(root);
    if (!(to = take_bytes(c, size)))
        return;
    write_inside(root, to);
    *data = to;
    *len = size;
}
