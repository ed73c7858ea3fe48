/* A frame parser that only tells what it sees. */
#include "h2_internal.h"
#include "trace.h"

#include <string.h>

enum { SENT, RECEIVED };

/* ---- lines --------------------------------------------------------------------------------- */

static void put_bytes(mote_h2_tracer *t, const char *text, size_t len)
{
    for (size_t i = 0; i < len && t->len < sizeof t->line; i++) {
        uint8_t byte = (uint8_t)text[i];
        if (byte < 0x20 || byte >= 0x7f)
            byte = '.';
        t->line[t->len++] = (char)byte;
    }
}

static void put_text(mote_h2_tracer *t, const char *text)
{
    while (*text)
        put_bytes(t, text++, 1);
}

static void put_number(mote_h2_tracer *t, uint32_t n)
{
    char digits[10];
    size_t i = sizeof digits;

    do
        digits[--i] = (char)('0' + n % 10);
    while (n /= 10);
    put_bytes(t, digits + i, sizeof digits - i);
}

static void put_hex(mote_h2_tracer *t, const uint8_t *bytes, size_t len)
{
    static const char hex[] = "0123456789abcdef";

    for (size_t i = 0; i < len; i++) {
        put_bytes(t, &hex[bytes[i] >> 4], 1);
        put_bytes(t, &hex[bytes[i] & 15], 1);
    }
}

static void end_line(mote_h2_tracer *t)
{
    t->sink(t->context, t->line, t->len);
    t->len = 0;
}

static void put_named(mote_h2_tracer *t, const char *name, uint32_t n)
{
    put_text(t, "          (");
    put_text(t, name);
    put_number(t, n);
    put_text(t, ")");
    end_line(t);
}

/* ---- frames -------------------------------------------------------------------------------- */

static const char *type_name(uint8_t type)
{
    static const char *const names[] = {"DATA",          "HEADERS",      "PRIORITY", "RST_STREAM",
                                        "SETTINGS",      "PUSH_PROMISE", "PING",     "GOAWAY",
                                        "WINDOW_UPDATE", "CONTINUATION"};

    return type < sizeof names / sizeof names[0] ? names[type] : "unknown";
}

static void put_flags(mote_h2_tracer *t, uint8_t type, uint8_t flags)
{
    bool blocks = type == MOTE_H2_FRAME_HEADERS || type == MOTE_H2_FRAME_CONTINUATION;

    if ((type == MOTE_H2_FRAME_SETTINGS || type == MOTE_H2_FRAME_PING) && flags & FLAG_ACK)
        put_text(t, " ACK");
    if ((type == MOTE_H2_FRAME_DATA || type == MOTE_H2_FRAME_HEADERS) && flags & FLAG_END_STREAM)
        put_text(t, " END_STREAM");
    if (blocks && flags & FLAG_END_HEADERS)
        put_text(t, " END_HEADERS");
    if ((type == MOTE_H2_FRAME_DATA || type == MOTE_H2_FRAME_HEADERS) && flags & FLAG_PADDED)
        put_text(t, " PADDED");
}

static void tell_frame(mote_h2_tracer *t, bool sent, mote_h2_trace_side *s)
{
    uint8_t type = s->header[3], flags = s->header[4];

    put_text(t, sent ? "send " : "recv ");
    put_text(t, type_name(type));
    put_text(t, " frame <length=");
    put_number(t, s->remaining);
    put_text(t, ", flags=0x");
    put_hex(t, &flags, 1);
    put_text(t, ", stream_id=");
    put_number(t, mote_h2_get32(s->header + 5) & MAX_WINDOW);
    put_text(t, ">");
    put_flags(t, type, flags);
    end_line(t);
}

static void tell_setting(mote_h2_tracer *t, const uint8_t *p)
{
    static const char *const names[] = {"0",
                                        "HEADER_TABLE_SIZE",
                                        "ENABLE_PUSH",
                                        "MAX_CONCURRENT_STREAMS",
                                        "INITIAL_WINDOW_SIZE",
                                        "MAX_FRAME_SIZE",
                                        "MAX_HEADER_LIST_SIZE"};
    unsigned id = (unsigned)p[0] << 8 | p[1];

    put_text(t, "          [");
    if (id < sizeof names / sizeof names[0])
        put_text(t, names[id]);
    else
        put_hex(t, p, 2);
    put_text(t, ":");
    put_number(t, mote_h2_get32(p + 2));
    put_text(t, "]");
    end_line(t);
}

