/*
 * A device: streams readings of this machine to a collector, and takes commands from it.
 *
 * Control (bidirectional) says who we are, and brings acknowledgements and commands. Upload (client
 * streaming) carries the samples. What is not acknowledged stays in a fixed ring; when the
 * connection breaks, the device connects again with growing, random delays and sends it again.
 */
#define _GNU_SOURCE
#include "../../port/posix/posix.h"
#include "../../grpc/life.h"
#include "../common/metrics.h"
#include "../common/secure.h"
#include "names.h"
#include "readings.h"
#include "sensor_core.h"
#include "spool_file.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum {
    RING = 4096 * 48, /* bytes: about as many samples */
    DRAIN_MS = 10000
};

static mote_posix_loop loop;
static mote_posix_conn conn;
static mote_posix_client client;
static const mote_posix_security *security; /* NULL: plaintext */
static void *security_memory;
MOTE_GRPC_STORAGE(sensor, max_calls = SENSOR_CALLS, slots = 10, rx_size = 256, tx_size = 1024,
                  table_size = 0, field_size = 256, user_size = 0);
static uint8_t ring[RING];
static sensor_core sensor;

static const char *name = "sensor", *address = "127.0.0.1:50050";
/* Of one connection after the other: DOWN -> UP -> LOST -> DOWN, the time of the next attempt being
 * chosen on the last arrow. */
static enum { DOWN, UP, LOST } path;
static mote_backoff backoff = {.first_ms = 100, .most_ms = 2000};
static uint64_t bytes_sent, connections;

static void on_event(void *context, const mote_grpc_event *ev)
{
    (void)context;
    sensor_event(&sensor, ev);
    if (sensor.link == SENSOR_UPLOADS)
        backoff.next_ms = 0; /* the collector works */
    if (sensor.link == SENSOR_BROKEN && path == UP)
        mote_posix_close(&conn);
}

/* ---- connecting ---------------------------------------------------------------------------- */

/* The token, as the file says when the connection begins: it may be replaced. */
static const char *token_file;
static char token[160];

static size_t give_token(void *context, const char **text)
{
    (void)context;
    *text = token;
    return strlen(token);
}

static const mote_grpc_credentials over_tls = MOTE_GRPC_BEARER(give_token);
static const mote_grpc_credentials for_all = {mote_grpc_put_bearer, give_token, true};
static int in_the_clear;

static bool read_token(void)
{
    FILE *f = fopen(token_file, "re");
    bool ok = f && fgets(token, sizeof token, f);

    if (f)
        fclose(f);
    token[strcspn(token, " \t\r\n")] = '\0';
    if (!ok)
        print_line(stderr, "sensor: --token=%s cannot be read", token_file);
    return ok;
}

static mote_posix_dial dialer; /* beside the readings, which wait for nothing */

static void on_closed(mote_posix_conn *c)
{
    bytes_sent += c->bytes_out;
    path = LOST;
    if (!security)
        return;
    if (sensor.life == SENSOR_SAMPLING && *mote_posix_tls_error(c->self))
        print_line(stderr, "TLS: %s", mote_posix_tls_error(c->self));
    security->unwrap(c->self);
}

/* On a new connection. A path that is dead is noticed by what nobody acknowledges. */
static bool begin(int fd)
{
    static mote_grpc_config config; /* stays with the connection */
    const mote_posix_engine *engine = &mote_posix_grpc_client;
    void *self = &client;

    setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &(unsigned){SENSOR_SILENCE_MS}, sizeof(unsigned));
    secure_refresh(mote_posix_now_ms());
    if (token_file && !read_token())
        return close(fd), false;
    config = (mote_grpc_config){MOTE_GRPC_SIZES(sensor), .authority = mote_grpc_authority(address),
                                .tls = security != NULL,
                                .credentials = !token_file    ? NULL
                                               : in_the_clear ? &for_all
                                                              : &over_tls};
    mote_grpc_init(&client.grpc, &config, sensor_memory, sizeof sensor_memory);
    client.on_event = on_event;
    conn.closed = on_closed;
    sensor_begin(&sensor, mote_posix_now_ms());
    if (security && security->wrap(security->context, security_memory, &engine, &self) < 0)
        return close(fd), false;
    if (mote_posix_loop_add(&loop, &conn, fd, engine, self) < 0) {
        if (security)
            security->unwrap(self);
        return close(fd), false;
    }
    path = UP;
    connections++;
    return true;
}

