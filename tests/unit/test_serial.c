/* Connections over a line that loses, doubles and changes bytes: what arrives is what was sent, or
 * the connection ends on both sides. */
#include "../../port/serial/serial.h"
#include "../test.h"

enum { WIRE = 4096 };

typedef struct {
    mote_serial serial;
    uint8_t wire[WIRE]; /* on the way to it */
    size_t wire_len;
    uint8_t heard[WIRE];
    size_t heard_len;
    int begins, ends;
    char text[WIRE];
    size_t text_len;
} end_of_line;

static end_of_line client, server;
static uint64_t now;
static uint32_t seed;

static void reset(void)
{
    memset(&client, 0, sizeof client);
    memset(&server, 0, sizeof server);
    now = 1;
}

static void put_wire(end_of_line *to, const uint8_t *bytes, size_t len)
{
    memcpy(to->wire + to->wire_len, bytes, len);
    to->wire_len += len;
}

static void write_all(end_of_line *from, end_of_line *to)
{
    const uint8_t *out;
    size_t len;

    while ((out = mote_serial_peek(&from->serial, &len))) {
        len = seed && len > 1 ? 1 + test_random(&seed) % len : len;
        put_wire(to, out, len);
        mote_serial_ack(&from->serial, len);
    }
}

static void read_all(end_of_line *e)
{
    const uint8_t *in = e->wire;
    size_t len = e->wire_len;
    mote_serial_event ev;

    while (mote_serial_receive(&e->serial, &in, &len, &ev)) {
        e->begins += ev.type == MOTE_SERIAL_BEGINS;
        e->ends += ev.type == MOTE_SERIAL_ENDS;
        if (ev.type == MOTE_SERIAL_BEGINS)
            e->heard_len = 0;
        if (ev.type == MOTE_SERIAL_TEXT && e->text_len + ev.len <= WIRE) {
            memcpy(e->text + e->text_len, ev.data, ev.len);
            e->text_len += ev.len;
        }
        if (ev.type == MOTE_SERIAL_DATA) {
            memcpy(e->heard + e->heard_len, ev.data, ev.len);
            e->heard_len += ev.len;
        }
    }
    e->wire_len = 0;
}

static void exchange(void)
{
    for (int i = 0; i < 4; i++) {
        write_all(&client, &server);
        read_all(&server);
        write_all(&server, &client);
        read_all(&client);
    }
}

static void send_all(end_of_line *from, end_of_line *to, const uint8_t *data, size_t len)
{
    for (size_t n; len > 0 && (n = mote_serial_send(&from->serial, data, len)) > 0;) {
        data += n;
        len -= n;
        write_all(from, to);
    }
}

/* ---- without noise ------------------------------------------------------------------------- */

static void bytes_of_any_kind_arrive(void)
{
    uint8_t data[1000];

    for (uint32_t run = 0; run < 300; run++) {
        reset();
        seed = run + 1;
        for (size_t i = 0; i < sizeof data; i++) /* many zeros, few, or none */
            data[i] = (uint8_t)(test_random(&seed) % (run % 3 == 0 ? 2 : 256) + (run % 3 == 1));
        mote_serial_open(&client.serial);
        exchange();
        CHECK(server.begins == 1 && mote_serial_is_open(&server.serial));
        send_all(&client, &server, data, run % 130 + 1);
        send_all(&server, &client, data, sizeof data);
        exchange();
        CHECK(server.heard_len == run % 130 + 1 && memcmp(server.heard, data, run % 130 + 1) == 0);
        CHECK(client.heard_len == sizeof data && memcmp(client.heard, data, sizeof data) == 0);
        mote_serial_close(&client.serial);
        exchange();
        CHECK(server.ends == 1 && !mote_serial_is_open(&server.serial) && client.ends == 0);
    }
}

static void a_new_connection_ends_the_one_before(void)
{
    reset();
    seed = 0;
    for (int i = 1; i <= 300; i++) {
        mote_serial_open(&client.serial);
        exchange();
        send_all(&client, &server, (const uint8_t *)"hello", 5);
        exchange();
        CHECK(server.begins == i && server.heard_len == 5);
    }
    CHECK(client.ends == 0 && server.ends == 0);
}

