/*
 * The times of a loop's connections: a pairing heap (Fredman, Sedgewick, Sleator, Tarjan, 1986).
 * The earliest is at the top. Adding costs O(1), taking out O(log n), amortized; no memory but the
 * timers themselves.
 */
#include "posix_internal.h"

/* The later of two tops becomes the first child of the other. */
static mote_posix_timer *meld(mote_posix_timer *a, mote_posix_timer *b)
{
    if (!a || !b)
        return a ? a : b;
    mote_posix_timer *top = b->at_ms < a->at_ms ? b : a, *below = top == a ? b : a;
    below->next = top->child;
    if (below->next)
        below->next->previous = below;
    below->previous = top;
    top->child = below;
    return top;
}

/* One heap of a list of siblings: in pairs from the left, then the pairs from the right. */
static mote_posix_timer *meld_all(mote_posix_timer *first)
{
    mote_posix_timer *pairs = NULL, *top = NULL;

    while (first) {
        mote_posix_timer *a = first, *b = a->next;
        first = b ? b->next : NULL;
        a = meld(a, b);
        a->next = pairs;
        pairs = a;
    }
    while (pairs) {
        mote_posix_timer *pair = pairs;
        pairs = pair->next;
        top = meld(pair, top);
    }
    return top;
}

static void make_top(mote_posix_timer **heap, mote_posix_timer *top)
{
    *heap = top;
    if (!top)
        return;
    top->previous = top;
    top->next = NULL;
}

void mote_posix_timer_add(mote_posix_timer **heap, mote_posix_timer *t, uint64_t at_ms)
{
    MOTE_CHECK_THAT(!t->previous && !t->child);
    t->at_ms = at_ms;
    make_top(heap, meld(*heap, t));
}

void mote_posix_timer_remove(mote_posix_timer **heap, mote_posix_timer *t)
{
    mote_posix_timer *below = meld_all(t->child);

    if (t == *heap) {
        make_top(heap, below);
    } else {
        *(t->previous->child == t ? &t->previous->child : &t->previous->next) = t->next;
        if (t->next)
            t->next->previous = t->previous;
        make_top(heap, meld(*heap, below));
    }
    t->child = t->next = t->previous = NULL;
}

/* The next one in a walk over all of them, each before those below it. */
static const mote_posix_timer *after(const mote_posix_timer *t)
{
    if (t->child)
        return t->child;
    while (!t->next && t->previous != t) {
        while (t->previous->child != t)
            t = t->previous;
        t = t->previous;
    }
    return t->next;
}

static bool has_valid_children(const mote_posix_timer *t)
{
    const mote_posix_timer *before = t;

    for (const mote_posix_timer *c = t->child; c; before = c, c = c->next) {
        if (c->previous != before || c->at_ms < t->at_ms)
            return false;
    }
    return true;
}

bool mote_posix_timers_valid(const mote_posix_timer *heap, size_t count)
{
    size_t n = 0;

    if (heap && (heap->previous != heap || heap->next))
        return false;
    for (const mote_posix_timer *t = heap; t; t = after(t), n++) {
        if (n == count || !has_valid_children(t))
            return false;
    }
    return n == count;
}
