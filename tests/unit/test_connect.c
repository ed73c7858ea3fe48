/* The Connect protocol over HTTP/2 (grpc/web/connect.h): unary calls by POST and GET in both
 * codecs, and what is refused. */
#include "connect_harness.h"

static void unary_calls_are_answered(void)
{
    static const talk talks[] = {
        POST("Once", JSON, "{\"text\":\"hello\"}",
             OK("application/json") "--\n{\"text\":\"hello\",\"count\":\"1\"}END"),
        POST("Once", TYPED("application/json; charset=utf-8"), " {\"count\": 7, \"no\": [1]}\n",
             OK("application/json") "--\n{\"count\":\"8\"}END"),
        POST("Once", TYPED("Application/JSON"), "{\"inner\":{\"names\":[\"a\",\"b\"]}}",
             OK("application/json") "--\n{\"count\":\"1\",\"inner\":{\"names\":[\"a\",\"b\"]}}END"),
        POST("Once", PROTO, "\012\005hello", OK("application/proto") "--\n" HELLO "END"),
        POST("Once", PROTO, "", OK("application/proto") "--\n\020\001END"),
        POST("Once", PROTO "connect-protocol-version: 1\nconnect-timeout-ms: 1000\n", "",
             OK("application/proto") "--\n\020\001END"),
        POST("Once", JSON "origin: https://a.example\n", "{}",
             OK("application/json") "access-control-allow-origin: https://a.example\n"
                                    "access-control-expose-headers: *\n--\n{\"count\":\"1\"}END"),
        POST("Once?connect=v2&message=zz", JSON, "{}",
             OK("application/json") "--\n{\"count\":\"1\"}END"),
        /* nothing at all is a message, and an answer */
        POST("Late", PROTO, "",
             OK("application/proto") "x-initial: one\ntrailer-x-why: because\n"
                                     "trailer-x-raw-bin: AAEC\n--\nEND"),
        POST("Late", PROTO, "\020\001",
             OK("application/proto") "x-initial: one\ntrailer-x-why: because\n"
                                     "trailer-x-raw-bin: AAEC\n--\n\020\001END"),
        POST("Late", JSON, "{}",
             OK("application/json") "x-initial: one\ntrailer-x-why: because\n"
                                    "trailer-x-raw-bin: AAEC\n--\n{}END"),
    };

    TALK_ALL(talks);
}

static void gets_are_answered(void)
{
    static const talk talks[] = {
        GET("Safe?connect=v1&encoding=json&message=%7B%22text%22%3A%22a+b%2Bc%22%7d", "",
            OK("application/json") "--\n{\"text\":\"a b+c\",\"count\":\"1\"}END"),
        GET("Safe?message={}&encoding=json", "", OK("application/json") "--\n{\"count\":\"1\"}END"),
        GET("Safe?message=e30&base64=1&encoding=json", "",
            OK("application/json") "--\n{\"count\":\"1\"}END"),
        GET("Safe?base64=1&encoding=proto&message=CgVoZWxsbw&connect=v1", "",
            OK("application/proto") "--\n" HELLO "END"),
        GET("Safe?base64=1&encoding=proto&message=CgVoZWxsbw%3D%3D", "",
            OK("application/proto") "--\n" HELLO "END"),
        GET("Safe?base64=1&encoding=proto&message=CgP7_-8", "", /* no UTF-8 */
            FAIL("500") "--\n{\"code\":\"internal\"" WHY("pb: a string is no valid UTF-8") "}END"),
        GET("Safe?encoding=proto&message=%0A%05hello", "",
            OK("application/proto") "--\n" HELLO "END"),
        GET("Safe?encoding=proto&message=", "", OK("application/proto") "--\n\020\001END"),
        GET("Late?encoding=proto&message=%10%01", "",
            OK("application/proto") "x-initial: one\ntrailer-x-why: because\n"
                                    "trailer-x-raw-bin: AAEC\n--\n\020\001END"),
    };

    TALK_ALL(talks);
}

