/* Why the last call in this thread has failed. */
#include "posix_internal.h"

#include <stdio.h>

static _Thread_local char error_text[256];

const char *mote_posix_error(void)
{
    return error_text;
}

int mote_posix_failed(const char *what, const char *address, const char *why)
{
    if (!what)
        error_text[0] = '\0';
    else
        snprintf(error_text, sizeof error_text, "%s%s%s: %s", what, address ? " " : "",
                 address ? address : "", why);
    return -1;
}

int mote_posix_failed_as(const char *text)
{
    snprintf(error_text, sizeof error_text, "%s", text);
    return -1;
}
