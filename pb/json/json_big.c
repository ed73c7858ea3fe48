/* Whole numbers of many bits. */
#include "json_number_internal.h"

static void drop_zeros(mote_pb_big *b)
{
    while (b->count > 0 && b->w[b->count - 1] == 0)
        b->count--;
}

void mote_pb_big_set(mote_pb_big *b, uint64_t value)
{
    b->w[0] = (uint32_t)value;
    b->w[1] = (uint32_t)(value >> 32);
    b->count = 2;
    drop_zeros(b);
}

void mote_pb_big_multiply(mote_pb_big *b, uint32_t factor, uint32_t add)
{
    uint64_t carry = add;

    for (unsigned i = 0; i < b->count; i++) {
        carry += (uint64_t)b->w[i] * factor;
        b->w[i] = (uint32_t)carry;
        carry >>= 32;
    }
    if (carry > 0)
        b->w[b->count++] = (uint32_t)carry;
}

void mote_pb_big_scale(mote_pb_big *b, unsigned exponent)
{
    for (; exponent >= 13; exponent -= 13)
        mote_pb_big_multiply(b, 1220703125, 0);
    for (; exponent > 0; exponent--)
        mote_pb_big_multiply(b, 5, 0);
}

void mote_pb_big_shift(mote_pb_big *b, unsigned bits)
{
    unsigned words = bits / 32;

    if (b->count == 0)
        return;
    mote_pb_big_multiply(b, (uint32_t)1 << bits % 32, 0);
    for (unsigned i = b->count; words > 0 && i-- > 0;)
        b->w[i + words] = b->w[i];
    for (unsigned i = 0; i < words; i++)
        b->w[i] = 0;
    b->count += words;
}

unsigned mote_pb_big_bits(const mote_pb_big *b)
{
    unsigned bits = 32 * b->count;

    for (uint32_t top = b->count ? b->w[b->count - 1] : 0; top > 0 && top >> 31 == 0; top <<= 1)
        bits--;
    return bits;
}

int mote_pb_big_compare(const mote_pb_big *a, const mote_pb_big *b)
{
    if (a->count != b->count)
        return a->count < b->count ? -1 : 1;
    for (unsigned i = a->count; i-- > 0;) {
        if (a->w[i] != b->w[i])
            return a->w[i] < b->w[i] ? -1 : 1;
    }
    return 0;
}

int mote_pb_big_compare_sum(const mote_pb_big *a, const mote_pb_big *b, const mote_pb_big *c)
{
    unsigned count = a->count > b->count ? a->count : b->count;
    uint64_t carry = 0;
    int lower = 0;

    for (unsigned i = 0; i < count; i++) {
        carry += (uint64_t)(i < a->count ? a->w[i] : 0) + (i < b->count ? b->w[i] : 0);
        uint32_t word = (uint32_t)carry, other = i < c->count ? c->w[i] : 0;
        if (word != other)
            lower = word < other ? -1 : 1;
        carry >>= 32;
    }
    if (c->count > count)
        return c->count > count + 1 || carry < c->w[count] ? -1 : carry > c->w[count] ? 1 : lower;
    return carry > 0 ? 1 : lower;
}

void mote_pb_big_subtract(mote_pb_big *a, const mote_pb_big *b)
{
    uint64_t borrow = 0;

    for (unsigned i = 0; i < a->count; i++) {
        uint64_t less = (i < b->count ? b->w[i] : 0) + borrow;
        borrow = a->w[i] < less;
        a->w[i] = (uint32_t)(a->w[i] - less);
    }
    drop_zeros(a);
}

unsigned mote_pb_big_zeros(const mote_pb_big *b)
{
    return 32 * b->count - mote_pb_big_bits(b);
}

/* a -= b * factor, which is not larger. */
static void subtract_times(mote_pb_big *a, const mote_pb_big *b, uint32_t factor)
{
    uint64_t carry = 0;

    for (unsigned i = 0; i < a->count; i++) {
        carry += i < b->count ? (uint64_t)b->w[i] * factor : 0;
        uint32_t less = (uint32_t)carry;
        carry = (carry >> 32) + (a->w[i] < less);
        a->w[i] -= less;
    }
    drop_zeros(a);
}

/* Knuth, The Art of Computer Programming 2, 4.3.1, D: what the first words say is right, or a
 * little less. */
uint32_t mote_pb_big_divide(mote_pb_big *a, const mote_pb_big *b)
{
    unsigned n = b->count;
    uint64_t high = a->count > n ? a->w[n] : 0, low = a->count >= n ? a->w[n - 1] : 0;
    uint32_t digit = (uint32_t)((high << 32 | low) / ((uint64_t)b->w[n - 1] + 1));

    subtract_times(a, b, digit);
    for (; mote_pb_big_compare(a, b) >= 0; digit++)
        mote_pb_big_subtract(a, b);
    return digit;
}
