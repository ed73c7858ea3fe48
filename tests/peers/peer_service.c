/* Handlers of mote.peer.Peer, see peer.proto: what real peers call, and what is replayed. */
#include "peer_service.h"

#include "../../grpc/services/rpc.h"

#include <string.h>

typedef peer_state state;

static const uint8_t zeros[PEER_MAX_MESSAGE];
static uint32_t cancelled;

static int reply(mote_grpc_call *call, uint32_t index, const uint8_t *data, size_t len)
{
    peer_Response response = {index, {data, len}};

    return mote_grpc_send(
        call,
        &(const mote_grpc_source){mote_pb_encode_part, mote_pb_strerror, &peer_response_encoder},
        &response, 0);
}

static int finish(mote_grpc_call *call)
{
    state *s = call->user;
    mote_grpc_metadata trailing = {"x-echo-bin", s->trailing, 10, s->trailing_len};

    return mote_grpc_finish_with(call, 0, NULL, 0, &trailing, s->trailing_len > 0);
}

/* A status with details: the payload is a google.rpc.Status. */
static int finish_with_details(mote_grpc_call *call, const peer_Request *request)
{
    uint64_t memory[32];
    uint8_t scratch[512];
    mote_pb_arena arena;
    mote_rpc_Status status;

    mote_pb_arena_init(&arena, memory, sizeof memory);
    int r = mote_rpc_Status_decode(&status, request->payload.data, request->payload.len, &arena);
    return r < 0 ? r : mote_rpc_finish(call, &status, scratch, sizeof scratch);
}

/* What all methods do: metadata comes back, and a request may ask for a status. 1: go on. */
static int common(mote_grpc_call *call, const mote_grpc_event *ev, peer_Request *request)
{
    state *s = call->user;

    if (ev->type == MOTE_GRPC_CLOSED &&
        (ev->code == MOTE_GRPC_CANCELLED || ev->code == MOTE_GRPC_DEADLINE_EXCEEDED))
        cancelled++;
    if (ev->type == MOTE_GRPC_METADATA && ev->name_len == 6 && ev->value_len < sizeof s->initial &&
        memcmp(ev->name, "x-echo", 6) == 0) {
        memcpy(s->initial, ev->value, s->initial_len = ev->value_len);
    } else if (ev->type == MOTE_GRPC_METADATA && ev->name_len == 10 &&
               ev->value_len < sizeof s->trailing && memcmp(ev->name, "x-echo-bin", 10) == 0) {
        memcpy(s->trailing, ev->value, s->trailing_len = ev->value_len);
    } else if (ev->type == MOTE_GRPC_START && s->initial_len > 0) {
        mote_grpc_metadata initial = {"x-echo", s->initial, 6, s->initial_len};
        return mote_grpc_send_headers(call, &initial, 1);
    }
    if (ev->type != MOTE_GRPC_MESSAGE)
        return 1;
    int r = mote_pb_decode(&peer_request_decoder, request, ev->data, ev->len, NULL, NULL);
    if (r < 0)
        return r;
    if (request->code == 0)
        return 1;
    if (request->payload.len > 0)
        return finish_with_details(call, request);
    return mote_grpc_finish_with(call, (int)request->code, request->message.data,
                                 request->message.len, NULL, 0);
}

static int unary(mote_grpc_call *call, const mote_grpc_event *ev)
{
    peer_Request q;
    int r = common(call, ev, &q);

    if (r != 1)
        return r;
    if (ev->type == MOTE_GRPC_MESSAGE)
        return q.payload.len > 0 ? reply(call, 0, q.payload.data, q.payload.len)
                                 : reply(call, 0, zeros, q.size);
    return ev->type == MOTE_GRPC_HALF_CLOSE ? finish(call) : 0;
}

static int server_stream(mote_grpc_call *call, const mote_grpc_event *ev)
{
    state *s = call->user;
    peer_Request q;
    int r = common(call, ev, &q);

    if (r != 1)
        return r;
    if (ev->type == MOTE_GRPC_MESSAGE) {
        s->wanted = q.count;
        s->size = q.size;
    }
    if (ev->type != MOTE_GRPC_HALF_CLOSE && ev->type != MOTE_GRPC_WRITABLE)
        return 0;
    for (; s->sent < s->wanted; s->sent++) {
        if ((r = reply(call, s->sent, zeros, s->size)) < 0)
            return r == MOTE_AGAIN ? 0 : r;
    }
    r = finish(call);
    return r == MOTE_AGAIN ? 0 : r;
}

static int client_stream(mote_grpc_call *call, const mote_grpc_event *ev)
{
    state *s = call->user;
    peer_Request q;
    int r = common(call, ev, &q);

    if (r != 1)
        return r;
    if (ev->type == MOTE_GRPC_MESSAGE)
        s->count++;
    if (ev->type != MOTE_GRPC_HALF_CLOSE)
        return 0;
    if (!s->answered && (r = reply(call, s->count, NULL, 0)) < 0)
        return r;
    s->answered = 1;
    return finish(call);
}

static int bidi(mote_grpc_call *call, const mote_grpc_event *ev)
{
    state *s = call->user;
    peer_Request q;
    int r = common(call, ev, &q);

    if (r != 1)
        return r;
    if (ev->type == MOTE_GRPC_MESSAGE) {
        if ((r = reply(call, s->sent, q.payload.data, q.payload.len)) == 0)
            s->sent++;
        return r;
    }
    return ev->type == MOTE_GRPC_HALF_CLOSE ? finish(call) : 0;
}

static int sleeper(mote_grpc_call *call, const mote_grpc_event *ev)
{
    peer_Request q;

    return common(call, ev, &q) < 0;
}

static int count_cancelled(mote_grpc_call *call, const mote_grpc_event *ev)
{
    if (ev->type == MOTE_GRPC_MESSAGE)
        return reply(call, cancelled, NULL, 0);
    return ev->type == MOTE_GRPC_HALF_CLOSE ? finish(call) : 0;
}

static const mote_grpc_method methods[] = {
    {"Unary", unary, NULL, NULL, NULL, true, false},
    {"ServerStream", server_stream, NULL, NULL, NULL, false, false},
    {"ClientStream", client_stream, NULL, NULL, NULL, false, false},
    {"Bidi", bidi, NULL, NULL, NULL, false, false},
    {"Sleep", sleeper, NULL, NULL, NULL, false, false},
    {"Cancelled", count_cancelled, NULL, NULL, NULL, false, false},
};
const mote_grpc_service peer_services[1] = {{"mote.peer.Peer", methods, 6, false}};
