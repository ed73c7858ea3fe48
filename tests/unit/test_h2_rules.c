/* HTTP/2: each frame in each state gets the answer that RFC 9113 asks for. */
#include "h2_harness.h"

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
    {"6.3 PRIORITY of a wrong length, open stream", "RST 1 6", {{1, 4, 1, GET}, {2, 0, 1, "00"}}},
    {"6.3 PRIORITY of a wrong length, no stream", "GOAWAY 6", {{2, 0, 1, "00000000"}}},
    {"6.3 PRIORITY is ignored", "", {{1, 5, 1, GET}, {2, 0, 1, "0000000310"}}},
    {"6.3 PRIORITY on an idle stream is ignored", "", {{2, 0, 9, "0000000110"}}},
    {"6.4 RST_STREAM on stream 0", "GOAWAY 1", {{3, 0, 0, "00000000"}}},
    {"6.4 RST_STREAM of a wrong length", "GOAWAY 6", {{1, 5, 1, GET}, {3, 0, 1, "000000"}}},
    {"6.5 SETTINGS on a stream", "GOAWAY 1", {{4, 0, 1, ""}}},
    {"6.5 SETTINGS of a wrong length", "GOAWAY 6", {{4, 0, 0, "000100"}}},
    {"6.5 SETTINGS ACK with a payload", "GOAWAY 6", {{4, 1, 0, "000100000000"}}},
    {"6.5.2 ENABLE_PUSH of 2", "GOAWAY 1", {{4, 0, 0, "000200000002"}}},
    {"6.5.2 ENABLE_PUSH of 1 from a client", "", {{4, 0, 0, "000200000001"}}},
    {"6.5.2 ENABLE_PUSH of 0", "", {{4, 0, 0, "000200000000"}}},
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
    {"8.1.1 content-length that is empty", "RST 1 1", {{1, 5, 1, GET " 0f0d 00"}}},
    {"8.1.1 content-length above 2^64",
     "RST 1 1",
     {{1, 4, 1, GET " 0f0d 14 3138343436373434303733373039353531363136"}}},
    {"8.1.1 content-length above 2^64 by more",
     "RST 1 1",
     {{1, 4, 1, GET " 0f0d 14 3138343436373434303733373039353531363230"}}},
    {"8.1.1 content-length of 2^64 - 1",
     "",
     {{1, 4, 1, GET " 0f0d 14 3138343436373434303733373039353531363135"}}},
    {"8.1.1 content-length above 2^32",
     "",
     {{1, 4, 1, GET " 0f0d 0a 39393939393939393939"}, {0, 0, 1, "00"}}},
    {"8.1.1 content-length above 2^32 that is not met",
     "RST 1 1",
     {{1, 4, 1, GET " 0f0d 0a 34323934393637323937"}, {0, 1, 1, "00"}}},
    {"8.1.1 content-length twice with one value",
     "",
     {{1, 4, 1, GET " 0f0d0131 0f0d0131"}, {0, 1, 1, "00"}}},
    {"8.1.1 content-length of 0 without content", "", {{1, 5, 1, GET " 0f0d 0130"}}},
    {"8.1.1 content-length spelled out",
     "RST 1 1",
     {{1, 5, 1, GET " 000e636f6e74656e742d6c656e6774680131"}}},
    {"8.1.1 content-length in trailers means nothing",
     "",
     {{1, 4, 1, GET}, {1, 5, 1, "0f0d 0139"}}},
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
    {"8.2.2 transfer-encoding spelled out",
     "RST 1 1",
     {{1, 5, 1, GET " 00117472616e736665722d656e636f64696e670161"}}},
    {"8.2.2 names as long as the forbidden ones are fine",
     "",
     {{1, 5, 1,
       GET " 000261610162 0007616161616161610162 000a616161616161616161610162"
           " 000e61616161616161616161616161610162"
           " 001061616161616161616161616161616161 0162"
           " 00116161616161616161616161616161616161 0162 00036161610162"}}},
    {"8.2.2 te other than trailers", "RST 1 1", {{1, 5, 1, GET " 000274650161"}}},
    {"8.2.2 te: trailers", "", {{1, 5, 1, GET " 0002746508747261696c657273"}}},
    {"8.3 pseudo-header after a regular field", "RST 1 1", {{1, 5, 1, "82 86 0001610162 84"}}},
    {"8.3 unknown pseudo-header", "RST 1 1", {{1, 5, 1, GET " 00023a610162"}}},
    {"8.3 :status in a request", "RST 1 1", {{1, 5, 1, GET " 88"}}},
    {"8.3 pseudo-headers spelled out",
     "",
     {{1, 5, 1,
       "00073a6d6574686f6403474554 00073a736368656d650468747470 00053a70617468012f"
       " 000a3a617574686f72697479 0161"}}},
    {"8.3 :status spelled out in a request",
     "RST 1 1",
     {{1, 5, 1, GET " 00073a73746174757303323030"}}},
    {"8.3 repeated pseudo-header", "RST 1 1", {{1, 5, 1, "82 82 86 84"}}},
    {"8.3 pseudo-header in trailers", "RST 1 1", {{1, 4, 1, GET}, {1, 5, 1, "82"}}},
    {"8.3.1 no :method", "RST 1 1", {{1, 5, 1, "86 84"}}},
    {"8.3.1 no :scheme", "RST 1 1", {{1, 5, 1, "82 84"}}},
    {"8.3.1 no :path", "RST 1 1", {{1, 5, 1, "82 86"}}},
    {"8.3.1 empty :path", "RST 1 1", {{1, 5, 1, "82 86 0400"}}},
    {"8.3.1 path without a slash", "RST 1 1", {{1, 5, 1, "82 86 040161"}}},
    {"8.3.1 empty :method", "RST 1 1", {{1, 5, 1, "0200 86 84"}}},
    {"8.3.1 empty :scheme", "RST 1 1", {{1, 5, 1, "82 0600 84"}}},
    {"8.3.1 a path that only begins with *", "RST 1 1", {{1, 5, 1, "82 86 04022a61"}}},
    {"8.3.1 userinfo in :authority", "RST 1 1", {{1, 5, 1, "82 86 84 0103614062"}}},
    {"8.3.1 the path *", "", {{1, 5, 1, "0207 4f5054494f4e53 86 04012a"}}},
    {"8.5 CONNECT", "", {{1, 4, 1, "0207 434f4e4e454354 4101 61"}}},
    {"8.5 CONNECT carries DATA",
     "",
     {{1, 4, 1, "0207 434f4e4e454354 4101 61"}, {0, 0, 1, "00"}, {0, 1, 1, "00"}}},
    {"8.5 HEADERS in a tunnel",
     "RST 1 1",
     {{1, 4, 1, "0207 434f4e4e454354 4101 61"}, {1, 5, 1, "0001610162"}}},
    {"8.5 a method as long as CONNECT is none",
     "RST 1 1",
     {{1, 5, 1, "0207 4f5054494f4e53 4101 61"}}},
    {"8.5 CONNECT with a path", "RST 1 1", {{1, 4, 1, "0207 434f4e4e454354 84 4101 61"}}},
    {"8.5 CONNECT without authority", "RST 1 1", {{1, 4, 1, "0207 434f4e4e454354"}}},
    {"7540 5.3.1 HEADERS that depend on themselves", "RST 1 1", {{1, 0x25, 1, "00000001 10" GET}}},
    {"7540 5.3.1 PRIORITY on an idle stream that depends on itself",
     "GOAWAY 1",
     {{2, 0, 1, "0000000110"}}},
    {"7 unknown error codes are like any other", "", {{1, 4, 1, GET}, {3, 0, 1, "12345678"}}},
    {"4.1 undefined flags and the reserved bit are ignored",
     "",
     {{1, 0xd5, 0x80000001, GET}, {6, 0xfe, 0x80000000, "0000000000000000"}}},
    {"5.5 unknown frame inside of a header block", "GOAWAY 1", {{1, 1, 1, "82"}, {0x42, 0, 1, ""}}},
    {"6.10 CONTINUATION on stream 0", "GOAWAY 1", {{1, 1, 1, "82"}, {9, 4, 0, "86 84"}}},
    {"6.9 WINDOW_UPDATE after END_STREAM", "", {{1, 5, 1, GET}, {8, 0, 1, "00000001"}}},
    {"5.4.2 no RST_STREAM in answer to RST_STREAM",
     "",
     {{1, 4, 1, GET}, {3, 0, 1, "00000001"}, {3, 0, 1, "00000001"}}},
    {"6.7 PING ACK that was not asked for", "", {{6, 1, 0, "0000000000000000"}}},
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
        {"8.1.1 204 with content-length", "", {{1, 5, 1, "89 0f0d 0139"}}},
        {"8.3.2 :status spelled out", "", {{1, 5, 1, "00073a73746174757303323030"}}},
        {"8.3.2 :status below 100", "RST 1 1", {{1, 5, 1, "0803 303939"}}},
        {"8.3.2 :status with a letter first", "RST 1 1", {{1, 5, 1, "0803 613030"}}},
        {"8.3.2 :status with a letter second", "RST 1 1", {{1, 5, 1, "0803 326130"}}},
        {"8.3.2 :status with a sign second", "RST 1 1", {{1, 5, 1, "0803 322d30"}}},
        {"8.3.2 :status with a letter last", "RST 1 1", {{1, 5, 1, "0803 323061"}}},
        {"8.3.2 :status with a slash last", "RST 1 1", {{1, 5, 1, "0803 32302f"}}},
        {"8.1 response, then RST_STREAM(NO_ERROR)", "", {{1, 5, 1, "88"}, {3, 0, 1, "00000000"}}},
        {"8.1 trailers without END_STREAM", "RST 1 1", {{1, 4, 1, "88"}, {1, 4, 1, "0001610162"}}},
        {"5.1 HEADERS on a closed stream", "GOAWAY 5", {{1, 5, 1, "88"}, {1, 5, 1, "88"}}},
    };

    for (size_t i = 0; i < sizeof rules / sizeof rules[0]; i++) {
        start_client();
        for (int j = 0; j < 4 && rules[i].frames[j].payload; j++)
            frame_hex(rules[i].frames[j].type, rules[i].frames[j].flags, rules[i].frames[j].id,
                      rules[i].frames[j].payload);
        expect(rules[i].what, rules[i].answer);
    }
}

int main(void)
{
    RUN(server_answers_as_rfc_9113_asks);
    RUN(client_refuses_what_a_server_must_not_send);
    return test_summary();
}
