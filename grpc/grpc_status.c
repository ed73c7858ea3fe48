/* Status codes: names, and mappings from HTTP and HTTP/2. */
#include "grpc_internal.h"

const char *mote_grpc_code_name(int code)
{
    static const char *const names[] = {
        "OK",
        "CANCELLED",
        "UNKNOWN",
        "INVALID_ARGUMENT",
        "DEADLINE_EXCEEDED",
        "NOT_FOUND",
        "ALREADY_EXISTS",
        "PERMISSION_DENIED",
        "RESOURCE_EXHAUSTED",
        "FAILED_PRECONDITION",
        "ABORTED",
        "OUT_OF_RANGE",
        "UNIMPLEMENTED",
        "INTERNAL",
        "UNAVAILABLE",
        "DATA_LOSS",
        "UNAUTHENTICATED",
    };

    return code >= 0 && code <= MOTE_GRPC_UNAUTHENTICATED ? names[code] : "UNKNOWN";
}

/* gRPC document http-grpc-status-mapping.md */
int mote_grpc_code_of_http(unsigned status)
{
    static const uint8_t from_400[] = {MOTE_GRPC_INTERNAL, MOTE_GRPC_UNAUTHENTICATED,
                                       MOTE_GRPC_UNKNOWN, MOTE_GRPC_PERMISSION_DENIED,
                                       MOTE_GRPC_UNIMPLEMENTED};

    if (status - 400 < sizeof from_400)
        return from_400[status - 400];
    return status == 429 || (status >= 502 && status <= 504) ? MOTE_GRPC_UNAVAILABLE
                                                             : MOTE_GRPC_UNKNOWN;
}

/* PROTOCOL-HTTP2, Errors */
int mote_grpc_code_of_reset(uint32_t wire_code)
{
    switch (wire_code) {
    case MOTE_H2_REFUSED_STREAM:
        return MOTE_GRPC_UNAVAILABLE;
    case MOTE_H2_CANCEL:
        return MOTE_GRPC_CANCELLED;
    case MOTE_H2_ENHANCE_YOUR_CALM:
        return MOTE_GRPC_RESOURCE_EXHAUSTED;
    case MOTE_H2_INADEQUATE_SECURITY:
        return MOTE_GRPC_PERMISSION_DENIED;
    default:
        return MOTE_GRPC_INTERNAL;
    }
}
