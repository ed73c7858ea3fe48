/* The double of FreeRTOS: see FreeRTOS.h. */
#define _GNU_SOURCE
#include "FreeRTOS.h"

#include "semphr.h"
#include "stream_buffer.h"
#include "task.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* ---- tasks: threads, which begin when the scheduler does ---------------------------------------
 */

static StaticTask_t *double_tasks[16];
static unsigned double_count;
static pthread_mutex_t double_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t double_ended = PTHREAD_COND_INITIALIZER;
static bool double_over;
static _Thread_local StaticTask_t *double_self;

static void *run_task(void *task)
{
    double_self = task;
    double_self->code(double_self->parameter);
    abort(); /* a task never returns */
}

TaskHandle_t xTaskCreateStatic(void (*code)(void *), const char *name, uint32_t stack_depth,
                               void *parameter, UBaseType_t priority, StackType_t *stack,
                               StaticTask_t *memory)
{
    pthread_condattr_t clock;

    (void)name, (void)stack_depth, (void)priority, (void)stack;
    memset(memory, 0, sizeof *memory);
    memory->code = code;
    memory->parameter = parameter;
    pthread_mutex_init(&memory->lock, NULL);
    pthread_condattr_init(&clock);
    pthread_condattr_setclock(&clock, CLOCK_MONOTONIC);
    pthread_cond_init(&memory->given, &clock);
    return double_tasks[double_count++] = memory;
}

void vTaskStartScheduler(void)
{
    for (unsigned i = 0; i < double_count; i++)
        pthread_create(&double_tasks[i]->thread, NULL, run_task, double_tasks[i]);
    pthread_mutex_lock(&double_lock);
    while (!double_over)
        pthread_cond_wait(&double_ended, &double_lock);
    pthread_mutex_unlock(&double_lock);
}

void vTaskEndScheduler(void)
{
    pthread_mutex_lock(&double_lock);
    double_over = true;
    pthread_cond_signal(&double_ended);
    pthread_mutex_unlock(&double_lock);
}

TaskHandle_t xTaskGetCurrentTaskHandle(void)
{
    return double_self;
}

/* ---- time --------------------------------------------------------------------------------------
 */

static uint64_t ticks_now(void)
{
    static struct timespec first;
    static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    pthread_mutex_lock(&lock);
    if (first.tv_sec == 0)
        first = t;
    uint64_t passed =
        (uint64_t)((t.tv_sec - first.tv_sec) * 1000000000 + t.tv_nsec - first.tv_nsec);
    pthread_mutex_unlock(&lock);
    return DOUBLE_FIRST_TICK + passed / (1000000000 / configTICK_RATE_HZ);
}

static struct timespec after(TickType_t ticks)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    uint64_t ns = (uint64_t)t.tv_nsec + (uint64_t)ticks * (1000000000 / configTICK_RATE_HZ);
    t.tv_sec += (time_t)(ns / 1000000000);
    t.tv_nsec = (long)(ns % 1000000000);
    return t;
}

void vTaskSetTimeOutState(TimeOut_t *at)
{
    uint64_t ticks = ticks_now();

    *at = (TimeOut_t){(BaseType_t)(ticks >> 32), (TickType_t)ticks};
}

void vTaskDelay(TickType_t ticks)
{
    struct timespec t = after(ticks);

    clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL);
}

void vTaskSuspend(TaskHandle_t task)
{
    (void)task; /* the one that calls */
    for (;;)
        vTaskDelay(100);
}

/* ---- notifications -----------------------------------------------------------------------------
 */

uint32_t ulTaskNotifyTakeIndexed(UBaseType_t index, BaseType_t clear, TickType_t ticks)
{
    StaticTask_t *t = double_self;
    struct timespec end = after(ticks);
    int r = 0;

    (void)clear; /* pdTRUE */
    pthread_mutex_lock(&t->lock);
    while (t->notifications[index] == 0 && r == 0)
        r = ticks == portMAX_DELAY ? pthread_cond_wait(&t->given, &t->lock)
                                   : pthread_cond_timedwait(&t->given, &t->lock, &end);
    uint32_t n = t->notifications[index];
    t->notifications[index] = 0;
    pthread_mutex_unlock(&t->lock);
    return n;
}

