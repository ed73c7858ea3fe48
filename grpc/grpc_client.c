/* The client's side of a call: request headers, response headers, status. */
#include "grpc_internal.h"

#include <string.h>

static const mote_hpack_field method_post = MOTE_HPACK_STATIC(3);
static const mote_hpack_field scheme_http = MOTE_HPACK_STATIC(6);
static const mote_hpack_field scheme_https = MOTE_HPACK_STATIC(7);
static const mote_hpack_field te_trailers = MOTE_HPACK_FIELD("te", "trailers");
static const mote_hpack_field user_agent = MOTE_HPACK_NAMED(58, "user-agent", "grpc-c-mote/0.1");
static const mote_hpack_field timeout_name = MOTE_HPACK_FIELD("grpc-timeout", "");

static void put_request(mote_grpc *g, const mote_grpc_request *request)
{
    mote_h2 *h2 = &g->h2;
    char timeout[9];

    mote_h2_put(h2, &method_post);
    mote_h2_put(h2, g->config->tls ? &scheme_https : &scheme_http);
    mote_h2_put(h2, request->path);
    mote_h2_put(h2, &g->config->authority);
    mote_h2_put(h2, &te_trailers);
    mote_h2_put(h2, &mote_grpc_content_type);
    mote_h2_put(h2, g->config->user_agent ? g->config->user_agent : &user_agent);
    if (MOTE_COMPRESSES && request->codec)
        mote_h2_put(h2, &request->codec->encoding);
    if (MOTE_COMPRESSES && g->config->codecs)
        mote_h2_put(h2, &g->config->codecs->accept);
    if (request->timeout_ms > 0)
        mote_h2_put_value(h2, &timeout_name, timeout,
                          mote_grpc_format_timeout(request->timeout_ms, timeout));
    if (g->config->credentials)
        g->config->credentials->put(g);
    mote_grpc_put_metadata(h2, request->metadata, request->metadata_count);
}

/* A server would end the stream, or the connection; what a program has made of other words. */
static bool is_path(const mote_hpack_field *path)
{
    return path->value_len > 0 && path->value[0] == '/' &&
           mote_grpc_is_visible(path->value, path->value_len);
}

int mote_grpc_start(mote_grpc *g, const mote_grpc_request *request, mote_grpc_call **call)
{
    const mote_grpc_credentials *credentials = g->config->credentials;
    mote_h2_stream *stream;
    int r;

    MOTE_CHECK_THAT(mote_grpc_valid(g) && request->path);
    *call = NULL;
    if (request->codec && (!MOTE_COMPRESSES || !g->config->codecs))
        return MOTE_GRPC_ERR_CONFIG;
    if (credentials && !g->config->tls && !credentials->in_the_clear)
        return MOTE_GRPC_ERR_INSECURE;
    if (g->active >= mote_grpc_slots(g))
        return MOTE_AGAIN;
    if (MOTE_SENDS_METADATA && !is_path(request->path))
        return MOTE_GRPC_ERR_PATH;
    if ((r = mote_grpc_check_metadata(g, request->metadata, request->metadata_count)) < 0 ||
        (r = mote_h2_open(&g->h2, &stream)) < 0)
        return r;
    mote_h2_headers_begin(&g->h2, stream);
    put_request(g, request);
    if ((r = mote_h2_headers_end(&g->h2, false)) < 0)
        return r;
    *call = mote_grpc_call_new(g, stream);
    (*call)->chunks = request->chunks;
    for (unsigned i = 0; MOTE_COMPRESSES && request->codec && i < g->config->codecs->count; i++) {
        if (g->config->codecs->codec[i] == request->codec)
            (*call)->tx_codec = (uint8_t)(i + 1);
    }
    if (request->timeout_ms > 0)
        mote_grpc_set_deadline(*call, request->timeout_ms);
    return 0;
}

/* The text lives at the end of what the receive buffer holds, cut to the room that is left. */
static void keep_text(mote_grpc_call *call, const char *value, size_t len)
{
    char *to = (char *)call->rx + call->rx_len;
    size_t room = call->grpc->config->rx_size - call->rx_len;

    call->text = to;
    call->text_len =
        (uint16_t)mote_grpc_percent_decode(value, len, to, room < UINT16_MAX ? room : UINT16_MAX);
}

/* A text of ours, where the server sent none, or one that was dropped. */
static void explain(mote_grpc_call *call, const char *text)
{
    if (!MOTE_HAS_TEXTS || call->text)
        return;
    call->text = text;
    call->text_len = (uint16_t)mote_grpc_text_length(text);
}

