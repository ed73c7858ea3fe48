/*
 * TCP for an engine, by lwIP 2.1 (Debian's source package, unpacked below build/ by build.sh) on a
 * polled Ethernet controller, or over PPP (ppp.h): no operating system, no interrupts, no heap. It
 * is a transport and nothing more: bytes go to mote_grpc_recv(), or through mote_tls_read() where
 * there is TLS.
 *
 * Everything happens inside of these functions; call mote_lwip_poll() often.
 */
#ifndef MOTE_LWIP_NET_H
#define MOTE_LWIP_NET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* ---- the controller: eth_lan9118.c, eth_stellaris.c, or yours ------------------------------ */

/* Prepares it, with this address. */
void mote_eth_begin(const uint8_t mac[6]);

/* A frame that has arrived, of at most `cap` bytes, without its checksum; its length, or 0: none.
 * A longer one is dropped. `frame` is aligned for uint32_t. */
size_t mote_eth_receive(uint8_t *frame, size_t cap);

/* Sends a frame of 14 bytes or more. */
void mote_eth_send(const uint8_t *frame, size_t len);

/* ---- the board ----------------------------------------------------------------------------- */

/* Yours: random bytes of a hardware generator, for port numbers and initial sequence numbers that
 * nobody guesses (RFC 6056, RFC 6528). emulated.c has one without randomness, for boards that are
 * only emulated. */
void mote_lwip_entropy(void *out, size_t len);

/* ---- the interface ------------------------------------------------------------------------- */

/* Addresses as a.b.c.d, most significant first. */
#define MOTE_IP(a, b, c, d)                                                                        \
    ((uint32_t)(a) << 24 | (uint32_t)(b) << 16 | (uint32_t)(c) << 8 | (uint32_t)(d))

/* Starts lwIP with a fixed address on an Ethernet controller. Once. */
void mote_lwip_begin(const uint8_t mac[6], uint32_t address, uint32_t netmask, uint32_t gateway);

/* Takes what has arrived, and the time in ms: lwIP's timers run here. */
void mote_lwip_poll(uint64_t now_ms);

/* For another interface than these two: the time in ms; lwIP's timers run here. */
void mote_lwip_tick(uint64_t now_ms);

/* ---- a connection -------------------------------------------------------------------------- */

/*
 * The life of a connection, as lwIP tells of it.
 *
 *   CLOSED -- mote_lwip_connect() --> CONNECTING -- SYN, ACK --> OPEN -- FIN --> PEER_CLOSED
 *   CONNECTING, OPEN, PEER_CLOSED -- refused, reset, timed out --> ABORTED
 *   any of them -- mote_lwip_close() --> CLOSED
 *
 * What has arrived can be read in any of them; bytes can be written while it is OPEN or
 * PEER_CLOSED.
 */
enum mote_lwip_state {
    MOTE_LWIP_CLOSED,
    MOTE_LWIP_CONNECTING,
    MOTE_LWIP_OPEN,
    MOTE_LWIP_PEER_CLOSED,
    MOTE_LWIP_ABORTED /* lwIP has freed its pcb */
};

/* Zero before its first use. The members are not for the user. */
typedef struct {
    enum mote_lwip_state state;
    void *pcb;       /* NULL exactly when CLOSED or ABORTED */
    void *received;  /* pbufs that are not read */
    size_t position; /* in the first of them */
} mote_lwip;

/* Begins to connect; what was open is aborted. False: out of memory, and it is over. */
bool mote_lwip_connect(mote_lwip *t, uint32_t address, uint16_t port);

/* True once it is connected, until it is over. */
bool mote_lwip_ready(const mote_lwip *t);

/* True: refused, reset, or closed by the peer and all of it was read. */
bool mote_lwip_over(const mote_lwip *t);

/* Bytes that have arrived, where they lie: *len of them, or NULL. Valid until mote_lwip_take(). */
const uint8_t *mote_lwip_peek(const mote_lwip *t, size_t *len);

/* The first `len` of the bytes were used: the peer may send more. */
void mote_lwip_take(mote_lwip *t, size_t len);

/* Copies bytes to what is to be sent, as many as there is room for; how many. */
size_t mote_lwip_write(mote_lwip *t, const uint8_t *out, size_t len);

/* Closes: what was written still leaves, and is not lost to a reset: what the peer has under way is
 * taken and thrown away for 5 s, up to its end. The object is free at once. */
void mote_lwip_close(mote_lwip *t);

#endif
