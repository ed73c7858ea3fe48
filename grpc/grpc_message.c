/* Messages out of content: in place where they lie whole, otherwise in the call's buffer. */
#include "grpc_internal.h"

#include <string.h>

static uint32_t buffered(const mote_grpc_call *call)
{
    return call->rx_len - call->rx_pos;
}

void mote_grpc_give_back(mote_grpc_call *call, size_t len)
{
    if (call->stream && len > 0)
        mote_h2_consume(&call->grpc->h2, call->stream, len);
}

/* Moves up to `len` bytes of what is at hand to the buffer. Only a peer that has not yet seen our
 * SETTINGS can send more than fits; its call ends, the connection does not. */
bool mote_grpc_store(mote_grpc_call *call, size_t len)
{
    mote_grpc_delivery *d = &call->grpc->delivery;
    size_t size = call->grpc->config->rx_size;

    len = len < d->rest_len ? len : d->rest_len;
    if (len == 0) /* there may be no rest at all */
        return true;
    if (buffered(call) + len > size) {
        mote_grpc_call_fail(call, MOTE_GRPC_RESOURCE_EXHAUSTED,
                            mote_grpc_limit_it(call, "content is larger than rx_size ", size));
        return false;
    }
    if (call->rx_len + len > size) {
        memmove(call->rx, call->rx + call->rx_pos, buffered(call));
        call->rx_len -= call->rx_pos;
        call->rx_pos = 0;
    }
    memcpy(call->rx + call->rx_len, d->rest, len);
    call->rx_len += (uint32_t)len;
    d->rest += len;
    d->rest_len -= len;
    return true;
}

/* How it takes messages larger than the buffer; NULL: it does not. */
static MOTE_SMALL_APART const mote_grpc_chunking *chunking_of(const mote_grpc_call *call)
{
    return mote_grpc_serves(call->grpc) ? call->method->chunks : call->chunks;
}

/* Why a message with this flag cannot be read. The encoding matters only when a message needs it.
 */
static const char *flag_text(const mote_grpc_call *call, uint8_t flag)
{
    if (flag > 1)
        return MOTE_TEXT("the flag before a message is neither 0 nor 1");
    return call->facts & FACT_BAD_ENCODING
               ? MOTE_TEXT("grpc-encoding is not supported")
               : MOTE_TEXT("compressed message without a grpc-encoding");
}

/* Whether a message that is compressed or larger than the buffer can be taken; otherwise the call
 * fails. */
static bool check_prefix(mote_grpc_call *call, const uint8_t *p, bool large)
{
    if (p[0] > 1 || (p[0] == 1 && call->rx_codec == 0)) {
        mote_grpc_call_fail(call, MOTE_GRPC_INTERNAL, flag_text(call, p[0]));
        return false;
    }
    if (large && (!chunking_of(call) || p[0] == 1)) {
        mote_grpc_call_fail(call, MOTE_GRPC_RESOURCE_EXHAUSTED,
                            mote_grpc_count_it(call, "message of ",
                                               (uint64_t)mote_grpc_length_in(p) + PREFIX_SIZE,
                                               " bytes with its prefix is larger than rx_size ",
                                               call->grpc->config->rx_size));
        return false;
    }
    return true;
}

/* Passes `len` bytes of the buffer, or of what is at hand. */
void mote_grpc_pass(mote_grpc_call *call, size_t len, enum mote_grpc_where where)
{
    mote_grpc_delivery *d = &call->grpc->delivery;

    if (where == MOTE_GRPC_IN_BUFFER) {
        call->rx_pos += (uint32_t)len;
    } else {
        d->rest += len;
        d->rest_len -= len;
    }
}

bool mote_grpc_hold(mote_grpc_call *call, size_t len, enum mote_grpc_where where)
{
    mote_grpc_delivery *d = &call->grpc->delivery;

    if (mote_grpc_method_of(call) && call->facts & FACT_MESSAGE && call->method->single) {
        mote_grpc_call_fail(call, MOTE_GRPC_UNIMPLEMENTED, MOTE_TEXT("more than one request"));
        return false;
    }
    mote_grpc_pass(call, len, where);
    d->held = (uint32_t)len;
    d->where = where;
    return true;
}

