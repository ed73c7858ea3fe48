/* The end of a Connect call as JSON: an error with its details, and the last message of a stream.
 */
#include "connect_internal.h"

#include <string.h>

/* ---- text ---------------------------------------------------------------------------------- */

/* JSON that is written into memory; what there is no room for is left out, and then it is cut. */
typedef struct {
    char *at;
    size_t size, len;
} end_text;

static void end_put(end_text *t, const char *text, size_t len)
{
    if (t->len + len <= t->size && len > 0)
        memcpy(t->at + t->len, text, len);
    t->len += len;
}
#define END_PUT(t, text) end_put(t, text, sizeof(text) - 1)

static void end_put_escaped(end_text *t, char ch)
{
    static const char hex[] = "0123456789abcdef";
    char text[6] = {'\\', 'u', '0', '0', hex[(uint8_t)ch >> 4], hex[(uint8_t)ch & 15]};

    if (ch == '"' || ch == '\\') {
        text[1] = ch;
        end_put(t, text, 2);
    } else {
        end_put(t, text, sizeof text);
    }
}

/* A string; what is not UTF-8 has a question mark for each byte that is not ASCII. */
static void end_put_string(end_text *t, const char *text, size_t len)
{
    bool valid = mote_pb_utf8_valid((const uint8_t *)text, len);

    END_PUT(t, "\"");
    for (size_t i = 0; i < len; i++) {
        uint8_t ch = (uint8_t)text[i];
        if (ch < 0x20 || ch == '"' || ch == '\\' || ch == 0x7f)
            end_put_escaped(t, text[i]);
        else
            end_put(t, ch < 0x80 || valid ? text + i : "?", 1);
    }
    END_PUT(t, "\"");
}

static void end_put_base64(end_text *t, const uint8_t *bytes, size_t len)
{
    int r =
        t->len < t->size ? mote_grpc_bin_encode(bytes, len, t->at + t->len, t->size - t->len) : -1;

    t->len = r < 0 ? t->size + 1 : t->len + (size_t)r;
}

/* ---- details ------------------------------------------------------------------------------- */

typedef struct {
    const uint8_t *at, *end;
} connect_wire_span;

static bool connect_wire_varint(connect_wire_span *s, uint64_t *value)
{
    *value = 0;
    for (unsigned shift = 0; shift < 64 && s->at < s->end; shift += 7) {
        uint8_t byte = *s->at++;
        *value |= (uint64_t)(byte & 127) << shift;
        if (byte < 128)
            return true;
    }
    return false;
}

/* The next field whose value has a length; those of code and alike are skipped. False: none. */
static bool connect_wire_next(connect_wire_span *s, uint64_t *number, connect_wire_span *value)
{
    uint64_t key, n;

    while (s->at < s->end && connect_wire_varint(s, &key)) {
        if ((key & 7) > 2 || (key & 7) == 1 || !connect_wire_varint(s, &n))
            return false;
        if ((key & 7) == 0)
            continue;
        if (n > (size_t)(s->end - s->at))
            return false;
        *number = key >> 3;
        *value = (connect_wire_span){s->at, s->at + n};
        s->at += n;
        return true;
    }
    return false;
}

/* A google.protobuf.Any as {"type": "package.Message", "value": BASE64}. */
static void end_put_detail(end_text *t, connect_wire_span any)
{
    connect_wire_span type = {NULL, NULL}, value = {NULL, NULL}, field;
    uint64_t number;

    while (connect_wire_next(&any, &number, &field)) {
        if (number == 1)
            type = field;
        if (number == 2)
            value = field;
    }
    for (const uint8_t *p = type.at; p != type.end; p++) {
        if (*p == '/')
            type.at = p + 1;
    }
    END_PUT(t, "{\"type\":");
    end_put_string(t, (const char *)type.at, (size_t)(type.end - type.at));
    END_PUT(t, ",\"value\":\"");
    end_put_base64(t, value.at, (size_t)(value.end - value.at));
    END_PUT(t, "\"}");
}

/* Those of a google.rpc.Status, in base64; it is unpacked at the end of the memory. */
static void end_put_details(end_text *t, const mote_grpc_metadata *m)
{
    size_t space = m->value_len, first = 1;
    connect_wire_span status, any;
    uint64_t number;

    if (t->len > t->size || space > t->size - t->len)
        return;
    uint8_t *bytes = (uint8_t *)t->at + t->size - space;
    int r = mote_grpc_bin_decode(m->value, m->value_len, bytes, space);
    if (r <= 0)
        return;
    end_text mine = {t->at, t->size - space, t->len};
    for (status = (connect_wire_span){bytes, bytes + r};
         connect_wire_next(&status, &number, &any);) {
        if (number != 3)
            continue;
        if (first)
            END_PUT(&mine, ",\"details\":[");
        else
            END_PUT(&mine, ",");
        first = 0;
        end_put_detail(&mine, any);
    }
    if (!first)
        END_PUT(&mine, "]");
    if (mine.len <= mine.size) /* otherwise there are none */
        t->len = mine.len;
}

