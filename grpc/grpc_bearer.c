/* Bearer tokens (RFC 6750 2.1): what a client says of itself with each request. */
#include "grpc_internal.h"

#include <string.h>

static const mote_hpack_field authorization = {"authorization",       "", 13, 0, 23,
                                               MOTE_HPACK_NEVER_INDEX};

void mote_grpc_put_bearer(mote_grpc *g)
{
    static const char scheme[] = "Bearer ";
    const size_t scheme_len = sizeof scheme - 1;
    const char *token = NULL;
    size_t len = g->config->credentials->token(g->config->context, &token);
    char *value = len > 0 ? (char *)mote_h2_value_space(&g->h2, scheme_len + len) : NULL;

    if (!value)
        return;
    if (!mote_grpc_is_value(token, len)) {
        g->refused = NULL;
        mote_h2_headers_refuse(&g->h2, MOTE_GRPC_ERR_VALUE);
        return;
    }
    memcpy(value, scheme, scheme_len);
    memcpy(value + scheme_len, token, len);
    mote_h2_put_value(&g->h2, &authorization, value, scheme_len + len);
}
