/* The frame loop: the preface, frame headers, and where each type of frame goes. */
#include "h2_internal.h"

#include <string.h>

static int on_preface(mote_h2 *c, const uint8_t *in, size_t len, size_t *used)
{
    mote_h2_frame *f = &c->frame;
    size_t i = 0;

    for (; i < len && f->fixed_len < PREFACE_SIZE; i++, f->fixed_len++) {
        if (in[i] != (uint8_t)mote_h2_preface[f->fixed_len]) /* RFC 9113 3.4 */
            return mote_h2_peer_error(c, MOTE_H2_PROTOCOL_ERROR,
                                      MOTE_TEXT("no HTTP/2 connection preface"));
    }
    *used = i;
    if (f->fixed_len == PREFACE_SIZE) {
        f->fixed_len = 0;
        f->phase = MOTE_H2_AWAIT_SETTINGS;
    }
    return 0;
}

/* ---- frame headers -------------------------------------------------------------------------- */

/* Where a frame may be (RFC 9113 6.1, 6.2, 6.3, 6.4, 6.5, 6.7, 6.8, 6.10). */
static bool stream_fits(const mote_h2_frame *f)
{
    switch (f->type) {
    case MOTE_H2_FRAME_SETTINGS:
    case MOTE_H2_FRAME_PING:
    case MOTE_H2_FRAME_GOAWAY:
        return f->id == 0;
    case MOTE_H2_FRAME_WINDOW_UPDATE:
    case MOTE_H2_FRAME_UNKNOWN:
        return true;
    default:
        return f->id != 0;
    }
}

/* RFC 9113 6.4, 6.7, 6.8, 6.9 */
static bool length_fits(const mote_h2_frame *f)
{
    switch (f->type) {
    case MOTE_H2_FRAME_RST_STREAM:
    case MOTE_H2_FRAME_WINDOW_UPDATE:
        return f->length == 4;
    case MOTE_H2_FRAME_PING:
        return f->length == PING_SIZE;
    case MOTE_H2_FRAME_GOAWAY:
        return f->length >= 8;
    default:
        return true;
    }
}

static const char *length_text(enum mote_h2_frame_type type)
{
    switch (type) {
    case MOTE_H2_FRAME_RST_STREAM:
        return MOTE_TEXT("RST_STREAM is not 4 bytes long");
    case MOTE_H2_FRAME_WINDOW_UPDATE:
        return MOTE_TEXT("WINDOW_UPDATE is not 4 bytes long");
    case MOTE_H2_FRAME_PING:
        return MOTE_TEXT("PING is not 8 bytes long");
    default:
        return MOTE_TEXT("GOAWAY is shorter than 8 bytes");
    }
}

/* Why a frame cannot be for a stream that was never opened (RFC 9113 5.1 idle, 6.4), as a text. */
static const char *idle_text(enum mote_h2_frame_type type)
{
    switch (type) {
    case MOTE_H2_FRAME_DATA:
        return MOTE_TEXT("DATA on an idle stream");
    case MOTE_H2_FRAME_HEADERS:
        return MOTE_TEXT("HEADERS on an idle stream");
    case MOTE_H2_FRAME_RST_STREAM:
        return MOTE_TEXT("RST_STREAM on an idle stream");
    default:
        return MOTE_TEXT("WINDOW_UPDATE on an idle stream");
    }
}

/* Whether an idle stream may get it (RFC 9113 5.1). */
static bool suits_idle(const mote_h2 *c)
{
    switch (c->frame.type) {
    case MOTE_H2_FRAME_DATA:
    case MOTE_H2_FRAME_RST_STREAM:
        return false;
    case MOTE_H2_FRAME_WINDOW_UPDATE:
        return c->frame.id == 0;
    case MOTE_H2_FRAME_HEADERS:
        return MOTE_SERVES(c) && (c->frame.id & 1);
    default:
        return true;
    }
}

