/* The engines of the POSIX port by themselves: a client whose events go to a function, and HTTP/1.1
 * before a server. */
#include "../../port/posix/http1.h"
#include "../../port/posix/posix.h"
#include "../test.h"

/* ---- a client ---------------------------------------------------------------------------------
 */

static mote_posix_client client;
static uint64_t memory[MOTE_GRPC_MEMORY(1, 64, 512, 0, 64, 4, 0) / 8];
static unsigned statuses;
static int code;

static void on_event(void *context, const mote_grpc_event *ev)
{
    CHECK(context == &statuses);
    if (ev->type != MOTE_GRPC_STATUS)
        return;
    statuses++;
    code = ev->code;
}

static void a_client_is_told_of_each_event(void)
{
    static const mote_grpc_config config = {.max_calls = 1,
                                            .slots = 4,
                                            .rx_size = 64,
                                            .tx_size = 512,
                                            .field_size = 64,
                                            .context = &statuses,
                                            .authority = MOTE_GRPC_AUTHORITY("a")};
    static const mote_hpack_field path = MOTE_HPACK_FIELD(":path", "/a.A/B");
    /* SETTINGS, and a response of trailers alone: 404 is UNIMPLEMENTED */
    static const uint8_t said[] = "\0\0\0\4\0\0\0\0\0\0\0\1\1\5\0\0\0\1\x8d";
    const mote_posix_engine *x = &mote_posix_grpc_client;
    mote_grpc_request request = {.path = &path};
    mote_grpc_call *call;
    size_t used = 0, len;

    client.on_event = on_event;
    CHECK_INT(mote_grpc_init(&client.grpc, &config, memory, sizeof memory), 0);
    CHECK_INT(x->input(&client, said, 9, &used), MOTE_POSIX_TOOK_ALL);
    CHECK_INT(mote_grpc_start(&client.grpc, &request, &call), 0);
    CHECK(x->peek(&client, &len) && len > 24);
    x->ack(&client, len);
    CHECK_INT(x->input(&client, said + 9, sizeof said - 10, &used), MOTE_POSIX_TOOK_ALL);
    CHECK_INT(statuses, 1);
    CHECK_INT(code, MOTE_GRPC_UNIMPLEMENTED);
    CHECK_INT(mote_grpc_start(&client.grpc, &request, &call), 0);
    x->eof(&client);
    CHECK_INT(x->input(&client, NULL, 0, &used), MOTE_POSIX_ENDED);
    CHECK_INT(statuses, 2);
    CHECK_INT(code, MOTE_GRPC_UNAVAILABLE);
}

/* ---- HTTP/1.1 ---------------------------------------------------------------------------------
 */

static char heard[512];
static size_t heard_len;
static uint64_t time_ms;
static unsigned eofs;

static enum mote_posix_input input(void *self, const uint8_t *in, size_t len, size_t *used)
{
    CHECK(self == &heard);
    *used = len;
    if (len > 0 && heard_len + len <= sizeof heard)
        memcpy(heard + heard_len, in, len);
    heard_len += len;
    return MOTE_POSIX_TOOK_ALL;
}

static const uint8_t *peek(void *self, size_t *len)
{
    (void)self;
    *len = 0;
    return NULL;
}

static void ack(void *self, size_t len)
{
    (void)self, (void)len;
}

static uint32_t tick(void *self, uint64_t now_ms)
{
    (void)self;
    time_ms = now_ms;
    return 4000;
}

static void eof(void *self)
{
    (void)self;
    eofs++;
}

static void clock_of(void *self, uint64_t now_ms)
{
    (void)self;
    time_ms = now_ms;
}

static void http1_is_put_before_an_engine(void)
{
    static const mote_posix_engine inner = {input, peek, ack, tick, eof, NULL, clock_of};
    static const char get[] = "GET / HTTP/1.1\r\nhost: d\r\n\r\n", none[] = "GET / HTTP/9\r\n\r\n";
    const mote_posix_security http1 = mote_posix_http1();
    size_t used = 0, len;

    for (int good = 0; good < 2; good++) {
        const mote_posix_engine *x = &inner;
        void *self = &heard, *place = mote_posix_memory(1, http1.size);
        heard_len = eofs = 0;
        CHECK(!http1.one_thread && place);
        CHECK_INT(http1.wrap(http1.context, place, &x, &self), 0);
        CHECK(x != &inner && self == place);
        x->clock(self, 77);
        CHECK_INT(time_ms, 77);
        CHECK_INT(x->input(self, (const uint8_t *)(good ? get : none),
                           (good ? sizeof get : sizeof none) - 1, &used),
                  good ? MOTE_POSIX_TOOK_ALL : MOTE_POSIX_ENDED);
        CHECK(heard_len > 24 && memcmp(heard, "PRI * HTTP/2.0", 14) == 0);
        if (!good)
            CHECK(x->peek(self, &len) && len > 12 &&
                  memcmp(x->peek(self, &len), "HTTP/1.1 ", 9) == 0);
        CHECK(x->tick(self, 78) <= 4000);
        CHECK_INT(time_ms, 78);
        x->eof(self);
        CHECK_INT(eofs, 1);
        http1.unwrap(self);
    }
}

int main(void)
{
    RUN(a_client_is_told_of_each_event);
    RUN(http1_is_put_before_an_engine);
    return test_summary();
}
