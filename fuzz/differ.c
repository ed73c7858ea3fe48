/* Two servers and one client's bytes: see differ.h. */
#define _GNU_SOURCE

#include "differ.h"

#include "differ_internal.h"
#include "frames.h"
#include "frames_internal.h"
#include "frames_minimise.h"

#include <stdlib.h>
#include <string.h>

enum { HEADER = 9, END = 17 };

const char *mote_differs_name(mote_differs kind)
{
    static const char *const names[MOTE_DIFFERS_KINDS] = {"connection", "stream",   "fields",
                                                          "body",       "settings", "ping"};

    return names[kind];
}

static const char *code_name(uint32_t code)
{
    static char text[16];

    if (code < FRAME_CODES)
        return mote_frames_codes[code];
    snprintf(text, sizeof text, "0x%x", (unsigned)code);
    return text;
}

/* ---- what an answer is in words ---------------------------------------------------------------
 */

/* An error of the connection; closing it, or GOAWAY without an error and then closing it, is one
 * too. */
static bool has_failed(const mote_differ_answer *a)
{
    return !a->legal || a->closed || (a->goaway && a->code != 0);
}

static void say_stream(const mote_differ_stream *s, char text[MOTE_DIFFER_TEXT])
{
    char status[40] = "unanswered";

    if (s && s->status > 0 && s->grpc_status >= 0)
        snprintf(status, sizeof status, "%d grpc-status %d", s->status, s->grpc_status);
    else if (s && s->status > 0)
        snprintf(status, sizeof status, "%d", s->status);
    if (s && s->reset && !(s->ended && s->code == 0))
        snprintf(text, MOTE_DIFFER_TEXT, "%s%sRST_STREAM %s", s->status ? status : "",
                 s->status ? " " : "", code_name(s->code));
    else
        snprintf(text, MOTE_DIFFER_TEXT, "%s%s", status,
                 s && s->status > 0 && !s->ended ? " unfinished" : "");
}

/* A connection that goes on is told by what else was found: a stream that was reset, or refused. */
static void say_connection(const mote_differ_answer *a, char text[MOTE_DIFFER_TEXT])
{
    if (!a->legal)
        snprintf(text, MOTE_DIFFER_TEXT, "illegal");
    else if (a->goaway && a->code != 0)
        snprintf(text, MOTE_DIFFER_TEXT, "GOAWAY %s", code_name(a->code));
    else if (a->closed)
        snprintf(text, MOTE_DIFFER_TEXT, a->goaway ? "GOAWAY NO_ERROR" : "closed");
    else
        snprintf(text, MOTE_DIFFER_TEXT, "goes on");
    for (size_t i = 0; i < a->count && !has_failed(a); i++) {
        const mote_differ_stream *s = &a->streams[i];
        if ((s->reset && s->code != 0) || s->status >= 400) {
            strcpy(text, "goes on, ");
            char what[MOTE_DIFFER_TEXT];
            say_stream(s, what);
            snprintf(text, MOTE_DIFFER_TEXT, "goes on, %.80s", what);
        }
    }
}

/* ---- comparing ------------------------------------------------------------------------------ */

typedef struct {
    const mote_differ *differ;
    mote_difference *found;
    size_t count, room;
    const char *cause;
} report;

static void note(report *r, mote_differs kind, uint32_t stream, const char *ours,
                 const char *theirs)
{
    mote_difference *d = &r->found[r->count];

    if (r->count == r->room || strcmp(ours, theirs) == 0)
        return;
    memset(d, 0, sizeof *d);
    d->kind = kind;
    d->stream = stream;
    snprintf(d->ours, sizeof d->ours, "%s", ours);
    snprintf(d->theirs, sizeof d->theirs, "%s", theirs);
    snprintf(d->cause, sizeof d->cause, "%s", r->cause);
    mote_differ_look_up(r->differ->rules, d);
    r->count++;
}

static void note_counts(report *r, mote_differs kind, unsigned ours, unsigned theirs)
{
    char a[16], b[16];

    snprintf(a, sizeof a, "%u", ours);
    snprintf(b, sizeof b, "%u", theirs);
    note(r, kind, 0, a, b);
}

