/* What lwIP asks of a compiler and a processor; the rest are its defaults. */
#ifndef CC_H
#define CC_H

#include <stdint.h>

#define LWIP_NO_INTTYPES_H 1
#define LWIP_NO_CTYPE_H    1
#define LWIP_NO_UNISTD_H   1
#define X8_F               "x"
#define U16_F              "u"
#define S16_F              "d"
#define X16_F              "x"
#define U32_F              "u"
#define S32_F              "d"
#define X32_F              "x"
#define SZT_F              "u"

#define LWIP_PLATFORM_DIAG(x)
#define LWIP_PLATFORM_ASSERT(x)                                                                    \
    do {                                                                                           \
        for (;;)                                                                                   \
            ;                                                                                      \
    } while (0)

/* Port numbers and sequence numbers. */
uint32_t mote_lwip_random(void);
#define LWIP_RAND() mote_lwip_random()

#endif
