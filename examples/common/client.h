/* What the client examples share: a connected channel, and the report of a status. */
#ifndef EXAMPLES_CLIENT_H
#define EXAMPLES_CLIENT_H

#include "../../port/posix/posix.h"
#include "secure.h"

MOTE_GRPC_STORAGE(client, max_calls = 1, slots = 8, rx_size = 4096, tx_size = 4096, table_size = 0,
                  field_size = 1024, user_size = 0);
static mote_channel channel;
static uint8_t input[2048];
static int socket_fd = -1;

static inline void open_channel(const char *address)
{
    mote_grpc_config config = {MOTE_GRPC_SIZES(client), .authority = mote_grpc_authority(address),
                               .tls = tls_options.on};

    mote_posix_catch_signals();
    socket_fd = mote_posix_connect(address, 5000);
    if (socket_fd < 0) {
        print_line(stderr, "error: %s", mote_posix_error());
        exit(1);
    }
    mote_channel_init(&channel, &config, client_memory, sizeof client_memory, input, sizeof input,
                      secure_io(address, mote_posix_io(&socket_fd)));
}

/* Options of a call. */
#define ten_seconds ((mote_grpc_request){.timeout_ms = 10000})
#define no_limit    ((mote_grpc_request){.timeout_ms = 0})

/* Ends the program when a call cannot be started. */
static inline void check(int error)
{
    if (error < 0) {
        mote_status status = mote_channel_status(&channel, error);
        print_line(stderr, "error: %.*s", (int)status.message_len, status.message);
        exit(1);
    }
}

/* Prints a status that is not OK; the exit status of the program. */
static inline int report(mote_status status)
{
    if (status.code == MOTE_GRPC_OK)
        return 0;
    print_line(stderr, "status %s: %.*s", mote_grpc_code_name(status.code), (int)status.message_len,
               status.message);
    secure_report();
    return 1;
}

#endif
