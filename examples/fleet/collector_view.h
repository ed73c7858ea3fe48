/* How the collector shows what comes in: a table of the first devices, or lines. */
#ifndef EXAMPLES_COLLECTOR_VIEW_H
#define EXAMPLES_COLLECTOR_VIEW_H

#include "../../port/posix/posix.h"
#include "sources.h"

typedef struct {
    int plain;
    uint64_t shown_ms, shown_fresh, bytes;
    uint64_t fresh, fresh_stored, fresh_told, missing, duplicates; /* of sources that are gone */
} view_state;

/* A sample has come. */
void view_sample(source *s, const mote_telemetry_Sample *sample);

/* Bytes that were received on all connections, before any of them is closed. */
void view_count(view_state *v, mote_posix_loop *loop);

/* What all sources have counted, those that are gone included. */
view_state view_totals(const view_state *v);

/* Draws at most five times a second, or prints lines once a second when `plain`. */
void view_show(view_state *v, mote_posix_loop *loop);

/* All sources are about to be forgotten: their counts are kept. */
void view_forget(view_state *v);

void view_summary(view_state *v, size_t connection_size);

#endif
