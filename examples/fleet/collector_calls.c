#include "collector_calls.h"

call_state *calls;

void calls_enter(call_state *state, mote_grpc_call *call)
{
    state->call = call;
    state->previous = NULL;
    state->next = calls;
    if (calls)
        calls->previous = state;
    calls = state;
}

void calls_leave(call_state *state)
{
    source *s = state->source;

    if (s && s->control == state)
        s->control = NULL;
    if (s && s->upload == state)
        s->upload = NULL;
    state->source = NULL;
    if (s)
        sources_release(s);
    if (!state->call)
        return;
    *(state->previous ? &state->previous->next : &calls) = state->next;
    if (state->next)
        state->next->previous = state->previous;
    state->call = NULL;
}

/* Ends a call with a status, from its handler. */
int calls_refuse(call_state *state, mote_grpc_call *call, int code, const char *why)
{
    int r = mote_grpc_finish(call, code, why);

    if (r == MOTE_AGAIN)
        return r;
    calls_leave(state);
    return 0;
}

/* From outside of its handler: in this turn or a later one. */
void calls_end(call_state *state, int code, const char *why)
{
    state->code = code;
    state->ending = why;
}

int calls_try_to_end(call_state *state)
{
    return calls_refuse(state, state->call, state->code, state->ending);
}

/* A device belongs to one connection at a time, to the last one that says its name and epoch. */
static void take_over(call_state *old, const call_state *now)
{
    if (old && old != now &&
        (old->call->grpc != now->call->grpc || (old->kind == UPLOAD) == (now->kind == UPLOAD)))
        calls_end(old, MOTE_GRPC_ABORTED, "the device is on another connection");
}

void calls_bind(call_state *state, source *s)
{
    take_over(s->control, state);
    take_over(s->upload, state);
    state->source = s;
    if (state->kind == UPLOAD)
        s->upload = state;
    else
        s->control = state;
}
