/*
 * Requests, and what becomes of them (opentelemetry.io/docs/specs/otlp, OTLP/gRPC).
 *
 *   at rest -- mote_otlp_begin() --> leaves -- mote_otlp_end() --> at rest, until retry_ms
 */
#include "../../hpack/mote_check.h"
#include "otlp_internal.h"

#include <string.h>

enum {
    TIMEOUT_MS = 10000,
    REQUEST_SIZE = 65536,
    LENGTHS = 12 /* three messages around the items, whose lengths take up to 4 bytes more */
};

static const char otlp_details_field[] = "grpc-status-details-bin";

const mote_grpc_source mote_otlp_source = {mote_pb_walk_part, mote_pb_strerror,
                                           &mote_otlp_Request_encoder};

/* ---- the ledger ---------------------------------------------------------------------------- */

static size_t beside(const mote_otlp_exporter *x)
{
    return x->signal->waiting ? x->signal->waiting(x) : 0;
}

mote_otlp_ledger mote_otlp_ledger_of(const mote_otlp_exporter *x)
{
    mote_otlp_ledger l = x->ledger;

    l.waiting = beside(x);
    if (x->outbox) {
        l.waiting += mote_outbox_count(x->outbox);
        l.dropped += x->outbox->dropped - x->dropped_before;
    }
    return l;
}

bool mote_otlp_valid(const mote_otlp_exporter *x)
{
    mote_otlp_ledger l = mote_otlp_ledger_of(x);

    return l.recorded == l.sent + l.waiting + l.replaced + l.dropped + l.rejected + l.failed &&
           (x->leaves ? x->slots + x->records > 0 : x->slots + x->records == 0) &&
           x->record_size >= MOTE_OTLP_RECORD_MIN;
}

/* ---- items --------------------------------------------------------------------------------- */

size_t mote_otlp_item_size(size_t len)
{
    size_t head = 2; /* a key of one byte */

    for (size_t rest = len; rest >= 128; rest >>= 7)
        head++;
    return head + len;
}

int mote_otlp_put(mote_otlp_exporter *x, size_t len, bool *kept)
{
    uint8_t policy = x->outbox->policy;
    uint64_t number = mote_outbox_sequence(x->outbox);
    int r;

    if (x->leaves) /* what leaves must stay */
        x->outbox->policy = MOTE_OUTBOX_REFUSE;
    r = mote_outbox_put(x->outbox, x->record, len);
    x->outbox->policy = policy;
    *kept = mote_outbox_sequence(x->outbox) != number;
    return r;
}

/* The place in the outbox that belongs to an index. */
static int go_to(mote_otlp_exporter *x, size_t index)
{
    int r = 0;

    if (index < x->at_index) {
        x->at = mote_outbox_oldest(x->outbox);
        x->at_index = 0;
    }
    while (r == 0 && x->at_index < index) {
        r = mote_outbox_next(x->outbox, &x->at);
        x->at_index += r == 0;
    }
    return r;
}

/* An item that leaves: a mote_pb_supply. */
static bool give_item(void *user, size_t index, void *element)
{
    mote_otlp_exporter *x = user;
    int r = 0;

    if (index != x->held_index) {
        x->held_index = SIZE_MAX;
        if (index < x->slots)
            r = x->signal->write(x, index, &x->held_len);
        else if ((r = go_to(x, index - x->slots)) == 0)
            r = mote_outbox_read(x->outbox, &x->at, x->record, x->record_size, &x->held_len) - 1;
        if (r < 0 || x->held_len > x->record_size)
            return false;
        x->held_index = index;
    }
    *(mote_pb_bytes *)element = (mote_pb_bytes){x->record, x->held_len};
    return true;
}

/* ---- a request ----------------------------------------------------------------------------- */

static size_t request_size(const mote_otlp_exporter *x)
{
    return x->config->request_size > 0 ? x->config->request_size : REQUEST_SIZE;
}

