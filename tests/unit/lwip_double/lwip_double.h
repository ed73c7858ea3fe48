/* What port/lwip/net.c asks of lwIP 2.1's raw API, as its documents describe it: a double whose
 * functions do what test_lwip.c scripts. */
#ifndef LWIP_DOUBLE_H
#define LWIP_DOUBLE_H

#include <stddef.h>
#include <stdint.h>

typedef uint8_t u8_t;
typedef uint16_t u16_t;
typedef uint32_t u32_t;
typedef int8_t err_t;

enum { ERR_OK = 0, ERR_MEM = -1, ERR_RST = -14, ERR_ABRT = -13 };
enum { PBUF_RAW, PBUF_POOL, ETH_HWADDR_LEN = 6, TCP_WRITE_FLAG_COPY = 1, TCP_PRIO_MIN = 1 };
enum { NETIF_FLAG_BROADCAST = 2, NETIF_FLAG_ETHARP = 8, NETIF_FLAG_ETHERNET = 16 };

typedef struct {
    u32_t addr;
} ip4_addr_t;

struct pbuf {
    struct pbuf *next;
    void *payload;
    u16_t tot_len, len;
    unsigned ref;
};

struct netif {
    char name[2];
    u16_t mtu;
    u8_t hwaddr_len, hwaddr[ETH_HWADDR_LEN], flags;
    void *state;
    err_t (*output)(struct netif *netif, struct pbuf *p, const ip4_addr_t *to);
    err_t (*linkoutput)(struct netif *netif, struct pbuf *p);
    err_t (*input)(struct pbuf *p, struct netif *netif);
};

struct tcp_pcb;
typedef err_t (*tcp_connected_fn)(void *arg, struct tcp_pcb *pcb, err_t error);
typedef err_t (*tcp_recv_fn)(void *arg, struct tcp_pcb *pcb, struct pbuf *p, err_t error);
typedef err_t (*tcp_poll_fn)(void *arg, struct tcp_pcb *pcb);
typedef void (*tcp_err_fn)(void *arg, err_t error);

u32_t lwip_htonl(u32_t n);
void lwip_init(void);
void sys_check_timeouts(void);
struct netif *netif_add(struct netif *netif, const ip4_addr_t *address, const ip4_addr_t *mask,
                        const ip4_addr_t *gateway, void *state, err_t (*init)(struct netif *netif),
                        err_t (*input)(struct pbuf *p, struct netif *netif));
void netif_set_default(struct netif *netif);
void netif_set_link_up(struct netif *netif);
void netif_set_up(struct netif *netif);
err_t etharp_output(struct netif *netif, struct pbuf *p, const ip4_addr_t *to);
err_t ethernet_input(struct pbuf *p, struct netif *netif);

struct pbuf *pbuf_alloc(int layer, u16_t len, int type);
err_t pbuf_take(struct pbuf *p, const void *from, u16_t len);
void pbuf_ref(struct pbuf *p);
u8_t pbuf_free(struct pbuf *p);
void pbuf_cat(struct pbuf *head, struct pbuf *tail);

struct tcp_pcb *tcp_new(void);
void tcp_arg(struct tcp_pcb *pcb, void *arg);
void tcp_recv(struct tcp_pcb *pcb, tcp_recv_fn recv);
void tcp_err(struct tcp_pcb *pcb, tcp_err_fn err);
void tcp_poll(struct tcp_pcb *pcb, tcp_poll_fn poll, u8_t interval);
void tcp_setprio(struct tcp_pcb *pcb, u8_t priority);
void tcp_nagle_disable(struct tcp_pcb *pcb);
err_t tcp_connect(struct tcp_pcb *pcb, const ip4_addr_t *to, u16_t port,
                  tcp_connected_fn connected);
void tcp_recved(struct tcp_pcb *pcb, u16_t len);
u32_t tcp_sndbuf(const struct tcp_pcb *pcb); /* as with LWIP_WND_SCALE */
err_t tcp_write(struct tcp_pcb *pcb, const void *data, u16_t len, u8_t flags);
err_t tcp_output(struct tcp_pcb *pcb);
err_t tcp_shutdown(struct tcp_pcb *pcb, int rx, int tx);
err_t tcp_close(struct tcp_pcb *pcb);
void tcp_abort(struct tcp_pcb *pcb);

#endif
