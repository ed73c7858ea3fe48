/* The tracer: what it says of each kind of frame, the same for every split. */
#include "../../h2/trace.h"
#include "../test.h"

static char text[1 << 16];
static size_t text_len;
static mote_h2_tracer tracer;

static void keep(void *context, const char *line, size_t len)
{
    CHECK(context == text);
    if (len < sizeof text - text_len - 1) {
        memcpy(text + text_len, line, len);
        text_len += len;
        text[text_len++] = '\n';
    }
}

static const char *trace(bool server, bool sent, const char *hex, size_t piece)
{
    static uint8_t bytes[8192];
    size_t n = unhex(hex, bytes);

    text_len = 0;
    mote_h2_trace_init(&tracer, server, keep, text);
    for (size_t i = 0; i < n; i += piece)
        mote_h2_trace(&tracer, sent, bytes + i, piece < n - i ? piece : n - i);
    text[text_len] = '\0';
    return text;
}

/* The same text, however the bytes are cut. */
static void check(const char *hex, const char *expected)
{
    for (size_t piece = 1; piece < 40; piece++) {
        const char *got = trace(true, true, hex, piece);
        CHECK_TEXT(strcmp(got, expected) == 0);
        if (!test_ok) {
            printf("pieces of %zu:\n%s", piece, got);
            return;
        }
    }
}

static void frames_of_all_kinds(void)
{
    check("000012 04 00 00000000 0003 00000064 0001 00001000 00ff 00000007",
          "send SETTINGS frame <length=18, flags=0x00, stream_id=0>\n"
          "          [MAX_CONCURRENT_STREAMS:100]\n"
          "          [HEADER_TABLE_SIZE:4096]\n"
          "          [00ff:7]\n");
    check("000000 04 01 00000000 000001 04 01 00000000 00",
          "send SETTINGS frame <length=0, flags=0x01, stream_id=0> ACK\n"
          "send SETTINGS frame <length=1, flags=0x01, stream_id=0> ACK\n");
    check("000005 00 09 00000001 02 6162 0000",
          "send DATA frame <length=5, flags=0x09, stream_id=1> END_STREAM PADDED\n");
    check("000005 02 00 00000001 00000000 00",
          "send PRIORITY frame <length=5, flags=0x00, stream_id=1>\n");
    check("000004 03 00 00000003 00000008",
          "send RST_STREAM frame <length=4, flags=0x00, stream_id=3>\n"
          "          (error_code=CANCEL)\n");
    check("000008 06 00 00000000 0102030405060708 000008 06 01 00000000 0102030405060708",
          "send PING frame <length=8, flags=0x00, stream_id=0>\n"
          "          (opaque_data=0102030405060708)\n"
          "send PING frame <length=8, flags=0x01, stream_id=0> ACK\n"
          "          (opaque_data=0102030405060708)\n");
    check("000004 08 00 00000000 00000010 000001 ff 00 00000000 00",
          "send WINDOW_UPDATE frame <length=4, flags=0x00, stream_id=0>\n"
          "          (window_size_increment=16)\n"
          "send unknown frame <length=1, flags=0x00, stream_id=0>\n");
}

/* A literal without indexing (RFC 7541 6.2.2), or never indexed (6.2.3). */
static void tells_field(const char *first, const char *name, const char *value, const char *line)
{
    char hex[512], expected[512];
    size_t n = 0, name_len = strlen(name), value_len = strlen(value);

    n += (size_t)sprintf(hex + n, "%06zx 01 05 00000001 %s %02zx ", 3 + name_len + value_len, first,
                         name_len);
    for (size_t i = 0; i < name_len; i++)
        n += (size_t)sprintf(hex + n, "%02x", (unsigned)name[i]);
    n += (size_t)sprintf(hex + n, " %02zx ", value_len);
    for (size_t i = 0; i < value_len; i++)
        n += (size_t)sprintf(hex + n, "%02x", (unsigned)value[i]);
    snprintf(expected, sizeof expected,
             "send HEADERS frame <length=%zu, flags=0x05, stream_id=1> END_STREAM END_HEADERS\n    "
             "      %s\n",
             3 + name_len + value_len, line);
    check(hex, expected);
}

static void secrets_are_their_length(void)
{
    static const char *const names[] = {"authorization",
                                        "proxy-authorization",
                                        "cookie",
                                        "set-cookie",
                                        "x-api-key",
                                        "x-auth-token",
                                        "Authorization",
                                        "x-amz-security-token",
                                        "x-session-id",
                                        "x-access-token-bin",
                                        "private-token",
                                        "client-secret",
                                        "x-goog-iam-authorization-token",
                                        "x-jwt-assertion",
                                        "ocp-apim-subscription-key",
                                        "proxy-authenticate",
                                        "authentication-info",
                                        "x-password",
                                        "X-Credentials",
                                        "x-forwarded-client-assertion",
                                        "cookies"};
    char line[64];

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        snprintf(line, sizeof line, "%s: (secret, 12 bytes)", names[i]);
        tells_field("00", names[i], "Bearer abcde", line);
    }
    tells_field("10", "x-pin", "1234", "x-pin: (secret, 4 bytes)"); /* never indexed */
    tells_field("00", "x-pin", "1234", "x-pin: 1234");
    tells_field("00", "cooki", "a", "cooki: a");
    tells_field("00", "x-toke", "a", "x-toke: a");
    tells_field("00", ":authority", "a", ":authority: a");
    check("00000f 01 05 00000001 0f08 0c 426561726572206162636465", /* by a name of the static table
                                                                     */
          "send HEADERS frame <length=15, flags=0x05, stream_id=1> END_STREAM END_HEADERS\n"
          "          authorization: (secret, 12 bytes)\n");
}

