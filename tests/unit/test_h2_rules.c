/* HTTP/2: each frame in each state gets the answer that RFC 9113 asks for. */
#include "h2_harness.h"

#include <stdarg.h>

/* ---- what happened, in one line -------------------------------------------------------------- */

static char whole[2048];

static void add(const char *format, ...)
{
    size_t len = strlen(whole);
    va_list args;

    va_start(args, format);
    vsnprintf(whole + len, sizeof whole - len, format, args);
    va_end(args);
}

/* Fields by their kind alone. */
static void add_event(const mote_h2_event *ev)
{
    static const char *const names[] = {"",         "FIELD",    "HEADERS", "DATA",  "RESET",
                                        "WRITABLE", "SETTINGS", "PONG",    "GOAWAY"};

    if (ev->type == MOTE_H2_FIELD) {
        add("%d", ev->kind);
        return;
    }
    add("%s%s", whole[0] ? " " : "", names[ev->type]);
    if (ev->stream)
        add(" %u", ev->stream->id);
    if (ev->type == MOTE_H2_HEADERS)
        add(" %u%s%s", ev->status, ev->trailers ? " trailers" : "",
            ev->truncated ? " truncated" : "");
    if (ev->type == MOTE_H2_DATA)
        add(" %zu", ev->len);
    if (ev->type == MOTE_H2_RESET)
        add(" %s %x", ev->remote ? "by peer" : "by us", ev->code);
    if (ev->type == MOTE_H2_GOAWAY)
        add(" last %u %x", ev->last_id, ev->code);
    add("%s,", ev->end_stream ? " end" : "");
}

static void add_frames(void)
{
    static const char *const names[] = {"DATA", "HEADERS", "PRIORITY", "RST_STREAM",   "SETTINGS",
                                        "PUSH", "PING",    "GOAWAY",   "WINDOW_UPDATE"};

    for (size_t at = 0; at + 9 <= out_len;) {
        size_t len = (size_t)out[at] << 16 | (size_t)out[at + 1] << 8 | out[at + 2];
        const uint8_t *p = out + at + 9;
        add(" %s/%u on %u", names[out[at + 3]], out[at + 4], out[at + 8]);
        for (size_t i = 0; i < len && i < 8; i++)
            add("%s%02x", i % 4 == 0 ? " " : "", p[i]);
        if (out[at + 3] == 7 && len > 8)
            add(" \"%.*s\"", (int)(len - 8), p + 8);
        at += 9 + len;
    }
}

/* Where the peer may send is beside the rule: what we may send is not. */
static void add_windows(void)
{
    if (h2.send_window != 65535)
        add(" connection=%d", h2.send_window);
    for (size_t i = 0; i < STREAMS; i++) {
        if (streams[i].id != 0 && streams[i].send_window != 65535)
            add(" window=%d", streams[i].send_window);
    }
}

/* "events > frames (price) windows": fed with what was collected in `in`. */
static void happen(void)
{
    uint32_t budget = h2.budget;
    size_t at = 0, used;
    mote_h2_event ev;

    whole[0] = '\0';
    while (mote_h2_recv(&h2, in + at, in_len - at, &used, &ev) > 0) {
        at += used;
        add_event(&ev);
        if (ev.type == MOTE_H2_DATA)
            mote_h2_consume(&h2, ev.stream, ev.len);
        drain();
    }
    drain();
    add(" >");
    add_frames();
    add(" (%d)", (int)(budget - h2.budget)); /* a stream that ends well earns 1 */
    add_windows();
}

#ifdef MOTE_NO_TEXTS
/* The same without what stands in quotes. */
static const char *expected(const char *answer)
{
    static char bare[2048];
    const char *quote = strstr(answer, " \""), *rest = quote ? strchr(quote + 2, '"') + 1 : NULL;

    snprintf(bare, sizeof bare, "%.*s%s", quote ? (int)(quote - answer) : 2000, answer,
             quote ? rest : "");
    return bare;
}
#else
static const char *expected(const char *answer)
{
    return answer;
}
#endif

