/* gRPC-Web over HTTP/2: browsers at the door of a server (grpc/web). */
#include "web_answers.h"

static void unary_call_is_answered_in_content(void)
{
    ask_hello(TYPED);
    ANSWERS(OPENED HELLO STATUS_OK "END");
    ask(&(web_request){.path = "/test.Web/Once", .fields = TYPED, .body = HELLO, .len = 10});
    ANSWERS(OPENED HELLO STATUS_OK "END");
}

static void text_is_base64_in_both_directions(void)
{
    ask(&(web_request){.fields = "content-type: application/grpc-web-text\n",
                       .body = "AAAAAAVoZWxsbw==",
                       .len = 16});
    ANSWERS(":status: 200\n" TYPE_TEXT "vary: origin\n--\n"
            "AAAAAAVoZWxsbw=="
            "gAAAAA9ncnBjLXN0YXR1czowDQo="
            "END");
}

static void types_are_told_apart(void)
{
    static const struct {
        const char *type, *begins;
    } cases[] = {
        {"application/grpc-web", OPENED},
        {"application/grpc-web+proto", OPENED},
        {"Application/GRPC-Web+Proto", OPENED},
        {"application/grpc-web; charset=utf-8", OPENED},
        {"application/grpc-web+proto;charset=utf-8", OPENED},
        {"application/grpc-web+protobuf", ":status: 200\n" TYPE_WEB "vary: origin\n--\n\x80"},
        {"application/grpc-web+json", ":status: 200\n" TYPE_WEB "vary: origin\n--\n\x80"},
        {"application/grpc-webs", ":status: 415\nvary: origin\n--\nEND"},
        {"application/grpc-web-texts", ":status: 415\nvary: origin\n--\nEND"},
        {"application/json", ":status: 415\nvary: origin\n--\nEND"},
        {"text/plain", ":status: 415\nvary: origin\n--\nEND"},
        {"application/grpc", ":status: 200\ncontent-type: application/grpc\n--\n\0"},
    };
    char fields[80];

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        snprintf(fields, sizeof fields, "content-type: %s\n", cases[i].type);
        ask_hello(fields);
        CHECK(strncmp(answer, cases[i].begins, strlen(cases[i].begins)) == 0);
    }
}

static void other_messages_are_unimplemented(void)
{
    static const char why[] = /* as far as rx_size goes */
        "grpc-status:12\r\ngrpc-message:content-type is not application/grpc+proto: ";

    ask_hello("content-type: application/grpc-web+json\n");
    CHECK_TEXT(contains(why));
    ask_hello(TYPED TYPED);
    CHECK(contains("grpc-status:12\r\n"));
}

static void end_has_its_text_and_metadata(void)
{
    ask(&(web_request){.path = "/test.Web/Refuse", .fields = TYPED, .body = HELLO, .len = 10});
    ANSWERS(":status: 200\n" TYPE_WEB "vary: origin\nx-initial: one\n--\n"
            "\x80\0\0\0\x5cgrpc-status:16\r\n"
            "grpc-message:%20100%25 %E2%82%AC~%7F%1F!%20\r\n"
            "x-why:because\r\nx-raw-bin:AAEC\r\n"
            "END");
}

static uint8_t content[LOG];

/* The content of the answer, without base64; how many bytes. */
static size_t content_length(bool text)
{
    const char *from = strstr(answer, "--\n") + 3;
    size_t len = (size_t)(answer + answer_len - 4 - from), n = 0;

    if (!text) {
        memcpy(content, from, len);
        return len;
    }
    for (size_t i = 0; i < len; i += 4) {
        uint8_t three[3];
        int got = mote_grpc_bin_decode(from + i, 4, three, 3);
        CHECK(got > 0);
        memcpy(content + n, three, (size_t)got);
        n += (size_t)got;
    }
    return n;
}

/* Windows of a browser that takes a few bytes at a time: content comes in small parts, the end as
 * well, and all of it. */
