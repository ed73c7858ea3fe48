/* The ring: messages lie one behind the other, each behind its length, and may wrap at the end. A
 * ring in storage lies there as spool.c does it. */
#include "outbox.h"

#include <string.h>

enum { LENGTH_SIZE = 2, LARGEST = 0xffff };

/* ---- the ring ------------------------------------------------------------------------------ */

/* Reads to `to`, or writes from `from`, at an offset from the oldest message. */
static void transfer(const mote_outbox *o, size_t offset, uint8_t *to, const uint8_t *from,
                     size_t len)
{
    size_t at = (o->first + offset) % o->size;
    size_t n = len < o->size - at ? len : o->size - at;

    memcpy(to ? to : o->memory + at, to ? o->memory + at : from, n);
    memcpy(to ? to + n : o->memory, to ? o->memory : from + n, len - n);
}

static size_t length_at(const mote_outbox *o, size_t offset)
{
    uint8_t bytes[LENGTH_SIZE];

    transfer(o, offset, bytes, NULL, sizeof bytes);
    return bytes[0] | (size_t)bytes[1] << 8;
}

/* The oldest message leaves. */
static int remove_first(mote_outbox *o)
{
    bool sent = o->send_sequence > o->first_sequence;

    if (o->log) {
        uint64_t before = o->first_sequence;
        int r = o->log->after(o, &o->first, &o->first_sequence);
        if (r < 0)
            return r;
        uint64_t missing = o->first_sequence - before - 1;
        if (missing > o->gap) /* what could be read at the start, and cannot any more */
            o->dropped += missing - o->gap;
        o->gap -= missing > o->gap ? o->gap : (uint32_t)missing;
        o->send = sent ? o->send : o->first;
    } else {
        size_t len = LENGTH_SIZE + length_at(o, 0);
        o->first = (o->first + len) % o->size;
        o->used -= len;
        o->send -= sent ? len : 0;
        o->first_sequence += 1 + o->gap;
        o->gap = 0;
    }
    if (!sent)
        o->send_sequence = o->first_sequence;
    return 0;
}

/* Moves the oldest message, of `len` bytes in all, by `distance`, its end first. */
static void move_first(mote_outbox *o, size_t len, size_t distance)
{
    uint8_t bytes[16];

    while (len > 0) {
        size_t n = len < sizeof bytes ? len : sizeof bytes;
        len -= n;
        transfer(o, len, bytes, NULL, n);
        transfer(o, len + distance, NULL, bytes, n);
    }
}

/* The oldest message, which is half sent, takes the place of the next one. */
static int remove_second(mote_outbox *o)
{
    size_t first = o->log ? o->used : LENGTH_SIZE + length_at(o, 0);

    if (first == o->used)
        return MOTE_AGAIN; /* there is no other; or no other can take its place */
    size_t second = LENGTH_SIZE + length_at(o, first);
    move_first(o, first, second);
    o->first = (o->first + second) % o->size;
    o->used -= second;
    o->gap++;
    return 0;
}

/* ---- what becomes of messages -------------------------------------------------------------- */

static bool half_sent(const mote_outbox *o)
{
    return o->partial && o->send_sequence == o->first_sequence;
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
    uint64_t number = o->first_sequence;
    int r = half_sent(o) ? remove_second(o) : remove_first(o);

    if (r < 0)
        return r;
    if (number == o->first_sequence || number >= sent) {
        o->dropped++;
    } else {
        o->unsure++;
        o->unsure_sequence = number;
    }
    return 0;
}

