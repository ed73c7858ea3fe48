/* The texts of gRPC beside plain references: percent-encoding, base64 and timeouts say what those
 * say that are written here for no other purpose than to be read. What is written is read back. */
#include "../grpc/grpc_internal.h"
#include "fuzz.h"

enum { MAX = 1 << 12 };

/* ---- percent-encoding (PROTOCOL-HTTP2, Status-Message) ------------------------------------- */

static int hex_value(uint8_t ch)
{
    const char *digits = "0123456789abcdef0123456789ABCDEF", *at = memchr(digits, ch, 32);

    return at ? (int)(at - digits) % 16 : -1;
}

static size_t plain_percent(const uint8_t *in, size_t len, uint8_t *out)
{
    size_t n = 0;

    for (size_t i = 0; i < len; i++) {
        bool escape =
            in[i] == '%' && i + 2 < len && hex_value(in[i + 1]) >= 0 && hex_value(in[i + 2]) >= 0;
        out[n++] = escape ? (uint8_t)(hex_value(in[i + 1]) * 16 + hex_value(in[i + 2])) : in[i];
        i += escape ? 2 : 0;
    }
    return n;
}

/* What may stand in a header field, without blanks at its ends. */
static bool is_field_value(const char *s, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if (s[i] < 0x20 || s[i] > 0x7e || (s[i] == ' ' && (i == 0 || i + 1 == len)))
            return false;
    }
    return true;
}

static void check_percent(const uint8_t *data, size_t size)
{
    static char ours[MAX], coded[3 * MAX];
    static uint8_t plain[MAX];
    size_t want = plain_percent(data, size, plain), len = size;

    ASSERT(mote_grpc_percent_decode((const char *)data, size, ours, sizeof ours) == want);
    ASSERT(memcmp(ours, plain, want) == 0);
    size_t n = mote_grpc_percent_size((const char *)data, &len, sizeof coded);
    ASSERT(len == size && n <= 3 * size && n >= size);
    mote_grpc_percent_encode((const char *)data, size, coded);
    ASSERT(is_field_value(coded, n));
    ASSERT(mote_grpc_percent_decode(coded, n, ours, sizeof ours) == size);
    ASSERT(memcmp(ours, data, size) == 0);
    size_t cap = size / 2;
    n = mote_grpc_percent_size((const char *)data, &len, cap);
    ASSERT(n <= cap && len <= size);
}

/* ---- base64 (RFC 4648 4) ------------------------------------------------------------------- */

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/* Bit by bit; SIZE_MAX: it is none. */
static size_t plain_base64(const uint8_t *in, size_t len, uint8_t *out)
{
    size_t bits = 0;

    for (int k = 0; k < 2 && len % 4 == (k ? 3 : 0) && len > 0 && in[len - 1] == '='; k++)
        len--;
    memset(out, 0, len);
    for (size_t i = 0; i < len; i++) {
        const char *at = memchr(alphabet, in[i], 64);
        if (!at)
            return SIZE_MAX;
        for (int b = 5; b >= 0; b--, bits++)
            out[bits / 8] |= (uint8_t)(((at - alphabet) >> b & 1) << (7 - bits % 8));
    }
    return len % 4 == 1 ? SIZE_MAX : bits / 8;
}

static void check_base64(const uint8_t *data, size_t size)
{
    static char coded[2 * MAX];
    static uint8_t ours[MAX], plain[2 * MAX]; /* as long as what is decoded */
    size_t want = plain_base64(data, size, plain);
    int r = mote_grpc_bin_decode((const char *)data, size, ours, sizeof ours);

    if (want == SIZE_MAX)
        ASSERT(r == MOTE_GRPC_ERR_BASE64);
    else
        ASSERT(r == (int)want && memcmp(ours, plain, want) == 0);
    ASSERT(mote_grpc_bin_decode((const char *)data, size, NULL, 0) == r);
    if (r > 0)
        ASSERT(mote_grpc_bin_decode((const char *)data, size, ours, (size_t)r - 1) ==
               MOTE_GRPC_ERR_SPACE);
    int n = mote_grpc_bin_encode(data, size, coded, sizeof coded);
    ASSERT(n == (int)((size * 4 + 2) / 3));
    ASSERT(plain_base64((const uint8_t *)coded, (size_t)n, plain) == size);
    ASSERT(memcmp(plain, data, size) == 0);
    if (n > 0)
        ASSERT(mote_grpc_bin_encode(data, size, coded, (size_t)n - 1) == MOTE_GRPC_ERR_SPACE);
}

/* ---- timeouts (PROTOCOL-HTTP2, Timeout) ---------------------------------------------------- */

/* In nanoseconds first; -1: it is none. */
static int plain_timeout(const uint8_t *in, size_t len, uint64_t *ms)
{
    static const struct {
        char unit;
        uint64_t ns;
    } units[] = {{'H', 3600000000000}, {'M', 60000000000}, {'S', 1000000000},
                 {'m', 1000000},       {'u', 1000},        {'n', 1}};
    uint64_t value = 0;

    if (len < 2 || len > 9)
        return -1;
    for (size_t i = 0; i + 1 < len; i++) {
        if (in[i] < '0' || in[i] > '9')
            return -1;
        value = value * 10 + (uint64_t)(in[i] - '0');
    }
    for (size_t i = 0; i < 6; i++) {
        if ((uint8_t)units[i].unit ==
            in[len - 1]) { /* whole milliseconds, never less than was said */
            *ms = units[i].ns >= 1000000 ? value * (units[i].ns / 1000000)
                                         : (value * units[i].ns + 999999) / 1000000;
            return 0;
        }
    }
    return -1;
}

static void check_timeout(const uint8_t *data, size_t size)
{
    char text[9];
    uint64_t ours, plain;
    uint32_t ms;
    int r = mote_grpc_parse_timeout((const char *)data, size, &ours);

    ASSERT(r == plain_timeout(data, size, &plain));
    ASSERT(r < 0 || ours == plain);
    if (size < sizeof ms)
        return;
    memcpy(&ms, data, sizeof ms);
    size_t n = mote_grpc_format_timeout(ms, text);
    ASSERT(plain_timeout((const uint8_t *)text, n, &plain) == 0);
    ASSERT(plain >= ms && plain - ms <= (ms > 99999999 ? 1000 : 0));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size > MAX)
        return 0;
    check_percent(data, size);
    check_base64(data, size);
    check_timeout(data, size);
    return 0;
}
