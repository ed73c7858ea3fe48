/* Encoder of what not every schema has: repeated fields, unknown ones that were kept, messages
 * inside of messages. */
#include "pb_writer.h"

/* ---- repeated and unknown fields ----------------------------------------------------------- */

static void put_unknown(mote_pb_writer *w, const mote_pb_list_bytes *list)
{
    for (size_t i = list->count; i > 0; i--)
        mote_pb_put(w, list->items[i - 1].data, list->items[i - 1].len);
}

void mote_pb_put_list(mote_pb_writer *w, const mote_pb_field *f, const void *place)
{
    const mote_pb_list *list = place;
    size_t end = mote_pb_written(w);

    if (mote_pb_label_of(f) == MOTE_PB_UNKNOWN) { /* as they came */
        put_unknown(w, place);
        return;
    }
    for (size_t i = list->count; i > 0; i--) {
        mote_pb_put_value(w, f, (const uint8_t *)list->items + (i - 1) * mote_pb_info_of(f)->size);
        if (mote_pb_label_of(f) == MOTE_PB_REPEATED)
            mote_pb_put_number(w, f->key);
    }
    if (mote_pb_label_of(f) == MOTE_PB_PACKED && list->count > 0) {
        mote_pb_put_number(w, mote_pb_written(w) - end);
        mote_pb_put_number(w, (f->key & ~7u) | MOTE_PB_LEN);
    }
}

/* ---- sub-messages -------------------------------------------------------------------------- */

/* A message that is being encoded, and how far it is. */
typedef struct {
    const mote_pb_message *type;
    const uint8_t *message;
    size_t end;     /* writer's length when it was entered */
    size_t left;    /* elements that are still to do of the field that was entered last */
    uint16_t field; /* fields that are still to do; the last of them is that one */
} frame;

/* Elements of a message field. */
static size_t elements(const mote_pb_field *f, const uint8_t *message)
{
    mote_pb_list list;

    if (mote_pb_label_of(f) == MOTE_PB_REPEATED) {
        memcpy(&list.count, message + f->offset + offsetof(mote_pb_list, count), sizeof list.count);
        return list.count;
    }
    if (mote_pb_label_of(f) == MOTE_PB_ONEOF && mote_pb_which(f, message) != f->key >> 3)
        return 0;
    memcpy(&list.items, message + f->offset, sizeof list.items);
    return list.items != NULL;
}

/* Prefix of the sub-message that was just written. */
static void put_sub_prefix(mote_pb_writer *w, const mote_pb_field *f, size_t len)
{
    if (mote_pb_type_of(f) == MOTE_PB_MESSAGE)
        mote_pb_put_number(w, len);
    mote_pb_put_number(w, f->key);
}

static void begin(const mote_pb_writer *w, frame *top, const mote_pb_message *type,
                  const uint8_t *message)
{
    top->type = type;
    top->message = message;
    top->end = mote_pb_written(w);
}

/* Begins the last element that is still to do of the last field that is still to do. */
static void begin_element(mote_pb_writer *w, frame *top)
{
    const mote_pb_field *f = &top->type->fields[top->field - 1];
    const mote_pb_message *sub = mote_pb_sub_of(top->type, f);
    const uint8_t *items;

    if (mote_pb_type_of(f) == MOTE_PB_GROUP)
        mote_pb_put_number(w, (f->key & ~7u) | MOTE_PB_EGROUP);
    memcpy(&items, top->message + f->offset, sizeof items);
    begin(w, top + 1, sub, items + top->left * sub->size);
}

int mote_pb_put_nested(mote_pb_writer *w, const mote_pb_message *type, const void *message)
{
    frame stack[MOTE_PB_DEPTH];
    frame *top = stack;
    size_t fields = type->field_count, left;

    begin(w, top, type, message);
    for (;;) {
        fields = mote_pb_put_fields(w, top->type, top->message, fields);
        left = fields > 0 ? elements(&top->type->fields[fields - 1], top->message) : 0;
        if (fields == 0) { /* done with this one: back to the message it is in */
            size_t len = mote_pb_written(w) - top->end;
            if (top == stack)
                return 0;
            top--;
            fields = top->field;
            left = top->left;
            put_sub_prefix(w, &top->type->fields[fields - 1], len);
        }
        if (left == 0) {
            fields--;
            continue;
        }
        if (top == stack + MOTE_PB_DEPTH - 1)
            return MOTE_PB_ERR_DEPTH;
        top->field = (uint16_t)fields;
        top->left = left - 1;
        begin_element(w, top++);
        fields = top->type->field_count;
    }
}
