/* What a byte costs the example servers with 1, 100 and 1,000 entries of what they keep, or as many
 * as they take: rooms of the chat, connections of a device, devices and connections behind the
 * collector's page of metrics. The programs are linked as they are, over a double of port/posix,
 * and basic blocks are counted.
 */
#define _GNU_SOURCE
#include "../../examples/fleet/collector_about.h"
#include "../../examples/fleet/sources.h"
#include "../../port/posix/tls.h"
#include "rows.h"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { HOSTS = 64, MEMORY = 1 << 15 };

/* ---- a double of the port: connections of a server, each of another host -------------------- */

static struct host {
    mote_posix_conn conn;
    mote_grpc grpc;
    uint32_t next_id;
    uint64_t memory[MEMORY / 8];
} hosts[HOSTS];
static mote_posix_server program;
static mote_grpc_config config;
static mote_posix_loop loop;

int mote_posix_serve(const mote_posix_server *server)
{
    program = *server;
    return 0;
}

mote_posix_conn *mote_posix_conn_of(const mote_grpc_call *call)
{
    return &((struct host *)((uint8_t *)call->grpc - offsetof(struct host, grpc)))->conn;
}

const char *mote_posix_peer_address(const mote_posix_conn *conn, char out[128])
{
    snprintf(out, 128, "192.0.2.%d:1000", (int)((const struct host *)conn - hosts));
    return out;
}

void mote_posix_flush(mote_posix_conn *conn)
{
    mote_grpc *g = &((struct host *)conn)->grpc;
    size_t n;

    do
        mote_grpc_serve(g, NULL, 0);
    while (mote_grpc_peek(g, &n) && (mote_grpc_ack(g, n), true));
}

void mote_posix_trace(void)
{
}

const char *mote_posix_error(void)
{
    return "";
}

mote_tls_context *mote_posix_tls_context(bool server, const char *ca, const char *cert,
                                         const char *key)
{
    (void)server, (void)ca, (void)cert, (void)key;
    return NULL;
}

mote_posix_security mote_posix_tls_security(const mote_posix_tls_config *tls)
{
    (void)tls;
    return (mote_posix_security){0};
}

/* Its bytes, a turn of the loop, and what it is told. */
static void feed(struct host *h, const void *bytes, size_t len)
{
    sent += len;
    loop.now_ms = 1 + sent / PER_MS;
    mote_grpc_tick(&h->grpc, loop.now_ms);
    mote_grpc_serve(&h->grpc, bytes, len);
    mote_posix_flush(&h->conn);
    program.turn(NULL, &loop);
}

static void frame(struct host *h, uint8_t type, uint8_t flags, uint32_t id, const void *payload,
                  size_t len)
{
    uint8_t bytes[256] = {0, 0, (uint8_t)len, type, flags, 0, 0, (uint8_t)(id >> 8), (uint8_t)id};

    if (len > 0)
        memcpy(bytes + 9, payload, len);
    feed(h, bytes, 9 + len);
}

static void connect_host(struct host *h)
{
    config = program.grpc;
    config.server = true;
    config.coder = &mote_hpack_huffman_coder;
    uint32_t generation = h->grpc.generation; /* of the connection that was here before */
    CHECK_INT(mote_grpc_init(&h->grpc, &config, h->memory, sizeof h->memory), 0);
    h->grpc.generation = generation;
    h->next_id = 1;
    feed(h, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 24);
    frame(h, 4, 0, 0, NULL, 0);
    frame(h, 4, 1, 0, NULL, 0);
}

/* ---- rooms ---------------------------------------------------------------------------------- */

int chat_server(int argc, char **argv);

static uint32_t join(struct host *h)
{
    static const char block[] = "\x83\x86\x04\x14/mote.chat.Chat/Join\x41\x01x\x0f\x10\x10"
                                "application/grpc";
    uint32_t id = h->next_id;

    h->next_id += 2;
    frame(h, 1, 4, id, block, sizeof block - 1);
    return id;
}

