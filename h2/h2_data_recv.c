/* DATA that is received (RFC 9113 6.1): a piece of content is handed on where it lies. */
#include "h2_internal.h"

/* DATA for a stream that cannot take it (RFC 9113 5.1 closed, 6.1). Without room its RST_STREAM is
 * skipped: the stream has no slot to remember it. */
static int data_on_closed(mote_h2 *c)
{
    bool late = mote_h2_stream_was_reset(c, c->frame.id) ||
                (mote_h2_stream_is_forgotten(c, c->frame.id) && c->late_bytes > 0);

    if (late)
        return mote_h2_late_frame(c);
    mote_h2_tx_word(c, MOTE_H2_FRAME_RST_STREAM, c->frame.id, MOTE_H2_STREAM_CLOSED);
    return mote_h2_charge(c, COST_IGNORED);
}

static int check_stream(mote_h2 *c, mote_h2_stream *s)
{
    if (s->state == MOTE_H2_STATE_HALF_CLOSED_REMOTE) /* RFC 9113 5.1 half-closed (remote) */
        return mote_h2_stream_error(c, s, MOTE_H2_STREAM_CLOSED);
    if (!(s->flags & STREAM_GOT_HEADERS)) /* RFC 9113 8.1: HEADERS come first */
        return mote_h2_stream_error(c, s, MOTE_H2_PROTOCOL_ERROR);
    /* RFC 9113 6.9.1; an empty frame is legal whatever the window is */
    if (c->frame.length > 0 && (int32_t)c->frame.length > s->recv_window)
        return mote_h2_stream_error(c, s, MOTE_H2_FLOW_CONTROL_ERROR);
    s->recv_window -= (int32_t)c->frame.length;
    if (c->frame.flags & FLAG_END_STREAM)
        s->flags |= STREAM_ENDING;
    c->frame.stream = s;
    return 0;
}

int mote_h2_on_data(mote_h2 *c)
{
    mote_h2_stream *s;

    c->frame.stream = NULL;
    if (c->frame.length > (uint32_t)c->recv_window) /* RFC 9113 6.9.1 */
        return mote_h2_peer_error(c, MOTE_H2_FLOW_CONTROL_ERROR,
                                  MOTE_TEXT("DATA exceeds the connection's window"));
    if ((c->frame.flags & FLAG_PADDED) && c->frame.length == 0)
        return mote_h2_peer_error(c, MOTE_H2_FRAME_SIZE_ERROR,
                                  MOTE_TEXT("DATA without its pad length"));
    c->recv_window -= (int32_t)c->frame.length;
    s = mote_h2_stream_find(c, c->frame.id);
    if (!s)
        return data_on_closed(c);
    return s->state == MOTE_H2_STATE_RESET_OWED ? mote_h2_late_frame(c) : check_stream(c, s);
}

/* The pad length is known: what the frame carries must agree with content-length (RFC 9113 8.1.1).
 */
static int body_starts(mote_h2 *c)
{
    mote_h2_stream *s = c->frame.stream;
    uint32_t body = c->frame.remaining - c->frame.pad;
    bool last = c->frame.flags & FLAG_END_STREAM;

    c->frame.fixed_len = 1;
    if (body == 0 && !last && mote_h2_charge(c, COST_EMPTY) < 0)
        return c->error;
    if (!s)
        return 0;
    s->credit += c->frame.length - body; /* padding is nothing that the user could take */
    if (!(s->flags & STREAM_HAS_LENGTH))
        return 0;
    if (body > s->content_length || (last && body < s->content_length)) {
        c->frame.stream = NULL;
        return mote_h2_stream_error(c, s, MOTE_H2_PROTOCOL_ERROR);
    }
    s->content_length -= body;
    return 0;
}

static int read_pad_length(mote_h2 *c, uint8_t byte)
{
    c->frame.remaining--;
    c->frame.pad = byte;
    if (byte > c->frame.remaining) /* RFC 9113 6.1 */
        return mote_h2_peer_error(c, MOTE_H2_PROTOCOL_ERROR,
                                  MOTE_TEXT("padding exceeds the DATA frame"));
    c->frame.pads = true;
    return body_starts(c);
}

int mote_h2_on_data_payload(mote_h2 *c, const uint8_t *in, size_t len, size_t *used)
{
    mote_h2_frame *f = &c->frame;
    int r;

    if (f->fixed_len == 0) {
        if (f->flags & FLAG_PADDED) {
            *used = 1;
            return read_pad_length(c, in[0]);
        }
        if ((r = body_starts(c)) != 0)
            return r;
    }
    uint32_t body = f->remaining - f->pad;
    size_t n = body > 0 ? body : f->remaining;
    n = n < len ? n : len;
    *used = n;
    f->remaining -= (uint32_t)n;
    if (body == 0)
        f->pad = (uint8_t)f->remaining; /* what is left of the frame is padding */
    if (body == 0 || !f->stream)
        return 0;
    mote_h2_event *ev = c->event;
    ev->type = MOTE_H2_DATA;
    ev->stream = f->stream;
    ev->data = in;
    ev->len = n;
    return 1;
}

int mote_h2_on_data_end(mote_h2 *c)
{
    int r = c->frame.fixed_len == 0 ? body_starts(c) : 0;
    mote_h2_stream *s = c->frame.stream;

    mote_h2_credit_connection(c, c->frame.length);
    if (!s || r < 0)
        return r;
    if (!(c->frame.flags & FLAG_END_STREAM)) {
        mote_h2_credit_stream(c, s);
        return 0;
    }
    mote_h2_event *ev = c->event;
    ev->type = MOTE_H2_DATA;
    ev->stream = s;
    ev->end_stream = true;
    mote_h2_stream_end(c, s, MOTE_H2_STATE_HALF_CLOSED_REMOTE);
    return 1;
}
