/* HTTP/1.1 before an engine that is a script: the frames that requests become, byte for byte, and
 * where heads, chunks and content end. */
#include "http1_engine.h"

/* ---- what the engine hears ------------------------------------------------------------------- */

#define HELLO                                                                                      \
    "505249202a20485454502f322e300d0a0d0a534d0d0a0d0a"                                             \
    "00000c040000000000 000100000000 00043fffffff 000004080000000000 7fff0000"
static void a_request_becomes_frames(void)
{
    start(sizeof memory);
    CHECK_INT(ask(GET), 0);
    CHECK(hears(HELLO "000032010500000001"
                      "0007 3a6d6574686f64 03 474554"
                      "0007 3a736368656d65 04 68747470"
                      "000a 3a617574686f72697479 01 64"
                      "0005 3a70617468 01 2f"));
    says(1, 5, 1, "88");
    CHECK(answers(HEAD "content-length: 0\r\n\r\n"));
    start(sizeof memory);
    CHECK_INT(ask("POST /a HTTP/1.1\r\nX-A: \t b\t c \r\nhost: d\r\ncontent-length: 3\r\n"
                  "TE: trailers\r\nkeep-alive: 1\r\nproxy-connection: x\r\nX-B: \t \r\n"
                  "Upgrade: x\r\nHTTP2-Settings: x\r\nexpect: 100-Continue\r\nX-C: c\t\r\n"
                  "Connection: te, http2-settings ,Upgrade,keep-alive,\tclose\r\n\r\nabcd"),
              0);
    CHECK(hears(HELLO "00004b010400000001"
                      "0007 3a6d6574686f64 04 504f5354"
                      "0007 3a736368656d65 04 68747470"
                      "000a 3a617574686f72697479 01 64"
                      "0005 3a70617468 02 2f61"
                      "0003 782d61 04 62092063"
                      "0003 782d62 00"
                      "0003 782d63 01 63"
                      "000003000100000001 616263"));
    says(1, 4, 1, "88");
    says(0, 1, 1, "78");
    CHECK(answers("HTTP/1.1 100 Continue\r\n\r\n" HEAD
                  "connection: close\r\ntransfer-encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n"));
    CHECK_INT(ask(""), -1);
}

/* Fields of the only header block that was heard, as text. */
static const char *fields_heard(void)
{
    static char text[40000], scratch[20000];
    mote_hpack_decoder decoder;
    mote_hpack_field_view f;
    size_t used, left, at = 24; /* behind the preface */

    mote_hpack_decoder_init_bare(&decoder, 0, scratch, sizeof scratch);
    while (heard[at + 3] != 1)
        at += 9 + ((size_t)heard[at] << 16 | (size_t)heard[at + 1] << 8 | heard[at + 2]);
    left = (size_t)heard[at] << 16 | (size_t)heard[at + 1] << 8 | heard[at + 2];
    const uint8_t *p = heard + at + 9;
    text[0] = '\0';
    CHECK_INT(p + left - heard, heard_len);
    while (mote_hpack_decode(&decoder, p, left, &used, &f) > 0) {
        size_t n = strlen(text);
        snprintf(text + n, sizeof text - n, "%.*s: %.*s\n", (int)f.name_len, f.name,
                 (int)f.value_len, f.value);
        p += used;
        left -= used;
    }
    CHECK_INT(mote_hpack_decoder_end(&decoder), 0);
    return text;
}

static void a_field_of_any_length_goes_on(void)
{
    static const size_t lengths[] = {1, 125, 126, 127, 128, 253, 254, 255, 256, 383, 1000, 3000};
    static char request[9000], expected[9000];

    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        for (int of_name = 0; of_name < 2; of_name++) {
            int n = of_name ? (int)lengths[i] : 1, v = of_name ? 1 : (int)lengths[i];
            char *p = request + sprintf(request, "GET / HTTP/1.1\r\nHost: d\r\n");
            memset(p, 'N', (size_t)n);
            p += n + sprintf(p + n, ": ");
            memset(p, 'V', (size_t)v);
            sprintf(p + v, "\r\n\r\n");
            p = expected +
                sprintf(expected, ":method: GET\n:scheme: http\n:authority: d\n:path: /\n");
            memset(p, 'n', (size_t)n);
            p += n + sprintf(p + n, ": ");
            memset(p, 'V', (size_t)v);
            sprintf(p + v, "\n");
            start(sizeof memory);
            CHECK_INT(ask(request), 0);
            CHECK(strcmp(fields_heard(), expected) == 0);
        }
    }
}

