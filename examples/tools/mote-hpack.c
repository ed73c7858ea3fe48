/*
 * mote-hpack: header blocks in hex to fields and back, for people who debug them.
 *
 *   mote-hpack decode [--table-size N]
 *   mote-hpack encode [--table-size N] [--huffman auto|always|never] [--index auto|never]
 *
 * All blocks of a run belong to one connection, in order. The line "!table-size N" between two
 * blocks changes the limit of the dynamic table, as SETTINGS_HEADER_TABLE_SIZE would.
 */
#include "../../hpack/hpack.h"
#define OPTIONS_COMMON OPTIONS_HELP
#include "../common/options.h"

#include <stdbool.h>
#include <unistd.h>

enum { TABLE_MAX = 65504, SLOTS = 2048, LINE_MAX_LEN = 1 << 20, BLOCK_MAX = 1 << 21 };

static char line[LINE_MAX_LEN];
static unsigned long line_number;

static void fail(const char *why)
{
    fflush(stdout);
    fprintf(stderr, "error: line %lu: %s\n", line_number, why);
    exit(1);
}

static size_t parse_size(const char *text)
{
    char *end;
    unsigned long n = strtoul(text, &end, 10);

    if (end == text || *end != '\0' || n > TABLE_MAX)
        fail("table size is not within 0..65504");
    return n;
}

/* Reads a line without its end; false at the end of the input. */
static bool read_line(void)
{
    if (!fgets(line, sizeof line, stdin))
        return false;
    line_number++;
    size_t len = strcspn(line, "\r\n");
    if (line[len] == '\0' && !feof(stdin))
        fail("line too long");
    line[len] = '\0';
    return true;
}

static bool is_size_line(size_t *size)
{
    if (strncmp(line, "!table-size ", 12) != 0)
        return false;
    *size = parse_size(line + 12);
    return true;
}

/* ---- decode -------------------------------------------------------------------------------- */

static mote_hpack_decoder decoder;
static uint16_t table[MOTE_HPACK_TABLE_MEMORY(TABLE_MAX) / 2];
static char scratch[LINE_MAX_LEN];
static uint8_t block[BLOCK_MAX];

static int hex_digit(char ch)
{
    const char *digits = "0123456789abcdef", *at;

    if (ch >= 'A' && ch <= 'F')
        ch = (char)(ch - 'A' + 'a');
    at = ch ? strchr(digits, ch) : NULL;
    return at ? (int)(at - digits) : -1;
}

static size_t parse_hex(void)
{
    size_t n = 0;

    for (const char *p = line; *p;) {
        if (*p == ' ') {
            p++;
            continue;
        }
        if (hex_digit(p[0]) < 0 || hex_digit(p[1]) < 0)
            fail("is not hexadecimal");
        block[n++] = (uint8_t)(hex_digit(p[0]) * 16 + hex_digit(p[1]));
        p += 2;
    }
    return n;
}

/* Programs get the bytes as they are, in lines: what would begin a line of its own is no field of
 * HTTP (RFC 9113 8.2.1). */
static void print_field(const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if (text[i] == '\n' || text[i] == '\r' || text[i] == '\0')
            fail("a field has NUL, CR or LF, which no line can show");
    }
    if (isatty(STDOUT_FILENO))
        print_bytes(stdout, text, len);
    else
        fwrite(text, 1, len, stdout);
}

static void decode_block(size_t len)
{
    mote_hpack_field_view f;
    size_t at = 0, used;
    int r;

    while ((r = mote_hpack_decode(&decoder, block + at, len - at, &used, &f)) > 0) {
        at += used;
        if (f.flags & MOTE_HPACK_TOO_LONG)
            fail("field longer than 1 MiB");
        print_field(f.name, f.name_len);
        fputs(": ", stdout);
        print_field(f.value, f.value_len);
        putchar('\n');
    }
    if (r == 0)
        r = mote_hpack_decoder_end(&decoder);
    if (r < 0)
        fail(mote_hpack_strerror(r));
    putchar('\n');
}

static void decode_all(size_t table_size)
{
    size_t size;

    mote_hpack_decoder_init(&decoder, table, TABLE_MAX, table_size, scratch, sizeof scratch);
    while (read_line()) {
        if (is_size_line(&size))
            mote_hpack_decoder_limit(&decoder, size);
        else
            decode_block(parse_hex());
    }
}

/* ---- encode -------------------------------------------------------------------------------- */

static mote_hpack_encoder encoder;
static mote_hpack_slot slots[SLOTS];

