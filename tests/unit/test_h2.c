/* HTTP/2: each frame in each state gets the answer that RFC 9113 asks for. */
#include "../../h2/h2.h"
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

static void frame_hex(unsigned type, unsigned flags, uint32_t id, const char *hex)
{
    uint8_t payload[2048];
    size_t len = unhex(hex, payload);

    frame(type, flags, id, payload, len);
}

/* A GET request: method, scheme, path and authority from the static table. */
#define GET "82 86 84 4101 61"

static int start(bool server)
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
static mote_h2_stream *start_client(void)
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

static void expect(const char *what, const char *answer)
{
    feed_raw();
    if (strcmp(said(), answer) != 0) {
        printf("%s: said '%s', not '%s' (%s)\n", what, said(), answer, mote_h2_error_text(&h2));
        test_ok = false;
    }
}

/* ---- connection errors and stream errors, server ------------------------------------------- */

typedef struct {
    const char *what;
    const char *answer;
    struct {
        uint8_t type, flags;
        uint32_t id;
        const char *payload;
    } frames[4];
} rule;

static const rule server_rules[] = {
    {"4.2 frame larger than 16384 is refused", "GOAWAY 6", {{0x77, 0, 0, "big"}}},
    {"4.3 header block with garbage", "GOAWAY 9", {{1, 5, 1, "ff ff ff ff ff ff ff"}}},
    {"4.3 header block interrupted", "GOAWAY 1", {{1, 1, 1, "82"}, {6, 0, 0, "0000000000000000"}}},
    {"4.3 header block interrupted by another stream",
     "GOAWAY 1",
     {{1, 1, 1, "82"}, {9, 4, 3, "82"}}},
    {"5.1 idle: DATA", "GOAWAY 1", {{0, 1, 1, "00"}}},
    {"5.1 idle: RST_STREAM", "GOAWAY 1", {{3, 0, 1, "00000000"}}},
    {"5.1 idle: WINDOW_UPDATE", "GOAWAY 1", {{8, 0, 1, "00000001"}}},
    {"5.1 half-closed: DATA", "RST 1 5", {{1, 5, 1, GET}, {0, 1, 1, "00"}}},
    {"5.1 half-closed: HEADERS", "RST 1 5", {{1, 5, 1, GET}, {1, 5, 1, GET}}},
    {"5.1 closed: DATA", "RST 1 5", {{1, 4, 1, GET}, {3, 0, 1, "00000008"}, {0, 1, 1, "00"}}},
    {"5.1 closed: HEADERS", "GOAWAY 5", {{1, 4, 1, GET}, {3, 0, 1, "00000008"}, {1, 5, 1, GET}}},
    {"5.1 closed: WINDOW_UPDATE is ignored",
     "",
     {{1, 4, 1, GET}, {3, 0, 1, "00000008"}, {8, 0, 1, "00000001"}}},
    {"5.1.1 even stream id", "GOAWAY 1", {{1, 5, 2, GET}}},
    {"5.1.1 decreasing stream id", "GOAWAY 1", {{1, 5, 5, GET}, {1, 5, 3, GET}}},
    {"5.5 unknown frames are ignored", "", {{0x42, 0xff, 7, "0102"}}},
    {"6.1 DATA on stream 0", "GOAWAY 1", {{0, 0, 0, "00"}}},
    {"6.1 padding exceeds DATA", "GOAWAY 1", {{1, 4, 1, GET}, {0, 8, 1, "05 00"}}},
    {"6.1 DATA without its pad length", "GOAWAY 6", {{1, 4, 1, GET}, {0, 8, 1, ""}}},
    {"6.2 HEADERS on stream 0", "GOAWAY 1", {{1, 5, 0, GET}}},
    {"6.2 padding exceeds HEADERS", "GOAWAY 1", {{1, 0xd, 1, "09 82"}}},
    {"6.2 HEADERS shorter than its priority", "GOAWAY 6", {{1, 0x25, 1, "0000"}}},
    {"6.2 padded and with priority is fine", "", {{1, 0x2d, 1, "02 00000000 10 " GET " 0000"}}},
    {"6.3 PRIORITY on stream 0", "GOAWAY 1", {{2, 0, 0, "0000000010"}}},
    {"6.3 PRIORITY of a wrong length", "GOAWAY 6", {{2, 0, 1, "00000000"}}},
    {"6.4 RST_STREAM on stream 0", "GOAWAY 1", {{3, 0, 0, "00000000"}}},
    {"6.4 RST_STREAM of a wrong length", "GOAWAY 6", {{1, 5, 1, GET}, {3, 0, 1, "000000"}}},
    {"6.5 SETTINGS on a stream", "GOAWAY 1", {{4, 0, 1, ""}}},
    {"6.5 SETTINGS of a wrong length", "GOAWAY 6", {{4, 0, 0, "000100"}}},
    {"6.5 SETTINGS ACK with a payload", "GOAWAY 6", {{4, 1, 0, "000100000000"}}},
    {"6.5.2 ENABLE_PUSH of 2", "GOAWAY 1", {{4, 0, 0, "000200000002"}}},
    {"6.5.2 INITIAL_WINDOW_SIZE too large", "GOAWAY 3", {{4, 0, 0, "000480000000"}}},
    {"6.5.2 MAX_FRAME_SIZE too small", "GOAWAY 1", {{4, 0, 0, "000500003fff"}}},
    {"6.5.2 MAX_FRAME_SIZE too large", "GOAWAY 1", {{4, 0, 0, "000501000000"}}},
    {"6.5.2 unknown settings are ignored", "", {{4, 0, 0, "00ff00000001"}}},
    {"6.6 PUSH_PROMISE", "GOAWAY 1", {{5, 4, 1, "00000002"}}},
    {"6.7 PING on a stream", "GOAWAY 1", {{6, 0, 1, "0000000000000000"}}},
    {"6.7 PING of a wrong length", "GOAWAY 6", {{6, 0, 0, "00"}}},
    {"6.8 GOAWAY on a stream", "GOAWAY 1", {{7, 0, 1, "0000000000000000"}}},
    {"6.8 GOAWAY too short", "GOAWAY 6", {{7, 0, 0, "00000000"}}},
    {"6.9 WINDOW_UPDATE of 0, connection", "GOAWAY 1", {{8, 0, 0, "00000000"}}},
    {"6.9 WINDOW_UPDATE of 0, stream", "RST 1 1", {{1, 5, 1, GET}, {8, 0, 1, "00000000"}}},
    {"6.9 WINDOW_UPDATE of a wrong length", "GOAWAY 6", {{8, 0, 0, "000000"}}},
    {"6.9.1 overflow of the connection", "GOAWAY 3", {{8, 0, 0, "7fffffff"}}},
    {"6.9.1 overflow of a stream", "RST 1 3", {{1, 5, 1, GET}, {8, 0, 1, "7fffffff"}}},
    {"6.9.2 SETTINGS overflow a window",
     "GOAWAY 3",
     {{1, 5, 1, GET}, {8, 0, 1, "00000001"}, {4, 0, 0, "00047fffffff"}}},
    {"6.10 CONTINUATION without HEADERS", "GOAWAY 1", {{9, 4, 1, "82"}}},
    {"6.10 CONTINUATION after END_HEADERS", "GOAWAY 1", {{1, 5, 1, GET}, {9, 4, 1, "82"}}},
    {"6.10 CONTINUATION completes a block",
     "",
     {{1, 1, 1, "82 86"}, {9, 0, 1, "84"}, {9, 4, 1, "4101 61"}}},
    {"8.1 trailers without END_STREAM", "RST 1 1", {{1, 4, 1, GET}, {1, 4, 1, "0001610162"}}},
    {"8.1 trailers", "", {{1, 4, 1, GET}, {1, 5, 1, "0001610162"}}},
    {"8.1.1 content-length larger than the content",
     "RST 1 1",
     {{1, 4, 1, GET " 0f0d 0132"}, {0, 1, 1, "00"}}},
    {"8.1.1 content-length smaller than the content",
     "RST 1 1",
     {{1, 4, 1, GET " 0f0d 0131"}, {0, 1, 1, "0000"}}},
    {"8.1.1 content-length without content", "RST 1 1", {{1, 5, 1, GET " 0f0d 0131"}}},
    {"8.1.1 content-length that is no number", "RST 1 1", {{1, 5, 1, GET " 0f0d 0178"}}},
    {"8.1.1 two different content-lengths", "RST 1 1", {{1, 4, 1, GET " 0f0d0131 0f0d0132"}}},
    {"8.1.1 content-length that agrees", "", {{1, 4, 1, GET " 0f0d 0132"}, {0, 1, 1, "0000"}}},
    {"8.2.1 upper case in a name", "RST 1 1", {{1, 5, 1, GET " 0001410162"}}},
    {"8.2.1 blank in a name", "RST 1 1", {{1, 5, 1, GET " 0001200162"}}},
    {"8.2.1 colon in a name", "RST 1 1", {{1, 5, 1, GET " 0002613a0162"}}},
    {"8.2.1 empty name", "RST 1 1", {{1, 5, 1, GET " 00000162"}}},
    {"8.2.1 NUL in a value", "RST 1 1", {{1, 5, 1, GET " 0001610100"}}},
    {"8.2.1 LF in a value", "RST 1 1", {{1, 5, 1, GET " 000161010a"}}},
    {"8.2.1 CR in a value", "RST 1 1", {{1, 5, 1, GET " 000161010d"}}},
    {"8.2.1 value begins with a blank", "RST 1 1", {{1, 5, 1, GET " 000161022061"}}},
    {"8.2.1 value ends with a tab", "RST 1 1", {{1, 5, 1, GET " 000161026109"}}},
    {"8.2.1 empty value", "", {{1, 5, 1, GET " 00016100"}}},
    {"8.2.2 connection", "RST 1 1", {{1, 5, 1, GET " 000a636f6e6e656374696f6e0161"}}},
    {"8.2.2 keep-alive", "RST 1 1", {{1, 5, 1, GET " 000a6b6565702d616c6976650161"}}},
    {"8.2.2 proxy-connection",
     "RST 1 1",
     {{1, 5, 1, GET " 001070726f78792d636f6e6e656374696f6e0161"}}},
    {"8.2.2 transfer-encoding", "RST 1 1", {{1, 5, 1, GET " 0f2a0161"}}},
    {"8.2.2 upgrade", "RST 1 1", {{1, 5, 1, GET " 0007757067726164650161"}}},
    {"8.2.2 te other than trailers", "RST 1 1", {{1, 5, 1, GET " 000274650161"}}},
    {"8.2.2 te: trailers", "", {{1, 5, 1, GET " 0002746508747261696c657273"}}},
    {"8.3 pseudo-header after a regular field", "RST 1 1", {{1, 5, 1, "82 86 0001610162 84"}}},
    {"8.3 unknown pseudo-header", "RST 1 1", {{1, 5, 1, GET " 00023a610162"}}},
    {"8.3 :status in a request", "RST 1 1", {{1, 5, 1, GET " 88"}}},
    {"8.3 repeated pseudo-header", "RST 1 1", {{1, 5, 1, "82 82 86 84"}}},
    {"8.3 pseudo-header in trailers", "RST 1 1", {{1, 4, 1, GET}, {1, 5, 1, "82"}}},
    {"8.3.1 no :method", "RST 1 1", {{1, 5, 1, "86 84"}}},
    {"8.3.1 no :scheme", "RST 1 1", {{1, 5, 1, "82 84"}}},
    {"8.3.1 no :path", "RST 1 1", {{1, 5, 1, "82 86"}}},
    {"8.3.1 empty :path", "RST 1 1", {{1, 5, 1, "82 86 0400"}}},
    {"8.3.1 path without a slash", "RST 1 1", {{1, 5, 1, "82 86 040161"}}},
    {"8.3.1 the path *", "", {{1, 5, 1, "0207 4f5054494f4e53 86 04012a"}}},
    {"8.5 CONNECT", "", {{1, 4, 1, "0207 434f4e4e454354 4101 61"}}},
    {"8.5 CONNECT with a path", "RST 1 1", {{1, 4, 1, "0207 434f4e4e454354 84 4101 61"}}},
    {"8.5 CONNECT without authority", "RST 1 1", {{1, 4, 1, "0207 434f4e4e454354"}}},
    {"7540 5.3.1 HEADERS that depend on themselves", "RST 1 1", {{1, 0x25, 1, "00000001 10" GET}}},
    {"7540 5.3.1 PRIORITY that depends on itself",
     "RST 1 1",
     {{1, 5, 1, GET}, {2, 0, 1, "0000000110"}}},
};