/* What is around the items. */
static void prepare_body(mote_otlp_exporter *x)
{
    x->resource.attributes.items = x->config->resource;
    x->resource.attributes.count = x->config->resource_count;
    x->of_scope = (mote_otlp_ScopeItems){x->config->scope, {give_item, x, NULL, 0}};
    x->of_resource = (mote_otlp_ResourceItems){&x->resource, {&x->of_scope, 1}};
    x->body.items.items = &x->of_resource;
    x->body.items.count = 1;
}

int mote_otlp_exporter_init(mote_otlp_exporter *x, const mote_otlp_signal *signal,
                            const mote_otlp_config *config, mote_outbox *outbox, void *record,
                            size_t record_size, uint32_t random)
{
    size_t size;
    int r;

    memset(x, 0, sizeof *x);
    x->signal = signal;
    x->config = config;
    x->outbox = outbox;
    x->record = record;
    x->record_size = record_size;
    x->random = random;
    x->held_index = SIZE_MAX;
    x->backoff = (mote_backoff){config->first_ms, config->most_ms, 0};
    x->ledger.recorded = beside(x);
    if (outbox) {
        x->ledger.recorded += mote_outbox_count(outbox);
        x->dropped_before = outbox->dropped;
    }
    prepare_body(x);
    r = mote_otlp_Request_size(&x->body, &size);
    if (r < 0)
        return r;
    if (record_size < MOTE_OTLP_RECORD_MIN ||
        request_size(x) < size + LENGTHS + mote_otlp_item_size(record_size))
        return MOTE_GRPC_ERR_CONFIG;
    return 0;
}

/* One that is in storage since another program had more room for records. */
static void drop_oversized(mote_otlp_exporter *x, uint64_t number)
{
    mote_outbox_release(x->outbox, number);
    x->ledger.dropped++;
}

/* From the outbox what has room, the oldest first. */
static int records_leave(mote_otlp_exporter *x, size_t room)
{
    mote_outbox_place at = mote_outbox_oldest(x->outbox);
    size_t len;
    int r;

    while ((r = mote_outbox_read(x->outbox, &at, NULL, 0, &len)) == 1) {
        size_t size = mote_otlp_item_size(len);
        uint64_t number = at.sequence;
        bool fits = len <= x->record_size;
        if ((!fits && x->records > 0) || (fits && size > room))
            return 0;
        if ((r = mote_outbox_next(x->outbox, &at)) < 0)
            return r;
        if (!fits) {
            drop_oversized(x, number);
            continue;
        }
        room -= size;
        x->last = number;
        x->records++;
    }
    return r;
}

/* What was to leave waits again, or is gone. */
static void otlp_settle(mote_otlp_exporter *x, bool gone)
{
    if (x->slots > 0)
        x->signal->settle(x, gone);
    if (x->records > 0 && gone)
        mote_outbox_release(x->outbox, x->last);
    x->slots = x->records = 0;
    x->leaves = false;
    x->held_index = SIZE_MAX;
}

static void prepare_call(mote_otlp_exporter *x)
{
    const mote_otlp_config *c = x->config;

    x->request = (mote_grpc_request){.path = &x->signal->path,
                                     .timeout_ms = c->timeout_ms > 0 ? c->timeout_ms : TIMEOUT_MS,
                                     .metadata = c->metadata,
                                     .metadata_count = c->metadata_count,
                                     .codec = c->codec};
    mote_pb_walk_init(&x->walk, x->walk_memory, sizeof x->walk_memory);
    x->message = (mote_pb_large){&x->body, &x->walk};
    x->of_scope.items.count = x->slots + x->records;
    x->held_index = SIZE_MAX;
    x->at_index = SIZE_MAX; /* go_to() begins at the oldest */
    x->delayed = false;
    x->rejected = 0;
    x->text = (mote_pb_string){NULL, 0};
    x->leaves = true;
}

int mote_otlp_begin(mote_otlp_exporter *x, uint64_t now_ms)
{
    size_t size, room = request_size(x) - LENGTHS;
    int r = 0;

    MOTE_CHECK_THAT(mote_otlp_valid(x));
    if (x->leaves)
        return MOTE_GRPC_ERR_STATE;
    if (now_ms < x->retry_ms)
        return MOTE_AGAIN;
    x->of_scope.items.count = 0;
    if ((r = mote_otlp_Request_size(&x->body, &size)) < 0)
        return r;
    room -= size;
    x->slots = x->signal->leave ? x->signal->leave(x, &room) : 0;
    if (x->outbox)
        r = records_leave(x, room);
    if (r < 0 || x->slots + x->records == 0) {
        otlp_settle(x, false);
        return r < 0 ? r : MOTE_AGAIN;
    }
    prepare_call(x);
    return 0;
}

