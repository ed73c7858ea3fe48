/* Encoder of what not every schema has: repeated fields, unknown ones that were kept, messages
 * inside of messages. */
#include "pb_writer.h"

/* ---- repeated and unknown fields ----------------------------------------------------------- */

static void put_unknown_fields(mote_pb_writer *w, const mote_pb_list_bytes *list)
{
    for (size_t i = list->count; i > 0; i--)
        mote_pb_put(w, list->items[i - 1].data, list->items[i - 1].len);
}

/* The values of a packed field at once, where that is possible. */
static inline bool put_packed(mote_pb_writer *w, const mote_pb_field *f, const mote_pb_list *list)
{
    const mote_pb_type_info *info = mote_pb_info_of(f);
    const uint8_t *items = list->items;

    if ((f->key & 7) != MOTE_PB_VARINT) {
        if (MOTE_PB_LITTLE_ENDIAN)
            mote_pb_put(w, items, list->count * info->size);
        return MOTE_PB_LITTLE_ENDIAN;
    }
    if ((size_t)(w->p - w->start) / MOTE_PB_NUMBER_SIZE < list->count)
        return false;
    uint8_t *p = w->p;
    for (size_t i = list->count; i > 0; i--)
        p = mote_pb_push_number(p, mote_pb_number(info, items + (i - 1) * info->size));
    w->p = p;
    return true;
}

void mote_pb_put_list(mote_pb_writer *w, const mote_pb_field *f, const void *place)
{
    const mote_pb_list *list = place;
    size_t end = mote_pb_written(w);

    if (mote_pb_label_of(f) == MOTE_PB_UNKNOWN) { /* as they came */
        put_unknown_fields(w, place);
        return;
    }
    bool is_packed = mote_pb_label_of(f) == MOTE_PB_PACKED;
    size_t left = list->count;
    if (MOTE_PB_SHORTCUTS && is_packed && put_packed(w, f, list)) {
        MOTE_PB_LOOKED_AT(left);
        left = 0;
    }
    for (size_t i = left; i > 0; i--) {
        mote_pb_put_value(w, f, (const uint8_t *)list->items + (i - 1) * mote_pb_info_of(f)->size);
        if (mote_pb_label_of(f) == MOTE_PB_REPEATED)
            mote_pb_put_number(w, f->key);
    }
    if (is_packed && list->count > 0) {
        mote_pb_put_number(w, mote_pb_written(w) - end);
        mote_pb_put_number(w, (f->key & ~7u) | MOTE_PB_LEN);
    }
}

/* ---- sub-messages -------------------------------------------------------------------------- */

/* Of the elements of a message field the one before `later`, or the last when that is NULL; NULL:
 * there is none. */
static const uint8_t *element_before(const mote_pb_frame *top, const mote_pb_field *f, size_t size,
                                     const uint8_t *later)
{
    const uint8_t *place = top->message + f->offset;
    const uint8_t *first;
    size_t count = 1;

    memcpy(&first, place, sizeof first);
    if (later)
        return later == first ? NULL : later - size;
    if (mote_pb_label_of(f) == MOTE_PB_ONEOF && mote_pb_which(f, top->message) != f->key >> 3)
        return NULL;
    if (mote_pb_label_of(f) != MOTE_PB_REPEATED)
        return first;
    memcpy(&count, place + offsetof(mote_pb_list, count), sizeof count);
    return count > 0 ? first + (count - 1) * size : NULL;
}

/* Prefix of the sub-message that was just written. */
static void put_sub_prefix(mote_pb_writer *w, const mote_pb_field *f, size_t len)
{
    if (mote_pb_type_of(f) == MOTE_PB_MESSAGE)
        mote_pb_put_number(w, len);
    mote_pb_put_number(w, f->key);
}

int mote_pb_put_deep(mote_pb_writer *w, const mote_pb_message *type, const void *message,
                     mote_pb_frame *stack, mote_pb_frame *last)
{
    mote_pb_frame *top = stack;
    const uint8_t *element = message;

    if (MOTE_PB_SHORTCUTS)
        return mote_pb_put_host(w, type, message, stack, last);
    for (;;) {
        const mote_pb_field *f;
        size_t fields = type->field_count;
        top->type = type;
        top->message = element;
        top->end = mote_pb_written(w);
        do {
            fields = mote_pb_put_fields(w, top->type, top->message, fields);
            element = NULL;
            if (fields > 0) {
                fields--;
            } else { /* done with this one: back to the message it is in */
                size_t len = mote_pb_written(w) - top->end;
                if (top == stack)
                    return 0;
                element = top->message;
                top--;
                fields = top->field;
                put_sub_prefix(w, &top->type->fields[fields], len);
            }
            f = &top->type->fields[fields];
            type = mote_pb_sub_of(top->type, f);
            const uint8_t *later = element;
            element = element_before(top, f, type->size, later);
            if (!element && !later && mote_pb_label_of(f) == MOTE_PB_REQUIRED)
                return MOTE_PB_ERR_REQUIRED;
        } while (!element);
        if (top == last)
            return MOTE_PB_ERR_DEPTH;
        if (mote_pb_type_of(f) == MOTE_PB_GROUP)
            mote_pb_put_number(w, (f->key & ~7u) | MOTE_PB_EGROUP);
        top->field = fields;
        top++;
    }
}

int mote_pb_put_nested(mote_pb_writer *w, const mote_pb_message *type, const void *message)
{
    mote_pb_frame stack[MOTE_PB_DEPTH];

    return mote_pb_put_deep(w, type, message, stack, stack + MOTE_PB_DEPTH - 1);
}
