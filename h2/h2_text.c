/* Texts: of this layer's errors, and the names of the codes on the wire. */
#include "h2.h"

#ifdef MOTE_NO_TEXTS
const char *mote_h2_strerror(int code)
{
    (void)code;
    return "";
}

const char *mote_h2_code_name(uint32_t code)
{
    (void)code;
    return "";
}
#else
const char *mote_h2_strerror(int code)
{
    switch (code) {
    case 0:
        return "no error";
#define MOTE_H2_TEXT_OF(name, number, text)                                                        \
    case name:                                                                                     \
        return text;
        MOTE_H2_ERRORS(MOTE_H2_TEXT_OF)
#undef MOTE_H2_TEXT_OF
    default:
        return "unknown error";
    }
}

const char *mote_h2_code_name(uint32_t code)
{
    static const char *const names[] = {
        "NO_ERROR",
        "PROTOCOL_ERROR",
        "INTERNAL_ERROR",
        "FLOW_CONTROL_ERROR",
        "SETTINGS_TIMEOUT",
        "STREAM_CLOSED",
        "FRAME_SIZE_ERROR",
        "REFUSED_STREAM",
        "CANCEL",
        "COMPRESSION_ERROR",
        "CONNECT_ERROR",
        "ENHANCE_YOUR_CALM",
        "INADEQUATE_SECURITY",
        "HTTP_1_1_REQUIRED",
    };

    return code < sizeof names / sizeof names[0] ? names[code] : "unknown error code";
}
#endif