static void small_windows_lose_nothing(void)
{
    static const uint32_t windows[] = {1, 2, 3, 4, 5, 7, 8, 9, 30, 1000};
    static uint8_t request[64];
    static char text[128];
    size_t len = frame(request, 0, "0123456789012345678901234567", 28);
    size_t text_len = base64(text, request, len);
    const web_request many[] = {
        {.path = "/test.Web/Many", .fields = TYPED, .body = request, .len = len},
        {.path = "/test.Web/Many", .fields = TYPE_TEXT, .body = text, .len = text_len}};

    for (size_t kind = 0; kind < 2; kind++) {
        for (size_t i = kind == 0 ? 0 : 3; i < sizeof windows / sizeof *windows; i++) {
            browser_window = windows[i];
            ask(&many[kind]);
            CHECK(strcmp(answer + answer_len - 4, "END") == 0);
            size_t n = content_length(kind == 1);
            CHECK_INT(n, 28 * 25 + 20);
            CHECK(memcmp(content + 27 * 25 + 5, "message           27", 20) == 0);
            CHECK(memcmp(content + 28 * 25, STATUS_OK, 20) == 0);
        }
    }
    browser_window = 65535;
}

/* ---- base64 that is or is not ---------------------------------------------------------------- */

static void ask_text(const char *path, const char *text)
{
    ask(&(web_request){.path = path, .fields = TYPE_TEXT, .body = text, .len = strlen(text)});
}

/* What ends the call, after all messages before it were told. */
static void base64_is_taken_as_it_must_be(void)
{
    static const struct {
        const char *body, *end;
    } cases[] = {
        {"AAAAAAVoZWxsbw==AAAAAAVoZWxsbw==", "grpc-status:0\r\ngrpc-message:10 bytes\r\n"},
        {"AAAAAAVoZWxsbwAAAAAFaGVsbG8=", "grpc-status:0\r\ngrpc-message:10 bytes\r\n"},
        {"AA==AAAABWg=ZWxsbw==", "grpc-status:0\r\ngrpc-message:5 bytes\r\n"},
        {"AAAAAAA=", "grpc-status:0\r\ngrpc-message:0 bytes\r\n"},
        {"AAAAAAVoZWxsbw", "grpc-status:13\r\ngrpc-message:the stream ended inside of a message"},
        {"AAAAAAVoZWxsbw=", "grpc-status:13\r\ngrpc-message:the stream ended inside of a message"},
        {"A", "grpc-status:13\r\ngrpc-message:the stream ended inside of a message"},
        {"AAAAAAVoZWxsbx==", "grpc-status:13\r\ngrpc-message:the content is not base64"},
        {"AAAAAAVoZWxsbwAAAAAFaGVsbG9=",
         "grpc-status:13\r\ngrpc-message:the content is not base64"},
        {"AAAAAAVoZWxsbw=A", "grpc-status:13\r\ngrpc-message:the content is not base64"},
        {"AAAAAAVoZWxsb===", "grpc-status:13\r\ngrpc-message:the content is not base64"},
        {"AAAAAAVoZWxsbw==\n", "grpc-status:13\r\ngrpc-message:the content is not base64"},
        {"AAAA AAVoZWxsbw==", "grpc-status:13\r\ngrpc-message:the content is not base64"},
        {"AAAAAAVoZWxsb-==", "grpc-status:13\r\ngrpc-message:the content is not base64"},
        {"====", "grpc-status:13\r\ngrpc-message:the content is not base64"},
        {"AAAAAAVoZW\x80sbw==", "grpc-status:13\r\ngrpc-message:the content is not base64"},
        {"gAAAAAVoZWxsbw==", "grpc-status:13\r\ngrpc-message:the flag before a message"},
        {"AQAAAAVoZWxsbw==", "grpc-status:13\r\ngrpc-message:compressed message without"},
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        for (int chunks = 0; chunks < 2; chunks++) {
            ask_text(chunks ? "/test.Web/Chunks" : "/test.Web/Counts", cases[i].body);
            content_length(true);
#ifdef MOTE_NO_TEXTS
            CHECK(memcmp(content + 5, cases[i].end, 14) == 0);
#else
            CHECK(memcmp(content + 5, cases[i].end, strlen(cases[i].end)) == 0);
#endif
        }
    }
}

/* Every byte at every place of a group, and every padding. */
static void base64_brings_each_byte_back(void)
{
    uint8_t bytes[8], request[16];
    char text[32];

    for (unsigned value = 0; value < 256; value += 15) {
        for (size_t size = 0; size < 7; size++) {
            for (size_t i = 0; i < size; i++)
                bytes[i] = (uint8_t)(value + 37 * i);
            size_t len = frame(request, 0, bytes, size);
            base64(text, request, len);
            ask_text(NULL, text);
            CHECK(content_length(true) == len + 20 && memcmp(content, request, len) == 0);
        }
    }
}

