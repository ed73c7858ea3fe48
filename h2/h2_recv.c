/* The frame loop: preface, frame headers, and the table that sends payloads where they belong. */
#include "h2_internal.h"

#include <string.h>

static const char preface[24] = {'P',  'R',  'I', ' ', '*',  ' ',  'H',  'T',
                                 'T',  'P',  '/', '2', '.',  '0',  '\r', '\n',
                                 '\r', '\n', 'S', 'M', '\r', '\n', '\r', '\n'};

enum where { CONNECTION, STREAM, ANYWHERE };

/* How a frame type is received: which lengths and stream ids are legal (RFC
 * 9113 6.1, 6.2, 6.3, 6.4, 6.5, 6.7, 6.8, 6.9, 6.10), and its three handlers. */
typedef struct {
    uint32_t min, max;
    enum where where;
    int (*begin)(mote_h2 *c, mote_h2_event *ev);
    int (*payload)(mote_h2 *c, const uint8_t *in, size_t len, size_t *used, mote_h2_event *ev);
    int (*end)(mote_h2 *c, mote_h2_event *ev);
} frame_rule;

static const frame_rule rules[] = {
    [FRAME_DATA] = {0, MAX_FRAME, STREAM, mote_h2_data_begin, mote_h2_data_payload,
                    mote_h2_data_end},
    [FRAME_HEADERS] = {0, MAX_FRAME, STREAM, mote_h2_headers_begin_frame, mote_h2_headers_payload,
                       mote_h2_headers_end_frame},
    [FRAME_PRIORITY] = {0, MAX_FRAME, STREAM, mote_h2_control_begin, mote_h2_control_payload,
                        mote_h2_priority_end},
    [FRAME_RST_STREAM] = {4, 4, STREAM, mote_h2_control_begin, mote_h2_control_payload,
                          mote_h2_rst_stream_end},
    [FRAME_SETTINGS] = {0, MAX_FRAME, CONNECTION, mote_h2_settings_begin, mote_h2_settings_payload,
                        mote_h2_settings_end},
    [FRAME_PUSH_PROMISE] = {0, MAX_FRAME, STREAM, mote_h2_push_promise_begin,
                            mote_h2_control_payload, mote_h2_unknown_end},
    [FRAME_PING] = {8, 8, CONNECTION, mote_h2_control_begin, mote_h2_control_payload,
                    mote_h2_ping_end},
    [FRAME_GOAWAY] = {8, MAX_FRAME, CONNECTION, mote_h2_control_begin, mote_h2_control_payload,
                      mote_h2_goaway_end},
    [FRAME_WINDOW_UPDATE] = {4, 4, ANYWHERE, mote_h2_control_begin, mote_h2_control_payload,
                             mote_h2_window_update_end},
    [FRAME_CONTINUATION] = {0, MAX_FRAME, STREAM, mote_h2_continuation_begin,
                            mote_h2_headers_payload, mote_h2_headers_end_frame},
    [FRAME_UNKNOWN] = {0, MAX_FRAME, ANYWHERE, mote_h2_control_begin, mote_h2_control_payload,
                       mote_h2_unknown_end},
};

static const frame_rule *rule_of(const mote_h2 *c)
{
    return &rules[c->type < FRAME_UNKNOWN ? c->type : FRAME_UNKNOWN];
}

static int recv_preface(mote_h2 *c, const uint8_t *in, size_t len, size_t *used)
{
    size_t i = 0;

    for (; i < len && c->small_len < sizeof preface; i++, c->small_len++) {
        if (in[i] != (uint8_t)preface[c->small_len]) /* RFC 9113 3.4 */
            return mote_h2_peer_error(c, MOTE_H2_PROTOCOL_ERROR,
                                      MOTE_TEXT("no HTTP/2 connection preface"));
    }
    *used = i;
    if (c->small_len == sizeof preface) {
        c->small_len = 0;
        c->phase = PHASE_FIRST;
    }
    return 0;
}

static int check_frame(mote_h2 *c, const frame_rule *rule)
{
    if (c->length > MAX_FRAME) /* RFC 9113 4.2 */
        return mote_h2_peer_error(c, MOTE_H2_FRAME_SIZE_ERROR,
                                  MOTE_TEXT("frame larger than 16384 bytes"));
    if (c->phase == PHASE_FIRST && (c->type != FRAME_SETTINGS || (c->flags & FLAG_ACK)))
        return mote_h2_peer_error(c, MOTE_H2_PROTOCOL_ERROR,
                                  MOTE_TEXT("the first frame is not SETTINGS"));
    if (c->block_id != 0 && (c->type != FRAME_CONTINUATION || c->id != c->block_id))
        return mote_h2_peer_error(
            c, MOTE_H2_PROTOCOL_ERROR,
            MOTE_TEXT("a header block is interrupted")); /* RFC 9113 4.3, 5.5, 6.2 */
    if ((rule->where == CONNECTION && c->id != 0) || (rule->where == STREAM && c->id == 0))
        return mote_h2_peer_error(c, MOTE_H2_PROTOCOL_ERROR,
                                  MOTE_TEXT("frame on the wrong stream"));
    if (c->length < rule->min || c->length > rule->max)
        return mote_h2_peer_error(c, MOTE_H2_FRAME_SIZE_ERROR,
                                  MOTE_TEXT("frame of a wrong length"));
    return 0;
}

