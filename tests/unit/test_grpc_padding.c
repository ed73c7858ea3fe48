/* gRPC: a peer that pads its DATA, strictly within the windows it was given (RFC 9113 6.1, 6.9). */
#include "grpc_harness.h"

enum { RX = 400, LARGEST = RX - PREFIX_SIZE, IN_A_ROW = 2, PLAIN = 256 };

/* ---- the peer: frames in, windows out ------------------------------------------------------- */

static mote_grpc *g;
static int64_t stream_window, connection_window;
static unsigned messages, bytes, ended;
static int end_code;
static bool deferring; /* each message is brought back */

static void deliver(const uint8_t *p, size_t len)
{
    mote_grpc_event ev;
    size_t used;

    while (mote_grpc_recv(g, p, len, &used, &ev) > 0) {
        p += used;
        len -= used;
        messages += ev.type == MOTE_GRPC_MESSAGE;
        bytes += ev.type == MOTE_GRPC_MESSAGE ? (unsigned)ev.len : 0;
        if (ev.type == MOTE_GRPC_MESSAGE && deferring)
            mote_grpc_defer(g);
        if (ev.type == MOTE_GRPC_STATUS || ev.type == MOTE_GRPC_CLOSED) {
            ended++;
            end_code = ev.code;
        }
    }
}

static void send_frame(unsigned type, unsigned flags, uint32_t id, const uint8_t *p, size_t len)
{
    static uint8_t in[9 + 2048];

    memcpy(in,
           (uint8_t[9]){0, (uint8_t)(len >> 8), (uint8_t)len, (uint8_t)type, (uint8_t)flags, 0, 0,
                        0, (uint8_t)id},
           9);
    if (len > 0)
        memcpy(in + 9, p, len);
    deliver(in, 9 + len);
}

/* Reads what came back: of it only the windows matter here. */
static void read_windows(void)
{
    const uint8_t *p;
    size_t len;

    while ((p = mote_grpc_peek(g, &len))) {
        size_t at = len >= 24 && p[0] == 'P' ? 24 : 0;
        while (at < len) {
            size_t n = (size_t)p[at + 1] << 8 | p[at + 2];
            if (p[at + 3] == MOTE_H2_FRAME_WINDOW_UPDATE)
                *(p[at + 8] ? &stream_window : &connection_window) +=
                    (uint32_t)p[at + 11] << 8 | p[at + 12];
            at += 9 + n;
        }
        mote_grpc_ack(g, len);
    }
}

/* A part of a message of `len` bytes, each frame with `pad` bytes of padding, or PLAIN, and at most
 * `most` bytes of content; whether all of it could be sent. */
static bool send_part(size_t len, size_t at, size_t end, size_t pad, size_t most)
{
    static uint8_t message[PREFIX_SIZE + RX], frame[1 + RX + 255];
    size_t more = pad == PLAIN ? 0 : 1 + pad, skip = pad == PLAIN;

    message[3] = (uint8_t)(len >> 8);
    message[4] = (uint8_t)len;
    frame[0] = (uint8_t)pad;
    while (at < end) {
        int64_t window = stream_window < connection_window ? stream_window : connection_window;
        int64_t room = window - (int64_t)more;
        size_t n = most < end - at ? most : end - at;
        if (room < 1)
            return false;
        n = n < (size_t)room ? n : (size_t)room;
        memcpy(frame + 1, message + at, n);
        memset(frame + 1 + n, 0, more);
        stream_window -= (int64_t)(n + more);
        connection_window -= (int64_t)(n + more);
        send_frame(0, skip ? 0 : 8, 1, frame + skip, n + more);
        at += n;
        read_windows();
    }
    return true;
}

static bool send_message(size_t len, size_t pad, size_t most)
{
    return send_part(len, 0, PREFIX_SIZE + len, pad, most);
}

/* ---- a call of either role ------------------------------------------------------------------ */

static bool pads_headers; /* the peer does */

/* A header block, with a byte of padding or without. */
static void send_headers(const uint8_t *block, size_t len)
{
    uint8_t padded[128] = {1};

    memcpy(padded + 1, block, len);
    if (pads_headers)
        send_frame(MOTE_H2_FRAME_HEADERS, 4 | 8, 1, padded, 1 + len + 1);
    else
        send_frame(MOTE_H2_FRAME_HEADERS, 4, 1, block, len);
}

