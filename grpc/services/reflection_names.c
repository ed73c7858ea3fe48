/* Looks a name up among the symbols of a file: no recursion, nothing is stored. */
#include "reflection_internal.h"

#include <string.h>

/* ---- the names of a descriptor -------------------------------------------------------------- */

static mote_pb_string symbol_name(const mote_pb_file *file, const mote_pb_symbol *symbol)
{
    const uint8_t *p = file->bytes + symbol->at;
    mote_pb_string name = {NULL, 0};
    unsigned shift = 0;

    for (; *p >= 128; shift += 7)
        name.len |= (size_t)(*p++ & 127) << shift;
    name.len |= (size_t)*p << shift;
    name.data = (const char *)p + 1;
    return name;
}

static int compare_names(mote_pb_string a, mote_pb_string b)
{
    size_t both = a.len < b.len ? a.len : b.len;
    int order = both > 0 ? memcmp(a.data, b.data, both) : 0;

    return order != 0 ? order : (a.len > b.len) - (a.len < b.len);
}

/* ---- the look-up ---------------------------------------------------------------------------- */

/* What is behind the last dot. */
static mote_pb_string last_of(mote_pb_string name)
{
    size_t at = name.len;

    while (at > 0 && name.data[at - 1] != '.')
        at--;
    return (mote_pb_string){name.data + at, name.len - at};
}

/* The name is behind the symbol (> 0), before it or its own (0), from the last part to the first.
 */
static int compare_symbol(const mote_pb_file *file, mote_pb_string name,
                          const mote_pb_symbol *symbol)
{
    for (;;) {
        mote_pb_string last = last_of(name);
        int order = compare_names(last, symbol_name(file, symbol));
        bool has_more = last.len < name.len;
        if (order != 0)
            return order;
        if (!has_more || symbol->scope == 0)
            return (int)has_more - (symbol->scope > 0);
        name.len -= last.len + 1;
        symbol = &file->symbols[symbol->scope - 1];
    }
}

static bool has_symbol_named(const mote_pb_file *file, mote_pb_string name)
{
    size_t low = 0, high = file->symbol_count;

    while (low < high) {
        size_t at = low + (high - low) / 2;
        int order = compare_symbol(file, name, &file->symbols[at]);
        if (order == 0)
            return true;
        if (order < 0)
            high = at;
        else
            low = at + 1;
    }
    return false;
}

bool mote_reflection_describes(const mote_pb_file *file, mote_pb_string name)
{
    mote_pb_string package = mote_pb_cstring(file->package);

    if (package.len > 0) {
        if (name.len <= package.len || name.data[package.len] != '.' ||
            memcmp(name.data, package.data, package.len) != 0)
            return false;
        name.data += package.len + 1;
        name.len -= package.len + 1;
    }
    return has_symbol_named(file, name);
}
