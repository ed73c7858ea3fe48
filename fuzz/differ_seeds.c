/* Files with many conversations: see differ.h. */
#include "differ.h"
#include "frames.h"

#include <stdlib.h>
#include <string.h>

bool mote_differ_next_seed(const char **text, uint8_t *out, size_t room, mote_differ_seed *seed)
{
    const char *at = strncmp(*text, "== ", 3) == 0 ? *text : strstr(*text, "\n== "), *end;
    char *own;

    if (!at)
        return false;
    at += *at == '\n';
    memset(seed, 0, sizeof *seed);
    seed->name = at + 3;
    seed->name_len = strcspn(seed->name, "\n");
    at = seed->name + seed->name_len;
    end = strstr(at, "\n== ");
    *text = end ? end + 1 : at + strlen(at);
    own = calloc(1, (size_t)(*text - at) + 1);
    if (!own)
        abort();
    memcpy(own, at, (size_t)(*text - at));
    seed->len = mote_frames_parse(own, out, room, &seed->line, &seed->why);
    free(own);
    return true;
}
