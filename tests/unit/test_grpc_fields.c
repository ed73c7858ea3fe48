/* Fields of the peers, of which small sins are forgiven: each kind is a table. */
#include "../../grpc/grpc_internal.h"
#include "fields_harness.h"

typedef struct {
    const char *name, *value;
    size_t value_len; /* 0: up to NUL */
} field;

static size_t put_number(uint8_t *to, size_t n)
{
    size_t at = 0;

    to[at++] = n < 127 ? (uint8_t)n : 127;
    for (n -= n < 127 ? n : 127; to[0] == 127 && n >= 128; n >>= 7)
        to[at++] = (uint8_t)(n | 128);
    if (to[0] == 127)
        to[at++] = (uint8_t)n;
    return at;
}

/* A section of literals, each of which the table remembers. */
static void answer(uint8_t flags, const field *f, size_t count)
{
    static uint8_t frame[4096];
    size_t at = 9;

    for (size_t i = 0; i < count && f[i].name; i++) {
        size_t name_len = strlen(f[i].name),
               value_len = f[i].value_len ? f[i].value_len : strlen(f[i].value);
        frame[at++] = 0x40;
        at += put_number(frame + at, name_len);
        memcpy(frame + at, f[i].name, name_len);
        at += name_len;
        at += put_number(frame + at, value_len);
        memcpy(frame + at, f[i].value, value_len);
        at += value_len;
    }
    memcpy(frame, (const uint8_t[9]){0, (uint8_t)((at - 9) >> 8), (uint8_t)(at - 9), 1, flags}, 9);
    frame[7] = (uint8_t)(call->stream->id >> 8);
    frame[8] = (uint8_t)call->stream->id;
    feed(frame, at);
    drain();
}

enum { END_STREAM = 1, END_HEADERS = 4 };

/* One response: its headers, then its trailers; without any the headers are all. */
static void respond(const field *headers, const field *trailers)
{
    answer(trailers ? END_HEADERS : END_HEADERS | END_STREAM, headers, 4);
    if (trailers && code < 0)
        answer(END_HEADERS | END_STREAM, trailers, 4);
}

static const field good[4] = {{":status", "200", 0}, {"content-type", "application/grpc", 0}};
static const field ok[4] = {{"grpc-status", "0", 0}};

/* ---- liberal in ------------------------------------------------------------------------------ */

/* Twice, as the second time the table knows the field. */
static void white_space_at_the_ends_of_a_value_is_no_part_of_it(void)
{
    static const struct {
        field trailer;
        int code;
        const char *told, *text;
    } cases[] = {
        {{"x", " a", 0}, 0, "x=a;", ""},
        {{"x", "a ", 0}, 0, "x=a;", ""},
        {{"x", "\t \ta b\t ", 0}, 0, "x=a b;", ""},
        {{"x", " ", 0}, 0, "x=;", ""},
        {{"x-bin", "YQ== ", 0}, 0, "x-bin=YQ==;", ""},
        {{"grpc-status", " 5", 0}, MOTE_GRPC_NOT_FOUND, "", ""},
        {{"grpc-status", "5\t", 0}, MOTE_GRPC_NOT_FOUND, "", ""},
        {{"grpc-message", "no such device: ", 0}, 0, "", "no such device: "},
        {{"grpc-message", "\t two ", 0}, 0, "", "\t two "},
    };

    for (size_t i = 0; i < 2 * (sizeof cases / sizeof cases[0]); i++) {
        size_t n = i / 2;
        field trailers[4] = {cases[n].code ? cases[n].trailer : ok[0]};
        if (!cases[n].code)
            trailers[1] = cases[n].trailer;
        if (i % 2 == 0)
            begin();
        else
            CHECK_INT(start_with(NULL, 0), 0);
        respond(good, trailers);
        CHECK_INT(code, cases[n].code);
        CHECK(strcmp(told, cases[n].told) == 0);
        CHECK(strcmp(text, cases[n].text) == 0);
    }
}

