/* The outbox: alone, in storage that is not memory, and over a link that breaks again and again. */
#include "../../grpc/services/outbox.h"
#include "../test.h"

static uint8_t ring[64];
static mote_outbox o;

static int put(const char *text)
{
    return mote_outbox_put(&o, (const uint8_t *)text, strlen(text));
}

/* The message to be sent next, read in pieces of a size. */
static const char *next(size_t piece)
{
    static char text[256];
    size_t total = 0, n = 0;

    if (!mote_outbox_next(&o, NULL))
        return "nothing";
    CHECK_INT(mote_outbox_source(NULL, &o, 0, NULL, 0, &total), 0);
    while (n < total) {
        size_t cap = piece < total - n ? piece : total - n;
        CHECK_INT(mote_outbox_source(NULL, &o, n, (uint8_t *)text + n, cap, &total), 0);
        n += cap;
    }
    text[n] = '\0';
    return text;
}

static void messages_leave_when_they_are_acknowledged(void)
{
    uint64_t sequence;

    mote_outbox_init(&o, ring, sizeof ring, MOTE_OUTBOX_REFUSE);
    CHECK_INT(mote_outbox_sequence(&o), 1);
    CHECK_INT(put("one"), 0);
    CHECK_INT(put("two"), 0);
    CHECK(mote_outbox_next(&o, &sequence) && sequence == 1);
    CHECK(strcmp(next(100), "one") == 0);
    mote_outbox_sent(&o);
    CHECK(strcmp(next(1), "two") == 0);
    mote_outbox_sent(&o);
    mote_outbox_sent(&o); /* without effect */
    CHECK(!mote_outbox_next(&o, NULL));
    CHECK_INT(mote_outbox_count(&o), 2);
    mote_outbox_acknowledge(&o, 1);
    CHECK_INT(mote_outbox_count(&o), 1);
    mote_outbox_rewind(&o);
    CHECK(strcmp(next(2), "two") == 0);
    mote_outbox_acknowledge(&o, 99); /* what was never sent does not exist */
    CHECK_INT(mote_outbox_count(&o), 0);
    CHECK_INT(o.used, 0);
    CHECK(strcmp(next(2), "nothing") == 0);
}

static void a_full_ring_refuses_or_drops(void)
{
    for (int drop = 0; drop < 2; drop++) {
        mote_outbox_init(&o, ring, 20, drop ? MOTE_OUTBOX_DROP_OLDEST : MOTE_OUTBOX_REFUSE);
        CHECK_INT(put("12345678"), 0);
        CHECK_INT(put("abcdefgh"), 0);
        CHECK_INT(put("x"), drop ? 0 : MOTE_AGAIN);
        CHECK_INT(o.dropped, drop);
        CHECK_INT(o.refused, !drop);
        CHECK(strcmp(next(3), drop ? "abcdefgh" : "12345678") == 0);
        CHECK_INT(put("a message that is too long"), MOTE_GRPC_ERR_SPACE);
    }
    static uint8_t large[70000];
    CHECK_INT(mote_outbox_put(&o, large, sizeof large), MOTE_GRPC_ERR_SPACE);
}

static void what_is_on_its_way_is_not_dropped(void)
{
    mote_outbox_init(&o, ring, 20, MOTE_OUTBOX_DROP_OLDEST);
    put("12345678");
    put("abcdefgh");
    mote_outbox_partial(&o);
    CHECK_INT(put("xyz"), MOTE_AGAIN);
    mote_outbox_acknowledge(&o, 1);
    CHECK(strcmp(next(3), "12345678") == 0);
    mote_outbox_sent(&o);
    CHECK_INT(put("xyz"), 0);
    CHECK(strcmp(next(3), "abcdefgh") == 0);
    mote_outbox_rewind(&o);
    CHECK(strcmp(next(3), "abcdefgh") == 0);
}

static void messages_wrap_at_every_place(void)
{
    char text[32];

    mote_outbox_init(&o, ring, 37, MOTE_OUTBOX_DROP_OLDEST);
    for (unsigned i = 0; i < 500; i++) {
        size_t len = i % 23;
        memset(text, 'a' + (int)(i % 26), len);
        text[len] = '\0';
        CHECK_INT(put(text), 0);
        mote_outbox_rewind(&o);
        while (o.send_sequence + 1 < o.next_sequence)
            mote_outbox_sent(&o);
        CHECK(strcmp(next(1 + i % 5), text) == 0);
    }
    CHECK_INT(o.dropped + mote_outbox_count(&o), 500);
}