static int check_frame(mote_h2 *c)
{
    const mote_h2_frame *f = &c->frame;

    /* before its size: what another protocol says is no large frame */
    if (f->phase == MOTE_H2_AWAIT_SETTINGS &&
        (f->type != MOTE_H2_FRAME_SETTINGS || (f->flags & FLAG_ACK)))
        return mote_h2_peer_error(c, MOTE_H2_PROTOCOL_ERROR,
                                  MOTE_TEXT("the first frame is not SETTINGS"));
    if (f->length > MAX_FRAME) /* RFC 9113 4.2 */
        return mote_h2_peer_error_of(c, MOTE_H2_FRAME_SIZE_ERROR,
                                     MOTE_TEXT("frame larger than 16384 bytes"), f->length);
    if (c->block.id != 0 && (f->type != MOTE_H2_FRAME_CONTINUATION || f->id != c->block.id))
        return mote_h2_peer_error(
            c, MOTE_H2_PROTOCOL_ERROR,
            MOTE_TEXT("a header block is interrupted")); /* RFC 9113 4.3, 5.5, 6.2 */
    if (!stream_fits(f))
        return mote_h2_peer_error(c, MOTE_H2_PROTOCOL_ERROR,
                                  MOTE_TEXT("frame on the wrong stream"));
    if (!length_fits(f))
        return mote_h2_peer_error_of(c, MOTE_H2_FRAME_SIZE_ERROR, length_text(f->type), f->length);
    if (!suits_idle(c) && mote_h2_stream_is_idle(c, f->id))
        return mote_h2_peer_error(c, MOTE_H2_PROTOCOL_ERROR, idle_text(f->type));
    return 0;
}

static int on_frame(mote_h2 *c)
{
    switch (c->frame.type) {
    case MOTE_H2_FRAME_DATA:
        return mote_h2_on_data(c);
    case MOTE_H2_FRAME_HEADERS:
        return mote_h2_on_headers(c);
    case MOTE_H2_FRAME_CONTINUATION:
        return mote_h2_on_continuation(c);
    case MOTE_H2_FRAME_SETTINGS:
        return mote_h2_on_settings(c);
    case MOTE_H2_FRAME_PUSH_PROMISE:
        return mote_h2_on_push_promise(c);
    default:
        return 0;
    }
}

static enum mote_h2_frame_type frame_type(unsigned byte)
{
    return byte < MOTE_H2_FRAME_UNKNOWN ? (enum mote_h2_frame_type)byte : MOTE_H2_FRAME_UNKNOWN;
}

/* Whether a server answers "HTTP/1.x ": then the status that follows is taken like a frame of three
 * bytes. No other unknown one comes before the SETTINGS. */
static bool is_http_1(const mote_h2 *c, const uint8_t *header)
{
    return !MOTE_SERVES(c) && c->frame.phase == MOTE_H2_AWAIT_SETTINGS &&
           memcmp(header, "HTTP/1.", 7) == 0;
}

static void begin_http_1(mote_h2_frame *f, const uint8_t *header)
{
    f->fixed[7] = header[7]; /* the minor version; the status is gathered before it */
    f->type = MOTE_H2_FRAME_UNKNOWN;
    f->length = f->remaining = 3;
    f->phase = MOTE_H2_IN_FRAME;
}

/* The text lies where fields are decoded: none will follow. */
static int on_http_1(mote_h2 *c)
{
    static const char text[] = "the peer answered HTTP/1.1 400";
    char *to = c->decoder.scratch;

    _Static_assert(sizeof text <= MOTE_H2_SCRATCH_MIN, "it fits the least scratch");
    memcpy(to, text, sizeof text);
    to[sizeof text - 6] = (char)c->frame.fixed[7];
    memcpy(to + sizeof text - 4, c->frame.fixed, 3);
    return mote_h2_peer_error(c, MOTE_H2_PROTOCOL_ERROR, to);
}

static int begin_frame(mote_h2 *c, const uint8_t *header)
{
    mote_h2_frame *f = &c->frame;
    uint32_t first = mote_h2_get32(header);

    f->length = f->remaining = first >> 8;
    f->type = frame_type(first & 0xff);
    f->flags = header[4];
    f->id = mote_h2_get32(header + 5) & MAX_WINDOW; /* the reserved bit is ignored (4.1) */
    f->pad = 0;
    f->fixed_len = 0;
    if (MOTE_HAS_TEXTS && is_http_1(c, header)) {
        begin_http_1(f, header);
        return 0;
    }
    int r = check_frame(c);
    f->phase = MOTE_H2_IN_FRAME;
    return r < 0 ? r : on_frame(c);
}

static int on_header(mote_h2 *c, const uint8_t *in, size_t len, size_t *used)
{
    mote_h2_frame *f = &c->frame;

    if (f->fixed_len == 0 && len >= FRAME_HEADER_SIZE) {
        *used = FRAME_HEADER_SIZE;
        return begin_frame(c, in);
    }
    *used = mote_h2_gather(f, FRAME_HEADER_SIZE, in, len);
    return f->fixed_len == FRAME_HEADER_SIZE ? begin_frame(c, f->fixed) : 0;
}

/* ---- payloads ------------------------------------------------------------------------------- */

