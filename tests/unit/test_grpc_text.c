/* gRPC: how times, codes, texts and names are written and read. */
#include "../../grpc/grpc_internal.h"
#include "../test.h"

static void timeouts_are_written_and_read_as_the_document_says(void)
{
    static const struct {
        const char *text;
        int result;
        uint64_t ms;
    } cases[] = {
        {"1H", 0, 3600000}, {"2M", 0, 120000},     {"3S", 0, 3000}, {"4m", 0, 4},
        {"5u", 0, 1},       {"1000001n", 0, 2},    {"0n", 0, 0},    {"99999999S", 0, 99999999000},
        {"", -1, 0},        {"S", -1, 0},          {"1", -1, 0},    {"1x", -1, 0},
        {"-1S", -1, 0},     {"123456789S", -1, 0}, {"1.5S", -1, 0}};
    char out[10] = "";
    uint64_t ms;

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        CHECK_INT(mote_grpc_parse_timeout(cases[i].text, strlen(cases[i].text), &ms),
                  cases[i].result);
        if (cases[i].result == 0)
            CHECK_INT(ms, cases[i].ms);
    }
    CHECK(mote_grpc_format_timeout(99999999, out) == 9 && memcmp(out, "99999999m", 9) == 0);
    CHECK(mote_grpc_format_timeout(100000000, out) == 7 && memcmp(out, "100001S", 7) == 0);
    CHECK(mote_grpc_format_timeout(1, out) == 2 && memcmp(out, "1m", 2) == 0);
}

static void http_and_reset_codes_map_as_the_documents_say(void)
{
    static const int http[][2] = {{400, 13}, {401, 16}, {403, 7},  {404, 12}, {429, 14},
                                  {502, 14}, {503, 14}, {504, 14}, {500, 2},  {302, 2}};
    static const int reset[][2] = {{7, 14}, {8, 1}, {11, 8}, {12, 7}, {0, 13}, {1, 13}, {99, 13}};

    for (size_t i = 0; i < sizeof http / sizeof http[0]; i++)
        CHECK_INT(mote_grpc_code_of_http((unsigned)http[i][0]), http[i][1]);
    for (size_t i = 0; i < sizeof reset / sizeof reset[0]; i++)
        CHECK_INT(mote_grpc_code_of_reset((uint32_t)reset[i][0]), reset[i][1]);
}

static void status_text_is_percent_encoded(void)
{
    char out[64];

    size_t len = 6;

    CHECK_INT(mote_grpc_percent_size("a%\n\xc3\xa9 ", &len, sizeof out), 16);
    CHECK_INT(len, 6);
    mote_grpc_percent_encode("a%\n\xc3\xa9 ", 6, out);
    CHECK(memcmp(out, "a%25%0A%C3%A9%20", 16) == 0);
    len = 2;
    CHECK_INT(mote_grpc_percent_size("a%", &len, 3), 1); /* never a part of an escape */
    CHECK_INT(len, 1);
    len = 4;
    CHECK_INT(mote_grpc_percent_size("a  b", &len, 3), 1); /* nor white space at the end */
    CHECK_INT(len, 1);
    CHECK_INT(mote_grpc_percent_decode("%41%4", 5, out, sizeof out), 3);
    CHECK(memcmp(out, "A%4", 3) == 0);
    CHECK_INT(mote_grpc_percent_decode("%zz", 3, out, sizeof out), 3);
}

/* A path of a socket is no authority, and a server refuses it. */
static void the_authority_of_an_address_is_one(void)
{
    static const char *const texts[][2] = {{"a:1", "a:1"},
                                           {"", ""},
                                           {"unix", "unix"},
                                           {"unix:", "localhost"},
                                           {"unix:/tmp/x", "localhost"}};

    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        mote_hpack_field f = mote_grpc_authority(texts[i][0]);
        CHECK(f.value_len == strlen(texts[i][1]) && strcmp(f.value, texts[i][1]) == 0);
    }
}

/* However little room there is, what is counted is what is written, and it ends with no blank. */
static void a_text_that_is_cut_has_the_size_that_was_told(void)
{
    static const char *const texts[] = {"",     "a",       " ",     "  ",     "      x", " a b ",
                                        "a  b", "a\n  b ", "\xe2%", " \n \n", "x     ",  "%%%"};

    for (size_t t = 0; t < sizeof texts / sizeof texts[0]; t++) {
        for (size_t cap = 0; cap < 30; cap++) {
            char out[100];
            size_t all = strlen(texts[t]), len = all,
                   n = mote_grpc_percent_size(texts[t], &len, cap);
            CHECK(n <= cap && len <= all);
            memset(out, '\x7f', sizeof out);
            mote_grpc_percent_encode(texts[t], len, out);
            CHECK_INT(strspn(out, " !\"#$%&'()*+,-./0123456789ABCDEFabx"), n);
            CHECK(n == 0 || (out[0] != ' ' && out[n - 1] != ' '));
        }
    }
}

/* Of its own layer and of those below. */
static void each_code_has_the_text_of_its_layer(void)
{
#define HAS_TEXT(name, code, text) CHECK_TEXT(strcmp(mote_grpc_strerror(code), text) == 0);
    MOTE_HPACK_ERRORS(HAS_TEXT)
    MOTE_H2_ERRORS(HAS_TEXT)
    MOTE_GRPC_ERRORS(HAS_TEXT)
#undef HAS_TEXT
    CHECK_TEXT(strcmp(mote_grpc_strerror(0), mote_h2_strerror(0)) == 0);
    CHECK_TEXT(strcmp(mote_grpc_strerror(-199), mote_hpack_strerror(-199)) == 0);
}

int main(void)
{
    RUN(timeouts_are_written_and_read_as_the_document_says);
    RUN(http_and_reset_codes_map_as_the_documents_say);
    RUN(status_text_is_percent_encoded);
    RUN(the_authority_of_an_address_is_one);
    RUN(each_code_has_the_text_of_its_layer);
    RUN(a_text_that_is_cut_has_the_size_that_was_told);
    return test_summary();
}
