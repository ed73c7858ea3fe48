/*
 * Unary: one request, one response. Latest returns a note on the topic that was asked for.
 *
 *   unary_server [--address=127.0.0.1:50051] [--workers=N]
 */
#include "../../port/posix/posix.h"
#include "../common/workers.h"
#include "tour.mote.h"

#include <time.h>

static int latest(mote_grpc_call *call, const mote_grpc_event *ev)
{
    int64_t *time_ms = call->user; /* zero when the call starts */
    mote_tour_Query query;
    mote_tour_Note note = {.content = MOTE_PB_STRING("all is well"),
                           .sender = MOTE_PB_STRING("unary_server")};

    if (ev->type != MOTE_GRPC_MESSAGE)
        return 0;
    if (mote_tour_Tour_Latest_read(ev, &query, NULL) < 0)
        return MOTE_GRPC_INVALID_ARGUMENT;
    if (query.topic.len == 0)
        return mote_grpc_finish(call, MOTE_GRPC_NOT_FOUND, "no such topic: (empty)");
    note.topic = query.topic; /* a view of the request, so it is answered at once */
    if (*time_ms == 0)        /* an answer of which a part was sent is offered again as it was */
        *time_ms = (int64_t)time(NULL) * 1000;
    note.time_ms = *time_ms;
    return mote_tour_Tour_Latest_answer(call, &note);
}

static const mote_grpc_method methods[] = mote_tour_Tour_METHODS(latest, NULL, NULL, NULL);
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
                                         .user_size = sizeof(int64_t),
                                         .services = services,
                                         .service_count = 1}};
    const option options[] = {OPTION("--address", &server.address, "where to listen"),
                              WORKERS_OPTION, OPTIONS_END};

    parse_options(argc, argv, "unary_server: answers mote.tour.Tour/Latest", options);
    server.security = secure_server();
    workers_use(&server);
    return mote_posix_serve(&server) < 0;
}
