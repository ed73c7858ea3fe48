/*
 * Takes metrics with labels, prints them, and keeps the last lines of a log for those who follow
 * it.
 *
 *   monitor_server [--address=127.0.0.1:50051]
 */
#include "../../port/posix/posix.h"
#include "monitor.mote.h"
#include "../common/seats.h"
#include "../common/secure.h"

enum { KEPT = 256, TEXT = 120, MAX_TAILS = 64, TURN_MS = 20 };

typedef struct {
    char text[TEXT];
    mote_monitor_Level level;
} kept_line;

static kept_line lines[KEPT]; /* a ring: line number n is at n % KEPT */
static uint64_t line_count;
static seat tails[MAX_TAILS];

/* User memory of a call; zero at its start. */
typedef struct {
    uint32_t count;
    mote_monitor_Level least; /* Tail */
    uint64_t next;            /* number of the next line to send */
    bool telling;             /* the line before it, a part of which may have been sent */
    kept_line line;
} call_state;

/* ---- metrics ------------------------------------------------------------------------------- */

static void print_metric(const mote_monitor_Metric *m)
{
    print_text(stdout, "%.*s{", (int)m->name.len, m->name.data);
    for (size_t i = 0; i < m->labels.count; i++) {
        const mote_monitor_Metric_LabelsEntry *l = &m->labels.items[i];
        print_text(stdout, "%s%.*s=\"%.*s\"", i ? "," : "", (int)l->key.len, l->key.data,
                   (int)l->value.len, l->value.data);
    }
    printf("} %g\n", m->value);
    fflush(stdout);
}

static int push(mote_grpc_call *call, const mote_grpc_event *ev)
{
    uint64_t scratch[256];
    mote_pb_arena arena;
    mote_monitor_Metric metric;
    call_state *s = call->user;

    if (ev->type == MOTE_GRPC_HALF_CLOSE)
        return mote_monitor_Monitor_Push_answer(call, &(mote_monitor_Accepted){s->count});
    if (ev->type != MOTE_GRPC_MESSAGE)
        return 0;
    mote_pb_arena_init(&arena, scratch, sizeof scratch);
    int r = mote_monitor_Monitor_Push_read(ev, &metric, &arena);
    if (r == MOTE_PB_ERR_ARENA)
        return mote_grpc_finish(call, MOTE_GRPC_RESOURCE_EXHAUSTED, "too many labels");
    if (r < 0)
        return MOTE_GRPC_INVALID_ARGUMENT;
    print_metric(&metric);
    s->count++;
    return 0;
}

/* ---- logs ---------------------------------------------------------------------------------- */

static int log_lines(mote_grpc_call *call, const mote_grpc_event *ev)
{
    mote_monitor_Line line;
    call_state *s = call->user;

    if (ev->type == MOTE_GRPC_HALF_CLOSE)
        return mote_monitor_Monitor_Log_answer(call, &(mote_monitor_Accepted){s->count});
    if (ev->type != MOTE_GRPC_MESSAGE)
        return 0;
    if (mote_monitor_Monitor_Log_read(ev, &line, NULL) < 0)
        return MOTE_GRPC_INVALID_ARGUMENT;
    kept_line *k = &lines[line_count++ % KEPT];
    k->level = line.level;
    keep_text(k->text, sizeof k->text, line.text.data, line.text.len);
    s->count++;
    return 0;
}

/* The next line that is of interest. One call that is too slow misses lines; the numbers show it.
 */
static bool take_line(call_state *s)
{
    if (line_count - s->next > KEPT)
        s->next = line_count - KEPT;
    while (s->next < line_count) {
        s->line = lines[s->next++ % KEPT];
        if (s->line.level >= s->least)
            return true;
    }
    return false;
}

/* Sends the lines that this call has not seen, as far as there is room. Whether there were any. */
static bool send_lines(mote_grpc_call *call)
{
    call_state *s = call->user;
    bool any = false;

    while (s->telling || take_line(s)) {
        any = true;
        mote_monitor_Line line = {s->line.level, mote_pb_cstring(s->line.text), s->next - 1};
        s->telling = mote_monitor_Monitor_Tail_write(call, &line) < 0;
        if (s->telling)
            break; /* MOTE_GRPC_WRITABLE follows */
    }
    return any;
}

static int start_tail(mote_grpc_call *call, const mote_grpc_event *ev)
{
    mote_monitor_Query query;
    call_state *s = call->user;

    if (mote_monitor_Monitor_Tail_read(ev, &query, NULL) < 0)
        return MOTE_GRPC_INVALID_ARGUMENT;
    s->least = query.least;
    return seats_take(tails, MAX_TAILS, call) ? 0 : MOTE_GRPC_RESOURCE_EXHAUSTED;
}

static int tail(mote_grpc_call *call, const mote_grpc_event *ev)
{
    switch (ev->type) {
    case MOTE_GRPC_MESSAGE:
        return start_tail(call, ev);
    case MOTE_GRPC_HALF_CLOSE:
    case MOTE_GRPC_WRITABLE:
        send_lines(call);
        return 0;
    default:
        return 0;
    }
}

static void each_turn(void *context, mote_posix_loop *loop)
{
    static uint64_t seen;

    (void)context;
    (void)loop;
    if (seen == line_count)
        return;
    seen = line_count;
    for (size_t i = 0; i < MAX_TAILS; i++) {
        mote_grpc_call *call = mote_grpc_find(tails[i].call); /* NULL: nobody reads any more */
        mote_posix_conn *conn = call ? mote_posix_conn_of(call) : NULL;
        if (call && send_lines(call))
            mote_posix_flush(conn);
    }
}

static const mote_grpc_method methods[] = mote_monitor_Monitor_METHODS(push, log_lines, tail);
static const mote_grpc_service services[] = {mote_monitor_Monitor_SERVICE(methods)};

int main(int argc, char **argv)
{
    mote_posix_server server = {.address = "127.0.0.1:50051",
                                .grpc = {.max_calls = 8,
                                         .slots = 8,
                                         .rx_size = 4096,
                                         .tx_size = 8192,
                                         .table_size = 4096,
                                         .field_size = 2048,
                                         .user_size = sizeof(call_state),
                                         .services = services,
                                         .service_count = 1},
                                .turn = each_turn,
                                .turn_ms = TURN_MS};
    const option options[] = {OPTION("--address", &server.address, "where to listen"), OPTIONS_END};

    parse_options(argc, argv, "monitor_server: serves mote.monitor.Monitor", options);
    server.security = secure_server();
    return mote_posix_serve(&server) < 0;
}
