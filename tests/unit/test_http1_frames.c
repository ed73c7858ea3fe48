/* HTTP/1.1 before an engine that is a script: what becomes of any frames of it, however they are
 * cut, and how it ends. */
#include "http1_engine.h"
#ifdef MOTE_CHECK
#include "stops.h"
#endif

/* ---- frames of the engine -------------------------------------------------------------------- */

static void pings_and_settings_are_answered(void)
{
    start_get();
    says(6, 0, 0, "0102030405060708");
    says(6, 1, 0, "0102030405060708");
    says(4, 1, 0, "");
    says(4, 0, 0, "");
    says(0x55, 1, 0, "0102030405060708");
    says(2, 0, 1, "0000000010");
    CHECK(answers(""));
    CHECK(hears("000008060100000000 0102030405060708 000000040100000000"));
}

static void a_reset_has_its_status(void)
{
    static const struct {
        const char *code;
        bool refused;
    } cases[] = {{"00000007", true},  {"00000008", false}, {"00000000", false},
                 {"00000107", false}, {"07000000", false}, {"00000006", false}};

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        start_get();
        says(3, 0, 3, "00000007"); /* of another stream */
        CHECK(answers(""));
        CHECK_INT(ask(""), 0);
        says(3, 0, 1, cases[i].code);
        CHECK(answers(cases[i].refused
                          ? "HTTP/1.1 503 Service Unavailable\r\ncontent-type: text/plain\r\n"
                            "connection: close\r\ncontent-length: 35\r\n\r\n"
                            "the server takes no more calls now\n"
                          : "HTTP/1.1 502 Bad Gateway\r\ncontent-type: text/plain\r\n"
                            "connection: close\r\ncontent-length: 33\r\n\r\n"
                            "the server has reset the request\n"));
        CHECK(hears(""));
        CHECK_INT(ask(""), -1);
        start_get();
        says(1, 4, 1, "88");
        says(3, 0, 1, cases[i].code); /* in the midst of the response */
        CHECK(answers(HEAD "transfer-encoding: chunked\r\n\r\n"));
        CHECK_INT(ask(""), -1);
    }
}

static void a_goaway_ends_the_connection_with_the_response(void)
{
    start_get();
    says(7, 0, 0, "0000000100000000");
    says(1, 5, 1, "88");
    CHECK(answers(HEAD "connection: close\r\ncontent-length: 0\r\n\r\n"));
    CHECK_INT(ask(""), -1);
    start_get();
    says(1, 5, 1, "88");
    CHECK(answers(HEAD "content-length: 0\r\n\r\n"));
    CHECK_INT(ask(""), 0);
}

/* The same text, whatever lies between and wherever frames and their bytes are cut. */
static void a_response_is_read_from_any_frames(void)
{
    static const char block[] = "8800 016101620003 3a787902 6364"; /* :status, a, ":xy" */
    uint8_t bytes[64];
    size_t len = unhex(block, bytes);

    for (size_t cut = 0; cut <= len; cut++) {
        for (piece = 0; piece < 12; piece++) {
            start_get();
            says(0x55, 5, 1, "0102");
            says(2, 0, 1, "0000000010");
            says_bytes(1, cut == len ? 4 : 0, 1, bytes, cut);
            if (cut < len)
                says_bytes(9, 4, 1, bytes + cut, len - cut);
            says(1, 5, 3, "88"); /* another stream */
            says(0, 1, 3, "6162");
            says(0, 0, 1, "");
            says(8, 0, 1, "00000001");
            says(0, 0, 1, "303132333435363738393031323334353637");
            says(0x55, 1, 1, "0102");
            says(0, 0, 1, "78");
            says(1, 1, 1, "0001 74");
            says(9, 4, 1, "0175");
            CHECK(answers(HEAD "a: b\r\n:xy: cd\r\ntransfer-encoding: chunked\r\n\r\n"
                               "12\r\n012345678901234567\r\n1\r\nx\r\n0\r\nt: u\r\n\r\n"));
            CHECK(hears(""));
        }
    }
    piece = 0;
}

static void each_kind_of_response_has_its_length(void)
{
#define NAMED(name) "0007 3a737461747573 03 " name /* :status */
    static const struct {
        const char *block;
        bool ends;
        const char *data, *answer; /* data: NULL, or of a frame that ends it */
    } cases[] = {
        {"88", true, NULL, HEAD "content-length: 0\r\n\r\n"},
        {"89", true, NULL, "HTTP/1.1 204 \r\n\r\n"},
        {NAMED("323035"), true, NULL, "HTTP/1.1 205 \r\ncontent-length: 0\r\n\r\n"},
        {NAMED("323134"), true, NULL, "HTTP/1.1 214 \r\ncontent-length: 0\r\n\r\n"},
        {"88 0008 3a73746174757332 0131", true, NULL, /* another name */
         HEAD ":status2: 1\r\ncontent-length: 0\r\n\r\n"},
        {"88 0007 782d7365 76656e 0131", true, NULL,
         HEAD "x-seven: 1\r\ncontent-length: 0\r\n\r\n"},
        {"88", false, "", HEAD "transfer-encoding: chunked\r\n\r\n0\r\n\r\n"},
        {"88", false, "61", HEAD "transfer-encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n"},
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        start_get();
        says(1, cases[i].ends ? 5 : 4, 1, cases[i].block);
        if (cases[i].data)
            says(0, 1, 1, cases[i].data);
        CHECK(answers(cases[i].answer));
        CHECK_INT(http1.state, MOTE_HTTP1_HEAD);
        CHECK_INT(http1.stream, 3);
    }
}

