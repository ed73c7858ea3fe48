/*
 * proves: mote_pb_read_varint, mote_pb_read_key, mote_pb_read_len of pb/pb_wire.c
 * unwind: 14
 *
 * N: up to 12 bytes of input, which is two more than the longest varint: all input.
 */
#include "proof.h"

#include "../../pb/pb_wire.c"

int main(void)
{
    size_t len = any_size(12), n;
    const uint8_t *in = any_bytes(len), *p = in;
    uint64_t v;
    uint32_t key;
    int r;

    switch (nondet_uint8_t()) {
    case 0:
        r = mote_pb_read_varint(&p, in + len, &v);
        break;
    case 1:
        r = mote_pb_read_key(&p, in + len, &key);
        SHOW(r < 0 || (key >= 8 && (key & 7) <= MOTE_PB_I32));
        break;
    default:
        r = mote_pb_read_len(&p, in + len, &n);
        SHOW(r < 0 || n <= (size_t)(in + len - p));
    }
    SHOW(r < 0 || (p >= in && p <= in + len));
    return 0;
}