static void without_a_connection_nothing_is_taken(void)
{
    reset();
    CHECK_INT(mote_serial_send(&client.serial, (const uint8_t *)"x", 1), 0);
    mote_serial_close(&client.serial);
    mote_serial_tick(&client.serial, 10000);
    mote_serial_tick(&client.serial, 20000);
    CHECK(!mote_serial_peek(&client.serial, &(size_t){0}));
}

/* An end that has forgotten the connection says so, and the client may begin again. */
static void an_end_that_was_reset_tells_the_other(void)
{
    reset();
    mote_serial_open(&client.serial);
    exchange();
    memset(&server, 0, sizeof server);
    send_all(&client, &server, (const uint8_t *)"hello", 5);
    exchange();
    CHECK(client.ends == 1 && server.heard_len == 0);
    mote_serial_open(&client.serial);
    exchange();
    send_all(&client, &server, (const uint8_t *)"hello", 5);
    exchange();
    CHECK(server.begins == 1 && server.heard_len == 5);
}

/* ---- with noise ---------------------------------------------------------------------------- */

enum noise { LOST, DOUBLED, FLIPPED, FRAME_LOST, FRAME_DOUBLED, NOISES };

/* Time passes until both ends know. */
static void wait_until_told(void)
{
    for (int i = 0; i < 3; i++) {
        now += MOTE_SERIAL_SYNC_MS;
        mote_serial_tick(&client.serial, now);
        mote_serial_tick(&server.serial, now);
        exchange();
    }
}

static void disturb(end_of_line *to, enum noise kind, size_t at, uint8_t bit)
{
    uint8_t *byte = to->wire + at;
    size_t rest = to->wire_len - at, frame = 0;

    while (frame < rest && byte[frame] != 0)
        frame++;
    frame += frame < rest;
    if (kind == LOST || kind == FRAME_LOST) {
        size_t n = kind == LOST ? 1 : frame;
        memmove(byte, byte + n, rest - n);
        to->wire_len -= n;
    } else if (kind == DOUBLED || kind == FRAME_DOUBLED) {
        size_t n = kind == DOUBLED ? 1 : frame;
        memmove(byte + n, byte, rest);
        to->wire_len += n;
    } else {
        *byte ^= bit;
    }
}

/* One disturbance at every byte of a conversation, in each direction: a beginning of what was sent
 * arrives, and if it is not all, both ends learn of it; then a new connection works. */
static void no_noise_is_taken_for_data(void)
{
    static uint8_t data[200];
    bool more = true;
    size_t harmless = 0, told = 0;

    seed = 0;
    for (size_t i = 0; i < sizeof data; i++)
        data[i] = (uint8_t)(i % 7 ? i : 0);
    for (size_t at = 0; more; at++) {
        more = false;
        for (int direction = 0; direction < 2; direction++) {
            for (int kind = 0; kind < NOISES; kind++) {
                end_of_line *from = direction ? &server : &client;
                end_of_line *to = direction ? &client : &server;
                reset();
                mote_serial_open(&client.serial);
                if (direction)
                    exchange();
                write_all(from, to);
                send_all(from, to, data, sizeof data);
                if (at >= to->wire_len)
                    continue;
                more = true;
                disturb(to, (enum noise)kind, at, (uint8_t)(1u << at % 8));
                exchange();
                CHECK(to->heard_len <= sizeof data && memcmp(to->heard, data, to->heard_len) == 0);
                wait_until_told();
                bool whole = to->heard_len == sizeof data;
                bool open = mote_serial_is_open(&client.serial);
                CHECK(whole || !open);
                CHECK_INT(mote_serial_is_open(&server.serial), open);
                harmless += whole;
                told += !open;
                mote_serial_open(&client.serial);
                exchange();
                send_all(&client, &server, data, sizeof data);
                exchange();
                CHECK(server.heard_len == sizeof data &&
                      memcmp(server.heard, data, sizeof data) == 0);
            }
        }
    }
    CHECK(told > 1500 && harmless < told / 3);
}