/* Gathers the first 8 bytes, and skips what follows (debug data, unknown frames). */
static int on_fixed_payload(mote_h2_frame *f, const uint8_t *in, size_t len, size_t *used)
{
    size_t n = len < f->remaining ? len : f->remaining;

    mote_h2_gather(f, 8, in, n);
    f->remaining -= (uint32_t)n;
    *used = n;
    return 0;
}

static int on_payload(mote_h2 *c, const uint8_t *in, size_t len, size_t *used)
{
    switch (c->frame.type) {
    case MOTE_H2_FRAME_DATA:
        return mote_h2_on_data_payload(c, in, len, used);
    case MOTE_H2_FRAME_HEADERS:
    case MOTE_H2_FRAME_CONTINUATION:
        return mote_h2_on_block_payload(c, in, len, used);
    case MOTE_H2_FRAME_SETTINGS:
        return mote_h2_on_settings_payload(c, in, len, used);
    default:
        return on_fixed_payload(&c->frame, in, len, used);
    }
}

static int on_end(mote_h2 *c)
{
    switch (c->frame.type) {
    case MOTE_H2_FRAME_DATA:
        return mote_h2_on_data_end(c);
    case MOTE_H2_FRAME_HEADERS:
    case MOTE_H2_FRAME_CONTINUATION:
        return mote_h2_on_block_end(c);
    case MOTE_H2_FRAME_PRIORITY:
        return mote_h2_on_priority(c);
    case MOTE_H2_FRAME_RST_STREAM:
        return mote_h2_on_rst_stream(c);
    case MOTE_H2_FRAME_SETTINGS:
        return mote_h2_on_settings_end(c);
    case MOTE_H2_FRAME_PING:
        return mote_h2_on_ping(c);
    case MOTE_H2_FRAME_GOAWAY:
        return mote_h2_on_goaway(c);
    case MOTE_H2_FRAME_WINDOW_UPDATE:
        return mote_h2_on_window_update(c);
    default: /* RFC 9113 5.5: what is unknown is discarded */
        if (MOTE_HAS_TEXTS && !c->ready)
            return on_http_1(c);
        return mote_h2_charge(c, COST_IGNORED);
    }
}

static MOTE_SMALL_APART int end_frame(mote_h2 *c)
{
    int r;

    c->frame.phase = MOTE_H2_AWAIT_FRAME;
    r = on_end(c);
    c->frame.fixed_len = 0;
    c->heard = true;
    if (c->block.id == 0)
        c->begun_ms = 0;
    mote_h2_flush(c); /* at once while there is room, so that answers keep the order of questions */
    return r;
}

static int in_frame(mote_h2 *c, const uint8_t *in, size_t len, size_t *used)
{
    mote_h2_frame *f = &c->frame;
    int r;

    if (f->stream && (f->stream->id != f->id || f->stream->state == MOTE_H2_STATE_RESET_OWED))
        f->stream = NULL; /* it was reset while its frame arrives */
    if (f->remaining == 0)
        return MOTE_HAS_REPEATS && mote_h2_repeat_tell(c) > 0 ? 1 : end_frame(c);
    r = on_payload(c, in, len, used);
    /* A frame ends after the user has seen its last piece, however it was cut: what follows from
     * the end (END_STREAM, credit) never comes earlier. */
    if (f->remaining == 0 && r == 0)
        r = end_frame(c);
    return r;
}

static int step(mote_h2 *c, const uint8_t *in, size_t len, size_t *used)
{
    if (MOTE_MAY_SERVE && c->frame.phase == MOTE_H2_AWAIT_PREFACE)
        return on_preface(c, in, len, used);
    if (c->frame.phase == MOTE_H2_IN_FRAME)
        return in_frame(c, in, len, used);
    return on_header(c, in, len, used); /* AWAIT_SETTINGS, AWAIT_FRAME */
}

static bool needs_input(const mote_h2 *c)
{
    return c->frame.phase != MOTE_H2_IN_FRAME || c->frame.remaining > 0;
}

int mote_h2_recv(mote_h2 *c, const uint8_t *in, size_t len, size_t *used, mote_h2_event *ev)
{
    static const uint8_t nothing;
    size_t i = 0;
    int r = c->error;

    CHECK_CONNECTION(c);
    if (len == 0)
        in = &nothing; /* it may be NULL */
    c->event = ev;
    ev->type = MOTE_H2_NOTHING;
    ev->end_stream = ev->trailers = ev->truncated = false;
    ev->stream = NULL;
    ev->len = 0;
    if (MOTE_MAY_CALL && r == 0 && c->sweep > 0)
        r = mote_h2_sweep(c);
    while (r == 0 && (i < len || !needs_input(c))) {
        size_t n = 0;
        r = step(c, in + i, len - i, &n);
        i += n;
    }
    *used = i;
    return r;
}
