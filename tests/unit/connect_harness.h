/* Requests of the Connect protocol, and their whole answers. */
#ifndef CONNECT_HARNESS_H
#define CONNECT_HARNESS_H

#define OTHER_SERVER
#include "connect_server.h"
#include "../../h2/mote_features.h"
#include "web_harness.h"

/* Whether the answer is this text, NUL bytes included; otherwise both are shown. */
static void show(const char *what, const char *text, size_t len)
{
    printf("%s %zu bytes:\n", what, len);
    for (size_t i = 0; i < len && i < 800; i++)
        printf(text[i] >= 0x20 || text[i] == '\n' ? "%c" : "\\x%02x", (uint8_t)text[i]);
    printf("\n");
}

static bool answers(const char *expected, size_t len)
{
    if (answer_len == len + 1 && memcmp(answer, expected, len) == 0)
        return true;
    show("answer of", answer, answer_len - 1);
    show("not", expected, len);
    return false;
}
#define ANSWERS(expected) CHECK(answers(expected, sizeof(expected) - 1))

#define OK(type)   ":status: 200\ncontent-type: " type "\nvary: origin\n"
#define FAIL(code) ":status: " code "\ncontent-type: application/json\nvary: origin\n"
#define TYPED(t)   "content-type: " t "\n"
#define JSON       TYPED("application/json")
#define PROTO      TYPED("application/proto")
#define STREAM     TYPED("application/connect+json")
#ifdef MOTE_NO_TEXTS
#define WHY(text)  ""
#define WHY_LENGTH "\047"
#else
#define WHY_LENGTH "\\"
#define WHY(text)  ",\"message\":\"" text "\""
#endif
#define HELLO   "\012\005hello\020\001"
#define ACCEPTS "accept-encoding: identity,flip\n"
/* A request, and its whole answer. */
typedef struct {
    const char *method, *path, *fields, *body;
    size_t len;
    const char *expected;
    size_t expected_len;
} talk;

#define POST(path, fields, body, expected)                                                         \
    {                                                                                              \
        "POST", "/test.Web/" path, fields, body, sizeof(body) - 1, expected, sizeof(expected) - 1  \
    }
#define GET(path, fields, expected)                                                                \
    {                                                                                              \
        "GET", "/test.Web/" path, fields, "", 0, expected, sizeof(expected) - 1                    \
    }

static void talk_all(const talk *talks, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const talk *t = &talks[i];
        ask(&(web_request){t->method, t->path, t->fields, t->body, t->len, false});
        bool right = answers(t->expected, t->expected_len);
        CHECK(right);
        if (!right)
            printf("of number %zu: %s %s\n%s", i, t->method, t->path, t->fields);
    }
}
#define TALK_ALL(talks) talk_all(talks, sizeof(talks) / sizeof(talks)[0])

#define NO_CALL(status) ":status: " status "\nvary: origin\n"

#endif
