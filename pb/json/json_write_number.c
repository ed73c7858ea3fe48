/*
 * The shortest decimals of doubles: by the method of Steele and White ("How to Print Floating-Point
 * Numbers Accurately", 1990), in whole numbers, so that it is right on machines whose registers
 * have more bits than their doubles.
 */
#include "json_number_internal.h"

#include <string.h>

/* A number f * 2^e, and whether the next smaller one is half as far as the next larger one. */
typedef struct {
    uint64_t f;
    int e;
    bool uneven;
} json_real;

/* Decimal digits 0.d1d2d3... * 10^point. */
typedef struct {
    char digits[20];
    unsigned count;
    int point;
} json_decimal;

/* ---- in doubles, where they are what they seem --------------------------------------------- */

/* Most numbers of measurements have few decimals: v * 10^k is whole and below 2^53, and divided by
 * 10^k again it is v: both are exact up to one rounding, by IEEE 754, so no shorter one is v. */
static bool few_decimals(double v, json_decimal *d)
{
    static const double powers[] = {1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6};

    if (!MOTE_PB_EXACT_DOUBLES || !(v < 1e9))
        return false;
    for (unsigned k = 0; k < sizeof powers / sizeof powers[0]; k++) {
        uint64_t whole = (uint64_t)(v * powers[k] + 0.5);
        if ((double)whole / powers[k] < v || (double)whole / powers[k] > v)
            continue;
        d->count = 0;
        for (uint64_t left = whole; left > 0; left /= 10)
            d->count++;
        for (unsigned i = d->count; i-- > 0; whole /= 10)
            d->digits[i] = (char)('0' + whole % 10);
        d->point = (int)d->count - (int)k;
        return true;
    }
    return false;
}

/* ---- in whole numbers ---------------------------------------------------------------------- */

/* The number is r / s, and half of the way to its neighbours below / s, and twice that above where
 * `uneven`. */
typedef struct {
    mote_pb_big r, s, below;
    bool uneven, even;
} json_fraction;

static void fraction_of(json_fraction *x, const json_real *v)
{
    mote_pb_big_set(&x->r, v->f);
    mote_pb_big_set(&x->s, v->uneven ? 4 : 2);
    mote_pb_big_set(&x->below, 1);
    mote_pb_big_shift(&x->r, v->uneven ? 2 : 1);
    if (v->e >= 0) {
        mote_pb_big_shift(&x->r, (unsigned)v->e);
        mote_pb_big_shift(&x->below, (unsigned)v->e);
    } else {
        mote_pb_big_shift(&x->s, (unsigned)-v->e);
    }
    x->uneven = v->uneven;
    x->even = v->f % 2 == 0;
}

/* r + what is above, beside s. */
static int compare_above(const json_fraction *x)
{
    mote_pb_big above;

    if (!x->uneven)
        return mote_pb_big_compare_sum(&x->r, &x->below, &x->s);
    above = x->below;
    mote_pb_big_shift(&above, 1);
    return mote_pb_big_compare_sum(&x->r, &above, &x->s);
}

static bool reaches_above(const json_fraction *x)
{
    int order = compare_above(x);

    return order > 0 || (order == 0 && x->even);
}

static bool reaches_below(const json_fraction *x)
{
    int order = mote_pb_big_compare(&x->r, &x->below);

    return order < 0 || (order == 0 && x->even);
}

static void scale_by_ten(mote_pb_big *b, unsigned exponent)
{
    mote_pb_big_scale(b, exponent);
    mote_pb_big_shift(b, exponent);
}

/* So that r / s is below 1, ten times it is not, and s has no zeros at its end. Returns the
 * exponent of ten. */
static int scale(json_fraction *x)
{
    int bits = (int)mote_pb_big_bits(&x->r) - (int)mote_pb_big_bits(&x->s);
    int point = bits * 1233 / 4096 - (bits < 0); /* 1233 / 4096: log10(2), a little less */

    if (point > 0) {
        scale_by_ten(&x->s, (unsigned)point);
    } else {
        scale_by_ten(&x->r, (unsigned)-point);
        scale_by_ten(&x->below, (unsigned)-point);
    }
    for (; reaches_above(x); point++)
        mote_pb_big_multiply(&x->s, 10, 0);
    unsigned zeros = mote_pb_big_zeros(&x->s);
    mote_pb_big_shift(&x->r, zeros);
    mote_pb_big_shift(&x->s, zeros);
    mote_pb_big_shift(&x->below, zeros);
    return point;
}

