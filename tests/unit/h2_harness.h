/* A connection for the tests of h2: frames in, and what it says about them. */
#ifndef H2_HARNESS_H
#define H2_HARNESS_H

#include "../../h2/h2.h"
#include "../../h2/mote_features.h"
#include "../test.h"

enum { STREAMS = 4, TX = 4096 };

static mote_h2 h2;
static mote_h2_stream streams[STREAMS];
static uint8_t tx[TX];
static uint16_t table[MOTE_HPACK_TABLE_MEMORY(4096) / 2];
static char scratch[1024];
static mote_hpack_slot slots[8];
static uint8_t in[1 << 17], out[1 << 17];
static size_t in_len, out_len;
static char events[1 << 16];

/* ---- a connection, and what it says -------------------------------------------------------- */

static mote_h2_config config_of(bool server)
{
    return (mote_h2_config){.server = server,
                            .streams = streams,
                            .stream_count = STREAMS,
                            .tx = tx,
                            .tx_size = TX,
                            .table = table,
                            .dynamic = &mote_hpack_dynamic_table,
                            .coder = &mote_hpack_huffman_coder,
                            .table_size = 4096,
                            .scratch = scratch,
                            .scratch_size = sizeof scratch,
                            .slots = slots,
                            .slot_count = 8};
}

static void drain(void)
{
    size_t len;
    const uint8_t *p;

    while ((p = mote_h2_peek(&h2, &len))) {
        memcpy(out + out_len, p, len);
        out_len += len;
        mote_h2_ack(&h2, len);
    }
}

static void note(const mote_h2_event *ev)
{
    static const char *const names[] = {"",         "FIELD",    "HEADERS", "DATA",  "RESET",
                                        "WRITABLE", "SETTINGS", "PONG",    "GOAWAY"};
    char line[256];

    snprintf(line, sizeof line, "%s %u%s%s%s\n", names[ev->type], ev->stream ? ev->stream->id : 0,
             ev->end_stream ? " end" : "", ev->trailers ? " trailers" : "",
             ev->truncated ? " truncated" : "");
    if (ev->type != MOTE_H2_FIELD && strlen(events) + strlen(line) < sizeof events)
        strcat(events, line);
}

/* Feeds what was collected in `in`, with the output taken after each event; consumes content. */
static int feed_raw(void)
{
    size_t at = 0, used;
    mote_h2_event ev;
    int r;

    while ((r = mote_h2_recv(&h2, in + at, in_len - at, &used, &ev)) > 0) {
        at += used;
        note(&ev);
        if (ev.type == MOTE_H2_DATA)
            mote_h2_consume(&h2, ev.stream, ev.len);
        drain();
    }
    in_len = 0;
    drain();
    return r;
}

static void frame(unsigned type, unsigned flags, uint32_t id, const void *payload, size_t len)
{
    uint8_t header[9] = {(uint8_t)(len >> 16), (uint8_t)(len >> 8), (uint8_t)len,
                         (uint8_t)type,        (uint8_t)flags,      (uint8_t)(id >> 24),
                         (uint8_t)(id >> 16),  (uint8_t)(id >> 8),  (uint8_t)id};

    memcpy(in + in_len, header, 9);
    if (len > 0)
        memcpy(in + in_len + 9, payload, len);
    in_len += 9 + len;
}

static inline void frame_hex(unsigned type, unsigned flags, uint32_t id, const char *hex)
{
    uint8_t payload[2048];
    size_t len = unhex(hex, payload);

    frame(type, flags, id, payload, len);
}

/* A GET request: method, scheme, path and authority from the static table. */
#define GET "82 86 84 4101 61"

static inline int start(bool server)
{
    mote_h2_config config = config_of(server);

    in_len = out_len = 0;
    events[0] = '\0';
    CHECK_INT(mote_h2_init(&h2, &config), 0);
    if (server) {
        memcpy(in, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 24);
        in_len = 24;
    }
    frame(4, 0, 0, NULL, 0);
    frame(4, 1, 0, NULL, 0);
    int r = feed_raw();
    out_len = 0;
    events[0] = '\0';
    return r;
}

/* A client with one stream (1) whose request has ended. */
static inline mote_h2_stream *start_client(void)
{
    static const mote_hpack_field get = MOTE_HPACK_STATIC(2), root = MOTE_HPACK_STATIC(4),
                                  http = MOTE_HPACK_STATIC(6);
    mote_h2_stream *s;

    start(false);
    CHECK_INT(mote_h2_open(&h2, &s), 0);
    mote_h2_headers_begin(&h2, s);
    mote_h2_put(&h2, &get);
    mote_h2_put(&h2, &http);
    mote_h2_put(&h2, &root);
    CHECK_INT(mote_h2_headers_end(&h2, true), 0);
    drain();
    out_len = 0;
    return s;
}

/* The last error that was sent: "GOAWAY 1", "RST 3 5", or "". */
static const char *said(void)
{
    static char text[64];

    text[0] = '\0';
    for (size_t at = 0; at + 9 <= out_len;) {
        size_t len = (size_t)out[at] << 16 | (size_t)out[at + 1] << 8 | out[at + 2];
        const uint8_t *p = out + at + 9;
        if (out[at + 3] == 7)
            snprintf(text, sizeof text, "GOAWAY %u", p[7]);
        else if (out[at + 3] == 3)
            snprintf(text, sizeof text, "RST %u %u", out[at + 8], p[3]);
        at += 9 + len;
    }
    return text;
}

static inline void expect(const char *what, const char *answer)
{
    feed_raw();
    if (strcmp(said(), answer) != 0) {
        printf("%s: said '%s', not '%s' (%s)\n", what, said(), answer, mote_h2_error_text(&h2));
        test_ok = false;
    }
}

/* A request without content, which may follow; NULL: there was no stream, or no room. */
static inline mote_h2_stream *open_stream(void)
{
    static const mote_hpack_field post = MOTE_HPACK_STATIC(3), http = MOTE_HPACK_STATIC(6),
                                  root = MOTE_HPACK_STATIC(4);
    mote_h2_stream *s;

    if (mote_h2_open(&h2, &s) < 0)
        return NULL;
    mote_h2_headers_begin(&h2, s);
    mote_h2_put(&h2, &post);
    mote_h2_put(&h2, &http);
    mote_h2_put(&h2, &root);
    return mote_h2_headers_end(&h2, false) == 0 ? s : NULL;
}

#endif
