#define _GNU_SOURCE
#include "collector_about.h"

#include "../common/metrics.h"

/* ---- health and reflection ----------------------------------------------------------------- */

static mote_health_entry entries[] = {{"", MOTE_HEALTH_SERVING},
                                      {"mote.telemetry.Telemetry", MOTE_HEALTH_SERVING}};
static const mote_health health = {entries, 2};
const mote_grpc_method collector_health_methods[] = MOTE_HEALTH_METHODS(&health);

static const mote_pb_file *const files[] = {&telemetry_file, &mote_health_file,
                                            &mote_reflection_file, &mote_reflection_v1alpha_file};
static const mote_reflection reflection = {collector_services, COLLECTOR_SERVICES, files, 4};
const mote_grpc_method collector_reflection_methods[] = MOTE_REFLECTION_METHODS(&reflection);

void collector_is_well(mote_posix_loop *loop, bool well)
{
    int status = well ? MOTE_HEALTH_SERVING : MOTE_HEALTH_NOT_SERVING;

    if (entries[0].status == status)
        return;
    entries[0].status = entries[1].status = status;
    for (mote_posix_conn *conn = loop->conns; conn; conn = conn->next) {
        if (!conn->grpc) /* of the dashboard */
            continue;
        mote_health_push(conn->grpc);
        mote_posix_flush(conn);
    }
}

/* ---- counters ------------------------------------------------------------------------------ */

mote_grpc_counters collector_counters;

static void add_lines(metrics_page *page, const view_state *t, const mote_posix_loop *loop)
{
    metrics_count(page, "mote_collector_received_total", t->fresh);
    metrics_count(page, "mote_collector_stored_total", t->fresh_stored);
    metrics_count(page, "mote_collector_acknowledged_total", t->fresh_told);
    metrics_count(page, "mote_collector_duplicates_total", t->duplicates);
    metrics_count(page, "mote_collector_missing_total", t->missing);
    metrics_count(page, "mote_collector_commits_total", store_commits());
    metrics_count(page, "mote_collector_slow_handlers_total", loop->slow);
    metrics_gauge(page, "mote_collector_well", entries[0].status == MOTE_HEALTH_SERVING);
    metrics_gauge(page, "mote_collector_incarnations", sources_count());
    metrics_gauge(page, "mote_collector_connections", loop->conn_count);
    metrics_calls(page, &collector_counters);
}

bool collector_metrics_at(const char *address)
{
    return metrics_listen(address);
}

void collector_metrics(const view_state *v, mote_posix_loop *loop)
{
    metrics_page page = {.len = 0};

    if (!metrics_are_due(loop->now_ms))
        return;
    view_state t = view_totals(v);
    add_lines(&page, &t, loop);
    metrics_answer_all(loop->now_ms, &page);
}