/* What RFC 9113 8.2.1 says, by the config: each case of above ends its call, and no other. */
static void white_space_at_the_ends_is_malformed_where_the_config_is_strict(void)
{
    static const field bad[] = {{"x", " a", 0},
                                {"x", "a\t", 0},
                                {"x", " ", 0},
                                {"x-bin", "YQ== ", 0},
                                {"grpc-status", " 0", 0},
                                {"grpc-message", "no such device: ", 0},
                                {"grpc-encoding", "identity ", 0}};
    static const field fine[] = {{"x", "a b", 0}, {"x", "", 0}, {"grpc-message", "a\tb", 0}};

    for (size_t i = 0; i < 2 * (sizeof bad / sizeof bad[0]); i++) {
        field headers[4] = {good[0], good[1], bad[i / 2]}, trailers[4] = {ok[0], bad[i / 2]};
        begin_as(true);
        if (i % 2) /* in the headers, in the trailers */
            respond(good, trailers);
        else
            respond(headers, ok);
        CHECK_INT(code, MOTE_GRPC_INTERNAL);
        CHECK_TEXT(strcmp(text, "the peer broke the HTTP/2 rules on this stream") == 0);
        CHECK_TEXT(strcmp(told, "") == 0);
        CHECK_INT(mote_h2_error(&client.h2), 0);
        CHECK_INT(start_with(NULL, 0), 0); /* the connection goes on */
        respond(good, ok);
        CHECK_INT(code, MOTE_GRPC_OK);
    }
    for (size_t i = 0; i < sizeof fine / sizeof fine[0]; i++) {
        field trailers[4] = {ok[0], fine[i]};
        begin_as(true);
        respond(good, trailers);
        CHECK_INT(code, MOTE_GRPC_OK);
    }
}

static void nul_cr_and_lf_stay_malformed(void)
{
    static const field bad[] = {{"x", "a\0b", 3},
                                {"x", "a\rb", 0},
                                {"x", "a\nb", 0},
                                {"x", " a\n", 0},
                                {"grpc-message", "a\r\n", 0},
                                {"grpc-message", "\0", 1},
                                {":status", "200 ", 0},
                                {"te", " trailers", 0}};

    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        field headers[4] = {good[0], good[1], bad[i]};
        begin();
        if (bad[i].name[0] == ':')
            headers[0] = bad[i], headers[2].name = NULL;
        respond(headers, ok);
        CHECK_INT(code, MOTE_GRPC_INTERNAL);
        CHECK_TEXT(strcmp(text, "the peer broke the HTTP/2 rules on this stream") == 0);
        CHECK(mote_h2_error(&client.h2) == 0);
    }
}

static void media_types_are_compared_as_media_types(void)
{
    static const struct {
        const char *type;
        bool taken;
    } cases[] = {
        {"application/grpc", true},
        {"Application/GRPC", true},
        {" application/grpc ", true},
        {"application/grpc+proto", true},
        {"APPLICATION/grpc+Proto", true},
        {"application/grpc;charset=utf-8", true},
        {"application/grpc ; charset=utf-8", true},
        {"application/grpc+proto\t;v=1", true},
        {"application/grpc+json", false},
        {"application/grpc+protobuf", false},
        {"application/grpc-web", false},
        {"application/grp", false},
        {"application/grp+proto", false},
        {"text/html", false},
        {"", false},
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        field headers[4] = {good[0], {"content-type", cases[i].type, 0}};
        begin();
        respond(headers, ok);
        CHECK_INT(code, cases[i].taken ? MOTE_GRPC_OK : MOTE_GRPC_UNKNOWN);
    }
}

static void data(uint8_t flag, const char *message)
{
    uint8_t frame[64] = {0, 0, (uint8_t)(5 + strlen(message)), 0, 0, 0, 0, 0, 0, flag};

    frame[8] = (uint8_t)call->stream->id;
    frame[13] = (uint8_t)strlen(message);
    memcpy(frame + 14, message, strlen(message));
    feed(frame, 14 + strlen(message));
    drain();
}

/* What a server says of its compression is of no matter as long as it does not use it: its status
 * is the one that counts. */
