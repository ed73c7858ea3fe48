/* DATA frames and flow control of what is received (RFC 9113 5.2, 6.1, 6.9). */
#include "h2_internal.h"

#include <string.h>

static bool in_its_frame(const mote_h2 *c, const mote_h2_stream *s)
{
    return c->phase == PHASE_PAYLOAD && c->type == FRAME_DATA && c->id == s->id;
}

/* Half of the window is returned at once, which costs one WINDOW_UPDATE for many frames; less only
 * when the user waits for more than the peer may send. Inside of a DATA frame of the stream nothing
 * is returned, so that the output does not depend on how the frame was cut. */
void mote_h2_credit_stream(mote_h2 *c, mote_h2_stream *s)
{
    bool half = s->credit >= (c->initial_window + 1) / 2;
    bool starved = s->credit > 0 && s->recv_window < (int64_t)s->need;

    if (!(half || starved) || in_its_frame(c, s))
        return;
    if (!(s->flags & STREAM_CREDIT_OWED)) {
        s->flags |= STREAM_CREDIT_OWED;
        c->owing_streams++;
    }
    mote_h2_flush(c);
}

void mote_h2_consume(mote_h2 *c, mote_h2_stream *s, size_t len)
{
    if (c->error < 0 || !mote_h2_receiving(s))
        return;
    s->credit += (uint32_t)len;
    s->need = 0;
    mote_h2_credit_stream(c, s);
}

void mote_h2_need(mote_h2 *c, mote_h2_stream *s, size_t len)
{
    if (c->error < 0 || !mote_h2_receiving(s))
        return;
    s->need = (uint32_t)len;
    mote_h2_credit_stream(c, s);
}

/* Content on the connection is credited as it arrives: the memory for it is the stream's. */
void mote_h2_credit_connection(mote_h2 *c, uint32_t len)
{
    c->credit += len;
    if (c->credit >= c->connection_window / 2)
        c->owed |= OWE_WINDOW;
}

/* DATA for a stream that cannot take it (RFC 9113 5.1 closed, 6.1). */
static int data_on_closed(mote_h2 *c)
{
    if (!mote_h2_stream_was_reset(c, c->id))
        mote_h2_tx_reset(c, c->id, MOTE_H2_STREAM_CLOSED);
    return mote_h2_charge(c, COST_IGNORED);
}

static int check_stream(mote_h2 *c, mote_h2_stream *s, mote_h2_event *ev)
{
    if (s->flags & STREAM_REMOTE_END) /* RFC 9113 5.1 half-closed (remote) */
        return mote_h2_stream_error(c, s, MOTE_H2_STREAM_CLOSED, ev);
    if (!(s->flags & STREAM_GOT_HEADERS)) /* RFC 9113 8.1: HEADERS come first */
        return mote_h2_stream_error(c, s, MOTE_H2_PROTOCOL_ERROR, ev);
    /* RFC 9113 6.9.1; an empty frame is legal whatever the window is */
    if ((int64_t)c->length > (s->recv_window > 0 ? s->recv_window : 0))
        return mote_h2_stream_error(c, s, MOTE_H2_FLOW_CONTROL_ERROR, ev);
    s->recv_window -= (int32_t)c->length;
    if (c->flags & FLAG_END_STREAM)
        s->flags |= STREAM_ENDING;
    c->stream = s;
    return 0;
}

int mote_h2_data_begin(mote_h2 *c, mote_h2_event *ev)
{
    mote_h2_stream *s;

    c->small_len = 0;
    c->stream = NULL;
    c->pad = 0;
    if (mote_h2_stream_is_idle(c, c->id)) /* RFC 9113 5.1 idle */
        return mote_h2_peer_error(c, MOTE_H2_PROTOCOL_ERROR, MOTE_TEXT("DATA on an idle stream"));
    if (c->length > (uint32_t)c->recv_window) /* RFC 9113 6.9.1 */
        return mote_h2_peer_error(c, MOTE_H2_FLOW_CONTROL_ERROR,
                                  MOTE_TEXT("DATA exceeds the connection's window"));
    if ((c->flags & FLAG_PADDED) && c->length == 0)
        return mote_h2_peer_error(c, MOTE_H2_FRAME_SIZE_ERROR,
                                  MOTE_TEXT("DATA without its pad length"));
    c->recv_window -= (int32_t)c->length;
    s = mote_h2_stream_find(c, c->id);
    if (!s)
        return data_on_closed(c);
    return s->flags & STREAM_RESET_OWED ? mote_h2_charge(c, COST_IGNORED) : check_stream(c, s, ev);
}

/* The pad length is known: what the frame carries must agree with content-length (RFC 9113 8.1.1).
 */
static int body_starts(mote_h2 *c, mote_h2_event *ev)
{
    mote_h2_stream *s = c->stream;
    uint32_t body = c->remaining - c->pad;

    c->small_len = 1;
    if (body == 0 && !(c->flags & FLAG_END_STREAM) && mote_h2_charge(c, COST_EMPTY) < 0)
        return c->error;
    if (!s)
        return 0;
    s->credit += c->length - body; /* padding is nothing that the user could take */
    if (!(s->flags & STREAM_HAS_LENGTH))
        return 0;
    if (body > s->content_length || ((c->flags & FLAG_END_STREAM) && body < s->content_length)) {
        c->stream = NULL;
        return mote_h2_stream_error(c, s, MOTE_H2_PROTOCOL_ERROR, ev);
    }
    s->content_length -= body;
    return 0;
}

static int read_pad_length(mote_h2 *c, uint8_t byte, mote_h2_event *ev)
{
    c->remaining--;
    c->pad = byte;
    if (c->pad > c->remaining) /* RFC 9113 6.1 */
        return mote_h2_peer_error(c, MOTE_H2_PROTOCOL_ERROR,
                                  MOTE_TEXT("padding exceeds the DATA frame"));
    return body_starts(c, ev);
}

int mote_h2_data_payload(mote_h2 *c, const uint8_t *in, size_t len, size_t *used, mote_h2_event *ev)
{
    int r = 0;

    *used = 0;
    if (c->small_len == 0) {
        if (c->flags & FLAG_PADDED) {
            *used = 1;
            return read_pad_length(c, in[0], ev);
        }
        if ((r = body_starts(c, ev)) != 0)
            return r;
    }
    uint32_t body = c->remaining - c->pad;
    size_t n = body > 0 ? body : c->remaining;
    n = n < len ? n : len;
    *used = n;
    c->remaining -= (uint32_t)n;
    if (body == 0)
        c->pad = (uint8_t)c->remaining; /* what is left of the frame is padding */
    if (body == 0 || !c->stream)
        return 0;
    ev->type = MOTE_H2_DATA;
    ev->stream = c->stream;
    ev->data = in;
    ev->len = n;
    return 1;
}

int mote_h2_data_end(mote_h2 *c, mote_h2_event *ev)
{
    int r = c->small_len == 0 ? body_starts(c, ev) : 0;
    mote_h2_stream *s = c->stream;

    mote_h2_credit_connection(c, c->length);
    if (!s)
        return r;
    if (!(c->flags & FLAG_END_STREAM)) {
        mote_h2_credit_stream(c, s);
        return 0;
    }
    ev->type = MOTE_H2_DATA;
    ev->stream = s;
    ev->end_stream = true;
    mote_h2_stream_end(c, s, STREAM_REMOTE_END);
    return 1;
}
