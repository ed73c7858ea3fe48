/*
 * proves: mote_grpc_percent_decode, mote_grpc_percent_size, mote_grpc_percent_encode,
 *   mote_grpc_bin_encode, mote_grpc_bin_decode of grpc/grpc_text.c
 * unwind: 8
 *
 * N: up to 6 bytes of input, M: up to 6 of output. Each loop takes 1 to 3 bytes a turn, and nothing
 * is carried from turn to turn but counts and at most 8 bits: longer input is a repetition.
 */
#include "proof.h"

#include "../../grpc/grpc_text.c"

enum { N = 6 };

int main(void)
{
    size_t len = any_size(N), cap = any_size(N);
    char *in = any_bytes(len);
    char *out = any_bytes(cap);

    switch (nondet_uint8_t()) {
    case 0: {
        size_t n = mote_grpc_percent_decode(in, len, out, cap);
        SHOW(n <= cap && n <= len);
        break;
    }
    case 1: {
        size_t taken = len, n = mote_grpc_percent_size(in, &taken, cap);
        SHOW(taken <= len && n <= cap && n >= taken && n <= 3 * taken);
        char *exact = any_bytes(n);
        mote_grpc_percent_encode(in, taken, exact);
        break;
    }
    case 2: {
        int n = mote_grpc_bin_encode((uint8_t *)in, len, out, cap);
        SHOW(n == MOTE_GRPC_ERR_SPACE ||
             (n >= 0 && (size_t)n <= cap && (size_t)n == (len * 4 + 2) / 3));
        break;
    }
    case 3: {
        int n = mote_grpc_bin_decode(in, len, (uint8_t *)out, cap);
        SHOW(n < 0 || ((size_t)n <= cap && (size_t)n <= len));
        break;
    }
    default: {
        int n = mote_grpc_bin_decode(in, len, NULL, 0);
        SHOW(n < 0 || (size_t)n <= len);
    }
    }
    return 0;
}
