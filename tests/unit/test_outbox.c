/* The outbox: alone, in storage that is not memory, and over a link that breaks again and again. */
#include "outbox_link.h"

enum { SAMPLES = 10000, BREAKS = 200, WIRE = 4096 };

static uint8_t ring[64];

static int put(const char *text)
{
    return mote_outbox_put(&o, (const uint8_t *)text, strlen(text));
}

/* Sends all that there is; what has arrived. */
static const char *sent(void)
{
    heard[0] = '\0';
    for (int i = 0; i < 1000 && (mote_outbox_send(&o, call) == MOTE_AGAIN || carry(50)); i++)
        carry(50);
    return heard;
}

static void ledger_adds_up(uint64_t put_count, uint64_t acknowledged)
{
    CHECK_INT(mote_outbox_sequence(&o) - 1, put_count);
    CHECK_INT(acknowledged + mote_outbox_count(&o) + o.dropped, put_count);
}

/* ---- messages ------------------------------------------------------------------------------ */

static void messages_leave_when_they_are_acknowledged(void)
{
    mote_outbox_init(&o, ring, sizeof ring, MOTE_OUTBOX_REFUSE, EPOCH);
    CHECK_INT(o.epoch, EPOCH);
    CHECK_INT(mote_outbox_sequence(&o), 1);
    CHECK_INT(put("one"), 0);
    CHECK_INT(put("two"), 0);
    open_link();
    CHECK(strcmp(sent(), "one,two,") == 0);
    CHECK(strcmp(sent(), "") == 0);
    CHECK_INT(mote_outbox_count(&o), 2);
    CHECK(mote_outbox_acknowledge(&o, 1));
    CHECK_INT(mote_outbox_count(&o), 1);
    CHECK(mote_outbox_acknowledge(&o, 1)); /* again: nothing new */
    CHECK_INT(mote_outbox_count(&o), 1);
    open_link();
    CHECK(strcmp(sent(), "two,") == 0);
    CHECK(mote_outbox_acknowledge(&o, 2));
    CHECK_INT(mote_outbox_count(&o), 0);
    CHECK_INT(o.used, 0);
    ledger_adds_up(2, 2);
}

static void an_acknowledgement_of_what_was_never_sent_deletes_nothing(void)
{
    mote_outbox_init(&o, ring, sizeof ring, MOTE_OUTBOX_REFUSE, EPOCH);
    put("one");
    CHECK(!mote_outbox_acknowledge(&o, 1));
    open_link();
    CHECK(strcmp(sent(), "one,") == 0);
    put("two");
    CHECK(!mote_outbox_acknowledge(&o, 2));
    CHECK(!mote_outbox_acknowledge(&o, UINT64_MAX));
    CHECK_INT(o.wrong, 3);
    CHECK_INT(mote_outbox_count(&o), 2);
    CHECK(strcmp(sent(), "two,") == 0);
    CHECK(mote_outbox_acknowledge(&o, 2));
    ledger_adds_up(2, 2);
}

static void a_full_ring_refuses_or_drops(void)
{
    for (int drop = 0; drop < 2; drop++) {
        mote_outbox_init(&o, ring, 20, drop ? MOTE_OUTBOX_DROP_OLDEST : MOTE_OUTBOX_REFUSE, EPOCH);
        CHECK_INT(put("12345678"), 0);
        CHECK_INT(put("abcdefgh"), 0);
        CHECK_INT(put("x"), drop ? 0 : MOTE_AGAIN);
        CHECK_INT(o.dropped, drop);
        CHECK_INT(o.refused, !drop);
        CHECK_INT(put("a message that is too long"), MOTE_GRPC_ERR_SPACE);
        ledger_adds_up(drop ? 3 : 2, 0);
        open_link();
        CHECK(strcmp(sent(), drop ? "abcdefgh,x," : "12345678,abcdefgh,") == 0);
    }
    static uint8_t large[70000];
    CHECK_INT(mote_outbox_put(&o, large, sizeof large), MOTE_GRPC_ERR_SPACE);
}

/* Puts "aaaaaaaa" and others of that length, and sends but a part of the first. */
static void send_a_part(unsigned count)
{
    mote_outbox_init(&o, ring, 10 * count, MOTE_OUTBOX_DROP_OLDEST, EPOCH);
    for (unsigned i = 0; i < count; i++)
        CHECK_INT(put((char[9]){'a' + (char)i, 'a', 'a', 'a', 'a', 'a', 'a', 'a'}), 0);
    open_link();
    fill_window(9);
    CHECK_INT(mote_outbox_send(&o, call), MOTE_AGAIN);
    CHECK(o.partial);
}

