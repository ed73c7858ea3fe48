/* FreeRTOS: a mutex, task notifications, stream buffers: see freertos.h. */
#include "freertos.h"

/* Ticks until a time, one more rather than one less; portMAX_DELAY: for ever. */
static TickType_t ticks_until(uint64_t until_ms)
{
    uint64_t now = mote_freertos_now_ms(NULL), ms = until_ms > now ? until_ms - now : 0;
    uint64_t ticks = ms < UINT32_MAX ? (ms * configTICK_RATE_HZ + 999) / 1000 : portMAX_DELAY;

    if (until_ms == UINT64_MAX)
        return portMAX_DELAY;
    return ticks < portMAX_DELAY ? (TickType_t)ticks : portMAX_DELAY - 1;
}

/* The kernel counts the overflows of its ticks, and says so to whoever begins a time-out. */
uint64_t mote_freertos_now_ms(void *unused)
{
    TimeOut_t at;

    (void)unused;
    vTaskSetTimeOutState(&at);
    uint64_t ticks = at.xTimeOnEntering;
    if (sizeof(TickType_t) < sizeof ticks)
        ticks |= (uint64_t)(UBaseType_t)at.xOverflowCount << (8 * sizeof(TickType_t) % 64);
    return ticks * 1000 / configTICK_RATE_HZ;
}

static void task_waits(uint64_t until_ms)
{
    ulTaskNotifyTakeIndexed(MOTE_FREERTOS_NOTIFICATION, pdTRUE, ticks_until(until_ms));
}

/* ---- an agent ----------------------------------------------------------------------------------
 */

/* Without INCLUDE_vTaskSuspend portMAX_DELAY ends as other times do, with 16-bit ticks soon. */
static void mutex_take(void *context)
{
    while (xSemaphoreTake(((mote_freertos_agent *)context)->lock, portMAX_DELAY) != pdTRUE)
        ;
}

static void mutex_give(void *context)
{
    xSemaphoreGive(((mote_freertos_agent *)context)->lock);
}

static void *current_task(void *context)
{
    (void)context;
    return xTaskGetCurrentTaskHandle();
}

/* A notification between the two is counted, and ends the wait at once. */
static void give_and_wait(void *context, uint64_t until_ms)
{
    mutex_give(context);
    task_waits(until_ms);
    mutex_take(context);
}

static void notify(void *context, void *task)
{
    (void)context;
    xTaskNotifyGiveIndexed(task, MOTE_FREERTOS_NOTIFICATION);
}

static void wake_owner(void *context)
{
    const mote_freertos_agent *f = context;

    if (f->wake)
        f->wake(f->context);
    else if (f->owner)
        notify(NULL, f->owner);
}

void mote_freertos_agent_init(mote_freertos_agent *f, mote_channel *channel,
                              void (*wake)(void *context), void *context)
{
    mote_agent_os os = {f, mutex_take, mutex_give, current_task, give_and_wait, notify, wake_owner};

    f->lock = xSemaphoreCreateMutexStatic(&f->memory);
    f->owner = NULL;
    f->wake = wake;
    f->context = context;
    mote_agent_init(&f->agent, channel, os);
}

void mote_freertos_agent_run(mote_freertos_agent *f)
{
    mutex_take(f);
    f->owner = xTaskGetCurrentTaskHandle();
    mutex_give(f);
    mote_agent_run(&f->agent);
}

/* ---- a line ------------------------------------------------------------------------------------
 */

static int line_read(void *context, uint8_t *buf, size_t cap)
{
    return (int)xStreamBufferReceive(((mote_freertos_line *)context)->rx, buf, cap, 0);
}

static int line_write(void *context, const uint8_t *buf, size_t len)
{
    const mote_freertos_line *line = context;
    size_t n = xStreamBufferSend(line->tx, buf, len, 0);

    if (n > 0 && line->send)
        line->send(line->context);
    return (int)n;
}

/* An interrupt notifies as bytes arrive and as bytes leave. */
static void line_wait(void *context, bool writing, uint64_t until_ms)
{
    (void)context;
    (void)writing;
    task_waits(until_ms);
}

mote_io mote_freertos_line_io(mote_freertos_line *line)
{
    return (mote_io){.context = line,
                     .read = line_read,
                     .write = line_write,
                     .wait = line_wait,
                     .now_ms = mote_freertos_now_ms};
}

static void notify_from_interrupt(const mote_freertos_line *line, BaseType_t *woken)
{
    vTaskNotifyGiveIndexedFromISR(line->owner, MOTE_FREERTOS_NOTIFICATION, woken);
}

size_t mote_freertos_line_arrived(mote_freertos_line *line, const uint8_t *bytes, size_t len,
                                  BaseType_t *woken)
{
    size_t n = xStreamBufferSendFromISR(line->rx, bytes, len, woken);

    notify_from_interrupt(line, woken);
    return n;
}

size_t mote_freertos_line_leaving(mote_freertos_line *line, uint8_t *bytes, size_t cap,
                                  BaseType_t *woken)
{
    size_t n = xStreamBufferReceiveFromISR(line->tx, bytes, cap, woken);

    if (n > 0)
        notify_from_interrupt(line, woken);
    return n;
}