static int begin_frame(mote_h2 *c, const uint8_t *header, mote_h2_event *ev)
{
    const frame_rule *rule;

    c->header_len = 0;
    c->length = c->remaining =
        (uint32_t)header[0] << 16 | (uint32_t)header[1] << 8 | (uint32_t)header[2];
    c->type = header[3];
    c->flags = header[4];
    c->id = mote_h2_get32(header + 5) & MAX_WINDOW; /* the reserved bit is ignored (4.1) */
    rule = rule_of(c);
    int r = check_frame(c, rule);
    c->phase = PHASE_PAYLOAD;
    return r < 0 ? r : rule->begin(c, ev);
}

static int recv_header(mote_h2 *c, const uint8_t *in, size_t len, size_t *used, mote_h2_event *ev)
{
    size_t n = FRAME_HEADER_SIZE - (size_t)c->header_len;

    if (c->header_len == 0 && len >= FRAME_HEADER_SIZE) {
        *used = FRAME_HEADER_SIZE;
        return begin_frame(c, in, ev);
    }
    n = n < len ? n : len;
    memcpy(c->header + c->header_len, in, n);
    c->header_len = (uint8_t)(c->header_len + n);
    *used = n;
    return c->header_len == FRAME_HEADER_SIZE ? begin_frame(c, c->header, ev) : 0;
}

static int end_frame(mote_h2 *c, mote_h2_event *ev)
{
    int r;

    c->phase = PHASE_HEADER;
    r = rule_of(c)->end(c, ev);
    mote_h2_flush(c); /* at once while there is room, so that answers keep the order of questions */
    return r;
}

static int recv_payload(mote_h2 *c, const uint8_t *in, size_t len, size_t *used, mote_h2_event *ev)
{
    int r;

    *used = 0;
    if (c->stream && (c->stream->id != c->id || (c->stream->flags & STREAM_RESET_OWED)))
        c->stream = NULL; /* it was reset while its frame arrives */
    if (c->remaining == 0)
        return end_frame(c, ev);
    r = rule_of(c)->payload(c, in, len, used, ev);
    /* A frame ends after the user has seen its last piece, however it was cut: what follows from
     * the end (END_STREAM, credit) never comes earlier. */
    if (c->remaining == 0 && r == 0)
        r = end_frame(c, ev);
    return r;
}

/* RFC 9113 6.8, 8.7: streams above the last id of a GOAWAY were not and will not be processed. */
static int sweep(mote_h2 *c, mote_h2_event *ev)
{
    for (size_t i = 0; i < c->stream_count; i++) {
        mote_h2_stream *s = &c->streams[i];
        if (s->id <= c->peer_goaway_id || (s->flags & STREAM_RESET_OWED))
            continue;
        ev->type = MOTE_H2_RESET;
        ev->stream = s;
        ev->code = MOTE_H2_REFUSED_STREAM;
        ev->remote = true;
        mote_h2_stream_remove(c, s);
        return 1;
    }
    c->sweep = 0;
    return 0;
}

static int recv_step(mote_h2 *c, const uint8_t *in, size_t len, size_t *used, mote_h2_event *ev)
{
    switch (c->phase) {
    case PHASE_PREFACE:
        return recv_preface(c, in, len, used);
    case PHASE_PAYLOAD:
        return recv_payload(c, in, len, used, ev);
    default:
        return recv_header(c, in, len, used, ev);
    }
}

static bool needs_input(const mote_h2 *c)
{
    return c->phase != PHASE_PAYLOAD || c->remaining > 0;
}

int mote_h2_recv(mote_h2 *c, const uint8_t *in, size_t len, size_t *used, mote_h2_event *ev)
{
    static const uint8_t nothing;
    size_t i = 0;
    int r = c->error;

    if (len == 0)
        in = &nothing; /* it may be NULL */
    ev->type = 0;
    ev->end_stream = ev->trailers = ev->truncated = false;
    ev->stream = NULL;
    ev->len = 0;
    if (r == 0 && c->sweep)
        r = sweep(c, ev);
    while (r == 0 && (i < len || !needs_input(c))) {
        size_t n = 0;
        r = recv_step(c, in + i, len - i, &n, ev);
        i += n;
    }
    *used = i;
    if (i > 0)
        c->heard = 1;
    return r;
}
