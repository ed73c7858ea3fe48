/* OTLP: what becomes of requests, by each status and response; and log records, in RAM and flash.
 */
#include "../../grpc/services/rpc.h"
#include "otlp_text.h"

enum { RECORD = 160, RING = 256, SECTOR = 256, SECTORS = 4 };

static const mote_otlp_KeyValue resource[] = {MOTE_OTLP_TEXT("service.name", "mote")};
MOTE_OTLP_COUNTER(readings, "readings", "", "", MOTE_OTLP_PLAIN);
MOTE_OTLP_GAUGE_OF_INT(battery, "battery", "", "", MOTE_OTLP_PLAIN);
static mote_otlp_instrument *const all[] = {&readings.base, &battery.base};
static const mote_otlp_config config = {.resource = resource,
                                        .resource_count = 1,
                                        .instruments = all,
                                        .instrument_count = 2,
                                        .first_ms = 1000,
                                        .most_ms = 4000};

MOTE_OTLP_STORAGE(storage, record = RECORD, ring = RING);
static mote_otlp_metrics m;
static mote_otlp_logs l;
static mote_otlp_exporter *const x = &m.exporter;

/* A cumulative point and one of a gauge leave. */
static void two_points_leave(void)
{
    memset(&readings.base.value, 0, sizeof readings.base.value);
    readings.base.slot = MOTE_OTLP_NONE;
    mote_outbox_init(&storage_outbox, storage_ring_memory, RING, MOTE_OUTBOX_DROP_OLDEST, 1);
    CHECK_INT(mote_otlp_metrics_init(&m, &config, &storage_outbox, MOTE_OTLP_RECORD(storage), 1, 1),
              0);
    CHECK(mote_otlp_add(&readings, 1));
    mote_otlp_set_int(&battery, 2);
    CHECK_INT(mote_otlp_collect(&m, 2), 0);
    CHECK_INT(mote_otlp_begin(x, 0), 0);
}

/* ---- statuses ------------------------------------------------------------------------------ */

/* A field of metadata with these details. */
static void details_arrive(const mote_rpc_Status *status, const char *name)
{
    static uint8_t bytes[512];
    static char text[700];
    size_t len;

    CHECK_INT(mote_rpc_Status_encode(status, bytes, sizeof bytes, &len), 0);
    int n = mote_grpc_bin_encode(bytes, len, text, sizeof text);
    CHECK(n >= 0);
    mote_otlp_metadata(x, &(mote_grpc_event){.type = MOTE_GRPC_METADATA,
                                             .trailing = true,
                                             .name = name,
                                             .name_len = strlen(name),
                                             .value = text,
                                             .value_len = (size_t)n});
}

static void receiver_says_in(const char *name, int64_t seconds, int32_t nanos)
{
    static uint8_t packed[2][64];
    mote_rpc_Any details[2];
    mote_rpc_Duration delay = {seconds, nanos};
    mote_rpc_RetryInfo info = {&delay};
    mote_rpc_ErrorInfo other = {MOTE_PB_STRING("BUSY"), MOTE_PB_STRING("example.com"), {0}};

    CHECK_INT(mote_rpc_pack(&details[0], MOTE_RPC_URL(ErrorInfo), &mote_rpc_ErrorInfo_encoder,
                            &other, packed[0], sizeof packed[0]),
              0);
    CHECK_INT(mote_rpc_pack(&details[1], MOTE_RPC_URL(RetryInfo), &mote_rpc_RetryInfo_encoder,
                            &info, packed[1], sizeof packed[1]),
              0);
    details_arrive(&(mote_rpc_Status){8, MOTE_PB_STRING("busy"), {details, 2}}, name);
}

static void receiver_says_when(int64_t seconds, int32_t nanos)
{
    receiver_says_in("grpc-status-details-bin", seconds, nanos);
}