static void calls_are_compressed(void)
{
    static const talk talks[] = {
        POST("Late", PROTO "content-encoding: flip\n", "\220\201",
             OK("application/proto") "x-initial: one\ntrailer-x-why: because\n"
                                     "trailer-x-raw-bin: AAEC\n--\n\020\001END"),
        POST("Late", PROTO ACCEPTS, "\020\001",
             OK("application/proto") "content-encoding: flip\nx-initial: one\n"
                                     "trailer-x-why: because\ntrailer-x-raw-bin: AAEC\n--\n"
                                     "\220\201END"),
        POST("Late", JSON "content-encoding: flip\n" ACCEPTS, "\373\375",
             OK("application/json") "x-initial: one\ntrailer-x-why: because\n"
                                    "trailer-x-raw-bin: AAEC\n--\n{}END"),
        POST("Once", PROTO "content-encoding: identity\n", "",
             OK("application/proto") "--\n\020\001END"),
        POST("Once", PROTO "content-encoding: flip\n", "", /* nothing is not compressed */
             OK("application/proto") "--\n\020\001END"),
        POST("Once", PROTO "connect-content-encoding: flip\n", "",
             OK("application/proto") "--\n\020\001END"),
        GET("Safe?encoding=json&message=%FB%FD&compression=flip", "",
            OK("application/json") "--\n{\"count\":\"1\"}END"),
        POST("Once", PROTO "content-encoding: br\n", "",
             FAIL("501") "accept-encoding: identity,flip\n--\n{\"code\":\"unimplemented\"" WHY(
                 "the encoding of the content is not supported") "}END"),
        GET("Safe?encoding=json&message={}&compression=br", "",
            FAIL("501") "accept-encoding: identity,flip\n--\n{\"code\":\"unimplemented\"" WHY(
                "the encoding of the content is not supported") "}END"),
        POST("Once", PROTO "content-encoding: flip\n", "!",
             FAIL("500") "--\n{\"code\":\"internal\"" WHY("compressed message is broken") "}END"),
        POST("Echo", TYPED("application/connect+proto") "connect-content-encoding: flip\n",
             "\1\0\0\0\2\220\201",
             OK("application/connect+proto") "connect-accept-encoding: identity,flip\n--\n"
                                             "\0\0\0\0\2\020\001\2\0\0\0\2{}END"),
        POST("Echo", STREAM "connect-content-encoding: flip\n", "\1\0\0\0\2\373\375\0\0\0\0\2{}",
             OK("application/connect+json") "connect-accept-encoding: identity,flip\n--\n"
                                            "\0\0\0\0\2{}\0\0\0\0\2{}\2\0\0\0\2{}END"),
    };

    codecs_used = &codecs;
    TALK_ALL(talks);
    codecs_used = NULL;
}

