/* Frames of a fixed layout: PRIORITY, RST_STREAM, SETTINGS, PING, GOAWAY, WINDOW_UPDATE. */
#include "h2_internal.h"

#include <string.h>

int mote_h2_control_begin(mote_h2 *c, mote_h2_event *ev)
{
    (void)ev;
    c->small_len = 0;
    return 0;
}

/* Gathers the first 8 bytes in small[] and skips what follows (debug data, unknown frames). */
int mote_h2_control_payload(mote_h2 *c, const uint8_t *in, size_t len, size_t *used,
                            mote_h2_event *ev)
{
    size_t n = len < c->remaining ? len : c->remaining;
    size_t keep = sizeof c->small - c->small_len;

    (void)ev;
    keep = keep < n ? keep : n;
    memcpy(c->small + c->small_len, in, keep);
    c->small_len = (uint8_t)(c->small_len + keep);
    c->remaining -= (uint32_t)n;
    *used = n;
    return 0;
}

/* ---- SETTINGS (RFC 9113 6.5) --------------------------------------------------------------- */

static int change_windows(mote_h2 *c, uint32_t window)
{
    int64_t change = (int64_t)window - c->peer_window;

    for (size_t i = 0; i < c->stream_count; i++) { /* RFC 9113 6.9.2 */
        mote_h2_stream *s = &c->streams[i];
        if (s->id == 0)
            continue;
        if (s->send_window + change > MAX_WINDOW)
            return mote_h2_peer_error(c, MOTE_H2_FLOW_CONTROL_ERROR,
                                      MOTE_TEXT("INITIAL_WINDOW_SIZE overflows a stream's window"));
        s->send_window = (int32_t)(s->send_window + change);
    }
    c->peer_window = window;
    return 0;
}

static int apply_setting(mote_h2 *c, unsigned id, uint32_t value)
{
    switch (id) {
    case SETTING_HEADER_TABLE_SIZE:
        mote_hpack_encoder_limit(&c->encoder, value);
        return 0;
    case SETTING_ENABLE_PUSH: /* a server must not send 1 (RFC 9113 6.5.2) */
        if (value > 1 || (value == 1 && !MOTE_SERVES(c)))
            return mote_h2_peer_error(c, MOTE_H2_PROTOCOL_ERROR,
                                      MOTE_TEXT("ENABLE_PUSH has no valid value"));
        return 0;
    case SETTING_MAX_CONCURRENT_STREAMS:
        c->peer_max_streams = value;
        return 0;
    case SETTING_INITIAL_WINDOW_SIZE:
        if (value > MAX_WINDOW)
            return mote_h2_peer_error(c, MOTE_H2_FLOW_CONTROL_ERROR,
                                      MOTE_TEXT("INITIAL_WINDOW_SIZE is larger than 2^31-1"));
        return change_windows(c, value);
    case SETTING_MAX_FRAME_SIZE:
        if (value < MAX_FRAME || value > 0xffffff)
            return mote_h2_peer_error(c, MOTE_H2_PROTOCOL_ERROR,
                                      MOTE_TEXT("MAX_FRAME_SIZE is not within 16384..16777215"));
        c->peer_max_frame = value;
        return 0;
    default: /* RFC 9113 6.5.2: unknown settings are ignored, and MAX_HEADER_LIST_SIZE is advice */
        return 0;
    }
}

/* The peer has applied ours: from here on it keeps to them. What it had sent before counts against
 * a window that may become negative (RFC 9113 6.9.3). */
static void settings_acknowledged(mote_h2 *c)
{
    int32_t change = (int32_t)(c->initial_window - c->stream_window);

    for (size_t i = 0; i < c->stream_count; i++) {
        if (c->streams[i].id != 0)
            c->streams[i].recv_window += change;
    }
    c->stream_window = c->initial_window;
    mote_hpack_decoder_limit(&c->decoder, c->table_size);
    c->settings_ms = UINT64_MAX;
}

