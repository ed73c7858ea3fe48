/* Logs of a build without texts. */
#ifndef LOG_TEXTS_H
#define LOG_TEXTS_H

#include <string.h>

#ifdef MOTE_NO_TEXTS
/* Ends the log's lines about the end of a call behind the code: the text may be one that this build
 * has not. The output, where such texts would be, is left out. */
static void drop_texts(char *log)
{
    char *to = log;

    while (*log && strncmp(log, "output\n", 7) != 0) {
        char *end = strchr(log, '\n');
        char *ends = strstr(log, " STATUS ");
        size_t len = (size_t)(end - log);
        if (!ends || ends > end)
            ends = strstr(log, " CLOSED ");
        if (ends && ends < end)
            len = (size_t)(strchr(ends + 8, ' ') - log);
        memmove(to, log, len);
        to += len;
        *to++ = '\n';
        log = end + 1;
    }
    *to = '\0';
}
#endif

#endif
