/* A double of FreeRTOS by POSIX threads: what port/freertos/ and its test use of the interface that
 * is documented for 10.4 and later, and no more. tests/freertos.sh runs the same test on a kernel,
 * where there is one. */
#ifndef FREERTOS_DOUBLE_H
#define FREERTOS_DOUBLE_H

#include <pthread.h>
#include <stddef.h>
#include <stdint.h>

typedef long BaseType_t;
typedef unsigned long UBaseType_t;
typedef uint32_t TickType_t;
typedef uint8_t StackType_t;

#define pdTRUE                                1
#define pdFALSE                               0
#define portMAX_DELAY                         UINT32_MAX
#define configTICK_RATE_HZ                    100u /* a tick is not a millisecond */
#define configTASK_NOTIFICATION_ARRAY_ENTRIES 2
#define configMAX_PRIORITIES                  5
#define configMINIMAL_STACK_SIZE              1024

/* Of the double: when its ticks began, so that they are about to overflow. */
#define DOUBLE_FIRST_TICK (UINT32_MAX - 20)

#endif
