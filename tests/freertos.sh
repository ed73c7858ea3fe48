#!/bin/bash
# tests/unit/test_freertos.c on FreeRTOS itself, in a process (the kernel's own port for POSIX): tests/freertos.sh FOLDER, with the kernel's
# source, 10.4 or later. No package manager of this project's machines has it, so that `make unit` runs the same test with a double.
set -eu
BUILD=${BUILD:-build}
kernel=$1
port=$kernel/portable/ThirdParty/GCC/Posix
W=$BUILD/freertos
mkdir -p "$W"
cat >"$W/FreeRTOSConfig.h" <<'C'
#include <assert.h>
#define configUSE_PREEMPTION 1
#define configUSE_IDLE_HOOK 0
#define configUSE_TICK_HOOK 0
#define configTICK_RATE_HZ 1000
#define configUSE_16_BIT_TICKS 0
#define configMAX_PRIORITIES 5
#define configMINIMAL_STACK_SIZE 4096
#define configUSE_MUTEXES 1
#define configSUPPORT_STATIC_ALLOCATION 1
#define configSUPPORT_DYNAMIC_ALLOCATION 0
#define configKERNEL_PROVIDED_STATIC_MEMORY 1
#define configTASK_NOTIFICATION_ARRAY_ENTRIES 2
#define configINITIAL_TICK_COUNT (0xffffffffu - 200) /* they overflow soon */
#define configCHECK_FOR_STACK_OVERFLOW 0
#define configASSERT(x) assert(x)
#define INCLUDE_vTaskSuspend 1
#define INCLUDE_vTaskDelay 1
#define INCLUDE_xTaskGetCurrentTaskHandle 1
C
list() { make -s --no-print-directory print-CORE; }
# shellcheck disable=SC2046
${CC:-cc} -std=gnu11 -O1 -g -w -DMOTE_CHECK -I"$W" -I"$kernel/include" -I"$port" -I"$port/utils" "$kernel"/tasks.c "$kernel"/queue.c "$kernel"/list.c \
    "$kernel"/stream_buffer.c "$port"/port.c "$port"/utils/*.c tests/unit/test_freertos.c port/freertos/freertos.c $(list) -pthread -o "$W/test"
timeout 60 "$W/test"
