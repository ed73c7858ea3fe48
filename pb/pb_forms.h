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
    case MOTE_PB_BOOL:
        return (mote_pb_type_info){sizeof(bool), 0, MOTE_PB_UNSIGNED};
    case MOTE_PB_UINT32:
        return (mote_pb_type_info){4, 0, MOTE_PB_UNSIGNED};
    case MOTE_PB_INT32:
        return (mote_pb_type_info){4, 0, MOTE_PB_SIGNED};
    case MOTE_PB_SINT32:
        return (mote_pb_type_info){4, 0, MOTE_PB_ZIGZAG};
    case MOTE_PB_SINT64:
        return (mote_pb_type_info){8, 0, MOTE_PB_ZIGZAG};
    default:
        return (mote_pb_type_info){8, 0, MOTE_PB_UNSIGNED};
    }
}

/* Each type that is no message, with the one that stands for those that are written as it is: a
 * switch over them has code for each. */
#define MOTE_PB_FORMS(X)                                                                           \
    X(DOUBLE, FIXED64)                                                                             \
    X(FIXED64, FIXED64)                                                                            \
    X(SFIXED64, FIXED64)                                                                           \
    X(FLOAT, FIXED32)                                                                              \
    X(FIXED32, FIXED32)                                                                            \
    X(SFIXED32, FIXED32)                                                                           \
    X(INT64, UINT64)                                                                               \
    X(UINT64, UINT64)                                                                              \
    X(UINT32, UINT32)                                                                              \
    X(INT32, INT32)                                                                                \
    X(ENUM_TYPE, INT32)                                                                            \
    X(CLOSED, INT32)                                                                               \
    X(SINT32, SINT32)                                                                              \
    X(SINT64, SINT64)                                                                              \
    X(BOOL, BOOL)                                                                                  \
    X(TEXT, TEXT)                                                                                  \
    X(BYTES, BYTES)

#endif
