/*
 * The device of examples/device/device.c as firmware: it serves on the board's line, to which
 * build/mote-serial brings gRPC clients.
 */
#include "../device/device_service.h"
#include "line.h"

MOTE_GRPC_STORAGE(device, max_calls = 2, slots = 8, rx_size = 128, tx_size = 256, table_size = 256,
                  field_size = 160, user_size = DEVICE_USER);
static mote_grpc grpc;
static mote_serial line;

static void begin(void)
{
    static const mote_grpc_config config = {.server = true,
                                            MOTE_GRPC_SIZES(device),
                                            .services = device_services,
                                            .service_count = DEVICE_SERVICES};

    mote_grpc_init(&grpc, &config, device_memory, sizeof device_memory);
}

static void receive(void)
{
    uint8_t bytes[16];
    const uint8_t *in = bytes;
    size_t len = board_read(bytes, sizeof bytes);
    mote_serial_event ev;

    while (mote_serial_receive(&line, &in, &len, &ev)) {
        if (ev.type == MOTE_SERIAL_BEGINS)
            begin();
        else if (ev.type == MOTE_SERIAL_DATA)
            mote_grpc_serve(&grpc, ev.data, ev.len);
    }
}

int main(void)
{
    size_t len;

    line_report("device");
    for (;;) {
        receive();
        mote_serial_tick(&line, board_now_ms());
        if (mote_serial_is_open(&line)) {
            mote_grpc_tick(&grpc, board_now_ms());
            device_turn(&grpc, board_now_ms());
            if (mote_grpc_serve(&grpc, NULL, 0) < 0 && !mote_grpc_peek(&grpc, &len))
                mote_serial_close(&line); /* the reason has been said */
        }
        line_write_some(&line, &grpc);
    }
}
