/* One text for each error code of every layer. */
#include "../h2/h2.h"
#include "../pb/pb.h"
#include "grpc_internal.h"

#ifdef MOTE_NO_TEXTS
const char *mote_strerror(int code)
{
    (void)code;
    return "";
}
#else
const char *mote_strerror(int code)
{
    switch (code) {
    case 0:
        return "no error";
#define TEXT(name, number, text)                                                                   \
    case name:                                                                                     \
        return text;
        MOTE_HPACK_ERRORS(TEXT)
        MOTE_H2_ERRORS(TEXT)
        MOTE_GRPC_ERRORS(TEXT)
        MOTE_PB_ERRORS(TEXT)
#undef TEXT
    default:
        return "unknown error";
    }
}
#endif
