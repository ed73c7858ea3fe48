/* A static pool for mbedTLS, by its own allocator. */
#include "tls_internal.h"

#include <mbedtls/memory_buffer_alloc.h>

#if defined(MBEDTLS_MEMORY_BUFFER_ALLOC_C)

int mote_tls_pool(void *memory, size_t size)
{
    mbedtls_memory_buffer_alloc_init(memory, size);
    return 0;
}

mote_tls_usage mote_tls_pool_usage(void)
{
    mote_tls_usage usage = {0, 0};
#if defined(MBEDTLS_MEMORY_DEBUG)
    enum { BLOCK_HEADER = 6 * sizeof(void *) + 2 * sizeof(size_t) }; /* of a block, about */
    size_t blocks = 0;
    mbedtls_memory_buffer_alloc_cur_get(&usage.now, &blocks);
    usage.now += blocks * BLOCK_HEADER;
    mbedtls_memory_buffer_alloc_max_get(&usage.most, &blocks);
    usage.most += blocks * BLOCK_HEADER;
#endif
    return usage;
}

#else

int mote_tls_pool(void *memory, size_t size)
{
    (void)memory, (void)size;
    return MOTE_TLS_ERR_CONFIG;
}

mote_tls_usage mote_tls_pool_usage(void)
{
    return (mote_tls_usage){0, 0};
}

#endif
