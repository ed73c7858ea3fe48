/* mote's gRPC as an echo of messages: see differ.h. */
#include "../grpc/grpc.h"
#include "differ.h"

#include <stdlib.h>
#include <string.h>

typedef struct {
    mote_grpc grpc;
    uint8_t *out;
    size_t len, room;
} server;

static int echo(mote_grpc_call *call, const mote_grpc_event *ev)
{
    mote_grpc_bytes bytes = {ev->data, ev->len};

    if (ev->type == MOTE_GRPC_MESSAGE)
        return mote_grpc_send(call, &mote_grpc_bytes_source, &bytes, 0);
    return ev->type == MOTE_GRPC_HALF_CLOSE ? mote_grpc_finish(call, 0, NULL) : 0;
}

static const mote_grpc_method methods[] = {{.name = "Stream", .handler = echo}};
static const mote_grpc_service services[] = {{"mote.differ.Echo", methods, 1, false}};
MOTE_GRPC_STORAGE(echoes, max_calls = MOTE_DIFFER_STREAMS, slots = 8, rx_size = 16384,
                  tx_size = 32768, table_size = 4096, field_size = 8192, user_size = 0);
static const mote_grpc_config config = {MOTE_GRPC_SIZES(echoes), .server = true,
                                        .services = services, .service_count = 1};

static void give(server *s)
{
    const uint8_t *bytes;
    size_t n;

    while ((bytes = mote_grpc_peek(&s->grpc, &n)) && s->len < s->room) {
        n = n < s->room - s->len ? n : s->room - s->len;
        memcpy(s->out + s->len, bytes, n);
        s->len += n;
        mote_grpc_ack(&s->grpc, n);
        mote_grpc_serve(&s->grpc, bytes, 0);
    }
}

static size_t play(void *context, const uint8_t *in, size_t len, uint8_t *out, size_t room,
                   bool *closed, const mote_differ_answer *expected)
{
    static server s;
    int r;

    (void)context;
    (void)expected;
    s.out = out;
    s.len = 0;
    s.room = room;
    if (mote_grpc_init(&s.grpc, &config, echoes_memory, sizeof echoes_memory) < 0)
        abort();
    mote_grpc_tick(&s.grpc, 1);
    give(&s);
    r = mote_grpc_serve(&s.grpc, in, len);
    give(&s);
    *closed = r < 0;
    return s.len;
}

const mote_differ_server mote_differ_grpc = {"mote", play, NULL};