static void begin(bool serves)
{
    static const uint8_t preface[] = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
    static const uint8_t request[] = "\x83\x86\x41\x01"
                                     "a\x04\x14/test.Service/Silent\x0f\x10\x10"
                                     "application/grpc\x00\x02te\x08trailers";
    static const uint8_t response[] = "\x88\x0f\x10\x10"
                                      "application/grpc";

    connect_with(RX, 1024, 0);
    g = serves ? &server : &client;
    CHECK_INT(
        mote_grpc_init(g, g->config, serves ? server_memory : client_memory, sizeof server_memory),
        0);
    messages = bytes = ended = 0;
    deferring = false;
    stream_window = RX;
    connection_window = 65535;
    if (serves)
        deliver(preface, 24);
    send_frame(MOTE_H2_FRAME_SETTINGS, 0, 0, NULL, 0);
    send_frame(MOTE_H2_FRAME_SETTINGS, 1, 0, NULL, 0);
    if (!serves)
        call_start(0, &silent_path, 0);
    read_windows();
    if (serves)
        send_headers(request, sizeof request - 1);
    else
        send_headers(response, sizeof response - 1);
    connection_window = 65535;
}

static void messages_arrive(bool serves, size_t len, size_t pad, size_t most)
{
    begin(serves);
    for (int i = 0; i < IN_A_ROW; i++) {
        if (!send_message(len, pad, most)) {
            printf("%s: stalled: %zu bytes, padding of %zu, frames of %zu\n",
                   serves ? "server" : "client", len, pad, most);
            test_ok = false;
            return;
        }
    }
    CHECK_INT(messages, IN_A_ROW);
    CHECK_INT(bytes, IN_A_ROW * len);
    CHECK_INT(ended, 0);
    CHECK_INT(mote_h2_error(&g->h2), 0);
}

/* No message that fits stalls, whatever its length, the padding and the size of the frames. */
static void padding_stalls_no_message(void)
{
    static const size_t missing[] = {0,   1,   2,   4,   5,   6,   100, 200, 250, 254,
                                     255, 256, 257, 259, 260, 261, 262, 263, 300, LARGEST};
    static const size_t content[] = {1, 5, 37, 255, RX};

    for (int serves = 0; serves < 2; serves++)
        for (size_t m = 0; m < sizeof missing / sizeof missing[0]; m++)
            for (size_t pad = m % 15; pad < 256; pad += pad < 235 ? 15 : pad < 250 ? 5 : 1)
                for (size_t c = 0; c < sizeof content / sizeof content[0]; c++)
                    messages_arrive(serves, LARGEST - missing[m], pad, content[c]);
}

/* Where only the end of a message is padded there is room when the peer has padded before: its
 * headers, or a message. One that has not gets no more than the window, which it knows. */
static void who_has_padded_may_pad_the_end(void)
{
    enum { NEVER, HEADERS, A_MESSAGE, WAYS };
    static const size_t ends[] = {1, 2, 5, 20, 100, 199};

    for (size_t i = 0; i < 2 * WAYS * sizeof ends / sizeof ends[0]; i++) {
        int before = (int)(i / 2) % WAYS;
        size_t end = ends[i / (2 * WAYS)], all = PREFIX_SIZE + LARGEST;
        pads_headers = before == HEADERS;
        begin(i % 2);
        CHECK(before != A_MESSAGE || send_message(3, 7, RX));
        messages = 0;
        CHECK(send_part(LARGEST, 0, all - end, PLAIN, RX));
        CHECK(send_part(LARGEST, all - end, all, 255, RX) == (before != NEVER));
        CHECK_INT(messages, before != NEVER);
        CHECK_INT(mote_h2_error(&g->h2), 0);
        if (before == NEVER) { /* without padding it arrives */
            CHECK(send_part(LARGEST, all - end, all, PLAIN, RX));
            CHECK_INT(messages, 1);
        }
    }
    pads_headers = false;
}

