/*
 * proves: mote_grpc_parse_timeout, mote_grpc_format_timeout, mote_h2_decimal
 * of grpc/grpc_deadline.c and h2/h2_grammar.c
 * sources: h2/h2_grammar.c
 * unwind: 11
 *
 * N: up to 10 bytes of input, which is one more than any that is taken: all input. M: 9 bytes of
 * output, all 2^32 timeouts.
 */
#include "proof.h"

#include "../../grpc/grpc_deadline.c"

int main(void)
{
    if (nondet_bool()) {
        size_t len = any_size(10);
        char *in = any_bytes(len);
        uint64_t ms;
        if (mote_grpc_parse_timeout(in, len, &ms) == 0)
            SHOW(len >= 2 && len <= 9 && ms <= 99999999ull * 3600000);
        return 0;
    }
    char *out = any_bytes(9);
    size_t n = mote_grpc_format_timeout(nondet_uint32_t(), out);
    SHOW(n >= 2 && n <= 9);
    return 0;
}
