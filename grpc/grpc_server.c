/* The server's side of a call: request headers, response headers, status. */
#include "grpc_internal.h"

#include <string.h>

static const mote_hpack_field status_200 = MOTE_HPACK_STATIC(8);
static const mote_hpack_field type_grpc = MOTE_HPACK_FIELD("content-type", "application/grpc");
static const mote_hpack_field code_ok = MOTE_HPACK_FIELD("grpc-status", "0");
static const mote_hpack_field code_name = MOTE_HPACK_FIELD("grpc-status", "");
static const mote_hpack_field message_name = MOTE_HPACK_FIELD("grpc-message", "");
static const mote_hpack_field accept_identity =
    MOTE_HPACK_FIELD("grpc-accept-encoding", "identity");

/* ---- sending ------------------------------------------------------------------------------- */

static void put_metadata(mote_h2 *h2, const mote_grpc_metadata *metadata, size_t count)
{
    for (size_t i = 0; i < count; i++)
        mote_h2_put_literal(h2, metadata[i].name, metadata[i].name_len, metadata[i].value,
                            metadata[i].value_len, 0);
}

int mote_grpc_send_headers(mote_grpc_call *call, const mote_grpc_metadata *metadata, size_t count)
{
    mote_h2 *h2 = &call->grpc->h2;
    int r;

    if (!call->stream || (call->flags & (CALL_HEADERS_SENT | CALL_LOCAL_END)))
        return MOTE_GRPC_ERR_STATE;
    mote_h2_headers_begin(h2, call->stream);
    mote_h2_put(h2, &status_200);
    mote_h2_put(h2, &type_grpc);
    mote_grpc_put_codec(call);
    put_metadata(h2, metadata, count);
    if ((r = mote_h2_headers_end(h2, false)) < 0) {
        if (r == MOTE_AGAIN)
            mote_grpc_call_wait(call);
        return r;
    }
    call->flags |= CALL_HEADERS_SENT;
    return 0;
}

static void put_code(mote_h2 *h2, int code)
{
    char digits[2] = {(char)('0' + code / 10), (char)('0' + code % 10)};

    if (code == MOTE_GRPC_OK)
        mote_h2_put(h2, &code_ok);
    else
        mote_h2_put_value(h2, &code_name, digits + (code < 10), code < 10 ? 1 : 2);
}

/* Text that needs no encoding goes out as it is; other text is built in the transmit buffer, and
 * cut to a quarter of it. */
static void put_message(mote_grpc_call *call, const char *message, size_t len)
{
    mote_h2 *h2 = &call->grpc->h2;
    size_t n = mote_grpc_percent_size(message, &len, call->grpc->config->tx_size / 4);
    char *to;

    if (n == len) {
        mote_h2_put_value(h2, &message_name, message, n);
    } else if ((to = (char *)mote_h2_value_space(h2, n))) {
        mote_grpc_percent_encode(message, len, to);
        mote_h2_put_value(h2, &message_name, to, n);
    }
}

/* Begins the section that ends the call; mote_h2_headers_end() does the rest. */
static void put_status(mote_grpc_call *call, int code, const char *message, size_t message_len)
{
    mote_h2 *h2 = &call->grpc->h2;

    mote_h2_headers_begin(h2, call->stream);
    if (!(call->flags & CALL_HEADERS_SENT)) { /* PROTOCOL-HTTP2, Trailers-Only */
        mote_h2_put(h2, &status_200);
        mote_h2_put(h2, &type_grpc);
    }
    put_code(h2, code);
    if (message_len > 0)
        put_message(call, message, message_len);
    if (code == MOTE_GRPC_UNIMPLEMENTED && !call->method)
        mote_h2_put(h2, MOTE_COMPRESSES && call->grpc->config->codecs
                            ? &call->grpc->config->codecs->accept
                            : &accept_identity);
}

int mote_grpc_finish_with(mote_grpc_call *call, int code, const char *message, size_t message_len,
                          const mote_grpc_metadata *metadata, size_t count)
{
    int r;

    if (!call->stream || (call->flags & CALL_LOCAL_END))
        return MOTE_GRPC_ERR_STATE;
    put_status(call, code, message, message_len);
    put_metadata(&call->grpc->h2, metadata, count);
    r = mote_h2_headers_end(&call->grpc->h2, true);
    if (r == MOTE_AGAIN)
        mote_grpc_call_wait(call);
    if (r < 0)
        return r;
    if (!(call->flags & CALL_REMOTE_END)) /* RFC 9113 8.1: the rest of the request is not needed */
        mote_grpc_call_reset(call, MOTE_H2_NO_ERROR);
    call->code = (int16_t)code;
    mote_grpc_call_release(call);
    return 0;
}

static size_t text_length(const char *text)
{
    size_t n = 0;

    while (text && text[n] != '\0')
        n++;
    return n;
}

int mote_grpc_finish(mote_grpc_call *call, int code, const char *message)
{
    return mote_grpc_finish_with(call, code, message, text_length(message), NULL, 0);
}