/* The table of OTLP, each code; with and without RetryInfo. */
static void each_status_is_tried_again_or_not(void)
{
    static const struct {
        int code;
        bool always, when_told;
    } table[] = {{MOTE_GRPC_CANCELLED, true, true},
                 {MOTE_GRPC_UNKNOWN, false, false},
                 {MOTE_GRPC_INVALID_ARGUMENT, false, false},
                 {MOTE_GRPC_DEADLINE_EXCEEDED, true, true},
                 {MOTE_GRPC_NOT_FOUND, false, false},
                 {MOTE_GRPC_ALREADY_EXISTS, false, false},
                 {MOTE_GRPC_PERMISSION_DENIED, false, false},
                 {MOTE_GRPC_RESOURCE_EXHAUSTED, false, true},
                 {MOTE_GRPC_FAILED_PRECONDITION, false, false},
                 {MOTE_GRPC_ABORTED, true, true},
                 {MOTE_GRPC_OUT_OF_RANGE, true, true},
                 {MOTE_GRPC_UNIMPLEMENTED, false, false},
                 {MOTE_GRPC_INTERNAL, false, false},
                 {MOTE_GRPC_UNAVAILABLE, true, true},
                 {MOTE_GRPC_DATA_LOSS, true, true},
                 {MOTE_GRPC_UNAUTHENTICATED, false, false},
                 {17, false, false},
                 {33, false, false},
                 {-1, false, false}};

    for (size_t i = 0; i < 2 * (sizeof table / sizeof table[0]); i++) {
        bool told = i & 1, again = told ? table[i / 2].when_told : table[i / 2].always;
        two_points_leave();
        if (told)
            receiver_says_when(0, 0);
        CHECK_INT(mote_otlp_end(x, table[i / 2].code, NULL, 0, 500),
                  again ? MOTE_OTLP_LATER : MOTE_OTLP_REFUSED);
        CHECK_LEDGER(x, again ? "2: 2 waiting" : "2: 2 failed");
        CHECK_INT(mote_otlp_end(x, 0, NULL, 0, 0), MOTE_OTLP_REFUSED); /* there is none */
        CHECK_LEDGER(x, again ? "2: 2 waiting" : "2: 2 failed");
    }
}

static void waits_grow_and_what_waits_leaves_again(void)
{
    static const struct {
        uint64_t least, most;
    } waits[] = {{800, 1200}, {1280, 1920}, {2048, 3072}, {3200, 4800}, {3200, 4800}};
    uint64_t now = 0;

    two_points_leave();
    for (size_t i = 0; i < sizeof waits / sizeof waits[0]; i++) {
        CHECK_INT(mote_otlp_end(x, MOTE_GRPC_UNAVAILABLE, NULL, 0, now), MOTE_OTLP_LATER);
        uint64_t ms = mote_otlp_wait_ms(x, now);
        CHECK(ms >= waits[i].least && ms <= waits[i].most);
        CHECK_INT(mote_otlp_begin(x, now + ms - 1), MOTE_AGAIN);
        CHECK(mote_otlp_add(&readings, 1));
        mote_otlp_collect(&m, 3 + i);
        now += ms;
        CHECK_INT(mote_otlp_wait_ms(x, now), 0);
        CHECK_INT(mote_otlp_begin(x, now), 0);
    }
    CHECK(otlp_is(otlp_request(x, otlp_say_metric), "resource service.name=mote\n"
                                                    "readings  \"\" sum 2 up 1..7: 6\n"
                                                    "battery  \"\" gauge 0..2: 2\n"));
    CHECK_INT(mote_otlp_end(x, MOTE_GRPC_OK, NULL, 0, now), MOTE_OTLP_SENT);
    CHECK_LEDGER(x, "7: 2 sent 5 replaced");
    CHECK_INT(mote_otlp_wait_ms(x, now), UINT32_MAX);
    CHECK_INT(x->backoff.next_ms, 0);
}

/* At least what it says, and up to a fifth more. */
static void a_receiver_says_when(void)
{
    static const struct {
        int64_t seconds;
        int32_t nanos;
        uint32_t delay;
        uint64_t least, most;
    } table[] = {{5, 0, 5000, 5000, 6000},
                 {5, 1, 5001, 5001, 6001},
                 {0, 0, 0, 800, 1200},
                 {0, 300000000, 300, 800, 1200}, /* less than the wait that is its turn */
                 {-5, 0, 0, 800, 1200},
                 {3599, 999999999, 3600000, 3600000, 4320000},
                 {INT64_MAX, 0, 3600000, 3600000, 4320000}};

    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        two_points_leave();
        receiver_says_when(table[i].seconds, table[i].nanos);
        CHECK_INT(x->delay_ms, table[i].delay);
        CHECK_INT(mote_otlp_end(x, MOTE_GRPC_UNAVAILABLE, NULL, 0, 0), MOTE_OTLP_LATER);
        uint64_t ms = mote_otlp_wait_ms(x, 0);
        CHECK(ms >= table[i].least && ms <= table[i].most);
    }
}

