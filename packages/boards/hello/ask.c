#include "ask.h"

#include "hello.mote.h"

#include <string.h>

MOTE_GRPC_STORAGE(ask, max_calls = 1, slots = 8, rx_size = 128, tx_size = 256, table_size = 0,
                  field_size = 128, user_size = 0);
static uint8_t input[256];
static mote_channel channel; /* all of its memory is visible to the linker */

void ask_begin(mote_io io)
{
    static const mote_grpc_config config = {MOTE_GRPC_SIZES(ask),
                                            .authority = MOTE_GRPC_AUTHORITY("thermometer")};

    mote_channel_init(&channel, &config, ask_memory, sizeof ask_memory, input, sizeof input, io);
}

int ask(double *celsius, char text[96])
{
    hello_Question question = {.room = MOTE_PB_STRING("kitchen")};
    hello_Reading reading;
    mote_status status = hello_Thermometer_Read(&channel, (mote_grpc_request){.timeout_ms = 5000},
                                                &question, &reading, NULL);
    size_t len = status.message_len < 95 ? status.message_len : 95;

    if (status.code == MOTE_GRPC_OK)
        *celsius = reading.celsius;
    if (len > 0)
        memcpy(text, status.message, len);
    text[len] = '\0';
    return (int)status.code;
}
