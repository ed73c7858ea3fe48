/* The Connect protocol over HTTP/2 (grpc/web/connect.h): errors, streams and events. */
#include "connect_harness.h"

static void errors_have_their_status(void)
{
    static const struct {
        const char *status, *name;
    } codes[] = {
        {"200", NULL},
        {"499", "canceled"},
        {"500", "unknown"},
        {"400", "invalid_argument"},
        {"504", "deadline_exceeded"},
        {"404", "not_found"},
        {"409", "already_exists"},
        {"403", "permission_denied"},
        {"429", "resource_exhausted"},
        {"400", "failed_precondition"},
        {"409", "aborted"},
        {"400", "out_of_range"},
        {"501", "unimplemented"},
        {"500", "internal"},
        {"503", "unavailable"},
        {"500", "data_loss"},
        {"401", "unauthenticated"},
    };
    char body[32], expected[800];

    for (int code = 1; code < 16; code++) {
        int len = snprintf(body, sizeof body, "{\"count\":%d}", code);
        ask(&(web_request){
            .path = "/test.Web/Refuse", .fields = JSON, .body = body, .len = (size_t)len});
        len = snprintf(expected, sizeof expected,
                       ":status: %s\ncontent-type: application/json\nvary: origin\n"
                       "x-initial: one\n--\n{\"code\":\"%s\"%s}END",
                       codes[code].status, codes[code].name,
                       code == MOTE_GRPC_NOT_FOUND ? ",\"message\":\"b??z\"" : "");
        CHECK(answers(expected, (size_t)len));
        uint8_t request[40];
        ask(&(web_request){.path = "/test.Web/Deny",
                           .fields = STREAM,
                           .body = request,
                           .len = frame(request, 0, body, strlen(body))});
        len =
            snprintf(expected, sizeof expected, "{\"error\":{\"code\":\"%s\"%s}}END",
                     codes[code].name, code == MOTE_GRPC_NOT_FOUND ? ",\"message\":\"b??z\"" : "");
        CHECK(strcmp(answer + answer_len - 1 - len, expected) == 0);
        CHECK(strncmp(answer, OK("application/connect+json"), 50) == 0);
    }
}

#define DETAIL "{\"type\":\"test.Hello\",\"value\":\"CgF4\"}"
#define DETAIL "{\"type\":\"test.Hello\",\"value\":\"CgF4\"}"
#define ERROR                                                                                      \
    "{\"code\":\"unauthenticated\",\"message\":\" \\\"100%\\\"\\\\ \xe2\x82\xac\\u001f \","        \
    "\"details\":[" DETAIL "," DETAIL "]}"

static void errors_have_details_and_metadata(void)
{
    static const talk talks[] = {
        POST("Refuse", PROTO, "\020\020",
             FAIL("401") "x-initial: one\ntrailer-x-why: because\ntrailer-x-other: 2\n"
                         "trailer-x-why: again\n--\n" ERROR "END"),
        POST("Refuse", JSON, "{\"count\":16}",
             FAIL("401") "x-initial: one\ntrailer-x-why: because\ntrailer-x-other: 2\n"
                         "trailer-x-why: again\n--\n" ERROR "END"),
        POST("Deny", STREAM, "\0\0\0\0\014{\"count\":16}",
             OK("application/connect+json") "x-initial: one\n--\n\2\0\0\0\326{\"error\":" ERROR
                                            ",\"metadata\":{\"x-why\":[\"because\",\"again\"],"
                                            "\"x-other\":[\"2\"]}}END"),
    };

    TALK_ALL(talks);
}

static void a_response_without_bytes_is_an_error(void)
{
#define NO_BYTES "{\"code\":\"internal\"" WHY("grpc: buffer too small for the decoded value") "}"
    static const talk talks[] = {
        POST("Refuse", PROTO, "\020\021", FAIL("500") "x-initial: one\n--\n" NO_BYTES "END"),
        POST("Refuse", JSON, "{\"count\":17}", FAIL("500") "x-initial: one\n--\n" NO_BYTES "END"),
    };

    TALK_ALL(talks);
}