/* A message that was whole before the content breaks is told, and answered. */
static void messages_before_a_fault_are_told(void)
{
    ask_text(NULL, "AAAAAAVoZWxsbw==AAAAAAVoZWxsbw=!");
    size_t n = content_length(true);
    CHECK(n > 10 && memcmp(content, HELLO, 10) == 0);
    CHECK(memcmp(content + 10, "\x80\0\0\0", 4) == 0);
    CHECK(memcmp(content + 15, "grpc-status:13\r\n", 16) == 0);
}

/* Sizes around rx_size; chunks have no limit. Windows are given back to the last byte. */
static void sizes_end_where_they_should(void)
{
    static uint8_t bytes[5000], request[5005];
    static char text[6800];
    char expected[80];

    for (size_t size = RX - 12; size <= RX + 1; size++) {
        size_t len = frame(request, 0, bytes, size);
        base64(text, request, len);
        ask_text("/test.Web/Counts", text);
        content_length(true);
        snprintf(expected, sizeof expected, "grpc-status:%d\r\n", size <= RX - 8 ? 0 : 8);
        CHECK(memcmp(content + 5, expected, strlen(expected)) == 0);
        if (size > RX - 8 && size <= RX - 5)
            CHECK_TEXT(strstr((char *)content + 5,
                              "bytes with its prefix is larger than rx_size - ") != NULL);
        ask(&(web_request){
            .path = "/test.Web/Counts", .fields = TYPED, .body = request, .len = len});
        snprintf(expected, sizeof expected, "grpc-status:%d\r\n", size <= RX - 5 ? 0 : 8);
        CHECK(contains(expected));
    }
    size_t len = frame(request, 0, bytes, 5000);
    base64(text, request, len);
    ask_text("/test.Web/Chunks", text);
    content_length(true);
    CHECK(memcmp(content + 5, "grpc-status:0\r\ngrpc-message:5000 bytes", 38) == 0);
}

/* Many messages in one request: the window that base64 has used comes back. */
static void window_comes_back(void)
{
    static uint8_t request[100 * 25];
    static char text[4000];
    size_t len = 0;

    for (int i = 0; i < 100; i++)
        len += frame(request + len, 0, "twenty bytes of text", 20);
    base64(text, request, len);
    ask_text("/test.Web/Counts", text);
    content_length(true);
    CHECK(memcmp(content + 5, "grpc-status:0\r\ngrpc-message:2000 bytes", 38) == 0);
}

/* ---- ends ------------------------------------------------------------------------------------ */

static void result_of_a_handler_is_the_status(void)
{
    for (int code = 1; code <= 16; code++) {
        char request[6] = {0, 0, 0, 0, 1, (char)('0' + code)}, expected[48];
        ask(&(web_request){
            .path = "/test.Web/Returns", .fields = TYPED, .body = request, .len = 6, .open = true});
        snprintf(expected, sizeof expected, "grpc-status:%d\r\nEND", code);
        CHECK(contains(expected));
    }
    ask(&(web_request){.path = "/test.Web/Returns",
                       .fields = TYPED,
                       .body = "\0\0\0\0\1"
                               "7",
                       .len = 6,
                       .open = true});
    ANSWERS(OPENED "\x80\0\0\0\x0fgrpc-status:7\r\nENDRESET 0");
    ask(&(web_request){.path = "/test.Web/None", .fields = TYPED, .body = HELLO, .len = 10});
    CHECK(contains("grpc-status:12\r\n"));
    CHECK_TEXT(contains("grpc-message:unknown method: /test.Web/None\r\nEND"));
    ask(&(web_request){.path = "/test.Web/Once", .fields = TYPED});
    CHECK(contains("grpc-status:12\r\n"));
    CHECK_TEXT(contains("grpc-message:no request\r\nEND"));
}