/* A peer that begins to pad there, and cannot, is given room after a second in which it says
 * nothing; one that goes on by then, padded or not, was given no more than its window. */
static void who_begins_to_pad_the_end_waits_a_second(void)
{
    static const size_t ends[] = {1, 2, 5, 20, 100, 199};

    for (size_t i = 0; i < 2 * sizeof ends / sizeof ends[0]; i++) {
        size_t end = ends[i / 2], all = PREFIX_SIZE + LARGEST;
        begin(i % 2);
        mote_grpc_tick(g, 2000);
        CHECK(send_part(LARGEST, 0, all - end, PLAIN, RX));
        CHECK_INT(mote_grpc_tick(g, 2500), 1000);
        CHECK_INT(mote_grpc_tick(g, 3499), 1000);
        read_windows();
        CHECK(!send_part(LARGEST, all - end, all, 255, RX));
        mote_grpc_tick(g, 3500);
        read_windows();
        CHECK_INT(stream_window, end + 261);
        CHECK(send_part(LARGEST, all - end, all, 255, RX));
        CHECK_INT(messages, 1);
        CHECK_INT(mote_grpc_tick(g, 3501), UINT32_MAX);
        CHECK_INT(mote_h2_error(&g->h2), 0);
    }
}

/* Between messages, and where a message leaves room for padding, nothing is looked at. */
static void nobody_waits_for_padding_without_need(void)
{
    for (int serves = 0; serves < 2; serves++) {
        begin(serves);
        mote_grpc_tick(g, 2000);
        CHECK(send_part(20, 0, 10, PLAIN, RX));
        CHECK_INT(mote_grpc_tick(g, 2500), UINT32_MAX);
        CHECK(send_part(20, 10, PREFIX_SIZE + 20, PLAIN, RX));
        CHECK(send_message(LARGEST, PLAIN, RX));
        CHECK_INT(mote_grpc_tick(g, 9000), UINT32_MAX);
        CHECK_INT(messages, 2);
        /* an hour later the time of another message begins anew */
        CHECK(send_part(LARGEST, 0, LARGEST, PLAIN, RX));
        CHECK_INT(mote_grpc_tick(g, 3609000), 1000);
        read_windows();
        CHECK(!send_part(LARGEST, LARGEST, PREFIX_SIZE + LARGEST, 255, RX));
    }
}

/* ---- what is lent for padding, used for content --------------------------------------------- */

/* Fills all of the windows with the content of two messages, the first bytes of it padded. */
static void fill_with_content(void)
{
    static uint8_t content[1 + 2 * RX] = {100, 0, 0, 0, (uint8_t)(LARGEST >> 8), (uint8_t)LARGEST};

    memcpy(content + 1 + RX, content + 1, PREFIX_SIZE); /* the next message */
    send_frame(0, 8, 1, content, 1 + RX - 100);         /* 200 of content, 100 of padding */
    stream_window -= 1 + RX - 100;
    read_windows();
    CHECK_INT(stream_window, 200 + 261); /* what is missing, and a frame's padding */
    send_frame(0, 0, 1, content + 1 + 200, 200 + 261);
    read_windows();
}

/* The next message begins in the room that was lent for padding. A peer may do so, and pays nothing
 * as long as the user takes the first one. Who defers it needs memory that is not there. */
static void what_was_lent_may_be_content(void)
{
    for (int serves = 0; serves < 2; serves++) {
        for (int defers = 0; defers < 2; defers++) {
            begin(serves);
            deferring = defers;
            fill_with_content();
            CHECK_INT(messages, 1);
            CHECK_INT(ended, defers);
            if (defers)
                CHECK_INT(end_code, MOTE_GRPC_RESOURCE_EXHAUSTED);
            CHECK_INT(mote_h2_error(&g->h2), 0);
        }
    }
}

int main(void)
{
    RUN(padding_stalls_no_message);
    RUN(who_has_padded_may_pad_the_end);
    if (MOTE_MAY_SERVE) {
        RUN(who_begins_to_pad_the_end_waits_a_second);
        RUN(nobody_waits_for_padding_without_need);
    }
    RUN(what_was_lent_may_be_content);
    return test_summary();
}
