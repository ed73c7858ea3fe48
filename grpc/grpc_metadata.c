/* Metadata that callers add (PROTOCOL-HTTP2, Custom-Metadata): what may not be sent is refused
 * here, as no peer would take it, or take it for something else. */
#include "grpc_internal.h"

#include <string.h>

/* Header-Name */
static bool is_name(const char *name, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        char ch = name[i];
        if (!((ch >= 'a' && ch <= 'z') || (ch >= '0' && ch <= '9') || ch == '-' || ch == '_' ||
              ch == '.'))
            return false;
    }
    return len > 0;
}

/* ASCII-Value, without the white space at its ends that a receiver takes off. */
bool mote_grpc_is_value(const char *value, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if (value[i] < 0x20 || value[i] > 0x7e)
            return false;
    }
    return len == 0 || (value[0] != ' ' && value[len - 1] != ' ');
}

bool mote_grpc_is_visible(const char *value, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if (value[i] <= 0x20 || value[i] > 0x7e || value[i] == '#')
            return false;
    }
    return true;
}

bool mote_grpc_speaks(const mote_grpc_config *c)
{
    const mote_hpack_field *agent = c->user_agent;

    return mote_grpc_is_visible(c->authority.value, c->authority.value_len) &&
           (!agent || mote_grpc_is_value(agent->value, agent->value_len));
}

/* What this library says itself, and what HTTP/2 forbids (RFC 9113 8.2.2); and what is named grpc-
 * although it is for applications (gRPC proposal A6; richer errors; tracing). */
static bool is_reserved(const mote_hpack_field_view *f)
{
    static const char names[] = "\014\001content-type"
                                "\002\001te"
                                "\012\001user-agent"
                                "\004\001host"
                                "\016\001content-length"
                                "\012\001connection"
                                "\012\001keep-alive"
                                "\007\001upgrade"
                                "\020\001proxy-connection"
                                "\021\001transfer-encoding"
                                "\027\000grpc-status-details-bin"
                                "\026\000grpc-retry-pushback-ms"
                                "\032\000grpc-previous-rpc-attempts"
                                "\016\000grpc-trace-bin"
                                "\015\000grpc-tags-bin";

    return mote_h2_look_up(names, f,
                           f->name_len >= 5 && memcmp(f->name, "grpc-", 5) == 0 ? 1 : 0) != 0;
}

static bool is_binary(const mote_grpc_metadata *m)
{
    return m->name_len >= 4 && memcmp(m->name + m->name_len - 4, "-bin", 4) == 0;
}

/* Base64, or a list of such values with commas between. */
static bool is_base64(const char *value, size_t len)
{
    size_t at = 0;
    int r;

    do
        r = mote_grpc_bin_next(value, len, &at, NULL, 0);
    while (r >= 0 && at < len);
    return r >= 0;
}

static int fault(const mote_grpc_metadata *m)
{
    mote_hpack_field_view f = {.name = m->name, .name_len = m->name_len};

    if (!is_name(m->name, m->name_len))
        return MOTE_GRPC_ERR_NAME;
    if (is_reserved(&f))
        return MOTE_GRPC_ERR_RESERVED;
    if (!mote_grpc_is_value(m->value, m->value_len))
        return MOTE_GRPC_ERR_VALUE;
    return is_binary(m) && !is_base64(m->value, m->value_len) ? MOTE_GRPC_ERR_BASE64 : 0;
}

int mote_grpc_check_list(mote_grpc *g, const mote_grpc_metadata *metadata, size_t count)
{
    int r = 0;

    for (size_t i = 0; r == 0 && i < count; i++) {
        g->refused = &metadata[i];
        r = fault(&metadata[i]);
    }
    return r;
}

const mote_grpc_metadata *mote_grpc_refused(const mote_grpc *g)
{
    return g->refused;
}

void mote_grpc_put_list(mote_h2 *h2, const mote_grpc_metadata *metadata, size_t count)
{
    for (size_t i = 0; i < count; i++)
        mote_h2_put_literal(h2, metadata[i].name, metadata[i].name_len, metadata[i].value,
                            metadata[i].value_len, 0);
}
