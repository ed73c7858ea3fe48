/* The collector's own page: where it listens, who may ask, and what it is told (dashboard.proto).
 */
#ifndef EXAMPLES_DASHBOARD_H
#define EXAMPLES_DASHBOARD_H

#include "../../grpc/web/page.h"
#include "collector_view.h"
#include "dashboard.mote.h"
#include "fleet.h"

/* Serves it at "PORT" of loopback, or at an address as of mote_posix_listen(). Commands need the
 * token in a file that nobody else may read; NULL: there are none. -1: that failed, which was said.
 */
int dashboard_at(const char *address, const char *token_file);

/* A further name by which browsers reach it, as "collector.local:8080". */
void dashboard_host(const char *host);

/* Whether there is one: without, nothing is kept for it. */
bool dashboard_is_on(void);

/* "http://127.0.0.1:8080/"; "" without. */
const char *dashboard_address(void);

/* Takes who has come, and tells who watches; to be called in each turn. */
void dashboard_turn(const view_state *v, mote_posix_loop *loop, bool well);

/* ---- of the parts of it -------------------------------------------------------------------- */

enum { DASHBOARD_HOSTS = 16 };

/* dashboard_calls.c: its methods. */
extern const mote_grpc_service dashboard_services[1];
enum { DASHBOARD_CALL = 192 }; /* bytes of user memory of a call */
/* The file of the token that commands need; NULL: there are none. NULL, or why it is not to be used
 * as it is; it may be replaced later. */
const char *dashboard_token(const char *file);
/* Tells each watcher what it is owed; `done` is told of each connection on which something was. */
void dashboard_tell(const mote_dashboard_Totals *totals, uint64_t now_ms,
                    void (*done)(mote_grpc *grpc));
/* Whether one of them is on this connection. */
bool dashboard_is_watched_by(const mote_grpc *grpc);

/* dashboard_files.c, which is made of what lies in dashboard/. */
extern const mote_page_file dashboard_files[];
extern const size_t dashboard_file_count;

#endif
