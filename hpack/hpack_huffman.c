/* Huffman code of RFC 7541 Appendix B. The code is canonical: within one length the codes of
 * ascending symbols are consecutive, so the symbols in that order and the first code of each length
 * hold all of it. */
#include "hpack_internal.h"

#ifndef MOTE_HPACK_SMALL

/* Symbols in the order of their codes; EOS, as symbol and rank 256, follows the last. */
static const uint8_t symbols[256] = {
    48,  49,  50,  97,  99,  101, 105, 111, 115, 116, 32,  37,  45,  46,  47,  51,  52,  53,  54,
    55,  56,  57,  61,  65,  95,  98,  100, 102, 103, 104, 108, 109, 110, 112, 114, 117, 58,  66,
    67,  68,  69,  70,  71,  72,  73,  74,  75,  76,  77,  78,  79,  80,  81,  82,  83,  84,  85,
    86,  87,  89,  106, 107, 113, 118, 119, 120, 121, 122, 38,  42,  44,  59,  88,  90,  33,  34,
    40,  41,  63,  39,  43,  124, 35,  62,  0,   36,  64,  91,  93,  126, 94,  125, 60,  96,  123,
    92,  195, 208, 128, 130, 131, 162, 184, 194, 224, 226, 153, 161, 167, 172, 176, 177, 179, 209,
    216, 217, 227, 229, 230, 129, 132, 133, 134, 136, 146, 154, 156, 160, 163, 164, 169, 170, 173,
    178, 181, 185, 186, 187, 189, 190, 196, 198, 228, 232, 233, 1,   135, 137, 138, 139, 140, 141,
    143, 147, 149, 150, 151, 152, 155, 157, 158, 165, 166, 168, 174, 175, 180, 182, 183, 188, 191,
    197, 231, 239, 9,   142, 144, 145, 148, 159, 171, 206, 215, 225, 236, 237, 199, 207, 234, 235,
    192, 193, 200, 201, 202, 205, 210, 213, 218, 219, 238, 240, 242, 243, 255, 203, 204, 211, 212,
    214, 221, 222, 223, 241, 244, 245, 246, 247, 248, 250, 251, 252, 253, 254, 2,   3,   4,   5,
    6,   7,   8,   11,  12,  14,  15,  16,  17,  18,  19,  20,  21,  23,  24,  25,  26,  27,  28,
    29,  30,  31,  127, 220, 249, 10,  13,  22,
};

/* The inverse: position of a symbol in that order. */
static const uint8_t ranks[256] = {
    84,  145, 224, 225, 226, 227, 228, 229, 230, 174, 253, 231, 232, 254, 233, 234, 235, 236, 237,
    238, 239, 240, 255, 241, 242, 243, 244, 245, 246, 247, 248, 249, 10,  74,  75,  82,  85,  11,
    68,  79,  76,  77,  69,  80,  70,  12,  13,  14,  0,   1,   2,   15,  16,  17,  18,  19,  20,
    21,  36,  71,  92,  22,  83,  78,  86,  23,  37,  38,  39,  40,  41,  42,  43,  44,  45,  46,
    47,  48,  49,  50,  51,  52,  53,  54,  55,  56,  57,  58,  72,  59,  73,  87,  95,  88,  90,
    24,  93,  3,   25,  4,   26,  5,   27,  28,  29,  6,   60,  61,  30,  31,  32,  7,   33,  62,
    34,  8,   9,   35,  63,  64,  65,  66,  67,  94,  81,  91,  89,  250, 98,  119, 99,  100, 120,
    121, 122, 146, 123, 147, 148, 149, 150, 151, 175, 152, 176, 177, 124, 153, 178, 154, 155, 156,
    157, 106, 125, 158, 126, 159, 160, 179, 127, 107, 101, 128, 129, 161, 162, 108, 163, 130, 131,
    180, 109, 132, 164, 165, 110, 111, 133, 112, 166, 134, 167, 168, 102, 135, 136, 137, 169, 138,
    139, 170, 190, 191, 103, 96,  140, 171, 141, 186, 192, 193, 194, 205, 206, 195, 181, 187, 97,
    113, 196, 207, 208, 197, 209, 182, 114, 115, 198, 199, 251, 210, 211, 212, 104, 183, 105, 116,
    142, 117, 118, 172, 143, 144, 188, 189, 184, 185, 200, 173, 201, 213, 202, 203, 214, 215, 216,
    217, 218, 252, 219, 220, 221, 222, 223, 204,
};

typedef struct {
    uint32_t first; /* first code of this length, left-aligned in 32 bits */
    uint16_t rank;  /* rank of its symbol */
    uint8_t len;    /* bits */
} code_group;