static void wrong_requests_are_refused(void)
{
#define INVALID(text) FAIL("400") "--\n{\"code\":\"invalid_argument\"" WHY(text) "}END"
    static const talk talks[] = {
        POST("Once", TYPED("application/xml"), "", NO_CALL("415") "--\nEND"),
        POST("Once", TYPED("application/jsons"), "", NO_CALL("415") "--\nEND"),
        POST("Once", TYPED("application/jsonproto"), "", NO_CALL("415") "--\nEND"),
        POST("Once", TYPED("application/connect"), "", NO_CALL("415") "--\nEND"),
        POST("Once", TYPED("application/connect+"), "", NO_CALL("415") "--\nEND"),
        POST("Once", TYPED("application/connect+text"), "", NO_CALL("415") "--\nEND"),
        POST("Once", TYPED("text/plain"), "{}", NO_CALL("415") "--\nEND"),
        POST("Once", "", "{}", NO_CALL("415") "--\nEND"),
        POST("Once", JSON JSON, "", NO_CALL("415") "--\nEND"),
        POST("Once", TYPED("application/grpc-web") JSON, "", NO_CALL("415") "--\nEND"),
        POST("Once", STREAM, "", NO_CALL("415") "--\nEND"),
        POST("Many", JSON, "{}", NO_CALL("415") "--\nEND"),
        POST("None", JSON, "{}", NO_CALL("404") "--\nEND"),
        GET("None", "", NO_CALL("404") "--\nEND"),
        GET("", "", NO_CALL("404") "--\nEND"),
        GET("Once?encoding=json&message={}", "", NO_CALL("405") "allow: POST\n--\nEND"),
        GET("Again?encoding=json&message={}", "", NO_CALL("405") "allow: POST\n--\nEND"),
        GET("Many?encoding=json&message={}", "", NO_CALL("405") "allow: GET, POST\n--\nEND"),
        GET("Safe?message={}", "", NO_CALL("415") "--\nEND"),
        GET("Safe?message={}&encoding=xml", "", NO_CALL("415") "--\nEND"),
        GET("Safe", "", NO_CALL("415") "--\nEND"),
        {"PUT", "/test.Web/Once", JSON, "", 0, NO_CALL("405") "allow: POST\n--\nEND", 44},
        {"PUT", "/test.Web/Safe", JSON, "", 0, NO_CALL("405") "allow: GET, POST\n--\nEND", 49},
        POST("Once", JSON "origin: https://b.example\n", "{}", NO_CALL("403") "--\nEND"),
        GET("Safe?encoding=json&message={}", "origin: https://b.example\n",
            NO_CALL("403") "--\nEND"),
        POST("Gone", JSON, "{}",
             FAIL("501") "--\n{\"code\":\"unimplemented\"" WHY(
                 "unknown method: /test.Web/Gone") "}END"),
        GET("Safe?connect=v2&encoding=json&message={}", "",
            INVALID("connect-protocol-version is not 1, or connect not v1")),
        POST("Once", JSON "connect-protocol-version: 2\n", "{}",
             INVALID("connect-protocol-version is not 1, or connect not v1")),
        GET("Safe?connect=v1&encoding=json", "", INVALID("the query has no message")),
        GET("Safe?encoding=json&message=%7", "", INVALID("the query has a % without two digits")),
        GET("Safe?encoding=json&message=%g0", "", INVALID("the query has a % without two digits")),
        GET("Safe?encoding=json&message=e30!&base64=1", "",
            INVALID("the message of the query is not base64")),
        POST("Once", JSON "connect-timeout-ms: -1\n", "{}",
             INVALID("connect-timeout-ms is not a number of up to 10 digits")),
        POST("Once", JSON "connect-timeout-ms: 12345678901\n", "{}",
             INVALID("connect-timeout-ms is not a number of up to 10 digits")),
        POST("Once", JSON "connect-timeout-ms: 5\nconnect-timeout-ms: 5\n", "{}",
             INVALID("connect-timeout-ms is not a number of up to 10 digits")),
        POST("Once", JSON "connect-timeout-ms: 0\n", "{}",
             FAIL("504") "--\n{\"code\":\"deadline_exceeded\"" WHY("deadline exceeded") "}END"),
        POST("Once", JSON, "", INVALID("json: the value is not of the type of its field")),
        POST("Once", JSON, "{", INVALID("json: the text is no JSON")),
        POST("Once", JSON, "{} {}", INVALID("json: the text is no JSON")),
        POST("Once", JSON, "[]", INVALID("json: the value is not of the type of its field")),
        POST("Once", JSON, "{\"text\":1}",
             INVALID("json: the value is not of the type of its field")),
        POST("Once", JSON, "{\"count\":1e30}",
             INVALID("json: a number or time is beyond what its field holds")),
        POST("Silent", JSON, "{}",
             FAIL("500") "--\n{\"code\":\"internal\"" WHY(
                 "the handler has sent no response") "}END"),
        POST("Once", PROTO, "\012\377",
             FAIL("500") "--\n{\"code\":\"internal\"" WHY(
                 "pb: the message ends inside of a field") "}"
                                                           "END"),
    };

    TALK_ALL(talks);
}

static void foreign_pages_reach_no_handler(void)
{
    handler_calls = 0;
    ask(&(web_request){.path = "/test.Web/Once",
                       .fields = JSON "origin: https://b.example\n",
                       .body = "{}",
                       .len = 2});
    ask(&(web_request){
        .path = "/test.Web/Once", .fields = TYPED("text/plain"), .body = "{}", .len = 2});
    CHECK_INT(handler_calls, 0);
    ask(&(web_request){.method = "OPTIONS",
                       .path = "/test.Web/Safe",
                       .fields = JSON "origin: https://a.example\n"
                                      "access-control-request-method: GET\n"});
    ANSWERS(":status: 204\nvary: origin\naccess-control-allow-origin: https://a.example\n"
            "access-control-allow-methods: GET, POST\n"
            "access-control-allow-headers: *, authorization\naccess-control-max-age: 7200\n--\n"
            "END");
}

static void sizes_end_where_they_should(void)
{
    char body[200], expected[300];

    for (size_t size = RX - 3; size <= RX + 3; size++) {
        memset(body, ' ', sizeof body);
        memcpy(body, "{}", 2);
        ask(&(web_request){.path = "/test.Web/Once", .fields = JSON, .body = body, .len = size});
        if (size <= RX)
            ANSWERS(OK("application/json") "--\n{\"count\":\"1\"}END");
        else
            ANSWERS(FAIL("429") "--\n{\"code\":\"resource_exhausted\"" WHY(
                "the request is larger than rx_size") "}END");
        snprintf(expected, sizeof expected, "/test.Web/Safe?encoding=json&message={}%.*s",
                 (int)size - 2,
                 "++++++++++++++++++++++++++++++++++++++++++++++++++++++++++++"
                 "++++++++++++++++++++++++++++++++++++++++++++++++++++");
        ask(&(web_request){.method = "GET", .path = expected, .fields = ""});
        if (size <= RX)
            ANSWERS(OK("application/json") "--\n{\"count\":\"1\"}END");
        else
            ANSWERS(FAIL("429") "--\n{\"code\":\"resource_exhausted\"" WHY(
                "the request is larger than rx_size") "}END");
    }
}

