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

/* The oldest message leaves. */
static int remove_first(mote_outbox *o)
{
    size_t len;
    int r = length_at(o, 0, &len);

    if (r < 0)
        return r;
    len += LENGTH_SIZE;
    o->first = (o->first + len) % o->size;
    o->used -= len;
    if (o->send > 0)
        o->send -= len;
    else /* it was never sent */
        o->send_sequence += 1 + o->gap;
    o->first_sequence += 1 + o->gap;
    o->gap = 0;
    return 0;
}

/* Moves the oldest message, of `len` bytes in all, by `distance`, its end first. */
static int move_first(mote_outbox *o, size_t len, size_t distance)
{
    uint8_t bytes[16];
    int r = 0;

    while (r == 0 && len > 0) {
        size_t n = len < sizeof bytes ? len : sizeof bytes;
        len -= n;
        if ((r = transfer(o, len, bytes, NULL, n)) == 0)
            r = transfer(o, len + distance, NULL, bytes, n);
    }
    return r;
}

/* The oldest message, which is half sent, takes the place of the next one. */
static int remove_second(mote_outbox *o)
{
    size_t first, second;
    int r = length_at(o, 0, &first);

    if (r < 0 || (first += LENGTH_SIZE) == o->used)
        return r < 0 ? r : MOTE_AGAIN; /* there is no other */
    if ((r = length_at(o, first, &second)) < 0)
        return r;
    second += LENGTH_SIZE;
    if ((r = move_first(o, first, second)) < 0)
        return r;
    o->first = (o->first + second) % o->size;
    o->used -= second;
    o->gap++;
    return 0;
}

/* ---- what becomes of messages -------------------------------------------------------------- */

static bool half_sent(const mote_outbox *o)
{
    return o->partial && o->send == 0;
}

static void remove_acknowledged(mote_outbox *o)
{
    while (o->first_sequence <= o->acknowledged && o->first_sequence < o->next_sequence &&
           !half_sent(o)) {
        if (remove_first(o) < 0)
            return;
    }
}

/* Pushes out one message. One that was sent may have arrived. */
static int drop_one(mote_outbox *o)
{
    uint64_t sent = o->settled ? o->send_sequence : o->sent_sequence + 1;
    bool unsure = o->first_sequence < sent;
    int r = half_sent(o) ? remove_second(o) : remove_first(o);

    if (r < 0)
        return r;
    if (unsure && !half_sent(o))
        o->unsure++;
    else
        o->dropped++;
    return 0;
}

/* A call begins to send, and the receiver has said what it has: what is not among that is lost. */
static void settle(mote_outbox *o)
{
    uint64_t lost =
        o->acknowledged < o->first_sequence ? o->first_sequence - 1 - o->acknowledged : 0;

    o->dropped += lost < o->unsure ? lost : o->unsure;
    o->unsure = 0;
    o->settled = true;
}

/* ---- sending side -------------------------------------------------------------------------- */

void mote_outbox_init(mote_outbox *o, void *memory, size_t size, enum mote_outbox_policy policy,
                      uint64_t epoch)
{
    memset(o, 0, sizeof *o);
    o->memory = memory;
    o->size = size;
    o->policy = (uint8_t)policy;
    o->epoch = epoch;
    o->first_sequence = o->send_sequence = o->next_sequence = 1;
}

void mote_outbox_init_storage(mote_outbox *o, const mote_outbox_storage *storage, size_t size,
                              enum mote_outbox_policy policy, uint64_t epoch)
{
    mote_outbox_init(o, NULL, size, policy, epoch);
    o->storage = storage;
}

uint64_t mote_outbox_sequence(const mote_outbox *o)
{
    return o->next_sequence;
}

uint64_t mote_outbox_count(const mote_outbox *o)
{
    return o->next_sequence - o->first_sequence - o->gap + o->unsure;
}

static int make_room(mote_outbox *o, size_t need)
{
    int r = 0;

    if (need > o->size)
        return MOTE_GRPC_ERR_SPACE;
    while (r == 0 && o->size - o->used < need)
        r = o->policy == MOTE_OUTBOX_REFUSE ? MOTE_AGAIN : drop_one(o);
    o->refused += r == MOTE_AGAIN;
    return r;
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

/* A mote_grpc_source of the message to be sent next. */
static int source(const void *type, const void *message, size_t offset, uint8_t *out, size_t cap,
                  size_t *total)
{
    const mote_outbox *o = message;
    int r = 0;

    (void)type;
    if (*total == 0) {
        if ((r = length_at(o, o->send, total)) < 0)
            return r;
        if (*total > cap)
            return 0;
        cap = *total;
    }
    return transfer(o, o->send + LENGTH_SIZE + offset, out, NULL, cap);
}

static int mark_sent(mote_outbox *o)
{
    size_t len;
    int r = length_at(o, o->send, &len);

    if (r < 0)
        return r;
    if (o->sent_sequence < o->send_sequence)
        o->sent_sequence = o->send_sequence;
    o->send_sequence += 1 + (o->send == 0 ? o->gap : 0);
    o->send += LENGTH_SIZE + len;
    remove_acknowledged(o); /* it was half sent again when its acknowledgement came */
    return 0;
}

int mote_outbox_send(mote_outbox *o, mote_grpc_call *call)
{
    int r = 0;

    if (!o->settled && o->used > 0)
        settle(o);
    while (r == 0 && o->send < o->used) {
        r = mote_grpc_send(call, source, NULL, o, 0);
        o->partial = r < 0 && call->tx_sent > 0;
        if (r == 0)
            r = mark_sent(o);
    }
    return r;
}

bool mote_outbox_acknowledge(mote_outbox *o, uint64_t sequence)
{
    if (sequence > o->sent_sequence) {
        o->wrong++;
        return false;
    }
    if (sequence + 1 >= o->first_sequence)
        o->unsure = 0; /* they had arrived */
    if (sequence > o->acknowledged)
        o->acknowledged = sequence;
    remove_acknowledged(o);
    return true;
}

void mote_outbox_rewind(mote_outbox *o)
{
    o->send = 0;
    o->send_sequence = o->first_sequence;
    o->partial = o->settled = false;
    remove_acknowledged(o);
}

/* ---- receiving side ------------------------------------------------------------------------ */

mote_inbox *mote_inbox_find(mote_inbox *known, size_t count, uint64_t epoch)
{
    mote_inbox found = {.epoch = epoch};
    size_t i = 0;

    while (i < count && known[i].epoch != epoch)
        i++;
    if (i < count)
        found = known[i];
    else
        i = count - 1;
    memmove(known + 1, known, i * sizeof *known);
    known[0] = found;
    return known;
}

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
