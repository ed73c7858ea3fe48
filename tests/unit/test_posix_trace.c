/* --trace: which socket's bytes are told of, as whose, and when. Lines are read from where standard
 * error goes. */
#define _GNU_SOURCE
#include "../../port/posix/posix_internal.h"
#include "../test.h"

#include <fcntl.h>
#include <time.h>
#include <unistd.h>

enum { INNER = 4096, LAST = 2 * 4096 - 1 };

static uint64_t clock_ms = 5000;

int clock_gettime(clockid_t which, struct timespec *t)
{
    (void)which;
    *t = (struct timespec){.tv_sec = (time_t)(clock_ms / 1000),
                           .tv_nsec = (long)(clock_ms % 1000) * 1000000};
    return 0;
}

/* ---- standard error
 * ------------------------------------------------------------------------------ */

static int own_stderr, lines[2];

/* What was said since the last time. */
static const char *told(void)
{
    static char text[4096];
    ssize_t n = read(lines[0], text, sizeof text - 1);

    text[n > 0 ? n : 0] = '\0';
    return text;
}

static const uint8_t preface[] =
    "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0"; /* and SETTINGS */
static const uint8_t ping[] = {0, 0, 8, 6, 0, 0, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8};
static const uint8_t headers[] = {0, 0, 1, 1, 5, 0, 0, 0, 1, 0x82};
static const uint8_t hello[] = {0x16, 0, 1, 0, 0};

static void begins(int number, bool is_client)
{
    mote_posix_trace_begin(number);
    mote_posix_trace_bytes(number, is_client, preface, sizeof preface);
    told();
}

/* ---- tests
 * ----------------------------------------------------------------------------------------- */

static void nothing_is_told_before_it_is_asked_for(void)
{
    CHECK_INT(mote_posix_trace_inner(), -1);
    mote_posix_trace_begin(5);
    mote_posix_trace_bytes(5, true, preface, sizeof preface);
    CHECK(*told() == '\0');
}

static void a_line_has_its_time_and_its_socket(void)
{
    static const struct {
        uint64_t after_ms;
        int number;
        const char *start;
    } rows[] = {{0, 5, "[  0.000] 5: "},
                {1, 0, "[  0.001] 0: "},
                {12345, 4095, "[ 12.345] 4095: "},
                {1234567, LAST, "[1234.567] 8191: "}};

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        begins(rows[i].number, true);
        clock_ms = 5000 + rows[i].after_ms;
        mote_posix_trace_bytes(rows[i].number, true, ping, sizeof ping);
        const char *text = told();
        CHECK(strncmp(text, rows[i].start, strlen(rows[i].start)) == 0);
        CHECK(strstr(text, "PING") && text[strlen(text) - 1] == '\n');
    }
}

/* What is no socket, or beyond those that are looked at, is passed over. */
static void other_numbers_are_nobodys(void)
{
    static const int numbers[] = {-1, LAST + 1, 1 << 20};

    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        begins(numbers[i], true);
        mote_posix_trace_bytes(numbers[i], true, ping, sizeof ping);
        CHECK(*told() == '\0');
    }
    begins(7, true);
    mote_posix_trace_bytes(7, true, ping, 0);
    CHECK(*told() == '\0');
}

/* Who speaks TLS has nothing that can be shown, until the number is another connection's. */
static void what_is_no_http2_is_hidden(void)
{
    for (int sent = 0; sent < 2; sent++) {
        mote_posix_trace_begin(9);
        mote_posix_trace_bytes(9, sent, hello, sizeof hello);
        mote_posix_trace_bytes(9, sent, preface, sizeof preface);
        mote_posix_trace_bytes(9, sent, ping, sizeof ping);
        CHECK(*told() == '\0');
        begins(9, sent);
        mote_posix_trace_bytes(9, sent, ping, sizeof ping);
        CHECK(strstr(told(), "PING") != NULL);
    }
}

/* The preface is the client's: its own frames are of the first bytes, whoever they come from. */
static void both_roles_are_told_from_either_side(void)
{
    for (int i = 0; i < 4; i++) {
        bool we_are_client = i % 2, client_first = i / 2;
        mote_posix_trace_begin(11);
        if (client_first) {
            mote_posix_trace_bytes(11, we_are_client, preface, sizeof preface);
            mote_posix_trace_bytes(11, !we_are_client, preface + 24, 9);
        } else {
            mote_posix_trace_bytes(11, !we_are_client, preface + 24, 9);
            mote_posix_trace_bytes(11, we_are_client, preface, sizeof preface);
        }
        told();
        mote_posix_trace_bytes(11, we_are_client, headers, sizeof headers);
        const char *text = told();
        CHECK(strstr(text, "HEADERS") && strstr(text, ":method"));
    }
}

/* Connections inside of sockets have numbers behind them, which come round. */
static void inner_numbers_come_round(void)
{
    int first = mote_posix_trace_inner();

    CHECK(first >= INNER && first <= LAST);
    for (int i = 1; i < INNER; i++)
        CHECK_INT(mote_posix_trace_inner(), INNER + (first - INNER + i) % INNER);
    begins(first, true);
    CHECK_INT(mote_posix_trace_inner(), first);
    mote_posix_trace_bytes(first, true, hello, sizeof hello); /* it begins anew */
    mote_posix_trace_bytes(first, true, ping, sizeof ping);
    CHECK(*told() == '\0');
}

int main(void)
{
    own_stderr = dup(2);
    if (pipe(lines) != 0 || dup2(lines[1], 2) < 0)
        return 1;
    fcntl(lines[0], F_SETFL, O_NONBLOCK);
    RUN(nothing_is_told_before_it_is_asked_for);
    mote_posix_trace();
    RUN(a_line_has_its_time_and_its_socket);
    RUN(other_numbers_are_nobodys);
    RUN(what_is_no_http2_is_hidden);
    RUN(both_roles_are_told_from_either_side);
    RUN(inner_numbers_come_round);
    dup2(own_stderr, 2);
    return test_summary();
}