static void tell_code(mote_h2_tracer *t, uint32_t code)
{
    put_text(t, "          (error_code=");
    put_text(t, mote_h2_code_name(code));
    put_text(t, ")");
    end_line(t);
}

/* The fixed part of a frame is complete. */
static void tell_small(mote_h2_tracer *t, const mote_h2_trace_side *s)
{
    switch (s->header[3]) {
    case MOTE_H2_FRAME_SETTINGS:
        tell_setting(t, s->small);
        break;
    case MOTE_H2_FRAME_RST_STREAM:
        tell_code(t, mote_h2_get32(s->small));
        break;
    case MOTE_H2_FRAME_GOAWAY:
        put_named(t, "last_stream_id=", mote_h2_get32(s->small) & MAX_WINDOW);
        tell_code(t, mote_h2_get32(s->small + 4));
        break;
    case MOTE_H2_FRAME_WINDOW_UPDATE:
        put_named(t, "window_size_increment=", mote_h2_get32(s->small) & MAX_WINDOW);
        break;
    default:
        put_text(t, "          (opaque_data=");
        put_hex(t, s->small, 8);
        put_text(t, ")");
        end_line(t);
        break;
    }
}

/* ---- header blocks ------------------------------------------------------------------------- */

/* Whether a name has a word of small letters in it, in which 0x20 is set already. */
static bool has_word(const mote_hpack_field_view *f, const char *word)
{
    for (size_t at = 0; at < f->name_len; at++) {
        size_t i = 0;
        while (word[i] && at + i < f->name_len && (f->name[at + i] | 0x20) == word[i])
            i++;
        if (!word[i])
            return true;
    }
    return false;
}

/* Fields with a secret (RFC 7541 7.1.3): those whose name says so, as authorization, set-cookie,
 * x-api-key or x-amz-security-token, and those that their sender marked as never indexed. */
static bool hides_value(const mote_hpack_field_view *f)
{
    static const char *const words[] = {"auth", "cookie",     "token", "secret",  "passw",
                                        "key",  "credential", "jwt",   "session", "assertion"};

    if (f->name_len > 0 && f->name[0] == ':') /* :authority is none */
        return false;
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (has_word(f, words[i]))
            return true;
    }
    return f->flags & MOTE_HPACK_NEVER_INDEX;
}

static void tell_field(mote_h2_tracer *t, const mote_hpack_field_view *f)
{
    put_text(t, "          ");
    put_bytes(t, f->name, f->name_len);
    put_text(t, ": ");
    if (hides_value(f)) {
        put_text(t, "(secret, ");
        put_number(t, (uint32_t)f->value_len);
        put_text(t, " bytes)");
    } else {
        put_bytes(t, f->value, f->value_len);
    }
    if (f->flags & MOTE_HPACK_TOO_LONG)
        put_text(t, "...");
    end_line(t);
}

static void tell_block(mote_h2_tracer *t, mote_h2_trace_side *s, const uint8_t *p, size_t len)
{
    mote_hpack_field_view f;

    while (!s->broken) {
        size_t used;
        int r = mote_hpack_decode(&s->decoder, p, len, &used, &f);
        p += used;
        len -= used;
        if (r > 0)
            tell_field(t, &f);
        else
            s->broken = r < 0;
        if (r <= 0)
            return;
    }
}

static void trace_end(mote_h2_trace_side *s)
{
    uint8_t type = s->header[3];

    s->have = 0;
    if ((type == MOTE_H2_FRAME_HEADERS || type == MOTE_H2_FRAME_CONTINUATION) &&
        s->header[4] & FLAG_END_HEADERS && mote_hpack_decoder_end(&s->decoder) < 0)
        s->broken = true;
}

/* ---- bytes --------------------------------------------------------------------------------- */

