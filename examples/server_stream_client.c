/*
 * Server streaming: one request, many responses.
 *
 *   server_stream_client [--address=127.0.0.1:50051] [MAXIMUM]
 */
#include "client.h"

int main(int argc, char **argv)
{
    const char *address = "127.0.0.1:50051";
    const option options[] = {OPTION("--address", &address, "the server"), OPTIONS_END};
    int i = parse_options(
        argc, argv, "server_stream_client [MAXIMUM]: calls mote.tour.Tour/Subscribe", options);
    mote_tour_Query query = {.topic = MOTE_PB_STRING("news"),
                             .maximum = i < argc ? (uint32_t)atoi(argv[i]) : 5};
    mote_grpc_event ev;
    mote_tour_Note note;

    open_channel(address);
    mote_grpc_call *call = start_call(&mote_tour_Tour_Subscribe_path);
    mote_channel_send(call, mote_pb_encode_part, &mote_tour_Query_table, &query, MOTE_GRPC_LAST);
    while (mote_channel_recv(call, &ev), ev.type != MOTE_GRPC_STATUS) {
        if (ev.type == MOTE_GRPC_MESSAGE && mote_tour_Note_decode(&note, ev.data, ev.len) == 0)
            print_note(&note);
    }
    return report((mote_status){ev.code, ev.message, ev.message_len});
}
