/* The text form of a conversation is printed: see frames.h. What is printed is parsed again at
 * once, and where that gives other bytes, hexadecimal numbers take its place. */
#define _GNU_SOURCE

#include "../hpack/hpack.h"
#include "frames_internal.h"

#include <stdlib.h>
#include <string.h>

enum { PREFACE = 24, HEADER = 9, LINE = 32, TABLE = 65504 };

static const char preface[PREFACE + 1] = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/* The header blocks of a conversation, decoded for the comments. */
typedef struct {
    mote_hpack_decoder decoder;
    uint16_t table[MOTE_HPACK_TABLE_MEMORY(TABLE) / 2];
    char scratch[65535];
    bool failed;   /* there are no comments any more */
    bool cut;      /* the last fragment has ended inside of an instruction */
    bool comments; /* wanted at all */
} blocks;

typedef struct {
    uint8_t type, flags;
    uint32_t id, length; /* as the header says */
    const uint8_t *payload;
    size_t len; /* what is there */
} frame;

static uint32_t get32(const uint8_t *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static frame read_frame(const uint8_t *in, size_t len)
{
    frame f = {.type = in[3], .flags = in[4], .id = get32(in + 5), .length = get32(in) >> 8};

    f.payload = in + HEADER;
    f.len = f.length < len - HEADER ? f.length : len - HEADER;
    return f;
}

size_t mote_frames_next(const uint8_t *in, size_t len, size_t at, int *whole)
{
    size_t size = at == 0 && len >= PREFACE && memcmp(in, preface, PREFACE) == 0 ? PREFACE : 0;

    if (size == 0 && len - at >= HEADER)
        size = HEADER + (get32(in + at) >> 8);
    *whole = size > 0 && size <= len - at;
    return *whole ? at + size : len;
}

static void print_bytes(FILE *out, const char *word, const uint8_t *in, size_t len)
{
    for (size_t i = 0; i < len; i += LINE) {
        fprintf(out, "%s ", word);
        for (size_t n = i; n < len && n < i + LINE; n++)
            fprintf(out, "%02x", in[n]);
        fprintf(out, "\n");
    }
}

static void print_hex(FILE *out, const uint8_t *in, size_t len)
{
    print_bytes(out, "  hex", in, len);
}

static void print_text(FILE *out, const uint8_t *in, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if (in[i] >= ' ' && in[i] < 127 && in[i] != '"' && in[i] != '\\')
            fputc(in[i], out);
        else
            fprintf(out, "\\x%02x", in[i]);
    }
}

static void print_data(FILE *out, const uint8_t *in, size_t len)
{
    for (size_t i = 0; i < len; i += 2 * LINE) {
        fprintf(out, "  data \"");
        print_text(out, in + i, len - i < 2 * LINE ? len - i : 2 * LINE);
        fprintf(out, "\"\n");
    }
}

/* ---- header blocks ------------------------------------------------------------------------ */

/* Reads an integer; 0: it is cut or too large. */
static size_t read_integer(const uint8_t *in, size_t len, unsigned bits, uint32_t *value)
{
    uint32_t most = (1u << bits) - 1;
    size_t n = 1;

    if (len == 0)
        return 0;
    *value = in[0] & most;
    for (unsigned shift = 0; *value >= most || n > 1; shift += 7) {
        if (n == len || shift > 21)
            return 0;
        *value += (in[n] & 127u) << shift;
        if (in[n++] < 128)
            break;
    }
    return n;
}

static size_t read_string(const uint8_t *in, size_t len, block_string *s)
{
    uint32_t size;
    size_t n = read_integer(in, len, 7, &size);

    if (n == 0 || size > len - n)
        return 0;
    *s = (block_string){in + n, size, in[0] >= 128};
    return n + size;
}