/* What is too large for memory ends the call, and says for which. */
static void memory_has_its_limits(void)
{
    static const char more[] = "[\"a\",\"b\",\"c\",\"d\",\"e\",\"f\",\"g\",\"h\",\"i\"]";
    uint8_t request[140];
    char body[100];
    int len = snprintf(body, sizeof body, "{\"names\":%s}", more);

    scratch_used = 64 * sizeof(void *); /* half for 9 views, and the struct that they belong to */
    ask(&(web_request){.path = "/test.Web/Once", .fields = JSON, .body = body, .len = (size_t)len});
    ANSWERS(FAIL("429") "--\n{\"code\":\"resource_exhausted\"" WHY(
        "JSON of the request is larger than half of the scratch") "}END");
    scratch_used = 192; /* 96 for the struct and 67 bytes, and too little for a text of the error */
    len = snprintf(body, sizeof body, "{\"text\":\"%065d\"}", 0);
    ask(&(web_request){.path = "/test.Web/Once", .fields = JSON, .body = body, .len = (size_t)len});
    ANSWERS(FAIL("429") "--\n{\"code\":\"resource_exhausted\"}END");
    scratch_used = sizeof scratch;
    memset(body, ' ', sizeof body);
    size_t size = frame(request, 0, body, sizeof body);
    ask(&(web_request){.path = "/test.Web/Write", .fields = STREAM, .body = request, .len = size});
    ANSWERS(OK(
        "application/connect+json") "--\n"
                                    "\2\0\0\0" WHY_LENGTH
                                    "{\"error\":{\"code\":\"resource_exhausted\"" WHY(
                                        "a message in JSON is larger than rx_size") "}}ENDRESET 0");
    ask(&(web_request){.path = "/test.Plain/Once", .fields = JSON, .body = "{}", .len = 2});
    ANSWERS(FAIL("501") "--\n{\"code\":\"unimplemented\"" WHY(
        "the method is in no table of Connect") "}END");
}

/* What is of the protocol is no metadata. */
static void handlers_see_metadata_alone(void)
{
    memset(names_told, 0, sizeof names_told);
    ask_once(&(web_request){.path = "/test.Web/Once",
                            .fields = "x-first: 1\n" PROTO
                                      "connect-timeout-ms: 1000\nconnect-protocol-version: 1\n"
                                      "content-encoding: identity\nconnect-content-encoding: a\n"
                                      "accept-encoding: gzip\nconnect-accept-encoding: gzip\n"
                                      "accept: */*\nx-last: 1\n"},
             0);
    CHECK(strcmp(names_told, "x-first accept x-last ") == 0);
    ANSWERS(OK("application/proto") "--\n\020\001END");
}

