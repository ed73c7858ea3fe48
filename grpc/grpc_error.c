/* The text of an error of this layer, or of one below it. */
#include "grpc_internal.h"

#ifdef MOTE_NO_TEXTS
const char *mote_grpc_strerror(int code)
{
    (void)code;
    return "";
}
#else
const char *mote_grpc_strerror(int code)
{
    switch (code) {
#define MOTE_GRPC_TEXT_OF(name, number, text)                                                      \
    case name:                                                                                     \
        return text;
        MOTE_GRPC_ERRORS(MOTE_GRPC_TEXT_OF)
#undef MOTE_GRPC_TEXT_OF
    default:
        return code > -200 && code < 0 ? mote_hpack_strerror(code) : mote_h2_strerror(code);
    }
}
#endif