/* Bytes of the instruction that the block begins with; 0: it is cut. */
static size_t read_instruction(const uint8_t *in, size_t len, block_instruction *i)
{
    static const uint8_t bits[] = {7, 6, 4, 4, 5};
    size_t n, more;

    i->kind = in[0] >= 128  ? BLOCK_INDEX
              : in[0] >= 64 ? BLOCK_ADD
              : in[0] >= 32 ? BLOCK_SIZE
              : in[0] >= 16 ? BLOCK_NEVER
                            : BLOCK_PLAIN;
    n = read_integer(in, len, bits[i->kind], &i->number);
    if (n == 0 || i->kind == BLOCK_INDEX || i->kind == BLOCK_SIZE)
        return n;
    if (i->number == 0) {
        more = read_string(in + n, len - n, &i->name);
        if (more == 0)
            return 0;
        n += more;
    }
    more = read_string(in + n, len - n, &i->value);
    return more > 0 ? n + more : 0;
}

/* The string of Huffman code; false: it is not what our encoder makes of it. */
static bool decode_string(const block_string *s, char *text, size_t room, size_t *made)
{
    static uint8_t again[65536];
    mote_hpack_bits bits = {0, 0};
    size_t used;

    return s->len < sizeof again && s->len * 2 < room &&
           mote_hpack_huffman_decode(&bits, s->bytes, s->len, &used, text, room, made) == 0 &&
           mote_hpack_huffman_end(&bits) == 0 && mote_hpack_huffman_size(text, *made) == s->len &&
           (mote_hpack_huffman_encode(text, *made, again), memcmp(again, s->bytes, s->len) == 0);
}

static bool print_string(FILE *out, const block_string *s)
{
    static char text[1 << 17];
    const uint8_t *bytes = s->bytes;
    size_t len = s->len;

    if (s->huffman) {
        if (!decode_string(s, text, sizeof text, &len))
            return false;
        bytes = (const uint8_t *)text;
    }
    fprintf(out, s->huffman ? " ~\"" : " \"");
    print_text(out, bytes, len);
    fputc('"', out);
    return true;
}

/* False: there is no other form than bytes. */
static bool print_instruction(FILE *out, const uint8_t *in, size_t len, const block_instruction *i)
{
    static uint8_t again[MOTE_FRAMES_MAX];
    bool literal = i->kind != BLOCK_INDEX && i->kind != BLOCK_SIZE;

    if (len > sizeof again / 2 || mote_frames_instruction(again, i) != len ||
        memcmp(again, in, len) != 0)
        return false;
    fprintf(out, "  %s", mote_frames_block_words[i->kind]);
    if (!literal || i->number > 0)
        fprintf(out, " %u", (unsigned)i->number);
    else if (!print_string(out, &i->name))
        return false;
    return !literal || print_string(out, &i->value);
}

/* Goes on with the table, and says what was decoded; `out` may be NULL. */
static void print_comment(FILE *out, blocks *b, const uint8_t *in, size_t len)
{
    mote_hpack_field_view f;
    size_t used;
    int r;

    while (!b->failed && (r = mote_hpack_decode(&b->decoder, in, len, &used, &f)) != 0) {
        in += used;
        len -= used;
        b->failed = r < 0;
        if (out && b->comments && r > 0) {
            fprintf(out, " # ");
            print_text(out, (const uint8_t *)f.name, f.name_len);
            fprintf(out, ": ");
            print_text(out, (const uint8_t *)f.value, f.value_len);
        } else if (out && b->comments)
            fprintf(out, " # %s", mote_hpack_strerror(r));
    }
}

static void print_one_instruction(FILE *out, blocks *b, const uint8_t *in, size_t len,
                                  const block_instruction *i)
{
    char *line = NULL;
    size_t size = 0;
    FILE *text = open_memstream(&line, &size);

    if (!text)
        abort();
    bool good = print_instruction(text, in, len, i);
    fclose(text);
    if (good) {
        fprintf(out, "%s", line);
        print_comment(i->number > 0 ? out : NULL, b, in, len);
        fprintf(out, "\n");
    } else {
        print_hex(out, in, len);
        print_comment(NULL, b, in, len);
    }
    free(line);
}