static void an_encoding_matters_when_a_message_has_it(void)
{
    static const char unknown[] = "grpc-encoding is not supported",
                      none[] = "compressed message without a grpc-encoding";
    static const struct {
        const char *encoding;
        uint8_t flag;
        const char *text; /* "": it is taken */
    } cases[] = {{"identity", 0, ""},   {"br", 0, ""},
                 {"", 0, ""},           {"Identity", 0, ""},
                 {"gzip", 0, ""},       {"br", 1, unknown},
                 {"", 1, none},         {"Identity", 1, unknown},
                 {NULL, 0, ""},         {NULL, 1, none},
                 {"identity", 1, none}, {"br", 2, "the flag before a message is neither 0 nor 1"}};
    static const field not_found[4] = {{"grpc-status", "5", 0}, {"grpc-message", "no such", 0}};

    for (size_t i = 0; i < 2 * (sizeof cases / sizeof cases[0]); i++) {
        field headers[4] = {good[0], good[1], {"grpc-encoding", cases[i / 2].encoding, 0}};
        const char *expected = i % 2 ? cases[i / 2].text : "no such";
        if (!cases[i / 2].encoding)
            headers[2].name = NULL;
        begin();
        answer(END_HEADERS, headers, 4);
        if (i % 2)
            data(cases[i / 2].flag, "m");
        if (code < 0)
            answer(END_HEADERS | END_STREAM, i % 2 ? ok : not_found, 4);
        CHECK_INT(code, i % 2 == 0 ? MOTE_GRPC_NOT_FOUND : *expected ? MOTE_GRPC_INTERNAL : 0);
        CHECK_TEXT(strcmp(text, expected) == 0);
    }
}

/* A balancer's cookie, in each place; what is needed and does not fit ends the call. */
static void long_fields_are_dropped_unless_they_are_needed(void)
{
    static char longer[1101], not_ok[1101];
    static const field cookie = {"set-cookie", longer, 0};
    const struct {
        field headers[4], trailers[4];
        int code;
        const char *text;
    } cases[] = {
        {{good[0], good[1], cookie}, {ok[0]}, 0, ""},
        {{good[0], cookie, good[1]}, {ok[0]}, 0, ""},
        {{good[0], good[1]}, {cookie, ok[0]}, 0, ""},
        {{good[0], good[1]}, {ok[0], cookie, {"x", "y", 0}}, 0, ""},
        {{good[0], good[1]}, {ok[0], {"grpc-message", longer, 0}}, 0, ""},
        {{{":status", "503", 0}, cookie},
         {ok[0]},
         MOTE_GRPC_UNAVAILABLE,
         "HTTP status is not 200 but 503"},
        {{good[0], {"content-type", longer, 0}},
         {ok[0]},
         MOTE_GRPC_RESOURCE_EXHAUSTED,
         "a field of metadata is larger than field_size 128 of the client"},
        {{good[0], good[1]},
         {{"grpc-status", not_ok, 0}},
         MOTE_GRPC_RESOURCE_EXHAUSTED,
         "a field of metadata is larger than field_size 128 of the client"},
        {{cookie, good[1]},
         {{NULL, NULL, 0}},
         MOTE_GRPC_INTERNAL,
         "the peer broke the HTTP/2 rules on this stream"},
    };

    memset(longer, 'c', sizeof longer - 1);
    memset(not_ok, '0', sizeof not_ok - 1);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        begin();
        respond(cases[i].headers, cases[i].trailers[0].name ? cases[i].trailers : NULL);
        CHECK_INT(code, cases[i].code);
        CHECK_TEXT(strcmp(text, cases[i].text) == 0);
        CHECK(mote_h2_error(&client.h2) == 0);
    }
}

/* The list of all fields has a limit as well, which the peer was told. */
static void metadata_beyond_its_limit_is_told_with_it(void)
{
    const field headers[4] = {
        good[0], {"x", "0123456789012345678901234567890123456789", 0}, good[1]};

    begin();
    client.h2.max_list_size = 100; /* :status is 42 of it, x 73 */
    respond(headers, ok);
    CHECK_INT(code, MOTE_GRPC_RESOURCE_EXHAUSTED);
    CHECK_TEXT(strcmp(text, "metadata is larger than MAX_HEADER_LIST_SIZE 100 of the client") == 0);
}

/* However many calls there are: the budget is for what the peer was told not to do. */
static void a_cookie_with_each_response_costs_nothing(void)
{
    static char longer[1101];
    const field headers[4] = {good[0], good[1], {"set-cookie", longer, 0}};

    memset(longer, 'c', sizeof longer - 1);
    begin();
    for (size_t i = 0; i < 1000; i++) {
        respond(headers, ok);
        CHECK_INT(code, 0);
        CHECK_INT(start_with(NULL, 0), 0);
        drain();
    }
}

