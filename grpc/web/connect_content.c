/* Content of Connect calls: what the engine does for them in another way than for gRPC. */
#include "connect_internal.h"

#include <string.h>

/* ---- requests ------------------------------------------------------------------------------ */

/* All that is at hand waits in the buffer. Its credit is given back at once, so that a request that
 * is too large is told, and does not wait for a window. */
static void connect_gather(mote_grpc_call *call)
{
    mote_grpc_delivery *d = &call->grpc->delivery;
    size_t len = d->rest_len;

    if (connect_of(call)->get || connect_of(call)->told || len == 0)
        return;
    if (len > call->grpc->config->rx_size - call->rx_len) {
        mote_grpc_door_fail(call, MOTE_GRPC_RESOURCE_EXHAUSTED,
                            MOTE_TEXT("the request is larger than rx_size"));
        return;
    }
    memcpy(call->rx + call->rx_len, d->rest, len);
    call->rx_len += (uint32_t)len;
    d->rest_len = 0;
    if (call->stream)
        mote_h2_consume(&call->grpc->h2, call->stream, len);
}

/* The whole content is the message. */
static bool connect_next_unary(mote_grpc_call *call, mote_grpc_event *ev)
{
    connect_state *state = connect_of(call);

    connect_gather(call);
    if (state->told || call->remote != MOTE_GRPC_REMOTE_ENDED)
        return false;
    ev->type = MOTE_GRPC_MESSAGE;
    ev->data = call->rx;
    ev->len = call->rx_len;
    call->rx_pos = call->rx_len;
    if (!call->grpc->delivery.rest) /* from which nothing is taken if the event is brought back */
        call->grpc->delivery.rest = call->rx;
    if (call->rx_codec > 0 && ev->len > 0 && !mote_grpc_door_decompress(call, ev))
        return false;
    if (state->json && !(state->form == CONNECT_EVENTS && ev->len == 0) &&
        !mote_connect_from_json(call, ev))
        return false;
    if (state->form == CONNECT_UNARY && !mote_connect_take_place(call)) {
        mote_grpc_door_fail(call, MOTE_GRPC_UNAVAILABLE,
                            MOTE_TEXT("too many unary calls of Connect at a time"));
        return false;
    }
    state->told = true;
    mote_grpc_door_told(call);
    return true;
}

static bool connect_next_of_stream(mote_grpc_call *call, mote_grpc_event *ev)
{
    if (!mote_grpc_door_message(call, ev))
        return false;
    if (!connect_of(call)->json ||
        (ev->type == MOTE_GRPC_MESSAGE && mote_connect_from_json(call, ev)))
        return true;
    if (ev->type == MOTE_GRPC_CHUNK)
        mote_grpc_door_fail(call, MOTE_GRPC_RESOURCE_EXHAUSTED,
                            MOTE_TEXT("a message in JSON is larger than rx_size"));
    mote_grpc_door_give_up(call);
    return false;
}

static bool connect_next_message(mote_grpc_call *call, mote_grpc_event *ev)
{
    switch (connect_of(call)->form) {
    case CONNECT_NONE:
        return mote_grpc_door_engine.next(call, ev);
    case CONNECT_STREAM:
    case CONNECT_GRPC:
    case CONNECT_GRPC_WEB:
        return connect_next_of_stream(call, ev);
    default:
        return connect_next_unary(call, ev);
    }
}

static void connect_store_content(mote_grpc_call *call)
{
    connect_state *state = connect_of(call);

    if (state->form == CONNECT_NONE) {
        mote_grpc_door_engine.store(call);
    } else if (state->form == CONNECT_STREAM || connect_is_grpc(state)) {
        mote_grpc_door_store(call);
    } else {
        if (call->grpc->delivery.type == MOTE_GRPC_MESSAGE) /* it is brought back */
            state->told = false;
        connect_gather(call);
    }
}

/* ---- headers of a response ------------------------------------------------------------------- */

const mote_hpack_field mote_connect_status = MOTE_HPACK_NAMED(8, ":status", "");

static const mote_hpack_field connect_encodings[CONNECT_SIDES] = {
    [CONNECT_OF_UNARY] = MOTE_HPACK_NAMED(26, "content-encoding", ""),
    [CONNECT_OF_STREAM] = MOTE_HPACK_FIELD("connect-content-encoding", "")};