/* RFC 9110 5.6.2, 5.5; RFC 3986. */
static void each_character_is_taken_where_it_may_be(void)
{
    static const char token[] = "!#$%&'*+-.^_`|~0123456789"
                                "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
    char request[128];

    for (int ch = 1; ch < 256; ch++) {
        bool visible = ch > 0x20 && ch < 0x7f, blank = ch == ' ' || ch == '\t';
        if (ch == '\r' || ch == '\n')
            continue;
        for (int place = 0; place < 4; place++) {
            static const char *const forms[] = {"G%cT / HTTP/1.1\r\nHost: d\r\n\r\n",
                                                "GET /%cx HTTP/1.1\r\nHost: d\r\n\r\n",
                                                "GET / HTTP/1.1\r\nHost: d\r\na%cb: c\r\n\r\n",
                                                "GET / HTTP/1.1\r\nHost: d\r\na: b%cc\r\n\r\n"};
            bool taken = place == 0   ? strchr(token, ch) != NULL
                         : place == 1 ? visible
                         : place == 2 ? strchr(token, ch) || ch == ':'
                                      : visible || blank || ch > 0x7f;
            snprintf(request, sizeof request, forms[place], ch);
            start(sizeof memory);
            if ((ask(request) == 0) != taken) {
                printf("%d in %s", ch, forms[place]);
                CHECK(!"taken, or not");
            }
        }
    }
}

static void content_keeps_to_both_windows(void)
{
    static char body[70000];

    start(sizeof memory);
    says(4, 0, 0, "000300000064 00040000000a 010400000001 000500004000");
    CHECK_INT(ask(POST "content-length: 30\r\n\r\n"), 0);
    heard_at = heard_len;
    CHECK_INT(ask("0123456789"), 0);
    CHECK(hears("00000a000000000001 30313233343536373839"));
    says(8, 0, 1, "80000003"); /* the reserved bit counts for nothing */
    says(8, 0, 3, "00000009"); /* another stream */
    CHECK_INT(ask("012"), 0);
    CHECK(hears("000003000000000001 303132"));
    says(4, 0, 0, "000400000010"); /* six more, and two */
    leave();
    says(8, 0, 1, "00000002");
    CHECK_INT(ask("01234567"), 0);
    CHECK(hears("000000040100000000 000008000000000001 3031323334353637"));
    CHECK_INT(ask("0"), -1);
    CHECK(hears("000004030000000001 00000008"));
    CHECK(answers("HTTP/1.1 413 Content Too Large\r\ncontent-type: text/plain\r\n"
                  "connection: close\r\ncontent-length: 34\r\n\r\n"
                  "the content has no room (rx_size)\n"));

    start(sizeof memory);
    says(4, 0, 0, "00047fffffff");
    CHECK_INT(ask(POST "content-length: 65545\r\n\r\n"), 0);
    heard_at = heard_len;
    CHECK_INT(ask_bytes(body, 65535), 0);
    CHECK_INT(heard_len - heard_at, 4 * 9 + 65535);
    heard_at = heard_len;
    says(8, 0, 0, "00000004");
    CHECK_INT(ask_bytes(body, 4), 0);
    CHECK(hears("000004000000000001 00000000"));
    CHECK_INT(ask_bytes(body, 6), -1);
}

