/* A decoder for the tests of HPACK: blocks in, lines of text out. */
#ifndef HPACK_HARNESS_H
#define HPACK_HARNESS_H

#include "../../hpack/hpack.h"
#include "../test.h"

#include <stdlib.h>

static mote_hpack_decoder decoder;
static uint16_t table[MOTE_HPACK_TABLE_MEMORY(4096) / 2];
static char scratch[4096];
static char text[65536];

static void start(size_t table_size)
{
    mote_hpack_decoder_init(&decoder, table, table_size, table_size, scratch, sizeof scratch);
}

static bool moves; /* before each block the table is kept elsewhere, and put back */

static inline void move_table(void)
{
    size_t len = mote_hpack_table_kept(&decoder);
    void *kept = malloc(len > 0 ? len : 1);

    if (!kept)
        abort();
    mote_hpack_table_keep(&decoder, kept);
    memset(table, 0xa5, sizeof table);
    mote_hpack_table_put(&decoder, table);
    free(kept);
}

/* Decodes a block in chunks; fields are appended to `text` as lines. The last result. */
static int decode_chunks(const uint8_t *in, size_t len, size_t chunk)
{
    mote_hpack_field_view f;
    size_t at = 0, used;
    int r = 0;

    text[0] = '\0';
    if (moves)
        move_table();
    while (r >= 0 && at < len) {
        size_t n = len - at < chunk ? len - at : chunk;
        r = mote_hpack_decode(&decoder, in + at, n, &used, &f);
        at += used;
        if (r > 0 && f.flags & MOTE_HPACK_TOO_LONG)
            strcat(text, "(too long)\n");
        else if (r > 0)
            snprintf(text + strlen(text), sizeof text - strlen(text), "%.*s: %.*s\n",
                     (int)f.name_len, f.name, (int)f.value_len, f.value);
    }
    return r < 0 ? r : mote_hpack_decoder_end(&decoder);
}

static inline int decode_hex(const char *hex)
{
    uint8_t block[4096];
    size_t len = unhex(hex, block);

    return decode_chunks(block, len, len);
}

static inline void expect(const char *hex, const char *fields)
{
    CHECK_INT(decode_hex(hex), 0);
    if (strcmp(text, fields) != 0)
        printf("got:\n%s", text);
    CHECK(strcmp(text, fields) == 0);
}

#endif
