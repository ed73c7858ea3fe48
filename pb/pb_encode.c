/*
 * Encoder. It writes from the end of the message to its start, so the length of a sub-message is
 * known when its prefix is written: one pass, no size is computed twice at any depth. Parts that a
 * schema may do without are called by the pointers of its mote_pb_encoder.
 */
#include "pb_writer.h"

/* ---- output -------------------------------------------------------------------------------- */

MOTE_PB_RARE void mote_pb_put_rest(mote_pb_writer *w, const uint8_t *data, size_t n)
{
    size_t len = mote_pb_written(w);

    w->start = w->p;        /* what follows has no room either */
    if (n > SIZE_MAX - len) /* more than the machine can count stays as much as it can */
        n = SIZE_MAX - len;
    w->lost += n;
    if (w->total == 0 || len + n > w->total)
        return;
    size_t from = w->total - len - n; /* the piece is [from, from + n) of the message */
    size_t start = from > w->offset ? from : w->offset;
    size_t end = from + n < w->offset + w->cap ? from + n : w->offset + w->cap;
    if (start < end)
        memcpy(w->out + (start - w->offset), data + (start - from), end - start);
}

static MOTE_PB_RARE void put_long(mote_pb_writer *w, uint64_t v)
{
    uint8_t bytes[10], *to = bytes;
    size_t n = 1;

    for (uint64_t rest = v >> 7; rest > 0; rest >>= 7)
        n++;
    bool direct = mote_pb_has_room(w, n);
    if (direct)
        to = w->p -= n;
    for (; v >= 128; v >>= 7)
        *to++ = (uint8_t)(v | 128);
    *to = (uint8_t)v;
    if (!direct)
        mote_pb_put_rest(w, bytes, n);
}

/* Most numbers are one byte. */
static MOTE_PB_FAST void put_varint(mote_pb_writer *w, uint64_t v)
{
    if (v < 128 && mote_pb_has_room(w, 1))
        *--w->p = (uint8_t)v;
    else
        put_long(w, v);
}

void mote_pb_put_number(mote_pb_writer *w, size_t v)
{
    put_varint(w, v);
}

/* ---- values -------------------------------------------------------------------------------- */

static void put_view(mote_pb_writer *w, const mote_pb_bytes *b)
{
    mote_pb_put(w, b->data, b->len);
    mote_pb_put_number(w, b->len);
}

static void put_fixed(mote_pb_writer *w, size_t size, const void *p)
{
    uint8_t bytes[8];

    if (size == 8) {
        mote_pb_store64(bytes, mote_pb_load(p, 8));
        mote_pb_put(w, bytes, 8);
    } else {
        mote_pb_store32(bytes, (uint32_t)mote_pb_load(p, 4));
        mote_pb_put(w, bytes, 4);
    }
}

void mote_pb_check_text(mote_pb_writer *w, const mote_pb_bytes *b)
{
    if (w->total == 0 && !w->counts && !mote_pb_utf8_valid(b->data, b->len))
        w->error = MOTE_PB_ERR_UTF8;
}

void mote_pb_put_value(mote_pb_writer *w, const mote_pb_field *f, const void *p)
{
    const mote_pb_type_info *info = mote_pb_info_of(f);

    MOTE_PB_LOOKED_AT(1);
    if ((f->key & 7) == MOTE_PB_LEN) {
        if (MOTE_PB_CHECK_SENT && mote_pb_type_of(f) == MOTE_PB_TEXT)
            mote_pb_check_text(w, p);
        put_view(w, p);
        return;
    }
    if ((f->key & 7) != MOTE_PB_VARINT) {
        put_fixed(w, info->size, p);
        return;
    }
    put_varint(w, mote_pb_number(info, p));
}

/* ---- fields -------------------------------------------------------------------------------- */

void mote_pb_put_field(mote_pb_writer *w, const mote_pb_field *f, const uint8_t *message)
{
    if (mote_pb_is_plural(f)) {
        w->parts->list(w, f, message + f->offset);
        return;
    }
    const uint8_t *value = mote_pb_single(f, message);
    if (value) {
        mote_pb_put_value(w, f, value);
        mote_pb_put_number(w, f->key);
    }
}

size_t mote_pb_put_fields(mote_pb_writer *w, const mote_pb_message *type, const uint8_t *message,
                          size_t count)
{
    for (; count > 0 && !mote_pb_is_message(&type->fields[count - 1]); count--)
        mote_pb_put_field(w, &type->fields[count - 1], message);
    return count;
}

static int put_whole(mote_pb_writer *w, const void *message)
{
    int r;

    if (MOTE_PB_CHECK_SENT)
        w->error = 0;
    r = w->parts->put(w, w->parts->type, message);
    return MOTE_PB_CHECK_SENT && r == 0 ? w->error : r;
}

int mote_pb_size(const mote_pb_encoder *encoder, const void *message, size_t *size)
{
    mote_pb_writer w = {.parts = encoder, .counts = true};
    int r = put_whole(&w, message);

    *size = mote_pb_written(&w);
    return r;
}

/* *total is 0: the whole message, or as much of its end as there is room for. Otherwise the bytes
 * of it in [offset, offset + cap). */
int mote_pb_encode_part(const void *encoder, const void *message, size_t offset, uint8_t *out,
                        size_t cap, size_t *total)
{
    mote_pb_writer w = {
        .parts = encoder, .out = out, .offset = offset, .cap = cap, .total = *total};
    bool whole = *total == 0;

    if (whole) {
        w.start = out;
        w.p = w.end = cap > 0 ? out + cap : out;
    }
    int r = put_whole(&w, message);
    *total = mote_pb_written(&w);
    if (whole && r == 0 && *total > 0 && *total < cap)
        memmove(out, w.p, *total);
    return r;
}

int mote_pb_encode(const mote_pb_encoder *encoder, const void *message, uint8_t *out, size_t cap,
                   size_t *len)
{
    *len = 0;
    int r = mote_pb_encode_part(encoder, message, 0, out, cap, len);

    return r == 0 && *len > cap ? MOTE_PB_ERR_SPACE : r;
}
