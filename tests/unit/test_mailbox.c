/* Letters between threads, and calls of a server on two workers that two other threads answer. */
#define _GNU_SOURCE
#include "../../port/posix/mailbox.h"
#include "../test.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

/* ---- letters --------------------------------------------------------------------------------- */

enum { WRITERS = 3, LETTERS = 2000 };

typedef struct {
    mote_posix_letter letter; /* first */
    unsigned writer, number;
} note;

static mote_posix_mailbox box;
static note notes[WRITERS][LETTERS];
static unsigned next_of[WRITERS], opened;

static void *write_letters(void *context)
{
    note *mine = context;

    for (unsigned i = 0; i < LETTERS; i++) {
        mine[i].number = i;
        if (mote_posix_mailbox_put(&box, &mine[i].letter) < 0)
            return mine; /* and so the caller's still */
    }
    return NULL;
}

static void look_at(mote_posix_letter *letter)
{
    note *n = (note *)letter;

    CHECK_INT(n->number, next_of[n->writer]++);
    opened++;
}

static void begin_letters(pthread_t *threads)
{
    CHECK_INT(mote_posix_mailbox_init(&box), 0);
    memset(next_of, 0, sizeof next_of);
    opened = 0;
    for (unsigned w = 0; w < WRITERS; w++) {
        for (unsigned i = 0; i < LETTERS; i++)
            notes[w][i] = (note){.letter.open = look_at, .writer = w};
        pthread_create(&threads[w], NULL, write_letters, notes[w]);
    }
}

static void end_letters(pthread_t *threads)
{
    for (unsigned w = 0; w < WRITERS; w++) {
        void *left;
        pthread_join(threads[w], &left);
        CHECK(left == NULL);
    }
    mote_posix_mailbox_free(&box);
}

/* Each comes once, those of one thread in their order; nobody waits with letters in the box. */
static void letters_come_once_and_in_order(void)
{
    pthread_t threads[WRITERS];

    begin_letters(threads);
    while (opened < WRITERS * LETTERS && test_ok) {
        mote_posix_letter *l = mote_posix_mailbox_next(&box, 20000);
        CHECK(l != NULL);
        if (l)
            look_at(l);
    }
    CHECK(mote_posix_mailbox_next(&box, 0) == NULL);
    CHECK(mote_posix_mailbox_next(&box, 1) == NULL);
    end_letters(threads);
}

static void letters_wake_a_loop(void)
{
    static mote_posix_loop loop;
    static note late = {.letter.open = look_at}, too_late;
    pthread_t threads[WRITERS];

    begin_letters(threads);
    CHECK_INT(mote_posix_loop_init(&loop), 0);
    CHECK_INT(mote_posix_loop_mailbox(&loop, &box), 0);
    for (uint64_t until = mote_posix_now_ms() + 20000;
         opened < WRITERS * LETTERS && mote_posix_now_ms() < until;)
        mote_posix_loop_turn(&loop, 20000);
    CHECK_INT(opened, WRITERS * LETTERS);
    late.number = next_of[0];
    CHECK_INT(mote_posix_mailbox_put(&box, &late.letter), 0);
    mote_posix_loop_end(&loop);
    CHECK_INT(opened, WRITERS * LETTERS + 1);
    CHECK_INT(mote_posix_mailbox_put(&box, &too_late.letter), -1);
    end_letters(threads);
}

/* ---- jobs: a server with two workers, and a thread for each ---------------------------------- */

enum { WORKERS = 2, STREAM = 400, SIZE = 100 };

static int news[2], gate[2];

/* A worker, and the thread that works for it. */
typedef struct {
    mote_posix_mailbox home, desk;
    pthread_t thread;
    mote_posix_letter stop;
} office;
static office offices[WORKERS];

typedef struct {
    mote_posix_job job; /* first */
    char what[16];
    uint8_t bytes[SIZE];
    mote_grpc_bytes message;
    unsigned sent;
} errand;

