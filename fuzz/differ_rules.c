/* The list of what RFC 9113 leaves open: lines of text, see differ.h. */
#include "differ_internal.h"

#include <fnmatch.h>
#include <string.h>

enum { COLUMNS = 6 };

typedef struct {
    char text[COLUMNS][MOTE_DIFFER_TEXT];
} rule;

static void trim(char *to, const char *from, size_t len)
{
    while (len > 0 && (*from == ' ' || *from == '\t')) {
        from++;
        len--;
    }
    while (len > 0 && strchr(" \t\r", from[len - 1]))
        len--;
    len = len < MOTE_DIFFER_TEXT - 1 ? len : MOTE_DIFFER_TEXT - 1;
    memcpy(to, from, len);
    to[len] = '\0';
}

/* Columns of a line; 0: it is empty or a comment. */
static size_t read_rule(const char *line, size_t len, rule *r)
{
    size_t column = 0, start = 0;

    trim(r->text[0], line, len);
    if (r->text[0][0] == '\0' || r->text[0][0] == '#')
        return 0;
    for (size_t i = 0; i <= len; i++) {
        if (i < len && line[i] != '|')
            continue;
        if (column < COLUMNS)
            trim(r->text[column], line + start, i - start);
        column++;
        start = i + 1;
    }
    return column;
}

/* FLAG|FLAG would be two columns: in a cause it is FLAG+FLAG. */
static void without_bars(char *to, const char *from)
{
    do
        *to++ = *from == '|' ? '+' : *from;
    while (*from++);
}

static bool applies(const rule *r, const mote_difference *d)
{
    char cause[MOTE_DIFFER_TEXT];

    without_bars(cause, d->cause);
    return fnmatch(r->text[0], mote_differs_name(d->kind), 0) == 0 &&
           fnmatch(r->text[1], d->ours, 0) == 0 && fnmatch(r->text[2], d->theirs, 0) == 0 &&
           fnmatch(r->text[3], cause, 0) == 0;
}

void mote_differ_look_up(const char *rules, mote_difference *d)
{
    rule r = {{{0}}};

    d->open = false;
    for (const char *at = rules; at && *at && !d->open;) {
        size_t len = strcspn(at, "\n");
        if (read_rule(at, len, &r) == COLUMNS && applies(&r, d)) {
            d->open = true;
            memcpy(d->section, r.text[4], sizeof d->section - 1);
            d->section[sizeof d->section - 1] = '\0';
            memcpy(d->reason, r.text[5], sizeof d->reason);
        }
        at += len + (at[len] == '\n');
    }
}

size_t mote_differ_check_rules(const char *rules)
{
    rule r = {{{0}}};
    size_t line = 1;

    for (const char *at = rules; at && *at; line++) {
        size_t len = strcspn(at, "\n"), columns = read_rule(at, len, &r);
        if (columns != 0 && (columns != COLUMNS || r.text[4][0] == '\0'))
            return line;
        at += len + (at[len] == '\n');
    }
    return 0;
}
