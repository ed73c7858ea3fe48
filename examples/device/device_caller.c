/*
 * Calls a device: one that listens, or one that dials in, over the connection that it has opened.
 *
 *   device_caller [--listen=127.0.0.1:50052] [--channel=0] [--set=VALUE] [--watch=COUNT]
 *   device_caller --address=HOST:PORT ...
 *
 * A device that dials in: device --dial=127.0.0.1:50052
 */
#include "device.mote.h"

#include "../common/client.h"

static void wait_for_device(const char *address)
{
    mote_grpc_config config = {MOTE_GRPC_SIZES(client), .authority = MOTE_GRPC_AUTHORITY("device"),
                               .tls = tls_options.on};
    char bound[128];
    int listener = mote_posix_listen(address);

    mote_posix_catch_signals();
    if (listener >= 0) {
        printf("listening on %s\n", mote_posix_address(listener, bound));
        fflush(stdout);
        socket_fd = mote_posix_accept_one(listener, UINT32_MAX);
    }
    if (socket_fd < 0) {
        print_line(stderr, "error: %s", mote_posix_error());
        exit(1);
    }
    mote_channel_init(&channel, &config, client_memory, sizeof client_memory, input, sizeof input,
                      secure_io(NULL, mote_posix_io(&socket_fd)));
}

static int watch(const mote_device_Channel *which, int count)
{
    mote_grpc_call *call;
    mote_device_Reading reading;
    mote_status status;

    check(mote_device_Device_Watch_call(&channel, no_limit, which, &call));
    for (int i = 0; i < count; i++) {
        if (mote_device_Device_Watch_recv(call, &reading, NULL, &status) <= 0)
            return report(status);
        printf("channel %u: %d\n", reading.channel, reading.value);
    }
    mote_grpc_cancel(call);
    mote_channel_finish(call);
    return 0;
}

int main(int argc, char **argv)
{
    const char *listen = "127.0.0.1:50052", *address = NULL, *number = "0", *set = NULL,
               *count = "0";
    const option options[] = {OPTION("--listen", &listen, "where the device dials"),
                              OPTION("--address", &address, "of a device that listens"),
                              OPTION("--channel", &number, "number of the channel (0)"),
                              OPTION("--set", &set, "a value to set first"),
                              OPTION("--watch", &count, "readings to wait for"),
                              OPTIONS_END};
    mote_device_Reading reading;
    mote_device_Done done;

    parse_options(argc, argv, "device_caller: calls a device", options);
    if (address)
        open_channel(address);
    else
        wait_for_device(listen);
    mote_device_Channel which = {(uint32_t)atoi(number)};
    mote_device_Setting setting = {which.number, set ? atoi(set) : 0};
    if (set && report(mote_device_Device_Set(&channel, ten_seconds, &setting, &done, NULL)) != 0)
        return 1;
    mote_status status = mote_device_Device_Read(&channel, ten_seconds, &which, &reading, NULL);
    if (report(status) != 0)
        return 1;
    printf("channel %u: %d\n", reading.channel, reading.value);
    return watch(&which, atoi(count));
}
