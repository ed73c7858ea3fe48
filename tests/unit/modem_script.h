/* A modem that answers by a script, its far end, and the program at the near end. */
#ifndef MODEM_SCRIPT_H
#define MODEM_SCRIPT_H

#include "../../port/serial/modem/modem.h"
#include "../peers/modem.h"
#include "../test.h"

static modem far_end;
static mote_modem_io near_end;
static uint64_t now;
static size_t at_once;       /* bytes that the line gives in one read; 0: all */
static size_t heard, cut_at; /* bytes that it has given; where it falls silent, SIZE_MAX: nowhere */
static bool goes_on;         /* and speaks again a little later */
static uint64_t cut_ms;

static void (*network)(void); /* what is behind the modem */

static inline int line_read(void *context, uint8_t *buf, size_t cap)
{
    (void)context;
    far_end.now_ms = now;
    if (network)
        network();
    if (heard >= cut_at && (!goes_on || now < cut_ms + 50))
        return 0;
    if (at_once > 0 && cap > at_once)
        cap = at_once;
    if (heard < cut_at && cap > cut_at - heard)
        cap = cut_at - heard;
    int n = (int)modem_speak(&far_end, buf, cap);
    heard += (size_t)n;
    if (heard == cut_at)
        cut_ms = now;
    return n;
}

static inline int line_write(void *context, const uint8_t *buf, size_t len)
{
    (void)context;
    far_end.now_ms = now;
    len = at_once > 0 && len > at_once ? at_once : len;
    modem_hear(&far_end, buf, len);
    return (int)len;
}

static inline void line_wait(void *context, bool writing, uint64_t until_ms)
{
    (void)context;
    (void)writing;
    now = until_ms < now + 10 ? until_ms : now + 10;
}

static inline uint64_t line_now(void *context)
{
    (void)context;
    return now;
}

static const mote_modem_step apn = {"AT+CGDCONT=1,\"IP\",\"internet\"", NULL, false, 5000};
static mote_modem_config config;

static inline mote_io prepare(bool quectel, modem like)
{
    static const mote_io line = {
        .read = line_read, .write = line_write, .wait = line_wait, .now_ms = line_now};

    far_end = like;
    far_end.quectel = quectel;
    config = (mote_modem_config){quectel ? &mote_modem_quectel : &mote_modem_sim7x00, &apn, 1,
                                 "collector.example.com", 50051};
    now = 1000;
    at_once = heard = 0;
    cut_at = SIZE_MAX;
    goes_on = false;
    network = NULL;
    CHECK_INT(mote_modem_io_init(&near_end, &config, line), 0);
    return mote_modem_transport(&near_end);
}

static inline int dial(mote_io *io)
{
    return io->connect(io->context, now + 300000);
}

/* Every other 13 bytes are what a modem could have said. */
static inline uint8_t pattern(size_t i)
{
    return i % 26 < 13 ? (uint8_t) "\r\nOK\r\n>ERROR\x1b"[i % 26] : (uint8_t)(i * 31);
}

/* Both directions at once, up to `len` bytes in each, for at most two minutes: what has arrived is
 * right as far as it goes. False: the transport has ended. */
static inline bool exchange(mote_io *io, size_t len, size_t *sent, size_t *received)
{
    uint64_t until = now + 120000;
    uint8_t buf[100], out[100];

    *sent = *received = 0;
    for (size_t i = 0; i < len; i++) {
        uint8_t byte = pattern(i);
        modem_from_net(&far_end, &byte, 1);
    }
    while (now < until) {
        size_t n = len - *sent < sizeof out ? len - *sent : sizeof out;
        for (size_t i = 0; i < n; i++)
            out[i] = pattern(*sent + i);
        int w = n > 0 ? io->write(io->context, out, n) : 0;
        int r = io->read(io->context, buf, sizeof buf);
        if (w > 0)
            *sent += (size_t)w;
        for (int i = 0; i < r; i++)
            CHECK(*received + (size_t)i < len && buf[i] == pattern(*received + (size_t)i));
        if (r > 0)
            *received += (size_t)r;
        if (r < 0)
            return false;
        if (*sent == len && *received == len && far_end.to_net_len == len)
            return true;
        if (w <= 0 && r <= 0)
            io->wait(io->context, n > 0, until);
    }
    return true;
}

static inline void check_sent(size_t len)
{
    CHECK(far_end.to_net_len <= len);
    for (size_t i = 0; i < far_end.to_net_len; i++)
        CHECK_INT(far_end.to_net[i], pattern(i));
}

static const modem kinds[] = {
    {.slow_ms = 0},
    {.echo = true},
    {.slow_ms = 300},
    {.slow_ms = 1200, .echo = true},
    {.net_open = true},
    {.refusals = 3},
    {.news = "+CREG: 1"},
    {.news = "+CMTI: \"SM\",1", .slow_ms = 20},
    {.news = "RING", .echo = true, .refusals = 1},
    {.forgets_news = true},
};

#endif
