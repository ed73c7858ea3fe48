/* Messages one after the other, with their lengths in front: any lengths, at every split. */
#include "../../pb/pb.h"
#include "../test.h"

#include <stdlib.h>

enum { CAP = 300, MOST = 4096 };

static uint8_t stream[MOST];
static size_t stream_len;

static void begin_stream(void)
{
    stream_len = 0;
}

static void add_message(uint32_t len, uint8_t first)
{
    stream_len += mote_pb_delimit(len, stream + stream_len);
    for (uint32_t i = 0; i < len; i++)
        stream[stream_len++] = (uint8_t)(first + i);
}

/* Reads the stream in these pieces: each message is what `lens` say, with bytes from 7 * its
 * number; then `end`. */
static void reads(const uint32_t *lens, size_t count, size_t first, size_t piece, int end)
{
    static uint8_t buffer[CAP];
    mote_pb_delimited d;
    size_t n = 0, at = 0;
    int r = 0;

    mote_pb_delimited_init(&d, buffer, CAP);
    for (size_t size = first; at < stream_len && r >= 0; size = piece) {
        size_t len = size < stream_len - at ? size : stream_len - at, done = 0;
        uint8_t *in = malloc(len); /* of its own, so that a view beyond it is noticed */
        memcpy(in, stream + at, len);
        for (;;) {
            const uint8_t *message = NULL;
            size_t used, message_len = 0;
            r = mote_pb_delimited_read(&d, in + done, len - done, &used, &message, &message_len);
            done += used;
            if (r <= 0)
                break;
            CHECK(n < count && message_len == lens[n]);
            for (size_t i = 0; i < message_len; i++)
                CHECK(message[i] == (uint8_t)(7 * n + i));
            n++;
        }
        CHECK(r < 0 || done == len);
        free(in);
        at += len;
    }
    CHECK_INT(n, count);
    CHECK_INT(mote_pb_delimited_end(&d), end);
    if (end == MOTE_PB_ERR_SPACE || end == MOTE_PB_ERR_VARINT) { /* sticky */
        const uint8_t *message;
        size_t used, len;
        CHECK_INT(mote_pb_delimited_read(&d, (const uint8_t *)"", 1, &used, &message, &len), end);
        CHECK_INT(used, 0);
    }
}

static void reads_in_any_pieces(const uint32_t *lens, size_t count, int end)
{
    for (size_t first = 1; first <= stream_len; first++)
        reads(lens, count, first, stream_len, end);
    for (size_t piece = 1; piece < 20; piece++)
        reads(lens, count, piece, piece, end);
}

static void messages_of_all_lengths(void)
{
    static const uint32_t lens[] = {0, 1, 127, 128, 0, 0, 299, 300, 2};

    begin_stream();
    for (size_t i = 0; i < sizeof lens / sizeof lens[0]; i++)
        add_message(lens[i], (uint8_t)(7 * i));
    reads_in_any_pieces(lens, sizeof lens / sizeof lens[0], 0);
}

static void a_stream_that_is_cut(void)
{
    static const uint32_t lens[] = {200};

    for (size_t cut = 0; cut < 202; cut++) {
        begin_stream();
        add_message(200, 0);
        stream_len = cut;
        reads_in_any_pieces(lens, 0, cut ? MOTE_PB_ERR_TRUNCATED : 0);
        begin_stream();
        add_message(200, 0);
        add_message(200, 7);
        stream_len = 202 + cut;
        reads(lens, 1, 3, 5, cut ? MOTE_PB_ERR_TRUNCATED : 0);
    }
}

/* However it is cut. */
static void a_message_that_is_too_long(void)
{
    static const uint32_t lens[] = {300};

    begin_stream();
    add_message(300, 0);
    add_message(301, 7);
    reads_in_any_pieces(lens, 1, MOTE_PB_ERR_SPACE);
}

static void lengths_on_the_wire(void)
{
    static const struct {
        uint8_t bytes[6];
        size_t len;
        int result; /* 0: more is to come */
        uint32_t is;
    } rows[] = {{{0x80}, 1, 0, 0},
                {{0xff, 0xff, 0xff, 0xff, 0x0f}, 5, MOTE_PB_ERR_SPACE, 0xffffffff},
                {{0xff, 0xff, 0xff, 0xff, 0x10}, 5, MOTE_PB_ERR_VARINT, 0},
                {{0x80, 0x80, 0x80, 0x80, 0x80, 0x00}, 6, MOTE_PB_ERR_VARINT, 0},
                {{0x82, 0x80, 0x80, 0x80, 0x00}, 5, 0, 2},
                {{0xad, 0x02}, 2, MOTE_PB_ERR_SPACE, 301},
                {{0xac, 0x02}, 2, 0, 300}};

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        uint8_t buffer[CAP];
        mote_pb_delimited d;
        const uint8_t *message;
        size_t used, len;
        mote_pb_delimited_init(&d, buffer, CAP);
        CHECK_INT(mote_pb_delimited_read(&d, rows[i].bytes, rows[i].len, &used, &message, &len),
                  rows[i].result);
        CHECK(rows[i].is == 0 || d.len == rows[i].is);
    }
}

static void lengths_are_written_as_short_as_can_be(void)
{
    static const struct {
        uint32_t len;
        size_t bytes;
    } rows[] = {{0, 1},       {127, 1},     {128, 2},       {16383, 2},     {16384, 3},
                {2097151, 3}, {2097152, 4}, {268435455, 4}, {268435456, 5}, {0xffffffff, 5}};

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        uint8_t out[MOTE_PB_DELIMITER];
        uint64_t value = 0;
        size_t n = mote_pb_delimit(rows[i].len, out);
        CHECK_INT(n, rows[i].bytes);
        for (size_t k = 0; k < n; k++) {
            value |= (uint64_t)(out[k] & 127) << 7 * k;
            CHECK_INT(out[k] >> 7, k + 1 < n);
        }
        CHECK_INT(value, rows[i].len);
    }
}

/* A file in memory needs no buffer; cut input does. */
static void without_a_buffer(void)
{
    mote_pb_delimited d;
    const uint8_t *message;
    size_t used, len;

    begin_stream();
    add_message(1000, 0);
    mote_pb_delimited_init(&d, NULL, 1000);
    CHECK_INT(mote_pb_delimited_read(&d, stream, stream_len, &used, &message, &len), 1);
    CHECK(message == stream + 2 && len == 1000 && used == stream_len);
    mote_pb_delimited_init(&d, NULL, 1000);
    CHECK_INT(mote_pb_delimited_read(&d, stream, 2, &used, &message, &len), 0);
    CHECK_INT(mote_pb_delimited_read(&d, stream + 2, 1000, &used, &message, &len), 1);
    CHECK_INT(mote_pb_delimited_read(&d, stream, 1001, &used, &message, &len), MOTE_PB_ERR_SPACE);
    mote_pb_delimited_init(&d, NULL, 999);
    CHECK_INT(mote_pb_delimited_read(&d, stream, stream_len, &used, &message, &len),
              MOTE_PB_ERR_SPACE);
}

int main(void)
{
    RUN(messages_of_all_lengths);
    RUN(a_stream_that_is_cut);
    RUN(a_message_that_is_too_long);
    RUN(lengths_on_the_wire);
    RUN(lengths_are_written_as_short_as_can_be);
    RUN(without_a_buffer);
    return test_summary();
}
