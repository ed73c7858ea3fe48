/*
 * storage: the memory of a connection, stated once. Part of grpc/grpc.h.
 */
#ifndef MOTE_STORAGE_H
#define MOTE_STORAGE_H

#include "../h2/h2.h"

/* clang-format off */
/*
 * The sizes of a connection are stated once, all seven in any order; the config and its memory
 * follow:
 *
 *     MOTE_GRPC_STORAGE(client, max_calls = 1, slots = 8, rx_size = 133, tx_size = 160,
 *                       table_size = 0, field_size = 64, user_size = 0);
 *     static const mote_grpc_config config = {MOTE_GRPC_SIZES(client), .authority = "collector"};
 *     mote_grpc_init(&grpc, &config, client_memory, sizeof client_memory);
 *
 * MOTE_GRPC_LAYOUT() is the same without the memory: client_memory_size is what it takes, as a
 * constant.
 */
/* clang-format on */
#define MOTE_GRPC_LAYOUT(name, a, b, c, d, e, f, g)                                                \
    enum { name##_##a, name##_##b, name##_##c, name##_##d, name##_##e, name##_##f, name##_##g };   \
    enum {                                                                                         \
        name##_memory_size =                                                                       \
            MOTE_GRPC_MEMORY(name##_max_calls, name##_rx_size, name##_tx_size, name##_table_size,  \
                             name##_field_size, name##_slots, name##_user_size)                    \
    }
#define MOTE_GRPC_STORAGE(name, a, b, c, d, e, f, g)                                               \
    MOTE_GRPC_LAYOUT(name, a, b, c, d, e, f, g);                                                   \
    static uint64_t name##_memory[name##_memory_size / sizeof(uint64_t)]
#define MOTE_GRPC_SIZES(name)                                                                      \
    .max_calls = name##_max_calls, .slots = name##_slots, .rx_size = name##_rx_size,               \
    .tx_size = name##_tx_size, .table_size = name##_table_size, .field_size = name##_field_size,   \
    .user_size = name##_user_size,                                                                 \
    .dynamic = name##_table_size > 0 ? &mote_hpack_dynamic_table : NULL

/* The RAM bill, for a static assertion: all bytes of a connection with such a layout. That of a
 * blocking client is MOTE_RAM_CHANNEL(). */
#define MOTE_RAM_CONNECTION(name) (sizeof(mote_grpc) + (size_t)name##_memory_size)

/* Bytes that each call has for whoever writes its messages, to keep where a message that goes in
 * parts goes on. Devices, whose messages are no larger than their memory, do without. 0 or
 * MOTE_GRPC_PLACE_SIZE, in library and program alike. */
#define MOTE_GRPC_PLACE_SIZE 128
#ifndef MOTE_GRPC_PLACE
#if defined(__unix__) || defined(__APPLE__) || defined(_WIN32)
#define MOTE_GRPC_PLACE MOTE_GRPC_PLACE_SIZE
#else
#define MOTE_GRPC_PLACE 0
#endif
#endif

/* Bytes in which a server remembers header blocks that repeat (mote_h2_repeating_table), on the
 * same machines: MOTE_H2_REPEATS_SIZE, or 0. */
#define MOTE_GRPC_REPEATS ((size_t)(MOTE_GRPC_PLACE > 0 ? MOTE_H2_REPEATS_SIZE : 0))

/* Under the address sanitizer, with -DMOTE_RED_ZONES for library and program alike: bytes behind
 * each part of a connection's memory, and each of an arena, that nobody may touch. It has its
 * price: such memory cannot be copied or cleared as a whole (fuzz/snapshot.h can), and must not lie
 * on a stack. */
#ifdef MOTE_RED_ZONES
#define MOTE_GRPC_RED_ZONE ((size_t)32)
#else
#define MOTE_GRPC_RED_ZONE ((size_t)0)
#endif

#ifdef __cplusplus
extern "C" {
#endif
struct mote_grpc_call;
/* Memory of a call for its source, MOTE_GRPC_PLACE_SIZE bytes that are aligned as a uint64_t and
 * stay as they were left; NULL: there is none. */
void *mote_grpc_place_of(const struct mote_grpc_call *call);
static inline void *mote_grpc_place(const struct mote_grpc_call *call)
{
    return MOTE_GRPC_PLACE > 0 ? mote_grpc_place_of(call) : NULL;
}
#ifdef __cplusplus
}
#endif

/* No size of a config is larger: 2 GiB, or 1 GiB where size_t has 32 bits. */
#define MOTE_GRPC_SIZE_MAX (SIZE_MAX / 4 < INT32_MAX ? SIZE_MAX / 4 : (size_t)INT32_MAX)

/* Bytes of memory for sizes that are known at run time only; the span must be aligned as a
 * uint64_t. */
#define MOTE_GRPC_ALIGN(n) (((n) + sizeof(uint64_t) - 1) / sizeof(uint64_t) * sizeof(uint64_t))
#define MOTE_GRPC_MEMORY(calls, rx, tx, table, field, slots, user)                                 \
    ((calls) * (MOTE_GRPC_ALIGN(sizeof(mote_grpc_call)) +                                          \
                MOTE_GRPC_ALIGN(sizeof(mote_h2_stream)) + MOTE_GRPC_ALIGN(rx) +                    \
                MOTE_GRPC_ALIGN(user) + MOTE_GRPC_PLACE + 3 * MOTE_GRPC_RED_ZONE) +                \
     MOTE_GRPC_ALIGN((slots) * sizeof(mote_hpack_slot)) +                                          \
     MOTE_GRPC_ALIGN(MOTE_HPACK_TABLE_MEMORY(table)) + MOTE_GRPC_ALIGN(tx) +                       \
     MOTE_GRPC_ALIGN(field) + MOTE_GRPC_REPEATS + 7 * MOTE_GRPC_RED_ZONE)

#endif
