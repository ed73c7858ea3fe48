/* The HTTP/2 engine of mote beside libnghttp2: servers without a transport read the same bytes,
 * count what they carry, return credit, and answer requests. One run, the two in turns.
 *
 * Prints a line for each case: case, unit, mote, libnghttp2. */
#define _POSIX_C_SOURCE 200809L
#include "../../h2/h2.h"

#include <nghttp2/nghttp2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { TURNS = 21, STREAMS = 100 };

/* How much arrives at once. */
static size_t chunk = 65536;

/* What both are to find: bytes of content, header fields, requests. */
typedef struct {
    uint64_t content, fields, requests;
} found;

static double now_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static void fail(const char *what)
{
    fprintf(stderr, "bench frames: error: %s\n", what);
    exit(1);
}

/* ---- conversations ------------------------------------------------------------------------- */

static uint8_t wire[1 << 22];
static size_t wire_len, frames;

static void frame(unsigned type, unsigned flags, uint32_t id, const void *payload, size_t len)
{
    uint8_t header[9] = {(uint8_t)(len >> 16), (uint8_t)(len >> 8), (uint8_t)len,
                         (uint8_t)type,        (uint8_t)flags,      (uint8_t)(id >> 24),
                         (uint8_t)(id >> 16),  (uint8_t)(id >> 8),  (uint8_t)id};

    if (sizeof wire - wire_len < 9 + len)
        fail("conversation too long");
    memcpy(wire + wire_len, header, 9);
    if (len > 0)
        memcpy(wire + wire_len + 9, payload, len);
    wire_len += 9 + len;
    frames++;
}

/* :method, :scheme, :path /echo and :authority, remembered; then one byte each. */
static const uint8_t first_block[] = "\x83\x86\x44\x05/echo\x41\x09localhost";
static const uint8_t next_block[] = {0x83, 0x86, 0xbf, 0xbe};

static void preface(void)
{
    static const uint8_t magic[] = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

    wire_len = frames = 0;
    memcpy(wire, magic, 24);
    wire_len = 24;
    frame(4, 0, 0, NULL, 0);
    frame(4, 1, 0, NULL, 0);
}

static void content(size_t size, size_t total)
{
    static uint8_t payload[16384];

    preface();
    frame(1, 4, 1, first_block, sizeof first_block - 1);
    for (size_t sent = 0; sent < total; sent += size)
        frame(0, 0, 1, payload, size);
}

static void requests(size_t count)
{
    preface();
    for (uint32_t i = 0; i < count; i++)
        frame(1, 5, 2 * i + 1, i ? next_block : first_block,
              i ? sizeof next_block : sizeof first_block - 1);
}

/* ---- mote ---------------------------------------------------------------------------------- */

static void mote_answer(mote_h2 *c, mote_h2_stream *s)
{
    static const mote_hpack_field ok = MOTE_HPACK_STATIC(9);

    mote_h2_headers_begin(c, s);
    mote_h2_put(c, &ok);
    if (mote_h2_headers_end(c, true) < 0)
        fail("mote cannot answer");
}

static void mote_drain(mote_h2 *c)
{
    size_t len;

    while (mote_h2_peek(c, &len))
        mote_h2_ack(c, len);
}

static found mote_run(void)
{
    static mote_h2 c;
    static mote_h2_stream streams[STREAMS];
    static uint8_t tx[65536];
    static uint16_t table[MOTE_HPACK_TABLE_MEMORY(4096) / 2];
    static char scratch[4096];
    static mote_hpack_slot slots[16];
    mote_h2_config config = {.server = true,
                             .coder = &mote_hpack_huffman_coder,
                             .streams = streams,
                             .stream_count = STREAMS,
                             .tx = tx,
                             .tx_size = sizeof tx,
                             .table = table,
                             .table_size = 4096,
                             .scratch = scratch,
                             .scratch_size = sizeof scratch,
                             .slots = slots,
                             .slot_count = 16};
    found f = {0};

    if (mote_h2_init(&c, &config) < 0)
        fail("config");
    for (size_t at = 0; at < wire_len; at += chunk) {
        const uint8_t *in = wire + at;
        size_t len = wire_len - at < chunk ? wire_len - at : chunk, used;
        mote_h2_event ev;
        int r;
        while ((r = mote_h2_recv(&c, in, len, &used, &ev)) > 0) {
            in += used;
            len -= used;
            if (ev.type == MOTE_H2_FIELD) {
                f.fields++;
            } else if (ev.type == MOTE_H2_DATA) {
                f.content += ev.len;
                mote_h2_consume(&c, ev.stream, ev.len);
            } else if (ev.type == MOTE_H2_HEADERS && ev.end_stream) {
                f.requests++;
                mote_answer(&c, ev.stream);
            }
        }
        if (r < 0)
            fail(mote_h2_error_text(&c));
        mote_drain(&c);
    }
    return f;
}

