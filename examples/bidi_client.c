/*
 * Bidirectional streaming: sends each line of standard input and prints what comes back.
 *
 *   bidi_client [--address=127.0.0.1:50051] < FILE
 */
#include "client.h"

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
    mote_channel_send(call, mote_pb_encode_part, &mote_tour_Note_table, &note, 0);
}

int main(int argc, char **argv)
{
    const char *address = "127.0.0.1:50051";
    const option options[] = {OPTION("--address", &address, "the server"), OPTIONS_END};
    mote_grpc_event ev;
    mote_tour_Note note;

    parse_options(argc, argv, "bidi_client < FILE: calls mote.tour.Tour/Chat", options);
    open_channel(address);
    mote_grpc_call *call = start_call(&mote_tour_Tour_Chat_path);
    send_line(call);
    while (mote_channel_recv(call, &ev), ev.type != MOTE_GRPC_STATUS) {
        if (ev.type != MOTE_GRPC_MESSAGE)
            continue;
        if (mote_tour_Note_decode(&note, ev.data, ev.len) == 0)
            print_note(&note);
        send_line(call);
    }
    return report((mote_status){ev.code, ev.message, ev.message_len});
}