static void flags_are_told_where_they_mean_something(void)
{
    check("000004 05 0d 00000001 00000002 000001 09 09 00000001 82 000000 01 09 00000003",
          "send PUSH_PROMISE frame <length=4, flags=0x0d, stream_id=1>\n"
          "send CONTINUATION frame <length=1, flags=0x09, stream_id=1>\n"
          "          :method: GET\n"
          "send HEADERS frame <length=0, flags=0x09, stream_id=3> END_STREAM PADDED\n");
}

static void goaway_says_why(void)
{
    const char *got = trace(true, true, "00000c 07 00 00000000 00000005 00000000 68017fff", 100);

    CHECK_TEXT(strcmp(got, "send GOAWAY frame <length=12, flags=0x00, stream_id=0>\n"
                           "          (last_stream_id=5)\n"
                           "          (error_code=NO_ERROR)\n"
                           "          (debug_data=h...)\n") == 0);
}

static void header_blocks_are_decoded(void)
{
    /* padded, with a priority, cut into two frames; then a reference to what was indexed */
    check("00000b 01 28 00000001 02 0000000000 82 84 40 0000 000006 09 04 00000001 0161 03626364 "
          "000001 01 05 00000003 be",
          "send HEADERS frame <length=11, flags=0x28, stream_id=1> PADDED\n"
          "          :method: GET\n"
          "          :path: /\n"
          "send CONTINUATION frame <length=6, flags=0x04, stream_id=1> END_HEADERS\n"
          "          a: bcd\n"
          "send HEADERS frame <length=1, flags=0x05, stream_id=3> END_STREAM END_HEADERS\n"
          "          a: bcd\n");
}

static void a_block_that_cannot_be_decoded_is_not_shown(void)
{
    check("000001 01 04 00000001 80 000001 01 04 00000003 82",
          "send HEADERS frame <length=1, flags=0x04, stream_id=1> END_HEADERS\n"
          "send HEADERS frame <length=1, flags=0x04, stream_id=3> END_HEADERS\n");
    /* it ends inside of a field, which the next block does not complete */
    check("000002 01 04 00000001 4001 000004 01 04 00000003 61 01 62 82",
          "send HEADERS frame <length=2, flags=0x04, stream_id=1> END_HEADERS\n"
          "send HEADERS frame <length=4, flags=0x04, stream_id=3> END_HEADERS\n");
}

static void long_fields_are_cut(void)
{
    static char hex[7000];
    size_t n = (size_t)sprintf(hex, "000bbe 01 04 00000001 00 0161 7fb916"); /* 3,000 bytes */

    for (int i = 0; i < 3000; i++)
        n += (size_t)sprintf(hex + n, "78");
    const char *got = trace(true, true, hex, 1000);
    CHECK(strstr(got, ": ...") != NULL); /* of a field that is too long nothing is kept */
    n = (size_t)sprintf(hex, "000276 01 04 00000001 00 0161 7ff103"); /* 624 bytes */
    for (int i = 0; i < 624; i++)
        n += (size_t)sprintf(hex + n, "78");
    got = trace(true, true, hex, 1000);
    CHECK_INT(text_len,
              strlen("send HEADERS frame <length=630, flags=0x04, stream_id=1> END_HEADERS") + 1 +
                  MOTE_H2_TRACE_LINE + 1);
}

static void the_preface_is_passed_over(void)
{
    static const char preface[] = "505249202a20485454502f322e300d0a0d0a534d0d0a0d0a"
                                  "000000 04 00 00000000";

    CHECK(strcmp(trace(false, true, preface, 7),
                 "send SETTINGS frame <length=0, flags=0x00, stream_id=0>\n") == 0);
    CHECK(strcmp(trace(true, false, preface, 100),
                 "recv SETTINGS frame <length=0, flags=0x00, stream_id=0>\n") == 0);
}

int main(void)
{
    RUN(frames_of_all_kinds);
    RUN(secrets_are_their_length);
    RUN(flags_are_told_where_they_mean_something);
    RUN(goaway_says_why);
    RUN(header_blocks_are_decoded);
    RUN(a_block_that_cannot_be_decoded_is_not_shown);
    RUN(long_fields_are_cut);
    RUN(the_preface_is_passed_over);
    return test_summary();
}