static void print_block(FILE *out, blocks *b, const uint8_t *in, size_t len, bool last)
{
    block_instruction i = {.number = 0};
    size_t n;

    while (len > 0) {
        n = b->cut ? 0 : read_instruction(in, len, &i);
        if (n > 0)
            print_one_instruction(out, b, in, len < n ? len : n, &i);
        else {
            print_hex(out, in, len);
            print_comment(NULL, b, in, len);
            n = len;
            b->cut = true;
        }
        in += n;
        len -= n;
    }
    if (!last)
        return;
    b->cut = false;
    b->failed = b->failed || mote_hpack_decoder_end(&b->decoder) < 0;
}

/* ---- frames ------------------------------------------------------------------------------- */

static void print_number(FILE *out, const char *word, uint32_t value)
{
    if (value > 0)
        fprintf(out, value >> 31 ? " %s=0x%x" : " %s=%u", word, (unsigned)value);
}

static void print_heading(FILE *out, const frame *f)
{
    unsigned left = f->flags;
    const char *between = " flags=";

    if (f->type < FRAME_TYPES)
        fprintf(out, "%s", mote_frames_types[f->type]);
    else
        fprintf(out, "type=0x%02x", f->type);
    print_number(out, "stream", f->id);
    for (const frame_word *w = mote_frames_flags(f->type); w->name; w++) {
        if (left & w->value) {
            fprintf(out, "%s%s", between, w->name);
            between = "|";
            left &= ~w->value;
        }
    }
    if (left)
        fprintf(out, "%s0x%02x", between, left);
    if (f->len < f->length)
        fprintf(out, " length=%u", (unsigned)f->length);
}

static void print_code(FILE *out, uint32_t code)
{
    if (code < FRAME_CODES)
        fprintf(out, " code=%s", mote_frames_codes[code]);
    else
        fprintf(out, " code=0x%x", (unsigned)code);
}

/* Padding and priority; false: they do not fit, or hide something. */
static bool print_fixed(FILE *out, frame *f, size_t *pad)
{
    *pad = 0;
    if (f->flags & 8) {
        if (f->len == 0 || f->payload[0] >= f->len)
            return false;
        *pad = f->payload[0];
        for (size_t i = 0; i < *pad; i++) {
            if (f->payload[f->len - 1 - i] != 0)
                return false;
        }
        fprintf(out, " pad=%zu", *pad);
        f->payload++;
        f->len -= 1 + *pad;
    }
    if (f->type == 1 && f->flags & 32) {
        if (f->len < 5)
            return false;
        fprintf(out, " exclusive=%u depends=%u weight=%u", (unsigned)(f->payload[0] >> 7),
                (unsigned)(get32(f->payload) & 0x7fffffff), f->payload[4]);
        f->payload += 5;
        f->len -= 5;
    }
    return true;
}

static void print_settings(FILE *out, const frame *f)
{
    for (size_t at = 0; at < f->len; at += 6) {
        uint32_t id = (uint32_t)f->payload[at] << 8 | f->payload[at + 1];
        const char *name = NULL;

        for (size_t i = 0; i < FRAME_SETTINGS; i++) {
            if (mote_frames_settings[i].value == id)
                name = mote_frames_settings[i].name;
        }
        if (name)
            fprintf(out, "  set %s %u\n", name, (unsigned)get32(f->payload + at + 2));
        else
            fprintf(out, "  set 0x%x %u\n", (unsigned)id, (unsigned)get32(f->payload + at + 2));
    }
}

static void print_content(FILE *out, const frame *f)
{
    if (f->len >= 5 && f->payload[0] <= 1 && get32(f->payload + 1) == f->len - 5) {
        fprintf(out, "  prefix %u %u\n", f->payload[0], (unsigned)(f->len - 5));
        print_data(out, f->payload + 5, f->len - 5);
    } else
        print_data(out, f->payload, f->len);
}

