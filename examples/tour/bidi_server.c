/*
 * Bidirectional streaming: both sides send when they like. Chat sends back each note, signed.
 *
 * When the client does not read, the send returns MOTE_AGAIN and so does the handler: the note is
 * offered again when there is room, and flow control holds the client back until then.
 *
 *   bidi_server [--address=127.0.0.1:50051] [--workers=N]
 */
#include "../../port/posix/posix.h"
#include "../common/workers.h"
#include "tour.mote.h"

static int chat(mote_grpc_call *call, const mote_grpc_event *ev)
{
    mote_tour_Note note;

    switch (ev->type) {
    case MOTE_GRPC_MESSAGE:
        if (mote_tour_Tour_Chat_read(ev, &note, NULL) < 0)
            return MOTE_GRPC_INVALID_ARGUMENT;
        note.sender = MOTE_PB_STRING("bidi_server");
        return mote_tour_Tour_Chat_write(call, &note);
    case MOTE_GRPC_HALF_CLOSE:
        return mote_grpc_finish(call, MOTE_GRPC_OK, NULL);
    default:
        return 0;
    }
}

static const mote_grpc_method methods[] = mote_tour_Tour_METHODS(NULL, NULL, NULL, chat);
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
                                         .services = services,
                                         .service_count = 1}};
    const option options[] = {OPTION("--address", &server.address, "where to listen"),
                              WORKERS_OPTION, OPTIONS_END};

    parse_options(argc, argv, "bidi_server: answers mote.tour.Tour/Chat", options);
    server.security = secure_server();
    workers_use(&server);
    return mote_posix_serve(&server) < 0;
}
