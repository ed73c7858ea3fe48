/* In place of the other files where there is no mbedTLS (make TLS=0): says so. */
#include "tls.h"

int mote_tls_context_init(mote_tls_context **context, const mote_tls_config *config, void *memory,
                          size_t size, const char **why)
{
    (void)config, (void)memory, (void)size;
    *context = NULL;
    *why = "it is not built in (make TLS=1, with mbedTLS)";
    return MOTE_TLS_ERR_CONFIG;
}

int mote_tls_pool(void *memory, size_t size)
{
    (void)memory, (void)size;
    return MOTE_TLS_ERR_CONFIG;
}

mote_tls_usage mote_tls_pool_usage(void)
{
    return (mote_tls_usage){0, 0};
}

int mote_tls_init(mote_tls **tls, mote_tls_context *context, const char *host_name, void *memory,
                  size_t size)
{
    (void)context, (void)host_name, (void)memory, (void)size;
    *tls = NULL;
    return MOTE_TLS_ERR_CONFIG;
}

int mote_tls_resume(mote_tls *tls, const void *session, size_t len)
{
    (void)tls, (void)session, (void)len;
    return MOTE_TLS_ERR_CONFIG;
}

int mote_tls_save_session(mote_tls *tls, void *out, size_t cap)
{
    (void)tls, (void)out, (void)cap;
    return 0;
}

int mote_tls_learn_time(mote_tls *tls, uint64_t unix_s)
{
    (void)tls, (void)unix_s;
    return MOTE_TLS_ERR_CONFIG;
}

bool mote_tls_resumed(const mote_tls *tls)
{
    (void)tls;
    return false;
}

int mote_tls_handshake(mote_tls *tls, const uint8_t *in, size_t len, size_t *used)
{
    (void)tls, (void)in, (void)len;
    *used = 0;
    return MOTE_TLS_ERR_CONFIG;
}

bool mote_tls_ready(const mote_tls *tls)
{
    (void)tls;
    return false;
}

int mote_tls_read(mote_tls *tls, const uint8_t *in, size_t len, size_t *used, uint8_t *out,
                  size_t cap)
{
    (void)tls, (void)in, (void)len, (void)out, (void)cap;
    *used = 0;
    return MOTE_TLS_ERR_CONFIG;
}

int mote_tls_write(mote_tls *tls, const uint8_t *in, size_t len)
{
    (void)tls, (void)in, (void)len;
    return MOTE_TLS_ERR_CONFIG;
}

const uint8_t *mote_tls_peek(mote_tls *tls, size_t *len)
{
    (void)tls;
    *len = 0;
    return NULL;
}

const char *mote_tls_error(const mote_tls *tls)
{
    (void)tls;
    return "TLS is not built in";
}

void mote_tls_context_end(mote_tls_context *context)
{
    (void)context;
}

void mote_tls_end(mote_tls *tls)
{
    (void)tls;
}

void mote_tls_ack(mote_tls *tls, size_t len)
{
    (void)tls, (void)len;
}

void mote_tls_eof(mote_tls *tls)
{
    (void)tls;
}

void mote_tls_late(mote_tls *tls)
{
    (void)tls;
}

void mote_tls_close(mote_tls *tls)
{
    (void)tls;
}

void mote_tls_get_peer(const mote_tls *tls, mote_tls_peer *peer)
{
    (void)tls;
    *peer = (mote_tls_peer){0};
}

bool mote_tls_peer_is(const mote_tls_peer *peer, const char *name, size_t len)
{
    (void)peer, (void)name, (void)len;
    return false;
}
