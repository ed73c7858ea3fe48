/*
 * Parts that are useful alone.
 *
 *   parts
 *   ! decoder table=4096 limit=4096 scratch=256 | limit N | block hex:...
 *   ! encoder slots=8 | elimit N | encode [cap=N] [huffman=0|1|2] FIELD... | mark | rewind
 *                            FIELD as in wire_h2.c: #N, +name=value, ~name=value, -name=value,
 *                            *name=value
 *   ! static N | find NAME VALUE | huffman "text"
 *   ! gunzip hex:... [cap=N] | inflate hex:... [cap=N]
 *   ! gzip "text" [cap=N] | deflate "text" [cap=N]
 *   ! base64 "bytes" [cap=N] | unbase64 TEXT [cap=N]
 *   ! pb two|three hex:... [arena=N] [shift=N] [no_arena] [path=N] [cap=N]
 *   ! split hex:... [buffer=N]
 *   ! trace server|client sent|received FRAME...
 *   ! names
 */
#include "../../fuzz/schema.mote.h"
#include "../../grpc/channel/channel.h"
#include "../../grpc/codec/codec.h"
#include "../../h2/trace.h"
#include "wire.h"

/* What lies before it is known, so that a copy from there is. */
static uint8_t space[64 + (1 << 17)], *const out = space + 64;
enum { OUT = 1 << 17 };

/* ---- hpack ----------------------------------------------------------------------------------- */

static mote_hpack_decoder decoder;
static mote_hpack_encoder encoder;
static uint16_t mark;
static uint16_t table[1 << 16];
static char scratch[1 << 17];
static mote_hpack_slot slots[96];

static void note_field(const mote_hpack_field_view *f)
{
    wire_event(". %s: %s index %u, %u%s%s%s", wire_show(f->name, f->name_len),
               wire_show(f->value, f->value_len), f->name_index, f->full_index,
               f->memo ? " kept" : "", f->flags & MOTE_HPACK_NEVER_INDEX ? " never" : "",
               f->flags & MOTE_HPACK_TOO_LONG ? " too long" : "");
}

static void decode(const wire_word *w)
{
    size_t step = wire_chunk ? wire_chunk : w->len, used;
    mote_hpack_field_view f;
    int r = 0;

    for (size_t at = 0; at < w->len && r >= 0; at += used) {
        size_t n = w->len - at < step ? w->len - at : step;
        uint8_t *exact = malloc(n);
        if (!exact)
            abort();
        memcpy(exact, w->value + at, n);
        if ((r = mote_hpack_decode(&decoder, exact, n, &used, &f)) > 0)
            note_field(&f);
        if (r > 1)
            wire_event("= %d", r);
        free(exact);
    }
    wire_event("= %d", r < 0 ? r : mote_hpack_decoder_end(&decoder));
}

static const mote_hpack_field *constant(const char *name, const uint8_t *value, size_t len,
                                        unsigned index)
{
    static struct {
        mote_hpack_field f;
        char text[6000];
    } fields[512];
    static size_t count;

    for (size_t i = 0; i < count; i++)
        if (fields[i].f.index == index && fields[i].f.name_len == strlen(name) &&
            fields[i].f.value_len == len && memcmp(fields[i].f.name, name, strlen(name)) == 0 &&
            memcmp(fields[i].f.value, value, len) == 0)
            return &fields[i].f;
    if (count == 512 || strlen(name) + len >= sizeof fields[0].text)
        abort();
    memcpy(fields[count].text, name, strlen(name));
    memcpy(fields[count].text + strlen(name), value, len);
    fields[count].f = (mote_hpack_field){fields[count].text,     fields[count].text + strlen(name),
                                         (uint16_t)strlen(name), (uint16_t)len,
                                         (uint8_t)index,         0};
    return &fields[count++].f;
}

static int encode_word(const wire_word *w, size_t cap)
{
    const char *name = w->key + 1;

    if (w->key[0] == '#')
        return mote_hpack_encode(
            &encoder, constant("", (const uint8_t *)"", 0, (unsigned)atoi(name)), out, cap);
    if (w->key[0] == '+')
        return mote_hpack_encode(&encoder, constant(name, w->value, w->len, 0), out, cap);
    if (w->key[0] == '~')
        return mote_hpack_encode_value(&encoder, constant(name, (const uint8_t *)"", 0, 0),
                                       (const char *)w->value, w->len, out, cap);
    return mote_hpack_encode_literal(&encoder, name, strlen(name), (const char *)w->value, w->len,
                                     w->key[0] == '*' ? MOTE_HPACK_NEVER_INDEX : 0, out, cap);
}

static void note_bytes(int n)
{
    if (n < 0)
        wire_event("= %d", n);
    else
        wire_event("= %d %s", n, wire_show(out, (size_t)n));
}

static void encode(const wire_line *l)
{
    size_t cap = wire_number(l, "cap", OUT);

    encoder.huffman = (uint8_t)wire_number(l, "huffman", MOTE_HPACK_HUFFMAN_AUTO);
    int n = mote_hpack_encode_start(&encoder, out, cap);
    if (n != 0)
        note_bytes(n);
    for (size_t i = 1; i < l->count; i++)
        if (strchr("#+~-*", l->words[i].key[0]) && l->words[i].key[0])
            note_bytes(encode_word(&l->words[i], cap));
}