static size_t least_size(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* Bytes of the fixed part that is printed as a whole; 0: there is none. */
static size_t small_size(uint8_t type, bool ack)
{
    switch (type) {
    case MOTE_H2_FRAME_SETTINGS:
        return ack ? 0 : 6;
    case MOTE_H2_FRAME_RST_STREAM:
    case MOTE_H2_FRAME_WINDOW_UPDATE:
        return 4;
    case MOTE_H2_FRAME_PING:
    case MOTE_H2_FRAME_GOAWAY:
        return 8;
    default:
        return 0;
    }
}

static void trace_begin(mote_h2_tracer *t, bool sent, mote_h2_trace_side *s)
{
    uint8_t type = s->header[3], flags = s->header[4];

    s->remaining = (uint32_t)s->header[0] << 16 | (uint32_t)s->header[1] << 8 | s->header[2];
    s->small_len = 0;
    s->pad = 0;
    s->pad_due = type == MOTE_H2_FRAME_HEADERS && flags & FLAG_PADDED;
    s->skip = type == MOTE_H2_FRAME_HEADERS && flags & FLAG_PRIORITY ? 5 : 0;
    tell_frame(t, sent, s);
}

static size_t block_payload(mote_h2_tracer *t, mote_h2_trace_side *s, const uint8_t *p, size_t len)
{
    size_t n;

    if (s->pad_due) {
        s->pad = *p;
        s->pad_due = 0;
        return 1;
    }
    if (s->skip > 0) {
        n = least_size(s->skip, len);
        s->skip -= (uint32_t)n;
        return n;
    }
    n = s->remaining > s->pad ? least_size(len, s->remaining - s->pad) : 0;
    tell_block(t, s, p, n);
    return n > 0 ? n : len; /* padding */
}

static size_t small_payload(mote_h2_tracer *t, mote_h2_trace_side *s, const uint8_t *p, size_t len)
{
    size_t size =
        small_size(s->header[3], s->header[4] & FLAG_ACK && s->header[3] != MOTE_H2_FRAME_PING);
    size_t n = least_size(size - least_size(size, s->small_len), len);

    if (n == 0) {
        if (s->header[3] == MOTE_H2_FRAME_GOAWAY) {
            put_text(t, "          (debug_data=");
            put_bytes(t, (const char *)p, len);
            put_text(t, ")");
            end_line(t);
        }
        return len;
    }
    memcpy(s->small + s->small_len, p, n);
    s->small_len = (uint8_t)(s->small_len + n);
    if (s->small_len == size) {
        tell_small(t, s);
        if (s->header[3] == MOTE_H2_FRAME_SETTINGS)
            s->small_len = 0;
    }
    return n;
}

static size_t take_bytes(mote_h2_tracer *t, bool sent, mote_h2_trace_side *s, const uint8_t *p,
                         size_t len)
{
    size_t n;

    if (s->preface > 0) {
        n = least_size(s->preface, len);
        s->preface = (uint8_t)(s->preface - n);
        return n;
    }
    if (s->have < sizeof s->header) {
        n = least_size(sizeof s->header - s->have, len);
        memcpy(s->header + s->have, p, n);
        s->have = (uint8_t)(s->have + n);
        if (s->have == sizeof s->header)
            trace_begin(t, sent, s);
    } else {
        uint8_t type = s->header[3];
        len = least_size(len, s->remaining);
        n = type == MOTE_H2_FRAME_HEADERS || type == MOTE_H2_FRAME_CONTINUATION
                ? block_payload(t, s, p, len)
                : small_payload(t, s, p, len);
        s->remaining -= (uint32_t)n;
    }
    if (s->have == sizeof s->header && s->remaining == 0)
        trace_end(s);
    return n;
}

void mote_h2_trace(mote_h2_tracer *t, bool sent, const uint8_t *bytes, size_t len)
{
    while (len > 0) {
        size_t n = take_bytes(t, sent, &t->sides[sent ? SENT : RECEIVED], bytes, len);
        bytes += n;
        len -= n;
    }
}

void mote_h2_trace_init(mote_h2_tracer *t, bool server, mote_h2_trace_sink *sink, void *context)
{
    enum { PREFACE = 24 };

    memset(t, 0, sizeof *t);
    t->sink = sink;
    t->context = context;
    t->sides[server ? RECEIVED : SENT].preface = PREFACE;
    for (size_t i = 0; i < 2; i++)
        mote_hpack_decoder_init(&t->sides[i].decoder, t->sides[i].table, MOTE_H2_TRACE_TABLE,
                                MOTE_H2_TRACE_TABLE, t->sides[i].scratch, MOTE_H2_TRACE_FIELD);
}