uint32_t mote_otlp_wait_ms(const mote_otlp_exporter *x, uint64_t now_ms)
{
    if (x->leaves || beside(x) + (x->outbox ? mote_outbox_count(x->outbox) : 0) == 0)
        return UINT32_MAX;
    if (now_ms >= x->retry_ms)
        return 0;
    return x->retry_ms - now_ms < UINT32_MAX ? (uint32_t)(x->retry_ms - now_ms) : UINT32_MAX - 1;
}

/* ---- its end ------------------------------------------------------------------------------- */

void mote_otlp_metadata(mote_otlp_exporter *x, const mote_grpc_event *ev)
{
    if (!x->leaves || ev->type != MOTE_GRPC_METADATA ||
        ev->name_len != sizeof otlp_details_field - 1 ||
        memcmp(ev->name, otlp_details_field, ev->name_len) != 0)
        return;
    x->held_index = SIZE_MAX;
    int len = mote_grpc_bin_decode(ev->value, ev->value_len, x->record, x->record_size);
    if (len > 0)
        x->delayed = mote_otlp_read_delay(x->record, (size_t)len, &x->delay_ms);
}

/* OTLP: "Retryable" in the table of gRPC status codes. */
static bool may_try_again(int code, bool delayed)
{
    const uint32_t always = 1u << MOTE_GRPC_CANCELLED | 1u << MOTE_GRPC_DEADLINE_EXCEEDED |
                            1u << MOTE_GRPC_ABORTED | 1u << MOTE_GRPC_OUT_OF_RANGE |
                            1u << MOTE_GRPC_UNAVAILABLE | 1u << MOTE_GRPC_DATA_LOSS;

    if (code == MOTE_GRPC_RESOURCE_EXHAUSTED)
        return delayed;
    return code > 0 && code < 32 && (always >> code & 1) != 0;
}

static uint32_t next_random(mote_otlp_exporter *x)
{
    x->random = x->random * 1664525u + 1013904223u;
    return x->random;
}

/* Not before the receiver wants it, and not all of its senders at once. */
static void wait_for_next(mote_otlp_exporter *x, uint64_t now_ms)
{
    uint32_t ms = mote_backoff_next(&x->backoff, next_random(x));

    if (x->delayed && x->delay_ms >= ms)
        ms = x->delay_ms + (uint32_t)((uint64_t)next_random(x) * (x->delay_ms / 5) >> 32);
    x->retry_ms = now_ms + ms;
}

static enum mote_otlp_outcome taken(mote_otlp_exporter *x, const uint8_t *response, size_t len)
{
    uint64_t count = x->slots + x->records;
    uint64_t rejected = mote_otlp_read_response(response, len, &x->text);

    x->rejected = rejected < count ? rejected : count;
    x->ledger.rejected += x->rejected;
    x->ledger.sent += count - x->rejected;
    x->backoff.next_ms = 0;
    otlp_settle(x, true);
    return x->rejected > 0 ? MOTE_OTLP_PARTIAL : MOTE_OTLP_SENT;
}

enum mote_otlp_outcome mote_otlp_end(mote_otlp_exporter *x, int code, const uint8_t *response,
                                     size_t len, uint64_t now_ms)
{
    MOTE_CHECK_THAT(mote_otlp_valid(x));
    if (!x->leaves)
        return MOTE_OTLP_REFUSED;
    if (code == MOTE_GRPC_OK)
        return taken(x, response, len);
    if (may_try_again(code, x->delayed)) {
        otlp_settle(x, false);
        wait_for_next(x, now_ms);
        return MOTE_OTLP_LATER;
    }
    x->ledger.failed += x->slots + x->records;
    otlp_settle(x, true);
    return MOTE_OTLP_REFUSED;
}
