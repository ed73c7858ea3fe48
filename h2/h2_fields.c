/* Validation of fields (RFC 9113 8.2, 8.3). */
#include "h2_internal.h"

#include <string.h>

/* Of what makes a message malformed; the public kinds are in h2.h. */
enum { KIND_BAD = 0 };

#define PSEUDO_BIT(kind) (1u << (kind))

/* Characters of a field name: tchar of RFC 9110 5.6.2 without upper case (RFC 9113 8.2.1), as a
 * bit map of the ASCII range. */
static const uint32_t name_chars[4] = {0x00000000, 0x03ff6cfa, 0xc0000000, 0x57ffffff};

static bool valid_name(const char *name, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        uint8_t ch = (uint8_t)name[i];
        if (ch >= 128 || !(name_chars[ch / 32] >> ch % 32 & 1))
            return false;
    }
    return len > 0;
}

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
static const char request_names[] = "\007\002:method"
                                    "\007\003:scheme"
                                    "\012\004:authority"
                                    "\005\005:path";
static const char response_names[] = "\007\006:status";
static const char regular_names[] = "\016\007content-length"
                                    "\002\010te"
                                    "\012\000connection" /* RFC 9113 8.2.2 */
                                    "\012\000keep-alive"
                                    "\007\000upgrade"
                                    "\020\000proxy-connection"
                                    "\021\000transfer-encoding";

_Static_assert(MOTE_H2_KIND_METHOD == 2 && MOTE_H2_KIND_SCHEME == 3 &&
                   MOTE_H2_KIND_AUTHORITY == 4 && MOTE_H2_KIND_PATH == 5 &&
                   MOTE_H2_KIND_STATUS == 6 && MOTE_H2_KIND_CONTENT_LENGTH == 7 &&
                   MOTE_H2_KIND_TE == 8 && KIND_BAD == 0,
               "as the names have them");

unsigned mote_h2_look_up(const char *names, const mote_hpack_field_view *f, unsigned otherwise)
{
    for (const char *p = names; p[0] != 0; p += 2 + p[0]) {
        if (f->name_len == (size_t)p[0] && memcmp(f->name, p + 2, f->name_len) == 0)
            return (unsigned)p[1];
    }
    return otherwise;
}

static unsigned kind_of_name(const mote_h2 *c, const mote_hpack_field_view *f)
{
    if (f->name_len > 0 && f->name[0] == ':')
        return mote_h2_look_up(MOTE_SERVES(c) ? request_names : response_names, f, KIND_BAD);
    if (!valid_name(f->name, f->name_len))
        return KIND_BAD;
    return mote_h2_look_up(regular_names, f, MOTE_H2_KIND_OTHER);
}

/* Kinds of the names in the static table (RFC 7541 Appendix A). */
static unsigned kind_of_index(const mote_h2 *c, unsigned index)
{
    static const uint8_t of_request[] = {
        KIND_BAD,          MOTE_H2_KIND_AUTHORITY, MOTE_H2_KIND_METHOD, MOTE_H2_KIND_METHOD,
        MOTE_H2_KIND_PATH, MOTE_H2_KIND_PATH,      MOTE_H2_KIND_SCHEME, MOTE_H2_KIND_SCHEME};

    if (index < sizeof of_request)
        return MOTE_SERVES(c) ? of_request[index] : KIND_BAD;
    if (index <= 14)
        return MOTE_H2_KIND_STATUS;
    if (index == 28)
        return MOTE_H2_KIND_CONTENT_LENGTH;
    return index == 57 ? KIND_BAD : MOTE_H2_KIND_OTHER; /* transfer-encoding: RFC 9113 8.2.2 */
}

static bool valid_path(const mote_hpack_field_view *f)
{
    return f->value_len > 0 && (f->value[0] == '/' || (f->value_len == 1 && f->value[0] == '*'));
}

/* RFC 9113 8.3.1: no userinfo */
static bool valid_authority(const mote_hpack_field_view *f)
{
    for (size_t i = 0; i < f->value_len; i++) {
        if (f->value[i] == '@')
            return false;
    }
    return true;
}

static bool valid_status(const mote_hpack_field_view *f)
{
    if (f->value_len != 3 || f->value[0] < '1' || f->value[0] > '9')
        return false;
    return f->value[1] >= '0' && f->value[1] <= '9' && f->value[2] >= '0' && f->value[2] <= '9';
}

