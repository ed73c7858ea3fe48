/*
 * Frames from words, and words from frames.
 *
 *   PREFACE | RAW hex:...
 *   SETTINGS [ack] ID=VALUE... | PING [ack] hex:... | GOAWAY LAST CODE ["text"]
 *   WINDOW_UPDATE ID INCREMENT | RST_STREAM ID CODE | PRIORITY ID DEPENDS
 *   DATA ID [end] [pad=N] ["text"] [msg=...] [zmsg=...]     msg: with the prefix of gRPC
 *   HEADERS ID [end] [more] [pad=N] [prio=N] FIELD... | CONTINUATION ID [more] FIELD...
 *   FRAME TYPE FLAGS ID hex:...
 * A field is name=value (a literal), post=PATH or ok (a request or a response of gRPC) or
 * block=hex:.... A flag by number: flags=N; another length than the true one: length=N.
 */
#include "wire.h"

static const char *const types[] = {"DATA",          "HEADERS",      "PRIORITY", "RST_STREAM",
                                    "SETTINGS",      "PUSH_PROMISE", "PING",     "GOAWAY",
                                    "WINDOW_UPDATE", "CONTINUATION"};
enum { TYPES = 10, TABLE = 4096 };

static mote_hpack_decoder decoder;
static uint16_t table[MOTE_HPACK_TABLE_MEMORY(TABLE) / 2];
static char scratch[1 << 16];
static uint8_t pending[1 << 19];
static size_t pending_len;
static bool preface_seen;
unsigned wire_blocks;

static int told; /* the error that was noted */

void wire_frames_reset(void)
{
    mote_hpack_decoder_init(&decoder, table, TABLE, TABLE, scratch, sizeof scratch - 1);
    pending_len = wire_blocks = 0;
    told = 0;
    preface_seen = false;
}

/* ---- to bytes -------------------------------------------------------------------------------- */

static uint8_t *put32(uint8_t *p, uint32_t v)
{
    for (int shift = 24; shift >= 0; shift -= 8)
        *p++ = (uint8_t)(v >> shift);
    return p;
}

static uint8_t *put_bytes(uint8_t *p, const void *bytes, size_t len)
{
    if (len > 0)
        memcpy(p, bytes, len);
    return p + len;
}

/* RFC 7541 5.1, with a prefix of 7 bits */
static uint8_t *put_string(uint8_t *p, const void *bytes, size_t len)
{
    size_t n = len;

    if (n < 127) {
        *p++ = (uint8_t)n;
    } else {
        *p++ = 127;
        for (n -= 127; n >= 128; n >>= 7)
            *p++ = (uint8_t)(n | 128);
        *p++ = (uint8_t)n;
    }
    return put_bytes(p, bytes, len);
}

static uint8_t *put_field(uint8_t *p, const char *name, const void *value, size_t len, unsigned how)
{
    *p++ = (uint8_t)how;
    p = put_string(p, name, strlen(name));
    return put_string(p, value, len);
}

static bool is_option(const char *key)
{
    static const char *const options[] = {"end", "more", "pad", "prio", "flags", "length", "ack"};

    for (size_t i = 0; i < sizeof options / sizeof options[0]; i++)
        if (strcmp(key, options[i]) == 0)
            return true;
    return false;
}

static uint8_t *put_fields(uint8_t *p, const wire_line *l)
{
    for (size_t i = 2; i < l->count; i++) {
        const wire_word *w = &l->words[i];
        if (is_option(w->key))
            continue;
        if (strcmp(w->key, "block") == 0) {
            p = put_bytes(p, w->value, w->len);
        } else if (strcmp(w->key, "post") == 0) {
            p = put_bytes(p, "\x83\x86", 2);
            p = put_field(p, ":path", w->value, w->len, 0);
            p = put_field(p, ":authority", "a", 1, 0);
            p = put_field(p, "te", "trailers", 8, 0);
            p = put_field(p, "content-type", "application/grpc", 16, 0);
        } else if (w->key[0] == '#') {
            *p++ = (uint8_t)(0x80 | atoi(w->key + 1));
        } else if (w->key[0] == '+') {
            p = put_field(p, w->key + 1, w->value, w->len, 0x40);
        } else if (strcmp(w->key, "ok") == 0) {
            *p++ = 0x88;
            p = put_field(p, "content-type", "application/grpc", 16, 0);
        } else {
            p = put_field(p, w->key, w->value, w->len, 0);
        }
    }
    return p;
}

static uint8_t *put_content(uint8_t *p, const wire_line *l)
{
    for (size_t i = 2; i < l->count; i++) {
        const wire_word *w = &l->words[i];
        bool z = strcmp(w->key, "zmsg") == 0;
        if (z || strcmp(w->key, "msg") == 0) {
            *p++ = z;
            p = put32(p, (uint32_t)w->len);
        }
        if (z || w->key[0] == '\0' || strcmp(w->key, "msg") == 0)
            p = put_bytes(p, w->value, w->len);
    }
    return p;
}

