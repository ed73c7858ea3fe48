/* A server's own page (grpc/web/page.h): its files, the door behind, and by which host it is asked.
 */
#define TX 512 /* for the fields of a file */
#include "connect_harness.h"
#include "../../grpc/web/page.h"

enum { LONG = 5000 };

static char long_text[LONG]; /* larger than what the server can hold of it */
static const mote_page_file files[] = {{"/", "text/html; charset=utf-8", "<p>hello", 8},
                                       {"/app.js", "text/javascript", "let a;", 6},
                                       {"/long", "text/plain", long_text, LONG}};
static mote_page page = {.ways = &mote_connect_ways, .files = files, .file_count = 3};
static const char *const device_host[] = {"other:80", "device"};
static const char *const other_host[] = {"other:80", "devic", "device:443"};
static mote_web_config pages = {.origins = origins, .origin_count = 2, .page = &page};
static const mote_grpc_door before_connect = MOTE_PAGE_DOOR(&mote_connect, &connect_config);
static const mote_grpc_door before_web = MOTE_PAGE_DOOR(&mote_web, &connect_config);

#define FILE_OF(type)                                                                              \
    ":status: 200\ncontent-type: " type "\ncontent-security-policy: default-src 'self'; "          \
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'\ncache-control: no-cache\n"       \
    "x-content-type-options: nosniff\nreferrer-policy: no-referrer\nvary: origin\n"
#define ASK(verb, path, fields, expected)                                                          \
    {                                                                                              \
        verb, path, fields, "", 0, expected, sizeof(expected) - 1                                  \
    }
#define HTML FILE_OF("text/html; charset=utf-8") "--\n<p>helloEND"

static void files_are_served_before_each_door(void)
{
    static const talk talks[] = {
        ASK("GET", "/", "", HTML),
        ASK("GET", "/?", "", HTML),
        ASK("GET", "/?a=/app.js", "accept: text/html\ncookie: a=b\n", HTML),
        ASK("GET", "/app.js", "", FILE_OF("text/javascript") "--\nlet a;END"),
        ASK("GET", "/", "content-type: text/plain\n", HTML),
        ASK("GET", "/", "origin: https://a.example\n",
            FILE_OF("text/html; charset=utf-8") "access-control-allow-origin: https://a.example\n"
                                                "access-control-expose-headers: *\n--\n"
                                                "<p>helloEND"),
        ASK("GET", "/", "origin: https://b.example\n", NO_CALL("403") "--\nEND"),
        ASK("POST", "/", "", NO_CALL("415") "--\nEND"),
        ASK("POST", "/app.js", TYPED("text/plain"), NO_CALL("415") "--\nEND"),
    };
    const mote_grpc_door *const doors[] = {&before_connect, &before_web};

    for (size_t i = 0; i < 2; i++) {
        door_used = doors[i];
        page.ways = i == 0 ? &mote_connect_ways : &mote_grpc_door_engine;
        TALK_ALL(talks);
    }
    door_used = &before_connect;
    page.ways = &mote_connect_ways;
}

static void all_else_is_of_the_door_behind(void)
{
    static const talk talks[] = {
        ASK("GET", "/app.j", "", NO_CALL("404") "--\nEND"),
        ASK("GET", "/app.jss", "", NO_CALL("404") "--\nEND"),
        ASK("GET", "//", "", NO_CALL("404") "--\nEND"),
        ASK("HEAD", "/", "", NO_CALL("405") "allow: POST\n--\nEND"),
        POST("Once", JSON, "{\"text\":\"hello\"}",
             OK("application/json") "--\n{\"text\":\"hello\",\"count\":\"1\"}END"),
        POST("Late", PROTO, "\020\001",
             OK("application/proto") "x-initial: one\ntrailer-x-why: because\n"
                                     "trailer-x-raw-bin: AAEC\n--\n\020\001END"),
        POST("Many", STREAM, "\0\0\0\0\2{}",
             OK("application/connect+json") "--\n\2\0\0\0\"{\"metadata\":{\"x-why\":"
                                            "[\"because\"]}}END"),
        GET("Safe?message={}&encoding=json", "", OK("application/json") "--\n{\"count\":\"1\"}END"),
    };

    TALK_ALL(talks);
    ask(&(web_request){.path = "/test.Web/Echo",
                       .fields = TYPED("application/grpc-web-text"),
                       .body = "AAAAAAA=",
                       .len = 8});
    ANSWERS(OK("application/grpc-web-text+proto") "--\nAAAAAAA=gAAAAA9ncnBjLXN0YXR1czowDQo=END");
}