static void find(const wire_line *l)
{
    const char *name = wire_text_at(l, 1), *value = wire_text_at(l, 2);
    unsigned full = 99;

    unsigned index = mote_hpack_static_find(name, strlen(name), value, strlen(value), &full);
    wire_event("= %u, %u, %u", index, full,
               mote_hpack_static_find(name, strlen(name), value, strlen(value), NULL));
}

static bool act_on_hpack(const char *what, const wire_line *l)
{
    mote_hpack_field_view f;

    if (strcmp(what, "decoder") == 0) {
        mote_hpack_decoder_init(&decoder, table, wire_number(l, "table", 4096),
                                wire_number(l, "limit", 4096), scratch,
                                wire_number(l, "scratch", 256));
    } else if (strcmp(what, "limit") == 0) {
        mote_hpack_decoder_limit(&decoder, wire_at(l, 1));
    } else if (strcmp(what, "block") == 0) {
        decode(wire_find(l, ""));
    } else if (strcmp(what, "encoder") == 0) {
        mote_hpack_encoder_init(&encoder, slots, wire_number(l, "slots", 8));
    } else if (strcmp(what, "elimit") == 0) {
        mote_hpack_encoder_limit(&encoder, wire_at(l, 1));
    } else if (strcmp(what, "encode") == 0) {
        encode(l);
    } else if (strcmp(what, "mark") == 0) {
        mark = mote_hpack_encode_mark(&encoder);
    } else if (strcmp(what, "rewind") == 0) {
        mote_hpack_encode_rewind(&encoder, mark);
    } else if (strcmp(what, "static") == 0) {
        mote_hpack_static(wire_at(l, 1), &f);
        wire_event(". %s: %s", wire_show(f.name, f.name_len), wire_show(f.value, f.value_len));
    } else if (strcmp(what, "find") == 0) {
        find(l);
    } else {
        return false;
    }
    return true;
}

/* ---- codecs, base64, names ------------------------------------------------------------------- */

static void flate(const mote_grpc_codec *codec, bool compresses, const wire_line *l)
{
    static uint8_t text[1 << 17], back[1 << 17];
    size_t n = 0, again = 0, len = 0;

    memset(space, 0xee, 64);

    for (size_t i = 1; i < l->count; i++) { /* all of its words */
        const wire_word *w = &l->words[i];
        if (w->key[0] == '\0' && w->len > 0)
            memcpy(text + len, w->value, w->len);
        len += w->key[0] == '\0' ? w->len : 0;
    }
    int r = compresses ? codec->compress(text, len, out, wire_number(l, "cap", OUT), &n)
                       : codec->decompress(text, len, out, wire_number(l, "cap", OUT), &n);

    if (r < 0) {
        wire_event("= %d", r);
        return;
    }
    wire_event("= %d %s", r, wire_show(out, n));
    if (compresses) {
        r = codec->decompress(out, n, back, sizeof back, &again);
        wire_event("= %d back: %s", r, wire_show(back, r == 0 ? again : 0));
    }
}

static void base64(bool encodes, const wire_line *l)
{
    const wire_word *w = wire_find(l, "");
    size_t cap = wire_number(l, "cap", OUT);

    memset(out, 0xa5, 64);
    note_bytes(encodes ? mote_grpc_bin_encode(w->value, w->len, (char *)out, cap)
                       : mote_grpc_bin_decode((const char *)w->value, w->len, out, cap));
}

static void names(void)
{
    for (int i = -1; i < 19; i++)
        wire_event(". %d %s %s", i, mote_grpc_code_name(i), mote_h2_code_name((uint32_t)i));
}

static void backoff(uint32_t random)
{
    mote_backoff b = {0};

    for (int i = 0; i < 14; i++)
        wire_event(". %u", mote_backoff_next(&b, random));
}

static bool act_on_codecs(const char *what, const wire_line *l)
{
    if (strcmp(what, "gunzip") == 0 || strcmp(what, "gzip") == 0)
        flate(&mote_grpc_gzip, what[1] == 'z', l);
    else if (strcmp(what, "inflate") == 0 || strcmp(what, "deflate") == 0)
        flate(&mote_grpc_deflate, what[0] == 'd', l);
    else if (strcmp(what, "base64") == 0 || strcmp(what, "unbase64") == 0)
        base64(what[0] == 'b', l);
    else if (strcmp(what, "names") == 0)
        names();
    else if (strcmp(what, "backoff") == 0)
        backoff(wire_at(l, 1));
    else
        return false;
    return true;
}

/* ---- pb -------------------------------------------------------------------------------------- */

static char text[1 << 17];
static size_t text_len;

static void keep(void *context, const char *p, size_t len)
{
    (void)context;
    if (text_len + len >= sizeof text)
        abort();
    memcpy(text + text_len, p, len);
    text_len += len;
}

