/* HEADERS and CONTINUATION that are received (RFC 9113 6.2, 6.10), trailers too (8.1): field by
 * field, never a block as a whole. */
#include "h2_internal.h"

#include <string.h>

/* A fragment below this has its price. */
enum { SHORT_FRAGMENT = 16 };

/* Whether the client may have opened its stream before it had heard of our limit (RFC 9113 6.5.3)
 * or of our GOAWAY (6.8). */
static bool opened_unaware(const mote_h2 *c)
{
    if (c->life == MOTE_H2_DRAINING)
        return (c->frame.id - c->goaway_last) / 2 <= c->stream_count;
    return c->settings_timeout_ms > 0 && c->frame.id < 2 * FREE_STREAMS;
}

/* RFC 9113 5.1.2: a stream beyond the limit is refused, but its block is decoded (4.3). */
static int new_request(mote_h2 *c)
{
    c->last_peer_id = c->frame.id;
    mote_h2_stream_note_opened(c, c->frame.id);
    if (c->life != MOTE_H2_DRAINING && !(c->owed & OWE_REFUSED))
        c->frame.stream = mote_h2_stream_add(c, c->frame.id);
    if (c->frame.stream) {
        c->frame.stream->flags = c->frame.flags & FLAG_END_STREAM ? STREAM_ENDING : 0;
        return 0;
    }
    c->reset_map |= 1; /* whatever follows on it is ignored */
    c->block.flags |= BLOCK_REFUSED;
    if (!opened_unaware(c))
        return mote_h2_charge(c, COST_REFUSED);
    if (!(c->frame.flags & FLAG_END_STREAM))
        mote_h2_expect_late(c, (int32_t)c->stream_window);
    return 0;
}

/* HEADERS on a stream without a slot (RFC 9113 5.1 closed, 5.1.1). */
static int headers_on_closed(mote_h2 *c)
{
    if (mote_h2_stream_was_reset(c, c->frame.id))
        return mote_h2_late_frame(c);
    if (mote_h2_stream_was_opened(c, c->frame.id))
        return mote_h2_peer_error(c, MOTE_H2_STREAM_CLOSED,
                                  MOTE_TEXT("HEADERS on a closed stream"));
    /* forgotten: it may be one that we have reset */
    if (!MOTE_SERVES(c) || (mote_h2_stream_is_forgotten(c, c->frame.id) && c->late_frames > 0))
        return mote_h2_late_frame(c);
    return mote_h2_peer_error(c, MOTE_H2_PROTOCOL_ERROR, MOTE_TEXT("stream ids do not increase"));
}

static int find_stream(mote_h2 *c)
{
    mote_h2_stream *s;

    if (MOTE_SERVES(c) && mote_h2_stream_is_idle(c, c->frame.id))
        return new_request(c);
    s = mote_h2_stream_find(c, c->frame.id);
    if (!s)
        return headers_on_closed(c);
    if (s->state == MOTE_H2_STATE_RESET_OWED)
        return mote_h2_late_frame(c);
    c->frame.stream = s;
    if (s->state == MOTE_H2_STATE_HALF_CLOSED_REMOTE) /* RFC 9113 5.1 half-closed (remote) */
        c->block.code = MOTE_H2_STREAM_CLOSED;
    if (s->flags & STREAM_GOT_HEADERS)
        c->block.flags |= BLOCK_TRAILERS;
    if (c->frame.flags & FLAG_END_STREAM)
        s->flags |= STREAM_ENDING;
    return 0;
}

/* Reads the pad length and the priority, which come before the fragment. */
static unsigned prefix_size(const mote_h2 *c)
{
    return (c->frame.flags & FLAG_PADDED ? 1u : 0u) + (c->frame.flags & FLAG_PRIORITY ? 5u : 0u);
}

int mote_h2_on_headers(mote_h2 *c)
{
    c->frame.stream = NULL;
    memset(&c->block, 0, sizeof c->block);
    c->block.flags = c->frame.flags & FLAG_END_STREAM ? BLOCK_END_STREAM : 0;
    if (c->frame.length < prefix_size(c))
        return mote_h2_peer_error(c, MOTE_H2_FRAME_SIZE_ERROR,
                                  MOTE_TEXT("HEADERS too short for its flags"));
    return find_stream(c);
}

/* END_HEADERS is the only flag that is defined (RFC 9113 6.10), and no other is looked at. */
int mote_h2_on_continuation(mote_h2 *c)
{
    if (c->block.id == 0)
        return mote_h2_peer_error(c, MOTE_H2_PROTOCOL_ERROR,
                                  MOTE_TEXT("CONTINUATION without HEADERS"));
    return 0;
}

