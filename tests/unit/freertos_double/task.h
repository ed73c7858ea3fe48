#ifndef TASK_DOUBLE_H
#define TASK_DOUBLE_H

#include "FreeRTOS.h"

typedef struct {
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t given;
    void (*code)(void *);
    void *parameter;
    uint32_t notifications[configTASK_NOTIFICATION_ARRAY_ENTRIES];
} StaticTask_t;
typedef StaticTask_t *TaskHandle_t;
typedef struct {
    BaseType_t xOverflowCount;
    TickType_t xTimeOnEntering;
} TimeOut_t;

TaskHandle_t xTaskCreateStatic(void (*code)(void *), const char *name, uint32_t stack_depth,
                               void *parameter, UBaseType_t priority, StackType_t *stack,
                               StaticTask_t *memory);
TaskHandle_t xTaskGetCurrentTaskHandle(void);
void vTaskStartScheduler(void);
void vTaskEndScheduler(void);
void vTaskDelay(TickType_t ticks);
void vTaskSuspend(TaskHandle_t task);
void vTaskSetTimeOutState(TimeOut_t *at);
uint32_t ulTaskNotifyTakeIndexed(UBaseType_t index, BaseType_t clear, TickType_t ticks);
BaseType_t xTaskNotifyGiveIndexed(TaskHandle_t task, UBaseType_t index);
void vTaskNotifyGiveIndexedFromISR(TaskHandle_t task, UBaseType_t index, BaseType_t *woken);

#endif
