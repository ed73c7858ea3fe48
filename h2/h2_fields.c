/* Validation of fields (RFC 9113 8.2, 8.3). */
#include "h2_internal.h"

#include <string.h>

/* KIND_BAD: the field makes the message malformed. The public kinds are in h2.h. */
enum { KIND_BAD = 0, KIND_HOST = MOTE_H2_KIND_BLANK_ENDS + 1 }; /* told as MOTE_H2_KIND_OTHER */

/* mote_h2_block.pseudo, beside the bits of the kinds */
enum { METHOD_IS_OPTIONS = 1, PATH_IS_ASTERISK = 2 };

/* mote_h2_block.host_len: a field was so long that it lies there now. No value has this length. */
enum { HOST_LOST = UINT16_MAX };

#define PSEUDO_BIT(kind) (1u << (kind))

static bool is_space(char ch)
{
    return ch == ' ' || ch == '\t';
}

static bool has_blank_end(const char *value, size_t len)
{
    return len > 0 && (is_space(value[0]) || is_space(value[len - 1]));
}

/* RFC 9113 8.2.1: no NUL, CR or LF, and no white space at the ends (that is another function) */
static bool valid_value(const char *value, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if (value[i] == '\0' || value[i] == '\r' || value[i] == '\n')
            return false;
    }
    return true;
}

/* Names that mean something here, for mote_h2_look_up(). */
static const char field_names[] = ""
#ifndef MOTE_CLIENT_ONLY
                                  "\007\002:method"
                                  "\007\003:scheme"
                                  "\012\004:authority"
                                  "\005\005:path"
#endif
#ifndef MOTE_SERVER_ONLY
                                  "\007\006:status"
#endif
                                  "\016\007content-length"
                                  "\004\012host"
                                  "\002\010te"
                                  "\012\000connection" /* RFC 9113 8.2.2 */
                                  "\012\000keep-alive"
                                  "\007\000upgrade"
                                  "\020\000proxy-connection"
                                  "\021\000transfer-encoding";

_Static_assert(MOTE_H2_KIND_METHOD == 2 && MOTE_H2_KIND_SCHEME == 3 &&
                   MOTE_H2_KIND_AUTHORITY == 4 && MOTE_H2_KIND_PATH == 5 &&
                   MOTE_H2_KIND_STATUS == 6 && MOTE_H2_KIND_CONTENT_LENGTH == 7 &&
                   MOTE_H2_KIND_TE == 8 && KIND_HOST == 10 && KIND_BAD == 0,
               "as the names have them");

unsigned mote_h2_look_up(const char *names, const mote_hpack_field_view *f, unsigned otherwise)
{
    for (const char *p = names; p[0] != 0; p += 2 + p[0]) {
        if (f->name_len == (size_t)p[0] && memcmp(f->name, p + 2, f->name_len) == 0)
            return (unsigned)p[1];
    }
    return otherwise;
}

static unsigned kind_of_name(const mote_hpack_field_view *f)
{
    bool pseudo = f->name_len > 0 && f->name[0] == ':';

    if (!pseudo && !mote_h2_is_name(f->name, f->name_len))
        return KIND_BAD;
    return mote_h2_look_up(field_names, f, pseudo ? KIND_BAD : MOTE_H2_KIND_OTHER);
}

/* Kinds of the names in the static table (RFC 7541 Appendix A). */
static MOTE_SMALL_APART unsigned kind_of_index(unsigned index)
{
    static const uint8_t of_request[] = {
        KIND_BAD,          MOTE_H2_KIND_AUTHORITY, MOTE_H2_KIND_METHOD, MOTE_H2_KIND_METHOD,
        MOTE_H2_KIND_PATH, MOTE_H2_KIND_PATH,      MOTE_H2_KIND_SCHEME, MOTE_H2_KIND_SCHEME};

    if (index < sizeof of_request)
        return MOTE_MAY_SERVE ? of_request[index] : KIND_BAD;
    if (index <= 14)
        return MOTE_H2_KIND_STATUS;
    if (index == 28)
        return MOTE_H2_KIND_CONTENT_LENGTH;
    if (MOTE_MAY_SERVE && index == 38)
        return KIND_HOST;
    return index == 57 ? KIND_BAD : MOTE_H2_KIND_OTHER; /* transfer-encoding: RFC 9113 8.2.2 */
}

static bool valid_status(const mote_hpack_field_view *f)
{
    uint64_t status;

    return f->value_len == 3 && mote_h2_decimal(f->value, 3, &status) && status >= 100;
}

