#ifndef STREAM_BUFFER_DOUBLE_H
#define STREAM_BUFFER_DOUBLE_H

#include "FreeRTOS.h"

/* One writer and one reader, who never wait. The storage is one byte larger than what it holds. */
typedef struct {
    pthread_mutex_t lock;
    uint8_t *storage;
    size_t size, head, tail;
} StaticStreamBuffer_t;
typedef StaticStreamBuffer_t *StreamBufferHandle_t;

StreamBufferHandle_t xStreamBufferCreateStatic(size_t size, size_t trigger, uint8_t *storage,
                                               StaticStreamBuffer_t *memory);
size_t xStreamBufferSend(StreamBufferHandle_t b, const void *bytes, size_t len, TickType_t ticks);
size_t xStreamBufferReceive(StreamBufferHandle_t b, void *bytes, size_t cap, TickType_t ticks);
size_t xStreamBufferSendFromISR(StreamBufferHandle_t b, const void *bytes, size_t len,
                                BaseType_t *woken);
size_t xStreamBufferReceiveFromISR(StreamBufferHandle_t b, void *bytes, size_t cap,
                                   BaseType_t *woken);

#endif