/* The frames that are fields and no more; false: this one is none of them. */
static bool print_small(FILE *out, const frame *f)
{
    if (f->type == 2 && f->len == 5)
        fprintf(out, " exclusive=%u depends=%u weight=%u\n", (unsigned)(f->payload[0] >> 7),
                (unsigned)(get32(f->payload) & 0x7fffffff), f->payload[4]);
    else if (f->type == 3 && f->len == 4) {
        print_code(out, get32(f->payload));
        fprintf(out, "\n");
    } else if (f->type == 8 && f->len == 4)
        fprintf(out, " increment=%u\n", (unsigned)get32(f->payload));
    else if (f->type == 7 && f->len >= 8) {
        fprintf(out, " last=%u", (unsigned)get32(f->payload));
        print_code(out, get32(f->payload + 4));
        fprintf(out, "\n");
        print_data(out, f->payload + 8, f->len - 8);
    } else if (f->type == 4 && f->len % 6 == 0) {
        fprintf(out, "\n");
        print_settings(out, f);
    } else
        return false;
    return true;
}

/* A frame whose payload is whole; false: it has no form but bytes. */
static bool print_known(FILE *out, frame f, blocks *b)
{
    size_t pad = 0;

    if (f.len < f.length)
        return false;
    print_heading(out, &f);
    if (print_small(out, &f))
        return true;
    if (f.type > 9 || ((f.type <= 1 || f.type == 5) && !print_fixed(out, &f, &pad)))
        return false;
    if (f.type == 5 && f.len >= 4) {
        fprintf(out, " promised=%u", (unsigned)get32(f.payload));
        f.payload += 4;
        f.len -= 4;
    }
    fprintf(out, "\n");
    if (f.type == 1 || f.type == 9 || f.type == 5)
        print_block(out, b, f.payload, f.len, f.flags & 4);
    else if (f.type == 0)
        print_content(out, &f);
    else
        print_data(out, f.payload, f.len);
    return true;
}

static bool parses_as(const char *text, const uint8_t *in, size_t len)
{
    static uint8_t again[MOTE_FRAMES_MAX];
    size_t line;
    const char *why;

    return mote_frames_parse(text, again, sizeof again, &line, &why) == len &&
           memcmp(again, in, len) == 0;
}

static void print_frame(FILE *out, const uint8_t *in, size_t len, blocks *b)
{
    char *text = NULL;
    size_t size = 0;
    FILE *known = open_memstream(&text, &size);
    frame f = read_frame(in, len);

    if (!known)
        abort();
    bool good = print_known(known, f, b);
    fclose(known);
    if (good && parses_as(text, in, HEADER + f.len))
        fprintf(out, "%s", text);
    else {
        print_heading(out, &f);
        fprintf(out, "\n");
        print_hex(out, f.payload, f.len);
    }
    free(text);
}

static void start_blocks(blocks *b, bool comments)
{
    memset(b, 0, sizeof *b);
    b->comments = comments;
    mote_hpack_decoder_init(&b->decoder, b->table, TABLE, TABLE, b->scratch, sizeof b->scratch);
}

void mote_frames_print(FILE *out, const uint8_t *in, size_t len, size_t choices)
{
    static blocks b;
    size_t at = choices < len ? choices : len;
    int whole;

    start_blocks(&b, true);
    if (at > 0)
        fprintf(out, "choices");
    for (size_t i = 0; i < at; i++)
        fprintf(out, " %02x%s", in[i], i + 1 == at ? "\n" : "");
    in += at;
    len -= at;
    for (at = 0; at < len; at = mote_frames_next(in, len, at, &whole)) {
        if (at == 0 && len >= PREFACE && memcmp(in, preface, PREFACE) == 0)
            fprintf(out, "preface\n");
        else if (len - at >= HEADER)
            print_frame(out, in + at, len - at, &b);
        else
            print_bytes(out, "rest", in + at, len - at);
    }
}

void mote_frames_print_one(FILE *out, const uint8_t *in, size_t len)
{
    static blocks b;
    char *text = NULL;
    size_t size = 0;
    FILE *lines = open_memstream(&text, &size);

    if (!lines)
        abort();
    start_blocks(&b, false);
    if (len >= HEADER)
        print_frame(lines, in, len, &b);
    fclose(lines);
    for (size_t i = 0; i < size; i++)
        fputc(text[i] != '\n' ? text[i] : i + 1 < size ? ';' : ' ', out);
    free(text);
}