static bool valid_request_field(const mote_hpack_field_view *f, unsigned kind)
{
    switch (kind) {
    case MOTE_H2_KIND_METHOD:
        return mote_h2_is_method(f->value, f->value_len);
    case MOTE_H2_KIND_SCHEME:
        return mote_h2_is_scheme(f->value, f->value_len);
    case MOTE_H2_KIND_PATH:
        return mote_h2_is_path(f->value, f->value_len);
    case MOTE_H2_KIND_AUTHORITY:
    case KIND_HOST:
        return mote_h2_is_authority(f->value, f->value_len);
    default:
        return true;
    }
}

static bool valid_for_kind(const mote_h2 *c, const mote_hpack_field_view *f, unsigned kind)
{
    if (kind == MOTE_H2_KIND_STATUS)
        return valid_status(f);
    if (kind == MOTE_H2_KIND_TE) /* RFC 9113 8.2.2 */
        return f->value_len == 8 && memcmp(f->value, "trailers", 8) == 0;
    return !MOTE_SERVES(c) || valid_request_field(f, kind);
}

static unsigned kind_of_value(const mote_h2 *c, const mote_hpack_field_view *f, unsigned kind)
{
    if (kind == KIND_BAD || !valid_value(f->value, f->value_len))
        return KIND_BAD;
    if (has_blank_end(f->value, f->value_len))
        return c->blank_ends && kind == MOTE_H2_KIND_OTHER ? MOTE_H2_KIND_BLANK_ENDS : KIND_BAD;
    return valid_for_kind(c, f, kind) ? kind : KIND_BAD;
}

/* What a field is, independent of where it stands. Remembered with the dynamic table entry. */
static MOTE_SMALL_APART unsigned classify(const mote_h2 *c, const mote_hpack_field_view *f)
{
    mote_hpack_memo *memo = MOTE_MEMO_OF(f);
    unsigned kind;

    if (f->full_index > 0)
        return kind_of_index(f->full_index);
    if (memo && memo->checked)
        return memo->kind;
    kind = f->name_index > 0 ? kind_of_index(f->name_index) : kind_of_name(f);
    kind = kind_of_value(c, f, kind);
    if (memo) {
        memo->checked = 1;
        memo->kind = (uint8_t)kind;
    }
    return kind;
}

/* RFC 9110 8.6, RFC 9113 8.1.1: digits, and once. One that repeats the value may be refused or made
 * one of; fields are handed on here as they came, and whoever writes two of them in HTTP/1.1 leaves
 * it to the next one which of them ends the message. */
static bool take_length(mote_h2 *c, const mote_hpack_field_view *f)
{
    uint64_t value;

    if (!mote_h2_decimal(f->value, f->value_len, &value))
        return false;
    if (!c->frame.stream)
        return true;
    if (c->block.flags & BLOCK_HAS_LENGTH)
        return false;
    c->block.flags |= BLOCK_HAS_LENGTH;
    c->frame.stream->content_length = value;
    return true;
}

/* ---- the host that is asked ------------------------------------------------------------------ */

/* Host names are compared without regard to case (RFC 3986 3.2.2). Of the characters of an
 * authority only letters differ by 32. */
static bool same_host(const char *a, const char *b, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if ((a[i] ^ b[i]) & ~32)
            return false;
    }
    return true;
}

/* RFC 9113 8.3.1: a Host that is not the authority makes the request malformed; a second Host,
 * whatever it says, too (RFC 9110 7.2, RFC 9112 3.2). The first of them is kept at the end of the
 * scratch; its view, which may lie where it is moved to, follows it. One that was lost (HOST_LOST)
 * equals no other. */
static bool take_host(mote_h2 *c, mote_hpack_field_view *f)
{
    char *kept = c->decoder.scratch + c->decoder.scratch_size;

    if (c->block.host_len > 0)
        return f->value_len == c->block.host_len &&
               same_host(f->value, kept - f->value_len, f->value_len);
    memmove(kept - f->value_len, f->value, f->value_len);
    f->value = kept - f->value_len;
    c->block.host_len = (uint16_t)f->value_len;
    return true;
}

void mote_h2_spare_host(mote_h2 *c, const mote_hpack_field_view *f)
{
    size_t left = (size_t)c->decoder.scratch_size - c->block.host_len;

    if (c->block.host_len > 0 &&
        ((f->flags & MOTE_HPACK_TOO_LONG) || f->name_len + f->value_len > left))
        c->block.host_len = HOST_LOST;
}