static void note_text(void)
{
    char *p = text;

    text[text_len] = '\0';
    for (; *p; p += strcspn(p, "\n") + (p[strcspn(p, "\n")] == '\n'))
        wire_event(". %.*s", (int)strcspn(p, "\n"), p);
}

static void encode_again(const mote_pb_encoder *type, const void *struct_, size_t cap)
{
    size_t size = 0, len = 0, total = 0;
    int r = mote_pb_size(type, struct_, &size), e = mote_pb_encode(type, struct_, out, cap, &len);

    wire_event("= size %d %zu, encoded %d %zu %s", r, size, e, len,
               wire_show(out, e == 0 ? len : 0));
    if (e < 0)
        return;
    static uint8_t part[64];
    for (size_t at = 0, n; at < len; at += n) { /* in parts it is the same */
        n = len - at < 7 ? len - at : 7;
        total = len;
        if (mote_pb_encode_part(type, struct_, at, part, n, &total) < 0 ||
            memcmp(part, out + at, n) != 0 || total != len)
            wire_event("= a part at %zu differs", at);
    }
    total = 0;
    if (mote_pb_encode_part(type, struct_, 0, part, 7, &total) < 0 || total != len)
        wire_event("= the size of parts is %zu", total);
}

static void split(const wire_word *w, size_t cap)
{
    static uint8_t buffer[1 << 12];
    size_t step = wire_chunk ? wire_chunk : w->len, used = 0, part = 0;
    mote_pb_splitter s;
    mote_pb_piece p;
    int r = 0;

    mote_pb_splitter_init(&s, buffer, cap);
    for (size_t at = 0, n; at < w->len && r >= 0; at += n) {
        n = w->len - at < step ? w->len - at : step;
        for (size_t i = 0; (r = mote_pb_split(&s, w->value + at + i, n - i, &used, &p)) > 0;
             i += used) {
            char what[64];
            snprintf(what, sizeof what, "field %u wire %u", p.number, p.wire);
            if (p.wire == 2)
                wire_content(what, p.data, p.len, p.offset);
            if (p.wire == 2 && p.offset + p.len == p.total)
                wire_event(". of %zu", p.total);
            if (p.wire != 2)
                wire_event(". %s value %llx", what, (unsigned long long)p.value);
            part++;
        }
    }
    wire_event("= split %d, end %d", r, mote_pb_split_end(&s));
}

static void pb(const wire_line *l)
{
    static union {
        fuzz_Two two;
        fuzz_Three three;
    } m;
    static uint64_t memory[1 << 13];
    bool two = strcmp(wire_text_at(l, 1), "two") == 0;
    const mote_pb_decoder *type = two ? &fuzz_Two_decoder : &fuzz_Three_decoder;
    const mote_pb_encoder *encoder = two ? &fuzz_Two_encoder : &fuzz_Three_encoder;
    const mote_pb_names *names_of = two ? &fuzz_Two_names : &fuzz_Three_names;
    const wire_word *w = wire_find(l, "");
    mote_pb_where where;
    mote_pb_arena arena;
    char path[128] = "(untouched)";

    uint32_t size =
        wire_number(l, "arena", sizeof memory); /* its end is aligned, its beginning need not be */
    mote_pb_arena_init(&arena, (uint8_t *)memory + wire_number(l, "shift", 0), size);
    memset(&where, 0xa5, sizeof where);
    int r =
        mote_pb_decode(type, &m, w->value, w->len, wire_has(l, "no_arena") ? NULL : &arena, &where);
    if (r < 0) {
        const char *p = mote_pb_path(names_of, w->value, w->len, where.offset, path,
                                     wire_number(l, "path", sizeof path));
        wire_event("= %d at %zu field %u of %s: %s", r, where.offset, where.field,
                   where.type == &fuzz_Two_layout     ? "Two"
                   : where.type == &fuzz_Three_layout ? "Three"
                                                      : "another",
                   p);
        return;
    }
    text_len = 0;
    r = mote_pb_print(names_of, &m, keep, NULL);
    note_text();
    if (r < 0)
        wire_event("= print %d", r);
    encode_again(encoder, &m, wire_number(l, "cap", OUT));
}

/* ---- trace ----------------------------------------------------------------------------------- */

static mote_h2_tracer tracer;

static void keep_line(void *context, const char *line, size_t len)
{
    (void)context;
    wire_event(". %.*s", (int)len, line);
}

static bool sent;

static void feed(const uint8_t *in, size_t len)
{
    mote_h2_trace(&tracer, sent, in, len);
}

static void start(const wire_line *l)
{
    mote_h2_trace_init(&tracer, wire_has(l, "server"), keep_line, NULL);
    sent = wire_has(l, "sent");
}

static void act(const char *what, const wire_line *l)
{
    if (act_on_hpack(what, l) || act_on_codecs(what, l))
        return;
    if (strcmp(what, "pb") == 0)
        pb(l);
    else if (strcmp(what, "split") == 0)
        split(wire_find(l, ""), wire_number(l, "buffer", 256));
    else if (strcmp(what, "sent") == 0)
        sent = wire_at(l, 1) != 0;
    else
        wire_event("= no such action");
}

const wire_engine wire_parts = {"parts", start, feed, act, false};
