/* gRPC-Web: which requests are its own, and what header fields its responses have. */
#include "../../h2/mote_features.h"
#include "web_internal.h"

#include <string.h>

/* ---- requests ------------------------------------------------------------------------------ */

static size_t web_length(const char *text)
{
    size_t n = 0;

    while (text[n] != '\0')
        n++;
    return n;
}

bool mote_web_is(const mote_hpack_field_view *f, const char *text)
{
    size_t len = web_length(text);

    return f->value_len == len && memcmp(f->value, text, len) == 0;
}

size_t mote_web_skip(const mote_hpack_field_view *f, size_t at, const char *text)
{
    size_t i = 0;

    while (text[i] != '\0' && at + i < f->value_len && (f->value[at + i] | 0x20) == text[i])
        i++;
    return text[i] == '\0' ? at + i : at;
}

/* PROTOCOL-WEB: "application/grpc-web" ["-text"] ["+proto"], with parameters behind it. */
static enum mote_grpc_door_field on_web_type(web_state *state, const mote_hpack_field_view *f)
{
    size_t base = mote_web_skip(f, 0, "application/grpc-web");
    size_t text = mote_web_skip(f, base, "-text"), end = mote_web_skip(f, text, "+proto");

    if (base == 0)
        return MOTE_GRPC_DOOR_OTHER;
    if (state->kind != WEB_NONE) /* a second one */
        return MOTE_GRPC_DOOR_FOREIGN;
    state->kind = text > base ? WEB_TEXT : WEB_BINARY;
    if (end < f->value_len && f->value[end] != ';' && f->value[end] != ' ')
        return f->value[text] == '+' ? MOTE_GRPC_DOOR_FOREIGN : MOTE_GRPC_DOOR_OTHER;
    return text > base ? MOTE_GRPC_DOOR_PACKED : MOTE_GRPC_DOOR_CALL;
}

/* A second origin is none that is in the list. */
static uint8_t origin_number(const mote_web_config *config, const mote_hpack_field_view *f)
{
    for (size_t i = 0; i < config->origin_count && i + ORIGIN_FIRST < ORIGIN_FOREIGN; i++) {
        if ((config->origins[i][0] == '*' && config->origins[i][1] == '\0') ||
            mote_web_is(f, config->origins[i]))
            return (uint8_t)(ORIGIN_FIRST + i);
    }
    return ORIGIN_FOREIGN;
}

/* Where names are given, a request by another one is a foreign page's. */
static void look_at_web_host(mote_grpc_call *call, const mote_hpack_field_view *f)
{
    const mote_web_config *config = call->grpc->config->door->config;

    for (size_t i = 0; i < config->host_count; i++) {
        if (mote_web_is(f, config->hosts[i]))
            return;
    }
    if (config->host_count > 0)
        ((web_state *)mote_grpc_door_state(call))->origin = ORIGIN_FOREIGN;
}

enum mote_grpc_door_field mote_web_field(mote_grpc_call *call, const mote_h2_event *h)
{
    static const char names[] = "\014\001content-type"
                                "\006\002origin"
                                "\035\003access-control-request-method"
                                "\004\004host";
    web_state *state = mote_grpc_door_state(call);

    if (h->kind == MOTE_H2_KIND_METHOD && mote_web_is(&h->field, "OPTIONS"))
        state->kind = WEB_OPTIONS;
    if (h->kind == MOTE_H2_KIND_AUTHORITY)
        look_at_web_host(call, &h->field);
    if (h->kind != MOTE_H2_KIND_OTHER)
        return MOTE_GRPC_DOOR_OTHER;
    unsigned what = mote_h2_look_up(names, &h->field, 0);
    if (what == 2)
        state->origin = state->origin == ORIGIN_NONE
                            ? origin_number(call->grpc->config->door->config, &h->field)
                            : ORIGIN_FOREIGN;
    if (what == 4)
        look_at_web_host(call, &h->field);
    if (what == 3 && state->kind == WEB_OPTIONS)
        state->kind = WEB_PREFLIGHT;
    if (state->kind == WEB_OPTIONS || state->kind == WEB_PREFLIGHT) /* no handler hears of it */
        return MOTE_GRPC_DOOR_TAKEN;
    return what == 1 ? on_web_type(state, &h->field) : MOTE_GRPC_DOOR_OTHER;
}