/* A boot log, or a line of a printf(), of any length and at every place between two frames. */
static void texts_between_frames_end_nothing(void)
{
    static const uint8_t data[150] = {7, 0, 9};
    char text[301];

    seed = 0;
    for (size_t i = 0; i < sizeof text; i++)
        text[i] = (char)(i % 40 == 39 ? '\n' : 'a' + (char)(i % 26));
    for (size_t len = 1; len <= sizeof text; len++) {
        for (int place = 0; place < 6; place++) {
            const uint8_t *rest = data;
            size_t left = sizeof data;
            reset();
            mote_serial_open(&client.serial);
            for (int frame = 0; frame < 5; frame++) { /* BEGIN, three of DATA, SYNC */
                if (frame == place)
                    put_wire(&server, (const uint8_t *)text, len);
                if (frame == 4) {
                    mote_serial_tick(&client.serial, 1);
                    mote_serial_tick(&client.serial, 1 + MOTE_SERIAL_SYNC_MS);
                } else if (frame > 0) {
                    size_t n = mote_serial_send(&client.serial, rest, left);
                    rest += n;
                    left -= n;
                }
                write_all(&client, &server);
            }
            if (place == 5)
                put_wire(&server, (const uint8_t *)text, len);
            put_wire(&server, (const uint8_t *)"", 1);
            read_all(&server);
            exchange();
            CHECK(server.text_len == len && memcmp(server.text, text, len) == 0);
            CHECK(server.heard_len == sizeof data && memcmp(server.heard, data, sizeof data) == 0);
            CHECK_INT(server.begins, 1);
            CHECK_INT(server.ends + client.ends, 0);
        }
    }
}

static void the_silence_that_is_broken_is_the_users(void)
{
    static const uint16_t ms[] = {0, 1, 20, 5000};
    size_t len;

    for (size_t i = 0; i < sizeof ms / sizeof ms[0]; i++) {
        unsigned wanted = ms[i] ? ms[i] : MOTE_SERIAL_SYNC_MS;
        reset();
        client.serial.sync_ms = ms[i];
        mote_serial_open(&client.serial);
        exchange();
        mote_serial_tick(&client.serial, 1);
        mote_serial_tick(&client.serial, wanted);
        CHECK(mote_serial_peek(&client.serial, &len) == NULL);
        mote_serial_tick(&client.serial, wanted + 1);
        CHECK(mote_serial_peek(&client.serial, &len) != NULL);
    }
}

/* What waits for the line to take it is not said once more, however long it waits. */
static void a_silence_is_broken_once(void)
{
    const uint8_t *out;
    size_t len;

    reset();
    mote_serial_open(&client.serial);
    exchange();
    mote_serial_tick(&client.serial, 1);
    mote_serial_tick(&client.serial, 501);
    out = mote_serial_peek(&client.serial, &len);
    CHECK(out != NULL);
    mote_serial_tick(&client.serial, 502);
    mote_serial_tick(&client.serial, 1000);
    mote_serial_ack(&client.serial, len);
    CHECK(mote_serial_peek(&client.serial, &len) == NULL);
}

/* ---- frames, byte for byte --------------------------------------------------------------------
 */

/* CRC-32 as its definition has it, bit by bit. */
static uint32_t crc_of(const uint8_t *bytes, size_t len)
{
    uint32_t crc = 0xffffffff;

    for (size_t i = 0; i < 8 * len; i++) {
        bool low = (crc ^ bytes[i / 8] >> i % 8) & 1;
        crc = crc >> 1 ^ (low ? 0xedb88320 : 0);
    }
    return ~crc;
}

/* The line between two zeros, without its stuffing (COBS). */
static size_t unstuffed(const uint8_t *wire, size_t len, uint8_t *out)
{
    size_t n = 0, zero = wire[0];

    for (size_t i = 1; i < len; i++) {
        out[n++] = i == zero ? 0 : wire[i];
        zero += i == zero ? wire[i] : 0;
    }
    CHECK_INT(zero, len);
    return n;
}

