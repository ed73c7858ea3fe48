/* Messages as values: whether two say the same, and a copy of one. */
#include "pb_reader.h"
#include "pb_walk.h"

size_t mote_pb_elements(const mote_pb_field *f, const uint8_t *message, const uint8_t **first)
{
    mote_pb_list list;

    if (mote_pb_is_plural(f)) {
        memcpy(&list, message + f->offset, sizeof list);
        *first = list.items;
        return list.count;
    }
    if (!mote_pb_is_message(f)) {
        *first = mote_pb_single(f, message);
        return *first != NULL;
    }
    *first = NULL;
    if (mote_pb_label_of(f) != MOTE_PB_ONEOF || mote_pb_which(f, message) == f->key >> 3)
        memcpy(first, message + f->offset, sizeof *first);
    return *first != NULL;
}

/* ---- equal --------------------------------------------------------------------------------- */

/* Two messages of one type that are open: the element at work is `inside` of each. */
typedef struct {
    const mote_pb_message *type;
    const uint8_t *a, *b, *inside_a, *inside_b;
    size_t field, left; /* elements */
} equal_level;

static bool values_equal(const mote_pb_field *f, const uint8_t *a, const uint8_t *b, size_t count)
{
    const mote_pb_bytes *views_a = (const void *)a, *views_b = (const void *)b;

    if (mote_pb_info_of(f)->kind != MOTE_PB_VIEW)
        return count == 0 || memcmp(a, b, count * mote_pb_info_of(f)->size) == 0;
    for (size_t i = 0; i < count; i++) {
        size_t len = views_a[i].len;
        if (len != views_b[i].len ||
            (len > 0 && memcmp(views_a[i].data, views_b[i].data, len) != 0))
            return false;
    }
    return true;
}

/* The field at work is looked at; messages in it are what is left to do. */
static bool field_equal(equal_level *l)
{
    const mote_pb_field *f = &l->type->fields[l->field];
    size_t count = mote_pb_elements(f, l->a, &l->inside_a);

    if (count != mote_pb_elements(f, l->b, &l->inside_b))
        return false;
    l->left = mote_pb_is_message(f) ? count : 0;
    return l->left > 0 || values_equal(f, l->inside_a, l->inside_b, count);
}

int mote_pb_equal(const mote_pb_message *type, const void *a, const void *b)
{
    equal_level stack[MOTE_PB_DEPTH], *top = stack;

    *top = (equal_level){.type = type, .a = a, .b = b};
    for (;;) {
        if (top->left > 0) {
            const mote_pb_message *sub =
                mote_pb_sub_of(top->type, &top->type->fields[top->field - 1]);
            const uint8_t *in_a = top->inside_a, *in_b = top->inside_b;
            top->left--;
            top->inside_a += sub->size;
            top->inside_b += sub->size;
            if (top == stack + MOTE_PB_DEPTH - 1)
                return MOTE_PB_ERR_DEPTH;
            *++top = (equal_level){.type = sub, .a = in_a, .b = in_b};
        } else if (top->field == top->type->field_count) {
            if (top-- == stack)
                return 1;
        } else if (!field_equal(top)) {
            return 0;
        } else {
            top->field++;
        }
    }
}

/* ---- copy ---------------------------------------------------------------------------------- */

/* Copies of messages, side by side, whose fields still point to what they were copied from. */
typedef struct {
    const mote_pb_message *type;
    uint8_t *message;
    size_t count, field;
} copy_level;

static void *copy_bytes(mote_pb_reader *arena, const void *from, size_t len)
{
    void *to = len > 0 ? mote_pb_allocate(arena, len) : NULL;

    return to ? memcpy(to, from, len) : NULL;
}

static int copy_views(mote_pb_reader *arena, uint8_t *values, size_t count)
{
    mote_pb_bytes *views = (void *)values;

    for (size_t i = 0; i < count; i++) {
        views[i].data = copy_bytes(arena, views[i].data, views[i].len);
        if (views[i].len > 0 && !views[i].data)
            return MOTE_PB_ERR_ARENA;
    }
    return 0;
}

/* The elements of the field at work are copied, and what points to them is set. *inside: those that
 * are messages. */
static int copy_field(mote_pb_reader *arena, const copy_level *l, copy_level *inside)
{
    const mote_pb_field *f = &l->type->fields[l->field];
    bool is_message = mote_pb_is_message(f);
    const mote_pb_message *sub = is_message ? mote_pb_sub_of(l->type, f) : NULL;
    size_t size = is_message ? sub->size : mote_pb_info_of(f)->size;
    const uint8_t *from;
    size_t count = mote_pb_elements(f, l->message, &from);
    uint8_t *to = (uint8_t *)(uintptr_t)from;

    inside->count = 0;
    if (count == 0)
        return 0;
    if (is_message || mote_pb_is_plural(f)) {
        to = count > SIZE_MAX / size ? NULL : copy_bytes(arena, from, count * size);
        if (!to)
            return MOTE_PB_ERR_ARENA;
        memcpy(l->message + f->offset, &to, sizeof to);
    }
    if (is_message)
        *inside = (copy_level){sub, to, count, 0};
    return mote_pb_info_of(f)->kind == MOTE_PB_VIEW ? copy_views(arena, to, count) : 0;
}

int mote_pb_copy(const mote_pb_message *type, const void *from, void *to, mote_pb_arena *arena)
{
    mote_pb_reader reader = {.arena = arena};
    copy_level stack[MOTE_PB_DEPTH], *top = stack, inside;

    memcpy(to, from, type->size);
    *top = (copy_level){type, to, 1, 0};
    for (;;) {
        if (top->field == top->type->field_count) {
            top->message += top->type->size;
            top->field = 0;
            if (--top->count == 0 && top-- == stack)
                return 0;
            continue;
        }
        int r = copy_field(&reader, top, &inside);
        if (r < 0)
            return r;
        top->field++;
        if (inside.count > 0 && top == stack + MOTE_PB_DEPTH - 1)
            return MOTE_PB_ERR_DEPTH;
        if (inside.count > 0)
            *++top = inside;
    }
}