static bool valid_request_field(const mote_hpack_field_view *f, unsigned kind)
{
    switch (kind) {
    case MOTE_H2_KIND_METHOD:
    case MOTE_H2_KIND_SCHEME:
        return f->value_len > 0;
    case MOTE_H2_KIND_PATH:
        return valid_path(f);
    case MOTE_H2_KIND_AUTHORITY:
        return valid_authority(f);
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
static unsigned classify(const mote_h2 *c, const mote_hpack_field_view *f)
{
    unsigned kind;

    if (f->full_index > 0)
        return kind_of_index(c, f->full_index);
    if (f->memo && f->memo->checked)
        return f->memo->kind;
    kind = f->name_index > 0 ? kind_of_index(c, f->name_index) : kind_of_name(c, f);
    kind = kind_of_value(c, f, kind);
    if (f->memo) {
        f->memo->checked = 1;
        f->memo->kind = (uint8_t)kind;
    }
    return kind;
}

/* RFC 9110 8.6: digits; a repeated field must repeat the value (RFC 9113 8.1.1) */
static bool take_length(mote_h2 *c, const mote_hpack_field_view *f)
{
    uint64_t value = 0;

    if (f->value_len == 0)
        return false;
    for (size_t i = 0; i < f->value_len; i++) {
        unsigned digit = (unsigned)f->value[i] - '0';
        if (digit > 9 || value > UINT64_MAX / 10)
            return false;
        value = value * 10 + digit;
        if (value < digit) /* beyond 64 bits */
            return false;
    }
    if (!c->frame.stream)
        return true;
    if ((c->block.flags & BLOCK_HAS_LENGTH) && c->frame.stream->content_length != value)
        return false;
    c->block.flags |= BLOCK_HAS_LENGTH;
    c->frame.stream->content_length = value;
    return true;
}

static unsigned take_pseudo(mote_h2 *c, const mote_hpack_field_view *f, unsigned kind)
{
    bool response = kind == MOTE_H2_KIND_STATUS;

    /* RFC 9113 8.3: first, once, of the right direction, and never in trailers */
    if ((c->block.flags & (BLOCK_REGULAR | BLOCK_TRAILERS)) ||
        (c->block.pseudo & PSEUDO_BIT(kind)) || response == MOTE_SERVES(c))
        return KIND_BAD;
    c->block.pseudo |= (uint8_t)PSEUDO_BIT(kind);
    if (MOTE_SERVES(c) && kind == MOTE_H2_KIND_METHOD && f->value_len == 7 &&
        memcmp(f->value, "CONNECT", 7) == 0)
        c->block.flags |= BLOCK_CONNECT;
    if (response)
        c->block.status =
            (uint16_t)((f->value[0] - '0') * 100 + (f->value[1] - '0') * 10 + (f->value[2] - '0'));
    return kind;
}

/* Every field goes to the user as it came, crumbs of a cookie too (RFC 9113 8.2.3). */
unsigned mote_h2_check_field(mote_h2 *c, const mote_hpack_field_view *f)
{
    unsigned kind = classify(c, f);

    if (kind >= MOTE_H2_KIND_METHOD && kind <= MOTE_H2_KIND_STATUS)
        return take_pseudo(c, f, kind);
    c->block.flags |= BLOCK_REGULAR;
    if (kind == MOTE_H2_KIND_CONTENT_LENGTH && !(c->block.flags & BLOCK_TRAILERS) &&
        !take_length(c, f))
        return KIND_BAD;
    return kind;
}

bool mote_h2_check_section(const mote_h2 *c)
{
    unsigned request = PSEUDO_BIT(MOTE_H2_KIND_METHOD) | PSEUDO_BIT(MOTE_H2_KIND_SCHEME) |
                       PSEUDO_BIT(MOTE_H2_KIND_PATH);

    if (c->block.flags & BLOCK_TRAILERS) /* RFC 9113 8.1: trailers end the stream; 8.5 */
        return (c->block.flags & BLOCK_END_STREAM) && !(c->frame.stream->flags & STREAM_CONNECT);
    if (!MOTE_SERVES(c)) { /* RFC 9113 8.3.2; 101 is not used (8.6); 1xx does not end it */
        bool interim = c->block.status < 200;
        return c->block.pseudo != 0 && c->block.status != 101 &&
               !(interim && (c->block.flags & BLOCK_END_STREAM));
    }
    if (c->block.flags & BLOCK_CONNECT) /* RFC 9113 8.5 */
        return (c->block.pseudo & request) == PSEUDO_BIT(MOTE_H2_KIND_METHOD) &&
               (c->block.pseudo & PSEUDO_BIT(MOTE_H2_KIND_AUTHORITY));
    return (c->block.pseudo & request) == request; /* RFC 9113 8.3.1 */
}
