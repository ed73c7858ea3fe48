/* By which time certificates are judged: that of a clock, or what is known without one. */
#include "tls_internal.h"

#include <mbedtls/platform_util.h>

#include <stdio.h>
#include <string.h>
#include <time.h>

enum { DAY_S = 86400 };

/* The proleptic Gregorian calendar: years that begin with March, in eras of 400. */
static void put_unix(char out[TLS_TIME], uint64_t s)
{
    uint64_t days = s / DAY_S + 719468, era = days / 146097, rest = s % DAY_S;
    unsigned day = (unsigned)(days % 146097);
    unsigned year = (day - day / 1460 + day / 36524 - day / 146096) / 365;
    unsigned of_year = day - (365 * year + year / 4 - year / 100), month = (5 * of_year + 2) / 153;
    char text[80];

    year += (unsigned)era * 400 + (month >= 10);
    snprintf(text, sizeof text, "%04u%02u%02u%02u%02u%02u", year % 10000,
             month < 10 ? month + 3 : month - 9, of_year - (153 * month + 2) / 5 + 1,
             (unsigned)(rest / 3600), (unsigned)(rest / 60 % 60), (unsigned)(rest % 60));
    memcpy(out, text, TLS_TIME);
}

/* The clock of mbedTLS: false: it was built without. */
static bool clock_of_mbedtls(char out[TLS_TIME])
{
#if MOTE_TLS_TIME
    mbedtls_time_t now = mbedtls_time(NULL);

    put_unix(out, now > 0 ? (uint64_t)now : 0);
    return true;
#else
    (void)out;
    return false;
#endif
}

static uint64_t clock_s(const mote_tls_context *c)
{
    return c->clock_s ? c->clock_s(c->clock_context) : 0;
}

/* In seconds since 1970; 0: it is not known. */
static uint64_t known_time_s(const mote_tls_context *c)
{
    uint64_t now = clock_s(c);

    if (c->time == MOTE_TLS_TIME_OF_FLOOR_UNTIL_LEARNED)
        return c->learned_s == 0 ? 0
                                 : c->learned_s + (now > c->learned_at ? now - c->learned_at : 0);
    return now >= c->floor_s ? now : 0;
}

enum mote_tls_knowledge mote_tls_now(const mote_tls_context *c, char out[TLS_TIME])
{
    uint64_t now;

    if (c->time == MOTE_TLS_TIME_OF_CLOCK && !c->clock_s)
        return clock_of_mbedtls(out) ? TLS_TIME_KNOWN : TLS_TIME_UNKNOWN;
    now = known_time_s(c);
    put_unix(out, now > 0 ? now : c->floor_s);
    return now > 0 || c->time == MOTE_TLS_TIME_OF_CLOCK ? TLS_TIME_KNOWN : TLS_TIME_AT_LEAST;
}

bool mote_tls_is_over(const mote_tls_context *c, const char valid_to[TLS_TIME])
{
    char now[TLS_TIME];

    return !c->pinned_any_time && mote_tls_now(c, now) != TLS_TIME_UNKNOWN &&
           memcmp(now, valid_to, TLS_TIME) > 0;
}

static void put_date(char out[TLS_TIME], const mbedtls_x509_time *t)
{
    char text[80];

    snprintf(text, sizeof text, "%04d%02d%02d%02d%02d%02d", t->year, t->mon, t->day, t->hour,
             t->min, t->sec);
    memcpy(out, text, TLS_TIME);
}

/* A chain is as good as the certificate of it that expires first, and that begins last. */
static void note_dates(mote_tls *t, const char *from, const char *to)
{
    if (memcmp(to, t->valid_to, TLS_TIME) < 0)
        memcpy(t->valid_to, to, TLS_TIME);
    if (memcmp(from, t->valid_from, TLS_TIME) > 0)
        memcpy(t->valid_from, from, TLS_TIME);
}

void mote_tls_judge_dates(mote_tls *t, const mbedtls_x509_crt *crt, uint32_t *flags)
{
    char now[TLS_TIME], from[TLS_TIME], to[TLS_TIME];
    const mote_tls_context *c = t->context;
    enum mote_tls_knowledge knows = mote_tls_now(c, now);

    put_date(from, &crt->valid_from);
    put_date(to, &crt->valid_to);
    note_dates(t, from, to);
    if (c->time == MOTE_TLS_TIME_OF_CLOCK && !c->clock_s)
        return; /* mbedTLS has judged */
    *flags &= ~(uint32_t)(MBEDTLS_X509_BADCERT_EXPIRED | MBEDTLS_X509_BADCERT_FUTURE);
    if (memcmp(to, now, TLS_TIME) < 0)
        *flags |= MBEDTLS_X509_BADCERT_EXPIRED;
    if (knows == TLS_TIME_KNOWN && memcmp(from, now, TLS_TIME) > 0)
        *flags |= MBEDTLS_X509_BADCERT_FUTURE;
}

void mote_tls_put_dates(const mote_tls *t, const mbedtls_x509_time *when, char *out, size_t cap)
{
    char now[TLS_TIME], date[TLS_TIME];
    enum mote_tls_knowledge knows = mote_tls_now(t->context, now);
    const char *says = knows == TLS_TIME_KNOWN ? "the clock says" : "no clock; it is at least";

    put_date(date, when);
    if (knows == TLS_TIME_UNKNOWN)
        snprintf(out, cap, " (%.4s-%.2s-%.2s; there is no clock)", date, date + 4, date + 6);
    else
        snprintf(out, cap, " (%.4s-%.2s-%.2s; %s %.4s-%.2s-%.2s)", date, date + 4, date + 6, says,
                 now, now + 4, now + 6);
}

/* ---- a time that a server says -------------------------------------------------------------- */

static const char *not_learned(const mote_tls *t, uint64_t unix_s)
{
    const mote_tls_context *c = t->context;
    char said[TLS_TIME];

    put_unix(said, unix_s);
    if (c->time != MOTE_TLS_TIME_OF_FLOOR_UNTIL_LEARNED)
        return "no time is learned: the config says MOTE_TLS_TIME_OF_CLOCK, or of a floor";
    if (c->learned_s > 0)
        return "no time is learned: that was done already";
    if (t->life == TLS_HANDSHAKE || !t->saw_certificate || t->error != 0)
        return "no time is learned: the server has shown no certificate on this connection";
    if (unix_s < c->floor_s || memcmp(said, t->valid_from, TLS_TIME) < 0 ||
        memcmp(said, t->valid_to, TLS_TIME) > 0)
        return "no time is learned: the server's certificates are not valid then, or it is before "
               "the floor";
    return NULL;
}

int mote_tls_learn_time(mote_tls *t, uint64_t unix_s)
{
    const char *why = not_learned(t, unix_s);

    if (why) {
        if (t->error == 0)
            snprintf(t->text, sizeof t->text, "%s", why);
        return MOTE_TLS_ERR_CONFIG;
    }
    t->context->learned_s = unix_s;
    t->context->learned_at = clock_s(t->context);
    return 0;
}