static void say(const errand *e, const char *text)
{
    dprintf(news[1], "%s %s %d %d\n", e->what, text, e->job.result, e->job.code);
}

static void send_next(errand *e)
{
    memset(e->bytes, (int)e->sent++, SIZE);
    e->message = (mote_grpc_bytes){e->bytes, SIZE};
    mote_posix_job_send(&e->job, &mote_grpc_bytes_source, &e->message, 0);
}

/* What was asked for by name. */
static void work(errand *e)
{
    bool begins = e->job.state == MOTE_POSIX_JOB_BEGUN;
    char byte;

    if (strcmp(e->what, "answer") == 0) {
        e->message = (mote_grpc_bytes){(uint8_t *)e->what, 6};
        mote_posix_job_answer(&e->job, &mote_grpc_bytes_source, &e->message);
    } else if (strcmp(e->what, "end") == 0) {
        mote_posix_job_finish(&e->job, MOTE_GRPC_NOT_FOUND, "there is none");
    } else if (strcmp(e->what, "large") == 0 && begins) {
        static const uint8_t zeros[70000];
        e->message = (mote_grpc_bytes){zeros, sizeof zeros};
        mote_posix_job_answer(&e->job, &mote_grpc_bytes_source, &e->message);
    } else if (strcmp(e->what, "stream") == 0 && e->job.result == 0 && e->sent < STREAM) {
        send_next(e);
    } else if (strcmp(e->what, "wait") == 0 || strcmp(e->what, "hold") == 0) {
        say(e, "begun");
        CHECK_INT(read(gate[0], &byte, 1), 1); /* until the caller has gone, or the server */
        while (e->what[0] == 'w' && !mote_posix_job_is_gone(&e->job))
            usleep(1000);
        send_next(e);
    } else {
        mote_posix_job_finish(&e->job, MOTE_GRPC_OK, NULL);
    }
}

static void *sit_at_desk(void *context)
{
    office *o = context;
    unsigned jobs = 0;
    bool stops = false;

    while (!stops || jobs > 0) {
        mote_posix_letter *l = mote_posix_mailbox_next(&o->desk, UINT32_MAX);
        errand *e = (errand *)l;
        stops = stops || l == &o->stop;
        if (!l || l == &o->stop)
            continue;
        jobs += e->job.state == MOTE_POSIX_JOB_BEGUN;
        if (e->job.state != MOTE_POSIX_JOB_OVER) {
            work(e);
            continue;
        }
        say(e, "over");
        free(e);
        jobs--;
    }
    return NULL;
}

static int give_away(mote_grpc_call *call, const mote_grpc_event *ev)
{
    errand **e = call->user;
    office *o = call->grpc->config->context;

    if (*e)
        return mote_posix_job_event(&(*e)->job, ev);
    if (ev->type != MOTE_GRPC_MESSAGE)
        return 0;
    *e = calloc(1, sizeof **e);
    if (!*e)
        return MOTE_GRPC_RESOURCE_EXHAUSTED;
    snprintf((*e)->what, sizeof(*e)->what, "%.*s", (int)ev->len, (const char *)ev->data);
    mote_posix_job_begin(&(*e)->job, call, &o->home, &o->desk);
    return 0;
}

static const mote_grpc_method methods[] = {{.name = "Do", .handler = give_away}};
static const mote_grpc_service service = {"j.J", methods, 1, false};

static int own_office(void *context, unsigned number, mote_posix_own *own)
{
    (void)context;
    own->context = &offices[number];
    own->mailbox = &offices[number].home;
    return 0;
}

static void ready(const char *address)
{
    dprintf(news[1], "%s\n", address);
}

