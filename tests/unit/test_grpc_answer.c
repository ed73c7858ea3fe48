/* The obvious handlers of methods with one response, in a table that was written by hand: at every
 * size of the response, so that each part of what they say finds no room once. */
#include "../../grpc/grpc.h"
#include "../test.h"

enum { TX = 128, MOST = 110 };

enum way { WRITES_AND_FINISHES, FAILS, SAYS_WHY, ANSWERS };

static mote_grpc client, server;
static uint64_t client_memory[MOTE_GRPC_MEMORY(1, 512, 256, 0, 256, 8, 0) / 8];
static uint64_t server_memory[MOTE_GRPC_MEMORY(1, 512, TX, 4096, 256, 8, 0) / 8];
static enum way way;
static size_t reply_len;
static unsigned responses, statuses, closed;
static int code;

static int obvious(mote_grpc_call *call, const mote_grpc_event *ev)
{
    static const uint8_t reply[MOST];
    mote_grpc_bytes bytes = {reply, reply_len};
    int r;

    closed += ev->type == MOTE_GRPC_CLOSED;
    if (ev->type != MOTE_GRPC_MESSAGE)
        return 0;
    if (way == ANSWERS)
        return mote_grpc_answer(call, &mote_grpc_bytes_source, &bytes);
    if ((r = mote_grpc_send(call, &mote_grpc_bytes_source, &bytes, 0)) < 0)
        return r;
    return mote_grpc_finish(call, way == WRITES_AND_FINISHES ? MOTE_GRPC_OK : MOTE_GRPC_ABORTED,
                            way == SAYS_WHY ? "why" : NULL);
}

static const mote_grpc_method methods[] = {{.name = "M", .handler = obvious}};
static const mote_grpc_service services[] = {
    {.name = "a.B", .methods = methods, .method_count = 1}};
static const mote_hpack_field path = MOTE_HPACK_FIELD(":path", "/a.B/M");

static void hear(const uint8_t *in, size_t len)
{
    mote_grpc_event ev;
    size_t used;

    while (mote_grpc_recv(&client, in, len, &used, &ev) > 0) {
        in += used;
        len -= used;
        responses += ev.type == MOTE_GRPC_MESSAGE;
        if (ev.type == MOTE_GRPC_STATUS) {
            statuses++;
            code = ev.code;
        }
    }
}

/* Both take all that there is, in turns. */
static void settle(void)
{
    uint8_t bytes[512];
    const uint8_t *out;
    size_t len;

    for (int i = 0; i < 20; i++) {
        if ((out = mote_grpc_peek(&client, &len))) {
            mote_grpc_serve(&server, out, len);
            mote_grpc_ack(&client, len);
        }
        mote_grpc_serve(&server, NULL, 0);
        if ((out = mote_grpc_peek(&server, &len))) {
            memcpy(bytes, out, len);
            mote_grpc_ack(&server, len);
            hear(bytes, len);
        }
        mote_grpc_serve(&server, NULL, 0);
    }
}

static void ask(bool in_one_piece)
{
    static const mote_grpc_config of_client = {.max_calls = 1,
                                               .slots = 8,
                                               .rx_size = 512,
                                               .tx_size = 256,
                                               .field_size = 256,
                                               .authority = MOTE_GRPC_AUTHORITY("x")};
    static const mote_grpc_config of_server = {.server = true,
                                               .max_calls = 1,
                                               .slots = 8,
                                               .rx_size = 512,
                                               .tx_size = TX,
                                               .table_size = 4096,
                                               .field_size = 256,
                                               .services = services,
                                               .service_count = 1};
    mote_grpc_request request = {.path = &path};
    mote_grpc_bytes message = {(const uint8_t *)"?", 1};
    mote_grpc_call *call;

    CHECK_INT(mote_grpc_init(&client, &of_client, client_memory, sizeof client_memory), 0);
    CHECK_INT(mote_grpc_init(&server, &of_server, server_memory, sizeof server_memory), 0);
    settle();
    responses = statuses = closed = 0;
    CHECK_INT(mote_grpc_start(&client, &request, &call), 0);
    CHECK_INT(
        mote_grpc_send(call, &mote_grpc_bytes_source, &message, in_one_piece ? MOTE_GRPC_LAST : 0),
        0);
    settle();
    if (!in_one_piece && !mote_grpc_decided(call))
        CHECK_INT(mote_grpc_half_close(call), 0);
    settle();
}

static void the_obvious_handler_answers_once(void)
{
    for (way = WRITES_AND_FINISHES; way <= ANSWERS; way++) {
        for (reply_len = 1; reply_len < MOST; reply_len++) {
            for (int pieces = 0; pieces < 2; pieces++) {
                int wanted = way == FAILS || way == SAYS_WHY ? MOTE_GRPC_ABORTED : MOTE_GRPC_OK;
                ask(pieces == 0);
                if (way == SAYS_WHY && code == MOTE_GRPC_INTERNAL)
                    wanted = MOTE_GRPC_INTERNAL; /* a text waits for room: the second one is told */
                CHECK(responses == 1 && statuses == 1 && closed == 1);
                CHECK_INT(code, wanted);
                CHECK_INT(mote_grpc_active(&server), 0);
            }
        }
    }
}

int main(void)
{
    RUN(the_obvious_handler_answers_once);
    return test_summary();
}
