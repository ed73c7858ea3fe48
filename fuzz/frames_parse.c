/* The text form of a conversation is parsed: see frames.h. */
#define _GNU_SOURCE

#include "../hpack/hpack.h"
#include "frames_internal.h"

#include <stdlib.h>
#include <string.h>

enum { HEADER = 9 };

typedef struct {
    const char *at; /* of the line */
    uint8_t *out;
    size_t len, room;
    size_t frame;      /* where the frame in progress begins; SIZE_MAX: there is none */
    uint32_t said;     /* its length=; UINT32_MAX: none */
    size_t pad;        /* zeros that end it */
    const char *error; /* NULL: none */
} parser;

static void fail(parser *p, const char *why)
{
    if (!p->error)
        p->error = why;
}

static void put(parser *p, const void *bytes, size_t len)
{
    if (len > p->room - p->len) {
        fail(p, "the conversation is larger than there is room");
        return;
    }
    if (len > 0)
        memcpy(p->out + p->len, bytes, len);
    p->len += len;
}

static void put_number(parser *p, uint32_t value, unsigned bytes)
{
    uint8_t b[4];

    for (unsigned i = 0; i < bytes; i++)
        b[i] = (uint8_t)(value >> 8 * (bytes - 1 - i));
    put(p, b, bytes);
}

/* ---- words of a line ---------------------------------------------------------------------- */

static void skip_blanks(parser *p)
{
    while (*p->at == ' ' || *p->at == '\t' || *p->at == '\r')
        p->at++;
}

static bool at_end(parser *p)
{
    skip_blanks(p);
    return *p->at == '\0' || *p->at == '\n' || *p->at == '#';
}

/* The next word, up to a blank or one of `stops`. */
static size_t word(parser *p, const char *stops, const char **start)
{
    skip_blanks(p);
    *start = p->at;
    while (*p->at && !strchr(" \t\r\n#", *p->at) && !strchr(stops, *p->at))
        p->at++;
    return (size_t)(p->at - *start);
}

static bool is(const char *start, size_t len, const char *text)
{
    return strlen(text) == len && memcmp(start, text, len) == 0;
}

static uint32_t number_of(parser *p, const char *start, size_t len)
{
    char text[24], *end;
    unsigned long long value;

    if (len == 0 || len >= sizeof text) {
        fail(p, "a number is wanted");
        return 0;
    }
    memcpy(text, start, len);
    text[len] = '\0';
    value = strtoull(text, &end, 0);
    if (*end || text[0] == '-' || value > UINT32_MAX)
        fail(p, "a number is wanted");
    return (uint32_t)value;
}

static uint32_t number(parser *p)
{
    const char *start;
    size_t len = word(p, "", &start);

    return number_of(p, start, len);
}

