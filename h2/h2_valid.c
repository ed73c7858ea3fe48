/*
 * The invariants: what holds whenever a public function begins, and when it has returned. Tests and
 * debug builds check them there (-DMOTE_CHECK); proofs assume them.
 */
#include "h2_internal.h"

/* A DATA frame that may still grow ends where the buffer's content ends, and nothing of it has been
 * shown to the transport. */
bool mote_h2_tx_valid(const mote_h2_tx *tx)
{
    if (!tx->bytes || tx->size < MOTE_H2_TX_MIN || tx->head > tx->tail || tx->tail > tx->size)
        return false;
    if (tx->head == tx->tail)
        return tx->head == 0 && !tx->owner;
    return !tx->owner || (tx->frame >= tx->head && tx->frame + FRAME_HEADER_SIZE <= tx->tail);
}

bool mote_h2_has_slot(const mote_h2 *c, const mote_h2_stream *s)
{
    return s >= c->streams && s < c->streams + c->stream_count;
}

/* A failed connection receives no more; then nothing is said about its frame. */
bool mote_h2_frame_valid(const mote_h2 *c)
{
    const mote_h2_frame *f = &c->frame;

    if (f->stream && !mote_h2_has_slot(c, f->stream))
        return false;
    switch (f->phase) {
    case MOTE_H2_AWAIT_PREFACE:
        return c->server && f->fixed_len < PREFACE_SIZE;
    case MOTE_H2_AWAIT_SETTINGS:
    case MOTE_H2_AWAIT_FRAME:
        return f->fixed_len < FRAME_HEADER_SIZE;
    case MOTE_H2_IN_FRAME:
        return f->type <= MOTE_H2_FRAME_UNKNOWN && f->length <= MAX_FRAME &&
               f->remaining <= f->length && f->pad <= f->remaining &&
               f->fixed_len <= (f->type == MOTE_H2_FRAME_SETTINGS ? 5 : 8);
    }
    return false;
}

/* Between two frames a block is in progress or not; within HEADERS and CONTINUATION it is. */
bool mote_h2_block_valid(const mote_h2 *c)
{
    const mote_h2_block *b = &c->block;

    return b->code <= MOTE_H2_HTTP_1_1_REQUIRED && b->status <= 999 && b->id <= MAX_WINDOW &&
           b->bytes / BLOCK_FACTOR <= c->max_list_size &&
           (b->id == 0 || c->frame.phase != MOTE_H2_IN_FRAME ||
            (c->frame.type == MOTE_H2_FRAME_CONTINUATION && c->frame.id == b->id));
}

/* While a section has been begun (no error yet, or no room for the next field), its frame header's
 * space is in the buffer, and no DATA frame may grow behind it. */
bool mote_h2_section_valid(const mote_h2 *c)
{
    const mote_h2_section *b = &c->section;

    if (!b->stream)
        return true;
    if (!mote_h2_has_slot(c, b->stream))
        return false;
    if (b->error != 0 && b->error != MOTE_HPACK_ERR_SPACE)
        return b->error < 0;
    return !c->tx.owner && b->start + FRAME_HEADER_SIZE <= c->tx.tail - c->tx.head;
}

/* Content of the stream's DATA frame in progress that was not yet delivered. */
static uint32_t undelivered(const mote_h2 *c, const mote_h2_stream *s)
{
    const mote_h2_frame *f = &c->frame;

    if (f->phase != MOTE_H2_IN_FRAME || f->type != MOTE_H2_FRAME_DATA || f->id != s->id)
        return 0;
    return f->fixed_len == 0 ? f->length : f->remaining - f->pad;
}

/* RFC 9113 6.9.1: of the window that the peer knows, and what is lent beyond it, what it may still
 * send, what it has sent and what is given back is all there is. */
int64_t mote_h2_held(const mote_h2 *c, const mote_h2_stream *s)
{
    return (int64_t)c->stream_window + s->lent - s->recv_window - s->credit - undelivered(c, s);
}

static bool id_valid(const mote_h2 *c, const mote_h2_stream *s)
{
    if ((s->id & 1) == 0 || (!c->server && (s->flags & STREAM_CONNECT)))
        return false;
    if (s->state == MOTE_H2_STATE_IDLE)
        return !c->server && s->id == c->next_id;
    return c->server ? s->id <= c->last_peer_id : s->id < c->next_id;
}

