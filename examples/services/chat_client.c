/*
 * Enters a room, says each line of standard input, and prints what happens there:
 *
 *   chat_client [--address=127.0.0.1:50051] [--count=N] ROOM NAME < FILE
 *
 * After its lines it stays until it has seen N events (0), and leaves.
 */
#include "chat.mote.h"

#include "../common/client.h"

static const char *const verbs[] = {"says", "entered", "left", "is there"};

static void say(mote_grpc_call *call, char *line)
{
    mote_chat_Say s = {
        .is = {.which = mote_chat_Say_text, .is = {.text = {line, strcspn(line, "\n")}}}};

    mote_chat_Chat_Join_send(call, &s);
}

int main(int argc, char **argv)
{
    const char *address = "127.0.0.1:50051", *count = "0";
    const option options[] = {OPTION("--address", &address, "the server"),
                              OPTION("--count", &count, "events to see before it leaves (0)"),
                              OPTIONS_END};
    int i = parse_options(argc, argv, "chat_client ROOM NAME < FILE: calls mote.chat.Chat/Join",
                          options);
    char line[200];
    mote_grpc_call *call;
    mote_chat_Event event = {0};
    mote_status status = {0};

    if (i + 2 != argc) {
        fprintf(stderr, "chat_client: error: ROOM and NAME? (see --help)\n");
        return 2;
    }
    mote_chat_Enter enter = {mote_pb_cstring(argv[i]), mote_pb_cstring(argv[i + 1])};
    mote_chat_Say first = {.is = {.which = mote_chat_Say_enter, .is = {.enter = &enter}}};
    open_channel(address);
    check(mote_chat_Chat_Join_start(&channel, no_limit, &call));
    mote_chat_Chat_Join_send(call, &first);
    while (fgets(line, sizeof line, stdin))
        say(call, line);
    for (int left = atoi(count); left > 0; left--) {
        if (mote_chat_Chat_Join_recv(call, &event, NULL, &status) <= 0)
            return report(status);
        print_line(stdout, "%.*s %s %.*s", (int)event.name.len, event.name.data,
                   event.kind >= 0 && event.kind < 4 ? verbs[event.kind] : "?", (int)event.text.len,
                   event.text.data);
        fflush(stdout);
    }
    mote_channel_half_close(call);
    return report(mote_channel_finish(call));
}
