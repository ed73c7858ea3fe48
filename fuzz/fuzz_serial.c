/* Two ends of a serial line that loses, changes and doubles bytes, and on which texts pass. What
 * arrives in a connection is what was sent in it, from its beginning; what is missing is noticed
 * by both ends; how the line cuts it makes no difference; and afterwards a new connection works.
 *
 * An input is what happens: a byte, and how much of it. A few bytes are doubled at once, fewer than
 * a frame has; there are fewer connections, and frames in each, than numbers for them. */
#include "../port/serial/serial.h"
#include "fuzz.h"

enum { LINE = 1 << 15, CONNECTIONS = 200, FRAMES = 200, DOUBLED = 8 };

typedef struct {
    mote_serial serial;
    uint8_t line[LINE]; /* on the way to it */
    size_t line_len;
    uint8_t sends, hears; /* what tells connections apart: bytes of one follow from it */
    size_t sent, heard;   /* bytes of this connection */
    unsigned frames;
    fuzz_log texts, said_texts; /* what it has got of them, and what was said */
} side;

static side client, server;
static uint64_t now;
static uint8_t incarnation;
static bool noise;

static side *other(const side *e)
{
    return e == &client ? &server : &client;
}

static uint8_t byte_of(uint8_t connection, const side *from, size_t at)
{
    return (uint8_t)((connection * 7 + (from == &client) * 3 + at * 5) * (at % 3 ? 1 : 64));
}

/* ---- the line ------------------------------------------------------------------------------ */

static void put_line(side *to, const void *bytes, size_t len)
{
    if (len > LINE - to->line_len) { /* it is full: all that was on the way is lost */
        to->line_len = 0;
        noise = true;
    }
    memcpy(to->line + to->line_len, bytes, len);
    to->line_len += len;
}

static void write_all(side *from)
{
    const uint8_t *out;
    size_t len;

    while ((out = mote_serial_peek(&from->serial, &len))) {
        put_line(other(from), out, len);
        mote_serial_ack(&from->serial, len);
    }
}

static void on_data(side *e, const mote_serial_event *ev)
{
    ASSERT(ev->len > 0 && ev->len <= MOTE_SERIAL_PAYLOAD);
    for (size_t i = 0; i < ev->len; i++) {
        if (e->heard == 0) /* one that the client has begun: all of it is of the same one */
            e->hears = e->serial.connection;
        ASSERT(ev->data[i] == byte_of(e->hears, other(e), e->heard++));
    }
    ASSERT(e->hears == e->serial.connection);
    ASSERT(other(e)->sends != e->hears || e->heard <= other(e)->sent);
}

static void on_event(side *e, const mote_serial_event *ev)
{
    switch (ev->type) {
    case MOTE_SERIAL_BEGINS:
        ASSERT(e == &server && mote_serial_is_open(&e->serial));
        e->heard = e->sent = 0;
        e->frames = 0;
        e->sends = e->serial.connection;
        return;
    case MOTE_SERIAL_DATA:
        on_data(e, ev);
        return;
    case MOTE_SERIAL_ENDS:
        ASSERT(!mote_serial_is_open(&e->serial));
        return;
    case MOTE_SERIAL_TEXT:
        ASSERT(ev->len > 0 && !memchr(ev->data, 0, ev->len));
        fuzz_put(&e->texts, ev->data, ev->len);
        return;
    }
    ASSERT(!"an event without a type");
}

/* An end that hears the same byte by byte. */
static void read_in_pieces(mote_serial *s, const uint8_t *bytes, size_t len, fuzz_log *log)
{
    mote_serial_event ev;

    for (size_t i = 0; i < len; i++) {
        const uint8_t *at = bytes + i;
        size_t one = 1;
        while (mote_serial_receive(s, &at, &one, &ev)) {
            bool has_data = ev.type == MOTE_SERIAL_DATA || ev.type == MOTE_SERIAL_TEXT;
            fuzz_put_number(log, ev.type);
            fuzz_put(log, ev.data, has_data ? ev.len : 0);
        }
        ASSERT(one == 0 && at == bytes + i + 1);
    }
}

static void read_line(side *e, size_t most)
{
    static fuzz_log whole, pieces;
    mote_serial copy = e->serial;
    const uint8_t *at = e->line;
    size_t n = most < e->line_len ? most : e->line_len, len = n;
    mote_serial_event ev;

    whole.len = pieces.len = 0;
    read_in_pieces(&copy, e->line, n, &pieces);
    while (mote_serial_receive(&e->serial, &at, &len, &ev)) {
        bool has_data = ev.type == MOTE_SERIAL_DATA || ev.type == MOTE_SERIAL_TEXT;
        fuzz_put_number(&whole, ev.type);
        fuzz_put(&whole, ev.data, has_data ? ev.len : 0);
        on_event(e, &ev);
    }
    ASSERT(len == 0 && fuzz_same(&whole, &pieces));
    ASSERT(copy.state == e->serial.state && copy.owed == e->serial.owed &&
           copy.received == e->serial.received && copy.in_len == e->serial.in_len);
    e->line_len -= n;
    memmove(e->line, e->line + n, e->line_len);
}

