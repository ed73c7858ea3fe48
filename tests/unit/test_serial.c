/* Prefaces on a line: every split of input gives the same pieces. */
#include "../../port/serial/serial.h"
#include "../test.h"

#define PREFACE "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"

static char out[1024];
static size_t out_len;

static void put(const mote_serial_piece *piece)
{
    if (piece->begins)
        out[out_len++] = '|';
    for (size_t i = 0; i < piece->len; i++)
        out[out_len++] = (char)piece->data[i];
}

/* What is left of the input when each preface is written as '|'. */
static void check_at(const char *text, const char *wanted, size_t chunk)
{
    mote_serial_sync sync = {0};
    mote_serial_piece piece;
    size_t all = strlen(text);

    out_len = 0;
    for (size_t at = 0; at < all; at += chunk) {
        const uint8_t *in = (const uint8_t *)text + at;
        size_t len = all - at < chunk ? all - at : chunk;
        while (mote_serial_next(&sync, &in, &len, &piece))
            put(&piece);
        CHECK_INT(len, 0);
    }
    if (mote_serial_idle(&sync, &piece))
        put(&piece);
    CHECK(!mote_serial_idle(&sync, &piece));
    CHECK(out_len == strlen(wanted) && memcmp(out, wanted, out_len) == 0);
}

static void prefaces_are_found_at_every_split(void)
{
    static const char *const cases[][2] = {
        {PREFACE, "|"},
        {"noise" PREFACE "abc", "noise|abc"},
        {"PRI * HTT" PREFACE "PP", "PRI * HTT|PP"},
        {"PRI * HTTPRI * HTTPRI * HTTP/2.0\r\n\r\nSM\r\n\r\nx", "PRI * HTTPRI * HTT|x"},
        {PREFACE PREFACE, "||"},
        {"PRI * HTTP/2.0\r\n\r\nSM\r\n\rP" PREFACE, "PRI * HTTP/2.0\r\n\r\nSM\r\n\rP|"},
        {"PPPRI * HTTP", "PPPRI * HTTP"},
        {"", ""},
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        for (size_t chunk = 1; chunk <= 64; chunk++)
            check_at(cases[i][0], cases[i][1], chunk);
    }
}

int main(void)
{
    RUN(prefaces_are_found_at_every_split);
    return test_summary();
}
