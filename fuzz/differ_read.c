/* What a server says, read by a client that only looks: see differ.h. */
#include "../hpack/hpack.h"
#include "differ.h"
#include "frames.h"

#include <stdlib.h>
#include <string.h>

enum {
    HEADER = 9,
    TABLE = 65504,
    DATA = 0,
    HEADERS = 1,
    RST_STREAM = 3,
    SETTINGS = 4,
    PUSH_PROMISE = 5,
    PING = 6,
    GOAWAY = 7,
    CONTINUATION = 9
};

typedef struct {
    mote_hpack_decoder decoder;
    uint16_t table[MOTE_HPACK_TABLE_MEMORY(TABLE) / 2];
    char scratch[65535];
    uint32_t block; /* stream whose header block goes on; 0: none */
    bool ends;      /* and the stream ends with it */
} reader;

typedef struct {
    uint8_t type, flags;
    uint32_t id;
    const uint8_t *payload;
    size_t len;
} frame;

static uint32_t get32(const uint8_t *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

/* NULL: more streams than are looked at. */
static mote_differ_stream *stream_of(mote_differ_answer *a, uint32_t id)
{
    mote_differ_stream *s = a->streams;

    while (s < a->streams + a->count && s->id != id)
        s++;
    if (s == a->streams + MOTE_DIFFER_STREAMS)
        return NULL;
    if (s == a->streams + a->count) {
        a->count++;
        s->id = id;
        s->status = 0;
        s->grpc_status = -1;
        s->ended = s->reset = false;
        s->body_len = 0;
    }
    return s;
}

static bool is(const char *text, size_t len, const char *name)
{
    return strlen(name) == len && memcmp(text, name, len) == 0;
}

static int decimal(const mote_hpack_field_view *f)
{
    int value = 0;

    for (size_t i = 0; i < f->value_len && i < 4; i++)
        value = value * 10 + (f->value[i] - '0');
    return value;
}

static bool read_block(reader *r, mote_differ_stream *s, const uint8_t *in, size_t len)
{
    mote_hpack_field_view f;
    size_t used;
    int result;

    while ((result = mote_hpack_decode(&r->decoder, in, len, &used, &f)) > 0) {
        in += used;
        len -= used;
        if (s && is(f.name, f.name_len, ":status"))
            s->status = decimal(&f);
        if (s && is(f.name, f.name_len, "grpc-status"))
            s->grpc_status = decimal(&f);
    }
    return result == 0;
}

/* Padding and priority are taken off. */
static bool strip(frame *f)
{
    if (f->flags & 8 && f->type != CONTINUATION) {
        if (f->len == 0 || f->payload[0] >= f->len)
            return false;
        f->len -= 1u + f->payload[0];
        f->payload++;
    }
    if (f->type == HEADERS && f->flags & 32) {
        if (f->len < 5)
            return false;
        f->payload += 5;
        f->len -= 5;
    }
    return true;
}

static bool read_headers(reader *r, mote_differ_answer *a, frame *f)
{
    mote_differ_stream *s = stream_of(a, f->id);

    if (f->id == 0 || (r->block != 0) != (f->type == CONTINUATION) || !strip(f))
        return false;
    if (f->type == HEADERS)
        r->ends = f->flags & 1;
    r->block = f->id;
    if (!read_block(r, s, f->payload, f->len))
        return false;
    if (!(f->flags & 4))
        return true;
    r->block = 0;
    if (s)
        s->ended |= r->ends;
    return mote_hpack_decoder_end(&r->decoder) == 0;
}

static bool read_data(mote_differ_answer *a, frame *f)
{
    mote_differ_stream *s = stream_of(a, f->id);
    size_t n;

    if (f->id == 0 || !strip(f))
        return false;
    if (!s)
        return true;
    n = f->len < sizeof s->body - s->body_len ? f->len : sizeof s->body - s->body_len;
    memcpy(s->body + s->body_len, f->payload, n);
    s->body_len += n;
    s->ended |= f->flags & 1;
    return true;
}

static void read_reset(mote_differ_answer *a, const frame *f)
{
    mote_differ_stream *s = stream_of(a, f->id);

    if (s && f->len == 4 && !s->reset) {
        s->reset = true;
        s->code = get32(f->payload);
    }
}

static void read_ping(mote_differ_answer *a, const frame *f)
{
    if (!(f->flags & 1))
        return;
    a->pongs++;
    if (f->len == 8 && memcmp(f->payload, "mote-end", 8) == 0)
        a->done = true;
}

static bool read_frame(reader *r, mote_differ_answer *a, frame *f)
{
    if (r->block != 0 && f->type != CONTINUATION)
        return false;
    switch (f->type) {
    case DATA:
        return read_data(a, f);
    case HEADERS:
    case CONTINUATION:
        return read_headers(r, a, f);
    case RST_STREAM:
        read_reset(a, f);
        return true;
    case SETTINGS:
        a->settings_acks += f->flags & 1;
        return true;
    case PING:
        read_ping(a, f);
        return true;
    case GOAWAY:
        a->goaway = true;
        a->code = f->len >= 8 ? get32(f->payload + 4) : 0;
        return f->len >= 8;
    default:
        return f->type != PUSH_PROMISE;
    }
}

void mote_differ_read(mote_differ_answer *a, const uint8_t *said, size_t len, bool closed)
{
    static reader r;
    size_t at = 0;

    memset(a, 0, offsetof(mote_differ_answer, streams));
    a->closed = closed;
    a->legal = len == 0 || (len > 3 && said[3] == SETTINGS);
    r.block = 0;
    mote_hpack_decoder_init(&r.decoder, r.table, TABLE, TABLE, r.scratch, sizeof r.scratch);
    while (a->legal && len - at >= HEADER) {
        frame f = {said[at + 3], said[at + 4], get32(said + at + 5) & 0x7fffffff,
                   said + at + HEADER, get32(said + at) >> 8};
        if (f.len > len - at - HEADER)
            break;
        at += HEADER + f.len;
        a->legal = read_frame(&r, a, &f);
    }
}
