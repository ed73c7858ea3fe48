/* Sending of messages of many records, by a client whose peer takes all: processor time, by the
 * stubs for large messages, with 1 MB for lengths. Prints a line for each size of the transmit
 * buffer: it, and ns for 1,000 bytes of a message of 62 kB, of 4 MB and of 16 MB, and of 62 kB by
 * the other stubs. With BUFFER SIZE TIMES it sends a message of that size so often and prints its
 * length, so that instructions can be counted. */
#define _POSIX_C_SOURCE 200809L
#include "large.mote.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { RECORDS = 20, ROUNDS = 5, LENGTHS = 1 << 18 };

static large_Attribute attributes[6];
static large_Value values[6];
static large_Record records[RECORDS];
static large_Scope scope;
static large_Resource *resources;

static double now_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static void fail(const char *what)
{
    fprintf(stderr, "bench large: error: %s\n", what);
    exit(1);
}

/* A report of at most `size` bytes. */
static large_Report make_report(size_t size)
{
    static const char *const keys[] = {"service.name", "host.id", "http.status_code",
                                       "duration",     "thread",  "user"};
    size_t one, count;

    for (size_t i = 0; i < 6; i++) {
        values[i].kind.which = i % 3 + 1;
        if (i % 3 == 0)
            values[i].kind.is.text = MOTE_PB_STRING("value of the attribute");
        else if (i % 3 == 1)
            values[i].kind.is.number = 200 + (int64_t)i * 1000000;
        else
            values[i].kind.is.real = 1.5;
        attributes[i] = (large_Attribute){mote_pb_cstring(keys[i]), &values[i]};
    }
    for (size_t i = 0; i < RECORDS; i++)
        records[i] = (large_Record){.time_ns = 1700000000000000000u + i,
                                    .severity = 9,
                                    .severity_text = MOTE_PB_STRING("INFO"),
                                    .body = &values[0],
                                    .attributes = {attributes, 1 + i % 6},
                                    .trace = {(const uint8_t *)"0123456789abcdef", 16}};
    scope = (large_Scope){MOTE_PB_STRING("bench"), {records, RECORDS}};
    large_Resource resource = {{attributes, 3}, {&scope, 1}};
    large_Resource_size(&resource, &one);
    count = size / (one + 4);
    free(resources);
    resources = calloc(count, sizeof *resources);
    if (!resources)
        fail("no memory");
    for (size_t i = 0; i < count; i++)
        resources[i] = resource;
    return (large_Report){{resources, count}};
}

/* ---- a client whose peer takes all --------------------------------------------------------- */

static mote_grpc client;
static mote_grpc_call *call;
static uint64_t sent, checksum;

static void feed(const void *bytes, size_t len)
{
    mote_grpc_event ev;
    size_t used;

    while (mote_grpc_recv(&client, bytes, len, &used, &ev) > 0) {
        bytes = (const uint8_t *)bytes + used;
        len -= used;
    }
}

static void drain(void)
{
    size_t n;
    const uint8_t *p;

    while ((p = mote_grpc_peek(&client, &n)) != NULL) {
        sent += n;
        checksum += p[n - 1];
        mote_grpc_ack(&client, n);
    }
}

static void connect_with(size_t tx)
{
    static mote_grpc_config config;
    static uint64_t memory[MOTE_GRPC_MEMORY(2, 1024, 1 << 20, 0, 512, 8, 0) / 8];
    static const uint8_t hello[] = "\0\0\6\4\0\0\0\0\0\0\4\x7f\xff\xff\xff"
                                   "\0\0\4\x08\0\0\0\0\0\x7f\xff\0\0"
                                   "\0\0\0\4\1\0\0\0\0";

    config = (mote_grpc_config){.max_calls = 2,
                                .rx_size = 1024,
                                .tx_size = tx,
                                .field_size = 512,
                                .slots = 8,
                                .authority = MOTE_GRPC_AUTHORITY("x")};
    if (mote_grpc_init(&client, &config, memory, sizeof memory) < 0)
        fail("mote_grpc_init");
    drain();
    feed(hello, sizeof hello - 1);
    if (mote_grpc_start(&client, &(mote_grpc_request){.path = &large_Reports_Send_path}, &call) < 0)
        fail("mote_grpc_start");
    drain();
}

/* ---- measuring ----------------------------------------------------------------------------- */

static int offer_plain(const large_Report *report, mote_pb_walk *walk)
{
    (void)walk;
    return large_Reports_Send_offer(call, report);
}

static int offer_large(const large_Report *report, mote_pb_walk *walk)
{
    return large_Reports_Send_offer_large(call, report, walk);
}

static void send_all(int (*offer)(const large_Report *, mote_pb_walk *), const large_Report *report,
                     mote_pb_walk *walk, size_t times)
{
    for (size_t i = 0; i < times; i++) {
        int r;
        while ((r = offer(report, walk)) == MOTE_AGAIN)
            drain();
        if (r < 0)
            fail(mote_pb_strerror(r));
        drain();
    }
}

static uint64_t memory[MOTE_PB_WALK_SIZE(6, LENGTHS) / 8];

/* ns for 1,000 bytes: the least of some rounds. */
static double measure(int (*offer)(const large_Report *, mote_pb_walk *),
                      const large_Report *report, size_t len, size_t tx)
{
    mote_pb_walk walk;
    double best = 1e18;
    size_t times = 1 + 1000000 / len;

    mote_pb_walk_init(&walk, memory, sizeof memory);
    for (int round = 0; round < ROUNDS; round++) {
        connect_with(tx);
        sent = 0;
        double start = now_ns();
        send_all(offer, report, &walk, times);
        double ns = (now_ns() - start) * 1000 / (double)(len * times);
        if (sent < len * times)
            fail("not all was sent");
        best = ns < best ? ns : best;
    }
    return best;
}

static int send_alone(size_t tx, size_t size, size_t times)
{
    large_Report report = make_report(size);
    mote_pb_walk walk;
    size_t len;

    large_Report_size(&report, &len);
    mote_pb_walk_init(&walk, memory, sizeof memory);
    connect_with(tx);
    send_all(offer_large, &report, &walk, times);
    printf("%zu\n", len);
    return 0;
}

int main(int argc, char **argv)
{
    static const size_t sizes[] = {62000, 4000000, 16000000},
                        rooms[] = {512, 4096, 16384, 65536, 1 << 20};
    size_t len;

    if (argc == 4)
        return send_alone(strtoul(argv[1], NULL, 10), strtoul(argv[2], NULL, 10),
                          strtoul(argv[3], NULL, 10));
    for (size_t k = 0; k < sizeof rooms / sizeof rooms[0]; k++) {
        printf("%zu", rooms[k]);
        for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
            large_Report report = make_report(sizes[i]);
            large_Report_size(&report, &len);
            printf("\t%.0f", measure(offer_large, &report, len, rooms[k]));
        }
        large_Report report = make_report(sizes[0]);
        large_Report_size(&report, &len);
        printf("\t%.0f\n", measure(offer_plain, &report, len, rooms[k]));
    }
    return checksum == 1;
}
