/* Validation of fields (RFC 9113 8.2, 8.3). */
#include "h2_internal.h"

#include <string.h>

/* Kinds that never leave this layer; the public ones are in h2.h. */
enum { KIND_BAD = 0, KIND_FORBIDDEN = 16 };

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

/* RFC 9113 8.2.1: no NUL, CR or LF, and no white space at the ends */
static bool valid_value(const char *value, size_t len)
{
    if (len > 0 && (is_space(value[0]) || is_space(value[len - 1])))
        return false;
    for (size_t i = 0; i < len; i++) {
        if (value[i] == '\0' || value[i] == '\r' || value[i] == '\n')
            return false;
    }
    return true;
}

static bool is(const mote_hpack_field_view *f, const char *name, size_t len)
{
    return f->name_len == len && memcmp(f->name, name, len) == 0;
}
#define IS(f, literal) is(f, literal, sizeof(literal) - 1)

static unsigned pseudo_kind(const mote_hpack_field_view *f)
{
    if (IS(f, ":method"))
        return MOTE_H2_KIND_METHOD;
    if (IS(f, ":path"))
        return MOTE_H2_KIND_PATH;
    if (IS(f, ":scheme"))
        return MOTE_H2_KIND_SCHEME;
    if (IS(f, ":authority"))
        return MOTE_H2_KIND_AUTHORITY;
    return IS(f, ":status") ? MOTE_H2_KIND_STATUS : KIND_BAD;
}

static unsigned kind_of_name(const mote_hpack_field_view *f)
{
    if (f->name_len > 0 && f->name[0] == ':')
        return pseudo_kind(f);
    if (!valid_name(f->name, f->name_len))
        return KIND_BAD;
    switch (f->name_len) {
    case 2:
        return IS(f, "te") ? MOTE_H2_KIND_TE : MOTE_H2_KIND_OTHER;
    case 7:
        return IS(f, "upgrade") ? KIND_FORBIDDEN : MOTE_H2_KIND_OTHER;
    case 10:
        return IS(f, "connection") || IS(f, "keep-alive") ? KIND_FORBIDDEN : MOTE_H2_KIND_OTHER;
    case 14:
        return IS(f, "content-length") ? MOTE_H2_KIND_CONTENT_LENGTH : MOTE_H2_KIND_OTHER;
    case 16:
        return IS(f, "proxy-connection") ? KIND_FORBIDDEN : MOTE_H2_KIND_OTHER;
    case 17:
        return IS(f, "transfer-encoding") ? KIND_FORBIDDEN : MOTE_H2_KIND_OTHER;
    default:
        return MOTE_H2_KIND_OTHER;
    }
}

/* Kinds of the names in the static table (RFC 7541 Appendix A), by index; 0 stands for OTHER. */
static const uint8_t static_kinds[62] = {
    [1] = MOTE_H2_KIND_AUTHORITY, [2] = MOTE_H2_KIND_METHOD,  [3] = MOTE_H2_KIND_METHOD,
    [4] = MOTE_H2_KIND_PATH,      [5] = MOTE_H2_KIND_PATH,    [6] = MOTE_H2_KIND_SCHEME,
    [7] = MOTE_H2_KIND_SCHEME,    [8] = MOTE_H2_KIND_STATUS,  [9] = MOTE_H2_KIND_STATUS,
    [10] = MOTE_H2_KIND_STATUS,   [11] = MOTE_H2_KIND_STATUS, [12] = MOTE_H2_KIND_STATUS,
    [13] = MOTE_H2_KIND_STATUS,   [14] = MOTE_H2_KIND_STATUS, [28] = MOTE_H2_KIND_CONTENT_LENGTH,
    [57] = KIND_FORBIDDEN,
};

static unsigned kind_of_index(unsigned index)
{
    return static_kinds[index] ? static_kinds[index] : (unsigned)MOTE_H2_KIND_OTHER;
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

static bool valid_for_kind(const mote_hpack_field_view *f, unsigned kind)
{
    if (!valid_value(f->value, f->value_len))
        return false;
    switch (kind) {
    case MOTE_H2_KIND_METHOD:
    case MOTE_H2_KIND_SCHEME:
        return f->value_len > 0;
    case MOTE_H2_KIND_PATH:
        return valid_path(f);
    case MOTE_H2_KIND_AUTHORITY:
        return valid_authority(f);
    case MOTE_H2_KIND_STATUS:
        return valid_status(f);
    case MOTE_H2_KIND_TE: /* RFC 9113 8.2.2 */
        return f->value_len == 8 && memcmp(f->value, "trailers", 8) == 0;
    default:
        return true;
    }
}

/* What a field is, independent of where it stands. Remembered with the dynamic table entry. */
static unsigned classify(const mote_hpack_field_view *f)
{
    unsigned kind;

    if (f->full_index > 0) {
        kind = kind_of_index(f->full_index);
        return kind == KIND_FORBIDDEN ? (unsigned)KIND_BAD : kind; /* RFC 9113 8.2.2 */
    }
    if (f->memo && f->memo->checked)
        return f->memo->kind;
    kind = f->name_index > 0 ? kind_of_index(f->name_index) : kind_of_name(f);
    if (kind == KIND_FORBIDDEN || !valid_for_kind(f, kind))
        kind = KIND_BAD;
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
        if (digit > 9 || value > UINT64_MAX / 10 ||
            (value == UINT64_MAX / 10 && digit > UINT64_MAX % 10))
            return false;
        value = value * 10 + digit;
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
    if (kind == MOTE_H2_KIND_METHOD && f->value_len == 7 && memcmp(f->value, "CONNECT", 7) == 0)
        c->block.flags |= BLOCK_CONNECT;
    if (response)
        c->block.status =
            (uint16_t)((f->value[0] - '0') * 100 + (f->value[1] - '0') * 10 + (f->value[2] - '0'));
    return kind;
}

/* Every field goes to the user as it came, crumbs of a cookie too (RFC 9113 8.2.3). */
unsigned mote_h2_check_field(mote_h2 *c, const mote_hpack_field_view *f)
{
    unsigned kind = classify(f);

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