static void says_frame(uint8_t kind, uint8_t connection, uint8_t number, const uint8_t *data,
                       size_t data_len)
{
    uint8_t body[MOTE_SERIAL_FRAME] = {0};
    size_t len;
    const uint8_t *out = mote_serial_peek(&client.serial, &len);

    CHECK_INT(len, 1 + 1 + 3 + data_len + 4 + 1);
    CHECK(out[0] == 0 && out[len - 1] == 0 && memchr(out + 1, 0, len - 2) == NULL);
    size_t n = unstuffed(out + 1, len - 2, body);
    uint32_t crc = crc_of(body, n - 4);
    CHECK(body[0] == kind && body[1] == connection && body[2] == number);
    CHECK(data_len == 0 || memcmp(body + 3, data, data_len) == 0);
    for (size_t i = 0; i < 4; i++)
        CHECK_INT(body[n - 4 + i], (uint8_t)(crc >> 8 * i));
    mote_serial_ack(&client.serial, len);
}

/* BEGIN, DATA, SYNC and RESET are 0 to 3; connections and DATA frames are counted modulo 256. */
static void each_frame_is_as_the_header_says(void)
{
    uint8_t data[MOTE_SERIAL_PAYLOAD];

    reset();
    for (unsigned connection = 1; connection <= 257; connection++) {
        mote_serial_open(&client.serial);
        says_frame(0, (uint8_t)connection, 0, NULL, 0);
    }
    for (unsigned i = 0; i <= 256; i++) {
        for (size_t k = 0; k < sizeof data; k++)
            data[k] = (uint8_t)(k == i % 64 ? 0 : i * 7 + k * 13);
        size_t len = 1 + i % MOTE_SERIAL_PAYLOAD;
        CHECK_INT(mote_serial_send(&client.serial, data, len), len);
        CHECK_INT(mote_serial_send(&client.serial, data, len), 0);
        says_frame(1, 1, (uint8_t)i, data, len);
    }
    mote_serial_tick(&client.serial, 1);
    mote_serial_tick(&client.serial, 501);
    says_frame(2, 1, 1, NULL, 0);
    mote_serial_close(&client.serial);
    says_frame(3, 1, 0, NULL, 0);
}

/* A connection that begins takes back what has not begun to leave, and nothing else. */
static void what_waits_is_of_the_connection_before(void)
{
    static const uint8_t byte = 'x';
    const uint8_t *out;
    size_t len;

    for (size_t written = 0; written < 2; written++) {
        reset();
        mote_serial_open(&client.serial);
        exchange();
        CHECK_INT(mote_serial_send(&server.serial, &byte, 1), 1);
        CHECK(mote_serial_peek(&server.serial, &len) != NULL);
        mote_serial_ack(&server.serial, written);
        mote_serial_open(&client.serial);
        write_all(&client, &server);
        read_all(&server);
        out = mote_serial_peek(&server.serial, &len);
        CHECK((out != NULL) == (written > 0));
        CHECK_INT(len, written ? 11 - written : 0);
    }
}

/* Pure noise never is a connection, nor anything in it. */
static void noise_alone_does_nothing(void)
{
    reset();
    seed = 77;
    for (int i = 0; i < 2000; i++) {
        uint8_t bytes[100];
        for (size_t n = 0; n < sizeof bytes; n++)
            bytes[n] = (uint8_t)(test_random(&seed) % (i % 2 ? 256 : 20));
        put_wire(&server, bytes, sizeof bytes);
        read_all(&server);
    }
    CHECK(server.begins == 0 && server.heard_len == 0 && server.ends == 0);
}

int main(void)
{
    RUN(bytes_of_any_kind_arrive);
    RUN(a_new_connection_ends_the_one_before);
    RUN(without_a_connection_nothing_is_taken);
    RUN(an_end_that_was_reset_tells_the_other);
    RUN(no_noise_is_taken_for_data);
    RUN(texts_between_frames_end_nothing);
    RUN(the_silence_that_is_broken_is_the_users);
    RUN(a_silence_is_broken_once);
    RUN(each_frame_is_as_the_header_says);
    RUN(what_waits_is_of_the_connection_before);
    RUN(noise_alone_does_nothing);
    return test_summary();
}