static void keep_code(mote_grpc_call *call, const char *value, size_t len)
{
    int code = mote_grpc_parse_code(value, len);

    call->facts |= FACT_STATUS;
    call->code = (int16_t)code;
    if (code < 0) {
        call->code = MOTE_GRPC_UNKNOWN;
        explain(call, MOTE_TEXT("grpc-status is none of the codes of gRPC"));
    }
}

MOTE_ROLES_APART void mote_grpc_client_field(mote_grpc_call *call, const mote_h2_event *h,
                                             unsigned what)
{
    switch (what) {
    case FIELD_STATUS:
        keep_code(call, h->field.value, h->field.value_len);
        break;
    case FIELD_MESSAGE:
        keep_text(call, h->field.value, h->field.value_len);
        break;
    case FIELD_TYPE_GRPC:
        call->facts |= FACT_GRPC;
        break;
    case FIELD_ENCODING:
        call->facts |= FACT_BAD_ENCODING;
        break;
    default:
        mote_grpc_codec_field(call, what);
        break;
    }
}

static const char *http_text(mote_grpc_call *call, unsigned status)
{
    char digits[3] = {(char)('0' + status / 100), (char)('0' + status / 10 % 10),
                      (char)('0' + status % 10)};

    return status == 200 ? MOTE_TEXT("the response has no grpc-status")
                         : mote_grpc_name_it(call, "HTTP status is not 200 but ", digits, 3);
}

/* A response that cannot be used ends the call, with CANCEL unless its stream has ended. */
static void reject(mote_grpc_call *call, int code, const char *text)
{
    mote_grpc_call_end(call, code, text, MOTE_H2_CANCEL);
}

void mote_grpc_client_end(mote_grpc_call *call)
{
    unsigned http = call->http_status;

    if (!(call->facts & FACT_STATUS)) {
        mote_grpc_call_end(call, mote_grpc_code_of_http(http), http_text(call, http),
                           MOTE_H2_NO_ERROR);
        return;
    }
    mote_grpc_call_reset(call, MOTE_H2_NO_ERROR); /* without effect when both sides have ended */
    call->local = MOTE_GRPC_LOCAL_ENDED;
    if (call->remote == MOTE_GRPC_REMOTE_HEADERS) /* PROTOCOL-HTTP2, Trailers-Only */
        call->told = MOTE_GRPC_TOLD_STARTED;
    call->remote = MOTE_GRPC_REMOTE_ENDED;
    if (call->wait == MOTE_GRPC_WAIT_ROOM)
        mote_grpc_call_unwait(call);
}

/* The section that begins a response. */
static void begin(mote_grpc_call *call, const mote_h2_event *h)
{
    if (h->status != 200) {
        reject(call, mote_grpc_code_of_http(h->status), http_text(call, h->status));
    } else if (!(call->facts & FACT_GRPC)) {
        reject(call, MOTE_GRPC_UNKNOWN, MOTE_TEXT("content-type is not application/grpc"));
    } else {
        /* A status counts only where it ends the stream. */
        call->facts &= (uint16_t)~FACT_STATUS;
        call->code = MOTE_GRPC_OK;
        call->text = NULL;
        call->text_len = 0;
        call->remote = MOTE_GRPC_REMOTE_OPEN;
    }
}

void mote_grpc_client_headers(mote_grpc_call *call, const mote_h2_event *h)
{
    if (!h->trailers && h->status < 200) /* 1xx: the real section follows */
        return;
    if (!h->trailers)
        call->http_status = h->status;
    /* The field that was dropped may be the one that is needed. */
    if (h->truncated && call->http_status == 200 &&
        !(call->facts & (h->end_stream ? FACT_STATUS : FACT_GRPC))) {
        reject(call, MOTE_GRPC_RESOURCE_EXHAUSTED, mote_grpc_limit_of_fields(call));
        return;
    }
    if (h->truncated && call->code != MOTE_GRPC_OK)
        explain(call, MOTE_TEXT("no text, or one that is larger than field_size"));
    if (h->end_stream) /* trailers, or PROTOCOL-HTTP2 Trailers-Only */
        mote_grpc_client_end(call);
    else
        begin(call, h);
}

void mote_grpc_abandon(mote_grpc_call *call, int code, const char *text)
{
    MOTE_CHECK_THAT(!call || mote_grpc_valid(call->grpc));
    if (call && !mote_grpc_decided(call))
        reject(call, code, text);
}

void mote_grpc_cancel(mote_grpc_call *call)
{
    mote_grpc_abandon(call, MOTE_GRPC_CANCELLED, MOTE_TEXT("cancelled"));
}
