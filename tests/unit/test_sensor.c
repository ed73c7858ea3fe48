/* What a sensor writes down: a sample names the start of the board by whose clock it was taken. */
#include "../../examples/fleet/sensor_core.h"
#include "../../examples/fleet/telemetry.mote.h"
#include "../test.h"

enum { SECTOR = 512, SIZE = 4 * SECTOR };

static uint8_t flash[SIZE];

static int read_flash(void *context, size_t at, uint8_t *to, size_t len)
{
    (void)context;
    memcpy(to, flash + at, len);
    return 0;
}

static int program(void *context, size_t at, const uint8_t *from, size_t len)
{
    (void)context;
    memcpy(flash + at, from, len);
    return 0;
}

static int erase(void *context, size_t at)
{
    (void)context;
    memset(flash + at, 0xff, SECTOR);
    return 0;
}

static const mote_outbox_storage storage = {NULL, 1, SECTOR, 4, read_flash, program, erase, NULL};

static void is_written(const void *memory, size_t size, mote_telemetry_Sample sample)
{
    const uint8_t *p = memory;
    uint8_t bytes[128];
    size_t len, found = 0;

    CHECK(mote_telemetry_Sample_encode(&sample, bytes, sizeof bytes, &len) == 0);
    for (size_t i = 0; i + len <= size; i++)
        found += memcmp(p + i, bytes, len) == 0;
    CHECK_INT(found, 1);
}

static void a_sample_names_its_start(void)
{
    static const struct {
        uint64_t clock_ms; /* 0: it knows the time of day */
        uint64_t before_start[3];
    } rows[] = {{0, {0, 0, 0}}, {1, {0, 2, 4}}, {UINT64_MAX, {0, 2, 4}}};

    for (size_t row = 0; row < sizeof rows / sizeof rows[0]; row++) {
        uint64_t sequence = 1;
        memset(flash, 0xff, sizeof flash);
        for (size_t start = 0; start < 3; start++) {
            sensor_core s;
            CHECK_INT(sensor_mount(&s, "board", &storage, MOTE_OUTBOX_REFUSE, 7), 0);
            CHECK_INT(s.first, sequence);
            s.clock_ms = rows[row].clock_ms;
            for (int i = 0; i < 2; i++, sequence++) {
                CHECK(sensor_put(&s, "t", 1.5, 100));
                is_written(flash, sizeof flash,
                           (mote_telemetry_Sample){.sequence = sequence,
                                                   .time_ms = 100,
                                                   .metric = MOTE_PB_STRING("t"),
                                                   .value = 1.5,
                                                   .before_start = rows[row].before_start[start]});
            }
        }
    }
}

static void a_ring_in_ram_has_but_one_start(void)
{
    uint8_t ring[200] = {0};
    sensor_core s;

    sensor_init(&s, "board", ring, sizeof ring, MOTE_OUTBOX_REFUSE, 7);
    s.clock_ms = 5;
    for (uint64_t sequence = 1; sequence <= 2; sequence++) {
        CHECK(sensor_put(&s, "t", 2, 3));
        is_written(ring, sizeof ring,
                   (mote_telemetry_Sample){sequence, 3, MOTE_PB_STRING("t"), 2, 0});
    }
}

/* The longest name, the largest numbers. */
static void the_largest_sample_has_room(void)
{
    uint8_t ring[200] = {0};
    sensor_core s;
    const char *metric = "1234567890123456789012345678901";

    sensor_init(&s, "board", ring, sizeof ring, MOTE_OUTBOX_REFUSE, 7);
    s.samples.next_sequence = INT64_MAX;
    s.clock_ms = 5;
    s.first = INT64_MAX;
    CHECK(sensor_put(&s, metric, -1e300, -1));
    is_written(
        ring, sizeof ring,
        (mote_telemetry_Sample){INT64_MAX, -1, mote_pb_cstring(metric), -1e300, INT64_MAX - 1});
}

int main(void)
{
    RUN(a_sample_names_its_start);
    RUN(a_ring_in_ram_has_but_one_start);
    RUN(the_largest_sample_has_room);
    return test_summary();
}
