/* Calls that come through a door: what the engine does for them in another way than for gRPC's.
 * Linked with a door alone. */
#include "grpc_internal.h"

#include <string.h>

static const mote_grpc_protocol *its(const mote_grpc_call *call)
{
    return call->grpc->config->door->protocol;
}

/* The same where it packs content; NULL: it does not. */
static const mote_grpc_protocol *packer_of(const mote_grpc_call *call)
{
    return call->facts & FACT_PACKED ? its(call) : NULL;
}

/* ---- requests ------------------------------------------------------------------------------ */

static bool take_door_field(mote_grpc_call *call, const mote_h2_event *h)
{
    enum mote_grpc_door_field what = h->trailers ? MOTE_GRPC_DOOR_OTHER : its(call)->field(call, h);

    if (what >= MOTE_GRPC_DOOR_CALL)
        call->facts |= FACT_GRPC | FACT_DOOR;
    if (what == MOTE_GRPC_DOOR_PACKED)
        call->facts |= FACT_READ | FACT_PACKED;
    if (what == MOTE_GRPC_DOOR_FOREIGN) {
        call->code = MOTE_GRPC_UNIMPLEMENTED;
        call->text =
            mote_grpc_name_it(call, "content-type is not application/grpc+proto: ", h->field.value,
                              h->field.value_len);
    }
    return what != MOTE_GRPC_DOOR_OTHER;
}

int mote_grpc_door_wait(mote_grpc_call *call, int r)
{
    if (r == MOTE_AGAIN)
        mote_grpc_call_wait(call, MOTE_GRPC_FOR_ROOM);
    return r;
}

int mote_grpc_door_answer(mote_grpc_call *call, const char *status)
{
    mote_h2 *h2 = &call->grpc->h2;

    mote_h2_headers_begin(h2, call->stream);
    mote_h2_put_value(h2, &mote_grpc_status_200, status, 3);
    its(call)->put_fields(call, status);
    return mote_grpc_door_wait(call, mote_h2_headers_end(h2, true));
}

void mote_grpc_door_refuse(mote_grpc_call *call)
{
    call->facts |= FACT_DOOR;
    mote_grpc_call_end(call, MOTE_GRPC_UNIMPLEMENTED, NULL, STREAM_STATUS);
}

/* What a request gets that is none of a call; NULL: it is one. */
static const char *status_by_door(const mote_grpc_call *call)
{
    const char *status = its(call)->answer(call);

    if (!status && !(call->facts & FACT_POST))
        status = "405";
    if (!status && !(call->facts & FACT_GRPC))
        status = "415";
    return status;
}

static bool answer_by_door(mote_grpc_call *call)
{
    if (!status_by_door(call))
        return false;
    mote_grpc_door_refuse(call);
    return true;
}

/* ---- sending ------------------------------------------------------------------------------- */

typedef mote_grpc_parcel parcel;

enum { TRAILERS_FLAG = 0x80 };

/* Bytes that `len` of content are when they leave: whole groups, where they are packed. */
static size_t size_on_wire(const mote_grpc_call *call, size_t len)
{
    const mote_grpc_protocol *packer = packer_of(call);

    return packer ? (len + packer->group - 1) / packer->group * packer->packed_group : len;
}

/* Space for content that is still to be packed; otherwise as mote_h2_reserve(). */
static uint8_t *reserve_content(mote_grpc_call *call, size_t min, size_t *room)
{
    const mote_grpc_protocol *packer = packer_of(call);
    uint8_t *p = mote_h2_reserve(&call->grpc->h2, call->stream, size_on_wire(call, min), room);

    if (packer)
        *room = *room / packer->packed_group * packer->group;
    return p;
}

