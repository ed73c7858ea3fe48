/*
 * Bidirectional streaming: sends each line of standard input and prints what comes back.
 *
 *   bidi_client [--address=127.0.0.1:50051] < FILE
 */
#include "notes.h"

#include "../common/client.h"

/* Sends the next line, or half-closes after the last one. */
static void send_line(mote_grpc_call *call)
{
    char line[1024];

    if (!fgets(line, sizeof line, stdin)) {
        mote_channel_half_close(call);
        return;
    }
    mote_tour_Note note = {.topic = MOTE_PB_STRING("chat"),
                           .content = {line, strcspn(line, "\n")},
                           .sender = MOTE_PB_STRING("bidi_client")};
    mote_tour_Tour_Chat_send(call, &note);
}

int main(int argc, char **argv)
{
    const char *address = "127.0.0.1:50051";
    const option options[] = {OPTION("--address", &address, "the server"), OPTIONS_END};
    mote_grpc_call *call;
    mote_status status;
    mote_tour_Note note = {0};

    parse_options(argc, argv, "bidi_client < FILE: calls mote.tour.Tour/Chat", options);
    open_channel(address);
    check(mote_tour_Tour_Chat_start(&channel, ten_seconds, &call));
    send_line(call);
    while (mote_tour_Tour_Chat_recv(call, &note, NULL, &status) > 0) {
        print_note(&note);
        send_line(call);
    }
    return report(status);
}