/* The `len` bytes at p, prefix included, are the next event. */
static bool emit(mote_grpc_call *call, mote_grpc_event *ev, const uint8_t *p, size_t len,
                 enum mote_grpc_where where)
{
    ev->type = MOTE_GRPC_MESSAGE;
    ev->data = p + PREFIX_SIZE;
    ev->len = len - PREFIX_SIZE;
    if (MOTE_COMPRESSES && p[0] == 1 && !mote_grpc_decompress(call, ev))
        return false;
    return mote_grpc_hold(call, len, where);
}

bool mote_grpc_next_message(mote_grpc_call *call, mote_grpc_event *ev)
{
    mote_grpc_delivery *d = &call->grpc->delivery;

    for (;;) {
        enum mote_grpc_where where = buffered(call) > 0 ? MOTE_GRPC_IN_BUFFER : MOTE_GRPC_IN_INPUT;
        const uint8_t *p = where == MOTE_GRPC_IN_BUFFER ? call->rx + call->rx_pos : d->rest;
        size_t have = where == MOTE_GRPC_IN_BUFFER ? buffered(call) : d->rest_len;
        size_t need = PREFIX_SIZE;

        if (have == 0)
            return false;
        if (where == MOTE_GRPC_IN_INPUT)
            call->rx_pos = call->rx_len = 0;
        if (call->chunk_left > 0)
            return chunking_of(call)->next(call, ev, p, have, where);
        if (have >= PREFIX_SIZE) {
            uint32_t len = mote_grpc_length_in(p);
            bool large = len > call->grpc->config->rx_size - PREFIX_SIZE;
            if ((p[0] != 0 || large) && !check_prefix(call, p, large))
                return false;
            if (large) {
                chunking_of(call)->start(call, len, where);
                continue;
            }
            need += len;
        }
        if (have >= need)
            return emit(call, ev, p, need, where);
        if (d->rest_len == 0) { /* it is cut: all that there is lies in the buffer */
            if (call->stream)
                mote_h2_need(&call->grpc->h2, call->stream, need - have);
            return false;
        }
        if (!mote_grpc_store(call, need - buffered(call)))
            return false;
    }
}

bool mote_grpc_message_cut(const mote_grpc_call *call)
{
    return buffered(call) > 0 || call->chunk_left > 0 ||
           (mote_grpc_came_by(call, FACT_READ) &&
            call->grpc->config->door->protocol->content(call) != MOTE_GRPC_DOOR_WHOLE);
}

void mote_grpc_message_store(mote_grpc_call *call)
{
    if (mote_grpc_came_by(call, FACT_READ))
        call->grpc->config->door->ways->store(call);
    else
        mote_grpc_store(call, call->grpc->delivery.rest_len);
}

void mote_grpc_message_done(mote_grpc_call *call)
{
    mote_grpc_delivery *d = &call->grpc->delivery;

    if (d->held > 0 && call->chunk_left == 0) {
        call->facts |= FACT_MESSAGE;
        if (call->grpc->config->counters)
            call->grpc->config->counters->messages_received++;
    }
    mote_grpc_give_back(call, d->held);
    d->held = 0;
    d->where = MOTE_GRPC_NOWHERE;
}

void mote_grpc_message_keep(mote_grpc_call *call)
{
    mote_grpc_delivery *d = &call->grpc->delivery;

    if (d->type == MOTE_GRPC_CHUNK)
        call->chunk_left += d->held;
    if (d->where == MOTE_GRPC_IN_BUFFER) {
        call->rx_pos -= d->held;
    } else {
        d->rest -= d->held;
        d->rest_len += d->held;
    }
    d->held = 0;
    d->where = MOTE_GRPC_NOWHERE;
    mote_grpc_message_store(call);
}