static void shortest(const json_real *v, json_decimal *d)
{
    json_fraction x;
    bool low, high;

    fraction_of(&x, v);
    d->point = scale(&x);
    d->count = 0;
    do {
        mote_pb_big_multiply(&x.r, 10, 0);
        mote_pb_big_multiply(&x.below, 10, 0);
        uint32_t digit = mote_pb_big_divide(&x.r, &x.s);
        low = reaches_below(&x);
        high = reaches_above(&x);
        if (high && (!low || mote_pb_big_compare_sum(&x.r, &x.r, &x.s) > 0))
            digit++;
        d->digits[d->count++] = (char)('0' + digit);
    } while (!low && !high);
}

/* ---- as a text ----------------------------------------------------------------------------- */

static size_t put_zeros(char *out, size_t n, int count)
{
    for (; count > 0; count--)
        out[n++] = '0';
    return n;
}

static size_t put_plain(const json_decimal *d, char *out)
{
    int count = (int)d->count;
    size_t n = 0;

    if (d->point <= 0) {
        out[n++] = '0';
        out[n++] = '.';
        n = put_zeros(out, n, -d->point);
    }
    for (int i = 0; i < count; i++) {
        if (i > 0 && i == d->point)
            out[n++] = '.';
        out[n++] = d->digits[i];
    }
    return put_zeros(out, n, d->point - count);
}

static size_t put_exponent(const json_decimal *d, char *out)
{
    int exponent = d->point - 1;
    unsigned size = (unsigned)(exponent < 0 ? -exponent : exponent);
    size_t n = 0;

    out[n++] = d->digits[0];
    if (d->count > 1)
        out[n++] = '.';
    memcpy(out + n, d->digits + 1, d->count - 1);
    n += d->count - 1;
    out[n++] = 'e';
    out[n++] = exponent < 0 ? '-' : '+';
    if (size >= 100)
        out[n++] = (char)('0' + size / 100);
    if (size >= 10)
        out[n++] = (char)('0' + size / 10 % 10);
    out[n++] = (char)('0' + size % 10);
    return n;
}

static size_t put_decimal(json_decimal *d, bool negative, char *out)
{
    out[0] = '-';
    if (negative && d->digits[0] == '0') {
        out[1] = out[3] = '0';
        out[2] = '.';
        return 4;
    }
    while (d->count > 1 && d->digits[d->count - 1] == '0')
        d->count--;
    if (d->point > -6 && d->point <= 21)
        return negative + put_plain(d, out + negative);
    return negative + put_exponent(d, out + negative);
}

static const json_decimal json_zero = {"0", 1, 1};

size_t mote_pb_json_double(double value, char out[MOTE_PB_JSON_NUMBER])
{
    enum { FRACTION = 52, LEAST = -1074 };
    json_decimal d = json_zero;
    uint64_t bits;

    memcpy(&bits, &value, sizeof bits);
    uint64_t f = bits & (((uint64_t)1 << FRACTION) - 1);
    int exponent = (int)(bits >> FRACTION & 0x7ff);
    json_real v = {f | (uint64_t)(exponent > 0) << FRACTION,
                   LEAST + (exponent > 0 ? exponent - 1 : 0), f == 0 && exponent > 1};
    if (v.f > 0 && !few_decimals(bits >> 63 ? -value : value, &d))
        shortest(&v, &d);
    return put_decimal(&d, bits >> 63, out);
}

size_t mote_pb_json_float(float value, char out[MOTE_PB_JSON_NUMBER])
{
    enum { FRACTION = 23, LEAST = -149 };
    json_decimal d = json_zero;
    uint32_t bits;

    memcpy(&bits, &value, sizeof bits);
    uint32_t f = bits & (((uint32_t)1 << FRACTION) - 1);
    int exponent = (int)(bits >> FRACTION & 0xff);
    json_real v = {f | (uint32_t)(exponent > 0) << FRACTION,
                   LEAST + (exponent > 0 ? exponent - 1 : 0), f == 0 && exponent > 1};
    if (v.f > 0)
        shortest(&v, &d);
    return put_decimal(&d, bits >> 31, out);
}
