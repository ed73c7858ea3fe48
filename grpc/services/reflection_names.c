/* Looks a name up in a descriptor as it is encoded: no recursion, nothing is stored. */
#include "reflection_internal.h"

#include <string.h>

/* ---- fields of an encoded message ---------------------------------------------------------- */

static bool take_varint(mote_pb_bytes *rest, uint64_t *value)
{
    *value = 0;
    for (unsigned shift = 0; rest->len > 0 && shift < 64; shift += 7) {
        uint8_t byte = *rest->data++;
        rest->len--;
        *value |= (uint64_t)(byte & 127) << shift;
        if (byte < 128)
            return true;
    }
    return false;
}

/* The next field: its number, and its bytes if it has a length. false: there is none. */
static bool next(mote_pb_bytes *rest, unsigned *number, mote_pb_bytes *value)
{
    uint64_t key, len;

    *value = (mote_pb_bytes){0};
    if (!take_varint(rest, &key))
        return false;
    *number = (unsigned)(key >> 3);
    if ((key & 7) == 0)
        return take_varint(rest, &len);
    len = (key & 7) == 1 ? 8 : 4;
    if ((key & 7) == 2 && !take_varint(rest, &len))
        return false;
    if (len > rest->len)
        return false;
    if ((key & 7) == 2)
        *value = (mote_pb_bytes){rest->data, (size_t)len};
    rest->data += len;
    rest->len -= (size_t)len;
    return true;
}

/* ---- descriptor.proto ---------------------------------------------------------------------- */

enum { NAME = 1, FILE_PACKAGE = 2, ENUM_VALUE = 2 };

typedef enum { A_FILE, A_MESSAGE, A_SERVICE, AN_ENUM, A_MEMBER } item_kind;

static item_kind kind_of_child(item_kind parent, unsigned number)
{
    static const struct {
        uint8_t parent, number, child;
    } children[] = {
        {A_FILE, 4, A_MESSAGE},   {A_FILE, 5, AN_ENUM},     {A_FILE, 6, A_SERVICE},
        {A_FILE, 7, A_MEMBER},    {A_MESSAGE, 2, A_MEMBER}, {A_MESSAGE, 3, A_MESSAGE},
        {A_MESSAGE, 4, AN_ENUM},  {A_MESSAGE, 6, A_MEMBER}, {A_MESSAGE, 8, A_MEMBER},
        {A_SERVICE, 2, A_MEMBER},
    };

    for (size_t i = 0; i < sizeof children / sizeof children[0]; i++) {
        if (children[i].parent == parent && children[i].number == number)
            return (item_kind)children[i].child;
    }
    return A_FILE; /* it defines nothing */
}

static mote_pb_bytes field_of(mote_pb_bytes message, unsigned wanted)
{
    mote_pb_bytes value;
    unsigned number;

    while (next(&message, &number, &value)) {
        if (number == wanted)
            return value;
    }
    return (mote_pb_bytes){0};
}

static bool is_name_of(mote_pb_bytes message, mote_pb_string name)
{
    mote_pb_bytes own = field_of(message, NAME);

    return own.len == name.len && name.len > 0 && memcmp(own.data, name.data, name.len) == 0;
}

/* The values of an enum have their names beside it, not below it. */
static bool has_value(mote_pb_bytes an_enum, mote_pb_string name)
{
    mote_pb_bytes value;
    unsigned number;

    while (next(&an_enum, &number, &value)) {
        if (number == ENUM_VALUE && is_name_of(value, name))
            return true;
    }
    return false;
}

/* What has this name right inside of *scope takes its place: true when there is such a thing. */
static bool enter_message(mote_pb_bytes *scope, item_kind *is, mote_pb_string name)
{
    mote_pb_bytes rest = *scope, value;
    unsigned number;

    while (next(&rest, &number, &value)) {
        item_kind child = kind_of_child(*is, number);
        if (child == A_FILE)
            continue;
        if (is_name_of(value, name) || (child == AN_ENUM && has_value(value, name))) {
            *scope = value;
            *is = is_name_of(value, name) ? child : A_MEMBER;
            return true;
        }
    }
    return false;
}

bool mote_reflection_describes(const mote_pb_file *file, mote_pb_string name)
{
    mote_pb_bytes scope = {file->bytes, file->len}, package = field_of(scope, FILE_PACKAGE);
    item_kind is = A_FILE;

    if (package.len > 0) {
        if (name.len <= package.len || name.data[package.len] != '.' ||
            memcmp(name.data, package.data, package.len) != 0)
            return false;
        name.data += package.len + 1;
        name.len -= package.len + 1;
    }
    for (;;) {
        mote_pb_string one = {name.data, 0};
        while (one.len < name.len && one.data[one.len] != '.')
            one.len++;
        if (!enter_message(&scope, &is, one))
            return false;
        if (one.len == name.len)
            return true;
        name.data += one.len + 1;
        name.len -= one.len + 1;
    }
}