/* Each number as the first that is young enough, with some that were sent and acknowledged. */
static void what_is_too_old_leaves(void)
{
    for (unsigned sent_count = 0; sent_count <= 4; sent_count++) {
        for (unsigned acknowledged = 0; acknowledged <= sent_count; acknowledged++) {
            for (unsigned before = 0; before <= 7; before++) {
                unsigned gone = before > 5 ? 4 : before > 0 ? before - 1 : 0; /* numbers to 4 */
                char wanted[16] = "";
                mote_outbox_init(&o, ring, sizeof ring, MOTE_OUTBOX_REFUSE, EPOCH);
                for (unsigned i = 1; i <= 4; i++) {
                    if (i == sent_count + 1) {
                        open_link();
                        sent();
                    }
                    CHECK_INT(put((char[2]){(char)('0' + i)}), 0);
                }
                if (sent_count == 4) {
                    open_link();
                    sent();
                }
                CHECK(acknowledged == 0 || mote_outbox_acknowledge(&o, acknowledged));
                CHECK_INT(mote_outbox_expire(&o, before), 0);
                CHECK_INT(o.expired, gone > acknowledged ? gone - acknowledged : 0);
                CHECK_INT(o.refused, 0);
                ledger_adds_up(4, acknowledged);
                unsigned stays = gone > acknowledged ? gone : acknowledged;
                for (unsigned i = stays + 1; i <= 4; i++)
                    snprintf(wanted + strlen(wanted), 4, "%u,", i);
                open_link();
                CHECK(strcmp(sent(), wanted) == 0);
                CHECK(strlen(wanted) == 0 || mote_outbox_acknowledge(&o, 4));
            }
        }
    }
}

static void what_is_too_old_and_half_sent_stays_until_it_is_sent(void)
{
    send_a_part(3);
    CHECK_INT(mote_outbox_expire(&o, 3), 0);
    CHECK_INT(o.expired, 0);
    sent();
    CHECK(strstr(heard, ",aaaaaaaa,baaaaaaa,caaaaaaa,"));
    CHECK_INT(mote_outbox_expire(&o, 3), 0);
    CHECK_INT(o.expired, 2);
    CHECK(mote_outbox_acknowledge(&o, 3));
    CHECK_INT(o.dropped, 0); /* they had arrived */
    ledger_adds_up(3, 3);
}

static void what_is_half_sent_is_finished_and_the_next_oldest_dropped(void)
{
    send_a_part(4);
    CHECK_INT(put("e"), 0);
    CHECK_INT(put("ffffffff"), 0);
    CHECK_INT(o.dropped, 2);
    ledger_adds_up(6, 0);
    CHECK(strstr(sent(), "filler") == heard);
    CHECK(strstr(heard, ",aaaaaaaa,daaaaaaa,e,ffffffff,"));
    CHECK(mote_outbox_acknowledge(&o, 1));
    CHECK_INT(mote_outbox_count(&o), 3);
    CHECK(mote_outbox_acknowledge(&o, 6));
    ledger_adds_up(6, 4);
}

static void only_when_it_fills_the_ring_alone_the_newest_is_refused(void)
{
    send_a_part(1);
    CHECK_INT(put("x"), MOTE_AGAIN);
    CHECK_INT(o.refused, 1);
    CHECK_INT(o.dropped, 0);
    sent();
    CHECK(strstr(heard, ",aaaaaaaa,"));
    CHECK_INT(put("x"), 0); /* what was sent may be pushed out */
    CHECK(strcmp(sent(), "x,") == 0);
    CHECK_INT(mote_outbox_count(&o), 2);
    CHECK(mote_outbox_acknowledge(&o, 2));
    ledger_adds_up(2, 2); /* and it had arrived */
}

static void a_link_that_breaks_in_the_middle_begins_the_message_again(void)
{
    send_a_part(3);
    mote_outbox_rewind(&o);
    put("dddd"); /* nothing is half sent any more: the oldest goes */
    CHECK_INT(o.gap, 0);
    send_a_part(3);
    put("dddd");
    open_link();
    CHECK(strcmp(sent(), "aaaaaaaa,caaaaaaa,dddd,") == 0);
    mote_outbox_acknowledge(&o, 4);
    ledger_adds_up(4, 3);
}

