/*
 * Unary: one request, one response.
 *
 *   unary_client [--address=127.0.0.1:50051] [TOPIC]
 */
#include "notes.h"

#include "../common/client.h"

int main(int argc, char **argv)
{
    const char *address = "127.0.0.1:50051";
    const option options[] = {OPTION("--address", &address, "the server"), OPTIONS_END};
    int i = parse_options(argc, argv, "unary_client [TOPIC]: calls mote.tour.Tour/Latest", options);
    mote_tour_Query query = {.topic = mote_pb_cstring(i < argc ? argv[i] : "news")};
    mote_tour_Note note = {0};

    open_channel(address);
    mote_status status = mote_tour_Tour_Latest(&channel, ten_seconds, &query, &note, NULL);
    if (status.code == MOTE_GRPC_OK)
        print_note(&note);
    return report(status);
}