static const code_group groups[] = {
    {0x00000000, 0, 5},    {0x50000000, 10, 6},   {0xb8000000, 36, 7},   {0xf8000000, 68, 8},
    {0xfe000000, 74, 10},  {0xff400000, 79, 11},  {0xffa00000, 82, 12},  {0xffc00000, 84, 13},
    {0xfff00000, 90, 14},  {0xfff80000, 92, 15},  {0xfffe0000, 95, 19},  {0xfffe6000, 98, 20},
    {0xfffee000, 106, 21}, {0xffff4800, 119, 22}, {0xffffb000, 145, 23}, {0xffffea00, 174, 24},
    {0xfffff600, 186, 25}, {0xfffff800, 190, 26}, {0xfffffbc0, 205, 27}, {0xfffffe20, 224, 28},
    {0xfffffff0, 253, 30},
};

enum { GROUPS = sizeof groups / sizeof groups[0], EOS = 256 };

/* symbol << 4 | length for each leading byte of a code of at most 8 bits; 0: a longer one. */
static const uint16_t short_codes[256] = {
    773,  773,  773,  773,  773,  773,  773,  773,  789,  789,  789,  789,  789,  789,  789,  789,
    805,  805,  805,  805,  805,  805,  805,  805,  1557, 1557, 1557, 1557, 1557, 1557, 1557, 1557,
    1589, 1589, 1589, 1589, 1589, 1589, 1589, 1589, 1621, 1621, 1621, 1621, 1621, 1621, 1621, 1621,
    1685, 1685, 1685, 1685, 1685, 1685, 1685, 1685, 1781, 1781, 1781, 1781, 1781, 1781, 1781, 1781,
    1845, 1845, 1845, 1845, 1845, 1845, 1845, 1845, 1861, 1861, 1861, 1861, 1861, 1861, 1861, 1861,
    518,  518,  518,  518,  598,  598,  598,  598,  726,  726,  726,  726,  742,  742,  742,  742,
    758,  758,  758,  758,  822,  822,  822,  822,  838,  838,  838,  838,  854,  854,  854,  854,
    870,  870,  870,  870,  886,  886,  886,  886,  902,  902,  902,  902,  918,  918,  918,  918,
    982,  982,  982,  982,  1046, 1046, 1046, 1046, 1526, 1526, 1526, 1526, 1574, 1574, 1574, 1574,
    1606, 1606, 1606, 1606, 1638, 1638, 1638, 1638, 1654, 1654, 1654, 1654, 1670, 1670, 1670, 1670,
    1734, 1734, 1734, 1734, 1750, 1750, 1750, 1750, 1766, 1766, 1766, 1766, 1798, 1798, 1798, 1798,
    1830, 1830, 1830, 1830, 1878, 1878, 1878, 1878, 935,  935,  1063, 1063, 1079, 1079, 1095, 1095,
    1111, 1111, 1127, 1127, 1143, 1143, 1159, 1159, 1175, 1175, 1191, 1191, 1207, 1207, 1223, 1223,
    1239, 1239, 1255, 1255, 1271, 1271, 1287, 1287, 1303, 1303, 1319, 1319, 1335, 1335, 1351, 1351,
    1367, 1367, 1383, 1383, 1399, 1399, 1431, 1431, 1703, 1703, 1719, 1719, 1815, 1815, 1895, 1895,
    1911, 1911, 1927, 1927, 1943, 1943, 1959, 1959, 616,  680,  712,  952,  1416, 1448, 0,    0,
};

/* The group of each symbol. */
static const uint8_t symbol_groups[256] = {
    7,  14, 19, 19, 19, 19, 19, 19, 19, 15, 20, 19, 19, 20, 19, 19, 19, 19, 19, 19, 19, 19, 20, 19,
    19, 19, 19, 19, 19, 19, 19, 19, 1,  4,  4,  6,  7,  1,  3,  5,  4,  4,  3,  5,  3,  1,  1,  1,
    0,  0,  0,  1,  1,  1,  1,  1,  1,  1,  2,  3,  9,  1,  6,  4,  7,  1,  2,  2,  2,  2,  2,  2,
    2,  2,  2,  2,  2,  2,  2,  2,  2,  2,  2,  2,  2,  2,  2,  2,  3,  2,  3,  7,  10, 7,  8,  1,
    9,  0,  1,  0,  1,  0,  1,  1,  1,  0,  2,  2,  1,  1,  1,  0,  1,  2,  1,  0,  0,  1,  2,  2,
    2,  2,  2,  9,  5,  8,  7,  19, 11, 13, 11, 11, 13, 13, 13, 14, 13, 14, 14, 14, 14, 14, 15, 14,
    15, 15, 13, 14, 15, 14, 14, 14, 14, 12, 13, 14, 13, 14, 14, 15, 13, 12, 11, 13, 13, 14, 14, 12,
    14, 13, 13, 15, 12, 13, 14, 14, 12, 12, 13, 12, 14, 13, 14, 14, 11, 13, 13, 13, 14, 13, 13, 14,
    17, 17, 11, 10, 13, 14, 13, 16, 17, 17, 17, 18, 18, 17, 15, 16, 10, 12, 17, 18, 18, 17, 18, 15,
    12, 12, 17, 17, 19, 18, 18, 18, 11, 15, 11, 12, 13, 12, 12, 14, 13, 13, 16, 16, 15, 15, 17, 14,
    17, 18, 17, 17, 18, 18, 18, 18, 18, 19, 18, 18, 18, 18, 18, 17,
};

