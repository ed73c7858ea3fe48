/* Timestamp and Duration: every unit at its limits, and the calendar. */
#include "../../pb/pb.h"
#include "../test.h"

enum { MS = 1000, US = 1000000, NS = 1000000000 };
#define FIRST INT64_C(-62135596800) /* 0001-01-01T00:00:00Z */
#define LAST  INT64_C(253402300799) /* 9999-12-31T23:59:59Z */
#define MOST  INT64_C(315576000000) /* of a Duration: 10,000 years */

static void times_become_timestamps_and_back(void)
{
    static const struct {
        int64_t time;
        uint32_t unit;
        int64_t seconds;
        int32_t nanos;
    } rows[] = {{0, MS, 0, 0},
                {1, MS, 0, 1000000},
                {-1, MS, -1, 999000000},
                {-1000, MS, -1, 0},
                {-1001, MS, -2, 999000000},
                {1764499819500, MS, 1764499819, 500000000},
                {-1, NS, -1, 999999999},
                {-1, US, -1, 999999000},
                {7, 1, 7, 0},
                {-7, 1, -7, 0},
                {3, 2, 1, 500000000},
                {FIRST * 1000, MS, FIRST, 0},
                {LAST * 1000 + 999, MS, LAST, 999000000},
                {INT64_MAX, NS, 9223372036, 854775807},
                {INT64_MIN, NS, -9223372037, 145224192}};

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        int64_t seconds = 99, time = 99;
        int32_t nanos = 99;
        CHECK(mote_pb_timestamp_from(rows[i].time, rows[i].unit, &seconds, &nanos));
        CHECK_INT(seconds, rows[i].seconds);
        CHECK_INT(nanos, rows[i].nanos);
        CHECK(mote_pb_timestamp_to(seconds, nanos, rows[i].unit, &time));
        CHECK_INT(time, rows[i].time);
    }
}

static void times_become_durations_and_back(void)
{
    static const struct {
        int64_t time;
        uint32_t unit;
        int64_t seconds;
        int32_t nanos;
    } rows[] = {{0, MS, 0, 0},
                {-1, MS, 0, -1000000},
                {-1001, MS, -1, -1000000},
                {1001, MS, 1, 1000000},
                {MOST * 1000, MS, MOST, 0},
                {-MOST * 1000, MS, -MOST, 0},
                {INT64_MAX, NS, 9223372036, 854775807},
                {INT64_MIN, NS, -9223372036, -854775808}};

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        int64_t seconds = 99, time = 99;
        int32_t nanos = 99;
        CHECK(mote_pb_duration_from(rows[i].time, rows[i].unit, &seconds, &nanos));
        CHECK_INT(seconds, rows[i].seconds);
        CHECK_INT(nanos, rows[i].nanos);
        CHECK(mote_pb_duration_to(seconds, nanos, rows[i].unit, &time));
        CHECK_INT(time, rows[i].time);
    }
}

static void what_a_unit_does_not_hold_is_rounded(void)
{
    static const struct {
        int64_t seconds;
        int32_t nanos;
        int64_t timestamp, duration; /* in ms; -99: not valid */
    } rows[] = {{0, 1999999, 1, 1},         {0, 999999, 0, 0},         {-1, 1, -1000, -99},
                {-1, 999999999, -1, -99},   {0, -999999, -99, 0},      {0, -1000000, -99, -1},
                {-1, -1999999, -99, -1001}, {2, 999999999, 2999, 2999}};

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        int64_t time = -99;
        bool valid = mote_pb_timestamp_to(rows[i].seconds, rows[i].nanos, MS, &time);
        CHECK_INT(time, rows[i].timestamp);
        CHECK(valid == (rows[i].timestamp != -99));
        time = -99;
        valid = mote_pb_duration_to(rows[i].seconds, rows[i].nanos, MS, &time);
        CHECK_INT(time, rows[i].duration);
        CHECK(valid == (rows[i].duration != -99));
    }
}

