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

/* Any text as the inside of a comment: nothing in it begins or ends one, or is a trigraph. */
void put_inside_comment(text *t, mote_pb_string c, const char *indent)
{
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
            text_bytes(t, (unsigned char)byte < 0x20 && byte != '\t' ? " " : c.data + i, 1);
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

void put_comment(text *t, const FileDescriptorProto *file, const int32_t *path, size_t path_len,
                 const char *indent)
{
    for (size_t i = 0; file->source_code_info && i < file->source_code_info->location.count; i++) {
        const Location *l = &file->source_code_info->location.items[i];
        if (l->path.count != path_len || memcmp(l->path.items, path, path_len * sizeof *path) != 0)
            continue;
        if (l->leading_comments.len > 0)
            put_comment_text(t, l->leading_comments, indent);
        if (l->trailing_comments.len > 0)
            put_comment_text(t, l->trailing_comments, indent);
        return;
    }
}
