/*
 * Server streaming: one request, many responses. Subscribe sends `maximum` notes, as fast as the
 * client takes them. How far a call is lies in its user memory, so nothing waits in a queue.
 *
 *   server_stream_server [--address=127.0.0.1:50051] [--workers=N]
 */
#include "../../port/posix/posix.h"
#include "../common/workers.h"
#include "tour.mote.h"

typedef struct {
    uint32_t sent, maximum;
} subscription; /* zero when the call starts */

/* Sends until it is done or there is no room; MOTE_AGAIN brings MOTE_GRPC_WRITABLE later. */
static int send_notes(mote_grpc_call *call)
{
    subscription *s = call->user;
    char content[32];
    int r;

    for (; s->sent < s->maximum; s->sent++) {
        snprintf(content, sizeof content, "note %u", s->sent + 1);
        mote_tour_Note note = {.content = mote_pb_cstring(content), .time_ms = s->sent};
        if ((r = mote_tour_Tour_Subscribe_write(call, &note)) < 0)
            return r == MOTE_AGAIN ? 0 : r;
    }
    r = mote_grpc_finish(call, MOTE_GRPC_OK, NULL);
    return r == MOTE_AGAIN ? 0 : r;
}

static int subscribe(mote_grpc_call *call, const mote_grpc_event *ev)
{
    subscription *s = call->user;
    mote_tour_Query query;

    switch (ev->type) {
    case MOTE_GRPC_MESSAGE:
        if (mote_tour_Tour_Subscribe_read(ev, &query, NULL) < 0)
            return MOTE_GRPC_INVALID_ARGUMENT;
        s->maximum = query.maximum;
        return 0;
    case MOTE_GRPC_HALF_CLOSE:
    case MOTE_GRPC_WRITABLE:
        return send_notes(call);
    default:
        return 0;
    }
}

static const mote_grpc_method methods[] = mote_tour_Tour_METHODS(NULL, subscribe, NULL, NULL);
static const mote_grpc_service services[] = {mote_tour_Tour_SERVICE(methods)};

int main(int argc, char **argv)
{
    mote_posix_server server = {.address = "127.0.0.1:50051",
                                .grpc = {.max_calls = 32,
                                         .slots = 8,
                                         .rx_size = 4096,
                                         .tx_size = 16384,
                                         .table_size = 4096,
                                         .field_size = 2048,
                                         .user_size = sizeof(subscription),
                                         .services = services,
                                         .service_count = 1}};
    const option options[] = {OPTION("--address", &server.address, "where to listen"),
                              WORKERS_OPTION, OPTIONS_END};

    parse_options(argc, argv, "server_stream_server: answers mote.tour.Tour/Subscribe", options);
    server.security = secure_server();
    workers_use(&server);
    return mote_posix_serve(&server) < 0;
}
