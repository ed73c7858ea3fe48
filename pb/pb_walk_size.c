/* The size of a large message, in one pass that keeps the lengths of the messages inside of it. */
#include "pb_sized.h"
#include "pb_walk.h"

/* The bytes of all values that a function gives, without their keys. */
static int sized_items(const mote_pb_field *f, const uint8_t *message, size_t *n)
{
    mote_pb_value spare;

    *n = 0;
    for (size_t i = 0; i < mote_pb_count(f, message); i++) {
        const void *value = mote_pb_item(f, message, i, &spare);
        if (!value)
            return MOTE_PB_ERR_SUPPLY;
        if (MOTE_PB_CHECK_SENT && mote_pb_type_of(f) == MOTE_PB_TEXT &&
            !mote_pb_utf8_valid(spare.view.data, spare.view.len))
            return MOTE_PB_ERR_UTF8;
        *n = mote_pb_sized_sum(*n, mote_pb_sized_value(f, value));
    }
    return 0;
}

int mote_pb_packed_size(const mote_pb_field *f, const uint8_t *message, size_t *n)
{
    if (mote_pb_is_supplied(f))
        return sized_items(f, message, n);
    *n = mote_pb_sized_packed(f, (const void *)(message + f->offset));
    return 0;
}

static int sized_supplied(const mote_pb_field *f, const uint8_t *message, size_t *size)
{
    size_t count = mote_pb_count(f, message), n;
    int r = sized_items(f, message, &n);

    if (!mote_pb_is_packed(f))
        n = mote_pb_sized_sum(n, count * mote_pb_sized_varint(f->key));
    else if (count > 0)
        n = mote_pb_sized_sum(n, mote_pb_sized_varint(f->key) + mote_pb_sized_varint(n));
    *size = n;
    return r;
}

/* ---- messages ------------------------------------------------------------------------------ */

static bool sized_texts_valid(const mote_pb_field *f, const uint8_t *message)
{
    const void *place = message + f->offset;
    const mote_pb_list *list = place;
    bool is_list = mote_pb_is_list(f);
    const mote_pb_bytes *texts = is_list ? list->items : (const void *)mote_pb_single(f, message);
    bool valid = true;

    for (size_t i = is_list ? list->count : texts != NULL; valid && i > 0; i--)
        valid = mote_pb_utf8_valid(texts[i - 1].data, texts[i - 1].len);
    return valid;
}

/* Sizes what comes before the next field that is a message, or the end. */
static int sized_fields(mote_pb_level *l)
{
    const mote_pb_field *f = mote_pb_row(l), *end = l->type->fields + l->type->field_count;
    const uint8_t *message = l->message;
    size_t n = 0;
    int r;

    for (; f < end && !mote_pb_is_message(f); f++) {
        MOTE_PB_LOOKED_AT(1);
        if (MOTE_PB_CHECK_SENT && mote_pb_type_of(f) == MOTE_PB_TEXT && !mote_pb_is_supplied(f) &&
            !sized_texts_valid(f, message))
            return MOTE_PB_ERR_UTF8;
        if (mote_pb_is_supplied(f) && (r = sized_supplied(f, message, &n)) < 0)
            return r;
        l->end =
            mote_pb_sized_sum(l->end, mote_pb_is_supplied(f) ? n : mote_pb_sized_field(f, message));
    }
    l->field = (uint16_t)(f - l->type->fields);
    return 0;
}

/* The next message inside of the one at work; NULL: there is none left. */
static int sized_next(mote_pb_level *l, const uint8_t **inside)
{
    int r;

    for (*inside = NULL; (r = sized_fields(l)) == 0 && l->field < l->type->field_count;
         l->field++, l->element = 0) {
        r = mote_pb_element(l, inside);
        if (r < 0 || *inside)
            break;
        if (l->element == 0 && mote_pb_label_of(mote_pb_row(l)) == MOTE_PB_REQUIRED)
            return MOTE_PB_ERR_REQUIRED;
    }
    return r;
}

static int sized_open(mote_pb_walk *w, size_t depth, const mote_pb_message *type,
                      const void *message)
{
    int r = mote_pb_level_open(w, depth, type, message);

    if (r == 0)
        mote_pb_level_at(w, depth)->slot = (uint32_t)w->lengths++;
    return r;
}

/* The length of a message is known: it is kept, and added to the message around it. */
static void sized_close(mote_pb_walk *w, size_t depth)
{
    const mote_pb_level *l = mote_pb_level_at(w, depth);
    mote_pb_level *around = mote_pb_level_at(w, depth - 1);
    const mote_pb_field *f = mote_pb_row(around);
    size_t key = mote_pb_sized_varint(f->key);

    if (l->slot < w->slots)
        *mote_pb_length_at(w, l->slot) = (uint32_t)l->end;
    key += mote_pb_type_of(f) == MOTE_PB_GROUP ? key : mote_pb_sized_varint(l->end);
    around->end = mote_pb_sized_sum(around->end, mote_pb_sized_sum(key, l->end));
    around->element++;
}

int mote_pb_walk_size(mote_pb_walk *w, size_t depth, const mote_pb_message *type,
                      const void *message, size_t *size)
{
    const uint8_t *inside;
    size_t at = depth;

    w->next = w->lengths = 0;
    w->slots = SIZE_MAX;
    int r = sized_open(w, depth, type, message);
    while (r == 0) {
        mote_pb_level *l = mote_pb_level_at(w, at);
        r = sized_next(l, &inside);
        if (r == 0 && inside)
            r = sized_open(w, ++at, mote_pb_sub_of(l->type, mote_pb_row(l)), inside);
        else if (r == 0 && at > depth)
            sized_close(w, at--);
        else
            break;
    }
    if (r == 0)
        *size = mote_pb_level_at(w, depth)->end;
    return r;
}