int mote_h2_settings_begin(mote_h2 *c, mote_h2_event *ev)
{
    (void)ev;
    c->small_len = 0;
    if (c->flags & FLAG_ACK) {
        if (c->length != 0)
            return mote_h2_peer_error(c, MOTE_H2_FRAME_SIZE_ERROR,
                                      MOTE_TEXT("SETTINGS ACK with a payload"));
        return 0;
    }
    if (c->length % 6 != 0)
        return mote_h2_peer_error(c, MOTE_H2_FRAME_SIZE_ERROR,
                                  MOTE_TEXT("length of SETTINGS is no multiple of 6"));
    return mote_h2_charge(c, COST_SETTINGS + COST_SETTINGS_ENTRIES * (c->length / 6 / 16));
}

int mote_h2_settings_payload(mote_h2 *c, const uint8_t *in, size_t len, size_t *used,
                             mote_h2_event *ev)
{
    size_t n = 6u - c->small_len;

    (void)ev;
    n = n < len ? n : len;
    memcpy(c->small + c->small_len, in, n);
    c->small_len = (uint8_t)(c->small_len + n);
    c->remaining -= (uint32_t)n;
    *used = n;
    if (c->small_len < 6)
        return 0;
    c->small_len = 0;
    return apply_setting(c, (unsigned)c->small[0] << 8 | c->small[1], mote_h2_get32(c->small + 2));
}

/* RFC 9113 6.5.3: all values are applied before the acknowledgement */
int mote_h2_settings_end(mote_h2 *c, mote_h2_event *ev)
{
    if (c->flags & FLAG_ACK) {
        settings_acknowledged(c);
        return 0;
    }
    if (c->acks == UINT16_MAX)
        return mote_h2_fatal(c, MOTE_H2_ERR_CALM, MOTE_H2_ENHANCE_YOUR_CALM,
                             MOTE_TEXT("SETTINGS without end"));
    c->acks++;
    ev->type = MOTE_H2_SETTINGS;
    return 1;
}

/* ---- the others ---------------------------------------------------------------------------- */

/* RFC 9113 5.3.2: priorities are read and ignored. */
int mote_h2_priority_end(mote_h2 *c, mote_h2_event *ev)
{
    mote_h2_stream *s = mote_h2_stream_find(c, c->id);
    uint32_t code = MOTE_H2_NO_ERROR;

    if (c->length != 5)
        code = MOTE_H2_FRAME_SIZE_ERROR; /* RFC 9113 6.3 */
    else if ((mote_h2_get32(c->small) & MAX_WINDOW) == c->id)
        code = MOTE_H2_PROTOCOL_ERROR; /* RFC 7540 5.3.1: it depends on itself */
    if (code == MOTE_H2_NO_ERROR || (s && (s->flags & STREAM_RESET_OWED)))
        return mote_h2_charge(c, COST_IGNORED);
    if (s)
        return mote_h2_stream_error(c, s, code, ev);
    return mote_h2_peer_error(c, code,
                              MOTE_TEXT("PRIORITY of a wrong length, or that depends on itself"));
}

/* RFC 9113 6.4; 5.4.2: it is never answered in kind; 7: an unknown code is like any other; 8.1: a
 * response that is complete stays so */
int mote_h2_rst_stream_end(mote_h2 *c, mote_h2_event *ev)
{
    mote_h2_stream *s;

    if (mote_h2_stream_is_idle(c, c->id)) /* RFC 9113 6.4 */
        return mote_h2_peer_error(c, MOTE_H2_PROTOCOL_ERROR,
                                  MOTE_TEXT("RST_STREAM on an idle stream"));
    if (mote_h2_charge(c, COST_RESET) < 0)
        return c->error;
    s = mote_h2_stream_find(c, c->id);
    if (!s)
        return 0;
    ev->type = MOTE_H2_RESET;
    ev->stream = s;
    ev->code = mote_h2_get32(c->small);
    ev->remote = true;
    int visible = !(s->flags & STREAM_RESET_OWED);
    mote_h2_stream_remove(c, s);
    return visible;
}

