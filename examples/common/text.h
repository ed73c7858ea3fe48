/* What others have said: what is taken for a name, how much of a text is kept, and what a terminal
 * is shown. Programs print it through these functions alone. */
#ifndef EXAMPLES_TEXT_H
#define EXAMPLES_TEXT_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

enum { TEXT_MOST = 8192 }; /* bytes; what is longer is cut */

/* Bytes of the UTF-8 character at `s` (RFC 3629 4, with `len` bytes left), or 0: there is none, or
 * it acts on the terminal: controls of C0 and C1, DEL, and what turns the direction of text. */
static inline size_t printable(const uint8_t *s, size_t len)
{
    size_t n = s[0] < 0x80 ? 1 : s[0] < 0xc2 ? 0 : s[0] < 0xe0 ? 2 : s[0] < 0xf0 ? 3 : 4;
    uint32_t c = n < 2 ? s[0] : s[0] & (0x7fu >> n);

    if (n == 0 || n > len)
        return 0;
    for (size_t i = 1; i < n; i++) {
        if ((s[i] & 0xc0) != 0x80)
            return 0;
        c = c << 6 | (s[i] & 0x3f);
    }
    bool encoded = n < 3 || (n == 3 ? c >= 0x800 && (c < 0xd800 || c > 0xdfff)
                                    : c >= 0x10000 && c <= 0x10ffff);
    bool acts = c < 0x20 || (c >= 0x7f && c < 0xa0) || (c >= 0x2028 && c <= 0x202e) ||
                (c >= 0x2066 && c <= 0x2069) || c == 0x200e || c == 0x200f || c == 0x061c ||
                c == 0xfeff;
    return encoded && !acts ? n : 0;
}

/* 1 to `most` bytes of UTF-8 that can be shown: what is a name of something. */
static inline bool is_printable_name(const char *text, size_t len, size_t most)
{
    size_t n;

    for (size_t i = 0; i < len; i += n) {
        if ((n = printable((const uint8_t *)text + i, len - i)) == 0)
            return false;
    }
    return len > 0 && len <= most;
}

/* As much of a text in UTF-8 as there is room for: whole characters, and none behind a NUL. A half
 * one is no text any more, and whoever it is sent to would get nothing. */
static inline void keep_text(char *to, size_t size, const char *text, size_t len)
{
    const char *nul = len > 0 ? memchr(text, '\0', len) : NULL;
    size_t n = nul ? (size_t)(nul - text) : len;

    if (n >= size) {
        for (n = size - 1; n > 0 && ((uint8_t)text[n] & 0xc0) == 0x80;)
            n--;
    }
    if (n > 0)
        memcpy(to, text, n);
    to[n] = '\0';
}

/* What is not printable becomes \xNN, and a backslash two of them. */
static inline void print_bytes(FILE *out, const char *text, size_t len)
{
    const uint8_t *s = (const uint8_t *)text;

    while (len > 0) {
        size_t n = printable(s, len);
        if (n == 0)
            fprintf(out, "\\x%02x", (unsigned)*s);
        else if (*s == '\\')
            fputs("\\\\", out);
        else
            fwrite(s, 1, n, out);
        n += n == 0;
        s += n;
        len -= n;
    }
}

/* As fprintf(), without ends of lines: what the arguments hold cannot act on the terminal, nor
 * begin a line of its own. */
__attribute__((format(printf, 2, 3))) static inline void print_text(FILE *out, const char *format,
                                                                    ...)
{
    char text[TEXT_MOST];
    va_list arguments;

    va_start(arguments, format);
    int n = vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    print_bytes(out, text, n < 0 ? 0 : (size_t)n < sizeof text ? (size_t)n : sizeof text - 1);
}

/* The same, and the end of the line. */
#define print_line(out, ...) (print_text(out, __VA_ARGS__), (void)fputc('\n', out))

#endif
