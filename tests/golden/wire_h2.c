/*
 * The engine of HTTP/2 under a script.
 *
 *   h2 server|client streams=4 tx=4096 table=4096 scratch=1024 slots=8 window=N connection=N
 *      list=N budget=N timeout=N
 *   ! begin                  client or server: preface and SETTINGS of both sides are done
 *   ! open                   a new stream
 *   ! headers ID [end] [head] FIELD...
 *                            +name=value constant, ~name=value with a value of its own,
 *                            -name=value literal, *name=value never indexed, #N static
 *   ! data ID [end] [min=N] "text"     as much as there is room for
 *   ! consume ID N | need ID N | reset ID CODE | ping | shutdown | fail CODE "text" | eof | tick MS
 *   ! hold | take N | release          output is held back; N bytes of it are taken; no longer held
 *   ! keep                   content is not given back by itself
 */
#include "wire.h"

enum { STREAMS = 64, MEMORY = 1 << 17, FIELDS = 256 };

static mote_h2 h2;
static mote_h2_stream streams[STREAMS];
static uint8_t tx[MEMORY];
static uint16_t table[MEMORY / 2];
static char scratch[MEMORY];
static mote_hpack_slot slots[64];
static mote_h2_stream *known[1024]; /* by id / 2 */
static bool holds, keeps;

static const uint8_t *peek(size_t *len)
{
    return mote_h2_peek(&h2, len);
}

static void ack(size_t len)
{
    mote_h2_ack(&h2, len);
}

static void drain(void)
{
    if (!holds)
        wire_take(peek, ack);
}

static mote_h2_stream *stream_of(uint32_t id)
{
    mote_h2_stream *s = id / 2 < 1024 ? known[id / 2] : NULL;

    if (!s)
        wire_event("= no such stream");
    return s;
}

/* Its id; when both sides have ended the slot may be free already, and then it is what it was. */
static uint32_t id_of(mote_h2_stream *s)
{
    uint32_t id = 1023;

    if (!s || s->id != 0) {
        if (s && s->id / 2 < 1024)
            known[s->id / 2] = s;
        return s ? s->id : 0;
    }
    while (id > 0 && known[id] != s)
        id--;
    return 2 * id + 1;
}

static void on_field(const mote_h2_event *ev)
{
    const mote_hpack_field_view *f = &ev->field;

    wire_event(". FIELD %u %.*s: %s kind %u%s%s", id_of(ev->stream), (int)f->name_len, f->name,
               wire_show(f->value, f->value_len), ev->kind, ev->trailers ? " trailers" : "",
               f->flags & MOTE_HPACK_NEVER_INDEX ? " never" : "");
}

static void on_data(const mote_h2_event *ev)
{
    char what[32];

    snprintf(what, sizeof what, "DATA %u", id_of(ev->stream));
    if (ev->len > 0)
        wire_content(what, ev->data, ev->len, 0);
    if (ev->end_stream)
        wire_event(". DATA %u end", id_of(ev->stream));
    if (ev->len > 0 && !keeps)
        mote_h2_consume(&h2, ev->stream, ev->len);
}

static void on_event(const mote_h2_event *ev)
{
    uint32_t id = id_of(ev->stream);

    switch (ev->type) {
    case MOTE_H2_FIELD:
        on_field(ev);
        break;
    case MOTE_H2_HEADERS:
        wire_event(". HEADERS %u status %u%s%s%s", id, ev->status, ev->end_stream ? " end" : "",
                   ev->trailers ? " trailers" : "", ev->truncated ? " truncated" : "");
        break;
    case MOTE_H2_DATA:
        on_data(ev);
        break;
    case MOTE_H2_RESET:
        wire_event(". RESET %u %s%s", id, mote_h2_code_name(ev->code), ev->remote ? " remote" : "");
        break;
    case MOTE_H2_WRITABLE:
        wire_event(". WRITABLE %u", id);
        break;
    case MOTE_H2_SETTINGS:
        wire_event(". SETTINGS");
        break;
    case MOTE_H2_PONG:
        wire_event(". PONG");
        break;
    case MOTE_H2_GOAWAY:
        wire_event(". GOAWAY %u %s", ev->last_id, mote_h2_code_name(ev->code));
        break;
    default:
        wire_event(". unknown event %u", ev->type);
    }
}