/* The acknowledgement comes on the next connection, while the message is half sent again. */
static void what_is_acknowledged_while_it_is_sent_again_leaves_when_it_is_sent(void)
{
    mote_outbox_init(&o, ring, 20, MOTE_OUTBOX_DROP_OLDEST, EPOCH);
    put("12345678");
    open_link();
    sent();
    open_link();
    fill_window(9);
    CHECK_INT(mote_outbox_send(&o, call), MOTE_AGAIN);
    CHECK(mote_outbox_acknowledge(&o, 1));
    CHECK_INT(mote_outbox_count(&o), 1);
    sent();
    CHECK_INT(mote_outbox_count(&o), 0);
}

static void what_had_arrived_is_not_called_dropped(void)
{
    mote_outbox_init(&o, ring, 20, MOTE_OUTBOX_DROP_OLDEST, EPOCH);
    put("12345678");
    put("abcdefgh");
    open_link();
    sent();
    mote_outbox_rewind(&o); /* the link is down */
    put("a1234567");
    put("b1234567");
    CHECK_INT(o.dropped, 0);
    CHECK_INT(mote_outbox_count(&o), 4);
    open_link();
    CHECK(mote_outbox_acknowledge(&o, 1)); /* the second one was on its way */
    CHECK(strcmp(sent(), "a1234567,b1234567,") == 0);
    CHECK_INT(o.dropped, 1);
    CHECK_INT(mote_outbox_count(&o), 2);
    put("c1234567");
    mote_outbox_acknowledge(&o, 4);
    ledger_adds_up(5, 3);
    CHECK_INT(o.dropped, 1);
}

/* One has arrived and is pushed out, the next is half sent when others are dropped, and then the
 * link breaks. */
static void a_gap_does_not_make_what_had_arrived_dropped(void)
{
    mote_outbox_init(&o, ring, 30, MOTE_OUTBOX_DROP_OLDEST, EPOCH);
    put("12345678");
    open_link();
    fill_window(22); /* 13 for this one, and 9 for a part of the next */
    CHECK_INT(mote_outbox_send(&o, call), 0);
    put("aaaaaaaa");
    CHECK_INT(mote_outbox_send(&o, call), MOTE_AGAIN);
    CHECK(o.partial);
    for (int i = 0; i < 5; i++)
        CHECK_INT(put("bbbbbbbb"), 0);
    CHECK_INT(o.unsure, 1);
    CHECK_INT(o.gap, 3);
    open_link();
    CHECK_INT(put("cccccccc"), 0);
    CHECK(mote_outbox_acknowledge(&o, 1));
    CHECK(strcmp(sent(), "bbbbbbbb,bbbbbbbb,cccccccc,") == 0);
    CHECK_INT(o.dropped, 4);
    ledger_adds_up(8, 1);
}

static void messages_wrap_at_every_place(void)
{
    char text[32], last[40] = "";
    uint64_t acknowledged = 0;

    mote_outbox_init(&o, ring, 37, MOTE_OUTBOX_DROP_OLDEST, EPOCH);
    open_link();
    for (unsigned i = 0; i < 500; i++) {
        size_t len = 1 + i % 23;
        memset(text, 'a' + (int)(i % 26), len);
        text[len] = '\0';
        CHECK_INT(put(text), 0);
        if (i % 3 == 0)
            continue; /* some stay, and are pushed out */
        snprintf(last, sizeof last, "%s,", text);
        CHECK(strstr(sent(), last));
        acknowledged = i + 1;
        CHECK(mote_outbox_acknowledge(&o, acknowledged));
    }
    CHECK_INT(mote_outbox_count(&o), 0);
    CHECK(o.dropped > 0 && o.dropped < 250);
}

static void messages_have_every_length(void)
{
    static const size_t lengths[] = {0, 1, 254, 255, 256, 257, 511, 512, 0x1234, 65534, 65535};
    static uint8_t large[70000], message[65536];

    for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
        mote_outbox_init(&o, large, 65537 + 3, MOTE_OUTBOX_REFUSE, EPOCH);
        CHECK_INT(mote_outbox_put(&o, message, lengths[i]), 0);
        CHECK_INT(o.used, 2 + lengths[i]);
        CHECK_INT(put("x"), 0);
        CHECK_INT(o.used, 2 + lengths[i] + 3);
        o.sent_sequence = 2;
        CHECK(mote_outbox_acknowledge(&o, 1));
        CHECK_INT(o.used, 3);
        CHECK_INT(o.first, 2 + lengths[i]);
        CHECK(mote_outbox_acknowledge(&o, 2));
        CHECK_INT(o.used, 0);
    }
    CHECK_INT(mote_outbox_put(&o, message, 65536), MOTE_GRPC_ERR_SPACE);
    mote_outbox_init(&o, ring, 10, MOTE_OUTBOX_REFUSE, EPOCH);
    CHECK_INT(mote_outbox_put(&o, message, 9), MOTE_GRPC_ERR_SPACE);
    CHECK_INT(mote_outbox_put(&o, message, 8), 0);
    CHECK_INT(mote_outbox_put(&o, message, 0), MOTE_AGAIN);
}