static void binary_values_come_alone_or_in_lists(void)
{
    static const struct {
        const char *value, *decoded; /* each with '|' behind it; NULL: no base64 */
    } cases[] = {{"YQ", "a|"},          {"YQ==", "a|"},
                 {"YWI", "ab|"},        {"YWI=", "ab|"},
                 {"YWJj", "abc|"},      {"", "|"},
                 {"YQ,YWI", "a|ab|"},   {"YQ==,YWI=,YWJj", "a|ab|abc|"},
                 {"YQ == ", NULL},      {" YQ== , YWI ", "a|ab|"},
                 {"YQ,,YWI", "a||ab|"}, {"Y", NULL},
                 {"YQ=", NULL},         {"YQ,Y-", NULL},
                 {"Y Q", NULL}};

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const char *value = cases[i].value;
        size_t at = 0, len = strlen(value), n = 0;
        uint8_t out[64];
        int r;
        do {
            r = mote_grpc_bin_next(value, len, &at, out + n, sizeof out - n - 1);
            if (r >= 0)
                out[n += (size_t)r] = '|', n++;
        } while (r >= 0 && at < len);
        out[n] = '\0';
        CHECK_INT(r < 0 ? r : 0, cases[i].decoded ? 0 : MOTE_GRPC_ERR_BASE64);
        CHECK(!cases[i].decoded || strcmp((char *)out, cases[i].decoded) == 0);
    }
}

/* ---- another protocol ------------------------------------------------------------------------ */

static void an_answer_that_is_no_http_2_is_called_that(void)
{
    static const char other[] = "the first frame is not SETTINGS";
    static const struct {
        const char *bytes, *text;
    } cases[] = {
        {"HTTP/1.1 400 Bad Request\r\n\r\n", "the peer answered HTTP/1.1 400"},
        {"HTTP/1.1 503 Service Unavailable\r\n", "the peer answered HTTP/1.1 503"},
        {"HTTP/1.1 502", "the peer answered HTTP/1.1 502"}, /* no byte more is waited for */
        {"HTTP/1.0 200 OK\r\n", "the peer answered HTTP/1.0 200"},
        {"HTTP/1.x nonsense", "the peer answered HTTP/1.x non"},
        {"HTTP/1.1 302 Found\r\nLocation: http://portal.example/\r\n",
         "the peer answered HTTP/1.1 302"},
        {"HTTP/2.0 is none\r\n", other},
        {"http/1.1 200 ok\r\n", other},
        {"\r\nHTTP/1.1 200 OK\r\n", other},
        {"<!doctype html><title>Please log in</title>", other}, /* HTTP/0.9 */
        {"ICY 200 OK\r\n\r\n", other},
        {"RTSP/1.0 400 Bad Request\r\n", other},
        {"SIP/2.0 400 Bad Request\r\n", other},
        {"220 smtp.example.org ESMTP\r\n", other},
        {"SSH-2.0-OpenSSH_9.2\r\n", other},
        {"-ERR unknown command 'PRI'\r\n", other},
        {"* OK IMAP4rev1 ready\r\n", other},
        {"+OK POP3 ready <1@example>\r\n", other},
        {"\x15\x03\x03\x01\x02\x02\x46\x15\x03", other}, /* an alert of TLS, and more */
        {"\xff\xfd\x18\xff\xfd\x20\xff\xfd\x23", other}, /* telnet */
        {"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", other},     /* our own words: an echo */
        {"login: please", other},
    };

    for (size_t i = 0; i < 2 * (sizeof cases / sizeof cases[0]); i++) {
        const char *bytes = cases[i / 2].bytes;
        int r = 0;
        connect();
        CHECK_INT(start_with(NULL, 0), 0);
        for (size_t at = 0; i % 2 && bytes[at] && r == 0; at++)
            r = feed(bytes + at, 1);
        if (i % 2 == 0)
            r = feed(bytes, strlen(bytes));
        CHECK_INT(r, MOTE_H2_ERR_PEER);
        CHECK_INT(code, MOTE_GRPC_UNAVAILABLE);
        CHECK_TEXT(strcmp(text, cases[i / 2].text) == 0);
        CHECK_TEXT(strcmp(mote_h2_error_text(&client.h2), text) == 0);
    }
}

/* A server of TLS says an alert of 7 bytes to plain text, and closes; a port that is for something
 * else closes at once. Behind the SETTINGS it is another thing. */
