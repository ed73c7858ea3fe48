/* OTLP: what instruments say, what waits where, and that nothing is lost but what the ledger says.
 */
#include "otlp_text.h"

enum { RECORD = 200 };

static const mote_otlp_KeyValue resource[] = {MOTE_OTLP_TEXT("service.name", "mote"),
                                              MOTE_OTLP_INTEGER("device.number", 7)};
static const mote_otlp_KeyValue of_room[] = {MOTE_OTLP_TEXT("room", "kitchen")};
static const mote_otlp_Scope scope = {MOTE_PB_STRING_INIT("unit"), MOTE_PB_STRING_INIT("1.0"), {0}};
static const double bounds[] = {1, 5, 10};

MOTE_OTLP_COUNTER(readings, "readings", "{reading}", "since the start", MOTE_OTLP_PLAIN);
MOTE_OTLP_COUNTER_DOUBLE(energy, "energy", "J", "", MOTE_OTLP_WITH(of_room));
MOTE_OTLP_UP_DOWN_COUNTER(open_doors, "doors", "{door}", "open", MOTE_OTLP_PLAIN);
MOTE_OTLP_GAUGE(temperature, "temperature", "Cel", "", MOTE_OTLP_WITH(of_room));
MOTE_OTLP_GAUGE_OF_INT(battery, "battery", "mV", "", MOTE_OTLP_PLAIN);
MOTE_OTLP_HISTOGRAM(latency, "latency", "ms", "", bounds, MOTE_OTLP_PLAIN);

static mote_otlp_instrument *const all[] = {&readings.base,    &energy.base,  &open_doors.base,
                                            &temperature.base, &battery.base, &latency.base};

MOTE_OTLP_STORAGE(storage, record = RECORD, ring = 1024);
static mote_otlp_metrics m;
static mote_otlp_exporter *const x = &m.exporter;
static mote_otlp_config config;

/* The bill of the whole, at compile time. */
_Static_assert(MOTE_RAM_OTLP(mote_otlp_metrics, storage) + 5 * sizeof(mote_otlp_sum) +
                       MOTE_RAM_OTLP_HISTOGRAM(3) <
                   3000,
               "RAM");

static void clear(mote_otlp_instrument *i)
{
    *i = (mote_otlp_instrument){.about = i->about};
}

static void begin_with(enum mote_otlp_temporality temporality, enum mote_outbox_policy policy,
                       size_t ring)
{
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
        clear(all[i]);
    memset(latency_counts, 0, sizeof latency_counts);
    config = (mote_otlp_config){.resource = resource,
                                .resource_count = 2,
                                .scope = &scope,
                                .instruments = all,
                                .instrument_count = sizeof all / sizeof all[0],
                                .temporality = temporality};
    mote_outbox_init(&storage_outbox, storage_ring_memory, ring, policy, 1);
    CHECK_INT(mote_otlp_metrics_init(&m, &config, ring > 0 ? &storage_outbox : NULL,
                                     MOTE_OTLP_RECORD(storage), 1000, 1),
              0);
}

static const char *next_request(void)
{
    return mote_otlp_begin(x, 1000000) == 0 ? otlp_request(x, otlp_say_metric) : "none";
}

static void use_all(void)
{
    CHECK(mote_otlp_add(&readings, 3));
    CHECK(mote_otlp_add_double(&energy, 0.25));
    CHECK(mote_otlp_add(&open_doors, -2));
    mote_otlp_set(&temperature, 21.5);
    mote_otlp_set_int(&battery, -3300);
    CHECK(mote_otlp_observe(&latency, 7));
}

/* ---- instruments --------------------------------------------------------------------------- */

#define HEAD "resource service.name=mote device.number=7\nscope unit 1.0\n"

