/* SETTINGS: ours, the peer's, and their acknowledgement (RFC 9113 6.5). */
#include "h2_internal.h"

#include <string.h>

static MOTE_APART uint8_t *put_setting(uint8_t *p, unsigned id, uint32_t value)
{
    p[0] = 0;
    p[1] = (uint8_t)id;
    mote_h2_put32(p + 2, value);
    return p + 6;
}

/* Only what differs from the initial values is said. */
void mote_h2_tx_settings(mote_h2 *c)
{
    uint8_t *payload = c->tx.bytes + c->tx.tail + FRAME_HEADER_SIZE, *p = payload;

    if (MOTE_SERVES(c))
        p = put_setting(p, SETTING_MAX_CONCURRENT_STREAMS, c->stream_count);
    else
        p = put_setting(p, SETTING_ENABLE_PUSH, 0);
    if (c->table_size != 4096)
        p = put_setting(p, SETTING_HEADER_TABLE_SIZE, c->table_size);
    if (c->initial_window != DEFAULT_WINDOW)
        p = put_setting(p, SETTING_INITIAL_WINDOW_SIZE, c->initial_window);
    p = put_setting(p, SETTING_MAX_HEADER_LIST_SIZE, c->max_list_size);
    mote_h2_tx_frame(c, MOTE_H2_FRAME_SETTINGS, 0, 0, (size_t)(p - payload));
}

/* ---- received ------------------------------------------------------------------------------- */

/* All streams are looked at, which has its price where there may be many. */
static int change_windows(mote_h2 *c, uint32_t window)
{
    int32_t change = (int32_t)(window - c->peer_window);
    int r = 0;

    if (MOTE_SERVES(c))
        r = mote_h2_charge(c, COST_SETTINGS_WINDOWS * (c->stream_count / 1024));
    if (r < 0)
        return r;
    if (change > 0)
        c->event->len = (size_t)change;
    for (size_t i = 0; i < c->stream_count; i++) { /* RFC 9113 6.9.2 */
        mote_h2_stream *s = &c->streams[i];
        if (s->id == 0)
            continue;
        if (change > 0 && mote_h2_overflows(s, (uint32_t)change))
            return mote_h2_peer_error(c, MOTE_H2_FLOW_CONTROL_ERROR,
                                      MOTE_TEXT("INITIAL_WINDOW_SIZE overflows a stream's window"));
        s->send_window += change;
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
        if (value > (MOTE_SERVES(c) ? 1u : 0u))
            return mote_h2_peer_error_of(c, MOTE_H2_PROTOCOL_ERROR,
                                         MOTE_TEXT("ENABLE_PUSH has no valid value"), value);
        return 0;
    case SETTING_MAX_CONCURRENT_STREAMS:
        c->peer_max_streams = value;
        return 0;
    case SETTING_INITIAL_WINDOW_SIZE:
        if (value > MAX_WINDOW)
            return mote_h2_peer_error_of(c, MOTE_H2_FLOW_CONTROL_ERROR,
                                         MOTE_TEXT("INITIAL_WINDOW_SIZE is larger than 2^31-1"),
                                         value);
        c->next_window = value; /* the last of them counts, once */
        return 0;
    case SETTING_MAX_FRAME_SIZE:
        if (value < MAX_FRAME || value > 0xffffff)
            return mote_h2_peer_error_of(c, MOTE_H2_PROTOCOL_ERROR,
                                         MOTE_TEXT("MAX_FRAME_SIZE is not within 16384..16777215"),
                                         value);
        if (MOTE_CUTS)
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
    if (MOTE_SERVES(c)) /* a client's holds from the start */
        mote_hpack_decoder_limit(&c->decoder, c->table_size);
    c->settings_timeout_ms = 0;
}

int mote_h2_on_settings(mote_h2 *c)
{
    if (c->frame.flags & FLAG_ACK) {
        if (c->frame.length != 0)
            return mote_h2_peer_error(c, MOTE_H2_FRAME_SIZE_ERROR,
                                      MOTE_TEXT("SETTINGS ACK with a payload"));
        return 0;
    }
    if (c->frame.length % 6 != 0)
        return mote_h2_peer_error_of(c, MOTE_H2_FRAME_SIZE_ERROR,
                                     MOTE_TEXT("length of SETTINGS is no multiple of 6"),
                                     c->frame.length);
    return mote_h2_charge(c, COST_SETTINGS + COST_SETTINGS_ENTRIES * (c->frame.length / 6 / 16));
}

/* Gathers one entry at a time. */
int mote_h2_on_settings_payload(mote_h2 *c, const uint8_t *in, size_t len, size_t *used)
{
    *used = mote_h2_gather(&c->frame, 6, in, len);
    c->frame.remaining -= (uint32_t)*used;
    if (c->frame.fixed_len < 6)
        return 0;
    c->frame.fixed_len = 0;
    return apply_setting(c, (unsigned)c->frame.fixed[0] << 8 | c->frame.fixed[1],
                         mote_h2_get32(c->frame.fixed + 2));
}

/* RFC 9113 6.5.3: all values are applied before the acknowledgement */
int mote_h2_on_settings_end(mote_h2 *c)
{
    int r;

    if (c->frame.flags & FLAG_ACK) {
        settings_acknowledged(c); /* once more changes nothing */
        return 0;
    }
    if (c->next_window != c->peer_window && (r = change_windows(c, c->next_window)) < 0)
        return r;
    if (c->acks == UINT16_MAX)
        return mote_h2_fatal(c, MOTE_H2_ERR_CALM, MOTE_H2_ENHANCE_YOUR_CALM,
                             MOTE_TEXT("SETTINGS without end"));
    c->acks++;
    c->ready = true;
    c->event->type = MOTE_H2_SETTINGS;
    return 1;
}

bool mote_h2_ready(const mote_h2 *c)
{
    return c->ready;
}