static void serve(void)
{
    mote_posix_server server = {.address = "127.0.0.1:0",
                                .grpc = {.max_calls = 4,
                                         .slots = 4,
                                         .rx_size = 256,
                                         .tx_size = 512,
                                         .table_size = 4096,
                                         .field_size = 256,
                                         .user_size = sizeof(errand *),
                                         .services = &service,
                                         .service_count = 1},
                                .workers = WORKERS,
                                .own = own_office,
                                .ready = ready,
                                .drain_ms = 10};

    alarm(60); /* a failure is no standstill */
    for (int i = 0; i < WORKERS; i++) {
        CHECK(mote_posix_mailbox_init(&offices[i].home) == 0 &&
              mote_posix_mailbox_init(&offices[i].desk) == 0);
        pthread_create(&offices[i].thread, NULL, sit_at_desk, &offices[i]);
    }
    CHECK_INT(mote_posix_serve(&server), 0);
    CHECK_INT(write(gate[1], "12345678", 8), 8); /* for those who hold a job still */
    for (int i = 0; i < WORKERS; i++) {
        mote_posix_mailbox_put(&offices[i].desk, &offices[i].stop);
        pthread_join(offices[i].thread, NULL);
        mote_posix_mailbox_free(&offices[i].home);
        mote_posix_mailbox_free(&offices[i].desk);
    }
    _exit(test_ok ? 0 : 1);
}

static const char *line(void)
{
    static char text[256];
    size_t n = 0;

    while (n < sizeof text - 1 && read(news[0], text + n, 1) == 1 && text[n] != '\n')
        n++;
    text[n] = '\0';
    return text;
}

/* ---- who calls ------------------------------------------------------------------------------- */

static char address[128];
typedef struct {
    int fd;
    mote_channel channel;
    uint64_t memory[MOTE_GRPC_MEMORY(1, 256, 512, 0, 256, 4, 0) / 8];
    uint8_t input[256];
    mote_grpc_call *call;
} client;
static client clients[8];

static pid_t begin(void)
{
    CHECK_INT(pipe(news), 0);
    CHECK_INT(pipe(gate), 0);
    pid_t child = fork();
    if (child == 0)
        serve();
    snprintf(address, sizeof address, "%s", line());
    return child;
}

static void end(pid_t child)
{
    int status;

    kill(child, SIGTERM);
    CHECK(waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 0);
    for (int i = 0; i < 2; i++) {
        close(news[i]);
        close(gate[i]);
    }
}

static void ask(client *c, const char *what)
{
    static const mote_grpc_config config = {.max_calls = 1,
                                            .slots = 4,
                                            .rx_size = 256,
                                            .tx_size = 512,
                                            .field_size = 256,
                                            .authority = MOTE_GRPC_AUTHORITY("a")};
    static const mote_hpack_field path = MOTE_HPACK_FIELD(":path", "/j.J/Do");
    mote_grpc_request request = {.path = &path, .timeout_ms = 30000, .chunks = &mote_grpc_chunks};
    mote_grpc_bytes bytes = {(const uint8_t *)what, strlen(what)};

    c->fd = mote_posix_connect(address, 5000);
    mote_channel_init(&c->channel, &config, c->memory, sizeof c->memory, c->input, sizeof c->input,
                      mote_posix_io(&c->fd));
    CHECK_INT(mote_channel_start(&c->channel, &request, &c->call), 0);
    CHECK_INT(mote_channel_send(c->call, &mote_grpc_bytes_source, &bytes, MOTE_GRPC_LAST), 0);
}

/* All bytes that come until the status; those of a message are its number. */
static mote_status status_of(client *c, size_t *bytes)
{
    mote_grpc_event ev;

    *bytes = 0;
    while (mote_channel_recv(c->call, &ev) == 1 && ev.type != MOTE_GRPC_STATUS) {
        if (ev.type == MOTE_GRPC_MESSAGE && ev.len == SIZE)
            CHECK_INT(ev.data[0], (uint8_t)(*bytes / SIZE));
        if (ev.type == MOTE_GRPC_MESSAGE || ev.type == MOTE_GRPC_CHUNK)
            *bytes += ev.len;
    }
    mote_status s = {.code = ev.code, .message = ev.message, .message_len = ev.message_len};
    close(c->fd);
    return s;
}

