/* What the receiver says. Fields are looked for one by one, so that a sensor which decodes nothing
 * else links no decoder. */
#include "otlp_internal.h"

#include <string.h>

enum { LONGEST_MS = 3600000 };

/* The field with this number and wire type, from *at on; *at is behind it then. False: there are no
 * more of them, or what is there is no message. */
static bool field_behind(const uint8_t **at, const uint8_t *end, uint32_t number, uint8_t wire,
                         mote_pb_piece *piece)
{
    mote_pb_splitter s;
    size_t used;

    mote_pb_splitter_init(&s, NULL, 0);
    while (*at < end && mote_pb_split(&s, *at, (size_t)(end - *at), &used, piece) == 1) {
        *at += used;
        if (piece->number == number && piece->wire == wire)
            return wire != MOTE_PB_LEN || piece->len == piece->total;
    }
    return false;
}

/* The bytes of the first one, as what is looked through next; and its number. */
static bool enter_field(const uint8_t **at, const uint8_t **end, uint32_t number)
{
    mote_pb_piece piece;

    if (!field_behind(at, *end, number, MOTE_PB_LEN, &piece))
        return false;
    *at = piece.len > 0 ? piece.data : *end;
    *end = *at + piece.len;
    return true;
}

static uint64_t number_of(const uint8_t *at, const uint8_t *end, uint32_t number)
{
    mote_pb_piece piece;

    return field_behind(&at, end, number, MOTE_PB_VARINT, &piece) ? piece.value : 0;
}

uint64_t mote_otlp_read_response(const uint8_t *response, size_t len, mote_pb_string *text)
{
    const uint8_t *at = response, *end = len > 0 ? response + len : response;
    mote_pb_piece piece;

    *text = (mote_pb_string){NULL, 0};
    if (len == 0 || !enter_field(&at, &end, 1))
        return 0;
    const uint8_t *from = at;
    if (field_behind(&from, end, 2, MOTE_PB_LEN, &piece))
        *text = (mote_pb_string){(const char *)piece.data, piece.len};
    uint64_t rejected = number_of(at, end, 1);
    return rejected <= INT64_MAX ? rejected : 0;
}

static bool is_retry_info(const uint8_t *at, const uint8_t *end)
{
    static const char name[] = "/google.rpc.RetryInfo";
    size_t len = sizeof name - 1;

    return enter_field(&at, &end, 1) && (size_t)(end - at) >= len &&
           memcmp(end - len, name, len) == 0;
}

/* google.protobuf.Duration, of which a negative one is none. */
static uint32_t milliseconds_of(const uint8_t *at, const uint8_t *end)
{
    uint64_t seconds = number_of(at, end, 1), nanos = number_of(at, end, 2);

    if (seconds > INT64_MAX || nanos > INT64_MAX)
        return 0;
    if (seconds >= LONGEST_MS / 1000)
        return LONGEST_MS;
    return (uint32_t)seconds * 1000 +
           (uint32_t)((nanos < 1000000000 ? nanos : 0) + 999999) / 1000000;
}

bool mote_otlp_read_delay(const uint8_t *status, size_t len, uint32_t *delay_ms)
{
    const uint8_t *details = status, *end = status + len;
    mote_pb_piece any;

    while (field_behind(&details, end, 3, MOTE_PB_LEN, &any)) {
        const uint8_t *at = any.len > 0 ? any.data : end, *any_end = at + any.len;
        if (!is_retry_info(at, any_end))
            continue;
        *delay_ms = 0;
        if (enter_field(&at, &any_end, 2) && enter_field(&at, &any_end, 1))
            *delay_ms = milliseconds_of(at, any_end);
        return true;
    }
    return false;
}
