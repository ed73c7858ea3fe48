/* The Ethernet controller of Stellaris (LM3S6965), without interrupts. */
#include "net.h"

enum {
    RX_CONTROL = 0x08,
    TX_CONTROL = 0x0c,
    DATA = 0x10,
    ADDRESS_LOW = 0x14,
    ADDRESS_HIGH = 0x18,
    TX_THRESHOLD = 0x1c,
    FRAMES = 0x34,
    TX_REQUEST = 0x38
};
enum { RX_ON = 1, RX_DROP_BAD = 8, TX_ON = 1, TX_PAD = 2, TX_CHECKSUM = 4, TX_DUPLEX = 16 };

#define REGISTER(at) (*(volatile uint32_t *)(ETH_BASE + (at)))

void mote_eth_begin(const uint8_t mac[6])
{
    REGISTER(ADDRESS_LOW) =
        mac[0] | (uint32_t)mac[1] << 8 | (uint32_t)mac[2] << 16 | (uint32_t)mac[3] << 24;
    REGISTER(ADDRESS_HIGH) = mac[4] | (uint32_t)mac[5] << 8;
    REGISTER(TX_THRESHOLD) = 0x3f; /* frames leave when they are complete */
    REGISTER(TX_CONTROL) = TX_ON | TX_PAD | TX_CHECKSUM | TX_DUPLEX;
    REGISTER(RX_CONTROL) = RX_ON | RX_DROP_BAD;
}

/* A frame in the FIFO begins with its length of two bytes, which counts them and the checksum. */
size_t mote_eth_receive(uint8_t *frame, size_t cap)
{
    while (REGISTER(FRAMES) & 0x3f) {
        uint32_t word = REGISTER(DATA);
        size_t all = word & 0xffff, len = all > 6 ? all - 6 : 0;
        size_t at = 0;
        for (size_t i = 2; i < all; i++) {
            if (i % 4 == 0)
                word = REGISTER(DATA);
            if (at < len && at < cap)
                frame[at++] = (uint8_t)(word >> 8 * (i % 4));
        }
        if (len > 0 && len <= cap)
            return len;
    }
    return 0;
}

/* The same for sending, where the length is that of what follows the header of 14 bytes. */
void mote_eth_send(const uint8_t *frame, size_t len)
{
    uint32_t word = (uint32_t)(len - 14);

    while (REGISTER(TX_REQUEST) & 1)
        ;
    for (size_t i = 2; i < len + 2; i++) {
        word |= (uint32_t)frame[i - 2] << 8 * (i % 4);
        if (i % 4 == 3 || i == len + 1) {
            REGISTER(DATA) = word;
            word = 0;
        }
    }
    REGISTER(TX_REQUEST) = 1;
}