static void each_instrument_says_what_it_is(void)
{
    begin_with(MOTE_OTLP_CUMULATIVE, MOTE_OUTBOX_REFUSE, 1024);
    use_all();
    CHECK_INT(mote_otlp_collect(&m, 2000), 0);
    CHECK(otlp_is(next_request(),
                  HEAD "readings {reading} \"since the start\" sum 2 up 1000..2000: 3\n"
                       "energy J \"\" sum 2 up 1000..2000: 0.25 room=kitchen\n"
                       "doors {door} \"open\" sum 2 1000..2000: -2\n"
                       "latency ms \"\" histogram 2 1000..2000: 1 sum 7.00 7.00 to 7.00 0<=1.0 "
                       "0<=5.0 1<=10.0 0\n"
                       "temperature Cel \"\" gauge 0..2000: 21.50 room=kitchen\n"
                       "battery mV \"\" gauge 0..2000: -3300\n"));
    CHECK_LEDGER(x, "6: 6 waiting");
    CHECK_INT(mote_otlp_end(x, MOTE_GRPC_OK, NULL, 0, 0), MOTE_OTLP_SENT);
    CHECK_LEDGER(x, "6: 6 sent");
}

static void what_was_never_used_says_nothing_and_zero_is_a_number(void)
{
    begin_with(MOTE_OTLP_CUMULATIVE, MOTE_OUTBOX_REFUSE, 1024);
    CHECK_INT(mote_otlp_collect(&m, 2000), 0);
    CHECK(otlp_is(next_request(), "none"));
    CHECK(mote_otlp_add(&readings, 0));
    mote_otlp_set(&temperature, 0);
    CHECK_INT(mote_otlp_collect(&m, 2000), 0);
    CHECK(otlp_is(next_request(),
                  HEAD "readings {reading} \"since the start\" sum 2 up 1000..2000: 0\n"
                       "temperature Cel \"\" gauge 0..2000: 0.00 room=kitchen\n"));
}

static void a_counter_never_goes_down_and_what_is_no_number_is_not_counted(void)
{
    double none = strtod("nan", NULL);

    begin_with(MOTE_OTLP_CUMULATIVE, MOTE_OUTBOX_REFUSE, 1024);
    CHECK(!mote_otlp_add(&readings, -1));
    CHECK(!mote_otlp_add_double(&energy, -0.5));
    CHECK(!mote_otlp_add_double(&energy, none));
    CHECK(!mote_otlp_observe(&latency, none));
    CHECK_INT(mote_otlp_collect(&m, 2000), 0);
    CHECK(otlp_is(next_request(), "none"));
}

static void a_bound_is_of_the_bucket_below_it(void)
{
    static const struct {
        double value;
        const char *expected;
    } values[] = {{-1, "1<=1.0 0<=5.0 0<=10.0 0"},      {1, "2<=1.0 0<=5.0 0<=10.0 0"},
                  {1.0001, "2<=1.0 1<=5.0 0<=10.0 0"},  {5, "2<=1.0 2<=5.0 0<=10.0 0"},
                  {10, "2<=1.0 2<=5.0 1<=10.0 0"},      {10.5, "2<=1.0 2<=5.0 1<=10.0 1"},
                  {0x1p1000, "2<=1.0 2<=5.0 1<=10.0 2"}};

    begin_with(MOTE_OTLP_CUMULATIVE, MOTE_OUTBOX_REFUSE, 1024);
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
        CHECK(mote_otlp_observe(&latency, values[i].value));
        CHECK_INT(mote_otlp_collect(&m, 2000), 0);
        CHECK(strstr(next_request(), values[i].expected) != NULL);
        CHECK_INT(mote_otlp_end(x, MOTE_GRPC_OK, NULL, 0, 0), MOTE_OTLP_SENT);
    }
    CHECK(latency.min == -1 && latency.max == 0x1p1000);
}

/* ---- what waits ---------------------------------------------------------------------------- */

