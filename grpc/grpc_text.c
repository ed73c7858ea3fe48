/* How texts travel: status messages percent-encoded, values of "-bin" fields in base64. */
#include "grpc_internal.h"

/* ---- percent encoding (PROTOCOL-HTTP2, Status-Message) ------------------------------------- */

static MOTE_SMALL_APART int hex_digit(char ch)
{
    int letter = (ch | 0x20) - 'a';

    if (ch >= '0' && ch <= '9')
        return ch - '0';
    return letter >= 0 && letter < 6 ? letter + 10 : -1;
}

/* PROTOCOL-HTTP2, Status-Message: an invalid escape is kept as it is; nothing is an error. */
size_t mote_grpc_percent_decode(const char *in, size_t len, char *out, size_t cap)
{
    size_t n = 0;

    for (size_t i = 0; i < len && n < cap; i++) {
        char ch = in[i];
        if (ch == '%' && i + 2 < len) {
            int high = hex_digit(in[i + 1]), low = hex_digit(in[i + 2]);
            if (high >= 0 && low >= 0) {
                ch = (char)(high << 4 | low);
                i += 2;
            }
        }
        out[n++] = ch;
    }
    return n;
}

static bool is_plain(char ch)
{
    return ch >= 0x20 && ch <= 0x7e && ch != '%';
}

/* White space at the ends is not valid in a field value (RFC 9113 8.2.1). */
static bool stays(const char *in, size_t len, size_t i)
{
    return is_plain(in[i]) && (in[i] != ' ' || (i > 0 && i + 1 < len));
}

size_t mote_grpc_percent_size(const char *in, size_t *len, size_t cap)
{
    size_t n = 0, i = 0;

    for (; i < *len; i++) {
        size_t more = stays(in, *len, i) ? 1 : 3;
        if (more > cap - n)
            break;
        n += more;
    }
    for (; i < *len && i > 0 && in[i - 1] == ' '; i--) /* where the text is cut */
        n -= stays(in, *len, i - 1) ? 1 : 3;
    *len = i;
    return n;
}

static char upper_hex(unsigned n)
{
    return (char)(n + (n < 10 ? '0' : 'A' - 10));
}

void mote_grpc_percent_encode(const char *in, size_t len, char *out)
{
    for (size_t i = 0; i < len; i++) {
        if (stays(in, len, i)) {
            *out++ = in[i];
        } else {
            *out++ = '%';
            *out++ = upper_hex((uint8_t)in[i] >> 4);
            *out++ = upper_hex((uint8_t)in[i] & 15);
        }
    }
}

/* ---- base64 (RFC 4648 4), as "-bin" fields use it ------------------------------------------ */

int mote_grpc_bin_encode(const uint8_t *in, size_t len, char *out, size_t cap)
{
    static const char alphabet[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    size_t n = 0;
    uint32_t bits = 0;
    unsigned count = 0;

    if ((len * 4 + 2) / 3 > cap)
        return MOTE_GRPC_ERR_SPACE;
    for (size_t i = 0; i < len; i++) {
        bits = bits << 8 | in[i];
        for (count += 8; count >= 6; count -= 6)
            out[n++] = alphabet[bits >> (count - 6) & 63];
    }
    if (count > 0)
        out[n++] = alphabet[bits << (6 - count) & 63];
    return (int)n;
}

static int sextet(char ch)
{
    if (ch >= 'A' && ch <= 'Z')
        return ch - 'A';
    if (ch >= 'a' && ch <= 'z')
        return ch - 'a' + 26;
    if (ch >= '0' && ch <= '9')
        return ch - '0' + 52;
    if (ch == '+')
        return 62;
    return ch == '/' ? 63 : -1;
}

int mote_grpc_bin_decode(const char *in, size_t len, uint8_t *out, size_t cap)
{
    size_t n = 0;
    uint32_t bits = 0;
    unsigned count = 0;

    if (len >= 4 && len % 4 == 0 && in[len - 1] == '=')
        len -= in[len - 2] == '=' ? 2 : 1;
    if (len % 4 == 1)
        return MOTE_GRPC_ERR_BASE64;
    for (size_t i = 0; i < len; i++) {
        int value = sextet(in[i]);
        if (value < 0)
            return MOTE_GRPC_ERR_BASE64;
        bits = bits << 6 | (uint32_t)value;
        count += 6;
        if (count >= 8) {
            if (out && n == cap)
                return MOTE_GRPC_ERR_SPACE;
            count -= 8;
            if (out)
                out[n] = (uint8_t)(bits >> count);
            n++;
        }
    }
    return (int)n;
}

/* PROTOCOL-HTTP2, Custom-Metadata: lists are split before they are decoded. */
int mote_grpc_bin_next(const char *in, size_t len, size_t *at, uint8_t *out, size_t cap)
{
    mote_hpack_field_view one = {.value = in + *at};

    while (*at < len && in[*at] != ',') {
        ++*at;
        one.value_len++;
    }
    *at += *at < len;
    mote_grpc_trim(&one);
    return mote_grpc_bin_decode(one.value, one.value_len, out, cap);
}