static const code_group *group_of(uint8_t symbol)
{
    return &groups[symbol_groups[symbol]];
}

size_t mote_hpack_huffman_size(const char *in, size_t len)
{
    size_t bits = 0;

    for (size_t i = 0; i < len; i++)
        bits += group_of((uint8_t)in[i])->len;
    return (bits + 7) / 8;
}

void mote_hpack_huffman_encode(const char *in, size_t len, uint8_t *out)
{
    uint64_t window = 0;
    unsigned count = 0;

    for (size_t i = 0; i < len; i++) {
        unsigned rank = ranks[(uint8_t)in[i]];
        const code_group *g = group_of((uint8_t)in[i]);
        window = window << g->len | ((g->first >> (32 - g->len)) + (rank - g->rank));
        for (count += g->len; count >= 8; count -= 8)
            *out++ = (uint8_t)(window >> (count - 8));
    }
    if (count > 0) /* RFC 7541 5.2: padded with the most significant bits of EOS, all ones */
        *out = (uint8_t)(window << (8 - count) | 0xffu >> count);
}

/* Decodes the first symbol of left-aligned bits: its length; 0: it needs more than `count`. */
static unsigned decode_symbol(uint64_t bits, unsigned count, unsigned *symbol)
{
    uint32_t window = (uint32_t)(bits >> 32);
    const code_group *g = groups;

    while (g + 1 < groups + GROUPS && g[1].first <= window)
        g++;
    if (g->len > count)
        return 0;
    unsigned rank = g->rank + ((window - g->first) >> (32 - g->len));
    *symbol = rank < EOS ? symbols[rank] : EOS;
    return g->len;
}

/* Moves whole bytes into the window, as many as it holds. */
static size_t refill_bits(uint64_t *bits, unsigned *count, const uint8_t *in, size_t len)
{
    size_t i = 0;

    for (; i < len && *count <= 56; *count += 8)
        *bits |= (uint64_t)in[i++] << (56 - *count);
    return i;
}

/* Decodes short codes as long as they lie whole in the window; returns how many. */
static size_t decode_short(uint64_t *bits, unsigned *count, char *out, size_t cap)
{
    size_t o = 0;
    uint64_t window = *bits;
    unsigned left = *count;

    while (o < cap) {
        unsigned code = short_codes[window >> 56];
        unsigned len = code & 15u;
        if (code == 0 || len > left)
            break;
        window <<= len;
        left -= len;
        out[o++] = (char)(code >> 4);
    }
    *bits = window;
    *count = left;
    return o;
}

/* Whole bytes behind the last symbol have not been used. */
static void give_back_bits(uint64_t *bits, unsigned *count, size_t *used)
{
    for (; *count >= 8 && *used > 0; --*used)
        *count -= 8;
    *bits &= ~(~(uint64_t)0 >> *count);
}

int mote_hpack_huffman_decode(mote_hpack_bits *b, const uint8_t *in, size_t len, size_t *used,
                              char *out, size_t cap, size_t *made)
{
    uint64_t bits = (uint64_t)b->bits << 32;
    unsigned count = b->count, symbol = 0;
    size_t i = 0, o = 0;

    MOTE_CHECK_THAT(mote_hpack_bits_valid(b));
    while (o < cap && symbol != EOS) {
        i += refill_bits(&bits, &count, in + i, len - i);
        o += decode_short(&bits, &count, out + o, cap - o);
        if (o == cap || (i < len && count <= 56))
            continue;
        unsigned n = decode_symbol(bits, count, &symbol);
        if (n == 0)
            break;
        bits <<= n;
        count -= n;
        if (symbol != EOS)
            out[o++] = (char)symbol;
    }
    if (o == cap || symbol == EOS)
        give_back_bits(&bits, &count, &i);
    b->bits = (uint32_t)(bits >> 32);
    b->count = (uint8_t)count;
    *used = i;
    *made = o;
    return symbol == EOS ? MOTE_HPACK_ERR_HUFFMAN : 0;
}

/* Beyond the scratch it is decoded to nowhere. */
int mote_hpack_append_huffman(mote_hpack_decoder *d, const uint8_t *in, size_t len)
{
    char nowhere[8];
    size_t used, made, room;

    do {
        char *to = nowhere;
        room = sizeof nowhere;
        if (d->field_len < d->scratch_size) {
            to = d->scratch + d->field_len;
            room = d->scratch_size - d->field_len;
        }
        int error = mote_hpack_huffman_decode(&d->huffman, in, len, &used, to, room, &made);
        if (error < 0)
            return error;
        d->field_len += (uint32_t)made;
        in += used;
        len -= used;
    } while (made == room);
    return 0;
}

#endif
