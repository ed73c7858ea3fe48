/* The dashboard's server: connections of its own in the collector's loop, by HTTP/1.1 or HTTP/2,
 * that speak the Connect protocol and are served the page. */
#define _GNU_SOURCE
#include "dashboard.h"

#include "../../grpc/web/connect.h"
#include "../../port/posix/http1.h"
#include "../common/output.h"
#include "../common/text.h"

#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

enum { SEATS = 32, PLACES = 4, PLACE = 1 << 15, SCRATCH = 1 << 17, LOOK_MS = 20, HOST = 128 };

MOTE_GRPC_LAYOUT(room, max_calls = 8, slots = 8, rx_size = 2048, tx_size = 1 << 15,
                 table_size = 4096, field_size = 8192,
                 user_size = DASHBOARD_CALL + MOTE_CONNECT_STATE);

/* A connection. */
typedef struct {
    mote_posix_conn conn;
    mote_grpc grpc;
    bool taken;
    uint64_t memory[room_memory_size / sizeof(uint64_t)];
} seat;

static seat *seats;
static uint8_t *http1_memory;
static mote_posix_security http1;
static int listener = -1;
static char address[HOST + 16];

/* ---- who may ask --------------------------------------------------------------------------- */

static char host_names[DASHBOARD_HOSTS][HOST], origin_names[2 * DASHBOARD_HOSTS][HOST + 8];
static const char *hosts[DASHBOARD_HOSTS], *origins[2 * DASHBOARD_HOSTS];
static size_t host_count;

/* A page of this host may ask, by http here or by https of a proxy before it. */
void dashboard_host(const char *host)
{
    if (host_count == DASHBOARD_HOSTS)
        return;
    snprintf(host_names[host_count], HOST, "%s", host);
    hosts[host_count] = host_names[host_count];
    for (size_t i = 0; i < 2; i++) {
        char *origin = origin_names[2 * host_count + i];
        snprintf(origin, sizeof origin_names[0], "http%s://%s", i ? "s" : "",
                 host_names[host_count]);
        origins[2 * host_count + i] = origin;
    }
    host_count++;
}

static void add_host(const char *name, const char *port)
{
    char host[HOST];

    snprintf(host, sizeof host, strcmp(port, "80") == 0 ? "%s" : "%s:%s", name, port);
    dashboard_host(host);
}

/* Loopback has three names; and any address is its own, but for one that means all. */
static void add_hosts(const char *at)
{
    const char *port = strrchr(at, ':') + 1;

    add_host("localhost", port);
    add_host("127.0.0.1", port);
    add_host("[::1]", port);
    if (strncmp(at, "0.0.0.0:", 8) != 0 && strncmp(at, "[::]:", 5) != 0 &&
        strncmp(at, "127.0.0.1:", 10) != 0 && strncmp(at, "[::1]:", 6) != 0)
        dashboard_host(at);
}

/* ---- the server ---------------------------------------------------------------------------- */

static const mote_page page = {.ways = &mote_connect_ways, .files = dashboard_files};
static mote_page all_of_it;
static const mote_connect_service *const services[] = {&mote_dashboard_Dashboard_CONNECT};
static uint64_t scratch[SCRATCH / 8], places[PLACES][PLACE / 8];
static mote_connect_config connect_config = {.services = services,
                                             .service_count = 1,
                                             .scratch = scratch,
                                             .scratch_size = sizeof scratch,
                                             .places = places,
                                             .place_size = sizeof places[0],
                                             .place_count = PLACES};
static const mote_grpc_door door = MOTE_PAGE_DOOR(&mote_connect, &connect_config);
static const mote_grpc_config grpc_config = {MOTE_GRPC_SIZES(room), .server = true,
                                             .services = dashboard_services, .service_count = 1,
                                             .door = &door};

bool dashboard_is_on(void)
{
    return listener >= 0;
}

const char *dashboard_address(void)
{
    return address;
}

static int failed(const char *at, const char *why)
{
    print_line(stderr, "collector: error: --web=%s: %s", at, why);
    return -1;
}

int dashboard_at(const char *at, const char *token_file)
{
    char whole[HOST], bound[128];
    const char *why = dashboard_token(token_file);

    if (why) {
        print_line(stderr, "collector: error: --web-token=%s: %s", token_file, why);
        return -1;
    }
    snprintf(whole, sizeof whole, "%s%s", at[strspn(at, "0123456789")] ? "" : "127.0.0.1:", at);
    if (strncmp(whole, "unix:", 5) == 0)
        return failed(at, "a browser does not reach it");
    if ((listener = mote_posix_listen(whole)) < 0)
        return failed(at, mote_posix_error());
    mote_posix_address(listener, bound);
    add_hosts(bound);
    snprintf(address, sizeof address, "http://%s/", bound);
    all_of_it = page;
    all_of_it.file_count = dashboard_file_count;
    connect_config.web = (mote_web_config){.origins = origins,
                                           .origin_count = 2 * host_count,
                                           .hosts = hosts,
                                           .host_count = host_count,
                                           .page = &all_of_it};
    http1 = mote_posix_http1();
    seats = mote_posix_memory(SEATS, sizeof *seats);
    http1_memory = mote_posix_memory(SEATS, MOTE_GRPC_ALIGN(http1.size));
    return seats && http1_memory ? 0 : failed(at, "out of memory");
}

