/* Connect: which requests are its own, and what they ask for. */
#include "connect_internal.h"

#include <string.h>

/* ---- methods ------------------------------------------------------------------------------- */

/* Skips '/' and a name; 0: it is not there. */
static size_t connect_skip_name(const char *path, size_t at, size_t len, const char *name)
{
    size_t i = 0;

    if (at == len || path[at] != '/')
        return 0;
    for (at++; name[i] != '\0' && at + i < len && path[at + i] == name[i];)
        i++;
    return name[i] == '\0' ? at + i : 0;
}

/* Methods are counted through all services, from 1. */
static void find_connect_method(mote_grpc_call *call, const char *path, size_t len)
{
    const mote_connect_config *c = connect_config(call);
    size_t number = 1;

    for (size_t s = 0; s < c->service_count; s++) {
        const mote_connect_service *service = c->services[s];
        size_t n = connect_skip_name(path, 0, len, service->name);
        for (size_t m = 0; n > 0 && m < service->method_count; m++) {
            if (connect_skip_name(path, n, len, service->methods[m].name) == len)
                connect_keep(connect_of(call)->method, number + m);
        }
        number += service->method_count;
    }
}

const mote_connect_method *mote_connect_method_of(const mote_grpc_call *call)
{
    const mote_connect_config *c = connect_config(call);
    size_t number = connect_kept(connect_of(call)->method);

    for (size_t s = 0; number > 0 && s < c->service_count; s++) {
        if (number <= c->services[s]->method_count)
            return &c->services[s]->methods[number - 1];
        number -= c->services[s]->method_count;
    }
    return NULL;
}

/* ---- fields of a request ------------------------------------------------------------------- */

/* With a query the method is that of the path before it. */
static bool connect_on_target(mote_grpc_call *call, const mote_hpack_field_view *f)
{
    connect_state *state = connect_of(call);
    mote_hpack_field_view path = *f;
    size_t n = 0;

    while (n < f->value_len && f->value[n] != '?')
        n++;
    find_connect_method(call, f->value, n);
    const mote_connect_method *method = mote_connect_method_of(call);
    /* who asks for events says as little as he likes: they are JSON, and "{}" is the message */
    state->query.known = state->query.json = method && method->streams;
    state->query.fault = state->query.known ? CONNECT_FINE : CONNECT_NO_MESSAGE;
    if (n == f->value_len)
        return false;
    path.value_len = n;
    mote_grpc_door_find(call, &path);
    if (method)
        mote_connect_read_query(call, f->value + n + 1, f->value_len - n - 1);
    return true;
}

/* "application/proto", "/json", "/connect+proto" and "/connect+json", "/grpc+json" and
 * "/grpc-web+json", with parameters behind; CONNECT_NONE: it is none of them. */
static uint8_t connect_form(const mote_hpack_field_view *f, bool *json)
{
    static const struct {
        const char *type;
        uint8_t form;
        bool json;
    } types[] = {{"application/json", CONNECT_UNARY, true},
                 {"application/proto", CONNECT_UNARY, false},
                 {"application/connect+json", CONNECT_STREAM, true},
                 {"application/connect+proto", CONNECT_STREAM, false},
                 {"application/grpc+json", CONNECT_GRPC, true},
                 {"application/grpc-web+json", CONNECT_GRPC_WEB, true}};

    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        size_t end = mote_web_skip(f, 0, types[i].type);
        if (end > 0 && (end == f->value_len || f->value[end] == ';' || f->value[end] == ' ')) {
            *json = types[i].json;
            return types[i].form;
        }
    }
    return CONNECT_NONE;
}

/* A second type makes it unclear. */
static bool on_connect_type(connect_state *state, const mote_hpack_field_view *f)
{
    bool json = false;
    uint8_t form = connect_form(f, &json);

    if (form == CONNECT_NONE)
        return false;
    if (state->web.kind == WEB_OPTIONS || state->web.kind == WEB_PREFLIGHT)
        return true;
    state->form = state->web.kind != WEB_NONE ? (uint8_t)CONNECT_UNCLEAR : form;
    state->json = json;
    state->web.kind = WEB_CONNECT;
    return true;
}

/* A number of up to ten digits. */
static void on_connect_timeout(mote_grpc_call *call, const mote_hpack_field_view *f)
{
    uint64_t ms;

    if (call->deadline_ms != UINT64_MAX || f->value_len > 10 ||
        !mote_h2_decimal(f->value, f->value_len, &ms))
        connect_of(call)->fault = CONNECT_BAD_TIMEOUT;
    else
        mote_grpc_door_deadline(call, ms);
}

static void connect_on_encoding(mote_grpc_call *call, const mote_hpack_field_view *f, unsigned side)
{
    connect_of(call)->codec[side] =
        (uint8_t)mote_grpc_door_codec(call->grpc, f->value, f->value_len);
}

