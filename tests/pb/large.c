/* The stubs for large messages, between two engines with little memory: a message comes whole both
 * ways, and one that is changed before all of it was sent ends the call with INTERNAL. */
#include "../test.h"
#include "large.mote.h"

enum { ITEMS = 400 };

static mote_grpc client, server;
static uint64_t memory[2][1 << 14], lent[2][MOTE_PB_WALK_SIZE(3, 100) / 8], arena_memory[1 << 14];
static mote_pb_walk walks[2];
static big_Item items[ITEMS], inner[1];
static big_List inside = {{inner, 1}};
static big_List list;
static size_t at_server, at_client; /* items that arrived */
static int status;
static char text[128];
static bool server_changes; /* it answers with a list that is changed before all of it was sent */

static size_t count_of(const mote_grpc_event *ev)
{
    mote_pb_arena arena;
    big_List l;

    mote_pb_arena_init(&arena, arena_memory, sizeof arena_memory);
    CHECK_INT(big_Mirror_Look_read(ev, &l, &arena), 0);
    CHECK(l.items.count > 0 && l.items.items[0].inside->items.count == 1);
    return l.items.count;
}

/* The list lies elsewhere each time. */
static int look(mote_grpc_call *call, const mote_grpc_event *ev)
{
    big_List again = list;

    if (ev->type != MOTE_GRPC_MESSAGE)
        return 0;
    at_server = count_of(ev);
    int r = big_Mirror_Look_answer_large(call, &again, &walks[1]);
    if (server_changes && r == MOTE_AGAIN)
        list.items.count--;
    return r;
}

static int stare(mote_grpc_call *call, const mote_grpc_event *ev)
{
    (void)call;
    at_server += ev->type == MOTE_GRPC_MESSAGE ? count_of(ev) : 0;
    return 0;
}

static const mote_grpc_method methods[] = big_Mirror_METHODS(look, stare);
static const mote_grpc_service services[] = {big_Mirror_SERVICE(methods)};

static void on_event(const mote_grpc_event *ev)
{
    if (ev->type == MOTE_GRPC_MESSAGE)
        at_client = count_of(ev);
    if (ev->type == MOTE_GRPC_STATUS) {
        status = ev->code;
        snprintf(text, sizeof text, "%.*s", (int)ev->message_len, ev->message);
    }
}

/* Some bytes each way. */
static void turn(void)
{
    mote_grpc_event ev;
    const uint8_t *p;
    size_t n, used;

    while ((p = mote_grpc_peek(&client, &n)) != NULL) {
        mote_grpc_serve(&server, p, n);
        mote_grpc_ack(&client, n);
    }
    mote_grpc_serve(&server, NULL, 0);
    p = mote_grpc_peek(&server, &n);
    size_t len = p ? n : 0, rest = len;
    while (mote_grpc_recv(&client, p, rest, &used, &ev) > 0) {
        on_event(&ev);
        p = p ? p + used : NULL;
        rest -= used;
    }
    if (len > 0)
        mote_grpc_ack(&server, len);
}

static void begin(void)
{
    static mote_grpc_config config[2];

    for (int i = 0; i < 2; i++) {
        config[i] = (mote_grpc_config){.server = i == 1,
                                       .max_calls = 2,
                                       .rx_size = 16384,
                                       .tx_size = 512,
                                       .field_size = 256,
                                       .table_size = i == 1 ? 4096 : 0,
                                       .slots = 8,
                                       .authority = MOTE_GRPC_AUTHORITY("x"),
                                       .services = services,
                                       .service_count = 1};
        CHECK_INT(mote_grpc_init(i ? &server : &client, &config[i], memory[i], sizeof memory[i]),
                  0);
        mote_pb_walk_init(&walks[i], lent[i], sizeof lent[i]);
    }
    for (int i = 0; i < ITEMS; i++)
        items[i] = (big_Item){MOTE_PB_STRING("0123456789"), &inside};
    list = (big_List){{items, ITEMS}};
    at_server = at_client = 0;
    status = -1;
    server_changes = false;
}

static void check_end(int code, const char *message)
{
    for (int i = 0; i < 1000 && status < 0; i++)
        turn();
    CHECK_INT(status, code);
    CHECK(strcmp(text, message) == 0);
}

static void a_large_message_comes_whole_both_ways(void)
{
    mote_grpc_call *call = NULL;
    int r;

    begin();
    CHECK_INT(mote_grpc_start(&client, &(mote_grpc_request){.path = &big_Mirror_Look_path}, &call),
              0);
    while ((r = big_Mirror_Look_offer_large(call, &list, &walks[0])) == MOTE_AGAIN)
        turn();
    CHECK_INT(r, 0);
    CHECK_INT(mote_grpc_half_close(call), 0);
    check_end(MOTE_GRPC_OK, "");
    CHECK_INT(at_server, ITEMS);
    CHECK_INT(at_client, ITEMS);
}

static void a_request_that_changes_ends_the_call_with_internal(void)
{
    mote_grpc_call *call = NULL;
    int r, turns = 0;

    begin();
    CHECK_INT(mote_grpc_start(&client, &(mote_grpc_request){.path = &big_Mirror_Stare_path}, &call),
              0);
    while ((r = big_Mirror_Stare_offer_large(call, &list, &walks[0])) == MOTE_AGAIN) {
        turn();
        list.items.count -= ++turns == 5;
    }
    CHECK_INT(r, MOTE_PB_ERR_CHANGED);
    check_end(MOTE_GRPC_INTERNAL, "pb: the message was changed while it was sent");
    CHECK_INT(at_server, 0);
}

static void a_response_that_changes_ends_the_call_with_internal(void)
{
    mote_grpc_call *call = NULL;
    int r;

    begin();
    server_changes = true;
    CHECK_INT(mote_grpc_start(&client, &(mote_grpc_request){.path = &big_Mirror_Look_path}, &call),
              0);
    const big_List small = {{items, 1}};
    while ((r = big_Mirror_Look_offer_large(call, &small, &walks[0])) == MOTE_AGAIN)
        turn();
    CHECK_INT(mote_grpc_half_close(call), 0);
    check_end(MOTE_GRPC_INTERNAL, "pb: the message was changed while it was sent");
    CHECK_INT(at_server, 1);
    CHECK_INT(at_client, 0);
}

int main(void)
{
    RUN(a_large_message_comes_whole_both_ways);
    RUN(a_request_that_changes_ends_the_call_with_internal);
    RUN(a_response_that_changes_ends_the_call_with_internal);
    return test_summary();
}
