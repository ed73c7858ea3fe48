/* Sending: header sections, content, and the opening of streams. */
#include "h2_internal.h"

#include <string.h>

bool mote_h2_can_open(const mote_h2 *c)
{
    return c->error == 0 && c->closing == CLOSING_NO && c->active < c->stream_count &&
           c->active < c->peer_max_streams;
}

int mote_h2_open(mote_h2 *c, mote_h2_stream **stream)
{
    *stream = NULL;
    if (c->error < 0)
        return c->error;
    if (c->closing != CLOSING_NO || c->next_id > MAX_WINDOW) /* RFC 9113 6.8; 5.1.1: ids used up */
        return MOTE_H2_ERR_GOAWAY;
    if (!mote_h2_can_open(c)) /* RFC 9113 5.1.2 */
        return MOTE_H2_AGAIN;
    *stream = mote_h2_stream_add(c, c->next_id);
    return 0;
}

/* RFC 9113 5.1: after END_STREAM or RST_STREAM of ours nothing follows */
static bool may_send(const mote_h2_stream *s)
{
    return !(s->flags & (STREAM_LOCAL_END | STREAM_RESET_OWED));
}

/* ---- header sections ----------------------------------------------------------------------- */

void mote_h2_headers_begin(mote_h2 *c, mote_h2_stream *s)
{
    c->block_error = c->error;
    c->block_stream = s;
    if (c->block_error == 0 && !may_send(s))
        c->block_error = MOTE_H2_ERR_STATE;
    /* What is owed goes first: an ACK tells the peer which table size the block was made for. */
    if (c->block_error == 0 && (!mote_h2_flush(c) || !mote_h2_tx_room(c, FRAME_HEADER_SIZE + 8)))
        c->block_error = MOTE_H2_AGAIN;
    if (c->block_error < 0)
        return;
    c->tx_frame = c->tx_size;
    c->tx_block = c->tx_tail - c->tx_head; /* relative: the buffer may be compacted */
    c->block_mark = mote_hpack_encode_mark(&c->encoder);
    c->tx_tail += FRAME_HEADER_SIZE;
    c->tx_tail +=
        (size_t)mote_hpack_encode_start(&c->encoder, c->tx + c->tx_tail, c->tx_size - c->tx_tail);
}

/* The free end of the buffer, made as large as it can be. */
static uint8_t *block_space(mote_h2 *c, size_t *cap)
{
    *cap = mote_h2_tx_space(c);
    return mote_h2_tx_room(c, *cap);
}

static void block_grew(mote_h2 *c, int n)
{
    if (n < 0)
        c->block_error = n;
    else
        c->tx_tail += (size_t)n;
}

static void note_head(mote_h2 *c, const char *name, size_t name_len, const char *value, size_t len)
{
    if (name_len == 7 && len == 4 && memcmp(value, "HEAD", 4) == 0 &&
        memcmp(name, ":method", 7) == 0)
        c->block_stream->flags |= STREAM_NO_CONTENT;
}

void mote_h2_put(mote_h2 *c, const mote_hpack_field *field)
{
    size_t cap;

    if (c->block_error < 0)
        return;
    note_head(c, field->name, field->name_len, field->value, field->value_len);
    uint8_t *out = block_space(c, &cap);
    block_grew(c, mote_hpack_encode(&c->encoder, field, out, cap));
}

void mote_h2_put_value(mote_h2 *c, const mote_hpack_field *name, const char *value, size_t len)
{
    size_t cap;

    if (c->block_error < 0)
        return;
    uint8_t *out = block_space(c, &cap);
    block_grew(c, mote_hpack_encode_value(&c->encoder, name, value, len, out, cap));
}

uint8_t *mote_h2_value_space(mote_h2 *c, size_t len)
{
    size_t cap;

    if (c->block_error < 0)
        return NULL;
    uint8_t *out = block_space(c, &cap);
    if (cap < 2 * len + 32) {
        c->block_error = MOTE_HPACK_ERR_SPACE;
        return NULL;
    }
    return out + cap - len;
}

void mote_h2_put_literal(mote_h2 *c, const char *name, size_t name_len, const char *value,
                         size_t value_len, unsigned flags)
{
    size_t cap;

    if (c->block_error < 0)
        return;
    note_head(c, name, name_len, value, value_len);
    uint8_t *out = block_space(c, &cap);
    block_grew(c, mote_hpack_encode_literal(&c->encoder, name, name_len, value, value_len, flags,
                                            out, cap));
}

/* Cuts a block that is longer than a frame may be (RFC 9113 4.2) into HEADERS and CONTINUATION: the
 * tail moves back by one frame header for each cut, last piece first. */
static bool frame_block(mote_h2 *c, unsigned flags, uint32_t id)
{
    size_t start = c->tx_head + c->tx_block;
    size_t len = c->tx_tail - start - FRAME_HEADER_SIZE;
    size_t cuts = len == 0 ? 0 : (len - 1) / c->peer_max_frame;
    uint8_t *block;

    if (!mote_h2_tx_room(c, cuts * FRAME_HEADER_SIZE))
        return false;
    block = c->tx + c->tx_head + c->tx_block;
    c->tx_tail += cuts * FRAME_HEADER_SIZE;
    for (size_t i = cuts; i > 0; i--) {
        size_t from = i * c->peer_max_frame;
        size_t piece = len - from < c->peer_max_frame ? len - from : c->peer_max_frame;
        uint8_t *to = block + FRAME_HEADER_SIZE + from + i * FRAME_HEADER_SIZE;
        memmove(to, block + FRAME_HEADER_SIZE + from, piece);
        mote_h2_frame_header(to - FRAME_HEADER_SIZE, piece, FRAME_CONTINUATION,
                             i == cuts ? FLAG_END_HEADERS : 0, id);
    }
    if (cuts == 0)
        flags |= FLAG_END_HEADERS;
    mote_h2_frame_header(block, cuts > 0 ? c->peer_max_frame : len, FRAME_HEADERS, flags, id);
    return true;
}

