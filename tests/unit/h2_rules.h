/* Rules of RFC 9113: frames that are received, and what happened, in one line. */
#ifndef H2_RULES_H
#define H2_RULES_H

#include "h2_harness.h"

#include <stdarg.h>

/* ---- what happened, in one line -------------------------------------------------------------- */

static char whole[2048];

static inline void add(const char *format, ...)
{
    size_t len = strlen(whole);
    va_list args;

    va_start(args, format);
    vsnprintf(whole + len, sizeof whole - len, format, args);
    va_end(args);
}

/* Fields by their kind alone. */
static inline void add_event(const mote_h2_event *ev)
{
    static const char *const names[] = {"",         "FIELD",    "HEADERS", "DATA",  "RESET",
                                        "WRITABLE", "SETTINGS", "PONG",    "GOAWAY"};

    if (ev->type == MOTE_H2_FIELD) {
        add("%d", ev->kind);
        return;
    }
    add("%s%s", whole[0] ? " " : "", names[ev->type]);
    if (ev->stream)
        add(" %u", ev->stream->id);
    if (ev->type == MOTE_H2_HEADERS)
        add(" %u%s%s", ev->status, ev->trailers ? " trailers" : "",
            ev->truncated ? " truncated" : "");
    if (ev->type == MOTE_H2_DATA)
        add(" %zu", ev->len);
    if (ev->type == MOTE_H2_RESET)
        add(" %s %x", ev->remote ? "by peer" : "by us", ev->code);
    if (ev->type == MOTE_H2_GOAWAY)
        add(" last %u %x", ev->last_id, ev->code);
    add("%s,", ev->end_stream ? " end" : "");
}

static inline void add_frames(void)
{
    static const char *const names[] = {"DATA", "HEADERS", "PRIORITY", "RST_STREAM",   "SETTINGS",
                                        "PUSH", "PING",    "GOAWAY",   "WINDOW_UPDATE"};

    for (size_t at = 0; at + 9 <= out_len;) {
        size_t len = (size_t)out[at] << 16 | (size_t)out[at + 1] << 8 | out[at + 2];
        const uint8_t *p = out + at + 9;
        add(" %s/%u on %u", names[out[at + 3]], out[at + 4], out[at + 8]);
        for (size_t i = 0; i < len && i < 8; i++)
            add("%s%02x", i % 4 == 0 ? " " : "", p[i]);
        if (out[at + 3] == 7 && len > 8)
            add(" \"%.*s\"", (int)(len - 8), p + 8);
        at += 9 + len;
    }
}

/* Where the peer may send is beside the rule: what we may send is not. */
static inline void add_windows(void)
{
    if (h2.send_window != 65535)
        add(" connection=%d", h2.send_window);
    for (size_t i = 0; i < STREAMS; i++) {
        if (streams[i].id != 0 && streams[i].send_window != 65535)
            add(" window=%d", streams[i].send_window);
    }
}

/* "events > frames (price) windows": fed with what was collected in `in`. */
static inline void happen(void)
{
    uint32_t budget = h2.budget;
    size_t at = 0, used;
    mote_h2_event ev;

    whole[0] = '\0';
    while (mote_h2_recv(&h2, in + at, in_len - at, &used, &ev) > 0) {
        at += used;
        add_event(&ev);
        if (ev.type == MOTE_H2_DATA)
            mote_h2_consume(&h2, ev.stream, ev.len);
        drain();
    }
    drain();
    add(" >");
    add_frames();
    add(" (%d)", (int)(budget - h2.budget)); /* a stream that ends well earns 1 */
    add_windows();
}

#ifdef MOTE_NO_TEXTS
/* The same without what stands in quotes. */
static inline const char *expected(const char *answer)
{
    static char bare[2048];
    const char *quote = strstr(answer, " \""), *rest = quote ? strchr(quote + 2, '"') + 1 : NULL;

    snprintf(bare, sizeof bare, "%.*s%s", quote ? (int)(quote - answer) : 2000, answer,
             quote ? rest : "");
    return bare;
}
#else
static inline const char *expected(const char *answer)
{
    return answer;
}
#endif

static inline void expect_whole(const char *what, const char *answer)
{
    happen();
    if (getenv("PRINT"))
        printf("ROW %s\t%s\n", what, whole);
    if (strcmp(whole, expected(answer)) != 0) {
        printf("%s:\n  %s\nnot\n  %s\n", what, whole, expected(answer));
        test_ok = false;
    }
}

/* ---- rules ----------------------------------------------------------------------------------- */

typedef struct {
    const char *what;
    const char *answer;
    struct {
        uint8_t type, flags;
        uint32_t id;
        const char *payload;
    } frames[4];
} rule;

static inline void receive_frames(const rule *r)
{
    static const uint8_t zeros[16384];

    for (int j = 0; j < 4 && r->frames[j].payload; j++) {
        if (strcmp(r->frames[j].payload, "16384") == 0) {
            frame(r->frames[j].type, 0, 0, zeros, sizeof zeros);
        } else if (strcmp(r->frames[j].payload, "big") == 0) {
            frame(0, 0, 1, NULL, 0);
            in[in_len - 9] = 0;
            in[in_len - 8] = 0x40;
            in[in_len - 7] = 1;
        } else {
            frame_hex(r->frames[j].type, r->frames[j].flags, r->frames[j].id, r->frames[j].payload);
        }
    }
}

/* Each rule on a connection of its own. */
static inline void check_rules(const rule *rules, size_t count, bool server)
{
    for (size_t i = 0; i < count; i++) {
        if (server)
            start(true);
        else
            start_client();
        receive_frames(&rules[i]);
        expect_whole(rules[i].what, rules[i].answer);
    }
}

#endif