/* Not now, since there is no room for so many bytes on the wire. */
static int wait_for_bytes(mote_grpc_call *call, size_t len)
{
    const mote_h2 *h2 = &call->grpc->h2;
    int32_t least = (int32_t)len;

    if (h2->error < 0)
        return h2->error;
    mote_grpc_call_wait(call, call->stream->send_window < least ? MOTE_GRPC_FOR_WINDOW
                              : h2->send_window < least         ? MOTE_GRPC_FOR_CONNECTION
                                                                : MOTE_GRPC_FOR_ROOM);
    return MOTE_AGAIN;
}

/* A window that holds less than a group holds nothing. */
static int not_now(mote_grpc_call *call)
{
    return wait_for_bytes(call, size_on_wire(call, 1));
}

/* The `len` bytes at p leave. */
static int commit_content(mote_grpc_call *call, uint8_t *p, size_t len, bool last)
{
    const mote_grpc_protocol *packer = packer_of(call);
    int r =
        mote_h2_commit(&call->grpc->h2, call->stream, packer ? packer->pack(p, len) : len, last);

    if (r == 0 && last)
        call->local = MOTE_GRPC_LOCAL_ENDED;
    return r;
}

static size_t prefix_of(const parcel *it)
{
    return it->bare ? 0 : PREFIX_SIZE;
}

/* All of it in one piece; 1: it, of call->tx_total bytes, must go in parts. */
static int send_parcel(mote_grpc_call *call, const parcel *it)
{
    size_t room, total = 0, prefix = prefix_of(it);
    uint8_t *p = reserve_content(call, prefix > 0 ? prefix : 1, &room);
    size_t cap = p ? room - prefix : 0;
    uint32_t limit = call->grpc->config->send_limit;
    int r = it->source->write(it->source->type, it->message, 0, p ? p + prefix : NULL, cap, &total);

    if (r < 0)
        return r;
    if (((limit > 0 && total > limit) || total > LARGEST_MESSAGE) && !it->last)
        return MOTE_GRPC_ERR_LIMIT;
    if (p && total <= cap) {
        mote_grpc_put_prefix(p, prefix, 0, total, it->flag);
        return commit_content(call, p, prefix + total, it->last);
    }
    if (!mote_h2_half_free(&call->grpc->h2))
        return not_now(call);
    call->tx_total = (uint32_t)total;
    return 1;
}

/* As much of it as there is room for; 1: there is more. */
static int send_parcel_part(mote_grpc_call *call, const parcel *it)
{
    size_t prefix = prefix_of(it);
    size_t room, at = call->tx_sent, end = prefix + (size_t)call->tx_total;
    uint8_t *p = reserve_content(call, 1, &room);
    size_t said = call->tx_total;

    if (!p)
        return not_now(call);
    size_t n = prefix > 0 ? mote_grpc_put_prefix(p, room, at, call->tx_total, it->flag) : 0;
    at += n;
    if (n < room && at < end) {
        size_t cap = end - at < room - n ? end - at : room - n;
        int r = it->source->write(it->source->type, it->message, at - prefix, p + n, cap, &said);
        if (r < 0)
            return r;
        if (said != call->tx_total)
            return MOTE_GRPC_ERR_MIXED;
        n += cap;
        at += cap;
    }
    call->tx_sent = at < end ? (uint32_t)at : 0;
    int r = commit_content(call, p, n, it->last && at == end);
    return r < 0 || at == end ? r : 1;
}

int mote_grpc_door_has_room(mote_grpc_call *call, size_t len)
{
    size_t room;

    return reserve_content(call, len, &room) ? 0 : wait_for_bytes(call, size_on_wire(call, len));
}

int mote_grpc_door_send(mote_grpc_call *call, const mote_grpc_parcel *it)
{
    int r = call->tx_sent == 0 ? send_parcel(call, it) : 1;

    while (r == 1)
        r = send_parcel_part(call, it);
    return r;
}