/* ---- connections --------------------------------------------------------------------------- */

static seat *seat_of(mote_grpc *grpc)
{
    return (seat *)(void *)((uint8_t *)grpc - offsetof(seat, grpc));
}

static void release(mote_posix_conn *conn)
{
    seat *s = (seat *)conn;

    http1.unwrap(conn->self);
    s->taken = false;
}

static void begin(seat *s, mote_posix_loop *loop, int fd)
{
    uint8_t *memory = http1_memory + (size_t)(s - seats) * MOTE_GRPC_ALIGN(http1.size);
    const mote_posix_engine *engine = &mote_posix_grpc_server;
    uint32_t generation = s->grpc.generation; /* of the connection that was here before */
    void *self = &s->grpc;

    memset(&s->conn, 0, sizeof s->conn);
    s->conn.closed = release;
    if (mote_grpc_init(&s->grpc, &grpc_config, s->memory, sizeof s->memory) < 0 ||
        http1.wrap(http1.context, memory, &engine, &self) < 0) {
        close(fd);
        return;
    }
    s->grpc.generation = generation;
    s->taken = mote_posix_loop_add(loop, &s->conn, fd, engine, self) == 0;
    if (!s->taken)
        close(fd);
}

static bool somebody_waits(void)
{
    struct pollfd comes = {.fd = listener, .events = POLLIN};

    return poll(&comes, 1, 0) > 0;
}

/* A free seat. Without one, whoever does not watch and was silent longest gives way, be it in the
 * midst of a request; who has just come has its time to ask. */
static seat *free_seat(uint64_t now_ms)
{
    enum { ASKS_MS = 1000 };
    seat *silent = NULL;

    for (size_t i = 0; i < SEATS; i++) {
        seat *s = &seats[i];
        if (!s->taken)
            return s;
        if (now_ms - s->conn.progress_ms >= ASKS_MS && !dashboard_is_watched_by(&s->grpc) &&
            (!silent || s->conn.progress_ms < silent->conn.progress_ms))
            silent = s;
    }
    if (silent)
        mote_posix_close(&silent->conn);
    return NULL;
}

static void take_who_has_come(mote_posix_loop *loop)
{
    static uint64_t looked_ms;

    if (loop->now_ms - looked_ms < LOOK_MS)
        return;
    looked_ms = loop->now_ms;
    for (size_t i = 0; i < SEATS && somebody_waits(); i++) {
        seat *s = free_seat(loop->now_ms);
        int fd = s ? accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC) : -1;
        if (fd < 0)
            return;
        begin(s, loop, fd);
    }
}

static void flush_it(mote_grpc *grpc)
{
    mote_posix_flush(&seat_of(grpc)->conn);
}

static mote_dashboard_Totals totals_of(const view_state *v, uint64_t now_ms, bool well)
{
    static uint64_t begun_ms;
    view_state t = view_totals(v);

    begun_ms = begun_ms ? begun_ms : now_ms;
    return (mote_dashboard_Totals){.samples = t.fresh,
                                   .stored = t.fresh_stored,
                                   .acknowledged = t.fresh_told,
                                   .duplicates = t.duplicates,
                                   .missing = t.missing,
                                   .bytes = t.bytes,
                                   .commits = store_commits(),
                                   .up_ms = now_ms - begun_ms,
                                   .devices = (uint32_t)fleet_count,
                                   .connected = fleet_connected,
                                   .hidden = fleet_hidden,
                                   .well = well};
}

void dashboard_turn(const view_state *v, mote_posix_loop *loop, bool well)
{
    static uint64_t looked_ms;

    if (listener < 0)
        return;
    if (mote_posix_stopped) { /* who watches would watch for ever */
        for (size_t i = 0; i < SEATS; i++) {
            if (seats[i].taken)
                mote_posix_close(&seats[i].conn);
        }
        close(listener);
        listener = -1;
        return;
    }
    take_who_has_come(loop);
    if (loop->now_ms - looked_ms < LOOK_MS)
        return;
    looked_ms = loop->now_ms;
    mote_dashboard_Totals totals = totals_of(v, loop->now_ms, well);
    dashboard_tell(&totals, loop->now_ms, flush_it);
}