static void what_is_not_valid_is_refused(void)
{
    char text[MOTE_PB_TIMESTAMP_TEXT] = "x";
    int64_t seconds, time;
    int32_t nanos;

    for (int by = -1; by <= 1; by++) {
        CHECK(mote_pb_timestamp_to(FIRST + by, 0, 1, &time) == (by >= 0));
        CHECK(mote_pb_timestamp_to(LAST + by, 0, 1, &time) == (by <= 0));
        CHECK(mote_pb_timestamp_from(FIRST + by, 1, &seconds, &nanos) == (by >= 0));
        CHECK(mote_pb_timestamp_from(LAST + by, 1, &seconds, &nanos) == (by <= 0));
        CHECK(mote_pb_timestamp_text(FIRST + by, 0, text) == (by >= 0) && !*text == (by < 0));
        CHECK(mote_pb_timestamp_text(LAST + by, 0, text) == (by <= 0) && !*text == (by > 0));
        CHECK(mote_pb_timestamp_to(0, by, 1, &time) == (by >= 0));
        CHECK(mote_pb_timestamp_to(0, 999999999 + by, 1, &time) == (by <= 0));
        CHECK(mote_pb_duration_to(MOST + by, 0, 1, &time) == (by <= 0));
        CHECK(mote_pb_duration_to(-MOST + by, 0, 1, &time) == (by >= 0));
        CHECK(mote_pb_duration_from(MOST + by, 1, &seconds, &nanos) == (by <= 0));
        CHECK(mote_pb_duration_to(0, 999999999 + by, 1, &time) == (by <= 0));
        CHECK(mote_pb_duration_to(0, -999999999 + by, 1, &time) == (by >= 0));
        CHECK(mote_pb_duration_to(1, by, 1, &time) == (by >= 0));
        CHECK(mote_pb_duration_to(-1, by, 1, &time) == (by <= 0));
        /* beyond 64 bits */
        CHECK(mote_pb_timestamp_to(9223372036, 854775807 + by, NS, &time) == (by <= 0));
        CHECK(mote_pb_timestamp_to(-9223372037, 145224192 + by, NS, &time) == (by >= 0));
        CHECK(mote_pb_duration_to(-9223372036, -854775808 + by, NS, &time) == (by >= 0));
        CHECK(mote_pb_duration_to(9223372037, by, NS, &time) == false);
    }
    static const uint32_t wrong[] = {0, 3, 7, 1000000001, 4294967295u};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        CHECK(!mote_pb_timestamp_from(0, wrong[i], &seconds, &nanos));
        CHECK(!mote_pb_timestamp_to(0, 0, wrong[i], &time));
        CHECK(!mote_pb_duration_from(0, wrong[i], &seconds, &nanos));
        CHECK(!mote_pb_duration_to(0, 0, wrong[i], &time));
    }
}

static void timestamps_have_a_text(void)
{
    static const struct {
        int64_t seconds;
        int32_t nanos;
        const char *text;
    } rows[] = {{FIRST, 0, "0001-01-01T00:00:00Z"},
                {-2208988800, 0, "1900-01-01T00:00:00Z"},
                {-1, 1, "1969-12-31T23:59:59.000000001Z"},
                {0, 0, "1970-01-01T00:00:00Z"},
                {1, 1000000, "1970-01-01T00:00:01.001Z"},
                {951868799, 10000000, "2000-02-29T23:59:59.010Z"},
                {951868800, 12345000, "2000-03-01T00:00:00.012345Z"},
                {1709164800, 999999999, "2024-02-29T00:00:00.999999999Z"},
                {4107542400, 500000000, "2100-03-01T00:00:00.500Z"},
                {LAST, 999999999, "9999-12-31T23:59:59.999999999Z"}};

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char text[MOTE_PB_TIMESTAMP_TEXT];
        CHECK(mote_pb_timestamp_text(rows[i].seconds, rows[i].nanos, text));
        CHECK(strcmp(text, rows[i].text) == 0);
    }
}

/* 400 years, in which the calendar repeats itself, day by day. */
static void each_day_follows_the_one_before(void)
{
    static const int lengths[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    int64_t seconds = -5364662400; /* 1800-01-01 */

    for (int year = 1800; year < 2200; year++) {
        bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
        for (int month = 1; month <= 12; month++) {
            for (int day = 1; day <= lengths[month - 1] + (leap && month == 2); day++) {
                char text[MOTE_PB_TIMESTAMP_TEXT], expected[40];
                snprintf(expected, sizeof expected, "%d-%02d-%02dT00:00:00Z", year, month, day);
                mote_pb_timestamp_text(seconds, 0, text);
                CHECK(strcmp(text, expected) == 0);
                seconds += 86400;
            }
        }
    }
}

int main(void)
{
    RUN(times_become_timestamps_and_back);
    RUN(times_become_durations_and_back);
    RUN(what_a_unit_does_not_hold_is_rounded);
    RUN(what_is_not_valid_is_refused);
    RUN(timestamps_have_a_text);
    RUN(each_day_follows_the_one_before);
    return test_summary();
}