static int send_by_door(mote_grpc_call *call, const mote_grpc_source *source, const void *message,
                        unsigned flags)
{
    const parcel it = {source, message, flags & MOTE_GRPC_COMPRESSED ? 1 : 0, false, false};

    return mote_grpc_door_send(call, &it);
}

/* Content like any other, which needs a window. Behind a part of a message it cannot stand. */
static int end_by_door(mote_grpc_call *call, const mote_grpc_end *end)
{
    const mote_grpc_end owed = {call->text, NULL, call->text_len, 0, call->code};
    const parcel it = {&its(call)->trailers, end ? end : &owed, TRAILERS_FLAG, true, false};
    const char *status = status_by_door(call);
    int r;

    if (status)
        return mote_grpc_door_answer(call, status);
    if (call->tx_sent > 0 && !(call->facts & FACT_TRAILING))
        return MOTE_GRPC_ERR_MIXED;
    if ((call->local == MOTE_GRPC_LOCAL_HEADERS || call->local == MOTE_GRPC_LOCAL_OWED_ALONE) &&
        (r = mote_grpc_begin_response(call, NULL, 0)) < 0)
        return r;
    r = mote_grpc_door_send(call, &it);
    if (call->tx_sent > 0)
        call->facts |= FACT_TRAILING;
    return r;
}

/* ---- packed content ------------------------------------------------------------------------ */

static size_t unpacked(const mote_grpc_call *call)
{
    return call->rx_len - call->rx_pos;
}

/* The largest message that the buffer takes, with its prefix. Of a group that is not complete the
 * peer has not got its credit back, and the window must not close over it. */
static size_t most_of(const mote_grpc_call *call)
{
    return call->grpc->config->rx_size - its(call)->packed_group + 1u;
}

/* Up to `len` bytes come into the buffer; how many have come. */
static size_t unpack(mote_grpc_call *call, size_t len)
{
    mote_grpc_delivery *d = &call->grpc->delivery;
    size_t size = call->grpc->config->rx_size;

    len = len < size - unpacked(call) ? len : size - unpacked(call);
    if (call->rx_len + len > size || unpacked(call) == 0) {
        memmove(call->rx, call->rx + call->rx_pos, unpacked(call));
        call->rx_len -= call->rx_pos;
        call->rx_pos = 0;
    }
    len = its(call)->unpack(call, &d->rest, &d->rest_len, call->rx + call->rx_len, len);
    call->rx_len += (uint32_t)len;
    return len;
}

/* Bytes that would make what is in the buffer a message, or a piece of one. */
static size_t missing(const mote_grpc_call *call)
{
    size_t have = unpacked(call);

    if (call->chunk_left > 0)
        return call->chunk_left < most_of(call) ? call->chunk_left : most_of(call);
    return (have < PREFIX_SIZE
                ? PREFIX_SIZE
                : PREFIX_SIZE + (size_t)mote_grpc_length_in(call->rx + call->rx_pos)) -
           have;
}

/* A message that would fit, but for the group behind it, is one of those that are too large. */
static void look_at_size(mote_grpc_call *call)
{
    const uint8_t *p = call->rx + call->rx_pos;
    size_t size = call->grpc->config->rx_size;

    if (call->chunk_left > 0 || unpacked(call) < PREFIX_SIZE ||
        mote_grpc_length_in(p) > size - PREFIX_SIZE ||
        mote_grpc_length_in(p) + PREFIX_SIZE <= most_of(call))
        return;
    if (call->method->chunks && p[0] == 0)
        call->method->chunks->start(call, mote_grpc_length_in(p), MOTE_GRPC_IN_BUFFER);
    else
        mote_grpc_call_fail(call, MOTE_GRPC_RESOURCE_EXHAUSTED,
                            mote_grpc_count_it(call, "message of ",
                                               (uint64_t)mote_grpc_length_in(p) + PREFIX_SIZE,
                                               " bytes with its prefix is larger than rx_size - ",
                                               its(call)->packed_group - 1u));
}

