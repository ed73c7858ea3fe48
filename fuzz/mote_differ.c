/* mote-differ: where does a server differ from mote? See differ.h.
 *
 *   mote-differ [OPTIONS] HOST:PORT | nghttp2 [SEEDS...]
 *
 * SEEDS are conversations: bytes, or text (frames.h) in files that end with .txt, in which a line
 * "== NAME" begins the next one; fuzz/seeds/http2.txt where none is named. All of them are played,
 * then mutants.
 *
 *   --runs=N       mutants (1000)
 *   --seed=N       of the mutants (1): the same seed makes the same conversations
 *   --rules=FILE   what RFC 9113 leaves open (fuzz/differ.rules); --rules= for none; may be given
 * again, for a second list
 *   --grpc         mote's gRPC in place of its HTTP/2; any method is to answer with the message
 * that it gets
 *   --no-bodies    the server is no echo: its fields and content are not compared
 *   --quiet=MS     it has said all when it says nothing for so long (50)
 *   --all          prints what is on the list too, with the rule's section
 *   --save=FOLDER  each difference as a file of bytes, minimised
 *   --seeds=FOLDER writes the conversations as files of bytes, a corpus for a fuzzer, and does no
 * more
 *
 * Prints each kind of difference once, minimised, as text. Ends with 1 where there is one that is
 * not on the list, with 2 where the server could not be asked.
 */
#define _GNU_SOURCE

#include "differ.h"
#include "frames.h"
#include "mutator.h"

#include <stdlib.h>
#include <string.h>

enum { SEEDS = 4096, KINDS = 512, FOUND = 8, MUTANT = 8192, RULES = 8 };

typedef struct {
    char *name;
    uint8_t *bytes;
    size_t len;
} seed;

typedef struct {
    unsigned long runs, random;
    const char *rules_path[RULES], *save, *write_seeds;
    size_t rules_count;
    bool all, grpc;
    mote_differ differ;
    mote_differ_address address;
    mote_differ_server peer;
    seed seeds[SEEDS];
    size_t seed_count;
    mote_difference kinds[KINDS]; /* that were printed */
    size_t kind_count, printed, listed;
} job;

static job j;

static void stop(const char *what, const char *which)
{
    fprintf(stderr, "mote-differ: error: %s%s\n", what, which);
    exit(2);
}

static char *read_file(const char *path, size_t *len)
{
    FILE *f = fopen(path, "rb");
    char *text = malloc(MOTE_FRAMES_MAX + 1);

    if (!f || !text)
        stop("cannot read ", path);
    *len = fread(text, 1, MOTE_FRAMES_MAX, f);
    fclose(f);
    text[*len] = '\0';
    return text;
}

/* ---- seeds --------------------------------------------------------------------------------- */

static void add_seed(const char *name, size_t name_len, const void *bytes, size_t len)
{
    seed *s = &j.seeds[j.seed_count];

    if (j.seed_count == SEEDS)
        return;
    s->name = calloc(1, name_len + 1);
    s->bytes = malloc(len + 1);
    if (!s->name || !s->bytes)
        stop("no memory", "");
    memcpy(s->name, name, name_len);
    memcpy(s->bytes, bytes, len);
    s->len = len;
    j.seed_count++;
}

static void add_texts(const char *path, const char *text)
{
    static uint8_t bytes[MOTE_FRAMES_MAX];
    mote_differ_seed d;

    while (mote_differ_next_seed(&text, bytes, sizeof bytes, &d)) {
        if (d.why) {
            fprintf(stderr, "%s: %.*s: line %zu: %s\n", path, (int)d.name_len, d.name, d.line,
                    d.why);
            exit(2);
        }
        add_seed(d.name, d.name_len, bytes, d.len);
    }
}

static void add_file(const char *path)
{
    size_t len = strlen(path), size;
    char *text = read_file(path, &size);

    if (len > 4 && strcmp(path + len - 4, ".txt") == 0) {
        add_texts(path, text);
    } else
        add_seed(path, len, text, size);
    free(text);
}

/* ---- what was found ------------------------------------------------------------------------- */