/* ---- storage ------------------------------------------------------------------------------- */

static uint8_t flash[64];
static int fails;

static int read_flash(void *context, size_t at, uint8_t *to, size_t len)
{
    CHECK(context == flash && at + len <= sizeof flash);
    memcpy(to, flash + at, len);
    return fails;
}

static int write_flash(void *context, size_t at, const uint8_t *from, size_t len)
{
    CHECK(context == flash && at + len <= sizeof flash);
    memcpy(flash + at, from, len);
    return fails;
}

static void the_ring_may_lie_in_flash(void)
{
    static const mote_outbox_storage storage = {flash, read_flash, write_flash};
    mote_outbox saved;
    size_t total = 0;

    mote_outbox_init_storage(&o, &storage, sizeof flash, MOTE_OUTBOX_DROP_OLDEST);
    for (int i = 0; i < 20; i++)
        CHECK_INT(put(i % 2 ? "a longer message" : "short"), 0);
    CHECK(strcmp(next(3), "a longer message") == 0 || strcmp(next(3), "short") == 0);
    saved = o; /* a device that was switched off goes on */
    memset(&o, 0, sizeof o);
    o = saved;
    mote_outbox_rewind(&o);
    CHECK_INT(mote_outbox_count(&o) > 0, 1);
    CHECK(strcmp(next(3), "nothing") != 0);
    fails = -77;
    CHECK_INT(put("x"), -77);
    CHECK_INT(mote_outbox_source(NULL, &o, 0, NULL, 0, &total), -77);
    uint64_t count = mote_outbox_count(&o);
    mote_outbox_sent(&o);
    mote_outbox_acknowledge(&o, 1000);
    CHECK_INT(mote_outbox_count(&o), count);
    fails = 0;
}

static void a_receiver_sees_each_message_once(void)
{
    mote_inbox in = {0};

    CHECK(mote_inbox_accept(&in, 1));
    CHECK(mote_inbox_accept(&in, 2));
    CHECK(!mote_inbox_accept(&in, 1));
    CHECK(!mote_inbox_accept(&in, 2));
    CHECK(mote_inbox_accept(&in, 5));
    CHECK_INT(in.duplicates, 2);
    CHECK_INT(in.missing, 2);
    CHECK_INT(in.last, 5);
}

/* ---- over a link that breaks --------------------------------------------------------------- */

enum { CALLS = 1, RX = 128, TX = 256, SAMPLES = 10000, BREAKS = 200, WIRE = 4096 };

static uint64_t memory[2][MOTE_GRPC_MEMORY(CALLS, RX, TX, 4096, 128, 8, 0) / 8];
static mote_grpc client, server;
static mote_grpc_call *call;
static uint8_t wires[2][WIRE];
static size_t wire_len[2];
static uint32_t seed = 11;
static mote_inbox inbox;
static uint64_t delivered;
static bool in_order = true;

static uint64_t number_of(const uint8_t *p)
{
    uint64_t n;

    memcpy(&n, p, sizeof n);
    return n;
}

/* The collector: stores, and acknowledges now and then. */
static int collect(mote_grpc_call *c, const mote_grpc_event *ev)
{
    mote_grpc_bytes ack = {(const uint8_t *)&inbox.last, sizeof inbox.last};

    if (ev->type == MOTE_GRPC_START) /* a sender learns first what is already here */
        return mote_grpc_send(c, mote_grpc_bytes_source, NULL, &ack, 0);
    if (ev->type != MOTE_GRPC_MESSAGE)
        return 0;
    uint64_t sequence = number_of(ev->data);
    if (mote_inbox_accept(&inbox, sequence)) {
        delivered++;
        in_order = in_order && sequence == delivered && ev->len == 8 + sequence % 60;
    }
    if (sequence % 16 == 0 || sequence == SAMPLES)
        return mote_grpc_send(c, mote_grpc_bytes_source, NULL, &ack, 0);
    return 0;
}

