/*
 * Client streaming: many requests, one response. Publish counts the notes that it gets.
 *
 *   client_stream_server [--address=127.0.0.1:50051] [--workers=N]
 */
#include "../../port/posix/posix.h"
#include "../common/workers.h"
#include "tour.mote.h"

typedef struct {
    uint32_t count;
} publication; /* zero when the call starts */

static int publish(mote_grpc_call *call, const mote_grpc_event *ev)
{
    publication *p = call->user;
    mote_tour_Note note;
    mote_tour_Summary summary = {.count = p->count};

    switch (ev->type) {
    case MOTE_GRPC_MESSAGE:
        if (mote_tour_Tour_Publish_read(ev, &note, NULL) < 0)
            return MOTE_GRPC_INVALID_ARGUMENT;
        p->count++;
        return 0;
    case MOTE_GRPC_HALF_CLOSE:
        return mote_tour_Tour_Publish_answer(call, &summary);
    default:
        return 0;
    }
}

static const mote_grpc_method methods[] = mote_tour_Tour_METHODS(NULL, NULL, publish, NULL);
static const mote_grpc_service services[] = {mote_tour_Tour_SERVICE(methods)};

int main(int argc, char **argv)
{
    mote_posix_server server = {.address = "127.0.0.1:50051",
                                .grpc = {.max_calls = 32,
                                         .slots = 8,
                                         .rx_size = 65536,
                                         .tx_size = 16384,
                                         .table_size = 4096,
                                         .field_size = 2048,
                                         .user_size = sizeof(publication),
                                         .services = services,
                                         .service_count = 1}};
    const option options[] = {OPTION("--address", &server.address, "where to listen"),
                              WORKERS_OPTION, OPTIONS_END};

    parse_options(argc, argv, "client_stream_server: answers mote.tour.Tour/Publish", options);
    server.security = secure_server();
    workers_use(&server);
    return mote_posix_serve(&server) < 0;
}
