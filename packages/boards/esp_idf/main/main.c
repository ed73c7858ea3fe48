/* Asks a server of gRPC for a temperature every five seconds. The network is that of `idf.py
 * menuconfig`, "Example Connection Configuration". hello.mote.c is what protoc-gen-mote made of
 * hello.proto with --mote_opt=runtime=mote.h. */
#include "ask.h"

#include <esp_event.h>
#include <esp_netif.h>
#include <freertos/FreeRTOS.h>
#include <freertos/task.h>
#include <nvs_flash.h>
#include <protocol_examples_common.h>

#include <stdio.h>

static mote_lwip_task tcp = {.host = "192.168.1.2", .port = 50051}; /* a name as well */

void app_main(void)
{
    double celsius;
    char text[96];

    ESP_ERROR_CHECK(nvs_flash_init());
    ESP_ERROR_CHECK(esp_netif_init());
    ESP_ERROR_CHECK(esp_event_loop_create_default());
    ESP_ERROR_CHECK(example_connect());
    ESP_ERROR_CHECK(mote_lwip_task_begin(&tcp));
    ask_begin(mote_lwip_task_io(&tcp));
    for (;;) {
        int code = ask(&celsius, text);
        if (code == MOTE_GRPC_OK)
            printf("%.1f degrees\n", celsius);
        else
            printf("error %d: %s\n", code, text);
        vTaskDelay(pdMS_TO_TICKS(5000));
    }
}
