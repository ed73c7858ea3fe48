/* What a collector tells of itself: whether it takes samples (grpc.health.v1), what it serves
 * (reflection), and its counters (Prometheus). */
#ifndef EXAMPLES_COLLECTOR_ABOUT_H
#define EXAMPLES_COLLECTOR_ABOUT_H

#include "../../grpc/services/services.h"
#include "collector_view.h"

enum { COLLECTOR_SERVICES = 4 };

/* All of them, the ones below included. */
extern const mote_grpc_service collector_services[COLLECTOR_SERVICES];
extern const mote_grpc_method collector_health_methods[3], collector_reflection_methods[1];

/* Of all connections; `counters` of their config. */
extern mote_grpc_counters collector_counters;

/* Tells who watches its health whether samples are taken now. */
void collector_is_well(mote_posix_loop *loop, bool well);

/* Where those are answered who ask for the counters. False: that failed, which was said. */
bool collector_metrics_at(const char *address);

/* Answers them; to be called in each turn. */
void collector_metrics(const view_state *v, mote_posix_loop *loop);

#endif
