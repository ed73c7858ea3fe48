/* Each attack against an engine in this process: the memory of the engine lies between pages that
 * must not be touched, nothing is allocated, work and answers stay within bounds, and another
 * connection is served all the while. `--no-cpu` leaves out the bound on processor time (for
 * sanitizers). */
#define _GNU_SOURCE
#include "../../h2/h2.h"
#include "../test.h"
#include "attacks.h"

#include <malloc.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

/* The clock moves as if the attack came at 100 Mbit/s: the budget regains what it does in that
 * time, and no more. */
enum {
    STREAMS = 100,
    ROUNDS = 3000,
    ATTACK_MAX = 1 << 22,
    NS_PER_BYTE = 150,
    BYTES_PER_MS = 12500
};

/* All of a connection. `owed` is what a response still lacks, for each stream. */
typedef struct {
    mote_h2 h2;
    mote_h2_stream streams[STREAMS];
    uint32_t owed[STREAMS];
    mote_hpack_slot slots[8];
    uint16_t table[MOTE_HPACK_TABLE_MEMORY(4096) / 2];
    char scratch[1024];
    uint8_t tx[4096];
    uint64_t bytes_back, cpu_ns;
} peer;

static bool check_cpu = true;

static uint64_t cpu_now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

/* Memory with a page on either side that ends the program when it is touched. */
static peer *guarded(void)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    size_t size = (sizeof(peer) + page - 1) / page * page;
    uint8_t *p = mmap(NULL, size + 2 * page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    if (p == MAP_FAILED || mprotect(p + page, size, PROT_READ | PROT_WRITE) != 0)
        abort();
    return (peer *)(p + page + (size - sizeof(peer)) / 64 * 64); /* its end is near the page */
}

static void init(peer *p, bool server)
{
    mote_h2_config config = {.server = server,
                             .streams = p->streams,
                             .stream_count = STREAMS,
                             .tx = p->tx,
                             .tx_size = sizeof p->tx,
                             .table = p->table,
                             .dynamic = &mote_hpack_dynamic_table,
                             .coder = &mote_hpack_huffman_coder,
                             .table_size = 4096,
                             .scratch = p->scratch,
                             .scratch_size = sizeof p->scratch,
                             .slots = p->slots,
                             .slot_count = 8};

    memset(p, 0, sizeof *p);
    if (mote_h2_init(&p->h2, &config) < 0)
        abort();
    mote_h2_tick(&p->h2, 1);
}

/* ---- a small application ------------------------------------------------------------------- */

static void send_body(peer *p, mote_h2_stream *s)
{
    uint32_t *owed = &p->owed[s - p->streams];
    size_t room;
    uint8_t *to;

    while (*owed > 0 && (to = mote_h2_reserve(&p->h2, s, 1, &room))) {
        size_t n = *owed < room ? *owed : room;
        memset(to, 'x', n);
        *owed -= (uint32_t)n;
        mote_h2_commit(&p->h2, s, n, *owed == 0);
    }
}

static void answer(peer *p, mote_h2_stream *s)
{
    static const mote_hpack_field ok = MOTE_HPACK_STATIC(8);

    p->owed[s - p->streams] = 0;
    mote_h2_headers_begin(&p->h2, s);
    mote_h2_put(&p->h2, &ok);
    if (mote_h2_headers_end(&p->h2, false) < 0)
        return; /* no space: this request is never answered */
    p->owed[s - p->streams] = 100;
    send_body(p, s);
}

static void handle(peer *p, const mote_h2_event *ev)
{
    if (ev->type == MOTE_H2_DATA)
        mote_h2_consume(&p->h2, ev->stream, ev->len);
    else if (ev->type == MOTE_H2_HEADERS && ev->end_stream && p->h2.server)
        answer(p, ev->stream);
    else if (ev->type == MOTE_H2_RESET)
        p->owed[ev->stream - p->streams] = 0;
    else if (ev->type == MOTE_H2_WRITABLE && ev->stream)
        send_body(p, ev->stream);
}

static void take_output(peer *p)
{
    size_t len;

    while (mote_h2_peek(&p->h2, &len)) {
        p->bytes_back += len;
        mote_h2_ack(&p->h2, len);
    }
}

static void feed(peer *p, const uint8_t *in, size_t len, bool reads)
{
    uint64_t start = cpu_now();
    mote_h2_event ev;
    size_t used;

    while (mote_h2_recv(&p->h2, in, len, &used, &ev) > 0) {
        in += used;
        len -= used;
        handle(p, &ev);
        if (reads)
            take_output(p);
    }
    if (reads)
        take_output(p);
    p->cpu_ns += cpu_now() - start;
}

