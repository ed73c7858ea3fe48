/* Messages out of content: in place where they lie whole, otherwise in the call's buffer. */
#include "grpc_internal.h"

#include <string.h>

static size_t buffered(const mote_grpc_call *call)
{
    return call->rx_len - call->rx_pos;
}

static void consume(mote_grpc_call *call, size_t len)
{
    if (call->stream && len > 0)
        mote_h2_consume(&call->grpc->h2, call->stream, len);
}

void mote_grpc_message_fail(mote_grpc_call *call, int code, const char *text)
{
    mote_grpc *g = call->grpc;

    g->rest_len = 0;
    if (!MOTE_SERVES(g->config)) {
        mote_grpc_call_reset(call, MOTE_H2_CANCEL);
        mote_grpc_call_end(call, code, text);
        return;
    }
    call->code = (int16_t)code;
    call->text = text;
    call->flags |= CALL_STATUS_OWED | CALL_DROP | CALL_TELL;
    mote_grpc_server_settle(call);
}

/* Appends content to the buffer. Only a peer that has not yet seen our SETTINGS can send more than
 * fits; its call ends, the connection does not. */
static bool store(mote_grpc_call *call, const uint8_t *data, size_t len)
{
    size_t size = call->grpc->config->rx_size;

    if (buffered(call) + len > size) {
        mote_grpc_message_fail(call, MOTE_GRPC_RESOURCE_EXHAUSTED,
                               MOTE_TEXT("more than the receive buffer holds"));
        return false;
    }
    if (call->rx_len + len > size) {
        memmove(call->rx, call->rx + call->rx_pos, buffered(call));
        call->rx_len -= call->rx_pos;
        call->rx_pos = 0;
    }
    memcpy(call->rx + call->rx_len, data, len);
    call->rx_len += (uint32_t)len;
    return true;
}

static bool store_rest(mote_grpc_call *call, size_t len)
{
    mote_grpc *g = call->grpc;
    size_t n = len < g->rest_len ? len : g->rest_len;

    if (n == 0) /* there may be no rest at all */
        return true;
    if (!store(call, g->rest, n))
        return false;
    g->rest += n;
    g->rest_len -= n;
    return true;
}

static uint32_t message_len(const uint8_t *p)
{
    return (uint32_t)p[1] << 24 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 8 | p[4];
}

/* Checks a prefix: 1: a message of *len bytes; 0: a chunked message begins; -1: the call failed. */
static int check_prefix(mote_grpc_call *call, const uint8_t *p, size_t *len)
{
    *len = message_len(p);
    if (p[0] > 1 || (p[0] == 1 && call->rx_codec == 0)) {
        mote_grpc_message_fail(call, MOTE_GRPC_INTERNAL,
                               MOTE_TEXT("compressed message without a grpc-encoding"));
        return -1;
    }
    if (*len <= call->grpc->config->rx_size - PREFIX_SIZE)
        return 1;
    if (!(call->flags & CALL_CHUNKS) || p[0] == 1) {
        mote_grpc_message_fail(call, MOTE_GRPC_RESOURCE_EXHAUSTED,
                               MOTE_TEXT("message larger than the receive buffer"));
        return -1;
    }
    call->chunk_total = call->chunk_left = (uint32_t)*len;
    consume(call, PREFIX_SIZE);
    return 0;
}

static int emit(mote_grpc_call *call, mote_grpc_event *ev, unsigned type, const uint8_t *data,
                size_t len)
{
    ev->type = (uint8_t)type;
    ev->data = call->grpc->event_data = data;
    ev->len = len;
    call->held = (uint32_t)len + (type == MOTE_GRPC_MESSAGE ? PREFIX_SIZE : 0);
    if (call->flags & CALL_GOT_MESSAGE && call->method && call->method->single) {
        mote_grpc_message_fail(call, MOTE_GRPC_UNIMPLEMENTED, MOTE_TEXT("more than one request"));
        return 0;
    }
    if (MOTE_COMPRESSES && type == MOTE_GRPC_MESSAGE && data[-PREFIX_SIZE] == 1)
        return mote_grpc_decompress(call, ev);
    return 1;
}

