/*
 * metadata: what the two sides say of a call beside its messages, and what a client says of itself.
 * Part of grpc/grpc.h, whose conventions hold, and which includes it.
 */
#ifndef MOTE_METADATA_H
#define MOTE_METADATA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct mote_grpc;

/*
 * One field of metadata to send. What PROTOCOL-HTTP2 does not permit is refused by the function
 * that would send it; mote_grpc_refused() says of which field this is:
 *   MOTE_GRPC_ERR_NAME      a name is of a-z, 0-9, '-', '_' and '.'
 *   MOTE_GRPC_ERR_RESERVED  it says something of HTTP or gRPC, as content-type or grpc-timeout do
 *   MOTE_GRPC_ERR_VALUE     a value is of printable ASCII, without blanks at its ends
 *   MOTE_GRPC_ERR_BASE64    that of a "-bin" field is base64, see mote_grpc_bin_encode()
 */
typedef struct {
    const char *name;
    const char *value;
    size_t name_len;
    size_t value_len;
} mote_grpc_metadata;
#define MOTE_GRPC_METADATA_FIELD(name, value)                                                      \
    {                                                                                              \
        name, value, sizeof(name) - 1, sizeof(value) - 1                                           \
    }

/* The field for which the last function has returned one of these errors, as long as the caller's
 * list is there; NULL: it was the token. */
const mote_grpc_metadata *mote_grpc_refused(const struct mote_grpc *g);

/* Base64 without padding, for values of "-bin" fields. Returns the length, or
 * MOTE_GRPC_ERR_SPACE / MOTE_GRPC_ERR_BASE64. Decoding accepts padding; out NULL: only checks. */
int mote_grpc_bin_encode(const uint8_t *in, size_t len, char *out, size_t cap);
int mote_grpc_bin_decode(const char *in, size_t len, uint8_t *out, size_t cap);

/*
 * The same for one of a list of values with commas between, which is how proxies join fields of one
 * name: decodes the value at *at, where 0 is the first, and sets *at behind its comma. There is
 * another while *at < len.
 */
int mote_grpc_bin_next(const char *in, size_t len, size_t *at, uint8_t *out, size_t cap);

/* What a client says of itself with each request, as an interface: MOTE_GRPC_BEARER(token), or one
 * of your own. */
typedef struct {
    /* Writes fields into the section that is begun, by mote_h2_put...() of g->h2. */
    void (*put)(struct mote_grpc *g);
    /* Bearer: the token of a call that starts, as "authorization: Bearer TOKEN": returns its length
     * and sets *token, a view that is used at once; 0: none. */
    size_t (*token)(void *context, const char **token);
    /* They may be read by all: without it, and without `tls` of the config, mote_grpc_start() is
     * MOTE_GRPC_ERR_INSECURE. */
    bool in_the_clear;
} mote_grpc_credentials;

void mote_grpc_put_bearer(struct mote_grpc *g);
#define MOTE_GRPC_BEARER(token)                                                                    \
    {                                                                                              \
        mote_grpc_put_bearer, token, false                                                         \
    }
/* The same, and the tokens are sent for all to read where there is no TLS. */
#define MOTE_GRPC_BEARER_IN_THE_CLEAR(token)                                                       \
    {                                                                                              \
        mote_grpc_put_bearer, token, true                                                          \
    }

#ifdef __cplusplus
}
#endif
#endif
