/*
 * Client streaming: many requests, one response. Sends each line of standard input as a note.
 *
 *   client_stream_client [--address=127.0.0.1:50051] < FILE
 */
#include "tour.mote.h"

#include "../common/client.h"

int main(int argc, char **argv)
{
    const char *address = "127.0.0.1:50051";
    const option options[] = {OPTION("--address", &address, "the server"), OPTIONS_END};
    char line[1024];
    mote_tour_Summary summary = {0};
    mote_grpc_call *call;

    parse_options(argc, argv, "client_stream_client < FILE: calls mote.tour.Tour/Publish", options);
    open_channel(address);
    check(mote_tour_Tour_Publish_start(&channel, ten_seconds, &call));
    while (fgets(line, sizeof line, stdin)) {
        mote_tour_Note note = {.topic = MOTE_PB_STRING("lines"),
                               .content = {line, strcspn(line, "\n")}};
        if (mote_tour_Tour_Publish_send(call, &note) < 0)
            break; /* the call is over; the status says why */
    }
    mote_status status = mote_tour_Tour_Publish_finish(call, &summary, NULL);
    if (status.code == MOTE_GRPC_OK)
        printf("published %u\n", summary.count);
    return report(status);
}