/* The head of an echo, up to its empty line; 0: this is no echo. */
static size_t head_len(const mote_differ_stream *s)
{
    for (size_t i = 1; i < s->body_len; i++) {
        if (s->body[i] == '\n' && s->body[i - 1] == '\n')
            return i + 1;
    }
    return 0;
}

/* Printable, from shortly before the place where they differ. */
static void say_bytes(const uint8_t *bytes, size_t len, size_t at, char text[MOTE_DIFFER_TEXT])
{
    size_t n = 0;

    if (at >= len)
        n = (size_t)snprintf(text, MOTE_DIFFER_TEXT, "(ends) ");
    for (size_t i = at > 40 ? at - 40 : 0; i < len && i < at + 60 && n < MOTE_DIFFER_TEXT - 5; i++)
        n += (size_t)snprintf(text + n, MOTE_DIFFER_TEXT - n,
                              bytes[i] >= ' ' && bytes[i] < 127 ? "%c" : "\\x%02x", bytes[i]);
    text[n] = '\0';
}

static void compare_bytes(report *r, mote_differs kind, uint32_t id, const uint8_t *a, size_t a_len,
                          const uint8_t *b, size_t b_len)
{
    char ours[MOTE_DIFFER_TEXT], theirs[MOTE_DIFFER_TEXT];
    size_t at = 0;

    while (at < a_len && at < b_len && a[at] == b[at])
        at++;
    if (at == a_len && at == b_len)
        return;
    say_bytes(a, a_len, at, ours);
    say_bytes(b, b_len, at, theirs);
    note(r, kind, id, ours, theirs);
}

static void compare_bodies(report *r, const mote_differ_stream *a, const mote_differ_stream *b)
{
    size_t head = head_len(a), other = head_len(b);

    if (r->differ->no_bodies || !a->ended || !b->ended)
        return;
    if (head == 0 || other == 0)
        head = other = 0;
    compare_bytes(r, MOTE_DIFFERS_FIELDS, a->id, a->body, head, b->body, other);
    compare_bytes(r, MOTE_DIFFERS_BODY, a->id, a->body + head, a->body_len - head, b->body + other,
                  b->body_len - other);
}

static const mote_differ_stream *same_stream(const mote_differ_answer *a, uint32_t id)
{
    for (size_t i = 0; i < a->count; i++) {
        if (a->streams[i].id == id)
            return &a->streams[i];
    }
    return NULL;
}

static void compare_stream(report *r, uint32_t id, const mote_differ_stream *ours,
                           const mote_differ_stream *theirs)
{
    char a[MOTE_DIFFER_TEXT], b[MOTE_DIFFER_TEXT];

    say_stream(ours, a);
    say_stream(theirs, b);
    note(r, MOTE_DIFFERS_STREAM, id, a, b);
    if (ours && theirs && strcmp(a, b) == 0)
        compare_bodies(r, ours, theirs);
}

static void compare_answers(report *r, const mote_differ_answer *ours,
                            const mote_differ_answer *theirs)
{
    char a[MOTE_DIFFER_TEXT], b[MOTE_DIFFER_TEXT];

    if (has_failed(ours) || has_failed(theirs)) { /* what was under way then is up to the pace */
        say_connection(ours, a);
        say_connection(theirs, b);
        note(r, MOTE_DIFFERS_CONNECTION, 0, a, b);
        return;
    }
    for (size_t i = 0; i < ours->count; i++)
        compare_stream(r, ours->streams[i].id, &ours->streams[i],
                       same_stream(theirs, ours->streams[i].id));
    for (size_t i = 0; i < theirs->count; i++) {
        if (!same_stream(ours, theirs->streams[i].id))
            compare_stream(r, theirs->streams[i].id, NULL, &theirs->streams[i]);
    }
    note_counts(r, MOTE_DIFFERS_SETTINGS, ours->settings_acks, theirs->settings_acks);
    note_counts(r, MOTE_DIFFERS_PING, ours->pongs, theirs->pongs);
}

