/* One text for each error code. */
#include "pb.h"

#ifdef MOTE_NO_TEXTS
const char *mote_pb_strerror(int code)
{
    (void)code;
    return "";
}
#else
const char *mote_pb_strerror(int code)
{
    switch (code) {
    case 0:
        return "no error";
#define MOTE_PB_TEXT_OF(name, number, text)                                                        \
    case name:                                                                                     \
        return text;
        MOTE_PB_ERRORS(MOTE_PB_TEXT_OF)
#undef MOTE_PB_TEXT_OF
    default:
        return "unknown error";
    }
}
#endif
