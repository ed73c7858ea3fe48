/* A double of what the example for ESP-IDF uses of it, in one header: only compiled. */
#ifndef IDF_DOUBLE_H
#define IDF_DOUBLE_H

#include <stdlib.h>

#define ESP_ERROR_CHECK(result) ((result) == 0 ? (void)0 : abort())

int esp_event_loop_create_default(void);
int esp_netif_init(void);
int nvs_flash_init(void);
int example_connect(void);

#endif
