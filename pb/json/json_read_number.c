/* The double that is nearest to a decimal, by a division of whole numbers. */
#include "json_internal.h"
#include "json_number_internal.h"

/* More digits than the border between two doubles can have; what follows is a 1 or nothing. */
enum { DIGITS = 768 };
/* Beyond these a number of DIGITS digits is infinite or zero, whatever they are. */
enum { MOST_TENS = 310, LEAST_TENS = -345 };

/* A number as it is json_digits: digits, and a power of ten behind them. */
typedef struct {
    bool negative;
    const char *digits; /* from the first that is not zero; a point may be among them */
    size_t count;       /* of digits */
    int64_t exponent;
} json_digits;

static bool is_digit(const char *p, const char *end)
{
    return p < end && *p >= '0' && *p <= '9';
}

/* Digits from *p; those behind the point lower the exponent. */
static void take_digits(const char **p, const char *end, json_digits *n, bool is_fraction)
{
    for (; is_digit(*p, end); ++*p) {
        if (n->count == 0 && **p != '0')
            n->digits = *p;
        n->count += n->digits != NULL;
        n->exponent -= is_fraction;
    }
}

static bool take_exponent(const char **p, const char *end, json_digits *n)
{
    int64_t exponent = 0;

    if (*p == end || (**p != 'e' && **p != 'E'))
        return true;
    bool negative = ++*p < end && **p == '-';
    if (*p < end && (**p == '-' || **p == '+'))
        ++*p;
    if (!is_digit(*p, end))
        return false;
    for (; is_digit(*p, end); ++*p) {
        if (exponent < INT64_MAX / 100)
            exponent = exponent * 10 + (**p - '0');
    }
    /* A text cannot have as many digits as would make up for such an exponent. */
    n->exponent += negative ? -exponent : exponent;
    return true;
}

/* RFC 8259, section 6. */
static bool take_number(const char *p, const char *end, json_digits *n)
{
    memset(n, 0, sizeof *n);
    n->negative = p < end && *p == '-';
    p += n->negative;
    if (!is_digit(p, end) || (*p == '0' && is_digit(p + 1, end)))
        return false;
    take_digits(&p, end, n, false);
    if (p < end && *p == '.') {
        if (!is_digit(++p, end))
            return false;
        take_digits(&p, end, n, true);
    }
    return take_exponent(&p, end, n) && p == end;
}

bool mote_pb_json_is_number(mote_pb_string s)
{
    json_digits n;

    return take_number(s.data, s.data + s.len, &n);
}

/* The digits as a whole number; what is left out is in the exponent. */
static void digits_of(json_digits *n, mote_pb_big *b)
{
    const char *p = n->digits;
    size_t taken = 0;
    bool more = false;

    mote_pb_big_set(b, 0);
    for (size_t left = n->count; left > 0; p++) {
        if (*p == '.')
            continue;
        left--;
        if (taken < DIGITS) {
            mote_pb_big_multiply(b, 10, (uint32_t)(*p - '0'));
            taken++;
        } else {
            more |= *p != '0';
            n->exponent++;
        }
    }
    if (more) {
        mote_pb_big_multiply(b, 10, 1);
        n->exponent--;
    }
}

/* r / s with 64 bits, of which the last one is set when something is left: *e is its power of 2. */
static uint64_t divide(mote_pb_big *r, mote_pb_big *s, int *e)
{
    int bits = (int)mote_pb_big_bits(r) - (int)mote_pb_big_bits(s);

    /* The quotient is brought to [1/2, 2). */
    if (bits > 0)
        mote_pb_big_shift(s, (unsigned)bits);
    else
        mote_pb_big_shift(r, (unsigned)-bits);
    if (mote_pb_big_compare(r, s) < 0) {
        mote_pb_big_shift(r, 1);
        bits--;
    }
    /* The first bit, and 64 behind it, of which two only say whether there is something. */
    mote_pb_big_subtract(r, s);
    mote_pb_big_shift(r, mote_pb_big_zeros(s) + 32);
    mote_pb_big_shift(s, mote_pb_big_zeros(s));
    uint64_t first = mote_pb_big_divide(r, s);
    mote_pb_big_shift(r, 32);
    uint64_t second = mote_pb_big_divide(r, s);
    *e = bits - 62;
    return (uint64_t)1 << 63 | first << 31 | second >> 2 << 1 | ((second & 3) > 0 || r->count > 0);
}

/* q * 2^(e - 1) as a double, whose bits are put together here; q has 64 bits. False: too large. */
static bool round_to_double(uint64_t q, int e, double *value)
{
    enum { BITS = 53, LEAST = -1074, MOST = 971 };
    int power = e - 1 + 64 - BITS; /* of 2, of the last bit that is kept */
    unsigned drop = 64 - BITS;

    if (power < LEAST) {
        drop += (unsigned)(LEAST - power);
        power = LEAST;
    }
    if (drop > 64)
        q = 0;
    else {
        uint64_t half = (uint64_t)1 << (drop - 1), rest = drop == 64 ? q : q & (2 * half - 1);
        q = drop == 64 ? 0 : q >> drop;
        q += rest > half || (rest == half && q % 2 == 1);
    }
    if (q >> BITS) {
        q >>= 1;
        power++;
    }
    if (power > MOST)
        return false;
    uint64_t bits = q; /* a normal one has its first bit where the exponent is counted up */
    if (q >> (BITS - 1))
        bits += (uint64_t)(power - LEAST) << (BITS - 1);
    memcpy(value, &bits, sizeof bits);
    return true;
}

static bool divide_digits(json_digits *n, double *value)
{
    mote_pb_big r, s;
    int e;

    digits_of(n, &r);
    mote_pb_big_set(&s, 1);
    if (n->exponent >= 0)
        mote_pb_big_scale(&r, (unsigned)n->exponent);
    else
        mote_pb_big_scale(&s, (unsigned)-n->exponent);
    uint64_t q = divide(&r, &s, &e);
    return round_to_double(q, e + (int)n->exponent, value); /* 10 is 5 * 2 */
}

/* Up to 15 digits and 10^22 are doubles themselves: one rounding, by IEEE 754. */
static bool few_digits(const json_digits *n, double *value)
{
    double power = 1, whole = 0;
    int64_t tens = n->exponent < 0 ? -n->exponent : n->exponent;

    if (!MOTE_PB_EXACT_DOUBLES || n->count > 15 || tens > 22)
        return false;
    for (; tens > 0; tens--)
        power *= 10;
    const char *p = n->digits;
    for (size_t left = n->count; left > 0; p++) {
        if (*p == '.')
            continue;
        whole = whole * 10 + (*p - '0');
        left--;
    }
    *value = n->exponent < 0 ? whole / power : whole * power;
    return true;
}

bool mote_pb_json_real(const char *text, size_t len, double *value)
{
    json_digits n;

    if (!take_number(text, text + len, &n))
        return false;
    *value = 0;
    if (n.count > 0) {
        int64_t tens = n.exponent + (int64_t)n.count; /* the number is below 10^tens */
        if (tens > MOST_TENS)
            return false;
        if (tens > LEAST_TENS && !few_digits(&n, value) && !divide_digits(&n, value))
            return false;
    }
    if (n.negative)
        *value = -*value;
    return true;
}
