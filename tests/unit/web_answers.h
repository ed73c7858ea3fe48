/* Whole answers of a server with a door for browsers. */
#ifndef WEB_ANSWERS_H
#define WEB_ANSWERS_H

#include "web_harness.h"

/* Whether the answer is these bytes, NUL bytes included; otherwise both are shown. */
static inline bool answers(const char *expected, size_t len)
{
    if (answer_len == len + 1 && memcmp(answer, expected, len) == 0)
        return true;
    printf("answer of %zu bytes, not %zu:\n", answer_len - 1, len);
    for (size_t i = 0; i + 1 < answer_len && i < 600; i++)
        printf(answer[i] >= 0x20 || answer[i] == '\n' ? "%c" : "\\x%02x", (uint8_t)answer[i]);
    printf("\n");
    return false;
}
#define ANSWERS(expected) CHECK(answers(expected, sizeof(expected) - 1))

static inline bool contains(const char *text)
{
    size_t len = strlen(text);

    for (size_t i = 0; i + len < answer_len; i++) {
        if (memcmp(answer + i, text, len) == 0)
            return true;
    }
    return false;
}

#define HELLO     "\0\0\0\0\5hello"
#define STATUS_OK "\x80\0\0\0\x0fgrpc-status:0\r\n"
#define TYPED     "content-type: application/grpc-web+proto\n"

static inline void ask_hello(const char *fields)
{
    ask(&(web_request){.fields = fields, .body = HELLO, .len = 10});
}

#endif
