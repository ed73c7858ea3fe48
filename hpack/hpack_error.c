/* One text for each error code. */
#include "hpack.h"

#ifdef MOTE_NO_TEXTS
const char *mote_hpack_strerror(int code)
{
    (void)code;
    return "";
}
#else
const char *mote_hpack_strerror(int code)
{
    switch (code) {
    case 0:
        return "no error";
#define MOTE_HPACK_TEXT_OF(name, number, text)                                                     \
    case name:                                                                                     \
        return text;
        MOTE_HPACK_ERRORS(MOTE_HPACK_TEXT_OF)
#undef MOTE_HPACK_TEXT_OF
    default:
        return "unknown error";
    }
}
#endif