static void streams_are_answered(void)
{
#define JSON_HEAD  OK("application/connect+json") "--\n"
#define PROTO_HEAD OK("application/connect+proto") "--\n"
    static const talk talks[] = {
        POST("Many", STREAM, "\0\0\0\0\013{\"count\":2}",
             JSON_HEAD "\0\0\0\0\024{\"text\":\"a message\"}"
                       "\0\0\0\0\040{\"text\":\"a message\",\"count\":\"1\"}"
                       "\2\0\0\0\042{\"metadata\":{\"x-why\":[\"because\"]}}END"),
        POST("Many", TYPED("application/connect+proto"), "\0\0\0\0\2\020\1",
             PROTO_HEAD "\0\0\0\0\013\012\011a message"
                        "\2\0\0\0\042{\"metadata\":{\"x-why\":[\"because\"]}}END"),
        POST("Many", STREAM, "\0\0\0\0\2{}",
             JSON_HEAD "\2\0\0\0\042{\"metadata\":{\"x-why\":[\"because\"]}}END"),
        POST("Echo", STREAM, "\0\0\0\0\2{}\0\0\0\0\013{\"count\":2}",
             JSON_HEAD "\0\0\0\0\2{}\0\0\0\0\015{\"count\":\"2\"}\2\0\0\0\2{}END"),
        POST("Echo", STREAM, "", JSON_HEAD "\2\0\0\0\2{}END"),
        POST("Echo", TYPED("application/connect+proto"), "\0\0\0\0\0",
             PROTO_HEAD "\0\0\0\0\0\2\0\0\0\2{}END"),
    };

    TALK_ALL(talks);
}

/* Messages before a fault are answered; the end says what it was. */
static void broken_streams_end_with_an_error(void)
{
    static const struct {
        const char *body;
        size_t len;
        const char *code, *text;
    } cases[] = {
        {"\0\0\0\0\2{}\0\0\0\0\1{", 13, "invalid_argument", "json: the text is no JSON"},
        {"\0\0\0\0\2{}\0\0\0\0\0", 12, "invalid_argument",
         "json: the value is not of the type of its field"},
        {"\0\0\0\0\2{}\0\0\0\0\2{", 13, "internal", "the stream ended inside of a message"},
        {"\0\0\0\0\2{}\2\0\0\0\2{}", 14, "internal",
         "the flag before a message is neither 0 nor 1"},
        {"\0\0\0\0\2{}\1\0\0\0\2{}", 14, "internal", "compressed message without a grpc-encoding"},
        {"\0\0\0\0\2{}\0\0\0\1\0{}", 14, "resource_exhausted",
         "message of 261 bytes with its prefix is larger than rx_size 80 of the server"},
    };
    char end[200];

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        ask(&(web_request){.path = "/test.Web/Echo",
                           .fields = STREAM,
                           .body = cases[i].body,
                           .len = cases[i].len});
        CHECK(strstr(answer, "--\n") &&
              memcmp(strstr(answer, "--\n") + 3, "\0\0\0\0\2{}\2", 8) == 0);
        snprintf(end, sizeof end, "{\"error\":{\"code\":\"%s\"", cases[i].code);
        CHECK(memcmp(strstr(answer, "--\n") + 15, end, strlen(end)) == 0);
        snprintf(end, sizeof end, ",\"message\":\"%s\"}}END", cases[i].text);
        CHECK_TEXT(strcmp(answer + answer_len - 1 - strlen(end), end) == 0);
    }
}

static void events_are_sent(void)
{
#define EVENTS   "accept: text/event-stream\n"
#define EVENT_OK OK("text/event-stream") "cache-control: no-cache\n--\n"
#define LAST     "event: end\ndata: {\"metadata\":{\"x-why\":[\"because\"]}}\n\nEND"
    static const talk talks[] = {
        GET("Many?connect=v1&encoding=json&message={%22count%22:2}", EVENTS,
            EVENT_OK "data: {\"text\":\"a message\"}\n\n"
                     "data: {\"text\":\"a message\",\"count\":\"1\"}\n\n" LAST),
        GET("Many?message={%22count%22:1}", EVENTS "origin: https://a.example\n",
            OK("text/event-stream") "access-control-allow-origin: https://a.example\n"
                                    "access-control-expose-headers: *\ncache-control: "
                                    "no-cache\n--\n"
                                    "data: {\"text\":\"a message\"}\n\n" LAST),
        GET("Many", EVENTS, EVENT_OK LAST),
        GET("Many?message={", EVENTS,
            EVENT_OK "event: end\ndata: {\"error\":{\"code\":\"invalid_argument\"" WHY(
                "json: the text is no JSON") "}}\n\nEND"),
        GET("Many?encoding=proto&message=", EVENTS, NO_CALL("415") "--\nEND"),
        GET("Write?message={}", EVENTS, NO_CALL("405") "allow: POST\n--\nEND"),
        GET("Safe?encoding=json&message={}", EVENTS,
            OK("application/json") "--\n{\"count\":\"1\"}END"),
    };

    TALK_ALL(talks);
}

/* As many unary calls at a time as there are places; streams need none. */
static void call_json(const char *path, const char *fields, const char *body, size_t len)
{
    const web_request request = {.path = path, .fields = fields, .body = body, .len = len};

    answer_len = 0;
    send_body(begin(&request), &request);
    settle();
    note("", 1);
}

