/* mote's engine of HTTP/2 as an echo: see differ.h. */
#include "../h2/h2.h"
#include "differ.h"
#include "differ_echo.h"

#include <stdlib.h>
#include <string.h>

enum { STREAMS = MOTE_DIFFER_STREAMS, SCRATCH = 65535, TX = 32768 };

typedef enum {
    REQUEST_FREE,
    REQUEST_HEAD,    /* fields come */
    REQUEST_CONTENT, /* content, or trailers */
    REQUEST_WHOLE,   /* an answer is owed */
    REQUEST_ANSWERED /* the head of it was written, and `sent` bytes */
} request_state;

typedef struct {
    request_state state;
    mote_h2_stream *stream;
    bool truncated;
    mote_echo echo;
    uint8_t answer[MOTE_DIFFER_BODY];
    size_t len, sent;
} request;

typedef struct {
    mote_h2 h2;
    mote_h2_stream streams[STREAMS];
    mote_hpack_slot slots[8];
    uint16_t table[MOTE_HPACK_TABLE_MEMORY(4096) / 2];
    char scratch[SCRATCH];
    uint8_t tx[TX];
    request requests[STREAMS];
    uint8_t *out;
    size_t len, room;
} server;

static void start(server *s, uint8_t *out, size_t room)
{
    mote_h2_config config = {.server = true,
                             .streams = s->streams,
                             .stream_count = STREAMS,
                             .tx = s->tx,
                             .tx_size = TX,
                             .table = s->table,
                             .table_size = 4096,
                             .scratch = s->scratch,
                             .scratch_size = SCRATCH,
                             .slots = s->slots,
                             .slot_count = 8,
                             .max_list_size = 65536};

    s->out = out;
    s->len = 0;
    s->room = room;
    if (mote_h2_init(&s->h2, &config) < 0)
        abort();
    mote_h2_tick(&s->h2, 1);
    for (int i = 0; i < STREAMS; i++)
        s->requests[i].state = REQUEST_FREE;
}

static request *request_of(server *s, mote_h2_stream *stream)
{
    request *r = &s->requests[stream - s->streams];

    if (r->state == REQUEST_FREE) {
        r->state = REQUEST_HEAD;
        r->stream = stream;
        r->truncated = false;
        mote_echo_clear(&r->echo);
    }
    return r;
}

static void take(server *s, const mote_h2_event *ev)
{
    request *r;

    if (!ev->stream) /* of the connection */
        return;
    r = request_of(s, ev->stream);
    if (ev->type == MOTE_H2_FIELD && r->state == REQUEST_HEAD)
        mote_echo_put(&r->echo, ev->field.name, ev->field.name_len, ev->field.value,
                      ev->field.value_len);
    if (ev->type == MOTE_H2_HEADERS && r->state == REQUEST_HEAD) {
        r->state = REQUEST_CONTENT;
        r->truncated = ev->truncated;
    }
    if (ev->type == MOTE_H2_DATA) {
        mote_echo_content(&r->echo, ev->data, ev->len);
        mote_h2_consume(&s->h2, ev->stream, ev->len);
    }
    if ((ev->type == MOTE_H2_HEADERS || ev->type == MOTE_H2_DATA) && ev->end_stream) {
        r->state = REQUEST_WHOLE;
        r->len = mote_echo_answer(&r->echo, r->answer);
        r->sent = 0;
    }
    if (ev->type == MOTE_H2_RESET)
        r->state = REQUEST_FREE;
}

/* Writes what there is room and window for. */
static void answer(server *s, request *r)
{
    static const mote_hpack_field ok = MOTE_HPACK_STATIC(8),
                                  large = MOTE_HPACK_NAMED(8, ":status", "431");
    size_t room;
    uint8_t *to;

    if (r->state == REQUEST_WHOLE) {
        bool bare = r->truncated || !mote_echo_has_content(&r->echo);
        mote_h2_headers_begin(&s->h2, r->stream);
        mote_h2_put(&s->h2, r->truncated ? &large : &ok);
        if (mote_h2_headers_end(&s->h2, bare) < 0)
            return;
        r->state = bare ? REQUEST_FREE : REQUEST_ANSWERED;
    }
    while (r->state == REQUEST_ANSWERED && (to = mote_h2_reserve(&s->h2, r->stream, 1, &room))) {
        room = room < r->len - r->sent ? room : r->len - r->sent;
        memcpy(to, r->answer + r->sent, room);
        r->sent += room;
        if (mote_h2_commit(&s->h2, r->stream, room, r->sent == r->len) < 0 || r->sent == r->len)
            r->state = REQUEST_FREE;
    }
}

static void give(server *s)
{
    const uint8_t *bytes;
    size_t n;

    while ((bytes = mote_h2_peek(&s->h2, &n))) {
        n = n < s->room - s->len ? n : s->room - s->len;
        memcpy(s->out + s->len, bytes, n);
        s->len += n;
        if (n == 0)
            return;
        mote_h2_ack(&s->h2, n);
    }
}

static void turn(server *s)
{
    size_t before;

    do {
        before = s->len;
        for (int i = 0; i < STREAMS && mote_h2_error(&s->h2) == 0; i++) {
            if (s->requests[i].state >= REQUEST_WHOLE)
                answer(s, &s->requests[i]);
        }
        give(s);
    } while (s->len > before);
}

static size_t play(void *context, const uint8_t *in, size_t len, uint8_t *out, size_t room,
                   bool *closed, const mote_differ_answer *expected)
{
    static server s;
    mote_h2_event ev;
    size_t at = 0, used;
    int r;

    (void)context;
    (void)expected;
    start(&s, out, room);
    give(&s);
    while ((r = mote_h2_recv(&s.h2, in + at, len - at, &used, &ev)) > 0) {
        at += used;
        take(&s, &ev);
        turn(&s);
    }
    turn(&s);
    *closed = r < 0;
    return s.len;
}

const mote_differ_server mote_differ_h2 = {"mote", play, NULL};
