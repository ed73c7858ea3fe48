/* Encoder of messages with fields that functions supply: sized first, then written forward, so that
 * nobody must know the last element before the first. */
#include "pb_walk.h"

enum { SUPPLY_CHUNK = 64 };

/* A walk of its own, from the first byte on. */
typedef struct {
    mote_pb_encoder encoder; /* for its type */
    mote_pb_walk walk;
    mote_pb_large large;
} supply_walk;

static int supply_write(const supply_walk *s, size_t at, uint8_t *out, size_t len)
{
    size_t total = s->walk.total;

    return len > 0 ? mote_pb_walk_part(&s->encoder, &s->large, at, out, len, &total) : 0;
}

/* The bytes of the window: what comes before it is written where nobody reads it. */
static int supply_window(const mote_pb_writer *w, const supply_walk *s)
{
    size_t total = w->total, offset = w->offset < total ? w->offset : total;
    size_t len = w->cap < total - offset ? w->cap : total - offset;
    uint8_t before[SUPPLY_CHUNK];
    int r = 0;

    for (size_t at = 0, n; r == 0 && at < offset; at += n) {
        n = offset - at < sizeof before ? offset - at : sizeof before;
        r = supply_write(s, at, before, n);
    }
    return r < 0 ? r : supply_write(s, offset, w->out, len);
}

int mote_pb_put_forward(mote_pb_writer *w, const mote_pb_message *type, const void *message,
                        void *memory, size_t size)
{
    supply_walk s = {.encoder = {.type = type}, .large = {message, &s.walk}};
    size_t total = 0;

    mote_pb_walk_init(&s.walk, memory, size);
    int r = mote_pb_walk_part(&s.encoder, &s.large, 0, NULL, 0, &total);
    if (r < 0)
        return r;
    if (total > 0 && mote_pb_has_room(w, total)) {
        w->p -= total;
        return supply_write(&s, 0, w->p, total);
    }
    w->start = w->p;
    w->lost += total < SIZE_MAX - mote_pb_written(w) ? total : SIZE_MAX - mote_pb_written(w);
    return w->total > 0 && w->total == total ? supply_window(w, &s) : 0;
}
