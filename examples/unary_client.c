/*
 * Unary: one request, one response.
 *
 *   unary_client [--address=127.0.0.1:50051] [TOPIC]
 */
#include "client.h"

int main(int argc, char **argv)
{
    const char *address = "127.0.0.1:50051";
    const option options[] = {OPTION("--address", &address, "the server"), OPTIONS_END};
    int i = parse_options(argc, argv, "unary_client [TOPIC]: calls mote.tour.Tour/Latest", options);
    mote_tour_Query query = {.topic = mote_pb_cstring(i < argc ? argv[i] : "news")};
    const uint8_t *data;
    size_t len;

    open_channel(address);
    mote_grpc_call *call = start_call(&mote_tour_Tour_Latest_path);
    mote_channel_send(call, mote_pb_encode_part, &mote_tour_Query_table, &query, MOTE_GRPC_LAST);
    mote_status status = mote_channel_collect(call, &data, &len);
    mote_tour_Note note;
    if (status.code == MOTE_GRPC_OK && mote_tour_Note_decode(&note, data, len) == 0)
        print_note(&note);
    return report(status);
}
