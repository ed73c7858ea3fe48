/* A blocking client over the POSIX port whose transport fails, or stalls, after any number of
 * bytes. */
#define _GNU_SOURCE
#include "../../port/posix/posix_internal.h"
#include "../peers/peer.mote.h"
#include "../test.h"

#include <errno.h>

#include <sys/socket.h>
#include <unistd.h>

static int pair[2];
static size_t budget; /* bytes that may still be moved */
static bool stall;    /* at the end of the budget: nothing happens, rather than a failure */
static uint64_t now;
static mote_io real_io;

static int limited(int (*move)(void *, uint8_t *, size_t), uint8_t *buf, size_t len)
{
    if (budget == 0) {
        return stall ? 0 : -1;
    }
    int n = move(real_io.context, buf, len < budget ? len : budget);
    if (n > 0)
        budget -= (size_t)n;
    return n;
}

static int limited_read(void *context, uint8_t *buf, size_t len)
{
    (void)context;
    return limited(real_io.read, buf, len);
}

static int write_adapter(void *context, uint8_t *buf, size_t len)
{
    return real_io.write(context, buf, len);
}

static int limited_write(void *context, const uint8_t *buf, size_t len)
{
    static uint8_t copy[8192];

    (void)context;
    len = len < sizeof copy ? len : sizeof copy;
    memcpy(copy, buf, len);
    return limited(write_adapter, copy, len);
}

/* Time passes at the end of the budget alone. */
static void virtual_wait(void *context, bool writing, uint64_t until_ms)
{
    (void)context;
    (void)writing;
    now = budget > 0 ? now : until_ms < now + 100 ? until_ms : now + 100;
}

static uint64_t virtual_now(void *context)
{
    (void)context;
    return now;
}

static const mote_hpack_field path = MOTE_HPACK_FIELD(":path", "/mote.peer.Peer/Unary");

static int echo(mote_grpc_call *call, const mote_grpc_event *ev)
{
    mote_grpc_bytes message = {ev->data, ev->len};

    if (ev->type == MOTE_GRPC_MESSAGE)
        return mote_grpc_send(call, &mote_grpc_bytes_source, &message, 0);
    return ev->type == MOTE_GRPC_HALF_CLOSE ? mote_grpc_finish(call, 0, NULL) : 0;
}

static const mote_grpc_method methods[] = {{"Unary", echo, NULL, NULL, NULL, false, false}};
static const mote_grpc_service services[] = {{"mote.peer.Peer", methods, 1, false}};

enum { CALLS = 2, RX = 512, TX = 512 };
static uint64_t memory[2][MOTE_GRPC_MEMORY(CALLS, RX, TX, 4096, 256, 8, 0) / 8];
static mote_grpc server;
static mote_channel channel;

/* The server runs whenever the client waits for input. */
static int served_read(void *context, uint8_t *buf, size_t len)
{
    uint8_t in[4096];
    size_t out_len;
    const uint8_t *out;
    ssize_t n = recv(pair[1], in, sizeof in, MSG_DONTWAIT);

    mote_grpc_serve(&server, in, n > 0 ? (size_t)n : 0);
    while ((out = mote_grpc_peek(&server, &out_len))) {
        n = send(pair[1], out, out_len, MSG_NOSIGNAL);
        mote_grpc_ack(&server, out_len);
    }
    return limited_read(context, buf, len);
}

static mote_status call_with_budget(size_t bytes, bool stalls)
{
    mote_grpc_config config = {.max_calls = CALLS,
                               .slots = 8,
                               .rx_size = RX,
                               .tx_size = TX,
                               .field_size = 256,
                               .authority = MOTE_GRPC_AUTHORITY("x")};
    static mote_grpc_config s;
    mote_grpc_bytes message = {(const uint8_t *)"hello", 5};
    mote_grpc_request request = {.path = &path, .timeout_ms = 5000};
    mote_grpc_call *call;
    static uint8_t input[64];
    const uint8_t *data;
    size_t len;

    socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair); /* reading never waits */
    real_io = mote_posix_io(&pair[0]);
    budget = bytes;
    stall = stalls;
    now = 1000;
    s = config;
    s.server = true;
    s.table_size = 4096;
    s.services = services;
    s.service_count = 1;
    mote_grpc_init(&server, &s, memory[0], sizeof memory[0]);
    mote_io io = {
        .read = served_read, .write = limited_write, .wait = virtual_wait, .now_ms = virtual_now};
    mote_channel_init(&channel, &config, memory[1], sizeof memory[1], input, sizeof input, io);
    mote_status status = {-1, "", 0};
    int r = mote_channel_start(&channel, &request, &call);
    if (r < 0)
        status = mote_channel_status(&channel, r);
    if (r == 0) {
        mote_channel_send(call, &mote_grpc_bytes_source, &message, MOTE_GRPC_LAST);
        status = mote_channel_collect(call, &data, &len);
        if (status.code == 0)
            CHECK(len == 5 && memcmp(data, "hello", 5) == 0);
    }
    close(pair[0]);
    close(pair[1]);
    return status;
}