static void a_newer_cumulative_point_takes_the_place_of_the_older_one(void)
{
    begin_with(MOTE_OTLP_CUMULATIVE, MOTE_OUTBOX_REFUSE, 1024);
    for (int i = 1; i <= 3; i++) {
        CHECK(mote_otlp_add(&readings, 1));
        mote_otlp_set_int(&battery, i);
        CHECK_INT(mote_otlp_collect(&m, 2000 + (uint64_t)i), 0);
    }
    CHECK_LEDGER(x, "6: 4 waiting 2 replaced");
    CHECK(otlp_is(next_request(),
                  HEAD "readings {reading} \"since the start\" sum 2 up 1000..2003: 3\n"
                       "battery mV \"\" gauge 0..2001: 1\n"
                       "battery mV \"\" gauge 0..2002: 2\n"
                       "battery mV \"\" gauge 0..2003: 3\n"));
    CHECK_INT(mote_otlp_end(x, MOTE_GRPC_OK, NULL, 0, 0), MOTE_OTLP_SENT);
    CHECK_LEDGER(x, "6: 4 sent 2 replaced");
}

static void without_an_outbox_gauges_are_replaced_as_well(void)
{
    begin_with(MOTE_OTLP_CUMULATIVE, MOTE_OUTBOX_REFUSE, 0);
    for (int i = 1; i <= 3; i++) {
        mote_otlp_set_int(&battery, i);
        CHECK_INT(mote_otlp_collect(&m, 2000 + (uint64_t)i), 0);
        CHECK_INT(mote_otlp_collect(&m, 3000), 0); /* it was not set since */
    }
    CHECK_LEDGER(x, "3: 1 waiting 2 replaced");
    CHECK(otlp_is(next_request(), HEAD "battery mV \"\" gauge 0..2003: 3\n"));
}

static void delta_points_say_what_has_come_since_the_last_one(void)
{
    begin_with(MOTE_OTLP_DELTA, MOTE_OUTBOX_REFUSE, 1024);
    for (int i = 1; i <= 2; i++) {
        CHECK(mote_otlp_add(&readings, i));
        CHECK(mote_otlp_add(&open_doors, 1));
        CHECK(mote_otlp_observe(&latency, i));
        CHECK_INT(mote_otlp_collect(&m, 2000 + (uint64_t)i), 0);
    }
    CHECK_INT(mote_otlp_collect(&m, 3000),
              0); /* nothing since, but that the doors are cumulative */
    CHECK_LEDGER(x, "7: 5 waiting 2 replaced");
    CHECK(otlp_is(next_request(),
                  HEAD "doors {door} \"open\" sum 2 1000..3000: 2\n"
                       "readings {reading} \"since the start\" sum 1 up 1000..2001: 1\n"
                       "latency ms \"\" histogram 1 1000..2001: 1 sum 1.00 1.00 to 1.00 1<=1.0 "
                       "0<=5.0 0<=10.0 0\n"
                       "readings {reading} \"since the start\" sum 1 up 2001..2002: 2\n"
                       "latency ms \"\" histogram 1 2001..2002: 1 sum 2.00 2.00 to 2.00 0<=1.0 "
                       "1<=5.0 0<=10.0 0\n"));
}

/* A ring of two points. */
static void what_has_no_room(enum mote_outbox_policy policy)
{
    begin_with(MOTE_OTLP_DELTA, policy, 160);
    for (int i = 1; i <= 4; i++) {
        CHECK(mote_otlp_add(&readings, 1));
        CHECK_INT(mote_otlp_collect(&m, 2000 + (uint64_t)i),
                  policy == MOTE_OUTBOX_REFUSE && i > 2 ? MOTE_AGAIN : 0);
    }
}

static void a_delta_that_is_refused_is_part_of_the_next_one(void)
{
    what_has_no_room(MOTE_OUTBOX_REFUSE);
    CHECK_LEDGER(x, "2: 2 waiting");
    CHECK(strcmp(next_request(), "none") != 0);
    CHECK_INT(mote_otlp_end(x, MOTE_GRPC_OK, NULL, 0, 0), MOTE_OTLP_SENT);
    CHECK_INT(mote_otlp_collect(&m, 3000), 0);
    CHECK(otlp_is(next_request(),
                  HEAD "readings {reading} \"since the start\" sum 1 up 2002..3000: 2\n"));
    CHECK_LEDGER(x, "3: 2 sent 1 waiting");
}

