/* The status of a call as it travels: trailers (PROTOCOL-HTTP2, Responses). */
#include "grpc_internal.h"

static const mote_hpack_field code_ok = MOTE_HPACK_FIELD("grpc-status", "0");
static const mote_hpack_field code_name = MOTE_HPACK_FIELD("grpc-status", "");
static const mote_hpack_field message_name = MOTE_HPACK_FIELD("grpc-message", "");
static const mote_hpack_field accept_identity =
    MOTE_HPACK_FIELD("grpc-accept-encoding", "identity");

/* ---- a server's ---------------------------------------------------------------------------- */

static void put_headers(mote_grpc_call *call)
{
    mote_h2 *h2 = &call->grpc->h2;

    mote_h2_headers_begin(h2, call->stream);
    if (call->local == MOTE_GRPC_LOCAL_HEADERS || call->local == MOTE_GRPC_LOCAL_OWED_ALONE) {
        mote_h2_put(h2, &mote_grpc_status_200);
        if (mote_grpc_came_by(call, FACT_DOOR))
            call->grpc->config->door->protocol->put_fields(call, NULL);
        else
            mote_h2_put(h2, &mote_grpc_content_type);
    }
}

/* The end of a section: without room for it the call waits. */
static MOTE_SMALL_APART int end_section(mote_grpc_call *call, bool end_stream)
{
    int r = mote_h2_headers_end(&call->grpc->h2, end_stream);

    if (r == MOTE_AGAIN)
        mote_grpc_call_wait(call, MOTE_GRPC_FOR_ROOM);
    return r;
}

int mote_grpc_begin_response(mote_grpc_call *call, const mote_grpc_metadata *metadata, size_t count)
{
    int r = 1;

    if (mote_grpc_came_by(call, FACT_DOOR) && call->grpc->config->door->ways->begin)
        r = call->grpc->config->door->ways->begin(call, metadata, count);
    if (r == 1) {
        put_headers(call);
        mote_grpc_put_codec(call);
        mote_grpc_put_metadata(&call->grpc->h2, metadata, count);
        r = end_section(call, false);
    }
    if (r == 0)
        call->local++; /* HEADERS: OPEN; OWED_ALONE: OWED */
    return r;
}

int mote_grpc_send_headers(mote_grpc_call *call, const mote_grpc_metadata *metadata, size_t count)
{
    int r;

    MOTE_CHECK_THAT(mote_grpc_valid(call->grpc));
    if (call->local != MOTE_GRPC_LOCAL_HEADERS)
        return MOTE_GRPC_ERR_STATE;
    if ((r = mote_grpc_check_metadata(call->grpc, metadata, count)) < 0)
        return r;
    return mote_grpc_begin_response(call, metadata, count);
}

static MOTE_SMALL_APART void put_code(mote_h2 *h2, int code)
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

/* Begins the section that ends the call: trailers, or all in one where nothing was sent before
 * (PROTOCOL-HTTP2, Trailers-Only). mote_h2_headers_end() does the rest. */
static void put_status(mote_grpc_call *call, int code, const char *message, size_t message_len)
{
    mote_h2 *h2 = &call->grpc->h2;

    if (call->facts & FACT_REFUSED && !mote_grpc_is_grpc(call)) {
        mote_h2_headers_begin(h2, call->stream);
        mote_h2_put_value(h2, &mote_grpc_status_200, call->facts & FACT_POST ? "415" : "405", 3);
        return;
    }
    put_headers(call);
    put_code(h2, code);
    if (message && message_len > 0) /* of a program that sends none nothing of it is linked */
        put_message(call, message, message_len);
    if (code == MOTE_GRPC_UNIMPLEMENTED && call->facts & FACT_REFUSED)
        mote_h2_put(h2, MOTE_COMPRESSES && call->grpc->config->codecs
                            ? &call->grpc->config->codecs->accept
                            : &accept_identity);
}

#if MOTE_HAS_DOOR
int mote_grpc_door_trailers(mote_grpc_call *call, const mote_grpc_end *end)
{
    put_status(call, end->code, end->message, end->message_len);
    mote_grpc_put_metadata(&call->grpc->h2, end->metadata, end->count);
    return end_section(call, true);
}
#endif

int mote_grpc_finish_with(mote_grpc_call *call, int code, const char *message, size_t message_len,
                          const mote_grpc_metadata *metadata, size_t count)
{
    int r;

    MOTE_CHECK_THAT(mote_grpc_valid(call->grpc) && (message || message_len == 0));
    if (call->local != MOTE_GRPC_LOCAL_HEADERS && call->local != MOTE_GRPC_LOCAL_OPEN)
        return MOTE_GRPC_ERR_STATE;
    if ((r = mote_grpc_check_metadata(call->grpc, metadata, count)) < 0)
        return r;
    if (mote_grpc_came_by(call, FACT_DOOR)) {
        r = call->grpc->config->door->ways->end(
            call, &(mote_grpc_end){message, metadata, message_len, count, code});
    } else {
        put_status(call, code, message, message_len);
        mote_grpc_put_metadata(&call->grpc->h2, metadata, count);
        r = end_section(call, true);
    }
    if (r < 0) {
        call->facts |= FACT_FINISHES;
        return r;
    }
    /* RFC 9113 8.1: the rest of the request is not needed */
    mote_grpc_call_end(call, code, NULL, MOTE_H2_NO_ERROR);
    return 0;
}

int mote_grpc_finish(mote_grpc_call *call, int code, const char *message)
{
    size_t len = mote_grpc_text_length(message);
    int r = mote_grpc_finish_with(call, code, message, len, NULL, 0);

    if (r != MOTE_AGAIN || len > 0)
        return r;
    mote_grpc_call_end(call, code, NULL, STREAM_STATUS); /* there is nothing that must be kept */
    return 0;
}

void mote_grpc_settle(mote_grpc_call *call)
{
    int r;

    if (mote_grpc_came_by(call, FACT_DOOR)) {
        r = call->grpc->config->door->ways->end(call, NULL);
    } else {
        put_status(call, call->code, MOTE_TEXT(call->text), MOTE_HAS_TEXTS ? call->text_len : 0);
        r = end_section(call, true);
    }
    if (r == MOTE_AGAIN)
        return;
    /* Without effect on a stream of which both sides have ended; < 0: the status does not even fit
     * the transmit buffer. */
    mote_grpc_call_reset(call, r < 0 ? MOTE_H2_INTERNAL_ERROR : MOTE_H2_NO_ERROR);
    call->local = MOTE_GRPC_LOCAL_ENDED;
}

/* ---- a client's ---------------------------------------------------------------------------- */

int mote_grpc_parse_code(const char *value, size_t len)
{
    uint64_t code;

    if (!mote_h2_decimal(value, len, &code) || code > MOTE_GRPC_UNAUTHENTICATED)
        return -1;
    return (int)code;
}
