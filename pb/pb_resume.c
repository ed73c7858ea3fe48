/* Parts of a message that follow each other: the walk is unpacked for each, and packed again. */
#include "pb_walk.h"

typedef struct {
    mote_pb_walk walk;
    uint64_t memory[MOTE_PB_WALK_SIZE(MOTE_PB_PLACE_DEPTH, 0) / sizeof(uint64_t)];
} place_walk;

static void place_pack(mote_pb_place *p, const mote_pb_walk *w)
{
    p->type = mote_pb_level_at(w, 0)->type;
    p->total = (uint32_t)w->total;
    p->at = (uint32_t)w->at;
    p->skip = (uint32_t)w->skip;
    p->piece = (uint32_t)w->piece;
    p->limit = (uint32_t)w->limit;
    p->length = (uint32_t)w->length;
    p->depth = (uint32_t)w->depth;
    for (size_t i = 0; i <= w->depth; i++) {
        const mote_pb_level *l = mote_pb_level_at(w, i);
        p->element[i] = (uint32_t)l->element;
        p->end[i] = (uint32_t)l->end;
        p->field[i] = l->field;
    }
}

/* The messages that are open are found by walking from the outermost one. */
static void place_unpack(const mote_pb_place *p, mote_pb_walk *w)
{
    const mote_pb_message *type = p->type;

    w->total = p->total;
    w->at = p->at;
    w->skip = p->skip;
    w->piece = p->piece;
    w->limit = p->limit;
    w->length = p->length;
    w->depth = p->depth;
    for (size_t i = 0; i <= w->depth; i++) {
        mote_pb_level *l = mote_pb_level_at(w, i);
        *l = (mote_pb_level){
            .type = type, .element = p->element[i], .end = p->end[i], .field = p->field[i]};
        if (i < w->depth)
            type = mote_pb_sub_of(type, mote_pb_row(l));
    }
}

/* Sizes the message, as the beginning of a walk. */
static int place_begin(const mote_pb_resumed *r, place_walk *w, const mote_pb_large *large,
                       size_t *total)
{
    *total = 0;
    int error = mote_pb_walk_part(r->encoder, large, 0, NULL, 0, total);
    if (error == 0 && *total > 0)
        place_pack(r->place, &w->walk);
    return error;
}

static bool place_follows(const mote_pb_resumed *r, size_t offset, size_t total)
{
    const mote_pb_place *p = r->place;

    return p->type == r->encoder->type && p->total == total && p->at == offset;
}

/* The next part, or nothing yet but the size: 0, or an error when it must be done otherwise. */
static int place_part(const mote_pb_resumed *r, const void *message, size_t offset, uint8_t *out,
                      size_t cap, size_t *total)
{
    place_walk w;
    const mote_pb_large large = {message, &w.walk};
    int error = 0;

    mote_pb_walk_init(&w.walk, w.memory, sizeof w.memory);
    if (*total == 0)
        return place_begin(r, &w, &large, total);
    if (place_follows(r, offset, *total))
        place_unpack(r->place, &w.walk);
    else if (offset == 0)
        error = place_begin(r, &w, &large, &(size_t){0});
    else
        error = MOTE_PB_ERR_CHANGED;
    if (error == 0)
        error = mote_pb_walk_part(r->encoder, &large, offset, out, cap, total);
    if (error == 0)
        place_pack(r->place, &w.walk);
    return error;
}

int mote_pb_resume_part(const void *resumed, const void *message, size_t offset, uint8_t *out,
                        size_t cap, size_t *total)
{
    const mote_pb_resumed *r = resumed;
    size_t said = *total;
    bool begun = r->place && offset > 0 && place_follows(r, offset, said);

    if (r->place && (said > 0) == (cap > 0)) {
        int done = place_part(r, message, offset, out, cap, total);
        if (done == 0 || done == MOTE_PB_ERR_SUPPLY) /* what all of it would come to as well */
            return done;
        r->place->type = NULL;
        *total = said;
    }
    int error = mote_pb_encode_part(r->encoder, message, offset, out, cap, total);
    return error == 0 && begun && *total == said ? MOTE_PB_ERR_CHANGED : error;
}
