/* A message with 300 types of sub-messages: the last ones are found by their rows. */
#include "many.mote.h"

#include <string.h>

int main(void)
{
    static uint64_t memory[64];
    odd_many_S126 a = {126};
    odd_many_S128 b = {128};
    odd_many_S300 c = {300};
    odd_many_Big big = {.s126 = &a, .s128 = &b, .s300 = &c}, back;
    uint8_t out[64];
    mote_pb_arena arena;
    size_t len;

    mote_pb_arena_init(&arena, memory, sizeof memory);
    if (odd_many_Big_encode(&big, out, sizeof out, &len) != 0 ||
        odd_many_Big_decode(&back, out, len, &arena) != 0)
        return 1;
    return !(back.s126->x == 126 && back.s128->x == 128 && back.s300->x == 300 && !back.s127);
}