/* An answer that is there in the midst of a request, and its end. */
static void a_reset_ends_a_request_with_content(void)
{
    for (int chunked = 0; chunked < 2; chunked++) {
        start(sizeof memory);
        CHECK_INT(ask(chunked ? POST "transfer-encoding: chunked\r\n\r\n2\r\n"
                              : POST "content-length: 2\r\n\r\n"),
                  0);
        says(3, 0, 1, "00000008");
        CHECK_INT(ask("ab"), -1);
        leave();
        CHECK(memcmp(output, "HTTP/1.1 502 ", 13) == 0);
    }
}

/* ---- limits ---------------------------------------------------------------------------------- */

static void a_head_ends_where_its_memory_ends(void)
{
    char request[1200];

    for (size_t len = 511; len <= 513; len++) {
        memset(request, 'a', sizeof request);
        memcpy(request, "GET / HTTP/1.1\r\nHost: d\r\nb: ", 28);
        memcpy(request + len - 4, "\r\n\r\n", 4);
        start(1024);
        CHECK_INT(ask_bytes(request, len), len <= 512 ? 0 : -1);
        memset(request, 'a', sizeof request); /* a first line of this length, and no end */
        memcpy(request, "GET /", 5);
        memcpy(request + len - 11, " HTTP/1.1\r\n", 11);
        start(1024);
        CHECK_INT(ask_bytes(request, 600), -1);
        leave();
        CHECK(memcmp(output, len <= 512 ? "HTTP/1.1 431 " : "HTTP/1.1 414 ", 13) == 0);
    }
}

/* Trailers lie where the head was; extensions of a chunk are counted, each for itself. */
static void a_chunk_and_trailers_end_where_they_should(void)
{
    char request[2000];

    for (size_t n = 255; n <= 257; n++) {
        for (int second = 0; second < 2; second++) {
            size_t len = (size_t)sprintf(request, POST "transfer-encoding: chunked\r\n\r\n%s",
                                         second ? "1;abc\r\nx\r\n1;" : "1;");
            memset(request + len, 'e', n);
            strcpy(request + len + n, "\r\nx\r\n0\r\n\r\n");
            start(sizeof memory);
            CHECK_INT(ask(request), n <= 256 ? 0 : -1);
        }
    }
    for (char ch = 0x1e; ch < 0x23; ch++) {
        sprintf(request, POST "transfer-encoding: chunked\r\n\r\n1;%c\r\nx\r\n0\r\n\r\n", ch);
        start(sizeof memory);
        CHECK_INT(ask(request), ch >= 0x20 ? 0 : -1);
    }
    for (size_t n = 511; n <= 513; n++) {
        size_t len = (size_t)sprintf(request, POST "transfer-encoding: chunked\r\n\r\n0\r\n");
        memset(request + len, 't', n);
        request[len + 1] = ':';
        memcpy(request + len + n - 4, "\r\n\r\n", 4);
        start(1024);
        CHECK_INT(ask_bytes(request, len + n), n <= 512 ? 0 : -1);
    }
}

static void sizes_of_chunks_have_seven_digits(void)
{
    start(sizeof memory);
    CHECK_INT(ask(POST "transfer-encoding: chunked\r\n\r\n0000003\r\nabc\r\naF\r\n"), 0);
    CHECK_INT(http1.body_left, 0xaf);
    start(sizeof memory);
    CHECK_INT(ask(POST "transfer-encoding: chunked\r\n\r\n00000003\r\n"), -1);
    start(sizeof memory);
    CHECK_INT(ask(POST "transfer-encoding: chunked\r\n\r\nfffffff\r\n"), 0);
    CHECK_INT(http1.body_left, 0xfffffff);
}

int main(void)
{
    RUN(a_request_becomes_frames);
    RUN(a_field_of_any_length_goes_on);
    RUN(each_character_is_taken_where_it_may_be);
    RUN(content_keeps_to_both_windows);
    RUN(a_reset_ends_a_request_with_content);
    RUN(a_head_ends_where_its_memory_ends);
    RUN(a_chunk_and_trailers_end_where_they_should);
    RUN(sizes_of_chunks_have_seven_digits);
    return test_summary();
}