/* A page whose own name leads here (DNS rebinding) may say any content-type, that of plain gRPC as
 * well, without a preflight: so a foreign origin is refused whatever it asks. */
const char *mote_web_answer(const mote_grpc_call *call)
{
    const web_state *state = mote_grpc_door_state(call);

    if (state->origin == ORIGIN_FOREIGN ||
        (state->kind == WEB_PREFLIGHT && state->origin == ORIGIN_NONE))
        return "403";
    return state->kind == WEB_PREFLIGHT ? "204" : NULL;
}

/* ---- responses ----------------------------------------------------------------------------- */

static const mote_hpack_field web_type_binary =
    MOTE_HPACK_NAMED(31, "content-type", "application/grpc-web+proto");
static const mote_hpack_field web_type_text =
    MOTE_HPACK_NAMED(31, "content-type", "application/grpc-web-text+proto");
static const mote_hpack_field vary_origin = MOTE_HPACK_NAMED(59, "vary", "origin");
static const mote_hpack_field cors_methods[] = {
    MOTE_HPACK_FIELD("access-control-allow-methods", "POST"),
    MOTE_HPACK_FIELD("access-control-allow-methods", "GET, POST")};
static const mote_hpack_field cors_max_age = MOTE_HPACK_FIELD("access-control-max-age", "7200");
static const mote_hpack_field cors_origin = MOTE_HPACK_NAMED(20, "access-control-allow-origin", "");
static const mote_hpack_field cors_headers = MOTE_HPACK_FIELD("access-control-allow-headers", "");
static const mote_hpack_field cors_exposed = MOTE_HPACK_FIELD("access-control-expose-headers", "");

static void put_web_text(mote_h2 *h2, const mote_hpack_field *name, const char *text,
                         const char *otherwise)
{
    text = text ? text : otherwise;
    mote_h2_put_value(h2, name, text, web_length(text));
}

/* What the Fetch standard calls CORS protocol: to origins of the list alone. */
static void put_web_cors(const mote_grpc_call *call, const web_state *state)
{
    const mote_grpc_door *door = call->grpc->config->door;
    const mote_web_config *config = door->config;
    mote_h2 *h2 = &call->grpc->h2;

    put_web_text(h2, &cors_origin, config->origins[state->origin - ORIGIN_FIRST], "");
    if (state->kind == WEB_PREFLIGHT) {
        mote_h2_put(h2, &cors_methods[door->protocol != &mote_web]);
        put_web_text(h2, &cors_headers, config->request_headers, "*, authorization");
        mote_h2_put(h2, &cors_max_age);
    } else {
        put_web_text(h2, &cors_exposed, config->response_headers, "*");
    }
}

void mote_web_put_origin(mote_grpc_call *call)
{
    const web_state *state = mote_grpc_door_state(call);

    mote_h2_put(&call->grpc->h2, &vary_origin);
    if (state->origin != ORIGIN_NONE && state->origin != ORIGIN_FOREIGN)
        put_web_cors(call, state);
}

void mote_web_put_fields(mote_grpc_call *call, const char *status)
{
    const web_state *state = mote_grpc_door_state(call);

    if (!status)
        mote_h2_put(&call->grpc->h2, state->kind == WEB_TEXT ? &web_type_text : &web_type_binary);
    mote_web_put_origin(call);
}

_Static_assert(sizeof(web_state) <= MOTE_WEB_STATE, "the state of a call");

const mote_grpc_protocol mote_web = {
    .state_size = MOTE_WEB_STATE,
    .group = 3,
    .packed_group = 4,
    .broken = MOTE_TEXT("the content is not base64"),
    .trailers = {mote_web_write_trailers, mote_grpc_strerror, NULL},
    .field = mote_web_field,
    .answer = mote_web_answer,
    .put_fields = mote_web_put_fields,
    .pack = mote_web_pack,
    .unpack = mote_web_unpack,
    .content = mote_web_content,
};
