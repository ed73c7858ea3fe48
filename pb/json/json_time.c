/* google.protobuf.Timestamp and Duration as texts. */
#include "json_internal.h"

enum { NANOS_A_SECOND = 1000000000, DAY = 86400 };

/* Digits of a fixed count, or as many as there are, up to `most`. */
typedef struct {
    const char *p, *end;
} time_scan;

static bool scan_char(time_scan *s, const char *any)
{
    for (; *any && s->p < s->end; any++) {
        if (*s->p == *any) {
            s->p++;
            return true;
        }
    }
    return false;
}

static unsigned scan_digits(time_scan *s, unsigned most, uint64_t *value)
{
    unsigned n = 0;

    for (*value = 0; n < most && s->p < s->end && *s->p >= '0' && *s->p <= '9'; n++)
        *value = *value * 10 + (uint64_t)(*s->p++ - '0');
    return n;
}

/* Up to nine digits behind a point. False: the point stands alone. */
static bool scan_fraction(time_scan *s, int32_t *nanos)
{
    uint64_t value = 0;
    unsigned n = 9;

    if (scan_char(s, ".")) {
        n = scan_digits(s, 9, &value);
        if (n == 0)
            return false;
    }
    for (; n < 9; n++)
        value *= 10;
    *nanos = (int32_t)value;
    return true;
}

/* Days from 1970-01-01 to a date of the Gregorian calendar. */
static int64_t days_to(uint64_t year, uint64_t month, uint64_t day)
{
    /* Years begin in March, so that the day that some lack is the last. */
    uint64_t y = year - (month <= 2), m = (month + 9) % 12;

    return (int64_t)(365 * y + y / 4 - y / 100 + y / 400 + (153 * m + 2) / 5 + day) - 719469;
}

static bool date_is_valid(uint64_t year, uint64_t month, uint64_t day)
{
    bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);

    if (year < 1 || month < 1 || month > 12 || day < 1)
        return false;
    uint64_t days = month == 2 ? 28u + leap : 30 + (month + (month > 7)) % 2;
    return day <= days;
}

static bool scan_date(time_scan *s, int64_t *days)
{
    uint64_t year, month, day;

    if (scan_digits(s, 4, &year) != 4 || !scan_char(s, "-") || scan_digits(s, 2, &month) != 2 ||
        !scan_char(s, "-") || scan_digits(s, 2, &day) != 2 || !date_is_valid(year, month, day))
        return false;
    *days = days_to(year, month, day);
    return true;
}

/* "hh:mm" */
static bool scan_minutes(time_scan *s, int64_t *minutes)
{
    uint64_t hour, minute;

    if (scan_digits(s, 2, &hour) != 2 || !scan_char(s, ":") || scan_digits(s, 2, &minute) != 2 ||
        hour > 23 || minute > 59)
        return false;
    *minutes = (int64_t)(hour * 60 + minute);
    return true;
}

/* "Z", or how far a local time is ahead. */
static bool scan_zone(time_scan *s, int64_t *minutes)
{
    *minutes = 0;
    if (scan_char(s, "Z"))
        return true;
    bool behind = s->p < s->end && *s->p == '-';
    if (!scan_char(s, "+-") || !scan_minutes(s, minutes))
        return false;
    if (behind)
        *minutes = -*minutes;
    return true;
}

int mote_pb_json_read_timestamp(mote_pb_string text, int64_t *seconds, int32_t *nanos)
{
    time_scan s = {text.data, text.data + text.len};
    int64_t days, minutes, zone, time;
    uint64_t second;

    if (!scan_date(&s, &days) || !scan_char(&s, "T") || !scan_minutes(&s, &minutes) ||
        !scan_char(&s, ":") || scan_digits(&s, 2, &second) != 2 || second > 59 ||
        !scan_fraction(&s, nanos) || !scan_zone(&s, &zone) || s.p != s.end)
        return MOTE_PB_JSON_ERR_TYPE;
    *seconds = days * DAY + (minutes - zone) * 60 + (int64_t)second;
    return mote_pb_timestamp_to(*seconds, *nanos, 1, &time) ? 0 : MOTE_PB_JSON_ERR_RANGE;
}

int mote_pb_json_read_duration(mote_pb_string text, int64_t *seconds, int32_t *nanos)
{
    time_scan s = {text.data, text.data + text.len};
    bool negative = scan_char(&s, "-");
    int64_t time;
    uint64_t whole;

    if (scan_digits(&s, 12, &whole) == 0)
        return MOTE_PB_JSON_ERR_TYPE;
    if (s.p < s.end && *s.p >= '0' && *s.p <= '9')
        return MOTE_PB_JSON_ERR_RANGE;
    if (!scan_fraction(&s, nanos) || !scan_char(&s, "s") || s.p != s.end)
        return MOTE_PB_JSON_ERR_TYPE;
    *seconds = negative ? -(int64_t)whole : (int64_t)whole;
    *nanos = negative ? -*nanos : *nanos;
    return mote_pb_duration_to(*seconds, *nanos, 1, &time) ? 0 : MOTE_PB_JSON_ERR_RANGE;
}

/* ---- writing ------------------------------------------------------------------------------- */

static size_t json_put_number(char *out, uint64_t value, unsigned digits)
{
    for (unsigned i = digits; i > 0; value /= 10)
        out[--i] = (char)('0' + value % 10);
    return digits;
}

size_t mote_pb_json_duration_text(int64_t seconds, int32_t nanos,
                                  char out[MOTE_PB_JSON_DURATION_TEXT])
{
    bool negative = seconds < 0 || nanos < 0;
    unsigned digits = 1;
    int64_t time;
    size_t n = 0;

    if (!mote_pb_duration_to(seconds, nanos, 1, &time))
        return 0;
    uint64_t whole = (uint64_t)(seconds < 0 ? -seconds : seconds);
    uint32_t rest = (uint32_t)(nanos < 0 ? -nanos : nanos);
    for (uint64_t left = whole / 10; left > 0; left /= 10)
        digits++;
    if (negative)
        out[n++] = '-';
    n += json_put_number(out + n, whole, digits);
    if (rest > 0) {
        digits = rest % 1000 ? 9 : rest % 1000000 ? 6 : 3;
        out[n++] = '.';
        n += json_put_number(out + n,
                             rest / (digits == 9   ? 1
                                     : digits == 6 ? 1000
                                                   : 1000000),
                             digits);
    }
    out[n++] = 's';
    return n;
}
