/* What a connection that comes costs a server with 1, 100 and 10,000 slots that are all taken, by
 * calls that are under way or by connections that rest. A double of the kernel, whose clock moves
 * as told; basic blocks are counted. */
#define _GNU_SOURCE
#define MOST_ENTRIES 10000
#include "kernel.h"
#include "rows.h"

#include <poll.h>
#include <stdlib.h>

/* ---- what is left of the port ---------------------------------------------------------------- */

volatile sig_atomic_t mote_posix_stopped;

void mote_posix_catch_signals(void)
{
}

uint32_t mote_posix_random(void)
{
    return 1;
}

void *mote_posix_memory(size_t count, size_t size)
{
    return calloc(count, size);
}

int mote_posix_listen_each(const char *address, int *listeners, size_t count)
{
    (void)address, (void)count;
    listeners[0] = LISTENER;
    return 0;
}

int mote_posix_thread(pthread_t *thread, void *(*run)(void *context), void *context)
{
    (void)thread, (void)run, (void)context;
    return EAGAIN;
}

const char *mote_posix_address(int fd, char out[128])
{
    (void)fd;
    return strcpy(out, "nowhere");
}

int mote_posix_redial_look(mote_posix_redial *r, mote_posix_loop *of, const char *address,
                           enum mote_posix_redial_has has, uint32_t *wait_ms)
{
    (void)r, (void)of, (void)address, (void)has, (void)wait_ms;
    return -1;
}

void mote_posix_dial_forget(mote_posix_dial *d)
{
    (void)d;
}

int munmap(void *memory, size_t size)
{
    (void)size;
    free(memory);
    return 0;
}

int poll(struct pollfd *fds, nfds_t count, int timeout)
{
    (void)fds, (void)count, (void)timeout;
    return connects > 0;
}

/* ---- a server, and who keeps its slots ------------------------------------------------------ */

static unsigned slots, came, answered_calls;
static uint64_t steps_of_all; /* of those who come; the end of the server is not theirs */

static int answer(mote_grpc_call *call, const mote_grpc_event *ev)
{
    if (ev->type != MOTE_GRPC_MESSAGE)
        return 0;
    answered_calls++;
    return call->method->name[0] == 'R' ? mote_grpc_finish(call, MOTE_GRPC_OK, "") : 0;
}

static const mote_grpc_method methods[] = {{.name = "B", .handler = answer},
                                           {.name = "R", .handler = answer}};
static const mote_grpc_service service = {"w.W", methods, 2, false};

/* Who connects makes a whole call, which goes on for ever, or is answered. */
#define OPENING(METHOD)                                                                            \
    "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"                                                             \
    "\0\0\0\4\0\0\0\0\0\0\0\0\4\1\0\0\0\0"                                                         \
    "\0\0\x20\1\4\0\0\0\1\x83\x86\x04\x06/w.W/" METHOD "\x41\x01x\x0f\x10\x10"                     \
    "application/grpc"                                                                             \
    "\0\0\5\0\1\0\0\0\1\0\0\0\0\0"

static void all_come(const char *opening, size_t len)
{
    says = opening;
    says_len = len;
    reset_kernel();
    came = answered_calls = 0;
    mote_posix_stopped = 0;
}

static void are_busy(unsigned count)
{
    slots = count;
    all_come(OPENING("B"), sizeof OPENING("B") - 1);
}

static void rest(unsigned count)
{
    slots = count;
    all_come(OPENING("R"), sizeof OPENING("R") - 1);
}

/* ---- who comes when all slots are taken ------------------------------------------------------ */

enum { EVENTS = 1000 };

/* One after the other, first those who keep the slots; then it is quiet until nothing of their
 * beginning is awaited any more. */
static void next_comes(void)
{
    talks = came < slots;
    if (came++ == slots) {
        CHECK_INT(answered_calls, slots);
        now_ms += 30000;
        return;
    }
    if (came == slots + 2)
        steps = 0;
    if (came == slots + 2 + EVENTS) {
        steps_of_all = steps;
        mote_posix_stopped = 2;
    }
    now_ms += talks ? 1 : 5;
    connects = 1;
    happens(LISTENER);
}

static void connect_to_a_full_server(unsigned count)
{
    static const mote_grpc_life for_ever = {0};
    mote_posix_server server = {.life = &for_ever,
                                .grpc = {.max_calls = 1,
                                         .rx_size = 64,
                                         .tx_size = 512,
                                         .table_size = 4096,
                                         .field_size = 128,
                                         .services = &service,
                                         .service_count = 1},
                                .max_connections = count,
                                .quiet = true};

    idle = next_comes;
    CHECK_INT(mote_posix_serve(&server), 0);
    steps = steps_of_all;
    sent = EVENTS;
}

static const attack_row rows[] = {
    {"who connects while all are busy", are_busy, connect_to_a_full_server, 100},
    {"who connects while all rest", rest, connect_to_a_full_server, 1200},
};

static void who_comes_costs_no_more_where_many_are(void)
{
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        costs_no_more_with_entries(&rows[i]);
}

int main(void)
{
    RUN(who_comes_costs_no_more_where_many_are);
    return test_summary();
}
