/* How many instructions a call and a message take, counted one by one (ptrace), beside those of a
 * file: counts FILE [update] A figure that has grown or shrunk by more than 2% fails; `make counts`
 * writes them. The counts are of one compiler, one kind of machine and -O2, which the file names;
 * for others they are printed, and nothing is compared. */
#define _GNU_SOURCE
#include "../../grpc/grpc.h"
#include "../test.h"
#include "bench.mote.h"

#include <gnu/libc-version.h>
#include <signal.h>
#include <sys/personality.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

#ifndef COUNTS_CFLAGS
#define COUNTS_CFLAGS ""
#endif

enum { RX = 65536, TX = 65536, CALLS = 8, MESSAGES = 8, FIELDS = 4 };

static mote_grpc server;
static uint64_t memory[MOTE_GRPC_MEMORY(CALLS, RX, TX, 4096, 1024, 16, 8) / 8];

/* ---- a service ------------------------------------------------------------------------------- */

static uint64_t sum;
static mote_grpc_call *download;
static const mote_grpc_source sample_source = {mote_pb_encode_part, mote_pb_strerror,
                                               &bench_sample_encoder};

static int unary(mote_grpc_call *call, const mote_grpc_event *ev)
{
    bench_Sample s;

    if (ev->type == MOTE_GRPC_MESSAGE) {
        if (mote_pb_decode(&bench_sample_decoder, &s, ev->data, ev->len, NULL, NULL) < 0)
            return MOTE_GRPC_INVALID_ARGUMENT;
        s.sequence++;
        return mote_grpc_send(call, &sample_source, &s, 0);
    }
    return ev->type == MOTE_GRPC_HALF_CLOSE ? mote_grpc_finish(call, MOTE_GRPC_OK, NULL) : 0;
}

static int upload(mote_grpc_call *call, const mote_grpc_event *ev)
{
    (void)call;
    if (ev->type == MOTE_GRPC_MESSAGE)
        sum += ev->len + ev->data[0];
    return 0;
}

static int subscribe(mote_grpc_call *call, const mote_grpc_event *ev)
{
    (void)ev;
    download = call;
    return 0;
}

static const mote_grpc_method methods[] = {{.name = "Unary", .handler = unary},
                                           {.name = "Upload", .handler = upload},
                                           {.name = "Subscribe", .handler = subscribe}};
static const mote_grpc_service service = {"mote.bench.Bench", methods, 3, false};

/* ---- what comes ------------------------------------------------------------------------------ */

static uint8_t in[1 << 14];
static size_t in_len;
static uint32_t next_id = 1;

static void put_frame(unsigned type, unsigned flags, uint32_t id, const void *payload, size_t len)
{
    const uint8_t header[9] = {
        0, (uint8_t)(len >> 8), (uint8_t)len,       (uint8_t)type, (uint8_t)flags,
        0, (uint8_t)(id >> 16), (uint8_t)(id >> 8), (uint8_t)id};

    memcpy(in + in_len, header, 9);
    memcpy(in + in_len + 9, payload, len);
    in_len += 9 + len;
}

/* The server hears it, and what it says is taken. */
static void hear(void)
{
    size_t len;

    CHECK_INT(mote_grpc_serve(&server, in, in_len), 0);
    while (mote_grpc_peek(&server, &len))
        mote_grpc_ack(&server, len);
    in_len = 0;
}

/* Header blocks of h2load 1.52: the first, and those that follow it. */
static const char first_block[] =
    "\x04\x91\x62\x93\xa4\xab\xc6\x5a\x89\x3a\xf7\x4b\x51\x27\x63\x85\x43\xb3\xd7\x86\x41\x8b\x08"
    "\x9d\x5c\x0b\x81\x70\xdc\x65\xb1\x09\xdf\x83\x7a\x8f\x9c\x54\x1c\x72\x29\x54\xd3\xa5\x35\x89"
    "\x80\xae\xd8\x97\x07\x40\x02\x74\x65\x86\x4d\x83\x35\x05\xb1\x1f\x5f\x8b\x1d\x75\xd0\x62\x0d"
    "\x26\x3d\x4c\x4d\x65\x64\x0f\x0d\x02\x34\x32";
static const char block[] = "\x04\x91\x62\x93\xa4\xab\xc6\x5a\x89\x3a\xf7\x4b\x51\x27\x63\x85\x43"
                            "\xb3\xd7\x86\xc1\x83\xc0\xbf\xbe\x0f\x0d\x02\x34\x32";
static const char request[] = "\0\0\0\0\x25\x08\x80\xd0\x95\xff\xbc\x31\x11\0\0\0\0\0\x80\x34\x40"
                              "\x1d\0\0\x80\x3e\x20\x7b\x2a\x0ctemperature0";