/* Bytes of a google.rpc.Status, and what is not one: no RetryInfo is in them. */
static void details_that_say_nothing_are_none(void)
{
    static const char *const table[] = {
        "",
        "1a00",                                                       /* an empty detail */
        "1a020a00",                                                   /* without a type */
        "1a170a15476f6f676c652e7270632e5265747279496e666f2121",       /* another name */
        "1a150a13676f6f676c652e7270632e5265747279496e666f",           /* no '/' before it */
        "1aff",                                                       /* cut */
        "ffffffffffffffffffff",                                       /* no tag */
        "18011a1808160a142f676f6f676c652e7270632e5265747279496e6f6f", /* a wrong letter */
    };

    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        uint8_t bytes[64];
        size_t len = unhex(table[i], bytes);
        char text[100];
        two_points_leave();
        int n = mote_grpc_bin_encode(bytes, len, text, sizeof text);
        mote_otlp_metadata(x, &(mote_grpc_event){.type = MOTE_GRPC_METADATA,
                                                 .name = "grpc-status-details-bin",
                                                 .name_len = 23,
                                                 .value = text,
                                                 .value_len = (size_t)n});
        CHECK_INT(mote_otlp_end(x, MOTE_GRPC_RESOURCE_EXHAUSTED, NULL, 0, 0), MOTE_OTLP_REFUSED);
    }
}

/* They are larger than the record, so they cannot be read. */
static void details_that_are_too_large_say_nothing(void)
{
    static char long_text[300];

    memset(long_text, 'a', sizeof long_text);
    two_points_leave();
    details_arrive(&(mote_rpc_Status){8, {long_text, sizeof long_text}, {NULL, 0}},
                   "grpc-status-details-bin");
    CHECK_INT(mote_otlp_end(x, MOTE_GRPC_RESOURCE_EXHAUSTED, NULL, 0, 0), MOTE_OTLP_REFUSED);
}

static void other_fields_are_not_looked_at(void)
{
    two_points_leave();
    receiver_says_in("grpc-status-details-bim", 5, 0);
    receiver_says_in("details-bin", 5, 0);
    CHECK_INT(mote_otlp_end(x, MOTE_GRPC_RESOURCE_EXHAUSTED, NULL, 0, 0), MOTE_OTLP_REFUSED);
}

/* ---- responses ----------------------------------------------------------------------------- */

static void a_response_may_reject_a_part(void)
{
    static const struct {
        const char *bytes;
        const char *text;
        uint64_t rejected;
        const char *ledger;
    } table[] = {{"", "", 0, "2: 2 sent"},
                 {"0a00", "", 0, "2: 2 sent"},
                 {"0a020801", "", 1, "2: 1 sent 1 rejected"},
                 {"0a0712036e6f740801", "not", 1, "2: 1 sent 1 rejected"},
                 {"0a0708011203626164", "bad", 1, "2: 1 sent 1 rejected"},
                 {"0a020802", "", 2, "2: 2 rejected"},
                 {"0a0208640a00", "", 2, "2: 2 rejected"},           /* more than there were */
                 {"0a0512036f6c64", "old", 0, "2: 2 sent"},          /* a warning */
                 {"0a0b08ffffffffffffffffff01", "", 0, "2: 2 sent"}, /* -1 */
                 {"0a05", "", 0, "2: 2 sent"},                       /* cut */
                 {"120208010a020801", "", 1, "2: 1 sent 1 rejected"}};

    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        uint8_t bytes[32];
        size_t len = unhex(table[i].bytes, bytes);
        two_points_leave();
        CHECK_INT(mote_otlp_end(x, MOTE_GRPC_OK, bytes, len, 0),
                  table[i].rejected > 0 ? MOTE_OTLP_PARTIAL : MOTE_OTLP_SENT);
        CHECK_INT(x->rejected, table[i].rejected);
        CHECK(x->text.len == strlen(table[i].text) &&
              (x->text.len == 0 || memcmp(x->text.data, table[i].text, x->text.len) == 0));
        CHECK_LEDGER(x, table[i].ledger);
        CHECK_INT(mote_otlp_begin(x, 0), MOTE_AGAIN); /* nothing is sent again */
    }
}

