/* mote-frames: a conversation of HTTP/2 as text, and back: see frames.h.
 *
 *   mote-frames FILE                  prints the bytes of FILE as text
 *   mote-frames --bytes TEXT >FILE    writes the bytes of a text
 *   mote-frames --minimise FILE COMMAND...
 *                                     leaves out frames, and then what stands in them, while
 * COMMAND, with the name of a file behind it, still fails; prints what is left as text mote-frames
 * --replay FILE HOST:PORT says the bytes of FILE to a server, and prints what it answers as text
 *   mote-frames --record PORT HOST:PORT FOLDER
 *                                     a proxy: what a client of PORT (0: any, which is printed) and
 * the server say becomes FOLDER/client-N and FOLDER/server-N; one connection after the other, until
 * --count=N of them have ended mote-frames --pcap CAPTURE FOLDER the same of a capture (libpcap's
 * format, TCP, without TLS)
 *
 * --choices=N before the rest: N bytes before the conversation belong to a fuzz target. "-" is
 * standard input. Ends with 2 and a text where something is wrong.
 */
#define _GNU_SOURCE

#include "differ.h"
#include "frames.h"
#include "frames_minimise.h"
#include "recorder.h"

#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static size_t choices;
static unsigned long connections = 1;

static int stop(const char *what, const char *which)
{
    fprintf(stderr, "mote-frames: error: %s%s\n", what, which);
    exit(2);
}

static uint8_t *read_all(const char *path, size_t *len)
{
    static uint8_t bytes[16 * MOTE_FRAMES_MAX + 1];
    FILE *f = strcmp(path, "-") == 0 ? stdin : fopen(path, "rb");

    if (!f)
        stop("cannot read ", path);
    *len = fread(bytes, 1, sizeof bytes - 1, f);
    if (ferror(f) || *len == sizeof bytes - 1)
        stop("cannot read all of ", path);
    bytes[*len] = '\0';
    if (f != stdin)
        fclose(f);
    return bytes;
}

static uint8_t *read_conversation(const char *path, size_t *len)
{
    uint8_t *bytes = read_all(path, len);

    if (*len > MOTE_FRAMES_MAX)
        stop("a conversation has at most 1 MiB: ", path);
    return bytes;
}

static int print(char **argument)
{
    size_t len;
    uint8_t *in = read_conversation(argument[0], &len);

    mote_frames_print(stdout, in, len, choices);
    return 0;
}

static int to_bytes(char **argument)
{
    static uint8_t out[MOTE_FRAMES_MAX];
    size_t len, line, n;
    const char *why;

    n = mote_frames_parse((char *)read_all(argument[0], &len), out, sizeof out, &line, &why);
    if (n == SIZE_MAX) {
        fprintf(stderr, "%s:%zu: %s\n", argument[0], line, why);
        return 2;
    }
    return fwrite(out, 1, n, stdout) == n && fflush(stdout) == 0 ? 0 : stop("cannot write", "");
}

/* ---- minimising ---------------------------------------------------------------------------- */

typedef struct {
    char path[32];
    char **command; /* with room for the path behind it */
} trial;

static bool fails(void *context, const uint8_t *in, size_t len)
{
    trial *t = context;
    FILE *f = fopen(t->path, "wb");
    int status;

    if (!f || fwrite(in, 1, len, f) != len || fclose(f) != 0)
        stop("cannot write ", t->path);
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        if (!freopen("/dev/null", "w", stdout) || !freopen("/dev/null", "w", stderr))
            _exit(0);
        execvp(t->command[0], t->command);
        _exit(0);
    }
    if (child < 0 || waitpid(child, &status, 0) < 0)
        stop("cannot start ", t->command[0]);
    return status != 0;
}

static int minimise(char **argument)
{
    static trial t = {.path = "/tmp/mote-frames-XXXXXX"};
    size_t len, words = 0;
    uint8_t *in = read_conversation(argument[0], &len);
    int fd = mkstemp(t.path);

    while (argument[1 + words])
        words++;
    t.command = calloc(words + 2, sizeof *t.command);
    if (fd < 0 || !t.command)
        stop("no file for the trials", "");
    close(fd);
    memcpy(t.command, argument + 1, words * sizeof *t.command);
    t.command[words] = t.path;
    if (!fails(&t, in, len)) {
        unlink(t.path);
        stop("the command does not fail with ", argument[0]);
    }
    len = mote_frames_minimise(in, len, choices, fails, &t);
    unlink(t.path);
    mote_frames_print(stdout, in, len, choices);
    return 0;
}

/* ---- servers ------------------------------------------------------------------------------- */

static mote_differ_address address_of(char *text)
{
    char *colon = strrchr(text, ':');

    if (!colon)
        stop("HOST:PORT is wanted, not ", text);
    *colon = '\0';
    return (mote_differ_address){text, colon + 1, 1000};
}

static int replay(char **argument)
{
    static uint8_t out[MOTE_DIFFER_ANSWER];
    mote_differ_address a = address_of(argument[1]);
    bool closed;
    size_t len, n;
    uint8_t *in = read_conversation(argument[0], &len);

    if (choices > len)
        stop("it is shorter than its choices: ", argument[0]);
    n = mote_differ_socket(&a, in + choices, len - choices, out, sizeof out, &closed, NULL);
    if (n == SIZE_MAX)
        stop("no connection to ", a.host);
    mote_frames_print(stdout, out, n, 0);
    printf("# the server %s\n", closed ? "has closed the connection" : "waits");
    return 0;
}

static int record(char **argument)
{
    mote_differ_address a = address_of(argument[1]);
    const char *why = mote_record_proxy(argument[0], &a, argument[2], connections);

    return why ? stop(why, "") : 0;
}

static int pcap(char **argument)
{
    size_t len;
    uint8_t *in = read_all(argument[0], &len);
    const char *why = mote_record_pcap(in, len, argument[1]);

    return why ? stop(why, "") : 0;
}

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        int arguments;
        int (*run)(char **argument);
    } ways[] = {{"--bytes", 1, to_bytes},
                {"--minimise", 2, minimise},
                {"--replay", 2, replay},
                {"--record", 3, record},
                {"--pcap", 2, pcap}};
    int at = 1;

    for (; at < argc && strchr(argv[at], '='); at++) {
        if (strncmp(argv[at], "--choices=", 10) == 0)
            choices = strtoul(argv[at] + 10, NULL, 10);
        else if (strncmp(argv[at], "--count=", 8) == 0)
            connections = strtoul(argv[at] + 8, NULL, 10);
        else
            stop("unknown option ", argv[at]);
    }
    for (size_t i = 0; i < sizeof ways / sizeof ways[0] && at < argc; i++) {
        if (strcmp(argv[at], ways[i].name) == 0 && argc - at - 1 >= ways[i].arguments)
            return ways[i].run(argv + at + 1);
    }
    if (argc - at != 1 || (argv[at][0] == '-' && argv[at][1]))
        stop("usage: mote-frames FILE, or as the head of fuzz/mote_frames.c says", "");
    return print(argv + at);
}