/* A call whose block has so many bytes more; `body` says whether a request and its end follow. */
static void put_call(const void *start, size_t len, const char *more, size_t more_len, bool body)
{
    uint8_t all[1024];

    memcpy(all, start, len);
    memcpy(all + len, more, more_len);
    put_frame(1, 4, next_id, all, len + more_len);
    if (body)
        put_frame(0, 1, next_id, request, sizeof request - 1);
    next_id += 2;
}

static void put_stream(const char *path)
{
    char text[64];
    int n =
        snprintf(text, sizeof text, "\x04%c%s\x86\xc1\x83\xc0\xbf\xbe", (int)strlen(path), path);

    put_call(text, (size_t)n, "", 0, false);
}

static void begin(void)
{
    static mote_grpc_config config = {.server = true,
                                      .max_calls = CALLS,
                                      .slots = 16,
                                      .rx_size = RX,
                                      .tx_size = TX,
                                      .table_size = 4096,
                                      .field_size = 1024,
                                      .user_size = 8,
                                      .services = &service,
                                      .service_count = 1};

    CHECK_INT(mote_grpc_init(&server, &config, memory, sizeof memory), 0);
    memcpy(in, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 24);
    in_len = 24;
    put_frame(4, 0, 0, "\0\4\x3f\xff\xff\xff", 6);
    put_frame(8, 0, 0, "\x3f\xff\0\0", 4);
    put_frame(4, 1, 0, "", 0);
    put_call(first_block, sizeof first_block - 1, "", 0, true);
    hear();
}

/* ---- what is counted ------------------------------------------------------------------------- */

static void nothing(unsigned round)
{
    (void)round;
}

static void call_with(const char *more, size_t len)
{
    put_call(block, sizeof block - 1, more, len, true);
    hear();
}

static void a_call(unsigned round)
{
    (void)round;
    call_with("", 0);
}

/* Fields that are the same in each call, or with another value in each. */
static void metadata(unsigned value)
{
    char fields[FIELDS * 16];

    for (unsigned i = 0; i < FIELDS; i++)
        memcpy(fields + 16 * i,
               (char[]){0, 3, 'x', '-', (char)('a' + i), 10, '0', '1', '2', '3', '4', '5', '6', '7',
                        '8', (char)('0' + value % 10)},
               16);
    call_with(fields, sizeof fields);
}

static void same_metadata(unsigned round)
{
    (void)round;
    metadata(0);
}

static void uploaded(unsigned round)
{
    static const uint8_t message[37] = {0, 0, 0, 0, 32, 1};
    static uint8_t payload[MESSAGES * sizeof message];

    if (round == 0)
        put_stream("/mote.bench.Bench/Upload");
    for (unsigned i = 0; i < MESSAGES; i++)
        memcpy(payload + i * sizeof message, message, sizeof message);
    put_frame(0, 0, next_id - 2, payload, sizeof payload);
    hear();
}

static void downloaded(unsigned round)
{
    static const uint8_t bytes[32] = {1};
    const mote_grpc_bytes message = {bytes, sizeof bytes};

    if (round == 0) {
        put_stream("/mote.bench.Bench/Subscribe");
        hear();
    }
    for (unsigned i = 0; i < MESSAGES; i++)
        CHECK_INT(mote_grpc_send(download, &mote_grpc_bytes_source, &message, 0), 0);
    hear();
}

static void downloaded_sample(unsigned round)
{
    const bench_Sample s = {1700000000000, 20.5, 0.25f, 7, MOTE_PB_STRING("temperature0")};

    if (round == 0) {
        put_stream("/mote.bench.Bench/Subscribe");
        hear();
    }
    for (unsigned i = 0; i < MESSAGES; i++)
        CHECK_INT(mote_grpc_send(download, &sample_source, &s, 0), 0);
    hear();
}

static void decoded_sample(unsigned round)
{
    bench_Sample s;

    (void)round;
    for (unsigned i = 0; i < MESSAGES; i++)
        CHECK_INT(mote_pb_decode(&bench_sample_decoder, &s, (const uint8_t *)request + 5,
                                 sizeof request - 6, NULL, NULL),
                  0);
}

/* What a row has less than another one, by itself, is what is beside it. */
typedef struct {
    const char *what;
    void (*run)(unsigned round);
    unsigned less; /* row that is taken away */
    unsigned of;   /* so many of them */
} row;

static const row rows[] = {
    {"nothing", nothing, 0, 1},
    {"unary call with h2load's headers", a_call, 0, 1},
    {"metadata field that is the same in each call", same_metadata, 1, FIELDS},
    {"metadata field that is another one in each call, whose block is decoded then", metadata, 1,
     FIELDS},
    {"message of 32 bytes, uploaded", uploaded, 0, MESSAGES},
    {"message of 32 bytes, downloaded", downloaded, 0, MESSAGES},
    {"sample of 37 bytes, encoded and downloaded", downloaded_sample, 0, MESSAGES},
    {"sample of 37 bytes, decoded", decoded_sample, 0, MESSAGES}};