static void connect_on_accepts(mote_grpc_call *call, const mote_hpack_field_view *f, unsigned side)
{
    connect_of(call)->accepts[side] =
        (uint8_t)mote_grpc_door_codecs(call->grpc, f->value, f->value_len);
}

enum {
    FIELD_TYPE = 1,
    FIELD_OF_TIMEOUT,
    FIELD_VERSION,
    FIELD_ACCEPT_TYPE,
    FIELD_CODEC_OF, /* + side */
    FIELD_CODECS_OF = FIELD_CODEC_OF + CONNECT_SIDES
};

/* A field of the connection's protocol; true: no handler sees it. */
static bool on_connect_field(mote_grpc_call *call, const mote_hpack_field_view *f)
{
    static const char names[] = "\014\001content-type"
                                "\022\002connect-timeout-ms"
                                "\030\003connect-protocol-version"
                                "\006\004accept"
                                "\020\005content-encoding"
                                "\030\006connect-content-encoding"
                                "\017\007accept-encoding"
                                "\027\010connect-accept-encoding";
    connect_state *state = connect_of(call);
    unsigned what = mote_h2_look_up(names, f, 0);

    switch (what) {
    case FIELD_TYPE:
        return on_connect_type(state, f);
    case FIELD_OF_TIMEOUT:
        on_connect_timeout(call, f);
        return true;
    case FIELD_VERSION:
        if (!mote_web_is(f, "1"))
            state->fault = CONNECT_BAD_VERSION;
        return true;
    case FIELD_ACCEPT_TYPE:
        state->events = state->events || mote_web_skip(f, 0, "text/event-stream") > 0;
        return false;
    case FIELD_CODEC_OF + CONNECT_OF_UNARY:
    case FIELD_CODEC_OF + CONNECT_OF_STREAM:
        connect_on_encoding(call, f, what - FIELD_CODEC_OF);
        return true;
    case FIELD_CODECS_OF + CONNECT_OF_UNARY:
    case FIELD_CODECS_OF + CONNECT_OF_STREAM:
        connect_on_accepts(call, f, what - FIELD_CODECS_OF);
        return true;
    default:
        return false;
    }
}

bool mote_connect_take_field(mote_grpc_call *call, const mote_h2_event *h)
{
    connect_state *state = connect_of(call);
    bool taken = false;

    if (h->trailers)
        return mote_grpc_door_engine.take_field(call, h);
    if (h->kind == MOTE_H2_KIND_METHOD) {
        state->get = mote_web_is(&h->field, "GET");
        state->post = mote_web_is(&h->field, "POST");
    } else if (h->kind == MOTE_H2_KIND_PATH) {
        taken = connect_on_target(call, &h->field);
    } else if (h->kind == MOTE_H2_KIND_OTHER) {
        taken = on_connect_field(call, &h->field);
    }
    return taken || mote_grpc_door_engine.take_field(call, h);
}

/* ---- the request as a whole ---------------------------------------------------------------- */

/* What a GET is, or the HTTP status that it gets. */
static const char *connect_look_at_get(mote_grpc_call *call)
{
    connect_state *state = connect_of(call);
    const mote_connect_method *method = mote_connect_method_of(call);

    if (!method)
        return "404";
    state->web.kind = WEB_CONNECT;
    if (!method->safe || (method->streams && !state->events))
        return "405";
    state->form = method->streams ? CONNECT_EVENTS : CONNECT_UNARY;
    if (!state->query.known || (method->streams && !state->query.json))
        return "415";
    state->json = state->query.json;
    state->codec[CONNECT_OF_UNARY] = state->query.codec;
    if (state->fault == CONNECT_FINE)
        state->fault = state->query.fault;
    return NULL;
}

static const char *connect_look_at_post(const mote_grpc_call *call)
{
    const connect_state *state = connect_of(call);
    const mote_connect_method *method = mote_connect_method_of(call);

    if (!state->post)
        return "405";
    if (connect_is_grpc(state))
        return NULL;
    if (!method && !call->method)
        return "404";
    if (state->form == CONNECT_UNCLEAR ||
        (method && method->streams != (state->form == CONNECT_STREAM)))
        return "415";
    return NULL;
}