/* The peer has changed what our decoder must follow. */
static uint8_t *put_settings(uint8_t *p, const wire_line *l)
{
    for (size_t i = 1; i < l->count; i++) {
        const wire_word *w = &l->words[i];
        if (!w->value || is_option(w->key))
            continue;
        unsigned id = (unsigned)strtoul(w->key, NULL, 0);
        uint32_t value = (uint32_t)strtoul((const char *)w->value, NULL, 0);
        *p++ = (uint8_t)(id >> 8);
        *p++ = (uint8_t)id;
        p = put32(p, value);
        if (id == 1)
            mote_hpack_decoder_limit(&decoder, value < TABLE ? value : TABLE);
    }
    return p;
}

static uint8_t *put_payload(uint8_t *p, const wire_line *l, unsigned type)
{
    switch (type) {
    case 0:
        return put_content(p, l);
    case 1:
    case 9:
        return put_fields(p, l);
    case 4:
        return put_settings(p, l);
    case 2: /* a dependency, and a weight */
        p = put32(p, wire_at(l, 2));
        *p++ = 15;
        return p;
    case 7:
        p = put32(p, wire_at(l, 1));
        p = put32(p, wire_at(l, 2));
        break;
    case 3:
    case 8:
        p = put32(p, wire_at(l, 2));
        break;
    }
    for (size_t i = 1; i < l->count; i++)
        if (l->words[i].key[0] == '\0')
            p = put_bytes(p, l->words[i].value, l->words[i].len);
    return p;
}

static unsigned type_of(const char *name)
{
    for (unsigned i = 0; i < TYPES; i++)
        if (strcmp(types[i], name) == 0)
            return i;
    return TYPES;
}

static unsigned flags_of(const wire_line *l, unsigned type)
{
    unsigned flags = wire_number(l, "flags", 0);

    flags |= wire_has(l, "end") || wire_has(l, "ack") ? 1 : 0;
    flags |= (type == 1 || type == 9) && !wire_has(l, "more") ? 4 : 0;
    flags |= wire_has(l, "pad") ? 8 : 0;
    flags |= wire_has(l, "prio") ? 0x20 : 0;
    return flags;
}

static size_t finish(uint8_t *out, size_t len, unsigned type, unsigned flags, uint32_t id)
{
    out[0] = (uint8_t)(len >> 16);
    out[1] = (uint8_t)(len >> 8);
    out[2] = (uint8_t)len;
    out[3] = (uint8_t)type;
    out[4] = (uint8_t)flags;
    put32(out + 5, id);
    return 9;
}

static size_t raw_frame(const wire_line *l, uint8_t *out)
{
    const wire_word *bytes = wire_find(l, "");
    size_t len = bytes ? bytes->len : 0;

    put_bytes(out + 9, bytes ? bytes->value : NULL, len);
    return finish(out, len, wire_at(l, 1), wire_at(l, 2), wire_at(l, 3)) + len;
}

size_t wire_frame(const wire_line *l, uint8_t *out)
{
    const char *name = l->words[0].key;
    unsigned type = type_of(name), pad = wire_number(l, "pad", 0);
    uint8_t *p = out + 9;

    if (strcmp(name, "PREFACE") == 0)
        return (size_t)(put_bytes(out, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 24) - out);
    if (strcmp(name, "RAW") == 0)
        return (size_t)(put_bytes(out, l->words[1].value, l->words[1].len) - out);
    if (strcmp(name, "FRAME") == 0)
        return raw_frame(l, out);
    if (type == TYPES) {
        wire_event("= no such frame");
        return 0;
    }
    if (wire_has(l, "pad"))
        *p++ = (uint8_t)pad;
    if (wire_has(l, "prio")) {
        p = put32(p, wire_number(l, "prio", 0));
        *p++ = 15;
    }
    p = put_payload(p, l, type);
    memset(p, 0, pad);
    size_t len = (size_t)(p - out) - 9 + pad;
    bool connection = type == 4 || type == 6 || type == 7;
    finish(out, wire_number(l, "length", (uint32_t)len), type, flags_of(l, type),
           connection ? wire_number(l, "id", 0) : wire_at(l, 1));
    return 9 + len;
}

/* ---- to words -------------------------------------------------------------------------------- */