static int hex_digit(char c)
{
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

static bool hex_byte(const char *at, uint8_t *byte)
{
    if (hex_digit(at[0]) < 0 || hex_digit(at[1]) < 0)
        return false;
    *byte = (uint8_t)(hex_digit(at[0]) << 4 | hex_digit(at[1]));
    return true;
}

/* One character behind a backslash. */
static uint8_t escaped(parser *p)
{
    uint8_t byte = 0;
    char c = *p->at++;

    if (c == 'x' && hex_byte(p->at, &byte)) {
        p->at += 2;
        return byte;
    }
    switch (c) {
    case 'n':
        return '\n';
    case 'r':
        return '\r';
    case 't':
        return '\t';
    case '"':
    case '\\':
        return (uint8_t)c;
    default:
        fail(p, "behind \\ stands x and two digits, n, r, t, \" or \\");
        p->at--;
        return 0;
    }
}

/* A string in quotes; its bytes lie in `to`. */
static size_t quoted(parser *p, uint8_t *to, size_t room)
{
    size_t n = 0;

    skip_blanks(p);
    if (*p->at != '"') {
        fail(p, "a string in quotes is wanted");
        return 0;
    }
    for (p->at++; *p->at != '"' && !p->error;) {
        uint8_t byte = (uint8_t)*p->at;

        if (byte == '\0' || byte == '\n')
            fail(p, "a string has no end");
        else if (p->at++, byte == '\\')
            byte = escaped(p);
        if (n < room)
            to[n++] = byte;
        else
            fail(p, "a string is too long");
    }
    p->at += !p->error;
    return n;
}

/* ---- below a frame ------------------------------------------------------------------------ */

static void parse_hex(parser *p)
{
    uint8_t byte;

    while (!at_end(p) && !p->error) {
        if (hex_byte(p->at, &byte)) {
            put(p, &byte, 1);
            p->at += 2;
        } else
            fail(p, "hexadecimal digits come in pairs");
    }
}

static void parse_data(parser *p)
{
    size_t n = quoted(p, p->out + p->len, p->room - p->len);

    p->len += p->error ? 0 : n;
}

static void parse_prefix(parser *p)
{
    put_number(p, number(p), 1);
    put_number(p, number(p), 4);
}

static void parse_setting(parser *p)
{
    const char *start;
    size_t len = word(p, "", &start);
    uint32_t id = 0;

    for (size_t i = 0; i < FRAME_SETTINGS; i++) {
        if (is(start, len, mote_frames_settings[i].name))
            id = mote_frames_settings[i].value;
    }
    put_number(p, id ? id : number_of(p, start, len), 2);
    put_number(p, number(p), 4);
}

typedef struct {
    uint8_t plain[1 << 16], coded[1 << 18];
} string_room;

static void parse_string(parser *p, string_room *room, block_string *s)
{
    skip_blanks(p);
    s->huffman = *p->at == '~';
    p->at += s->huffman;
    s->len = quoted(p, room->plain, sizeof room->plain);
    s->bytes = room->plain;
    if (s->huffman) {
        const char *text = (const char *)room->plain;
        size_t len = s->len;
        s->len = mote_hpack_huffman_size(text, len);
        mote_hpack_huffman_encode(text, len, room->coded);
        s->bytes = room->coded;
    }
}

static void parse_instruction(parser *p, block_kind kind)
{
    static string_room name, value;
    static uint8_t bytes[1 << 20];
    block_instruction i = {.kind = kind};

    skip_blanks(p);
    if (kind == BLOCK_INDEX || kind == BLOCK_SIZE || (*p->at >= '0' && *p->at <= '9'))
        i.number = number(p);
    else
        parse_string(p, &name, &i.name);
    if (kind != BLOCK_INDEX && kind != BLOCK_SIZE)
        parse_string(p, &value, &i.value);
    if (!p->error)
        put(p, bytes, mote_frames_instruction(bytes, &i));
}

static void parse_below(parser *p)
{
    static const struct {
        const char *word;
        void (*parse)(parser *p);
    } forms[] = {
        {"hex", parse_hex}, {"data", parse_data}, {"prefix", parse_prefix}, {"set", parse_setting}};
    const char *start;
    size_t len = word(p, "", &start);

    if (p->frame == SIZE_MAX)
        fail(p, "there is no frame above");
    for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++) {
        if (is(start, len, forms[i].word)) {
            forms[i].parse(p);
            return;
        }
    }
    for (int i = 0; i <= BLOCK_SIZE; i++) {
        if (is(start, len, mote_frames_block_words[i])) {
            parse_instruction(p, (block_kind)i);
            return;
        }
    }
    fail(p, "unknown word below a frame");
}

/* ---- frames ------------------------------------------------------------------------------- */

typedef enum {
    KEY_STREAM,
    KEY_FLAGS,
    KEY_LENGTH,
    KEY_PAD,
    KEY_EXCLUSIVE,
    KEY_DEPENDS,
    KEY_WEIGHT,
    KEY_PROMISED,
    KEY_LAST,
    KEY_CODE,
    KEY_INCREMENT,
    KEYS
} heading_key;

typedef struct {
    uint8_t type;
    uint32_t value[KEYS];
    bool there[KEYS];
} heading;

static uint32_t parse_flags(parser *p, uint8_t type)
{
    uint32_t flags = 0;

    for (;;) {
        const char *start;
        size_t len = word(p, "|", &start);
        const frame_word *w = mote_frames_flags(type);

        while (w->name && !is(start, len, w->name))
            w++;
        flags |= w->name ? w->value : number_of(p, start, len);
        if (*p->at != '|' || p->error)
            return flags;
        p->at++;
    }
}

