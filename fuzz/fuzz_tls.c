/* The adapter of TLS with a transport that the fuzzer drives: bytes are cut, changed, lost and
 * doubled between two sides, or are the fuzzer's own. Whatever happens, what arrives is what was
 * sent, from its beginning. */
#include "../tls/tls.h"
#include "fuzz.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum { WIRE = 1 << 15, DATA = 1 << 12 };

typedef struct {
    mote_tls *tls;
    uint64_t memory[MOTE_TLS_MEMORY / 8];
    uint8_t wire[WIRE]; /* what is on its way to this side */
    size_t wire_len;
    uint8_t received[DATA];
    size_t received_len, sent_len;
    bool ended;
} side;

static mote_tls_context *contexts[2];
static uint64_t context_memory[2][MOTE_TLS_CONTEXT_MEMORY / 8];
static side sides[2]; /* client, server */
static uint8_t message[DATA];

static void prepare(void)
{
    mote_tls_config config = {.psk = {"0123456789abcdef", 16}, .psk_identity = {"sensor-7", 8}};
    const char *why;

    for (size_t i = 0; i < DATA; i++)
        message[i] = (uint8_t)(i * 7 + i / 251);
    for (int i = 0; i < 2; i++) {
        config.server = i == 1;
        config.session_s = i == 1 ? 100 : 0;
        if (mote_tls_context_init(&contexts[i], &config, context_memory[i],
                                  sizeof context_memory[i], &why) < 0)
            abort();
    }
}

static void take_output(int i)
{
    side *s = &sides[i], *to = &sides[!i];
    const uint8_t *out;
    size_t len;

    while ((out = mote_tls_peek(s->tls, &len)) && to->wire_len < WIRE) {
        len = len < WIRE - to->wire_len ? len : WIRE - to->wire_len;
        memcpy(to->wire + to->wire_len, out, len);
        to->wire_len += len;
        mote_tls_ack(s->tls, len);
    }
}

static void deliver(int i, size_t len)
{
    side *s = &sides[i];
    int r;

    len = len < s->wire_len ? len : s->wire_len;
    do {
        size_t used;
        r = mote_tls_read(s->tls, s->wire, len, &used, s->received + s->received_len,
                          DATA - s->received_len);
        ASSERT(used <= len);
        ASSERT(r <= (int)(DATA - s->received_len));
        memmove(s->wire, s->wire + used, s->wire_len - used);
        s->wire_len -= used;
        len -= used;
        s->received_len += r > 0 ? (size_t)r : 0;
        ASSERT(s->received_len <= sides[!i].sent_len);
        ASSERT(memcmp(s->received, message, s->received_len) == 0);
        if (r < 0)
            ASSERT(mote_tls_error(s->tls)[0] != '\0');
        take_output(i);
        if (used == 0 && r == 0)
            break;
    } while (r >= 0 && s->received_len < DATA);
}

static void act(uint8_t op, uint8_t n)
{
    int i = op & 1;
    side *s = &sides[i];
    size_t at = s->wire_len ? n * 131u % s->wire_len : 0;
    int r;

    switch (op >> 1 & 7) {
    case 0:
    case 1:
        deliver(i, op & 16 ? n : WIRE);
        break;
    case 2: /* a bit changes */
        if (s->wire_len > 0)
            s->wire[at] ^= (uint8_t)(1 << (op >> 5));
        break;
    case 3: /* bytes get lost */
        r = s->wire_len - at < (size_t)(op >> 4) ? (int)(s->wire_len - at) : op >> 4;
        memmove(s->wire + at, s->wire + at + r, s->wire_len - at - (size_t)r);
        s->wire_len -= (size_t)r;
        break;
    case 4: /* a byte comes twice */
        if (s->wire_len > 0 && s->wire_len < WIRE) {
            memmove(s->wire + at + 1, s->wire + at, s->wire_len - at);
            s->wire_len++;
        }
        break;
    case 5:
        r = mote_tls_write(s->tls, message + s->sent_len,
                           n < DATA - s->sent_len ? n : DATA - s->sent_len);
        ASSERT(r <= n);
        s->sent_len += r > 0 ? (size_t)r : 0;
        break;
    case 6:
        if (op & 0x80)
            mote_tls_close(s->tls);
        break;
    default:
        if (op & 0x80)
            mote_tls_eof(s->tls);
    }
    take_output(i);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (!contexts[0])
        prepare();
    if (size < 2)
        return 0;
    for (int i = 0; i < 2; i++) {
        memset(&sides[i], 0, sizeof sides[i]);
        if (mote_tls_init(&sides[i].tls, contexts[i], i == 0 ? "localhost" : NULL, sides[i].memory,
                          sizeof sides[i].memory) < 0)
            abort();
    }
    if (data[0] & 1) { /* the fuzzer's own bytes */
        int i = data[0] >> 1 & 1;
        memcpy(sides[i].wire, data + 1, size - 1);
        sides[i].wire_len = size - 1;
        deliver(i, WIRE);
    } else {
        for (int turns = data[0] >> 1 & 7; turns > 0; turns--) /* how far the handshake gets */
            deliver(turns & 1 ? 0 : 1, WIRE);
        for (size_t at = 1; at + 1 < size && at < 200; at += 2)
            act(data[at], data[at + 1]);
    }
    for (int i = 0; i < 2; i++)
        mote_tls_end(sides[i].tls);
    return 0;
}
