/* The Connect protocol over HTTP/1.1, however the bytes are cut: each kind of request in both
 * codecs, and what is refused. */
#define OTHER_SERVER
#include "connect_server.h"
#include "http1_harness.h"

/* A request behind its first line, and its whole answer. */
typedef struct {
    const char *request;
    size_t len;
    const char *expected;
    size_t expected_len;
} talk;

#define LINE(verb, path) verb " /test.Web/" path " HTTP/1.1\r\nHost: device:80\r\n"
#define TALK(request, expected)                                                                    \
    {                                                                                              \
        request, sizeof(request) - 1, expected, sizeof(expected) - 1                               \
    }
#define OF(type)             "content-type: " type "\r\n"
#define ANSWER(status, type) "HTTP/1.1 " status " \r\ncontent-type: " type "\r\nvary: origin\r\n"
#define CHUNKED              "transfer-encoding: chunked\r\n\r\n"
#define EMPTY                "content-length: 0\r\n\r\n"
#define REFUSED(status)      "HTTP/1.1 " status " \r\nvary: origin\r\n"
#define JSON_OK              ANSWER("200", "application/json") CHUNKED
#define PROTO_OK             ANSWER("200", "application/proto") CHUNKED
#define AS_STREAM(codec)     ANSWER("200", "application/connect+" codec) CHUNKED

static void each_kind_is_answered(void)
{
    static const talk talks[] = {
        TALK(LINE("POST", "Once") OF("application/json") "content-length: 16\r\n\r\n"
                                                         "{\"text\":\"hello\"}",
             JSON_OK "{\"text\":\"hello\",\"count\":\"1\"}"),
        TALK(LINE("POST", "Once")
                 OF("application/json") "transfer-encoding: chunked\r\n\r\n"
                                        "5\r\n{\"tex\r\nb\r\nt\":\"hello\"}\r\n0\r\n\r\n",
             JSON_OK "{\"text\":\"hello\",\"count\":\"1\"}"),
        TALK(LINE("POST", "Once") OF("application/proto") "content-length: 2\r\n\r\n\020\001",
             PROTO_OK "\020\002"),
        TALK(LINE("POST", "Once") OF("application/proto") "content-length: 0\r\n\r\n",
             PROTO_OK "\020\001"),
        TALK(LINE("GET", "Safe?connect=v1&encoding=json&message=%7B%22count%22:1%7D") "\r\n",
             JSON_OK "{\"count\":\"2\"}"),
        TALK(LINE("GET", "Safe?connect=v1&encoding=proto&base64=1&message=EAE") "\r\n",
             PROTO_OK "\020\002"),
        TALK(LINE("POST", "Many") OF("application/connect+json") "content-length: 16\r\n\r\n"
                                                                 "\0\0\0\0\013{\"count\":1}",
             AS_STREAM("json") "\0\0\0\0\024{\"text\":\"a message\"}"
                               "\2\0\0\0\042{\"metadata\":{\"x-why\":[\"because\"]}}"),
        TALK(LINE("POST", "Many") OF("application/connect+proto") "content-length: 7\r\n\r\n"
                                                                  "\0\0\0\0\2\020\1",
             AS_STREAM("proto") "\0\0\0\0\013\012\011a message"
                                "\2\0\0\0\042{\"metadata\":{\"x-why\":[\"because\"]}}"),
        TALK(LINE("GET", "Many?message=%7B%22count%22:1%7D") "Accept: text/event-stream\r\n\r\n",
             ANSWER("200", "text/event-stream") "cache-control: no-cache\r\n" CHUNKED
                                                "data: {\"text\":\"a message\"}\n\n"
                                                "event: end\ndata: "
                                                "{\"metadata\":{\"x-why\":[\"because\"]}}\n\n"),
        TALK(LINE("POST", "Late") OF("application/json") "content-length: 2\r\n\r\n{}",
             ANSWER("200", "application/json") "x-initial: one\r\ntrailer-x-why: because\r\n"
                                               "trailer-x-raw-bin: AAEC\r\n" CHUNKED "{}"),
        TALK(LINE("POST", "Late") OF("application/proto") "content-length: 0\r\n\r\n",
             ANSWER("200", "application/proto") "x-initial: one\r\ntrailer-x-why: because\r\n"
                                                "trailer-x-raw-bin: AAEC\r\n" EMPTY),
        TALK(LINE("POST", "Refuse") OF("application/proto") "content-length: 2\r\n\r\n\020\005",
             ANSWER("404", "application/json") "x-initial: one\r\n" CHUNKED
                                               "{\"code\":\"not_found\",\"message\":\"b??z\"}"),
        TALK(LINE("OPTIONS", "Once") "Origin: https://a.example\r\n"
                                     "Access-Control-Request-Method: POST\r\n\r\n",
             "HTTP/1.1 204 \r\nvary: origin\r\naccess-control-allow-origin: https://a.example\r\n"
             "access-control-allow-methods: GET, POST\r\n"
             "access-control-allow-headers: *, authorization\r\n"
             "access-control-max-age: 7200\r\n\r\n"),
        TALK(LINE("POST", "Once") OF("text/plain") "content-length: 2\r\n\r\n{}",
             REFUSED("415") EMPTY),
        TALK(LINE("POST", "None") OF("application/json") "content-length: 2\r\n\r\n{}",
             REFUSED("404") EMPTY),
        TALK(LINE("GET", "Once?encoding=json&message=%7B%7D") "\r\n",
             REFUSED("405") "allow: POST\r\n" EMPTY),
        TALK(LINE("GET", "Safe") "Origin: https://b.example\r\n\r\n", REFUSED("403") EMPTY),
    };

    for (size_t i = 0; i < sizeof talks / sizeof *talks; i++) {
        ask_bytes(talks[i].request, talks[i].len);
        bool right = answers(talks[i].expected, talks[i].expected_len, false);
        CHECK(right);
        if (!right)
            printf("of number %zu\n", i);
    }
}

/* One connection, many calls of all kinds. */
static void requests_follow_each_other(void)
{
#define ONE   LINE("POST", "Once") OF("application/json") "content-length: 2\r\n\r\n{}"
#define OTHER LINE("GET", "Safe?encoding=json&message=%7B%7D") "\r\n"

    for (uint32_t s = 0; s < 5; s++) {
        begin(s);
        for (int i = 0; i < 12; i++) {
            output_len = 0;
            hear(i % 2 ? ONE : OTHER, (i % 2 ? sizeof ONE : sizeof OTHER) - 1);
            read_responses();
            CHECK(answers(JSON_OK "{\"count\":\"1\"}", sizeof(JSON_OK "{\"count\":\"1\"}") - 1,
                          false));
        }
    }
}

/* A query as long as the head may be ends before it costs more than its bytes. */
static void long_queries_are_refused(void)
{
    static char request[5000];
    int n = snprintf(request, sizeof request, "GET /test.Web/Safe?encoding=json&message=");

    memset(request + n, 'a', sizeof request - (size_t)n);
    ask_bytes(request, sizeof request);
    CHECK(memcmp(plain, "HTTP/1.1 414 ", 13) == 0 && ended);
}

int main(void)
{
    RUN(each_kind_is_answered);
    RUN(requests_follow_each_other);
    RUN(long_queries_are_refused);
    return test_summary();
}
