/*
 * Scripts in the lean builds (h2/mote_features.h). A scenario of a role, a codec or a size that a
 * build leaves out is passed over. Without texts a line may lack them, and nothing else: what is
 * missing begins with a letter or a quote, behind a blank, a quote, a bracket or "=", so that no
 * number can be lost; only the length of a header block that has lost its grpc-message may differ.
 */
#include "../../h2/mote_features.h"
#include "wire.h"

#include <ctype.h>

static bool has(const char *text, size_t len, const char *word)
{
    size_t n = strlen(word);

    for (size_t i = 0; i + n <= len; i++)
        if (memcmp(text + i, word, n) == 0)
            return true;
    return false;
}

/* Whether a transmit buffer of it is larger than this build takes. */
static bool sends_too_much(const char *scenario, size_t len)
{
    static const char size[] = " tx=";

    for (size_t i = 0; i + sizeof size <= len; i++)
        if (memcmp(scenario + i, size, sizeof size - 1) == 0 &&
            strtoul(scenario + i + sizeof size - 1, NULL, 10) > MOTE_H2_SMALL_TX_MAX)
            return true;
    return false;
}

bool wire_runs_here(const char *scenario, size_t len)
{
#ifdef MOTE_NO_COMPRESSION
    if (has(scenario, len, "codec") || has(scenario, len, "flate") ||
        has(scenario, len, "! gzip") || has(scenario, len, "! gunzip"))
        return false;
#endif
#ifdef MOTE_CLIENT_ONLY
    if (has(scenario, len, "\nh2 server") || has(scenario, len, "\ngrpc server"))
        return false;
#endif
#ifdef MOTE_SERVER_ONLY
    if (has(scenario, len, "\nh2 client") || has(scenario, len, "\ngrpc client") ||
        has(scenario, len, "\nchannel"))
        return false;
#endif
    if (!MOTE_CUTS && sends_too_much(scenario, len))
        return false;
    (void)has;
    (void)scenario;
    (void)len;
    return true;
}

#ifdef MOTE_NO_TEXTS

/* Where a text may begin, or what stands behind a long one. */
static bool begins(const char *line, const char *p)
{
    return (isalpha((uint8_t)*p) || strchr("\".", *p)) && p > line && strchr(" \"(=[:", p[-1]);
}

/* The line without its grpc-message, if the other one has none. */
static const char *without_message(const char *expected, const char *got)
{
    static const char field[] = "grpc-message=\"";
    static char line[1 << 16];
    size_t n = strcspn(expected, "\n");

    if (n >= sizeof line || !has(expected, n, field) || has(got, strcspn(got, "\n"), field))
        return expected;
    memcpy(line, expected, n);
    line[n] = '\0';
    char *at = strstr(line, field), *end = strchr(at + sizeof field - 1, '"');
    if (!end)
        return expected;
    memmove(at - 2, end + 1, strlen(end)); /* with " +" before it */
    return line;
}

/* True when `got` is `expected` with texts left out. */
static bool lacks_texts(const char *line, const char *expected, const char *got)
{
    for (; *expected && *expected != '\n' && *expected == *got; expected++, got++)
        if (*got == '[' && isdigit((uint8_t)got[1])) { /* the length of a header block */
            expected += strcspn(expected, "]");
            got += strcspn(got, "]");
        }
    bool ended = *expected == '\0' || *expected == '\n';
    if (ended || !begins(line, expected))
        return ended && (*got == '\0' || *got == '\n');
    for (; *expected && *expected != '\n'; expected++)
        if (lacks_texts(line, expected + 1, got))
            return true;
    return false;
}

bool wire_same(const char *expected, const char *got, int *texts)
{
    size_t n = strcspn(expected, "\n");

    if (n == strcspn(got, "\n") && memcmp(expected, got, n) == 0)
        return true;
    ++*texts;
    expected = without_message(expected, got);
    return strchr(".=<", *expected) && lacks_texts(expected, expected, got);
}

#else

bool wire_same(const char *expected, const char *got, int *texts)
{
    size_t n = strcspn(expected, "\n");

    (void)texts;
    return n == strcspn(got, "\n") && memcmp(expected, got, n) == 0;
}

#endif
