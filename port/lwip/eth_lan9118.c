/* SMSC LAN9118, as on mps2-an385, without interrupts. */
#include "net.h"

enum {
    RX_DATA = 0x00,
    TX_DATA = 0x20,
    RX_STATUS = 0x40,
    TX_STATUS = 0x48,
    TX_CFG = 0x70,
    RX_INF = 0x7c,
    TX_INF = 0x80,
    MAC_COMMAND = 0xa4,
    MAC_DATA = 0xa8
};
enum { MAC_CR = 1, MAC_ADDRESS_HIGH = 2, MAC_ADDRESS_LOW = 3 };
enum { TX_ON = 2, CR_TX = 8, CR_RX = 4, FIRST = 1 << 13, LAST = 1 << 12, BAD = 1 << 15 };

#define REGISTER(at) (*(volatile uint32_t *)(ETH_BASE + (at)))

static void mac_write(unsigned reg, uint32_t value)
{
    REGISTER(MAC_DATA) = value;
    REGISTER(MAC_COMMAND) = 0x80000000u | reg;
    while (REGISTER(MAC_COMMAND) & 0x80000000u)
        ;
}

void mote_eth_begin(const uint8_t mac[6])
{
    mac_write(MAC_ADDRESS_LOW,
              mac[0] | (uint32_t)mac[1] << 8 | (uint32_t)mac[2] << 16 | (uint32_t)mac[3] << 24);
    mac_write(MAC_ADDRESS_HIGH, mac[4] | (uint32_t)mac[5] << 8);
    REGISTER(TX_CFG) = TX_ON;
    mac_write(MAC_CR, CR_TX | CR_RX);
}

size_t mote_eth_receive(uint8_t *frame, size_t cap)
{
    while (REGISTER(RX_INF) >> 16 & 0xff) {
        uint32_t status = REGISTER(RX_STATUS);
        size_t len = status >> 16 & 0x3fff; /* with the checksum */
        uint32_t *to = (uint32_t *)(uintptr_t)frame;
        for (size_t at = 0; at < len; at += 4) {
            uint32_t word = REGISTER(RX_DATA);
            if (at + 4 <= cap)
                to[at / 4] = word;
        }
        if (!(status & BAD) && len > 4 && len <= cap)
            return len - 4;
    }
    return 0;
}

void mote_eth_send(const uint8_t *frame, size_t len)
{
    while ((REGISTER(TX_INF) & 0xffff) < len + 16)
        ;
    while (REGISTER(TX_INF) >> 16 & 0xff)
        (void)REGISTER(TX_STATUS);
    REGISTER(TX_DATA) = FIRST | LAST | (uint32_t)len;
    REGISTER(TX_DATA) = (uint32_t)len;
    for (size_t at = 0; at < len; at += 4) {
        uint32_t word = 0;
        for (size_t i = 0; i < 4 && at + i < len; i++)
            word |= (uint32_t)frame[at + i] << 8 * i;
        REGISTER(TX_DATA) = word;
    }
}
