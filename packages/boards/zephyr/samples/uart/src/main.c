/* Asks a server of gRPC for a temperature every five seconds, over a UART. On the other end of the
 * line is mote-serial --line=/dev/ttyUSB0 --dial=HOST:50051 hello.mote.c is what protoc-gen-mote
 * made of hello.proto with --mote_opt=runtime=mote.h. */
#include "ask.h"

#include <zephyr/drivers/uart.h>
#include <zephyr/kernel.h>
#include <zephyr/sys/ring_buffer.h>

#include <string.h>

static const struct device *const uart = DEVICE_DT_GET(DT_CHOSEN(mote_line));
RING_BUF_DECLARE(received, 512);
static mote_serial line;
static uint8_t frame[MOTE_SERIAL_PAYLOAD]; /* its bytes from frame_at on are not yet read */
static size_t frame_at, frame_len;

static void on_interrupt(const struct device *device, void *unused)
{
    uint8_t bytes[16];
    int n;

    (void)unused;
    while (uart_irq_update(device) && uart_irq_rx_ready(device)) {
        while ((n = uart_fifo_read(device, bytes, sizeof bytes)) > 0)
            ring_buf_put(&received, bytes, (uint32_t)n);
    }
}

/* The next frame of data. */
static void take_frame(void)
{
    mote_serial_event ev;
    uint8_t byte;

    while (frame_at == frame_len && ring_buf_get(&received, &byte, 1) == 1) {
        const uint8_t *in = &byte;
        size_t len = 1;
        while (mote_serial_receive(&line, &in, &len, &ev)) {
            if (ev.type != MOTE_SERIAL_DATA)
                continue;
            memcpy(frame, ev.data, ev.len);
            frame_at = 0;
            frame_len = ev.len;
        }
    }
}

static void write_line(void)
{
    const uint8_t *out;
    size_t len;

    while ((out = mote_serial_peek(&line, &len))) {
        for (size_t i = 0; i < len; i++)
            uart_poll_out(uart, out[i]);
        mote_serial_ack(&line, len);
    }
}

static uint64_t io_now(void *context)
{
    (void)context;
    return (uint64_t)k_uptime_get();
}

static int io_read(void *context, uint8_t *buf, size_t cap)
{
    (void)context;
    take_frame();
    size_t n = frame_len - frame_at < cap ? frame_len - frame_at : cap;
    memcpy(buf, frame + frame_at, n);
    frame_at += n;
    return n > 0 || mote_serial_is_open(&line) ? (int)n : -1;
}

static int io_write(void *context, const uint8_t *buf, size_t len)
{
    (void)context;
    if (!mote_serial_is_open(&line))
        return -1;
    size_t n = mote_serial_send(&line, buf, len);
    write_line();
    return (int)n;
}

static void io_wait(void *context, bool writing, uint64_t until_ms)
{
    while (!writing && io_now(context) < until_ms && ring_buf_is_empty(&received)) {
        mote_serial_tick(&line, io_now(context));
        write_line();
        k_msleep(1);
    }
}

static int io_connect(void *context, uint64_t until_ms)
{
    (void)context, (void)until_ms;
    frame_at = frame_len = 0;
    mote_serial_open(&line);
    write_line();
    return 0;
}

static void io_close(void *context)
{
    (void)context;
    mote_serial_close(&line);
    write_line();
}

static const char *io_error(void *context)
{
    (void)context;
    return "the other end of the line has ended the connection";
}

int main(void)
{
    mote_io io = {.read = io_read,
                  .write = io_write,
                  .wait = io_wait,
                  .now_ms = io_now,
                  .connect = io_connect,
                  .close = io_close,
                  .error = io_error};
    double celsius;
    char text[96];

    uart_irq_callback_user_data_set(uart, on_interrupt, NULL);
    uart_irq_rx_enable(uart);
    ask_begin(io);
    for (;;) {
        int code = ask(&celsius, text);
        if (code == MOTE_GRPC_OK)
            printk("%d.%d degrees\n", (int)celsius, (int)(celsius * 10) % 10);
        else
            printk("error %d: %s\n", code, text);
        k_msleep(5000);
    }
    return 0;
}
