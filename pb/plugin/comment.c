/* Comments of the .proto, carried over. */
#include "generator.h"

#include <string.h>

/* A character that turns the reading direction round, which compilers warn of: 3 bytes. */
static bool is_bidi(const char *c, size_t left)
{
    const unsigned char *u = (const unsigned char *)c;

    return left >= 3 && u[0] == 0xe2 &&
           ((u[1] == 0x80 && u[2] >= 0xaa && u[2] <= 0xae) ||
            (u[1] == 0x81 && u[2] >= 0xa6 && u[2] <= 0xa9));
}

static void put_comment_byte(text *t, char byte, bool is_utf8)
{
    unsigned char c = (unsigned char)byte;

    if (c < 0x20 && c != '\t')
        byte = ' ';
    text_bytes(t, c >= 0x80 && !is_utf8 ? "?" : &byte, 1);
}

/* Any text as the inside of a comment: nothing in it begins or ends one, or is a trigraph. */
void put_inside_comment(text *t, mote_pb_string c, const char *indent)
{
    bool is_utf8 = mote_pb_utf8_valid((const uint8_t *)c.data, c.len);

    for (size_t i = 0; i < c.len; i++) {
        char byte = c.data[i], last = t->bytes[t->len - 1];
        if (byte == '\n') {
            text_add(t, "\n%s *", indent);
            continue;
        }
        if ((byte == '/' && last == '*') || (byte == '*' && last == '/') ||
            (byte == '?' && last == '?'))
            text_add(t, " ");
        if (is_bidi(c.data + i, c.len - i)) {
            text_add(t, "?");
            i += 2;
        } else {
            put_comment_byte(t, byte, is_utf8);
        }
    }
}

static void put_comment_text(text *t, mote_pb_string c, const char *indent)
{
    while (c.len > 0 && (c.data[c.len - 1] == '\n' || c.data[c.len - 1] == ' '))
        c.len--;
    text_add(t, "%s/*", indent);
    put_inside_comment(t, c, indent);
    text_add(t, " */\n");
}

/* Places by their paths; the first one of a path stays. */
static map index_of(const SourceCodeInfo *info)
{
    map index = {0};

    for (size_t i = info ? info->location.count : 0; i > 0; i--) {
        const Location *l = &info->location.items[i - 1];
        if (l->path.count > 0)
            map_set(&index, (const char *)l->path.items, l->path.count * sizeof(int32_t), l);
    }
    return index;
}

static const Location *location_of(const FileDescriptorProto *file, const int32_t *path, size_t len)
{
    static const FileDescriptorProto *indexed; /* that was asked for last */
    static map index;

    if (indexed != file)
        index = index_of(file->source_code_info);
    indexed = file;
    return map_get(&index, (const char *)path, len * sizeof *path);
}

void put_comment(text *t, const FileDescriptorProto *file, const int32_t *path, size_t path_len,
                 const char *indent)
{
    const Location *l = location_of(file, path, path_len);

    if (l && l->leading_comments.len > 0)
        put_comment_text(t, l->leading_comments, indent);
    if (l && l->trailing_comments.len > 0)
        put_comment_text(t, l->trailing_comments, indent);
}
