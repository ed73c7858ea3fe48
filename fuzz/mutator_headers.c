/* Mutations of header blocks: fields are decoded, changed and encoded again. */
#include "mutator_internal.h"

#include "../hpack/hpack.h"

enum { MAX_FIELDS = 512 };

typedef struct {
    const char *name, *value;
    size_t name_len, value_len;
    size_t frame; /* of its block */
} field;

typedef struct {
    field fields[MAX_FIELDS];
    size_t count;
    size_t inserted[64]; /* fields that this rewriting has put into the peer's table, in order */
    size_t inserted_count, inserted_size;
} header_list;

static const char *keep_text(conversation *c, const char *text, size_t len)
{
    uint8_t *p = take_bytes(c, len);

    if (p && len > 0)
        memcpy(p, text, len);
    return (const char *)p;
}

/* The fields of the HEADERS frames that are blocks of their own, as far as they decode. */
static void decode_blocks(conversation *c, header_list *h)
{
    static uint16_t table[MOTE_HPACK_TABLE_MEMORY(4096) / 2];
    static char scratch[1 << 15];
    mote_hpack_decoder d;
    mote_hpack_field_view v;

    h->count = 0;
    mote_hpack_decoder_init(&d, table, 4096, 4096, scratch, sizeof scratch);
    for (size_t i = 0; i < c->count; i++) {
        const frame *f = &c->frames[i];
        size_t at = 0, used;
        int r = 1;
        if (f->type != HEADERS || (f->flags & (PADDED | PRIORITY_FLAG)) ||
            !(f->flags & END_HEADERS))
            continue;
        while (h->count < MAX_FIELDS && r > 0) {
            r = mote_hpack_decode(&d, f->payload + at, f->len - at, &used, &v);
            at += used;
            if (r <= 0)
                break;
            field *to = &h->fields[h->count];
            *to = (field){keep_text(c, v.name, v.name_len), keep_text(c, v.value, v.value_len),
                          v.name_len, v.value_len, i};
            if (!to->name || !to->value)
                return;
            h->count++;
        }
        if (r < 0 || mote_hpack_decoder_end(&d) < 0)
            return;
    }
}

static void change_field(conversation *c, header_list *h, size_t at)
{
    static const char *const names[] = {
        ":method",      ":path",        ":status",    ":authority",
        "te",           "host",         "connection", "content-length",
        "cookie",       "UPPER",        "",           "x",
        "grpc-timeout", "content-type", "expect",     "transfer-encoding"};
    static const char *const values[] = {
        "",     "GET", "POST", "/", "*", "200", "100", "trailers", " ", "0", "18446744073709551616",
        "a\nb", "1S",  "gzip"};
    field *f = &h->fields[at];
    const char *name = names[roll(c, sizeof names / sizeof names[0])];
    const char *value = values[roll(c, sizeof values / sizeof values[0])];

    switch (roll(c, 5)) {
    case 0:
        f->name = name;
        f->name_len = strlen(name);
        break;
    case 1:
        f->value = value;
        f->value_len = strlen(value);
        break;
    case 2: /* gone, by another one in its place */
        *f = h->fields[roll(c, (uint32_t)h->count)];
        f->frame = h->fields[at].frame;
        break;
    case 3:
        if (h->count == MAX_FIELDS)
            break;
        memmove(f + 1, f, (h->count - at) * sizeof *f);
        h->count++;
        break;
    default:
        f->value_len = roll(c, (uint32_t)f->value_len + 1);
    }
}

static size_t put_integer(uint8_t *out, unsigned first, unsigned bits, size_t value)
{
    size_t mask = (1u << bits) - 1, n = 1;

    out[0] = (uint8_t)(first | (value < mask ? value : mask));
    if (value < mask)
        return 1;
    for (value -= mask; value >= 128; value >>= 7)
        out[n++] = (uint8_t)(value | 128);
    out[n++] = (uint8_t)value;
    return n;
}

static size_t put_string(conversation *c, uint8_t *out, const char *text, size_t len)
{
    size_t n;

    if (roll(c, 2)) {
        n = put_integer(out, 0, 7, len);
        memcpy(out + n, text, len);
        return n + len;
    }
    size_t coded = mote_hpack_huffman_size(text, len);
    n = put_integer(out, 0x80, 7, coded);
    mote_hpack_huffman_encode(text, len, out + n);
    return n + coded;
}

static bool same(const field *a, const field *b)
{
    return a->name_len == b->name_len && a->value_len == b->value_len &&
           memcmp(a->name, b->name, a->name_len) == 0 &&
           memcmp(a->value, b->value, a->value_len) == 0;
}

/* One field in any of its representations. What it enters into the table is remembered, so that
 * references to it are right; entries of blocks before are left alone. */
static size_t encode_field(conversation *c, header_list *h, size_t at, uint8_t *out)
{
    static const uint8_t firsts[] = {0x40, 0x40, 0x00, 0x10};
    const field *f = &h->fields[at];
    unsigned full, first = firsts[roll(c, 4)];
    unsigned name = mote_hpack_static_find(f->name, f->name_len, f->value, f->value_len, &full);
    size_t n, size = f->name_len + f->value_len + 32;

    for (size_t i = 0; i < h->inserted_count; i++) {
        if (same(&h->fields[h->inserted[i]], f) && roll(c, 4))
            return put_integer(out, 0x80, 7, 62 + h->inserted_count - 1 - i);
    }
    if (full > 0 && roll(c, 4))
        return put_integer(out, 0x80, 7, full);
    if (first == 0x40 && (h->inserted_count == 64 || h->inserted_size + size > 4000))
        first = 0;
    if (first == 0x40) {
        h->inserted[h->inserted_count++] = at;
        h->inserted_size += size;
    }
    n = put_integer(out, first, first == 0x40 ? 6 : 4, roll(c, 8) ? name : 0);
    if (out[0] == first)
        n += put_string(c, out + n, f->name, f->name_len);
    return n + put_string(c, out + n, f->value, f->value_len);
}

void mote_mutator_change_headers(conversation *c)
{
    static header_list h;
    size_t at, i = 0;

    decode_blocks(c, &h);
    if (h.count == 0)
        return;
    at = roll(c, (uint32_t)h.count);
    size_t from = h.fields[at].frame;
    change_field(c, &h, at);
    h.inserted_count = h.inserted_size = 0;
    while (i < h.count && h.fields[i].frame < from)
        i++;
    while (i < h.count) {
        frame *f = &c->frames[h.fields[i].frame];
        size_t block = h.fields[i].frame, n = 0, room = 64;
        for (size_t k = i; k < h.count && h.fields[k].frame == block; k++)
            room += 4 * (h.fields[k].name_len + h.fields[k].value_len) + 24;
        uint8_t *to = take_bytes(c, room);
        if (!to)
            return;
        for (; i < h.count && h.fields[i].frame == block; i++)
            n += encode_field(c, &h, i, to + n);
        f->payload = to;
        f->len = n;
    }
}
