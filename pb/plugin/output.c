/* What the plugin writes: growing texts, and the response. */
#include "generator.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

enum { PROTO3_OPTIONAL = 1, SUPPORTS_EDITIONS = 2, EDITION_PROTO2 = 998, LAST_EDITION = 1001 };

/* A response with an error names the supported features too: protoc complains of a missing feature
 * before it prints the error. */
void write_response(CodeGeneratorResponse *response)
{
    size_t len;

    response->supported_features = PROTO3_OPTIONAL | SUPPORTS_EDITIONS;
    response->minimum_edition = EDITION_PROTO2;
    response->maximum_edition = LAST_EDITION;
    mote_pb_size(&CodeGeneratorResponse_encoder, response, &len);
    uint8_t *out = malloc(len + 1);
    if (!out || mote_pb_encode(&CodeGeneratorResponse_encoder, response, out, len, &len) < 0 ||
        fwrite(out, 1, len, stdout) != len || fflush(stdout) != 0) {
        fprintf(stderr, "protoc-gen-mote: error: the response cannot be written\n");
        exit(1);
    }
}

/* What was quoted may hold any bytes, and may have been cut inside of a character. */
static void make_printable(char *reason)
{
    bool is_utf8 = mote_pb_utf8_valid((const uint8_t *)reason, strlen(reason));

    for (char *p = reason; *p; p++) {
        unsigned char c = (unsigned char)*p;
        if (c < 0x20 || c == 0x7f || (c >= 0x80 && !is_utf8))
            *p = '?';
    }
}

void fail(const char *pattern, ...)
{
    char reason[2048];
    va_list list;

    va_start(list, pattern);
    vsnprintf(reason, sizeof reason, pattern, list);
    va_end(list);
    make_printable(reason);
    CodeGeneratorResponse response = {.error = mote_pb_cstring(reason)};
    write_response(&response);
    exit(0); /* as plugin.proto asks: protoc prints the error and fails */
}

void *allocate(size_t size)
{
    void *p = calloc(1, size ? size : 1);

    if (!p)
        fail("out of memory");
    return p;
}

void text_bytes(text *t, const char *bytes, size_t len)
{
    if (t->cap - t->len < len) {
        t->cap = 2 * (t->len + len) + 1024;
        t->bytes = realloc(t->bytes, t->cap);
        if (!t->bytes)
            fail("out of memory");
    }
    memcpy(t->bytes + t->len, bytes, len);
    t->len += len;
}

static char *format_list(const char *pattern, va_list list)
{
    va_list again;

    va_copy(again, list);
    size_t len = (size_t)vsnprintf(NULL, 0, pattern, again) + 1;
    va_end(again);
    char *p = allocate(len);
    vsnprintf(p, len, pattern, list);
    return p;
}

char *format(const char *pattern, ...)
{
    va_list list;

    va_start(list, pattern);
    char *p = format_list(pattern, list);
    va_end(list);
    return p;
}

void text_add(text *t, const char *pattern, ...)
{
    va_list list;

    va_start(list, pattern);
    char *p = format_list(pattern, list);
    va_end(list);
    text_bytes(t, p, strlen(p));
    free(p);
}

int view_compare(mote_pb_string a, mote_pb_string b)
{
    size_t both = a.len < b.len ? a.len : b.len;
    int order = both ? memcmp(a.data, b.data, both) : 0;

    return order != 0 ? order : (a.len > b.len) - (a.len < b.len);
}

bool view_is(mote_pb_string view, const char *s)
{
    return view.len == strlen(s) && memcmp(view.data, s, view.len) == 0;
}