/* RFC 9113 6.7. One unanswered PING fits the state; a second one is dropped, at a price. */
int mote_h2_ping_end(mote_h2 *c, mote_h2_event *ev)
{
    if (c->flags & FLAG_ACK) {
        if (!c->pinging)
            return mote_h2_charge(c, COST_IGNORED);
        c->pinging = 0;
        if (c->closing == CLOSING_ANNOUNCED) {
            c->closing = CLOSING_DONE;
            c->goaway_last = c->last_peer_id;
            c->owed |= OWE_GOAWAY;
        }
        ev->type = MOTE_H2_PONG;
        return 1;
    }
    uint32_t cost = c->owed & OWE_PING_ACK ? 8 * COST_PING : COST_PING;
    if (!c->talked && c->budget < cost) /* gRPC proposal A8: by this text a client knows */
        return mote_h2_fatal(c, MOTE_H2_ERR_CALM, MOTE_H2_ENHANCE_YOUR_CALM, "too_many_pings");
    c->budget -= c->talked ? 0 : cost;
    c->talked = 0; /* a receiver may measure the path: a PING for each DATA frame is fair */
    if (!(c->owed & OWE_PING_ACK))
        memcpy(c->ping, c->small, sizeof c->ping);
    c->owed |= OWE_PING_ACK;
    return 0;
}

/* RFC 9113 6.8 */
int mote_h2_goaway_end(mote_h2 *c, mote_h2_event *ev)
{
    uint32_t last = mote_h2_get32(c->small) & MAX_WINDOW;

    if (last < c->peer_goaway_id) /* it must not grow */
        c->peer_goaway_id = last;
    if (!MOTE_SERVES(c)) {
        c->sweep = 1;
        c->closing = CLOSING_DONE;
    }
    ev->type = MOTE_H2_GOAWAY;
    ev->last_id = last;
    ev->code = mote_h2_get32(c->small + 4);
    return mote_h2_charge(c, COST_IGNORED) < 0 ? c->error : 1;
}

static int grow_connection(mote_h2 *c, uint32_t increment, mote_h2_event *ev)
{
    if (increment == 0)
        return mote_h2_peer_error(c, MOTE_H2_PROTOCOL_ERROR, MOTE_TEXT("WINDOW_UPDATE of 0"));
    if (increment > (uint32_t)(MAX_WINDOW - c->send_window)) /* RFC 9113 6.9.1 */
        return mote_h2_peer_error(c, MOTE_H2_FLOW_CONTROL_ERROR,
                                  MOTE_TEXT("WINDOW_UPDATE overflows the connection's window"));
    c->send_window += (int32_t)increment;
    if (!(c->owed & CONN_BLOCKED))
        return 0;
    c->owed &= (uint8_t)~CONN_BLOCKED;
    ev->type = MOTE_H2_WRITABLE;
    return 1;
}

int mote_h2_window_update_end(mote_h2 *c, mote_h2_event *ev)
{
    uint32_t increment = mote_h2_get32(c->small) & MAX_WINDOW;
    mote_h2_stream *s;

    if (c->id == 0)
        return grow_connection(c, increment, ev);
    if (mote_h2_stream_is_idle(c, c->id)) /* RFC 9113 5.1 idle */
        return mote_h2_peer_error(c, MOTE_H2_PROTOCOL_ERROR,
                                  MOTE_TEXT("WINDOW_UPDATE on an idle stream"));
    s = mote_h2_stream_find(c, c->id);
    if (!s || (s->flags & STREAM_RESET_OWED))
        return mote_h2_charge(c, COST_IGNORED);
    if (increment == 0) /* RFC 9113 6.9 */
        return mote_h2_stream_error(c, s, MOTE_H2_PROTOCOL_ERROR, ev);
    if ((int64_t)s->send_window + increment > MAX_WINDOW)
        return mote_h2_stream_error(c, s, MOTE_H2_FLOW_CONTROL_ERROR, ev);
    s->send_window += (int32_t)increment;
    if (!(s->flags & STREAM_BLOCKED) || s->send_window <= 0)
        return 0;
    s->flags &= (uint16_t)~STREAM_BLOCKED;
    ev->type = MOTE_H2_WRITABLE;
    ev->stream = s;
    return 1;
}

int mote_h2_push_promise_begin(mote_h2 *c, mote_h2_event *ev)
{
    (void)ev; /* RFC 9113 6.6, 8.4: a client never sends it, and we have set ENABLE_PUSH to 0 */
    return mote_h2_peer_error(c, MOTE_H2_PROTOCOL_ERROR,
                              MOTE_TEXT("PUSH_PROMISE, which is refused"));
}

int mote_h2_unknown_end(mote_h2 *c, mote_h2_event *ev)
{
    (void)ev; /* RFC 9113 5.5 */
    return mote_h2_charge(c, COST_IGNORED);
}
