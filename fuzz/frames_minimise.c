/* Lines of the text form are left out, one part after the other: see frames_minimise.h. */
#define _GNU_SOURCE

#include "frames_minimise.h"

#include "frames.h"

#include <stdlib.h>
#include <string.h>

enum { LINES = 1 << 16, CULPRITS = 8 };

typedef struct {
    char *text;
    const char *line[LINES + 1]; /* the end of the text behind the last */
    bool gone[LINES];
    size_t count;
    size_t kept; /* the first lines, preface and SETTINGS, without which there is no other
                    difference */
    size_t culprits[CULPRITS], culprit_count;
    bool (*holds)(void *context, const uint8_t *in, size_t len);
    void *context;
} lines;

static void split(lines *l)
{
    l->count = 0;
    for (const char *at = l->text; *at && l->count < LINES;) {
        const char *end = strchr(at, '\n');
        l->gone[l->count] = false;
        l->line[l->count++] = at;
        at = end ? end + 1 : at + strlen(at);
        l->line[l->count] = at;
    }
}

static bool begins(const lines *l, size_t line, const char *with)
{
    return line < l->count && strncmp(l->line[line], with, strlen(with)) == 0;
}

static bool is_below(const lines *l, size_t i)
{
    return l->line[i][0] == ' ';
}

/* The bytes of the lines that are left; SIZE_MAX: they are none. */
static size_t bytes_of(const lines *l, uint8_t *out)
{
    size_t len = 0, line, n;
    const char *why;
    char *left = malloc(strlen(l->text) + 1);

    if (!left)
        abort();
    for (size_t i = 0; i < l->count; i++) {
        size_t size = (size_t)(l->line[i + 1] - l->line[i]);
        if (!l->gone[i]) {
            memcpy(left + len, l->line[i], size);
            len += size;
        }
    }
    left[len] = '\0';
    n = mote_frames_parse(left, out, MOTE_FRAMES_MAX, &line, &why);
    free(left);
    return n;
}

static bool still_holds(lines *l)
{
    static uint8_t bytes[MOTE_FRAMES_MAX];
    size_t n = bytes_of(l, bytes);

    return n != SIZE_MAX && n > 0 && l->holds(l->context, bytes, n);
}

/* Whether it would hold without this line. */
static bool holds_without(lines *l, size_t line)
{
    l->gone[line] = true;
    bool still = still_holds(l);
    l->gone[line] = false;
    return still;
}

/* The lines below frames on which it depends in the beginning: the last few of them. */
static void find_culprits(lines *l)
{
    l->culprit_count = 0;
    for (size_t i = l->count; i-- > 0 && l->culprit_count < CULPRITS;) {
        if (is_below(l, i) && !holds_without(l, i))
            l->culprits[l->culprit_count++] = i;
    }
}

/* Whether a line is gone with its whole frame. */
static bool frame_is_gone(const lines *l, size_t line)
{
    while (line > 0 && is_below(l, line))
        line--;
    return l->gone[line];
}

/* Whether it holds of what is left for the reason that it had: without a culprit it would not. Else
 * another reason that is found on the way, and more often, would take the place of each rare one. A
 * frame may go with its culprits, as long as there is another. */
static bool holds_as_before(lines *l)
{
    size_t left = 0;

    for (size_t i = 0; i < l->culprit_count; i++) {
        size_t line = l->culprits[i];
        if (l->gone[line] && frame_is_gone(l, line))
            continue;
        if (l->gone[line] || holds_without(l, line))
            return false;
        left++;
    }
    return (left > 0 || l->culprit_count == 0) && still_holds(l);
}

/* Tries without the lines [from, to). */
static bool without(lines *l, size_t from, size_t to)
{
    static bool before[LINES];

    from = from < l->kept ? l->kept : from;
    if (to <= from)
        return false;
    memcpy(before, l->gone, l->count * sizeof before[0]);
    memset(l->gone + from, true, to - from);
    if (memcmp(before, l->gone, l->count * sizeof before[0]) != 0 && holds_as_before(l))
        return true;
    memcpy(l->gone, before, l->count * sizeof before[0]);
    return false;
}

/* The end of the part that begins with this line: a frame with all below, or one line. */
static size_t part_end(const lines *l, size_t i)
{
    bool whole = !is_below(l, i);

    for (i++; whole && i < l->count && is_below(l, i);)
        i++;
    return i;
}

/* From behind: what comes last matters least to what was before. */
static bool leave_out(lines *l, bool frames)
{
    bool any = false;

    for (size_t i = l->count; i-- > 0;) {
        if (!l->gone[i] && is_below(l, i) == !frames)
            any |= without(l, i, part_end(l, i));
    }
    return any;
}

/* The first line from there on that begins a frame. */
static size_t frame_from(const lines *l, size_t i)
{
    while (i < l->count && is_below(l, i))
        i++;
    return i < l->count ? i : l->count;
}

/* Halves of what there is first, then smaller runs of whole frames: for long conversations. */
static void leave_out_runs(lines *l)
{
    for (size_t size = l->count / 2; size > 4; size /= 2) {
        for (size_t from = 1; from < l->count; from += size)
            without(l, frame_from(l, from), frame_from(l, from + size));
    }
}

size_t mote_frames_minimise(uint8_t *in, size_t len, size_t choices,
                            bool (*holds)(void *context, const uint8_t *in, size_t len),
                            void *context)
{
    static lines l;
    size_t size = 0;
    FILE *out = open_memstream(&l.text, &size);

    if (!out)
        abort();
    mote_frames_print(out, in, len, choices);
    fclose(out);
    l.holds = holds;
    l.context = context;
    split(&l);
    l.kept = begins(&l, 0, "preface");
    l.kept += l.kept == 1 && begins(&l, 1, "SETTINGS");
    find_culprits(&l);
    leave_out_runs(&l);
    while (leave_out(&l, true) || leave_out(&l, false))
        continue;
    still_holds(&l);
    size_t n = bytes_of(&l, in);
    free(l.text);
    return n;
}