/* ---- what happens -------------------------------------------------------------------------- */

static void open_connection(void)
{
    if (incarnation >= CONNECTIONS)
        return;
    incarnation++;
    mote_serial_open(&client.serial);
    client.sent = client.heard = 0;
    client.frames = 0;
    client.sends = client.serial.connection;
}

static void send(side *e, size_t len)
{
    uint8_t data[MOTE_SERIAL_PAYLOAD * 2];

    if (e->frames >= FRAMES || len == 0)
        return;
    for (size_t i = 0; i < len; i++)
        data[i] = byte_of(e->sends, e, e->sent + i);
    size_t n = mote_serial_send(&e->serial, data, len);
    ASSERT(n <= len && n <= MOTE_SERIAL_PAYLOAD);
    e->sent += n;
    e->frames += n > 0;
}

static void disturb(side *e, unsigned how, size_t at)
{
    uint8_t again[DOUBLED];

    if (e->line_len == 0)
        return;
    at %= e->line_len;
    noise = true;
    if (how == 0) { /* a bit */
        e->line[at] ^= (uint8_t)(1 << at % 8);
    } else if (how == 1) { /* what follows is lost, or a byte */
        size_t n = at % 3 ? 1 : e->line_len - at;
        memmove(e->line + at, e->line + at + n, e->line_len - at - n);
        e->line_len -= n;
    } else {
        size_t n = DOUBLED < e->line_len ? DOUBLED : e->line_len;
        memcpy(again, e->line + e->line_len - n, n);
        put_line(e, again, n);
    }
}

static void say_text(side *to, unsigned n)
{
    char text[8];

    memset(text, 'a' + (int)(n % 26), sizeof text);
    put_line(to, text, 1 + n % sizeof text);
    fuzz_put(&to->said_texts, text, 1 + n % sizeof text);
}

static void step(unsigned what, unsigned n)
{
    side *e = what & 8 ? &client : &server;

    switch (what & 7) {
    case 0:
        if (what & 16)
            mote_serial_close(&e->serial);
        else
            open_connection();
        return;
    case 1:
    case 2:
        send(e, n % (2 * MOTE_SERIAL_PAYLOAD));
        return;
    case 3:
        write_all(e);
        return;
    case 4:
        read_line(e, what & 16 ? n : LINE);
        return;
    case 5:
        now += n * 4;
        mote_serial_tick(&e->serial, now);
        return;
    case 6:
        disturb(e, what >> 4 & 3, n);
        return;
    default:
        say_text(e, n);
    }
}

/* ---- afterwards, on a line that is quiet --------------------------------------------------- */

static void exchange(int rounds)
{
    for (int i = 0; i < rounds; i++) {
        write_all(&client);
        read_line(&server, LINE);
        write_all(&server);
        read_line(&client, LINE);
    }
}

static void check_what_was_lost_is_known(void)
{
    for (int i = 0; i < 4; i++) {
        now += 1000;
        mote_serial_tick(&client.serial, now);
        mote_serial_tick(&server.serial, now);
        exchange(4);
    }
    ASSERT(mote_serial_is_open(&client.serial) == mote_serial_is_open(&server.serial));
    if (!mote_serial_is_open(&client.serial))
        return;
    ASSERT(client.serial.connection == server.serial.connection);
    ASSERT(client.sent == server.heard && server.sent == client.heard);
}

static void check_a_new_connection_works(void)
{
    incarnation = 0;
    open_connection();
    exchange(2);
    ASSERT(mote_serial_is_open(&client.serial) && mote_serial_is_open(&server.serial));
    ASSERT(server.sends == client.sends && server.heard == 0);
    send(&client, MOTE_SERIAL_PAYLOAD);
    send(&server, 1);
    exchange(2);
    ASSERT(client.sent == MOTE_SERIAL_PAYLOAD && server.heard == client.sent);
    ASSERT(server.sent == 1 && client.heard == server.sent);
    if (!noise) {
        ASSERT(fuzz_same(&client.texts, &client.said_texts));
        ASSERT(fuzz_same(&server.texts, &server.said_texts));
    }
}

static void begin(side *e)
{
    e->serial = (mote_serial){0};
    e->line_len = e->sent = e->heard = e->texts.len = e->said_texts.len = 0;
    e->frames = 0;
    e->sends = e->hears = 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    begin(&client);
    begin(&server);
    now = 1;
    incarnation = 0;
    noise = false;
    for (size_t i = 0; i + 1 < size; i += 2)
        step(data[i], data[i + 1]);
    check_what_was_lost_is_known();
    check_a_new_connection_works();
    return 0;
}
