/* Messages of json.proto: frames of a direction (1 byte: 0 from the wire to JSON, 1 back) and a
 * length (4 bytes, little-endian) on standard input; a result (0, or the error negated) and a
 * length on standard output, and that many bytes. */
#include "json.mote.h"

#include <stdio.h>
#include <stdlib.h>

static const mote_pb_json_known in_any[] = {
    {&json_Kinds_json, &json_Kinds_encoder, &json_Kinds_decoder},
    {&google_protobuf_Duration_json, &google_protobuf_Duration_encoder,
     &google_protobuf_Duration_decoder},
    {&google_protobuf_Struct_json, &google_protobuf_Struct_encoder,
     &google_protobuf_Struct_decoder}};
static const mote_pb_json_options options = {in_any, sizeof in_any / sizeof in_any[0], false};

static uint8_t memory[1 << 22], out[1 << 20];

static int convert(bool from_json, const uint8_t *in, size_t len, size_t *size)
{
    json_Kinds message;
    mote_pb_arena arena;
    int r;

    mote_pb_arena_init(&arena, memory, sizeof memory);
    if (!from_json) {
        r = json_Kinds_decode(&message, in, len, &arena);
        return r < 0 ? r
                     : mote_pb_json_encode(&json_Kinds_json, &message, &options, &arena,
                                           (char *)out, sizeof out, size);
    }
    r = mote_pb_json_decode(&json_Kinds_json, &message, (const char *)in, len, &options, &arena,
                            NULL);
    return r < 0 ? r : json_Kinds_encode(&message, out, sizeof out, size);
}

int main(void)
{
    uint8_t head[5];

    while (fread(head, 1, 5, stdin) == 5) {
        size_t len = head[1] | (size_t)head[2] << 8 | (size_t)head[3] << 16 | (size_t)head[4] << 24;
        uint8_t *in = malloc(len + 1);
        size_t size = 0;
        if (!in || fread(in, 1, len, stdin) != len)
            return 1;
        int32_t result = -convert(head[0], in, len, &size);
        uint32_t n = result == 0 ? (uint32_t)size : 0;
        fwrite(&result, 4, 1, stdout);
        fwrite(&n, 4, 1, stdout);
        fwrite(out, 1, n, stdout);
        fflush(stdout);
        free(in);
    }
    return 0;
}
