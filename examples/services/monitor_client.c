/*
 * A client of monitor_server:
 *
 *   monitor_client [--address=A] push < FILE        lines "NAME VALUE [KEY=VALUE...]"
 *   monitor_client [--address=A] log < FILE         lines of a log
 *   monitor_client [--address=A] [--count=N] tail   prints N lines (10) as they come
 */
#include "monitor.mote.h"

#include "../common/client.h"

enum { MAX_LABELS = 8 };

/* Cuts a word off a line; NULL: there is none left. */
static char *word(char **rest)
{
    *rest += strspn(*rest, " \n");
    char *start = *rest;
    *rest += strcspn(start, " \n");
    if (**rest)
        *(*rest)++ = '\0';
    return *start ? start : NULL;
}

static int push(void)
{
    char line[1024], *rest, *name, *value, *label;
    mote_monitor_Metric_LabelsEntry labels[MAX_LABELS];
    mote_monitor_Accepted accepted = {0};
    mote_grpc_call *call;

    check(mote_monitor_Monitor_Push_start(&channel, ten_seconds, &call));
    while ((rest = fgets(line, sizeof line, stdin))) {
        mote_monitor_Metric metric = {.labels = {labels, 0}};
        if (!(name = word(&rest)) || !(value = word(&rest)))
            continue;
        metric.name = mote_pb_cstring(name);
        metric.value = strtod(value, NULL);
        while (metric.labels.count < MAX_LABELS && (label = word(&rest))) {
            size_t key = strcspn(label, "=");
            labels[metric.labels.count++] = (mote_monitor_Metric_LabelsEntry){
                {label, key}, mote_pb_cstring(label[key] ? label + key + 1 : "")};
        }
        if (mote_monitor_Monitor_Push_send(call, &metric) < 0)
            break; /* the call is over; the status says why */
    }
    mote_status status = mote_monitor_Monitor_Push_finish(call, &accepted, NULL);
    printf("accepted %u\n", accepted.count);
    return report(status);
}

static int log_lines(void)
{
    char text[256];
    mote_monitor_Accepted accepted = {0};
    mote_grpc_call *call;

    check(mote_monitor_Monitor_Log_start(&channel, ten_seconds, &call));
    while (fgets(text, sizeof text, stdin)) {
        mote_monitor_Line line = {.level = mote_monitor_Level_INFO,
                                  .text = {text, strcspn(text, "\n")}};
        if (mote_monitor_Monitor_Log_send(call, &line) < 0)
            break;
    }
    mote_status status = mote_monitor_Monitor_Log_finish(call, &accepted, NULL);
    printf("accepted %u\n", accepted.count);
    return report(status);
}

static int tail(int count)
{
    mote_monitor_Query query = {mote_monitor_Level_DEBUG};
    mote_monitor_Line line = {0};
    mote_grpc_call *call;
    mote_status status;

    check(mote_monitor_Monitor_Tail_call(&channel, no_limit, &query, &call));
    for (; count > 0; count--) {
        if (mote_monitor_Monitor_Tail_recv(call, &line, NULL, &status) <= 0)
            return report(status);
        print_line(stdout, "%llu %d %.*s", (unsigned long long)line.number, (int)line.level,
                   (int)line.text.len, line.text.data);
    }
    mote_grpc_cancel(call);
    mote_channel_finish(call);
    mote_channel_poll(&channel, 10);
    return 0;
}

int main(int argc, char **argv)
{
    const char *address = "127.0.0.1:50051", *count = "10";
    const option options[] = {OPTION("--address", &address, "the server"),
                              OPTION("--count", &count, "lines that tail prints (10)"),
                              OPTIONS_END};
    int i = parse_options(argc, argv, "monitor_client push|log|tail: calls mote.monitor.Monitor",
                          options);
    const char *command = i < argc ? argv[i] : "";

    open_channel(address);
    if (strcmp(command, "push") == 0)
        return push();
    if (strcmp(command, "log") == 0)
        return log_lines();
    if (strcmp(command, "tail") == 0)
        return tail(atoi(count));
    fprintf(stderr, "monitor_client: error: push, log or tail? (see --help)\n");
    return 2;
}
