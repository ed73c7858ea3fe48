/*
 * ppp: lwIP over a serial line, as a modem brings it to the network after "ATD*99#" and "CONNECT"
 * (3GPP TS 27.007 10.2). Beside net.h, whose connections then go over it, and in place of its
 * Ethernet controller: compile lwIP with MOTE_LWIP_PPP (lwipopts.h), and its netif/ppp.
 */
#ifndef MOTE_LWIP_PPP_H
#define MOTE_LWIP_PPP_H

#include "net.h"

/*
 *   DOWN -- mote_ppp_open() --> NEGOTIATES -- both have agreed --> UP
 *   NEGOTIATES, UP -- the peer says so, or does not answer any more --> DOWN
 *   NEGOTIATES, UP -- mote_ppp_close() --> DOWN
 *
 * A modem that is gone is noticed by LCP's echoes (echo_s).
 */
enum mote_ppp_state { MOTE_PPP_DOWN, MOTE_PPP_NEGOTIATES, MOTE_PPP_UP };

typedef struct {
    void (*write)(const uint8_t *out, size_t len); /* sends bytes on the line, all of them */
    const char *user, *password;                   /* for PAP or CHAP; NULL: none */
    uint8_t echo_s; /* so often the modem is asked whether it is there (LCP Echo-Request, RFC 1661
                       5.8), which no network sees; without four answers it is not. 0: never */
} mote_ppp_config;

/* Starts lwIP. Once. *config stays the caller's. Where lwIP has no room for an interface
 * (MEMP_NUM_PPP_PCB), mote_ppp_open() says so. */
void mote_ppp_begin(const mote_ppp_config *config);

/* The modem is in data mode: LCP begins. Without effect unless it is DOWN; false: no memory. */
bool mote_ppp_open(void);

/* The modem is in data mode no more ("NO CARRIER", DCD): nothing is said. What is open on it ends
 * with its own time-outs; mote_lwip_close() ends it at once. */
void mote_ppp_close(void);

enum mote_ppp_state mote_ppp_look(void);

/* The number by which lwIP said last why it is down (PPPERR_... of netif/ppp/ppp.h); 0: it was not.
 */
int mote_ppp_error(void);

/* Takes what has arrived while the modem is in data mode. */
void mote_ppp_receive(const uint8_t *in, size_t len);

/* Takes the time in ms, as mote_lwip_poll(). */
void mote_ppp_poll(uint64_t now_ms);

#endif