static int drop_block(mote_h2 *c, mote_h2_stream *s, bool started)
{
    int error = c->block_error;

    if (started) {
        c->tx_tail = c->tx_head + c->tx_block;
        mote_hpack_encode_rewind(&c->encoder, &c->block_mark);
        error = c->tx_block == 0 ? MOTE_H2_ERR_TOO_LARGE : MOTE_H2_AGAIN;
    }
    if (!MOTE_SERVES(c) && s->id == c->next_id) /* opened, but never seen by the peer */
        mote_h2_stream_remove(c, s);
    return error;
}

int mote_h2_headers_end(mote_h2 *c, bool end_stream)
{
    mote_h2_stream *s = c->block_stream;
    uint32_t id = s->id;
    unsigned flags = end_stream ? FLAG_END_STREAM : 0;

    if (c->block_error == MOTE_HPACK_ERR_SPACE)
        return drop_block(c, s, true);
    if (c->block_error < 0)
        return drop_block(c, s, false);
    if (!frame_block(c, flags, id))
        return drop_block(c, s, true);
    if (!MOTE_SERVES(c) && id == c->next_id) {
        c->next_id += 2;
        mote_h2_stream_note_opened(c, id);
    }
    if (end_stream)
        mote_h2_stream_end(c, s, STREAM_LOCAL_END);
    return 0;
}

/* ---- content ------------------------------------------------------------------------------- */

static size_t smaller(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* What both windows allow (RFC 9113 5.2.1, 6.9.1), nothing while one is negative (6.9.2); what
 * holds the user back is noted, for MOTE_H2_WRITABLE. */
static size_t window_of(mote_h2 *c, mote_h2_stream *s, size_t min)
{
    size_t of_stream = s->send_window > 0 ? (size_t)s->send_window : 0;
    size_t of_connection = c->send_window > 0 ? (size_t)c->send_window : 0;

    if (of_stream < min)
        s->flags |= STREAM_BLOCKED;
    if (of_connection < min)
        c->owed |= CONN_BLOCKED;
    return smaller(of_stream, of_connection);
}

static bool frame_is_open(const mote_h2 *c, const mote_h2_stream *s)
{
    return c->tx_frame < c->tx_size && c->frame_owner == s;
}

uint8_t *mote_h2_reserve(mote_h2 *c, mote_h2_stream *s, size_t min, size_t *len)
{
    size_t window, space;

    *len = 0;
    if (c->error < 0 || !may_send(s) || !mote_h2_flush(c))
        return NULL;
    window = window_of(c, s, min);
    if (window < min || window == 0)
        return NULL;
    if (frame_is_open(c, s)) {
        space = smaller(mote_h2_tx_space(c),
                        c->peer_max_frame - (c->tx_tail - c->tx_frame - FRAME_HEADER_SIZE));
        if (space >= min && space > 0) {
            *len = smaller(window, space);
            return mote_h2_tx_room(c, *len);
        }
    }
    space = mote_h2_tx_space(c);
    if (space < FRAME_HEADER_SIZE + min || space == FRAME_HEADER_SIZE)
        return NULL;
    c->tx_frame = c->tx_size;
    *len = smaller(window, smaller(space - FRAME_HEADER_SIZE, c->peer_max_frame));
    return mote_h2_tx_room(c, FRAME_HEADER_SIZE + *len) + FRAME_HEADER_SIZE;
}

/* Its header is written by each commit. */
static bool open_frame(mote_h2 *c, mote_h2_stream *s)
{
    if (!mote_h2_tx_room(c, FRAME_HEADER_SIZE))
        return false;
    c->tx_frame = c->tx_tail;
    c->frame_owner = s;
    c->talked = 1;
    c->tx_tail += FRAME_HEADER_SIZE;
    return true;
}

int mote_h2_commit(mote_h2 *c, mote_h2_stream *s, size_t len, bool end_stream)
{
    if (c->error < 0)
        return c->error;
    if (!may_send(s))
        return MOTE_H2_ERR_STATE;
    if (len == 0 && !end_stream)
        return 0;
    if (!frame_is_open(c, s) && ((len == 0 && !mote_h2_flush(c)) || !open_frame(c, s)))
        return MOTE_H2_AGAIN;
    c->tx_tail += len;
    uint8_t *header = c->tx + c->tx_frame;
    mote_h2_frame_header(header, c->tx_tail - c->tx_frame - FRAME_HEADER_SIZE, FRAME_DATA,
                         end_stream ? FLAG_END_STREAM : 0, s->id);
    s->send_window -= (int32_t)len;
    c->send_window -= (int32_t)len;
    if (end_stream) {
        c->tx_frame = c->tx_size;
        mote_h2_stream_end(c, s, STREAM_LOCAL_END);
    }
    return 0;
}

int mote_h2_ping(mote_h2 *c)
{
    if (c->error < 0)
        return c->error;
    if (c->pinging)
        return MOTE_H2_AGAIN;
    c->pinging = 1;
    c->owed |= OWE_PING;
    mote_h2_flush(c);
    return 0;
}
