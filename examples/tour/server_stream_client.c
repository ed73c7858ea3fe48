/*
 * Server streaming: one request, many responses.
 *
 *   server_stream_client [--address=127.0.0.1:50051] [MAXIMUM]
 */
#include "notes.h"

#include "../common/client.h"

int main(int argc, char **argv)
{
    const char *address = "127.0.0.1:50051";
    const option options[] = {OPTION("--address", &address, "the server"), OPTIONS_END};
    int i = parse_options(
        argc, argv, "server_stream_client [MAXIMUM]: calls mote.tour.Tour/Subscribe", options);
    mote_tour_Query query = {.topic = MOTE_PB_STRING("news"),
                             .maximum = i < argc ? (uint32_t)atoi(argv[i]) : 5};
    mote_grpc_call *call;
    mote_status status;
    mote_tour_Note note = {0};

    open_channel(address);
    check(mote_tour_Tour_Subscribe_call(&channel, ten_seconds, &query, &call));
    while (mote_tour_Tour_Subscribe_recv(call, &note, NULL, &status) > 0)
        print_note(&note);
    return report(status);
}
