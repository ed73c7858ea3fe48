/* Which pages may call by gRPC-Web: their origins, and what asks beforehand. */
#include "web_answers.h"

static void origins_of_the_list_alone_are_served(void)
{
#define ORIGIN(o) "origin: " o "\n"
    static const struct {
        const char *fields, *expected;
    } cases[] = {
        {TYPED ORIGIN("https://a.example"),
         ":status: 200\n" TYPE_WEB "vary: origin\naccess-control-allow-origin: https://a.example\n"
         "access-control-expose-headers: *\n--\n"},
        {ORIGIN("http://localhost:8080") TYPED,
         ":status: 200\n" TYPE_WEB
         "vary: origin\naccess-control-allow-origin: http://localhost:8080\n"
         "access-control-expose-headers: *\n--\n"},
        {TYPED ORIGIN("https://b.example"), ":status: 403\nvary: origin\n--\nEND"},
        {TYPED ORIGIN("https://a.example:444"), ":status: 403\nvary: origin\n--\nEND"},
        {TYPED ORIGIN("https://a.exampl"), ":status: 403\nvary: origin\n--\nEND"},
        {TYPED ORIGIN("HTTPS://a.example"), ":status: 403\nvary: origin\n--\nEND"},
        {TYPED ORIGIN("null"), ":status: 403\nvary: origin\n--\nEND"},
        {TYPED ORIGIN("*"), ":status: 403\nvary: origin\n--\nEND"},
        {ORIGIN("https://b.example") TYPED, ":status: 403\nvary: origin\n--\nEND"},
        {TYPED "origin: \n", ":status: 403\nvary: origin\n--\nEND"},
        {TYPED ORIGIN("https://a.example") ORIGIN("https://a.example"),
         ":status: 403\nvary: origin\n--\nEND"},
        {"content-type: text/plain\n" ORIGIN("https://a.example"),
         ":status: 415\nvary: origin\naccess-control-allow-origin: https://a.example\n"
         "access-control-expose-headers: *\n--\nEND"},
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        handler_calls = 0;
        ask_hello(cases[i].fields);
        CHECK(strncmp(answer, cases[i].expected, strlen(cases[i].expected)) == 0);
        if (strstr(cases[i].expected, "403"))
            CHECK_INT(handler_calls, 0);
    }
}

static void preflight_is_answered_before_a_handler_hears_of_it(void)
{
#define ASKS "access-control-request-method: POST\naccess-control-request-headers: x-grpc-web\n"
    static const struct {
        const char *fields, *expected;
    } cases[] = {
        {ORIGIN("https://a.example") ASKS,
         ":status: 204\nvary: origin\naccess-control-allow-origin: https://a.example\n"
         "access-control-allow-methods: POST\naccess-control-allow-headers: *, authorization\n"
         "access-control-max-age: 7200\n--\nEND"},
        {ASKS ORIGIN("https://a.example"),
         ":status: 204\nvary: origin\naccess-control-allow-origin: https://a.example\n"
         "access-control-allow-methods: POST\naccess-control-allow-headers: *, authorization\n"
         "access-control-max-age: 7200\n--\nEND"},
        {ORIGIN("https://b.example") ASKS, ":status: 403\nvary: origin\n--\nEND"},
        {ASKS, ":status: 403\nvary: origin\n--\nEND"},
        {"x-other: 1\n", ":status: 405\nvary: origin\n--\nEND"},
        {ORIGIN("https://b.example"), ":status: 403\nvary: origin\n--\nEND"},
    };

    handler_calls = 0;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        ask(&(web_request){.method = "OPTIONS", .fields = cases[i].fields});
        CHECK(answers(cases[i].expected, strlen(cases[i].expected)));
    }
    CHECK_INT(handler_calls, 0);
}

static void list_may_name_headers_and_every_origin(void)
{
    static const char *const every[] = {"*"};
    const web_request preflight = {.method = "OPTIONS", .fields = ORIGIN("null") ASKS};

    seed = answer_len = 0;
    connect_browser();
    web_config = (mote_web_config){.origins = every,
                                   .origin_count = 1,
                                   .request_headers = "x-grpc-web,x-user-agent",
                                   .response_headers = "x-why"};
    begin(&preflight);
    settle();
    note("", 1);
    ANSWERS(":status: 204\nvary: origin\naccess-control-allow-origin: *\n"
            "access-control-allow-methods: POST\n"
            "access-control-allow-headers: x-grpc-web,x-user-agent\n"
            "access-control-max-age: 7200\n--\nEND");
    answer_len = 0;
    begin(&(web_request){.method = "GET", .fields = ORIGIN("null")});
    settle();
    note("", 1);
    ANSWERS(":status: 405\nvary: origin\naccess-control-allow-origin: *\n"
            "access-control-expose-headers: x-why\n--\nEND");
}

/* A page that was served from a name which now leads here is of the same origin to its browser: it
 * is asked for no preflight, may say what it likes, and reads what comes. */
static void a_page_of_a_foreign_name_gets_nothing_whatever_it_asks(void)
{
    static const char *const methods[] = {"POST", "GET", "PUT", "HEAD", "OPTIONS", "DELETE", "X"};
    static const char *const types[] = {
        "",
        "content-type: application/grpc-web+proto\n",
        "content-type: application/grpc-web-text\n",
        "content-type: application/grpc\n",
        "content-type: application/grpc+proto\n",
        "content-type: application/grpc; charset=utf-8\n",
        "content-type: application/grpc+json\n",
        "content-type: application/json\n",
        "content-type: text/plain\n",
    };
    static const char *const origins[] = {
        "https://b.example",      "null",
        "https://a.example.",     "https://a.example:443",
        "http://a.example",       "https://A.example",
        "https://a.example/",     "https://a.example, https://a.example",
        "https://x@a.example",    "https://a.example.b.example",
        "https://sub.a.example",  "*",
        "https://b.example a",    "file://",
        "http://localhost:80800", "http://localhost"};
    char fields[256];

    handler_calls = 0;
    for (size_t m = 0; m < sizeof methods / sizeof *methods; m++) {
        for (size_t t = 0; t < sizeof types / sizeof *types; t++) {
            for (size_t o = 0; o < sizeof origins / sizeof *origins; o++) {
                snprintf(fields, sizeof fields, "%sorigin: %s\n", types[t], origins[o]);
                ask_once(&(web_request){.method = methods[m], .fields = fields}, 0);
                CHECK_TEXT(strcmp(answer, ":status: 403\nvary: origin\n--\nEND") == 0);
            }
        }
    }
    CHECK_INT(handler_calls, 0);
}

int main(void)
{
    RUN(origins_of_the_list_alone_are_served);
    RUN(preflight_is_answered_before_a_handler_hears_of_it);
    RUN(list_may_name_headers_and_every_origin);
    RUN(a_page_of_a_foreign_name_gets_nothing_whatever_it_asks);
    return test_summary();
}
