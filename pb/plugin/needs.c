/* What messages need of the encoder and the decoder, with all that is inside of them. Each is
 * looked at once, in time that grows with the number of references, and without recursion: a
 * request may have many messages that lead to each other. */
#include "generator.h"

#include <string.h>

/* A message that another one is inside of. */
typedef struct {
    size_t outer, next; /* the next one of the same inner message, plus 1; 0: none */
} reference;

/* Of one direction. */
static struct {
    enum { NOT_MET, MET, FOUND } * states; /* of each type */
    needs *found;
} of[BOTH];

/* Those that are at work, in the order in which they were met. */
static size_t *met, met_count, *references_to; /* the last reference to each, plus 1 */
static reference *references;
static size_t reference_count, reference_room;

static void meet(enum direction d, size_t i)
{
    if (of[d].states[i] != NOT_MET)
        return;
    of[d].states[i] = MET;
    references_to[i] = 0;
    met[met_count++] = i;
}

static void refer(size_t outer, size_t inner)
{
    if (reference_count == reference_room) {
        reference *wider = allocate((reference_room = 2 * reference_room + 64) * sizeof *wider);
        if (reference_count > 0)
            memcpy(wider, references, reference_count * sizeof *wider);
        references = wider;
    }
    references[reference_count] = (reference){outer, references_to[inner]};
    references_to[inner] = ++reference_count;
}

/* Adds what an inner message needs to the needs of an outer one. True: they have grown. */
static bool add(needs *outer, const needs *inner)
{
    needs before = *outer;

    outer->values |= inner->values;
    outer->messages |= inner->messages;
    outer->single |= inner->single;
    outer->text |= inner->text;
    outer->unknown |= inner->unknown;
    outer->strict |= inner->strict;
    outer->supplied |= inner->supplied;
    return memcmp(&before, outer, sizeof before) != 0;
}

/* What a message needs by itself, and a reference for each one inside of it. */
static void look_at(enum direction d, size_t i)
{
    const message_plan *m = plan_of(&types[i]);
    needs *n = &of[d].found[i];

    n->unknown = m->unknown != NULL;
    for (size_t k = 0; k < m->count; k++) {
        const field_plan *f = &m->fields[k];
        bool is_list = f->presence == REPEATED || f->presence == PACKED;
        if (!f->in[d])
            continue;
        n->supplied |= f->is_supplied;
        n->text |= f->pb_type == MOTE_PB_TEXT;
        n->strict |= f->pb_type == MOTE_PB_CLOSED || f->presence == REQUIRED;
        if (!is_message_type(f->pb_type)) {
            n->values |= is_list;
            continue;
        }
        n->messages |= is_list;
        n->single |= !is_list;
        size_t inner = (size_t)(f->sub - types);
        meet(d, inner);
        if (of[d].states[inner] == FOUND)
            add(n, &of[d].found[inner]);
        else
            refer(i, inner);
    }
}

/* Passes on what an inner message needs to the messages around it, until nothing grows any more.
 * The needs of one message can grow seven times at the most. */
static void hand_out(enum direction d)
{
    while (met_count > 0) {
        size_t inner = met[--met_count];
        of[d].states[inner] = FOUND;
        for (size_t r = references_to[inner]; r > 0; r = references[r - 1].next) {
            size_t outer = references[r - 1].outer;
            if (!add(&of[d].found[outer], &of[d].found[inner]) || of[d].states[outer] == MET)
                continue;
            of[d].states[outer] = MET;
            met[met_count++] = outer;
        }
    }
}

needs needs_of(const type *t, enum direction d)
{
    size_t i = (size_t)(t - types);

    if (!of[d].states) {
        of[d].states = allocate(type_count * sizeof *of[d].states);
        of[d].found = allocate(type_count * sizeof *of[d].found);
    }
    if (of[d].states[i] == FOUND)
        return of[d].found[i];
    if (!met) {
        met = allocate(type_count * sizeof *met);
        references_to = allocate(type_count * sizeof *references_to);
    }
    reference_count = 0;
    meet(d, i);
    for (size_t k = 0; k < met_count; k++)
        look_at(d, met[k]);
    hand_out(d);
    return of[d].found[i];
}