bool mote_connect_is_details(const mote_grpc_metadata *m)
{
    static const char name[] = "grpc-status-details-bin";

    return m->name_len == sizeof name - 1 && memcmp(m->name, name, sizeof name - 1) == 0;
}

/* ---- errors -------------------------------------------------------------------------------- */

/* Connect's name of a code: gRPC's in small letters, but for one. */
static void end_put_code(end_text *t, int code)
{
    const char *name = code == MOTE_GRPC_CANCELLED ? "CANCELED" : mote_grpc_code_name(code);

    for (; *name != '\0'; name++) {
        uint8_t ch = (uint8_t)*name;
        char small = (char)(ch >= 'A' && ch <= 'Z' ? ch | 0x20u : ch);
        end_put(t, &small, 1);
    }
}

const char *mote_connect_http_status(int code)
{
    static const char statuses[][4] = {"200", "499", "500", "400", "504", "404",
                                       "409", "403", "429", "400", "409", "400",
                                       "501", "500", "503", "500", "401"};

    return code >= 0 && code <= MOTE_GRPC_UNAUTHENTICATED ? statuses[code] : "500";
}

static void end_put_error(end_text *t, const mote_grpc_end *end)
{
    END_PUT(t, "{\"code\":\"");
    end_put_code(t, end->code);
    END_PUT(t, "\"");
    if (end->message_len > 0) {
        size_t before = t->len;
        END_PUT(t, ",\"message\":");
        end_put_string(t, end->message, end->message_len);
        if (t->len + 3 > t->size) /* the code alone */
            t->len = before;
    }
    for (size_t i = 0; i < end->count; i++) {
        if (mote_connect_is_details(&end->metadata[i]))
            end_put_details(t, &end->metadata[i]);
    }
    END_PUT(t, "}");
}

static bool connect_has_same_name(const mote_grpc_metadata *a, const mote_grpc_metadata *b)
{
    return a->name_len == b->name_len && memcmp(a->name, b->name, a->name_len) == 0;
}

/* Whether a field of this name stood before it. */
static bool connect_is_repeated(const mote_grpc_end *end, size_t at)
{
    for (size_t i = 0; i < at; i++) {
        if (connect_has_same_name(&end->metadata[i], &end->metadata[at]))
            return true;
    }
    return false;
}

/* "name":["value", ...], of all fields of this name. */
static void end_put_values(end_text *t, const mote_grpc_end *end, size_t at)
{
    const mote_grpc_metadata *m = &end->metadata[at];

    end_put_string(t, m->name, m->name_len);
    END_PUT(t, ":[");
    for (size_t i = at; i < end->count; i++) {
        if (!connect_has_same_name(&end->metadata[i], m))
            continue;
        if (i > at)
            END_PUT(t, ",");
        end_put_string(t, end->metadata[i].value, end->metadata[i].value_len);
    }
    END_PUT(t, "]");
}

static void end_put_metadata(end_text *t, const mote_grpc_end *end)
{
    bool first = true;

    for (size_t i = 0; i < end->count; i++) {
        if (mote_connect_is_details(&end->metadata[i]) || connect_is_repeated(end, i))
            continue;
        if (first)
            END_PUT(t, "\"metadata\":{");
        else
            END_PUT(t, ",");
        first = false;
        end_put_values(t, end, i);
    }
    if (!first)
        END_PUT(t, "}");
}

static end_text end_begin(const mote_grpc_call *call)
{
    connect_half half = connect_response_half(connect_config(call));

    return (end_text){(char *)half.memory, half.size, 0};
}

mote_grpc_bytes mote_connect_error(mote_grpc_call *call, const mote_grpc_end *end)
{
    end_text t = end_begin(call);

    end_put_error(&t, end);
    return (mote_grpc_bytes){(const uint8_t *)t.at, t.len <= t.size ? t.len : 0};
}

/* {"error": ..., "metadata": ...}; as an event it has its type before it. */
static void end_put_all(end_text *t, const mote_grpc_end *end, bool is_event, bool metadata)
{
    if (is_event)
        END_PUT(t, "event: end\ndata: ");
    END_PUT(t, "{");
    if (end->code != MOTE_GRPC_OK) {
        END_PUT(t, "\"error\":");
        end_put_error(t, end);
    }
    size_t before = t->len;
    if (metadata && end->code != MOTE_GRPC_OK)
        END_PUT(t, ",");
    size_t behind = t->len;
    if (metadata)
        end_put_metadata(t, end);
    if (t->len == behind)
        t->len = before;
    END_PUT(t, "}");
    if (is_event)
        END_PUT(t, "\n\n");
}

mote_grpc_bytes mote_connect_end(mote_grpc_call *call, const mote_grpc_end *end)
{
    bool is_event = connect_of(call)->form == CONNECT_EVENTS;
    end_text t = end_begin(call);

    end_put_all(&t, end, is_event, true);
    if (t.len > t.size) { /* how it ended counts more */
        t.len = 0;
        end_put_all(&t, end, is_event, false);
    }
    return (mote_grpc_bytes){(const uint8_t *)t.at, t.len};
}