/* Content that was written is credited by the megabyte, to the stream as long as it is open. */
static void windows_of_the_engine_are_given_back(void)
{
    static uint8_t content[16384];

    for (int ends = 0; ends < 2; ends++) {
        start_get();
        says(1, 4, 1, "88");
        for (int i = 0; i < 63; i++)
            says_bytes(0, 0, 1, content, sizeof content);
        says_bytes(0, 0, 1, content, sizeof content - 1);
        leave();
        CHECK(hears(""));
        says_bytes(0, (unsigned)ends, 1, content, 1);
        leave();
        CHECK(hears(ends ? "000004080000000000 00100000"
                         : "000004080000000000 00100000 000004080000000001 00100000"));
        if (!ends) { /* and from the start */
            says_bytes(0, 0, 1, content, 1);
            leave();
            CHECK(hears(""));
        }
    }
}

/* 256 bytes for what is written, as many for one field: a longer one is dropped, and a head that
 * has no room ends the connection without a word. */
static void a_response_has_its_room(void)
{
    static const size_t values[] = {254, 255, 256, 300};
    uint8_t block[700];

    for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
        size_t value = values[i], n = 0;
        block[n++] = 0x88;
        memcpy(block + n, "\0\1a\x7f", 4);
        n += 4;
        block[n++] = (uint8_t)(value - 127 < 128 ? value - 127 : (value - 127) | 128);
        if (value - 127 >= 128)
            block[n++] = (uint8_t)((value - 127) >> 7);
        memset(block + n, 'v', value);
        n += value;
        start(1024);
        CHECK_INT(ask(GET), 0);
        says_bytes(1, 5, 1, block, n);
        if (value + 1 > 256)
            CHECK(answers(HEAD "content-length: 0\r\n\r\n"));
        else
            CHECK(answers(""));
        CHECK_INT(ask(""), value + 1 > 256 ? 0 : -1);
    }
    start(1024);
    CHECK_INT(ask(GET), 0);
    says(1, 5, 1, "88 c0"); /* no such index */
    says(0x55, 0, 0, "");
    CHECK(answers(HEAD "content-length: 0\r\n\r\n"));
    CHECK_INT(ask(""), -1);
}

/* ---- ends ------------------------------------------------------------------------------------ */

static void what_the_engine_has_said_leaves_before_the_end(void)
{
    size_t used;

    start_get();
    says(1, 5, 1, "88");
    alive = false;
    CHECK_INT(mote_http1_recv(&http1, NULL, 0, &used), 0);
    CHECK(answers(HEAD "content-length: 0\r\n\r\n"));
    CHECK_INT(mote_http1_recv(&http1, NULL, 0, &used), -1);
    start_get();
    alive = false;
    CHECK_INT(mote_http1_recv(&http1, NULL, 0, &used), -1);
}

static void the_last_id_is_not_used(void)
{
    start_get();
    http1.stream = 0x7ffffffb;
    says(1, 5, 0x7ffffffb, "88");
    CHECK(answers(HEAD "content-length: 0\r\n\r\n"));
    CHECK_INT(ask(""), 0);
    CHECK_INT(ask(GET), 0);
    CHECK_INT(http1.stream, 0x7ffffffd);
    says(1, 5, 0x7ffffffd, "88");
    leave();
    CHECK_INT(ask(""), 0);
    CHECK_INT(ask(GET), 0);
    says(1, 5, 0x7fffffff, "88");
    leave();
    CHECK_INT(ask(""), -1);
}

/* ---- a program that breaks the rules of http1.h ---------------------------------------------- */

#ifdef MOTE_CHECK
static size_t offered;

static void acknowledge(void)
{
    mote_http1_ack(&http1, offered);
}

/* Of what HTTP/1.1 says itself, and of content that lies with the engine. */
static void no_more_is_acknowledged_than_was_offered(void)
{
    start_get();
    says(1, 4, 1, "88");
    says(0, 0, 1, "616263");
    for (int part = 0; part < 2; part++) {
        CHECK(mote_http1_peek(&http1, &offered) != NULL);
        CHECK(offered > 0 && !stops(acknowledge));
        offered++;
        CHECK(stops(acknowledge));
        offered--;
        acknowledge();
    }
}

static void look(void)
{
    mote_http1_peek(&http1, &offered);
}

static void a_state_that_cannot_be_is_noticed(void)
{
    start_get();
    CHECK(!stops(look));
    http1.response = MOTE_HTTP1_RESPONSE_WHOLE; /* and the engine has a stream for it */
    CHECK(stops(look));
    start_get();
    http1.head_len = http1.head_size + 1;
    CHECK(stops(look));
}
#endif

int main(void)
{
    RUN(pings_and_settings_are_answered);
    RUN(a_reset_has_its_status);
    RUN(a_goaway_ends_the_connection_with_the_response);
    RUN(a_response_is_read_from_any_frames);
    RUN(each_kind_of_response_has_its_length);
    RUN(windows_of_the_engine_are_given_back);
    RUN(a_response_has_its_room);
    RUN(what_the_engine_has_said_leaves_before_the_end);
    RUN(the_last_id_is_not_used);
#ifdef MOTE_CHECK
    RUN(no_more_is_acknowledged_than_was_offered);
    RUN(a_state_that_cannot_be_is_noticed);
#endif
    return test_summary();
}
