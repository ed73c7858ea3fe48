/* The version of the library that is linked. */
#include "version.h"

const char *mote_version(void)
{
    return MOTE_VERSION;
}
