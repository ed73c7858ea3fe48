/* The names that a file defines, sorted, so that reflection finds one of many by a few looks. */
#include "generator.h"

#include <stdlib.h>
#include <string.h>

bool next_field(mote_pb_bytes *rest, mote_pb_piece *p)
{
    mote_pb_splitter s;
    size_t used;

    mote_pb_splitter_init(&s, NULL, 0);
    if (mote_pb_split(&s, rest->data, rest->len, &used, p) <= 0)
        return false;
    rest->data += used;
    rest->len -= used;
    return true;
}

/* What a message of a descriptor is. A value of an enum lies in the scope of the enum (the
 * language's rule), so that an enum is none. */
typedef enum { A_FILE, A_MESSAGE, A_SERVICE, AN_ENUM, A_MEMBER, NOTHING } item_kind;

typedef struct item {
    item_kind is;
    mote_pb_bytes message;
    mote_pb_string name;
    const uint8_t *at;        /* the length of the name */
    const struct item *scope; /* NULL: the package */
    size_t place;             /* of the sorted ones, from 1 */
} item;

/* All of a file, each behind what it lies in. */
static item *items;
static size_t item_count, item_room;

enum { NAME = 1 };

static item_kind kind_of_child(item_kind parent, unsigned number)
{
    static const struct {
        uint8_t parent, number, child;
    } children[] = {
        {A_FILE, 4, A_MESSAGE},   {A_FILE, 5, AN_ENUM},     {A_FILE, 6, A_SERVICE},
        {A_FILE, 7, A_MEMBER},    {A_MESSAGE, 2, A_MEMBER}, {A_MESSAGE, 3, A_MESSAGE},
        {A_MESSAGE, 4, AN_ENUM},  {A_MESSAGE, 6, A_MEMBER}, {A_MESSAGE, 8, A_MEMBER},
        {A_SERVICE, 2, A_MEMBER}, {AN_ENUM, 2, A_MEMBER},
    };

    for (size_t i = 0; i < sizeof children / sizeof children[0]; i++) {
        if (children[i].parent == parent && children[i].number == number)
            return (item_kind)children[i].child;
    }
    return NOTHING;
}

/* The last one counts (encoding.md). */
static void set_name(item *it)
{
    mote_pb_bytes rest = it->message;
    mote_pb_piece p;

    for (const uint8_t *key = rest.data; next_field(&rest, &p); key = rest.data) {
        if (p.number != NAME)
            continue;
        it->name = (mote_pb_string){(const char *)p.data, p.len};
        while (*key >= 128)
            key++;
        it->at = key + 1;
    }
}

static void add_item(item_kind is, mote_pb_bytes message, size_t scope)
{
    if (item_count == item_room) {
        item *more = allocate(2 * (item_room + 64) * sizeof *more);
        if (item_count > 0)
            memcpy(more, items, item_count * sizeof *more);
        items = more;
        item_room = 2 * (item_room + 64);
    }
    items[item_count] = (item){.is = is, .message = message, .place = scope};
    set_name(&items[item_count++]);
}

static void add_children(size_t parent)
{
    mote_pb_bytes rest = items[parent].message;
    mote_pb_piece p;
    size_t scope = items[parent].is == AN_ENUM ? items[parent].place : parent;

    while (next_field(&rest, &p)) {
        item_kind is = kind_of_child(items[parent].is, (unsigned)p.number);
        if (is != NOTHING)
            add_item(is, (mote_pb_bytes){p.data, p.len}, scope);
    }
}

/* While they are collected and may move, `place` is the scope. */
static void collect(mote_pb_bytes file)
{
    item_count = 0;
    add_item(A_FILE, file, 0);
    for (size_t i = 0; i < item_count; i++)
        add_children(i);
    for (size_t i = 1; i < item_count; i++)
        items[i].scope = items[i].place > 0 ? &items[items[i].place] : NULL;
}

static int compare_items(const void *first, const void *second)
{
    const item *a = *(const item *const *)first, *b = *(const item *const *)second;

    for (; a && b; a = a->scope, b = b->scope) {
        int order = view_compare(a->name, b->name);
        if (order != 0)
            return order;
    }
    return (a != NULL) - (b != NULL);
}

static item **sort_items(void)
{
    item **sorted = allocate(item_count * sizeof *sorted);

    for (size_t i = 1; i < item_count; i++)
        sorted[i - 1] = &items[i];
    qsort(sorted, item_count - 1, sizeof *sorted, compare_items);
    for (size_t i = 0; i + 1 < item_count; i++)
        sorted[i]->place = i + 1;
    return sorted;
}

size_t put_symbols(text *t, const char *name, mote_pb_bytes file)
{
    collect(file);
    item **sorted = sort_items();
    text_add(t, "static const mote_pb_symbol %s_symbols[] = {", name);
    for (size_t i = 0; i + 1 < item_count; i++)
        text_add(t, "%s{%zu, %zu},", i % 8 ? " " : "\n    ", (size_t)(sorted[i]->at - file.data),
                 sorted[i]->scope ? sorted[i]->scope->place : 0);
    text_add(t, "%s\n};\n", item_count > 1 ? "" : "\n    {0, 0},");
    return item_count - 1;
}
