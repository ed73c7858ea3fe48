#include <mote/port/posix/posix.h>

#include "hello.mote.h"

#include <stdio.h>

MOTE_GRPC_STORAGE(hello, max_calls = 1, slots = 8, rx_size = 128, tx_size = 256, table_size = 0,
                  field_size = 128, user_size = 0);
static uint8_t input[256];
static mote_channel channel; /* all of its memory is visible to the linker */

int main(int argc, char **argv)
{
    mote_grpc_config config = {MOTE_GRPC_SIZES(hello),
                               .authority = MOTE_GRPC_AUTHORITY("localhost")};
    const char *address = argc > 1 ? argv[1] : "127.0.0.1:50051";
    mote_posix_dialer dialer = {-1, &address, 1, 0};
    hello_Question question = {.room = MOTE_PB_STRING("kitchen")};
    hello_Reading reading;

    mote_channel_init(&channel, &config, hello_memory, sizeof hello_memory, input, sizeof input,
                      mote_posix_dialer_io(&dialer));
    mote_status status = hello_Thermometer_Read(&channel, (mote_grpc_request){.timeout_ms = 5000},
                                                &question, &reading, NULL);
    if (status.code == MOTE_GRPC_OK)
        printf("%.1f degrees\n", reading.celsius);
    else
        fprintf(stderr, "error %d: %.*s\n", status.code, (int)status.message_len, status.message);
    return status.code;
}