/* Messages are looked for in the buffer alone, into which no more is unpacked than the next one
 * needs: what is wrong behind it is seen after it was told, however the input was cut. */
static bool next_unpacked(mote_grpc_call *call, mote_grpc_event *ev)
{
    mote_grpc_delivery *d = &call->grpc->delivery;

    for (;;) {
        size_t rest_len = d->rest_len;
        look_at_size(call);
        if (call->remote == MOTE_GRPC_REMOTE_OVER)
            return false;
        d->rest_len = 0;
        bool told = mote_grpc_next_message(call, ev);
        d->rest_len = rest_len;
        if (told || call->remote == MOTE_GRPC_REMOTE_OVER)
            return told;
        if (unpack(call, missing(call)) > 0)
            continue;
        if (its(call)->content(call) == MOTE_GRPC_DOOR_BROKEN)
            mote_grpc_call_fail(call, MOTE_GRPC_INTERNAL, its(call)->broken);
        return false;
    }
}

static void store_unpacked(mote_grpc_call *call)
{
    mote_grpc_delivery *d = &call->grpc->delivery;

    unpack(call, SIZE_MAX);
    if (d->rest_len > 0 || its(call)->content(call) == MOTE_GRPC_DOOR_HELD)
        mote_grpc_call_fail(call, MOTE_GRPC_RESOURCE_EXHAUSTED,
                            mote_grpc_limit_it(call, "content is larger than rx_size ",
                                               call->grpc->config->rx_size));
}

/* ---- for protocols with ways of their own --------------------------------------------------- */

void mote_grpc_door_accept(mote_grpc_call *call)
{
    call->facts |= FACT_POST | FACT_GRPC | FACT_DOOR | FACT_READ;
}

void mote_grpc_door_find(mote_grpc_call *call, const mote_hpack_field_view *path)
{
    call->method = NULL;
    mote_grpc_server_path(call, path,
                          mote_grpc_find_method(call->grpc, path->value, path->value_len));
}

void mote_grpc_door_deadline(mote_grpc_call *call, uint64_t ms)
{
    mote_grpc_set_deadline(call, ms);
}

void mote_grpc_door_fail(mote_grpc_call *call, int code, const char *text)
{
    mote_grpc_call_fail(call, code, text);
}

bool mote_grpc_door_decompress(mote_grpc_call *call, mote_grpc_event *ev)
{
    return MOTE_COMPRESSES && mote_grpc_decompress(call, ev);
}

unsigned mote_grpc_door_codec(const mote_grpc *g, const char *value, size_t len)
{
    unsigned what = mote_grpc_classify_encoding(g, value, len);

    if (what == FIELD_IGNORED)
        return 0;
    return what == FIELD_ENCODING ? MOTE_GRPC_CODECS + 1 : what - FIELD_CODEC + 1;
}

unsigned mote_grpc_door_codecs(const mote_grpc *g, const char *value, size_t len)
{
    return mote_grpc_classify_accept(g, value, len) - FIELD_ACCEPT;
}

bool mote_grpc_door_message(mote_grpc_call *call, mote_grpc_event *ev)
{
    return mote_grpc_next_message(call, ev);
}

void mote_grpc_door_store(mote_grpc_call *call)
{
    mote_grpc_store(call, call->grpc->delivery.rest_len);
}

void mote_grpc_door_give_up(mote_grpc_call *call)
{
    mote_grpc_message_done(call);
}

void mote_grpc_door_told(mote_grpc_call *call)
{
    call->facts |= FACT_MESSAGE;
    if (call->grpc->config->counters)
        call->grpc->config->counters->messages_received++;
}

const mote_grpc_door_ways mote_grpc_door_engine = {.take_field = take_door_field,
                                                   .answer = answer_by_door,
                                                   .send = send_by_door,
                                                   .end = end_by_door,
                                                   .next = next_unpacked,
                                                   .store = store_unpacked};