static uint64_t random_number(void)
{
    uint64_t number = 0;

    return getrandom(&number, sizeof number, 0) == (ssize_t)sizeof number ? number : 0;
}

static uint64_t next_attempt(uint64_t now)
{
    return now + mote_backoff_next(&backoff, mote_posix_random());
}

static void keep_connected(uint64_t now)
{
    static uint64_t connect_at;

    if (path == LOST) {
        connect_at = next_attempt(now);
        path = DOWN;
    }
    int fd;
    enum mote_posix_dial_state state = mote_posix_dial_look(&dialer, &fd);
    if (state == MOTE_POSIX_DIAL_IDLE && path == DOWN && now >= connect_at)
        mote_posix_dial_begin(&dialer, &loop, address, SENSOR_CONNECT_MS);
    if (state == MOTE_POSIX_DIAL_DONE && (fd < 0 || !begin(fd)))
        connect_at = next_attempt(now);
}

/* ---- sampling ------------------------------------------------------------------------------ */

/* The ledger: all that was due is acknowledged, unacknowledged, dropped, or missed. */
static struct {
    uint64_t carried; /* by the spool, from an earlier start */
    uint64_t before;  /* acknowledged or dropped in an earlier start */
    uint64_t dropped_before;
    uint64_t due, late, unreadable, no_room;
} ledger;

