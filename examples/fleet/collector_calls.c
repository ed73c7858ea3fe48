#define _POSIX_C_SOURCE 200809L
#include "collector_calls.h"

#include "../../port/posix/tls.h"

#include <stdlib.h>

call_state *calls;

/* ---- metadata ------------------------------------------------------------------------------ */

static int take_device(call_state *state, const mote_grpc_event *ev)
{
    if (state->device[0] || !name_is_valid(ev->value, ev->value_len, DEVICE_NAME))
        return MOTE_GRPC_INVALID_ARGUMENT;
    memcpy(state->device, ev->value, ev->value_len);
    return 0;
}

static int take_epoch(call_state *state, const mote_grpc_event *ev)
{
    return !state->epoch && read_epoch(ev->value, ev->value_len, &state->epoch)
               ? 0
               : MOTE_GRPC_INVALID_ARGUMENT;
}

static int take_token(call_state *state, const mote_grpc_event *ev)
{
    return !calls_tokens || token_take(ev->value, ev->value_len, state->token)
               ? 0
               : MOTE_GRPC_UNAUTHENTICATED;
}

static int take_tags(call_state *state, const mote_grpc_event *ev)
{
    if (state->tags || !tags_are_valid(ev->value, ev->value_len))
        return MOTE_GRPC_INVALID_ARGUMENT;
    state->tags = strndup(ev->value, ev->value_len);
    return state->tags ? 0 : MOTE_GRPC_RESOURCE_EXHAUSTED;
}

static int take_clock(call_state *state, const mote_grpc_event *ev)
{
    return !state->clock_first && ev->value_len == 32 && read_number(ev->value, &state->clock_ms) &&
                   state->clock_ms <= INT64_MAX &&
                   read_epoch(ev->value + 16, 16, &state->clock_first)
               ? 0
               : MOTE_GRPC_INVALID_ARGUMENT;
}

int calls_metadata(call_state *state, const mote_grpc_event *ev)
{
    static const struct {
        const char *name;
        int (*take)(call_state *state, const mote_grpc_event *ev);
    } fields[] = {{"device-id", take_device},
                  {"device-epoch", take_epoch},
                  {"authorization", take_token},
                  {"device-tags", take_tags},
                  {"device-clock", take_clock}};

    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++) {
        if (strlen(fields[i].name) == ev->name_len &&
            memcmp(fields[i].name, ev->name, ev->name_len) == 0)
            return fields[i].take(state, ev);
    }
    return 0;
}

const char *calls_tokens, *calls_identity;

const char *calls_stranger(const mote_grpc_call *call, const call_state *state, const char *device,
                           size_t len)
{
    mote_tls_peer peer;

    if (calls_tokens && !token_is_of(state->token, strlen(state->token), device, len))
        return "this is not a token of the device";
    if (!calls_identity)
        return NULL;
    mote_posix_tls_peer(mote_posix_conn_of(call), &peer);
    return mote_tls_peer_is(&peer, device, len) ? NULL : "the certificate is not the device's";
}

source *calls_find(const mote_grpc_call *call, const char *device, size_t len, uint64_t epoch)
{
    char address[128];

    return sources_find(device, len, epoch,
                        mote_posix_peer_address(mote_posix_conn_of(call), address));
}

bool calls_about(call_state *state, source *s)
{
    char *tags = state->tags ? state->tags : strdup("");
    bool same = tags && s->tags && strcmp(tags, s->tags) == 0;

    s->clock_first = s->epoch ? state->clock_first : 0;
    s->clock_ms = (int64_t)store_now_ms() - (int64_t)state->clock_ms;
    s->clock_new = s->clock_first > 0;
    state->tags = NULL;
    if (!tags || same) {
        free(tags);
        return s->clock_new;
    }
    free(s->tags);
    s->tags = tags;
    s->tags_new = true;
    return true;
}

/* ---- which there are ----------------------------------------------------------------------- */

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
    free(state->tags);
    state->tags = NULL;
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

static bool is_upload(const call_state *state)
{
    return state->kind >= UPLOAD;
}

/* A device has one call of a kind, the last one that says its name and epoch. The two may come by
 * different connections: a proxy makes one for each. Only of a device without an epoch nobody knows
 * whether both are of the same life. */
static void take_over(call_state *old, const call_state *now, const source *s)
{
    if (old && old != now &&
        (is_upload(old) == is_upload(now) || (s->epoch == 0 && old->call->grpc != now->call->grpc)))
        calls_end(old, MOTE_GRPC_ABORTED, "the device has called again");
}

void calls_bind(call_state *state, source *s)
{
    take_over(s->control, state, s);
    take_over(s->upload, state, s);
    state->source = s;
    if (is_upload(state))
        s->upload = state;
    else
        s->control = state;
}

/* ---- the end of an upload ------------------------------------------------------------------- */

void calls_sum_up(call_state *state)
{
    mote_telemetry_UploadSummary summary = {.received = state->received};

    if (state->source->stored >= state->told &&
        mote_telemetry_Telemetry_Upload_answer(state->call, &summary) == 0)
        calls_leave(state);
}

/* ---- what a device is told ----------------------------------------------------------------- */

/* A device without an epoch may have begun anew: it is told nothing of its last life until the
 * first sample on this connection has shown which life it is in. */
static uint64_t to_be_told(const call_state *state, const source *s)
{
    const call_state *up = s->upload;

    if (s->epoch != 0 || (up && up->received > 0))
        return s->stored;
    return state->kind == CONTROL_SILENT ? 0 : s->told;
}

/* The next command. By the first answer a device settles its books, so that waits for the commit.
 */
static bool choose(call_state *state, uint32_t interval_ms)
{
    source *s = state->source;
    uint64_t stored = to_be_told(state, s);

    if (state->kind == CONTROL_SILENT && s->accepted != s->stored)
        return false;
    if (state->kind == CONTROL_SILENT || s->told != stored) {
        state->telling = mote_telemetry_Command_acknowledged;
        state->told = stored;
    } else if (interval_ms &&
               (state->kind == CONTROL_GREETED || state->interval_ms != interval_ms)) {
        state->telling = mote_telemetry_Command_interval_ms;
        state->told = interval_ms;
    }
    return state->telling != 0;
}

/* A command of which a part was sent is sent to its end, whatever is stored meanwhile: a number
 * that is made of two is one that nobody has stored. */
static bool say_it(call_state *state)
{
    mote_telemetry_Command command = {.is = {.which = state->telling}};

    if (state->telling == mote_telemetry_Command_acknowledged)
        command.is.is.acknowledged = state->told;
    else
        command.is.is.interval_ms = (uint32_t)state->told;
    return mote_telemetry_Telemetry_Control_write(state->call, &command) == 0;
}

static void was_said(call_state *state)
{
    source *s = state->source;

    if (state->telling == mote_telemetry_Command_interval_ms) {
        state->interval_ms = (uint32_t)state->told;
        if (state->kind == CONTROL_GREETED) /* and no heartbeat has come meanwhile */
            state->kind = CONTROL_PACED;
    } else {
        if (state->kind == CONTROL_SILENT)
            state->kind = CONTROL_GREETED;
        else if (state->told == s->stored)
            count_told(s);
        s->told = state->told;
    }
    state->telling = 0;
}

void calls_tell(call_state *state, uint32_t interval_ms)
{
    while ((state->telling || choose(state, interval_ms)) && say_it(state))
        was_said(state);
}
