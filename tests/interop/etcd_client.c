/*
 * A client of etcd (grpc-go): values, and a watch and the life of a lease side by side on one
 * channel.
 *
 *   etcd_client ADDRESS          against an etcd that is empty
 *   etcd_client ADDRESS outlives puts values while etcd is stopped and started again
 */
#include "../../port/posix/posix.h"
#include "../test.h"
#include "etcd.mote.h"

#include <stdlib.h>

enum { CALLS = 4, RX = 2 << 20, TX = 65536, LARGE = 1 << 20, LEASE = 77 };

static mote_channel channel;
static mote_posix_dialer dialer = {.fd = -1};
static uint8_t input[65536], large[RX];
static uint64_t scratch[8192];
static mote_pb_arena arena;
static const mote_grpc_request ten_seconds = {.timeout_ms = 10000};

static mote_pb_arena *fresh(void)
{
    mote_pb_arena_init(&arena, scratch, sizeof scratch);
    return &arena;
}

static void begin(const char *address)
{
    static const char *addresses[1];
    size_t size = MOTE_GRPC_MEMORY(CALLS, (size_t)RX, TX, 4096u, 4096u, 16u, 0u);
    mote_grpc_config config = {.max_calls = CALLS,
                               .rx_size = RX,
                               .tx_size = TX,
                               .dynamic = &mote_hpack_dynamic_table,
                               .coder = &mote_hpack_huffman_coder,
                               .table_size = 4096,
                               .field_size = 4096,
                               .slots = 16,
                               .authority = mote_grpc_authority(address)};

    addresses[0] = address;
    dialer.addresses = addresses;
    dialer.count = 1;
    if (mote_channel_init(&channel, &config, mote_posix_memory(1, size), size, input, sizeof input,
                          mote_posix_dialer_io(&dialer)) < 0)
        abort();
}

static bool check_status(mote_status s, int code, const char *text)
{
    bool same = s.code == code && s.message_len == strlen(text) &&
                memcmp(s.message, text, s.message_len) == 0;

    if (!same)
        printf("%s \"%.*s\", not %s \"%s\"\n", mote_grpc_code_name(s.code), (int)s.message_len,
               s.message, mote_grpc_code_name(code), text);
    return same;
}

#define BYTES(text)                                                                                \
    {                                                                                              \
        (const uint8_t *)(text), sizeof(text) - 1                                                  \
    }

static mote_status put(const char *key, const uint8_t *value, size_t len, int64_t lease)
{
    etcdserverpb_PutRequest q = {
        .key = {(const uint8_t *)key, strlen(key)}, .value = {value, len}, .lease = lease};
    etcdserverpb_PutResponse r;

    return etcdserverpb_KV_Put(&channel, ten_seconds, &q, &r, fresh());
}

static mote_status get(const char *key, etcdserverpb_RangeResponse *r)
{
    etcdserverpb_RangeRequest q = {.key = {(const uint8_t *)key, strlen(key)}};

    return etcdserverpb_KV_Range(&channel, ten_seconds, &q, r, fresh());
}

/* ---- values ---------------------------------------------------------------------------------- */

static void values_come_back(void)
{
    static const size_t sizes[] = {0, 1, 16383, 16384, 65535, 65536, LARGE};
    etcdserverpb_RangeResponse r;

    for (size_t i = 0; i < sizeof large; i++)
        large[i] = (uint8_t)(i * 7 + i / 251);
    CHECK(check_status(get("none", &r), MOTE_GRPC_OK, ""));
    CHECK_INT(r.count, 0);
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        CHECK(check_status(put("value", large, sizes[i], 0), MOTE_GRPC_OK, ""));
        CHECK(check_status(get("value", &r), MOTE_GRPC_OK, ""));
        CHECK(r.count == 1 && r.kvs.count == 1 && r.kvs.items[0].value.len == sizes[i] &&
              r.kvs.items[0].version == (int64_t)i + 1 &&
              (sizes[i] == 0 || memcmp(r.kvs.items[0].value.data, large, sizes[i]) == 0));
    }
}

static void what_etcd_refuses_is_told_in_its_words(void)
{
    etcdserverpb_LeaseRevokeRequest q = {.ID = 4711};
    etcdserverpb_LeaseRevokeResponse r;

    CHECK(check_status(put("", large, 1, 0), MOTE_GRPC_INVALID_ARGUMENT,
                       "etcdserver: key is not provided"));
    CHECK(check_status(put("value", large, 2 * LARGE - 512, 0), MOTE_GRPC_INVALID_ARGUMENT,
                       "etcdserver: request is too large"));
    CHECK(check_status(put("value", large, 1, 4711), MOTE_GRPC_NOT_FOUND,
                       "etcdserver: requested lease not found"));
    CHECK(check_status(etcdserverpb_Lease_LeaseRevoke(&channel, ten_seconds, &q, &r, fresh()),
                       MOTE_GRPC_NOT_FOUND, "etcdserver: requested lease not found"));
    CHECK(check_status(put("value", large, 1, 0), MOTE_GRPC_OK, "")); /* and the next call works */
}

/* ---- two streams side by side ---------------------------------------------------------------- */

static mote_grpc_call *watch, *keep;
static unsigned created, written, deletes, kept;
static int64_t revision;

