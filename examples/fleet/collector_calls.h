/* The calls of devices that the collector knows, and which device belongs to which. */
#ifndef COLLECTOR_CALLS_H
#define COLLECTOR_CALLS_H

#include "names.h"
#include "sources.h"
#include "tokens.h"
#include "../../grpc/grpc.h"

/* Which call it is; of Control what its device was told: SILENT -> GREETED -> PACED; and of Upload
 * whether its device has ended it: UPLOAD -> UPLOAD_OWED. */
enum call_kind {
    CONTROL_SILENT,  /* it is owed an acknowledgement, the first one or for a heartbeat */
    CONTROL_GREETED, /* that is said, */
    CONTROL_PACED,   /* and the interval */
    UPLOAD,
    UPLOAD_OWED /* the summary, once all that it has brought is stored */
};

/* A call that is known here; zero when it starts. */
typedef struct call_state {
    mote_grpc_call *call; /* NULL: it is not in the list */
    struct call_state *next, *previous;
    source *source;
    char device[DEVICE_NAME + 1], token[TOKEN + 1];
    char *tags; /* what the device says of itself; of malloc() */
    uint64_t epoch;
    uint64_t clock_ms, clock_first; /* what its own clock says, from which number on; 0: none */
    uint64_t received;
    enum call_kind kind;
    uint32_t telling;     /* which command, a part of which may have been sent; 0: none */
    uint32_t interval_ms; /* that the device was told; 0: none */
    uint64_t told;        /* what it says; UPLOAD_OWED: the number that is to be stored first */
    int code;             /* it is to end with this: */
    const char *ending;   /* why; NULL: it is not */
} call_state;

/* All of them. */
extern call_state *calls;

/* What is said before a call begins: the device, its token, what it says of itself. 0, or the
 * status of gRPC that the call ends with. */
int calls_metadata(call_state *state, const mote_grpc_event *ev);

/* Files and words of the command line: the tokens of devices, and by what a device is known beside
 * its token; NULL: nothing. */
extern const char *calls_tokens, *calls_identity;

/* Why the call may not speak for the device, by its token and by its certificate; NULL: it may.
 * Without calls_tokens and calls_identity any call may. */
const char *calls_stranger(const mote_grpc_call *call, const call_state *state, const char *device,
                           size_t len);

/* The device, which is added for the peer where it is missing. */
source *calls_find(const mote_grpc_call *call, const char *device, size_t len, uint64_t epoch);

/* What a device says of itself when its Control call begins is handed to its source. True: its tags
 * or its clock are others, and to be stored. */
bool calls_about(call_state *state, source *s);

void calls_enter(call_state *state, mote_grpc_call *call);
void calls_leave(call_state *state);
/* Ends a call with a status, from its handler: 0, or MOTE_AGAIN. */
int calls_refuse(call_state *state, mote_grpc_call *call, int code, const char *why);
/* From outside of its handler: calls_try_to_end() does it, in this turn or a later one. */
void calls_end(call_state *state, int code, const char *why);
int calls_try_to_end(call_state *state);
/* Tells a device what is stored, and, unless it is 0, how often to take a reading: what it must be
 * told is the difference between what there is and what it knows. What finds no room is sent later.
 */
void calls_tell(call_state *state, uint32_t interval_ms);
/* Answers an upload that its device has ended, once what it has brought is stored, in this turn or
 * a later one. */
void calls_sum_up(call_state *state);
/* A device belongs to one connection at a time, to the last one that says its name and epoch. */
void calls_bind(call_state *state, source *s);

#endif