/* Why a call is refused whose form is known. */
static void connect_look_at_faults(mote_grpc_call *call)
{
    static const struct {
        const char *text;
        int code;
    } faults[] = {
        [CONNECT_BAD_TIMEOUT] = {MOTE_TEXT("connect-timeout-ms is not a number of up to 10 digits"),
                                 MOTE_GRPC_INVALID_ARGUMENT},
        [CONNECT_BAD_VERSION] = {MOTE_TEXT("connect-protocol-version is not 1, or connect not v1"),
                                 MOTE_GRPC_INVALID_ARGUMENT},
        [CONNECT_BAD_ESCAPE] = {MOTE_TEXT("the query has a % without two digits"),
                                MOTE_GRPC_INVALID_ARGUMENT},
        [CONNECT_BAD_BASE64] = {MOTE_TEXT("the message of the query is not base64"),
                                MOTE_GRPC_INVALID_ARGUMENT},
        [CONNECT_NO_MESSAGE] = {MOTE_TEXT("the query has no message"), MOTE_GRPC_INVALID_ARGUMENT},
        [CONNECT_NO_ROOM] = {MOTE_TEXT("the request is larger than rx_size"),
                             MOTE_GRPC_RESOURCE_EXHAUSTED},
        [CONNECT_NO_CODEC] = {MOTE_TEXT("the encoding of the content is not supported"),
                              MOTE_GRPC_UNIMPLEMENTED},
    };
    const connect_state *state = connect_of(call);

    if (state->fault != CONNECT_FINE)
        mote_grpc_door_fail(call, faults[state->fault].code, faults[state->fault].text);
    else if (call->method && !mote_connect_method_of(call))
        mote_grpc_door_fail(call, MOTE_GRPC_UNIMPLEMENTED,
                            MOTE_TEXT("the method is in no table of Connect"));
}

/* Codecs of this form; gRPC's fields have said theirs. What is JSON here has another length than
 * what a handler compresses. */
static void connect_choose_codecs(mote_grpc_call *call)
{
    connect_state *state = connect_of(call);
    unsigned side = state->form == CONNECT_STREAM ? CONNECT_OF_STREAM : CONNECT_OF_UNARY;

    if (!connect_is_grpc(state)) {
        call->rx_codec = state->codec[side] > MOTE_GRPC_CODECS ? 0 : state->codec[side];
        call->accepts = state->accepts[side];
        if (state->codec[side] > MOTE_GRPC_CODECS)
            state->fault = CONNECT_NO_CODEC;
    }
    if (state->json)
        call->accepts = 0;
}

bool mote_connect_answer(mote_grpc_call *call)
{
    connect_state *state = connect_of(call);
    const char *status;

    if (state->web.kind != WEB_CONNECT && !(state->web.kind == WEB_NONE && state->get))
        return mote_grpc_door_engine.answer(call);
    status = state->get ? connect_look_at_get(call) : connect_look_at_post(call);
    if (state->web.origin == ORIGIN_FOREIGN)
        status = "403";
    if (status) {
        memcpy(state->status, status, sizeof state->status);
        mote_grpc_door_refuse(call);
        return true;
    }
    if (!state->get)
        call->rx_len = 0; /* the query of a POST says nothing */
    mote_grpc_door_accept(call);
    connect_choose_codecs(call);
    connect_look_at_faults(call);
    return false;
}

/* ---- responses ----------------------------------------------------------------------------- */

#define CONNECT_TYPE(text) MOTE_HPACK_NAMED(31, "content-type", text)
static const mote_hpack_field connect_types[][2] = {
    [CONNECT_NONE] = {CONNECT_TYPE(""), CONNECT_TYPE("")},
    [CONNECT_UNARY] = {CONNECT_TYPE("application/proto"), CONNECT_TYPE("application/json")},
    [CONNECT_STREAM] = {CONNECT_TYPE("application/connect+proto"),
                        CONNECT_TYPE("application/connect+json")},
    [CONNECT_EVENTS] = {CONNECT_TYPE("text/event-stream"), CONNECT_TYPE("text/event-stream")},
    [CONNECT_GRPC] = {CONNECT_TYPE(""), CONNECT_TYPE("application/grpc+json")},
    [CONNECT_GRPC_WEB] = {CONNECT_TYPE(""), CONNECT_TYPE("application/grpc-web+json")},
};
void mote_connect_put_type(mote_grpc_call *call, bool json)
{
    mote_h2_put(&call->grpc->h2, &connect_types[connect_of(call)->form][json]);
    mote_web_put_origin(call);
}

static void put_connect_fields(mote_grpc_call *call, const char *status)
{
    static const mote_hpack_field post = MOTE_HPACK_NAMED(22, "allow", "POST");
    static const mote_hpack_field both = MOTE_HPACK_NAMED(22, "allow", "GET, POST");
    const mote_connect_method *method = mote_connect_method_of(call);

    if (!status && connect_is_grpc(connect_of(call)))
        mote_connect_put_type(call, true);
    else
        mote_web_put_fields(call, status);
    if (status && memcmp(status, "405", 3) == 0)
        mote_h2_put(&call->grpc->h2, method && method->safe ? &both : &post);
}

_Static_assert(sizeof(connect_state) <= MOTE_CONNECT_STATE, "the state of a call");

const mote_grpc_protocol mote_connect = {
    .state_size = MOTE_CONNECT_STATE,
    .group = 3,
    .packed_group = 4,
    .broken = MOTE_TEXT("the content is not base64"),
    .trailers = {mote_web_write_trailers, mote_grpc_strerror, NULL},
    .field = mote_web_field,
    .answer = mote_web_answer,
    .put_fields = put_connect_fields,
    .pack = mote_web_pack,
    .unpack = mote_web_unpack,
    .content = mote_web_content,
};