static void feed(const uint8_t *in, size_t len)
{
    mote_h2_event ev;
    size_t at = 0, used;
    int r;

    while ((r = mote_h2_recv(&h2, in + at, len - at, &used, &ev)) > 0) {
        at += used;
        if (r != 1)
            wire_event("= %d", r);
        on_event(&ev);
        drain();
    }
    if (r == 0 && at + used != len)
        wire_event("= %zu bytes were not used", len - at - used);
    wire_error(&h2, r);
    drain();
}

static void start(const wire_line *l)
{
    mote_h2_config config = {
        .server = wire_has(l, "server"),
        .streams = streams,
        .stream_count = wire_number(l, "streams", 4),
        .tx = tx,
        .tx_size = wire_number(l, "tx", 4096),
        .table = table,
        .dynamic = &mote_hpack_dynamic_table,
        .coder = &mote_hpack_huffman_coder,
        .table_size = wire_number(l, "table", 4096),
        .scratch = scratch,
        .scratch_size = wire_number(l, "scratch", 1024),
        .slots = slots,
        .slot_count = wire_number(l, "slots", 8),
        .initial_window = wire_number(l, "window", 0),
        .connection_window = wire_number(l, "connection", 0),
        .max_list_size = wire_number(l, "list", 0),
        .budget = wire_number(l, "budget", 0),
        .settings_timeout_ms = wire_number(l, "timeout", 0),
    };

    memset(known, 0, sizeof known);
    memset(tx, 0xa5, sizeof tx);
    holds = keeps = false;
    int r = mote_h2_init(&h2, &config);
    if (r != 0)
        wire_event("= %d", r);
    else
        drain();
}

/* ---- actions --------------------------------------------------------------------------------- */

/* Fields that stay, as the encoder recognises them by their address. */
static const mote_hpack_field *constant(const char *name, const uint8_t *value, size_t len,
                                        unsigned index)
{
    static struct {
        mote_hpack_field f;
        char text[256];
    } fields[FIELDS];
    static size_t count;

    for (size_t i = 0; i < count; i++)
        if (fields[i].f.index == index && fields[i].f.name_len == strlen(name) &&
            fields[i].f.value_len == len && memcmp(fields[i].f.name, name, strlen(name)) == 0 &&
            memcmp(fields[i].f.value, value, len) == 0)
            return &fields[i].f;
    if (count == FIELDS || strlen(name) + len > 255)
        abort();
    char *text = fields[count].text;
    memcpy(text, name, strlen(name));
    memcpy(text + strlen(name), value, len);
    fields[count].f = (mote_hpack_field){text,          text + strlen(name), (uint16_t)strlen(name),
                                         (uint16_t)len, (uint8_t)index,      0};
    return &fields[count++].f;
}

static void put(const wire_word *w)
{
    const char *name = w->key + 1;

    if (w->key[0] == '#')
        mote_h2_put(&h2, constant("", (const uint8_t *)"", 0, (unsigned)atoi(name)));
    else if (w->key[0] == '+')
        mote_h2_put(&h2, constant(name, w->value, w->len, 0));
    else if (w->key[0] == '~')
        mote_h2_put_value(&h2, constant(name, (const uint8_t *)"", 0, 0), (const char *)w->value,
                          w->len);
    else if (w->key[0] == '-' || w->key[0] == '*')
        mote_h2_put_literal(&h2, name, strlen(name), (const char *)w->value, w->len,
                            w->key[0] == '*' ? MOTE_HPACK_NEVER_INDEX : 0);
}

static void headers(const wire_line *l)
{
    mote_h2_stream *s = stream_of(wire_at(l, 1));

    if (!s)
        return;
    mote_h2_headers_begin(&h2, s);
    if (wire_has(l, "head"))
        mote_h2_expect_no_content(&h2);
    for (size_t i = 2; i < l->count; i++)
        put(&l->words[i]);
    wire_event("= %d", mote_h2_headers_end(&h2, wire_has(l, "end")));
}