bool mote_h2_stream_valid(const mote_h2 *c, const mote_h2_stream *s)
{
    switch (s->state) {
    case MOTE_H2_STATE_CLOSED:
        return s->id == 0 && s->flags == 0;
    case MOTE_H2_STATE_RESET_OWED:
        return id_valid(c, s) && !(s->flags & STREAM_CREDIT_OWED);
    case MOTE_H2_STATE_HALF_CLOSED_REMOTE:
        return id_valid(c, s) && (!(s->flags & STREAM_CREDIT_OWED) || s->credit > 0);
    case MOTE_H2_STATE_IDLE:
    case MOTE_H2_STATE_OPEN:
    case MOTE_H2_STATE_HALF_CLOSED_LOCAL:
        return id_valid(c, s) && (!(s->flags & STREAM_CREDIT_OWED) || s->credit > 0) &&
               s->lent <= PADDED_ROOM && (c->life == MOTE_H2_FAILED || mote_h2_held(c, s) >= 0);
    }
    return false;
}

/* No further from its own slot than streams are looked for. */
static bool in_reach(const mote_h2 *c, const mote_h2_stream *s)
{
    size_t own = (s->id >> 1) % c->stream_count, slot = (size_t)(s - c->streams);

    return (slot >= own ? slot - own : slot + c->stream_count - own) <= c->reach;
}

static bool streams_valid(const mote_h2 *c)
{
    size_t active = 0, owing = 0;

    for (const mote_h2_stream *s = c->streams; s < c->streams + c->stream_count; s++) {
        if (!mote_h2_stream_valid(c, s) || (s->id != 0 && !in_reach(c, s)))
            return false;
        active += s->state != MOTE_H2_STATE_CLOSED;
        owing += s->state == MOTE_H2_STATE_RESET_OWED || (s->flags & STREAM_CREDIT_OWED);
    }
    return active == c->active && owing == c->owing_streams &&
           (!c->tx.owner || c->tx.owner->state == MOTE_H2_STATE_OPEN ||
            c->tx.owner->state == MOTE_H2_STATE_HALF_CLOSED_REMOTE ||
            c->tx.owner->state == MOTE_H2_STATE_RESET_OWED);
}

/* The connection's windows: what is sent counts when its frame begins, and is given back when the
 * frame has ended, all of it. */
static bool windows_valid(const mote_h2 *c)
{
    const mote_h2_frame *f = &c->frame;
    bool in_data = f->phase == MOTE_H2_IN_FRAME && f->type == MOTE_H2_FRAME_DATA;

    return c->send_window >= 0 && c->recv_window >= 0 && c->peer_window <= MAX_WINDOW &&
           c->stream_window <= MAX_WINDOW && c->connection_window <= MAX_WINDOW &&
           (int64_t)c->recv_window + c->credit + (in_data ? f->length : 0) == c->connection_window;
}

/* States that one role alone reaches, so that the role need not be asked where they are
 * (MOTE_MAY_SERVE, MOTE_MAY_CALL). */
static bool role_valid(const mote_h2 *c)
{
    if (c->server)
        return c->sweep == 0;
    return !c->quiet && c->life != MOTE_H2_ANNOUNCED && c->block.host_len == 0 &&
           !(c->owed & OWE_REFUSED) && c->asked <= 1 &&
           !(c->block.flags & (BLOCK_CONNECT | BLOCK_REFUSED));
}

bool mote_h2_valid(const mote_h2 *c)
{
    if (c->stream_count == 0 || !c->streams || !mote_h2_tx_valid(&c->tx) ||
        !mote_h2_section_valid(c) || (c->life == MOTE_H2_FAILED) != (c->error < 0) ||
        c->budget > c->budget_max || c->pings > MOTE_H2_PINGS || c->asked > 2 ||
        (c->owed & OWE_PINGS) > c->asked || c->late_bytes > c->connection_window ||
        c->late_frames > c->stream_count || c->peer_max_frame == 0 ||
        c->peer_max_frame > 0xffffff || !streams_valid(c) || !role_valid(c) ||
        !mote_hpack_decoder_valid(&c->decoder) || !mote_hpack_encoder_valid(&c->encoder))
        return false;
    if (c->life == MOTE_H2_FAILED)
        return true;
    return mote_h2_frame_valid(c) && mote_h2_block_valid(c) && windows_valid(c) &&
           (!(c->owed & OWE_REFUSED) || c->refused_first <= c->refused_last);
}
