/*
 * Orders of a shop, held in memory of a fixed size:
 *   History  server stream: all orders of a customer
 *   Import   client stream: answers how many were taken, and the first ten errors
 *   Updates  bidirectional: changes of status, each answered
 *
 *   orders_server [--address=127.0.0.1:50051]
 */
#include "../../port/posix/posix.h"
#include "../common/peer.h"
#include "../common/secure.h"
#include "orders.mote.h"

enum { MAX_ORDERS = 1000, MAX_ITEMS = 8, TEXT = 40, MAX_ERRORS = 10, ERROR_TEXT = 96 };

typedef struct {
    char id[TEXT], customer[TEXT], articles[MAX_ITEMS][TEXT];
    mote_orders_Item items[MAX_ITEMS]; /* their articles are views of the above */
    size_t item_count;
    mote_orders_Status status;
    char host[PEER_HOST]; /* whose it is */
} stored_order;

static stored_order orders[MAX_ORDERS];
static size_t order_count;

/* User memory of a call; zero at its start. */
typedef struct {
    size_t next; /* History */
    mote_orders_Status
        status; /* of that order, as its message says that may have been sent in part */
    char customer[TEXT];
    uint32_t succeeded, failed; /* Import */
    char errors[MAX_ERRORS][ERROR_TEXT];
} call_state;

static uint64_t decode_memory[256]; /* the items of one order; handlers run one after the other */

static mote_pb_arena fresh_arena(void)
{
    mote_pb_arena arena;

    mote_pb_arena_init(&arena, decode_memory, sizeof decode_memory);
    return arena;
}

/* ---- the store ----------------------------------------------------------------------------- */

static void copy(char to[TEXT], mote_pb_string from)
{
    keep_text(to, TEXT, from.data, from.len);
}

static stored_order *find(mote_pb_string id)
{
    for (size_t i = 0; i < order_count; i++) {
        if (strlen(orders[i].id) == id.len && memcmp(orders[i].id, id.data, id.len) == 0)
            return &orders[i];
    }
    return NULL;
}

/* A host has at most as many orders as it leaves places to others. */
static bool has_room(const char *host)
{
    size_t own = 0;

    for (size_t i = 0; i < order_count; i++)
        own += strcmp(orders[i].host, host) == 0;
    return own < MAX_ORDERS - order_count;
}

/* Why an order is not taken; NULL: it is fine. */
static const char *problem(const mote_orders_Order *o, const char *host)
{
    if (!is_printable_name(o->id.data, o->id.len, TEXT - 1))
        return "id is not 1 to 39 bytes that can be shown";
    if (o->items.count == 0 || o->items.count > MAX_ITEMS)
        return "an order has 1 to 8 items";
    for (size_t i = 0; i < o->items.count; i++) {
        if (o->items.items[i].quantity == 0)
            return "quantity of an item is 0";
    }
    if (find(o->id))
        return "id exists already";
    return has_room(host) ? NULL : "the store is full";
}

static void store(const mote_orders_Order *o, const char *host)
{
    stored_order *s = &orders[order_count++];

    memcpy(s->host, host, PEER_HOST);

    copy(s->id, o->id);
    copy(s->customer, o->customer);
    s->item_count = o->items.count;
    s->status = o->status;
    for (size_t i = 0; i < o->items.count; i++) {
        copy(s->articles[i], o->items.items[i].article);
        s->items[i] = o->items.items[i];
        s->items[i].article = mote_pb_cstring(s->articles[i]);
    }
}

/* ---- handlers ------------------------------------------------------------------------------ */

static int send_history(mote_grpc_call *call, call_state *s)
{
    int r = 0;

    for (; r == 0 && s->next < order_count; s->next += r == 0) {
        const stored_order *o = &orders[s->next];
        if (call->tx_sent == 0)
            s->status = o->status;
        mote_orders_Order order = {.id = mote_pb_cstring(o->id),
                                   .customer = mote_pb_cstring(o->customer),
                                   .items = {o->items, o->item_count},
                                   .status = s->status};
        if (s->customer[0] == '\0' || strcmp(s->customer, o->customer) == 0)
            r = mote_orders_Orders_History_write(call, &order);
    }
    if (r == 0)
        r = mote_grpc_finish(call, MOTE_GRPC_OK, NULL);
    return r == MOTE_AGAIN ? 0 : r; /* MOTE_GRPC_WRITABLE follows */
}