static uint32_t parse_code(parser *p)
{
    const char *start;
    size_t len = word(p, "", &start);

    for (uint32_t i = 0; i < FRAME_CODES; i++) {
        if (is(start, len, mote_frames_codes[i]))
            return i;
    }
    return number_of(p, start, len);
}

static void parse_key(parser *p, heading *h)
{
    static const char *const keys[KEYS] = {"stream",    "flags",   "length",   "pad",
                                           "exclusive", "depends", "weight",   "promised",
                                           "last",      "code",    "increment"};
    const char *start;
    size_t len = word(p, "=", &start), key = 0;

    while (key < KEYS && !is(start, len, keys[key]))
        key++;
    if (key == KEYS || *p->at != '=') {
        fail(p, "unknown word in the line of a frame");
        return;
    }
    p->at++;
    h->there[key] = true;
    h->value[key] = key == KEY_FLAGS  ? parse_flags(p, h->type)
                    : key == KEY_CODE ? parse_code(p)
                                      : number(p);
}

static void end_frame(parser *p)
{
    static const uint8_t zeros[256];
    size_t len;

    if (p->frame == SIZE_MAX)
        return;
    put(p, zeros, p->pad);
    if (p->error)
        return;
    len = p->said != UINT32_MAX ? p->said : p->len - p->frame - HEADER;
    if (len >= 1 << 24)
        fail(p, "a frame has at most 16,777,215 bytes");
    for (int i = 0; i < 3; i++)
        p->out[p->frame + (size_t)i] = (uint8_t)(len >> (16 - 8 * i));
    p->frame = SIZE_MAX;
}

static void put_fixed(parser *p, const heading *h)
{
    if (h->there[KEY_PAD])
        put_number(p, h->value[KEY_PAD], 1);
    if (h->there[KEY_DEPENDS]) {
        put_number(p, h->value[KEY_DEPENDS] | (h->value[KEY_EXCLUSIVE] ? 0x80000000u : 0), 4);
        put_number(p, h->value[KEY_WEIGHT], 1);
    }
    for (int key = KEY_PROMISED; key <= KEY_INCREMENT; key++) {
        if (h->there[key])
            put_number(p, h->value[key], 4);
    }
}

static void begin_frame(parser *p, uint8_t type)
{
    heading h = {.type = type};

    while (!at_end(p) && !p->error)
        parse_key(p, &h);
    if (h.value[KEY_PAD] > 255)
        fail(p, "pad is at most 255");
    p->frame = p->len;
    p->said = h.there[KEY_LENGTH] ? h.value[KEY_LENGTH] : UINT32_MAX;
    p->pad = h.value[KEY_PAD];
    put_number(p, 0, 3);
    put_number(p, type, 1);
    put_number(p, h.value[KEY_FLAGS], 1);
    put_number(p, h.value[KEY_STREAM], 4);
    put_fixed(p, &h);
}

static void parse_frame(parser *p)
{
    const char *start;
    size_t len = word(p, "=", &start);

    end_frame(p);
    if (is(start, len, "preface")) {
        put(p, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 24);
        return;
    }
    if (is(start, len, "choices") || is(start, len, "rest")) {
        parse_hex(p);
        return;
    }
    if (is(start, len, "type") && *p->at == '=') {
        p->at++;
        begin_frame(p, (uint8_t)number(p));
        return;
    }
    for (int i = 0; i < FRAME_TYPES; i++) {
        if (is(start, len, mote_frames_types[i])) {
            begin_frame(p, (uint8_t)i);
            return;
        }
    }
    fail(p, "no type of frame has this name");
}

size_t mote_frames_parse(const char *text, uint8_t *out, size_t room, size_t *line,
                         const char **why)
{
    parser p = {.at = text, .out = out, .room = room, .frame = SIZE_MAX, .said = UINT32_MAX};

    for (*line = 1; *p.at && !p.error; *line += !p.error) {
        bool below = *p.at == ' ' || *p.at == '\t';

        if (!at_end(&p))
            below ? parse_below(&p) : parse_frame(&p);
        if (!p.error && !at_end(&p))
            fail(&p, "more words than the line can have");
        if (p.error)
            break;
        while (*p.at && *p.at != '\n')
            p.at++;
        p.at += *p.at == '\n';
    }
    end_frame(&p);
    *why = p.error;
    return p.error ? SIZE_MAX : p.len;
}