static const mote_hpack_field connect_accepts[CONNECT_SIDES] = {
    [CONNECT_OF_UNARY] = MOTE_HPACK_NAMED(16, "accept-encoding", ""),
    [CONNECT_OF_STREAM] = MOTE_HPACK_FIELD("connect-accept-encoding", "")};
static const mote_hpack_field connect_no_cache = MOTE_HPACK_NAMED(24, "cache-control", "no-cache");

static void connect_put_codecs(mote_grpc_call *call, bool compressed, bool accepts)
{
    const mote_grpc_codecs *codecs = call->grpc->config->codecs;
    unsigned side = connect_of(call)->form == CONNECT_STREAM ? CONNECT_OF_STREAM : CONNECT_OF_UNARY;
    mote_h2 *h2 = &call->grpc->h2;

    if (!codecs)
        return;
    if (compressed && call->tx_codec > 0) {
        const mote_hpack_field *e = &codecs->codec[call->tx_codec - 1]->encoding;
        mote_h2_put_value(h2, &connect_encodings[side], e->value, e->value_len);
    }
    if (accepts)
        mote_h2_put_value(h2, &connect_accepts[side], codecs->accept.value,
                          codecs->accept.value_len);
}

/* The first fields of a response; an error is always JSON. */
static void connect_put_first(mote_grpc_call *call, const char *status, bool json)
{
    mote_h2 *h2 = &call->grpc->h2;

    mote_h2_headers_begin(h2, call->stream);
    mote_h2_put_value(h2, &mote_connect_status, status, 3);
    mote_connect_put_type(call, json);
}

static int connect_begin_stream(mote_grpc_call *call, const mote_grpc_metadata *metadata,
                                size_t count)
{
    mote_h2 *h2 = &call->grpc->h2;
    const connect_state *state = connect_of(call);

    connect_put_first(call, "200", state->json);
    if (state->form == CONNECT_EVENTS)
        mote_h2_put(h2, &connect_no_cache);
    else
        connect_put_codecs(call, true, true);
    for (size_t i = 0; i < count; i++)
        mote_h2_put_literal(h2, metadata[i].name, metadata[i].name_len, metadata[i].value,
                            metadata[i].value_len, 0);
    return mote_grpc_door_wait(call, mote_h2_headers_end(h2, false));
}

/* Those of a unary call wait in its place. */
static int connect_hold_metadata(mote_grpc_call *call, const mote_grpc_metadata *metadata,
                                 size_t count)
{
    connect_place *p = mote_connect_take_place(call);

    if (!p)
        return MOTE_GRPC_ERR_LIMIT;
    return mote_connect_hold_metadata(p, connect_config(call)->place_size, metadata, count);
}

static int connect_begin_response(mote_grpc_call *call, const mote_grpc_metadata *metadata,
                                  size_t count)
{
    switch (connect_of(call)->form) {
    case CONNECT_NONE:
    case CONNECT_GRPC:
    case CONNECT_GRPC_WEB:
        return 1;
    case CONNECT_UNARY:
        return connect_hold_metadata(call, metadata, count);
    default:
        return connect_begin_stream(call, metadata, count);
    }
}

/* ---- messages ------------------------------------------------------------------------------ */

static const mote_grpc_source connect_json_source = {mote_connect_write_json, mote_pb_json_strerror,
                                                     NULL};

/* The response of a unary call waits for its end. */
static int connect_hold_message(mote_grpc_call *call, const mote_grpc_source *source,
                                const void *message, unsigned flags)
{
    connect_place *p = mote_connect_place_of(call);
    uint32_t limit = call->grpc->config->send_limit;
    size_t cap, total = 0;
    uint8_t *room = mote_connect_room(p, connect_config(call)->place_size, &cap);
    int r = source->write(source->type, message, 0, room, cap, &total);

    if (r < 0)
        return r;
    if (total > cap || (limit > 0 && total > limit))
        return MOTE_GRPC_ERR_LIMIT;
    p->len = (uint32_t)total;
    p->held = 1;
    p->compressed = (flags & MOTE_GRPC_COMPRESSED) != 0;
    return 0;
}

