/* google.protobuf.Timestamp and Duration: what they mean in other units, and as text. */
#include "pb_internal.h"

enum { NANOS = 1000000000 };
static const int64_t timestamp_first = -62135596800, timestamp_last = 253402300799;
static const int64_t duration_most = 315576000000;

static bool timestamp_valid(int64_t seconds, int32_t nanos)
{
    return seconds >= timestamp_first && seconds <= timestamp_last && nanos >= 0 && nanos < NANOS;
}

static bool duration_valid(int64_t seconds, int32_t nanos)
{
    return seconds >= -duration_most && seconds <= duration_most && nanos > -NANOS &&
           nanos < NANOS && (seconds <= 0 || nanos >= 0) && (seconds >= 0 || nanos <= 0);
}

/* Toward zero, so that both have the same sign. */
static void parts_of(int64_t time, uint32_t per_second, int64_t *seconds, int32_t *nanos)
{
    int64_t rest = time % per_second;

    *seconds = time / per_second;
    *nanos = (int32_t)(rest * (NANOS / (int64_t)per_second));
}

static bool is_unit(uint32_t per_second)
{
    return per_second > 0 && per_second <= NANOS && NANOS % per_second == 0;
}

/* Toward zero, or to the earlier one. */
static bool to_units(int64_t seconds, int32_t nanos, uint32_t per_second, bool floor, int64_t *time)
{
    int32_t unit = (int32_t)(NANOS / per_second);
    int64_t whole = seconds, rest = nanos;

    /* What is negative is counted back from the second before, so that no step overflows alone. */
    if (whole < 0 && rest > 0) {
        whole++;
        rest -= NANOS;
    }
    int64_t units = rest / unit - (floor && rest % unit < 0);
    if (whole > INT64_MAX / per_second || whole < INT64_MIN / (int64_t)per_second)
        return false;
    whole *= per_second;
    if (units > 0 ? whole > INT64_MAX - units : whole < INT64_MIN - units)
        return false;
    *time = whole + units;
    return true;
}

bool mote_pb_timestamp_from(int64_t time, uint32_t per_second, int64_t *seconds, int32_t *nanos)
{
    if (!is_unit(per_second))
        return false;
    parts_of(time, per_second, seconds, nanos);
    if (*nanos < 0) {
        *nanos += NANOS;
        --*seconds;
    }
    return timestamp_valid(*seconds, *nanos);
}

bool mote_pb_timestamp_to(int64_t seconds, int32_t nanos, uint32_t per_second, int64_t *time)
{
    return is_unit(per_second) && timestamp_valid(seconds, nanos) &&
           to_units(seconds, nanos, per_second, true, time);
}

bool mote_pb_duration_from(int64_t time, uint32_t per_second, int64_t *seconds, int32_t *nanos)
{
    if (!is_unit(per_second))
        return false;
    parts_of(time, per_second, seconds, nanos);
    return duration_valid(*seconds, *nanos);
}

bool mote_pb_duration_to(int64_t seconds, int32_t nanos, uint32_t per_second, int64_t *time)
{
    return is_unit(per_second) && duration_valid(seconds, nanos) &&
           to_units(seconds, nanos, per_second, false, time);
}

/* ---- text ---------------------------------------------------------------------------------- */

static char *put_digits(char *to, uint32_t value, unsigned count)
{
    for (unsigned i = count; i > 0; value /= 10)
        to[--i] = (char)('0' + value % 10);
    return to + count;
}

/* The date of a day, counted from 0000-03-01, so that a leap day is the last of its year. */
static char *put_calendar_date(char *to, uint32_t day)
{
    uint32_t era = day / 146097, of_era = day % 146097;
    uint32_t year = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    uint32_t of_year = of_era - (365 * year + year / 4 - year / 100);
    uint32_t month = (5 * of_year + 2) / 153;

    to = put_digits(to, era * 400 + year + (month >= 10), 4);
    *to++ = '-';
    to = put_digits(to, month < 10 ? month + 3 : month - 9, 2);
    *to++ = '-';
    return put_digits(to, of_year - (153 * month + 2) / 5 + 1, 2);
}

/* 3, 6 or 9 digits behind the point, or none. */
static char *put_fraction(char *to, uint32_t nanos)
{
    unsigned digits = nanos % 1000 ? 9 : nanos % 1000000 ? 6 : 3;

    if (nanos == 0)
        return to;
    *to++ = '.';
    return put_digits(to, nanos / (digits == 9 ? 1 : digits == 6 ? 1000 : 1000000), digits);
}

bool mote_pb_timestamp_text(int64_t seconds, int32_t nanos, char out[MOTE_PB_TIMESTAMP_TEXT])
{
    static const int64_t first_day = 719468; /* 1970-01-01, from 0000-03-01 */
    char *to = out;

    *out = '\0';
    if (!timestamp_valid(seconds, nanos))
        return false;
    uint64_t since = (uint64_t)(seconds + first_day * 86400);
    uint32_t of_day = (uint32_t)(since % 86400);
    to = put_calendar_date(to, (uint32_t)(since / 86400));
    *to++ = 'T';
    to = put_digits(to, of_day / 3600, 2);
    *to++ = ':';
    to = put_digits(to, of_day / 60 % 60, 2);
    *to++ = ':';
    to = put_digits(to, of_day % 60, 2);
    to = put_fraction(to, (uint32_t)nanos);
    *to++ = 'Z';
    *to = '\0';
    return true;
}
