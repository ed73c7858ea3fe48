/* Frames with a checksum on a line without connections. */
#include "serial.h"

#include <string.h>

enum frame_kind { BEGIN, DATA, SYNC, RESET };
enum { HEAD = 3, CHECKSUM = 4 };

/* CRC-32 as in IEEE 802.3, four bits at a time. */
static uint32_t serial_crc32_add(uint32_t crc, uint8_t byte)
{
    static const uint32_t table[16] = {0x00000000, 0x1db71064, 0x3b6e20c8, 0x26d930ac,
                                       0x76dc4190, 0x6b6b51f4, 0x4db26158, 0x5005713c,
                                       0xedb88320, 0xf00f9344, 0xd6d6a3e8, 0xcb61b38c,
                                       0x9b64c2b0, 0x86d3d2d4, 0xa00ae278, 0xbdbdf21c};

    crc ^= byte;
    crc = crc >> 4 ^ table[crc & 15];
    return crc >> 4 ^ table[crc & 15];
}

/* ---- receiving ----------------------------------------------------------------------------- */

/* Whether what lies between two zeros of the line is a frame, whose first byte, and each that was a
 * zero, says how far the next one is. Nothing is changed: it may be a text. */
static bool is_intact(const uint8_t *frame, size_t len)
{
    static const uint32_t residue = 0xdebb20e3; /* of bytes with their checksum behind them */
    uint32_t crc = 0xffffffff;
    size_t zero = frame[0];

    for (size_t i = 1; i < len; i++) {
        bool is_zero = i == zero;
        if (is_zero)
            zero += frame[i];
        crc = serial_crc32_add(crc, is_zero ? 0 : frame[i]);
    }
    return len > HEAD + CHECKSUM && zero == len && crc == residue;
}

static void unstuff(uint8_t *frame, size_t len)
{
    for (size_t at = frame[0], next; at < len; at = next) {
        next = at + frame[at];
        frame[at] = 0;
    }
}

static bool end(mote_serial *s, mote_serial_event *ev)
{
    s->state = MOTE_SERIAL_CLOSED;
    ev->type = MOTE_SERIAL_ENDS;
    return true;
}

static void owe_reset(mote_serial *s, uint8_t connection)
{
    s->owed = MOTE_SERIAL_OWES_RESET;
    s->reset = connection;
}

/* Something was lost: nothing that follows can be trusted. */
static bool serial_fail(mote_serial *s, mote_serial_event *ev)
{
    if (s->state == MOTE_SERIAL_CLOSED)
        return false;
    owe_reset(s, s->connection);
    return end(s, ev);
}

static bool on_begin(mote_serial *s, uint8_t connection, mote_serial_event *ev)
{
    s->state = MOTE_SERIAL_OPEN;
    s->connection = connection;
    s->sent = s->received = 0;
    if (s->out_pos == 0) /* what waits is of the connection before */
        s->out_len = 0;
    ev->type = MOTE_SERIAL_BEGINS;
    return true;
}

static bool on_serial_frame(mote_serial *s, const uint8_t *body, size_t len, mote_serial_event *ev)
{
    bool known = s->state != MOTE_SERIAL_CLOSED && body[1] == s->connection;

    if (body[0] == BEGIN)
        return on_begin(s, body[1], ev);
    if (body[0] == RESET)
        return known && end(s, ev);
    if (!known) {
        owe_reset(s, body[1]);
        return false;
    }
    if (body[2] != s->received)
        return serial_fail(s, ev);
    if (body[0] != DATA)
        return false;
    s->received++;
    ev->type = MOTE_SERIAL_DATA;
    ev->data = body + HEAD;
    ev->len = len - HEAD - CHECKSUM;
    return true;
}

/* What has come is in no frame. */
static bool serial_text(mote_serial *s, size_t len, mote_serial_event *ev)
{
    s->in_len = 0;
    ev->type = MOTE_SERIAL_TEXT;
    ev->data = s->in;
    ev->len = len;
    return len > 0;
}

/* A zero has come. */
static bool on_serial_piece(mote_serial *s, mote_serial_event *ev)
{
    size_t len = s->in_len;

    if (!is_intact(s->in, len))
        return serial_text(s, len, ev);
    s->in_len = 0;
    unstuff(s->in, len);
    return on_serial_frame(s, s->in + 1, len - 1, ev);
}

