/* What the cases of interop_client share: a channel, and calls whose every event is looked at. */
#ifndef INTEROP_CLIENT_H
#define INTEROP_CLIENT_H

#include "../../grpc/codec/codec.h"
#include "../../port/posix/posix.h"
#include "interop.mote.h"
#include "orca_service.mote.h"
#include "../../port/posix/tls.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    LARGEST = 4 << 20,
    MAX_CALLS = 1100,
    TX = 65536,
    FIELD = 16384,
    SLOTS = 16,
    MAX_METADATA = 8
};

/* The command line. */
typedef struct {
    const char *host, *port, *override, *test_case, *additional_metadata;
    const char *soak_iterations, *soak_max_failures, *soak_latency_ms, *soak_timeout_s;
    const char *soak_pause_ms, *soak_request_size, *soak_response_size, *soak_threads;
} settings;
extern settings set;
extern mote_posix_tls_config tls_config; /* without a context: plaintext */

/* A connection. */
typedef struct {
    mote_channel channel;
    mote_posix_dialer dialer;
    char address[300];
    const char *addresses[1];
    mote_posix_tls_io tls;
    uint8_t input[65536];
    void *memory;
} connection;
extern connection main_connection;

/* Prepares a channel, which connects with its first call: 0, or -1 with a text on standard error.
 */
int connect_to(connection *c);
void disconnect(connection *c);

/* What the last call has brought. */
typedef struct {
    mote_status status;
    char text[1024]; /* of the status */
    size_t messages, compressed;
    size_t sizes[16]; /* of the payloads */
    bool started;
    char initial[256], trailing[256], load[512]; /* metadata */
} outcome;
extern outcome last;

/* A call with the additional metadata of the command line. NULL: it could not be started. */
mote_grpc_call *start(connection *c, const mote_hpack_field *path, mote_grpc_request options);
bool send_message(mote_grpc_call *call, const mote_pb_encoder *type, const void *message,
                  bool compressed);
/* The next message, decoded: true; false: the call has ended, with last.status. */
bool receive(mote_grpc_call *call, const mote_pb_decoder *type, void *message);
/* Waits for the end. */
int finish(mote_grpc_call *call);

/* A unary call; the code of its status. */
int unary(const mote_hpack_field *path, mote_grpc_request options, const mote_pb_encoder *type,
          const void *request, bool compressed, const mote_pb_decoder *response_type,
          void *response);

/* A unary call as programs make it: by the generated function. The code of its status. */
int call_plainly(connection *c, const grpc_testing_SimpleRequest *request,
                 grpc_testing_SimpleResponse *response);

/* Zeros, and a payload of them. */
extern const uint8_t zeros[LARGEST];
#define PAYLOAD(size) (&(grpc_testing_Payload){.body = {zeros, (size)}})
bool is_payload(const grpc_testing_Payload *payload, size_t size);

extern const grpc_testing_BoolValue yes, no;

/* Ends a case that has failed: says where and what. */
#define REQUIRE(condition)                                                                         \
    do {                                                                                           \
        if (!(condition))                                                                          \
            return fprintf(stderr, "%s:%d: %s; status %s: %s\n", __FILE__, __LINE__, #condition,   \
                           mote_grpc_code_name(last.status.code), last.text),                      \
                   false;                                                                          \
    } while (0)

/* ---- the cases ----------------------------------------------------------------------------- */

typedef struct {
    const char *name;
    bool (*run)(void);
} test_case;
extern const test_case call_cases[], channel_cases[]; /* a NULL name ends them */

bool large_unary_on(connection *c, size_t request_size, size_t response_size);

#endif
