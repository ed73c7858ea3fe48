/*
 * Client streaming: many requests, one response. Sends each line of standard input as a note.
 *
 *   client_stream_client [--address=127.0.0.1:50051] < FILE
 */
#include "client.h"

int main(int argc, char **argv)
{
    const char *address = "127.0.0.1:50051";
    const option options[] = {OPTION("--address", &address, "the server"), OPTIONS_END};
    char line[1024];
    const uint8_t *data;
    size_t len;

    parse_options(argc, argv, "client_stream_client < FILE: calls mote.tour.Tour/Publish", options);
    open_channel(address);
    mote_grpc_call *call = start_call(&mote_tour_Tour_Publish_path);
    while (fgets(line, sizeof line, stdin)) {
        mote_tour_Note note = {.topic = MOTE_PB_STRING("lines"),
                               .content = {line, strcspn(line, "\n")}};
        if (mote_channel_send(call, mote_pb_encode_part, &mote_tour_Note_table, &note, 0) < 0)
            break; /* the call is over; the status says why */
    }
    mote_status status = mote_channel_collect(call, &data, &len);
    mote_tour_Summary summary;
    if (status.code == MOTE_GRPC_OK && mote_tour_Summary_decode(&summary, data, len) == 0)
        printf("published %u\n", summary.count);
    return report(status);
}
