/* Types as constants, for code of hosts: a switch over them has code for each, which reads no
 * table. */
#ifndef MOTE_PB_FORMS_H
#define MOTE_PB_FORMS_H

#include "pb_internal.h"

#if defined(__GNUC__)
#define MOTE_PB_HOT inline __attribute__((always_inline))
#else
#define MOTE_PB_HOT inline
#endif

/* What is known of a type where it is a constant of this code: no table is read. */
static MOTE_PB_HOT unsigned mote_pb_form_wire(unsigned type)
{
    switch (type) {
#define FORM_WIRE(name, number, member, wire, kind)                                                \
    case MOTE_PB_##name:                                                                           \
        return MOTE_PB_##wire;
        MOTE_PB_TYPES(FORM_WIRE)
#undef FORM_WIRE
    }
    return MOTE_PB_VARINT;
}

static MOTE_PB_HOT mote_pb_type_info mote_pb_form_info(unsigned type)
{
    switch (type) {
#define FORM_INFO(name, number, member, wire, kind)                                                \
    case MOTE_PB_##name:                                                                           \
        return (mote_pb_type_info){sizeof((mote_pb_opt_##member *)0)->value,                       \
                                   offsetof(mote_pb_opt_##member, value), MOTE_PB_##kind};
        MOTE_PB_TYPES(FORM_INFO)
#undef FORM_INFO
    }
    return (mote_pb_type_info){0, 0, MOTE_PB_UNSIGNED};
}

/* Each type that is no message, and behind those that are written alike the one that stands for
 * them: a switch over them has code for each. OPEN: without closed enums. */
#define MOTE_PB_FORMS(CASE, CODE) CASE(CLOSED) MOTE_PB_OPEN_FORMS(CASE, CODE)
#define MOTE_PB_OPEN_FORMS(CASE, CODE)                                                             \
    CASE(INT32)                                                                                    \
    CASE(ENUM_TYPE)                                                                                \
    CODE(INT32)                                                                                    \
    CASE(DOUBLE)                                                                                   \
    CASE(FIXED64)                                                                                  \
    CASE(SFIXED64)                                                                                 \
    CODE(FIXED64)                                                                                  \
    CASE(FLOAT)                                                                                    \
    CASE(FIXED32)                                                                                  \
    CASE(SFIXED32)                                                                                 \
    CODE(FIXED32)                                                                                  \
    CASE(INT64)                                                                                    \
    CASE(UINT64)                                                                                   \
    CODE(UINT64)                                                                                   \
    CASE(UINT32)                                                                                   \
    CODE(UINT32)                                                                                   \
    CASE(SINT32)                                                                                   \
    CODE(SINT32)                                                                                   \
    CASE(SINT64)                                                                                   \
    CODE(SINT64)                                                                                   \
    CASE(BOOL)                                                                                     \
    CODE(BOOL)                                                                                     \
    CASE(TEXT)                                                                                     \
    CODE(TEXT)                                                                                     \
    CASE(BYTES)                                                                                    \
    CODE(BYTES)

#endif