/* A text in its place is begun, or gone on with; what has not begun may be another one next time.
 */
static int connect_send_held(mote_grpc_call *call, connect_place *p, bool bare)
{
    size_t cap;
    const mote_grpc_bytes text = {mote_connect_room(p, connect_config(call)->place_size, &cap),
                                  p->len};
    int r = mote_grpc_door_send(
        call, &(mote_grpc_parcel){&mote_grpc_bytes_source, &text, 0, false, bare});

    if (r != MOTE_AGAIN || call->tx_sent == 0)
        mote_connect_leave_place(call);
    return r;
}

static size_t connect_smaller(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* Without a place the message is translated anew for each part of it, so parts are not small: an
 * eighth of it at least, or the rest, or what the transmit buffer surely takes. Who opens its
 * window by less waits for a place. */
static int connect_wait_for_part(mote_grpc_call *call, bool bare)
{
    enum { PARTS = 8, PREFIX = 5, LARGEST = 8192 };
    size_t left = (bare ? 0 : PREFIX) + (size_t)call->tx_total - call->tx_sent;
    size_t most = connect_smaller(call->grpc->config->tx_size / 4, LARGEST);

    if (call->tx_sent == 0)
        return 0;
    return mote_grpc_door_has_room(
        call, connect_smaller(connect_smaller(call->tx_total / PARTS + 1, left), most));
}

/* A message of a stream in JSON. It is translated once, into a place, and leaves from there: a part
 * costs its own length. */
static int connect_send_json(mote_grpc_call *call, const mote_grpc_source *source,
                             const void *message)
{
    connect_place *p = mote_connect_place_of(call);
    bool bare = connect_of(call)->form == CONNECT_EVENTS;
    connect_text text;
    int r = 0;

    if (p)
        return connect_send_held(call, p, bare);
    p = mote_connect_take_place(call);
    if (!p && (r = connect_wait_for_part(call, bare)) < 0)
        return r;
    if ((r = mote_connect_to_json(call, source, message, &text)) == 0 && p)
        r = connect_hold_message(call, &connect_json_source, &text, 0);
    if (r == 0 && p)
        return connect_send_held(call, p, bare);
    mote_connect_leave_place(call);
    if (r < 0 && r != MOTE_GRPC_ERR_LIMIT)
        return r;
    return mote_grpc_door_send(call,
                               &(mote_grpc_parcel){&connect_json_source, &text, 0, false, bare});
}

static int connect_send_message(mote_grpc_call *call, const mote_grpc_source *source,
                                const void *message, unsigned flags)
{
    const connect_state *state = connect_of(call);
    connect_text text;
    int r;

    if (state->form == CONNECT_NONE || (state->form == CONNECT_STREAM && !state->json))
        return mote_grpc_door_engine.send(call, source, message, flags);
    if (!state->json)
        return connect_hold_message(call, source, message, flags);
    if (state->form != CONNECT_UNARY)
        return connect_send_json(call, source, message);
    if ((r = mote_connect_to_json(call, source, message, &text)) < 0)
        return r;
    return connect_hold_message(call, &connect_json_source, &text, 0);
}

/* ---- the end ------------------------------------------------------------------------------- */

/* Trailing metadata of a unary call, as "trailer-NAME". */
static void connect_put_trailers(mote_grpc_call *call, const mote_grpc_end *end)
{
    static const char prefix[] = "trailer-";
    connect_half half = connect_request_half(connect_config(call));
    char *name = (char *)half.memory;

    memcpy(name, prefix, sizeof prefix - 1);
    for (size_t i = 0; i < end->count; i++) {
        const mote_grpc_metadata *m = &end->metadata[i];
        if (mote_connect_is_details(m) || m->name_len > half.size - sizeof prefix)
            continue;
        memcpy(name + sizeof prefix - 1, m->name, m->name_len);
        mote_h2_put_literal(&call->grpc->h2, name, sizeof prefix - 1 + m->name_len, m->value,
                            m->value_len, 0);
    }
}

static int connect_end_with(mote_grpc_call *call, const mote_grpc_bytes *content, uint8_t flag,
                            bool bare)
{
    return mote_grpc_door_send(
        call, &(mote_grpc_parcel){&mote_grpc_bytes_source, content, flag, true, bare});
}

/* What a unary call is answered with: its response, or an error. */
static mote_grpc_bytes connect_answer_of(mote_grpc_call *call, const mote_grpc_end *end)
{
    connect_place *p = mote_connect_place_of(call);
    size_t cap;

    if (end->code != MOTE_GRPC_OK)
        return mote_connect_error(call, end);
    return (mote_grpc_bytes){mote_connect_room(p, connect_config(call)->place_size, &cap), p->len};
}

static int connect_end_unary(mote_grpc_call *call, const mote_grpc_end *end)
{
    connect_state *state = connect_of(call);
    const connect_place *p = mote_connect_place_of(call);
    bool ok = end->code == MOTE_GRPC_OK;
    mote_grpc_bytes content = connect_answer_of(call, end);
    int r;

    if (state->phase == CONNECT_OPEN) {
        connect_put_first(call, mote_connect_http_status(end->code), !ok || state->json);
        connect_put_codecs(call, ok && p->compressed, end->code == MOTE_GRPC_UNIMPLEMENTED);
        if (p)
            mote_connect_put_metadata(p, &call->grpc->h2);
        connect_put_trailers(call, end);
        r = mote_h2_headers_end(&call->grpc->h2, content.len == 0);
        if (r < 0)
            return mote_grpc_door_wait(call, r);
        state->phase = CONNECT_ENDING;
    }
    if (content.len > 0)
        return connect_end_with(call, &content, 0, true);
    call->local = MOTE_GRPC_LOCAL_ENDED;
    return 0;
}

static int connect_end_stream(mote_grpc_call *call, const mote_grpc_end *end)
{
    enum { END_FLAG = 2 };
    connect_state *state = connect_of(call);
    int r;

    if (call->tx_sent > 0 && state->phase != CONNECT_ENDING)
        return MOTE_GRPC_ERR_MIXED;
    if (call->local == MOTE_GRPC_LOCAL_HEADERS || call->local == MOTE_GRPC_LOCAL_OWED_ALONE) {
        if ((r = connect_begin_stream(call, NULL, 0)) < 0)
            return r;
        call->local++; /* HEADERS: OPEN; OWED_ALONE: OWED */
    }
    mote_grpc_bytes content = mote_connect_end(call, end);
    r = connect_end_with(call, &content, END_FLAG, state->form == CONNECT_EVENTS);
    if (call->tx_sent > 0)
        state->phase = CONNECT_ENDING;
    return r;
}

static int connect_end_call(mote_grpc_call *call, const mote_grpc_end *end)
{
    static const char none[] = "the handler has sent no response";
    const mote_grpc_end owed = {call->text, NULL, call->text_len, 0, call->code};
    const mote_grpc_end silent = {none, NULL, MOTE_HAS_TEXTS ? sizeof none - 1 : 0, 0,
                                  MOTE_GRPC_INTERNAL};
    connect_state *state = connect_of(call);

    if (state->status[0] != 0)
        return mote_grpc_door_answer(call, state->status);
    if (state->form == CONNECT_NONE || state->form == CONNECT_GRPC_WEB)
        return mote_grpc_door_engine.end(call, end);
    end = end ? end : &owed;
    if (state->form == CONNECT_GRPC)
        return mote_grpc_door_trailers(call, end);
    if (state->form == CONNECT_UNARY && end->code == MOTE_GRPC_OK &&
        !(mote_connect_place_of(call) && mote_connect_place_of(call)->held))
        end = &silent;
    if (state->phase == CONNECT_ENDING && state->code != end->code) /* a part of it has left */
        return MOTE_GRPC_ERR_MIXED;
    state->code = (uint8_t)end->code;
    return state->form == CONNECT_UNARY ? connect_end_unary(call, end)
                                        : connect_end_stream(call, end);
}

const mote_grpc_door_ways mote_connect_ways = {.take_field = mote_connect_take_field,
                                               .answer = mote_connect_answer,
                                               .send = connect_send_message,
                                               .end = connect_end_call,
                                               .next = connect_next_message,
                                               .store = connect_store_content,
                                               .begin = connect_begin_response,
                                               .release = mote_connect_leave_place};
