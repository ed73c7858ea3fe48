/* The interface of lwIP on a polled Ethernet controller. */
#include "net.h"

#include <lwip/etharp.h>
#include <lwip/init.h>
#include <netif/ethernet.h>
#include <string.h>

enum { FRAME = 1516 };

static struct netif interface;

/* ---- the interface ------------------------------------------------------------------------- */

static err_t send_frame(struct netif *netif, struct pbuf *p)
{
    (void)netif;
    mote_eth_send(p->payload, p->len); /* one piece: LWIP_NETIF_TX_SINGLE_PBUF */
    return ERR_OK;
}

static err_t begin(struct netif *netif)
{
    netif->name[0] = 'e';
    netif->name[1] = 't';
    netif->mtu = 1500;
    netif->hwaddr_len = ETH_HWADDR_LEN;
    memcpy(netif->hwaddr, netif->state, ETH_HWADDR_LEN);
    netif->flags = NETIF_FLAG_BROADCAST | NETIF_FLAG_ETHARP | NETIF_FLAG_ETHERNET;
    netif->output = etharp_output;
    netif->linkoutput = send_frame;
    return ERR_OK;
}

void mote_lwip_begin(const uint8_t mac[6], uint32_t address, uint32_t netmask, uint32_t gateway)
{
    ip4_addr_t a = {lwip_htonl(address)}, m = {lwip_htonl(netmask)}, g = {lwip_htonl(gateway)};

    mote_eth_begin(mac);
    lwip_init();
    netif_add(&interface, &a, &m, &g, (void *)(uintptr_t)mac, begin, ethernet_input);
    netif_set_default(&interface);
    netif_set_link_up(&interface);
    netif_set_up(&interface);
}

static void receive_frame(const uint8_t *frame, size_t len)
{
    struct pbuf *p = pbuf_alloc(PBUF_RAW, (u16_t)len, PBUF_POOL);

    if (!p) /* TCP sends it again */
        return;
    pbuf_take(p, frame, (u16_t)len);
    if (interface.input(p, &interface) != ERR_OK)
        pbuf_free(p);
}

void mote_lwip_poll(uint64_t now_ms)
{
    static uint32_t frame[FRAME / 4];
    size_t len;

    while ((len = mote_eth_receive((uint8_t *)frame, sizeof frame)) > 0)
        receive_frame((const uint8_t *)frame, len);
    mote_lwip_tick(now_ms);
}
