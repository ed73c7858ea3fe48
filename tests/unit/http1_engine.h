/* HTTP/1.1 before an engine that is a script (grpc/web/http1.h): what it hears, and what it says.
 */
#ifndef HTTP1_ENGINE_H
#define HTTP1_ENGINE_H

#include "../../grpc/web/http1.h"
#include "../test.h"

enum { ROOM = 1 << 21 };

static mote_http1 http1;
static uint64_t memory[16384 / 8];
static uint8_t said[ROOM], heard[ROOM], output[ROOM];
static size_t said_at, said_len, heard_at, heard_len, output_len;
static size_t piece; /* the engine shows no more at once; 0: all */
static bool alive;

/* ---- the engine ------------------------------------------------------------------------------ */

static bool engine_input(void *self, const uint8_t *in, size_t len)
{
    (void)self;
    if (len > 0)
        memcpy(heard + heard_len, in, len);
    heard_len += len;
    return alive;
}

static const uint8_t *engine_peek(void *self, size_t *len)
{
    (void)self;
    *len = said_len - said_at;
    if (*len == 0)
        return NULL;
    *len = piece && piece < *len ? piece : *len;
    return said + said_at;
}

static void engine_ack(void *self, size_t len)
{
    (void)self;
    said_at += len;
}

static const mote_http1_engine engine = {engine_input, engine_peek, engine_ack};

static inline void says_bytes(unsigned type, unsigned flags, uint32_t id, const void *payload,
                              size_t len)
{
    uint8_t header[9] = {(uint8_t)(len >> 16), (uint8_t)(len >> 8), (uint8_t)len,
                         (uint8_t)type,        (uint8_t)flags,      (uint8_t)(id >> 24),
                         (uint8_t)(id >> 16),  (uint8_t)(id >> 8),  (uint8_t)id};

    memcpy(said + said_len, header, 9);
    if (len > 0)
        memcpy(said + said_len + 9, payload, len);
    said_len += 9 + len;
}

static inline void says(unsigned type, unsigned flags, uint32_t id, const char *hex)
{
    uint8_t payload[256];

    says_bytes(type, flags, id, payload, unhex(hex, payload));
}

/* Whether the engine has heard this since it was asked the last time. */
static inline bool hears(const char *hex)
{
    uint8_t bytes[512];
    size_t len = unhex(hex, bytes), n = heard_len - heard_at;
    bool same = n == len && memcmp(heard + heard_at, bytes, n) == 0;

    for (size_t i = heard_at; !same && i < heard_len; i++)
        printf("%02x%s", heard[i], i + 1 < heard_len ? "" : "\n");
    heard_at = heard_len;
    return same;
}

/* ---- a connection ---------------------------------------------------------------------------- */

static void start(size_t size)
{
    said_at = said_len = heard_at = heard_len = output_len = 0;
    alive = true;
    CHECK_INT(mote_http1_init(&http1, &engine, NULL, memory, size), 0);
    mote_http1_tick(&http1, 1000);
}

/* What leaves is taken in pieces too. */
static inline void leave(void)
{
    const uint8_t *p;
    size_t len;

    while ((p = mote_http1_peek(&http1, &len))) {
        len = piece && piece < len ? piece : len;
        memcpy(output + output_len, p, len);
        output_len += len;
        mote_http1_ack(&http1, len);
    }
    output[output_len] = '\0';
}

static inline int ask_bytes(const char *bytes, size_t len)
{
    size_t used, at = 0;
    int r;

    while ((r = mote_http1_recv(&http1, (const uint8_t *)bytes + at, len - at, &used)) > 0) {
        at += used;
        leave();
    }
    return r;
}

static inline int ask(const char *text)
{
    return ask_bytes(text, strlen(text));
}

static inline bool answers(const char *text)
{
    leave();
    bool same = output_len == strlen(text) && memcmp(output, text, output_len) == 0;

    if (!same)
        printf("%s\n", (char *)output);
    output_len = 0;
    return same;
}

#define GET  "GET / HTTP/1.1\r\nHost: d\r\n\r\n"
#define POST "POST / HTTP/1.1\r\nHost: d\r\n"
#define HEAD "HTTP/1.1 200 \r\n"

/* A connection whose first request is a GET, which the engine has heard. */
static inline void start_get(void)
{
    start(sizeof memory);
    CHECK_INT(ask(GET), 0);
    heard_at = heard_len;
}

#endif