static void on_watch(const mote_grpc_event *ev)
{
    etcdserverpb_WatchResponse r;

    CHECK_INT(etcdserverpb_Watch_Watch_take(ev, &r, fresh()), 0);
    created += r.created;
    CHECK(!r.canceled);
    for (size_t i = 0; i < r.events.count; i++) {
        const etcdserverpb_Event *e = &r.events.items[i];
        written += e->type == etcdserverpb_Event_EventType_PUT;
        deletes += e->type == etcdserverpb_Event_EventType_DELETE;
        CHECK(e->kv->mod_revision >= revision); /* in order */
        revision = e->kv->mod_revision;
    }
}

/* Takes the events of both until `done`, or five seconds have passed. */
static void take_until(const unsigned *counter, unsigned wanted)
{
    uint64_t end = mote_posix_now_ms() + 5000;
    etcdserverpb_LeaseKeepAliveResponse r;
    mote_grpc_event ev;

    while (*counter < wanted && mote_posix_now_ms() < end) {
        if (mote_channel_next(&channel, &ev, 1000) <= 0 || ev.type == MOTE_GRPC_START)
            continue;
        CHECK_INT(ev.type, MOTE_GRPC_MESSAGE);
        if (ev.type != MOTE_GRPC_MESSAGE)
            return;
        if (ev.call == watch) {
            on_watch(&ev);
        } else {
            CHECK_INT(etcdserverpb_Lease_LeaseKeepAlive_take(&ev, &r, fresh()), 0);
            CHECK(r.ID == LEASE && r.TTL == 60);
            kept++;
        }
    }
    CHECK_INT(*counter, wanted);
}

static void begin_streams(void)
{
    etcdserverpb_WatchCreateRequest of = {.key = BYTES("w"), .range_end = BYTES("x")};
    etcdserverpb_WatchRequest q = {.create_request = &of};
    etcdserverpb_LeaseGrantRequest grant = {.TTL = 60, .ID = LEASE};
    etcdserverpb_LeaseGrantResponse granted;

    created = written = deletes = kept = 0;
    CHECK(check_status(
        etcdserverpb_Lease_LeaseGrant(&channel, ten_seconds, &grant, &granted, fresh()),
        MOTE_GRPC_OK, ""));
    CHECK(granted.ID == LEASE && granted.TTL == 60);
    CHECK_INT(etcdserverpb_Watch_Watch_start(&channel, (mote_grpc_request){0}, &watch), 0);
    CHECK_INT(etcdserverpb_Lease_LeaseKeepAlive_start(&channel, (mote_grpc_request){0}, &keep), 0);
    CHECK_INT(etcdserverpb_Watch_Watch_send(watch, &q), 0);
    take_until(&created, 1);
}

static void a_watch_and_a_lease_go_on_side_by_side(void)
{
    etcdserverpb_LeaseKeepAliveRequest alive = {.ID = LEASE};
    etcdserverpb_LeaseRevokeRequest revoke = {.ID = LEASE};
    etcdserverpb_LeaseRevokeResponse revoked;

    begin_streams();
    for (unsigned i = 1; i <= 50; i++) { /* and unary calls between them */
        char key[16];
        snprintf(key, sizeof key, "w%u", i);
        CHECK(check_status(put(key, large, i * 100, LEASE), MOTE_GRPC_OK, ""));
        CHECK_INT(etcdserverpb_Lease_LeaseKeepAlive_send(keep, &alive), 0);
        if (i % 10 == 0) {
            take_until(&written, i);
            take_until(&kept, i);
        }
    }
    CHECK(check_status(
        etcdserverpb_Lease_LeaseRevoke(&channel, ten_seconds, &revoke, &revoked, fresh()),
        MOTE_GRPC_OK, "")); /* all that hang on it are gone */
    take_until(&deletes, 50);
    CHECK_INT(mote_channel_half_close(keep), 0);
    CHECK(check_status(mote_channel_finish(keep), MOTE_GRPC_OK, ""));
    mote_channel_cancel(watch);
    CHECK(check_status(mote_channel_finish(watch), MOTE_GRPC_CANCELLED, "cancelled"));
}

/* ---- etcd is stopped and started again ------------------------------------------------------- */

/* A call that etcd may have seen is told as UNAVAILABLE, and why; all others wait for it. */
static void calls_outlive_a_restart(void)
{
    etcdserverpb_PutRequest q = {.key = BYTES("again"), .value = BYTES("v")};
    etcdserverpb_PutResponse r;
    mote_grpc_request patient = {.timeout_ms = 20000, .wait_for_ready = true};
    unsigned ok = 0, lost = 0;
    uint64_t end = mote_posix_now_ms() + 3000;

    while (mote_posix_now_ms() < end) {
        mote_status s = etcdserverpb_KV_Put(&channel, patient, &q, &r, fresh());
        ok += s.code == MOTE_GRPC_OK;
        lost += s.code == MOTE_GRPC_UNAVAILABLE && s.message_len > 0;
        CHECK(s.code == MOTE_GRPC_OK || (s.code == MOTE_GRPC_UNAVAILABLE && s.message_len > 0));
        mote_channel_poll(&channel, 5);
    }
    CHECK(ok > 20 && lost <= 3);
    CHECK(check_status(etcdserverpb_KV_Put(&channel, patient, &q, &r, fresh()), MOTE_GRPC_OK, ""));
    printf("%u calls, %u of them lost\n", ok + lost, lost);
}

int main(int argc, char **argv)
{
    if (argc < 2)
        return 2;
    begin(argv[1]);
    if (argc > 2) {
        RUN(calls_outlive_a_restart);
    } else {
        RUN(values_come_back);
        RUN(what_etcd_refuses_is_told_in_its_words);
        RUN(a_watch_and_a_lease_go_on_side_by_side);
    }
    mote_channel_close(&channel, 1000);
    return test_summary();
}
