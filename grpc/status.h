/* Errors of grpc, and the status codes that calls end with. */
#ifndef MOTE_GRPC_STATUS_H
#define MOTE_GRPC_STATUS_H

#ifdef __cplusplus
extern "C" {
#endif

/* Errors -300..-399. */
#define MOTE_GRPC_ERRORS(X)                                                                        \
    X(MOTE_GRPC_ERR_CONFIG, -300, "grpc: config: a size is missing or the memory is too small")    \
    X(MOTE_GRPC_ERR_STATE, -301, "grpc: the call is over or has already sent its last message")    \
    X(MOTE_GRPC_ERR_IO, -302, "grpc: the transport failed")                                        \
    X(MOTE_GRPC_ERR_BASE64, -303, "grpc: value of a -bin field is no base64")                      \
    X(MOTE_GRPC_ERR_SPACE, -304, "grpc: buffer too small for the decoded value")                   \
    X(MOTE_GRPC_ERR_CODEC, -305, "grpc: compressed data is broken")                                \
    X(MOTE_GRPC_ERR_INSECURE, -306, "grpc: a token is sent over TLS only")                         \
    X(MOTE_GRPC_ERR_LIMIT, -307, "grpc: the message is larger than send_limit")                    \
    X(MOTE_GRPC_ERR_MIXED, -308,                                                                   \
      "grpc: a part of another message was sent; repeat that one first")                           \
    X(MOTE_GRPC_ERR_NAME, -309, "grpc: a name of metadata has a-z, 0-9, '-', '_' and '.' alone")   \
    X(MOTE_GRPC_ERR_RESERVED, -310, "grpc: this name is not for metadata of an application")       \
    X(MOTE_GRPC_ERR_VALUE, -311,                                                                   \
      "grpc: a value of metadata has printable ASCII alone, and no blank at its ends")             \
    X(MOTE_GRPC_ERR_PATH, -312, "grpc: :path begins with /, and has printable ASCII alone")

enum mote_grpc_error {
#define MOTE_GRPC_ENUM(name, code, text) name = code,
    MOTE_GRPC_ERRORS(MOTE_GRPC_ENUM)
#undef MOTE_GRPC_ENUM
};

/* The text of an error of grpc, h2 or hpack, with its reason and what to do; never NULL. Static. */
const char *mote_grpc_strerror(int code);

/* Status codes of the gRPC document statuscodes.md. */
enum mote_grpc_code {
    MOTE_GRPC_OK = 0,
    MOTE_GRPC_CANCELLED = 1,
    MOTE_GRPC_UNKNOWN = 2,
    MOTE_GRPC_INVALID_ARGUMENT = 3,
    MOTE_GRPC_DEADLINE_EXCEEDED = 4,
    MOTE_GRPC_NOT_FOUND = 5,
    MOTE_GRPC_ALREADY_EXISTS = 6,
    MOTE_GRPC_PERMISSION_DENIED = 7,
    MOTE_GRPC_RESOURCE_EXHAUSTED = 8,
    MOTE_GRPC_FAILED_PRECONDITION = 9,
    MOTE_GRPC_ABORTED = 10,
    MOTE_GRPC_OUT_OF_RANGE = 11,
    MOTE_GRPC_UNIMPLEMENTED = 12,
    MOTE_GRPC_INTERNAL = 13,
    MOTE_GRPC_UNAVAILABLE = 14,
    MOTE_GRPC_DATA_LOSS = 15,
    MOTE_GRPC_UNAUTHENTICATED = 16
};

/* "DEADLINE_EXCEEDED" and so on; "code N" is spelled UNKNOWN. Static. */
const char *mote_grpc_code_name(int code);

#ifdef __cplusplus
}
#endif
#endif