static void the_oldest_delta_is_dropped_and_counted(void)
{
    what_has_no_room(MOTE_OUTBOX_DROP_OLDEST);
    CHECK_LEDGER(x, "4: 2 waiting 2 dropped");
    CHECK(otlp_is(next_request(),
                  HEAD "readings {reading} \"since the start\" sum 1 up 2002..2003: 1\n"
                       "readings {reading} \"since the start\" sum 1 up 2003..2004: 1\n"));
}

static void a_gauge_that_is_refused_is_dropped_and_counted(void)
{
    begin_with(MOTE_OTLP_CUMULATIVE, MOTE_OUTBOX_REFUSE, 100);
    for (int i = 1; i <= 4; i++) {
        mote_otlp_set(&temperature, i);
        CHECK_INT(mote_otlp_collect(&m, 2000), i > 1 ? MOTE_AGAIN : 0);
    }
    CHECK_LEDGER(x, "4: 1 waiting 3 dropped");
}

/* ---- while a call is made ------------------------------------------------------------------ */

static void what_leaves_stays_as_it_is(void)
{
    char before[sizeof otlp_lines];

    begin_with(MOTE_OTLP_CUMULATIVE, MOTE_OUTBOX_DROP_OLDEST, 100);
    use_all();
    mote_otlp_collect(&m, 2000);
    strcpy(before, next_request());
    for (int i = 0; i < 3; i++) {
        use_all();
        mote_otlp_collect(&m, 3000);
        CHECK_INT(mote_otlp_begin(x, 0), MOTE_GRPC_ERR_STATE);
        CHECK_INT(mote_otlp_wait_ms(x, 0), UINT32_MAX);
        CHECK(otlp_is(otlp_request(x, otlp_say_metric), before));
    }
    CHECK_INT(storage_outbox.policy, MOTE_OUTBOX_DROP_OLDEST);
    CHECK_INT(mote_otlp_end(x, MOTE_GRPC_OK, NULL, 0, 0), MOTE_OTLP_SENT);
    CHECK_INT(mote_otlp_collect(&m, 4000), 0);
    CHECK(strstr(next_request(), "sum 2 up 1000..4000: 12\n") != NULL);
}

static void a_request_in_pieces_is_the_same_one(void)
{
    static uint8_t whole[4096];

    begin_with(MOTE_OTLP_CUMULATIVE, MOTE_OUTBOX_REFUSE, 1024);
    use_all();
    mote_otlp_collect(&m, 2000);
    CHECK_INT(mote_otlp_begin(x, 0), 0);
    size_t len = otlp_write(x, 0);
    CHECK(len > 300 && len <= sizeof whole);
    memcpy(whole, otlp_bytes, len);
    for (size_t part = 1; part < len; part++) {
        memset(otlp_bytes, 0, len);
        CHECK_INT(otlp_write(x, part), len);
        CHECK(memcmp(otlp_bytes, whole, len) == 0);
    }
}

/* Whatever fits is in it, and no more; all of it is sent once. */
static void requests_are_as_large_as_they_may_be(void)
{
    size_t largest = 0, least = 0;

    for (size_t limit = 300; limit < 700; limit++) {
        size_t requests = 0, points = 0;
        begin_with(MOTE_OTLP_CUMULATIVE, MOTE_OUTBOX_REFUSE, 1024);
        config.request_size = limit;
        for (int i = 0; i < 10; i++) {
            use_all();
            mote_otlp_collect(&m, 2000);
        }
        uint64_t waiting = mote_otlp_ledger_of(x).waiting;
        for (; mote_otlp_begin(x, 0) == 0; requests++) {
            points += x->slots + x->records;
            size_t len = otlp_write(x, 0);
            CHECK(len > 0 && len <= limit);
            largest = len > largest ? len : largest;
            CHECK_INT(mote_otlp_end(x, MOTE_GRPC_OK, NULL, 0, 0), MOTE_OTLP_SENT);
        }
        CHECK_INT(points, waiting);
        CHECK_INT(mote_otlp_ledger_of(x).sent, waiting);
        CHECK(least == 0 || requests <= least);
        least = requests;
    }
    CHECK(least > 1 && least < 5);
    CHECK(largest > 600);
}

