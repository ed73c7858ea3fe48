/* Header sections that are sent: first ones, responses and trailers alike. They are written into
 * the transmit buffer field by field, and framed at their end. */
#include "h2_internal.h"

#include <string.h>

/* RFC 9113 5.1: after END_STREAM or RST_STREAM of ours nothing follows */
static int may_begin(const mote_h2 *c, const mote_h2_stream *s)
{
    if (c->life == MOTE_H2_FAILED)
        return c->error;
    switch (s->state) {
    case MOTE_H2_STATE_IDLE:
    case MOTE_H2_STATE_OPEN:
    case MOTE_H2_STATE_HALF_CLOSED_REMOTE:
        return 0;
    default:
        return MOTE_H2_ERR_STATE;
    }
}

void mote_h2_headers_begin(mote_h2 *c, mote_h2_stream *s)
{
    mote_h2_section *b = &c->section;

    CHECK_STREAM(c, s);
    b->stream = s;
    b->error = (int16_t)may_begin(c, s);
    if (b->error < 0)
        return;
    /* What is owed goes first: an ACK tells the peer which table size the block was made for. */
    if (!mote_h2_flush(c) || !mote_h2_tx_room(c, FRAME_HEADER_SIZE + 8)) {
        b->error = MOTE_H2_AGAIN;
        return;
    }
    c->tx.owner = NULL;
    b->start = c->tx.tail - c->tx.head; /* relative: the buffer may be compacted */
    b->mark = mote_hpack_encode_mark(&c->encoder);
    c->tx.tail += FRAME_HEADER_SIZE;
    c->tx.tail += (size_t)mote_hpack_encode_start(&c->encoder, c->tx.bytes + c->tx.tail,
                                                  c->tx.size - c->tx.tail);
}

/* The free end of the buffer, made as large as it can be. */
static uint8_t *section_space(mote_h2 *c, size_t *cap)
{
    *cap = mote_h2_tx_space(c);
    return mote_h2_tx_room(c, *cap);
}

static void section_grew(mote_h2 *c, int n)
{
    if (n < 0)
        c->section.error = (int16_t)n;
    else
        c->tx.tail += (size_t)n;
}

/* RFC 9113 8.1.1 */
void mote_h2_expect_no_content(mote_h2 *c)
{
    CHECK_SECTION(c);
    c->section.stream->flags |= STREAM_NO_CONTENT;
}

void mote_h2_put(mote_h2 *c, const mote_hpack_field *field)
{
    size_t cap;

    CHECK_SECTION(c);
    if (c->section.error < 0)
        return;
    uint8_t *out = section_space(c, &cap);
    section_grew(c, mote_hpack_encode(&c->encoder, field, out, cap));
}

void mote_h2_put_value(mote_h2 *c, const mote_hpack_field *name, const char *value, size_t len)
{
    size_t cap;

    CHECK_SECTION(c);
    if (c->section.error < 0)
        return;
    uint8_t *out = section_space(c, &cap);
    section_grew(c, mote_hpack_encode_value(&c->encoder, name, value, len, out, cap));
}

uint8_t *mote_h2_value_space(mote_h2 *c, size_t len)
{
    size_t cap;

    CHECK_SECTION(c);
    if (c->section.error < 0)
        return NULL;
    uint8_t *out = section_space(c, &cap);
    if (cap < 2 * len + 32) {
        c->section.error = MOTE_HPACK_ERR_SPACE;
        return NULL;
    }
    return out + cap - len;
}

void mote_h2_put_literal(mote_h2 *c, const char *name, size_t name_len, const char *value,
                         size_t value_len, unsigned flags)
{
    size_t cap;

    CHECK_SECTION(c);
    if (c->section.error < 0)
        return;
    uint8_t *out = section_space(c, &cap);
    section_grew(c, mote_hpack_encode_literal(&c->encoder, name, name_len, value, value_len, flags,
                                              out, cap));
}

/* Frames the block, which lies behind the place of its header. One that is longer than a frame may
 * be is cut into HEADERS and CONTINUATION (RFC 9113 4.2): what is behind each cut moves back by one
 * frame header. */
static bool frame_section(mote_h2 *c, unsigned flags, uint32_t id)
{
    size_t max = c->peer_max_frame, at = c->section.start;
    unsigned type = MOTE_H2_FRAME_HEADERS;

    for (;;) {
        size_t left = c->tx.tail - c->tx.head - at - FRAME_HEADER_SIZE;
        bool last = !MOTE_CUTS || left <= max;
        if (!last && !mote_h2_tx_room(c, FRAME_HEADER_SIZE))
            return false;
        uint8_t *header = c->tx.bytes + c->tx.head + at;
        mote_h2_frame_header(header, last ? left : max, type,
                             last ? flags | FLAG_END_HEADERS : flags, id);
        if (last)
            return true;
        uint8_t *rest = header + FRAME_HEADER_SIZE + max;
        memmove(rest + FRAME_HEADER_SIZE, rest, left - max);
        c->tx.tail += FRAME_HEADER_SIZE;
        at += FRAME_HEADER_SIZE + max;
        type = MOTE_H2_FRAME_CONTINUATION;
        flags = 0;
    }
}

static void take_back(mote_h2 *c)
{
    c->tx.tail = c->tx.head + c->section.start;
    mote_hpack_encode_rewind(&c->encoder, c->section.mark);
}

void mote_h2_headers_refuse(mote_h2 *c, int error)
{
    CHECK_SECTION(c);
    if (c->section.error < 0)
        return;
    take_back(c);
    c->section.error = (int16_t)error;
}

/* The section is taken back, and with it a stream that the peer has never seen. */
static int drop_section(mote_h2 *c, mote_h2_stream *s)
{
    int error = c->section.error;

    if (error == MOTE_HPACK_ERR_SPACE) {
        take_back(c);
        error = c->section.start == 0 ? MOTE_H2_ERR_TOO_LARGE : MOTE_H2_AGAIN;
    }
    if (s->state == MOTE_H2_STATE_IDLE)
        mote_h2_stream_remove(c, s);
    return error;
}

int mote_h2_headers_end(mote_h2 *c, bool end_stream)
{
    mote_h2_stream *s = c->section.stream;
    unsigned flags = end_stream ? FLAG_END_STREAM : 0;

    CHECK_SECTION(c);
    c->section.stream = NULL;
    if (c->section.error == 0 && !frame_section(c, flags, s->id))
        c->section.error = MOTE_HPACK_ERR_SPACE;
    if (c->section.error < 0)
        return drop_section(c, s);
    if (s->state == MOTE_H2_STATE_IDLE) {
        s->state = MOTE_H2_STATE_OPEN;
        c->next_id += 2;
        mote_h2_stream_note_opened(c, s->id);
    }
    if (end_stream)
        mote_h2_stream_end(c, s, MOTE_H2_STATE_HALF_CLOSED_LOCAL);
    return 0;
}