static int history(mote_grpc_call *call, const mote_grpc_event *ev)
{
    call_state *s = call->user;
    mote_orders_HistoryQuery query;

    if (ev->type == MOTE_GRPC_MESSAGE) {
        if (mote_orders_Orders_History_read(ev, &query, NULL) < 0)
            return MOTE_GRPC_INVALID_ARGUMENT;
        copy(s->customer, query.customer);
    }
    if (ev->type == MOTE_GRPC_HALF_CLOSE || ev->type == MOTE_GRPC_WRITABLE)
        return send_history(call, s);
    return 0;
}

static int take_order(const mote_grpc_call *call, const mote_grpc_event *ev, call_state *s)
{
    char address[128], host[PEER_HOST];
    mote_pb_arena arena = fresh_arena();
    mote_orders_Order order;
    int r = mote_orders_Orders_Import_read(ev, &order, &arena);
    const char *why = r == MOTE_PB_ERR_ARENA ? "an order has 1 to 8 items" : NULL;

    if (r < 0 && !why)
        return MOTE_GRPC_INVALID_ARGUMENT;
    peer_host(mote_posix_peer_address(mote_posix_conn_of(call), address), host);
    if (!why)
        why = problem(&order, host);
    if (!why) {
        store(&order, host);
        s->succeeded++;
        return 0;
    }
    if (s->failed < MAX_ERRORS)
        snprintf(s->errors[s->failed], ERROR_TEXT, "order %u: %s", s->succeeded + s->failed + 1,
                 why);
    s->failed++;
    return 0;
}

static int send_result(mote_grpc_call *call, call_state *s)
{
    mote_pb_string errors[MAX_ERRORS];
    size_t count = s->failed < MAX_ERRORS ? s->failed : MAX_ERRORS;
    mote_orders_ImportResult result = {s->succeeded, s->failed, {errors, count}};

    for (size_t i = 0; i < count; i++)
        errors[i] = mote_pb_cstring(s->errors[i]);
    return mote_orders_Orders_Import_answer(call, &result);
}

static int import_orders(mote_grpc_call *call, const mote_grpc_event *ev)
{
    if (ev->type == MOTE_GRPC_MESSAGE)
        return take_order(call, ev, call->user);
    return ev->type == MOTE_GRPC_HALF_CLOSE ? send_result(call, call->user) : 0;
}

/* What is cancelled or shipped stays so. The answer is written before the change is made, so that
 * an update that is offered again finds the store as it was. */
static int update(mote_grpc_call *call, const mote_grpc_event *ev)
{
    mote_orders_Update u;

    if (mote_orders_Orders_Updates_read(ev, &u, NULL) < 0)
        return MOTE_GRPC_INVALID_ARGUMENT;
    stored_order *o = find(u.id);
    u.error = mote_pb_cstring(!o ? "no such order"
                              : o->status >= mote_orders_Status_SHIPPED
                                  ? "the order is shipped or cancelled"
                                  : "");
    int r = mote_orders_Orders_Updates_write(call, &u);
    if (r == 0 && o && u.error.len == 0)
        o->status = u.status;
    return r;
}

static int updates(mote_grpc_call *call, const mote_grpc_event *ev)
{
    if (ev->type == MOTE_GRPC_MESSAGE)
        return update(call, ev);
    return ev->type == MOTE_GRPC_HALF_CLOSE ? mote_grpc_finish(call, MOTE_GRPC_OK, NULL) : 0;
}

static const mote_grpc_method methods[] =
    mote_orders_Orders_METHODS(history, import_orders, updates);
static const mote_grpc_service services[] = {mote_orders_Orders_SERVICE(methods)};

int main(int argc, char **argv)
{
    mote_posix_server server = {.address = "127.0.0.1:50051",
                                .grpc = {.max_calls = 8,
                                         .slots = 8,
                                         .rx_size = 4096,
                                         .tx_size = 16384,
                                         .table_size = 4096,
                                         .field_size = 2048,
                                         .user_size = sizeof(call_state),
                                         .services = services,
                                         .service_count = 1}};
    const option options[] = {OPTION("--address", &server.address, "where to listen"), OPTIONS_END};

    parse_options(argc, argv, "orders_server: serves mote.orders.Orders", options);
    server.security = secure_server();
    return mote_posix_serve(&server) < 0;
}
