/*
 * Prices that change ten times a second. A watcher owes its client the newest price of each symbol
 * that has changed: a bit for each, not a queue. A client that reads slowly skips prices, and one
 * that is gone is forgotten.
 *
 *   prices_server [--address=127.0.0.1:50051] [--web=http://localhost:8000]
 *
 * With --web, pages of that origin may watch as well: prices.html; and so may curl:
 *
 *   curl -N -H 'accept: text/event-stream' http://127.0.0.1:50051/mote.prices.Prices/Watch
 */
#include "../../grpc/web/connect.h"
#include "../../port/posix/http1.h"
#include "../common/seats.h"
#include "../common/secure.h"
#include "prices.mote.h"

enum { SYMBOLS = 5, MAX_WATCHERS = 64, CHANGE_MS = 100 };

static const char *const symbols[SYMBOLS] = {"ACME", "BOLT", "CORK", "DUNE", "ECHO"};
static int64_t cents[SYMBOLS] = {10000, 2500, 799, 123456, 50};
static uint64_t changes[SYMBOLS];

/* User memory of a call. */
typedef struct {
    uint32_t wanted, owed; /* a bit for each symbol */
    uint32_t last;         /* the symbol that was told last: those behind it have their turn */
    bool telling;          /* this price, a part of which may have been sent */
    mote_prices_Price price;
} watcher;

static seat watchers[MAX_WATCHERS]; /* of all connections */

/* NULL: the place is free, or who had it is gone. */
static mote_grpc_call *watcher_at(size_t i)
{
    return mote_grpc_find(watchers[i].call);
}

/* The newest price of the next symbol that is owed. */
static bool take_price(watcher *w)
{
    for (uint32_t n = 1; n <= SYMBOLS; n++) {
        uint32_t i = (w->last + n) % SYMBOLS;
        if (!(w->owed & 1u << i))
            continue;
        w->owed &= ~(1u << i);
        w->last = i;
        w->price = (mote_prices_Price){mote_pb_cstring(symbols[i]), cents[i], changes[i]};
        return true;
    }
    return false;
}

/* Sends what is owed, as far as there is room. One of which a part may have been sent is sent to
 * its end, though there is a newer one. */
static void send_owed(mote_grpc_call *call)
{
    watcher *w = call->user;

    while (w->telling || take_price(w)) {
        w->telling = mote_prices_Prices_Watch_write(call, &w->price) < 0;
        if (w->telling)
            return; /* MOTE_GRPC_WRITABLE follows */
    }
}

static uint32_t wanted_by(const mote_prices_Filter *filter)
{
    uint32_t wanted = filter->symbols.count == 0 ? (1u << SYMBOLS) - 1 : 0;

    for (size_t k = 0; k < filter->symbols.count; k++) {
        mote_pb_string s = filter->symbols.items[k];
        for (uint32_t i = 0; i < SYMBOLS; i++) {
            if (s.len == strlen(symbols[i]) && memcmp(s.data, symbols[i], s.len) == 0)
                wanted |= 1u << i;
        }
    }
    return wanted;
}

static int start_watch(mote_grpc_call *call, const mote_grpc_event *ev)
{
    uint64_t scratch[64];
    mote_pb_arena arena;
    mote_prices_Filter filter;
    watcher *w = call->user;

    mote_pb_arena_init(&arena, scratch, sizeof scratch);
    if (mote_prices_Prices_Watch_read(ev, &filter, &arena) < 0)
        return MOTE_GRPC_INVALID_ARGUMENT;
    w->wanted = w->owed = wanted_by(&filter);
    w->last = SYMBOLS - 1;
    if (w->wanted == 0)
        return mote_grpc_finish(call, MOTE_GRPC_NOT_FOUND, "none of these symbols is traded");
    return seats_take(watchers, MAX_WATCHERS, call) ? 0 : MOTE_GRPC_RESOURCE_EXHAUSTED;
}

static int watch(mote_grpc_call *call, const mote_grpc_event *ev)
{
    switch (ev->type) {
    case MOTE_GRPC_MESSAGE:
        return start_watch(call, ev);
    case MOTE_GRPC_HALF_CLOSE: /* of the request; prices follow until the client is gone */
    case MOTE_GRPC_WRITABLE:
        send_owed(call);
        return 0;
    default:
        return 0;
    }
}

/* A random walk, with a fixed sequence. */
static void change_prices(void)
{
    static uint32_t state = 1;

    for (uint32_t i = 0; i < SYMBOLS; i++) {
        state = state * 1664525u + 1013904223u;
        int64_t step = (int64_t)(state >> 16) % 5 - 2;
        if (step == 0 || cents[i] + step <= 0)
            continue;
        cents[i] += step;
        changes[i]++;
        for (size_t k = 0; k < MAX_WATCHERS; k++) {
            mote_grpc_call *call = watcher_at(k);
            if (call) {
                watcher *w = call->user;
                w->owed |= w->wanted & 1u << i;
            }
        }
    }
}

static void each_turn(void *context, mote_posix_loop *loop)
{
    static uint64_t next_ms;

    (void)context;
    if (loop->now_ms < next_ms)
        return;
    next_ms = loop->now_ms + CHANGE_MS;
    change_prices();
    for (size_t k = 0; k < MAX_WATCHERS; k++) {
        mote_grpc_call *call = watcher_at(k);
        mote_posix_conn *conn = call ? mote_posix_conn_of(call) : NULL;
        if (call) {
            send_owed(call);
            mote_posix_flush(conn);
        }
    }
}

static const mote_grpc_method methods[] = mote_prices_Prices_METHODS(watch);
static const mote_grpc_service services[] = {mote_prices_Prices_SERVICE(methods)};

/* Pages of this origin may call, without TLS also by HTTP/1.1. */
static void open_to_pages(mote_posix_server *server, const char *const *origin)
{
    static const mote_connect_service *const connect_services[] = {&mote_prices_Prices_CONNECT};
    static uint64_t scratch[256]; /* a price, as bytes and as a struct; a filter */
    static mote_connect_config pages;
    static const mote_grpc_door door = MOTE_CONNECT_DOOR(&pages);
    static mote_posix_security http1;

    pages = (mote_connect_config){.web = {.origins = origin, .origin_count = 1},
                                  .services = connect_services,
                                  .service_count = 1,
                                  .scratch = scratch,
                                  .scratch_size = sizeof scratch};
    server->grpc.door = &door;
    server->grpc.user_size += MOTE_CONNECT_STATE;
    http1 = mote_posix_http1();
    if (!server->security)
        server->security = &http1;
}

int main(int argc, char **argv)
{
    const char *origin = NULL;
    mote_posix_server server = {.address = "127.0.0.1:50051",
                                .grpc = {.max_calls = 8,
                                         .slots = 8,
                                         .rx_size = 1024,
                                         .tx_size = 4096,
                                         .table_size = 4096,
                                         .field_size = 2048,
                                         .user_size = sizeof(watcher),
                                         .services = services,
                                         .service_count = 1},
                                .turn = each_turn,
                                .turn_ms = CHANGE_MS};
    const option options[] = {
        OPTION("--address", &server.address, "where to listen"),
        OPTION("--web", &origin, "pages of this origin may watch, as http://localhost:8000"),
        OPTIONS_END};

    parse_options(argc, argv, "prices_server: serves mote.prices.Prices", options);
    server.security = secure_server();
    if (origin)
        open_to_pages(&server, &origin);
    return mote_posix_serve(&server) < 0;
}
