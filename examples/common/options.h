/* Command line options of the examples: "--name=value" and "--name value". Those that talk have
 * --trace as well, and TLS (secure.h); OPTIONS_ALONE is defined by one that does not. */
#ifndef EXAMPLES_OPTIONS_H
#define EXAMPLES_OPTIONS_H

#include "../../port/posix/posix.h"
#include "text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
    const char *name;   /* NULL ends the list */
    const char **value; /* NULL: a switch, see `flag` */
    const char *help;
    int *flag;
    void (*take)(const char *value); /* is told each value of one that may come again and again */
} option;

#define OPTION(name, value, help)                                                                  \
    {                                                                                              \
        name, value, help, NULL, NULL                                                              \
    }
#define OPTION_LIST(name, take, help)                                                              \
    {                                                                                              \
        name, NULL, help, NULL, take                                                               \
    }
#define SWITCH(name, flag, help)                                                                   \
    {                                                                                              \
        name, NULL, help, flag, NULL                                                               \
    }
#define OPTIONS_END                                                                                \
    {                                                                                              \
        NULL, NULL, NULL, NULL, NULL                                                               \
    }

/* What a program has beside its own options, each with those before it. */
enum options_common { OPTIONS_HELP, OPTIONS_TRACE, OPTIONS_TLS };
#ifndef OPTIONS_COMMON
#define OPTIONS_COMMON OPTIONS_TLS
#endif

/* TLS, for secure.h. */
static struct {
    int on;
    const char *cert, *key, *ca;
} tls_options;

static const option common_options[] = {
    SWITCH("--tls", &tls_options.on, "talk over TLS"),
    OPTION("--cert", &tls_options.cert, "our certificate, PEM"),
    OPTION("--key", &tls_options.key, "its key, PEM"),
    OPTION("--ca", &tls_options.ca,
           "CA certificates, PEM (servers: clients need a certificate by one of these)"),
    OPTIONS_END};

/* Seconds, from 0.001 to 1,000,000, in ms; 0: the text is no such number. NaN compares with none.
 */
static inline uint32_t seconds_in_ms(const char *text)
{
    char *end;
    double seconds = strtod(text, &end);

    return *end == '\0' && seconds >= 0.001 && seconds <= 1e6 ? (uint32_t)(seconds * 1000) : 0;
}

static void print_options(const option *options)
{
    for (const option *o = options; o->name; o++)
        printf("  %s%-*s %s\n", o->name, (int)(22 - strlen(o->name)), o->flag ? "" : "=VALUE",
               o->help);
}

static void print_help(const char *about, const option *options)
{
    printf("%s\n\n", about);
    print_options(options);
    if (OPTIONS_COMMON >= OPTIONS_TLS)
        print_options(common_options);
    if (OPTIONS_COMMON >= OPTIONS_TRACE)
        printf("  %-22s %s\n", "--trace", "print the frames that pass");
    printf("  %-22s %s\n", "--help", "this text");
    exit(fflush(stdout) == 0 ? 0 : 1);
}

static const option *find_option(const option *options, const char *argument, size_t *len)
{
    for (const option *o = options; o->name; o++) {
        *len = strlen(o->name);
        if (strncmp(argument, o->name, *len) == 0 &&
            (argument[*len] == '\0' || (!o->flag && argument[*len] == '=')))
            return o;
    }
    return NULL;
}

static void give_value(const option *o, const char *value)
{
    if (o->take)
        o->take(value);
    else
        *o->value = value;
}

/* Ends the program on --help and on errors. Returns the index of the first other argument. */
static inline int parse_options(int argc, char **argv, const char *about, const option *options)
{
    int i = 1;

    for (; i < argc && argv[i][0] == '-' && argv[i][1] != '\0'; i++) {
        size_t len;
        if (strcmp(argv[i], "--help") == 0)
            print_help(about, options);
        if (OPTIONS_COMMON >= OPTIONS_TRACE && strcmp(argv[i], "--trace") == 0) {
            mote_posix_trace();
            continue;
        }
        const option *o = find_option(options, argv[i], &len);
        if (!o && OPTIONS_COMMON >= OPTIONS_TLS)
            o = find_option(common_options, argv[i], &len);
        if (!o || (!o->flag && argv[i][len] == '\0' && i + 1 == argc)) {
            fprintf(stderr, "%s: error: %s '%s' (see --help)\n", argv[0],
                    o ? "no value for" : "unknown option", argv[i]);
            exit(2);
        }
        if (o->flag)
            *o->flag = 1;
        else
            give_value(o, argv[i][len] == '=' ? argv[i] + len + 1 : argv[++i]);
    }
    return i;
}

#endif