static int next_chunk(mote_grpc_call *call, mote_grpc_event *ev)
{
    mote_grpc *g = call->grpc;
    bool from_buffer = buffered(call) > 0;
    size_t have = from_buffer ? buffered(call) : g->rest_len;
    const uint8_t *data = from_buffer ? call->rx + call->rx_pos : g->rest;
    size_t n = have < call->chunk_left ? have : call->chunk_left;

    if (n == 0)
        return 0;
    if (from_buffer) {
        call->rx_pos += (uint32_t)n;
    } else {
        g->rest += n;
        g->rest_len -= n;
    }
    ev->offset = call->chunk_total - call->chunk_left;
    ev->total = call->chunk_total;
    call->chunk_left -= (uint32_t)n;
    return emit(call, ev, MOTE_GRPC_CHUNK, data, n);
}

/* A message that lies whole in the content at hand: 1; 0: it does not, or the call has failed. */
static int in_place(mote_grpc_call *call, mote_grpc_event *ev)
{
    mote_grpc *g = call->grpc;
    const uint8_t *p = g->rest;
    size_t len;

    if (g->rest_len < PREFIX_SIZE)
        return 0;
    int r = check_prefix(call, p, &len);
    if (r < 0)
        return 0;
    if (r == 0) {
        g->rest += PREFIX_SIZE;
        g->rest_len -= PREFIX_SIZE;
        return next_chunk(call, ev);
    }
    if (g->rest_len < PREFIX_SIZE + len)
        return 0;
    g->rest += PREFIX_SIZE + len;
    g->rest_len -= PREFIX_SIZE + len;
    return emit(call, ev, MOTE_GRPC_MESSAGE, p + PREFIX_SIZE, len);
}

/* A message that was cut: gathers its prefix, then its body. */
static int from_buffer(mote_grpc_call *call, mote_grpc_event *ev)
{
    size_t len, need = PREFIX_SIZE;

    if (buffered(call) < PREFIX_SIZE && !store_rest(call, PREFIX_SIZE - buffered(call)))
        return 0;
    if (buffered(call) >= PREFIX_SIZE) {
        int r = check_prefix(call, call->rx + call->rx_pos, &len);
        if (r < 0)
            return 0;
        if (r == 0) {
            call->rx_pos += PREFIX_SIZE;
            return next_chunk(call, ev);
        }
        need = PREFIX_SIZE + len;
        if (buffered(call) < need && !store_rest(call, need - buffered(call)))
            return 0;
    }
    if (buffered(call) < need) {
        if (call->stream)
            mote_h2_need(&call->grpc->h2, call->stream, need - buffered(call));
        return 0;
    }
    const uint8_t *message = call->rx + call->rx_pos + PREFIX_SIZE;
    call->rx_pos += (uint32_t)need;
    return emit(call, ev, MOTE_GRPC_MESSAGE, message, need - PREFIX_SIZE);
}

int mote_grpc_next_message(mote_grpc_call *call, mote_grpc_event *ev)
{
    mote_grpc *g = call->grpc;

    if (call->flags & CALL_DROP) {
        consume(call, g->rest_len);
        g->rest_len = 0;
        return 0;
    }
    if (buffered(call) == 0) {
        call->rx_pos = call->rx_len = 0;
        if (g->rest_len == 0)
            return 0;
    }
    if (call->chunk_left > 0)
        return next_chunk(call, ev);
    if (buffered(call) == 0 && in_place(call, ev))
        return 1;
    return call->flags & CALL_DROP || call->flags == 0 ? 0 : from_buffer(call, ev);
}

bool mote_grpc_message_cut(const mote_grpc_call *call)
{
    return !(call->flags & CALL_DROP) && (buffered(call) > 0 || call->chunk_left > 0);
}

void mote_grpc_message_store(mote_grpc_call *call)
{
    store_rest(call, call->grpc->rest_len);
}

void mote_grpc_message_done(mote_grpc_call *call)
{
    if (call->held > 0 && call->chunk_left == 0) {
        call->flags |= CALL_GOT_MESSAGE;
        if (call->grpc->config->counters)
            call->grpc->config->counters->messages_received++;
    }
    consume(call, call->held);
    call->held = 0;
}

void mote_grpc_message_keep(mote_grpc_call *call, const mote_grpc_event *ev)
{
    mote_grpc *g = call->grpc;
    const uint8_t *from = ev->data - (ev->type == MOTE_GRPC_MESSAGE ? PREFIX_SIZE : 0);
    bool in_buffer = from >= call->rx && from < call->rx + g->config->rx_size;
    uint32_t len = call->held;

    call->held = 0;
    if (ev->type == MOTE_GRPC_CHUNK)
        call->chunk_left += len;

    if (in_buffer)
        call->rx_pos -= len;
    else if (!store(call, from, len))
        return;
    store_rest(call, g->rest_len);
}