static void a_transport_that_fails_at_any_byte_ends_the_call(void)
{
    size_t bytes = 0;

    for (; bytes < 2000; bytes++) {
        mote_status status = call_with_budget(bytes, false);
        if (status.code == 0)
            break;
        CHECK_INT(status.code, MOTE_GRPC_UNAVAILABLE);
        CHECK_TEXT(status.message_len > 0);
    }
    CHECK(bytes > 200 && bytes < 1000); /* the whole conversation */
}

static void a_transport_that_stalls_at_any_byte_meets_the_deadline(void)
{
    for (size_t bytes = 0; bytes < 2000; bytes++) {
        mote_status status = call_with_budget(bytes, true);
        if (status.code == 0)
            return;
        CHECK_INT(status.code, MOTE_GRPC_DEADLINE_EXCEEDED);
    }
    CHECK(!"never complete");
}

/* One rule for all who connect again: the back-off begins anew after a call, or where a connection
 * has lived for as long as it was, also when it is seen to be gone by the next look. */
static void a_back_off_begins_anew_where_it_was_of_use(void)
{
    static const struct {
        enum mote_posix_redial_has had, has;
        bool lived, anew;
    } rows[] = {{MOTE_POSIX_HAS_NONE, MOTE_POSIX_HAS_NONE, false, false},
                {MOTE_POSIX_HAS_NONE, MOTE_POSIX_HAS_NONE, true, false},
                {MOTE_POSIX_HAS_NEW, MOTE_POSIX_HAS_NEW, false, false},
                {MOTE_POSIX_HAS_NEW, MOTE_POSIX_HAS_NEW, true, true},
                {MOTE_POSIX_HAS_NEW, MOTE_POSIX_HAS_NONE, false, false},
                {MOTE_POSIX_HAS_NEW, MOTE_POSIX_HAS_NONE, true, true},
                {MOTE_POSIX_HAS_NEW, MOTE_POSIX_HAS_USED, false, true},
                {MOTE_POSIX_HAS_USED, MOTE_POSIX_HAS_USED, true, true}};

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        uint64_t now = mote_posix_now_ms();
        uint32_t wait_ms = 0;
        mote_posix_redial r = {.had = rows[i].had,
                               .backoff.next_ms = 5000,
                               .not_before_ms = rows[i].lived ? now : now + 60000};
        CHECK_INT(mote_posix_redial_look(&r, NULL, "nowhere", rows[i].has, &wait_ms), -1);
        CHECK_INT(r.backoff.next_ms < 5000, rows[i].anew);
        CHECK_INT(r.had, rows[i].has);
        bool begins = rows[i].has == MOTE_POSIX_HAS_NONE && rows[i].lived;
        CHECK_INT(r.dial.state, begins ? MOTE_POSIX_DIAL_BUSY : MOTE_POSIX_DIAL_IDLE);
        CHECK(rows[i].has != MOTE_POSIX_HAS_NONE || rows[i].lived
                  ? wait_ms == UINT32_MAX
                  : wait_ms > 0 && wait_ms <= 60000);
        mote_posix_dial_forget(&r.dial);
    }
}

/* The wildcard serves both protocols; nobody else may listen where somebody does. */
static void a_port_is_one_listeners(void)
{
    static const char *const addresses[] = {":0", "127.0.0.1:0", "[::1]:0"};
    char bound[128], why[192];

    for (size_t i = 0; i < sizeof addresses / sizeof addresses[0]; i++) {
        int listener = mote_posix_listen(addresses[i]);
        CHECK(listener >= 0);
        mote_posix_address(listener, bound);
        CHECK(i > 0 || strncmp(bound, "[::]:", 5) == 0);
        CHECK_INT(mote_posix_listen(bound), -1);
        snprintf(why, sizeof why, "listen %s: %s", bound, strerror(EADDRINUSE));
        CHECK(strcmp(mote_posix_error(), why) == 0);
        close(listener);
    }
}

int main(void)
{
    mote_posix_catch_signals();
    RUN(a_transport_that_fails_at_any_byte_ends_the_call);
    RUN(a_transport_that_stalls_at_any_byte_meets_the_deadline);
    RUN(a_back_off_begins_anew_where_it_was_of_use);
    RUN(a_port_is_one_listeners);
    return test_summary();
}