static void server_answers_as_rfc_9113_asks(void)
{
    for (size_t i = 0; i < sizeof server_rules / sizeof server_rules[0]; i++) {
        const rule *r = &server_rules[i];
        start(true);
        for (int j = 0; j < 4 && r->frames[j].payload; j++) {
            if (strcmp(r->frames[j].payload, "big") == 0) {
                frame(0, 0, 1, NULL, 0);
                in[in_len - 9] = 0;
                in[in_len - 8] = 0x40;
                in[in_len - 7] = 1;
            } else {
                frame_hex(r->frames[j].type, r->frames[j].flags, r->frames[j].id,
                          r->frames[j].payload);
            }
        }
        expect(r->what, r->answer);
    }
}

/* ---- preface ------------------------------------------------------------------------------- */

static void garbage_instead_of_a_preface_is_told(void)
{
    mote_h2_config config = config_of(true);

    out_len = 0;
    mote_h2_init(&h2, &config);
    in_len = (size_t)sprintf((char *)in, "GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    CHECK_INT(feed_raw(), MOTE_H2_ERR_PEER);
    CHECK(strcmp(said(), "GOAWAY 1") == 0);
    CHECK(strcmp(mote_h2_error_text(&h2), "no HTTP/2 connection preface") == 0);
}

static void the_first_frame_must_be_settings(void)
{
    mote_h2_config config = config_of(true);

    out_len = 0;
    mote_h2_init(&h2, &config);
    memcpy(in, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 24);
    in_len = 24;
    frame_hex(6, 0, 0, "0000000000000000");
    CHECK_INT(feed_raw(), MOTE_H2_ERR_PEER);
    CHECK(strcmp(said(), "GOAWAY 1") == 0);
    CHECK_INT(feed_raw(), MOTE_H2_ERR_PEER); /* sticky */
}

static void settings_without_ack_time_out(void)
{
    mote_h2_config config = config_of(true);

    mote_h2_init(&h2, &config);
    CHECK_INT(mote_h2_tick(&h2, 1000), 10000);
    CHECK_INT(mote_h2_tick(&h2, 6000), 5000);
    mote_h2_tick(&h2, 11000);
    CHECK_INT(mote_h2_error(&h2), MOTE_H2_ERR_TIMEOUT);
    CHECK_INT(mote_h2_error_code(&h2), MOTE_H2_SETTINGS_TIMEOUT);
}

static void a_config_without_memory_is_refused(void)
{
    mote_h2_config config = config_of(true);

    config.tx_size = MOTE_H2_TX_MIN - 1;
    CHECK_INT(mote_h2_init(&h2, &config), MOTE_H2_ERR_CONFIG);
    config = config_of(true);
    config.stream_count = 0;
    CHECK_INT(mote_h2_init(&h2, &config), MOTE_H2_ERR_CONFIG);
    config = config_of(true);
    config.scratch = NULL;
    CHECK_INT(mote_h2_init(&h2, &config), MOTE_H2_ERR_CONFIG);
    config = config_of(true);
    config.connection_window = 1000;
    CHECK_INT(mote_h2_init(&h2, &config), MOTE_H2_ERR_CONFIG);
}

/* Promise 8: what is not configured is limited all the same. */
static void every_limit_has_a_safe_default(void)
{
    start(true);
    CHECK_INT(h2.config.max_list_size, MOTE_H2_LIST_SIZE_DEFAULT);
    CHECK_INT(h2.config.budget, MOTE_H2_BUDGET_DEFAULT);
    CHECK_INT(h2.config.settings_timeout_ms, MOTE_H2_SETTINGS_TIMEOUT_MS);
    CHECK_INT(h2.config.initial_window, 65535);
    CHECK_INT(h2.config.connection_window, 65535);
}

/* ---- client -------------------------------------------------------------------------------- */

static void client_refuses_what_a_server_must_not_send(void)
{
    static const rule rules[] = {
        {"5.1 HEADERS on an idle stream", "GOAWAY 1", {{1, 5, 3, "88"}}},
        {"5.1.1 stream of the server", "GOAWAY 1", {{1, 5, 2, "88"}}},
        {"6.5.2 ENABLE_PUSH of 1", "GOAWAY 1", {{4, 0, 0, "000200000001"}}},
        {"8.4 PUSH_PROMISE", "GOAWAY 1", {{5, 4, 1, "00000002 82"}}},
        {"8.1 DATA before HEADERS", "RST 1 1", {{0, 1, 1, "00"}}},
        {"8.3.2 no :status", "RST 1 1", {{1, 5, 1, "0001610162"}}},
        {"8.3.2 :status of two digits", "RST 1 1", {{1, 5, 1, "0802 3230"}}},
        {"8.3 :path in a response", "RST 1 1", {{1, 5, 1, "88 84"}}},
        {"8.6 101", "RST 1 1", {{1, 4, 1, "0803 313031"}}},
        {"8.1 1xx with END_STREAM", "RST 1 1", {{1, 5, 1, "0803 313030"}}},
        {"8.1 1xx, then a response", "", {{1, 4, 1, "0803 313033"}, {1, 5, 1, "88"}}},
        {"8.1.1 304 with content-length", "", {{1, 5, 1, "8b 0f0d 0139"}}},
    };

    for (size_t i = 0; i < sizeof rules / sizeof rules[0]; i++) {
        start_client();
        for (int j = 0; j < 4 && rules[i].frames[j].payload; j++)
            frame_hex(rules[i].frames[j].type, rules[i].frames[j].flags, rules[i].frames[j].id,
                      rules[i].frames[j].payload);
        expect(rules[i].what, rules[i].answer);
    }
}

static void goaway_ends_the_streams_above_its_last_id(void)
{
    mote_h2_stream *s;

    start_client();
    frame_hex(7, 0, 0, "00000000 00000000");
    feed_raw();
    CHECK(strcmp(events, "GOAWAY 0\nRESET 0\n") == 0);
    CHECK_INT(mote_h2_open(&h2, &s), MOTE_H2_ERR_GOAWAY);
}

static void the_peers_stream_limit_is_kept(void)
{
    mote_h2_stream *s;

    start_client();
    frame_hex(4, 0, 0, "000300000001");
    feed_raw();
    CHECK_INT(mote_h2_open(&h2, &s), MOTE_AGAIN);
    frame_hex(1, 5, 1, "88");
    feed_raw();
    CHECK_INT(mote_h2_open(&h2, &s), 0);
}

static void response_to_head_may_announce_content(void)
{
    static const mote_hpack_field head = MOTE_HPACK_FIELD(":method", "HEAD");
    static const mote_hpack_field root = MOTE_HPACK_STATIC(4), http = MOTE_HPACK_STATIC(6);
    mote_h2_stream *s;

    start(false);
    mote_h2_open(&h2, &s);
    mote_h2_headers_begin(&h2, s);
    mote_h2_put(&h2, &head);
    mote_h2_put(&h2, &http);
    mote_h2_put(&h2, &root);
    mote_h2_headers_end(&h2, true);
    frame_hex(1, 5, 1, "88 0f0d 0139");
    expect("HEAD", "");
    CHECK(strcmp(events, "HEADERS 0 end\n") == 0);
}

/* ---- streams and windows ------------------------------------------------------------------- */

static void streams_beyond_the_limit_are_refused_and_the_others_go_on(void)
{
    start(true);
    for (uint32_t id = 1; id <= 2 * STREAMS + 1; id += 2)
        frame_hex(1, 4, id, GET);
    frame_hex(0, 1, 2 * STREAMS + 1, "00"); /* content of the refused one is ignored */
    frame_hex(0, 1, 1, "00");
    expect("refused", "RST 9 7");
    CHECK(strstr(events, "DATA 0 end") || strstr(events, "DATA 1 end"));
    CHECK_INT(mote_h2_error(&h2), 0);
}

static void content_beyond_the_window_ends_the_stream(void)
{
    static uint8_t content[16384];

    start(true);
    mote_h2_config config = config_of(true);
    config.initial_window = 1000;
    mote_h2_init(&h2, &config);
    memcpy(in, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 24);
    in_len = 24;
    frame(4, 0, 0, NULL, 0);
    frame_hex(1, 4, 1, GET);
    frame(0, 0, 1, content, 5000); /* before the ACK the window is 65,535 */
    frame(4, 1, 0, NULL, 0);
    frame_hex(1, 4, 3, GET);
    frame(0, 0, 3, content, 1001);
    expect("window", "RST 3 3");
    CHECK(strstr(events, "DATA 1") != NULL);
}

static void content_that_is_not_consumed_gives_no_credit(void)
{
    static uint8_t content[16384];
    mote_h2_event ev;
    size_t at = 0, used;

    start(true);
    frame_hex(1, 4, 1, GET);
    for (int i = 0; i < 4; i++) /* one byte more than the stream's window */
        frame(0, 0, 1, content, sizeof content);
    while (mote_h2_recv(&h2, in + at, in_len - at, &used, &ev) > 0)
        at += used;
    drain();
    CHECK(strcmp(said(), "RST 1 3") == 0);
}

static void the_connections_window_is_enforced(void)
{
    start(true);
    frame_hex(1, 4, 1, GET);
    feed_raw();
    h2.recv_window = 3; /* as if nothing had been given back */
    frame_hex(0, 0, 1, "01020304");
    expect("connection window", "GOAWAY 3");
}

static size_t send_all(mote_h2_stream *s, size_t len)
{
    size_t sent = 0, room;

    while (sent < len && mote_h2_reserve(&h2, s, 1, &room)) {
        size_t n = len - sent < room ? len - sent : room;
        CHECK_INT(mote_h2_commit(&h2, s, n, false), 0);
        sent += n;
    }
    return sent;
}

static void sending_stops_exactly_at_the_window(void)
{
    mote_h2_stream *s;
    size_t sent = 0, n;

    start(true);
    frame_hex(4, 0, 0, "000400000064"); /* 100 */
    frame_hex(1, 5, 1, GET);
    feed_raw();
    s = &streams[0];
    mote_h2_headers_begin(&h2, s);
    CHECK_INT(mote_h2_headers_end(&h2, false), 0);
    CHECK_INT(send_all(s, 1000), 100);
    drain();
    frame_hex(4, 0, 0, "000400000032"); /* 50: the window is now -50 */
    frame_hex(8, 0, 1, "00000031");     /* -1 */
    feed_raw();
    CHECK_INT(send_all(s, 1000), 0);
    frame_hex(8, 0, 1, "00000003"); /* 2 */
    feed_raw();
    CHECK(strstr(events, "WRITABLE 1") != NULL);
    CHECK_INT(send_all(s, 1000), 2);
    frame_hex(8, 0, 1, "7fffff00");
    feed_raw();
    while ((n = send_all(s, 100000)) > 0) {
        sent += n;
        drain();
        out_len = 0;
    }
    CHECK_INT(sent, 65535 - 102); /* the connection's window */
}

static void pieces_of_a_stream_share_a_frame(void)
{
    mote_h2_stream *s;

    start(true);
    frame_hex(1, 5, 1, GET);
    feed_raw();
    s = &streams[0];
    mote_h2_headers_begin(&h2, s);
    mote_h2_headers_end(&h2, false);
    drain();
    out_len = 0;
    for (int i = 0; i < 10; i++)
        send_all(s, 7);
    CHECK_INT(mote_h2_commit(&h2, s, 0, true), 0);
    drain();
    CHECK_INT(out_len, 9 + 70);
    CHECK(out[2] == 70 && out[4] == 1); /* one frame, with END_STREAM */
}

static void a_large_block_is_cut_into_continuations(void)
{
    static uint8_t large_tx[65536];
    static char value[20000];
    mote_h2_config config = config_of(false);
    mote_h2_stream *s;

    config.tx = large_tx;
    config.tx_size = sizeof large_tx;
    mote_h2_init(&h2, &config);
    out_len = 0;
    drain();
    out_len = 0;
    memset(value, '\x01', sizeof value); /* 28 bits in Huffman code, so it stays as it is */
    mote_h2_open(&h2, &s);
    mote_h2_headers_begin(&h2, s);
    mote_h2_put_literal(&h2, "a", 1, value, sizeof value, 0);
    mote_h2_put_literal(&h2, "b", 1, value, sizeof value, 0);
    CHECK_INT(mote_h2_headers_end(&h2, true), 0);
    drain();
    CHECK(out[0] == 0 && out[1] == 0x40 && out[2] == 0 && out[3] == 1 && out[4] == 1);
    CHECK(out[9 + 16384 + 3] == 9 && out[9 + 16384 + 4] == 0);
    CHECK(out[2 * (9 + 16384) + 3] == 9 && out[2 * (9 + 16384) + 4] == 4);
}

static void headers_that_do_not_fit_are_not_sent_at_all(void)
{
    static char value[8000];
    mote_h2_stream *s;

    start(false);
    memset(value, 'x', sizeof value);
    CHECK_INT(mote_h2_open(&h2, &s), 0);
    mote_h2_headers_begin(&h2, s);
    mote_h2_put_literal(&h2, "a", 1, value, sizeof value, 0);
    CHECK_INT(mote_h2_headers_end(&h2, true), MOTE_H2_ERR_TOO_LARGE);
    drain();
    CHECK_INT(out_len, 0);
    CHECK_INT(h2.active, 0);
    start_client(); /* and with output in the buffer it is "not now" */
    CHECK_INT(mote_h2_ping(&h2), 0);
    CHECK_INT(mote_h2_open(&h2, &s), 0);
    mote_h2_headers_begin(&h2, s);
    mote_h2_put_literal(&h2, "a", 1, value, sizeof value, 0);
    CHECK_INT(mote_h2_headers_end(&h2, true), MOTE_AGAIN);
}

/* ---- state, not queues --------------------------------------------------------------------- */

/* Feeds a frame again and again without taking output: memory stays, and the budget ends it. */
static unsigned flood(unsigned type, unsigned flags, const char *payload, bool fresh_ids)
{
    unsigned n = 0;
    uint32_t id = fresh_ids ? 1 : 0;
    mote_h2_event ev;
    size_t used, at;

    start(true);
    while (h2.error == 0 && n < 100000) {
        in_len = 0;
        frame_hex(type, flags, id, payload);
        if (fresh_ids && type == 1)
            frame_hex(3, 0, id, "00000008");
        for (at = 0; mote_h2_recv(&h2, in + at, in_len - at, &used, &ev) > 0;)
            at += used;
        id += fresh_ids ? 2 : 0;
        n++;
    }
    return n;
}

static void floods_meet_the_budget(void)
{
    CHECK(flood(6, 0, "0000000000000000", false) < 2000);
    CHECK_INT(h2.error_code, MOTE_H2_ENHANCE_YOUR_CALM);
    CHECK(flood(4, 0, "", false) < 2000);
    CHECK_INT(h2.error_code, MOTE_H2_ENHANCE_YOUR_CALM);
    CHECK(flood(1, 5, GET, true) < 2000); /* rapid reset */
    CHECK_INT(h2.error_code, MOTE_H2_ENHANCE_YOUR_CALM);
    CHECK(flood(0x55, 0, "", false) < 2000);
    CHECK_INT(h2.error_code, MOTE_H2_ENHANCE_YOUR_CALM);
}

static void a_header_block_without_end_meets_its_limit(void)
{
    static uint8_t fragment[16384];
    unsigned n = 0;

    start(true);
    frame_hex(1, 1, 1, "82");
    feed_raw();
    memset(fragment, 0x82, sizeof fragment);
    while (h2.error == 0 && n++ < 100) {
        frame(9, 0, 1, fragment, sizeof fragment);
        feed_raw();
    }
    CHECK(n < 10);
    CHECK_INT(h2.error_code, MOTE_H2_ENHANCE_YOUR_CALM);
}

static void a_header_list_above_the_limit_is_reported_not_fatal(void)
{
    uint8_t block[16384];
    size_t len = unhex(GET, block);

    start(true);
    while (len < 16000)      /* each :method-like reference counts 32 bytes and more */
        block[len++] = 0x90; /* accept-encoding: gzip, deflate */
    frame(1, 5, 1, block, 2000);
    feed_raw();
    CHECK(strcmp(events, "HEADERS 1 end truncated\n") == 0);
    CHECK_INT(mote_h2_error(&h2), 0);
}

static void time_refills_the_budget(void)
{
    start(true);
    mote_h2_tick(&h2, 1000);
    for (int i = 0; i < 500; i++)
        frame_hex(0x55, 0, 0, "");
    feed_raw();
    CHECK_INT(h2.budget, 499); /* the SETTINGS of the start cost 1 */
    mote_h2_tick(&h2, 3000);
    CHECK_INT(h2.budget, 699);
    mote_h2_tick(&h2, 100000);
    CHECK_INT(h2.budget, 1000);
}

static void a_server_drains_gracefully(void)
{
    start(true);
    frame_hex(1, 4, 1, GET);
    feed_raw();
    mote_h2_shutdown(&h2);
    drain();
    CHECK(strcmp(said(), "GOAWAY 0") == 0);
    frame_hex(1, 4, 3, GET); /* on its way before the GOAWAY was seen */
    frame_hex(6, 1, 0, "0000000000000000");
    feed_raw();
    CHECK(strcmp(said(), "GOAWAY 0") == 0);
    CHECK(out[out_len - 5] == 3); /* last stream id */
    events[0] = '\0';
    frame_hex(1, 4, 5, GET);
    frame_hex(0, 1, 1, "00");
    feed_raw();
    CHECK(strcmp(events, "DATA 1 end\n") == 0); /* 5 is ignored, 1 goes on */
    CHECK_INT(mote_h2_error(&h2), 0);
}

static void a_copy_of_the_memory_restores_a_connection(void)
{
    static uint8_t copy[sizeof h2 + sizeof streams + sizeof tx + sizeof table];
    static uint8_t first[4096];
    size_t first_len;

    start(true);
    frame_hex(1, 4, 1, GET);
    feed_raw();
    memcpy(copy, &h2, sizeof h2);
    memcpy(copy + sizeof h2, streams, sizeof streams);
    memcpy(copy + sizeof h2 + sizeof streams, tx, sizeof tx);
    memcpy(copy + sizeof h2 + sizeof streams + sizeof tx, table, sizeof table);
    for (int round = 0; round < 2; round++) {
        out_len = 0;
        events[0] = '\0';
        frame_hex(6, 0, 0, "0102030405060708");
        frame_hex(1, 5, 3, "82 86 84 be");
        feed_raw();
        CHECK(strcmp(events, "HEADERS 3 end\n") == 0);
        if (round == 0) {
            memcpy(first, out, out_len);
            first_len = out_len;
            memcpy(&h2, copy, sizeof h2);
            memcpy(streams, copy + sizeof h2, sizeof streams);
            memcpy(tx, copy + sizeof h2 + sizeof streams, sizeof tx);
            memcpy(table, copy + sizeof h2 + sizeof streams + sizeof tx, sizeof table);
        } else {
            CHECK(out_len == first_len && memcmp(out, first, out_len) == 0);
        }
    }
}

int main(void)
{
    RUN(server_answers_as_rfc_9113_asks);
    RUN(garbage_instead_of_a_preface_is_told);
    RUN(the_first_frame_must_be_settings);
    RUN(settings_without_ack_time_out);
    RUN(a_config_without_memory_is_refused);
    RUN(every_limit_has_a_safe_default);
    RUN(client_refuses_what_a_server_must_not_send);
    RUN(goaway_ends_the_streams_above_its_last_id);
    RUN(the_peers_stream_limit_is_kept);
    RUN(response_to_head_may_announce_content);
    RUN(streams_beyond_the_limit_are_refused_and_the_others_go_on);
    RUN(content_beyond_the_window_ends_the_stream);
    RUN(content_that_is_not_consumed_gives_no_credit);
    RUN(the_connections_window_is_enforced);
    RUN(sending_stops_exactly_at_the_window);
    RUN(pieces_of_a_stream_share_a_frame);
    RUN(a_large_block_is_cut_into_continuations);
    RUN(headers_that_do_not_fit_are_not_sent_at_all);
    RUN(floods_meet_the_budget);
    RUN(a_header_block_without_end_meets_its_limit);
    RUN(a_header_list_above_the_limit_is_reported_not_fatal);
    RUN(time_refills_the_budget);
    RUN(a_server_drains_gracefully);
    RUN(a_copy_of_the_memory_restores_a_connection);
    return test_summary();
}