/* gRPC and gRPC-Web with messages in JSON. */
static void json_is_for_the_others_too(void)
{
#define GRPC_OK ":status: 200\ncontent-type: application/grpc+json\nvary: origin\n"
#define WEB_OK  ":status: 200\ncontent-type: application/grpc-web+json\nvary: origin\n"
    static const talk talks[] = {
        POST("Once", TYPED("application/grpc+json"), "\0\0\0\0\2{}",
             GRPC_OK "--\n\0\0\0\0\015{\"count\":\"1\"}grpc-status: 0\n--\nEND"),
        POST("Late", TYPED("application/grpc+json"), "\0\0\0\0\2{}",
             GRPC_OK "x-initial: one\n--\n\0\0\0\0\2{}"
                     "grpc-status: 0\nx-why: because\nx-raw-bin: AAEC\n--\nEND"),
        POST("Echo", TYPED("application/grpc+json; charset=utf-8"), "\0\0\0\0\2{}\0\0\0\0\2{}",
             GRPC_OK "--\n\0\0\0\0\2{}\0\0\0\0\2{}grpc-status: 0\n--\nEND"),
        POST("Once", TYPED("application/grpc-web+json"), "\0\0\0\0\2{}",
             WEB_OK "--\n\0\0\0\0\015{\"count\":\"1\"}\x80\0\0\0\x0fgrpc-status:0\r\nEND"),
        POST("Once", TYPED("application/grpc-web+json") "origin: https://a.example\n",
             "\0\0\0\0\2{}",
             WEB_OK "access-control-allow-origin: https://a.example\n"
                    "access-control-expose-headers: *\n--\n\0\0\0\0\015{\"count\":\"1\"}"
                    "\x80\0\0\0\x0fgrpc-status:0\r\nEND"),
        POST("Once", TYPED("application/grpc+json") "origin: https://b.example\n", "\0\0\0\0\2{}",
             NO_CALL("403") "--\nEND"),
    };
    static const talk refused[] = {
        POST("Deny", TYPED("application/grpc+json"), "\0\0\0\0\013{\"count\":2}",
             GRPC_OK "x-initial: one\n--\ngrpc-status: 2\n--\nEND"),
        POST("Deny", TYPED("application/grpc-web+json"), "\0\0\0\0\013{\"count\":2}",
             WEB_OK "x-initial: one\n--\n\x80\0\0\0\x0fgrpc-status:2\r\nEND"),
    };

    TALK_ALL(talks);
    TALK_ALL(refused);
    ask(&(web_request){.path = "/test.Web/Once",
                       .fields = TYPED("application/grpc+json"),
                       .body = "\0\0\0\0\1{",
                       .len = 6});
    CHECK(strncmp(answer, GRPC_OK "grpc-status: 3\n", sizeof GRPC_OK + 14) == 0);
    CHECK_TEXT(strstr(answer, "grpc-message: json: the text is no JSON\n"));
    ask(&(web_request){
        .path = "/test.Web/None", .fields = TYPED("application/grpc+json"), .open = true});
    CHECK(strncmp(answer, GRPC_OK "grpc-status: 12\n", sizeof GRPC_OK + 15) == 0);
}

static void others_are_served_beside_it(void)
{
    ask(&(web_request){.path = "/test.Web/Once",
                       .fields = TYPED("application/grpc-web") ACCEPTS,
                       .body = "\0\0\0\0\0",
                       .len = 5});
    ANSWERS(
        OK("application/grpc-web+proto") "--\n"
                                         "\0\0\0\0\2\020\001\x80\0\0\0\x0fgrpc-status:0\r\nEND");
    ask(&(web_request){.path = "/test.Web/Once",
                       .fields = TYPED("application/grpc-web-text"),
                       .body = "AAAAAAA=",
                       .len = 8});
    ANSWERS(OK("application/grpc-web-text+proto") "--\n"
                                                  "AAAAAAIQAQ==gAAAAA9ncnBjLXN0YXR1czowDQo=END");
    ask(&(web_request){.path = "/test.Web/Once",
                       .fields = TYPED("application/grpc"),
                       .body = "\0\0\0\0\0",
                       .len = 5});
    ANSWERS(":status: 200\ncontent-type: application/grpc\n--\n"
            "\0\0\0\0\2\020\001grpc-status: 0\n--\nEND");
}

/* A deadline that passes while the response waits for a window: it is not mixed with an error. */
static void late_end_of_a_response_is_a_reset(void)
{
    browser_window = 1;
    seed = answer_len = 0;
    connect_browser();
    send_body(begin(&(web_request){
                  .path = "/test.Web/Late", .fields = PROTO "connect-timeout-ms: 50\n", .len = 2}),
              &(web_request){.body = "\020\001", .len = 2});
    while (browser_to_server() || resume())
        ;
    mote_grpc_tick(&server, 2000);
    mote_grpc_serve(&server, NULL, 0);
    settle();
    note("", 1);
    ANSWERS(OK("application/proto") "x-initial: one\ntrailer-x-why: because\n"
                                    "trailer-x-raw-bin: AAEC\n--\n\020RESET 2");
    browser_window = 65535;
}

static void small_windows_lose_nothing(void)
{
    static const uint32_t windows[] = {1, 2, 3, 5, 7, 8, 30, 1000};

    for (size_t i = 0; i < sizeof windows / sizeof *windows; i++) {
        browser_window = windows[i];
        unary_calls_are_answered();
        gets_are_answered();
    }
    browser_window = 65535;
}

int main(void)
{
    RUN(unary_calls_are_answered);
    RUN(gets_are_answered);
    if (MOTE_COMPRESSES)
        RUN(calls_are_compressed);
    RUN(wrong_requests_are_refused);
    RUN(foreign_pages_reach_no_handler);
    RUN(sizes_end_where_they_should);
    RUN(memory_has_its_limits);
    RUN(handlers_see_metadata_alone);
    RUN(json_is_for_the_others_too);
    RUN(others_are_served_beside_it);
    RUN(late_end_of_a_response_is_a_reset);
    RUN(small_windows_lose_nothing);
    return test_summary();
}