/* A page that was made to lead here asks its own host, and says no origin in a GET. */
static void other_hosts_are_foreign(void)
{
    static const talk talks[] = {
        ASK("GET", "/", "", NO_CALL("403") "--\nEND"),
        GET("Safe?message={}&encoding=json", "", NO_CALL("403") "--\nEND"),
        GET("Safe?message={}&encoding=json", "origin: https://a.example\n",
            NO_CALL("403") "--\nEND"),
        POST("Once", JSON, "{}", NO_CALL("403") "--\nEND"),
        POST("Once", TYPED("application/grpc"), "\0\0\0\0\0", NO_CALL("403") "--\nEND"),
        POST("Once", TYPED("application/grpc-web"), "\0\0\0\0\0", NO_CALL("403") "--\nEND"),
        {"OPTIONS", "/test.Web/Once",
         "origin: https://a.example\naccess-control-request-method: POST\n", "", 0,
         NO_CALL("403") "--\nEND", sizeof(NO_CALL("403") "--\nEND") - 1},
    };
    static const talk right[] = {
        ASK("GET", "/", "", HTML),
        POST("Once", JSON, "{}", OK("application/json") "--\n{\"count\":\"1\"}END"),
    };

    pages.hosts = other_host;
    pages.host_count = 3;
    handler_calls = 0;
    TALK_ALL(talks);
    CHECK_INT(handler_calls, 0);
    pages.hosts = device_host;
    pages.host_count = 2;
    TALK_ALL(right);
    pages.host_count = 0;
}

static void small_windows_and_buffers_lose_nothing(void)
{
    static const char head[] = FILE_OF("text/plain") "--\n";
    static const uint32_t windows[] = {1, 7, 100, 65535};

    for (size_t i = 0; i < LONG; i++)
        long_text[i] = (char)('a' + i % 23);
    for (size_t i = 0; i < sizeof windows / sizeof *windows; i++) {
        browser_window = windows[i];
        ask(&(web_request){.method = "GET", .path = "/long", .fields = ""});
        CHECK_INT(answer_len, sizeof head - 1 + LONG + 4);
        CHECK(memcmp(answer, head, sizeof head - 1) == 0);
        CHECK(memcmp(answer + sizeof head - 1, long_text, LONG) == 0);
        CHECK(strcmp(answer + sizeof head - 1 + LONG, "END") == 0);
    }
    browser_window = 65535;
}

static void policy_may_be_another(void)
{
    page.policy = "default-src 'none'";
    ask(&(web_request){.method = "GET", .path = "/app.js", .fields = ""});
    ANSWERS(":status: 200\ncontent-type: text/javascript\n"
            "content-security-policy: default-src 'none'\ncache-control: no-cache\n"
            "x-content-type-options: nosniff\nreferrer-policy: no-referrer\nvary: origin\n--\n"
            "let a;END");
    page.policy = NULL;
}

int main(void)
{
    door_used = &before_connect;
    pages_used = &pages;
    RUN(files_are_served_before_each_door);
    RUN(all_else_is_of_the_door_behind);
    RUN(other_hosts_are_foreign);
    RUN(small_windows_and_buffers_lose_nothing);
    RUN(policy_may_be_another);
    return test_summary();
}