/* ---- what a field means to its block ----------------------------------------------------------
 */

static void take_request_pseudo(mote_h2 *c, mote_hpack_field_view *f, unsigned kind)
{
    if (kind == MOTE_H2_KIND_METHOD && f->value_len == 7) {
        if (memcmp(f->value, "CONNECT", 7) == 0)
            c->block.flags |= BLOCK_CONNECT;
        if (memcmp(f->value, "OPTIONS", 7) == 0)
            c->block.pseudo |= METHOD_IS_OPTIONS;
    }
    if (kind == MOTE_H2_KIND_PATH && f->value_len == 1 && f->value[0] == '*')
        c->block.pseudo |= PATH_IS_ASTERISK;
    if (kind == MOTE_H2_KIND_AUTHORITY)
        take_host(c, f); /* the first that it hears of */
}

static unsigned take_pseudo(mote_h2 *c, mote_hpack_field_view *f, unsigned kind)
{
    bool response = kind == MOTE_H2_KIND_STATUS;
    uint64_t status = 0;

    /* RFC 9113 8.3: first, once, of the right direction, and never in trailers */
    if ((c->block.flags & (BLOCK_REGULAR | BLOCK_TRAILERS)) ||
        (c->block.pseudo & PSEUDO_BIT(kind)) || response == MOTE_SERVES(c))
        return KIND_BAD;
    c->block.pseudo |= (uint8_t)PSEUDO_BIT(kind);
    if (MOTE_MAY_SERVE)
        take_request_pseudo(c, f, kind);
    if (response) {
        (void)mote_h2_decimal(f->value, 3, &status); /* its grammar was looked at */
        c->block.status = (uint16_t)status;
    }
    return kind;
}

/* Every field goes to the user as it came, crumbs of a cookie too (RFC 9113 8.2.3). */
unsigned mote_h2_check_field(mote_h2 *c, mote_hpack_field_view *f)
{
    unsigned kind = classify(c, f);

    if (kind >= MOTE_H2_KIND_METHOD && kind <= MOTE_H2_KIND_STATUS)
        return take_pseudo(c, f, kind);
    c->block.flags |= BLOCK_REGULAR;
    if (kind == MOTE_H2_KIND_CONTENT_LENGTH && !(c->block.flags & BLOCK_TRAILERS) &&
        !take_length(c, f))
        return KIND_BAD;
    if (kind != KIND_HOST)
        return kind;
    if (MOTE_SERVES(c) && ((c->block.flags & BLOCK_HAS_HOST) || !take_host(c, f)))
        return KIND_BAD;
    c->block.flags |= BLOCK_HAS_HOST;
    return MOTE_H2_KIND_OTHER;
}

void mote_h2_tell_field(mote_h2 *c, unsigned kind)
{
    c->event->type = MOTE_H2_FIELD;
    c->event->kind = (enum mote_h2_kind)kind;
    c->event->stream = c->frame.stream;
    c->event->status = c->block.status;
    c->event->trailers = (c->block.flags & BLOCK_TRAILERS) != 0;
}

bool mote_h2_check_section(const mote_h2 *c)
{
    unsigned request = PSEUDO_BIT(MOTE_H2_KIND_METHOD) | PSEUDO_BIT(MOTE_H2_KIND_SCHEME) |
                       PSEUDO_BIT(MOTE_H2_KIND_PATH);

    if (c->block.flags & BLOCK_TRAILERS) /* RFC 9113 8.1: trailers end the stream; 8.5 */
        return (c->block.flags & BLOCK_END_STREAM) &&
               !(MOTE_MAY_SERVE && (c->frame.stream->flags & STREAM_CONNECT));
    if (!MOTE_SERVES(c)) { /* RFC 9113 8.3.2; 101 is not used (8.6); 1xx does not end it */
        bool interim = c->block.status < 200;
        return c->block.pseudo != 0 && c->block.status != 101 &&
               !(interim && (c->block.flags & BLOCK_END_STREAM));
    }
    if (c->block.flags & BLOCK_CONNECT) /* RFC 9113 8.5 */
        return (c->block.pseudo & request) == PSEUDO_BIT(MOTE_H2_KIND_METHOD) &&
               (c->block.pseudo & PSEUDO_BIT(MOTE_H2_KIND_AUTHORITY));
    if ((c->block.pseudo & PATH_IS_ASTERISK) && !(c->block.pseudo & METHOD_IS_OPTIONS))
        return false;
    return (c->block.pseudo & request) == request; /* RFC 9113 8.3.1 */
}