/* ---- the other connection ------------------------------------------------------------------ */

static peer *victim;
static attack_output politely;

static bool victim_is_served(void)
{
    uint64_t before = victim->bytes_back;

    politely.len = 0;
    attack_get(&politely, politely.id);
    attack_credit(&politely);
    politely.id += 2;
    feed(victim, politely.bytes, politely.len, true);
    return victim->h2.error == 0 && victim->bytes_back >= before + 100;
}

/* ---- an attack ----------------------------------------------------------------------------- */

static void start_client(peer *p)
{
    static const mote_hpack_field fields[] = {MOTE_HPACK_STATIC(2), MOTE_HPACK_STATIC(6),
                                              MOTE_HPACK_STATIC(4)};
    mote_h2_stream *s;

    if (mote_h2_open(&p->h2, &s) < 0)
        abort();
    mote_h2_headers_begin(&p->h2, s);
    for (int i = 0; i < 3; i++)
        mote_h2_put(&p->h2, &fields[i]);
    CHECK_INT(mote_h2_headers_end(&p->h2, true), 0);
    take_output(p);
}

static void check_bounds(const attack *a, const peer *p, uint64_t sent)
{
    uint64_t back = sent * a->back + 4096;

    if (p->bytes_back > back) {
        printf("%llu bytes back for %llu\n", (unsigned long long)p->bytes_back,
               (unsigned long long)sent);
        test_ok = false;
    }
    if (check_cpu && p->cpu_ns > sent * NS_PER_BYTE + 1000000) {
        printf("%llu ns for %llu bytes\n", (unsigned long long)p->cpu_ns, (unsigned long long)sent);
        test_ok = false;
    }
    if (a->end < SURVIVES)
        CHECK_INT(p->h2.error_code, a->end);
    else
        CHECK_INT(p->h2.error, 0);
}

static void run(const attack *a, bool on_client)
{
    static attack_output out;
    static peer *p;
    struct mallinfo2 before = mallinfo2();
    bool reads = !(a->flags & UNREAD);
    uint64_t sent = 0;

    if (!p)
        p = guarded();
    init(p, !on_client);
    if (on_client)
        start_client(p);
    out.id = 1;
    out.on_client = on_client;
    out.len = 0;
    attack_preface(&out);
    feed(p, out.bytes, out.len, true);
    p->bytes_back = p->cpu_ns = 0;
    out.len = 0;
    if (a->open)
        a->open(&out);
    for (int round = 0; round < ROUNDS && sent < ATTACK_MAX && p->h2.error == 0; round++) {
        mote_h2_tick(&p->h2, 1 + sent / BYTES_PER_MS);
        mote_h2_tick(&victim->h2, 1 + sent / BYTES_PER_MS);
        if (a->more)
            a->more(&out);
        feed(p, out.bytes, out.len, reads);
        sent += out.len;
        out.len = 0;
        if (round % 16 == 0)
            CHECK(victim_is_served());
        if (!a->more)
            break;
    }
    CHECK(mallinfo2().uordblks == before.uordblks);
    check_bounds(a, p, sent);
    printf("%-34s %s %8llu bytes, %5.1f ns and %5.2f bytes back for each\n", a->name,
           on_client ? "client" : "server", (unsigned long long)sent,
           (double)p->cpu_ns / (double)sent, (double)p->bytes_back / (double)sent);
}

int main(int argc, char **argv)
{
    setvbuf(stdout, NULL, _IOLBF, 4096);
    check_cpu = argc < 2 || strcmp(argv[1], "--no-cpu") != 0;
    victim = guarded();
    init(victim, true);
    attack_preface(&politely);
    politely.id = 1;
    feed(victim, politely.bytes, politely.len, true);
    for (size_t i = 0; i < attack_count; i++) {
        for (unsigned side = ON_SERVER; side <= ON_CLIENT; side++) {
            if (!(attacks[i].sides & side))
                continue;
            test_ok = true;
            run(&attacks[i], side == ON_CLIENT);
            if (!test_ok)
                printf("FAIL %s, %s\n", attacks[i].name, side == ON_CLIENT ? "client" : "server");
            test_ok ? test_passed++ : test_failed++;
        }
    }
    return test_summary();
}
