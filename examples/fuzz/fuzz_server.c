/*
 * A fuzz target for an HTTP/2 server of yours, to be copied: my_server.c below gets all that a
 * client may say, from the preface on. Replace what stands between the lines; docs/testing.md has
 * the command.
 */
#include <stddef.h>
#include <stdint.h>

/* ---- your server: a new connection, its bytes, its end
 * ------------------------------------------- */
#include <nghttp2/nghttp2.h>

static void serve(const uint8_t *data, size_t size)
{
    nghttp2_session_callbacks *callbacks;
    nghttp2_session *session;
    const uint8_t *out;

    nghttp2_session_callbacks_new(&callbacks);
    nghttp2_session_server_new(&session, callbacks, NULL);
    nghttp2_session_mem_recv(session, data, size);
    while (nghttp2_session_mem_send(session, &out) > 0)
        continue;
    nghttp2_session_del(session);
    nghttp2_session_callbacks_del(callbacks);
}

/* ---- the target ------------------------------------------------------------------------------ */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    serve(data, size);
    return 0;
}