static int prefix_byte(mote_h2 *c, uint8_t byte)
{
    unsigned size = prefix_size(c);

    c->frame.remaining--;
    if (c->frame.fixed_len == 0 && (c->frame.flags & FLAG_PADDED)) {
        if (byte > c->frame.remaining - (size - 1)) /* RFC 9113 6.2 */
            return mote_h2_peer_error(c, MOTE_H2_PROTOCOL_ERROR,
                                      MOTE_TEXT("padding exceeds the HEADERS frame"));
        c->frame.pad = byte;
        c->frame.pads = true;
    } else {
        c->frame.fixed[c->frame.fixed_len - (c->frame.flags & FLAG_PADDED ? 1u : 0u)] = byte;
    }
    c->frame.fixed_len++;
    if (c->frame.fixed_len < size)
        return 0;
    if (MOTE_SERVES(c) && (c->frame.flags & FLAG_PRIORITY) &&
        (mote_h2_get32(c->frame.fixed) & MAX_WINDOW) == c->frame.id)
        c->block.code = MOTE_H2_PROTOCOL_ERROR; /* RFC 7540 5.3.1: depends on itself */
    return 0;
}

static bool is_for_http_alone(unsigned kind)
{
    return kind == MOTE_H2_KIND_SCHEME || kind == MOTE_H2_KIND_AUTHORITY ||
           kind == MOTE_H2_KIND_CONTENT_LENGTH || kind == MOTE_H2_KIND_TE;
}

/* A field of the block: 1 when the user is to see it. Beyond the limit fields are still decoded,
 * and the section is reported as cut (RFC 9113 10.5.1). */
static int take_field(mote_h2 *c)
{
    size_t size = c->event->field.name_len + c->event->field.value_len + 32; /* RFC 9113 6.5.2 */

    if (MOTE_MAY_SERVE)
        mote_h2_spare_host(c, &c->event->field);
    if (c->block.list_size <= c->max_list_size) /* once above it stays so, and never wraps */
        c->block.list_size += (uint32_t)size;
    if (c->block.list_size > c->max_list_size || (c->event->field.flags & MOTE_HPACK_TOO_LONG)) {
        c->block.flags |= BLOCK_TRUNCATED;
        return 0;
    }
    unsigned kind = mote_h2_check_field(c, &c->event->field);
    if (kind == 0) {
        if (c->block.code == 0)
            c->block.code = MOTE_H2_PROTOCOL_ERROR;
        return 0;
    }
    if (!c->frame.stream || c->block.code != 0 ||
        (MOTE_MAY_SERVE && c->quiet && is_for_http_alone(kind)))
        return 0;
    if (MOTE_HAS_REPEATS)
        mote_h2_repeat_note(c, kind);
    mote_h2_tell_field(c, kind);
    return 1;
}

static MOTE_SMALL_APART int decode(mote_h2 *c, const uint8_t *in, size_t len, size_t *used)
{
    size_t i = 0;
    int r = 0;

    while (i < len && r == 0) {
        size_t n;
        r = mote_hpack_decode(&c->decoder, in + i, len - i, &n, &c->event->field);
        i += n;
        if (r < 0)
            return mote_h2_peer_error(c, MOTE_H2_COMPRESSION_ERROR,
                                      MOTE_TEXT(mote_hpack_strerror(r))); /* 4.3 */
        if (r > 0)
            r = take_field(c);
    }
    *used = i;
    c->frame.remaining -= (uint32_t)i;
    c->block.bytes += (uint32_t)i;
    if (c->block.bytes / BLOCK_FACTOR > c->max_list_size)
        return mote_h2_fatal(c, MOTE_H2_ERR_CALM, MOTE_H2_ENHANCE_YOUR_CALM,
                             MOTE_TEXT("header block without end"));
    return r;
}

int mote_h2_on_block_payload(mote_h2 *c, const uint8_t *in, size_t len, size_t *used)
{
    *used = 1;
    if (c->frame.type == MOTE_H2_FRAME_HEADERS && c->frame.fixed_len < prefix_size(c))
        return prefix_byte(c, in[0]);
    uint32_t fragment = c->frame.remaining - c->frame.pad;
    if (fragment == 0) { /* padding */
        *used = len < c->frame.remaining ? len : c->frame.remaining;
        c->frame.remaining -= (uint32_t)*used;
        c->frame.pad = (uint8_t)c->frame.remaining;
        return 0;
    }
    if (MOTE_HAS_REPEATS && mote_h2_repeat_known(c, in, fragment, len)) {
        *used = fragment;
        c->frame.remaining = 0;
        return mote_h2_repeat_tell(c);
    }
    return decode(c, in, fragment < len ? fragment : len, used);
}

