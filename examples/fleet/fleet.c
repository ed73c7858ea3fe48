#include "fleet.h"

#include <stdlib.h>

enum { BUCKETS = 4096, SECOND_MS = 1000, NOT_SHOWN = UINT32_MAX };

fleet_device fleet[FLEET_DEVICES];
size_t fleet_count;
uint32_t fleet_connected, fleet_hidden;

static uint32_t buckets[BUCKETS]; /* number of the first device, + 1 */

/* ---- devices by their names ---------------------------------------------------------------- */

/* FNV-1a. Who chooses names that meet makes a chain of what there are at the most. */
static uint32_t *bucket_of(const char *name, size_t len)
{
    uint32_t h = 2166136261u;

    for (size_t i = 0; i < len; i++)
        h = (h ^ (uint8_t)name[i]) * 16777619u;
    return &buckets[(h ^ h >> 16) % BUCKETS];
}

fleet_device *fleet_find(const char *name, size_t len)
{
    for (uint32_t n = *bucket_of(name, len); n > 0; n = fleet[n - 1].next) {
        fleet_device *d = &fleet[n - 1];
        if (strlen(d->name) == len && memcmp(d->name, name, len) == 0)
            return d;
    }
    return NULL;
}

/* Of those that are gone the one that was silent longest gives way. */
static fleet_device *make_place(void)
{
    fleet_device *oldest = NULL;

    if (fleet_count < FLEET_DEVICES)
        return &fleet[fleet_count++];
    for (size_t i = 0; i < FLEET_DEVICES; i++) {
        if (!fleet[i].connected && (!oldest || fleet[i].heard_ms < oldest->heard_ms))
            oldest = &fleet[i];
    }
    if (!oldest)
        return NULL;
    uint32_t *at = bucket_of(oldest->name, strlen(oldest->name));
    while (*at != (uint32_t)(oldest - fleet) + 1)
        at = &fleet[*at - 1].next;
    *at = oldest->next;
    for (size_t i = 0; i < oldest->metric_count; i++)
        free(oldest->metrics[i]);
    return oldest;
}

static fleet_device *add(const char *name, uint64_t now_ms)
{
    fleet_device *d = make_place();

    if (!d)
        return NULL;
    uint32_t *bucket = bucket_of(name, strlen(name));
    *d = (fleet_device){.changed_ms = now_ms, .heard_ms = now_ms, .next = *bucket};
    memcpy(d->name, name, strlen(name) + 1);
    *bucket = (uint32_t)(d - fleet) + 1;
    return d;
}

/* A source remembers its device, which may have given way to another one; who found no place has
 * none until it comes again. */
static fleet_device *device_of(source *s, uint64_t now_ms)
{
    fleet_device *d;

    if (s->number == NOT_SHOWN)
        return NULL;
    if (s->number > 0 && strcmp(fleet[s->number - 1].name, s->device) == 0)
        return &fleet[s->number - 1];
    d = fleet_find(s->device, strlen(s->device));
    if (!d && !(d = add(s->device, now_ms)))
        fleet_hidden++;
    s->number = d ? (uint32_t)(d - fleet) + 1 : (uint32_t)NOT_SHOWN;
    return d;
}

void fleet_begin(uint64_t now_ms)
{
    uint64_t clock_ms = store_now_ms();

    for (source *s = sources_first(); s && fleet_count < FLEET_DEVICES; s = sources_after(s)) {
        fleet_device *d = device_of(s, now_ms);
        uint64_t ago = clock_ms > s->seen_ms ? clock_ms - s->seen_ms : 0;
        d->heard_ms = now_ms > ago ? now_ms - ago : 0; /* of its last incarnation, which is last */
        d->dropped = s->dropped;
    }
}

/* ---- samples ------------------------------------------------------------------------------- */

static fleet_metric *find_metric(fleet_device *d, const mote_pb_string *name)
{
    for (size_t i = 0; i < d->metric_count; i++) {
        fleet_metric *m = d->metrics[i];
        if (strlen(m->name) == name->len && memcmp(m->name, name->data, name->len) == 0)
            return m;
    }
    if (d->metric_count == FLEET_METRICS || name->len > METRIC_NAME)
        return NULL;
    fleet_metric *m = calloc(1, sizeof *m);
    if (!m)
        return NULL;
    memcpy(m->name, name->data, name->len);
    d->metrics[d->metric_count++] = m;
    return m;
}

static void keep_value(fleet_metric *m, double value, uint64_t now_ms)
{
    size_t last = (m->count + FLEET_HISTORY - 1) % FLEET_HISTORY;

    m->last = value;
    if (m->count == 0 || now_ms - m->history[last].at_ms >= SECOND_MS) {
        last = m->count++ % FLEET_HISTORY;
        m->history[last].at_ms = now_ms;
    }
    m->history[last].value = value;
}

void fleet_sample(source *s, const mote_telemetry_Sample *sample, uint64_t missing, uint64_t now_ms)
{
    fleet_device *d = device_of(s, now_ms);
    fleet_metric *m = d ? find_metric(d, &sample->metric) : NULL;

    if (!d)
        return;
    d->samples++;
    d->missing += missing;
    d->heard_ms = d->changed_ms = now_ms;
    if (d->owed_ms == 0) {
        d->owed_ms = now_ms;
        d->owed_number = s->accepted;
        d->owed_epoch = s->epoch;
    }
    if (m)
        keep_value(m, sample->value, now_ms);
}

/* ---- calls --------------------------------------------------------------------------------- */

static void look_at_acknowledged(fleet_device *d, const source *s, uint64_t now_ms)
{
    if (d->owed_ms == 0 || s->epoch != d->owed_epoch || s->told < d->owed_number)
        return;
    d->acknowledge_ms = (uint32_t)(now_ms - d->owed_ms);
    d->owed_ms = 0;
    d->changed_ms = now_ms;
}

static void look_at_call(const call_state *state, uint32_t round, uint64_t now_ms)
{
    source *s = state->source;
    fleet_device *d = s && !state->ending ? device_of(s, now_ms) : NULL;

    if (!d)
        return;
    look_at_acknowledged(d, s, now_ms);
    if (d->dropped != s->dropped || d->waiting != s->accepted - s->stored)
        d->changed_ms = now_ms;
    d->dropped = s->dropped;
    d->waiting = s->accepted - s->stored;
    if (d->round != round)
        fleet_connected++;
    d->round = round;
}

void fleet_look(uint64_t now_ms)
{
    static uint32_t round;

    round = round == UINT32_MAX ? 1 : round + 1;
    fleet_connected = 0;
    for (const call_state *state = calls; state; state = state->next)
        look_at_call(state, round, now_ms);
    for (size_t i = 0; i < fleet_count; i++) {
        bool connected = fleet[i].round == round;
        if (connected == fleet[i].connected)
            continue;
        fleet[i].connected = connected;
        fleet[i].changed_ms = now_ms;
        if (!connected)
            fleet[i].owed_ms = 0;
    }
}

uint32_t fleet_interval(source *s, uint32_t otherwise)
{
    const fleet_device *d =
        s && s->number > 0 && s->number != NOT_SHOWN ? &fleet[s->number - 1] : NULL;

    return d && d->interval_ms > 0 && strcmp(d->name, s->device) == 0 ? d->interval_ms : otherwise;
}