static void expect_whole(const char *what, const char *answer)
{
    happen();
    if (getenv("PRINT"))
        printf("ROW %s\t%s\n", what, whole);
    if (strcmp(whole, expected(answer)) != 0) {
        printf("%s:\n  %s\nnot\n  %s\n", what, whole, expected(answer));
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
    {"4.2 frame larger than 16384 is refused",
     " > GOAWAY/0 on 0 00000000 00000006 \"frame larger than 16384 bytes: 16385\" (0)",
     {{0x77, 0, 0, "big"}}},
    {"4.3 header block with garbage",
     " > GOAWAY/0 on 0 00000001 00000009 \"hpack: integer larger than 2^28 or longer than 6 "
     "bytes\" (0)",
     {{1, 5, 1, "ff ff ff ff ff ff ff"}}},
    {"4.3 header block interrupted",
     "2 > GOAWAY/0 on 0 00000001 00000001 \"a header block is interrupted\" (1)",
     {{1, 1, 1, "82"}, {6, 0, 0, "0000000000000000"}}},
    {"4.3 header block interrupted by another stream",
     "2 > GOAWAY/0 on 0 00000001 00000001 \"a header block is interrupted\" (1)",
     {{1, 1, 1, "82"}, {9, 4, 3, "82"}}},
    {"5.1 idle: DATA",
     " > GOAWAY/0 on 0 00000000 00000001 \"DATA on an idle stream\" (0)",
     {{0, 1, 1, "00"}}},
    {"5.1 idle: RST_STREAM",
     " > GOAWAY/0 on 0 00000000 00000001 \"RST_STREAM on an idle stream\" (0)",
     {{3, 0, 1, "00000000"}}},
    {"5.1 idle: WINDOW_UPDATE",
     " > GOAWAY/0 on 0 00000000 00000001 \"WINDOW_UPDATE on an idle stream\" (0)",
     {{8, 0, 1, "00000001"}}},
    {"5.1 half-closed: DATA",
     "2354 HEADERS 1 0 end, RESET 0 by us 5, > RST_STREAM/0 on 1 00000005 (2)",
     {{1, 5, 1, GET}, {0, 1, 1, "00"}}},
    {"5.1 half-closed: HEADERS",
     "2354 HEADERS 1 0 end, RESET 0 by us 5, > RST_STREAM/0 on 1 00000005 (2)",
     {{1, 5, 1, GET}, {1, 5, 1, GET}}},
    {"5.1 closed: DATA",
     "2354 HEADERS 1 0, RESET 0 by peer 8, > RST_STREAM/0 on 1 00000005 (2)",
     {{1, 4, 1, GET}, {3, 0, 1, "00000008"}, {0, 1, 1, "00"}}},
    {"5.1 closed: HEADERS",
     "2354 HEADERS 1 0, RESET 0 by peer 8, > GOAWAY/0 on 0 00000001 00000005 \"HEADERS on a closed "
     "stream\" (1)",
     {{1, 4, 1, GET}, {3, 0, 1, "00000008"}, {1, 5, 1, GET}}},
    {"5.1 closed: HEADERS of a stream that others have followed",
     "2354 HEADERS 1 0, RESET 0 by peer 8,2354 HEADERS 3 0, > GOAWAY/0 on 0 00000003 00000005 "
     "\"HEADERS on a closed stream\" (1)",
     {{1, 4, 1, GET}, {3, 0, 1, "00000008"}, {1, 4, 3, GET}, {1, 5, 1, GET}}},
    {"5.1 closed: WINDOW_UPDATE is ignored",
     "2354 HEADERS 1 0, RESET 0 by peer 8, > (2)",
     {{1, 4, 1, GET}, {3, 0, 1, "00000008"}, {8, 0, 1, "00000001"}}},
    {"5.1.1 even stream id",
     " > GOAWAY/0 on 0 00000000 00000001 \"HEADERS on an idle stream\" (0)",
     {{1, 5, 2, GET}}},
    {"5.1.1 decreasing stream id",
     "2354 HEADERS 5 0 end, > GOAWAY/0 on 0 00000005 00000001 \"stream ids do not increase\" (0)",
     {{1, 5, 5, GET}, {1, 5, 3, GET}}},
    {"5.5 unknown frames are ignored", " > (1)", {{0x42, 0xff, 7, "0102"}}},
    {"6.1 DATA on stream 0",
     " > GOAWAY/0 on 0 00000000 00000001 \"frame on the wrong stream\" (0)",
     {{0, 0, 0, "00"}}},
    {"6.1 padding exceeds DATA",
     "2354 HEADERS 1 0, > GOAWAY/0 on 0 00000001 00000001 \"padding exceeds the DATA frame\" (0)",
     {{1, 4, 1, GET}, {0, 8, 1, "05 00"}}},
    {"6.1 DATA without its pad length",
     "2354 HEADERS 1 0, > GOAWAY/0 on 0 00000001 00000006 \"DATA without its pad length\" (0)",
     {{1, 4, 1, GET}, {0, 8, 1, ""}}},
    {"6.2 HEADERS on stream 0",
     " > GOAWAY/0 on 0 00000000 00000001 \"frame on the wrong stream\" (0)",
     {{1, 5, 0, GET}}},
    {"6.2 padding exceeds HEADERS",
     " > GOAWAY/0 on 0 00000001 00000001 \"padding exceeds the HEADERS frame\" (0)",
     {{1, 0xd, 1, "09 82"}}},
    {"6.2 HEADERS shorter than its priority",
     " > GOAWAY/0 on 0 00000000 00000006 \"HEADERS too short for its flags\" (0)",
     {{1, 0x25, 1, "0000"}}},
    {"6.2 padded and with priority is fine",
     "2354 HEADERS 1 0 end, > (0)",
     {{1, 0x2d, 1, "02 00000000 10 " GET " 0000"}}},
    {"6.3 PRIORITY on stream 0",
     " > GOAWAY/0 on 0 00000000 00000001 \"frame on the wrong stream\" (0)",
     {{2, 0, 0, "0000000010"}}},
    {"6.3 PRIORITY of a wrong length, open stream",
     "2354 HEADERS 1 0, RESET 0 by us 6, > RST_STREAM/0 on 1 00000006 (2)",
     {{1, 4, 1, GET}, {2, 0, 1, "00"}}},
    {"6.3 PRIORITY of a wrong length, no stream",
     " > GOAWAY/0 on 0 00000000 00000006 \"PRIORITY of a wrong length, or that depends on itself\" "
     "(0)",
     {{2, 0, 1, "00000000"}}},
    {"6.3 PRIORITY is ignored",
     "2354 HEADERS 1 0 end, > (1)",
     {{1, 5, 1, GET}, {2, 0, 1, "0000000310"}}},
    {"6.3 PRIORITY on an idle stream is ignored", " > (1)", {{2, 0, 9, "0000000110"}}},
    {"6.4 RST_STREAM on stream 0",
     " > GOAWAY/0 on 0 00000000 00000001 \"frame on the wrong stream\" (0)",
     {{3, 0, 0, "00000000"}}},
    {"6.4 RST_STREAM of a wrong length",
     "2354 HEADERS 1 0 end, > GOAWAY/0 on 0 00000001 00000006 \"RST_STREAM is not 4 bytes long: "
     "3\" (0)",
     {{1, 5, 1, GET}, {3, 0, 1, "000000"}}},
    {"6.5 SETTINGS on a stream",
     " > GOAWAY/0 on 0 00000000 00000001 \"frame on the wrong stream\" (0)",
     {{4, 0, 1, ""}}},
    {"6.5 SETTINGS of a wrong length",
     " > GOAWAY/0 on 0 00000000 00000006 \"length of SETTINGS is no multiple of 6: 3\" (0)",
     {{4, 0, 0, "000100"}}},
    {"6.5 SETTINGS ACK with a payload",
     " > GOAWAY/0 on 0 00000000 00000006 \"SETTINGS ACK with a payload\" (0)",
     {{4, 1, 0, "000100000000"}}},
    {"6.5.2 ENABLE_PUSH of 2",
     " > GOAWAY/0 on 0 00000000 00000001 \"ENABLE_PUSH has no valid value: 2\" (1)",
     {{4, 0, 0, "000200000002"}}},
    {"6.5.2 ENABLE_PUSH of 1 from a client",
     "SETTINGS, > SETTINGS/1 on 0 (1)",
     {{4, 0, 0, "000200000001"}}},
    {"6.5.2 ENABLE_PUSH of 0", "SETTINGS, > SETTINGS/1 on 0 (1)", {{4, 0, 0, "000200000000"}}},
    {"6.5.2 INITIAL_WINDOW_SIZE too large",
     " > GOAWAY/0 on 0 00000000 00000003 \"INITIAL_WINDOW_SIZE is larger than 2^31-1: 2147483648\" "
     "(1)",
     {{4, 0, 0, "000480000000"}}},
    {"6.5.2 MAX_FRAME_SIZE too small",
     " > GOAWAY/0 on 0 00000000 00000001 \"MAX_FRAME_SIZE is not within 16384..16777215: 16383\" "
     "(1)",
     {{4, 0, 0, "000500003fff"}}},
    {"6.5.2 MAX_FRAME_SIZE too large",
     " > GOAWAY/0 on 0 00000000 00000001 \"MAX_FRAME_SIZE is not within 16384..16777215: "
     "16777216\" (1)",
     {{4, 0, 0, "000501000000"}}},
    {"6.5.2 unknown settings are ignored",
     "SETTINGS, > SETTINGS/1 on 0 (1)",
     {{4, 0, 0, "00ff00000001"}}},
    {"6.6 PUSH_PROMISE",
     " > GOAWAY/0 on 0 00000000 00000001 \"PUSH_PROMISE, which is refused\" (0)",
     {{5, 4, 1, "00000002"}}},
    {"6.7 PING on a stream",
     " > GOAWAY/0 on 0 00000000 00000001 \"frame on the wrong stream\" (0)",
     {{6, 0, 1, "0000000000000000"}}},
    {"6.7 PING of a wrong length",
     " > GOAWAY/0 on 0 00000000 00000006 \"PING is not 8 bytes long: 1\" (0)",
     {{6, 0, 0, "00"}}},
    {"6.8 GOAWAY on a stream",
     " > GOAWAY/0 on 0 00000000 00000001 \"frame on the wrong stream\" (0)",
     {{7, 0, 1, "0000000000000000"}}},
    {"6.8 GOAWAY too short",
     " > GOAWAY/0 on 0 00000000 00000006 \"GOAWAY is shorter than 8 bytes: 4\" (0)",
     {{7, 0, 0, "00000000"}}},
    {"6.9 WINDOW_UPDATE of 0, connection",
     " > GOAWAY/0 on 0 00000000 00000001 \"WINDOW_UPDATE of 0\" (0)",
     {{8, 0, 0, "00000000"}}},
    {"6.9 WINDOW_UPDATE of 0, stream",
     "2354 HEADERS 1 0 end, RESET 0 by us 1, > RST_STREAM/0 on 1 00000001 (2)",
     {{1, 5, 1, GET}, {8, 0, 1, "00000000"}}},
    {"6.9 WINDOW_UPDATE of a wrong length",
     " > GOAWAY/0 on 0 00000000 00000006 \"WINDOW_UPDATE is not 4 bytes long: 3\" (0)",
     {{8, 0, 0, "000000"}}},
    {"6.9.1 overflow of the connection",
     " > GOAWAY/0 on 0 00000000 00000003 \"WINDOW_UPDATE overflows the connection's window\" (0)",
     {{8, 0, 0, "7fffffff"}}},
    {"6.9.1 overflow of a stream",
     "2354 HEADERS 1 0 end, RESET 0 by us 3, > RST_STREAM/0 on 1 00000003 (2)",
     {{1, 5, 1, GET}, {8, 0, 1, "7fffffff"}}},
    {"6.9.2 SETTINGS overflow a window",
     "2354 HEADERS 1 0 end, > GOAWAY/0 on 0 00000001 00000003 \"INITIAL_WINDOW_SIZE overflows a "
     "stream's window\" (1) window=65536",
     {{1, 5, 1, GET}, {8, 0, 1, "00000001"}, {4, 0, 0, "00047fffffff"}}},
    {"6.10 CONTINUATION without HEADERS",
     " > GOAWAY/0 on 0 00000000 00000001 \"CONTINUATION without HEADERS\" (0)",
     {{9, 4, 1, "82"}}},
    {"6.10 CONTINUATION after END_HEADERS",
     "2354 HEADERS 1 0 end, > GOAWAY/0 on 0 00000001 00000001 \"CONTINUATION without HEADERS\" (0)",
     {{1, 5, 1, GET}, {9, 4, 1, "82"}}},
    {"6.10 CONTINUATION completes a block",
     "2354 HEADERS 1 0 end, > (2)",
     {{1, 1, 1, "82 86"}, {9, 0, 1, "84"}, {9, 4, 1, "4101 61"}}},
    {"8.1 trailers without END_STREAM",
     "2354 HEADERS 1 0,1 RESET 0 by us 1, > RST_STREAM/0 on 1 00000001 (2)",
     {{1, 4, 1, GET}, {1, 4, 1, "0001610162"}}},
    {"8.1 trailers",
     "2354 HEADERS 1 0,1 HEADERS 1 0 trailers end, > (0)",
     {{1, 4, 1, GET}, {1, 5, 1, "0001610162"}}},
    {"8.1.1 content-length larger than the content",
     "23547 HEADERS 1 0, RESET 0 by us 1, > RST_STREAM/0 on 1 00000001 (2)",
     {{1, 4, 1, GET " 0f0d 0132"}, {0, 1, 1, "00"}}},
    {"8.1.1 content-length smaller than the content",
     "23547 HEADERS 1 0, RESET 0 by us 1, > RST_STREAM/0 on 1 00000001 (2)",
     {{1, 4, 1, GET " 0f0d 0131"}, {0, 1, 1, "0000"}}},
    {"8.1.1 content-length without content",
     "23547 RESET 0 by us 1 end, > RST_STREAM/0 on 1 00000001 (2)",
     {{1, 5, 1, GET " 0f0d 0131"}}},
    {"8.1.1 content-length that is no number",
     "2354 RESET 0 by us 1, > RST_STREAM/0 on 1 00000001 (2)",
     {{1, 5, 1, GET " 0f0d 0178"}}},
    {"8.1.1 two different content-lengths",
     "23547 RESET 0 by us 1, > RST_STREAM/0 on 1 00000001 (2)",
     {{1, 4, 1, GET " 0f0d0131 0f0d0132"}}},
    {"8.1.1 content-length that is empty",
     "2354 RESET 0 by us 1, > RST_STREAM/0 on 1 00000001 (2)",
     {{1, 5, 1, GET " 0f0d 00"}}},
    {"8.1.1 content-length above 2^64",
     "2354 RESET 0 by us 1, > RST_STREAM/0 on 1 00000001 (2)",
     {{1, 4, 1, GET " 0f0d 14 3138343436373434303733373039353531363136"}}},
    {"8.1.1 content-length above 2^64 by more",
     "2354 RESET 0 by us 1, > RST_STREAM/0 on 1 00000001 (2)",
     {{1, 4, 1, GET " 0f0d 14 3138343436373434303733373039353531363230"}}},
    {"8.1.1 content-length of 3 * 10^19",
     "2354 RESET 0 by us 1, > RST_STREAM/0 on 1 00000001 (2)",
     {{1, 4, 1, GET " 0f0d 14 3330303030303030303030303030303030303030"}}},
    {"8.1.1 content-length of 2^64 - 1",
     "23547 HEADERS 1 0, > (0)",
     {{1, 4, 1, GET " 0f0d 14 3138343436373434303733373039353531363135"}}},
    {"8.1.1 content-length above 2^32",
     "23547 HEADERS 1 0, DATA 1 1, > (0)",
     {{1, 4, 1, GET " 0f0d 0a 39393939393939393939"}, {0, 0, 1, "00"}}},
    {"8.1.1 content-length above 2^32 that is not met",
     "23547 HEADERS 1 0, RESET 0 by us 1, > RST_STREAM/0 on 1 00000001 (2)",
     {{1, 4, 1, GET " 0f0d 0a 34323934393637323937"}, {0, 1, 1, "00"}}},
    {"8.1.1 content-length twice with one value",
     "235477 HEADERS 1 0, DATA 1 1, DATA 1 0 end, > (0)",
     {{1, 4, 1, GET " 0f0d0131 0f0d0131"}, {0, 1, 1, "00"}}},
    {"8.1.1 content-length of 0 without content",
     "23547 HEADERS 1 0 end, > (0)",
     {{1, 5, 1, GET " 0f0d 0130"}}},
    {"8.1.1 content-length spelled out",
     "23547 RESET 0 by us 1 end, > RST_STREAM/0 on 1 00000001 (2)",
     {{1, 5, 1, GET " 000e636f6e74656e742d6c656e6774680131"}}},
    {"8.1.1 content-length in trailers means nothing",
     "2354 HEADERS 1 0,7 HEADERS 1 0 trailers end, > (0)",
     {{1, 4, 1, GET}, {1, 5, 1, "0f0d 0139"}}},
    {"8.1.1 content-length that agrees",
     "23547 HEADERS 1 0, DATA 1 2, DATA 1 0 end, > (0)",
     {{1, 4, 1, GET " 0f0d 0132"}, {0, 1, 1, "0000"}}},
    {"8.2.1 upper case in a name",
     "2354 RESET 0 by us 1, > RST_STREAM/0 on 1 00000001 (2)",
     {{1, 5, 1, GET " 0001410162"}}},
    {"8.2.1 blank in a name",
     "2354 RESET 0 by us 1, > RST_STREAM/0 on 1 00000001 (2)",
     {{1, 5, 1, GET " 0001200162"}}},
    {"8.2.1 colon in a name",
     "2354 RESET 0 by us 1, > RST_STREAM/0 on 1 00000001 (2)",
     {{1, 5, 1, GET " 0002613a0162"}}},
    {"8.2.1 empty name",
     "2354 RESET 0 by us 1, > RST_STREAM/0 on 1 00000001 (2)",
     {{1, 5, 1, GET " 00000162"}}},
    {"8.2.1 NUL in a value",
     "2354 RESET 0 by us 1, > RST_STREAM/0 on 1 00000001 (2)",
     {{1, 5, 1, GET " 0001610100"}}},
    {"8.2.1 LF in a value",
     "2354 RESET 0 by us 1, > RST_STREAM/0 on 1 00000001 (2)",
     {{1, 5, 1, GET " 000161010a"}}},
    {"8.2.1 CR in a value",
     "2354 RESET 0 by us 1, > RST_STREAM/0 on 1 00000001 (2)",
     {{1, 5, 1, GET " 000161010d"}}},
    {"8.2.1 value begins with a blank",
     "2354 RESET 0 by us 1, > RST_STREAM/0 on 1 00000001 (2)",
     {{1, 5, 1, GET " 000161022061"}}},
    {"8.2.1 value ends with a tab",
     "2354 RESET 0 by us 1, > RST_STREAM/0 on 1 00000001 (2)",
     {{1, 5, 1, GET " 000161026109"}}},
    {"8.2.1 empty value", "23541 HEADERS 1 0 end, > (0)", {{1, 5, 1, GET " 00016100"}}},
    {"8.2.2 connection",
     "2354 RESET 0 by us 1, > RST_STREAM/0 on 1 00000001 (2)",
     {{1, 5, 1, GET " 000a636f6e6e656374696f6e0161"}}},
    {"8.2.2 keep-alive",
     "2354 RESET 0 by us 1, > RST_STREAM/0 on 1 00000001 (2)",
     {{1, 5, 1, GET " 000a6b6565702d616c6976650161"}}},
    {"8.2.2 proxy-connection",
     "2354 RESET 0 by us 1, > RST_STREAM/0 on 1 00000001 (2)",
     {{1, 5, 1, GET " 001070726f78792d636f6e6e656374696f6e0161"}}},
    {"8.2.2 transfer-encoding",
     "2354 RESET 0 by us 1, > RST_STREAM/0 on 1 00000001 (2)",
     {{1, 5, 1, GET " 0f2a0161"}}},
    {"8.2.2 upgrade",
     "2354 RESET 0 by us 1, > RST_STREAM/0 on 1 00000001 (2)",
     {{1, 5, 1, GET " 0007757067726164650161"}}},
    {"8.2.2 transfer-encoding spelled out",
     "2354 RESET 0 by us 1, > RST_STREAM/0 on 1 00000001 (2)",
     {{1, 5, 1, GET " 00117472616e736665722d656e636f64696e670161"}}},
    {"8.2.2 names as long as the forbidden ones are fine",
     "23541111111 HEADERS 1 0 end, > (0)",
     {{1, 5, 1,
       GET " 000261610162 0007616161616161610162 000a616161616161616161610162"
           " 000e61616161616161616161616161610162"
           " 001061616161616161616161616161616161 0162"
           " 00116161616161616161616161616161616161 0162 00036161610162"}}},
    {"8.2.2 te other than trailers",
     "2354 RESET 0 by us 1, > RST_STREAM/0 on 1 00000001 (2)",
     {{1, 5, 1, GET " 000274650161"}}},
    {"8.2.2 te: trailers",
     "23548 HEADERS 1 0 end, > (0)",
     {{1, 5, 1, GET " 0002746508747261696c657273"}}},
    {"8.3 pseudo-header after a regular field",
     "231 RESET 0 by us 1, > RST_STREAM/0 on 1 00000001 (2)",
     {{1, 5, 1, "82 86 0001610162 84"}}},
    {"8.3 unknown pseudo-header",
     "2354 RESET 0 by us 1, > RST_STREAM/0 on 1 00000001 (2)",
     {{1, 5, 1, GET " 00023a610162"}}},
    {"8.3 :status in a request",
     "2354 RESET 0 by us 1, > RST_STREAM/0 on 1 00000001 (2)",
     {{1, 5, 1, GET " 88"}}},
    {"8.3 pseudo-headers spelled out",
     "2354 HEADERS 1 0 end, > (0)",
     {{1, 5, 1,
       "00073a6d6574686f6403474554 00073a736368656d650468747470 00053a70617468012f"
       " 000a3a617574686f72697479 0161"}}},
    {"8.3 :status spelled out in a request",
     "2354 RESET 0 by us 1, > RST_STREAM/0 on 1 00000001 (2)",
     {{1, 5, 1, GET " 00073a73746174757303323030"}}},
    {"8.3 repeated pseudo-header",
     "2 RESET 0 by us 1, > RST_STREAM/0 on 1 00000001 (2)",
     {{1, 5, 1, "82 82 86 84"}}},
    {"8.3 pseudo-header in trailers",
     "2354 HEADERS 1 0, RESET 0 by us 1, > RST_STREAM/0 on 1 00000001 (2)",
     {{1, 4, 1, GET}, {1, 5, 1, "82"}}},
    {"8.3.1 no :method",
     "35 RESET 0 by us 1, > RST_STREAM/0 on 1 00000001 (2)",
     {{1, 5, 1, "86 84"}}},
    {"8.3.1 no :scheme",
     "25 RESET 0 by us 1, > RST_STREAM/0 on 1 00000001 (2)",
     {{1, 5, 1, "82 84"}}},
    {"8.3.1 no :path",
     "23 RESET 0 by us 1, > RST_STREAM/0 on 1 00000001 (2)",
     {{1, 5, 1, "82 86"}}},
    {"8.3.1 empty :path",
     "23 RESET 0 by us 1, > RST_STREAM/0 on 1 00000001 (2)",
     {{1, 5, 1, "82 86 0400"}}},
    {"8.3.1 path without a slash",
     "23 RESET 0 by us 1, > RST_STREAM/0 on 1 00000001 (2)",
     {{1, 5, 1, "82 86 040161"}}},
    {"8.3.1 empty :method",
     "RESET 0 by us 1, > RST_STREAM/0 on 1 00000001 (2)",
     {{1, 5, 1, "0200 86 84"}}},
    {"8.3.1 empty :scheme",
     "2 RESET 0 by us 1, > RST_STREAM/0 on 1 00000001 (2)",
     {{1, 5, 1, "82 0600 84"}}},
    {"8.3.1 a path that only begins with *",
     "23 RESET 0 by us 1, > RST_STREAM/0 on 1 00000001 (2)",
     {{1, 5, 1, "82 86 04022a61"}}},
    {"8.3.1 userinfo in :authority",
     "235 RESET 0 by us 1, > RST_STREAM/0 on 1 00000001 (2)",
     {{1, 5, 1, "82 86 84 0103614062"}}},
    {"8.3.1 the path *",
     "235 HEADERS 1 0 end, > (0)",
     {{1, 5, 1, "0207 4f5054494f4e53 86 04012a"}}},
    {"8.5 CONNECT", "24 HEADERS 1 0, > (0)", {{1, 4, 1, "0207 434f4e4e454354 4101 61"}}},
    {"8.5 CONNECT carries DATA",
     "24 HEADERS 1 0, DATA 1 1, DATA 1 1, DATA 1 0 end, > (0)",
     {{1, 4, 1, "0207 434f4e4e454354 4101 61"}, {0, 0, 1, "00"}, {0, 1, 1, "00"}}},
    {"8.5 HEADERS in a tunnel",
     "24 HEADERS 1 0,1 RESET 0 by us 1, > RST_STREAM/0 on 1 00000001 (2)",
     {{1, 4, 1, "0207 434f4e4e454354 4101 61"}, {1, 5, 1, "0001610162"}}},
    {"8.5 a method as long as CONNECT is none",
     "24 RESET 0 by us 1, > RST_STREAM/0 on 1 00000001 (2)",
     {{1, 5, 1, "0207 4f5054494f4e53 4101 61"}}},
    {"8.5 CONNECT with a path",
     "254 RESET 0 by us 1, > RST_STREAM/0 on 1 00000001 (2)",
     {{1, 4, 1, "0207 434f4e4e454354 84 4101 61"}}},
    {"8.5 CONNECT without authority",
     "2 RESET 0 by us 1, > RST_STREAM/0 on 1 00000001 (2)",
     {{1, 4, 1, "0207 434f4e4e454354"}}},
    {"7540 5.3.1 HEADERS that depend on themselves",
     "RESET 0 by us 1, > RST_STREAM/0 on 1 00000001 (2)",
     {{1, 0x25, 1, "00000001 10" GET}}},
    {"7540 5.3.1 PRIORITY on an idle stream that depends on itself",
     " > GOAWAY/0 on 0 00000000 00000001 \"PRIORITY of a wrong length, or that depends on itself\" "
     "(0)",
     {{2, 0, 1, "0000000110"}}},
    {"7 unknown error codes are like any other",
     "2354 HEADERS 1 0, RESET 0 by peer 12345678, > (1)",
     {{1, 4, 1, GET}, {3, 0, 1, "12345678"}}},
    {"4.1 undefined flags and the reserved bit are ignored",
     "2354 HEADERS 1 0 end, > PING/1 on 0 00000000 00000000 (1)",
     {{1, 0xd5, 0x80000001, GET}, {6, 0xfe, 0x80000000, "0000000000000000"}}},
    {"5.5 unknown frame inside of a header block",
     "2 > GOAWAY/0 on 0 00000001 00000001 \"a header block is interrupted\" (1)",
     {{1, 1, 1, "82"}, {0x42, 0, 1, ""}}},
    {"6.10 CONTINUATION on stream 0",
     "2 > GOAWAY/0 on 0 00000001 00000001 \"a header block is interrupted\" (1)",
     {{1, 1, 1, "82"}, {9, 4, 0, "86 84"}}},
    {"6.9 WINDOW_UPDATE after END_STREAM",
     "2354 HEADERS 1 0 end, > (0) window=65536",
     {{1, 5, 1, GET}, {8, 0, 1, "00000001"}}},
    {"5.4.2 no RST_STREAM in answer to RST_STREAM",
     "2354 HEADERS 1 0, RESET 0 by peer 1, > (2)",
     {{1, 4, 1, GET}, {3, 0, 1, "00000001"}, {3, 0, 1, "00000001"}}},
    {"6.7 PING ACK that was not asked for", " > (1)", {{6, 1, 0, "0000000000000000"}}},
    {"7540 5.3.1 PRIORITY that depends on itself",
     "2354 HEADERS 1 0 end, RESET 0 by us 1, > RST_STREAM/0 on 1 00000001 (2)",
     {{1, 5, 1, GET}, {2, 0, 1, "0000000110"}}},
    {"4.2 a frame of 16384 is taken", " > (1)", {{0x77, 0, 0, "16384"}}},
    {"6.1 padding that fills DATA",
     "2354 HEADERS 1 0, > (1)",
     {{1, 4, 1, GET}, {0, 8, 1, "01 00"}}},
    {"6.1 padding of all but one octet",
     "2354 HEADERS 1 0, DATA 1 1, > (0)",
     {{1, 4, 1, GET}, {0, 8, 1, "01 61 00"}}},
    {"6.1 padding of one octet too many",
     "2354 HEADERS 1 0, > GOAWAY/0 on 0 00000001 00000001 \"padding exceeds the DATA frame\" (0)",
     {{1, 4, 1, GET}, {0, 8, 1, "02 00"}}},
    {"6.1 empty DATA has its price", "2354 HEADERS 1 0, > (1)", {{1, 4, 1, GET}, {0, 0, 1, ""}}},
    {"6.1 empty DATA that ends has none",
     "2354 HEADERS 1 0, DATA 1 0 end, > (0)",
     {{1, 4, 1, GET}, {0, 1, 1, ""}}},
    {"6.2 padding that fills HEADERS",
     "RESET 0 by us 1, > RST_STREAM/0 on 1 00000001 (2)",
     {{1, 0xd, 1, "01 00"}}},
    {"6.2 padding of one octet too many",
     " > GOAWAY/0 on 0 00000001 00000001 \"padding exceeds the HEADERS frame\" (0)",
     {{1, 0xd, 1, "02 00"}}},
    {"6.2 HEADERS of its priority alone",
     "RESET 0 by us 1, > RST_STREAM/0 on 1 00000001 (2)",
     {{1, 0x25, 1, "00000003 10"}}},
    {"6.2 HEADERS without its pad length",
     " > GOAWAY/0 on 0 00000000 00000006 \"HEADERS too short for its flags\" (0)",
     {{1, 0xd, 1, ""}}},
    {"6.3 PRIORITY of 6 octets",
     "2354 HEADERS 1 0, RESET 0 by us 6, > RST_STREAM/0 on 1 00000006 (2)",
     {{1, 4, 1, GET}, {2, 0, 1, "000000031000"}}},
    {"6.4 RST_STREAM is told with its code",
     "2354 HEADERS 1 0, RESET 0 by peer 102, > (1)",
     {{1, 4, 1, GET}, {3, 0, 1, "00000102"}}},
    {"6.4 RST_STREAM of 5 octets",
     "2354 HEADERS 1 0 end, > GOAWAY/0 on 0 00000001 00000006 \"RST_STREAM is not 4 bytes long: "
     "5\" (0)",
     {{1, 5, 1, GET}, {3, 0, 1, "0000000000"}}},
    {"6.5 SETTINGS ACK again", " > (0)", {{4, 1, 0, ""}}},
    {"6.5 15 entries",
     "SETTINGS, > SETTINGS/1 on 0 (1)",
     {{4, 0, 0,
       "00ff00000001 00ff00000001 00ff00000001 00ff00000001 00ff00000001 00ff00000001"
       "00ff00000001 00ff00000001 00ff00000001 00ff00000001 00ff00000001 00ff00000001"
       "00ff00000001 00ff00000001 00ff00000001"}}},
    {"6.5 16 entries",
     "SETTINGS, > SETTINGS/1 on 0 (2)",
     {{4, 0, 0,
       "00ff00000001 00ff00000001 00ff00000001 00ff00000001 00ff00000001 00ff00000001"
       "00ff00000001 00ff00000001 00ff00000001 00ff00000001 00ff00000001 00ff00000001"
       "00ff00000001 00ff00000001 00ff00000001 00ff00000001"}}},
    {"6.5.2 INITIAL_WINDOW_SIZE of 2^31-1",
     "2354 HEADERS 1 0 end, SETTINGS, > SETTINGS/1 on 0 (1) window=2147483647",
     {{1, 5, 1, GET}, {4, 0, 0, "00047fffffff"}}},
    {"6.5.2 INITIAL_WINDOW_SIZE of 0",
     "2354 HEADERS 1 0 end, SETTINGS, > SETTINGS/1 on 0 (1) window=0",
     {{1, 5, 1, GET}, {4, 0, 0, "000400000000"}}},
    {"6.5.2 MAX_FRAME_SIZE of 16384",
     "SETTINGS, > SETTINGS/1 on 0 (1)",
     {{4, 0, 0, "000500004000"}}},
    {"6.5.2 MAX_FRAME_SIZE of 2^24-1",
     "SETTINGS, > SETTINGS/1 on 0 (1)",
     {{4, 0, 0, "000500ffffff"}}},
    {"6.5.2 the last of two values counts",
     "2354 HEADERS 1 0 end, SETTINGS, > SETTINGS/1 on 0 (1) window=9",
     {{1, 5, 1, GET}, {4, 0, 0, "000400000007 000400000009"}}},
    {"6.7 PING is answered",
     " > PING/1 on 0 01020304 05060708 (1)",
     {{6, 0, 0, "0102030405060708"}}},
    {"6.7 PING of 9 octets",
     " > GOAWAY/0 on 0 00000000 00000006 \"PING is not 8 bytes long: 9\" (0)",
     {{6, 0, 0, "010203040506070809"}}},
    {"6.7 PING of 7 octets",
     " > GOAWAY/0 on 0 00000000 00000006 \"PING is not 8 bytes long: 7\" (0)",
     {{6, 0, 0, "01020304050607"}}},
    {"6.8 GOAWAY is told", "GOAWAY last 3 102, > (1)", {{7, 0, 0, "80000003 00000102"}}},
    {"6.8 GOAWAY with debug data",
     "GOAWAY last 3 2, > (1)",
     {{7, 0, 0, "00000003 00000002 616263"}}},
    {"6.8 GOAWAY of 7 octets",
     " > GOAWAY/0 on 0 00000000 00000006 \"GOAWAY is shorter than 8 bytes: 7\" (0)",
     {{7, 0, 0, "00000000000000"}}},
    {"6.9 WINDOW_UPDATE of 5 octets",
     " > GOAWAY/0 on 0 00000000 00000006 \"WINDOW_UPDATE is not 4 bytes long: 5\" (0)",
     {{8, 0, 0, "0000000100"}}},
    {"6.9 the reserved bit is ignored", " > (0) connection=65536", {{8, 0, 0, "80000001"}}},
    {"6.9 WINDOW_UPDATE of 0 but for the reserved bit",
     " > GOAWAY/0 on 0 00000000 00000001 \"WINDOW_UPDATE of 0\" (0)",
     {{8, 0, 0, "80000000"}}},
    {"6.9.1 the connection's window of 2^31-1",
     " > (0) connection=2147483647",
     {{8, 0, 0, "7fff0000"}}},
    {"6.9.1 the connection's window of 2^31",
     " > GOAWAY/0 on 0 00000000 00000003 \"WINDOW_UPDATE overflows the connection's window\" (0)",
     {{8, 0, 0, "7fff0001"}}},
    {"6.9.1 a stream's window of 2^31-1",
     "2354 HEADERS 1 0 end, > (0) window=2147483647",
     {{1, 5, 1, GET}, {8, 0, 1, "7fff0000"}}},
    {"6.9.1 a stream's window of 2^31",
     "2354 HEADERS 1 0 end, RESET 0 by us 3, > RST_STREAM/0 on 1 00000003 (2)",
     {{1, 5, 1, GET}, {8, 0, 1, "7fff0001"}}},
    {"6.10 a CONTINUATION that carries little has its price",
     "235 HEADERS 1 0 end, > (2)",
     {{1, 1, 1, "82 86"}, {9, 0, 1, "84"}, {9, 4, 1, ""}}},
};

static void server_answers_as_rfc_9113_asks(void)
{
    for (size_t i = 0; i < sizeof server_rules / sizeof server_rules[0]; i++) {
        const rule *r = &server_rules[i];
        start(true);
        for (int j = 0; j < 4 && r->frames[j].payload; j++) {
            if (strcmp(r->frames[j].payload, "16384") == 0) {
                static const uint8_t zeros[16384];
                frame(r->frames[j].type, 0, 0, zeros, sizeof zeros);
            } else if (strcmp(r->frames[j].payload, "big") == 0) {
                frame(0, 0, 1, NULL, 0);
                in[in_len - 9] = 0;
                in[in_len - 8] = 0x40;
                in[in_len - 7] = 1;
            } else {
                frame_hex(r->frames[j].type, r->frames[j].flags, r->frames[j].id,
                          r->frames[j].payload);
            }
        }
        expect_whole(r->what, r->answer);
    }
}

/* ---- client -------------------------------------------------------------------------------- */

static void client_refuses_what_a_server_must_not_send(void)
{
    static const rule rules[] = {
        {"5.1 HEADERS on an idle stream",
         " > GOAWAY/0 on 0 00000000 00000001 \"HEADERS on an idle stream\" (0)",
         {{1, 5, 3, "88"}}},
        {"5.1.1 stream of the server",
         " > GOAWAY/0 on 0 00000000 00000001 \"HEADERS on an idle stream\" (0)",
         {{1, 5, 2, "88"}}},
        {"6.5.2 ENABLE_PUSH of 1",
         " > GOAWAY/0 on 0 00000000 00000001 \"ENABLE_PUSH has no valid value: 1\" (1)",
         {{4, 0, 0, "000200000001"}}},
        {"8.4 PUSH_PROMISE",
         " > GOAWAY/0 on 0 00000000 00000001 \"PUSH_PROMISE, which is refused\" (0)",
         {{5, 4, 1, "00000002 82"}}},
        {"8.1 DATA before HEADERS",
         "RESET 0 by us 1, > RST_STREAM/0 on 1 00000001 (2)",
         {{0, 1, 1, "00"}}},
        {"8.3.2 no :status",
         "1 RESET 0 by us 1, > RST_STREAM/0 on 1 00000001 (2)",
         {{1, 5, 1, "0001610162"}}},
        {"8.3.2 :status of two digits",
         "RESET 0 by us 1, > RST_STREAM/0 on 1 00000001 (2)",
         {{1, 5, 1, "0802 3230"}}},
        {"8.3 :path in a response",
         "6 RESET 0 by us 1, > RST_STREAM/0 on 1 00000001 (2)",
         {{1, 5, 1, "88 84"}}},
        {"8.6 101",
         "6 RESET 0 by us 1, > RST_STREAM/0 on 1 00000001 (2)",
         {{1, 4, 1, "0803 313031"}}},
        {"8.1 1xx with END_STREAM",
         "6 RESET 0 by us 1, > RST_STREAM/0 on 1 00000001 (2)",
         {{1, 5, 1, "0803 313030"}}},
        {"8.1 1xx, then a response",
         "6 HEADERS 1 103,6 HEADERS 0 200 end, > (0)",
         {{1, 4, 1, "0803 313033"}, {1, 5, 1, "88"}}},
        {"8.1.1 304 with content-length",
         "67 HEADERS 0 304 end, > (-1)",
         {{1, 5, 1, "8b 0f0d 0139"}}},
        {"8.1.1 204 with content-length",
         "67 HEADERS 0 204 end, > (-1)",
         {{1, 5, 1, "89 0f0d 0139"}}},
        {"8.3.2 :status spelled out",
         "6 HEADERS 0 200 end, > (-1)",
         {{1, 5, 1, "00073a73746174757303323030"}}},
        {"8.3.2 :status below 100",
         "RESET 0 by us 1, > RST_STREAM/0 on 1 00000001 (2)",
         {{1, 5, 1, "0803 303939"}}},
        {"8.3.2 :status with a letter first",
         "RESET 0 by us 1, > RST_STREAM/0 on 1 00000001 (2)",
         {{1, 5, 1, "0803 613030"}}},
        {"8.3.2 :status with a letter second",
         "RESET 0 by us 1, > RST_STREAM/0 on 1 00000001 (2)",
         {{1, 5, 1, "0803 326130"}}},
        {"8.3.2 :status with a sign second",
         "RESET 0 by us 1, > RST_STREAM/0 on 1 00000001 (2)",
         {{1, 5, 1, "0803 322d30"}}},
        {"8.3.2 :status with a letter last",
         "RESET 0 by us 1, > RST_STREAM/0 on 1 00000001 (2)",
         {{1, 5, 1, "0803 323061"}}},
        {"8.3.2 :status with a slash last",
         "RESET 0 by us 1, > RST_STREAM/0 on 1 00000001 (2)",
         {{1, 5, 1, "0803 32302f"}}},
        {"8.1 response, then RST_STREAM(NO_ERROR)",
         "6 HEADERS 0 200 end, > (0)",
         {{1, 5, 1, "88"}, {3, 0, 1, "00000000"}}},
        {"8.1 trailers without END_STREAM",
         "6 HEADERS 1 200,1 RESET 0 by us 1, > RST_STREAM/0 on 1 00000001 (2)",
         {{1, 4, 1, "88"}, {1, 4, 1, "0001610162"}}},
        {"6.8 GOAWAY ends the streams above it",
         "GOAWAY last 0 2, RESET 0 by peer 7, > (1)",
         {{7, 0, 0, "00000000 00000002"}}},
        {"6.8 GOAWAY leaves the streams up to it",
         "GOAWAY last 1 0, > (1)",
         {{7, 0, 0, "00000001 00000000"}}},
        {"8.1 each 1xx has its price", "6 HEADERS 1 199, > (1)", {{1, 4, 1, "0803 313939"}}},
        {"5.1 HEADERS on a closed stream",
         "6 HEADERS 0 200 end, > GOAWAY/0 on 0 00000000 00000005 \"HEADERS on a closed stream\" "
         "(-1)",
         {{1, 5, 1, "88"}, {1, 5, 1, "88"}}},
    };

    for (size_t i = 0; i < sizeof rules / sizeof rules[0]; i++) {
        start_client();
        for (int j = 0; j < 4 && rules[i].frames[j].payload; j++)
            frame_hex(rules[i].frames[j].type, rules[i].frames[j].flags, rules[i].frames[j].id,
                      rules[i].frames[j].payload);
        expect_whole(rules[i].what, rules[i].answer);
    }
}

int main(void)
{
    RUN(server_answers_as_rfc_9113_asks);
    RUN(client_refuses_what_a_server_must_not_send);
    return test_summary();
}
