/* The code of docs/otlp.md, run: with a receiver that is not there, everything waits. A part of
 * test_docs.c. */
#ifndef DOCS_OTLP_H
#define DOCS_OTLP_H

#include "otlp_text.h"

#include "otlp.h"

enum { OTLP_RX = 256, OTLP_TX = 512 };

static uint64_t otlp_now;

static int nothing_read(void *context, uint8_t *buf, size_t cap)
{
    (void)context, (void)buf, (void)cap;
    return -1;
}
static int nothing_written(void *context, const uint8_t *buf, size_t len)
{
    (void)context, (void)buf, (void)len;
    return -1;
}
static void otlp_pass(void *context, bool writing, uint64_t until_ms)
{
    (void)context, (void)writing;
    otlp_now = until_ms;
}
static uint64_t otlp_clock(void *context)
{
    (void)context;
    return otlp_now;
}
static int nobody(void *context, uint64_t until_ms)
{
    (void)context, (void)until_ms;
    return -1;
}

static void everything_waits_for_a_receiver_that_is_not_there(void)
{
    static mote_channel channel;
    static uint64_t memory[MOTE_GRPC_MEMORY(1, OTLP_RX, OTLP_TX, 0, 64, 8, 0) / 8];
    static uint8_t input[64];
    mote_grpc_config config = {.max_calls = 1,
                               .slots = 8,
                               .rx_size = OTLP_RX,
                               .tx_size = OTLP_TX,
                               .field_size = 64,
                               .authority = MOTE_GRPC_AUTHORITY("x")};
    mote_io io = {NULL, nothing_read, nothing_written, otlp_pass, otlp_clock, nobody, NULL,
                  NULL, NULL};

    CHECK_INT(mote_channel_init(&channel, &config, memory, sizeof memory, input, sizeof input, io),
              0);
    CHECK_INT(telemetry_begins(1, 1), 0);
    measured(21.5, 2);
    measured(22.5, 3);
    telemetry_leaves(&channel);
    CHECK_LEDGER(&metrics.exporter, "4: 3 waiting 1 replaced");
    uint32_t ms = mote_otlp_wait_ms(&metrics.exporter, otlp_now);
    CHECK(ms >= 800 && ms <= 1200);
    CHECK_INT(mote_otlp_begin(&metrics.exporter, otlp_now + ms), 0);
    CHECK(otlp_is(otlp_request(&metrics.exporter, otlp_say_metric),
                  "resource service.name=greenhouse\n"
                  "device.readings {reading} \"since the start\" sum 2 up 1..3: 2\n"
                  "device.temperature Cel \"of the board\" gauge 0..2: 21.50\n"
                  "device.temperature Cel \"of the board\" gauge 0..3: 22.50\n"));
    mote_channel_close(&channel, 0);
}

#endif