BaseType_t xTaskNotifyGiveIndexed(TaskHandle_t t, UBaseType_t index)
{
    pthread_mutex_lock(&t->lock);
    t->notifications[index]++;
    pthread_cond_signal(&t->given);
    pthread_mutex_unlock(&t->lock);
    return pdTRUE;
}

void vTaskNotifyGiveIndexedFromISR(TaskHandle_t t, UBaseType_t index, BaseType_t *woken)
{
    xTaskNotifyGiveIndexed(t, index);
    *woken = pdTRUE;
}

/* ---- mutexes -----------------------------------------------------------------------------------
 */

SemaphoreHandle_t xSemaphoreCreateMutexStatic(StaticSemaphore_t *memory)
{
    pthread_mutexattr_t kind;

    pthread_mutexattr_init(&kind);
    pthread_mutexattr_settype(&kind, PTHREAD_MUTEX_ERRORCHECK);
    pthread_mutex_init(memory, &kind);
    pthread_mutexattr_destroy(&kind);
    return memory;
}

BaseType_t xSemaphoreTake(SemaphoreHandle_t semaphore, TickType_t ticks)
{
    static _Atomic unsigned takes;

    (void)
        ticks; /* portMAX_DELAY, which ends without INCLUDE_vTaskSuspend: each third time at once */
    return takes++ % 3 == 2 ? pdFALSE : pthread_mutex_lock(semaphore) == 0;
}

BaseType_t xSemaphoreGive(SemaphoreHandle_t semaphore)
{
    if (pthread_mutex_unlock(semaphore) != 0)
        abort(); /* somebody gives what it has not taken */
    return pdTRUE;
}

/* ---- stream buffers ----------------------------------------------------------------------------
 */

StreamBufferHandle_t xStreamBufferCreateStatic(size_t size, size_t trigger, uint8_t *storage,
                                               StaticStreamBuffer_t *memory)
{
    (void)trigger;
    *memory = (StaticStreamBuffer_t){.storage = storage, .size = size};
    pthread_mutex_init(&memory->lock, NULL);
    return memory;
}

size_t xStreamBufferSend(StreamBufferHandle_t b, const void *bytes, size_t len, TickType_t ticks)
{
    size_t n = 0;

    (void)ticks; /* 0 */
    pthread_mutex_lock(&b->lock);
    for (; n < len && (b->head + 1) % b->size != b->tail; n++, b->head = (b->head + 1) % b->size)
        b->storage[b->head] = ((const uint8_t *)bytes)[n];
    pthread_mutex_unlock(&b->lock);
    return n;
}

size_t xStreamBufferReceive(StreamBufferHandle_t b, void *bytes, size_t cap, TickType_t ticks)
{
    size_t n = 0;

    (void)ticks; /* 0 */
    pthread_mutex_lock(&b->lock);
    for (; n < cap && b->tail != b->head; n++, b->tail = (b->tail + 1) % b->size)
        ((uint8_t *)bytes)[n] = b->storage[b->tail];
    pthread_mutex_unlock(&b->lock);
    return n;
}

size_t xStreamBufferSendFromISR(StreamBufferHandle_t b, const void *bytes, size_t len,
                                BaseType_t *woken)
{
    (void)woken; /* nobody waits */
    return xStreamBufferSend(b, bytes, len, 0);
}

size_t xStreamBufferReceiveFromISR(StreamBufferHandle_t b, void *bytes, size_t cap,
                                   BaseType_t *woken)
{
    (void)woken;
    return xStreamBufferReceive(b, bytes, cap, 0);
}
