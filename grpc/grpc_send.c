/* Sending of messages: straight into a DATA frame, or in parts when windows are small. */
#include "grpc_internal.h"

#include <string.h>

static int write_bytes(const void *type, const void *message, size_t offset, uint8_t *out,
                       size_t cap, size_t *total)
{
    const mote_grpc_bytes *bytes = message;

    (void)type;
    if (*total > 0 && *total == bytes->len)
        memcpy(out, bytes->data + offset, cap);
    else if (*total == 0 && bytes->len > 0 && bytes->len <= cap)
        memcpy(out, bytes->data, bytes->len);
    *total = bytes->len;
    return 0;
}

const mote_grpc_source mote_grpc_bytes_source = {write_bytes, mote_grpc_strerror, NULL};

static void put_prefix(uint8_t out[PREFIX_SIZE], size_t len, unsigned flags)
{
    out[0] = flags & MOTE_GRPC_COMPRESSED ? 1 : 0;
    out[1] = (uint8_t)(len >> 24);
    out[2] = (uint8_t)(len >> 16);
    out[3] = (uint8_t)(len >> 8);
    out[4] = (uint8_t)len;
}

size_t mote_grpc_put_prefix(uint8_t *out, size_t room, size_t at, size_t len, uint8_t flag)
{
    size_t n = 0;

    for (; at < PREFIX_SIZE && n < room; at++, n++)
        out[n] = at == 0 ? flag : (uint8_t)(len >> 8 * (PREFIX_SIZE - 1 - at));
    return n;
}

static bool ends(const mote_grpc_call *call, unsigned flags)
{
    return (flags & MOTE_GRPC_LAST) && !MOTE_SERVES(&call->grpc->h2);
}

static enum mote_grpc_obstacle obstacle_of(const mote_grpc_call *call)
{
    switch (mote_h2_obstacle(&call->grpc->h2, call->stream)) {
    case MOTE_H2_STREAM_WINDOW:
        return MOTE_GRPC_FOR_WINDOW;
    case MOTE_H2_CONNECTION_WINDOW:
        return MOTE_GRPC_FOR_CONNECTION;
    default:
        return MOTE_GRPC_FOR_ROOM;
    }
}

static int again(mote_grpc_call *call)
{
    if (call->grpc->h2.error < 0)
        return call->grpc->h2.error;
    mote_grpc_call_wait(call, obstacle_of(call));
    return MOTE_AGAIN;
}

static MOTE_SMALL_INLINE int commit(mote_grpc_call *call, size_t len, bool last)
{
    int r = mote_h2_commit(&call->grpc->h2, call->stream, len, last);

    if (r == 0 && last)
        call->local = MOTE_GRPC_LOCAL_ENDED;
    return r;
}

/* The usual case: prefix and message in one piece. 1: the message, of *length bytes, must go in
 * parts. */
static int send_whole(mote_grpc_call *call, const mote_grpc_source *source, const void *message,
                      unsigned flags, size_t *length)
{
    size_t room, total = 0;
    uint8_t *p = mote_h2_reserve(&call->grpc->h2, call->stream, PREFIX_SIZE, &room);
    size_t cap = p ? room - PREFIX_SIZE : 0;
    uint32_t limit = call->grpc->config->send_limit;
    int r = source->write(source->type, message, 0, p ? p + PREFIX_SIZE : NULL, cap, &total);

    if (r < 0)
        return r;
    if ((limit > 0 && total > limit) || total > LARGEST_MESSAGE)
        return MOTE_GRPC_ERR_LIMIT;
    if (p && total <= cap) {
        put_prefix(p, total, flags);
        return commit(call, PREFIX_SIZE + total, ends(call, flags));
    }
    /* Once the buffer is empty the message may fit in one piece; that costs less than parts. */
    if (!mote_h2_half_free(&call->grpc->h2))
        return again(call);
    *length = total;
    return 1;
}

