/* The server's side of a call: the header fields of a request. */
#include "grpc_internal.h"

/* A field says that the call cannot be taken. */
static void object(mote_grpc_call *call, int code, const char *text)
{
    call->code = (int16_t)code;
    if (MOTE_HAS_TEXTS)
        call->text = text;
}

static const char *name_value(mote_grpc_call *call, const char *what,
                              const mote_hpack_field_view *f)
{
    return mote_grpc_name_it(call, what, f->value, f->value_len);
}

static void on_timeout(mote_grpc_call *call, const mote_hpack_field_view *f)
{
    uint64_t ms;

    if (call->deadline_ms != UINT64_MAX)
        object(call, MOTE_GRPC_INTERNAL, name_value(call, "second grpc-timeout: ", f));
    else if (mote_grpc_parse_timeout(f->value, f->value_len, &ms) < 0)
        object(call, MOTE_GRPC_INTERNAL, name_value(call, "malformed grpc-timeout: ", f));
    else
        mote_grpc_set_deadline(call, ms);
}

/* Without a method the call is refused, and this is why. */
void mote_grpc_server_path(mote_grpc_call *call, const mote_hpack_field_view *f, unsigned what)
{
    if (what >= FIELD_PATH)
        call->method = mote_grpc_method_at(call->grpc, what);
    if (!call->method && MOTE_HAS_TEXTS)
        call->text = name_value(
            call, what == FIELD_UNKNOWN_SERVICE ? "unknown service: " : "unknown method: ", f);
}

MOTE_ROLES_APART void mote_grpc_server_field(mote_grpc_call *call, const mote_h2_event *h,
                                             unsigned what)
{
    if (h->trailers) /* they say nothing more of a request */
        return;
    switch (what) {
    case FIELD_METHOD_POST:
        call->facts |= FACT_POST;
        break;
    case FIELD_TYPE_GRPC:
        call->facts |= FACT_GRPC;
        break;
    case FIELD_TYPE_OTHER:
        call->facts |= FACT_GRPC;
        object(call, MOTE_GRPC_UNIMPLEMENTED,
               name_value(call, "content-type is not application/grpc+proto: ", &h->field));
        break;
    case FIELD_TIMEOUT:
        on_timeout(call, &h->field);
        break;
    case FIELD_ENCODING:
        object(call, MOTE_GRPC_UNIMPLEMENTED,
               name_value(call, "grpc-encoding is not supported: ", &h->field));
        break;
    default:
        if (!mote_grpc_codec_field(call, what) && what >= FIELD_UNKNOWN_SERVICE)
            mote_grpc_server_path(call, &h->field, what);
        break;
    }
}

/* Why a request is not taken: its code, with *text, or OK. */
static int objection(mote_grpc_call *call, const mote_h2_event *h, const char **text)
{
    if (!mote_grpc_is_grpc(call)) {
        *text = NULL;
        return MOTE_GRPC_UNIMPLEMENTED;
    }
    if (h->truncated) {
        *text = mote_grpc_limit_of_fields(call);
        return MOTE_GRPC_RESOURCE_EXHAUSTED;
    }
    if (call->code != 0) { /* of a field */
        *text = call->text;
        return call->code;
    }
    if (!call->method) {
        *text = call->text;
        return MOTE_GRPC_UNIMPLEMENTED;
    }
    if (call->deadline_ms <= call->grpc->now_ms) {
        *text = MOTE_TEXT("deadline exceeded");
        return MOTE_GRPC_DEADLINE_EXCEEDED;
    }
    return MOTE_GRPC_OK;
}

/* Takes a call, or refuses it. */
static void decide(mote_grpc_call *call, const mote_h2_event *h)
{
    const mote_grpc_door *door = call->grpc->config->door;
    const char *text;
    int code;

    if (MOTE_HAS_DOOR && door && door->ways->answer(call))
        return;
    if ((code = objection(call, h, &text)) != MOTE_GRPC_OK) {
        call->facts |= FACT_REFUSED;
        mote_grpc_call_end(call, code, MOTE_TEXT(text), STREAM_STATUS);
    }
}

void mote_grpc_server_headers(mote_grpc_call *call, const mote_h2_event *h)
{
    if (!h->trailers)
        decide(call, h);
    if (call->remote != MOTE_GRPC_REMOTE_OVER)
        call->remote = h->end_stream ? MOTE_GRPC_REMOTE_ENDED : MOTE_GRPC_REMOTE_OPEN;
}