static void data(const wire_line *l)
{
    mote_h2_stream *s = stream_of(wire_at(l, 1));
    const wire_word *text = wire_find(l, "");
    size_t room = 0, n = 0;

    if (!s)
        return;
    if (text) {
        uint8_t *p = mote_h2_reserve(&h2, s, wire_number(l, "min", 1), &room);
        n = text->len < room ? text->len : room;
        if (p)
            memcpy(p, text->value, n);
        if (!p) {
            wire_event("= no room");
            return;
        }
    }
    int r = mote_h2_commit(&h2, s, n, wire_has(l, "end") && (!text || n == text->len));
    if (r < 0)
        wire_event("= %d", r);
    else
        wire_event("= %zu of room for %zu", n, room);
}

static void open_stream(void)
{
    mote_h2_stream *s;
    int r = mote_h2_open(&h2, &s);

    if (r == 0 && s->id / 2 < 1024)
        known[s->id / 2] = s;
    wire_event("= %d stream %u", r, s ? s->id : 0);
}

static void begin(void)
{
    if (h2.server)
        feed((const uint8_t *)"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 24);
    feed((const uint8_t *)"\0\0\0\4\0\0\0\0\0", 9);
    feed((const uint8_t *)"\0\0\0\4\1\0\0\0\0", 9);
}

static bool act_on_stream(const char *what, const wire_line *l)
{
    mote_h2_stream *s;
    static const char *const actions[] = {"consume", "need", "reset", "receiving"};
    size_t i = 0;

    while (i < 4 && strcmp(actions[i], what) != 0)
        i++;
    if (i == 4)
        return false;
    if (!(s = stream_of(wire_at(l, 1))))
        return true;
    if (i == 0)
        mote_h2_consume(&h2, s, wire_at(l, 2));
    else if (i == 1)
        mote_h2_need(&h2, s, wire_at(l, 2));
    else if (i == 2)
        mote_h2_reset(&h2, s, wire_at(l, 2));
    else
        wire_event("= %d", mote_h2_receiving(s));
    return true;
}

static void act_on_output(const char *what, const wire_line *l)
{
    if (strcmp(what, "hold") == 0)
        holds = true;
    else if (strcmp(what, "release") == 0)
        holds = false;
    else if (strcmp(what, "take") == 0)
        wire_take_once(peek, ack, wire_at(l, 1));
    else if (strcmp(what, "space") == 0)
        wire_event("= %zu", mote_h2_tx_space(&h2));
    else if (strcmp(what, "keep") == 0)
        keeps = true;
    else
        wire_event("= no such action");
}

static void tick(const wire_line *l)
{
    uint32_t ms = wire_at(l, 1), at = wire_number(l, "from", ms);
    uint32_t next = mote_h2_tick(&h2, at);

    while (at < ms) { /* as often as it wants to be told */
        at = next < ms - at ? at + next : ms;
        next = mote_h2_tick(&h2, at);
    }
    wire_event("= %d", (int)next);
}

static void act(const char *what, const wire_line *l)
{
    if (strcmp(what, "begin") == 0)
        begin();
    else if (strcmp(what, "open") == 0)
        open_stream();
    else if (strcmp(what, "headers") == 0)
        headers(l);
    else if (strcmp(what, "data") == 0)
        data(l);
    else if (strcmp(what, "ping") == 0)
        wire_event("= %d", mote_h2_ping(&h2));
    else if (strcmp(what, "shutdown") == 0)
        mote_h2_shutdown(&h2);
    else if (strcmp(what, "fail") == 0)
        mote_h2_fail(&h2, wire_at(l, 1), "given up");
    else if (strcmp(what, "eof") == 0)
        wire_event("= %d", mote_h2_recv_eof(&h2));
    else if (strcmp(what, "tick") == 0)
        tick(l);
    else if (strcmp(what, "can_open") == 0)
        wire_event("= %d", mote_h2_can_open(&h2));
    else if (!act_on_stream(what, l))
        act_on_output(what, l);
    feed(NULL, 0);
}

const wire_engine wire_h2 = {"h2", start, feed, act, false};
