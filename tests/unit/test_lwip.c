/* port/lwip over a double of lwIP: memory that runs out, chains of bytes, errors at every point,
 * and ends that lose nothing. That lwIP is as the double says is shown on emulated boards
 * (tests/lwip.sh). */
#include "../../port/lwip/ethernet.c"
#include "../../port/lwip/net.c"
#include "../test.h"

/* A pcb: what was registered, and what was asked of it. */
struct tcp_pcb {
    void *arg;
    tcp_connected_fn connected;
    tcp_recv_fn recv;
    tcp_poll_fn poll;
    tcp_err_fn err;
    u8_t interval, priority;
    bool freed;
};

static struct tcp_pcb pcbs[4];
static unsigned pcb_count, pbufs, entropies;
static char did[256];              /* what was asked of lwIP, a letter each, numbers behind it */
static uint8_t written[65536];     /* by tcp_write() */
static size_t written_len, unread; /* what lwIP has handed over, and did not hear of again */
static u32_t room;
static size_t memory_left; /* for tcp_write() */
static bool no_pcb;
static err_t connect_result, close_result;
static mote_lwip t;

static void note(const char *what)
{
    CHECK(strlen(did) + strlen(what) < sizeof did);
    strcat(did, what);
}

static void noted(const char *wanted)
{
    if (strcmp(did, wanted) != 0)
        fprintf(stderr, "  done: \"%s\"\n", did);
    CHECK(strcmp(did, wanted) == 0);
    did[0] = '\0';
}

/* ---- the double ---------------------------------------------------------------------------- */

u32_t lwip_htonl(u32_t n)
{
    return n;
}
void lwip_init(void)
{
}
void sys_check_timeouts(void)
{
}
void netif_set_default(struct netif *netif)
{
    (void)netif;
}
void netif_set_link_up(struct netif *netif)
{
    (void)netif;
}
void netif_set_up(struct netif *netif)
{
    (void)netif;
}
void mote_eth_begin(const uint8_t mac[6])
{
    (void)mac;
}
void mote_eth_send(const uint8_t *frame, size_t len)
{
    (void)frame, (void)len;
}
size_t mote_eth_receive(uint8_t *frame, size_t cap)
{
    return (void)frame, (void)cap, 0;
}

struct netif *netif_add(struct netif *netif, const ip4_addr_t *address, const ip4_addr_t *mask,
                        const ip4_addr_t *gateway, void *state, err_t (*init)(struct netif *netif),
                        err_t (*input)(struct pbuf *p, struct netif *netif))
{
    (void)address, (void)mask, (void)gateway, (void)state, (void)init, (void)input;
    return netif;
}
err_t etharp_output(struct netif *netif, struct pbuf *p, const ip4_addr_t *to)
{
    return (void)netif, (void)p, (void)to, ERR_OK;
}
err_t ethernet_input(struct pbuf *p, struct netif *netif)
{
    return (void)p, (void)netif, ERR_OK;
}

void mote_lwip_entropy(void *out, size_t len)
{
    memset(out, (int)++entropies, len);
}

struct pbuf *pbuf_alloc(int layer, u16_t len, int type)
{
    struct pbuf *p = calloc(1, sizeof *p + len + 1u);

    (void)layer, (void)type;
    p->payload = p + 1;
    p->tot_len = p->len = len;
    p->ref = 1;
    pbufs++;
    return p;
}
err_t pbuf_take(struct pbuf *p, const void *from, u16_t len)
{
    memcpy(p->payload, from, len);
    return ERR_OK;
}
void pbuf_ref(struct pbuf *p)
{
    p->ref++;
}
u8_t pbuf_free(struct pbuf *p)
{
    while (p && --p->ref == 0) {
        struct pbuf *next = p->next;
        free(p);
        pbufs--;
        p = next;
    }
    return 0;
}
void pbuf_cat(struct pbuf *head, struct pbuf *tail)
{
    for (; head->next; head = head->next)
        head->tot_len = (u16_t)(head->tot_len + tail->tot_len);
    head->tot_len = (u16_t)(head->tot_len + tail->tot_len);
    head->next = tail;
}

struct tcp_pcb *tcp_new(void)
{
    return no_pcb ? NULL : &pcbs[pcb_count++];
}
void tcp_arg(struct tcp_pcb *pcb, void *arg)
{
    pcb->arg = arg;
}
void tcp_recv(struct tcp_pcb *pcb, tcp_recv_fn recv)
{
    pcb->recv = recv;
}
void tcp_err(struct tcp_pcb *pcb, tcp_err_fn err)
{
    pcb->err = err;
}
void tcp_poll(struct tcp_pcb *pcb, tcp_poll_fn poll, u8_t interval)
{
    pcb->poll = poll;
    pcb->interval = interval;
}
void tcp_setprio(struct tcp_pcb *pcb, u8_t priority)
{
    pcb->priority = priority;
}
void tcp_nagle_disable(struct tcp_pcb *pcb)
{
    (void)pcb;
}
err_t tcp_connect(struct tcp_pcb *pcb, const ip4_addr_t *to, u16_t port, tcp_connected_fn connected)
{
    char text[32];

    pcb->connected = connected;
    snprintf(text, sizeof text, "C%x:%u ", (unsigned)to->addr, port);
    note(text);
    return connect_result;
}
void tcp_recved(struct tcp_pcb *pcb, u16_t len)
{
    CHECK(!pcb->freed && len <= unread);
    unread -= len;
}
u32_t tcp_sndbuf(const struct tcp_pcb *pcb)
{
    return (void)pcb, room;
}
err_t tcp_write(struct tcp_pcb *pcb, const void *data, u16_t len, u8_t flags)
{
    CHECK(!pcb->freed && len > 0 && len <= room && flags == TCP_WRITE_FLAG_COPY);
    if (len > memory_left)
        return ERR_MEM;
    memcpy(written + written_len, data, len);
    written_len += len;
    memory_left -= len;
    room -= len;
    return ERR_OK;
}
err_t tcp_output(struct tcp_pcb *pcb)
{
    CHECK(!pcb->freed);
    note("O");
    return ERR_OK;
}
/* As lwIP 2.1.3's: who closes both sides with something unread sends a reset. */
err_t tcp_close(struct tcp_pcb *pcb)
{
    CHECK(!pcb->freed);
    note(close_result != ERR_OK ? "c" : unread > 0 ? "RESET" : "F");
    pcb->freed = close_result == ERR_OK;
    return close_result;
}
err_t tcp_shutdown(struct tcp_pcb *pcb, int rx, int tx)
{
    CHECK(!pcb->freed && !rx && tx);
    note(close_result != ERR_OK ? "s" : "S");
    return close_result;
}
void tcp_abort(struct tcp_pcb *pcb)
{
    CHECK(!pcb->freed);
    pcb->freed = true;
    note("A");
    if (pcb->err)
        pcb->err(pcb->arg, ERR_ABRT);
}

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
