/* lwIP's raw API as a polled transport. */
#include "net.h"

#include <lwip/tcp.h>
#include <lwip/timeouts.h>
#include <string.h>

enum { LINGER = 10 /* of half a second */ };

static uint32_t now;

u32_t sys_now(void)
{
    return now;
}

u32_t sys_jiffies(void) /* of PPP */
{
    return now;
}

uint32_t mote_lwip_random(void)
{
    uint32_t number = 0;

    mote_lwip_entropy(&number, sizeof number);
    return number;
}

void mote_lwip_tick(uint64_t now_ms)
{
    now = (uint32_t)now_ms;
    sys_check_timeouts();
}

/* ---- a connection -------------------------------------------------------------------------- */

static err_t on_connected(void *context, struct tcp_pcb *pcb, err_t error)
{
    mote_lwip *t = context;

    (void)pcb;
    (void)error;
    t->state = MOTE_LWIP_OPEN;
    return ERR_OK;
}

/* A chain counts to 65,535; with a larger window (LWIP_WND_SCALE) lwIP keeps the rest. */
static err_t on_received(void *context, struct tcp_pcb *pcb, struct pbuf *p, err_t error)
{
    mote_lwip *t = context;
    struct pbuf *all = t->received;

    (void)pcb;
    (void)error;
    if (!p)
        t->state = MOTE_LWIP_PEER_CLOSED;
    else if (!all)
        t->received = p;
    else if ((u32_t)all->tot_len + p->tot_len > 0xffff)
        return ERR_MEM;
    else
        pbuf_cat(all, p);
    return ERR_OK;
}

/* lwIP has freed the pcb. */
static void on_error(void *context, err_t error)
{
    mote_lwip *t = context;

    (void)error;
    t->pcb = NULL;
    t->state = MOTE_LWIP_ABORTED;
}

/* What is unread is thrown away. Whoever closes with something unread resets the connection (RFC
 * 1122 4.2.2.13), and what was written last would be lost with it. */
static void forget(mote_lwip *t)
{
    if (t->received && t->pcb)
        tcp_recved(t->pcb, (u16_t)(((struct pbuf *)t->received)->tot_len - t->position));
    if (t->received)
        pbuf_free(t->received);
    if (t->pcb) {
        tcp_arg(t->pcb, NULL);
        tcp_recv(t->pcb, NULL);
        tcp_err(t->pcb, NULL);
    }
}

/* ---- after the end ------------------------------------------------------------------------- */

/* What the peer had under way is taken, up to its end. */
static err_t on_late(void *context, struct tcp_pcb *pcb, struct pbuf *p, err_t error)
{
    (void)context;
    (void)error;
    if (p) {
        tcp_recved(pcb, p->tot_len);
        pbuf_free(p);
    } else {
        tcp_poll(pcb, NULL, 0);
    }
    return ERR_OK;
}

/* The peer does not end its side. */
static err_t on_overdue(void *context, struct tcp_pcb *pcb)
{
    (void)context;
    tcp_abort(pcb);
    return ERR_ABRT;
}

/* Ends our side; the pcb stays with lwIP until the peer has ended its side, or for 5 s, and makes
 * room when a new connection needs it. */
static void linger(struct tcp_pcb *pcb)
{
    tcp_recv(pcb, on_late);
    tcp_poll(pcb, on_overdue, LINGER);
    tcp_setprio(pcb, TCP_PRIO_MIN);
    if (tcp_shutdown(pcb, 0, 1) != ERR_OK)
        tcp_abort(pcb);
}

bool mote_lwip_connect(mote_lwip *t, uint32_t address, uint16_t port)
{
    ip4_addr_t to = {lwip_htonl(address)};

    forget(t);
    if (t->pcb)
        tcp_abort(t->pcb);
    memset(t, 0, sizeof *t);
    t->state = MOTE_LWIP_ABORTED; /* in case there is no memory */
    t->pcb = tcp_new();
    if (!t->pcb)
        return false;
    tcp_arg(t->pcb, t);
    tcp_recv(t->pcb, on_received);
    tcp_err(t->pcb, on_error);
    tcp_nagle_disable((struct tcp_pcb *)t->pcb);
    if (tcp_connect(t->pcb, &to, port, on_connected) != ERR_OK) {
        tcp_abort(t->pcb); /* on_error() */
        return false;
    }
    t->state = MOTE_LWIP_CONNECTING;
    return true;
}

bool mote_lwip_ready(const mote_lwip *t)
{
    return t->state >= MOTE_LWIP_OPEN && !mote_lwip_over(t);
}

bool mote_lwip_over(const mote_lwip *t)
{
    return t->state >= MOTE_LWIP_PEER_CLOSED && !t->received;
}

const uint8_t *mote_lwip_peek(const mote_lwip *t, size_t *len)
{
    const struct pbuf *p = t->received;

    if (!p)
        return NULL;
    *len = p->len - t->position;
    return (const uint8_t *)p->payload + t->position;
}

void mote_lwip_take(mote_lwip *t, size_t len)
{
    struct pbuf *p = t->received;

    t->position += len;
    if (t->pcb)
        tcp_recved(t->pcb, (u16_t)len);
    while (p && t->position == p->len) {
        t->position = 0;
        t->received = p->next;
        if (p->next)
            pbuf_ref(p->next);
        pbuf_free(p);
        p = t->received;
    }
}

size_t mote_lwip_write(mote_lwip *t, const uint8_t *out, size_t len)
{
    if (t->state != MOTE_LWIP_OPEN && t->state != MOTE_LWIP_PEER_CLOSED)
        return 0;
    if (len > tcp_sndbuf((struct tcp_pcb *)t->pcb))
        len = tcp_sndbuf((struct tcp_pcb *)t->pcb);
    if (len > 0xffff) /* of one tcp_write(); with LWIP_WND_SCALE there may be room for more */
        len = 0xffff;
    while (len > 0 && tcp_write(t->pcb, out, (u16_t)len, TCP_WRITE_FLAG_COPY) != ERR_OK)
        len /= 2; /* memory for less may be there */
    if (len > 0)
        tcp_output(t->pcb);
    return len;
}

void mote_lwip_close(mote_lwip *t)
{
    forget(t);
    if (t->state == MOTE_LWIP_OPEN)
        linger(t->pcb);
    else if (t->pcb && tcp_close(t->pcb) != ERR_OK)
        tcp_abort(t->pcb);
    memset(t, 0, sizeof *t);
}
