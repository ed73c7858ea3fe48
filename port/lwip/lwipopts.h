/* lwIP 2.1 for one or two TCP connections without an operating system: nothing but IPv4, ARP, ICMP
 * and TCP, 9 KiB of RAM. */
#ifndef LWIPOPTS_H
#define LWIPOPTS_H

#define NO_SYS                    1
#define SYS_LIGHTWEIGHT_PROT      0
#define LWIP_SOCKET               0
#define LWIP_NETCONN              0
#define LWIP_UDP                  0
#define LWIP_DHCP                 0
#define LWIP_IPV6                 0
#define IP_REASSEMBLY             0
#define IP_FRAG                   0
#define LWIP_STATS                0
#define LWIP_NETIF_TX_SINGLE_PBUF 1 /* drivers get a frame in one piece */
#define LWIP_CHECKSUM_ON_COPY     1

#define MEM_ALIGNMENT           4
#define MEM_SIZE                3072
#define MEMP_NUM_TCP_PCB        2
#define MEMP_NUM_TCP_PCB_LISTEN 1
#define MEMP_NUM_TCP_SEG        8
#define MEMP_NUM_PBUF           4
#define PBUF_POOL_SIZE          4
#define PBUF_POOL_BUFSIZE       640

#define TCP_MSS            536
#define TCP_WND            (3 * TCP_MSS)
#define TCP_SND_BUF        (2 * TCP_MSS)
#define TCP_SND_QUEUELEN   8
#define LWIP_TCP_KEEPALIVE 1

/* Initial sequence numbers that nobody guesses (RFC 6528). */
#define LWIP_HOOK_TCP_ISN(local, local_port, remote, remote_port) mote_lwip_random()

#define TCP_QUEUE_OOSEQ 0

#ifdef MOTE_LWIP_PPP /* ppp.c: over a serial line instead */
#define LWIP_ARP         0
#define LWIP_ETHERNET    0
#define PPP_SUPPORT      1
#define PPPOS_SUPPORT    1
#define PAP_SUPPORT      1
#define CHAP_SUPPORT     1
#define VJ_SUPPORT       0
#define PPP_FCS_TABLE    0
#define PPP_IPV6_SUPPORT 0
#define MAXNAMELEN       64
#define MAXSECRETLEN     64
#define LCP_MAXECHOFAILS 3
#define PRINTPKT_SUPPORT 0
#endif

#endif
