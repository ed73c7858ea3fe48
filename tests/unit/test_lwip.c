/* port/lwip over a double of lwIP: memory that runs out, chains of bytes, errors at every point,
 * and ends that lose nothing. That lwIP is as the double says is shown on emulated boards
 * (tests/lwip.sh). */
#include "../../port/lwip/ethernet.c"
#include "../../port/lwip/net.c"
#include "../test.h"
#include "lwip_scripted.h"

/* ---- what happens -------------------------------------------------------------------------- */

static void begin_test(void)
{
    mote_lwip_close(&t);
    CHECK_INT(pbufs, 0);
    memset(pcbs, 0, sizeof pcbs);
    memset(&t, 0, sizeof t);
    pcb_count = 0;
    did[0] = '\0';
    written_len = unread = 0;
    room = 1072;
    memory_left = sizeof written;
    no_pcb = false;
    connect_result = close_result = ERR_OK;
}

static struct tcp_pcb *last(void)
{
    return &pcbs[pcb_count - 1];
}

static void arrive(const char *text, size_t len, size_t link)
{
    struct pbuf *all = NULL;

    for (size_t at = 0; at < len; at += link) {
        size_t n = len - at < link ? len - at : link;
        struct pbuf *p = pbuf_alloc(PBUF_RAW, (u16_t)n, PBUF_POOL);
        pbuf_take(p, text + at, (u16_t)n);
        if (all)
            pbuf_cat(all, p);
        else
            all = p;
    }
    unread += len;
    CHECK_INT(last()->recv(last()->arg, last(), all, ERR_OK), ERR_OK);
}

static void peer_ends(void)
{
    CHECK_INT(last()->recv(last()->arg, last(), NULL, ERR_OK), ERR_OK);
}

static void fails(void)
{
    last()->freed = true;
    last()->err(last()->arg, ERR_RST);
}

static void open_it(void)
{
    begin_test();
    CHECK(mote_lwip_connect(&t, MOTE_IP(10, 0, 2, 2), 443));
    noted("Ca000202:443 ");
    last()->connected(last()->arg, last(), ERR_OK);
    CHECK(mote_lwip_ready(&t) && !mote_lwip_over(&t));
}

static void read_all(const char *wanted, size_t len, size_t piece)
{
    size_t at = 0, n;
    const uint8_t *in;

    while ((in = mote_lwip_peek(&t, &n))) {
        CHECK(n > 0);
        n = n < piece ? n : piece;
        CHECK(at + n <= len && memcmp(in, wanted + at, n) == 0);
        at += n;
        mote_lwip_take(&t, n);
    }
    CHECK_INT(at, len);
    CHECK_INT(pbufs, 0);
}

/* ---- tests --------------------------------------------------------------------------------- */

static void a_connection_that_cannot_begin_is_over(void)
{
    begin_test();
    no_pcb = true;
    CHECK(!mote_lwip_connect(&t, 1, 2));
    CHECK(mote_lwip_over(&t) && !mote_lwip_ready(&t));
    CHECK_INT(mote_lwip_write(&t, (const uint8_t *)"x", 1), 0);
    begin_test();
    connect_result = ERR_MEM;
    CHECK(!mote_lwip_connect(&t, 1, 2));
    noted("C1:2 A");
    CHECK(mote_lwip_over(&t) && !mote_lwip_ready(&t));
    begin_test();
    CHECK(mote_lwip_connect(&t, 1, 2));
    CHECK(!mote_lwip_ready(&t) && !mote_lwip_over(&t));
    CHECK_INT(mote_lwip_write(&t, (const uint8_t *)"x", 1), 0);
    fails();
    CHECK(mote_lwip_over(&t) && !mote_lwip_ready(&t));
    CHECK_INT(mote_lwip_write(&t, (const uint8_t *)"x", 1), 0);
}

/* Chains of any links are read in pieces of any size, also when the connection has ended since, and
 * lwIP hears of each byte once. */
static void what_has_arrived_is_read(void)
{
    char text[40];

    for (size_t i = 0; i < sizeof text; i++)
        text[i] = (char)('a' + i % 26);
    for (size_t link = 1; link <= 20; link++) {
        for (size_t piece = 1; piece <= 20; piece++) {
            for (int end = 0; end < 3; end++) {
                open_it();
                arrive(text, 20, link);
                arrive(text + 20, 20, 41 - link);
                if (end == 1)
                    peer_ends();
                if (end == 2)
                    fails();
                CHECK(mote_lwip_ready(&t) && !mote_lwip_over(&t));
                read_all(text, sizeof text, piece);
                CHECK_INT(unread, end == 2 ? sizeof text : 0);
                CHECK_INT(mote_lwip_over(&t), end > 0);
            }
        }
    }
}

/* Memory for all of it, for some, or for none. */
/* More than one chain can count, as with a scaled window: lwIP keeps what is not taken, and brings
 * it again. */
static void what_a_chain_cannot_count_stays_with_lwip(void)
{
    static char text[65535];

    for (size_t i = 0; i < sizeof text; i++)
        text[i] = (char)(i * 31 >> 3);
    open_it();
    arrive(text, 60000, 1460);
    arrive(text + 60000, 5535, 5535);
    struct pbuf *more = pbuf_alloc(PBUF_RAW, 1, PBUF_POOL);
    CHECK_INT(last()->recv(last()->arg, last(), more, ERR_OK), ERR_MEM);
    pbuf_free(more);
    read_all(text, sizeof text, 1000);
    CHECK_INT(unread, 0);
    arrive("again", 5, 5);
    read_all("again", 5, 5);
}

