/* A connection of a worker: where it stands, its memory, and how it meets the loop. */
#ifndef MOTE_POSIX_SLOT_INTERNAL_H
#define MOTE_POSIX_SLOT_INTERNAL_H

#include "posix_internal.h"

/*
 * A slot of a connection.
 *
 *   FREE -- accepted --> NEW -- a request has come --> KNOWN -- no call is under way --> RESTING
 *                         |                              ^                                |
 *                         |                              +--- looked at, and is busy, ----+
 *                         |                                   or told to go
 *                         +-- slots run short --> LEAVING           (from each: closed --> FREE)
 *
 * The NEW ones stand in the order in which they came, and the oldest gives way first: whoever
 * connects and asks for nothing keeps nobody out. The RESTING ones stand in the order of their last
 * output. Both move on while they stand there: a place is put right when it is the first.
 */
enum mote_posix_slot_state { SLOT_FREE, SLOT_NEW, SLOT_KNOWN, SLOT_RESTING, SLOT_LEAVING };

/* One connection: the struct, and its memory while it is at work, which takes a second longer than
 * what it does. */
typedef struct {
    mote_posix_conn conn;
    enum mote_posix_slot_state state;
    uint32_t kept_size;
    void *loan; /* its memory; NULL: it rests, and there is */
    void *kept;
    uint64_t input_ms;      /* the last one */
    mote_posix_timer place; /* NEW, RESTING: among their like; FREE: `next` is the next free one */
    mote_grpc grpc;
    mote_grpc_life life;
} mote_posix_slot;

extern const mote_posix_engine mote_posix_slot_engine; /* self is its mote_grpc */

static inline mote_posix_slot *mote_posix_slot_at(mote_posix_timer *place)
{
    return (mote_posix_slot *)((uint8_t *)place - offsetof(mote_posix_slot, place));
}

/* The place of a slot in the order of its new state, which may be the old one, is by `at`. */
void mote_posix_slot_become(mote_posix_worker *owner, mote_posix_slot *s,
                            enum mote_posix_slot_state state, uint64_t at);

/* Memory that is lent (grpc/rest.h): to be called before its engine does anything. */
void mote_posix_slot_work(mote_posix_slot *s);
/* The connection has ended. */
void mote_posix_slot_give_back(mote_posix_slot *s);

#endif