static void a_call_is_what_the_config_says(void)
{
    static const mote_grpc_metadata token = {"authorization", "Bearer x", 13, 8};
    static const mote_grpc_codec codec;
    mote_otlp_config other = config;

    two_points_leave();
    CHECK_INT(x->request.timeout_ms, 10000);
    CHECK_TEXT(strcmp(x->request.path->value, "/opentelemetry.proto.collector.metrics.v1."
                                              "MetricsService/Export") == 0);
    CHECK(!x->request.codec && x->request.metadata_count == 0);
    other.timeout_ms = 77;
    other.codec = &codec;
    other.metadata = &token;
    other.metadata_count = 1;
    x->config = &other;
    CHECK_INT(mote_otlp_end(x, MOTE_GRPC_ABORTED, NULL, 0, 0), MOTE_OTLP_LATER);
    CHECK_INT(mote_otlp_begin(x, x->retry_ms), 0);
    CHECK_INT(x->request.timeout_ms, 77);
    CHECK(x->request.codec == &codec && x->request.metadata == &token);
    CHECK_INT(x->request.metadata_count, 1);
}

/* ---- logs ---------------------------------------------------------------------------------- */

static void begin_logs(void)
{
    CHECK_INT(mote_otlp_logs_init(&l, &config, &storage_outbox, MOTE_OTLP_RECORD(storage), 1), 0);
}

static void log_records_wait_in_their_order(void)
{
    mote_otlp_LogRecord full = {
        .time_unix_nano = 7, .severity_number = MOTE_OTLP_FATAL, .attributes = {resource, 1}};

    mote_outbox_init(&storage_outbox, storage_ring_memory, RING, MOTE_OUTBOX_DROP_OLDEST, 1);
    CHECK_INT(mote_otlp_logs_init(&l, &config, NULL, MOTE_OTLP_RECORD(storage), 1),
              MOTE_GRPC_ERR_CONFIG);
    begin_logs();
    CHECK_INT(mote_otlp_begin(&l.exporter, 0), MOTE_AGAIN);
    CHECK_INT(mote_otlp_log(&l, 5, MOTE_OTLP_INFO, MOTE_PB_STRING("it begins")), 0);
    CHECK_INT(mote_otlp_log(&l, 6, MOTE_OTLP_WARN, MOTE_PB_STRING("")), 0);
    CHECK_INT(mote_otlp_log_record(&l, &full), 0);
    CHECK_INT(mote_otlp_begin(&l.exporter, 0), 0);
    CHECK_TEXT(strstr(l.exporter.request.path->value, ".logs.v1.LogsService/Export") != NULL);
    CHECK(otlp_is(otlp_request(&l.exporter, otlp_say_log), "resource service.name=mote\n"
                                                           "5 9 \"it begins\"\n"
                                                           "6 13 \"\"\n"
                                                           "7 21 service.name=mote\n"));
    CHECK_INT(mote_otlp_end(&l.exporter, MOTE_GRPC_OK, NULL, 0, 0), MOTE_OTLP_SENT);
    CHECK_LEDGER(&l.exporter, "3: 3 sent");
}

static void what_is_too_large_for_a_log_is_dropped_and_counted(void)
{
    static char text[200];

    memset(text, 'a', sizeof text);
    mote_outbox_init(&storage_outbox, storage_ring_memory, RING, MOTE_OUTBOX_REFUSE, 1);
    begin_logs();
    CHECK_INT(mote_otlp_log(&l, 1, MOTE_OTLP_INFO, (mote_pb_string){text, sizeof text}),
              MOTE_GRPC_ERR_SPACE);
    CHECK_LEDGER(&l.exporter, "1: 1 dropped");
    for (int i = 0; i < 3; i++)
        CHECK_INT(mote_otlp_log(&l, 1, MOTE_OTLP_INFO, (mote_pb_string){text, 90}),
                  i < 2 ? 0 : MOTE_AGAIN);
    CHECK_LEDGER(&l.exporter, "4: 2 waiting 2 dropped");
}

/* ---- in storage ---------------------------------------------------------------------------- */

static uint8_t flash[SECTOR * SECTORS];
static bool flash_fails;