/* ---- playing ------------------------------------------------------------------------------- */

/* Where the last frame begins; *open: it, or its header block, is unfinished. */
static size_t last_frame(const uint8_t *in, size_t len, bool *open)
{
    size_t last = len;
    int whole = 1;

    *open = false;
    for (size_t at = 0; at < len;) {
        last = at;
        at = mote_frames_next(in, len, at, &whole);
    }
    if (!whole)
        *open = true;
    else if (len - last >= HEADER && (in[last + 3] == 1 || in[last + 3] == 9))
        *open = !(in[last + 4] & 4);
    return last;
}

static void say_cause(const uint8_t *in, size_t len, char text[MOTE_DIFFER_TEXT])
{
    char *all = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&all, &size);

    if (!out)
        abort();
    if (len >= 4 && memcmp(in, "PRI ", 4) == 0)
        fprintf(out, "preface");
    else
        mote_frames_print_one(out, in, len);
    fclose(out);
    while (size > 0 && all[size - 1] == ' ')
        all[--size] = '\0';
    snprintf(text, MOTE_DIFFER_TEXT, "%s", all);
    free(all);
}

static bool play(const mote_differ_server *server, const uint8_t *in, size_t len,
                 mote_differ_answer *answer, const mote_differ_answer *expected)
{
    static uint8_t said[MOTE_DIFFER_ANSWER];
    bool closed = false;
    size_t n = server->play(server->context, in, len, said, sizeof said, &closed, expected);

    if (n == SIZE_MAX)
        return false;
    mote_differ_read(answer, said, n, closed);
    return true;
}

size_t mote_differ_compare(const mote_differ *d, const uint8_t *in, size_t len,
                           mote_difference *found, size_t room)
{
    static const uint8_t end[END] = {0,   0,   8,   6,   0,   0,   0,   0,  0,
                                     'm', 'o', 't', 'e', '-', 'e', 'n', 'd'};
    static uint8_t all[MOTE_FRAMES_MAX + END];
    static mote_differ_answer ours, theirs;
    char cause[MOTE_DIFFER_TEXT];
    report r = {d, found, 0, room, cause};
    bool open;

    if (len > MOTE_FRAMES_MAX)
        return SIZE_MAX;
    memcpy(all, in, len);
    size_t last = last_frame(in, len, &open);
    say_cause(in + last, len - last, cause);
    if (!open) {
        memcpy(all + len, end, END);
        len += END;
    }
    if (!play(d->ours, all, len, &ours, NULL) || !play(d->theirs, all, len, &theirs, &ours))
        return SIZE_MAX;
    compare_answers(&r, &ours, &theirs);
    return r.count;
}

/* ---- minimising ---------------------------------------------------------------------------- */

typedef struct {
    const mote_differ *differ;
    mote_difference *wanted;
    unsigned tried;
} search;

static bool is_same(const mote_difference *a, const mote_difference *b)
{
    bool words = a->kind != MOTE_DIFFERS_FIELDS && a->kind != MOTE_DIFFERS_BODY;

    return a->kind == b->kind && a->open == b->open &&
           (!words || (strcmp(a->ours, b->ours) == 0 && strcmp(a->theirs, b->theirs) == 0));
}

static bool still_differs(void *context, const uint8_t *in, size_t len)
{
    search *s = context;
    mote_difference found[8];

    if (s->differ->tries > 0 && s->tried++ >= s->differ->tries)
        return false;
    size_t n = mote_differ_compare(s->differ, in, len, found, 8);

    for (size_t i = 0; n != SIZE_MAX && i < n; i++) {
        if (is_same(&found[i], s->wanted)) {
            *s->wanted = found[i];
            return true;
        }
    }
    return false;
}

size_t mote_differ_minimise(const mote_differ *d, mote_difference *difference, uint8_t *in,
                            size_t len)
{
    search s = {d, difference, 0};

    len = mote_frames_minimise(in, len, 0, still_differs, &s);
    s.tried = 0;
    still_differs(&s, in, len); /* what it is now */
    return len;
}
