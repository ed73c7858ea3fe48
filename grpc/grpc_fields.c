/* Header fields that gRPC gives a meaning to. */
#include "grpc_internal.h"

#include <string.h>

const mote_hpack_field mote_grpc_content_type =
    MOTE_HPACK_NAMED(31, "content-type", "application/grpc");
const mote_hpack_field mote_grpc_status_200 = MOTE_HPACK_STATIC(8); /* also the name alone */

/* Which of both is behind the other in the order of their bytes, > 0: the text; 0: they are equal.
 * `name` ends with NUL, `text` has a length and no NUL. */
static int compare(const char *text, size_t len, const char *name)
{
    size_t i = 0;

    while (i < len && text[i] == name[i])
        i++;
    return (i < len ? (uint8_t)text[i] : 0) - (uint8_t)name[i];
}

/* A method of the service, or method_count. What is sorted is halved, so that a call of one of a
 * thousand costs as much as of one of ten; of what is not each is looked at. */
static size_t find_name(const mote_grpc_service *service, const char *name, size_t len)
{
    size_t low = 0, high = service->method_count;

    while (low < high) {
        size_t at = service->sorted ? low + (high - low) / 2 : low;
        int order = compare(name, len, service->methods[at].name);
        if (order == 0)
            return at;
        if (order < 0 && service->sorted)
            high = at;
        else
            low = at + 1;
    }
    return service->method_count;
}

/* Number of the method with this path, counted through all services; or which part is unknown. */
unsigned mote_grpc_find_method(const mote_grpc *g, const char *path, size_t len)
{
    unsigned number = FIELD_PATH, unknown = FIELD_UNKNOWN_SERVICE;
    size_t slash = len;

    while (slash > 0 && path[slash - 1] != '/')
        slash--;
    if (slash < 2) /* neither "/Service/Method" */
        return FIELD_UNKNOWN_SERVICE;
    for (size_t s = 0; s < g->config->service_count; s++) {
        const mote_grpc_service *service = &g->config->services[s];
        bool known = compare(path + 1, slash - 2, service->name) == 0;
        size_t m = known ? find_name(service, path + slash, len - slash) : service->method_count;
        if (m < service->method_count)
            return number + (unsigned)m;
        if (known && MOTE_HAS_TEXTS)
            unknown = FIELD_UNKNOWN_METHOD;
        number += (unsigned)service->method_count;
    }
    return unknown;
}

const mote_grpc_method *mote_grpc_method_at(const mote_grpc *g, unsigned number)
{
    number -= FIELD_PATH;
    for (size_t s = 0; s < g->config->service_count; s++) {
        const mote_grpc_service *service = &g->config->services[s];
        if (number < service->method_count)
            return service->methods[number].handler ? &service->methods[number] : NULL;
        number -= (unsigned)service->method_count;
    }
    return NULL;
}

static bool is_blank(char ch)
{
    return ch == ' ' || ch == '\t';
}

void mote_grpc_trim(mote_hpack_field_view *f)
{
    while (f->value_len > 0 && is_blank(f->value[f->value_len - 1]))
        f->value_len--;
    while (f->value_len > 0 && is_blank(f->value[0])) {
        f->value++;
        f->value_len--;
    }
}

/* Skips `text`, in any case of its letters, at a place of the value: the place behind it, or the
 * same place where it is not there. */
static size_t skip(const mote_hpack_field_view *f, size_t at, const char *text)
{
    size_t i = 0;

    while (text[i] != '\0' && at + i < f->value_len && (f->value[at + i] | 0x20) == text[i])
        i++;
    return text[i] == '\0' ? at + i : at;
}

/* PROTOCOL-HTTP2, Content-Type: "application/grpc" [("+proto" / "+json" / ...)], with parameters
 * behind it (RFC 9110 8.3.1). Messages in other encodings than protobuf cannot be read here. */
static unsigned classify_type(const mote_hpack_field_view *f)
{
    size_t n = skip(f, 0, "application/grpc"), end = skip(f, n, "+proto");

    if (n > 0 && (end == f->value_len || f->value[end] == ';' || is_blank(f->value[end])))
        return FIELD_TYPE_GRPC;
    return n > 0 && f->value[n] == '+' ? FIELD_TYPE_OTHER : FIELD_TYPE_BAD;
}

/* Names with a meaning, for mote_h2_look_up(); of some the value says more. */
static const char known_names[] = "\014\003content-type"
                                  "\014\006grpc-timeout"
                                  "\013\007grpc-status"
                                  "\014\010grpc-message"
                                  "\015\011grpc-encoding"
                                  "\024\012grpc-accept-encoding";

_Static_assert(FIELD_TYPE_GRPC == 3 && FIELD_TIMEOUT == 6 && FIELD_STATUS == 7 &&
                   FIELD_MESSAGE == 8 && FIELD_ENCODING == 9 && FIELD_IGNORED == 10,
               "as the names have them");

void mote_grpc_trim_field(mote_h2_event *h)
{
    h->kind = MOTE_H2_KIND_OTHER;
    if (mote_h2_look_up(known_names, &h->field, FIELD_OTHER) != FIELD_MESSAGE)
        mote_grpc_trim(&h->field);
}

static unsigned classify_name(const mote_grpc *g, const mote_hpack_field_view *f)
{
    unsigned what = mote_h2_look_up(known_names, f, FIELD_OTHER);

    if (what == FIELD_TYPE_GRPC)
        return classify_type(f);
    if (what == FIELD_ENCODING)
        return mote_grpc_classify_encoding(g, f->value, f->value_len);
    if (MOTE_COMPRESSES && what == FIELD_IGNORED)
        return mote_grpc_classify_accept(g, f->value, f->value_len);
    return what;
}

static unsigned classify_fields(const mote_grpc *g, const mote_h2_event *h)
{
    const mote_hpack_field_view *f = &h->field;

    if (h->kind == MOTE_H2_KIND_OTHER)
        return classify_name(g, f);
    if (MOTE_MAY_SERVE && h->kind == MOTE_H2_KIND_METHOD)
        return compare(f->value, f->value_len, "POST") == 0 ? FIELD_METHOD_POST : FIELD_IGNORED;
    if (MOTE_MAY_SERVE && h->kind == MOTE_H2_KIND_PATH)
        return mote_grpc_find_method(g, f->value, f->value_len);
    return FIELD_IGNORED;
}

MOTE_SMALL_APART unsigned mote_grpc_classify(const mote_grpc *g, const mote_h2_event *h)
{
    mote_hpack_memo *memo = MOTE_MEMO_OF(&h->field);
    unsigned what;

    if (memo && memo->app != FIELD_UNSEEN)
        return memo->app;
    what = classify_fields(g, h);
    if (memo)
        memo->app = (uint16_t)what;
    return what;
}