bool mote_grpc_server_settle(mote_grpc_call *call)
{
    int code = call->code;
    const char *text = call->text;
    int r = 0;

    if (call->stream) {
        put_status(call, code, text, text_length(text));
        r = mote_h2_headers_end(&call->grpc->h2, true);
    }
    if (r == MOTE_AGAIN) {
        mote_grpc_call_wait(call);
        return false;
    }
    if (r < 0 && call->stream) /* the status does not even fit the transmit buffer */
        mote_grpc_call_reset(call, MOTE_H2_INTERNAL_ERROR);
    if (!(call->flags & CALL_REMOTE_END))
        mote_grpc_call_reset(call, MOTE_H2_NO_ERROR);
    if (call->stream)
        call->stream->user = NULL;
    call->stream = NULL;
    if (call->flags & CALL_TELL)
        mote_grpc_call_end(call, code, text);
    else
        mote_grpc_call_release(call);
    return true;
}

/* ---- receiving ----------------------------------------------------------------------------- */

static void on_timeout(mote_grpc_call *call, const mote_hpack_field_view *f)
{
    mote_grpc *g = call->grpc;
    uint64_t ms;

    if (call->deadline_ms != UINT64_MAX ||
        mote_grpc_parse_timeout(f->value, f->value_len, &ms) < 0) {
        call->code = MOTE_GRPC_INTERNAL;
        call->text = MOTE_TEXT("malformed or repeated grpc-timeout");
        return;
    }
    call->deadline_ms = g->now_ms + ms;
    if (call->deadline_ms < g->next_deadline_ms)
        g->next_deadline_ms = call->deadline_ms;
}

void mote_grpc_server_field(mote_grpc_call *call, const mote_h2_event *h, unsigned what)
{
    switch (what) {
    case FIELD_METHOD_POST:
        call->flags |= CALL_METHOD_OK;
        break;
    case FIELD_TYPE_GRPC:
        call->flags |= CALL_TYPE_OK;
        break;
    case FIELD_TYPE_OTHER:
        call->flags |= CALL_TYPE_OK;
        call->code = MOTE_GRPC_UNIMPLEMENTED;
        call->text = MOTE_TEXT("content-type is not application/grpc+proto");
        break;
    case FIELD_TIMEOUT:
        on_timeout(call, &h->field);
        break;
    case FIELD_ENCODING:
        call->code = MOTE_GRPC_UNIMPLEMENTED;
        call->text = MOTE_TEXT("grpc-encoding is not supported");
        break;
    default:
        if (!mote_grpc_codec_field(call, what) && what >= FIELD_PATH)
            call->method = mote_grpc_method_at(call->grpc, what);
        break;
    }
}

/* A request that is no gRPC gets an answer in plain HTTP: 405 or 415. */
static void refuse_http(mote_grpc_call *call, const char *status)
{
    mote_h2 *h2 = &call->grpc->h2;

    mote_h2_headers_begin(h2, call->stream);
    mote_h2_put_literal(h2, ":status", 7, status, 3, 0);
    if (mote_h2_headers_end(h2, true) < 0)
        mote_grpc_call_reset(call, MOTE_H2_REFUSED_STREAM);
    else if (!(call->flags & CALL_REMOTE_END))
        mote_grpc_call_reset(call, MOTE_H2_NO_ERROR);
    call->code = MOTE_GRPC_UNIMPLEMENTED;
    mote_grpc_call_release(call);
}

static bool fails(mote_grpc_call *call, const mote_h2_event *h)
{
    if (h->truncated) {
        call->code = MOTE_GRPC_RESOURCE_EXHAUSTED;
        call->text = MOTE_TEXT("metadata larger than the limit");
    } else if (call->code != 0) {
        return true;
    } else if (!call->method) {
        call->code = MOTE_GRPC_UNIMPLEMENTED;
        call->text = MOTE_TEXT("unknown service or method");
    } else if (call->deadline_ms <= call->grpc->now_ms) {
        call->code = MOTE_GRPC_DEADLINE_EXCEEDED;
        call->text = MOTE_TEXT("deadline exceeded");
    }
    return call->code != 0;
}

void mote_grpc_server_headers(mote_grpc_call *call, const mote_h2_event *h)
{
    if (h->end_stream) {
        call->flags |= CALL_REMOTE_END;
        call->pending |= PENDING_HALF_CLOSE;
    }
    if (h->trailers)
        return;
    if (!(call->flags & CALL_METHOD_OK)) {
        refuse_http(call, "405");
    } else if (!(call->flags & CALL_TYPE_OK)) {
        refuse_http(call, "415");
    } else if (fails(call, h)) {
        call->method = NULL;
        call->flags |= CALL_STATUS_OWED | CALL_DROP;
    } else {
        call->flags |= call->method->chunks ? CALL_CHUNKS : 0u;
        call->pending |= PENDING_START;
    }
}