static void an_end_before_the_settings_is_called_that(void)
{
    static const char alert[] = "\x15\x03\x03\0\2\2\x46",
                      settings[18] = {[3] = 4, [12] = 4, [13] = 1};

    for (size_t len = 0; len < sizeof alert + sizeof settings; len++) {
        bool heard = len >= sizeof alert;
        connect();
        CHECK_INT(start_with(NULL, 0), 0);
        CHECK_INT(feed(heard ? settings : alert, heard ? len - sizeof alert + 1 : len), 0);
        mote_grpc_recv_eof(&client);
        feed(NULL, 0);
        CHECK_INT(code, MOTE_GRPC_UNAVAILABLE);
        CHECK_TEXT(strcmp(text, len - sizeof alert + 1 >= 9 && heard
                                    ? "the peer closed the transport"
                                    : "the peer closed the transport before its SETTINGS") == 0);
    }
}

/* ---- paths ------------------------------------------------------------------------------------
 */

static unsigned look_up_path(const mote_grpc_config *config, const char *path)
{
    const mote_grpc g = {.config = config};
    mote_h2_event ev = {.kind = MOTE_H2_KIND_PATH};

    ev.field.value = path;
    ev.field.value_len = strlen(path);
    return mote_grpc_classify(&g, &ev);
}

/* Tables of 0 to 9 methods, sorted or not: each is found, and nothing before, between or behind. */
static void each_method_of_a_table_is_found_and_nothing_else(void)
{
    static const char *const names[] = {"A", "AB", "B", "Ba", "Bc", "C", "a", "b", "\xc3\xa4"};
    static const char *const others[] = {"", "@", "AA", "ABC", "Bb", "Bd", "D", "ab", "\xff"};
    mote_grpc_method some[9] = {{.name = NULL}};
    mote_grpc_service service = {"s.S", some, 0, false};
    mote_grpc_config config = {.services = &service, .service_count = 1};
    unsigned nothing = MOTE_HAS_TEXTS ? FIELD_UNKNOWN_METHOD : FIELD_UNKNOWN_SERVICE;
    char path[16];

    for (size_t i = 0; i < 9; i++)
        some[i].name = names[i];
    for (size_t count = 0; count < 20; count++) {
        service.method_count = count / 2;
        service.sorted = count % 2 == 1;
        CHECK(mote_grpc_sorted(&config));
        for (size_t i = 0; i < 9; i++) {
            snprintf(path, sizeof path, "/s.S/%s", names[i]);
            CHECK_INT(look_up_path(&config, path), i < count / 2 ? FIELD_PATH + i : nothing);
            snprintf(path, sizeof path, "/s.S/%s", others[i]);
            CHECK_INT(look_up_path(&config, path), nothing);
        }
    }
}

/* What says that it is sorted and is not, or has a name twice, is seen by MOTE_CHECK. */
static void a_table_that_is_not_sorted_does_not_say_so(void)
{
    static const mote_grpc_method tables[][2] = {{{.name = "B"}, {.name = "A"}},
                                                 {{.name = "A"}, {.name = "A"}},
                                                 {{.name = "AB"}, {.name = "A"}},
                                                 {{.name = "\xc3"}, {.name = "z"}}};

    for (size_t i = 0; i < sizeof tables / sizeof tables[0]; i++) {
        mote_grpc_service table[] = {{"s.S", tables[i], 1, true}, {"s.T", tables[i], 2, false}};
        mote_grpc_config config = {.services = table, .service_count = 2};
        CHECK(mote_grpc_sorted(&config));
        table[1].sorted = true;
        CHECK(!mote_grpc_sorted(&config));
    }
}

int main(void)
{
    RUN(white_space_at_the_ends_of_a_value_is_no_part_of_it);
    RUN(white_space_at_the_ends_is_malformed_where_the_config_is_strict);
    RUN(nul_cr_and_lf_stay_malformed);
    RUN(media_types_are_compared_as_media_types);
    RUN(an_encoding_matters_when_a_message_has_it);
    RUN(long_fields_are_dropped_unless_they_are_needed);
    RUN(metadata_beyond_its_limit_is_told_with_it);
    RUN(a_cookie_with_each_response_costs_nothing);
    RUN(binary_values_come_alone_or_in_lists);
    RUN(an_answer_that_is_no_http_2_is_called_that);
    RUN(an_end_before_the_settings_is_called_that);
    RUN(each_method_of_a_table_is_found_and_nothing_else);
    RUN(a_table_that_is_not_sorted_does_not_say_so);
    return test_summary();
}