/* Kinds of work, what the caller gets, and what the thread is told at the end. */
static void threads_answer_calls(void)
{
    static const struct {
        const char *what;
        int code;
        const char *text;
        size_t bytes;
        const char *told;
    } rows[] = {{"answer", MOTE_GRPC_OK, "", 6, "answer over 0 0"},
                {"end", MOTE_GRPC_NOT_FOUND, "there is none", 0, "end over 0 5"},
                {"stream", MOTE_GRPC_OK, "", STREAM * SIZE, "stream over 0 0"},
                {"large", MOTE_GRPC_OK, "", 70000, "large over 0 0"},
                {"else", MOTE_GRPC_OK, "", 0, "else over 0 0"}};
    pid_t child = begin();
    size_t bytes;

    for (int round = 0; round < 8; round++) {
        for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
            ask(&clients[0], rows[i].what);
            mote_status s = status_of(&clients[0], &bytes);
            CHECK_INT(s.code, rows[i].code);
            CHECK_INT(bytes, rows[i].bytes);
            CHECK(s.message_len == strlen(rows[i].text) &&
                  memcmp(s.message, rows[i].text, s.message_len) == 0);
            CHECK(strcmp(line(), rows[i].told) == 0);
        }
    }
    end(child);
}

/* Streams of all connections are sent by two threads at once, and each waits for its own reader. */
static void many_streams_at_once(void)
{
    enum { MANY = 8 };
    pid_t child = begin();
    size_t bytes;

    for (int i = 0; i < MANY; i++)
        ask(&clients[i], "stream");
    for (int i = MANY - 1; i >= 0; i--) {
        CHECK_INT(status_of(&clients[i], &bytes).code, MOTE_GRPC_OK);
        CHECK_INT(bytes, STREAM * SIZE);
    }
    for (int i = 0; i < MANY; i++)
        CHECK(strcmp(line(), "stream over 0 0") == 0);
    end(child);
}

/* While the thread computes, and while it waits for a reader who reads no more. */
static void a_caller_that_has_gone_is_seen(void)
{
    pid_t child = begin();
    char told[64];

    ask(&clients[0], "wait");
    CHECK(strcmp(line(), "wait begun 0 0") == 0);
    CHECK_INT(write(gate[1], "g", 1), 1);
    close(clients[0].fd);
    snprintf(told, sizeof told, "wait over %d %d", MOTE_GRPC_ERR_STATE, MOTE_GRPC_CANCELLED);
    CHECK(strcmp(line(), told) == 0);
    ask(&clients[1], "large");
    usleep(20000); /* as a rule it waits for room by then, which need not be */
    close(clients[1].fd);
    snprintf(told, sizeof told, "large over %d %d", MOTE_GRPC_ERR_STATE, MOTE_GRPC_CANCELLED);
    CHECK(strcmp(line(), told) == 0);
    end(child);
}

/* A job that a thread has when the server ends comes back to it as over. */
static void the_end_of_the_server_ends_jobs(void)
{
    pid_t child = begin();

    ask(&clients[0], "hold");
    CHECK(strcmp(line(), "hold begun 0 0") == 0);
    int copy = dup(news[0]);
    end(child);
    news[0] = copy;
    char told[64];
    snprintf(told, sizeof told, "hold over %d %d", MOTE_GRPC_ERR_STATE, MOTE_GRPC_CANCELLED);
    CHECK(strcmp(line(), told) == 0);
    close(copy);
    close(clients[0].fd);
}

int main(void)
{
    RUN(letters_come_once_and_in_order);
    RUN(letters_wake_a_loop);
    RUN(threads_answer_calls);
    RUN(many_streams_at_once);
    RUN(a_caller_that_has_gone_is_seen);
    RUN(the_end_of_the_server_ends_jobs);
    return test_summary();
}