/* A cause without what differs from mutant to mutant: numbers and strings. */
static void outline(const char *cause, char to[MOTE_DIFFER_TEXT])
{
    for (bool string = false; *cause; cause++) {
        if (*cause == '"')
            string = !string;
        else if (!string && !(*cause >= '0' && *cause <= '9'))
            *to++ = *cause;
    }
    *to = '\0';
}

/* One kind: same words, and such a frame at the end. */
static bool is_known(const mote_difference *d)
{
    char cause[MOTE_DIFFER_TEXT], other[MOTE_DIFFER_TEXT];

    outline(d->cause, cause);
    for (size_t i = 0; i < j.kind_count; i++) {
        const mote_difference *k = &j.kinds[i];
        bool words = d->kind == MOTE_DIFFERS_FIELDS || d->kind == MOTE_DIFFERS_BODY ||
                     (strcmp(d->ours, k->ours) == 0 && strcmp(d->theirs, k->theirs) == 0);
        outline(k->cause, other);
        if (k->kind == d->kind && words && strcmp(other, cause) == 0)
            return true;
    }
    return j.kind_count == KINDS;
}

static void write_file(const char *path, const uint8_t *in, size_t len)
{
    FILE *f = fopen(path, "wb");

    if (!f || fwrite(in, 1, len, f) != len || fclose(f) != 0)
        stop("cannot write ", path);
}

static void save(const uint8_t *in, size_t len)
{
    char path[1024];

    if (!j.save)
        return;
    snprintf(path, sizeof path, "%s/difference-%zu", j.save, j.kind_count);
    write_file(path, in, len);
}

static void print(const mote_difference *d, const char *from, const uint8_t *in, size_t len)
{
    printf("\n%s", mote_differs_name(d->kind));
    if (d->stream)
        printf(" of stream %u", (unsigned)d->stream);
    printf("\n  %-12s %s\n  %-12s %s\n", j.differ.ours->name, d->ours, j.differ.theirs->name,
           d->theirs);
    if (d->open)
        printf("  on the list: %s, %s\n", d->section, d->reason);
    printf("  cause        %s\n", d->cause);
    printf("  from %s; the conversation:\n", from);
    mote_frames_print(stdout, in, len, 0);
    fflush(stdout);
}

/* Once more, and with more patience: what is up to the pace is no difference. */
static bool holds(const mote_difference *d, const uint8_t *in, size_t len)
{
    mote_difference again[FOUND];
    bool found = false;
    int quiet = j.address.quiet_ms;

    j.address.quiet_ms = quiet * 4;
    size_t n = mote_differ_compare(&j.differ, in, len, again, FOUND);
    j.address.quiet_ms = quiet;
    for (size_t i = 0; n != SIZE_MAX && i < n; i++)
        found |= again[i].kind == d->kind && strcmp(again[i].ours, d->ours) == 0 &&
                 strcmp(again[i].theirs, d->theirs) == 0;
    return found;
}

static void examine(const mote_difference *d, const char *from, const uint8_t *in, size_t len)
{
    static uint8_t least[MOTE_FRAMES_MAX];
    mote_difference shown = *d;

    if (is_known(d) || !holds(d, in, len))
        return;
    memcpy(least, in, len);
    len = mote_differ_minimise(&j.differ, &shown, least, len);
    if (is_known(&shown))
        return;
    j.kinds[j.kind_count++] = shown;
    j.listed += shown.open;
    if (!shown.open || j.all) {
        print(&shown, from, least, len);
        save(least, len);
    }
    j.printed += !shown.open;
}

static void run(const char *from, const uint8_t *in, size_t len)
{
    mote_difference found[FOUND];
    size_t n = mote_differ_compare(&j.differ, in, len, found, FOUND);

    if (n == SIZE_MAX)
        stop("no connection to ", j.differ.theirs->name);
    for (size_t i = 0; i < n; i++)
        examine(&found[i], from, in, len);
}

static void run_mutants(void)
{
    static uint8_t bytes[MUTANT];
    unsigned state = (unsigned)j.random;

    for (unsigned long i = 0; i < j.runs && j.seed_count > 0; i++) {
        state = state * 1664525u + 1013904223u;
        const seed *s = &j.seeds[(state >> 8) % j.seed_count];
        size_t len = s->len < MUTANT ? s->len : MUTANT;
        memcpy(bytes, s->bytes, len);
        for (unsigned n = 0; n <= state >> 30; n++)
            len = LLVMFuzzerCustomMutator(bytes, len, MUTANT, state + n);
        run(s->name, bytes, len);
    }
}