static uint32_t get32(const uint8_t *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

/* How a field is represented (RFC 7541 6): indexed, + is remembered, - is not, ! never. */
static char representation(const uint8_t *p, size_t len)
{
    size_t i = 0;

    while (i < len && (p[i] & 0xe0) == 0x20) { /* a size update */
        bool more = (p[i++] & 0x1f) == 0x1f;
        while (more && i < len)
            more = p[i++] & 0x80;
    }
    if (i == len)
        return '?';
    return p[i] & 0x80 ? '#' : p[i] & 0x40 ? '+' : p[i] & 0x10 ? '!' : '-';
}

static void show_block(const uint8_t *p, size_t len, char *text, size_t cap)
{
    mote_hpack_field_view f;
    size_t at = 0, used, n = strlen(text);
    int r = 0;

    if (len > 0 && (p[0] & 0xe0) == 0x20)
        n += (size_t)snprintf(text + n, cap - n, " (update)");
    while (at < len && (r = mote_hpack_decode(&decoder, p + at, len - at, &used, &f)) > 0) {
        n += (size_t)snprintf(text + n, cap - n, " %c%.*s=%s", representation(p + at, used),
                              (int)f.name_len, f.name, wire_show(f.value, f.value_len));
        at += used;
    }
    if (r < 0 || mote_hpack_decoder_end(&decoder) < 0)
        snprintf(text + n, cap - n, " (broken)");
}

static uint8_t block[1 << 17];
static size_t block_len;

static void show_headers(const char *head, const uint8_t *p, size_t len, unsigned flags)
{
    static char text[1 << 15];

    memcpy(block + block_len, p, len);
    block_len += len;
    snprintf(text, sizeof text, "%s [%zu]", head, len);
    if (flags & 4) {
        show_block(block, block_len, text, sizeof text);
        block_len = 0;
        wire_blocks++;
    } else {
        strcat(text, " more");
    }
    wire_frame_out("%s", text);
}

static void show_settings(const uint8_t *p, size_t len, unsigned flags)
{
    char text[256];
    int n = sprintf(text, "< SETTINGS%s", flags & 1 ? " ack" : "");

    for (size_t i = 0; i + 6 <= len; i += 6)
        n += sprintf(text + n, " %u=%u", (unsigned)(p[i] << 8 | p[i + 1]), get32(p + i + 2));
    wire_frame_out("%s%s", text, len % 6 ? " (odd)" : "");
}

static void show(const uint8_t *p, size_t len, unsigned type, unsigned flags, uint32_t id)
{
    char head[64];
    const char *end = flags & 1 ? " end" : "";

    snprintf(head, sizeof head, "< %s %u%s", type < TYPES ? types[type] : "?", id, end);
    if (type == 0)
        wire_frame_out("%s %s", head, wire_show(p, len));
    else if (type == 1 || type == 9)
        show_headers(head, p, len, flags);
    else if (type == 4)
        show_settings(p, len, flags);
    else if (type == 6)
        wire_frame_out("< PING%s %s", flags & 1 ? " ack" : "", wire_show(p, len));
    else if (type == 7 && len >= 8)
        wire_frame_out("< GOAWAY %u %s %s", get32(p), mote_h2_code_name(get32(p + 4)),
                       wire_show(p + 8, len - 8));
    else if (type == 3 && len == 4)
        wire_frame_out("%s %s", head, mote_h2_code_name(get32(p)));
    else if (type == 8 && len == 4)
        wire_frame_out("%s %u", head, get32(p));
    else
        wire_frame_out("%s flags %u type %u %s", head, flags, type, wire_show(p, len));
}

void wire_output(const uint8_t *bytes, size_t len)
{
    memcpy(pending + pending_len, bytes, len);
    pending_len += len;
    size_t at = 0;
    if (!preface_seen && pending_len >= 24 &&
        memcmp(pending, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 24) == 0) {
        preface_seen = true;
        wire_frame_out("< PREFACE");
        at = 24;
    } else if (!preface_seen && pending[0] == 'P') {
        return;
    }
    while (pending_len - at >= 9) {
        const uint8_t *p = pending + at;
        size_t n = (size_t)p[0] << 16 | (size_t)p[1] << 8 | p[2];
        if (pending_len - at < 9 + n)
            break;
        show(p + 9, n, p[3], p[4], get32(p + 5));
        at += 9 + n;
    }
    memmove(pending, pending + at, pending_len - at);
    pending_len -= at;
}

void wire_take(const uint8_t *(*peek)(size_t *len), void (*ack)(size_t len))
{
    const uint8_t *p;
    size_t len, n;

    while ((p = peek(&len))) {
        n = wire_ack && wire_ack < len ? wire_ack : len;
        wire_output(p, n);
        ack(n);
    }
}

void wire_take_once(const uint8_t *(*peek)(size_t *len), void (*ack)(size_t len), size_t most)
{
    size_t len;
    const uint8_t *p = peek(&len);

    if (!p)
        return;
    len = len < most ? len : most;
    wire_output(p, len);
    ack(len);
}

void wire_error(const mote_h2 *h2, int r)
{
    if (r < 0 && r != told)
        wire_event(". ERROR %d %s: %s", mote_h2_error(h2),
                   mote_h2_code_name(mote_h2_error_code(h2)), mote_h2_error_text(h2));
    told = r < 0 ? r : told;
}
