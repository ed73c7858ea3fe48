/*
 * The device of examples/device.c as firmware: it serves on the board's line, and each client's
 * preface begins a new connection. build/mote-serial brings gRPC clients to it.
 */
#include "../../port/cortex-m/board.h"
#include "../../port/serial/serial.h"
#include "../device_service.h"

enum { CALLS = 2, RX = 128, TX = 256, TABLE = 256, FIELD = 160, SLOTS = 8 };

static mote_grpc grpc;
static uint64_t memory[MOTE_GRPC_MEMORY(CALLS, RX, TX, TABLE, FIELD, SLOTS, DEVICE_USER) / 8];
static mote_serial_sync sync;
static bool open;

static void begin(void)
{
    static const mote_grpc_config config = {.server = true,
                                            .max_calls = CALLS,
                                            .rx_size = RX,
                                            .tx_size = TX,
                                            .table_size = TABLE,
                                            .field_size = FIELD,
                                            .slots = SLOTS,
                                            .user_size = DEVICE_USER,
                                            .services = device_services,
                                            .service_count = DEVICE_SERVICES};

    open = mote_grpc_init(&grpc, &config, memory, sizeof memory) == 0;
    mote_grpc_serve(&grpc, mote_serial_preface, sizeof mote_serial_preface);
}

static void on_piece(const mote_serial_piece *piece)
{
    if (piece->begins)
        begin();
    else if (open)
        mote_grpc_serve(&grpc, piece->data, piece->len);
}

static void receive(void)
{
    static uint64_t heard_ms;
    mote_serial_piece piece;
    uint8_t bytes[16];
    const uint8_t *in = bytes;
    size_t len = board_read(bytes, sizeof bytes);

    if (len > 0)
        heard_ms = board_now_ms();
    while (mote_serial_next(&sync, &in, &len, &piece))
        on_piece(&piece);
    if (board_now_ms() - heard_ms >= MOTE_SERIAL_IDLE_MS && mote_serial_idle(&sync, &piece))
        on_piece(&piece);
}

static void write_some(void)
{
    size_t len;
    const uint8_t *out = mote_grpc_peek(&grpc, &len);

    if (out) {
        len = len < 16 ? len : 16; /* then it listens again */
        board_write(out, len);
        mote_grpc_ack(&grpc, len);
    }
}

int main(void)
{
    for (;;) {
        receive();
        if (!open)
            continue;
        mote_grpc_tick(&grpc, board_now_ms());
        device_turn(&grpc, board_now_ms());
        write_some();
        if (mote_grpc_serve(&grpc, NULL, 0) < 0 && !mote_grpc_peek(&grpc, &(size_t){0}))
            open = false; /* until the next preface */
    }
}