/* A client that reads on would take what follows for a part of the message. */
static void part_of_a_message_is_not_followed_by_an_end(void)
{
    static uint8_t request[64];

    browser_window = 12;
    for (size_t size = 12; size < 20; size++) { /* "grpc-status:10" has 16 bytes with its end */
        size_t len = frame(request, 0, "01234567890123456789", size);
        ask_once(
            &(web_request){
                .path = "/test.Web/GivesUp", .fields = TYPED, .body = request, .len = len},
            0);
        CHECK_INT(answer_len, sizeof OPENED - 1 + 12 + sizeof "RESET 2");
        CHECK(strcmp(answer + answer_len - 8, "RESET 2") == 0);
    }
    browser_window = 65535;
}

/* The same request with a window of 0: nothing but headers comes, and then, with a window, the end.
 */
static void end_waits_for_a_window(void)
{
    const web_request request = {
        .path = "/test.Web/Refuse", .fields = TYPED, .body = HELLO, .len = 10};

    for (uint32_t first = 1; first < 80; first += 13) {
        browser_window = first;
        ask(&request);
        CHECK(contains("\x80"));
        CHECK(contains("x-raw-bin:AAEC\r\nEND"));
    }
    browser_window = 65535;
}

static void deadline_is_told_in_content(void)
{
    const web_request request = {
        .path = "/test.Web/Waits", .fields = TYPED "grpc-timeout: 50m\n", .body = HELLO, .len = 10};

    ask_once(&request, 0);
    CHECK_INT(answer_len, 1);
    answer_len = 0;
    mote_grpc_tick(&server, 1051);
    mote_grpc_serve(&server, NULL, 0);
    settle();
    note("", 1);
    CHECK(memcmp(answer, OPENED "\x80", sizeof OPENED) == 0);
    CHECK(contains("grpc-status:4\r\n"));
}

static void without_a_door_it_is_415(void)
{
    seed = answer_len = 0;
    connect_browser();
    server_config.door = NULL;
    const web_request request = {.fields = TYPED, .body = HELLO, .len = 10};
    send_body(begin(&request), &request);
    settle();
    note("", 1);
    CHECK(memcmp(answer, ":status: 415\n--\nEND", 18) == 0);
}

static void config_without_room_is_refused(void)
{
    char text[MOTE_GRPC_CONFIG_TEXT];

    connect_browser();
    server_config.user_size = MOTE_WEB_STATE - 1;
    CHECK_INT(mote_grpc_init(&server, &server_config, server_memory, sizeof server_memory),
              MOTE_GRPC_ERR_CONFIG);
    mote_grpc_config_text(&server_config, server_memory, sizeof server_memory, text);
    CHECK(strcmp(text, "user_size, with this door, is 7: at least 8") == 0);
}

/* gRPC beside it, on the same connection: nothing of it changes. */
static void grpc_is_served_beside_it(void)
{
    ask_hello("content-type: application/grpc\norigin: https://a.example\n");
    ANSWERS(":status: 200\ncontent-type: application/grpc\n--\n" HELLO "grpc-status: 0\n--\nEND");
    ask_hello("content-type: application/grpc\n");
    ANSWERS(":status: 200\ncontent-type: application/grpc\n--\n" HELLO "grpc-status: 0\n--\nEND");
}

static void a_message_that_no_prefix_can_tell_is_not_sent(void)
{
    ask(&(web_request){.path = "/test.Web/Huge", .fields = TYPED, .body = HELLO, .len = 10});
    ANSWERS(OPENED "\x80\0\0\0\x10grpc-status:11\r\nEND");
}

int main(void)
{
    RUN(unary_call_is_answered_in_content);
    RUN(text_is_base64_in_both_directions);
    RUN(types_are_told_apart);
    RUN(other_messages_are_unimplemented);
    RUN(end_has_its_text_and_metadata);
    RUN(small_windows_lose_nothing);
    RUN(base64_is_taken_as_it_must_be);
    RUN(base64_brings_each_byte_back);
    RUN(messages_before_a_fault_are_told);
    RUN(sizes_end_where_they_should);
    RUN(window_comes_back);
    RUN(result_of_a_handler_is_the_status);
    RUN(part_of_a_message_is_not_followed_by_an_end);
    RUN(end_waits_for_a_window);
    RUN(deadline_is_told_in_content);
    RUN(without_a_door_it_is_415);
    RUN(config_without_room_is_refused);
    RUN(grpc_is_served_beside_it);
    RUN(a_message_that_no_prefix_can_tell_is_not_sent);
    return test_summary();
}