/* A stream that found no slot. The ids that wait for their RST_STREAM are one range. Those above
 * our GOAWAY get no answer (RFC 9113 6.8). */
static int refuse(mote_h2 *c)
{
    if (c->life == MOTE_H2_DRAINING)
        return 0;
    if ((c->owed & OWE_REFUSED) && c->frame.id != c->refused_last + 2)
        return mote_h2_fatal(c, MOTE_H2_ERR_CALM, MOTE_H2_ENHANCE_YOUR_CALM,
                             MOTE_TEXT("streams beyond the limit, with gaps"));
    if (!(c->owed & OWE_REFUSED))
        c->refused_first = c->frame.id;
    c->refused_last = c->frame.id;
    c->owed |= OWE_REFUSED;
    return 0;
}

/* A 1xx response, which another one follows (RFC 9113 8.1). */
static bool is_interim(const mote_h2 *c)
{
    return !MOTE_SERVES(c) && !(c->block.flags & BLOCK_TRAILERS) && c->block.status < 200;
}

/* What the complete section means for content-length and the state of the stream. */
static void section_accepted(mote_h2 *c, mote_h2_stream *s)
{
    mote_h2_event *ev = c->event;
    ev->type = MOTE_H2_HEADERS;
    ev->stream = s;
    ev->status = c->block.status;
    ev->trailers = (c->block.flags & BLOCK_TRAILERS) != 0;
    ev->truncated = (c->block.flags & BLOCK_TRUNCATED) != 0;
    ev->end_stream = (c->block.flags & BLOCK_END_STREAM) != 0;
    if (ev->trailers || is_interim(c))
        return;
    s->flags |= STREAM_GOT_HEADERS;
    if (MOTE_MAY_SERVE && (c->block.flags & BLOCK_CONNECT))
        s->flags |= STREAM_CONNECT;
    /* RFC 9113 8.1.1: content-length does not describe content that is never sent */
    if ((c->block.flags & BLOCK_HAS_LENGTH) && !(s->flags & STREAM_NO_CONTENT) &&
        c->block.status != 304 && c->block.status != 204)
        s->flags |= STREAM_HAS_LENGTH;
}

/* The peer was told of the limit of lists, but not of the longest field: a server's long ones (a
 * cookie) are free, and no more of them come than the calls that we make. */
static bool exceeds_limit(const mote_h2 *c)
{
    return (c->block.flags & BLOCK_TRUNCATED) &&
           (MOTE_SERVES(c) || c->block.list_size > c->max_list_size);
}

/* What was dropped of a request may be a mandatory field, so it passes. The only one of a response,
 * the status, is too short to be dropped. */
static bool section_valid(const mote_h2 *c)
{
    return ((c->block.flags & BLOCK_TRUNCATED) && MOTE_SERVES(c)) || mote_h2_check_section(c);
}

static int finish_block(mote_h2 *c)
{
    mote_h2_stream *s = c->frame.stream;
    int r = mote_hpack_decoder_end(&c->decoder);
    c->block.id = 0;
    if (MOTE_HAS_REPEATS)
        mote_h2_repeat_end(c);
    if (r < 0)
        return mote_h2_peer_error(c, MOTE_H2_COMPRESSION_ERROR, MOTE_TEXT(mote_hpack_strerror(r)));
    if (!s)
        return MOTE_MAY_SERVE && (c->block.flags & BLOCK_REFUSED) ? refuse(c) : 0;
    if (exceeds_limit(c) && mote_h2_charge(c, COST_TRUNCATED) < 0)
        return c->error;
    if (c->block.code == 0 && !section_valid(c))
        c->block.code = MOTE_H2_PROTOCOL_ERROR; /* RFC 9113 8.1.1 */
    if (c->block.code != 0)
        return mote_h2_stream_error(c, s, c->block.code);
    if (is_interim(c) && mote_h2_charge(c, COST_INTERIM) < 0)
        return c->error;
    section_accepted(c, s);
    if (!c->event->end_stream)
        return 1;
    if ((s->flags & STREAM_HAS_LENGTH) && s->content_length > 0)
        return mote_h2_stream_error(c, s, MOTE_H2_PROTOCOL_ERROR);
    mote_h2_stream_end(c, s, MOTE_H2_STATE_HALF_CLOSED_REMOTE);
    return 1;
}

int mote_h2_on_block_end(mote_h2 *c)
{
    if (c->frame.flags & FLAG_END_HEADERS)
        return finish_block(c);
    c->block.id = c->frame.id;
    return c->frame.length < SHORT_FRAGMENT ? mote_h2_charge(c, COST_EMPTY) : 0;
}
