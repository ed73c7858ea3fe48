/* Fields of class that the options give to one direction: texts is only sent, packed only received.
 */
#include "nasty.mote.h"

#include <stdio.h>
#include <string.h>

static nasty_v1_class decode(const mote_pb_message *layout, const uint8_t *in, size_t len)
{
    static uint64_t memory[3][512];
    static size_t turn;
    mote_pb_decoder decoder = MOTE_PB_DECODER(layout);
    mote_pb_arena arena;
    nasty_v1_class m;

    mote_pb_arena_init(&arena, memory[turn++], sizeof memory[0]);
    if (mote_pb_decode(&decoder, &m, in, len, &arena, NULL) < 0)
        memset(&m, 0, sizeof m);
    return m;
}

int main(void)
{
    const mote_pb_string text = MOTE_PB_STRING("sent");
    nasty_v1_class inner = {.texts = {&text, 1}, .packed = {.items = (int64_t[]){1}, .count = 1}};
    nasty_v1_class m = {.self = &inner, .texts = {&text, 1}, .f32 = 7};
    uint8_t out[200];
    size_t len, plain;

    nasty_v1_class_encode(&m, out, sizeof out, &len);
    nasty_v1_class all = decode(&nasty_v1_class_layout, out, len);
    nasty_v1_class own = decode(&nasty_v1_class_decode_layout, out, len);
    if (all.texts.count != 1 || all.self->texts.count != 1 || all.f32 != 7 ||
        all.self->packed.count != 0 || own.texts.count != 0 || own.self->texts.count != 0)
        return printf("encode: %zu texts, %zu packed\n", all.texts.count, all.self->packed.count),
               1;

    static const mote_pb_encoder both = MOTE_PB_ENCODER(&nasty_v1_class_layout);
    mote_pb_encode(&both, &m, out, sizeof out, &plain);
    own = decode(&nasty_v1_class_decode_layout, out, plain);
    if (plain == len || own.self->packed.count != 1 || own.f32 != 7)
        return printf("decode: %zu packed\n", own.self->packed.count), 1;
    return 0;
}