/* ---- libnghttp2 ---------------------------------------------------------------------------- */

static int on_header(nghttp2_session *s, const nghttp2_frame *frame_, const uint8_t *name,
                     size_t name_len, const uint8_t *value, size_t value_len, uint8_t flags,
                     void *user)
{
    (void)s, (void)frame_, (void)name, (void)name_len, (void)value, (void)value_len, (void)flags;
    ((found *)user)->fields++;
    return 0;
}

static int on_data(nghttp2_session *s, uint8_t flags, int32_t id, const uint8_t *data, size_t len,
                   void *user)
{
    (void)s, (void)flags, (void)id, (void)data;
    ((found *)user)->content += len;
    return 0;
}

static int on_frame(nghttp2_session *s, const nghttp2_frame *f, void *user)
{
    static nghttp2_nv ok = {(uint8_t *)":status", (uint8_t *)"204", 7, 3, 0};

    if (f->hd.type == NGHTTP2_HEADERS && (f->hd.flags & NGHTTP2_FLAG_END_STREAM)) {
        ((found *)user)->requests++;
        if (nghttp2_submit_response(s, f->hd.stream_id, &ok, 1, NULL) != 0)
            fail("libnghttp2 cannot answer");
    }
    return 0;
}

static found nghttp2_run(void)
{
    nghttp2_session_callbacks *callbacks;
    nghttp2_session *session;
    found f = {0};
    const uint8_t *out;
    nghttp2_settings_entry streams = {NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, STREAMS};

    nghttp2_session_callbacks_new(&callbacks);
    nghttp2_session_callbacks_set_on_header_callback(callbacks, on_header);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, on_data);
    nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, on_frame);
    nghttp2_session_server_new(&session, callbacks, &f);
    nghttp2_submit_settings(session, NGHTTP2_FLAG_NONE, &streams, 1);
    while (nghttp2_session_mem_send(session, &out) > 0)
        ;
    for (size_t at = 0; at < wire_len; at += chunk) {
        size_t len = wire_len - at < chunk ? wire_len - at : chunk;
        if (nghttp2_session_mem_recv(session, wire + at, len) != (ssize_t)len)
            fail("libnghttp2 refuses the conversation");
        while (nghttp2_session_mem_send(session, &out) > 0)
            ;
    }
    nghttp2_session_del(session);
    nghttp2_session_callbacks_del(callbacks);
    return f;
}

/* ---- cases --------------------------------------------------------------------------------- */

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return x < y ? -1 : x > y;
}

static void compare(const char *name, const char *unit, double units)
{
    double ns[2][TURNS];

    for (int turn = 0; turn < TURNS; turn++) {
        double t0 = now_ns();
        found ours = mote_run();
        double t1 = now_ns();
        found theirs = nghttp2_run();
        double t2 = now_ns();
        if (memcmp(&ours, &theirs, sizeof ours) != 0)
            fail("the two disagree about what was sent");
        ns[0][turn] = t1 - t0;
        ns[1][turn] = t2 - t1;
    }
    for (int k = 0; k < 2; k++)
        qsort(ns[k], TURNS, sizeof ns[k][0], by_value);
    printf("%s\t%s\t%.2f\t%.2f\n", name, unit, ns[0][TURNS / 2] / units, ns[1][TURNS / 2] / units);
}

int main(void)
{
    content(16384, 4000000);
    compare("DATA frames of 16 KiB", "ns/KiB", (double)wire_len / 1024);
    content(64, 2000000);
    compare("DATA frames of 64 bytes", "ns/frame", (double)frames);
    chunk = 1000; /* fewer requests than may be open at once: libnghttp2 answers after each chunk */
    requests(100000);
    compare("requests and their answers", "ns/request", 100000);
    return 0;
}
