/* The modem as a transport for mote_channel: all waiting is the serial line's. */
#include "modem.h"

enum { CHUNK = 64, CLOSE_MS = 4000 };

static uint64_t modem_now(const mote_modem_io *t)
{
    return t->line.now_ms(t->line.context);
}

/* Moves bytes between the line and the modem as long as there are any; returns the ms until the
 * modem wants the time again. */
static uint32_t modem_pump(mote_modem_io *t)
{
    uint32_t next;
    uint8_t in[CHUNK];
    const uint8_t *out;
    size_t len;
    int n, moved;

    mote_modem_tick(&t->modem, modem_now(t));
    do {
        moved = 0;
        if ((out = mote_modem_peek(&t->modem, &len)) &&
            (moved = t->line.write(t->line.context, out, len)) > 0)
            mote_modem_ack(&t->modem, (size_t)moved);
        n = t->line.read(t->line.context, in, sizeof in);
        if (n > 0)
            mote_modem_receive(&t->modem, in, (size_t)n);
        if (n < 0 || moved < 0)
            mote_modem_fail(&t->modem, "the serial line ended");
        next = mote_modem_tick(&t->modem, modem_now(t));
    } while (n > 0 || moved > 0);
    return next;
}

/* Lets time pass until the line has something, or the modem or the caller wants the time. */
static void rest(mote_modem_io *t, uint32_t next_ms, uint64_t until_ms)
{
    uint64_t due_ms = modem_now(t) + next_ms;
    size_t len;

    t->line.wait(t->line.context, mote_modem_peek(&t->modem, &len) != NULL,
                 due_ms < until_ms ? due_ms : until_ms);
}

static int modem_io_read(void *context, uint8_t *buf, size_t cap)
{
    mote_modem_io *t = context;

    modem_pump(t);
    int n = mote_modem_read(&t->modem, buf, cap);
    modem_pump(t); /* the next piece is asked for */
    return n;
}

static int modem_io_write(void *context, const uint8_t *buf, size_t len)
{
    mote_modem_io *t = context;

    modem_pump(t);
    int n = mote_modem_write(&t->modem, buf, len);
    modem_pump(t);
    return n;
}

/* Something to read, or room to write, or the end. */
static bool is_ready(const mote_modem *m, bool writing)
{
    return m->state == MOTE_MODEM_ENDED || m->state == MOTE_MODEM_CLOSED ||
           (m->rx_len > 0 && m->state != MOTE_MODEM_READING &&
            m->state != MOTE_MODEM_ENDING_READ) ||
           (writing && (m->tx_len == 0 || !mote_modem_is_open(m)));
}

/* Without a connection it is a sleep. */
static void modem_io_wait(void *context, bool writing, uint64_t until_ms)
{
    mote_modem_io *t = context;
    uint32_t next = modem_pump(t);

    if (t->modem.state == MOTE_MODEM_CLOSED || t->modem.state == MOTE_MODEM_ENDED ||
        !is_ready(&t->modem, writing))
        rest(t, next, until_ms);
}

static uint64_t modem_io_now(void *context)
{
    return modem_now(context);
}

static int io_connect(void *context, uint64_t until_ms)
{
    mote_modem_io *t = context;

    mote_modem_open(&t->modem, modem_now(t));
    while (!mote_modem_is_open(&t->modem)) {
        uint32_t next = modem_pump(t);
        if (t->modem.state == MOTE_MODEM_ENDED)
            return -1;
        if (mote_modem_is_open(&t->modem))
            break;
        if (modem_now(t) >= until_ms)
            mote_modem_fail(&t->modem, "no time is left");
        else
            rest(t, next, until_ms);
    }
    return 0;
}

static void io_close(void *context)
{
    mote_modem_io *t = context;
    uint64_t until_ms = modem_now(t) + CLOSE_MS;

    mote_modem_close(&t->modem);
    while (t->modem.state != MOTE_MODEM_CLOSED && t->modem.state != MOTE_MODEM_ENDED) {
        uint32_t next = modem_pump(t);
        if (modem_now(t) >= until_ms)
            mote_modem_fail(&t->modem, "no time is left");
        else if (t->modem.state != MOTE_MODEM_CLOSED)
            rest(t, next, until_ms);
    }
    mote_modem_close(&t->modem);
}

static uint32_t modem_io_random(void *context)
{
    mote_modem_io *t = context;

    return t->line.random(t->line.context);
}

static const char *modem_io_error(void *context)
{
    return mote_modem_error(&((mote_modem_io *)context)->modem);
}

int mote_modem_io_init(mote_modem_io *t, const mote_modem_config *config, mote_io line)
{
    t->line = line;
    return mote_modem_init(&t->modem, config);
}

mote_io mote_modem_transport(mote_modem_io *t)
{
    return (mote_io){.context = t,
                     .read = modem_io_read,
                     .write = modem_io_write,
                     .wait = modem_io_wait,
                     .now_ms = modem_io_now,
                     .connect = io_connect,
                     .close = io_close,
                     .error = modem_io_error,
                     .random = t->line.random ? modem_io_random : NULL};
}