/* Prefix and message as far as windows and buffer go. The source is asked for the bytes of this
 * part alone, so nothing is stored but how many were sent. */
static int send_part(mote_grpc_call *call, const mote_grpc_source *source, const void *message,
                     unsigned flags, size_t total)
{
    size_t room, n, at = call->tx_sent, said = total;
    uint8_t *p = mote_h2_reserve(&call->grpc->h2, call->stream, 1, &room);
    int r;

    if (!p)
        return again(call);
    call->tx_total = (uint32_t)total;
    n = mote_grpc_put_prefix(p, room, at, total, flags & MOTE_GRPC_COMPRESSED ? 1 : 0);
    at += n;
    if (n < room && at < PREFIX_SIZE + total) {
        size_t left = PREFIX_SIZE + total - at;
        size_t cap = left < room - n ? left : room - n;
        r = source->write(source->type, message, at - PREFIX_SIZE, p + n, cap, &said);
        if (r < 0)
            return r;
        if (said != total)
            return MOTE_GRPC_ERR_MIXED;
        n += cap;
    }
    call->tx_sent += (uint32_t)n;
    if (call->tx_sent < PREFIX_SIZE + total)
        return (r = commit(call, n, false)) < 0 ? r : 1;
    call->tx_sent = 0;
    return commit(call, n, ends(call, flags));
}

/* Whether a message may be sent now. */
static bool call_may_send(const mote_grpc_call *call, unsigned flags)
{
    if (call->local != MOTE_GRPC_LOCAL_OPEN && !mote_grpc_owes_headers(call))
        return false;
    if (MOTE_MAY_SERVE && call->facts & (FACT_ANSWERED | FACT_FINISHES))
        return false;
    if (mote_grpc_method_of(call) && call->facts & FACT_RESPONSE && call->method->single_response)
        return false;
    return !(flags & MOTE_GRPC_COMPRESSED) || call->tx_codec > 0;
}

int mote_grpc_send(mote_grpc_call *call, const mote_grpc_source *source, const void *message,
                   unsigned flags)
{
    int r = 1;

    if (!call || !call_may_send(call, flags))
        return MOTE_GRPC_ERR_STATE;
    MOTE_CHECK_THAT(mote_grpc_valid(call->grpc));
    size_t length = call->tx_total; /* known once a message */
    if (mote_grpc_owes_headers(call) && (r = mote_grpc_send_headers(call, NULL, 0)) < 0)
        return r;
    if (mote_grpc_came_by(call, FACT_DOOR))
        r = call->grpc->config->door->ways->send(call, source, message, flags);
    else
        r = call->tx_sent == 0 ? send_whole(call, source, message, flags, &length) : 1;
    while (r == 1)
        r = send_part(call, source, message, flags, length);
    if (r < 0)
        return r;
    if (mote_grpc_serves(call->grpc))
        call->facts |= FACT_RESPONSE;
    if (call->grpc->config->counters)
        call->grpc->config->counters->messages_sent++;
    return 0;
}

int mote_grpc_answer(mote_grpc_call *call, const mote_grpc_source *source, const void *message)
{
    int r = mote_grpc_send(call, source, message, 0);

    if (r < 0)
        return r;
    if (call->remote == MOTE_GRPC_REMOTE_ENDED)
        mote_grpc_call_end(call, MOTE_GRPC_OK, NULL, STREAM_STATUS);
    else
        call->facts |= FACT_ANSWERED;
    return 0;
}

int mote_grpc_half_close(mote_grpc_call *call)
{
    int r;

    if (!call || call->local != MOTE_GRPC_LOCAL_OPEN || call->tx_sent > 0 ||
        mote_grpc_serves(call->grpc))
        return MOTE_GRPC_ERR_STATE;
    MOTE_CHECK_THAT(mote_grpc_valid(call->grpc));
    r = commit(call, 0, true);
    return r == MOTE_AGAIN ? again(call) : r;
}
