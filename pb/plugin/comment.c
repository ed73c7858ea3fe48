/* Comments of the .proto, carried over. */
#include "generator.h"

#include <string.h>

static void put_comment_text(text *t, mote_pb_string c, const char *indent)
{
    size_t len = c.len;

    while (len > 0 && (c.data[len - 1] == '\n' || c.data[len - 1] == ' '))
        len--;
    text_add(t, "%s/*", indent);
    for (size_t i = 0; i < len; i++) {
        if (c.data[i] == '\n')
            text_add(t, "\n%s *", indent);
        else if (c.data[i] == '/' && i > 0 && c.data[i - 1] == '*')
            text_add(t, " /"); /* the end of a comment inside of one */
        else
            text_bytes(t, c.data + i, 1);
    }
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