static void places_are_taken_and_left(void)
{
    const web_request waits_open = {.path = "/test.Web/Once", .fields = JSON, .open = true};
    const web_request waits_whole = {
        .path = "/test.Web/Again", .fields = JSON, .body = "{}", .len = 2};
    mote_h2_stream *streams[PLACES], *open;

    seed = 0;
    connect_browser();
    for (int round = 0; round < 3; round++) {
        open = begin(&waits_open); /* a request that is not whole has none */
        for (size_t i = 0; i < PLACES; i++) {
            streams[i] = begin(&waits_whole);
            send_body(streams[i], &waits_whole);
            settle();
        }
        call_json("/test.Web/Once", JSON, "{}", 2);
        ANSWERS(FAIL("503") "--\n{\"code\":\"unavailable\"" WHY(
            "too many unary calls of Connect at a time") "}END");
        call_json("/test.Web/Refuse", JSON, "{}", 2); /* it sends headers before */
        ANSWERS(FAIL("429") "--\n{\"code\":\"resource_exhausted\"" WHY(
            "grpc: the message is larger than send_limit") "}END");
        call_json("/test.Web/Echo", STREAM, "\0\0\0\0\2{}", 7);
        ANSWERS(JSON_HEAD "\0\0\0\0\2{}\2\0\0\0\2{}END");
        mote_h2_reset(&browser, streams[0], MOTE_H2_CANCEL); /* the peer goes: a place is free */
        settle();
        call_json("/test.Web/Once", JSON, "{}", 2);
        ANSWERS(OK("application/json") "--\n{\"count\":\"1\"}END");
        mote_h2_reset(&browser, streams[1], MOTE_H2_CANCEL);
        mote_h2_reset(&browser, open, MOTE_H2_CANCEL);
        settle();
    }
    for (size_t i = 0; i < PLACES; i++)
        send_body(begin(&waits_whole), &waits_whole);
    settle();
    mote_grpc_recv_eof(&server);
    mote_grpc_serve(&server, NULL, 0);
    for (size_t i = 0; i < PLACES; i++)
        CHECK_INT(*(uint32_t *)(void *)places[i], 0);
}

/* Windows of a browser that takes a few bytes at a time: content comes in small parts, all of it.
 */
static void small_windows_lose_nothing(void)
{
    static const uint32_t windows[] = {1, 2, 3, 5, 7, 8, 30, 1000};

    for (size_t i = 0; i < sizeof windows / sizeof *windows; i++) {
        browser_window = windows[i];
        streams_are_answered();
        events_are_sent();
        errors_have_details_and_metadata();
    }
    browser_window = 65535;
}

/* A wake costs what it sends: a message in JSON waits in its place for the rest of its windows.
 * While others have all places it leaves in eighths, and who opens its window by bytes waits. */
static void a_message_in_json_is_translated_once(void)
{
    static const struct {
        uint32_t window;
        bool full; /* no place is left */
        unsigned most;
        bool answered;
    } cases[] = {{1, false, 1, true},    {7, false, 1, true},   {30, false, 1, true},
                 {1000, false, 1, true}, {1000, true, 1, true}, {20, true, 9, true},
                 {1, true, 2, false}};
    static const char hello[] =
        "\0\0\0\0\106{\"text\":\"01234567890123456789012345678901234567890123456789"
        "012345678\"}";
    const web_request waits_whole = {
        .path = "/test.Web/Again", .fields = JSON, .body = "{}", .len = 2};

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        for (int way = 0; way < 2; way++) {
            browser_window = cases[i].window;
            seed = 0;
            connect_browser();
            for (size_t k = 0; cases[i].full && k < PLACES; k++) {
                send_body(begin(&waits_whole), &waits_whole);
                settle();
            }
            translated = 0;
            call_json("/test.Web/Echo", way == 0 ? STREAM : TYPED("application/grpc+json"), hello,
                      sizeof hello - 1);
            if (translated > cases[i].most || translated == 0)
                printf("window of %u, full %d: %u times\n", cases[i].window, cases[i].full,
                       translated);
            CHECK(translated > 0 && translated <= cases[i].most);
            bool ended = answer_len > 90 && memcmp(answer + answer_len - 4, "END", 3) == 0;
            CHECK(ended == cases[i].answered);
            mote_grpc_recv_eof(&server);
            mote_grpc_serve(&server, NULL, 0);
            for (size_t k = 0; k < PLACES; k++)
                CHECK_INT(*(uint32_t *)(void *)places[k], 0);
        }
    }
    browser_window = 65535;
}

int main(void)
{
    RUN(errors_have_their_status);
    RUN(errors_have_details_and_metadata);
    RUN(a_response_without_bytes_is_an_error);
    RUN(streams_are_answered);
    RUN(broken_streams_end_with_an_error);
    RUN(events_are_sent);
    RUN(places_are_taken_and_left);
    RUN(small_windows_lose_nothing);
    RUN(a_message_in_json_is_translated_once);
    return test_summary();
}