/* The encoder's table knows fields by address, so equal fields are made the same object. */
static const mote_hpack_field *intern(const char *name, size_t name_len, const char *value,
                                      size_t value_len)
{
    enum { BUCKETS = 4096 };
    static struct node {
        mote_hpack_field field;
        struct node *next;
    } * buckets[BUCKETS];
    uint32_t hash = 2166136261u;

    for (size_t i = 0; i < name_len + 1 + value_len; i++)
        hash = (hash ^ (uint8_t)line[i]) * 16777619u;
    for (struct node *n = buckets[hash % BUCKETS]; n; n = n->next) {
        if (n->field.name_len == name_len && n->field.value_len == value_len &&
            memcmp(n->field.name, name, name_len) == 0 &&
            memcmp(n->field.value, value, value_len) == 0)
            return &n->field;
    }
    struct node *n = calloc(1, sizeof *n);
    char *copy = malloc(name_len + value_len + 1);
    if (!n || !copy)
        fail("out of memory");
    memcpy(copy, name, name_len);
    memcpy(copy + name_len, value, value_len);
    n->field =
        (mote_hpack_field){copy, copy + name_len, (uint16_t)name_len, (uint16_t)value_len, 0, 0};
    n->next = buckets[hash % BUCKETS];
    buckets[hash % BUCKETS] = n;
    return &n->field;
}

static int encode_line(uint8_t *out, size_t cap, bool index)
{
    const char *colon =
        line[0] ? strchr(line + 1, ':') : NULL; /* a pseudo-header begins with one */
    const char *value = colon ? colon + 1 : NULL;

    if (!colon)
        fail("is not name: value");
    value += *value == ' ';
    size_t name_len = (size_t)(colon - line), value_len = strlen(value);
    if (index && name_len < 4096 && value_len < 4096)
        return mote_hpack_encode(&encoder, intern(line, name_len, value, value_len), out, cap);
    return mote_hpack_encode_literal(&encoder, line, name_len, value, value_len, 0, out, cap);
}

static void print_block(size_t len)
{
    for (size_t i = 0; i < len; i++)
        printf("%02x", block[i]);
    putchar('\n');
}

static void encode_all(size_t table_size, bool index)
{
    size_t len = 0, size;
    bool open = false;

    mote_hpack_encoder_limit(&encoder, (uint32_t)table_size);
    while (read_line()) {
        if (!open && is_size_line(&size)) {
            mote_hpack_encoder_limit(&encoder, (uint32_t)size);
            continue;
        }
        if (line[0] == '\0') {
            if (open)
                print_block(len);
            open = false;
            len = 0;
            continue;
        }
        int n = open ? 0 : mote_hpack_encode_start(&encoder, block, sizeof block);
        open = true;
        len += (size_t)n;
        if ((n = encode_line(block + len, sizeof block - len, index)) < 0)
            fail(mote_hpack_strerror(n));
        len += (size_t)n;
    }
    if (open)
        print_block(len);
}

int main(int argc, char **argv)
{
    const char *size = "4096", *huffman = "auto", *index = "auto";
    const option options[] = {OPTION("--table-size", &size, "limit of the dynamic table (4096)"),
                              OPTION("--huffman", &huffman, "encode: auto, always or never"),
                              OPTION("--index", &index, "encode: auto or never"), OPTIONS_END};
    const char *about =
        "mote-hpack decode|encode: header blocks in hex to fields, and back\n\n"
        "A block is a line of hex; its fields are lines \"name: value\", with a\n"
        "blank line after each block. The line \"!table-size N\" between two blocks\n"
        "changes the limit of the table. All blocks are of one connection.";
    const char *mode = argc > 1 ? argv[1] : "";
    bool encode = strcmp(mode, "encode") == 0;

    if (!encode && strcmp(mode, "decode") != 0) {
        parse_options(argc, argv, about, options);
        fprintf(stderr, "error: neither decode nor encode (see --help)\n");
        return 2;
    }
    parse_options(argc - 1, argv + 1, about, options);
    mote_hpack_encoder_init(&encoder, slots, SLOTS);
    encoder.huffman = strcmp(huffman, "always") == 0  ? MOTE_HPACK_HUFFMAN_ALWAYS
                      : strcmp(huffman, "never") == 0 ? MOTE_HPACK_HUFFMAN_NEVER
                                                      : MOTE_HPACK_HUFFMAN_AUTO;
    if (encode)
        encode_all(parse_size(size), strcmp(index, "never") != 0);
    else
        decode_all(parse_size(size));
    return fflush(stdout) == 0 ? 0 : 1;
}
