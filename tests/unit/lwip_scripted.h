/* lwIP as a test scripts it: what is asked of it is noted, and how it answers is said before. */
#ifndef LWIP_SCRIPTED_H
#define LWIP_SCRIPTED_H

#include "../../port/lwip/net.h"
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

#endif
