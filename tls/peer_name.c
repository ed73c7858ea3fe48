/* Whom a client wants to reach: a host name, which goes into SNI and is compared with dNSName, or
 * an IP address, which does neither (RFC 6066 3, RFC 6125 1.7.2) and is compared with iPAddress
 * alone. */
#include "tls_internal.h"

#include <string.h>

enum { HOST_NAME = 256, SAN_IP_ADDRESS = 7, SAN_TYPE = 0x1f };

static int hex_value(char ch)
{
    if (ch >= '0' && ch <= '9')
        return ch - '0';
    ch = (char)(ch | 0x20);
    return ch >= 'a' && ch <= 'f' ? ch - 'a' + 10 : -1;
}

/* "192.0.2.1" of `len` characters: true when that is all. */
static bool parse_ipv4(const char *text, size_t len, uint8_t out[4])
{
    size_t i = 0;

    for (int part = 0; part < 4; part++) {
        unsigned value = 0;
        size_t digits = 0;
        for (; i < len && text[i] >= '0' && text[i] <= '9' && digits < 3; i++, digits++)
            value = value * 10 + (unsigned)(text[i] - '0');
        if (digits == 0 || value > 255 || (digits > 1 && text[i - digits] == '0'))
            return false;
        out[part] = (uint8_t)value;
        if (part < 3 && (i >= len || text[i++] != '.'))
            return false;
    }
    return i == len;
}

/* RFC 4291 2.2: groups of 16 bits, "::" once for zeros, an IPv4 address in place of the last two.
 */
static bool parse_ipv6(const char *text, size_t len, uint8_t out[16])
{
    size_t i = 0, n = 0, gap = SIZE_MAX;

    memset(out, 0, 16);
    if (len >= 2 && text[0] == ':' && text[1] == ':') {
        gap = 0;
        i = 2;
    }
    while (i < len && n < 16) {
        unsigned value = 0;
        size_t start = i, digits = 0;
        for (; i < len && digits < 4 && hex_value(text[i]) >= 0; i++, digits++)
            value = value << 4 | (unsigned)hex_value(text[i]);
        if (i < len && text[i] == '.') {
            if (n > 12 || !parse_ipv4(text + start, len - start, out + n))
                return false;
            n += 4;
            i = len;
            break;
        }
        if (digits == 0)
            return false;
        out[n++] = (uint8_t)(value >> 8);
        out[n++] = (uint8_t)value;
        if (i == len)
            break;
        if (text[i++] != ':' || i == len)
            return false;
        if (text[i] == ':') {
            if (gap != SIZE_MAX)
                return false;
            gap = n;
            i++;
        }
    }
    if (i < len || (gap == SIZE_MAX ? n != 16 : n >= 16))
        return false;
    if (gap != SIZE_MAX) {
        memmove(out + 16 - (n - gap), out + gap, n - gap);
        memset(out + gap, 0, 16 - n);
    }
    return true;
}

/* Brackets and a zone ("[fe80::1%eth0]") belong to the way to the peer, not to its name. */
static void strip(const char **name, size_t *len)
{
    if (*len >= 2 && (*name)[0] == '[' && (*name)[*len - 1] == ']') {
        (*name)++;
        *len -= 2;
    }
    const char *zone = memchr(*name, '%', *len);
    if (zone && memchr(*name, ':', *len))
        *len = (size_t)(zone - *name);
}

/* "127.1", "0x7f.1", "127.0.0.1" with a dot behind it: resolvers take names that end in a number
 * for addresses, so a certificate with such a dNSName, or "*.1", must not stand for them. */
static bool ends_in_number(const char *text, size_t len)
{
    size_t start = len, i;

    while (start > 0 && text[start - 1] != '.')
        start--;
    i = start;
    if (len - start >= 2 && text[start] == '0' && (text[start + 1] | 0x20) == 'x') {
        for (i += 2; i < len && hex_value(text[i]) >= 0; i++)
            ;
        return i == len;
    }
    while (i < len && text[i] >= '0' && text[i] <= '9')
        i++;
    return i == len && len > start;
}

int mote_tls_set_peer_name(mote_tls *t, const char *host_name)
{
    char name[HOST_NAME];
    size_t len = strlen(host_name);
    const char *text = host_name;

    t->host_name = host_name;
    strip(&text, &len);
    if (parse_ipv4(text, len, t->address))
        t->address_len = 4;
    else if (parse_ipv6(text, len, t->address))
        t->address_len = 16;
    if (t->address_len == 0 && len > 0 && text[len - 1] == '.')
        len--; /* "example.com.": the root is not part of the name */
    if (t->address_len == 0 && ends_in_number(text, len))
        t->address_len = TLS_NO_ADDRESS;
    if (t->address_len > 0)
        return mbedtls_ssl_set_hostname(&t->ssl, NULL) == 0 ? 0 : MOTE_TLS_ERR_CONFIG;
    if (len == 0 || len >= sizeof name)
        return MOTE_TLS_ERR_CONFIG;
    memcpy(name, text, len);
    name[len] = '\0';
    return mbedtls_ssl_set_hostname(&t->ssl, name) == 0 ? 0 : MOTE_TLS_ERR_CONFIG;
}

bool mote_tls_names_address(const mote_tls *t, const mbedtls_x509_crt *crt)
{
    for (const mbedtls_x509_sequence *s = &crt->subject_alt_names; s && s->buf.p; s = s->next) {
        if ((s->buf.tag & SAN_TYPE) == SAN_IP_ADDRESS && s->buf.len == t->address_len &&
            memcmp(s->buf.p, t->address, t->address_len) == 0)
            return true;
    }
    return false;
}