/* ---- its beginning ------------------------------------------------------------------------- */

static void what_cannot_work_is_refused_at_once(void)
{
    static const struct {
        size_t record, request;
        enum mote_otlp_temporality temporality;
        bool outbox;
        int expected;
    } table[] = {{RECORD, 0, MOTE_OTLP_CUMULATIVE, true, 0},
                 {RECORD, 0, MOTE_OTLP_CUMULATIVE, false, 0},
                 {RECORD, 0, MOTE_OTLP_DELTA, false, MOTE_GRPC_ERR_CONFIG},
                 {MOTE_OTLP_RECORD_MIN - 1, 0, MOTE_OTLP_CUMULATIVE, true, MOTE_GRPC_ERR_CONFIG},
                 {RECORD, RECORD, MOTE_OTLP_CUMULATIVE, true, MOTE_GRPC_ERR_CONFIG},
                 {MOTE_OTLP_RECORD_MIN, 0, MOTE_OTLP_CUMULATIVE, true, MOTE_GRPC_ERR_SPACE}};

    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        begin_with(table[i].temporality, MOTE_OUTBOX_REFUSE, 1024);
        config.request_size = table[i].request;
        CHECK_INT(mote_otlp_metrics_init(&m, &config, table[i].outbox ? &storage_outbox : NULL,
                                         storage_record_memory, table[i].record, 1000, 1),
                  table[i].expected);
    }
}

/* No point is larger than what the beginning has measured. */
static void a_record_of_the_measured_size_is_enough(void)
{
    size_t least = MOTE_OTLP_RECORD_MIN;

    begin_with(MOTE_OTLP_DELTA, MOTE_OUTBOX_REFUSE, 1024);
    while (mote_otlp_metrics_init(&m, &config, &storage_outbox, storage_record_memory, least,
                                  1000000000000000000u, 1) == MOTE_GRPC_ERR_SPACE)
        least++;
    CHECK(least > MOTE_OTLP_RECORD_MIN && least < RECORD);
    use_all();
    CHECK_INT(mote_otlp_collect(&m, UINT64_MAX), 0);
    CHECK_LEDGER(x, "6: 6 waiting");
    CHECK_INT(mote_otlp_begin(x, 0), 0);
    CHECK(otlp_write(x, 0) > 0);
}

int main(void)
{
    RUN(each_instrument_says_what_it_is);
    RUN(what_was_never_used_says_nothing_and_zero_is_a_number);
    RUN(a_counter_never_goes_down_and_what_is_no_number_is_not_counted);
    RUN(a_bound_is_of_the_bucket_below_it);
    RUN(a_newer_cumulative_point_takes_the_place_of_the_older_one);
    RUN(without_an_outbox_gauges_are_replaced_as_well);
    RUN(delta_points_say_what_has_come_since_the_last_one);
    RUN(a_delta_that_is_refused_is_part_of_the_next_one);
    RUN(the_oldest_delta_is_dropped_and_counted);
    RUN(a_gauge_that_is_refused_is_dropped_and_counted);
    RUN(what_leaves_stays_as_it_is);
    RUN(a_request_in_pieces_is_the_same_one);
    RUN(requests_are_as_large_as_they_may_be);
    RUN(what_cannot_work_is_refused_at_once);
    RUN(a_record_of_the_measured_size_is_enough);
    return test_summary();
}