static const mote_grpc_method methods[] = {{"Stream", collect, false, false, NULL}};
static const mote_grpc_service services[] = {{"a.B", methods, 1}};
static const mote_hpack_field path = MOTE_HPACK_FIELD(":path", "/a.B/Stream");

static void connect_again(void)
{
    static mote_grpc_config c, s;

    c = (mote_grpc_config){.max_calls = CALLS,
                           .slots = 8,
                           .rx_size = RX,
                           .tx_size = TX,
                           .table_size = 4096,
                           .field_size = 128,
                           .authority = "x",
                           .services = services,
                           .service_count = 1};
    CHECK_INT(mote_grpc_init(&client, &c, memory[0], sizeof memory[0]), 0);
    s = c;
    s.server = true;
    CHECK_INT(mote_grpc_init(&server, &s, memory[1], sizeof memory[1]), 0);
    wire_len[0] = wire_len[1] = 0;
    CHECK_INT(mote_grpc_start(&client, &(mote_grpc_request){.path = &path}, &call), 0);
    mote_outbox_rewind(&o);
}

static void write_some(mote_grpc *g, int to)
{
    size_t len;
    const uint8_t *out = mote_grpc_peek(g, &len);

    if (!out)
        return;
    size_t n = 1 + test_random(&seed) % len;
    n = n < WIRE - wire_len[to] ? n : WIRE - wire_len[to];
    memcpy(wires[to] + wire_len[to], out, n);
    wire_len[to] += n;
    mote_grpc_ack(g, n);
}

static void client_recv(const uint8_t *in, size_t len)
{
    mote_grpc_event ev;
    size_t used;

    while (mote_grpc_recv(&client, in, len, &used, &ev) > 0) {
        in += used;
        len -= used;
        if (ev.type == MOTE_GRPC_MESSAGE)
            mote_outbox_acknowledge(&o, number_of(ev.data));
    }
}

static void read_some(int from)
{
    size_t n = wire_len[from] ? 1 + test_random(&seed) % wire_len[from] : 0;

    if (from == 0)
        mote_grpc_serve(&server, wires[0], n);
    else
        client_recv(wires[1], n);
    memmove(wires[from], wires[from] + n, wire_len[from] - n);
    wire_len[from] -= n;
}

static void send_all(void)
{
    while (mote_outbox_next(&o, NULL)) {
        if (mote_grpc_send(call, mote_outbox_source, NULL, &o, 0) != 0) {
            if (call->tx_sent > 0)
                mote_outbox_partial(&o);
            return;
        }
        mote_outbox_sent(&o);
    }
}

static void ten_thousand_samples_through_200_breaks(void)
{
    static uint8_t store[2048];
    uint8_t sample[80] = {0};
    unsigned breaks = 0;
    uint64_t turns = 0;

    mote_outbox_init(&o, store, sizeof store, MOTE_OUTBOX_REFUSE);
    connect_again();
    while (delivered < SAMPLES && turns++ < 2000000) {
        uint64_t sequence = mote_outbox_sequence(&o);
        memcpy(sample, &sequence, sizeof sequence);
        if (sequence <= SAMPLES && test_random(&seed) % 4)
            mote_outbox_put(&o, sample, 8 + sequence % 60);
        send_all();
        write_some(&client, 0);
        read_some(0);
        write_some(&server, 1);
        read_some(1);
        if (breaks < BREAKS && delivered * BREAKS / SAMPLES >= breaks &&
            test_random(&seed) % 8 == 0) {
            breaks++;
            connect_again();
        }
    }
    CHECK_INT(delivered, SAMPLES);
    CHECK_INT(inbox.missing, 0);
    CHECK(in_order);
    CHECK_INT(breaks, BREAKS);
    CHECK(inbox.duplicates > 0); /* the breaks did cost something */
    CHECK_INT(o.dropped, 0);
}

int main(void)
{
    RUN(messages_leave_when_they_are_acknowledged);
    RUN(a_full_ring_refuses_or_drops);
    RUN(what_is_on_its_way_is_not_dropped);
    RUN(messages_wrap_at_every_place);
    RUN(the_ring_may_lie_in_flash);
    RUN(a_receiver_sees_each_message_once);
    RUN(ten_thousand_samples_through_200_breaks);
    return test_summary();
}
