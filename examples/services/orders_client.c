/*
 * A client of orders_server:
 *
 *   orders_client [--address=A] import < FILE     lines "ID CUSTOMER ARTICLE QUANTITY CENTS"
 *   orders_client [--address=A] history [CUSTOMER]
 *   orders_client [--address=A] update < FILE     lines "ID STATUS"
 *
 * A status is 1 (paid), 2 (shipped) or 3 (cancelled).
 */
#include "orders.mote.h"

#include "../common/client.h"

static int import_orders(void)
{
    char line[256], id[40], customer[40], article[40];
    uint64_t scratch[64];
    mote_pb_arena arena;
    mote_orders_Item item;
    mote_orders_ImportResult result = {0};
    mote_grpc_call *call;

    check(mote_orders_Orders_Import_start(&channel, ten_seconds, &call));
    while (fgets(line, sizeof line, stdin)) {
        unsigned long long cents = 0;
        id[0] = customer[0] = article[0] = '\0';
        item.quantity = 0;
        sscanf(line, "%39s %39s %39s %u %llu", id, customer, article, &item.quantity, &cents);
        item.article = mote_pb_cstring(article);
        item.cents = cents;
        mote_orders_Order order = {
            .id = mote_pb_cstring(id), .customer = mote_pb_cstring(customer), .items = {&item, 1}};
        if (mote_orders_Orders_Import_send(call, &order) < 0)
            break; /* the call is over; the status says why */
    }
    mote_pb_arena_init(&arena, scratch, sizeof scratch); /* for ten errors */
    mote_status status = mote_orders_Orders_Import_finish(call, &result, &arena);
    if (status.code == MOTE_GRPC_OK)
        printf("imported %u, failed %u\n", result.succeeded, result.failed);
    for (size_t i = 0; i < result.errors.count; i++)
        print_line(stdout, "%.*s", (int)result.errors.items[i].len, result.errors.items[i].data);
    return report(status);
}

static int history(const char *customer)
{
    uint64_t scratch[128];
    mote_orders_HistoryQuery query = {mote_pb_cstring(customer)};
    mote_orders_Order order;
    mote_grpc_call *call;
    mote_status status;
    mote_pb_arena arena;

    check(mote_orders_Orders_History_call(&channel, ten_seconds, &query, &call));
    while (mote_pb_arena_init(&arena, scratch, sizeof scratch),
           mote_orders_Orders_History_recv(call, &order, &arena, &status) > 0) {
        print_text(stdout, "%.*s %.*s %d", (int)order.id.len, order.id.data,
                   (int)order.customer.len, order.customer.data, (int)order.status);
        for (size_t i = 0; i < order.items.count; i++)
            print_text(stdout, " %ux%.*s", order.items.items[i].quantity,
                       (int)order.items.items[i].article.len, order.items.items[i].article.data);
        printf("\n");
    }
    return report(status);
}

static int update(void)
{
    char line[256], id[40];
    mote_orders_Update u;
    mote_grpc_call *call;
    mote_status status;
    bool open = true;

    check(mote_orders_Orders_Updates_start(&channel, ten_seconds, &call));
    while (open) { /* one question, one answer */
        int number = 0;
        if ((open = fgets(line, sizeof line, stdin)) && sscanf(line, "%39s %d", id, &number) == 2) {
            u = (mote_orders_Update){.id = mote_pb_cstring(id), .status = number};
            mote_orders_Orders_Updates_send(call, &u);
        } else if (!open) {
            mote_channel_half_close(call);
        } else {
            continue;
        }
        if (mote_orders_Orders_Updates_recv(call, &u, NULL, &status) <= 0)
            return report(status);
        print_line(stdout, "%.*s %d %.*s", (int)u.id.len, u.id.data, (int)u.status,
                   (int)u.error.len, u.error.data);
    }
    return 0;
}

int main(int argc, char **argv)
{
    const char *address = "127.0.0.1:50051";
    const option options[] = {OPTION("--address", &address, "the server"), OPTIONS_END};
    int i = parse_options(
        argc, argv, "orders_client import|history [CUSTOMER]|update: calls mote.orders.Orders",
        options);
    const char *command = i < argc ? argv[i] : "";

    open_channel(address);
    if (strcmp(command, "import") == 0)
        return import_orders();
    if (strcmp(command, "update") == 0)
        return update();
    if (strcmp(command, "history") == 0)
        return history(i + 1 < argc ? argv[i + 1] : "");
    fprintf(stderr, "orders_client: error: import, history or update? (see --help)\n");
    return 2;
}