/* ---- the command line ------------------------------------------------------------------------ */

static const char *option(const char *argument, const char *name)
{
    size_t len = strlen(name);

    return strncmp(argument, name, len) == 0 ? argument + len : NULL;
}

static bool read_option(const char *argument)
{
    const char *value;

    if ((value = option(argument, "--runs=")))
        j.runs = strtoul(value, NULL, 10);
    else if ((value = option(argument, "--seed=")))
        j.random = strtoul(value, NULL, 10);
    else if ((value = option(argument, "--rules=")) && j.rules_count < RULES)
        j.rules_path[j.rules_count++] = value;
    else if ((value = option(argument, "--seeds=")))
        j.write_seeds = value;
    else if ((value = option(argument, "--quiet=")))
        j.address.quiet_ms = atoi(value);
    else if ((value = option(argument, "--save=")))
        j.save = value;
    else if (strcmp(argument, "--grpc") == 0)
        j.grpc = true;
    else if (strcmp(argument, "--no-bodies") == 0)
        j.differ.no_bodies = true;
    else if (strcmp(argument, "--all") == 0)
        j.all = true;
    else
        return false;
    return true;
}

static void choose_peer(char *name)
{
    char *colon = strrchr(name, ':');

    j.differ.theirs = &mote_differ_nghttp2;
    if (strcmp(name, "nghttp2") == 0)
        return;
    if (!colon)
        stop("neither HOST:PORT nor nghttp2: ", name);
    j.peer = (mote_differ_server){strdup(name), mote_differ_socket, &j.address};
    *colon = '\0';
    j.differ.tries = 300; /* each takes some milliseconds */
    j.address.host = name;
    j.address.port = colon + 1;
    j.differ.theirs = &j.peer;
}

static void add_rules(const char *path)
{
    static char all[1 << 20];
    size_t len, line, had = strlen(all);
    char *text = read_file(path, &len);

    line = mote_differ_check_rules(text);
    if (line > 0) {
        fprintf(stderr,
                "%s:%zu: six columns are wanted, KIND | OURS | THEIRS | CAUSE | SECTION | REASON\n",
                path, line);
        exit(2);
    }
    snprintf(all + had, sizeof all - had, "%s\n", text);
    free(text);
    j.differ.rules = all;
}

static void read_rules(void)
{
    if (j.rules_count == 0)
        add_rules("fuzz/differ.rules");
    for (size_t i = 0; i < j.rules_count; i++) {
        if (*j.rules_path[i])
            add_rules(j.rules_path[i]);
    }
}

static int write_seeds(void)
{
    char path[1024];

    for (size_t i = 0; i < j.seed_count; i++) {
        snprintf(path, sizeof path, "%s/%03zu", j.write_seeds, i);
        write_file(path, j.seeds[i].bytes, j.seeds[i].len);
    }
    return 0;
}

int main(int argc, char **argv)
{
    int at = 1;

    j.runs = 1000;
    j.random = 1;
    j.address.quiet_ms = 50;
    for (; at < argc && read_option(argv[at]); at++)
        continue;
    if (at == argc || argv[at][0] == '-')
        stop("usage: mote-differ [OPTIONS] HOST:PORT|nghttp2 [SEEDS...]; see fuzz/mote_differ.c",
             "");
    j.differ.ours = j.grpc ? &mote_differ_grpc : &mote_differ_h2;
    choose_peer(argv[at++]);
    read_rules();
    if (at == argc)
        add_file(j.grpc ? "fuzz/seeds/grpc.txt" : "fuzz/seeds/http2.txt");
    for (; at < argc; at++)
        add_file(argv[at]);
    if (j.seed_count == 0)
        stop("there is no conversation in the seeds", "");
    if (j.write_seeds)
        return write_seeds();
    for (size_t i = 0; i < j.seed_count; i++)
        run(j.seeds[i].name, j.seeds[i].bytes, j.seeds[i].len);
    run_mutants();
    printf("\n%zu seeds, %lu mutants: %zu kinds of differences, and %zu that the list has\n",
           j.seed_count, j.runs, j.printed, j.listed);
    return j.printed > 0;
}