static void as_much_is_written_as_there_is_memory_for(void)
{
    static const struct {
        size_t len, memory, takes;
        u32_t room;
    } rows[] = {{100, 1000, 100, 1072},
                {100, 1000, 50, 50},
                {100, 99, 50, 1072},
                {100, 25, 25, 1072},
                {100, 24, 12, 1072},
                {100, 1, 1, 1072},
                {100, 0, 0, 1072},
                {100, 1000, 0, 0},
                {1, 0, 0, 1072},
                {1, 1, 1, 1072},
                {5000, 5000, 1072, 1072},
                {70000, 65535, 65535, 100000},
                {65536, 40000, 32767, 65536}};
    static uint8_t data[70000];

    for (size_t i = 0; i < sizeof data; i++)
        data[i] = (uint8_t)i;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        open_it();
        memory_left = rows[i].memory;
        room = rows[i].room;
        CHECK_INT(mote_lwip_write(&t, data, rows[i].len), rows[i].takes);
        noted(rows[i].takes > 0 ? "O" : "");
        CHECK(written_len == rows[i].takes && memcmp(written, data, written_len) == 0);
    }
}

/* What was written last is not lost to a reset, whatever is unread and comes late; and the object
 * is free at once. */
static void a_close_resets_nothing(void)
{
    for (int unread_bytes = 0; unread_bytes < 3; unread_bytes++) {
        for (int ended = 0; ended < 2; ended++) {
            open_it();
            if (unread_bytes)
                arrive("unread", 6, 4);
            if (unread_bytes == 2)
                mote_lwip_take(&t, 2);
            if (ended)
                peer_ends();
            CHECK_INT(mote_lwip_write(&t, (const uint8_t *)"goodbye", 7), 7);
            mote_lwip_close(&t);
            noted(ended ? "OF" : "OS");
            CHECK_INT(unread, 0);
            CHECK_INT(pbufs, 0);
            CHECK(!mote_lwip_ready(&t) && !t.pcb && !t.received);
            if (ended)
                continue;
            CHECK_INT(last()->priority, TCP_PRIO_MIN);
            CHECK_INT(last()->interval, 10);
            arrive("late", 4, 1);
            CHECK_INT(unread, 0);
            CHECK_INT(pbufs, 0);
            struct tcp_pcb *old = last();
            CHECK(mote_lwip_connect(&t, 7, 8)); /* beside the one that lingers */
            noted("C7:8 ");
            CHECK_INT(old->recv(old->arg, old, NULL, ERR_OK), ERR_OK);
            CHECK(!old->poll);
            CHECK(t.state == MOTE_LWIP_CONNECTING && t.pcb == last());
        }
    }
}

static void a_peer_that_does_not_end_is_aborted(void)
{
    open_it();
    mote_lwip_close(&t);
    noted("S");
    CHECK_INT(last()->poll(last()->arg, last()), ERR_ABRT);
    noted("A");
}

static void without_memory_for_an_end_it_is_aborted(void)
{
    for (int ended = 0; ended < 2; ended++) {
        open_it();
        if (ended)
            peer_ends();
        close_result = ERR_MEM;
        mote_lwip_close(&t);
        noted(ended ? "cA" : "sA");
        CHECK(!mote_lwip_ready(&t) && !t.pcb);
    }
}

static void close_in_every_state(void)
{
    begin_test();
    mote_lwip_close(&t);
    noted("");
    CHECK(mote_lwip_connect(&t, 1, 2));
    mote_lwip_close(&t);
    noted("C1:2 F");
    open_it();
    fails();
    mote_lwip_close(&t);
    noted("");
    open_it();
    arrive("unread", 6, 6);
    fails();
    mote_lwip_close(&t);
    noted("");
    CHECK_INT(pbufs, 0);
}

/* What was open is aborted. */
static void a_new_connection_takes_the_place_of_one(void)
{
    open_it();
    arrive("unread", 6, 2);
    CHECK(mote_lwip_connect(&t, 3, 4));
    noted("AC3:4 ");
    CHECK(pcbs[0].freed && t.pcb == &pcbs[1] && t.state == MOTE_LWIP_CONNECTING);
    CHECK_INT(pbufs, 0);
}

static void numbers_come_from_the_board(void)
{
    unsigned before = entropies;

    CHECK(mote_lwip_random() != mote_lwip_random());
    CHECK_INT(entropies, before + 2);
}

int main(void)
{
    RUN(a_connection_that_cannot_begin_is_over);
    RUN(what_has_arrived_is_read);
    RUN(what_a_chain_cannot_count_stays_with_lwip);
    RUN(as_much_is_written_as_there_is_memory_for);
    RUN(a_close_resets_nothing);
    RUN(a_peer_that_does_not_end_is_aborted);
    RUN(without_memory_for_an_end_it_is_aborted);
    RUN(close_in_every_state);
    RUN(a_new_connection_takes_the_place_of_one);
    RUN(numbers_come_from_the_board);
    return test_summary();
}