/* A call begins to send, and the receiver has said what it has: what is not among that is lost. */
static void settle(mote_outbox *o)
{
    uint64_t lost = o->unsure_sequence > o->acknowledged ? o->unsure_sequence - o->acknowledged : 0;

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

uint64_t mote_outbox_sequence(const mote_outbox *o)
{
    return o->next_sequence;
}

uint64_t mote_outbox_count(const mote_outbox *o)
{
    return o->next_sequence - o->first_sequence - o->gap + o->unsure;
}

static int outbox_has_room(mote_outbox *o, size_t len)
{
    if (o->log)
        return o->log->room(o, len);
    if (LENGTH_SIZE + len > o->size)
        return MOTE_GRPC_ERR_SPACE;
    return o->size - o->used < LENGTH_SIZE + len ? MOTE_AGAIN : 0;
}

static int outbox_make_room(mote_outbox *o, size_t len)
{
    int r;

    while ((r = outbox_has_room(o, len)) == MOTE_AGAIN) {
        if (o->policy == MOTE_OUTBOX_DROP_OLDEST)
            r = drop_one(o);
        if (r < 0)
            break;
    }
    o->refused += r == MOTE_AGAIN;
    return r;
}

int mote_outbox_put(mote_outbox *o, const uint8_t *message, size_t len)
{
    uint8_t bytes[LENGTH_SIZE] = {(uint8_t)len, (uint8_t)(len >> 8)};
    int r = len > LARGEST ? MOTE_GRPC_ERR_SPACE : outbox_make_room(o, len);

    if (r == 0 && o->log)
        r = o->log->append(o, message, len);
    if (r < 0)
        return r;
    if (!o->log) {
        transfer(o, o->used, NULL, bytes, sizeof bytes);
        transfer(o, o->used + LENGTH_SIZE, NULL, message, len);
        o->used += LENGTH_SIZE + len;
    }
    o->next_sequence++;
    return 0;
}

int mote_outbox_expire(mote_outbox *o, uint64_t before)
{
    int r = 0;

    while (r == 0 && o->first_sequence < before && o->first_sequence < o->next_sequence &&
           !half_sent(o)) {
        r = drop_one(o);
        o->expired += r == 0;
    }
    return r;
}

/* A mote_grpc_source of the message to be sent next. */
static int write_next(const void *type, const void *message, size_t offset, uint8_t *out,
                      size_t cap, size_t *total)
{
    const mote_outbox *o = message;

    (void)type;
    if (o->log)
        return o->log->read(o, offset, out, cap, total);
    if (*total == 0) {
        *total = length_at(o, o->send);
        if (*total > cap)
            return 0;
        cap = *total;
    }
    transfer(o, o->send + LENGTH_SIZE + offset, out, NULL, cap);
    return 0;
}

static const mote_grpc_source source = {write_next, mote_grpc_strerror, NULL};

static int mark_sent(mote_outbox *o)
{
    int r = 0;

    if (o->sent_sequence < o->send_sequence)
        o->sent_sequence = o->send_sequence;
    if (o->log) {
        r = o->log->after(o, &o->send, &o->send_sequence);
    } else {
        o->send_sequence += 1 + (o->send == 0 ? o->gap : 0);
        o->send += LENGTH_SIZE + length_at(o, o->send);
    }
    remove_acknowledged(o); /* it was half sent again when its acknowledgement came */
    return r;
}

int mote_outbox_send(mote_outbox *o, mote_grpc_call *call)
{
    int r = 0;

    if (!o->settled && o->first_sequence < o->next_sequence)
        settle(o);
    while (r == 0 && o->send_sequence + o->held < o->next_sequence) {
        r = mote_grpc_send(call, &source, o, 0);
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
    if (sequence >= o->unsure_sequence)
        o->unsure = 0; /* they had arrived */
    if (sequence > o->acknowledged)
        o->acknowledged = sequence;
    remove_acknowledged(o);
    return true;
}

void mote_outbox_rewind(mote_outbox *o)
{
    o->send = o->log ? o->first : 0;
    o->send_sequence = o->first_sequence;
    o->partial = o->settled = false;
    remove_acknowledged(o);
}

/* ---- for unary calls ------------------------------------------------------------------------ */

/* In memory a place is where the length lies: it stays the same when older messages leave. */
mote_outbox_place mote_outbox_oldest(const mote_outbox *o)
{
    return (mote_outbox_place){o->first, o->first_sequence};
}

static size_t offset_of(const mote_outbox *o, size_t at)
{
    return (at + o->size - o->first) % o->size;
}

int mote_outbox_read(const mote_outbox *o, const mote_outbox_place *p, uint8_t *out, size_t cap,
                     size_t *len)
{
    mote_outbox there = *o;
    int r;

    if (p->sequence < o->first_sequence || p->sequence + o->held >= o->next_sequence)
        return 0;
    there.send = o->log ? p->at : offset_of(o, p->at);
    *len = 0;
    r = write_next(NULL, &there, 0, out, cap, len);
    return r < 0 ? r : 1;
}

int mote_outbox_next(const mote_outbox *o, mote_outbox_place *p)
{
    if (o->log)
        return o->log->after(o, &p->at, &p->sequence);
    p->at = (p->at + LENGTH_SIZE + length_at(o, offset_of(o, p->at))) % o->size;
    p->sequence++;
    return 0;
}

void mote_outbox_release(mote_outbox *o, uint64_t sequence)
{
    if (o->sent_sequence < sequence)
        o->sent_sequence = sequence;
    mote_outbox_acknowledge(o, sequence);
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
