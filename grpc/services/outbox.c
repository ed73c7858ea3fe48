/* The ring: messages lie one behind the other, each behind its length, and may wrap at the end. */
#include "outbox.h"

#include <string.h>

enum { LENGTH_SIZE = 2, LARGEST = 0xffff };

/* ---- the ring ------------------------------------------------------------------------------ */

static int move(const mote_outbox *o, size_t at, uint8_t *to, const uint8_t *from, size_t len)
{
    if (len == 0)
        return 0;
    if (o->memory && to)
        memcpy(to, o->memory + at, len);
    else if (o->memory)
        memcpy(o->memory + at, from, len);
    else if (to)
        return o->storage->read(o->storage->context, at, to, len);
    else
        return o->storage->write(o->storage->context, at, from, len);
    return 0;
}

/* Reads to `to`, or writes from `from`, at an offset from the oldest message. */
static int transfer(const mote_outbox *o, size_t offset, uint8_t *to, const uint8_t *from,
                    size_t len)
{
    size_t at = (o->first + offset) % o->size;
    size_t n = len < o->size - at ? len : o->size - at;
    int r = move(o, at, to, from, n);

    return r < 0 ? r : move(o, 0, to ? to + n : NULL, from ? from + n : NULL, len - n);
}

static int length_at(const mote_outbox *o, size_t offset, size_t *len)
{
    uint8_t bytes[LENGTH_SIZE];
    int r = transfer(o, offset, bytes, NULL, sizeof bytes);

    *len = r < 0 ? 0 : bytes[0] | (size_t)bytes[1] << 8;
    return r;
}

static int remove_first(mote_outbox *o)
{
    size_t len;
    int r = length_at(o, 0, &len);

    if (r < 0)
        return r;
    len += LENGTH_SIZE;
    o->first = (o->first + len) % o->size;
    o->used -= len;
    if (o->first_sequence == o->send_sequence)
        o->send_sequence++; /* it was never sent */
    else
        o->send -= len;
    o->first_sequence++;
    return 0;
}

/* ---- sending side -------------------------------------------------------------------------- */

void mote_outbox_init(mote_outbox *o, void *memory, size_t size, enum mote_outbox_policy policy)
{
    memset(o, 0, sizeof *o);
    o->memory = memory;
    o->size = size;
    o->policy = (uint8_t)policy;
    o->first_sequence = o->send_sequence = o->next_sequence = 1;
}

void mote_outbox_init_storage(mote_outbox *o, const mote_outbox_storage *storage, size_t size,
                              enum mote_outbox_policy policy)
{
    mote_outbox_init(o, NULL, size, policy);
    o->storage = storage;
}

uint64_t mote_outbox_sequence(const mote_outbox *o)
{
    return o->next_sequence;
}

uint64_t mote_outbox_count(const mote_outbox *o)
{
    return o->next_sequence - o->first_sequence;
}

static int make_room(mote_outbox *o, size_t need)
{
    int r;

    if (need > o->size)
        return MOTE_GRPC_ERR_SPACE;
    while (o->size - o->used < need) {
        if (o->policy == MOTE_OUTBOX_REFUSE ||
            (o->partial && o->first_sequence == o->send_sequence)) {
            o->refused++;
            return MOTE_AGAIN;
        }
        if ((r = remove_first(o)) < 0)
            return r;
        o->dropped++;
    }
    return 0;
}

int mote_outbox_put(mote_outbox *o, const uint8_t *message, size_t len)
{
    uint8_t bytes[LENGTH_SIZE] = {(uint8_t)len, (uint8_t)(len >> 8)};
    int r = len > LARGEST ? MOTE_GRPC_ERR_SPACE : make_room(o, LENGTH_SIZE + len);

    if (r == 0)
        r = transfer(o, o->used, NULL, bytes, sizeof bytes);
    if (r == 0)
        r = transfer(o, o->used + LENGTH_SIZE, NULL, message, len);
    if (r < 0)
        return r;
    o->used += LENGTH_SIZE + len;
    o->next_sequence++;
    return 0;
}

bool mote_outbox_next(const mote_outbox *o, uint64_t *sequence)
{
    if (sequence)
        *sequence = o->send_sequence;
    return o->send_sequence < o->next_sequence;
}

int mote_outbox_source(const void *type, const void *message, size_t offset, uint8_t *out,
                       size_t cap, size_t *total)
{
    const mote_outbox *o = message;
    bool whole = *total == 0;
    int r = 0;

    (void)type;
    if (whole) {
        if ((r = length_at(o, o->send, total)) < 0)
            return r;
        if (*total > cap)
            return 0;
        cap = *total;
    }
    return transfer(o, o->send + LENGTH_SIZE + offset, out, NULL, cap);
}

void mote_outbox_sent(mote_outbox *o)
{
    size_t len;

    o->partial = false;
    if (o->send_sequence == o->next_sequence || length_at(o, o->send, &len) < 0)
        return;
    o->send += LENGTH_SIZE + len;
    o->send_sequence++;
}

void mote_outbox_partial(mote_outbox *o)
{
    o->partial = true;
}

void mote_outbox_acknowledge(mote_outbox *o, uint64_t sequence)
{
    while (o->first_sequence <= sequence && o->first_sequence < o->next_sequence &&
           !(o->partial && o->first_sequence == o->send_sequence)) {
        if (remove_first(o) < 0)
            return;
    }
}

void mote_outbox_rewind(mote_outbox *o)
{
    o->send = 0;
    o->send_sequence = o->first_sequence;
    o->partial = false;
}

/* ---- receiving side ------------------------------------------------------------------------ */

bool mote_inbox_accept(mote_inbox *in, uint64_t sequence)
{
    if (sequence <= in->last) {
        in->duplicates++;
        return false;
    }
    in->missing += sequence - in->last - 1;
    in->last = sequence;
    return true;
}