static int flash_read(void *context, size_t at, uint8_t *to, size_t len)
{
    (void)context;
    memcpy(to, flash + at, len);
    return 0;
}
static int flash_program(void *context, size_t at, const uint8_t *from, size_t len)
{
    (void)context;
    if (flash_fails)
        return -1;
    memcpy(flash + at, from, len);
    return 0;
}
static int flash_erase(void *context, size_t at)
{
    (void)context;
    if (flash_fails)
        return -1;
    memset(flash + at, 0xff, SECTOR);
    return 0;
}
static const mote_outbox_storage flash_storage = {
    NULL, 8, SECTOR, SECTORS, flash_read, flash_program, flash_erase, NULL};

static void what_waits_in_flash_is_sent_after_a_restart(void)
{
    static uint8_t small[MOTE_OTLP_RECORD_MIN];
    static char text[110];

    memset(text, 'b', sizeof text);
    memset(flash, 0xff, sizeof flash);
    CHECK_INT(mote_outbox_mount(&storage_outbox, &flash_storage, MOTE_OUTBOX_REFUSE, 1), 0);
    CHECK_INT(mote_otlp_logs_init(&l, &config, &storage_outbox, small, sizeof small, 1), 0);
    CHECK_INT(mote_otlp_log(&l, 5, MOTE_OTLP_INFO, MOTE_PB_STRING("one")), 0);
    CHECK_INT(mote_otlp_log(&l, 6, MOTE_OTLP_INFO, MOTE_PB_STRING("two")), 0);
    CHECK_INT(mote_otlp_begin(&l.exporter, 0), 0);
    memset(&storage_outbox, 0, sizeof storage_outbox);
    CHECK_INT(mote_outbox_mount(&storage_outbox, &flash_storage, MOTE_OUTBOX_REFUSE, 2), 0);
    CHECK_INT(mote_otlp_logs_init(&l, &config, &storage_outbox, small, sizeof small, 1), 0);
    CHECK_LEDGER(&l.exporter, "2: 2 waiting");
    CHECK_INT(mote_otlp_log(&l, 7, MOTE_OTLP_INFO, MOTE_PB_STRING("three")), 0);
    CHECK_INT(mote_otlp_begin(&l.exporter, 0), 0);
    CHECK(otlp_is(otlp_request(&l.exporter, otlp_say_log), "resource service.name=mote\n"
                                                           "5 9 \"one\"\n"
                                                           "6 9 \"two\"\n"
                                                           "7 9 \"three\"\n"));
    CHECK_INT(mote_otlp_end(&l.exporter, MOTE_GRPC_OK, NULL, 0, 0), MOTE_OTLP_SENT);
    CHECK_LEDGER(&l.exporter, "3: 3 sent");
    flash_fails = true;
    CHECK_INT(mote_otlp_log(&l, 8, MOTE_OTLP_INFO, (mote_pb_string){text, 60}), -1);
    flash_fails = false;
    CHECK_LEDGER(&l.exporter, "4: 3 sent 1 dropped");
}

/* Another program, which had more room, has left one in flash: the others go on. */
static void a_record_that_is_too_large_now_is_dropped(void)
{
    static uint8_t large[200];

    memset(large, 'c', sizeof large);
    mote_outbox_init(&storage_outbox, storage_ring_memory, RING, MOTE_OUTBOX_REFUSE, 1);
    mote_outbox_put(&storage_outbox, large, 180);
    begin_logs();
    CHECK_INT(mote_otlp_log(&l, 5, MOTE_OTLP_INFO, MOTE_PB_STRING("one")), 0);
    CHECK_INT(mote_otlp_begin(&l.exporter, 0), 0);
    CHECK(otlp_is(otlp_request(&l.exporter, otlp_say_log),
                  "resource service.name=mote\n5 9 \"one\"\n"));
    CHECK_LEDGER(&l.exporter, "2: 1 waiting 1 dropped");
}

int main(void)
{
    RUN(each_status_is_tried_again_or_not);
    RUN(waits_grow_and_what_waits_leaves_again);
    RUN(a_receiver_says_when);
    RUN(details_that_say_nothing_are_none);
    RUN(details_that_are_too_large_say_nothing);
    RUN(other_fields_are_not_looked_at);
    RUN(a_response_may_reject_a_part);
    RUN(a_call_is_what_the_config_says);
    RUN(log_records_wait_in_their_order);
    RUN(what_is_too_large_for_a_log_is_dropped_and_counted);
    RUN(what_waits_in_flash_is_sent_after_a_restart);
    RUN(a_record_that_is_too_large_now_is_dropped);
    return test_summary();
}
