/* gRPC as an engine of a loop: servers, and clients whose events go to a function. */
#include "posix_internal.h"

static enum mote_posix_input grpc_input(void *self, const uint8_t *in, size_t len, size_t *used)
{
    (void)used;
    return mote_grpc_serve(self, in, len) < 0 ? MOTE_POSIX_ENDED : MOTE_POSIX_TOOK_ALL;
}

const uint8_t *mote_posix_grpc_peek(void *self, size_t *len)
{
    return mote_grpc_peek(self, len);
}

void mote_posix_grpc_ack(void *self, size_t len)
{
    mote_grpc_ack(self, len);
}

static uint32_t grpc_tick(void *self, uint64_t now_ms)
{
    return mote_grpc_tick(self, now_ms);
}

void mote_posix_grpc_clock(void *self, uint64_t now_ms)
{
    mote_grpc_clock(self, now_ms);
}

void mote_posix_grpc_eof(void *self)
{
    mote_grpc_recv_eof(self);
}

const mote_posix_engine mote_posix_grpc_server = {
    grpc_input, mote_posix_grpc_peek, mote_posix_grpc_ack, grpc_tick, mote_posix_grpc_eof,
    NULL,       mote_posix_grpc_clock};

static enum mote_posix_input client_input(void *self, const uint8_t *in, size_t len, size_t *used)
{
    mote_posix_client *client = self;
    mote_grpc_event ev;
    int r;

    while ((r = mote_grpc_recv(&client->grpc, in, len, used, &ev)) > 0) {
        if (*used > 0)
            in += *used;
        len -= *used;
        client->on_event(client->grpc.config->context, &ev);
    }
    return r < 0 ? MOTE_POSIX_ENDED : MOTE_POSIX_TOOK_ALL;
}

/* mote_posix_client begins with its mote_grpc, so the other functions serve both. */
const mote_posix_engine mote_posix_grpc_client = {
    client_input, mote_posix_grpc_peek, mote_posix_grpc_ack, grpc_tick, mote_posix_grpc_eof,
    NULL,         mote_posix_grpc_clock};