bool mote_serial_receive(mote_serial *s, const uint8_t **in, size_t *len, mote_serial_event *ev)
{
    while (*len > 0) {
        if (**in != 0 && s->in_len == sizeof s->in)
            return serial_text(s, s->in_len, ev);
        uint8_t byte = *(*in)++;
        --*len;
        if (byte != 0)
            s->in[s->in_len++] = byte;
        else if (on_serial_piece(s, ev))
            return true;
    }
    return false;
}

/* ---- sending ------------------------------------------------------------------------------- */

/* Builds a frame in place: the byte in front of it is for the stuffing. */
static void put_frame(mote_serial *s, enum frame_kind kind, uint8_t connection, uint8_t number,
                      const uint8_t *data, size_t len)
{
    uint8_t *frame = s->out + 1, *body = frame + 1;
    size_t end = 1 + HEAD + len + CHECKSUM, last = 0;
    uint32_t crc = 0xffffffff;

    s->out[0] = 0;
    body[0] = (uint8_t)kind;
    body[1] = connection;
    body[2] = number;
    if (len > 0)
        memcpy(body + HEAD, data, len);
    for (size_t i = 0; i < HEAD + len; i++)
        crc = serial_crc32_add(crc, body[i]);
    for (size_t i = 0; i < CHECKSUM; i++)
        body[HEAD + len + i] = (uint8_t)(~crc >> 8 * i);
    for (size_t i = 1; i < end; i++) {
        if (frame[i] == 0) {
            frame[last] = (uint8_t)(i - last);
            last = i;
        }
    }
    frame[last] = (uint8_t)(end - last);
    frame[end] = 0;
    s->out_len = (uint8_t)(frame + end + 1 - s->out);
    s->out_pos = 0;
}

size_t mote_serial_send(mote_serial *s, const uint8_t *data, size_t len)
{
    if (s->state != MOTE_SERIAL_OPEN || s->out_len > 0)
        return 0;
    if (len > MOTE_SERIAL_PAYLOAD)
        len = MOTE_SERIAL_PAYLOAD;
    put_frame(s, DATA, s->connection, s->sent++, data, len);
    return len;
}

const uint8_t *mote_serial_peek(mote_serial *s, size_t *len)
{
    if (s->out_len == 0) {
        if (s->owed == MOTE_SERIAL_OWES_RESET) {
            put_frame(s, RESET, s->reset, 0, NULL, 0);
        } else if (s->state == MOTE_SERIAL_BEGINNING) {
            put_frame(s, BEGIN, s->connection, 0, NULL, 0);
            s->state = MOTE_SERIAL_OPEN;
        } else if (s->owed == MOTE_SERIAL_OWES_SYNC && s->state == MOTE_SERIAL_OPEN) {
            put_frame(s, SYNC, s->connection, s->sent, NULL, 0);
        }
        s->owed = MOTE_SERIAL_OWES_NOTHING;
    }
    *len = (size_t)s->out_len - s->out_pos;
    return *len > 0 ? s->out + s->out_pos : NULL;
}

void mote_serial_ack(mote_serial *s, size_t len)
{
    s->out_pos = (uint8_t)(s->out_pos + len);
    if (s->out_pos == s->out_len)
        s->out_len = s->out_pos = 0;
    s->said_ms = 0;
}

void mote_serial_tick(mote_serial *s, uint64_t now_ms)
{
    if (s->said_ms == 0)
        s->said_ms = now_ms;
    if (now_ms - s->said_ms < (s->sync_ms ? s->sync_ms : MOTE_SERIAL_SYNC_MS))
        return;
    if (s->owed == MOTE_SERIAL_OWES_NOTHING)
        s->owed = MOTE_SERIAL_OWES_SYNC;
    s->said_ms = now_ms;
}

/* ---- connections --------------------------------------------------------------------------- */

void mote_serial_open(mote_serial *s)
{
    s->connection++;
    s->sent = s->received = 0;
    s->state = MOTE_SERIAL_BEGINNING;
}

void mote_serial_close(mote_serial *s)
{
    if (s->state != MOTE_SERIAL_CLOSED)
        owe_reset(s, s->connection);
    s->state = MOTE_SERIAL_CLOSED;
}

bool mote_serial_is_open(const mote_serial *s)
{
    return s->state != MOTE_SERIAL_CLOSED;
}