static int64_t wall_ms(void)
{
    struct timespec t;

    timespec_get(&t, TIME_UTC);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void take_sample(void)
{
    double values[READINGS];
    unsigned taken = take_readings(values);
    int64_t now = wall_ms();

    for (unsigned i = 0; i < READINGS; i++) {
        uint64_t number = mote_outbox_sequence(&sensor.samples);
        if (!(taken >> i & 1))
            ledger.unreadable++;
        else if (!sensor_put(&sensor, reading_names[i], values[i], now) &&
                 number == mote_outbox_sequence(&sensor.samples))
            ledger.no_room++; /* otherwise it is among the dropped ones: the spool has failed */
    }
    ledger.due += READINGS;
}

/* Readings are due on a grid; the next one is returned. What this process was too late for is
 * missed, and not made up for. */
static uint64_t sample(uint64_t due_at, uint64_t now)
{
    uint64_t late = (now - due_at) / sensor.interval_ms;

    ledger.due += late * READINGS;
    ledger.late += late * READINGS;
    take_sample();
    return due_at + (late + 1) * sensor.interval_ms;
}

/* What print_ledger() prints. */
typedef struct {
    uint64_t due, acknowledged, left, dropped, missed, sent;
} sums;

static sums sum_up(void)
{
    const mote_outbox *o = &sensor.samples;
    uint64_t all = mote_outbox_sequence(o) - 1 - ledger.before, left = mote_outbox_count(o);
    uint64_t dropped = o->dropped - ledger.dropped_before;

    return (sums){.due = ledger.due + ledger.carried,
                  .acknowledged = all - left - dropped,
                  .left = left,
                  .dropped = dropped,
                  .missed = ledger.due - (all - ledger.carried),
                  .sent = mote_outbox_sequence(o) - 1 - o->dropped};
}

static void answer_metrics(uint64_t now)
{
    metrics_page page = {.len = 0};

    if (!metrics_are_due(now))
        return;
    sums s = sum_up();
    metrics_count(&page, "mote_sensor_due_total", s.due);
    metrics_count(&page, "mote_sensor_acknowledged_total", s.acknowledged);
    metrics_gauge(&page, "mote_sensor_unacknowledged", s.left);
    metrics_count(&page, "mote_sensor_dropped_total", s.dropped);
    metrics_count(&page, "mote_sensor_missed_total", s.missed);
    metrics_count(&page, "mote_sensor_late_total", ledger.late);
    metrics_count(&page, "mote_sensor_unreadable_total", ledger.unreadable);
    metrics_count(&page, "mote_sensor_no_room_total", ledger.no_room);
    metrics_count(&page, "mote_sensor_connections_total", connections);
    metrics_count(&page, "mote_sensor_wrong_acknowledgements_total", sensor.samples.wrong);
    metrics_answer_all(now, &page);
}

static void run(uint64_t stop_at)
{
    uint64_t sample_at = mote_posix_now_ms(), drain_until = 0;

    while (sensor.life != SENSOR_DONE) {
        uint64_t now = mote_posix_now_ms();
        if (sensor.life == SENSOR_SAMPLING && (mote_posix_stopped || now >= stop_at)) {
            sensor.life = SENSOR_FINISHING;
            drain_until = now + DRAIN_MS;
        }
        bool sampling = sensor.life == SENSOR_SAMPLING;
        if (!sampling && now >= drain_until)
            return;
        uint32_t interval = sensor.interval_ms;
        if (sampling && now >= sample_at)
            sample_at = sample(sample_at, now);
        keep_connected(now);
        if (path == UP) {
            sensor_work(&sensor, &client.grpc, now);
            mote_posix_flush(&conn);
            if (sensor_is_stuck(&sensor, now))
                mote_posix_close(&conn);
        }
        uint64_t wait = sampling && sample_at > now ? sample_at - now : 10;
        mote_posix_loop_turn(&loop, (uint32_t)(wait < 20 ? wait : 20));
        answer_metrics(now);
        if (interval != sensor.interval_ms) /* by a command: a new grid */
            sample_at = mote_posix_now_ms() + sensor.interval_ms;
    }
}

static void print_ledger(void)
{
    sums s = sum_up();
    uint64_t all = s.acknowledged + s.left + s.dropped;

    if (ledger.carried > 0)
        printf("sensor %s: carried over %llu\n", name, (unsigned long long)ledger.carried);
    printf("sensor %s: due %llu = acknowledged %llu + unacknowledged %llu + dropped %llu + missed "
           "%llu (late %llu, unreadable %llu, no room %llu)\n",
           name, (unsigned long long)s.due, (unsigned long long)s.acknowledged,
           (unsigned long long)s.left, (unsigned long long)s.dropped, (unsigned long long)s.missed,
           (unsigned long long)ledger.late, (unsigned long long)ledger.unreadable,
           (unsigned long long)ledger.no_room);
    printf("sensor %s: sent %llu, connections %llu, wrong acknowledgements %u, %.1f bytes/sample "
           "sent, %zu bytes of RAM for the connection\n",
           name, (unsigned long long)s.sent, (unsigned long long)connections,
           (unsigned)sensor.samples.wrong, all ? (double)bytes_sent / (double)all : 0,
           sizeof client + sizeof sensor_memory);
}

/* A number of an option; ends the program when it is not in its range. */
static uint32_t number(const char *of, const char *text, uint32_t least, uint32_t most)
{
    char *end;
    unsigned long n = strtoul(text, &end, 10);

    if (*text >= '0' && *text <= '9' && *end == '\0' && n >= least && n <= most)
        return (uint32_t)n;
    fprintf(stderr, "sensor: error: %s is not %u to %u\n", of, (unsigned)least, (unsigned)most);
    exit(2);
}

static char tags[TAGS_LENGTH + 1];

static void add_tag(const char *text)
{
    size_t used = strlen(tags);

    int n = snprintf(tags + used, sizeof tags - used, "%s%s", used > 0 ? "," : "", text);
    if (strchr(text, ',') || n >= (int)(sizeof tags - used) ||
        !tags_are_valid(tags, strlen(tags))) {
        fprintf(
            stderr,
            "sensor: error: --tag=%s is not key=value, is there already, or is more than %d tags "
            "or %d bytes of them\n",
            text, TAGS, TAGS_LENGTH);
        exit(2);
    }
}

/* The ring: in memory, or in the file that --spool names. False: that failed; see errno. */
static bool begin_ring(const char *spool, int policy)
{
    const mote_outbox_storage *storage;
    uint64_t epoch = random_number();

    if (epoch == 0)
        return false;
    if (!spool) {
        sensor_init(&sensor, name, ring, RING, policy, epoch);
        return true;
    }
    if (!(storage = spool_file(spool)) || sensor_mount(&sensor, name, storage, policy, epoch) < 0)
        return false;
    ledger.carried = mote_outbox_count(&sensor.samples);
    ledger.before = mote_outbox_sequence(&sensor.samples) - 1 - ledger.carried;
    ledger.dropped_before = sensor.samples.dropped;
    return true;
}

int main(int argc, char **argv)
{
    const char *duration = "0", *interval = "100", *policy = "drop", *spool = NULL;
    const char *metrics = NULL;
    const option options[] = {
        OPTION("--collector", &address, "host:port of the collector"),
        OPTION("--name", &name, "name of this device"),
        OPTION("--interval", &interval, "ms between readings (100)"),
        OPTION("--duration", &duration, "seconds to run (0: until stopped)"),
        OPTION_LIST("--tag", add_tag,
                    "key=value, as site=berlin, stored with this device; up to 16"),
        OPTION("--when-full", &policy, "drop (the oldest) or block (take no new ones)"),
        OPTION("--token", &token_file, "file with the token of this device"),
        SWITCH("--token-in-the-clear", &in_the_clear, "send it without TLS, for all to read"),
        OPTION("--metrics", &metrics, "where Prometheus reads the counters"),
        OPTION("--spool", &spool, "file that keeps samples over a restart (4 MiB)"),
        OPTIONS_END};
    double values[READINGS];

    parse_options(argc, argv, "sensor: streams readings of this machine to a collector", options);
    uint32_t interval_ms = number("--interval", interval, 1, SENSOR_INTERVAL_MOST);
    uint32_t seconds = number("--duration", duration, 0, UINT32_MAX);
    if (!name_is_valid(name, strlen(name), DEVICE_NAME) ||
        (strcmp(policy, "drop") != 0 && strcmp(policy, "block") != 0)) {
        fprintf(stderr, "sensor: error: --name or --when-full has no valid value\n");
        return 2;
    }
    if (!begin_ring(spool, policy[0] == 'b' ? MOTE_OUTBOX_REFUSE : MOTE_OUTBOX_DROP_OLDEST)) {
        fprintf(stderr, "sensor: error: %s: %s\n", spool ? spool : "random numbers",
                errno == EWOULDBLOCK ? "another sensor uses it" : strerror(errno));
        return 1;
    }
    if (metrics && !metrics_listen(metrics))
        return 1;
    if (token_file && !tls_options.on && !in_the_clear) {
        fprintf(stderr,
                "sensor: error: --token without --tls: anybody could read it (see --help)\n");
        return 2;
    }
    sensor.interval_ms = interval_ms;
    sensor.tags = tags[0] ? tags : NULL;
    take_readings(values); /* what counts since the last one begins here */
    mote_posix_catch_signals();
    security = secure_client(address);
    security_memory = security ? mote_posix_memory(1, security->size) : NULL;
    if (mote_posix_loop_init(&loop) < 0) {
        fprintf(stderr, "sensor: error: %s\n", mote_posix_error());
        return 1;
    }
    run(seconds ? mote_posix_now_ms() + seconds * UINT64_C(1000) : UINT64_MAX);
    mote_posix_loop_end(&loop);
    print_ledger();
    return fflush(stdout) == 0 && mote_outbox_count(&sensor.samples) == 0 ? 0 : 1;
}