/* ---- receiving ------------------------------------------------------------------------------ */

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

static void an_epoch_begins_anew(void)
{
    mote_inbox known[3] = {{0}};

    CHECK(mote_inbox_accept(mote_inbox_find(known, 3, 10), 1));
    CHECK(mote_inbox_accept(mote_inbox_find(known, 3, 20), 1));
    CHECK(mote_inbox_accept(mote_inbox_find(known, 3, 10), 2));
    CHECK(!mote_inbox_accept(mote_inbox_find(known, 3, 20), 1));
    CHECK_INT(mote_inbox_find(known, 3, 10)->last, 2);
    mote_inbox_accept(mote_inbox_find(known, 3, 30), 5);
    mote_inbox_accept(mote_inbox_find(known, 3, 40), 6); /* in place of the oldest */
    CHECK_INT(mote_inbox_find(known, 3, 10)->last, 2);
    CHECK_INT(mote_inbox_find(known, 3, 30)->last, 5);
    CHECK_INT(mote_inbox_find(known, 3, 40)->last, 6);
    CHECK_INT(mote_inbox_find(known, 3, 20)->last, 0);
}

/* ---- over a link that breaks --------------------------------------------------------------- */

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
        return mote_grpc_send(c, &mote_grpc_bytes_source, &ack, 0);
    if (ev->type != MOTE_GRPC_MESSAGE)
        return 0;
    uint64_t sequence = number_of(ev->data);
    if (mote_inbox_accept(&inbox, sequence)) {
        delivered++;
        in_order = in_order && sequence == delivered && ev->len == 8 + sequence % 60;
    }
    if (sequence % 16 == 0 || sequence == SAMPLES)
        return mote_grpc_send(c, &mote_grpc_bytes_source, &ack, 0);
    return 0;
}

static const mote_grpc_method stream = {"Stream", collect, NULL, NULL, NULL, false, false};
static const mote_hpack_field stream_path = MOTE_HPACK_FIELD(":path", "/a.C/Stream");

static void break_link(void)
{
    connect_again(&stream_path);
    wire_len[0] = wire_len[1] = 0;
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
            CHECK(mote_outbox_acknowledge(&o, number_of(ev.data)));
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

static void ten_thousand_samples_through_200_breaks(void)
{
    static uint8_t store[2048];
    uint8_t sample[80] = {0};
    unsigned breaks = 0;
    uint64_t turns = 0;

    services[1] = (mote_grpc_service){"a.C", &stream, 1, false};
    mote_outbox_init(&o, store, sizeof store, MOTE_OUTBOX_REFUSE, EPOCH);
    break_link();
    while (delivered < SAMPLES && turns++ < 2000000) {
        uint64_t sequence = mote_outbox_sequence(&o);
        memcpy(sample, &sequence, sizeof sequence);
        if (sequence <= SAMPLES && test_random(&seed) % 4)
            mote_outbox_put(&o, sample, 8 + sequence % 60);
        mote_outbox_send(&o, call);
        write_some(&client, 0);
        read_some(0);
        write_some(&server, 1);
        read_some(1);
        if (breaks < BREAKS && delivered * BREAKS / SAMPLES >= breaks &&
            test_random(&seed) % 8 == 0) {
            breaks++;
            break_link();
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
    RUN(an_acknowledgement_of_what_was_never_sent_deletes_nothing);
    RUN(a_full_ring_refuses_or_drops);
    RUN(what_is_too_old_leaves);
    RUN(what_is_too_old_and_half_sent_stays_until_it_is_sent);
    RUN(what_is_half_sent_is_finished_and_the_next_oldest_dropped);
    RUN(only_when_it_fills_the_ring_alone_the_newest_is_refused);
    RUN(a_link_that_breaks_in_the_middle_begins_the_message_again);
    RUN(what_is_acknowledged_while_it_is_sent_again_leaves_when_it_is_sent);
    RUN(what_had_arrived_is_not_called_dropped);
    RUN(a_gap_does_not_make_what_had_arrived_dropped);
    RUN(messages_wrap_at_every_place);
    RUN(messages_have_every_length);
    RUN(a_receiver_sees_each_message_once);
    RUN(an_epoch_begins_anew);
    RUN(ten_thousand_samples_through_200_breaks);
    return test_summary();
}