enum { ROWS = sizeof rows / sizeof rows[0], WARM = 6 };

/* ---- counting -------------------------------------------------------------------------------- */

static void child(const row *r)
{
    ptrace(PTRACE_TRACEME, 0, NULL, NULL);
    begin();
    for (unsigned i = 0; i < WARM; i++)
        r->run(i);
    raise(SIGUSR1);
    r->run(WARM);
    raise(SIGUSR1);
    _exit(test_ok ? 0 : 1);
}

/* Instructions between the two signals; -1: this machine does not let us count. */
static long count(const row *r)
{
    long n = 0;
    int status;
    pid_t pid;

    fflush(stdout);
    if ((pid = fork()) == 0)
        child(r);
    if (pid < 0 || waitpid(pid, &status, 0) != pid || !WIFSTOPPED(status))
        return -1;
    CHECK_INT(WSTOPSIG(status), SIGUSR1);
    do {
        if (ptrace(PTRACE_SINGLESTEP, pid, NULL, NULL) < 0 || waitpid(pid, &status, 0) != pid)
            return -1;
        n++;
    } while (WIFSTOPPED(status) && WSTOPSIG(status) == SIGTRAP);
    CHECK(WIFSTOPPED(status) && WSTOPSIG(status) == SIGUSR1);
    ptrace(PTRACE_CONT, pid, NULL, NULL);
    CHECK(waitpid(pid, &status, 0) == pid && WIFEXITED(status) && WEXITSTATUS(status) == 0);
    return n;
}

#define PLAIN_PROCESSOR                                                                            \
    "glibc.cpu.hwcaps=-AVX_Fast_Unaligned_Load,-AVX2,-AVX2_Usable,-AVX512F,-AVX512VL,-ERMS,-FSRM"

static const char *file;
static bool update;

static const char *built_by(void)
{
#if defined __x86_64__ && defined __GNUC__ && !defined __clang__
    return "x86-64, gcc " __VERSION__ " " COUNTS_CFLAGS ", glibc";
#else
    return "another compiler or machine";
#endif
}

/* The figure of the file, 0: there is none; `line` is its first one. */
static long figure_of(const char *what, char *line, int size)
{
    char text[128];
    long n, found = 0;
    FILE *f = fopen(file, "r");

    if (!f || !fgets(line, size, f))
        line[0] = '\0';
    while (f && fscanf(f, "%ld %127[^\n]", &n, text) == 2)
        found = strcmp(text, what) == 0 ? n : found;
    if (f)
        fclose(f);
    return found;
}

static void instructions_are_as_the_file_says(void)
{
    char now[160], line[160];
    long n[ROWS], was[ROWS];
    bool counted = true;

    snprintf(now, sizeof now, "# instructions by %s %s\n", built_by(), gnu_get_libc_version());
    for (size_t i = 0; i < ROWS; i++) {
        counted = counted && (n[i] = count(&rows[i])) >= 0;
        was[i] = figure_of(rows[i].what, line, sizeof line);
    }
    if (!counted) {
        printf("nothing is counted: ptrace() is refused here\n");
        return;
    }
    bool compared = strcmp(line, now) == 0 && !update;
    FILE *f = update ? fopen(file, "w") : NULL;
    if (f)
        fputs(now, f);
    printf("%s%s", now, compared ? "" : "# they are not compared\n");
    for (size_t i = 1; i < ROWS; i++) {
        long figure = (n[i] - n[rows[i].less]) / rows[i].of, apart = labs(figure - was[i]);
        printf("%ld %s\n", figure, rows[i].what);
        if (f)
            fprintf(f, "%ld %s\n", figure, rows[i].what);
        if (compared && apart * 50 > was[i]) {
            printf("it was %ld: more than 2%% apart\n", was[i]);
            CHECK(false);
        }
    }
    if (f)
        fclose(f);
}

int main(int argc, char **argv)
{
    const char *tunables = getenv("GLIBC_TUNABLES");

    /* Where things lie, and what the processor can, decides how bytes are copied. */
    if (!tunables || strcmp(tunables, PLAIN_PROCESSOR) != 0) {
        setenv("GLIBC_TUNABLES", PLAIN_PROCESSOR, 1);
        personality(ADDR_NO_RANDOMIZE);
        execv("/proc/self/exe", argv);
    }
    file = argc > 1 ? argv[1] : "tests/bench/counts.txt";
    update = argc > 2 && strcmp(argv[2], "update") == 0;
    RUN(instructions_are_as_the_file_says);
    return test_summary();
}