static void disconnect_host(struct host *h)
{
    if (h->next_id == 0)
        return;
    mote_grpc_recv_eof(&h->grpc);
    mote_grpc_serve(&h->grpc, NULL, 0);
}

/* `Enter` or `text` of a Say. */
static void say(struct host *h, uint32_t id, uint8_t flags, const char *room, const char *name)
{
    uint8_t message[64] = {0, 0, 0, 0, 0, 0x0a};
    size_t len = 7;

    message[len++] = 0x0a;
    message[len++] = (uint8_t)strlen(room);
    memcpy(message + len, room, strlen(room));
    len += strlen(room);
    message[len++] = 0x12;
    message[len++] = (uint8_t)strlen(name);
    memcpy(message + len, name, strlen(name));
    len += strlen(name);
    message[4] = (uint8_t)(len - 5);
    message[6] = (uint8_t)(len - 7);
    frame(h, 0, flags, id, message, len);
}

static uint32_t enter(struct host *h, const char *room, uint8_t flags)
{
    uint32_t id = join(h);

    say(h, id, flags, room, "n");
    return id;
}

/* So many others are in rooms of their own; the last host is the attacker's. */
static void fill_rooms(unsigned count)
{
    char room[8];
    char *argv[] = {(char[]){"chat_server"}, NULL};

    CHECK_INT(chat_server(1, argv), 0);
    loop.conns = &hosts[0].conn;
    for (unsigned i = 0; i < HOSTS; i++)
        disconnect_host(&hosts[i]);
    for (unsigned i = 0; i < HOSTS; i++) {
        hosts[i].conn.next = i + 1 < HOSTS ? &hosts[i + 1].conn : NULL;
        connect_host(&hosts[i]);
        snprintf(room, sizeof room, "r%02u", i);
        if (i < count && i < HOSTS - 1)
            enter(&hosts[i], room, 0);
    }
}

static void enter_and_leave(unsigned count)
{
    (void)count;
    for (int i = 0; i < 200; i++)
        enter(&hosts[HOSTS - 1], "mine", 1);
    CHECK_INT(mote_grpc_active(&hosts[HOSTS - 1].grpc), 0);
}

static void talk_alone(unsigned count)
{
    struct host *h = &hosts[HOSTS - 1];
    uint32_t id = enter(h, "mine", 0);

    (void)count;
    for (int i = 0; i < 200; i++) {
        frame(h, 0, 0, id, "\0\0\0\0\3\x12\1x", 8);
        frame(h, 8, 0, id, "\0\0\1\0", 4);
        frame(h, 8, 0, 0, "\0\0\1\0", 4);
    }
    CHECK_INT(mote_grpc_active(&h->grpc), 1);
}

/* ---- a device with many connections --------------------------------------------------------- */

int device(int argc, char **argv);

/* So many others are connected, and each watches as often as it may. */
static void connect_to_device(unsigned count)
{
    static const char block[] = "\x83\x86\x04\x19/mote.device.Device/Watch\x41\x01x\x0f\x10\x10"
                                "application/grpc";
    char *argv[] = {(char[]){"device"}, NULL};

    CHECK_INT(device(1, argv), 0);
    loop.conns = NULL;
    for (unsigned i = 0; i < HOSTS && i <= count; i++) {
        hosts[i].conn.grpc = &hosts[i].grpc;
        hosts[i].conn.next = loop.conns;
        loop.conns = &hosts[i].conn;
        connect_host(&hosts[i]);
        for (uint32_t id = 1; i > 0 && id < 2 * program.grpc.max_calls; id += 2) {
            frame(&hosts[i], 1, 4, id, block, sizeof block - 1);
            frame(&hosts[i], 0, 1, id, "\0\0\0\0", 5);
        }
        CHECK_INT(mote_grpc_active(&hosts[i].grpc), i > 0 ? (int)program.grpc.max_calls : 0);
    }
}

static void ping(unsigned count)
{
    (void)count;
    for (int i = 0; i < 500; i++)
        frame(&hosts[0], 6, 0, 0, "12345678", 8);
}

/* ---- the page of metrics, devices and what they name ---------------------------------------- */

const mote_grpc_service collector_services[COLLECTOR_SERVICES];
source_counts store_counts;
static view_state view;
static mote_posix_conn open_ones[MOST];
static struct sockaddr_un page_at = {.sun_family = AF_UNIX};

uint64_t store_commits(void)
{
    return 1;
}

int store_touch(source *s)
{
    (void)s;
    return 0;
}

int mote_posix_listen(const char *address)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    snprintf(page_at.sun_path + 1, sizeof page_at.sun_path - 1, "%s %d", address, (int)getpid());
    if (bind(fd, (struct sockaddr *)&page_at, sizeof page_at) < 0 || listen(fd, 64) < 0)
        return -1;
    return fd;
}

static void know_devices(unsigned count)
{
    static bool listens;
    char name[16];

    listens = listens || collector_metrics_at("metrics");
    CHECK(listens);
    sources_clear();
    view_forget(&view);
    loop.conns = open_ones;
    loop.conn_count = count;
    for (unsigned i = 0; i < count; i++) {
        open_ones[i].next = i + 1 < count ? &open_ones[i + 1] : NULL;
        snprintf(name, sizeof name, "d%u", i);
        source *s = sources_find(name, strlen(name), 1, "192.0.2.1:1");
        CHECK(s != NULL);
        if (s)
            s->id = 1; /* it stays */
    }
}

static void take_turns(int count)
{
    for (int i = 0; i < count; i++) {
        loop.now_ms += 20;
        collector_metrics(&view, &loop);
    }
}

static void ask_for_the_page(unsigned count)
{
    static const char request[] = "GET /metrics HTTP/1.1\r\n\r\n";
    char answer[4096];

    (void)count;
    for (int i = 0; i < 50; i++) {
        int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        CHECK_INT(connect(fd, (struct sockaddr *)&page_at, sizeof page_at), 0);
        CHECK_INT(send(fd, request, sizeof request - 1, 0), (int)sizeof request - 1);
        take_turns(3);
        CHECK(recv(fd, answer, sizeof answer, MSG_DONTWAIT) > 500);
        close(fd);
        sent += sizeof request - 1;
    }
}

/* Nobody asks: no page is made. The byte is there to divide by. */
static void nobody_asks(unsigned count)
{
    (void)count;
    take_turns(1000);
    sent += 1000;
}

static void name_metrics(unsigned count)
{
    char name[16];
    source *s = sources_find("d0", 2, 1, "192.0.2.1:1");

    (void)count;
    for (int i = 0; i < 1000; i++) {
        snprintf(name, sizeof name, "metric%d", i);
        mote_telemetry_Sample sample = {.metric = mote_pb_cstring(name), .value = 1};
        view_sample(s, &sample);
        sent += strlen(name);
    }
}

/* ---- the table ------------------------------------------------------------------------------ */

static const attack_row rows[] = {
    {"who enters a room and leaves", fill_rooms, enter_and_leave, 65},
    {"who talks in a room of its own", fill_rooms, talk_alone, 50},
    {"PINGs to a device with other connections", connect_to_device, ping, 60},
    {"a page of metrics", know_devices, ask_for_the_page, 20},
    {"a port of metrics where nobody asks", know_devices, nobody_asks, 80},
    {"metrics that a device names", know_devices, name_metrics, 5},
};

static void work_does_not_grow_with_entries(void)
{
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        costs_no_more_with_entries(&rows[i]);
}

int main(void)
{
    RUN(work_does_not_grow_with_entries);
    return test_summary();
}
